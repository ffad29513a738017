/* Can a collection's key be had from every document that its schema accepts? Only what the schema says
 * plainly is held against it: properties, required and type, through $ref and allOf. Where a keyword like
 * oneOf or patternProperties could say more, nothing is concluded. */
#include "catalog/loader.h"

/* A schema object; `root` is what "#/…" in it starts from. */
struct view {
    const struct source *source;
    uint32_t root, at;
};

enum { VIEWS_MAX = 64 };

/* The schemas that all hold at one location. */
struct views {
    struct view items[VIEWS_MAX];
    size_t count;
    bool opaque; /* there is more than these say */
};

static const struct json *doc_of(const struct view *view)
{
    return &view->source->doc.json;
}

static bool resolve_ref(struct loader *loader, const struct view *view, uint32_t ref, struct view *ret_view)
{
    const char *text = json_cstring(doc_of(view), ref, &loader->scratch);
    const char *hash = text ? strchr(text, '#') : NULL;
    if (!text || (hash && hash[1] && hash[1] != '/') || strchr(text, '%') || strstr(text, "://"))
        return false;
    size_t path = hash ? (size_t)(hash - text) : strlen(text);
    struct view target = *view;
    if (path > 0) {
        auto_free char *joined = mem_printf("%s/%.*s", view->source->folder, (int)path, text);
        const struct source *source = loader_find(loader, joined);
        if (!source || !source->readable)
            return false;
        target = (struct view){source, 0, 0};
    }
    uint32_t at = json_pointer(doc_of(&target), target.root, slice_of(hash ? hash + 1 : ""));
    if (at == JSON_NONE)
        return false;
    *ret_view = (struct view){target.source, target.root, at};
    return true;
}

/* Add a schema and those that hold with it. */
static void add_view(struct loader *loader, struct views *views, struct view view, unsigned depth)
{
    static const char *const more[] = {"anyOf",
                                       "oneOf",
                                       "if",
                                       "dependentSchemas",
                                       "dependencies",
                                       "$dynamicRef",
                                       "$recursiveRef",
                                       "patternProperties",
                                       "not"};
    for (size_t i = 0; i < views->count; i++) {
        if (views->items[i].source == view.source && views->items[i].at == view.at)
            return;
    }
    const struct json *doc = doc_of(&view);
    if (!json_is(doc, view.at, JSON_OBJECT) || views->count == VIEWS_MAX || depth > VIEWS_MAX) {
        views->opaque = true;
        return;
    }
    views->items[views->count++] = view;
    for (size_t i = 0; i < RULES_COUNT(more); i++)
        views->opaque |= json_get(doc, view.at, more[i]) != JSON_NONE;
    if (view.at != view.root) /* references inside of it start from another base */
        views->opaque |= json_get(doc, view.at, "$id") != JSON_NONE;
    uint32_t ref = json_get(doc, view.at, "$ref");
    struct view target;
    if (ref != JSON_NONE) {
        if (resolve_ref(loader, &view, ref, &target))
            add_view(loader, views, target, depth + 1);
        else
            views->opaque = true;
    }
    uint32_t all = json_get(doc, view.at, "allOf");
    for (uint32_t each = json_first(doc, all); each != JSON_NONE; each = json_next(doc, all, each))
        add_view(loader, views, (struct view){view.source, view.root, each}, depth + 1);
}

/* --- one step down --------------------------------------------------------------------------------- */

struct step {
    bool listed, required, speaks; /* speaks: properties or required are there at all */
    const char *names[256];        /* of properties, for a suggestion */
    size_t name_count;
};

static void look_at(struct loader *loader, const struct view *view, struct slice name, struct step *step,
                    struct views *ret_children)
{
    const struct json *doc = doc_of(view);
    uint32_t properties = json_get(doc, view->at, "properties"),
             required = json_get(doc, view->at, "required");
    step->speaks |= properties != JSON_NONE || required != JSON_NONE;
    uint32_t child = json_get_slice(doc, properties, name);
    if (child != JSON_NONE) {
        step->listed = true;
        add_view(loader, ret_children, (struct view){view->source, view->root, child}, 0);
    }
    for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE;
         key = json_next_key(doc, properties, key)) {
        const char *each = json_cstring(doc, key, &loader->scratch);
        if (each && step->name_count < RULES_COUNT(step->names))
            step->names[step->name_count++] = each;
    }
    for (uint32_t each = json_first(doc, required); each != JSON_NONE;
         each = json_next(doc, required, each)) {
        if (json_is(doc, each, JSON_STRING))
            step->required |= slice_equal(json_string(doc, each, &loader->scratch), name);
    }
}

