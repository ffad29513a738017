/* Bytes that are pulled: from a disk, a server, a decompressor. */
#ifndef FIRTH_FILES_INPUT_H
#define FIRTH_FILES_INPUT_H

#include "base/error.h"

#include <stdint.h>

struct files_input {
    /* Up to `size` bytes; 0 at the end, -1 with *err. */
    int64_t (*read)(struct files_input *input, char *bytes, size_t size, struct error *err);
    void (*close)(struct files_input *input);
};

static inline void files_input_close(struct files_input *input)
{
    if (input)
        input->close(input);
}

/* Drop `count` bytes; ERROR_CORRUPT if there are fewer. */
int files_input_skip(struct files_input *input, uint64_t count, struct error *err);
/* As many bytes as there are, up to `size`: short only at the end. */
int64_t files_input_read_full(struct files_input *input, char *bytes, size_t size, struct error *err);

#endif
