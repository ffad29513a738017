/* Files that grow: what is committed is there once, with its checkpoint; what is not, not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "destination-local-json/live.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char users[] = "_airbyte_raw_users.jsonl", orders[] = "_airbyte_raw_orders.jsonl";
static char *const both[] = {users, orders};

struct place {
    char folder[64];
    int fd;
};

static void place_open(struct place *place)
{
    memcpy(place->folder, "/tmp/firth-live-XXXXXX", sizeof "/tmp/firth-live-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(place->fd >= 0);
}

static void place_close(struct place *place)
{
    struct error err;
    close(place->fd);
    assert_int_equal(file_remove_tree(place->folder, &err), 0);
}

static struct live *try_open(struct place *place, struct error *err)
{
    assert_int_equal(staged_recover(place->folder, place->fd, err), 0);
    return live_open(place->folder, place->fd, "acmeCo/out", both, 2, err);
}

static struct live *must_open(struct place *place)
{
    struct error err;
    struct live *live = try_open(place, &err);
    if (!live)
        fail_msg("%s", err.message);
    return live;
}

static void put(struct live *live, size_t index, const char *line)
{
    struct error err;
    char *at = live_reserve(live, index, strlen(line), &err);
    assert_non_null(at);
    memcpy(at, line, strlen(line));
    live->files[index].out.size += strlen(line);
}

static void commit(struct live *live, const char *checkpoint)
{
    struct error err;
    assert_int_equal(live_commit(live, slice_of(checkpoint), &err), 0);
}

static void expect_file(const struct place *place, const char *name, const char *content)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, 1 << 20);
    auto_free char *path = mem_printf("%s/%s", place->folder, name);
    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    assert_string_equal(buffer_cstr(&text), content);
    buffer_done(&text);
}

static void write_file(const struct place *place, const char *name, const char *content)
{
    struct error err;
    auto_free char *path = mem_printf("%s/%s", place->folder, name);
    assert_int_equal(file_replace(path, content, strlen(content), 0644, &err), 0);
}

static void test_commits_are_seen(void **state)
{
    (void)state;
    struct place place;
    place_open(&place);
    struct live *live = must_open(&place);
    assert_string_equal(live->checkpoint, "");
    put(live, 0, "{\"a\":1}\n");
    commit(live, "{\"n\":1}");
    expect_file(&place, users, "{\"a\":1}\n");
    expect_file(&place, orders, "");
    put(live, 1, "{\"b\":1}\n");
    put(live, 0, "{\"a\":2}\n");
    live_close(live); /* not committed: it goes */
    expect_file(&place, users, "{\"a\":1}\n");
    expect_file(&place, orders, "");
    live = must_open(&place);
    assert_string_equal(live->checkpoint, "{\"n\":1}");
    put(live, 0, "{\"a\":3}\n");
    commit(live, "{\"n\":2}");
    live_close(live);
    expect_file(&place, users, "{\"a\":1}\n{\"a\":3}\n");
    place_close(&place);
}

/* In a child that is killed: what is written out, but not committed, is cut by the next session. */
static void crash(struct place *place, bool commit_second)
{
    pid_t child = fork();
    if (child == 0) {
        struct live *live = must_open(place);
        put(live, 0, "one\n");
        commit(live, "{\"n\":1}");
        char line[1024];
        memset(line, 'x', sizeof line);
        line[sizeof line - 1] = '\0';
        for (int i = 0; i < 600; i++) /* more than is held back */
            put(live, 0, line);
        if (commit_second)
            commit(live, "{\"n\":2}");
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void test_crash(void **state)
{
    (void)state;
    for (int committed = 0; committed < 2; committed++) {
        struct place place;
        place_open(&place);
        crash(&place, committed);
        struct live *live = must_open(&place);
        assert_string_equal(live->checkpoint, committed ? "{\"n\":2}" : "{\"n\":1}");
        assert_int_equal(live->files[0].committed, committed ? 4 + 600 * 1023 : 4);
        assert_int_equal(lseek(live->files[0].fd, 0, SEEK_END), live->files[0].committed);
        live_close(live);
        place_close(&place);
    }
}

/* What others did to the files between two sessions. */
static void test_strangers(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    struct live *live = must_open(&place);
    put(live, 0, "one\n");
    commit(live, "{\"n\":1}");
    live_close(live);
    auto_free char *path = mem_printf("%s/%s", place.folder, users);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "theirs", 6),
                     6); /* after a session that was closed: it stays, as a line of its own */
    close(fd);
    live = must_open(&place);
    put(live, 0, "two\n");
    commit(live, "{\"n\":2}");
    live_close(live);
    expect_file(&place, users, "one\ntheirs\ntwo\n");
    crash(&place, false);
    write_file(&place, users, "another file\nthat is longer than what was committed, far longer\n");
    live = must_open(&place); /* not the file that was cut off */
    live_close(live);
    expect_file(&place, users, "another file\nthat is longer than what was committed, far longer\n");
    crash(&place, true);
    assert_int_equal(truncate(path, 10), 0);
    assert_null(try_open(&place, &err));
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_non_null(strstr(err.message, "has 10 bytes, but"));
    place_close(&place);
}

static void test_broken_records(void **state)
{
    (void)state;
    static const char *const records[] = {
        "",
        "{",
        "[]",
        "{\"files\":[{\"name\":\"../x\",\"inode\":1,\"size\":1}]}",
        "{\"files\":[{\"name\":\"x\",\"inode\":1}]}",
        "{\"files\":[7]}",
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct place place;
        struct error err;
        place_open(&place);
        struct live *live = must_open(&place);
        auto_free char *name = mem_strdup(strrchr(live->record, '/') + 1);
        live_close(live);
        write_file(&place, name, records[i]);
        assert_null(try_open(&place, &err));
        assert_int_equal(err.code, ERROR_CORRUPT);
        place_close(&place);
    }
}

static void test_two_sessions(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    struct live *first = must_open(&place);
    put(first, 0, "one\n");
    commit(first, "{\"n\":1}");
    int fd = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(staged_recover(place.folder, fd, &err), 0);
    assert_null(live_open(place.folder, fd, "acmeCo/out", both, 2, &err));
    assert_int_equal(err.code, ERROR_BUSY);
    assert_null(staged_open(place.folder, fd, users, true, &err)); /* nor a sync with an end */
    assert_int_equal(err.code, ERROR_BUSY);
    put(first, 0, "two\n");
    commit(first, "{\"n\":2}");
    live_close(first);
    expect_file(&place, users, "one\ntwo\n");
    close(fd);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_are_seen), cmocka_unit_test(test_crash),
        cmocka_unit_test(test_strangers),        cmocka_unit_test(test_broken_records),
        cmocka_unit_test(test_two_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
