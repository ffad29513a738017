#include "input.h"

#include "base/memory.h"

#include <inttypes.h>

int64_t files_input_read_full(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    size_t got = 0;
    while (got < size) {
        int64_t count = input->read(input, bytes + got, size - got, err);
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        got += (size_t)count;
    }
    return (int64_t)got;
}

int files_input_skip(struct files_input *input, uint64_t count, struct error *err)
{
    enum { PIECE = 64 << 10 };
    auto_free char *piece = mem_alloc(PIECE);
    uint64_t left = count;
    while (left) {
        int64_t got = input->read(input, piece, left < PIECE ? (size_t)left : PIECE, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return error_set(err, ERROR_CORRUPT,
                             "it ends after %" PRIu64 " bytes, but %" PRIu64 " of it were read before",
                             count - left, count);
        left -= (uint64_t)got;
    }
    return 0;
}
