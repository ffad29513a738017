/* Components of record/ and stream/ against what airbyte_cdk made of the same: cdk.jsonl, written by
 * tests/clients/programs/declarative_cdk.py. Where Firth differs on purpose, DIFFERENT says why. */
#include "base/file.h"
#include "source-declarative/record/decoder.h"
#include "source-declarative/record/extractor.h"
#include "source-declarative/record/selector.h"
#include "source-declarative/request/instant.h"
#include "source-declarative/stream/cursor.h"
#include "json/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char CONFIG[] =
    "{\"start\": \"2024-01-02T00:00:00Z\", \"names\": [\"x\", \"y\"], \"one\": \"a\"}";
static const char MANIFEST[] =
    "{\"type\": \"DeclarativeSource\", \"version\": \"6.0.0\", \"check\": {\"type\": "
    "\"CheckStream\", \"stream_names\": [\"s\"]}, \"streams\": [{\"type\": "
    "\"DeclarativeStream\", \"name\": \"s\", \"retriever\": {\"type\": "
    "\"SimpleRetriever\", \"requester\": {\"type\": \"HttpRequester\", \"url_base\": "
    "\"http://localhost\", \"path\": \"/\"}, \"record_selector\": {\"type\": "
    "\"RecordSelector\", \"extractor\": {\"type\": \"DpathExtractor\", "
    "\"field_path\": []}}}}]}";

struct world {
    struct arena arena;
    struct engine *engine;
    struct component root;
};

static void on_log(void *context, enum engine_level level, const char *message)
{
    (void)context;
    (void)level;
    (void)message;
}

static struct world world_new(void)
{
    struct world world = {0};
    struct error err = {0};
    struct manifest *manifest;
    arena_init(&world.arena);
    if (manifest_parse(&world.arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(MANIFEST), NULL, NULL, &manifest,
                       &err) != 0)
        fail_msg("%s", err.message);
    world.root = manifest_root(manifest);
    struct engine_settings settings = {.seed = 1, .output = {.log = on_log}};
    world.engine = engine_new(&settings, world.root, slice_of(CONFIG), &err);
    assert_non_null(world.engine);
    return world;
}

static void world_done(struct world *world)
{
    engine_free(world->engine);
    arena_done(&world->arena);
}

/* One line of the file, and what we made of it. */
struct trial {
    struct world *world;
    const struct json *line;
    struct component component;
    struct arena *arena;
    struct tvalue result;
};

static uint32_t field(const struct trial *trial, const char *name)
{
    return json_get(trial->line, 0, name);
}
static struct tvalue value_of(const struct trial *trial, const char *name)
{
    return tvalue_json(trial->arena, trial->line, field(trial, name));
}

/* As the program that wrote the file: StreamSlice(partition={"p": 7}, extra_fields={"e": "f"}). */
static struct tvalue slice_value(struct arena *arena)
{
    struct tvalue partition = tvalue_dict(arena), extra = tvalue_dict(arena);
    tdict_set_name(arena, partition.dict, "p", tvalue_int(7));
    tdict_set_name(arena, extra.dict, "e", tvalue_cstring("f"));
    return tvalue_stream_slice(arena, partition, tvalue_none(), extra);
}

static int try_transform(struct trial *trial, struct error *err)
{
    struct transformations *transformations;
    if (transformations_compile(trial->world->engine, trial->component, &transformations, err) != 0)
        return -1;
    trial->result = value_of(trial, "input");
    return transformations_run(transformations, slice_value(trial->arena), trial->arena, &trial->result, err);
}

static int collect(void *context, struct tvalue value, struct error *err)
{
    struct trial *trial = context;
    (void)err;
    tlist_push(trial->arena, trial->result.list, value_copy(trial->arena, &value));
    return 0;
}

static int each_document(struct trial *trial, const struct decoder *decoder, struct slice body,
                         const struct extractor *extractor, struct error *err)
{
    struct answer answer = {.body = body, .status = 200};
    struct decoding *decoding;
    struct tvalue document;
    int more;
    if (decoding_begin(decoder, &answer, &decoding, err) != 0)
        return -1;
    while ((more = decoding_next(decoding, &document, err)) == 1) {
        if (extractor ? extractor_run(extractor, &document, trial->arena, collect, trial, err) != 0
                      : collect(trial, document, err) != 0) {
            more = -1;
            break;
        }
    }
    decoding_end(decoding);
    return more;
}

