/* Indexing a schema document: which nodes are schemas, and which names ($id, anchors) stand for them. */
#include "schema/registry.h"
#include "schema/uri.h"

struct indexer {
    struct schema_registry *registry;
    struct document *document;
    uint32_t root; /* number of the schema_root that is being indexed, from 1 */
};

/* Account for a name that a document holds. Long URIs that many names are resolved against would make much of
 * little; false: it has too many. */
static bool afford(struct document *document, struct resource *resource, size_t size)
{
    document->names_size += size;
    if (document->names_size <= SCHEMA_NAMES_SIZE_MAX)
        return true;
    resource->problem = "its $id and anchors take more than 32 MiB";
    return false;
}

static struct resource *add_resource(struct indexer *in, struct resource *parent, uint32_t node,
                                     const char *uri)
{
    struct document *document = in->document;
    struct resource *resource = arena_zalloc(&document->arena, sizeof *resource);
    *resource = (struct resource){.uri = uri,
                                  .document = document,
                                  .parent = parent,
                                  .node = node,
                                  .end = json_after(&document->json, node)};
    document->resources = mem_grow(document->resources, &document->resource_capacity,
                                   document->resource_count + 1, sizeof(struct resource *));
    size_t at = document->resource_count++;
    for (; at > 0 && document->resources[at - 1]->node > node; at--)
        document->resources[at] = document->resources[at - 1];
    document->resources[at] = resource;
    return resource;
}

/* The first of a name stays: in the document, and for other documents in the registry. */
static void name_resource(struct indexer *in, struct resource *resource, const char *uri)
{
    struct slice name = slice_of(uri);
    if (!map_get(&in->document->by_uri, name))
        map_set(&in->document->by_uri, name, resource);
    if (!map_get(&in->registry->resources, name))
        map_set(&in->registry->resources, name, resource);
}

static void add_anchor(struct indexer *in, struct resource *resource, uint32_t node, struct slice name,
                       bool dynamic)
{
    struct document *document = in->document;
    if (name.size == 0 || name.size > URI_SIZE_MAX ||
        !afford(document, resource, strlen(resource->uri) + name.size))
        return;
    const char *key = arena_printf(&document->arena, "%s#%.*s", resource->uri, SLICE_ARGS(name));
    struct anchor *anchor = map_get(&document->anchors, slice_of(key));
    if (anchor) {
        anchor->dynamic |= dynamic && anchor->node == node;
        return;
    }
    anchor = arena_alloc(&document->arena, sizeof *anchor);
    *anchor = (struct anchor){resource, node, dynamic};
    map_set(&document->anchors, slice_of(key), anchor);
}

/* What a "$schema" says. */
struct declared {
    struct dialect dialect;
    const char *problem;
};

static struct declared read_declared(struct indexer *in, const char *base, uint32_t schema)
{
    struct document *document = in->document;
    struct declared declared = {.dialect = dialect_of_draft(in->registry->default_draft)};
    if (!json_is(&document->json, schema, JSON_STRING)) {
        struct slice raw = json_raw(&document->json, schema);
        declared.problem =
            arena_printf(&document->arena, "$schema is %.*s, expected a string with a metaschema's URI",
                         (int)utf8_cut(raw.data, raw.size, 60), raw.data);
        return declared;
    }
    struct slice text = json_string(&document->json, schema, &document->arena);
    struct error err;
    if (text.size > URI_SIZE_MAX) {
        declared.problem = "$schema is too long";
        return declared;
    }
    const char *uri = uri_resolve(&document->arena, slice_of(base), text);
    if (dialect_find(in->registry, uri, &declared.dialect, &err) < 0)
        declared.problem = arena_strdup(&document->arena, err.message);
    return declared;
}

uint32_t schema_id(const struct json *json, uint32_t node, enum schema_draft draft)
{
    uint32_t id = json_get(json, node, draft == SCHEMA_DRAFT_4 ? "id" : "$id");
    /* Up to draft 7 "$ref" stands alone. */
    if (!json_is(json, id, JSON_STRING) ||
        (draft <= SCHEMA_DRAFT_7 && json_get(json, node, "$ref") != JSON_NONE))
        return JSON_NONE;
    return id;
}

/* Which resource the schema object at `node` belongs to: its own if it names itself. An embedded one may have
 * a draft of its own. */
static struct resource *enter(struct indexer *in, struct resource *resource, uint32_t node, bool is_root)
{
    struct document *document = in->document;
    const struct json *json = &document->json;
    uint32_t schema = json_get(json, node, "$schema");
    struct declared declared = {resource->dialect, resource->problem};
    if (schema != JSON_NONE)
        declared = read_declared(in, resource->uri, schema);
    if (is_root) {
        resource->dialect = declared.dialect;
        resource->problem = declared.problem;
    }
    uint32_t id = schema_id(json, node, declared.dialect.draft);
    if (id == JSON_NONE)
        return resource;
    struct slice text = json_string(json, id, &document->arena);
    struct slice bare = uri_without_fragment(text), fragment = uri_fragment(text);
    if (text.size > URI_SIZE_MAX || !afford(document, resource, strlen(resource->uri) + text.size))
        return resource;
    if (bare.size > 0) {
        const char *uri = uri_resolve(&document->arena, slice_of(resource->uri), bare);
        if (is_root)
            resource->uri = uri;
        else
            resource = add_resource(in, resource, node, uri);
        resource->dialect = declared.dialect;
        resource->problem = declared.problem;
        name_resource(in, resource, uri);
    }
    if (fragment.size > 0 && resource->dialect.draft <= SCHEMA_DRAFT_7)
        add_anchor(in, resource, node, fragment, false);
    return resource;
}

