/* store: damaged files give a clear error or what was committed, never anything else; and one task's damage
 * keeps nobody from another's documents.
 *
 * A store is built once and kept in memory as a set of files. Each case damages it, opens it, reads
 * everything. First the table of FORMAT.md, "Torn, or damaged?", row by row; then random damage anywhere. Two
 * sound tasks, one before and one behind the damaged one, write the same collections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "store/local/append.h"
#include "store/local/disk.h"
#include "store/local/layout.h"
#include "store/store.h"
#include "tests/unit/level.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 64, COMMITS = 9, JOURNALS = 2 };

struct file {
    char *path; /* below the data directory */
    char *bytes;
    size_t size;
};

struct image {
    struct file files[FILES_MAX];
    size_t count;
};

struct fixture {
    char folder[64];
    struct disk disk; /* the system's, without the waiting */
    struct image image;
    char wrong[512];           /* what a reader was given and should not have been; empty: nothing */
    int last_number[JOURNALS]; /* documents committed */
    int before_last[JOURNALS]; /* by the commit before */
};

static const char *const sound[] = {"acme/before", "acme/well"};
enum { SOUND = 2, SOUND_COMMITS = 3, SOUND_DOCUMENTS = 45 };

static const char *const collections[JOURNALS] = {"acme/packed", "acme/plain"};

static int no_sync(void *context, int file)
{
    return 0;
}
static int no_sync_folder(void *context, const char *path)
{
    return 0;
}

/* --- the image ----------------------------------------------------------------------------------- */

/* nftw has no argument; the tests are one thread. */
static struct fixture *walking;

static int take_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    if (kind != FTW_F)
        return 0;
    struct image *image = &walking->image;
    assert_true(image->count < FILES_MAX);
    struct buffer content;
    struct error err;
    buffer_init(&content, 64 << 20);
    assert_int_equal(file_read(path, 64 << 20, &content, &err), 0);
    struct file *file = &image->files[image->count++];
    file->path = mem_strdup(path + strlen(walking->folder) + 1);
    file->size = content.size;
    file->bytes = mem_dup(content.data, content.size);
    buffer_done(&content);
    return 0;
}

static void put_file(struct fixture *fixture, const struct file *file, const char *bytes, size_t size)
{
    auto_free char *path = mem_printf("%s/%s", fixture->folder, file->path);
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct error err;
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, bytes, size, path, &err), 0);
}

/* Make the folder what the image says, folders kept. */
static int drop_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    return kind == FTW_F ? unlink(path) : 0;
}

static void restore(struct fixture *fixture)
{
    assert_int_equal(nftw(fixture->folder, drop_file, 16, FTW_PHYS), 0);
    for (size_t i = 0; i < fixture->image.count; i++)
        put_file(fixture, &fixture->image.files[i], fixture->image.files[i].bytes,
                 fixture->image.files[i].size);
}

/* Does it concern the damaged task? All but the sound tasks' own files do. */
static bool may_be_damaged(const struct file *file)
{
    return !strstr(file->path, "acme%2Fbefore") && !strstr(file->path, "acme%2Fwell");
}

static struct file *file_named(struct fixture *fixture, const char *part)
{
    for (size_t i = 0; i < fixture->image.count; i++)
        if (may_be_damaged(&fixture->image.files[i]) && strstr(fixture->image.files[i].path, part))
            return &fixture->image.files[i];
    fail_msg("the store has no file like %s", part);
    return NULL;
}

static void remove_named(struct fixture *fixture, const char *part)
{
    auto_free char *path = mem_printf("%s/%s", fixture->folder, file_named(fixture, part)->path);
    assert_int_equal(unlink(path), 0);
}

/* --- building ------------------------------------------------------------------------------------ */

static size_t document_text(int journal, int number, char *text, size_t size)
{
    return (size_t)snprintf(text, size, "{\"journal\":%d,\"number\":%d,\"text\":\"%0*d\"}", journal, number,
                            10 + number * 37 % 200, number);
}

