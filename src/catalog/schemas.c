/* Schemas into the registry: inline ones under a URI of their place in the file, files under their own, what
 * these refer to when it is asked for. */
#include "catalog/loader.h"
#include "schema/reduce/reduce.h"

#include <stdlib.h>

/* Keep the document for processes that compile anew, and where it is written for messages. */
static void note_document(struct loader *loader, const char *uri, struct slice text, struct value at)
{
    loader->schema_documents = mem_grow(loader->schema_documents, &loader->schema_document_capacity,
                                        loader->schema_document_count + 1, sizeof *loader->schema_documents);
    loader->schema_documents[loader->schema_document_count++] =
        (struct catalog_schema_document){arena_strdup(loader->arena, uri), text};
    if (at.source)
        map_set(&loader->schema_places, slice_of(uri), arena_dup(loader->arena, &at, sizeof at));
}

bool schemas_register(struct loader *loader, const char *uri, struct slice text, struct value at,
                      struct error *err)
{
    if (schema_registry_add(loader->catalog->schemas, uri, text, err) < 0)
        return false;
    note_document(loader, uri, text, at);
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
    return schemas_register(loader, source->uri, whole(source), (struct value){source, 0}, err);
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
    const char *flow = string_starts_with(uri, "flow://") ? flow_suggest(loader, uri) : "";
    if (*flow)
        return error_set(err, ERROR_NOT_FOUND, "there is no %s%s", uri, flow);
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
    note_document(loader, uri, whole(source), (struct value){source, 0});
    source->schema_added |= strcmp(uri, source->uri) == 0;
    return 0;
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
    if (schemas_register(loader, uri, flow_resolve(loader, collection, schema), schema, &err))
        return uri;
    loader_problem(loader, schema, "%s", err.message);
    return NULL;
}

/* "; did you mean '#/$defs/user'?": the name below `parent` that is nearest to `name`, or "". */
static const char *suggest_below(struct loader *loader, const struct source *source, const char *parent,
                                 const char *name)
{
    const struct json *doc = &source->doc.json;
    uint32_t at = json_pointer(doc, 0, slice_of(parent));
    if (at == JSON_NONE || !json_is(doc, at, JSON_OBJECT))
        return "";
    const char **names = arena_alloc(&loader->scratch, (json_count(doc, at) + 1) * sizeof *names);
    size_t count = 0;
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        const char *each = json_cstring(doc, key, &loader->scratch);
        if (each && !strpbrk(each, "~/"))
            names[count++] = each;
    }
    const char *nearest = string_nearest(name, names, count);
    return nearest ? arena_printf(&loader->scratch, "; did you mean '#%s/%s'?", parent, nearest) : "";
}

/* The last name is the one that is wrong, if the rest is there. */
static const char *suggest_pointer(struct loader *loader, const struct source *source, const char *pointer)
{
    const char *slash = strrchr(pointer, '/');
    return suggest_below(loader, source, arena_strndup(&loader->scratch, pointer, (size_t)(slash - pointer)),
                         slash + 1);
}

/* `file#user` where no anchor has that name is likely a definition. */
static const char *suggest_definition(struct loader *loader, const struct source *source, const char *name)
{
    static const char *const parents[] = {"/$defs", "/definitions", ""};
    const char *found = "";
    for (size_t i = 0; i < RULES_COUNT(parents) && !*found; i++)
        found = suggest_below(loader, source, parents[i], name);
    return found;
}

