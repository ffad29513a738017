/* store: data directories of other versions, names of every alphabet, reading only, full disks, failing
 * syncs. */
#include "store_helpers.h"

#include "base/hash.h"
#include "sim_disk.h"
#include "store/local/layout.h"
#include "store/local/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- version, reading only ----------------------------------------------------------------------- */

static void write_version(struct fixture *fixture, const char *text)
{
    struct error err;
    auto_free char *path = mem_printf("%s/VERSION", fixture->folder);
    assert_int_equal(file_replace(path, text, strlen(text), 0600, &err), 0);
}

static void test_versions(void **state)
{
    static const struct {
        const char *text;
        enum error_code code;
        const char *says;
    } cases[] = {
        {"firth-store 3\n", ERROR_UNSUPPORTED, "version 3, this program knows up to version 2"},
        {"firth-store 4000000000\n", ERROR_UNSUPPORTED, "version 4000000000"},
        {"firth-store 0\n", ERROR_CORRUPT, "VERSION"},
        {"firth-store 1 \n", ERROR_CORRUPT, "VERSION"},
        {"", ERROR_CORRUPT, "VERSION"},
        {"something else\n", ERROR_CORRUPT, "VERSION"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int read_only = 0; read_only < 2; read_only++) {
            struct error err;
            write_version(fixture, cases[i].text);
            assert_null(store_open(fixture->folder, &(struct store_options){.read_only = read_only}, &err));
            assert_int_equal(err.code, cases[i].code);
            assert_non_null(strstr(err.message, cases[i].says));
        }
    }
}

/* A log as version 1 wrote it: the same, but for the number, and no record carries anything. */
static void make_old(struct fixture *fixture, const char *log)
{
    auto_free char *path = mem_printf("%s/tasks/writer/%s", fixture->folder, log);
    char page[LAYOUT_PAGE];
    auto_close int file = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(file, page, sizeof page, 0), sizeof page);
    put_u32(page + 8, 1);
    put_u32(page + 12, 0);
    put_u32(page + 12, hash_crc32c(0, page, LOG_FIXED + (size_t)get_u16(page + 40)));
    assert_int_equal(pwrite(file, page, sizeof page, 0), sizeof page);
    write_version(fixture, "firth-store 1\n");
}

/* It is read as it is; whoever writes to it makes it ours first, so that the older program refuses it. */
static void test_older_version(void **state)
{
    struct fixture *fixture = *state;
    struct store_writer *writer = must_write(fixture->store, "writer", NULL);
    uint32_t journal = must_journal(writer, "old", NULL);
    must_append(writer, journal, "v", 0);
    must_commit(writer, "one");
    store_writer_close(writer);
    make_old(fixture, "commits-0000000000000001");
    auto_free char *version = mem_printf("%s/VERSION", fixture->folder);
    for (int read_only = 1; read_only >= 0; read_only--) {
        struct store *store = must_open(fixture->folder, read_only);
        struct store_reader *reader = must_read(store, "old", 0);
        expect_read(reader, "v", 0, 1);
        store_reader_close(reader);
        struct buffer text;
        struct error err;
        buffer_init(&text, 100);
        assert_int_equal(file_read(version, 100, &text, &err), 0);
        assert_string_equal(buffer_cstr(&text), read_only ? "firth-store 1\n" : "firth-store 2\n");
        buffer_done(&text);
        store_close(store);
    }
    writer = must_write(fixture->store, "writer", "one");
    journal = must_journal(writer, "old", NULL);
    must_append(writer, journal, "v", 1);
    must_commit(writer, "two");
    store_writer_close(writer);
    struct store_reader *reader = must_read(fixture->store, "old", 0);
    expect_read(reader, "v", 0, 2);
    store_reader_close(reader);
}

/* Both kinds of opening say the same. */
static void expect_no_store(const char *folder, enum error_code code, const char *says)
{
    struct error err[2];
    for (int read_only = 0; read_only < 2; read_only++) {
        assert_null(store_open(folder, &(struct store_options){.read_only = read_only}, &err[read_only]));
        assert_int_equal(err[read_only].code, code);
        if (!strstr(err[read_only].message, says) || !strstr(err[read_only].message, folder))
            fail_msg("expected '%s' in: %s", says, err[read_only].message);
    }
    assert_string_equal(err[0].message, err[1].message);
}

