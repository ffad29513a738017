#include "expander.h"

/* What an item takes over from the record that it was in. */
struct parent_field {
    struct component where;
    struct expressions from, to;
};

struct expander {
    struct engine *engine;
    struct component where;
    struct expressions path, truncated_path;
    struct parent_field *fields;
    size_t field_count;
    bool remain_original, emit_parent, merge_parent;
    bool told_truncated;
};

static int no_globs(const struct expressions *path, struct engine *engine, struct component where,
                    const char *field, struct error *err)
{
    struct scope scope;
    struct path names;
    scope_init(&scope, engine);
    if (expressions_path(path, &scope, &engine->arena, &names, err) != 0)
        return -1;
    if (!path_has_glob(names.segments, names.count))
        return 0;
    error_set(err, ERROR_INVALID, "%s has *, ? or [; it must lead to one field", field);
    return component_error(err, where);
}

static int compile_fields(struct expander *expander, struct error *err)
{
    struct engine *engine = expander->engine;
    struct component list = component_get(expander->where, "parent_fields");
    expander->field_count = component_count(list);
    expander->fields = arena_alloc(&engine->arena, (expander->field_count + 1) * sizeof *expander->fields);
    for (size_t i = 0; i < expander->field_count; i++) {
        struct parent_field *field = &expander->fields[i];
        field->where = component_at(list, i);
        if (expressions_compile(engine, field->where, "parent_path", &field->from, err) != 0 ||
            expressions_compile(engine, field->where, "record_path", &field->to, err) != 0 ||
            no_globs(&field->from, engine, field->where, "parent_path", err) != 0 ||
            no_globs(&field->to, engine, field->where, "record_path", err) != 0)
            return -1;
        if (field->from.count && field->to.count)
            continue;
        error_set(err, ERROR_INVALID, "parent_path and record_path must not be empty");
        return component_error(err, field->where);
    }
    return 0;
}

int expander_compile(struct engine *engine, struct component component, struct expander **ret_expander,
                     struct error *err)
{
    *ret_expander = NULL;
    if (component_is_none(component))
        return 0;
    if (!component_is_none(component_get(component, "truncated_list_retriever"))) {
        error_set(err, ERROR_UNSUPPORTED,
                  "truncated_list_retriever of a RecordExpander is nothing that Firth has");
        return component_error(err, component);
    }
    struct expander *expander = *ret_expander = arena_zalloc(&engine->arena, sizeof *expander);
    expander->engine = engine;
    expander->where = component;
    expander->remain_original = component_bool(component, "remain_original_record");
    expander->merge_parent = component_bool(component, "merge_parent");
    struct slice when_none = component_text(component, "on_no_records");
    expander->emit_parent = when_none.data && slice_is(when_none, "emit_parent");
    if (expressions_compile(engine, component, "expand_records_from_field", &expander->path, err) != 0 ||
        expressions_compile(engine, component, "truncation_indicator_path", &expander->truncated_path, err) !=
            0 ||
        no_globs(&expander->truncated_path, engine, component, "truncation_indicator_path", err) != 0)
        return -1;
    return compile_fields(expander, err);
}

/* --- paths -----------------------------------------------------------------------------------------------
 */

struct matches {
    struct arena *arena;
    struct tlist list;
};

static int on_match(void *context, const struct slice *path, size_t count, struct tvalue value,
                    struct error *err)
{
    (void)path;
    (void)count;
    (void)err;
    struct matches *matches = context;
    tlist_push(matches->arena, &matches->list, value);
    return 0;
}

int path_take(struct arena *arena, const struct tvalue *document, struct path path, struct tvalue *ret_value,
              struct error *err)
{
    struct matches matches = {.arena = arena};
    bool many = false;
    assert(path.segments || path.count == 0);
    for (size_t i = 0; i < path.count; i++)
        many |= slice_is(path.segments[i], "*");
    if (!path_has_glob(path.segments, path.count)) {
        if (!value_at_path(arena, document, path.segments, path.count, ret_value))
            *ret_value = tvalue_none();
        return 0;
    }
    if (value_glob(arena, document, path.segments, path.count, on_match, &matches, err) != 0)
        return -1;
    if (!many && matches.list.count > 1)
        return error_set(err, ERROR_INVALID,
                         "field_path matches %u places of the response; only \"*\" may match several",
                         matches.list.count);
    *ret_value = tvalue_none();
    if (many) {
        *ret_value = tvalue_list(arena);
        *ret_value->list = matches.list;
    } else if (matches.list.count == 1) {
        *ret_value = matches.list.items[0];
    }
    return 0;
}

/* Where the lists are that are expanded. */
struct lists {
    struct arena *arena;
    struct path *paths;
    size_t count, capacity;
};