static struct store *must_open(struct fixture *fixture)
{
    struct error err;
    struct store *store = store_open(fixture->folder, &(struct store_options){.disk = &fixture->disk}, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

static void append(struct store_writer *writer, uint32_t index, int journal, int number)
{
    char text[512];
    struct error err;
    size_t size = document_text(journal, number, text, sizeof text);
    assert_int_equal(store_append(writer, index, (struct slice){text, size}, &err), 0);
}

/* Documents of the sound tasks have numbers of journals of their own. */
static int journal_of_sound(int task, int journal)
{
    return 10 * (task + 1) + journal;
}

static void build_sound(struct store *store, int task)
{
    struct error err;
    struct slice checkpoint;
    struct store_writer *writer = store_writer_open(store, sound[task], &checkpoint, &err);
    assert_non_null(writer);
    for (int commit = 0, number = 0; commit < SOUND_COMMITS; commit++) {
        int end = number + SOUND_DOCUMENTS / SOUND_COMMITS;
        for (; number < end; number++) {
            for (int j = 0; j < JOURNALS; j++) {
                uint32_t index;
                assert_int_equal(store_writer_journal(writer, collections[j], NULL, &index, &err), 0);
                append(writer, index, journal_of_sound(task, j), number);
            }
        }
        assert_int_equal(store_commit(writer, slice_of("sound"), &err), 0);
    }
    store_writer_close(writer);
}

/* What is special about a store. The last commit of all but GROWING and SETTLED has sealed both segments. The
 * log of GROWING carries the blocks of all but the first commit, that of SETTLED none. */
enum kind { PLAIN, PACKED, WITH_TAIL, GROWING, SETTLED, KINDS };

static void build(struct fixture *fixture, enum kind kind)
{
    struct error err;
    struct slice checkpoint;
    struct store *store = must_open(fixture);
    for (int task = 0; task < SOUND; task++)
        build_sound(store, task);
    struct store_writer *writer = store_writer_open(store, "acme/task", &checkpoint, &err);
    assert_non_null(writer);
    uint32_t indices[JOURNALS];
    int next[JOURNALS] = {0};
    for (int j = 0; j < JOURNALS; j++) {
        struct store_journal_options options = {
            .compression = j == 0 && kind == PACKED ? STORE_COMPRESSION_ZSTD : STORE_COMPRESSION_NONE,
            .segment_bytes = kind == GROWING || kind == SETTLED ? 0 : 8000};
        assert_int_equal(store_writer_journal(writer, collections[j], &options, &indices[j], &err), 0);
    }
    for (int commit = 1; commit <= COMMITS; commit++) {
        memcpy(fixture->before_last, next, sizeof next);
        for (int j = 0; j < JOURNALS; j++)
            for (int i = 0; i < 20; i++)
                append(writer, indices[j], j, next[j]++);
        char text[16];
        snprintf(text, sizeof text, "state-%d", commit);
        assert_int_equal(store_commit(writer, slice_of(text), &err), 0);
    }
    memcpy(fixture->last_number, next, sizeof next);
    /* Larger than what is gathered in memory, so that some of it is written. */
    for (int i = 0; kind == WITH_TAIL && i < 10000; i++)
        append(writer, indices[1], 1, next[1]++);
    store_writer_close(writer);
    if (kind == SETTLED) { /* whoever opens it begins a new log */
        assert_non_null(writer = store_writer_open(store, "acme/task", &checkpoint, &err));
        store_writer_close(writer);
    }
    store_close(store);
    walking = fixture;
    assert_int_equal(nftw(fixture->folder, take_file, 16, FTW_PHYS), 0);
}

static struct fixture *new_fixture(enum kind kind)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-corrupt-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    fixture->disk = disk_system;
    fixture->disk.sync = no_sync;
    fixture->disk.sync_folder = no_sync_folder;
    build(fixture, kind);
    return fixture;
}

static void free_fixture(struct fixture *fixture)
{
    struct error err;
    assert_int_equal(file_remove_tree(fixture->folder, &err), 0);
    for (size_t i = 0; i < fixture->image.count; i++) {
        free(fixture->image.files[i].path);
        free(fixture->image.files[i].bytes);
    }
    free(fixture);
}

/* --- reading ------------------------------------------------------------------------------------- */

enum outcome { INTACT, ROLLED_BACK, CORRUPT, WRONG };
static const char *const outcome_names[] = {"intact", "rolled back", "corrupt", "wrong"};

static bool is_document(struct fixture *fixture, const struct store_document *document, int journal,
                        int number)
{
    char text[512];
    size_t size = document_text(journal, number, text, sizeof text);
    if (document->number == (uint64_t)number && slice_equal(document->bytes, (struct slice){text, size}))
        return true;
    snprintf(fixture->wrong, sizeof fixture->wrong, "document %d of journal %d of task %s is %.100s", number,
             journal, document->writer, document->bytes.data);
    return false;
}

/* All documents of a journal of the damaged task: how many, each being the right one. -1: an error, or wrong
 * ones. */
static int read_journal(struct fixture *fixture, struct store *store, int journal, struct error *err)
{
    mem_auto(store_reader_close) struct store_reader *reader =
        store_reader_open(store, collections[journal], "acme/task", 0, err);
    if (!reader)
        return -1;
    struct store_document document;
    int count = 0, result;
    while ((result = store_reader_next(reader, &document, err)) == 1)
        if (!is_document(fixture, &document, journal, count++))
            return -1;
    return result < 0 ? -1 : count;
}

static int writer_index(const char *writer)
{
    return strcmp(writer, sound[0]) == 0 ? 0 : strcmp(writer, sound[1]) == 0 ? 1 : SOUND;
}

/* Everything of a collection, past damage: the sound tasks' documents are whole, and the damaged one's, as
 * far as they come, the right ones. */
static void read_past_damage(struct fixture *fixture, struct store *store, int journal)
{
    struct error err;
    struct store_document document;
    int next[SOUND + 1] = {0}, result;
    bool failed = false;
    mem_auto(store_reader_close) struct store_reader *reader =
        store_reader_open(store, collections[journal], NULL, 0, &err);
    if (!reader)
        fail_msg("%s", err.message);
    while ((result = store_reader_next(reader, &document, &err)) != 0) {
        uint64_t number;
        const char *failing = result < 0 ? store_reader_left_out(reader, &number) : NULL;
        if (result < 0 && (failed || !failing || strcmp(failing, "acme/task") != 0))
            fail_msg("not a failure of the damaged task: %s", err.message);
        failed = failed || result < 0;
        if (result < 0) {
            assert_int_equal(number, next[SOUND]);
            continue;
        }
        int task = writer_index(document.writer);
        if (task == SOUND && failed)
            fail_msg("document %d of the damaged task after its failure", (int)document.number);
        if (!is_document(fixture, &document, task == SOUND ? journal : journal_of_sound(task, journal),
                         next[task]++))
            return;
    }
    for (int task = 0; task < SOUND; task++)
        if (next[task] != SOUND_DOCUMENTS)
            fail_msg("%d documents of %s in %s, which is not damaged", next[task], sound[task],
                     collections[journal]);
}

/* Lists have the sound tasks, whatever became of the other. */
static void expect_listed(struct store *store)
{
    struct error err;
    struct store_task_info *tasks;
    struct store_journal_info *journals;
    size_t count;
    int seen = 0;
    struct arena arena = {0};
    if (store_list_tasks(store, &arena, &tasks, &count, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < count; i++)
        seen += writer_index(tasks[i].task) < SOUND && !tasks[i].damage;
    assert_int_equal(seen, SOUND);
    if (store_list(store, NULL, &arena, &journals, &count, &err) < 0)
        fail_msg("%s", err.message);
    seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += writer_index(journals[i].writer) < SOUND && !journals[i].damage && journals[i].first == 0 &&
                journals[i].end == SOUND_DOCUMENTS;
    assert_int_equal(seen, SOUND * JOURNALS);
    arena_done(&arena);
}

static enum outcome error_is_clear(const struct fixture *fixture, const struct error *err)
{
    bool known = err->code == ERROR_CORRUPT || err->code == ERROR_UNSUPPORTED;
    if (!known || !strstr(err->message, fixture->folder))
        fail_msg("not a clear error: %s: %s", error_code_name(err->code), err->message);
    return CORRUPT;
}

/* Documents and checkpoint have to agree on one of the two states that can be. */
static enum outcome judge(struct fixture *fixture, const int *counts, struct slice checkpoint)
{
    if (memcmp(counts, fixture->last_number, sizeof fixture->last_number) == 0 &&
        slice_is(checkpoint, "state-9"))
        return INTACT;
    if (memcmp(counts, fixture->before_last, sizeof fixture->before_last) == 0 &&
        slice_is(checkpoint, "state-8"))
        return ROLLED_BACK;
    fail_msg("%d and %d documents with checkpoint %.*s", counts[0], counts[1], SLICE_ARGS(checkpoint));
    return CORRUPT;
}

static enum outcome read_all(struct fixture *fixture)
{
    struct error err;
    struct store_options options = {.disk = &fixture->disk, .read_only = true};
    mem_auto(store_close) struct store *store = store_open(fixture->folder, &options, &err);
    if (!store)
        return error_is_clear(fixture, &err);
    struct arena arena = {0};
    struct slice checkpoint = {0};
    int counts[JOURNALS];
    *fixture->wrong = 0;
    expect_listed(store);
    for (int j = 0; j < JOURNALS; j++)
        read_past_damage(fixture, store, j);
    bool failed = store_checkpoint_get(store, "acme/task", &arena, &checkpoint, &err) < 0;
    /* With the log and the mark gone, only the journals know that there was a commit. */
    failed = failed && err.code != ERROR_NOT_FOUND;
    for (int j = 0; j < JOURNALS && !failed; j++)
        failed = (counts[j] = read_journal(fixture, store, j, &err)) < 0;
    enum outcome outcome = *fixture->wrong ? WRONG
                           : failed        ? error_is_clear(fixture, &err)
                                           : judge(fixture, counts, checkpoint);
    arena_done(&arena);
    return outcome;
}

/* Recover, commit once more, and read: what the writer took over has to be right as well. */
static enum outcome write_and_read(struct fixture *fixture)
{
    struct error err;
    struct slice checkpoint;
    mem_auto(store_close) struct store *store =
        store_open(fixture->folder, &(struct store_options){.disk = &fixture->disk}, &err);
    if (!store)
        return error_is_clear(fixture, &err);
    mem_auto(store_writer_close) struct store_writer *writer =
        store_writer_open(store, "acme/task", &checkpoint, &err);
    if (!writer)
        return error_is_clear(fixture, &err);
    int counts[JOURNALS];
    for (int j = 0; j < JOURNALS; j++) {
        uint32_t index;
        if (store_writer_journal(writer, collections[j], NULL, &index, &err) < 0 ||
            (counts[j] = read_journal(fixture, store, j, &err)) < 0)
            return *fixture->wrong ? WRONG : error_is_clear(fixture, &err);
    }
    return judge(fixture, counts, checkpoint);
}

/* --- the table ----------------------------------------------------------------------------------- */

/* Offsets in the log of the two copies of a sequence's record. Returns how many bytes it carries. */
static uint32_t find_record(struct fixture *fixture, uint64_t sequence, size_t *ret_offsets)
{
    struct file *log = file_named(fixture, "commits-");
    int found = 0;
    uint32_t carried = 0;
    struct record_header header;
    for (size_t at = LAYOUT_PAGE; at + LAYOUT_PAGE <= log->size; at += LAYOUT_PAGE) {
        if (!layout_record_get(log->bytes + at, &header) && header.sequence == sequence && found < 2) {
            ret_offsets[found++] = at;
            carried = header.data_size;
        }
    }
    assert_int_equal(found, 2);
    return carried;
}

static void damage_record(struct fixture *fixture, uint64_t sequence, bool first, bool second)
{
    struct file *log = file_named(fixture, "commits-");
    size_t offsets[2];
    find_record(fixture, sequence, offsets);
    auto_free char *bytes = mem_dup(log->bytes, log->size);
    if (first)
        bytes[offsets[0] + 70] ^= 4;
    if (second)
        bytes[offsets[1] + 30] ^= 1;
    put_file(fixture, log, bytes, log->size);
}

static void damage_first_copy(struct fixture *fixture)
{
    damage_record(fixture, COMMITS + 1, true, false);
}
static void damage_second_copy(struct fixture *fixture)
{
    damage_record(fixture, COMMITS + 1, false, true);
}
static void damage_both_copies(struct fixture *fixture)
{
    damage_record(fixture, COMMITS + 1, true, true);
}
static void damage_earlier_record(struct fixture *fixture)
{
    damage_record(fixture, COMMITS, true, true);
}
static void lose_mark(struct fixture *fixture)
{
    remove_named(fixture, "published");
}
static void lose_log(struct fixture *fixture)
{
    remove_named(fixture, "commits-");
}

static void write_half_a_record(struct fixture *fixture)
{
    struct file *log = file_named(fixture, "commits-");
    size_t offsets[2] = {0};
    uint32_t carried = find_record(fixture, COMMITS + 1, offsets);
    auto_free char *bytes = mem_dup(log->bytes, log->size);
    size_t next = offsets[1] + LAYOUT_PAGE + layout_round_up(carried, LAYOUT_PAGE);
    memcpy(bytes + next, bytes + offsets[0], 60);
    memset(bytes + next + LAYOUT_PAGE, 0x5a, 512);
    put_file(fixture, log, bytes, log->size);
}

/* A byte of what a record carries. */
static void damage_carried_of(struct fixture *fixture, uint64_t sequence)
{
    struct file *log = file_named(fixture, "commits-");
    size_t offsets[2] = {0};
    uint32_t carried = find_record(fixture, sequence, offsets);
    assert_true(carried > 1000);
    auto_free char *bytes = mem_dup(log->bytes, log->size);
    bytes[offsets[1] + LAYOUT_PAGE + 700] ^= 1;
    put_file(fixture, log, bytes, log->size);
}

static void damage_carried(struct fixture *fixture)
{
    damage_carried_of(fixture, COMMITS + 1);
}
static void damage_earlier_carried(struct fixture *fixture)
{
    damage_carried_of(fixture, COMMITS);
}

/* All but the first commit's blocks: the end is cut off, and what is left of it is other bytes. */
static void lose_segments_end(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->image.count; i++) {
        struct file *file = &fixture->image.files[i];
        if (!strstr(file->path, ".seg") || !may_be_damaged(file))
            continue;
        struct segment_header segment;
        struct block_header first;
        assert_null(layout_segment_get(file->bytes, file->size, &segment));
        assert_null(layout_block_get(file->bytes + segment.size, &first));
        size_t end = segment.size + BLOCK_HEADER + first.stored_size;
        auto_free char *bytes = mem_dup(file->bytes, file->size);
        memset(bytes + end, 'F', file->size - end);
        put_file(fixture, file, bytes, end + (file->size - end) / 2);
    }
}

static void damage_mark(struct fixture *fixture)
{
    put_file(fixture, file_named(fixture, "published"), "nothing that makes sense", 24);
}

static void lengthen_segment(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->image.count; i++) {
        struct file *file = &fixture->image.files[i];
        /* The active one is the last of its folder. */
        bool last = i + 1 == fixture->image.count || !strstr(fixture->image.files[i + 1].path, ".seg");
        if (!strstr(file->path, ".seg") || !last || !may_be_damaged(file))
            continue;
        auto_free char *bytes = mem_zalloc(file->size + 700);
        memcpy(bytes, file->bytes, file->size);
        memset(bytes + file->size, 'F', 600);
        put_file(fixture, file, bytes, file->size + 700);
    }
}

