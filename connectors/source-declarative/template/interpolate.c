#include "interpolate.h"

#include "literal.h"

struct interpolation {
    struct template *template;
    bool names_state;   /* says stream_state, which the CDK no longer has */
    bool plain_literal; /* plain, and a literal: */
    struct tvalue literal;
};

enum tree_kind { TREE_STRING, TREE_DICT, TREE_LIST, TREE_OTHER };

struct interpolated {
    enum tree_kind kind;
    struct interpolation *text;
    struct tvalue value; /* TREE_OTHER; and each as it stands in the document */
    struct interpolated **keys, **children;
    uint32_t count;
};

struct interpolation *interpolation_compile(struct arena *arena, struct slice text, struct error *err)
{
    struct interpolation *interpolation = arena_zalloc(arena, sizeof *interpolation);
    interpolation->template = template_compile(arena, text, err);
    if (!interpolation->template)
        return NULL;
    interpolation->names_state = memmem(text.data, text.size, "stream_state", strlen("stream_state"));
    interpolation->plain_literal =
        template_is_plain(interpolation->template) &&
        literal_read(arena, template_source(interpolation->template), &interpolation->literal);
    return interpolation;
}

/* --- literals ------------------------------------------------------------------------------------ */

static bool is_of(const struct tvalue *value, unsigned types)
{
    unsigned type = 0;
    switch (value->kind) {
    case TVALUE_STRING:
        type = INTERPOLATE_STR;
        break;
    case TVALUE_INT:
    case TVALUE_BIG:
        type = INTERPOLATE_INT;
        break;
    case TVALUE_BOOL:
        type = INTERPOLATE_BOOL | INTERPOLATE_INT;
        break;
    case TVALUE_FLOAT:
        type = INTERPOLATE_FLOAT;
        break;
    case TVALUE_LIST:
    case TVALUE_JSON_LIST:
        type = INTERPOLATE_LIST;
        break;
    case TVALUE_DICT:
    case TVALUE_JSON_DICT:
        type = INTERPOLATE_DICT;
        break;
    default:
        break;
    }
    return types == INTERPOLATE_ANY || type & types;
}

struct tvalue interpolate_literal(struct arena *arena, struct slice text, unsigned types)
{
    struct tvalue value;
    return literal_read(arena, text, &value) && is_of(&value, types) ? value : tvalue_string(text);
}

/* Would its repr() be read as the same value? Then nothing need be written and read. */
static bool is_own_literal(struct arena *arena, const struct tvalue *value, unsigned depth)
{
    struct titer iter;
    struct tvalue item;
    switch (value->kind) {
    case TVALUE_NONE:
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
        return true;
    case TVALUE_FLOAT:
        return isfinite(value->number);
    case TVALUE_STRING:
        return depth && !(value->flags & TVALUE_SAFE);
    case TVALUE_TUPLE:
        if (value->flags & TVALUE_CALENDAR)
            return false;
        break;
    case TVALUE_LIST:
    case TVALUE_DICT:
    case TVALUE_JSON_LIST:
    case TVALUE_JSON_DICT:
        break;
    default:
        return false;
    }
    if (depth >= INTERPOLATE_LITERAL_NESTING_MAX)
        return false;
    bool dict = value->kind == TVALUE_DICT || value->kind == TVALUE_JSON_DICT;
    titer_init(&iter, arena, *value);
    while (titer_next(&iter, &item)) {
        if (!is_own_literal(arena, &item, depth + 1) ||
            (dict && !is_own_literal(arena, &iter.of_key, depth + 1)))
            return false;
    }
    return true;
}

static int text_of(struct arena *arena, const struct tvalue *value, struct slice *ret_text, struct error *err)
{
    struct ttext text;
    *ret_text = value->text;
    if (value->kind == TVALUE_STRING)
        return 0;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    tvalue_str(&text, value);
    if (text.overflowed)
        return error_set(err, ERROR_LIMIT, "a template makes a text of more than %d MiB",
                         TEMPLATE_TEXT_MAX >> 20);
    *ret_text = ttext_slice_of(&text);
    return 0;
}

/* --- evaluating ---------------------------------------------------------------------------------- */

