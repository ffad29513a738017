#include "task/flow_collection.h"

#include "schema/uri.h"
#include "json/writer.h"

/* --- bundling -------------------------------------------------------------------------------------- */

struct bundle {
    const struct catalog *catalog;
    struct arena *arena;
    const struct catalog_schema_document **documents; /* the schema's own first */
    struct json *parsed;
    size_t count;
};

static const struct catalog_schema_document *find_document(const struct catalog *catalog, struct slice uri)
{
    for (size_t i = 0; i < catalog->schema_document_count; i++) {
        if (slice_is(uri, catalog->schema_documents[i].uri))
            return &catalog->schema_documents[i];
    }
    return NULL;
}

static void add_document(struct bundle *bundle, struct slice uri);

/* Every reference of the schema to another document brings that in. `base` follows $id. */
static void add_references(struct bundle *bundle, const struct json *doc, uint32_t at, struct slice base)
{
    for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e))
        add_references(bundle, doc, e, base);
    uint32_t id = json_get(doc, at, "$id");
    if (json_is(doc, id, JSON_STRING))
        base = slice_of(uri_resolve(bundle->arena, base, json_string(doc, id, bundle->arena)));
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        uint32_t value = json_value(key);
        bool reference = json_string_is(doc, key, "$ref") || json_string_is(doc, key, "$dynamicRef");
        if (reference && json_is(doc, value, JSON_STRING))
            add_document(bundle, slice_of(uri_resolve(bundle->arena, uri_without_fragment(base),
                                                      json_string(doc, value, bundle->arena))));
        else
            add_references(bundle, doc, value, base);
    }
}

static void add_document(struct bundle *bundle, struct slice uri)
{
    const struct catalog_schema_document *document =
        find_document(bundle->catalog, uri_without_fragment(uri));
    struct error err;
    if (!document)
        return; /* built in (a metaschema), or named by an $id inside what is there already */
    for (size_t i = 0; i < bundle->count; i++) {
        if (bundle->documents[i] == document)
            return;
    }
    size_t at = bundle->count++;
    bundle->documents[at] = document;
    if (json_parse_copy(bundle->arena, document->source.data, document->source.size, &bundle->parsed[at],
                        &err) == 0)
        add_references(bundle, &bundle->parsed[at], 0, slice_of(document->uri));
}

/* A document as a resource of its own: under its URI, unless it says another itself. */
static void put_resource(struct json_writer *writer, const struct catalog_schema_document *document,
                         const struct json *doc)
{
    json_begin_object(writer);
    if (json_get(doc, 0, "$id") == JSON_NONE)
        json_member_string(writer, "$id", document->uri);
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        json_put_key_slice(writer, json_inner(doc, key));
        json_put_value(writer, doc, json_value(key));
    }
    if (json_is(doc, 0, JSON_FALSE))
        json_member_raw(writer, "not", SLICE_LITERAL("{}"));
    json_end_object(writer);
}

static struct slice bundle_schema(const struct catalog *catalog, const char *uri, struct arena *arena)
{
    size_t max = catalog->schema_document_count + 1;
    struct bundle bundle = {.catalog = catalog,
                            .arena = arena,
                            .documents = arena_alloc(arena, max * sizeof *bundle.documents),
                            .parsed = arena_zalloc(arena, max * sizeof *bundle.parsed)};
    add_document(&bundle, slice_of(uri));
    if (bundle.count == 0)
        return SLICE_LITERAL("{}");
    if (bundle.count == 1 && uri_fragment(slice_of(uri)).size == 0)
        return bundle.documents[0]->source;
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "$ref", uri);
    json_put_key(&writer, "$defs");
    json_begin_object(&writer);
    for (size_t i = 0; i < bundle.count; i++) {
        json_put_key(&writer, bundle.documents[i]->uri);
        put_resource(&writer, bundle.documents[i], &bundle.parsed[i]);
    }
    json_end_object(&writer);
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

/* --- projections ----------------------------------------------------------------------------------- */

static const char *const all_types[] = {"array", "boolean", "integer", "null", "number", "object", "string"};
enum { TYPES = sizeof all_types / sizeof *all_types };

/* The schema object at the location, as far as `properties` lead there. */
static uint32_t schema_at(const struct json *schema, uint32_t at, const char *pointer, struct arena *arena)
{
    while (*pointer == '/' && at != JSON_NONE) {
        size_t size = strcspn(++pointer, "/");
        char *name = arena_strndup(arena, pointer, size), *out = name;
        for (const char *in = name; *in; in++) {
            bool escape = *in == '~' && (in[1] == '0' || in[1] == '1');
            *out++ = escape ? (in[1] == '0' ? '~' : '/') : *in;
            in += escape;
        }
        *out = '\0';
        at = json_get(schema, json_get(schema, at, "properties"), name);
        pointer += size;
    }
    return at;
}

static bool allows(const struct json *schema, uint32_t types, const char *type)
{
    if (json_is(schema, types, JSON_STRING))
        return json_string_is(schema, types, type);
    for (uint32_t e = json_first(schema, types); e != JSON_NONE; e = json_next(schema, types, e)) {
        if (json_is(schema, e, JSON_STRING) && json_string_is(schema, e, type))
            return true;
    }
    return false;
}

