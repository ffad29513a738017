#include "options.h"

static const char *const target_names[] = {"parameter", "header", "form field", "JSON field"};

void options_new(struct options *options, struct arena *arena)
{
    options->arena = arena;
    options->who = "the stream";
    for (unsigned target = 0; target < OPTION_TARGET_COUNT; target++)
        options->in[target] = tvalue_dict(arena);
}

static int collision(struct slice path, enum option_target target, const char *who, struct error *err)
{
    size_t shown = utf8_cut(path.data, path.size, 200);
    return error_set(err, ERROR_CONNECTOR,
                     "%s adds the %s \"%.*s\", which the request has already; names must differ", who,
                     target_names[target], (int)shown, path.data);
}

struct merge {
    struct arena *arena;
    enum option_target target;
    const char *who;
    struct error *err;
};

static struct tvalue own_dict(struct arena *arena, struct tvalue value)
{
    struct titer iter;
    struct tvalue key, dict = tvalue_dict(arena);
    if (titer_init(&iter, arena, value)) {
        while (titer_next(&iter, &key))
            tdict_set(arena, dict.dict, key, iter.of_key);
    }
    return dict;
}

/* `into` is a dict of ours, which may be changed. Only JSON may have the same value twice. */
static int merge_dicts(const struct merge *merge, struct tdict *into, const struct tvalue *more,
                       struct slice above)
{
    struct titer iter;
    struct tvalue key;
    if (!titer_init(&iter, merge->arena, *more))
        return 0;
    while (titer_next(&iter, &key)) {
        struct tvalue value = iter.of_key, there;
        if (!tdict_get(into, &key, &there)) {
            tdict_set(merge->arena, into, key, value);
            continue;
        }
        struct ttext path;
        ttext_init(&path, merge->arena, SIZE_MAX);
        ttext_slice(&path, above);
        if (above.size)
            ttext_byte(&path, '.');
        tvalue_str(&path, &key);
        if (tvalue_is_mapping(&there) && tvalue_is_mapping(&value)) {
            struct tvalue inner = own_dict(merge->arena, there);
            tdict_set(merge->arena, into, key, inner);
            if (merge_dicts(merge, inner.dict, &value, ttext_slice_of(&path)) != 0)
                return -1;
        } else if (merge->target != OPTION_BODY_JSON || !tvalue_equal(merge->arena, &there, &value)) {
            return collision(ttext_slice_of(&path), merge->target, merge->who, merge->err);
        }
    }
    return 0;
}

static int merge_target(struct options *options, enum option_target target, const struct tvalue *more,
                        const char *who, struct error *err)
{
    struct tvalue *mine = &options->in[target];
    if (more->kind == TVALUE_NONE || (tvalue_is_mapping(more) && tvalue_count(more) == 0))
        return 0;
    bool empty = tvalue_is_mapping(mine) && tvalue_count(mine) == 0;
    if (!tvalue_is_mapping(more) || !tvalue_is_mapping(mine)) {
        if (!empty)
            return error_set(err, ERROR_CONNECTOR,
                             "%s adds a field to a body that is a text; a body is either a text or fields",
                             who);
        *mine = *more;
        return 0;
    }
    if (mine->kind != TVALUE_DICT)
        *mine = own_dict(options->arena, *mine);
    struct merge merge = {options->arena, target, who, err};
    return merge_dicts(&merge, mine->dict, more, SLICE_LITERAL(""));
}

int options_merge(struct options *options, const struct options *more, const char *who, struct error *err)
{
    for (unsigned target = 0; target < OPTION_TARGET_COUNT; target++) {
        if (merge_target(options, target, &more->in[target], who, err) != 0)
            return -1;
    }
    return 0;
}

int options_put(struct options *options, enum option_target target, struct tvalue name, struct tvalue value,
                const char *who, struct error *err)
{
    struct tvalue dict = tvalue_dict(options->arena);
    tdict_set(options->arena, dict.dict, name, value);
    return merge_target(options, target, &dict, who, err);
}

int options_put_all(struct options *options, enum option_target target, struct tvalue values, const char *who,
                    struct error *err)
{
    return merge_target(options, target, &values, who, err);
}

/* --- RequestOption ---------------------------------------------------------------------------------------
 */

int request_option_compile_at(struct engine *engine, struct component component,
                              struct request_option **ret_option, struct error *err)
{
    struct request_option *option = arena_zalloc(&engine->arena, sizeof *option);
    option->where = component;
    option->target = (enum option_target)component_enum(component, "inject_into");
    if (expression_compile(engine, component, "field_name", &option->name, err) != 0 ||
        expressions_compile(engine, component, "field_path", &option->path, err) != 0)
        return -1;
    /* Rules of the manifest's. */
    assert(expression_is_absent(&option->name) == (option->path.count > 0));
    assert(!option->path.count || option->target == OPTION_BODY_JSON);
    *ret_option = option;
    return 0;
}

int request_option_compile(struct engine *engine, struct component component, const char *field,
                           struct request_option **ret_option, struct error *err)
{
    struct component option = component_get(component, field);
    if (component_is_none(option) || !component_is(option, "RequestOption")) {
        *ret_option = NULL;
        return 0;
    }
    return request_option_compile_at(engine, option, ret_option, err);
}

int request_option_set(const struct request_option *option, struct scope *scope, struct tvalue value,
                       struct options *options, struct error *err)
{
    struct arena *arena = options->arena;
    const char *who = options->who;
    struct slice name;
    if (!option->path.count) {
        if (expression_text(&option->name, scope, arena, &name, err) != 0)
            return -1;
        return options_put(options, option->target, tvalue_string(name), value, who, err);
    }
    for (size_t i = option->path.count - 1; i > 0; i--) {
        struct tvalue outer = tvalue_dict(arena);
        if (expression_text(&option->path.items[i], scope, arena, &name, err) != 0)
            return -1;
        tdict_set(arena, outer.dict, tvalue_string(name), value);
        value = outer;
    }
    if (expression_text(&option->path.items[0], scope, arena, &name, err) != 0)
        return -1;
    return options_put(options, option->target, tvalue_string(name), value, who, err);
}
