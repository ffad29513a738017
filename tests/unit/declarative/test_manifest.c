#include "connectors/source-declarative/manifest/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct yaml_document parsed(struct arena *arena, const char *yaml)
{
    struct yaml_document doc;
    struct error err;
    if (yaml_parse(arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(yaml), NULL, NULL, &doc, &err) < 0)
        fail_msg("%s", err.message);
    return doc;
}

/* --- references ------------------------------------------------------------------------------------------
 */

static const struct {
    const char *yaml, *expected; /* JSON, or the error's message */
} references[] = {
    {"{a: 1, b: '#/a'}", "{\"a\":1,\"b\":1}"},
    {"{a: {x: 1, y: {z: 1}}, b: {$ref: '#/a', y: {w: 2}, v: 3}}",
     "{\"a\":{\"x\":1,\"y\":{\"z\":1}},\"b\":{\"x\":1,\"y\":{\"w\":2},\"v\":3}}"},
    {"{a: [1, 2], b: {$ref: '#/a', k: 1}}", "{\"a\":[1,2],\"b\":[1,2]}"},
    {"{a: {b/c: 1, b: {c: 2}}, r: '#/a/b/c'}", "{\"a\":{\"b/c\":1,\"b\":{\"c\":2}},\"r\":1}"},
    {"{a/b: {c: 1}, r: '#/a/b/c'}", "m.yaml:1:18: the reference #/a/b/c leads nowhere"},
    {"{a: [{x: 1}, {x: 2}], r: '#/a/1/x', s: '#/a/-1/x'}", "{\"a\":[{\"x\":1},{\"x\":2}],\"r\":2,\"s\":2}"},
    {"{a: '#/b', b: '#/c', c: 7}", "{\"a\":7,\"b\":7,\"c\":7}"},
    {"{a: '#/b', b: {x: '#/a'}}", "m.yaml:1:5: the reference #/b leads back to itself"},
    {"{a: '#/'}", "m.yaml:1:5: the reference #/ leads back to itself"},
    {"{definitions: {base: 1}, r: '#/definitions/bsae'}",
     "m.yaml:1:29: the reference #/definitions/bsae leads nowhere; did you mean \"base\"?"},
    {"{a: 1, config_overrides: {x: '#/a'}}", "{\"a\":1,\"config_overrides\":{\"x\":\"#/a\"}}"},
    {"{a: {$ref: 'text', k: 1}}", "{\"a\":\"text\"}"},
    {"{a: {x: 1}, b: ['#/a', {$ref: '#/a', x: 2}]}", "{\"a\":{\"x\":1},\"b\":[{\"x\":1},{\"x\":2}]}"},
    {"{a: {$ref: {x: 1, y: 2}, y: 3}}", "{\"a\":{\"x\":1,\"y\":3}}"},
};

static void test_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct arena arena;
        struct error err;
        struct yaml_document resolved;
        arena_init(&arena);
        struct yaml_document raw = parsed(&arena, references[i].yaml);
        if (manifest_resolve(&arena, &raw, &resolved, &err) < 0) {
            assert_string_equal(err.message, references[i].expected);
        } else {
            assert_int_equal(resolved.json.size, strlen(references[i].expected));
            assert_memory_equal(resolved.json.source, references[i].expected, resolved.json.size);
        }
        arena_done(&arena);
    }
}

/* --- types and parameters ---------------------------------------------------------------------------------
 */

