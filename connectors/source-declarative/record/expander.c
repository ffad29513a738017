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
    void *reader; /* of lists that are cut short, by engine->lists; NULL: none */
    bool told_truncated, told_incomplete;
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

enum {
    LISTS_NESTED_MAX = 4,     /* lists of lists of lists: each takes some of the stack */
    LIST_ITEMS_BETWEEN = 16,  /* looks at the memory that is taken */
    LIST_BYTES_MAX = 64 << 20 /* of a list that is read whole, and of the page that has its record */
};

static int compile_reader(struct expander *expander, struct error *err)
{
    struct engine *engine = expander->engine;
    struct component retriever = component_get(expander->where, "truncated_list_retriever");
    if (component_is_none(retriever))
        return 0;
    assert(engine->lists);
    if (!expander->truncated_path.count)
        error_set(err, ERROR_INVALID, "truncated_list_retriever needs truncation_indicator_path");
    else if (engine->lists_nested == LISTS_NESTED_MAX)
        error_set(err, ERROR_LIMIT, "a truncated_list_retriever is in more than %d others", LISTS_NESTED_MAX);
    else if (no_globs(&expander->path, engine, expander->where, "expand_records_from_field", err) != 0)
        return -1;
    else {
        engine->lists_nested++;
        int result = engine->lists->compile(engine, retriever, &expander->reader, err);
        engine->lists_nested--;
        return result;
    }
    return component_error(err, expander->where);
}

int expander_compile(struct engine *engine, struct component component, struct expander **ret_expander,
                     struct error *err)
{
    *ret_expander = NULL;
    if (component_is_none(component))
        return 0;
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
        no_globs(&expander->truncated_path, engine, component, "truncation_indicator_path", err) != 0 ||
        compile_fields(expander, err) != 0)
        return -1;
    return compile_reader(expander, err);
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

/* --- lists that are cut short ----------------------------------------------------------------------------
 */

/* One record that is being expanded. */
struct expansion {
    struct expander *expander;
    struct tvalue record;
    struct lists lists;
    struct arena *arena;
    extractor_sink *on_value;
    void *context;
    size_t count;
};

static int give(struct expansion *expansion, struct tvalue item, struct error *err)
{
    expansion->count++;
    if (with_parent(expansion->expander, &expansion->record, &expansion->lists, expansion->arena, &item,
                    err) != 0)
        return -1;
    return expansion->on_value(expansion->context, item, err);
}

/* What is beside the sign that the list is cut short; `sibling`: NULL for the sign itself. */
static bool beside_sign(const struct expansion *expansion, const char *sibling, struct tvalue *ret_value)
{
    struct scope scope;
    struct path path;
    struct error ignored;
    scope_init(&scope, expansion->expander->engine);
    if (!expansion->expander->truncated_path.count ||
        expressions_path(&expansion->expander->truncated_path, &scope, expansion->arena, &path, &ignored) !=
            0)
        return false;
    struct slice *segments = arena_dup(expansion->arena, path.segments, path.count * sizeof *segments);
    if (sibling)
        segments[path.count - 1] = slice_of(sibling);
    return value_at_path(expansion->arena, &expansion->record, segments, path.count, ret_value);
}

static bool is_truncated(const struct expansion *expansion)
{
    struct tvalue sign;
    return beside_sign(expansion, NULL, &sign) && tvalue_true(&sign);
}

static void tell_truncated(struct expander *expander)
{
    if (expander->told_truncated)
        return;
    expander->told_truncated = true;
    engine_log(expander->engine, ENGINE_WARN,
               "a list inside of a record is cut short (truncation_indicator_path), and there is no "
               "truncated_list_retriever: what is not in it is not read");
}

static void tell_incomplete(const struct expansion *expansion)
{
    struct expander *expander = expansion->expander;
    struct tvalue total;
    if (expander->told_incomplete || expander->engine->limits.pages_per_slice ||
        !beside_sign(expansion, "total_count", &total) || total.kind != TVALUE_INT ||
        total.integer <= (int64_t)expansion->count)
        return;
    expander->told_incomplete = true;
    engine_log(
        expander->engine, ENGINE_WARN,
        "truncated_list_retriever has %zu of %lld items (total_count) of a list inside of a record: has it "
        "a paginator, and is it the right list?",
        expansion->count, (long long)total.integer);
}

/* Its page is gone before ours is. */
static int on_fetched(void *context, struct tvalue item, struct error *err)
{
    struct expansion *expansion = context;
    if (expansion->count % LIST_ITEMS_BETWEEN == 0 && arena_used(expansion->arena) > LIST_BYTES_MAX) {
        error_set(err, ERROR_LIMIT, "truncated_list_retriever brings more than %d MiB for one record",
                  LIST_BYTES_MAX >> 20);
        return component_error(err, expansion->expander->where);
    }
    return give(expansion, value_copy(expansion->arena, &item), err);
}

static int expand_embedded(struct expansion *expansion, struct path path, struct error *err)
{
    struct tvalue found, item;
    bool many = false;
    if (path_take(expansion->arena, &expansion->record, path, &found, err) != 0)
        return -1;
    for (size_t i = 0; i < path.count; i++)
        many |= slice_is(path.segments[i], "*");
    struct tlist one = {.items = &found, .count = 1};
    const struct tlist *all = many ? found.list : &one;
    for (uint32_t i = 0; i < all->count; i++) {
        struct titer iter;
        struct tvalue list = all->items[i];
        if (!tvalue_is_list(&list))
            continue;
        titer_init(&iter, expansion->arena, list);
        while (titer_next(&iter, &item))
            if (give(expansion, item, err) != 0)
                return -1;
    }
    return 0;
}

int expander_run(struct expander *expander, struct tvalue record, struct arena *arena,
                 extractor_sink *on_value, void *context, struct error *err)
{
    struct scope scope;
    struct path path;
    struct expansion expansion = {.expander = expander,
                                  .record = record,
                                  .lists = {.arena = arena},
                                  .arena = arena,
                                  .on_value = on_value,
                                  .context = context};
    if (!tvalue_is_mapping(&record) || !expander->path.count)
        return on_value(context, record, err);
    scope_init(&scope, expander->engine);
    if (expressions_path(&expander->path, &scope, arena, &path, err) != 0 ||
        (expander->merge_parent &&
         value_glob(arena, &record, path.segments, path.count, on_list, &expansion.lists, err) != 0))
        return -1;
    bool truncated = is_truncated(&expansion);
    if (truncated && expander->reader) {
        if (expander->engine->lists->read(expander->reader, &record, on_fetched, &expansion, err) != 0)
            return -1;
        tell_incomplete(&expansion);
        if (expansion.count > 0)
            return 0;
    } else if (truncated) {
        tell_truncated(expander);
    }
    if (expand_embedded(&expansion, path, err) != 0)
        return -1;
    return expansion.count == 0 && expander->emit_parent ? on_value(context, record, err) : 0;
}
