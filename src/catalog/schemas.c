/* Schemas into the registry: inline ones under a URI of their place in the file, files under their own, what
 * these refer to when it is asked for; and Flow's own references, flow://…, which mean another schema in
 * each collection. */
#include "catalog/loader.h"

#include "base/file.h"
#include "json/writer.h"

#include <stdlib.h>

static bool register_document(struct loader *loader, const char *uri, struct slice source, struct error *err)
{
    if (schema_registry_add(loader->catalog->schemas, uri, source, err) < 0)
        return false;
    loader->schema_documents = mem_grow(loader->schema_documents, &loader->schema_document_capacity,
                                        loader->schema_document_count + 1, sizeof *loader->schema_documents);
    loader->schema_documents[loader->schema_document_count++] =
        (struct catalog_schema_document){arena_strdup(loader->arena, uri), source};
    return true;
}

/* --- files ----------------------------------------------------------------------------------------- */

static struct slice whole(const struct source *source)
{
    return (struct slice){source->doc.json.source, source->doc.json.size};
}

bool schemas_add_file(struct loader *loader, struct source *source, struct error *err)
{
    if (source->schema_added)
        return true;
    source->schema_added = true;
    return register_document(loader, source->uri, whole(source), err);
}

static char *decode_path(struct arena *arena, const char *uri_path)
{
    char *path = arena_strdup(arena, uri_path);
    size_t out = 0;
    for (const char *at = uri_path; *at; at++) {
        char digits[3] = {0};
        if (*at == '%' && at[1] && at[2]) {
            memcpy(digits, at + 1, 2);
            char *end;
            unsigned long byte = strtoul(digits, &end, 16);
            if (*end == 0 && byte != 0) {
                path[out++] = (char)byte;
                at += 2;
                continue;
            }
        }
        path[out++] = *at;
    }
    path[out] = 0;
    return path;
}

/* A path as a person would write it beside the catalog, if it lies there. */
static const char *display_of(const struct loader *loader, const char *absolute)
{
    const struct source *main = loader->sources[0];
    size_t folder = strlen(main->folder);
    if (!string_starts_with(absolute, main->folder) || absolute[folder] != '/')
        return absolute;
    const char *slash = strrchr(main->display, '/');
    return slash ? arena_printf(loader->arena, "%.*s/%s", (int)(slash - main->display), main->display,
                                absolute + folder + 1)
                 : absolute + folder + 1;
}

int schemas_fetch(void *context, const char *uri, struct arena *arena, struct slice *ret_source,
                  struct error *err)
{
    struct loader *loader = context;
    if (string_starts_with(uri, "flow://"))
        return error_set(err, ERROR_INVALID, "%s means something in a collection's readSchema only", uri);
    if (!string_starts_with(uri, "file:///"))
        return error_set(err, ERROR_UNSUPPORTED,
                         "%s is not a local file: save it beside the catalog and refer to that", uri);
    char *path = decode_path(&loader->scratch, uri + strlen("file://"));
    struct source *source = loader_open_absolute(loader, path, display_of(loader, path), false, err);
    if (!source)
        return -1;
    if (!source->readable)
        return error_set(err, ERROR_INVALID, "%s cannot be read", source->display);
    *ret_source =
        (struct slice){arena_dup(arena, whole(source).data, whole(source).size), whole(source).size};
    loader->schema_documents = mem_grow(loader->schema_documents, &loader->schema_document_capacity,
                                        loader->schema_document_count + 1, sizeof *loader->schema_documents);
    loader->schema_documents[loader->schema_document_count++] =
        (struct catalog_schema_document){arena_strdup(loader->arena, uri), whole(source)};
    source->schema_added |= strcmp(uri, source->uri) == 0;
    return 0;
}

/* --- flow://… -------------------------------------------------------------------------------------- */

/* What Flow's references mean here. The write schema is the collection's own. What Flow would infer from the
 * documents, or relax, accepts everything: each document was checked when it was written. */
static const struct {
    const char *reference;
    bool write_schema;
} flow_references[] = {
    {"flow://write-schema", true},
    {"flow://connector-schema", true},
    {"flow://inferred-schema", false},
    {"flow://relaxed-write-schema", false},
};

