/* What a catalog becomes: the model, value by value. */
#include "base/file.h"
#include "catalog/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct catalog_errors errors;
    struct catalog *catalog;
};

static const char *lookup(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "ORG") == 0 ? "acmeCo" : strcmp(name, "TOKEN") == 0 ? "s3cret \"quoted\"\n" : NULL;
}

static void write_file(const struct fixture *fixture, const char *name, const char *content)
{
    struct error err;
    auto_free char *path = mem_printf("%s/%s", fixture->folder, name);
    auto_free char *parent = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(file_make_folders(parent, 0700, &err), 0);
    assert_int_equal(file_replace(path, content, strlen(content), 0600, &err), 0);
}

static const struct catalog *load(struct fixture *fixture)
{
    static const struct catalog_options options = {.lookup = lookup};
    struct error err;
    auto_free char *path = mem_printf("%s/flow.yaml", fixture->folder);
    fixture->catalog = catalog_load(path, &options, &fixture->errors, &err);
    if (!fixture->catalog)
        fail_msg("%s", err.message);
    assert_int_equal(fixture->errors.count, 0);
    return fixture->catalog;
}

static int setup(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-test-catalog-XXXXXX");
    catalog_errors_init(&fixture->errors);
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    struct error err;
    catalog_free(fixture->catalog);
    catalog_errors_done(&fixture->errors);
    int result = file_remove_tree(fixture->folder, &err);
    free(fixture);
    return result;
}

static void assert_slice(struct slice slice, const char *expected)
{
    auto_free char *text = mem_strndup(slice.data, slice.size);
    assert_string_equal(text, expected);
}

/* --- captures -------------------------------------------------------------------------------------- */

static void test_capture(void **state)
{
    struct fixture *fixture = *state;
    write_file(
        fixture, "flow.yaml",
        "import: [sub/more.yaml]\n"
        "captures:\n"
        "  ${ORG}/a:\n"
        "    endpoint: {connector: {image: a/b:c, config: sub/config.yaml}}\n"
        "    bindings:\n"
        "      - {resource: {stream: '${ORG}-s', n: 12345678901234567890.10}, target: acmeCo/x, backfill: "
        "3}\n"
        "      - {resource: {name: t}, target: acmeCo/y, disable: true}\n"
        "      - {resource: {}, target: '${ORG}/y'}\n"
        "    interval: 90s\n"
        "    onInvalid: quarantine\n"
        "    autoDiscover: {addNewBindings: true}\n"
        "    shards: {disable: true}\n"
        "  b: {endpoint: {ingest: {}}, bindings: [], onInvalid: {quarantine: bad/ones}, autoDiscover: null}\n"
        "  gone: {endpoint: {ingest: {}}, bindings: [], delete: true}\n");
    write_file(fixture, "sub/config.yaml", "token: ${TOKEN}\nliteral: $${TOKEN}\nn: 1.10\n${ORG}: true\n");
    write_file(fixture, "sub/more.yaml",
               "collections:\n  acmeCo/x: {key: [/id], schema: {}}\n  ${ORG}/y: {key: [/id], schema: true}\n"
               "captures:\n  c:\n    endpoint: {local: {command: [./run, '${ORG}'], config: {}, env: {A: "
               "'1', B: '${ORG}'}, "
               "protobuf: true}}\n    bindings: []\n"
               "  d: {endpoint: {local: {command: [x], config: {}, protocol: airbyte}}, bindings: []}\n");
    const struct catalog *catalog = load(fixture);
    assert_int_equal(catalog->capture_count, 4);
    const struct catalog_capture *a = catalog_capture(catalog, "acmeCo/a");
    assert_non_null(a);
    assert_int_equal(a->endpoint.kind, CATALOG_ENDPOINT_CONNECTOR);
    assert_string_equal(a->endpoint.image, "a/b:c");
    assert_slice(
        a->endpoint.config,
        "{\"token\":\"s3cret \\\"quoted\\\"\\n\",\"literal\":\"${TOKEN}\",\"n\":1.10,\"acmeCo\":true}");
    assert_true(string_ends_with(a->endpoint.config_path, "/sub/config.yaml"));
    assert_int_equal(a->interval_ms, 90000);
    assert_true(a->disable && a->auto_discover && a->add_new_bindings && !a->evolve_incompatible_collections);
    assert_int_equal(a->place.line, 3);
    assert_true(string_ends_with(a->place.file, "/flow.yaml"));

    assert_int_equal(a->binding_count, 3);
    const struct catalog_binding *binding = a->bindings;
    assert_string_equal(binding[0].name, "acmeCo-s");
    assert_slice(binding[0].resource, "{\"stream\":\"acmeCo-s\",\"n\":12345678901234567890.10}");
    assert_ptr_equal(binding[0].target, catalog_collection(catalog, "acmeCo/x"));
    assert_string_equal(binding[0].quarantine, "acmeCo/x/invalid");
    assert_int_equal(binding[0].backfill, 3);
    assert_false(binding[0].disable);
    assert_string_equal(binding[1].name, "t");
    assert_true(binding[1].disable);
    assert_string_equal(binding[2].name, "binding 3");
    assert_string_equal(binding[2].target->name, "acmeCo/y");

    const struct catalog_capture *b = catalog_capture(catalog, "b");
    assert_int_equal(b->endpoint.kind, CATALOG_ENDPOINT_INGEST);
    assert_slice(b->endpoint.config, "{}");
    assert_int_equal(b->interval_ms, CATALOG_INTERVAL_DEFAULT_MS);
    assert_int_equal(b->on_invalid, CATALOG_ON_INVALID_QUARANTINE);
    assert_false(b->auto_discover || b->disable);

    const struct catalog_capture *c = catalog_capture(catalog, "c"), *d = catalog_capture(catalog, "d");
    assert_string_equal(c->endpoint.command[0], "./run");
    assert_string_equal(c->endpoint.command[1], "acmeCo");
    assert_null(c->endpoint.command[2]);
    assert_string_equal(c->endpoint.env[0], "A=1");
    assert_string_equal(c->endpoint.env[1], "B=acmeCo");
    assert_null(c->endpoint.env[2]);
    assert_true(c->endpoint.protobuf);
    assert_int_equal(c->endpoint.protocol, CATALOG_PROTOCOL_FLOW);
    assert_int_equal(d->endpoint.protocol, CATALOG_PROTOCOL_AIRBYTE);
    assert_true(string_ends_with(c->endpoint.folder, "/sub"));
    assert_int_equal(c->on_invalid, CATALOG_ON_INVALID_STOP);
    assert_null(catalog_capture(catalog, "gone"));
    assert_int_equal(catalog->file_count, 3);
    assert_true(string_ends_with(catalog->files[0], "/flow.yaml"));
}

