/* What a command prints: a batched standard output, tables, and errors with their exit codes. */
#ifndef FIRTH_CLI_OUTPUT_H
#define FIRTH_CLI_OUTPUT_H

#include "base/buffer.h"
#include "cli/command.h"
#include "json/writer.h"

/* --- standard output ------------------------------------------------------------------------------ */

/* Buffered writing to a descriptor. Its error stays until output_finish, so that a command's many prints
 * need one check; loops should stop when output_failed. A reader who went away (EPIPE) is no error of
 * ours: the process ends quietly as `cat` does, by SIGPIPE. */
struct output {
    int fd;
    struct buffer buffer;
    bool failed, minds_reader;
    struct error error;
};

void output_init(struct output *output, int fd);
void output_write(struct output *output, const void *bytes, size_t size);
void output_str(struct output *output, const char *text);
void output_printf(struct output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text of others, safe to show on a terminal. */
void output_printable(struct output *output, const char *text);
/* From here on a reader that went away is a failure like others, for its owner to see and to end in order. */
static inline void output_mind_reader(struct output *output)
{
    output->minds_reader = true;
}
/* Write what is buffered now. */
void output_flush(struct output *output);
static inline bool output_failed(const struct output *output)
{
    return output->failed;
}
/* Whoever reads our output went away: end quietly by SIGPIPE. Does not return. */
void output_reader_gone(void) __attribute__((noreturn));
/* Flush, free, report an error if there was one. Returns `code`, or CLI_IO if the output failed. */
int output_finish(struct output *output, const struct cli *cli, int code);

/* --- tables ---------------------------------------------------------------------------------------- */

/* Columns as wide as their widest cell, two spaces between; a cell may hold UTF-8. Cells are copied. */
enum { TABLE_COLUMNS_MAX = 12 };
struct table {
    struct arena arena;
    size_t columns, cells, capacity;
    const char **items;
    bool right[TABLE_COLUMNS_MAX]; /* align a column right: numbers */
};

/* `headings` NULL-terminated; a heading that begins with '>' aligns its column right. */
void table_init(struct table *table, const char *const *headings);
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print; the heading bold if `color`. Frees the table. */
void table_finish(struct table *table, bool color, struct output *output);

/* --- sums ------------------------------------------------------------------------------------------ */

/* What a command has counted, for machines: a line {"summary":{…}} on standard error, the like of which
 * people get as a sentence. `sums` ends with a NULL name. */
struct output_sum {
    const char *name;
    uint64_t count;
};
void output_json_summary(const struct output_sum *sums);

/* --- errors ---------------------------------------------------------------------------------------- */

/* Print the error on stderr ("firth: …", or {"error":{…}} with -o json); returns its exit code. */
int cli_fail(const struct cli *cli, const struct error *err);
/* A command line that is wrong: the message and where to look; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const struct error *err);
int cli_exit_code(enum error_code code);
/* {"code":…,"message":…,"retriable":…}: an error in what a command prints with -o json. */
void output_json_error(struct json_writer *writer, const struct error *err);

#endif
