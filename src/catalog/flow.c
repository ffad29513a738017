/* Flow's own references in a readSchema, flow://…: in each collection they mean another schema. */
#include "catalog/loader.h"

#include "json/writer.h"

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
    struct loader *loader;
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

const char *flow_suggest(struct loader *loader, const char *reference)
{
    const char *known[RULES_COUNT(flow_references)];
    for (size_t i = 0; i < RULES_COUNT(flow_references); i++) {
        known[i] = flow_references[i].reference;
        if (strcmp(known[i], reference) == 0)
            return "";
    }
    return loader_suggest(loader, reference, known, RULES_COUNT(known));
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

/* What was inferred of this collection, under a URI of its own. */
static const char *inferred_schema(struct flow_rewriting *rewriting, const char *reference)
{
    struct loader *loader = rewriting->loader;
    const struct catalog_options *options = loader->options;
    struct error err;
    loader->inferred = true;
    if (!options || !options->inferred)
        return reference; /* that accepts everything */
    const char *uri = arena_printf(loader->arena, "%s/%s", reference, rewriting->collection);
    for (size_t i = 0; i < loader->schema_document_count; i++) {
        if (strcmp(loader->schema_documents[i].uri, uri) == 0)
            return uri;
    }
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    options->inferred(options->inferred_context, rewriting->collection, &text);
    struct slice copy = {arena_strndup(loader->arena, buffer_cstr(&text), text.size), text.size};
    buffer_done(&text);
    return schemas_register(loader, uri, copy, (struct value){NULL, 0}, &err) ? uri : reference;
}

static void put_reference(struct flow_rewriting *rewriting, int reference)
{
    const char *known = flow_references[reference].reference;
    if (!rewriting->bundled[reference] && strcmp(known, "flow://inferred-schema") == 0)
        json_put_string(&rewriting->writer, inferred_schema(rewriting, known));
    else if (rewriting->bundled[reference])
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
struct slice flow_resolve(struct loader *loader, const struct catalog_collection *collection,
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
        .loader = loader,
    };
    json_writer_init(&rewriting.writer, &text);
    find_bundled(&rewriting, schema.at, json_after(doc, schema.at));
    rewrite_flow(&rewriting, schema.at);
    struct slice result = {arena_strndup(loader->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

void flow_register(struct loader *loader)
{
    struct error err;
    if (loader->flow_references)
        return;
    loader->flow_references = true;
    for (size_t i = 0; i < RULES_COUNT(flow_references); i++) {
        if (!flow_references[i].write_schema &&
            !schemas_register(loader, flow_references[i].reference, SLICE_LITERAL("true"),
                              (struct value){NULL, 0}, &err))
            assert(!"the schema true is valid");
    }
}