static int try_extract(struct trial *trial, struct error *err)
{
    struct extractor *extractor;
    struct decoder *decoder;
    struct component none = {trial->component.manifest, JSON_NONE};
    trial->result = tvalue_list(trial->arena);
    if (extractor_compile(trial->world->engine, trial->component, &extractor, err) != 0 ||
        decoder_compile(trial->world->engine, none, &decoder, err) != 0)
        return -1;
    return each_document(trial, decoder, json_raw(trial->line, field(trial, "input")), extractor, err);
}

static struct slice base64(struct arena *arena, struct slice text)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        bits = bits << 6 | (uint32_t)(strchr(DIGITS, text.data[i]) - DIGITS);
        if (i % 4 > 0)
            out[size++] = (char)(bits >> (6 - i % 4 * 2));
    }
    return (struct slice){out, size};
}

static int try_decode(struct trial *trial, struct error *err)
{
    struct decoder *decoder;
    trial->result = tvalue_list(trial->arena);
    if (decoder_compile(trial->world->engine, trial->component, &decoder, err) != 0)
        return -1;
    struct slice text = json_string(trial->line, field(trial, "body"), trial->arena);
    return each_document(trial, decoder, base64(trial->arena, text), NULL, err);
}

static int keep_record(void *context, struct record *record, struct error *err)
{
    return collect(context, record->data, err);
}

static int try_select(struct trial *trial, struct error *err)
{
    struct component none = {trial->component.manifest, JSON_NONE};
    struct selector_settings settings = {.stream_name = "s", .transformations = none};
    struct record_selector *selector;
    struct decoder *decoder;
    struct decoding *decoding;
    struct json schema;
    size_t extracted;
    struct slice raw = json_raw(trial->line, field(trial, "schema"));
    struct answer answer = {.body = json_raw(trial->line, field(trial, "input")), .status = 200};
    assert_int_equal(json_parse_copy(trial->arena, raw.data, raw.size, &schema, err), 0);
    struct tvalue token = tvalue_dict(trial->arena);
    tdict_set_name(trial->arena, token.dict, "next_page_token", tvalue_int(5));
    struct selection_call call = {slice_value(trial->arena), token, &schema};
    trial->result = tvalue_list(trial->arena);
    if (record_selector_compile(trial->world->engine, trial->component, &settings, &selector, err) != 0 ||
        decoder_compile(trial->world->engine, none, &decoder, err) != 0 ||
        decoding_begin(decoder, &answer, &decoding, err) != 0)
        return -1;
    int result = record_selector_run(selector, &call, decoding, keep_record, trial, &extracted, err);
    decoding_end(decoding);
    return result;
}

/* --- cursors ------------------------------------------------------------------------------------- */

enum { SLICES_MAX = 4096 };
struct slices {
    struct arena *arena;
    struct stream_slice items[SLICES_MAX];
    size_t count;
};

static int keep_slice(void *context, const struct stream_slice *slice, struct error *err)
{
    struct slices *slices = context;
    (void)err;
    assert_true(slices->count < SLICES_MAX);
    slices->items[slices->count++] = stream_slice_copy(slices->arena, slice);
    return 0;
}

static int push_state(struct trial *trial, struct cursor *cursor, struct tlist *states, struct error *err)
{
    struct tvalue state;
    if (cursor_state(cursor, tvalue_none(), trial->arena, &state, err) != 0)
        return -1;
    tlist_push(trial->arena, states, value_copy(trial->arena, &state));
    return 0;
}

static int read_slice(struct trial *trial, struct cursor *cursor, const struct stream_slice *slice,
                      struct tlist *takes, struct error *err)
{
    struct titer iter;
    struct tvalue item, only, p = tvalue_none();
    struct tvalue records = value_of(trial, "records");
    tvalue_member_name(trial->arena, &slice->partition, SLICE_LITERAL("p"), &p);
    titer_init(&iter, trial->arena, records);
    while (titer_next(&iter, &item)) {
        if (tvalue_member_name(trial->arena, &item, SLICE_LITERAL("only"), &only) &&
            !tvalue_equal(trial->arena, &only, &p))
            continue;
        struct record record = {.data = item, .stream_slice = slice->value, .stream_name = "s"};
        tlist_push(trial->arena, takes, tvalue_bool(cursor_takes(cursor, &record)));
        if (cursor_observe(cursor, slice, &record, err) != 0)
            return -1;
    }
    return cursor_slice_done(cursor, slice, err);
}

