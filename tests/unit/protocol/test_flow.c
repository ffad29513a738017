/* Flow's messages: what real connectors and runtimes said, line for line, and the rules of the mapping. */
#include "base/file.h"
#include "protocol/flow_capture.h"
#include "protocol/flow_materialize.h"
#include "json/key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct json_parser *parser, *other;
    struct buffer out;
};
static struct fixture fix;

static int setup(void **state)
{
    (void)state;
    arena_init(&fix.arena);
    fix.parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    fix.other = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    buffer_init(&fix.out, BUFFER_UNLIMITED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&fix.arena);
    json_parser_free(fix.parser);
    json_parser_free(fix.other);
    buffer_done(&fix.out);
    return 0;
}

static struct json parse(struct json_parser *parser, struct slice text)
{
    struct json doc;
    struct error err;
    if (json_parse(parser, text.data, text.size, &doc, &err) < 0)
        fail_msg("%s: %.*s", err.message, SLICE_ARGS(text));
    return doc;
}

/* --- equal in meaning ------------------------------------------------------------------------------ */

static bool is_default(const struct json *doc, uint32_t at)
{
    int64_t number;
    switch (json_tag(doc, at)) {
    case JSON_NULL:
    case JSON_FALSE:
        return true;
    case JSON_INTEGER:
        return json_to_i64(doc, at, &number) && number == 0;
    case JSON_STRING:
        return json_inner(doc, at).size == 0;
    case JSON_ARRAY:
        return json_count(doc, at) == 0;
    default:
        return false;
    }
}

static bool same(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at);

static bool has_all(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    for (uint32_t key = json_first_key(a, a_at); key != JSON_NONE; key = json_next_key(a, a_at, key)) {
        uint32_t other = json_get_slice(b, b_at, json_string(a, key, &fix.arena));
        if (other == JSON_NONE ? !is_default(a, json_value(key)) : !same(a, json_value(key), b, other))
            return false;
    }
    return true;
}

/* Members that have their default are as good as absent. */
static bool same(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    if (json_tag(a, a_at) != json_tag(b, b_at))
        return false;
    if (json_is(a, a_at, JSON_OBJECT))
        return has_all(a, a_at, b, b_at) && has_all(b, b_at, a, a_at);
    if (!json_is(a, a_at, JSON_ARRAY))
        return json_equal(a, a_at, b, b_at);
    if (json_count(a, a_at) != json_count(b, b_at))
        return false;
    uint32_t other = json_first(b, b_at);
    for (uint32_t e = json_first(a, a_at); e != JSON_NONE; e = json_next(a, a_at, e)) {
        if (!same(a, e, b, other))
            return false;
        other = json_next(b, b_at, other);
    }
    return true;
}

/* --- transcripts ----------------------------------------------------------------------------------- */

typedef int translator(bool request, const struct json *line, struct error *err);

static int translate_capture(bool request, const struct json *line, struct error *err)
{
    struct flow_capture_request asked;
    struct flow_capture_response answered;
    if (request) {
        if (flow_capture_read_request(line, &fix.arena, &asked, err) < 0)
            return -1;
        flow_capture_write_request(&fix.out, &asked);
        return (int)asked.type;
    }
    if (flow_capture_read_response(line, &fix.arena, &answered, err) < 0)
        return -1;
    flow_capture_write_response(&fix.out, &answered);
    return (int)answered.type;
}

static int translate_materialize(bool request, const struct json *line, struct error *err)
{
    struct flow_materialize_request asked;
    struct flow_materialize_response answered;
    if (request) {
        if (flow_materialize_read_request(line, &fix.arena, &asked, err) < 0)
            return -1;
        flow_materialize_write_request(&fix.out, &asked);
        return (int)asked.type;
    }
    if (flow_materialize_read_response(line, &fix.arena, &answered, err) < 0)
        return -1;
    flow_materialize_write_response(&fix.out, &answered);
    return (int)answered.type;
}

