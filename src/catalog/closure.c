/* Which schema documents a schema needs. */
#include "catalog/compare.h"

#include "base/map.h"
#include "schema/uri.h"

struct closure {
    const struct catalog *catalog;
    struct arena arena;
    struct map by_uri; /* to its index + 1 */
    bool *needed;
    size_t *queue, queued, taken;
    bool all; /* a reference cannot be followed by its text alone */
};

static void need(struct closure *closure, const char *uri)
{
    struct slice document = uri_without_fragment(slice_of(uri));
    size_t found = (size_t)(uintptr_t)map_get(&closure->by_uri, document);
    if (found == 0) {
        closure->all |= !string_starts_with(uri, "https://json-schema.org/") &&
                        !string_starts_with(uri, "http://json-schema.org/");
        return;
    }
    if (closure->needed[found - 1])
        return;
    closure->needed[found - 1] = true;
    closure->queue[closure->queued++] = found - 1;
}

static bool is_reference(const struct json *doc, uint32_t key)
{
    return json_string_is(doc, key, "$ref") || json_string_is(doc, key, "$dynamicRef") ||
           json_string_is(doc, key, "$recursiveRef") || json_string_is(doc, key, "$schema");
}

static bool renames(const struct json *doc, uint32_t key)
{
    return json_string_is(doc, key, "$id") || json_string_is(doc, key, "id");
}

/* Every key of the document counts, also where it is no keyword: that asks for too much at worst. */
static void follow(struct closure *closure, const struct catalog_schema_document *document)
{
    struct json doc;
    struct error ignored; /* it was compiled, so it can be parsed; if not, nothing is left out */
    if (json_parse_copy(&closure->arena, document->source.data, document->source.size, &doc, &ignored) < 0) {
        closure->all = true;
        return;
    }
    for (uint32_t key = 0; key + 1 < doc.count; key++) {
        if (!json_is(&doc, key, JSON_KEY) || !json_is(&doc, json_value(key), JSON_STRING))
            continue;
        struct slice value = json_string(&doc, json_value(key), &closure->arena);
        bool local = value.size == 0 || value.data[0] == '#';
        if (is_reference(&doc, key) && !local)
            need(closure, uri_resolve(&closure->arena, slice_of(document->uri), value));
        else if (renames(&doc, key) && !local)
            closure->all = true;
    }
}

struct catalog_schema_document *catalog_schemas_needed(const struct catalog *catalog, const char *const *uris,
                                                       size_t uri_count, struct arena *arena,
                                                       size_t *ret_count)
{
    size_t total = catalog->schema_document_count, count = 0;
    struct closure closure = {.catalog = catalog};
    arena_init(&closure.arena);
    map_init(&closure.by_uri);
    closure.needed = arena_zalloc(&closure.arena, (total + 1) * sizeof *closure.needed);
    closure.queue = arena_zalloc(&closure.arena, (total + 1) * sizeof *closure.queue);
    for (size_t i = 0; i < total; i++)
        map_set(&closure.by_uri, slice_of(catalog->schema_documents[i].uri), (void *)(uintptr_t)(i + 1));
    for (size_t i = 0; i < uri_count; i++) {
        if (uris[i])
            need(&closure, uris[i]);
    }
    while (closure.taken < closure.queued && !closure.all)
        follow(&closure, &catalog->schema_documents[closure.queue[closure.taken++]]);
    struct catalog_schema_document *needed = arena_zalloc(arena, (total + 1) * sizeof *needed);
    for (size_t i = 0; i < total; i++) {
        if (closure.all || closure.needed[i])
            needed[count++] = catalog->schema_documents[i];
    }
    map_done(&closure.by_uri);
    arena_done(&closure.arena);
    *ret_count = count;
    return needed;
}