struct row {
    const char *what;
    void (*damage[2])(struct fixture *fixture); /* of files apart; the second may be NULL */
    enum kind kind;
    enum outcome expected;
};

static const struct row rows[] = {
    {"the first copy of the last record is bad", {damage_first_copy}, PLAIN, INTACT},
    {"the second copy is bad", {damage_second_copy}, PLAIN, INTACT},
    {"both are bad, it was published", {damage_both_copies}, PLAIN, CORRUPT},
    {"both are bad, published is lost, no later blocks", {damage_both_copies, lose_mark}, PLAIN, ROLLED_BACK},
    {"both are bad, published is lost, later blocks", {damage_both_copies, lose_mark}, WITH_TAIL, CORRUPT},
    {"both are bad, published is lost, a segment sealed by it was compressed",
     {damage_both_copies, lose_mark},
     PACKED,
     CORRUPT},
    {"both copies of an earlier record are bad", {damage_earlier_record}, PLAIN, INTACT},
    {"half of the next record is written", {write_half_a_record}, PLAIN, INTACT},
    {"the same after blocks of it", {write_half_a_record}, WITH_TAIL, INTACT},
    {"published is lost", {lose_mark}, PLAIN, INTACT},
    {"published is lost, with blocks of the next transaction", {lose_mark}, WITH_TAIL, INTACT},
    {"published is damaged", {damage_mark}, PLAIN, INTACT},
    {"the log is gone", {lose_log}, PLAIN, CORRUPT},
    {"the log is gone and published too", {lose_log, lose_mark}, PLAIN, CORRUPT},
    {"bytes follow the committed end", {lengthen_segment}, PLAIN, INTACT},
    {"bytes follow the committed end of a segment that grows", {lengthen_segment}, GROWING, INTACT},
    {"a segment that grows, and half of the next record", {write_half_a_record}, GROWING, INTACT},
    {"segments have lost what the log carries", {lose_segments_end}, GROWING, INTACT},
    {"segments have lost what no log carries", {lose_segments_end}, SETTLED, CORRUPT},
    {"what the last record carries is bad, it was published", {damage_carried}, GROWING, INTACT},
    {"the same, and segments have lost it", {lose_segments_end, damage_carried}, GROWING, CORRUPT},
    {"what the last record carries is bad, published is lost",
     {damage_carried, lose_mark},
     GROWING,
     ROLLED_BACK},
    {"what an earlier record carries is bad", {damage_earlier_carried, lose_mark}, GROWING, INTACT},
};