static const struct {
    const char *yaml, *expected;
} propagations[] = {
    /* a parameter fills what is absent or falsy, and stays under $parameters */
    {"{type: A, $parameters: {p: 1, q: 2}, q: 0, r: 3}",
     "{\"type\":\"A\",\"q\":2,\"r\":3,\"p\":1,\"$parameters\":{\"p\":1,\"q\":2}}"},
    /* own before inherited; the parameter of the field's own name is put aside, and goes to the end */
    {"{type: A, $parameters: {f: 1, p: 1}, f: {type: B, $parameters: {p: 2}}}",
     "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":2,\"$parameters\":{\"p\":2}},\"p\":1,\"$parameters\":{"
     "\"p\":1,\"f\":1}}"},
    /* a falsy one that was put aside is lost */
    {"{type: A, $parameters: {f: 0, p: 1}, f: {type: B}}",
     "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{"
     "\"p\":1}}"},
    /* JSON Schemas are not looked into, and their $parameters go */
    {"{type: A, s: {type: object, x: {type: B}}, t: {type: [null, object], $parameters: {q: 1}}, "
     "$parameters: {p: 1}}",
     "{\"type\":\"A\",\"s\":{\"type\":\"object\",\"x\":{\"type\":\"B\"}},\"t\":{\"type\":[null,\"object\"]},"
     "\"p\":1,"
     "\"$parameters\":{\"p\":1}}"},
    /* without type, only children with one are */
    {"{type: A, m: {x: {type: B}, y: {z: {type: C}}}, $parameters: {p: 1}}",
     "{\"type\":\"A\",\"m\":{\"x\":{\"type\":\"B\",\"p\":1,\"$parameters\":{\"p\":1}},\"y\":{\"z\":{\"type\":"
     "\"C\"}}},"
     "\"p\":1,\"$parameters\":{\"p\":1}}"},
    /* default types */
    {"{type: DeclarativeSource, streams: [{retriever: {requester: {}}}, 1]}",
     "{\"type\":\"DeclarativeSource\",\"streams\":[{\"retriever\":{\"requester\":{\"type\":\"HttpRequester\"}"
     ","
     "\"type\":\"SimpleRetriever\"},\"type\":\"DeclarativeStream\"},1]}"},
    {"{type: DeclarativeStream, retriever: {class_name: a.B}, schema_loader: {}}",
     "{\"type\":\"DeclarativeStream\",\"retriever\":{\"class_name\":\"a.B\",\"type\":\"CustomRetriever\"},"
     "\"schema_loader\":{\"type\":\"JsonFileSchemaLoader\"}}"},
    /* a list that a parameter gave is changed under $parameters, too; a mapping is not */
    {"{type: A, $parameters: {l: [{type: B}], m: {type: C}, p: 1}}",
     "{\"type\":\"A\",\"l\":[{\"type\":\"B\",\"m\":{\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":"
     "1,"
     "\"$parameters\":{\"p\":1,\"m\":{\"type\":\"C\"}}}],\"m\":{\"type\":\"C\",\"p\":1,\"l\":[{\"type\":"
     "\"B\",\"m\":{"
     "\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{\"p\":1,\"m\":{\"type\":"
     "\"C\"}}}],"
     "\"$parameters\":{\"p\":1,\"l\":[{\"type\":\"B\",\"m\":{\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}"
     "},\"p\":1,"
     "\"$parameters\":{\"p\":1,\"m\":{\"type\":\"C\"}}}]}},\"p\":1,\"$parameters\":{\"p\":1,\"l\":[{\"type\":"
     "\"B\",\"m\":{"
     "\"type\":\"C\",\"p\":1,\"$parameters\":{\"p\":1}},\"p\":1,\"$parameters\":{\"p\":1,\"m\":{\"type\":"
     "\"C\"}}}],"
     "\"m\":{\"type\":\"C\"}}}"},
    {"{type: A, $parameters: 5}", "m.yaml:1:24: $parameters is no mapping"},
};

static void test_propagation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof propagations / sizeof *propagations; i++) {
        struct arena arena;
        struct error err;
        struct yaml_document done;
        arena_init(&arena);
        struct yaml_document raw = parsed(&arena, propagations[i].yaml);
        if (manifest_propagate(&arena, &raw, "", false, &done, &err) < 0)
            assert_string_equal(err.message, propagations[i].expected);
        else
            assert_string_equal(arena_strndup(&arena, done.json.source, done.json.size),
                                propagations[i].expected);
        arena_done(&arena);
    }
}

