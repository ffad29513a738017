/* A task's specification: written and read back. */
#include "task_test.h"

#include "task/task_spec.h"

static const char *const argv[] = {"python3", "-c", "print(\"x\")", NULL};
static const char *const env[] = {"TOKEN=s3cret\n", NULL};
static const char *const cursor[] = {"updated", "at"};
static const char *const id[] = {"id"};
static const struct catalog_path key[] = {{id, 1}, {cursor, 2}};

static struct task_spec sample(enum task_kind kind, const struct task_binding_spec *bindings,
                               const struct catalog_schema_document *schemas)
{
    return (struct task_spec){
        .kind = kind,
        .name = "acmeCo/\u00fcber",
        .data_dir = "/data",
        .source = {.program = {.argv = argv,
                               .env = env,
                               .folder = "/work",
                               .label = "python3 -c",
                               .manifest = SLICE_LITERAL("{\"version\":1.10}")},
                   .config = SLICE_LITERAL("{\"n\":12345678901234567890.10}"),
                   .image = true},
        .destination = {.program = {.argv = argv, .label = "dest", .built_in = true},
                        .config = SLICE_LITERAL("{}")},
        .bindings = bindings,
        .binding_count = 2,
        .prefix = "p_",
        .schemas = schemas,
        .schema_count = 1,
        .commit = {.bytes = 1, .time_ms = 2, .idle_ms = 3},
        .limits = {.line_max = 4, .memory_max = 5, .files_max = 6, .stall_ms = 7, .exit_ms = 9, .stop_ms = 8},
        .interval_ms = 9,
        .log_level = LOG_DEBUG,
        .redact_salt = "c2FsdA==",
    };
}

static const char *const location[] = {"/id", "/a~1b/0", NULL};

static const struct task_binding_spec bindings[] = {
    {.stream = {.name = "users",
                .namespace = "public",
                .sync_mode = CATALOG_SYNC_INCREMENTAL,
                .destination_sync_mode = CATALOG_DESTINATION_APPEND_DEDUP,
                .cursor_field = {cursor, 2},
                .primary_key = key,
                .primary_key_count = 2},
     .collection = "acmeCo/users",
     .key = location,
     .schema_uri = "file:///flow.yaml#/x",
     .journal = {STORE_COMPRESSION_ZSTD, .segment_bytes = 1, .retain_bytes = 2, .retain_ms = 3},
     .quarantine = "acmeCo/bad",
     .backfill = 9,
     .inferred = true,
     .resource = SLICE_LITERAL("{\"path\":[1.10]}"),
     .flow_collection = SLICE_LITERAL("{\"name\":\"acmeCo/users\"}")},
    {.stream = {.name = "b"}, .collection = "acmeCo/b", .key = location, .schema_uri = "file:///b"},
};
static const struct catalog_schema_document schemas[] = {
    {"file:///b", SLICE_LITERAL("{\"type\":\"object\"}")}};

static void write_and_read(const struct task_spec *spec, struct arena *arena, struct task_spec *back)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, TASK_SPEC_MAX);
    task_spec_write(&text, spec);
    if (task_spec_read((struct slice){text.data, text.size}, arena, back, &err) < 0)
        fail_msg("%s", err.message);
    buffer_done(&text);
}