/* 1 with the value, 0 for an empty text, -1. */
static int evaluate(const struct interpolation *interpolation, unsigned types,
                    const struct template_scope *scope, struct arena *arena, struct tvalue *ret_value,
                    enum template_failure *ret_failure, struct error *err)
{
    struct tvalue value;
    struct slice text;
    bool is_text;
    if (interpolation->plain_literal && is_of(&interpolation->literal, types)) {
        *ret_value = interpolation->literal;
        return 1;
    }
    if (template_evaluate(interpolation->template, scope, arena, &value, &is_text, ret_failure, err) < 0) {
        if (*ret_failure != TEMPLATE_TYPE_ERROR)
            return -1;
        value = tvalue_string(template_source(interpolation->template));
    }
    *ret_failure = TEMPLATE_FAILED;
    if (value.kind == TVALUE_OBJECT)
        value = value.object->mapping;
    if (value.kind != TVALUE_STRING && is_of(&value, types) && is_own_literal(arena, &value, 0)) {
        *ret_value = value;
        return 1;
    }
    if (text_of(arena, &value, &text, err) < 0)
        return -1;
    *ret_value = interpolate_literal(arena, text, types);
    return text.size != 0;
}

int interpolation_eval(const struct interpolation *interpolation, const struct interpolation *fallback,
                       unsigned types, const struct template_scope *scope, struct arena *arena,
                       struct tvalue *ret_value, struct error *err)
{
    enum template_failure failure = TEMPLATE_RENDERED;
    if (interpolation->names_state)
        return error_set(
            err, ERROR_INVALID,
            "a template uses stream_state, which is no longer there; stream_interval has what it "
            "was used for");
    int done = evaluate(interpolation, types, scope, arena, ret_value, &failure, err);
    if (done == 1)
        return 0;
    if (done < 0 && failure != TEMPLATE_UNDEFINED)
        return -1;
    if (!fallback) {
        *ret_value = tvalue_none();
        return 0;
    }
    return evaluate(fallback, types, scope, arena, ret_value, &failure, err) < 0 ? -1 : 0;
}

int interpolation_string(const struct interpolation *interpolation, unsigned types,
                         const struct template_scope *scope, struct arena *arena, struct tvalue *ret_value,
                         struct error *err)
{
    return interpolation_eval(interpolation, interpolation, types, scope, arena, ret_value, err);
}

static bool is_false(const struct tvalue *value)
{
    static const char *const TEXTS[] = {"False", "false", "{}", "[]", "()", "", "0", "0.0"};
    switch (value->kind) {
    case TVALUE_STRING:
        for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
            if (slice_is(value->text, TEXTS[i]))
                return true;
        }
        return false;
    case TVALUE_BYTES:
        return false;
    default:
        return !tvalue_true(value);
    }
}

int interpolation_boolean(const struct interpolation *interpolation, const struct template_scope *scope,
                          struct arena *arena, bool *ret_value, struct error *err)
{
    struct tvalue value;
    /* The default is "False", which is none. */
    if (interpolation_eval(interpolation, NULL, INTERPOLATE_ANY, scope, arena, &value, err) < 0)
        return -1;
    *ret_value = !is_false(&value);
    return 0;
}

/* --- trees --------------------------------------------------------------------------------------- */

static struct interpolated *compile_text(struct arena *arena, const struct json *doc, uint32_t at,
                                         struct error *err)
{
    struct interpolated *tree = arena_zalloc(arena, sizeof *tree);
    tree->kind = TREE_STRING;
    tree->value = tvalue_string(json_string(doc, at, arena));
    tree->text = interpolation_compile(arena, tree->value.text, err);
    return tree->text ? tree : NULL;
}

static bool compile_children(struct arena *arena, const struct json *doc, uint32_t at,
                             struct interpolated *tree, struct error *err)
{
    uint32_t i = 0;
    bool dict = tree->kind == TREE_DICT;
    tree->count = json_count(doc, at);
    tree->keys = arena_zalloc(arena, tree->count * sizeof *tree->keys);
    tree->children = arena_zalloc(arena, tree->count * sizeof *tree->children);
    for (uint32_t child = dict ? json_first_key(doc, at) : json_first(doc, at); child != JSON_NONE;
         child = dict ? json_next_key(doc, at, child) : json_next(doc, at, child), i++) {
        if (dict && !(tree->keys[i] = compile_text(arena, doc, child, err)))
            return false;
        tree->children[i] = interpolated_compile(arena, doc, dict ? json_value(child) : child, err);
        if (!tree->children[i])
            return false;
    }
    return true;
}

