#include "extractor.h"

#include "transform.h"

struct expander {
    struct expressions path;
    bool remain_original, emit_parent;
};

/* CombinedExtractor. */
struct combination {
    size_t count;
    struct extractor **parts;
    bool first_match, skip_empty;
};

struct extractor {
    const struct engine *engine;
    struct combination *combined; /* NULL: the rest is meant */
    bool tells_dropped;
    struct expressions path;
    struct path fixed; /* where no segment is a template: evaluated once */
    struct expander *expander;
};

/* Segments that are always the same need not be evaluated for each document. */
static int fix_path(struct engine *engine, struct extractor *extractor, struct error *err)
{
    struct scope scope;
    for (size_t i = 0; i < extractor->path.count; i++) {
        struct component where = extractor->path.items[i].where;
        struct slice text = json_string(&where.manifest->doc, where.at, &engine->arena);
        if (memmem(text.data, text.size, "{{", 2) || memmem(text.data, text.size, "{%", 2))
            return 0;
    }
    scope_init(&scope, engine);
    return expressions_path(&extractor->path, &scope, &engine->arena, &extractor->fixed, err);
}

static int compile_expander(struct engine *engine, struct component component, struct extractor *extractor,
                            struct error *err)
{
    if (component_is_none(component))
        return 0;
    static const char *const missing[] = {"truncated_list_retriever", "truncation_indicator_path",
                                          "merge_parent", "parent_fields"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct component field = component_get(component, missing[i]);
        if (component_is_none(field) || json_is(&field.manifest->doc, field.at, JSON_FALSE))
            continue;
        error_set(err, ERROR_UNSUPPORTED, "%s of a RecordExpander is nothing that Firth has", missing[i]);
        return component_error(err, component);
    }
    struct expander *expander = arena_zalloc(&engine->arena, sizeof *expander);
    extractor->expander = expander;
    expander->remain_original = component_bool(component, "remain_original_record");
    struct slice when_none = component_text(component, "on_no_records");
    expander->emit_parent = when_none.data && slice_is(when_none, "emit_parent");
    return expressions_compile(engine, component, "expand_records_from_field", &expander->path, err);
}

static int compile_combined(struct engine *engine, struct component component, struct extractor *extractor,
                            struct error *err)
{
    struct combination *combined = arena_zalloc(&engine->arena, sizeof *combined);
    struct component list = component_get(component, "extractors");
    combined->count = component_count(list);
    combined->parts = arena_zalloc(&engine->arena, (combined->count + 1) * sizeof(struct extractor *));
    combined->first_match = slice_is(component_text(component, "mode"), "first_match");
    combined->skip_empty = component_bool(component, "skip_empty_records");
    extractor->combined = combined;
    for (size_t i = 0; i < combined->count; i++) {
        if (extractor_compile(engine, component_at(list, i), &combined->parts[i], err) != 0)
            return -1;
    }
    return 0;
}

int extractor_compile(struct engine *engine, struct component component, struct extractor **ret_extractor,
                      struct error *err)
{
    struct extractor *extractor = arena_zalloc(&engine->arena, sizeof *extractor);
    extractor->engine = engine;
    *ret_extractor = extractor;
    if (component_is_none(component))
        return 0;
    if (component_is(component, "CombinedExtractor"))
        return compile_combined(engine, component, extractor, err);
    if (!component_is(component, "DpathExtractor")) {
        error_set(err, ERROR_UNSUPPORTED, "it is no extractor that Firth has");
        return component_error(err, component);
    }
    if (expressions_compile(engine, component, "field_path", &extractor->path, err) != 0 ||
        fix_path(engine, extractor, err) != 0)
        return -1;
    *ret_extractor = extractor;
    return compile_expander(engine, component_get(component, "record_expander"), extractor, err);
}

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

/* dpath.values where a segment is "*", else dpath.get: which may match once. A value, or none. */
static int take(struct arena *arena, const struct tvalue *document, struct path path,
                struct tvalue *ret_value, struct error *err)
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

static struct tvalue with_original(struct arena *arena, struct tvalue item, struct tvalue original)
{
    if (tvalue_is_mapping(&item)) {
        value_own(arena, &item);
    } else {
        struct tvalue scalar = item;
        item = tvalue_dict(arena);
        tdict_set_name(arena, item.dict, "value", scalar);
    }
    tdict_set_name(arena, item.dict, "original_record", original);
    return item;
}