static void test_version_is_missing(void **state)
{
    static const char *const left[] = {"collections", "tasks"};
    struct fixture *fixture = *state;
    struct error err;
    auto_free char *version = mem_printf("%s/VERSION", fixture->folder);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        auto_free char *folder = mem_printf("%s/%s", fixture->folder, left[i]);
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(unlink(version), 0);
        expect_no_store(fixture->folder, ERROR_CORRUPT, "VERSION with the line \"firth-store 2\"");
        assert_false(file_exists(version));
        /* What the message says is right. */
        write_version(fixture, "firth-store 1\n");
        store_close(must_open(fixture->folder, false));
        assert_int_equal(file_remove_tree(folder, &err), 0);
    }
}

/* A folder of somebody else's files is not made ours; one that is empty for all that matters is. */
static void test_foreign_folder(void **state)
{
    static const struct {
        const char *file;
        bool refused;
    } cases[] = {
        {"notes.txt", true},         {".hidden", true},     {"lock", true},
        {"VERSION.tmp.4711", false}, {"lost+found", false},
    };
    struct fixture *fixture = *state;
    struct error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto_free char *folder = mem_printf("%s/foreign-%zu", fixture->folder, i);
        auto_free char *file = mem_printf("%s/%s", folder, cases[i].file);
        auto_free char *version = mem_printf("%s/VERSION", folder);
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(file_replace(file, "mine", 4, 0600, &err), 0);
        if (cases[i].refused)
            expect_no_store(folder, ERROR_INVALID, cases[i].file);
        assert_false(file_exists(version));
        if (!cases[i].refused) {
            assert_null(store_open(folder, &(struct store_options){.read_only = true}, &err));
            assert_int_equal(err.code, ERROR_NOT_FOUND);
            store_close(must_open(folder, false));
            assert_true(file_exists(version));
        }
        assert_true(file_exists(file));
    }
}

