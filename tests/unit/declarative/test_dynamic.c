/* Streams of templates: what each mapping sets, which items there are, which streams a condition lets in. */
#include "connectors/source-declarative/source/dynamic.h"

#include "lab.h"

#define RETRIEVER "\"requester\": {\"type\": \"HttpRequester\", \"url\": \"http://localhost/\"}"
#define TEMPLATE                                                                                          \
    "\"stream_template\": {\"type\": \"DeclarativeStream\", \"name\": \"x\", \"primary_key\": [\"id\"], " \
    "\"retriever\": {\"type\": \"SimpleRetriever\", \"record_selector\": {\"type\": \"RecordSelector\", " \
    "\"extractor\": {\"type\": \"DpathExtractor\", \"field_path\": [\"r\"]}}, \"requester\": {\"type\": " \
    "\"HttpRequester\", \"url\": \"http://localhost/\", \"$parameters\": {\"p\": \"mine\"}}}}"
#define MAP(path, value, more) \
    "{\"type\": \"ComponentMappingDefinition\", \"field_path\": " path ", \"value\": \"" value "\"" more "}"
#define DYNAMIC(resolver, mappings)                                                                          \
    "\"dynamic_streams\": [{\"type\": \"DynamicDeclarativeStream\", " TEMPLATE ", \"components_resolver\": " \
    "{" resolver ", \"components_mapping\": [" mappings "]}}],"
#define NAME MAP("[\"name\"]", "{{ components_values.n }}", "")
#define PARAMETRIZED(list)                                                             \
    "\"type\": \"ParametrizedComponentsResolver\", \"stream_parameters\": {\"type\": " \
    "\"StreamParametersDefinition\", \"list_of_parameters_for_stream\": " list "}"
#define CONFIG(configs) "\"type\": \"ConfigComponentsResolver\", \"stream_config\": " configs
#define AT(pointer, more) "{\"type\": \"StreamConfig\", \"configs_pointer\": " pointer more "}"

static const struct {
    const char *more, *config;
    const char *names; /* "name:pk:path " of each stream, or a part of the error's message */
} cases[] = {
    {DYNAMIC(PARAMETRIZED("[{\"n\": \"a\"}, {\"n\": \"b\"}]"), NAME), "{}", "a:[\"id\"]: b:[\"id\"]: "},
    /* a value is read as YAML; what is not there is made only if it may */
    {DYNAMIC(PARAMETRIZED("[{\"n\": \"a\"}]"), NAME "," MAP("[\"primary_key\"]", "[x, y]", "") "," MAP(
                                                   "[\"retriever\", \"requester\", \"path\"]", "p", "")),
     "{}", "a:[\"x\",\"y\"]: "},
    {DYNAMIC(PARAMETRIZED("[{\"n\": \"a\"}]"),
             NAME "," MAP("[\"retriever\", \"requester\", \"path\"]", "12",
                          ", \"value_type\": \"string\", \"create_or_update\": true")),
     "{}", "a:[\"id\"]:12 "},
    {DYNAMIC(PARAMETRIZED("[{\"n\": \"a\"}]"), NAME "," MAP("[\"primary_key\", \"*\"]", "k", "")), "{}",
     "a:[\"k\"]: "},
    {DYNAMIC(CONFIG(AT("[\"l\"]", "")), NAME), "{\"l\": [{\"n\": \"a\"}, {\"n\": \"b\"}]}",
     "a:[\"id\"]: b:[\"id\"]: "},
    {DYNAMIC(CONFIG(AT("[\"l\"]", ", \"default_values\": [{\"n\": \"d\"}]")), NAME), "{}", "d:[\"id\"]: "},
    {DYNAMIC(CONFIG(AT("[\"none\"]", "")), NAME), "{}", ""},
    {DYNAMIC(CONFIG("[" AT("[\"l\"]", "") ", " AT("[\"m\"]", "") "]"),
             MAP("[\"name\"]", "{{ components_values.n ~ components_values.source_config_1[1] }}", "")),
     "{\"l\": [{\"n\": \"a\"}, {\"n\": \"b\"}], \"m\": [\"x\", \"y\"]}",
     "ax:[\"id\"]: ay:[\"id\"]: bx:[\"id\"]: by:[\"id\"]: "},
    {DYNAMIC(CONFIG(AT("[\"l\"]", "")),
             NAME "," MAP("[\"primary_key\"]", "z", ", \"condition\": \"{{ components_values.n == 'b' }}\"")),
     "{\"l\": [{\"n\": \"a\"}, {\"n\": \"b\"}]}", "a:[\"id\"]: b:\"z\": "},
    /* a number does for a text */
    {DYNAMIC(PARAMETRIZED("[{\"n\": 2024}]"), NAME), "{}", "2024:[\"id\"]: "},
    /* what comes of it is checked */
    {DYNAMIC(PARAMETRIZED("[{\"n\": \"a\"}]"), MAP("[\"retriever\", \"type\"]", "Nothing", "")), "{}",
     "there is no component Nothing"},
};

static void put_stream(struct buffer *out, struct component stream)
{
    struct component key = component_get(stream, "primary_key");
    struct slice raw = json_raw(&key.manifest->doc, key.at), name = component_text(stream, "name");
    struct slice path =
        component_text(component_get(component_get(stream, "retriever"), "requester"), "path");
    buffer_printf(out, "%.*s:%.*s:%.*s ", SLICE_ARGS(name), SLICE_ARGS(raw), (int)path.size,
                  path.data ? path.data : "");
}

static void test_dynamic(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lab lab;
        struct error err = {.message = ""};
        struct dynamic_stream *dynamic;
        struct stream_components streams = {.items = NULL};
        struct buffer names;
        lab_open(&lab, RETRIEVER, cases[i].more, cases[i].config);
        buffer_init(&names, 1 << 16);
        struct component list = component_get(manifest_root(lab.manifest), "dynamic_streams");
        assert_int_equal(dynamic_stream_compile(lab.engine, component_at(list, 0), &dynamic, &err), 0);
        if (dynamic_stream_make_all(dynamic, &streams, &err) < 0) {
            if (!*cases[i].names || !strstr(err.message, cases[i].names))
                fail_msg("%zu: %s", i, err.message);
        } else {
            for (size_t each = 0; each < streams.count; each++)
                put_stream(&names, streams.items[each]);
            assert_string_equal(buffer_cstr(&names), cases[i].names);
        }
        buffer_done(&names);
        lab_close(&lab);
    }
}

static void test_written(void **state)
{
    (void)state;
    struct lab lab;
    struct error err;
    struct stream_components streams = {.items = NULL};
    lab_open(&lab, RETRIEVER, "", "{}");
    assert_int_equal(stream_components_written(lab.engine, &streams, &err), 0);
    assert_int_equal(streams.count, 1);
    assert_true(slice_is(component_text(streams.items[0], "name"), "s"));
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dynamic), cmocka_unit_test(test_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
