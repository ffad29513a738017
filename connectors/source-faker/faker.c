/* source-faker: invented products, users and their purchases, for trying things out and for measuring.
 *
 * Config, streams and state are those of Airbyte's connector of that name; the values are ours. */
#include "base/memory.h"
#include "base/text.h"
#include "generate.h"
#include "registry.h"
#include "streams.h"
#include "json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct faker_config {
    int64_t count, seed, records_per_slice, parallelism;
    bool always_updated;
};

static const struct firth_option options[] = {
    {.name = "count",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct faker_config, count),
     .preset = "1000",
     .minimum = "1",
     .maximum = "1000000000000",
     .title = "Count",
     .help = "How many users should be generated in total. The purchases table will be scaled to match, with "
             "10 purchases created per 10 users. There are at most 100 products."},
    {.name = "seed",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct faker_config, seed),
     .preset = "-1",
     .minimum = "-1",
     .maximum = "9007199254740991",
     .title = "Seed",
     .help = "Manually control the faker random seed to return the same values on subsequent runs (leave -1 "
             "for random)."},
    {.name = "records_per_slice",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct faker_config, records_per_slice),
     .preset = "1000",
     .minimum = "1",
     .maximum = "10000000",
     .title = "Records Per Stream Slice",
     .help = "How many fake records will be in each page (stream slice), before a state message is emitted?"},
    {.name = "always_updated",
     .type = FIRTH_BOOLEAN,
     .offset = offsetof(struct faker_config, always_updated),
     .preset = "true",
     .title = "Always Updated",
     .help =
         "Should the updated_at values for every record be new each sync? Setting this to false will cause "
         "the source to stop emitting records after COUNT records have been emitted."},
    {.name = "parallelism",
     .type = FIRTH_INTEGER,
     .offset = offsetof(struct faker_config, parallelism),
     .preset = "4",
     .minimum = "1",
     .maximum = "1024",
     .title = "Parallelism",
     .help =
         "How many parallel workers should we use to generate fake data? Accepted for the sake of existing "
         "configs: one thread here makes records faster than a pipe takes them."},
    {0},
};

/* One selected stream on its way. `at` counts users for purchases, as the state's loop_offset does. */
struct run {
    enum faker_stream kind;
    int64_t at, end;
    bool begun;
    struct faker faker;
};

struct session {
    const struct faker_config *config;
    struct run *runs;
    size_t count, current;
};

static int faker_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                          struct firth_error *err)
{
    for (size_t i = 0; i < FAKER_STREAM_COUNT; i++) {
        if (firth_catalog_add(catalog, &faker_streams[i].stream, err) < 0)
            return -1;
    }
    return 0;
}

/* --- where to begin ----------------------------------------------------------------------------------- */

static int64_t last_index(enum faker_stream kind, int64_t count)
{
    return kind == FAKER_STREAM_PRODUCTS && count > FAKER_PRODUCTS ? FAKER_PRODUCTS : count;
}

static uint64_t random_seed_number(void)
{
    uint64_t bits;
    random_bytes(&bits, sizeof bits);
    return bits >> 11; /* 53 bits: exact in every JSON reader */
}

/* {"seed":…,"updated_at":…,"loop_offset":N}: go on behind N if the run was interrupted there. A run that had
 * come to its end begins again (its records are updated) or, if nothing is ever updated, has no more. A
 * change of seed makes other records, and so a new run. */
static int resume(struct run *run, const struct faker_config *config, struct firth_slice state,
                  const char *name, struct firth_error *err)
{
    struct arena arena;
    struct json doc;
    struct error json_err;
    arena_init(&arena);
    if (json_parse_copy(&arena, state.data, state.size, &doc, &json_err) < 0) {
        arena_done(&arena);
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "the state of stream %s: %s", name, json_err.message);
    }
    int64_t seed = -1, offset = 0;
    bool has_seed = json_to_i64(&doc, json_get(&doc, 0, "seed"), &seed) && seed >= 0;
    uint32_t offset_at = json_get(&doc, 0, "loop_offset");
    bool has_offset = json_to_i64(&doc, offset_at, &offset);
    /* Older ones say only when they last updated something: after a whole run. */
    bool ended = (has_offset && offset >= run->end) ||
                 (!has_offset && json_is(&doc, json_get(&doc, 0, "updated_at"), JSON_STRING));
    bool wrong = (offset_at != JSON_NONE && !has_offset) || offset < 0;
    arena_done(&arena);
    if (wrong)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "the state of stream %s: loop_offset must be an integer of at least 0", name);
    bool other_seed = config->seed >= 0 && has_seed && seed != config->seed;
    if (other_seed || (ended && config->always_updated))
        return 0;
    run->at = ended ? run->end : offset;
    if (has_seed)
        run->faker.seed = (uint64_t)seed;
    return 0;
}

