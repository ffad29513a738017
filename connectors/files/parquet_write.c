#include "connectors/files/parquet_write.h"

#include "connectors/files/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Both pipes are served at once: who only wrote would wait for a program that waits for its reader. */

enum { PIECE = 128 << 10 };

struct parquet_writer {
    struct files_program program;
    int (*sink)(void *context, struct slice bytes, struct error *err);
    void *context;
    char *piece;
};

struct parquet_writer *parquet_writer_new(const char *codec,
                                          int (*sink)(void *context, struct slice bytes, struct error *err),
                                          void *context, struct error *err)
{
    struct parquet_writer *writer = mem_zalloc(sizeof *writer);
    auto_free char *name = mem_strdup(codec);
    char *const argv[] = {(char *)(uintptr_t) "firth-parquet", (char *)(uintptr_t) "write", name, NULL};
    writer->sink = sink;
    writer->context = context;
    if (files_program_start(&writer->program, argv, true, err) < 0) {
        free(writer);
        return NULL;
    }
    writer->piece = mem_alloc(PIECE);
    fcntl(writer->program.in, F_SETFL, O_NONBLOCK);
    return writer;
}

void parquet_writer_free(struct parquet_writer *writer)
{
    if (!writer)
        return;
    files_program_close(&writer->program);
    free(writer->piece);
    free(writer);
}

/* What it has made goes on: 1; 0: it has closed its output. */
static int take_output(struct parquet_writer *writer, struct error *err)
{
    ssize_t got = read(writer->program.out, writer->piece, PIECE);
    if (got < 0)
        return errno == EINTR ? 1 : error_errno(err, errno, "cannot read from firth-parquet");
    return got == 0                                                                             ? 0
           : writer->sink(writer->context, (struct slice){writer->piece, (size_t)got}, err) < 0 ? -1
                                                                                                : 1;
}

static int early_end(struct parquet_writer *writer, struct error *err)
{
    static const char what[] = "the Parquet file cannot be made";
    return files_program_end(&writer->program, what, err) < 0
               ? -1
               : error_set(err, ERROR_IO, "%s: firth-parquet ended before its input", what);
}

int parquet_writer_put(struct parquet_writer *writer, struct slice rows, struct error *err)
{
    struct pollfd ready[] = {{writer->program.in, POLLOUT, 0}, {writer->program.out, POLLIN, 0}};
    while (rows.size) {
        if (poll(ready, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return error_errno(err, errno, "cannot wait for firth-parquet");
        }
        if (ready[1].revents) {
            int more = take_output(writer, err);
            if (more <= 0)
                return more < 0 ? -1 : early_end(writer, err);
        }
        if (!ready[0].revents)
            continue;
        ssize_t put = write(writer->program.in, rows.data, rows.size);
        if (put < 0 && errno == EPIPE)
            return early_end(writer, err);
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "cannot write to firth-parquet");
        if (put > 0)
            rows = (struct slice){rows.data + put, rows.size - (size_t)put};
    }
    return 0;
}

int parquet_writer_end(struct parquet_writer *writer, struct error *err)
{
    int more = 1;
    close(writer->program.in);
    writer->program.in = -1;
    while (more > 0)
        more = take_output(writer, err);
    return more < 0 ? -1 : files_program_end(&writer->program, "the Parquet file cannot be made", err);
}