/* --- collections ----------------------------------------------------------------------------------- */

/* Does the schema accept the document? */
static bool accepts(const struct schema *schema, const char *document)
{
    struct arena arena;
    struct json doc;
    struct error err;
    arena_init(&arena);
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    assert_int_equal(json_parse_copy(&arena, document, strlen(document), &doc, &err), 0);
    int result = schema_validate(schema, validator, &doc, 0, &err);
    assert_true(result >= 0);
    arena_done(&arena);
    return result;
}

static void test_collection(void **state)
{
    struct fixture *fixture = *state;
    write_file(
        fixture, "flow.yaml",
        "collections:\n"
        "  a:\n"
        "    key: [/id, /a~1b]\n"
        "    schema: {type: object, properties: {id: {$ref: 'my%20schemas.yaml#/$defs/id'}, a/b: {}}, "
        "required: [id, a/b]}\n"
        "    projections: {one: /id, two: {location: '/a~1b', partition: true}}\n"
        "    journals: {fragments: {compressionCodec: NONE, length: 2, retention: 2d, retentionSize: 3}}\n"
        "  b: {key: [/id], schema: 'my schemas.yaml#/$defs/thing', journals: {fragments: {compressionCodec: "
        "GZIP}}}\n"
        "  c:\n"
        "    key: [/id]\n"
        "    writeSchema: {type: object, properties: {id: {type: integer}}, required: [id]}\n"
        "    readSchema: {allOf: [{$ref: 'flow://write-schema'}, {$ref: 'flow://inferred-schema'}, "
        "{required: [x]}]}\n"
        "  d: {key: [/id], writeSchema: {type: object}, readSchema: read.json}\n"
        "  e: {key: [/id], writeSchema: {minProperties: 1}, readSchema: read.json}\n");
    write_file(fixture, "my schemas.yaml",
               "$defs:\n  id: {type: integer, minimum: 5}\n  thing: {properties: {id: {$ref: '#/$defs/id'}}, "
               "required: [id]}\n");
    write_file(fixture, "read.json",
               "{\"allOf\": [{\"$ref\": \"flow://write-schema\"}, {\"maxProperties\": 2}]}");
    const struct catalog *catalog = load(fixture);
    assert_int_equal(catalog->collection_count, 5);
    const struct catalog_collection *a = &catalog->collections[0], *b = &catalog->collections[1];
    assert_int_equal(a->key_count, 2);
    assert_string_equal(a->key[0], "/id");
    assert_string_equal(a->key[1], "/a~1b");
    assert_int_equal(a->projection_count, 2);
    assert_string_equal(a->projections[0].field, "one");
    assert_string_equal(a->projections[0].location, "/id");
    assert_false(a->projections[0].partition);
    assert_string_equal(a->projections[1].location, "/a~1b");
    assert_true(a->projections[1].partition);
    assert_int_equal(a->journal.compression, CATALOG_COMPRESSION_NONE);
    assert_int_equal(a->journal.segment_bytes, 2 << 20);
    assert_int_equal(a->journal.retain_ms, 2 * 86400000);
    assert_int_equal(a->journal.retain_bytes, 3 << 20);
    assert_ptr_equal(a->write_schema, a->read_schema);
    assert_true(accepts(a->write_schema, "{\"id\": 5, \"a/b\": 1}"));
    assert_false(accepts(a->write_schema, "{\"id\": 4, \"a/b\": 1}"));
    assert_int_equal(b->journal.compression, CATALOG_COMPRESSION_ZSTD);
    assert_int_equal(b->journal.segment_bytes, 0);
    assert_true(accepts(b->write_schema, "{\"id\": 5}"));
    assert_false(accepts(b->write_schema, "{}"));

    const struct catalog_collection *c = &catalog->collections[2];
    assert_true(accepts(c->write_schema, "{\"id\": 1}"));
    assert_false(accepts(c->read_schema, "{\"id\": 1}"));
    assert_true(accepts(c->read_schema, "{\"id\": 1, \"x\": 1}"));
    assert_false(accepts(c->read_schema, "{\"id\": \"1\", \"x\": 1}"));
    /* One file, and in each collection flow://write-schema is its own. */
    const struct catalog_collection *d = &catalog->collections[3], *e = &catalog->collections[4];
    assert_true(accepts(d->read_schema, "{}"));
    assert_false(accepts(d->read_schema, "[]"));
    assert_false(accepts(e->read_schema, "{}"));
    assert_true(accepts(e->read_schema, "[]"));
    assert_false(accepts(e->read_schema, "{\"a\": 1, \"b\": 1, \"c\": 1}"));
}

