#include "task/flow_collection.h"

#include "base/map.h"
#include "schema/shape/shape.h"
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

/* What the schema says of the location. A bound that no double can hold is all that could go wrong. */
static const struct flow_inference *infer(const struct shape_location *location, struct arena *arena)
{
    static const struct flow_inference unknown = {.exists = FLOW_EXISTS_MAY};
    struct buffer text;
    struct json_writer writer;
    struct json doc;
    struct error err;
    struct flow_inference *inference = arena_zalloc(arena, sizeof *inference);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    shape_write_inference(location, &writer);
    int read = json_parse_copy(arena, text.data, text.size, &doc, &err);
    if (read == 0)
        read = flow_inference_read(&doc, 0, arena, inference, &err);
    buffer_done(&text);
    return read == 0 ? inference : &unknown;
}

static bool is_key(const struct catalog_collection *collection, const char *pointer)
{
    for (size_t i = 0; i < collection->key_count; i++) {
        if (strcmp(collection->key[i], pointer) == 0)
            return true;
    }
    return false;
}

struct projector {
    const struct catalog_collection *collection;
    const struct shape *shape;
    struct arena *arena;
    struct map fields; /* those that are taken */
    struct flow_projection *items;
    size_t count, capacity;
};

static void project(struct projector *to, const char *field, const struct shape_location *location,
                    const struct catalog_projection *declared)
{
    if (map_get(&to->fields, slice_of(field)))
        return;
    to->items = mem_grow(to->items, &to->capacity, to->count + 1, sizeof *to->items);
    to->items[to->count++] = (struct flow_projection){
        .pointer = slice_of(arena_strdup(to->arena, location->pointer)),
        .field = slice_of(arena_strdup(to->arena, field)),
        .is_explicit = declared != NULL,
        .is_partition_key = declared && declared->partition,
        .is_primary_key = is_key(to->collection, location->pointer),
        .inference = infer(location, to->arena),
    };
    map_set(&to->fields, slice_of(field), to);
}

/* The declared ones first: they may take the name of a location's own. */
static void project_all(struct projector *to)
{
    const struct catalog_collection *collection = to->collection;
    for (size_t i = 0; i < collection->projection_count; i++) {
        const struct catalog_projection *declared = &collection->projections[i];
        struct shape_location location = shape_locate(to->shape, declared->location, to->arena);
        location.pointer = declared->location;
        project(to, declared->field, &location, declared);
    }
    for (size_t i = 0; i < collection->key_count; i++) {
        struct shape_location location = shape_locate(to->shape, collection->key[i], to->arena);
        location.pointer = collection->key[i];
        project(to, collection->key[i] + (*collection->key[i] == '/'), &location, NULL);
    }
    size_t count;
    const struct shape_location *locations = shape_locations(to->shape, to->arena, &count);
    for (size_t i = 0; i < count; i++) {
        const char *field = shape_field(&locations[i]);
        if (field && *field && locations[i].exists != SHAPE_CANNOT)
            project(to, field, &locations[i], NULL);
    }
}

static int by_field(const void *a, const void *b)
{
    return slice_compare(((const struct flow_projection *)a)->field,
                         ((const struct flow_projection *)b)->field);
}

static void set_projections(const struct catalog *catalog, const struct catalog_collection *collection,
                            struct arena *arena, struct flow_projections *ret_projections)
{
    struct error err;
    mem_auto(shape_free) struct shape *shape =
        shape_of_schema(catalog->schemas, collection->read_schema_uri, &err);
    if (!shape)
        shape = shape_new_any(); /* its references lead nowhere: the catalog's checks have told */
    struct projector to = {.collection = collection, .shape = shape, .arena = arena};
    map_init(&to.fields);
    project_all(&to);
    qsort(to.items, to.count, sizeof *to.items, by_field);
    *ret_projections =
        (struct flow_projections){arena_dup(arena, to.items, to.count * sizeof *to.items), to.count};
    map_done(&to.fields);
    free(to.items);
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

/* Flow's journals have names of at least four characters, and connectors check it. */
static struct slice template_name(const char *collection, struct arena *arena)
{
    enum { NAME_MIN = 4 };
    bool is_short = strlen(collection) < NAME_MIN;
    return slice_of(is_short ? arena_printf(arena, "collection/%s", collection) : collection);
}

void task_flow_collection(const struct catalog *catalog, const struct catalog_collection *collection,
                          struct arena *arena, struct flow_collection *ret_collection)
{
    struct flow_collection flow = {
        .name = slice_of(collection->name),
        .raw_write_schema = bundle_schema(catalog, collection->write_schema_uri, arena),
        .uuid_pointer = flow_uuid_pointer,
        .raw_ack_template = flow_ack_template,
        .raw_partition_template = flow_journal_template(template_name(collection->name, arena), arena),
    };
    if (strcmp(collection->read_schema_uri, collection->write_schema_uri) != 0)
        flow.raw_read_schema = bundle_schema(catalog, collection->read_schema_uri, arena);
    struct slice *key = arena_alloc(arena, (collection->key_count + 1) * sizeof *key);
    for (size_t i = 0; i < collection->key_count; i++)
        key[i] = slice_of(collection->key[i]);
    flow.key = (struct flow_texts){key, collection->key_count};
    set_projections(catalog, collection, arena, &flow.projections);
    flow.partition_fields = partition_fields(&flow.projections, arena);
    *ret_collection = flow;
}
