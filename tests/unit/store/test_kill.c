/* store: the process dies by SIGKILL at every named point of commit, roll, seal, retention and opening; the
 * next one goes on from the checkpoint it finds, and in the end every document is there once. (Builds with
 * -Dfaults=true.) */
#include "store_helpers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FIRTH_FAULTS

enum { COMMITS = 50, EACH = 12 };

static const char *const points[] = {
    "store.commit.before-write", "store.commit.after-blocks",  "store.commit.after-sync",
    "store.commit.after-record", "store.commit.after-publish", "store.log.before-rename",
    "store.log.after-rename",    "store.log.after-unlink",     "store.open.after-log",
    "store.log.after-segments",  "store.open.after-replay",    "store.open.after-cut",
    "store.seal.before-sync",    "store.seal.after-sync",      "store.seal.before-rename",
    "store.seal.after-rename",   "store.retain.before-unlink", "store.retain.after-unlink",
};

/* Commit number i appends documents (i-1)*EACH to i*EACH-1 and has the checkpoint i. Each commit that
 * returned is told through the pipe. */
static void work(struct fixture *fixture, int acknowledge)
{
    struct error err;
    struct slice checkpoint;
    struct store *store = must_open(fixture->folder, false);
    struct store_writer *writer = store_writer_open(store, "writer", &checkpoint, &err);
    if (!writer)
        _exit(3);
    char text[16] = "";
    uint64_t done = 0;
    if (checkpoint.size && checkpoint.size < sizeof text)
        memcpy(text, checkpoint.data, checkpoint.size);
    if (checkpoint.size && !string_to_u64(text, COMMITS, &done))
        _exit(4);
    struct store_journal_options all = {.segment_bytes = 4096, .compression = STORE_COMPRESSION_ZSTD};
    struct store_journal_options few = {.segment_bytes = 4096, .retain_bytes = 6000};
    uint32_t kept = must_journal(writer, "all", &all), dropped = must_journal(writer, "few", &few);
    for (uint64_t i = done + 1; i <= COMMITS; i++) {
        for (int number = (int)(i - 1) * EACH; number < (int)i * EACH; number++) {
            must_append(writer, kept, "k", number);
            must_append(writer, dropped, "d", number);
        }
        snprintf(text, sizeof text, "%d", (int)i);
        must_commit(writer, text);
        if (write(acknowledge, &i, sizeof i) != sizeof i)
            _exit(5);
    }
    store_writer_close(writer);
    store_close(store);
    _exit(0);
}

/* Run until the end or the kill; returns whether it came to its end. *acknowledged: the last commit that
 * returned. */
static bool run_child(struct fixture *fixture, const char *kill_at, uint64_t *acknowledged)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipes[0]);
        if (kill_at)
            setenv("FIRTH_FAULT_KILL", kill_at, 1);
        work(fixture, pipes[1]);
    }
    close(pipes[1]);
    for (uint64_t commit; read(pipes[0], &commit, sizeof commit) == sizeof commit;)
        *acknowledged = commit;
    close(pipes[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_int_equal(status, 0);
    return !WIFSIGNALED(status);
}

/* What is there has to be the last acknowledged commit, or the one that nobody was told of. */
static void check(struct fixture *fixture, uint64_t acknowledged)
{
    struct error err;
    struct slice checkpoint = {0};
    char text[16] = "";
    uint64_t found = 0;
    if (store_checkpoint_get(fixture->store, "writer", &fixture->arena, &checkpoint, &err) < 0)
        assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_true(checkpoint.size < sizeof text);
    if (checkpoint.size) {
        memcpy(text, checkpoint.data, checkpoint.size);
        assert_true(string_to_u64(text, COMMITS, &found));
    }
    assert_in_range(found, acknowledged, acknowledged + 1);
    struct store_reader *reader = store_reader_open(fixture->store, "all", NULL, 0, &err);
    if (!reader) {
        assert_int_equal(found, 0);
        return;
    }
    expect_read(reader, "k", 0, (int)found * EACH);
    store_reader_close(reader);
}

static void test_kill_at_every_point(void **state)
{
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        tear_down(state);
        set_up(state);
        struct fixture *fixture = *state;
        uint64_t acknowledged = 0;
        int kills = 0;
        for (int times = 1; times < 40; times += 3) {
            char kill_at[64];
            snprintf(kill_at, sizeof kill_at, "%s:%d", points[i], times);
            kills += !run_child(fixture, kill_at, &acknowledged);
            check(fixture, acknowledged);
        }
        if (kills == 0)
            fail_msg("%s was never passed: it proves nothing", points[i]);
        assert_true(run_child(fixture, NULL, &acknowledged));
        assert_int_equal(acknowledged == COMMITS || acknowledged == COMMITS - 1, 1);
        check(fixture, COMMITS);
        struct store_reader *few = must_read(fixture->store, "few", (COMMITS - 1) * EACH);
        expect_read(few, "d", (COMMITS - 1) * EACH, COMMITS * EACH);
        store_reader_close(few);
    }
}

#else

static void test_kill_at_every_point(void **state)
{
    skip(); /* this build has no crash points */
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill_at_every_point, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