/* What a task is given, URIs and documents, compiles to the same schemas somewhere else. */
static void test_schema_documents(void **state)
{
    struct fixture *fixture = *state;
    write_file(
        fixture, "flow.yaml",
        "collections:\n  a: {key: [/id], schema: one.yaml}\n"
        "  b: {key: [/id], writeSchema: {$ref: one.yaml}, readSchema: {$ref: 'flow://write-schema'}}\n");
    write_file(fixture, "one.yaml", "properties: {id: {$ref: 'two.yaml#/id'}}\nrequired: [id]\n");
    write_file(fixture, "two.yaml", "id: {type: integer}\n");
    const struct catalog *catalog = load(fixture);
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    for (size_t i = 0; i < catalog->schema_document_count; i++) {
        const struct catalog_schema_document *document = &catalog->schema_documents[i];
        assert_int_equal(schema_registry_add(registry, document->uri, document->source, &err), 0);
    }
    for (size_t i = 0; i < catalog->collection_count; i++) {
        mem_auto(schema_free) struct schema *schema =
            schema_compile(registry, catalog->collections[i].read_schema_uri, &err);
        assert_non_null(schema);
        assert_true(accepts(schema, "{\"id\": 1}"));
        assert_false(accepts(schema, "{\"id\": \"1\"}"));
    }
}

/* --- connections ----------------------------------------------------------------------------------- */

