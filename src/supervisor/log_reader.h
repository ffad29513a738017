/* Reading the daemon's log of one task, from its oldest file to its newest, while it is written and files go.
 * Half a line that a crash left is passed over. */
#ifndef FIRTH_SUPERVISOR_LOG_READER_H
#define FIRTH_SUPERVISOR_LOG_READER_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

struct log_reader;

/* `since_ms`: files that were last written to before that are passed over; 0: none is. */
struct log_reader *log_reader_new(const char *data_dir, const char *task, int64_t since_ms);
void log_reader_free(struct log_reader *reader);
MEM_DEFINE_CLEANUP(struct log_reader *, log_reader_free);

/* 1 and a line without its end, valid until the next call; 0: there is no further one yet; -1. */
int log_reader_next(struct log_reader *reader, struct slice *ret_line, struct error *err);
/* The folder, to be watched; it may not be there yet. */
const char *log_reader_folder(const struct log_reader *reader);

#endif
