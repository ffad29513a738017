#include "task/trial.h"

#include "task/combiner.h"
#include "json/writer.h"

#include <stdlib.h>

/* A collection as far as the test has come. */
struct state {
    const struct catalog_collection *collection;
    struct schema *write, *read; /* with their reductions */
    struct key key;
    struct slice *documents; /* appended so far, in the arena */
    size_t count, capacity;
};

struct trial {
    const struct catalog *catalog;
    const char *folder;
    struct arena *arena;
    struct trial_result *result;
    struct schema_validator *validator;
    struct json_parser *parser; /* of the document at hand; its nodes go with the next */
    struct state *states;
    size_t state_count, state_capacity;
};

/* --- collections ----------------------------------------------------------------------------------- */

static struct schema *compile(struct trial *trial, const struct catalog_collection *collection,
                              const char *uri, struct error *err)
{
    struct schema_options options = {.annotations = reduce_annotations, .assert_formats = true};
    struct schema *schema = schema_compile_with(trial->catalog->schemas, uri, &options, err);
    if (!schema)
        error_wrap(err, "the schema of %s", collection->name);
    return schema;
}

static struct state *find_state(struct trial *trial, const struct catalog_collection *collection,
                                struct error *err)
{
    for (size_t i = 0; i < trial->state_count; i++) {
        if (trial->states[i].collection == collection)
            return &trial->states[i];
    }
    if (collection->derived) {
        error_set(err, ERROR_UNSUPPORTED, "the collection %s is derived, and derivations are not run",
                  collection->name);
        return NULL;
    }
    trial->states =
        mem_grow(trial->states, &trial->state_capacity, trial->state_count + 1, sizeof *trial->states);
    struct state *state = &trial->states[trial->state_count++];
    const char **pointers = arena_zalloc(trial->arena, (collection->key_count + 1) * sizeof *pointers);
    memcpy(pointers, collection->key, collection->key_count * sizeof *pointers);
    *state = (struct state){.collection = collection, .key = key_compile(pointers, trial->arena)};
    state->write = compile(trial, collection, collection->write_schema_uri, err);
    state->read = state->write ? compile(trial, collection, collection->read_schema_uri, err) : NULL;
    return state->read ? state : NULL;
}

static void append(struct trial *trial, struct state *state, struct slice document)
{
    state->documents =
        mem_grow(state->documents, &state->capacity, state->count + 1, sizeof *state->documents);
    state->documents[state->count++] =
        (struct slice){arena_strndup(trial->arena, document.data, document.size), document.size};
}

/* --- findings -------------------------------------------------------------------------------------- */

static struct trial_finding *add_finding(struct trial *trial, enum trial_fault fault)
{
    struct trial_result *result = trial->result;
    result->failed = true;
    if (result->finding_count == TRIAL_FINDINGS_MAX) {
        result->omitted++;
        return NULL;
    }
    if (!result->findings)
        result->findings = arena_zalloc(trial->arena, TRIAL_FINDINGS_MAX * sizeof *result->findings);
    struct trial_finding *finding = &result->findings[result->finding_count++];
    finding->fault = fault;
    finding->differences.arena = trial->arena;
    return finding;
}

static struct slice keep(struct trial *trial, struct slice text)
{
    return (struct slice){arena_strndup(trial->arena, text.data, text.size), text.size};
}

static struct slice key_text(struct trial *trial, const struct key *key, const struct json *doc)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_array(&writer);
    for (size_t i = 0; i < key->count; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, 0);
        json_put_raw(&writer, value.at == JSON_NONE ? SLICE_LITERAL("null") : json_raw(value.doc, value.at));
    }
    json_end_array(&writer);
    struct slice kept = keep(trial, (struct slice){text.data, text.size});
    buffer_done(&text);
    return kept;
}

static int add_invalid(struct trial *trial, const struct state *state, const struct json *doc,
                       struct error *err)
{
    struct trial_finding *finding = add_finding(trial, TRIAL_INVALID);
    struct schema_violation violation;
    size_t count = 0;
    if (!finding)
        return 0;
    finding->document = keep(trial, json_raw(doc, 0));
    if (schema_explain(state->write, trial->validator, doc, 0, trial->arena, &violation, 1, &count, err) < 0)
        return -1;
    if (count) {
        finding->message = arena_printf(trial->arena, "at '%s': %s", violation.instance, violation.message);
        return 0;
    }
    for (size_t i = 0; i < state->key.count; i++) {
        uint32_t at = key_find(&state->key.parts[i], doc, 0);
        if (at == JSON_NONE || !key_value_allowed(doc, at))
            finding->message = arena_printf(
                trial->arena,
                "at '%s': the key's location must be there and hold a string, an integer or a boolean",
                state->key.parts[i].pointer);
    }
    return 0;
}