/* Every line is read into a struct and written from it; what comes out means the same and is one line. */
static void check_transcript(const char *name, translator *translate, uint32_t *ret_requests,
                             uint32_t *ret_responses)
{
    struct buffer file;
    struct error err;
    auto_free char *path = mem_printf("%s/protocol/flow_transcripts/%s", getenv("FIRTH_UNIT_TESTS"), name);
    buffer_init(&file, 1 << 20);
    if (file_read(path, 1 << 20, &file, &err) < 0)
        fail_msg("%s", err.message);
    char *save = NULL;
    for (char *line = strtok_r((char *)buffer_cstr(&file), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        bool request = line[0] == '>';
        assert_true(request || line[0] == '<');
        struct json said = parse(fix.parser, slice_of(line + 2));
        buffer_clear(&fix.out);
        int type = translate(request, &said, &err);
        if (type < 0) {
            fail_msg("%s\n%s", err.message, line);
            return; /* the analyser does not know that fail_msg does not */
        }
        *(request ? ret_requests : ret_responses) |= 1U << (unsigned)type;
        assert_ptr_equal(memchr(fix.out.data, '\n', fix.out.size), fix.out.data + fix.out.size - 1);
        struct json written = parse(fix.other, (struct slice){fix.out.data, fix.out.size});
        if (!same(&said, 0, &written, 0))
            fail_msg("said:    %s\nwritten: %s", line + 2, buffer_cstr(&fix.out));
    }
    buffer_done(&file);
}

static void test_capture_transcripts(void **state)
{
    (void)state;
    uint32_t requests = 0, responses = 0;
    check_transcript("capture.txt", translate_capture, &requests, &responses);
    assert_int_equal(requests, (1U << FLOW_CAPTURE_REQUEST_MAX) - 1);
    /* The two of backfills are in no transcript. */
    assert_int_equal(responses, (1U << FLOW_CAPTURE_BACKFILL_BEGIN) - 1);
}

static void test_materialize_transcripts(void **state)
{
    (void)state;
    uint32_t requests = 0, responses = 0;
    check_transcript("materialize.txt", translate_materialize, &requests, &responses);
    assert_int_equal(requests, (1U << FLOW_MATERIALIZE_REQUEST_MAX) - 1);
    assert_int_equal(responses, (1U << FLOW_MATERIALIZE_RESPONSE_MAX) - 1);
}

/* What the transcripts show of packing is what the keys' packing makes of the same values. */
static void test_packed_as_in_transcripts(void **state)
{
    (void)state;
    struct json line = parse(
        fix.parser,
        SLICE_LITERAL(
            "{\"store\":{\"key\":[1],\"keyPacked\":\"FQE=\",\"values\":[\"2026-01-01T00:00:00Z\",1.5,"
            "\"Ann\"],\"valuesPacked\":\"AjIwMjYtMDEtMDFUMDA6MDA6MDBaACG/+AAAAAAAAAJBbm4A\",\"doc\":{}}}"));
    struct flow_materialize_request request;
    struct error err;
    assert_int_equal(flow_materialize_read_request(&line, &fix.arena, &request, &err), 0);
    struct json values = parse(fix.other, request.store.raw_values);
    buffer_clear(&fix.out);
    for (uint32_t e = json_first(&values, 0); e != JSON_NONE; e = json_next(&values, 0, e))
        assert_int_equal(key_pack_value((struct key_value){&values, e}, &fix.out, &err), 0);
    assert_int_equal(fix.out.size, request.store.values_packed.size);
    assert_memory_equal(fix.out.data, request.store.values_packed.data, fix.out.size);
}

/* --- the rules of the mapping ---------------------------------------------------------------------- */

static const struct {
    bool capture, request;
    const char *line;
    const char *written; /* NULL: the line itself */
} mappings[] = {
    /* what has its default is not written, null is absent, unknown members are ignored */
    {true, false, "{\"captured\":{\"binding\":0,\"doc\":{}}}", "{\"captured\":{\"doc\":{}}}"},
    {true, false, "{\"captured\":{\"doc\":{\"a\":null},\"binding\":7}}",
     "{\"captured\":{\"binding\":7,\"doc\":{\"a\":null}}}"},
    {true, false, "{\"captured\":{\"binding\":\"3\",\"doc\":{}}}",
     "{\"captured\":{\"binding\":3,\"doc\":{}}}"},
    {true, false, "{\"captured\":{\"binding\":null,\"doc\":{},\"more\":[1]}}", "{\"captured\":{\"doc\":{}}}"},
    {true, false, "{\"checkpoint\":{}}", NULL},
    {true, false, "{\"checkpoint\":{\"state\":null}}", "{\"checkpoint\":{}}"},
    {true, false, "{\"checkpoint\":{\"state\":{}}}", NULL},
    {true, false, "{\"checkpoint\":{\"state\":{\"updated\":{\"a\":null},\"mergePatch\":false}}}",
     "{\"checkpoint\":{\"state\":{\"updated\":{\"a\":null}}}}"},
    {true, false, "{\"opened\":{\"explicitAcknowledgements\":false},\"$internal\":\"AQ==\",\"spec\":null}",
     "{\"opened\":{}}"},
    {true, false, "{\"backfillBegin\":{\"binding\":2}}", NULL},
    {true, false, "{\"backfillComplete\":{}}", NULL},
    {true, true, "{\"acknowledge\":{\"checkpoints\":3}}", NULL},
    /* enumerations by name or number */
    {true, true, "{\"spec\":{\"connectorType\":8,\"config\":{}}}",
     "{\"spec\":{\"connectorType\":\"LOCAL\",\"config\":{}}}"},
    {false, true, "{\"spec\":{\"connectorType\":8}}", "{\"spec\":{\"connectorType\":\"IMAGE\"}}"},
    {false, false,
     "{\"validated\":{\"bindings\":[{\"projectionConstraints\":[{\"field\":\"f\",\"constraint\":{\"type\":"
     "\"UNSATISFIABLE\"}}]}]}}",
     "{\"validated\":{\"bindings\":[{\"projectionConstraints\":[{\"field\":\"f\",\"constraint\":{\"type\":"
     "\"INCOMPATIBLE\"}}]}]}}"},
    /* bytes are base64: standard with padding is written, all of protobuf's spellings are read */
    {false, true, "{\"load\":{\"key\":[1],\"keyPacked\":\"-_8\"}}",
     "{\"load\":{\"key\":[1],\"keyPacked\":\"+/8=\"}}"},
    {false, true, "{\"load\":{\"key\":[],\"keyPacked\":\"\"}}", "{\"load\":{\"key\":[]}}"},
    {false, true, "{\"load\":{\"key\":[],\"keyPacked\":\"AQ==\"}}", NULL},
    {false, true, "{\"load\":{\"key\":[],\"keyPacked\":\"AQID\"}}", NULL},
    /* JSON inside stays what it was, byte for byte */
    {false, false, "{\"loaded\":{\"doc\":{\"n\":12345678901234567890.10,\"s\":\"\\u00e9\\n\"}}}", NULL},
    {false, false, "{\"opened\":{\"runtimeCheckpoint\":{}}}", NULL},
    {false, false, "{\"flushed\":{\"state\":{\"updated\":{},\"mergePatch\":true}}}", NULL},
    {true, false,
     "{\"discovered\":{\"bindings\":[{\"recommendedName\":\"a\\u0062\",\"disable\":true,\"key\":[\"/"
     "a~1\"]}]}}",
     "{\"discovered\":{\"bindings\":[{\"recommendedName\":\"ab\",\"key\":[\"/a~1\"],\"disable\":true}]}}"},
};

static void test_mapping(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
        struct error err;
        struct json line = parse(fix.parser, slice_of(mappings[i].line));
        buffer_clear(&fix.out);
        translator *translate = mappings[i].capture ? translate_capture : translate_materialize;
        if (translate(mappings[i].request, &line, &err) < 0)
            fail_msg("%s: %s", mappings[i].line, err.message);
        auto_free char *expected =
            mem_printf("%s\n", mappings[i].written ? mappings[i].written : mappings[i].line);
        assert_string_equal(buffer_cstr(&fix.out), expected);
    }
}