struct flow_rewriting {
    const struct json *doc;
    const char *write_uri;
    bool bundled[RULES_COUNT(flow_references)]; /* the schema brings its own, by $id */
    struct arena *arena;
    const char *collection;
    struct json_writer writer;
};

/* The position in flow_references of a string that is one of them, else -1. */
static int flow_reference(const struct json *doc, uint32_t at)
{
    for (size_t i = 0; json_is(doc, at, JSON_STRING) && i < RULES_COUNT(flow_references); i++) {
        if (json_string_is(doc, at, flow_references[i].reference))
            return (int)i;
    }
    return -1;
}

static void find_bundled(struct flow_rewriting *rewriting, uint32_t from, uint32_t end)
{
    for (uint32_t at = from; at + 1 < end; at++) {
        if (!json_is(rewriting->doc, at, JSON_KEY) || !json_string_is(rewriting->doc, at, "$id"))
            continue;
        int reference = flow_reference(rewriting->doc, json_value(at));
        if (reference >= 0)
            rewriting->bundled[reference] = true;
    }
}

static void put_reference(struct flow_rewriting *rewriting, int reference)
{
    if (rewriting->bundled[reference])
        json_put_string(&rewriting->writer,
                        arena_printf(rewriting->arena, "%s/%s", flow_references[reference].reference,
                                     rewriting->collection));
    else
        json_put_string(&rewriting->writer, flow_references[reference].write_schema
                                                ? rewriting->write_uri
                                                : flow_references[reference].reference);
}

static void rewrite_flow(struct flow_rewriting *rewriting, uint32_t at)
{
    const struct json *doc = rewriting->doc;
    struct json_writer *writer = &rewriting->writer;
    if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            json_put_key_slice(writer, json_string(doc, key, rewriting->arena));
            bool refers = json_string_is(doc, key, "$ref") || json_string_is(doc, key, "$id");
            int reference = refers ? flow_reference(doc, json_value(key)) : -1;
            if (reference >= 0)
                put_reference(rewriting, reference);
            else
                rewrite_flow(rewriting, json_value(key));
        }
        json_end_object(writer);
    } else if (json_is(doc, at, JSON_ARRAY)) {
        json_begin_array(writer);
        for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each))
            rewrite_flow(rewriting, each);
        json_end_array(writer);
    } else {
        json_put_raw(writer, json_raw(doc, at));
    }
}