/* False: nothing more can be told below here, or a problem has been told. */
static bool step_down(struct loader *loader, struct value component, const char *pointer, struct slice name,
                      const struct views *views, struct views *ret_children)
{
    struct step step = {.listed = false};
    for (size_t i = 0; i < views->count; i++)
        look_at(loader, &views->items[i], name, &step, ret_children);
    if (!step.speaks || (!step.required && views->opaque))
        return false;
    if (!step.listed && !step.required) {
        const char *text = arena_strndup(&loader->scratch, name.data, name.size);
        loader_problem(loader, component, "the key '%s' is not in the schema: it has no property '%s'%s",
                       pointer, text, loader_suggest(loader, text, step.names, step.name_count));
        return false;
    }
    if (!step.required) {
        loader_problem(loader, component,
                       "the key '%s' could be missing in a document; add '%.*s' to the schema's 'required'",
                       pointer, SLICE_ARGS(name));
        return false;
    }
    return ret_children->count > 0;
}

/* --- types ----------------------------------------------------------------------------------------- */

static void check_type(struct loader *loader, struct value component, const char *pointer,
                       const struct views *views)
{
    static const char *const usable[] = {"string", "integer", "boolean", "null"};
    for (size_t i = 0; i < views->count; i++) {
        const struct json *doc = doc_of(&views->items[i]);
        uint32_t type = json_get(doc, views->items[i].at, "type");
        bool list = json_is(doc, type, JSON_ARRAY);
        for (uint32_t each = list ? json_first(doc, type) : type; each != JSON_NONE;
             each = list ? json_next(doc, type, each) : JSON_NONE) {
            bool fine = !json_is(doc, each, JSON_STRING); /* its own error, of the schema */
            for (size_t j = 0; j < RULES_COUNT(usable); j++)
                fine |= json_string_is(doc, each, usable[j]);
            if (fine)
                continue;
            loader_problem(
                loader, component,
                "the key '%s' has the type %s in the schema; a key must be a string, an integer or a "
                "boolean",
                pointer, json_cstring(doc, each, &loader->scratch));
            return;
        }
    }
}

/* ~1 and ~0 resolved. */
static struct slice unescape(struct loader *loader, const char *from, size_t size)
{
    char *text = arena_strndup(&loader->scratch, from, size);
    size_t out = 0;
    for (size_t i = 0; i < size; i++) {
        if (from[i] != '~')
            text[out++] = from[i];
        else
            text[out++] = from[++i] == '1' ? '/' : '~';
    }
    return (struct slice){text, out};
}

static void check_component(struct loader *loader, struct value component, const char *pointer,
                            const struct views *root)
{
    struct views here = *root;
    for (const char *at = pointer; *at;) {
        at++;
        size_t size = strcspn(at, "/");
        struct views children = {.count = 0};
        if (!step_down(loader, component, pointer, unescape(loader, at, size), &here, &children))
            return;
        here = children;
        at += size;
    }
    check_type(loader, component, pointer, &here);
}

/* Where a schema is: inline, or a file and a fragment. */
static bool find_schema(struct loader *loader, struct value schema, struct view *ret_view)
{
    if (!value_has_tag(schema, JSON_STRING)) {
        *ret_view = (struct view){schema.source, schema.at, schema.at};
        return true;
    }
    struct view file = {schema.source, 0, 0};
    return resolve_ref(loader, &file, schema.at, ret_view);
}

void keys_check(struct loader *loader, struct value key_list, struct value schema)
{
    struct view view;
    if (!value_there(schema) || !find_schema(loader, schema, &view))
        return;
    struct views *root = arena_zalloc(&loader->scratch, sizeof *root);
    add_view(loader, root, view, 0);
    for (struct value each = value_first(key_list); value_there(each); each = value_next(key_list, each)) {
        const char *pointer = value_has_tag(each, JSON_STRING) ? value_string(loader, each) : NULL;
        if (pointer && *pointer && names_pointer_valid(slice_of(pointer)))
            check_component(loader, each, pointer, root);
    }
}