static int on_list(void *context, const struct slice *path, size_t count, struct tvalue value,
                   struct error *err)
{
    (void)err;
    struct lists *lists = context;
    if (!tvalue_is_list(&value))
        return 0;
    if (lists->count == lists->capacity) {
        size_t capacity = lists->capacity * 2 + 8;
        struct path *paths = arena_alloc(lists->arena, capacity * sizeof *paths);
        if (lists->count)
            memcpy(paths, lists->paths, lists->count * sizeof *paths);
        lists->paths = paths;
        lists->capacity = capacity;
    }
    struct slice *kept = arena_alloc(lists->arena, (count + 1) * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[i] = (struct slice){arena_strndup(lists->arena, path[i].data, path[i].size), path[i].size};
    lists->paths[lists->count++] = (struct path){kept, count};
    return 0;
}

/* --- items -----------------------------------------------------------------------------------------------
 */

/* The item over what its parent has beside the lists. A copy for each item: what changes one leaves the
 * others alone. */
static struct tvalue merged(struct arena *arena, struct tvalue item, const struct tvalue *parent,
                            const struct lists *lists)
{
    struct tvalue base = value_copy(arena, parent), key;
    struct titer iter;
    for (size_t i = lists->count; i-- > 0;)
        value_remove_path(arena, &base, lists->paths[i].segments, lists->paths[i].count);
    value_own(arena, &base);
    titer_init(&iter, arena, item);
    while (titer_next(&iter, &key))
        tdict_set(arena, base.dict, key, iter.of_key);
    return base;
}

static int copy_field(const struct expander *expander, const struct parent_field *field,
                      const struct tvalue *parent, struct arena *arena, struct tvalue *item,
                      struct error *err)
{
    struct scope scope;
    struct path from, to;
    struct tvalue value;
    scope_init(&scope, expander->engine);
    if (expressions_path(&field->from, &scope, arena, &from, err) != 0 ||
        expressions_path(&field->to, &scope, arena, &to, err) != 0)
        return -1;
    if (!value_at_path(arena, parent, from.segments, from.count, &value))
        value = tvalue_none();
    value = value_copy(arena, &value);
    if (value_set_path(arena, item, to.segments, to.count, value, err) == 0)
        return 0;
    error_wrap(err, "record_path");
    return component_error(err, field->where);
}

static int with_parent(const struct expander *expander, const struct tvalue *parent,
                       const struct lists *lists, struct arena *arena, struct tvalue *item, struct error *err)
{
    if (!expander->remain_original && !expander->merge_parent && !expander->field_count)
        return 0;
    if (!tvalue_is_mapping(item)) {
        struct tvalue scalar = *item;
        *item = tvalue_dict(arena);
        tdict_set_name(arena, item->dict, "value", scalar);
    }
    if (expander->merge_parent)
        *item = merged(arena, *item, parent, lists);
    else
        value_own(arena, item);
    for (size_t i = 0; i < expander->field_count; i++) {
        if (copy_field(expander, &expander->fields[i], parent, arena, item, err) != 0)
            return -1;
    }
    if (expander->remain_original)
        tdict_set_name(arena, item->dict, "original_record", *parent);
    return 0;
}

static void tell_truncated(struct expander *expander, const struct tvalue *record, struct arena *arena)
{
    struct scope scope;
    struct path path;
    struct tvalue value;
    struct error ignored;
    scope_init(&scope, expander->engine);
    if (expander->told_truncated || !expander->truncated_path.count ||
        expressions_path(&expander->truncated_path, &scope, arena, &path, &ignored) != 0 ||
        !value_at_path(arena, record, path.segments, path.count, &value) || !tvalue_true(&value))
        return;
    expander->told_truncated = true;
    engine_log(
        expander->engine, ENGINE_WARN,
        "a list inside of a record is cut short (truncation_indicator_path): what is not in it is not read");
}

int expander_run(struct expander *expander, struct tvalue record, struct arena *arena,
                 extractor_sink *on_value, void *context, struct error *err)
{
    struct scope scope;
    struct path path;
    struct tvalue found, list, item;
    struct lists lists = {.arena = arena};
    if (!tvalue_is_mapping(&record) || !expander->path.count)
        return on_value(context, record, err);
    scope_init(&scope, expander->engine);
    if (expressions_path(&expander->path, &scope, arena, &path, err) != 0 ||
        path_take(arena, &record, path, &found, err) != 0)
        return -1;
    tell_truncated(expander, &record, arena);
    bool many = false, any = false;
    for (size_t i = 0; i < path.count; i++)
        many |= slice_is(path.segments[i], "*");
    if (expander->merge_parent &&
        value_glob(arena, &record, path.segments, path.count, on_list, &lists, err) != 0)
        return -1;
    struct tlist one = {.items = &found, .count = 1};
    const struct tlist *all = many ? found.list : &one;
    for (uint32_t i = 0; i < all->count; i++) {
        struct titer iter;
        list = all->items[i];
        if (!tvalue_is_list(&list))
            continue;
        titer_init(&iter, arena, list);
        while (titer_next(&iter, &item)) {
            any = true;
            if (with_parent(expander, &record, &lists, arena, &item, err) != 0 ||
                on_value(context, item, err) != 0)
                return -1;
        }
    }
    return !any && expander->emit_parent ? on_value(context, record, err) : 0;
}
