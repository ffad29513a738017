#include "extractor.h"

#include "expander.h"

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
    return expander_compile(engine, component_get(component, "record_expander"), &extractor->expander, err);
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
    if (path.count > 0 && path_take(arena, document, path, &found, err) != 0)
        return -1;
    if (!tvalue_is_list(&found)) {
        if (!tvalue_true(&found))
            return 0;
        return extractor->expander ? expander_run(extractor->expander, found, arena, on_value, context, err)
                                   : on_value(context, found, err);
    }
    struct titer iter;
    titer_init(&iter, arena, found);
    while (titer_next(&iter, &item)) {
        int result = extractor->expander
                         ? expander_run(extractor->expander, item, arena, on_value, context, err)
                         : on_value(context, item, err);
        if (result != 0)
            return -1;
    }
    return 0;
}
