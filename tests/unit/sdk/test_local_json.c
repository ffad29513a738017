/* destination-local-json: paths stay in their root, names are simple, a staged file appears whole or not at
 * all and keeps what was committed whatever happens to its writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "destination-local-json/path.h"
#include "destination-local-json/staged.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path, *folder; /* NULL: refused */
    } cases[] = {
        {"/local/out", "/root/out"},
        {"/local", "/root"},
        {"/out", "/root/out"},
        {"out/deep", "/root/out/deep"},
        {"/localized", "/root/localized"},
        {"/local/a..b", "/root/a..b"},
        {"/local/etc", "/root/etc"},
        {"etc", "/root/etc"},
        {"/etcetera", "/root/etcetera"},
        {"/json_data", "/root/json_data"}, /* Airbyte's example */
        {"/local/../etc", NULL},
        {"..", NULL},
        {"/a/..", NULL},
        {"../x", NULL},
        {"/etc/../x", NULL},
        {"/local/../..", NULL},
        {"/local/a\n/../../x", NULL},
        {"/etc", NULL},
        {"//etc", NULL},
        {"/tmp/x", NULL},
        {"/home/me/out", NULL},
        {"/local/", NULL},
        {"/local/x/", NULL},
        {"/", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        auto_free char *folder = local_json_folder(cases[i].path, "/root", &err);
        if (cases[i].folder)
            assert_string_equal(folder, cases[i].folder);
        else
            assert_null(folder);
    }
    struct error err;
    auto_free char *folder = local_json_folder("/local/x", NULL, &err);
    assert_string_equal(folder, "/tmp/airbyte_local/x");
}

static void test_names(void **state)
{
    (void)state;
    auto_free char *plain = local_json_file_name("Users_2");
    assert_string_equal(plain, "_airbyte_raw_Users_2.jsonl");
    auto_free char *odd = local_json_file_name("a b/../gr\xc3\xbcn");
    assert_string_equal(odd, "_airbyte_raw_a_b____gr__n.jsonl");
    char longer[400];
    memset(longer, 'x', sizeof longer);
    longer[399] = 0;
    auto_free char *one = local_json_file_name(longer);
    longer[398] = 'y';
    auto_free char *two = local_json_file_name(longer);
    assert_true(strlen(one) < 200);
    assert_string_not_equal(one, two); /* the hash tells them apart */
}

/* --- staged files ---------------------------------------------------------------------------------- */

struct place {
    char folder[64];
    int fd;
};