static struct tvalue pairs_of(struct trial *trial, const struct slices *slices)
{
    struct tvalue list = tvalue_list(trial->arena);
    for (size_t i = 0; i < slices->count; i++) {
        struct tvalue pair[] = {slices->items[i].partition, slices->items[i].cursor_slice}, end;
        /* The file has no infinity: it is the text "inf". */
        if (tvalue_member_name(trial->arena, &pair[1], SLICE_LITERAL("end"), &end) &&
            end.kind == TVALUE_FLOAT)
            tdict_set_name(trial->arena, pair[1].dict, "end", tvalue_cstring("inf"));
        tlist_push(trial->arena, list.list, tvalue_tuple(trial->arena, pair, 2));
    }
    return list;
}

static int follow(struct trial *trial, struct cursor *cursor, struct slices *slices, bool finish,
                  struct error *err)
{
    struct tvalue states = tvalue_list(trial->arena), takes = tvalue_list(trial->arena);
    struct tvalue order = value_of(trial, "order");
    size_t count = tvalue_is_list(&order) ? tvalue_count(&order) : slices->count;
    if (push_state(trial, cursor, states.list, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        size_t at = tvalue_is_list(&order) ? (size_t)tvalue_at(trial->arena, &order, i).integer : i;
        if (at >= slices->count)
            return error_set(err, ERROR_INVALID, "there is no slice %zu", at);
        if (read_slice(trial, cursor, &slices->items[at], takes.list, err) != 0 ||
            push_state(trial, cursor, states.list, err) != 0)
            return -1;
    }
    if (finish && count == slices->count && cursor_finish(cursor, err) != 0)
        return -1;
    if (finish && push_state(trial, cursor, states.list, err) != 0)
        return -1;
    trial->result = tvalue_dict(trial->arena);
    tdict_set_name(trial->arena, trial->result.dict, "slices", pairs_of(trial, slices));
    tdict_set_name(trial->arena, trial->result.dict, "states", states);
    tdict_set_name(trial->arena, trial->result.dict, "takes", takes);
    return 0;
}

static int try_cursors(struct trial *trial, bool has_partitions, struct error *err)
{
    struct cursor *cursor;
    struct slices *slices = arena_zalloc(trial->arena, sizeof *slices);
    slices->arena = trial->arena;
    if (cursor_compile(trial->world->engine, trial->component, has_partitions, "s", &cursor, err) != 0)
        return -1;
    int result = cursor_set_state(cursor, trial->line, field(trial, "state"), err);
    struct tvalue values = value_of(trial, "values");
    size_t count = has_partitions ? tvalue_count(&values) : 1;
    for (size_t i = 0; result == 0 && i < count; i++) {
        struct tvalue partition = tvalue_dict(trial->arena);
        if (has_partitions)
            tdict_set_name(trial->arena, partition.dict, "p", tvalue_at(trial->arena, &values, i));
        struct stream_slice slice = stream_slice_make(trial->arena, partition, tvalue_none(), tvalue_none());
        result = cursor_slices(cursor, &slice, keep_slice, slices, err);
    }
    if (result == 0)
        result = follow(trial, cursor, slices, has_partitions, err);
    cursor_done(cursor);
    return result;
}

static int try_cursor(struct trial *trial, struct error *err)
{
    return try_cursors(trial, false, err);
}
static int try_partitioned(struct trial *trial, struct error *err)
{
    return try_cursors(trial, true, err);
}

/* 2026-08-31T05:06:07Z, a Monday: as in the program that wrote the file. */
enum { NOW_S = 1788152767 };

static int try_instant(struct trial *trial, struct error *err)
{
    int64_t ms;
    struct slice text = json_string(trial->line, field(trial, "text"), trial->arena);
    if (!instant_parse(text, NOW_S * INT64_C(1000), &ms))
        return error_set(err, ERROR_INVALID, "no instant");
    trial->result = tvalue_int(ms);
    return 0;
}

/* --- the file ------------------------------------------------------------------------------------ */

static const struct {
    const char *kind;
    int (*try)(struct trial *trial, struct error *err);
} KINDS[] = {
    {"instant", try_instant},         {"transform", try_transform}, {"extract", try_extract},
    {"decode", try_decode},           {"select", try_select},       {"cursor", try_cursor},
    {"partitioned", try_partitioned},
};

static void show(struct buffer *out, const struct tvalue *value)
{
    struct error err = {0};
    if (value_write(out, value, &err) != 0)
        buffer_str(out, err.message);
}

/* Bodies of lines that are no JSON, and those that are no XML: the CDK warns and goes on without them, which
 * loses records. Firth fails.
 */
static const char *const DIFFERENT[] = {
    "eAp7ImEiOjF9",                     /* x, and another line */
    "eyJhIjoxfeKAqHsiYiI6MX0=",         /* two documents with U+2028 between them, which ends no line */
    "eyJhIjoxfXsiYiI6Mn0KeyJjIjozfQ==", /* two documents in a line, and another line */
};

static bool is_different(const struct trial *trial)
{
    uint32_t type = json_get(trial->line, field(trial, "component"), "type");
    for (size_t i = 0; i < sizeof DIFFERENT / sizeof *DIFFERENT; i++) {
        if (json_string_is(trial->line, type, "JsonlDecoder") &&
            json_string_is(trial->line, field(trial, "body"), DIFFERENT[i]))
            return true;
    }
    uint32_t result = field(trial, "result");
    return json_string_is(trial->line, type, "XmlDecoder") && json_is(trial->line, result, JSON_ARRAY) &&
           slice_is(json_raw(trial->line, result), "[{}]") &&
           !json_string_is(trial->line, field(trial, "body"), "");
}

/* Is it what the CDK made? Tells of it if not. */
static bool agrees(struct trial *trial, int result, const struct error *err, const char *text)
{
    bool refused = field(trial, "error") != JSON_NONE || is_different(trial);
    struct buffer ours;
    struct json doc;
    struct error wrong = {0};
    buffer_init(&ours, BUFFER_UNLIMITED);
    bool same = refused == (result != 0);
    if (same && !refused) {
        show(&ours, &trial->result);
        struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
        same = json_parse(parser, ours.data, ours.size, &doc, &wrong) == 0 &&
               json_equal(&doc, 0, trial->line, field(trial, "result"));
        json_parser_free(parser);
    }
    if (!same && result == 0 && ours.size == 0)
        show(&ours, &trial->result);
    if (!same)
        fprintf(stderr, "the CDK: %.3000s\nours: %.3000s%s\n", text, buffer_cstr(&ours),
                result ? err->message : "");
    buffer_done(&ours);
    return same;
}

static bool line_agrees(struct world *world, const char *text)
{
    struct json line;
    struct error err = {0};
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(json_parse_copy(&arena, text, strlen(text), &line, &err), 0);
    struct trial trial = {.world = world, .line = &line, .arena = &arena, .result = tvalue_none()};
    uint32_t component = json_get(&line, 0, "component");
    struct slice type = json_string(&line, json_get(&line, component, "type"), &arena);
    int result = manifest_derive(&world->engine->arena, world->root, json_raw(&line, component),
                                 arena_strndup(&arena, type.data, type.size), false, &trial.component, &err);
    bool known = false;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!json_string_is(&line, json_get(&line, 0, "kind"), KINDS[i].kind))
            continue;
        known = true;
        if (result == 0)
            result = KINDS[i].try(&trial, &err);
    }
    assert_true(known);
    bool same = agrees(&trial, result, &err, text);
    arena_done(&arena);
    return same;
}

