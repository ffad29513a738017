/* Schema documents by URI. */
#include "schema/registry.h"

#include "schema/metaschema.h"
#include "schema/program.h"
#include "schema/uri.h"

struct schema_registry *schema_registry_new(enum schema_draft default_draft)
{
    struct schema_registry *registry = mem_zalloc(sizeof *registry);
    registry->default_draft = default_draft;
    map_init(&registry->by_uri);
    map_init(&registry->resources);
    map_init(&registry->metaschemas);
    keyword_table_init(&registry->keywords);
    return registry;
}

void document_release(struct document *document)
{
    if (!document || atomic_fetch_sub_explicit(&document->references, 1, memory_order_acq_rel) > 1)
        return;
    map_done(&document->by_uri);
    map_done(&document->anchors);
    map_done(&document->tables);
    free(document->resources);
    free(document->roots);
    free(document->embedded);
    free(document->root_of);
    arena_done(&document->arena);
    free(document);
}

void schema_registry_free(struct schema_registry *registry)
{
    if (!registry)
        return;
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&registry->metaschemas, &at));)
        schema_free(entry->value);
    for (size_t i = 0; i < registry->document_count; i++)
        document_release(registry->documents[i]);
    free(registry->documents);
    map_done(&registry->by_uri);
    map_done(&registry->resources);
    map_done(&registry->metaschemas);
    free(registry);
}

void schema_registry_on_missing(struct schema_registry *registry, schema_fetch *fetch, void *context)
{
    registry->fetch = fetch;
    registry->fetch_context = context;
}

/* The absolute "$id" of the document's root, or NULL. Which draft it is of is not settled before the document
 * is indexed: draft 4's own "$schema" is looked for. */
static const char *root_id(const struct schema_registry *registry, struct document *document)
{
    uint32_t schema = json_get(&document->json, 0, "$schema");
    enum schema_draft draft = registry->default_draft;
    if (json_is(&document->json, schema, JSON_STRING))
        draft =
            slice_starts_with(json_inner(&document->json, schema), "http://json-schema.org/draft-04/schema")
                ? SCHEMA_DRAFT_4
                : SCHEMA_DRAFT_2020_12;
    uint32_t id = schema_id(&document->json, 0, draft);
    if (id == JSON_NONE)
        return NULL;
    struct slice text = json_string(&document->json, id, &document->arena);
    if (text.size == 0 || text.size > URI_SIZE_MAX || text.data[0] == '#')
        return NULL;
    return uri_resolve(&document->arena, slice_of(document->uri), text);
}

/* Take over the document: parsed, in its own arena. */
static void register_document(struct schema_registry *registry, struct document *document)
{
    registry->documents = mem_grow(registry->documents, &registry->document_capacity,
                                   registry->document_count + 1, sizeof(struct document *));
    registry->documents[registry->document_count++] = document;
    struct slice uri = slice_of(document->uri);
    map_set(&registry->by_uri, uri, document);
    const char *id = root_id(registry, document);
    if (id && !map_get(&registry->by_uri, slice_of(id)))
        map_set(&registry->by_uri, slice_of(id), document);
}

static struct document *document_new(const char *uri)
{
    struct document *document = mem_zalloc(sizeof *document);
    atomic_init(&document->references, 1);
    arena_init(&document->arena);
    map_init(&document->by_uri);
    map_init(&document->anchors);
    map_init(&document->tables);
    struct slice bare = uri_without_fragment(slice_of(uri));
    document->uri = arena_strndup(&document->arena, bare.data, bare.size);
    return document;
}

/* Parse the source into the document and register it; the document is gone on failure. */
static int document_add(struct schema_registry *registry, struct document *document, struct slice source,
                        struct error *err)
{
    int result = -1;
    if (source.size > SCHEMA_DOCUMENT_MAX)
        error_set(err, ERROR_LIMIT, "schema %s has %zu bytes, at most %d are allowed", document->uri,
                  source.size, SCHEMA_DOCUMENT_MAX);
    else if (registry->document_count >= SCHEMA_DOCUMENTS_MAX)
        error_set(err, ERROR_LIMIT, "schema %s: more than %d schema documents", document->uri,
                  SCHEMA_DOCUMENTS_MAX);
    else if (json_parse_copy(&document->arena, source.data, source.size, &document->json, err) < 0)
        error_wrap(err, "schema %s", document->uri);
    else
        result = 0;
    if (result < 0) {
        document_release(document);
        return -1;
    }
    document->root_of = mem_zalloc(document->json.count * sizeof *document->root_of);
    register_document(registry, document);
    return 0;
}

int schema_registry_add(struct schema_registry *registry, const char *uri, struct slice source,
                        struct error *err)
{
    struct slice text = slice_of(uri);
    if (text.size > URI_SIZE_MAX || !uri_is_absolute(text))
        return error_set(err, ERROR_INVALID,
                         "schema URI \"%.200s\" is not absolute, like file:///schemas/a.json", uri);
    struct slice bare = uri_without_fragment(text);
    const struct document *present = map_get(&registry->by_uri, bare);
    if (present && strcmp(present->uri, uri) == 0)
        return error_set(err, ERROR_INVALID, "schema %.200s was added already", uri);
    return document_add(registry, document_new(uri), source, err);
}