static const struct {
    bool capture, request;
    const char *line, *message;
} mistakes[] = {
    {true, false, "[]", "right would be an object with one member"},
    {true, false, "{}", "right would be an object with one member"},
    {true, false, "{\"capture\":{}}", "its member is 'capture'; did you mean 'captured'?; it may be spec,"},
    {true, false, "{\"type\":\"RECORD\",\"record\":{}}", "protocol: airbyte"},
    {true, false, "{\"opened\":{},\"captured\":{\"doc\":{}}}", "it has both 'opened' and 'captured'"},
    {true, false, "{\"captured\":{\"binding\":1}}", "captured.doc is missing: expected an object"},
    {true, false, "{\"captured\":{\"doc\":[1]}}", "captured.doc must be an object, got [1]"},
    {true, false, "{\"captured\":{\"doc\":{},\"binding\":-1}}", "captured.binding must be an integer from 0"},
    {true, false, "{\"captured\":{\"doc\":{},\"binding\":4294967296}}",
     "captured.binding must be an integer"},
    {true, false, "{\"captured\":7}", "captured must be an object, got 7"},
    {true, false, "{\"validated\":{\"bindings\":{}}}",
     "validated.bindings must be an array of objects, got {}"},
    {true, false, "{\"validated\":{\"bindings\":[{},{\"resourcePath\":[\"a\",1]}]}}",
     "validated.bindings[1]: binding.resourcePath must be an array of strings"},
    {true, false, "{\"applied\":{\"state\":{\"mergePatch\":1}}}",
     "state.mergePatch must be true or false, got 1"},
    {true, true, "{\"spec\":{\"connectorType\":\"IMAGES\"}}",
     "spec.connectorType must be one of INVALID, IMAGE, LOCAL, got \"IMAGES\""},
    {true, true, "{\"spec\":{\"connectorType\":9}}", "spec.connectorType must be one of"},
    {false, true, "{\"load\":{\"keyPacked\":\"A\"}}", "load.keyPacked must be base64"},
    {false, true, "{\"load\":{\"keyPacked\":\"A?==\"}}", "load.keyPacked must be base64"},
    {false, false, "{\"captured\":{}}", "a response of Flow's materialize protocol"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct error err;
        struct json line = parse(fix.parser, slice_of(mistakes[i].line));
        translator *translate = mistakes[i].capture ? translate_capture : translate_materialize;
        if (translate(mistakes[i].request, &line, &err) >= 0)
            fail_msg("%s was taken", mistakes[i].line);
        assert_int_equal(err.code, ERROR_PROTOCOL);
        if (!strstr(err.message, mistakes[i].message))
            fail_msg("%s: \"%s\" lacks \"%s\"", mistakes[i].line, err.message, mistakes[i].message);
    }
}