/* The schema's text, with flow://… resolved for this collection if there is any. */
static struct slice resolve_flow(struct loader *loader, const struct catalog_collection *collection,
                                 struct value schema)
{
    const struct json *doc = &schema.source->doc.json;
    struct slice raw = json_raw(doc, schema.at);
    if (!collection->write_schema_uri || !memmem(raw.data, raw.size, "flow:", 5))
        return raw;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    struct flow_rewriting rewriting = {
        .doc = doc,
        .write_uri = collection->write_schema_uri,
        .arena = &loader->scratch,
        .collection = collection->name,
    };
    json_writer_init(&rewriting.writer, &text);
    find_bundled(&rewriting, schema.at, json_after(doc, schema.at));
    rewrite_flow(&rewriting, schema.at);
    struct slice result = {arena_strndup(loader->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

/* --- a collection's schemas ------------------------------------------------------------------------ */

/* Percent-encode what neither a query nor a fragment can hold. */
static void put_encoded(struct buffer *uri, const char *text, const char *also_plain)
{
    for (; *text; text++) {
        bool plain = (*text >= '0' && *text <= '9') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= 'a' && *text <= 'z') || strchr("-._~/$", *text) || strchr(also_plain, *text);
        if (plain)
            buffer_byte(uri, *text);
        else
            buffer_printf(uri, "%%%02X", (unsigned char)*text);
    }
}

static const char *inline_uri(struct loader *loader, struct value schema, const char *collection)
{
    struct buffer uri, pointer;
    buffer_init(&uri, BUFFER_UNLIMITED);
    buffer_init(&pointer, BUFFER_UNLIMITED);
    buffer_printf(&uri, "%s?ptr=", schema.source->uri);
    json_pointer_of(&schema.source->doc.json, schema.at, &pointer);
    put_encoded(&uri, buffer_cstr(&pointer), "");
    if (collection) {
        buffer_str(&uri, "&collection=");
        put_encoded(&uri, collection, "");
    }
    const char *result = arena_strdup(loader->arena, buffer_cstr(&uri));
    buffer_done(&pointer);
    buffer_done(&uri);
    return result;
}

static const char *add_inline(struct loader *loader, const struct catalog_collection *collection,
                              struct value schema)
{
    const char *uri = inline_uri(loader, schema, NULL);
    struct error err;
    if (register_document(loader, uri, resolve_flow(loader, collection, schema), &err))
        return uri;
    loader_problem(loader, schema, "%s", err.message);
    return NULL;
}

/* path#fragment; the path may be missing: the same file. */
static const char *add_by_path(struct loader *loader, const struct catalog_collection *collection,
                               struct value reference)
{
    const char *text = value_string(loader, reference);
    if (!text)
        return NULL;
    const char *hash = strchr(text, '#');
    const char *fragment = hash ? hash + 1 : "";
    const char *path = arena_strndup(&loader->scratch, text, hash ? (size_t)(hash - text) : strlen(text));
    struct source *source =
        *path ? loader_open(loader, reference, path, false) : (struct source *)reference.source;
    if (!source)
        return NULL;
    struct value schema = {source, 0};
    if (*fragment == '/')
        schema.at = json_pointer(&source->doc.json, 0, slice_of(decode_path(&loader->scratch, fragment)));
    if (!value_there(schema)) {
        loader_problem(loader, reference, "%s has nothing at %s", source->display, fragment);
        return NULL;
    }
    struct error err;
    const char *uri = source->uri;
    struct slice raw = whole(source);
    bool added;
    if (collection->write_schema_uri && memmem(raw.data, raw.size, "flow:", 5)) {
        /* flow://write-schema means this collection's: a copy of the file of its own. */
        uri = inline_uri(loader, (struct value){source, 0}, collection->name);
        added =
            register_document(loader, uri, resolve_flow(loader, collection, (struct value){source, 0}), &err);
    } else {
        added = schemas_add_file(loader, source, &err);
    }
    if (!added) {
        loader_problem(loader, reference, "%s", err.message);
        return NULL;
    }
    struct buffer whole_uri;
    buffer_init(&whole_uri, BUFFER_UNLIMITED);
    buffer_printf(&whole_uri, "%s%s", uri, *fragment ? "#" : "");
    put_encoded(&whole_uri, fragment, "%!&'()*+,;=:@?");
    const char *result = arena_strdup(loader->arena, buffer_cstr(&whole_uri));
    buffer_done(&whole_uri);
    return result;
}

static const struct schema *compile(struct loader *loader, const char *uri, struct value at)
{
    struct error err;
    const struct schema *schema = schema_compile(loader->catalog->schemas, uri, &err);
    if (!schema)
        loader_problem(loader, at, "%s", err.message);
    return schema;
}

static const char *add(struct loader *loader, const struct catalog_collection *collection,
                       struct value schema)
{
    return value_has_tag(schema, JSON_STRING) ? add_by_path(loader, collection, schema)
                                              : add_inline(loader, collection, schema);
}

static void register_flow_references(struct loader *loader)
{
    struct error err;
    if (loader->flow_references)
        return;
    loader->flow_references = true;
    for (size_t i = 0; i < RULES_COUNT(flow_references); i++) {
        if (!flow_references[i].write_schema &&
            !register_document(loader, flow_references[i].reference, SLICE_LITERAL("true"), &err))
            assert(!"the schema true is valid");
    }
}

void schemas_build(struct loader *loader, struct catalog_collection *collection,
                   struct collection_schemas given)
{
    struct value write = value_there(given.schema) ? given.schema : given.write;
    if (!value_there(write))
        return;
    register_flow_references(loader);
    const char *uri = add(loader, collection, write);
    if (!uri)
        return;
    collection->write_schema_uri = uri;
    collection->write_schema = compile(loader, uri, write);
    collection->read_schema_uri = uri;
    collection->read_schema = collection->write_schema;
    if (!value_there(given.read))
        return;
    collection->read_schema_uri = add(loader, collection, given.read);
    collection->read_schema =
        collection->read_schema_uri ? compile(loader, collection->read_schema_uri, given.read) : NULL;
}
