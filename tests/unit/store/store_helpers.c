#include "store_helpers.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

struct store *must_open(const char *folder, bool read_only)
{
    struct error err;
    struct store *store = store_open(folder, &(struct store_options){.read_only = read_only}, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

int set_up(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->store = must_open(fixture->folder, false);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    store_close(fixture->store);
    arena_done(&fixture->arena);
    assert_int_equal(file_remove_tree(fixture->folder, &err), 0);
    free(fixture);
    return 0;
}

struct store_writer *must_write(struct store *store, const char *task, const char *checkpoint)
{
    struct error err;
    struct slice found;
    struct store_writer *writer = store_writer_open(store, task, &found, &err);
    if (!writer)
        fail_msg("%s", err.message);
    if (checkpoint)
        assert_true(slice_is(found, checkpoint));
    return writer;
}

uint32_t must_journal(struct store_writer *writer, const char *collection,
                      const struct store_journal_options *options)
{
    struct error err;
    uint32_t journal;
    if (store_writer_journal(writer, collection, options, &journal, &err) < 0)
        fail_msg("%s", err.message);
    return journal;
}

void must_append(struct store_writer *writer, uint32_t journal, const char *text, int number)
{
    char document[256];
    struct error err;
    snprintf(document, sizeof document, "{\"text\":\"%s\",\"n\":%d}", text, number);
    if (store_append(writer, journal, slice_of(document), &err) < 0)
        fail_msg("%s", err.message);
}

void must_commit(struct store_writer *writer, const char *checkpoint)
{
    struct error err;
    if (store_commit(writer, slice_of(checkpoint), &err) < 0)
        fail_msg("%s", err.message);
}

void expect_read(struct store_reader *reader, const char *text, int from, int to)
{
    struct error err;
    struct store_document document;
    int result;
    for (int i = from; (result = store_reader_next(reader, &document, &err)) == 1; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "{\"text\":\"%s\",\"n\":%d}", text, i);
        assert_true(i < to);
        assert_int_equal(document.number, i);
        assert_true(slice_is(document.bytes, expected));
        from = i + 1;
    }
    if (result < 0)
        fail_msg("%s", err.message);
    assert_int_equal(from, to);
}

struct store_reader *must_read(struct store *store, const char *collection, uint64_t from)
{
    struct error err;
    struct store_reader *reader = store_reader_open(store, collection, NULL, from, &err);
    if (!reader)
        fail_msg("%s", err.message);
    return reader;
}

void wait_for_commit(struct store_reader *reader)
{
    struct pollfd poll_fd = {.fd = store_reader_fd(reader), .events = POLLIN};
    assert_true(poll_fd.fd >= 0);
    assert_int_equal(poll(&poll_fd, 1, 20000), 1);
    store_reader_woken(reader);
}