static void test_connection(void **state)
{
    struct fixture *fixture = *state;
    write_file(
        fixture, "flow.yaml",
        "connections:\n"
        "  a:\n"
        "    source: {local: {command: [x], config: {}}}\n"
        "    destination: {connector: {image: b, config: {path: '${ORG}'}}}\n"
        "    streams:\n"
        "      - users\n"
        "      - {name: o, namespace: public, syncMode: incremental, destinationSyncMode: append_dedup,\n"
        "         cursorField: [a, b], primaryKey: [id, [x, y]]}\n"
        "      - {name: p, syncMode: full_refresh, destinationSyncMode: overwrite_dedup, cursorField: c, "
        "primaryKey: k}\n"
        "    schedule: {cron: '0 6 * * *'}\n"
        "    prefix: '${ORG}_'\n"
        "    namespace: raw\n"
        "  b:\n"
        "    source: {connector: {image: a, config: {}}}\n"
        "    destination: {connector: {image: b, config: {}}}\n"
        "    streams: all\n"
        "    schedule: {every: 2h}\n"
        "    disable: true\n"
        "  c:\n"
        "    source: {connector: {image: a, config: {}}}\n"
        "    destination: {connector: {image: b, config: {}}}\n"
        "    streams: all\n"
        "    schedule: manual\n");
    const struct catalog *catalog = load(fixture);
    const struct catalog_connection *a = catalog_connection(catalog, "a");
    assert_int_equal(a->source.protocol, CATALOG_PROTOCOL_AIRBYTE);
    assert_slice(a->destination.config, "{\"path\":\"acmeCo\"}");
    assert_false(a->all_streams);
    assert_int_equal(a->stream_count, 3);
    assert_string_equal(a->streams[0].name, "users");
    assert_null(a->streams[0].namespace);
    assert_int_equal(a->streams[0].sync_mode, CATALOG_SYNC_DEFAULT);
    assert_int_equal(a->streams[0].destination_sync_mode, CATALOG_DESTINATION_DEFAULT);
    const struct catalog_stream *o = &a->streams[1], *p = &a->streams[2];
    assert_string_equal(o->namespace, "public");
    assert_int_equal(o->sync_mode, CATALOG_SYNC_INCREMENTAL);
    assert_int_equal(o->destination_sync_mode, CATALOG_DESTINATION_APPEND_DEDUP);
    assert_int_equal(o->cursor_field.count, 2);
    assert_string_equal(o->cursor_field.names[1], "b");
    assert_int_equal(o->primary_key_count, 2);
    assert_int_equal(o->primary_key[0].count, 1);
    assert_string_equal(o->primary_key[1].names[1], "y");
    assert_int_equal(p->sync_mode, CATALOG_SYNC_FULL_REFRESH);
    assert_int_equal(p->destination_sync_mode, CATALOG_DESTINATION_OVERWRITE_DEDUP);
    assert_string_equal(p->cursor_field.names[0], "c");
    assert_string_equal(p->primary_key[0].names[0], "k");
    assert_int_equal(a->schedule.kind, CATALOG_SCHEDULE_CRON);
    assert_string_equal(a->schedule.text, "0 6 * * *");
    assert_int_equal(cron_next(&a->schedule.cron, 0), 6 * 3600 * 1000);
    assert_string_equal(a->prefix, "acmeCo_");
    assert_string_equal(a->namespace, "raw");
    const struct catalog_connection *b = catalog_connection(catalog, "b"),
                                    *c = catalog_connection(catalog, "c");
    assert_true(b->all_streams && b->disable);
    assert_int_equal(b->schedule.kind, CATALOG_SCHEDULE_EVERY);
    assert_int_equal(b->schedule.every_ms, 2 * 3600 * 1000);
    assert_string_equal(b->prefix, "");
    assert_null(b->namespace);
    assert_int_equal(c->schedule.kind, CATALOG_SCHEDULE_MANUAL);
    assert_null(catalog_connection(catalog, "nope"));
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void expect_error(struct fixture *fixture, const char *message)
{
    struct error err = {0};
    auto_free char *path = mem_printf("%s/flow.yaml", fixture->folder);
    struct catalog_errors errors;
    catalog_errors_init(&errors);
    struct catalog *catalog = catalog_load(path, NULL, &errors, &err);
    assert_null(catalog);
    if (!strstr(err.message, message))
        fail_msg("%s", err.message);
    assert_true(errors.count <= CATALOG_ERRORS_MAX);
    catalog_errors_done(&errors);
}

/* Text, then `part` with the number in it, `count` times, then more text. */
static void write_many(const struct fixture *fixture, const char *name, const char *head, const char *before,
                       const char *behind, size_t count, const char *tail)
{
    struct buffer text;
    buffer_init(&text, 16 << 20);
    buffer_str(&text, head);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s%zu%s", before, i, behind);
    buffer_str(&text, tail);
    write_file(fixture, name, buffer_cstr(&text));
    buffer_done(&text);
}

static void test_limits(void **state)
{
    struct fixture *fixture = *state;
    /* 100 MB: refused by its size, before a byte of it is read. */
    write_file(fixture, "flow.yaml", "captures: {}\n");
    auto_free char *path = mem_printf("%s/flow.yaml", fixture->folder);
    assert_int_equal(truncate(path, 100 << 20), 0);
    expect_error(fixture, "flow.yaml has more than 64 MiB, which is the limit");
    /* More errors than are kept; the rest is counted. */
    write_many(fixture, "flow.yaml", "", "unknown", ": 1\n", 250, "");
    expect_error(fixture, "(and 249 more)");
    write_many(fixture, "flow.yaml", "captures: {a: {endpoint: {ingest: {}}, bindings: [", "x", ",", 5000,
               "]}}\n");
    expect_error(fixture, "5000 bindings; at most 4096 are possible");
    write_many(fixture, "flow.yaml", "collections: {a: {schema: {}, key: [", "/k", ",", 65, "]}}\n");
    expect_error(fixture, "'key' must have 1 to 64 JSON pointers");
    write_many(fixture, "flow.yaml", "collections: {a", "n", "", 300, ": {key: [/id], schema: {}}}\n");
    expect_error(fixture, "the name of a collection may have at most 512 bytes");
    write_many(fixture, "flow.yaml", "captures: {a: {endpoint: {connector: {image: a, config: {",
               "some_option_", ": 1,", 300000, "}}}, bindings: []}}\n");
    expect_error(fixture, "more than 4 MiB, which is the limit here");
    /* Deep imports. */
    write_file(fixture, "flow.yaml", "import: [0.yaml]\n");
    for (int i = 0; i < 70; i++) {
        auto_free char *name = mem_printf("%d.yaml", i), *content = mem_printf("import: [%d.yaml]\n", i + 1);
        write_file(fixture, name, content);
    }
    write_file(fixture, "70.yaml", "collections: {}\n");
    expect_error(fixture, "imports more than 64 levels deep");
}

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"a", true},
        {"a/b/c", true},
        {"acmeCo/x.y-z_1", true},
        {"é/日本", true},
        {"😀", true},
        {"...", true},
        {"a/...", true},
        {"", false},
        {"/", false},
        {"/a", false},
        {"a/", false},
        {"a//b", false},
        {".", false},
        {"..", false},
        {"a/../b", false},
        {"a/.", false},
        {"a b", false},
        {"a\tb", false},
        {"a:b", false},
        {"a\\b", false},
        {"a\x7f", false},
        {"\xff", false},
        {"a\xc2\xa0", false},
        {"a\xe2\x80\x8b", false},
        {"a\xe2\x80\xae", false},
        {"a\xef\xbb\xbf", false},
        {"a*", false},
        {"$a", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (catalog_name_valid(slice_of(cases[i].name)) != cases[i].valid)
            fail_msg("'%s' is %s", cases[i].name, cases[i].valid ? "refused" : "accepted");
    }
}