static void test_table(void **state)
{
    struct fixture *fixtures[KINDS] = {new_fixture(PLAIN), new_fixture(PACKED), new_fixture(WITH_TAIL),
                                       new_fixture(GROWING), new_fixture(SETTLED)};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture *fixture = fixtures[rows[i].kind];
        restore(fixture);
        rows[i].damage[0](fixture);
        if (rows[i].damage[1])
            rows[i].damage[1](fixture);
        enum outcome read = read_all(fixture);
        enum outcome written = write_and_read(fixture);
        if (read != rows[i].expected || written != rows[i].expected)
            fail_msg("%s: expected %s; a reader found it %s, a writer %s", rows[i].what,
                     outcome_names[rows[i].expected], outcome_names[read], outcome_names[written]);
    }
    for (int i = 0; i < KINDS; i++)
        free_fixture(fixtures[i]);
}

/* --- a writer, before it appends -------------------------------------------------------------------- */

/* Of the journal that is not compressed. */
static struct file *active_segment(struct fixture *fixture)
{
    struct file *active = NULL;
    for (size_t i = 0; i < fixture->image.count; i++) {
        struct file *file = &fixture->image.files[i];
        if (strstr(file->path, "acme%2Fplain/acme%2Ftask") && strstr(file->path, ".seg") &&
            (!active || strcmp(file->path, active->path) > 0))
            active = file;
    }
    assert_non_null(active);
    return active;
}