static void place_open(struct place *place)
{
    memcpy(place->folder, "/tmp/firth-staged-XXXXXX", sizeof "/tmp/firth-staged-XXXXXX");
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

static void write_file(struct place *place, const char *name, const char *text)
{
    struct error err;
    auto_free char *path = mem_printf("%s/%s", place->folder, name);
    assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static void expect_file(struct place *place, const char *name, const char *wanted)
{
    struct error err;
    struct buffer text;
    auto_free char *path = mem_printf("%s/%s", place->folder, name);
    if (!wanted) {
        assert_false(file_exists(path));
        return;
    }
    buffer_init(&text, 1 << 20);
    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    assert_string_equal(buffer_cstr(&text), wanted);
    buffer_done(&text);
}

static int count_files(struct place *place)
{
    DIR *entries = opendir(place->folder);
    int count = -2; /* "." and ".." */
    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

static void put(struct staged *staged, const char *text)
{
    struct error err;
    char *at = staged_reserve(staged, strlen(text), &err);
    assert_non_null(at);
    size_t size = strlen(text);
    for (size_t i = 0; at && i < size; i++)
        at[i] = text[i];
    staged->out.size += size;
}

static void commit(struct staged *staged)
{
    struct error err;
    bool renamed;
    assert_int_equal(staged_commit(staged, &renamed, &err), 0);
}

static const char file[] = "_airbyte_raw_s.jsonl";

static void test_publish(void **state)
{
    (void)state;
    for (int append = 0; append < 2; append++) {
        struct place place;
        struct error err;
        place_open(&place);
        write_file(&place, file, "old\n");
        struct staged *staged = staged_open(place.folder, place.fd, file, append, &err);
        put(staged, "new\n");
        if (append)
            commit(staged);
        expect_file(&place, file, "old\n"); /* nothing is seen before the end */
        assert_int_equal(staged_publish(staged, &err), 0);
        staged_close(staged);
        expect_file(&place, file, append ? "old\nnew\n" : "new\n");
        assert_int_equal(count_files(&place), 1);
        place_close(&place);
    }
}

static void test_close_without_publishing(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    write_file(&place, file, "old\n");
    struct staged *staged = staged_open(place.folder, place.fd, file, false, &err);
    put(staged, "new\n");
    staged_close(staged);
    expect_file(&place, file, "old\n");
    staged = staged_open(place.folder, place.fd, file, true, &err);
    put(staged, "one\n");
    commit(staged);
    put(staged, "two\n");
    staged_close(staged); /* what was committed was confirmed: it is there; what was not is not */
    expect_file(&place, file, "old\none\n");
    staged = staged_open(place.folder, place.fd, file, true, &err);
    put(staged, "three\n");
    staged_close(staged);
    expect_file(&place, file, "old\none\n");
    assert_int_equal(count_files(&place), 1);
    place_close(&place);
}

/* Somebody's file without a last line break does not swallow our first line. */
static void test_unfinished_line(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    write_file(&place, file, "{\"half\":1}");
    struct staged *staged = staged_open(place.folder, place.fd, file, true, &err);
    put(staged, "{}\n");
    commit(staged);
    staged_close(staged);
    expect_file(&place, file, "{\"half\":1}\n{}\n");
    place_close(&place);
}

/* A child that is killed in the middle: recovery publishes its commits and nothing else. */
static void run_and_die(struct place *place, bool append, int commits)
{
    pid_t child = fork();
    if (child == 0) {
        struct error err;
        struct staged *staged = staged_open(place->folder, place->fd, file, append, &err);
        for (int i = 0; staged && i < commits; i++) {
            bool renamed;
            put(staged, "line\n");
            staged_commit(staged, &renamed, &err);
        }
        if (staged)
            put(staged, "uncommitted\n");
        if (staged && write(staged->fd, "torn", 4) == 4)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_recovery(void **state)
{
    (void)state;
    static const struct {
        bool append;
        int commits;
        const char *wanted;
    } cases[] = {{true, 0, "old\n"},
                 {true, 1, "old\nline\n"},
                 {true, 3, "old\nline\nline\nline\n"},
                 {false, 0, "old\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct place place;
        struct error err;
        place_open(&place);
        write_file(&place, file, "old\n");
        run_and_die(&place, cases[i].append, cases[i].commits);
        expect_file(&place, file, "old\n");
        assert_int_equal(count_files(&place), 2);
        assert_int_equal(staged_recover(place.folder, place.fd, &err), 0);
        expect_file(&place, file, cases[i].wanted);
        assert_int_equal(count_files(&place), 1);
        place_close(&place);
    }
}

static void test_lost_bytes(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    write_file(&place, "._airbyte_raw_s.jsonl.100.staged", "short\n");
    assert_int_equal(staged_recover(place.folder, place.fd, &err), -1);
    assert_int_equal(err.code, ERROR_CORRUPT);
    assert_non_null(strstr(err.message, "6 bytes, but 100 were confirmed"));
    expect_file(&place, file, NULL);
    place_close(&place);
}

/* Files that only look alike are nobody's business. */
static void test_strangers(void **state)
{
    (void)state;
    struct place place;
    struct error err;
    place_open(&place);
    static const char *const names[] = {".staged", "._airbyte_raw_s.jsonl.x.staged", "._airbyte_raw_.staged",
                                        "_airbyte_raw_s.jsonl.1.staged", ".other.partial"};
    for (size_t i = 0; i < 5; i++)
        write_file(&place, names[i], "x");
    assert_int_equal(staged_recover(place.folder, place.fd, &err), 0);
    for (size_t i = 0; i < 5; i++)
        expect_file(&place, names[i], "x");
    place_close(&place);
}

static void test_two_writers(void **state)
{
    (void)state;
    for (int committed = 0; committed < 2; committed++) {
        struct place place;
        struct error err;
        place_open(&place);
        struct staged *first = staged_open(place.folder, place.fd, file, true, &err);
        put(first, "one\n");
        if (committed)
            commit(first);
        int fd = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(staged_recover(place.folder, fd, &err), 0); /* leaves the living alone */
        assert_null(staged_open(place.folder, fd, file, true, &err));
        assert_int_equal(err.code, ERROR_BUSY);
        struct staged *other = staged_open(place.folder, fd, "_airbyte_raw_t.jsonl", true, &err);
        assert_non_null(other);
        staged_close(other);
        commit(first);
        assert_int_equal(staged_publish(first, &err), 0);
        staged_close(first);
        expect_file(&place, file, "one\n");
        close(fd);
        place_close(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),           cmocka_unit_test(test_names),
        cmocka_unit_test(test_publish),         cmocka_unit_test(test_close_without_publishing),
        cmocka_unit_test(test_unfinished_line), cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_lost_bytes),      cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_two_writers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