/* --- materializations and tests ------------------------------------------------------------------------ */

static void test_materialization(void **state)
{
    struct fixture *fixture = *state;
    write_file(
        fixture, "flow.yaml",
        "collections:\n"
        "  x: {key: [/id], schema: {}, projections: {region: {location: /r, partition: true}}}\n"
        "captures:\n"
        "  c: {endpoint: {ingest: {}}, bindings: []}\n"
        "materializations:\n"
        "  m:\n"
        "    endpoint: {local: {command: [x], config: {}}}\n"
        "    source: {capture: c, deltaUpdates: true, fieldsRecommended: 2}\n"
        "    targetNaming: {strategy: prefixTableNames, skipCommonDefaults: true}\n"
        "    onIncompatibleSchemaChange: abort\n"
        "    bindings:\n"
        "      - source:\n"
        "          name: x\n"
        "          partitions: {include: {region: [eu, 5, true]}, exclude: {region: [null]}}\n"
        "          notBefore: '2026-11-21T10:00:00+01:00'\n"
        "        resource: {table: '${ORG}'}\n"
        "        priority: 3\n"
        "        backfill: 2\n"
        "        onIncompatibleSchemaChange: disableBinding\n"
        "        fields: {recommended: 1, groupBy: [a], require: {b: {castToString: true}, c: }, exclude: "
        "[d]}\n"
        "      - {source: x, resource: {}, disable: true, fields: {recommended: false}}\n"
        "      - {source: x, resource: {}}\n"
        "  n: {endpoint: {connector: {image: i, config: {}}}, bindings: [], shards: {disable: true}}\n");
    const struct catalog *catalog = load(fixture);
    assert_int_equal(catalog->materialization_count, 2);
    const struct catalog_materialization *m = &catalog->materializations[0];
    if (strcmp(m->name, "m") != 0)
        m++;
    assert_ptr_equal(m->source_capture, catalog_capture(catalog, "c"));
    assert_true(m->source_delta_updates);
    assert_int_equal(m->source_recommended, 2);
    assert_int_equal(m->source_naming, CATALOG_NAMING_PREFIX_NON_DEFAULT);
    assert_int_equal(m->on_incompatible, CATALOG_INCOMPATIBLE_ABORT);
    assert_int_equal(m->binding_count, 3);

    const struct catalog_materialization_binding *binding = m->bindings;
    assert_string_equal(binding->name, "acmeCo");
    assert_ptr_equal(binding->source.collection, catalog_collection(catalog, "x"));
    assert_int_equal(binding->source.include_count, 1);
    assert_string_equal(binding->source.include[0].projection->location, "/r");
    assert_int_equal(binding->source.include[0].value_count, 3);
    assert_slice(binding->source.include[0].values[0], "\"eu\"");
    assert_slice(binding->source.include[0].values[1], "5");
    assert_slice(binding->source.exclude[0].values[0], "null");
    assert_int_equal(binding->source.not_before_ms, 1795251600000);
    assert_true(binding->source.not_after_ms == INT64_MAX);
    assert_int_equal(binding->priority, 3);
    assert_int_equal(binding->backfill, 2);
    assert_int_equal(binding->on_incompatible, CATALOG_INCOMPATIBLE_DISABLE_BINDING);
    assert_int_equal(binding->fields.recommended, 1);
    assert_true(binding->fields.has_group_by);
    assert_string_equal(binding->fields.group_by[0], "a");
    assert_int_equal(binding->fields.require_count, 2);
    assert_string_equal(binding->fields.require[0].field, "b");
    assert_slice(binding->fields.require[0].config, "{\"castToString\":true}");
    assert_slice(binding->fields.require[1].config, "{}");
    assert_string_equal(binding->fields.exclude[0], "d");

    assert_true(binding[1].disable);
    assert_int_equal(binding[1].fields.recommended, 0);
    assert_int_equal(binding[2].fields.recommended, CATALOG_FIELDS_ALL);
    assert_int_equal(binding[2].on_incompatible, CATALOG_INCOMPATIBLE_ABORT);
    assert_false(binding[2].fields.has_group_by);
    assert_true(catalog->materializations[m == catalog->materializations].disable);
}

