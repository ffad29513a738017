/* What the store's tests share: a store in a folder of its own, and calls that must succeed. */
#ifndef FIRTH_TESTS_STORE_HELPERS_H
#define FIRTH_TESTS_STORE_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/store.h"

struct fixture {
    char folder[64];
    struct store *store;
    struct arena arena;
};

int set_up(void **state);
int tear_down(void **state);

struct store *must_open(const char *folder, bool read_only);
/* `checkpoint`: what it has to find, NULL: anything. */
struct store_writer *must_write(struct store *store, const char *task, const char *checkpoint);
uint32_t must_journal(struct store_writer *writer, const char *collection,
                      const struct store_journal_options *options);
/* Appends {"text":text,"n":number}. */
void must_append(struct store_writer *writer, uint32_t journal, const char *text, int number);
void must_commit(struct store_writer *writer, const char *checkpoint);
struct store_reader *must_read(struct store *store, const char *collection, uint64_t from);
/* Read to the end: these documents, numbered from..to-1, and no others. */
void expect_read(struct store_reader *reader, const char *text, int from, int to);
/* Wait until the reader's descriptor says that something may have been committed. */
void wait_for_commit(struct store_reader *reader);

#endif