/* --- ingest ---------------------------------------------------------------------------------------- */

static int drain_ingested(struct trial *trial, struct state *state, struct combiner *combiner,
                          struct error *err)
{
    struct combined combined;
    int result;
    while ((result = combiner_next(combiner, &combined, err)) > 0)
        append(trial, state, combined.document);
    return result;
}

static struct combiner *new_combiner(struct trial *trial, const struct schema *schema, const struct key *key,
                                     enum reduce_mode mode, struct error *err)
{
    struct combiner_binding binding = {.schema = schema, .key = key, .mode = mode};
    return combiner_new(&binding, 1, &(struct combiner_options){.folder = trial->folder}, err);
}

static int ingest(struct trial *trial, const struct catalog_test_step *step, struct error *err)
{
    struct state *state = find_state(trial, step->source.collection, err);
    struct json documents, doc;
    if (!state ||
        json_parse_copy(trial->arena, step->documents.data, step->documents.size, &documents, err) < 0)
        return -1;
    mem_auto(combiner_free) struct combiner *combiner =
        new_combiner(trial, state->write, &state->key, REDUCE_PARTIAL, err);
    if (!combiner)
        return -1;
    for (uint32_t each = json_first(&documents, 0); each != JSON_NONE;
         each = json_next(&documents, 0, each)) {
        struct slice raw = json_raw(&documents, each);
        if (json_parse(trial->parser, raw.data, raw.size, &doc, err) < 0)
            return -1;
        int added = key_is_there(&state->key, &doc, 0) ? combiner_add(combiner, 0, &doc, err) : 1;
        if (added < 0 || (added > 0 && add_invalid(trial, state, &doc, err) < 0))
            return -1;
    }
    return trial->result->failed ? 0 : drain_ingested(trial, state, combiner, err);
}

/* --- verify ---------------------------------------------------------------------------------------- */

/* The collection's documents, one for each key. */
static struct combiner *reduce_all(struct trial *trial, struct state *state, const struct selector *selector,
                                   struct error *err)
{
    struct json doc;
    struct combiner *combiner = new_combiner(trial, state->read, &state->key, REDUCE_FULL, err);
    for (size_t i = 0; combiner && i < state->count; i++) {
        int added = json_parse(trial->parser, state->documents[i].data, state->documents[i].size, &doc, err);
        if (added == 0 && selector_takes(selector, &doc, 0))
            added = combiner_add(combiner, 0, &doc, err);
        if (added > 0)
            error_set(err, ERROR_INVALID,
                      "a document that was ingested into %s violates its read schema: %.*s",
                      state->collection->name, (int)(doc.nodes ? json_raw(&doc, 0).size : 0),
                      json_raw(&doc, 0).data);
        if (added != 0) {
            combiner_free(combiner);
            return NULL;
        }
    }
    return combiner;
}

struct expected {
    struct json *documents; /* in the order of their keys */
    size_t count;
};

static int compare_expected(const void *a, const void *b, void *key)
{
    return key_compare(key, a, 0, b, 0);
}

static int read_expected(struct trial *trial, struct state *state, struct slice text,
                         struct expected *ret_expected, struct error *err)
{
    struct json list;
    if (json_parse_copy(trial->arena, text.data, text.size, &list, err) < 0)
        return -1;
    struct json *documents = arena_zalloc(trial->arena, (json_count(&list, 0) + 1) * sizeof *documents);
    size_t count = 0;
    for (uint32_t each = json_first(&list, 0); each != JSON_NONE; each = json_next(&list, 0, each)) {
        struct slice raw = json_raw(&list, each);
        if (json_parse_copy(trial->arena, raw.data, raw.size, &documents[count], err) < 0)
            return -1;
        if (!key_is_there(&state->key, &documents[count], 0))
            return error_set(err, ERROR_INVALID, "the expected document %zu lacks the key of %s: %.*s",
                             count + 1, state->collection->name, (int)utf8_cut(raw.data, raw.size, 200),
                             raw.data);
        count++;
    }
    qsort_r(documents, count, sizeof *documents, compare_expected, &state->key);
    for (size_t i = 1; i < count; i++) {
        struct slice key = key_text(trial, &state->key, &documents[i]);
        if (key_compare(&state->key, &documents[i - 1], 0, &documents[i], 0) == 0)
            return error_set(err, ERROR_INVALID,
                             "two expected documents have the key %.*s: a collection has one for each",
                             (int)key.size, key.data);
    }
    *ret_expected = (struct expected){documents, count};
    return 0;
}