struct interpolated *interpolated_compile(struct arena *arena, const struct json *doc, uint32_t at,
                                          struct error *err)
{
    if (json_is(doc, at, JSON_STRING))
        return compile_text(arena, doc, at, err);
    struct interpolated *tree = arena_zalloc(arena, sizeof *tree);
    tree->value = tvalue_json(arena, doc, at);
    tree->kind = json_is(doc, at, JSON_OBJECT)  ? TREE_DICT
                 : json_is(doc, at, JSON_ARRAY) ? TREE_LIST
                                                : TREE_OTHER;
    if (tree->kind != TREE_OTHER && !compile_children(arena, doc, at, tree, err))
        return NULL;
    return tree;
}

static int put_member(struct arena *arena, struct tdict *dict, struct tvalue key, struct tvalue value,
                      struct error *err)
{
    uint64_t hash;
    if (!tvalue_hash(arena, &key, &hash))
        return error_set(err, ERROR_INVALID, "an interpolated name became a %s, which can be no name",
                         tvalue_type(&key));
    tdict_set(arena, dict, key, value);
    return 0;
}

int interpolated_mapping(const struct interpolated *tree, unsigned key_types, unsigned value_types,
                         const struct template_scope *scope, struct arena *arena, struct tvalue *ret_value,
                         struct error *err)
{
    struct tvalue dict = tvalue_dict(arena), key, value;
    if (tree->kind != TREE_DICT)
        return error_set(err, ERROR_INVALID, "a mapping is needed, not a %s", tvalue_type(&tree->value));
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct interpolated *child = tree->children[i];
        value = child->value;
        if (interpolation_eval(tree->keys[i]->text, NULL, key_types, scope, arena, &key, err) < 0 ||
            (child->kind == TREE_STRING &&
             interpolation_eval(child->text, NULL, value_types, scope, arena, &value, err) < 0) ||
            put_member(arena, dict.dict, key, value, err) < 0)
            return -1;
    }
    *ret_value = dict;
    return 0;
}

static int nested_dict(const struct interpolated *tree, const struct template_scope *scope,
                       struct arena *arena, struct tvalue *ret_value, struct error *err)
{
    struct tvalue all = tvalue_dict(arena), dict = tvalue_dict(arena), key, value;
    struct titer iter;
    for (uint32_t i = 0; i < tree->count; i++) {
        if (interpolated_nested(tree->keys[i], scope, arena, &key, err) < 0 ||
            interpolated_nested(tree->children[i], scope, arena, &value, err) < 0 ||
            put_member(arena, all.dict, key, value, err) < 0)
            return -1;
    }
    titer_init(&iter, arena, all);
    while (titer_next(&iter, &key)) {
        if (iter.of_key.kind != TVALUE_NONE)
            tdict_set(arena, dict.dict, key, iter.of_key);
    }
    *ret_value = dict;
    return 0;
}

int interpolated_nested(const struct interpolated *tree, const struct template_scope *scope,
                        struct arena *arena, struct tvalue *ret_value, struct error *err)
{
    struct tvalue list, item;
    switch (tree->kind) {
    case TREE_STRING:
        return interpolation_eval(tree->text, NULL, INTERPOLATE_ANY, scope, arena, ret_value, err);
    case TREE_DICT:
        return nested_dict(tree, scope, arena, ret_value, err);
    case TREE_LIST:
        list = tvalue_list(arena);
        for (uint32_t i = 0; i < tree->count; i++) {
            if (interpolated_nested(tree->children[i], scope, arena, &item, err) < 0)
                return -1;
            tlist_push(arena, list.list, item);
        }
        *ret_value = list;
        return 0;
    default:
        *ret_value = tree->value;
        return 0;
    }
}

size_t interpolate_scope_slice(struct template_name *names, struct tvalue stream_slice)
{
    static const char *const NAMES[INTERPOLATE_SLICE_NAMES] = {"stream_slice", "stream_interval",
                                                               "stream_partition"};
    for (size_t i = 0; i < INTERPOLATE_SLICE_NAMES; i++)
        names[i] = (struct template_name){slice_of(NAMES[i]), stream_slice};
    return INTERPOLATE_SLICE_NAMES;
}
