#include "connectors/files/program.h"
#include "connectors/files/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* Parquet, by the program firth-parquet (connectors/parquet), whose lines are read as they come. */

struct parquet {
    struct files_program program;
    struct files_window window;
};

struct pipe_input {
    struct files_input input;
    int fd; /* the program's */
};

static int64_t pipe_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    ssize_t got;
    do
        got = read(((struct pipe_input *)input)->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? error_errno(err, errno, "cannot read from firth-parquet") : got;
}

static void pipe_close(struct files_input *input)
{
    free(input);
}

static void format_close(void *self_)
{
    struct parquet *self = self_;
    files_window_done(&self->window);
    files_program_close(&self->program);
    free(self);
}

static void *format_open(const struct files_opener *opener, const struct files_format *format, uint64_t skip,
                         struct error *err)
{
    const char *path = opener->local(opener->context, err);
    if (!path)
        return NULL;
    struct parquet *self = mem_zalloc(sizeof *self);
    auto_free char *number = mem_printf("%" PRIu64, skip), *file = mem_strdup(path);
    char *const argv[] = {(char *)(uintptr_t) "firth-parquet",
                          (char *)(uintptr_t) "read",
                          file,
                          number,
                          (char *)(uintptr_t)(format->decimals_as_floats ? "number" : "text"),
                          NULL};
    if (files_program_start(&self->program, argv, false, err) < 0) {
        free(self);
        return NULL;
    }
    struct pipe_input *input = mem_zalloc(sizeof *input);
    input->input = (struct files_input){pipe_read, pipe_close};
    input->fd = self->program.out;
    files_window_init(&self->window, &input->input, 0, 1);
    return self;
}

static int format_next(void *self_, struct slice *ret_json, struct error *err)
{
    struct parquet *self = self_;
    int got = files_window_line(&self->window, ret_json, err);
    return got == 0 && self->program.child
               ? files_program_end(&self->program, "it cannot be read as Parquet", err)
               : got;
}

const struct files_other_format files_parquet_format = {format_open, format_next, format_close};