static const struct flow_inference *infer(const struct json *schema, uint32_t root, const char *pointer,
                                          bool is_key, struct arena *arena)
{
    struct flow_inference *inference = arena_zalloc(arena, sizeof *inference);
    struct slice *types = arena_alloc(arena, TYPES * sizeof *types);
    uint32_t at = schema_at(schema, root, pointer, arena), given = json_get(schema, at, "type");
    bool root_itself = !*pointer;
    for (size_t i = 0; i < TYPES; i++) {
        bool object_or_array = strcmp(all_types[i], "object") == 0 || strcmp(all_types[i], "array") == 0;
        bool possible = root_itself          ? strcmp(all_types[i], "object") == 0
                        : given != JSON_NONE ? allows(schema, given, all_types[i])
                                             : !is_key || !object_or_array;
        if (possible)
            types[inference->types.count++] = slice_of(all_types[i]);
    }
    inference->types.items = types;
    inference->exists = is_key || root_itself ? FLOW_EXISTS_MUST
                        : at != JSON_NONE     ? FLOW_EXISTS_MAY
                                              : FLOW_EXISTS_IMPLICIT;
    for (size_t i = 0; i < inference->types.count; i++) {
        if (!slice_is(types[i], "string"))
            continue;
        struct flow_inference_string *string = arena_zalloc(arena, sizeof *string);
        uint32_t format = json_get(schema, at, "format");
        if (json_is(schema, format, JSON_STRING))
            string->format = json_string(schema, format, arena);
        inference->string = string;
    }
    return inference;
}

static int by_field(const void *a, const void *b)
{
    return slice_compare(((const struct flow_projection *)a)->field,
                         ((const struct flow_projection *)b)->field);
}

static bool is_key(const struct catalog_collection *collection, const char *pointer)
{
    for (size_t i = 0; i < collection->key_count; i++) {
        if (strcmp(collection->key[i], pointer) == 0)
            return true;
    }
    return false;
}

static bool has_field(const struct flow_projections *projections, const char *field)
{
    for (size_t i = 0; i < projections->count; i++) {
        if (slice_is(projections->items[i].field, field))
            return true;
    }
    return false;
}

/* The declared ones, and for each part of the key its own, named as Flow does: without the first slash. */
static void set_projections(const struct catalog_collection *collection, const struct json *schema,
                            uint32_t root, struct arena *arena, struct flow_projections *ret_projections)
{
    size_t max = collection->projection_count + collection->key_count;
    struct flow_projection *items = arena_zalloc(arena, (max + 1) * sizeof *items);
    struct flow_projections projections = {items, 0};
    for (size_t i = 0; i < collection->projection_count; i++) {
        const struct catalog_projection *declared = &collection->projections[i];
        bool key = is_key(collection, declared->location);
        items[projections.count++] = (struct flow_projection){
            .pointer = slice_of(declared->location),
            .field = slice_of(declared->field),
            .is_explicit = true,
            .is_partition_key = declared->partition,
            .is_primary_key = key,
            .inference = infer(schema, root, declared->location, key, arena),
        };
    }
    for (size_t i = 0; i < collection->key_count; i++) {
        const char *pointer = collection->key[i], *field = pointer + (*pointer == '/');
        if (!has_field(&projections, field))
            items[projections.count++] =
                (struct flow_projection){.pointer = slice_of(pointer),
                                         .field = slice_of(field),
                                         .is_primary_key = true,
                                         .inference = infer(schema, root, pointer, true, arena)};
    }
    qsort(items, projections.count, sizeof *items, by_field);
    *ret_projections = projections;
}

/* --- the collection -------------------------------------------------------------------------------- */

static struct flow_texts partition_fields(const struct flow_projections *projections, struct arena *arena)
{
    struct slice *fields = arena_alloc(arena, (projections->count + 1) * sizeof *fields);
    size_t count = 0;
    for (size_t i = 0; i < projections->count; i++) {
        if (projections->items[i].is_partition_key)
            fields[count++] = projections->items[i].field;
    }
    return (struct flow_texts){fields, count};
}

/* The document of the schema, and where in it the schema is. */
static uint32_t open_schema(const struct catalog *catalog, const char *uri, struct arena *arena,
                            struct json *ret_doc)
{
    static const struct json_node nothing = {.tag = JSON_TRUE, .length = 4};
    *ret_doc = (struct json){.source = "true", .size = 4, .count = 1, .nodes = &nothing};
    struct error err;
    const struct catalog_schema_document *document =
        find_document(catalog, uri_without_fragment(slice_of(uri)));
    if (!document || json_parse_copy(arena, document->source.data, document->source.size, ret_doc, &err) < 0)
        return 0;
    struct slice fragment = uri_decode(arena, uri_fragment(slice_of(uri)));
    return fragment.size ? json_pointer(ret_doc, 0, fragment) : 0;
}

void task_flow_collection(const struct catalog *catalog, const struct catalog_collection *collection,
                          struct arena *arena, struct flow_collection *ret_collection)
{
    struct flow_collection flow = {
        .name = slice_of(collection->name),
        .raw_write_schema = bundle_schema(catalog, collection->write_schema_uri, arena),
        .uuid_pointer = flow_uuid_pointer,
        .raw_ack_template = flow_ack_template,
        .raw_partition_template = flow_journal_template(slice_of(collection->name), arena),
    };
    if (strcmp(collection->read_schema_uri, collection->write_schema_uri) != 0)
        flow.raw_read_schema = bundle_schema(catalog, collection->read_schema_uri, arena);
    struct slice *key = arena_alloc(arena, (collection->key_count + 1) * sizeof *key);
    for (size_t i = 0; i < collection->key_count; i++)
        key[i] = slice_of(collection->key[i]);
    flow.key = (struct flow_texts){key, collection->key_count};
    struct json *schema = arena_alloc(arena, sizeof *schema);
    uint32_t root = open_schema(catalog, collection->write_schema_uri, arena, schema);
    set_projections(collection, schema, root, arena, &flow.projections);
    flow.partition_fields = partition_fields(&flow.projections, arena);
    *ret_collection = flow;
}