/* The parser keeps the last of two, and of two documents one would be lost. */
static const struct {
    bool capture, request;
    const char *line, *member; /* NULL: taken */
} doubled[] = {
    {true, false, "{\"captured\":{\"doc\":{\"id\":1},\"doc\":{\"id\":2}}}", "doc"},
    {true, false, "{\"captured\":{\"binding\":0,\"doc\":{\"id\":1},\"binding\":1}}", "binding"},
    {true, false, "{ \"captured\" : {\"doc\":{}}, \"captured\":{\"doc\":{}} }", "captured"},
    {true, false, "{\"captured\":{\"doc\":{\"id\":1},\"d\\u006fc\":{\"id\":2}}}", "doc"},
    {true, false, "{\"captured\":null,\"captured\":{\"doc\":{}}}", "captured"},
    {true, false, "{\"checkpoint\":{\"state\":{\"updated\":{\"a\":1},\"updated\":{}}}}", "updated"},
    {true, false, "{\"checkpoint\":{\"state\":{},\"state\":{}}}", "state"},
    {true, false, "{\"sourcedSchema\":{\"documentSchema\":{},\"documentSchema\":{}}}", "documentSchema"},
    {true, false, "{\"backfillBegin\":{\"binding\":1,\"binding\":2}}", "binding"},
    {true, false, "{\"validated\":{\"bindings\":[{},{\"resourcePath\":[\"a\"],\"resourcePath\":[\"b\"]}]}}",
     "resourcePath"},
    {true, false, "{\"discovered\":{\"bindings\":[{\"key\":[\"/a\"],\"key\":[\"/b\"]}]}}", "key"},
    {true, true, "{\"acknowledge\":{\"checkpoints\":1,\"checkpoints\":2}}", "checkpoints"},
    {true, true, "{\"open\":{\"capture\":{\"bindings\":[{\"backfill\":1,\"backfill\":2}]}}}", "backfill"},
    {false, false, "{\"loaded\":{\"doc\":{\"id\":1},\"doc\":{\"id\":2}}}", "doc"},
    {false, false, "{\"opened\":{\"runtimeCheckpoint\":{},\"runtimeCheckpoint\":{}}}", "runtimeCheckpoint"},
    {false, false, "{\"flushed\":{\"state\":{\"mergePatch\":true,\"mergePatch\":false}}}", "mergePatch"},
    {false, true, "{\"store\":{\"doc\":{},\"delete\":true,\"doc\":{}}}", "doc"},
    /* What is the connector's own has the last, as its other readers have it. */
    {true, false, "{\"captured\":{\"doc\":{\"id\":1,\"id\":2,\"doc\":[],\"doc\":{\"a\":1,\"a\":2}}}}", NULL},
    {true, false, "{\"checkpoint\":{\"state\":{\"updated\":{\"state\":1,\"state\":2}}}}", NULL},
    {true, false, "{\"captured\":{\"doc\":{},\"future\":1,\"future\":2}}", NULL},
};