static void test_as_the_cdk(void **state)
{
    (void)state;
    char path[4096];
    char *line = NULL;
    size_t room = 0, count = 0, wrong = 0;
    snprintf(path, sizeof path, "%s/declarative/cdk.jsonl", getenv("FIRTH_UNIT_TESTS"));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    struct world world = world_new();
    for (ssize_t size; (size = getline(&line, &room, file)) > 0; count++) {
        line[size - 1] = '\0';
        wrong += !line_agrees(&world, line);
    }
    free(line);
    fclose(file);
    world_done(&world);
    if (wrong > 0)
        fail_msg("%zu of %zu are not as the CDK has them", wrong, count);
    assert_true(count > 1000);
}

/* Dates of mail and HTTP, which the CDK refuses to read for want of dashes. Without a date they are none. */
static void test_dates_in_words_with_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: it is none */
    } cases[] = {
        {"Wed, 02 Jan 2030 03:04:05 GMT", 1893553445},
        {"Wed, 2 Jan 2030 03:04:05 +0200", 1893546245},
        {"Wed Jan  2 03:04:05 2030", 1893553445},
        {"Jan 2, 2030 3:04:05 AM", 1893553445},
        {"Wednesday, 02-Jan-30 03:04:05 GMT", 1893553445},
        {"20300102T03:04:05Z", 1893553445},
        {"03:04:05", -1},
        {"Wed 03:04:05", -1},
        {"Jan 2 03:04", -1},
        {"soon", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1000;
        assert_int_equal(instant_parse(slice_of(cases[i].text), NOW_S * INT64_C(1000), &ms),
                         cases[i].seconds >= 0);
        assert_int_equal(ms, cases[i].seconds * 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_the_cdk),
                                       cmocka_unit_test(test_dates_in_words_with_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