/* What the collections of a source capture are called. */
static void test_source_capture(void **state)
{
    static const struct {
        const char *said, *resources[3]; /* of acmeCo/public/users, acmeCo/shop/orders, plain */
    } cases[] = {
        {"source: c", {"{\"table\":\"users\"}", "{\"table\":\"shop_orders\"}", "{\"table\":\"plain\"}"}},
        {"sourceCapture: {capture: c, targetSchema: leaveEmpty}",
         {"{\"table\":\"users\"}", "{\"table\":\"orders\"}", "{\"table\":\"plain\"}"}},
        {"source: {capture: c, targetNaming: withSchema, deltaUpdates: true}",
         {"{\"table\":\"users\",\"schema\":\"public\",\"deltaUpdates\":true}",
          "{\"table\":\"orders\",\"schema\":\"shop\",\"deltaUpdates\":true}",
          "{\"table\":\"plain\",\"deltaUpdates\":true}"}},
        {"source: {capture: c, targetNaming: prefixSchema}",
         {"{\"table\":\"public_users\"}", "{\"table\":\"shop_orders\"}", "{\"table\":\"plain\"}"}},
        {"source: c\n    targetNaming: {strategy: matchSourceStructure, tableTemplate: 'a{{table}}b', "
         "schemaTemplate: '{{schema}}_x'}",
         {"{\"table\":\"ausersb\",\"schema\":\"public_x\"}", "{\"table\":\"aordersb\",\"schema\":\"shop_x\"}",
          "{\"table\":\"aplainb\"}"}},
        {"source: c\n    targetNaming: {strategy: singleSchema, schema: s}",
         {"{\"table\":\"users\",\"schema\":\"s\"}", "{\"table\":\"orders\",\"schema\":\"s\"}",
          "{\"table\":\"plain\",\"schema\":\"s\"}"}},
        {"source: c\n    targetNaming: {strategy: prefixTableNames, schema: '', skipCommonDefaults: true, "
         "tableTemplate: 'x_{{table}}'}",
         {"{\"table\":\"x_users\"}", "{\"table\":\"x_shop_orders\"}", "{\"table\":\"x_plain\"}"}},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        auto_free char *text = mem_printf(
            "collections:\n"
            "  acmeCo/public/users: &c {key: [/id], schema: {}}\n  acmeCo/shop/orders: *c\n  plain: *c\n"
            "  own: *c\n  off: *c\n  left: *c\n"
            "captures:\n  c:\n    endpoint: {ingest: {}}\n    bindings:\n"
            "      - {resource: {stream: u}, target: acmeCo/public/users}\n"
            "      - {resource: {stream: o}, target: own}\n"
            "      - {resource: {stream: f}, target: off}\n"
            "      - {resource: {stream: l}, target: left, disable: true}\n"
            "      - {resource: {stream: s}, target: acmeCo/shop/orders}\n"
            "      - {resource: {stream: p}, target: plain}\n"
            "materializations:\n  m:\n    endpoint: {local: {command: [x], config: {}}}\n    %s\n"
            "    onIncompatibleSchemaChange: abort\n"
            "    bindings:\n"
            "      - {source: own, resource: {table: mine}}\n"
            "      - {source: off, resource: {table: off}, disable: true}\n",
            cases[i].said);
        write_file(fixture, "flow.yaml", text);
        const struct catalog_materialization *m = load(fixture)->materializations;
        assert_int_equal(m->binding_count, 5);
        assert_false(m->bindings[0].from_source || m->bindings[1].from_source);
        for (size_t j = 0; j < 3; j++) {
            const struct catalog_materialization_binding *binding = &m->bindings[2 + j];
            assert_slice(binding->resource, cases[i].resources[j]);
            assert_true(binding->from_source && !binding->disable);
            assert_int_equal(binding->on_incompatible, CATALOG_INCOMPATIBLE_ABORT);
            assert_int_equal(binding->fields.recommended, CATALOG_FIELDS_ALL);
            assert_true(binding->source.not_before_ms == INT64_MIN &&
                        binding->source.not_after_ms == INT64_MAX);
        }
        assert_string_equal(m->bindings[2].source.collection->name, "acmeCo/public/users");
        assert_string_equal(m->bindings[4].source.collection->name, "plain");
        catalog_free(fixture->catalog);
        fixture->catalog = NULL;
    }
}