static void test_doubled_members(void **state)
{
    (void)state;
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++) {
        char message[64];
        struct error err = {0};
        struct json line = parse(parser, slice_of(doubled[i].line));
        translator *translate = doubled[i].capture ? translate_capture : translate_materialize;
        bool taken = translate(doubled[i].request, &line, &err) >= 0;
        if (taken != !doubled[i].member)
            fail_msg("%s was %s: %s", doubled[i].line, taken ? "taken" : "refused", err.message);
        if (taken)
            continue;
        snprintf(message, sizeof message, "the message has the member \"%s\" twice", doubled[i].member);
        assert_int_equal(err.code, ERROR_PROTOCOL);
        if (!strstr(err.message, message))
            fail_msg("%s: \"%s\" lacks \"%s\"", doubled[i].line, err.message, message);
    }
    json_parser_free(parser);
}

/* A config from a file has line breaks; a message has none. */
static void test_one_line(void **state)
{
    (void)state;
    struct flow_capture_request request = {
        .type = FLOW_CAPTURE_SPEC,
        .spec = {FLOW_CAPTURE_LOCAL, SLICE_LITERAL("{\r\n  \"a\": \"b\\n\"\n}")},
    };
    buffer_clear(&fix.out);
    flow_capture_write_request(&fix.out, &request);
    assert_string_equal(buffer_cstr(&fix.out),
                        "{\"spec\":{\"connectorType\":\"LOCAL\",\"config\":{    \"a\": \"b\\n\" }}}\n");
}

static void test_old_constraints(void **state)
{
    (void)state;
    struct json line = parse(
        fix.parser,
        SLICE_LITERAL(
            "{\"validated\":{\"bindings\":[{\"constraints\":{\"a\":{\"type\":4,\"reason\":\"why\"},"
            "\"b\":{\"type\":\"FIELD_FORBIDDEN\"}}},{\"constraints\":{\"a\":7},\"projectionConstraints\":"
            "[{\"field\":\"z\",\"constraint\":{\"type\":1}}]},{\"constraints\":[]}]}}"));
    struct flow_materialize_response response;
    struct flow_projection_constraints constraints;
    struct error err;
    assert_int_equal(flow_materialize_read_response(&line, &fix.arena, &response, &err), 0);
    const struct flow_validated_binding *bindings = response.validated.bindings.items;
    assert_int_equal(flow_validated_constraints(&bindings[0], &fix.arena, &constraints, &err), 0);
    assert_int_equal(constraints.count, 2);
    assert_true(slice_is(constraints.items[0].field, "a"));
    assert_int_equal(constraints.items[0].constraint->type, FLOW_CONSTRAINT_FIELD_OPTIONAL);
    assert_true(slice_is(constraints.items[0].constraint->reason, "why"));
    assert_string_equal(flow_constraint_name(constraints.items[1].constraint->type), "FIELD_FORBIDDEN");
    /* The newer list is what counts where both are. */
    assert_int_equal(flow_validated_constraints(&bindings[1], &fix.arena, &constraints, &err), 0);
    assert_int_equal(constraints.count, 1);
    assert_true(slice_is(constraints.items[0].field, "z"));
    assert_int_equal(flow_validated_constraints(&bindings[2], &fix.arena, &constraints, &err), -1);
}

/* --- what goes with every task --------------------------------------------------------------------- */