/* The lists inside of a record instead of it. */
static int expand(const struct extractor *extractor, struct tvalue record, struct arena *arena,
                  extractor_sink *on_value, void *context, struct error *err)
{
    const struct expander *expander = extractor->expander;
    struct scope scope;
    struct path path;
    struct tvalue found, lists[1], list, item;
    if (!tvalue_is_mapping(&record))
        return on_value(context, record, err);
    scope_init(&scope, extractor->engine);
    if (expressions_path(&expander->path, &scope, arena, &path, err) != 0 ||
        take(arena, &record, path, &found, err) != 0)
        return -1;
    bool many = false, any = false;
    for (size_t i = 0; i < path.count; i++)
        many |= slice_is(path.segments[i], "*");
    lists[0] = found;
    struct tlist one = {.items = lists, .count = 1};
    const struct tlist *all = many ? found.list : &one;
    for (uint32_t i = 0; i < all->count; i++) {
        struct titer iter;
        list = all->items[i];
        if (!tvalue_is_list(&list))
            continue;
        titer_init(&iter, arena, list);
        while (titer_next(&iter, &item)) {
            any = true;
            if (expander->remain_original)
                item = with_original(arena, item, record);
            if (on_value(context, item, err) != 0)
                return -1;
        }
    }
    return !any && expander->emit_parent ? on_value(context, record, err) : 0;
}

void extractor_tell_dropped(struct extractor *extractor)
{
    extractor->tells_dropped = true;
    for (size_t i = 0; extractor->combined && i < extractor->combined->count; i++)
        extractor_tell_dropped(extractor->combined->parts[i]);
}

/* --- several extractors -------------------------------------------------------------------------- */

struct combining {
    const struct extractor *extractor;
    extractor_sink *on_value;
    void *context;
    bool found;
    size_t dropped; /* before the first value was found, of a part that may not be the one */
};

static int tell_dropped(struct combining *combining, struct error *err)
{
    for (; combining->dropped > 0; combining->dropped--) {
        if (combining->on_value(combining->context, tvalue_undefined(SLICE_LITERAL("")), err) != 0)
            return -1;
    }
    return 0;
}

static int on_part(void *context, struct tvalue value, struct error *err)
{
    struct combining *combining = context;
    const struct combination *combined = combining->extractor->combined;
    bool dropped = value.kind == TVALUE_UNDEFINED; /* by a combination inside of this one */
    if (!dropped && combined->skip_empty && !tvalue_true(&value)) {
        if (!combining->extractor->tells_dropped)
            return 0;
        dropped = true;
    }
    combining->dropped += dropped;
    combining->found |= !dropped;
    if (dropped && combined->first_match && !combining->found)
        return 0;
    if (tell_dropped(combining, err) != 0)
        return -1;
    return dropped ? 0 : combining->on_value(combining->context, value, err);
}

static int run_combined(const struct extractor *extractor, const struct tvalue *document, struct arena *arena,
                        extractor_sink *on_value, void *context, struct error *err)
{
    const struct combination *combined = extractor->combined;
    struct combining combining = {extractor, on_value, context, false, 0};
    for (size_t i = 0; i < combined->count && !(combined->first_match && combining.found); i++) {
        combining.dropped = 0;
        if (extractor_run(combined->parts[i], document, arena, on_part, &combining, err) != 0)
            return -1;
    }
    return 0;
}

int extractor_run(const struct extractor *extractor, const struct tvalue *document, struct arena *arena,
                  extractor_sink *on_value, void *context, struct error *err)
{
    struct tvalue found = *document, item;
    struct path path = extractor->fixed;
    if (extractor->combined)
        return run_combined(extractor, document, arena, on_value, context, err);
    if (!path.segments && extractor->path.count > 0) {
        struct scope scope;
        scope_init(&scope, extractor->engine);
        if (expressions_path(&extractor->path, &scope, arena, &path, err) != 0)
            return -1;
    }
    if (path.count > 0 && take(arena, document, path, &found, err) != 0)
        return -1;
    if (!tvalue_is_list(&found)) {
        if (!tvalue_true(&found))
            return 0;
        return extractor->expander ? expand(extractor, found, arena, on_value, context, err)
                                   : on_value(context, found, err);
    }
    struct titer iter;
    titer_init(&iter, arena, found);
    while (titer_next(&iter, &item)) {
        int result = extractor->expander ? expand(extractor, item, arena, on_value, context, err)
                                         : on_value(context, item, err);
        if (result != 0)
            return -1;
    }
    return 0;
}