static void test_parents_win(void **state)
{
    (void)state;
    struct arena arena;
    struct error err;
    struct yaml_document done;
    arena_init(&arena);
    struct yaml_document raw =
        parsed(&arena, "{type: A, $parameters: {p: 1}, f: {type: B, $parameters: {p: 2, q: 3}}}");
    assert_int_equal(manifest_propagate(&arena, &raw, "", true, &done, &err), 0);
    assert_string_equal(
        arena_strndup(&arena, done.json.source, done.json.size),
        "{\"type\":\"A\",\"f\":{\"type\":\"B\",\"p\":1,\"q\":3,\"$parameters\":{\"p\":1,\"q\":3}},"
        "\"p\":1,\"$parameters\":{\"p\":1}}");
    arena_done(&arena);
}

/* --- what is wrong
 * ------------------------------------------------------------------------------------------ */

#define HEAD "version: 6.0.0\ncheck: {stream_names: [a]}\n"
#define REQUESTER "requester: {url_base: 'https://x.org', path: a}"
#define SELECTOR "record_selector: {extractor: {field_path: []}}"

static const struct {
    const char *yaml, *problems; /* a line each */
} wrong[] = {
    {HEAD "streams:\n- name: a\n  retriever: {" REQUESTER ", " SELECTOR "}\n", ""},
    {HEAD, "1:1 : there are no streams: expected `streams` or `dynamic_streams`\n"},
    {"check: {stream_names: [a]}\nstreams: []\n", "1:1 : DeclarativeSource needs `version`: a string\n"},
    {HEAD "streams:\n- name: a\n  retriever: {type: SimpleRetreiver, " REQUESTER ", " SELECTOR "}\n",
     "5:21 streams[0].retriever: there is no component SimpleRetreiver: expected SimpleRetriever, "
     "AsyncRetriever or "
     "CustomRetriever; did you mean SimpleRetriever?\n"},
    {HEAD "streams:\n- name: a\n  retriever: {type: HttpRequester, " REQUESTER ", " SELECTOR "}\n",
     "5:21 streams[0].retriever: HttpRequester cannot stand here: expected SimpleRetriever, AsyncRetriever "
     "or "
     "CustomRetriever\n"},
    /* many at once; a definition that is used twice is told once */
    {HEAD "definitions:\n  r: {url_base: 'https://x.org', path: a, http_method: PUT}\nstreams:\n"
          "- {name: a, retriever: {requester: '#/definitions/r', " SELECTOR "}}\n"
          "- {name: [], retriever: {requester: '#/definitions/r'}, primary_key: 5}\n",
     "4:56 streams[0].retriever.requester.http_method: \"PUT\": expected one of GET or POST; did you mean "
     "GET?\n"
     "7:10 streams[1].name: a list: expected a string\n"
     "7:25 streams[1].retriever: SimpleRetriever needs `record_selector`: RecordSelector\n"
     "7:70 streams[1].primary_key: a number: expected a string, a list of strings or a list of lists\n"},
    {HEAD "streams:\n- name: a\n  retriever:\n    " REQUESTER "\n    record_selector:\n"
          "      extractor: {class_name: source_x.Thing}\n",
     "8:31 streams[0].retriever.record_selector.extractor: CustomRecordExtractor source_x.Thing is Python "
     "code, which "
     "Firth does not run\n"},
    {HEAD
     "streams:\n- name: a\n  retrieverr: 1\n  retriever: {" REQUESTER ", " SELECTOR
     ", paginator: {type: DefaultPaginator, pagination_strategy: {type: OffsetIncrement, page_size: '5'}, "
     "page_token_option: {inject_into: header, field_name: o}}}\n",
     "5:3 streams[0]: DeclarativeStream has no field `retrieverr`; did you mean `retriever`?\n"
     "6:229 streams[0].retriever.paginator.page_token_option: `type` is missing: expected RequestOption or "
     "RequestPath\n"},
    {HEAD "streams: []\nspec: {connection_specification: 1}\nmetadatta: {}\n",
     "4:34 spec.connection_specification: a number: expected a mapping\n"
     "5:1 : DeclarativeSource has no field `metadatta`; did you mean `metadata`?\n"},
    {"[1]", "1:1 : a manifest is a mapping, with `type: DeclarativeSource`\n"},
    {"type: Other\n", "1:7 : expected `type: DeclarativeSource`\n"},
    {"streams: '#/nowhere'\n", "1:10 : the reference #/nowhere leads nowhere\n"},
};

