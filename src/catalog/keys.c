/* Can a collection's key be had from every document that its schema accepts? Only what the schema says
 * plainly is held against it: false, properties, additionalProperties: false, required, type, enum and const,
 * through $ref and allOf. Where a keyword like oneOf or patternProperties could say more, only what no
 * keyword can make possible again is: each narrows what the others accept. */
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
    bool opaque;  /* there is more than these say, so less may be possible */
    bool nothing; /* one of them is `false` */
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
    if (json_is(doc, view.at, JSON_TRUE))
        return;
    views->nothing |= json_is(doc, view.at, JSON_FALSE);
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

/* --- types ----------------------------------------------------------------------------------------- */

enum {
    IS_NULL = 1 << 0,
    IS_BOOLEAN = 1 << 1,
    IS_INTEGER = 1 << 2,
    IS_FRACTION = 1 << 3,
    IS_STRING = 1 << 4,
    IS_ARRAY = 1 << 5,
    IS_OBJECT = 1 << 6,
    IS_ANY = 0x7f,
    IS_KEY = IS_BOOLEAN | IS_INTEGER | IS_STRING
};

static const struct {
    const char *name;
    unsigned types;
} type_names[] = {
    {"null", IS_NULL},     {"boolean", IS_BOOLEAN}, {"number", IS_INTEGER | IS_FRACTION},
    {"string", IS_STRING}, {"integer", IS_INTEGER}, {"array", IS_ARRAY},
    {"object", IS_OBJECT},
};

/* `type`: a name or a list of names. What is neither is an error of the schema, told elsewhere. */
static unsigned types_by_name(const struct json *doc, uint32_t type)
{
    bool list = json_is(doc, type, JSON_ARRAY);
    unsigned types = 0;
    for (uint32_t each = list ? json_first(doc, type) : type; each != JSON_NONE;
         each = list ? json_next(doc, type, each) : JSON_NONE) {
        unsigned known = 0;
        for (size_t i = 0; i < RULES_COUNT(type_names); i++) {
            if (json_is(doc, each, JSON_STRING) && json_string_is(doc, each, type_names[i].name))
                known = type_names[i].types;
        }
        types |= known ? known : IS_ANY;
    }
    return types;
}

static unsigned type_of_value(const struct json *doc, uint32_t at)
{
    static const unsigned types[JSON_TAG_MAX] = {
        [JSON_NULL] = IS_NULL,     [JSON_FALSE] = IS_BOOLEAN,
        [JSON_TRUE] = IS_BOOLEAN,  [JSON_INTEGER] = IS_INTEGER,
        [JSON_STRING] = IS_STRING, [JSON_NUMBER] = IS_INTEGER | IS_FRACTION, /* 1.0 is an integer */
        [JSON_ARRAY] = IS_ARRAY,   [JSON_OBJECT] = IS_OBJECT,
    };
    return types[json_tag(doc, at)];
}

/* The types that a value may have by all of the schemas, as far as these say it: at most these. */
static unsigned types_of(const struct views *views)
{
    unsigned types = views->nothing ? 0 : IS_ANY;
    for (size_t i = 0; i < views->count; i++) {
        const struct json *doc = doc_of(&views->items[i]);
        uint32_t at = views->items[i].at, type = json_get(doc, at, "type"), one = json_get(doc, at, "const"),
                 choice = json_get(doc, at, "enum");
        if (type != JSON_NONE)
            types &= types_by_name(doc, type);
        if (one != JSON_NONE)
            types &= type_of_value(doc, one);
        if (json_is(doc, choice, JSON_ARRAY)) {
            unsigned of_values = 0;
            for (uint32_t each = json_first(doc, choice); each != JSON_NONE;
                 each = json_next(doc, choice, each))
                of_values |= type_of_value(doc, each);
            types &= of_values;
        }
    }
    return types;
}