/* Is there nothing from here on but the zeros that fill the last page? */
static bool only_padding(const struct file *file, uint64_t at)
{
    for (uint64_t i = at; i < file->size; i++)
        if (file->bytes[i])
            return false;
    return file->size - at < APPEND_PAGE;
}

/* Offsets of a segment's blocks, and at [count] their end. */
static size_t find_blocks(const struct file *file, uint64_t *offsets, size_t room)
{
    struct segment_header segment;
    struct block_header block;
    size_t count = 0;
    assert_null(layout_segment_get(file->bytes, file->size, &segment));
    uint64_t at = segment.size;
    for (; !only_padding(file, at); at += BLOCK_HEADER + block.stored_size) {
        assert_true(count + 1 < room && !layout_block_get(file->bytes + at, &block));
        offsets[count++] = at;
    }
    offsets[count] = at;
    return count;
}

static void expect_refusal(struct fixture *fixture, const struct file *active, const char *bytes, size_t size,
                           uint64_t offset)
{
    struct error err;
    struct slice checkpoint;
    uint32_t index;
    restore(fixture);
    put_file(fixture, active, bytes, size);
    struct store *store = must_open(fixture);
    struct store_writer *writer = store_writer_open(store, "acme/task", &checkpoint, &err);
    assert_non_null(writer);
    assert_int_equal(store_writer_journal(writer, collections[1], NULL, &index, &err), -1);
    assert_int_equal(err.code, ERROR_CORRUPT);
    auto_free char *place = mem_printf("%s is damaged at offset %" PRIu64 ":", active->path, offset);
    if (!strstr(err.message, place))
        fail_msg("expected '%s' in: %s", place, err.message);
    /* Nor may a commit of other journals go on as if nothing were wrong. */
    assert_int_equal(store_commit(writer, slice_of("state-10"), &err), -1);
    store_writer_close(writer);
    store_close(store);
    struct buffer now;
    auto_free char *path = mem_printf("%s/%s", fixture->folder, active->path);
    buffer_init(&now, 64 << 20);
    assert_int_equal(file_read(path, 64 << 20, &now, &err), 0);
    assert_true(slice_equal((struct slice){now.data, now.size}, (struct slice){bytes, size}));
    buffer_done(&now);
}