static void test_capture(void **state)
{
    struct arena arena;
    struct task_spec spec = sample(TASK_CAPTURE, bindings, schemas), back;
    arena_init(&arena);
    write_and_read(&spec, &arena, &back);
    assert_int_equal(back.kind, TASK_CAPTURE);
    assert_string_equal(back.name, spec.name);
    assert_string_equal(back.data_dir, "/data");
    assert_string_equal(back.source.program.argv[2], argv[2]);
    assert_null(back.source.program.argv[3]);
    assert_string_equal(back.source.program.env[0], env[0]);
    assert_string_equal(back.source.program.folder, "/work");
    assert_true(slice_equal(back.source.config, spec.source.config));
    assert_true(slice_equal(back.source.program.manifest, spec.source.program.manifest));
    assert_int_equal(back.binding_count, 2);
    const struct task_binding_spec *first = &back.bindings[0];
    assert_true(back.source.image);
    assert_int_equal(back.interval_ms, 9);
    assert_int_equal(back.log_level, LOG_DEBUG);
    assert_string_equal(back.redact_salt, "c2FsdA==");
    assert_true(slice_equal(first->resource, bindings[0].resource));
    assert_true(slice_equal(first->flow_collection, bindings[0].flow_collection));
    assert_int_equal(back.bindings[1].flow_collection.size, 0);
    assert_string_equal(first->stream.namespace, "public");
    assert_int_equal(first->stream.sync_mode, CATALOG_SYNC_INCREMENTAL);
    assert_int_equal(first->stream.cursor_field.count, 2);
    assert_string_equal(first->stream.cursor_field.names[1], "at");
    assert_int_equal(first->stream.primary_key_count, 2);
    assert_string_equal(first->stream.primary_key[1].names[0], "updated");
    assert_string_equal(first->collection, "acmeCo/users");
    assert_string_equal(first->key[1], "/a~1b/0");
    assert_null(first->key[2]);
    assert_int_equal(first->journal.compression, STORE_COMPRESSION_ZSTD);
    assert_int_equal(first->journal.retain_ms, 3);
    assert_string_equal(first->quarantine, "acmeCo/bad");
    assert_int_equal(first->backfill, 9);
    assert_true(first->inferred);
    assert_false(back.bindings[1].inferred);
    assert_null(back.bindings[1].quarantine);
    assert_null(back.bindings[1].stream.namespace);
    assert_int_equal(back.schema_count, 1);
    assert_true(slice_equal(back.schemas[0].source, schemas[0].source));
    assert_int_equal(back.commit.idle_ms, 3);
    assert_int_equal(back.limits.exit_ms, 9);
    assert_int_equal(back.limits.stop_ms, 8);
    arena_done(&arena);
}

static void test_connection(void **state)
{
    struct arena arena;
    const struct task_binding_spec streams[] = {{.stream = bindings[0].stream,
                                                 .alias = "people",
                                                 .selects = true,
                                                 .fields = key,
                                                 .field_count = 2,
                                                 .mapping = SLICE_LITERAL("{\"mappers\":[]}")},
                                                {.stream = bindings[1].stream, .selects = true}};
    struct task_spec spec = sample(TASK_CONNECTION, streams, schemas), back;
    spec.namespace = "lake";
    arena_init(&arena);
    write_and_read(&spec, &arena, &back);
    const struct task_binding_spec *first = &back.bindings[0], *second = &back.bindings[1];
    assert_string_equal(first->alias, "people");
    assert_true(first->selects && second->selects); /* no field at all is a choice too */
    assert_int_equal(first->field_count, 2);
    assert_string_equal(first->fields[1].names[1], "at");
    assert_true(slice_equal(first->mapping, streams[0].mapping));
    assert_true(!second->alias && second->field_count == 0 && second->mapping.size == 0);
    assert_int_equal(back.kind, TASK_CONNECTION);
    assert_string_equal(back.prefix, "p_");
    assert_string_equal(back.namespace, "lake");
    assert_true(back.destination.program.built_in);
    assert_int_equal(back.bindings[0].stream.destination_sync_mode, CATALOG_DESTINATION_APPEND_DEDUP);
    spec.binding_count = 0;
    spec.all_streams = true;
    spec.namespace = NULL;
    write_and_read(&spec, &arena, &back);
    assert_true(back.all_streams);
    assert_null(back.namespace);
    assert_int_equal(back.binding_count, 0);
    arena_done(&arena);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
        enum error_code code;
    } cases[] = {
        {"", "specification", ERROR_INVALID},
        {"[]", "'version'", ERROR_INVALID},
        {"{\"version\":2}", "version 2", ERROR_UNSUPPORTED},
        {"{\"version\":1,\"kind\":\"party\"}", "'kind'", ERROR_INVALID},
        {"{\"version\":1,\"kind\":\"capture\",\"name\":\"x\",\"dataDir\":\"d\"}", "'label'", ERROR_INVALID},
        {"{\"version\":1,\"kind\":\"capture\",\"name\":\"x\",\"dataDir\":\"d\",\"source\":{\"argv\":[],"
         "\"label\":\"l\","
         "\"builtIn\":true,\"flow\":false,\"image\":false,\"config\":{}}}",
         "'source'", ERROR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct task_spec spec;
        struct error err;
        arena_init(&arena);
        assert_int_equal(task_spec_read(slice_of(cases[i].text), &arena, &spec, &err), -1);
        if (err.code != cases[i].code || !strstr(err.message, cases[i].message))
            fail_msg("%s: %s", cases[i].text, err.message);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capture),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