static void test_tests(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "flow.yaml",
               "collections:\n  x: {key: [/id], schema: {}}\n"
               "tests:\n"
               "  bare: [{ingest: {collection: x, documents: [{id: 1, n: 1.10}]}}]\n"
               "  full:\n"
               "    description: of it\n"
               "    steps:\n"
               "      - {verify: {collection: x, documents: docs.json, description: there}}\n"
               "      - {ingest: {collection: x, documents: []}}\n");
    write_file(fixture, "docs.json", "[{\"id\": 2}]");
    const struct catalog *catalog = load(fixture);
    assert_int_equal(catalog->test_count, 2);
    const struct catalog_test *bare = &catalog->tests[0], *full = &catalog->tests[1];
    assert_string_equal(bare->name, "bare");
    assert_int_equal(bare->step_count, 1);
    assert_false(bare->steps[0].verify);
    assert_slice(bare->steps[0].documents, "[{\"id\":1,\"n\":1.10}]");
    assert_string_equal(full->description, "of it");
    assert_int_equal(full->step_count, 2);
    assert_true(full->steps[0].verify);
    assert_string_equal(full->steps[0].description, "there");
    assert_slice(full->steps[0].documents, "[{\"id\": 2}]");
    assert_ptr_equal(full->steps[1].source.collection, catalog_collection(catalog, "x"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_capture),         TEST(test_collection),     TEST(test_schema_documents),
        TEST(test_connection),      TEST(test_limits),         cmocka_unit_test(test_names),
        TEST(test_materialization), TEST(test_source_capture), TEST(test_tests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
