/* A task's writer: its journals, its commit log, the open transaction. */
#ifndef FIRTH_STORE_LOCAL_WRITER_H
#define FIRTH_STORE_LOCAL_WRITER_H

#include "store/local/local.h"

void local_writer_close(struct store_writer *writer);
int local_writer_journal(struct store_writer *writer, const char *collection,
                         const struct store_journal_options *options, uint32_t *ret_journal,
                         struct error *err);
int local_append(struct store_writer *writer, uint32_t journal, struct slice document, struct error *err);
int local_commit(struct store_writer *writer, struct slice checkpoint, struct error *err);
uint64_t local_writer_pending(const struct store_writer *writer);
int local_truncate(struct store_writer *writer, uint32_t journal, struct error *err);

void local_reader_close(struct store_reader *reader);
int local_reader_seek(struct store_reader *reader, const char *writer, uint64_t number, struct error *err);
int local_reader_next(struct store_reader *reader, struct store_document *ret_document, struct error *err);
const char *local_reader_left_out(const struct store_reader *reader, uint64_t *ret_number);
int local_reader_notice(struct store_reader *reader, struct store_notice *ret_notice);
int local_reader_fd(struct store_reader *reader);
void local_reader_woken(struct store_reader *reader);

#endif