static uint32_t add_root(struct document *document, uint32_t node, bool embedded)
{
    document->roots = mem_grow(document->roots, &document->root_capacity, document->root_count + 1,
                               sizeof *document->roots);
    document->roots[document->root_count++] =
        (struct schema_root){.node = node, .end = json_after(&document->json, node), .embedded = embedded};
    return (uint32_t)document->root_count;
}

/* A root of its own for an embedded resource with another metaschema. */
static uint32_t add_embedded(struct document *document, uint32_t node)
{
    uint32_t number = add_root(document, node, true);
    document->embedded = mem_grow(document->embedded, &document->embedded_capacity,
                                  document->embedded_count + 1, sizeof *document->embedded);
    size_t at = document->embedded_count++;
    for (; at > 0 && document->roots[document->embedded[at - 1]].node > node; at--)
        document->embedded[at] = document->embedded[at - 1];
    document->embedded[at] = number - 1;
    return number;
}

static void index_schema(struct indexer *in, struct resource *resource, uint32_t node, bool is_root);

static void index_members(struct indexer *in, struct resource *resource, uint32_t container)
{
    const struct json *json = &in->document->json;
    if (json_is(json, container, JSON_ARRAY)) {
        for (uint32_t e = json_first(json, container); e != JSON_NONE; e = json_next(json, container, e))
            index_schema(in, resource, e, false);
    } else {
        for (uint32_t k = json_first_key(json, container); k != JSON_NONE;
             k = json_next_key(json, container, k))
            index_schema(in, resource, json_value(k), false);
    }
}

static void index_keyword(struct indexer *in, struct resource *resource, uint32_t node, enum keyword keyword,
                          uint32_t value)
{
    const struct json *json = &in->document->json;
    if (keyword == KEYWORD_ANCHOR || keyword == KEYWORD_DYNAMIC_ANCHOR) {
        if (json_is(json, value, JSON_STRING))
            add_anchor(in, resource, node, json_string(json, value, &in->document->arena),
                       keyword == KEYWORD_DYNAMIC_ANCHOR);
        return;
    }
    if (keyword == KEYWORD_RECURSIVE_ANCHOR && node == resource->node)
        resource->is_recursive = json_is(json, value, JSON_TRUE);
    bool array = json_is(json, value, JSON_ARRAY), object = json_is(json, value, JSON_OBJECT);
    switch (keyword_holds(keyword, &resource->dialect)) {
    case HOLDS_NOTHING:
        break;
    case HOLDS_SCHEMA:
        index_schema(in, resource, value, false);
        break;
    case HOLDS_SCHEMA_OR_LIST:
        if (array)
            index_members(in, resource, value);
        else
            index_schema(in, resource, value, false);
        break;
    case HOLDS_LIST:
        if (array)
            index_members(in, resource, value);
        break;
    case HOLDS_MAP:
    case HOLDS_MAP_OR_NAMES: /* an array of names marks no schema: index_schema passes over it */
        if (object)
            index_members(in, resource, value);
        break;
    }
}

/* Recursion is bounded by the reader's depth limit. */
static void index_schema(struct indexer *in, struct resource *resource, uint32_t node, bool is_root)
{
    const struct json *json = &in->document->json;
    enum json_tag tag = json_tag(json, node);
    if (tag == JSON_TRUE || tag == JSON_FALSE)
        in->document->root_of[node] = in->root;
    if (tag != JSON_OBJECT || in->document->root_of[node])
        return;
    const struct resource *outer = resource;
    uint32_t outer_root = in->root;
    resource = enter(in, resource, node, is_root);
    if (resource != outer && strcmp(resource->dialect.metaschema, outer->dialect.metaschema) != 0)
        in->root = add_embedded(in->document, node);
    in->document->root_of[node] = in->root;
    for (uint32_t key = json_first_key(json, node); key != JSON_NONE; key = json_next_key(json, node, key)) {
        enum keyword keyword = keyword_find(&in->registry->keywords, json, key);
        if (keyword != KEYWORD_NONE && keyword_in(keyword, &resource->dialect))
            index_keyword(in, resource, node, keyword, json_value(key));
    }
    in->root = outer_root;
}

void document_index(struct schema_registry *registry, struct document *document, uint32_t node)
{
    struct indexer in = {.registry = registry, .document = document};
    bool is_root = node == 0;
    if (is_root && document->indexed)
        return;
    struct resource *resource;
    if (is_root) {
        document->indexed = true;
        resource = add_resource(&in, NULL, 0, document->uri);
        resource->end = document->json.count; /* a scalar root as well */
        resource->dialect = dialect_of_draft(registry->default_draft);
        name_resource(&in, resource, document->uri);
    } else {
        resource = document_resource_of(document, node);
    }
    in.root = add_root(document, node, false);
    index_schema(&in, resource, node, is_root);
}