/* Damage in the committed part of the segment it would append to: a writer refuses, names the place and
 * leaves the file as it is. */
static void test_writer_refuses_damage(void **state)
{
    struct fixture *fixture = new_fixture(SETTLED);
    struct file *active = active_segment(fixture);
    uint64_t offsets[64];
    size_t count = find_blocks(active, offsets, 64);
    assert_true(count > 1);
    auto_free char *bytes = mem_dup(active->bytes, active->size);
    bytes[20] ^= 1;
    expect_refusal(fixture, active, bytes, active->size, 0);
    bytes[20] ^= 1;
    for (size_t i = 0; i < count; i++) {
        const uint64_t places[] = {offsets[i], offsets[i] + 33, offsets[i] + BLOCK_HEADER,
                                   offsets[i + 1] - 1};
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            bytes[places[k]] ^= 0x10;
            expect_refusal(fixture, active, bytes, active->size, offsets[i]);
            bytes[places[k]] ^= 0x10;
        }
        expect_refusal(fixture, active, bytes, offsets[i + 1] - 1, offsets[i]);
    }
    /* A whole block, right in itself, in a place that is not its own. */
    size_t first = offsets[1] - offsets[0], rest = offsets[count] - offsets[1];
    memcpy(bytes + offsets[0], active->bytes + offsets[1], rest);
    memcpy(bytes + offsets[0] + rest, active->bytes + offsets[0], first);
    expect_refusal(fixture, active, bytes, active->size, offsets[0]);
    free_fixture(fixture);
}

