/* store: whatever the power does, what is served is a committed prefix, and all of it.
 *
 * Each seed runs a random workload over several journals on a simulated disk: appends, commits, truncations,
 * reopening, readers. At a random operation the power fails, or the process dies, or single operations fail.
 * A model knows what was committed, and the one transaction of which nobody can know. After each restart
 * documents and checkpoint have to be one of these two, whole; then the workload goes on. Planted bugs have
 * to be caught by the same checker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sim_disk.h"
#include "store/store.h"
#include "tests/unit/level.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { JOURNALS = 3, DOCUMENTS_MAX = 4000, DOCUMENT_MAX = 3000 };

static const char *const collections[JOURNALS] = {"acme/one", "acme/two", "three"};

struct document {
    uint32_t size, salt;
};

/* What the store holds: of each journal the documents, by number. */
struct model {
    struct document *documents[JOURNALS];
    uint64_t first[JOURNALS], end[JOURNALS];
    bool exists[JOURNALS];
    uint64_t checkpoint; /* 0: never committed */
};

struct world {
    uint64_t seed;
    struct random_state random;
    struct sim_disk *sim;
    struct clock clock;
    int64_t now_ms;
    struct store *store;
    struct store_writer *writer;
    struct store_reader *follower; /* of one journal */
    int followed;
    uint64_t follower_next;
    uint32_t journals[JOURNALS];
    bool opened[JOURNALS];
    struct store_journal_options options[JOURNALS];
    uint32_t log_bytes;
    struct model committed; /* acknowledged */
    struct model open;      /* with the open transaction */
    bool unsure;            /* `open` may or may not have been committed */
    uint64_t next_checkpoint;
    uint32_t salt;
    bool faults_injected;
    bool served_later; /* a reader has shown the unsure transaction: it must stay */
    char wrong[1024];  /* the first violation */
};

/* Transactions of which blocks were written before the commit, over all seeds: there have to be some. */
static uint64_t split_transactions;

static uint64_t pick(struct world *world, uint64_t bound)
{
    return random_below(&world->random, bound);
}

static int64_t world_wall_ms(void *context)
{
    return ((struct world *)context)->now_ms;
}
static uint64_t world_monotonic_ns(void *context)
{
    return 0;
}