static void test_read_only(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    struct slice checkpoint;
    auto_free char *absent = mem_printf("%s/absent", fixture->folder);
    assert_null(store_open(absent, &(struct store_options){.read_only = true}, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_false(file_exists(absent));

    struct store_writer *writer = must_write(fixture->store, "t", NULL);
    must_append(writer, must_journal(writer, "c", NULL), "r", 0);
    must_commit(writer, "x");
    store_writer_close(writer);
    struct store *store = must_open(fixture->folder, true);
    assert_null(store_writer_open(store, "t", &checkpoint, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    struct store_reader *reader = must_read(store, "c", 0);
    expect_read(reader, "r", 0, 1);
    store_reader_close(reader);
    store_close(store);
}

/* --- names --------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    char slashes[STORE_NAME_MAX + 1], letters[STORE_NAME_MAX + 1], dots[STORE_NAME_MAX + 1];
    memset(slashes, '/', sizeof slashes), memset(letters, 'x', sizeof letters),
        memset(dots, '.', sizeof dots);
    slashes[STORE_NAME_MAX] = letters[STORE_NAME_MAX] = dots[STORE_NAME_MAX] = 0;
    const char *const names[] = {
        "a",
        "acmeCo/products",
        ".",
        "..",
        "../../etc/passwd",
        "/",
        "//",
        "a/",
        "a%2Fb",
        "a/b",
        "a+",
        "a+/b",
        "+",
        "%",
        "Ærø/ブルー/Привет",
        "a b\tc\nd",
        "0000000000000000.seg",
        "lock",
        slashes,
        letters,
        dots,
    };
    size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++) {
        struct store_writer *writer = must_write(fixture->store, names[i], NULL);
        uint32_t journal = must_journal(writer, names[count - 1 - i], NULL);
        must_append(writer, journal, "n", (int)i);
        must_commit(writer, "x");
        store_writer_close(writer);
    }
    struct store_journal_info *infos;
    size_t found;
    assert_int_equal(store_list(fixture->store, NULL, &fixture->arena, &infos, &found, &err), 0);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++) {
        size_t listed = 0;
        for (size_t k = 0; k < found; k++)
            listed += strcmp(infos[k].writer, names[i]) == 0 &&
                      strcmp(infos[k].collection, names[count - 1 - i]) == 0 && infos[k].end == 1;
        assert_int_equal(listed, 1);
        assert_true(i == 0 || i >= found || strcmp(infos[i - 1].collection, infos[i].collection) < 0);
        struct store_reader *reader = must_read(fixture->store, names[count - 1 - i], 0);
        struct store_document document;
        assert_int_equal(store_reader_next(reader, &document, &err), 1);
        assert_string_equal(document.writer, names[i]);
        store_reader_close(reader);
    }
    char longer[STORE_NAME_MAX + 2];
    memset(longer, 'x', sizeof longer);
    longer[STORE_NAME_MAX + 1] = 0;
    struct slice checkpoint;
    static const char *const refused[] = {"", "\xff", "a\xc3"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_null(store_writer_open(fixture->store, refused[i], &checkpoint, &err));
        assert_int_equal(err.code, ERROR_INVALID);
    }
    assert_null(store_reader_open(fixture->store, longer, NULL, 0, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
}

/* --- many journals ------------------------------------------------------------------------------- */

/* More journals than files may be open, in one transaction and when they are opened again, with memory for
 * blocks that is shared. */
static void test_many_journals(void **state)
{
    struct fixture *fixture = *state;
    enum { JOURNALS = 300, ROUNDS = 2 };
    struct rlimit old, few;
    getrlimit(RLIMIT_NOFILE, &old);
    few = (struct rlimit){.rlim_cur = 290, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    uint32_t journals[JOURNALS];
    char name[32];
    for (int round = 0; round < ROUNDS; round++) {
        struct store_writer *writer = must_write(fixture->store, "t", round ? "x" : NULL);
        for (int i = 0; i < JOURNALS; i++) {
            snprintf(name, sizeof name, "many/%03d", i);
            journals[i] = must_journal(writer, name, NULL);
        }
        for (int i = 0; i < JOURNALS; i++)
            must_append(writer, journals[i], "m", round);
        must_commit(writer, "x");
        store_writer_close(writer);
    }
    for (int i = 0; i < JOURNALS; i += 99) {
        snprintf(name, sizeof name, "many/%03d", i);
        struct store_reader *reader = must_read(fixture->store, name, 0);
        expect_read(reader, "m", 0, ROUNDS);
        store_reader_close(reader);
    }
    setrlimit(RLIMIT_NOFILE, &old);
}

/* --- failing disks ------------------------------------------------------------------------------- */

static struct store *open_sim(struct sim_disk *sim)
{
    struct error err;
    struct store *store = store_open("/data", &(struct store_options){.disk = sim_disk_disk(sim)}, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

/* A full disk: the commit says so and may be tried again later, readers see the last commit, nothing is lost.
 */
static void test_full_disk(void **state)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct store *store = open_sim(sim);
    struct error err;
    struct store_writer *writer = must_write(store, "t", NULL);
    uint32_t journal = must_journal(writer, "c", NULL);
    for (int i = 0; i < 100; i++)
        must_append(writer, journal, "d", i);
    must_commit(writer, "first");
    sim_disk_set_room(sim, sim_disk_used(sim) + 1000);
    for (int i = 100; i < 200; i++)
        must_append(writer, journal, "d", i);
    assert_int_equal(store_commit(writer, slice_of("second"), &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_true(err.retriable);
    assert_non_null(strstr(err.message, "the disk is full"));
    assert_int_equal(store_append(writer, journal, slice_of("{}"), &err), -1);
    assert_int_equal(store_commit(writer, slice_of("second"), &err), -1);
    struct store_reader *reader = must_read(store, "c", 0);
    expect_read(reader, "d", 0, 100);
    store_writer_close(writer);
    expect_read(reader, "d", 100, 100);
    sim_disk_set_room(sim, UINT64_MAX);
    writer = must_write(store, "t", "first");
    journal = must_journal(writer, "c", NULL);
    for (int i = 100; i < 200; i++)
        must_append(writer, journal, "d", i);
    must_commit(writer, "second");
    expect_read(reader, "d", 100, 200);
    store_reader_close(reader);
    store_writer_close(writer);
    store_close(store);
    sim_disk_free(sim);
}

/* After a failed sync, a second one that succeeds proves nothing: the writer must not try it. */
static void test_failed_sync_is_final(void **state)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_disk *sim = sim_disk_new(seed);
        struct store *store = open_sim(sim);
        struct error err;
        struct store_writer *writer = must_write(store, "t", NULL);
        uint32_t journal = must_journal(writer, "c", NULL);
        must_append(writer, journal, "s", 0);
        must_commit(writer, "first");
        sim_disk_fail_one_in(sim, 1);
        must_append(writer, journal, "s", 1);
        assert_int_equal(store_commit(writer, slice_of("second"), &err), -1);
        sim_disk_fail_one_in(sim, 0);
        uint64_t operations = sim_disk_operations(sim);
        assert_int_equal(store_commit(writer, slice_of("second"), &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(sim_disk_operations(sim), operations);
        store_writer_close(writer);
        writer = must_write(store, "t", "first");
        struct store_reader *reader = must_read(store, "c", 0);
        expect_read(reader, "s", 0, 1);
        store_reader_close(reader);
        store_writer_close(writer);
        store_close(store);
        sim_disk_free(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_older_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_journals, set_up, tear_down),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_failed_sync_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