static void add_whole(struct trial *trial, enum trial_fault fault, const struct state *state,
                      const struct json *doc)
{
    struct trial_finding *finding = add_finding(trial, fault);
    if (!finding)
        return;
    finding->key = key_text(trial, &state->key, doc);
    finding->document = keep(trial, json_raw(doc, 0));
}

static void compare_documents(struct trial *trial, const struct state *state, const struct json *expected,
                              const struct json *actual)
{
    struct json kept;
    struct error err;
    struct slice raw = json_raw(actual, 0);
    struct differences differences = {.arena = trial->arena};
    difference_find(&differences, expected, actual);
    if (differences.count == 0)
        return;
    struct trial_finding *finding = add_finding(trial, TRIAL_DIFFERENT);
    if (!finding || json_parse_copy(trial->arena, raw.data, raw.size, &kept, &err) < 0)
        return;
    finding->key = key_text(trial, &state->key, expected);
    finding->document = json_raw(&kept, 0);
    difference_find(&finding->differences, expected, &kept); /* the other one goes with the next document */
}

/* Both in the order of their keys. */
static int merge(struct trial *trial, struct state *state, const struct expected *expected,
                 struct combiner *combiner, struct error *err)
{
    struct combined combined;
    struct json doc;
    size_t next = 0;
    int result;
    while ((result = combiner_next(combiner, &combined, err)) > 0) {
        if (combined.is_deleted)
            continue;
        if (json_parse(trial->parser, combined.document.data, combined.document.size, &doc, err) < 0)
            return -1;
        int order = -1;
        while (next < expected->count &&
               (order = key_compare(&state->key, &expected->documents[next], 0, &doc, 0)) < 0)
            add_whole(trial, TRIAL_MISSING, state, &expected->documents[next++]);
        if (next < expected->count && order == 0)
            compare_documents(trial, state, &expected->documents[next++], &doc);
        else
            add_whole(trial, TRIAL_UNEXPECTED, state, &doc);
    }
    while (result == 0 && next < expected->count)
        add_whole(trial, TRIAL_MISSING, state, &expected->documents[next++]);
    return result;
}

static int verify(struct trial *trial, const struct catalog_test_step *step, struct error *err)
{
    struct state *state = find_state(trial, step->source.collection, err);
    struct expected expected = {0};
    struct selector selector;
    if (!state || selector_compile(&step->source, trial->arena, &selector, err) < 0 ||
        read_expected(trial, state, step->documents, &expected, err) < 0)
        return -1;
    mem_auto(combiner_free) struct combiner *combiner = reduce_all(trial, state, &selector, err);
    return combiner ? merge(trial, state, &expected, combiner, err) : -1;
}

/* --- all of it ------------------------------------------------------------------------------------- */

int trial_run(const struct catalog *catalog, const struct catalog_test *test, const char *folder,
              struct arena *arena, struct trial_result *ret_result, struct error *err)
{
    struct trial_result result = {.arena = arena};
    struct trial trial = {.catalog = catalog,
                          .folder = folder,
                          .arena = arena,
                          .result = &result,
                          .validator = schema_validator_new(),
                          .parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS)};
    int done = 0;
    for (size_t i = 0; i < test->step_count && done == 0 && !result.failed; i++) {
        const struct catalog_test_step *step = &test->steps[i];
        result.step = i;
        done = step->verify ? verify(&trial, step, err) : ingest(&trial, step, err);
        if (done < 0)
            error_wrap(err, "%s:%u: step %zu (%s %s)", step->place.file, step->place.line, i + 1,
                       step->verify ? "verify" : "ingest", step->source.collection->name);
    }
    for (size_t i = 0; i < trial.state_count; i++) {
        schema_free(trial.states[i].write);
        schema_free(trial.states[i].read);
        free(trial.states[i].documents);
    }
    free(trial.states);
    schema_validator_free(trial.validator);
    json_parser_free(trial.parser);
    if (done == 0)
        *ret_result = result;
    return done;
}