static const struct {
    const char *parts[3];
    uint32_t backfill;
    const char *key;
} state_keys[] = {
    {{"greetings"}, 1, "greetings.v1"},
    {{"public", "customers"}, 0, "public%2Fcustomers"},
    {{"a b", "c/d"}, 12, "a%20b%2Fc%2Fd.v12"},
    {{"Az09-_+.="}, 0, "Az09-_+.="},
    {{"\xc3\xa9%"}, 0, "%C3%A9%25"},
    {{"http://127.0.0.1:58099/hook/c"}, 0, "http%3A%2F%2F127.0.0.1%3A58099%2Fhook%2Fc"},
};

static void test_state_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof state_keys / sizeof *state_keys; i++) {
        struct slice parts[3];
        size_t count = 0;
        while (count < 3 && state_keys[i].parts[count]) {
            parts[count] = slice_of(state_keys[i].parts[count]);
            count++;
        }
        struct slice key =
            flow_state_key((struct flow_texts){parts, count}, state_keys[i].backfill, &fix.arena);
        assert_string_equal(key.data, state_keys[i].key);
        assert_int_equal(key.size, strlen(state_keys[i].key));
    }
}

/* Connectors in Go refuse templates whose values are out of range: replication >= 1, length from 1024 to
 * 2^34 as a string, a name. */
static void test_templates(void **state)
{
    (void)state;
    struct json doc = parse(fix.parser, flow_journal_template(SLICE_LITERAL("acmeCo/\"x\""), &fix.arena));
    int64_t replication = 0;
    uint64_t length = 0;
    assert_true(json_string_is(&doc, json_get(&doc, 0, "name"), "acmeCo/\"x\""));
    assert_true(json_to_i64(&doc, json_get(&doc, 0, "replication"), &replication) && replication == 1);
    const char *text =
        json_cstring(&doc, json_pointer(&doc, 0, SLICE_LITERAL("/fragment/length")), &fix.arena);
    assert_true(text && string_to_u64(text, 1ULL << 34, &length) && length >= 1024);
    doc = parse(fix.parser, flow_shard_template(SLICE_LITERAL("capture/acmeCo/b"), &fix.arena));
    assert_true(json_string_is(&doc, json_get(&doc, 0, "id"), "capture/acmeCo/b"));
    assert_true(json_string_is(&doc, json_get(&doc, 0, "maxTxnDuration"), "1s"));
    parse(fix.parser, flow_ack_template);
}

/* Every truncation of every line is an error or another message, never a crash (ASan watches). */
static void test_hostile_members(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "1",  "-1",   "1e400", "\"\"",
                                         "[]",   "{}", "[[]]", "[{}]",  "true"};
    static const char *const members[] = {
        "bindings",    "config",         "connectorType", "state",  "range",   "keyPacked",
        "checkpoints", "projections",    "key",           "doc",    "binding", "oauth2",
        "protocol",    "backfillBegins", "resourcePath",  "capture"};
    static const char *const lines[] = {"spec",        "discover", "validate",  "apply", "open",
                                        "acknowledge", "load",     "flush",     "store", "startCommit",
                                        "validated",   "captured", "checkpoint"};
    size_t taken = 0, refused = 0;
    for (size_t l = 0; l < sizeof lines / sizeof *lines; l++) {
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                char text[128];
                struct error err;
                snprintf(text, sizeof text, "{\"%s\":{\"%s\":%s}}", lines[l], members[m], values[v]);
                struct json line = parse(fix.parser, slice_of(text));
                for (int which = 0; which < 4; which++) {
                    translator *translate = which & 1 ? translate_capture : translate_materialize;
                    buffer_clear(&fix.out);
                    if (translate(which & 2, &line, &err) < 0) {
                        refused++;
                        continue;
                    }
                    taken++;
                    parse(fix.other, (struct slice){fix.out.data, fix.out.size});
                }
            }
        }
        arena_clear(&fix.arena);
    }
    assert_true(taken > 1000 && refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture_transcripts),
        cmocka_unit_test(test_materialize_transcripts),
        cmocka_unit_test(test_packed_as_in_transcripts),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_doubled_members),
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_old_constraints),
        cmocka_unit_test(test_state_keys),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_hostile_members),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