static int faker_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                      void **ret_self, struct firth_error *err)
{
    struct session *session = mem_zalloc(sizeof *session);
    session->config = config;
    session->count = selection->count;
    session->runs = mem_zalloc(selection->count * sizeof *session->runs);
    /* One seed for all streams of a run. */
    uint64_t seed = session->config->seed >= 0 ? (uint64_t)session->config->seed : random_seed_number();
    for (size_t i = 0; i < selection->count; i++) {
        const struct firth_selected *selected = &selection->streams[i];
        struct run *run = &session->runs[i];
        while (strcmp(faker_streams[run->kind].stream.name, selected->name) != 0)
            run->kind++; /* it is one of them: discover said so */
        run->end = last_index(run->kind, session->config->count);
        faker_init(&run->faker, seed, session->config->seed >= 0);
        if (selected->state.size && resume(run, session->config, selected->state, selected->name, err) < 0) {
            free(session->runs);
            free(session);
            return -1;
        }
    }
    *ret_self = session;
    return 0;
}

static void faker_close(void *self)
{
    struct session *session = self;
    free(session->runs);
    free(session);
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

static int emit_one(struct firth_host *host, size_t stream, struct run *run)
{
    char text[FAKER_RECORD_MAX];
    if (run->kind == FAKER_STREAM_PURCHASES) {
        unsigned count = faker_purchase_count(run->at);
        for (unsigned i = 0; i < count; i++) {
            size_t size = faker_purchase(&run->faker, run->at, i, text);
            if (firth_emit_record(host, stream, (struct firth_slice){text, size}) < 0)
                return -1;
        }
        return 0;
    }
    size_t size = run->kind == FAKER_STREAM_USERS ? faker_user(&run->faker, run->at, text)
                                                  : faker_product(&run->faker, run->at, text);
    return firth_emit_record(host, stream, (struct firth_slice){text, size});
}

static int emit_state(struct firth_host *host, size_t stream, struct run *run)
{
    char text[160], when[FAKER_TIME_SIZE + 1] = {0};
    faker_put_updated_at(&run->faker, when, run->at);
    int size = snprintf(text, sizeof text,
                        "{\"seed\":%" PRIu64 ",\"updated_at\":\"%s\",\"loop_offset\":%" PRId64 "}",
                        run->faker.seed, when, run->at);
    return firth_emit_state(host, stream, (struct firth_slice){text, (size_t)size});
}

static int begin(struct firth_host *host, size_t stream, struct run *run)
{
    int64_t records = run->end - run->at;
    if (run->kind == FAKER_STREAM_PURCHASES)
        records = faker_purchases_before(run->end) - faker_purchases_before(run->at);
    run->begun = true;
    return firth_emit_estimate(host, stream, records, records * faker_streams[run->kind].record_size);
}

/* One slice of the current stream. */
static int faker_read(void *self, struct firth_host *host, struct firth_error *err)
{
    struct session *session = self;
    if (session->current == session->count)
        return 0;
    size_t stream = session->current;
    struct run *run = &session->runs[stream];
    faker_set_time(&run->faker, clock_wall_ms(&clock_system));
    if (!run->begun && begin(host, stream, run) < 0)
        return -1;
    int64_t rest = run->end - run->at;
    int64_t slice = rest < session->config->records_per_slice ? rest : session->config->records_per_slice;
    for (int64_t i = 0; i < slice; i++, run->at++) {
        if (emit_one(host, stream, run) < 0)
            return -1;
    }
    if (slice > 0 && emit_state(host, stream, run) < 0)
        return -1;
    if (run->at >= run->end) {
        session->current++;
        return firth_emit_complete(host, stream) < 0 ? -1 : session->current < session->count;
    }
    return 1;
}

static const char *const image_names[] = {"airbyte/source-faker", "estuary/source-faker", NULL};

const struct firth_connector_class source_faker = {
    .name = "source-faker",
    .version = FIRTH_VERSION,
    .title = "Sample Data",
    .summary = "invented products, users and purchases, in any number",
    .image_names = image_names,
    .config_size = sizeof(struct faker_config),
    .options = options,
    .source = {.discover = faker_discover, .open = faker_open, .read = faker_read, .close = faker_close},
};