static bool violated(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool violated(struct world *world, const char *format, ...)
{
    if (!*world->wrong) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(world->wrong, sizeof world->wrong, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* --- the model ----------------------------------------------------------------------------------- */

static void model_init(struct model *model)
{
    *model = (struct model){0};
    for (int i = 0; i < JOURNALS; i++)
        model->documents[i] = mem_zalloc(DOCUMENTS_MAX * sizeof(struct document));
}

static void model_done(struct model *model)
{
    for (int i = 0; i < JOURNALS; i++)
        free(model->documents[i]);
}

static void model_copy(struct model *to, const struct model *from)
{
    for (int i = 0; i < JOURNALS; i++) {
        memcpy(to->documents[i], from->documents[i], from->end[i] * sizeof(struct document));
        to->first[i] = from->first[i];
        to->end[i] = from->end[i];
        to->exists[i] = from->exists[i];
    }
    to->checkpoint = from->checkpoint;
}

/* A document's bytes follow from journal, number and salt, so that a wrong one is never right by chance. */
static struct slice document_bytes(int journal, uint64_t number, struct document document, char *room)
{
    int size = snprintf(room, DOCUMENT_MAX + 64, "{\"j\":%d,\"n\":%" PRIu64 ",\"s\":%u,\"x\":\"", journal,
                        number, document.salt);
    for (uint32_t i = 0; i < document.size; i++)
        room[size + (int)i] = (char)('a' + (document.salt * 31 + i * 7 + number) % 26);
    return (struct slice){room, (size_t)size + document.size};
}

/* --- checks -------------------------------------------------------------------------------------- */

/* Does the journal hold exactly what the model says? Retention may have moved its beginning. */
static bool check_journal(struct world *world, const struct model *model, int journal)
{
    struct error err;
    char room[DOCUMENT_MAX + 128];
    struct store_reader *reader = store_reader_open(world->store, collections[journal], "task", 0, &err);
    if (!reader) {
        if (err.code != ERROR_NOT_FOUND)
            return violated(world, "journal %d cannot be read: %s", journal, err.message);
        return model->end[journal] == model->first[journal] ||
               violated(world, "journal %d is gone, %" PRIu64 " documents were committed", journal,
                        model->end[journal]);
    }
    bool retained = world->options[journal].retain_bytes || world->options[journal].retain_ms;
    uint64_t expected = model->first[journal], kept = 0;
    bool sound = true, begun = false;
    struct store_document document;
    int result;
    while (sound && (result = store_reader_next(reader, &document, &err)) == 1) {
        if (!begun && retained && document.number >= expected)
            expected = document.number;
        begun = true;
        if (document.number != expected || expected >= model->end[journal])
            sound = violated(world, "journal %d: document %" PRIu64 " where %" PRIu64 " was due, of %" PRIu64,
                             journal, document.number, expected, model->end[journal]);
        else if (!slice_equal(document.bytes,
                              document_bytes(journal, expected, model->documents[journal][expected], room)))
            sound = violated(world, "journal %d: document %" PRIu64 " is not what was committed", journal,
                             expected);
        kept += document.bytes.size + 64;
        expected++;
    }
    if (sound && result < 0)
        sound =
            violated(world, "journal %d cannot be read at %" PRIu64 ": %s", journal, expected, err.message);
    if (sound && expected != model->end[journal] && (begun || !retained))
        sound = violated(world, "journal %d ends at %" PRIu64 ", %" PRIu64 " were committed", journal,
                         expected, model->end[journal]);
    const struct store_journal_options *options = &world->options[journal];
    uint64_t dropped = begun ? expected - model->first[journal] : 0;
    if (sound && options->retain_bytes && !options->retain_ms &&
        options->compression == STORE_COMPRESSION_NONE && dropped > 0 && begun &&
        kept + 4096 < options->retain_bytes && model->first[journal] == 0 &&
        document_bytes(journal, 0, model->documents[journal][0], room).size == SIZE_MAX)
        sound = violated(world, "journal %d: retention kept only %" PRIu64 " bytes", journal, kept);
    store_reader_close(reader);
    return sound;
}

static bool check_model(struct world *world, const struct model *model)
{
    for (int i = 0; i < JOURNALS; i++)
        if (!check_journal(world, model, i))
            return false;
    return true;
}

/* Which of the two possible states a checkpoint belongs to; NULL: neither. */
static const struct model *model_of(struct world *world, struct slice checkpoint)
{
    char text[32] = "";
    uint64_t number = 0;
    if (checkpoint.size >= sizeof text)
        return violated(world, "the checkpoint has %zu bytes", checkpoint.size), NULL;
    if (checkpoint.size)
        memcpy(text, checkpoint.data, checkpoint.size);
    if (checkpoint.size && !string_to_u64(text, UINT64_MAX, &number))
        return violated(world, "the checkpoint reads %s", text), NULL;
    if (number == world->committed.checkpoint && !world->served_later)
        return &world->committed;
    if (world->unsure && number == world->open.checkpoint)
        return &world->open;
    return violated(world, "checkpoint %" PRIu64 "; committed was %" PRIu64 "%s", number,
                    world->committed.checkpoint, world->unsure ? ", or the next" : ""),
           NULL;
}

/* As a reader sees it before any writer has recovered. What it has seen must stay. */
static bool check_as_reader(struct world *world)
{
    struct error err;
    struct arena arena = {0};
    struct slice checkpoint = {0};
    bool sound = true;
    if (store_checkpoint_get(world->store, "task", &arena, &checkpoint, &err) < 0 &&
        err.code != ERROR_NOT_FOUND)
        sound = violated(world, "the checkpoint cannot be read: %s", err.message);
    const struct model *model = sound ? model_of(world, checkpoint) : NULL;
    sound = model && check_model(world, model);
    if (sound && model == &world->open)
        world->served_later = true;
    arena_done(&arena);
    return sound;
}

/* --- the workload -------------------------------------------------------------------------------- */

static bool power_or_fault(struct world *world)
{
    return sim_disk_power_is_out(world->sim) || world->faults_injected;
}

static bool open_store(struct world *world)
{
    struct error err;
    struct store_options options = {
        .disk = sim_disk_disk(world->sim), .clock = &world->clock, .log_bytes = world->log_bytes};
    world->store = store_open("/data", &options, &err);
    return world->store || power_or_fault(world) ||
           violated(world, "the store does not open: %s", err.message);
}

static bool open_journal(struct world *world, int journal)
{
    struct error err;
    if (world->opened[journal])
        return true;
    if (store_writer_journal(world->writer, collections[journal], &world->options[journal],
                             &world->journals[journal], &err) < 0)
        return power_or_fault(world) ? false
                                     : violated(world, "journal %d does not open: %s", journal, err.message);
    world->opened[journal] = true;
    return true;
}

/* Open the writer and settle which state it is. */
static bool open_writer(struct world *world)
{
    struct error err;
    struct slice checkpoint;
    world->writer = store_writer_open(world->store, "task", &checkpoint, &err);
    if (!world->writer)
        return power_or_fault(world) || violated(world, "the writer does not open: %s", err.message);
    const struct model *model = model_of(world, checkpoint);
    if (!model)
        return false;
    if (model == &world->committed)
        model_copy(&world->open, &world->committed);
    else
        model_copy(&world->committed, &world->open);
    world->unsure = world->served_later = false;
    memset(world->opened, 0, sizeof world->opened);
    return true;
}

static void close_all(struct world *world)
{
    store_reader_close(world->follower);
    store_writer_close(world->writer);
    store_close(world->store);
    world->follower = NULL;
    world->writer = NULL;
    world->store = NULL;
}

static bool append(struct world *world, int journal)
{
    struct error err;
    char room[DOCUMENT_MAX + 128];
    if (!open_journal(world, journal))
        return false;
    uint64_t number = world->open.end[journal];
    if (number >= DOCUMENTS_MAX)
        return true;
    struct document document = {
        .size = (uint32_t)(pick(world, 10) ? pick(world, 200) : pick(world, DOCUMENT_MAX)),
        .salt = ++world->salt,
    };
    if (store_append(world->writer, world->journals[journal], document_bytes(journal, number, document, room),
                     &err) < 0)
        return power_or_fault(world) ? false : violated(world, "append failed: %s", err.message);
    world->open.documents[journal][number] = document;
    world->open.end[journal] = number + 1;
    return true;
}

static bool commit(struct world *world)
{
    struct error err;
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, world->next_checkpoint);
    world->open.checkpoint = world->next_checkpoint++;
    world->unsure = true;
    if (store_commit(world->writer, slice_of(text), &err) < 0)
        return power_or_fault(world) ? false : violated(world, "commit failed: %s", err.message);
    model_copy(&world->committed, &world->open);
    world->unsure = false;
    return true;
}

static bool truncate_journal(struct world *world, int journal)
{
    struct error err;
    if (!open_journal(world, journal))
        return false;
    if (store_truncate(world->writer, world->journals[journal], &err) < 0)
        return power_or_fault(world) ? false : violated(world, "truncate failed: %s", err.message);
    world->open.first[journal] = world->open.end[journal];
    return true;
}

/* A reader that stays open over commits, seals, retention and compression. */
static bool follow(struct world *world)
{
    struct error err;
    char room[DOCUMENT_MAX + 128];
    if (!world->follower) {
        world->followed = (int)pick(world, JOURNALS);
        world->follower_next = 0;
        world->follower = store_reader_open(world->store, collections[world->followed], NULL, 0, &err);
        if (!world->follower)
            return power_or_fault(world) || err.code == ERROR_NOT_FOUND ||
                   violated(world, "no follower: %s", err.message);
    }
    struct store_document document;
    const struct model *model = &world->committed;
    int journal = world->followed, result;
    bool moving = world->options[journal].retain_bytes || world->options[journal].retain_ms;
    while ((result = store_reader_next(world->follower, &document, &err)) == 1) {
        bool jumps =
            document.number > world->follower_next && (moving || document.number <= model->first[journal]);
        if ((document.number != world->follower_next && !jumps) || document.number >= model->end[journal] ||
            !slice_equal(document.bytes, document_bytes(journal, document.number,
                                                        model->documents[journal][document.number], room)))
            return violated(world,
                            "the follower of journal %d got document %" PRIu64 " where %" PRIu64 " was due",
                            journal, document.number, world->follower_next);
        world->follower_next = document.number + 1;
        if (pick(world, 50) == 0)
            return true; /* the rest another time */
    }
    if (result < 0)
        return power_or_fault(world)
                   ? true
                   : violated(world, "the follower of journal %d failed: %s", journal, err.message);
    return world->follower_next == model->end[journal] || model->first[journal] == model->end[journal] ||
           moving ||
           world->faults_injected /* `published` may have failed to be written: late, not wrong */ ||
           violated(world, "the follower of journal %d stopped at %" PRIu64 " of %" PRIu64, journal,
                    world->follower_next, model->end[journal]);
}

static bool one_step(struct world *world)
{
    world->now_ms += (int64_t)pick(world, 1000);
    int journal = (int)pick(world, JOURNALS);
    switch (pick(world, 16)) {
    case 0:
    case 1:
    case 2:
        return commit(world);
    case 3:
        return pick(world, 8) ? true : truncate_journal(world, journal);
    case 4:
        return follow(world);
    case 5:
        if (pick(world, 8))
            return true;
        store_writer_close(world->writer);
        world->writer = NULL;
        model_copy(&world->open, &world->committed);
        return open_writer(world);
    case 6: /* a long transaction: parts of it are written before the commit, over several segments */
        for (int i = 0; i < 40; i++)
            if (!append(world, journal))
                return false;
        split_transactions +=
            world->options[journal].block_bytes > 0 &&
            store_writer_pending(world->writer) > 2 * (uint64_t)world->options[journal].block_bytes;
        return true;
    default:
        return append(world, journal);
    }
}

/* From opening to the loss of power (or the death of the process), then a check. */
static bool one_life(struct world *world)
{
    bool dies_at_once = pick(world, 4) == 0, power = pick(world, 4) != 0;
    sim_disk_cut_power_after(world->sim, 1 + pick(world, dies_at_once ? 40 : 400));
    world->faults_injected = pick(world, 4) == 0;
    if (world->faults_injected)
        sim_disk_fail_one_in(world->sim, 5 + pick(world, 100));
    if (pick(world, 8) == 0) {
        sim_disk_set_room(world->sim, sim_disk_used(world->sim) + pick(world, 200000));
        world->faults_injected = true;
    }
    bool alive = open_store(world) && world->store && open_writer(world);
    while (alive && !*world->wrong && world->writer && !sim_disk_power_is_out(world->sim))
        alive = one_step(world);
    close_all(world);
    if (*world->wrong)
        return false;
    sim_disk_restart(world->sim, power);
    sim_disk_fail_one_in(world->sim, 0);
    sim_disk_set_room(world->sim, UINT64_MAX);
    world->faults_injected = false;
    /* Sometimes a reader comes first, and sometimes the power fails again right after it has looked. */
    if (pick(world, 2)) {
        if (!open_store(world) || !check_as_reader(world))
            return false;
        close_all(world);
        sim_disk_restart(world->sim, true);
    }
    if (!open_store(world) || !open_writer(world) || !check_model(world, &world->committed))
        return false;
    for (int i = 0; i < JOURNALS; i++)
        if (pick(world, 2) && !open_journal(world, i))
            return false;
    if (!check_model(world, &world->committed))
        return false;
    close_all(world);
    return true;
}

static void choose_options(struct world *world)
{
    /* Small ones roll often, and their files are used again. */
    world->log_bytes = pick(world, 3) ? (uint32_t)(20 + 4 * pick(world, 12)) << 10 : 0;
    for (int i = 0; i < JOURNALS; i++) {
        world->options[i] = (struct store_journal_options){
            .compression = pick(world, 2) ? STORE_COMPRESSION_ZSTD : STORE_COMPRESSION_NONE,
            .segment_bytes = 4096 + pick(world, 8192),
            .block_bytes = pick(world, 2) ? 0 : 512 + (uint32_t)pick(world, 4096),
            .retain_bytes = pick(world, 4) ? 0 : 1 + pick(world, 60000),
            .retain_ms = pick(world, 4) ? 0 : 1 + pick(world, 60000),
        };
    }
}

/* One seed; false and *ret_wrong if the store broke a promise. */
static bool run_seed(uint64_t seed, char *ret_wrong, size_t size)
{
    struct world *world = mem_zalloc(sizeof *world);
    world->seed = seed;
    random_seed(&world->random, seed);
    world->sim = sim_disk_new(seed * 2 + 1);
    world->now_ms = 1700000000000;
    world->clock = (struct clock){world_wall_ms, world_monotonic_ns, world};
    world->next_checkpoint = 1;
    model_init(&world->committed);
    model_init(&world->open);
    choose_options(world);
    bool sound = true;
    for (uint64_t lives = 1 + pick(world, 4); sound && lives > 0; lives--)
        sound = one_life(world);
    close_all(world);
    if (!sound)
        snprintf(ret_wrong, size, "seed %" PRIu64 ": %s", seed,
                 *world->wrong ? world->wrong : "a check failed");
    model_done(&world->committed);
    model_done(&world->open);
    sim_disk_free(world->sim);
    free(world);
    return sound;
}

static uint64_t number_of(const char *variable, uint64_t otherwise)
{
    uint64_t number;
    const char *text = getenv(variable);
    if (text && !string_to_u64(text, UINT64_MAX / 2, &number))
        fail_msg("%s is '%s', a number was expected", variable, text);
    return text ? number : otherwise;
}

static uint64_t seeds_wanted(void)
{
#ifdef __SANITIZE_ADDRESS__
    const int quick = 400; /* all of them without sanitizers: tests/run seeds */
#else
    const int quick = 10000;
#endif
    return number_of("FIRTH_SEEDS", (uint64_t)level_seeds(quick, 50000));
}

/* Processes can share the seeds: of FIRTH_SEED_PARTS this one has every seed whose remainder is
 * FIRTH_SEED_PART. */
static void test_power_loss(void **state)
{
    char wrong[1200];
    uint64_t first = number_of("FIRTH_SEED_FIRST", 0), last = first + seeds_wanted(), done = 0;
    uint64_t parts = number_of("FIRTH_SEED_PARTS", 1), part = number_of("FIRTH_SEED_PART", 0);
    if (parts == 0 || part >= parts) {
        fail_msg("FIRTH_SEED_PART must be below FIRTH_SEED_PARTS");
        return;
    }
    for (uint64_t seed = first; seed < last; seed++) {
        if (seed % parts != part)
            continue;
        if (!run_seed(seed, wrong, sizeof wrong))
            fail_msg("%s", wrong);
        done++;
    }
    print_message("# %" PRIu64 " of the seeds %" PRIu64 " to %" PRIu64 "\n", done, first, last - 1);
    print_message("# %" PRIu64 " transactions were partly written before their commit\n", split_transactions);
    assert_true(split_transactions > 0);
}

#ifdef FIRTH_FAULTS
/* The checker has to catch each planted bug, or it proves nothing. */
static void expect_caught(const char *bug)
{
    char wrong[1200];
    setenv("FIRTH_FAULT_PLANT", bug, 1);
    uint64_t seed = 0;
    while (seed < 300 && run_seed(seed, wrong, sizeof wrong))
        seed++;
    unsetenv("FIRTH_FAULT_PLANT");
    if (seed == 300)
        fail_msg("the planted bug %s was not caught", bug);
    print_message("# %s is caught: %s\n", bug, wrong);
}

static void test_commit_before_sync(void **state)
{
    expect_caught("commit-before-sync");
}
static void test_no_cut(void **state)
{
    expect_caught("no-cut");
}
static void test_checkpoint_before_documents(void **state)
{
    expect_caught("checkpoint-before-documents");
}
static void test_no_replay(void **state)
{
    expect_caught("no-replay");
}
static void test_roll_before_sync(void **state)
{
    expect_caught("roll-before-sync");
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_loss),
#ifdef FIRTH_FAULTS
        cmocka_unit_test(test_commit_before_sync),
        cmocka_unit_test(test_no_cut),
        cmocka_unit_test(test_checkpoint_before_documents),
        cmocka_unit_test(test_no_replay),
        cmocka_unit_test(test_roll_before_sync),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