struct document *registry_load(struct schema_registry *registry, const char *uri, struct error *err)
{
    struct document *document = map_get(&registry->by_uri, slice_of(uri));
    if (document)
        return document;
    document = document_new(uri);
    for (const struct metaschema *m = metaschemas; m->uri; m++) {
        if (strcmp(m->uri, uri) == 0)
            return document_add(registry, document, m->source, err) < 0 ? NULL : document;
    }
    struct slice source;
    if (!registry->fetch) {
        error_set(err, ERROR_NOT_FOUND, "there is no schema at %.300s", uri);
        document_release(document);
        return NULL;
    }
    if (registry->fetch(registry->fetch_context, document->uri, &document->arena, &source, err) < 0) {
        document_release(document);
        return NULL;
    }
    return document_add(registry, document, source, err) < 0 ? NULL : document;
}

struct resource *document_resource_of(const struct document *document, uint32_t node)
{
    size_t low = 0, high = document->resource_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (document->resources[middle]->node <= node)
            low = middle;
        else
            high = middle;
    }
    struct resource *resource = document->resources[low];
    while (resource->end <= node)
        resource = resource->parent;
    return resource;
}

struct schema_root *document_root_of(const struct document *document, uint32_t node)
{
    uint32_t number = document->root_of[node];
    return number ? &document->roots[number - 1] : NULL;
}

struct anchor *resource_anchor(const struct resource *resource, const char *name)
{
    char key[2 * URI_SIZE_MAX];
    int size = snprintf(key, sizeof key, "%s#%s", resource->uri, name);
    if (size < 0 || (size_t)size >= sizeof key)
        return NULL;
    return map_get(&resource->document->anchors, (struct slice){key, (size_t)size});
}

static struct resource *find_resource(struct schema_registry *registry, struct document *from,
                                      const char *uri, struct error *err)
{
    struct slice name = slice_of(uri);
    struct resource *resource = from ? map_get(&from->by_uri, name) : NULL;
    if (!resource)
        resource = map_get(&registry->resources, name);
    if (resource)
        return resource;
    for (; registry->indexed_count < registry->document_count; registry->indexed_count++)
        document_index(registry, registry->documents[registry->indexed_count], 0);
    resource = map_get(&registry->resources, name);
    if (resource)
        return resource;
    struct document *document = registry_load(registry, uri, err);
    if (!document)
        return NULL;
    if (!document->indexed)
        document_index(registry, document, 0);
    return document_resource_of(document, 0);
}

static const char *resource_name(const struct resource *resource, struct arena *arena)
{
    const char *shown = uri_shown(arena, resource->uri);
    return strcmp(shown, "#") == 0 ? "the schema" : shown;
}

/* A pointer or an anchor. */
int registry_resolve_in(struct schema_registry *registry, struct resource *resource, struct slice fragment,
                        struct schema_target *ret_target, struct error *err)
{
    struct document *document = resource->document;
    struct arena scratch;
    arena_init(&scratch);
    struct slice text = uri_decode(&scratch, fragment);
    int result = 0;
    if (text.size == 0 || text.data[0] == '/') {
        uint32_t node = document_pointer(document, resource->node, text);
        if (node == JSON_NONE) {
            result = error_set(err, ERROR_NOT_FOUND, "%s has nothing at \"%.*s\"",
                               resource_name(resource, &scratch), (int)(text.size > 200 ? 200 : text.size),
                               text.data);
        } else {
            if (!document->root_of[node])
                document_index(registry, document, node);
            *ret_target = (struct schema_target){document_resource_of(document, node), node};
        }
    } else {
        const char *name = arena_strndup(&scratch, text.data, text.size);
        struct anchor *anchor = resource_anchor(resource, name);
        if (!anchor && !slice_equal(text, fragment)) /* called with a % of its own */
            anchor = resource_anchor(resource, arena_strndup(&scratch, fragment.data, fragment.size));
        if (anchor)
            *ret_target = (struct schema_target){anchor->resource, anchor->node};
        else
            result = error_set(err, ERROR_NOT_FOUND, "%s has no anchor \"%.200s\"",
                               resource_name(resource, &scratch), name);
    }
    arena_done(&scratch);
    return result;
}

int registry_resolve(struct schema_registry *registry, struct document *from, const char *uri,
                     struct schema_target *ret_target, struct error *err)
{
    struct slice bare = uri_without_fragment(slice_of(uri));
    auto_free char *name = mem_strndup(bare.data, bare.size);
    struct resource *resource = find_resource(registry, from, name, err);
    if (!resource)
        return -1;
    return registry_resolve_in(registry, resource, uri_fragment(slice_of(uri)), ret_target, err);
}

const char *resource_location(const struct resource *resource, uint32_t node, struct arena *arena)
{
    struct buffer whole, base, out;
    buffer_init(&whole, BUFFER_UNLIMITED);
    buffer_init(&base, BUFFER_UNLIMITED);
    buffer_init(&out, BUFFER_UNLIMITED);
    const struct json *json = &resource->document->json;
    json_pointer_of(json, node, &whole);
    json_pointer_of(json, resource->node, &base);
    buffer_str(&out, resource->uri);
    buffer_byte(&out, '#');
    size_t skip = base.size <= whole.size ? base.size : 0;
    uri_append_fragment(&out, (struct slice){whole.size ? whole.data + skip : "", whole.size - skip});
    const char *location = arena_strndup(arena, out.size ? out.data : "", out.size);
    buffer_done(&whole);
    buffer_done(&base);
    buffer_done(&out);
    return location;
}