static void note(void *context, const struct manifest_problem *problem)
{
    buffer_printf(context, "%u:%u %s: %s\n", problem->at.line, problem->at.column, problem->path,
                  problem->message);
}

static void test_problems(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena arena;
        struct error err;
        struct manifest *manifest;
        struct buffer told;
        arena_init(&arena);
        buffer_init(&told, 1 << 20);
        int done = manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(wrong[i].yaml), note, &told,
                                  &manifest, &err);
        assert_string_equal(buffer_cstr(&told), wrong[i].problems);
        assert_int_equal(done, *wrong[i].problems ? -1 : 0);
        /* Without anybody to tell, the first is the error. */
        if (done < 0) {
            assert_int_equal(manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(wrong[i].yaml), NULL,
                                            NULL, &manifest, &err),
                             -1);
            assert_true(string_starts_with(err.message, "m.yaml:"));
        }
        buffer_done(&told);
        arena_done(&arena);
    }
}

/* --- limits
 * -------------------------------------------------------------------------------------------------- */

/* Each level refers to the one before ten times: a small file that would be 10^12 values. */
static void test_expansion(void **state)
{
    (void)state;
    struct arena arena;
    struct error err;
    struct manifest *manifest;
    struct buffer yaml;
    arena_init(&arena);
    buffer_init(&yaml, 1 << 20);
    buffer_str(&yaml, HEAD "definitions:\n  d0: x\n");
    for (int level = 1; level <= 12; level++) {
        buffer_printf(&yaml, "  d%d: [", level);
        for (int i = 0; i < 10; i++)
            buffer_printf(&yaml, "%s'#/definitions/d%d'", i ? ", " : "", level - 1);
        buffer_str(&yaml, "]\n");
    }
    buffer_str(&yaml, "streams: '#/definitions/d12'\n");
    assert_int_equal(manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, (struct slice){yaml.data, yaml.size},
                                    NULL, NULL, &manifest, &err),
                     -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&yaml);
    arena_done(&arena);
}

static void test_reading(void **state)
{
    (void)state;
    static const char yaml[] =
        HEAD "streams:\n- name: a\n  $parameters: {p: 1}\n  retriever: {" REQUESTER ", " SELECTOR "}\n";
    struct arena arena;
    struct error err;
    struct manifest *manifest;
    arena_init(&arena);
    assert_int_equal(
        manifest_parse(&arena, "m.yaml", YAML_SYNTAX_YAML, slice_of(yaml), NULL, NULL, &manifest, &err), 0);
    struct component stream = component_at(component_get(manifest_root(manifest), "streams"), 0);
    assert_true(component_is(stream, "DeclarativeStream"));
    struct component requester = component_get(component_get(stream, "retriever"), "requester");
    assert_string_equal(component_type(requester)->name, "HttpRequester");
    assert_true(slice_is(component_text(requester, "path"), "a"));
    assert_true(slice_is(component_text(requester, "http_method"), "GET"));
    assert_int_equal(component_enum(requester, "http_method"), 0);
    assert_false(component_bool(requester, "use_cache"));
    assert_null(component_text(requester, "url").data);
    assert_true(component_is_none(component_get(requester, "authenticator")));
    int64_t p;
    assert_true(component_integer(component_parameters(requester), "p", &p));
    assert_int_equal(p, 1);
    assert_true(component_is_none(component_get(manifest_root(manifest), "definitions")));
    error_set(&err, ERROR_INVALID, "it is odd");
    component_error(&err, component_get(requester, "path"));
    assert_string_equal(err.message, "streams[0].retriever.requester.path (m.yaml:6:60): it is odd");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),  cmocka_unit_test(test_propagation),
        cmocka_unit_test(test_parents_win), cmocka_unit_test(test_problems),
        cmocka_unit_test(test_expansion),   cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
