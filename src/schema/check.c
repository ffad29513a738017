/* Checking schemas against their metaschemas. A resource with a metaschema of its own, embedded in a schema,
 * is checked against that one, and for the schema around it stands {}. */
#include "schema/compile.h"

static struct schema *metaschema_program(struct schema_registry *registry, const char *uri, struct error *err)
{
    struct schema *schema = map_get(&registry->metaschemas, slice_of(uri));
    if (schema)
        return schema;
    schema = compile_program(registry, uri, NULL, false, err);
    if (schema)
        map_set(&registry->metaschemas, slice_of(uri), schema);
    return schema;
}

/* The first of the embedded roots behind the node, as a position in `embedded`. */
static size_t embedded_after(const struct document *document, uint32_t node)
{
    size_t low = 0, high = document->embedded_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (document->roots[document->embedded[middle]].node <= node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The source between two embedded resources, and {} for each of these. False: there are none. */
static bool mask_embedded(const struct document *document, const struct schema_root *root, struct buffer *out)
{
    const struct json *json = &document->json;
    struct slice whole = json_raw(json, root->node);
    uint32_t node = root->node, kept = 0;
    bool found = false;
    for (size_t i = embedded_after(document, node); i < document->embedded_count; i++) {
        const struct schema_root *inner = &document->roots[document->embedded[i]];
        if (inner->node >= root->end)
            break;
        if (inner->node <= node)
            continue; /* within the last one */
        struct slice raw = json_raw(json, inner->node);
        uint32_t start = (uint32_t)(raw.data - whole.data);
        buffer_append(out, whole.data + kept, start - kept);
        buffer_str(out, "{}");
        kept = start + (uint32_t)raw.size;
        node = inner->end - 1;
        found = true;
    }
    buffer_append(out, whole.data + kept, whole.size - kept);
    return found;
}

/* What is checked: the document itself at the root, or a masked copy. */
struct subject {
    struct arena arena;
    const struct json *json;
    uint32_t node;
    struct json masked;
};

static int subject_init(struct subject *subject, const struct document *document,
                        const struct schema_root *root, struct error *err)
{
    struct buffer text;
    buffer_init(&text, SCHEMA_DOCUMENT_MAX + 1);
    arena_init(&subject->arena);
    subject->json = &document->json;
    subject->node = root->node;
    int result = 0;
    if (document->embedded_count > 0 && mask_embedded(document, root, &text)) {
        result = json_parse_copy(&subject->arena, text.data, text.size, &subject->masked, err);
        subject->json = &subject->masked;
        subject->node = 0;
    }
    buffer_done(&text);
    return result;
}

/* Connectors call anchors after their tables, whatever these are called ("PublicWeird Täble"), and refer to
 * them by the same words, which the metaschemas do not allow and which can mean but one thing. */
static bool is_free_anchor(const struct schema_violation *violation)
{
    const char *name = strrchr(violation->instance, '/');
    return name && (strcmp(name, "/$anchor") == 0 || strcmp(name, "/$dynamicAnchor") == 0) &&
           strcmp(violation->keyword, "pattern") == 0 && violation->value.size > 2; /* not "" */
}

/* The violations' places and words: the first, or all if these are wanted. 1 if there is nothing but how
 * anchors are called; 0 where what is wrong was noted, -1. */
static int violated(struct compiler *c, struct subject *subject, struct document *document,
                    const struct schema_root *root, const struct schema *metaschema,
                    struct schema_validator *validator)
{
    enum { MAX = 1024 };
    struct schema_violation *violations = arena_alloc(&subject->arena, MAX * sizeof *violations);
    size_t count = 0, told = 0;
    struct buffer base;
    if (schema_explain(metaschema, validator, subject->json, subject->node, &subject->arena, violations, MAX,
                       &count, c->err) < 0)
        return -1;
    buffer_init(&base, BUFFER_UNLIMITED);
    if (subject->node != root->node)
        json_pointer_of(&document->json, root->node, &base);
    int result = 0;
    for (size_t i = 0; i < count && told < SCHEMA_PROBLEMS_MAX && result == 0; i++) {
        if (is_free_anchor(&violations[i]) && count < MAX) /* else there may be others behind them */
            continue;
        const char *pointer =
            arena_printf(&subject->arena, "%s%s", buffer_cstr(&base), violations[i].instance);
        const char *where = arena_printf(&subject->arena, "%s#%s", document->uri, pointer);
        uint32_t node = json_pointer(&document->json, 0, slice_of(pointer));
        result = compile_go_on(c, compile_fail(c, ERROR_INVALID, document, node == JSON_NONE ? 0 : node,
                                               where, violations[i].message));
        told++;
    }
    buffer_done(&base);
    return result == 0 && told == 0 ? 1 : result;
}

/* 0 also where what is wrong was noted (compile_go_on): the caller goes on. */
static int check_root(struct compiler *c, struct document *document, size_t number)
{
    struct schema_registry *registry = c->registry;
    struct error *err = c->err;
    const struct resource *resource = document_resource_of(document, document->roots[number].node);
    const struct dialect dialect =
        resource->problem ? dialect_of_draft(registry->default_draft) : resource->dialect;
    struct schema *metaschema = metaschema_program(registry, dialect.metaschema, err);
    if (!metaschema)
        return -1;
    struct schema_root *root = &document->roots[number];
    struct subject subject;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    int noted = -1, valid = subject_init(&subject, document, root, err);
    if (valid == 0)
        valid = schema_validate(metaschema, validator, subject.json, subject.node, err);
    if (valid < 0)
        error_wrap(err, "schema %.600s", document->uri);
    else if (valid == 0)
        noted = violated(c, &subject, document, root, metaschema, validator);
    if (noted > 0)
        valid = 1;
    root->checked = valid > 0;
    root->objected = noted == 0;
    arena_done(&subject.arena);
    return valid > 0 ? 0 : noted;
}

/* A root that something was compiled from, and what is embedded in it. An embedded resource whose "$schema"
 * is not usable is an error only if it is used: compile_target says so. */
static int check_from(struct compiler *c, struct document *document, size_t number)
{
    const uint32_t node = document->roots[number].node, end = document->roots[number].end;
    if (check_root(c, document, number) < 0)
        return -1;
    for (size_t i = embedded_after(document, node); i < document->embedded_count; i++) {
        const size_t inner = document->embedded[i];
        const struct schema_root *root = &document->roots[inner];
        if (root->node >= end)
            break;
        if (!root->checked && !root->objected && !document_resource_of(document, root->node)->problem &&
            check_root(c, document, inner) < 0)
            return -1;
    }
    return 0;
}

int compile_check(struct compiler *c)
{
    for (size_t i = 0; i < c->program->document_count && c->problems; i++) {
        const struct document *document = c->program->documents[i];
        for (size_t root = 0; root < document->root_count; root++)
            document->roots[root].objected = false;
    }
    for (size_t i = RULE_FIRST; i < c->work_count; i++) {
        struct document *document = c->works[i].resource->document;
        const struct schema_root *root = document_root_of(document, c->works[i].node);
        if (root && !root->checked && !root->objected &&
            check_from(c, document, (size_t)(root - document->roots)) < 0)
            return -1;
    }
    return 0;
}