/* --- random damage ------------------------------------------------------------------------------- */

static size_t damage_bytes(struct random_state *random, char *bytes, size_t size)
{
    size_t at = size ? random_below(random, size) : 0, length = 1 + random_below(random, 600);
    if (length > size - at)
        length = size - at;
    switch (random_below(random, 6)) {
    case 0:
        return at; /* cut off */
    case 1:
        memset(bytes + at, 0, length);
        return size;
    case 2:
        for (size_t i = 0; i < length; i++)
            bytes[at + i] = (char)random_next(random);
        return size;
    default:
        if (size)
            bytes[at] ^= (char)(1 << random_below(random, 8));
        return size;
    }
}

static void test_random_damage(void **state)
{
    struct fixture *const fixtures[] = {new_fixture(PACKED), new_fixture(GROWING), new_fixture(SETTLED)};
    struct random_state random;
    int outcomes[4] = {0};
    const uint64_t rounds = (uint64_t)level_seeds(500, 12000);
    for (uint64_t seed = 0; seed < rounds; seed++) {
        random_seed(&random, seed);
        struct fixture *fixture = fixtures[seed % 3];
        restore(fixture);
        struct file *file;
        do
            file = &fixture->image.files[random_below(&random, fixture->image.count)];
        while (!may_be_damaged(file));
        auto_free char *bytes = mem_dup(file->bytes, file->size);
        size_t size = damage_bytes(&random, bytes, file->size);
        bool same = size == file->size && memcmp(bytes, file->bytes, size) == 0;
        put_file(fixture, file, bytes, size);
        enum outcome outcome = read_all(fixture);
        if (outcome == ROLLED_BACK || outcome == WRONG || (same && outcome != INTACT))
            fail_msg("seed %" PRIu64 ", %s damaged: %s %s", seed, file->path, outcome_names[outcome],
                     fixture->wrong);
        if (random_below(&random, 4) == 0) {
            enum outcome written = write_and_read(fixture);
            if (written != outcome)
                fail_msg("seed %" PRIu64 ", %s damaged: %s for a reader, %s for a writer", seed, file->path,
                         outcome_names[outcome], outcome_names[written]);
        }
        outcomes[outcome]++;
    }
    print_message("# %d times intact, %d times a clear error\n", outcomes[INTACT], outcomes[CORRUPT]);
    assert_true(outcomes[INTACT] > 0 && outcomes[CORRUPT] > 0);
    for (int i = 0; i < 3; i++)
        free_fixture(fixtures[i]);
}

#ifdef FIRTH_FAULTS
/* A reader that takes blocks whose checksum is wrong is found out. */
static void test_no_checksum(void **state)
{
    struct fixture *fixture = new_fixture(SETTLED);
    struct file *active = active_segment(fixture);
    auto_free char *bytes = mem_dup(active->bytes, active->size);
    uint64_t offsets[64] = {0};
    assert_true(find_blocks(active, offsets, 64) > 1);
    bytes[offsets[1] + BLOCK_HEADER + 20] ^= 1;
    restore(fixture);
    put_file(fixture, active, bytes, active->size);
    assert_int_equal(read_all(fixture), CORRUPT);
    assert_int_equal(setenv("FIRTH_FAULT_PLANT", "no-checksum", 1), 0);
    enum outcome outcome = read_all(fixture);
    unsetenv("FIRTH_FAULT_PLANT");
    assert_int_equal(outcome, WRONG);
    print_message("# no-checksum is caught: %s\n", fixture->wrong);
    free_fixture(fixture);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_writer_refuses_damage),
        cmocka_unit_test(test_random_damage),
#ifdef FIRTH_FAULTS
        cmocka_unit_test(test_no_checksum),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