/* "object or array", in scratch. */
static const char *types_text(struct loader *loader, unsigned types)
{
    const char *text = "";
    for (size_t i = 0; i < RULES_COUNT(type_names); i++) {
        bool covered = type_names[i].types == IS_INTEGER && (types & IS_FRACTION);
        if ((types & type_names[i].types) == type_names[i].types && !covered)
            text = arena_printf(&loader->scratch, "%s%s%s", text, *text ? " or " : "", type_names[i].name);
    }
    return text;
}

static void check_type(struct loader *loader, struct value component, const char *pointer,
                       const struct views *views)
{
    static const char usable[] = "a key must be a string, an integer or a boolean";
    unsigned types = types_of(views), wrong = types & ~(unsigned)(IS_KEY | IS_NULL);
    if (types == IS_ANY || (views->opaque && (types & IS_KEY)))
        return;
    if (types == 0)
        loader_problem(loader, component,
                       "no document can have the key '%s': the schema accepts nothing there", pointer);
    else if (wrong)
        loader_problem(loader, component, "the key '%s' has the type %s in the schema; %s", pointer,
                       types_text(loader, wrong | (wrong & IS_FRACTION ? IS_INTEGER : 0)), usable);
    else if (types & IS_NULL)
        loader_problem(loader, component, "the key '%s' could be null in a document; %s", pointer, usable);
}

/* --- one step down --------------------------------------------------------------------------------- */

struct step {
    bool listed, required, speaks; /* speaks: properties or required are there at all */
    bool forbidden;                /* by additionalProperties: false */
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
    } else {
        step->forbidden |= json_is(doc, json_get(doc, view->at, "additionalProperties"), JSON_FALSE) &&
                           json_get(doc, view->at, "patternProperties") == JSON_NONE;
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

/* Can there be anything below this location? `parent` is the location's size in the pointer. */
static bool may_hold(struct loader *loader, struct value component, const char *pointer, size_t parent,
                     struct slice name, const struct views *views)
{
    bool number = name.size > 0 && strspn(name.data, "0123456789") >= name.size;
    unsigned types = types_of(views);
    if (types & (IS_OBJECT | (number ? IS_ARRAY : 0)))
        return true;
    const char *where = parent ? arena_printf(&loader->scratch, " at '%.*s'", (int)parent, pointer) : "";
    if (types == 0)
        loader_problem(loader, component, "no document can have the key '%s': the schema accepts nothing%s",
                       pointer, where);
    else
        loader_problem(loader, component,
                       "no document can have the key '%s': the schema has the type %s%s, not object", pointer,
                       types_text(loader, types), where);
    return false;
}

/* False: nothing more can be told below here, or a problem has been told. */
static bool step_down(struct loader *loader, struct value component, const char *pointer, struct slice name,
                      const struct views *views, struct views *ret_children)
{
    struct step step = {.listed = false};
    for (size_t i = 0; i < views->count; i++)
        look_at(loader, &views->items[i], name, &step, ret_children);
    ret_children->opaque |= views->opaque;
    const char *text = arena_strndup(&loader->scratch, name.data, name.size);
    if (step.forbidden) {
        loader_problem(loader, component,
                       "no document can have the key '%s': the schema has no property '%s', and "
                       "additionalProperties is false%s",
                       pointer, text, loader_suggest(loader, text, step.names, step.name_count));
        return false;
    }
    if (!step.speaks)
        return false;
    if (!step.listed && !step.required && !views->opaque) {
        loader_problem(loader, component, "the key '%s' is not in the schema: it has no property '%s'%s",
                       pointer, text, loader_suggest(loader, text, step.names, step.name_count));
        return false;
    }
    if (!step.required && !views->opaque) {
        loader_problem(loader, component,
                       "the key '%s' could be missing in a document; add '%s' to the schema's 'required'",
                       pointer, text);
        return false;
    }
    return ret_children->count > 0 || ret_children->nothing;
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
        struct slice name = unescape(loader, at, size);
        if (!may_hold(loader, component, pointer, (size_t)(at - 1 - pointer), name, &here) ||
            !step_down(loader, component, pointer, name, &here, &children))
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