/* draft-07 has anchors as $id: "#name". */
static bool has_anchor(const struct json *doc, const char *name)
{
    auto_free char *id = mem_printf("#%s", name);
    for (uint32_t at = 0; at + 1 < doc->count; at++) {
        if (!json_is(doc, at, JSON_KEY))
            continue;
        bool anchor = json_string_is(doc, at, "$anchor") || json_string_is(doc, at, "$dynamicAnchor");
        if ((anchor && json_string_is(doc, json_value(at), name)) ||
            (json_string_is(doc, at, "$id") && json_string_is(doc, json_value(at), id)))
            return true;
    }
    return false;
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
        loader_problem(loader, reference, "%s has nothing at %s%s", source->display, fragment,
                       suggest_pointer(loader, source, fragment));
        return NULL;
    }
    if (*fragment && *fragment != '/' &&
        !has_anchor(&source->doc.json, decode_path(&loader->scratch, fragment))) {
        loader_problem(loader, reference, "%s has no anchor '%s'%s", source->display, fragment,
                       suggest_definition(loader, source, fragment));
        return NULL;
    }
    struct error err;
    const char *uri = source->uri;
    struct slice raw = whole(source);
    bool added;
    if (collection->write_schema_uri && memmem(raw.data, raw.size, "flow:", 5)) {
        /* flow://write-schema means this collection's: a copy of the file of its own. */
        struct value root = {source, 0};
        uri = inline_uri(loader, root, collection->name);
        added = schemas_register(loader, uri, flow_resolve(loader, collection, root), root, &err);
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

/* With paths below the catalog's folder as one would write them beside the catalog. */
static const char *shorten_paths(struct loader *loader, const char *message)
{
    struct buffer text;
    const char *folder = loader->sources[0]->folder, *found;
    auto_free char *prefix = mem_printf("%s/", folder);
    const char *display = display_of(loader, arena_printf(&loader->scratch, "%s/", folder));
    buffer_init(&text, BUFFER_UNLIMITED);
    for (; strlen(folder) > 1 && (found = strstr(message, prefix)); message = found + strlen(prefix)) {
        buffer_append(&text, message, (size_t)(found - message));
        buffer_str(&text, display);
    }
    buffer_str(&text, message);
    const char *shortened = arena_strdup(&loader->scratch, buffer_cstr(&text));
    buffer_done(&text);
    return shortened;
}

static void place_problem(struct loader *loader, struct value schema, const char *uri, const char *pointer,
                          const char *message)
{
    const struct value *document = map_get(&loader->schema_places, slice_of(uri));
    if (document) {
        uint32_t at = json_pointer(&document->source->doc.json, document->at, slice_of(pointer));
        schema = (struct value){document->source, at == JSON_NONE ? document->at : at};
    }
    loader_problem(loader, schema, "not a valid schema: %s", shorten_paths(loader, message));
}

/* The compiler's errors begin with "schema URI#/pointer: ": tell the problem there, else at the schema. */
static void schema_problem(struct loader *loader, struct value schema, const char *message)
{
    static const char prefix[] = "schema ";
    const char *uri = message + strlen(prefix);
    const char *colon = string_starts_with(message, prefix) ? strstr(uri, ": ") : NULL;
    if (!colon) {
        loader_problem(loader, schema, "the schema cannot be used: %s", shorten_paths(loader, message));
        return;
    }
    const char *hash = memchr(uri, '#', (size_t)(colon - uri));
    const char *end = hash ? hash : colon;
    const char *pointer = hash ? arena_strndup(&loader->scratch, hash + 1, (size_t)(colon - hash - 1)) : "";
    place_problem(loader, schema, arena_strndup(&loader->scratch, uri, (size_t)(end - uri)),
                  decode_path(&loader->scratch, pointer), colon + 2);
}

/* All that is wrong with a schema, each at its place. */
static void schema_problems_of(struct loader *loader, const char *uri, struct value schema)
{
    struct schema_problem problems[SCHEMA_PROBLEMS_MAX];
    size_t count = schema_problems(loader->catalog->schemas, uri, NULL, &loader->scratch, problems);
    for (size_t i = 0; i < count; i++) {
        if (problems[i].uri)
            place_problem(loader, schema, problems[i].uri, problems[i].pointer, problems[i].message);
        else
            schema_problem(loader, schema, problems[i].message);
    }
}

/* "reduce" is no more than an annotation to the compiler: a reducer says whether it is understood. */
static void check_reductions(struct loader *loader, const char *uri, struct value at)
{
    static const struct schema_options wanted = {.annotations = reduce_annotations};
    struct error err;
    mem_auto(schema_free) struct schema *schema =
        schema_compile_with(loader->catalog->schemas, uri, &wanted, &err);
    mem_auto(reducer_free) struct reducer *reducer = schema ? reducer_new(schema, &err) : NULL;
    if (!reducer)
        schema_problem(loader, at, err.message);
}

static const struct schema *compile(struct loader *loader, const char *uri, struct value at)
{
    struct error err;
    const struct schema *schema = schema_compile(loader->catalog->schemas, uri, &err);
    if (schema)
        check_reductions(loader, uri, at);
    else
        schema_problems_of(loader, uri, at);
    return schema;
}

static const char *add(struct loader *loader, const struct catalog_collection *collection,
                       struct value schema)
{
    return value_has_tag(schema, JSON_STRING) ? add_by_path(loader, collection, schema)
                                              : add_inline(loader, collection, schema);
}

void schemas_build(struct loader *loader, struct catalog_collection *collection,
                   struct collection_schemas given)
{
    struct value write = value_there(given.schema) ? given.schema : given.write;
    if (!value_there(write))
        return;
    flow_register(loader);
    const char *uri = add(loader, collection, write);
    if (!uri)
        return;
    collection->write_schema_uri = uri;
    collection->write_schema = compile(loader, uri, write);
    collection->read_schema_uri = uri;
    collection->read_schema = collection->write_schema;
    if (!value_there(given.read))
        return;
    loader->inferred = false;
    collection->read_schema_uri = add(loader, collection, given.read);
    collection->inferred = loader->inferred;
    collection->read_schema =
        collection->read_schema_uri ? compile(loader, collection->read_schema_uri, given.read) : NULL;
}
