#include "dynamic.h"

#include "source-declarative/record/transform.h"

struct mapping {
    struct expressions path;
    struct expression value, condition;
    unsigned types;
    bool create, reads_yaml; /* of a value that is a text */
    struct component where;
};

struct dynamic_stream {
    struct engine *engine;
    struct component definition, stream_template, resolver;
    struct mapping *mappings;
    size_t mapping_count;
};

/* --- streams
 * -------------------------------------------------------------------------------------------------- */

int stream_components_add(struct engine *engine, struct stream_components *streams, struct component stream,
                          struct error *err)
{
    if (streams->count == DYNAMIC_STREAMS_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d streams", DYNAMIC_STREAMS_MAX);
    if (streams->count == streams->capacity) {
        streams->capacity = streams->capacity ? streams->capacity * 2 : 64;
        struct component *items = arena_alloc(&engine->arena, streams->capacity * sizeof *items);
        if (streams->count > 0)
            memcpy(items, streams->items, streams->count * sizeof *items);
        streams->items = items;
    }
    streams->items[streams->count++] = stream;
    return 0;
}

static int add_conditional(struct engine *engine, struct stream_components *streams,
                           struct component component, struct error *err)
{
    struct scope scope;
    struct expression condition;
    bool holds;
    scope_init(&scope, engine);
    if (expression_compile(engine, component, "condition", &condition, err) < 0 ||
        expression_bool(&condition, &scope, false, &engine->arena, &holds, err) < 0)
        return -1;
    struct component list = component_get(component, "streams");
    for (size_t i = 0; holds && i < component_count(list); i++)
        if (stream_components_add(engine, streams, component_at(list, i), err) < 0)
            return -1;
    return 0;
}

int stream_components_written(struct engine *engine, struct stream_components *streams, struct error *err)
{
    struct component list = component_get(engine->root, "streams");
    for (size_t i = 0; i < component_count(list); i++) {
        struct component stream = component_at(list, i);
        int done = component_is(stream, "ConditionalStreams")
                       ? add_conditional(engine, streams, stream, err)
                       : stream_components_add(engine, streams, stream, err);
        if (done < 0)
            return -1;
    }
    return 0;
}

/* --- compiled
 * ------------------------------------------------------------------------------------------------- */

/* What an API says is taken as it is, and nothing is made of it that the template has not; what a person
 * wrote is YAML, but for a text in the config that is to be one. */
static int compile_mapping(struct engine *engine, struct component resolver, struct component component,
                           struct mapping *ret_mapping, struct error *err)
{
    bool http = component_is(resolver, "HttpComponentsResolver");
    static const struct {
        const char *name;
        unsigned types;
    } kinds[] = {{"string", INTERPOLATE_STR},
                 {"number", INTERPOLATE_FLOAT},
                 {"integer", INTERPOLATE_INT},
                 {"boolean", INTERPOLATE_BOOL}};
    struct slice type = component_text(component, "value_type");
    *ret_mapping = (struct mapping){.create = !http && component_bool(component, "create_or_update"),
                                    .where = component};
    for (size_t i = 0; type.data && i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is(type, kinds[i].name))
            ret_mapping->types = kinds[i].types;
    ret_mapping->reads_yaml = !http && !(ret_mapping->types == INTERPOLATE_STR &&
                                         component_is(resolver, "ConfigComponentsResolver"));
    if (component_text(component, "condition").size > 0 &&
        expression_compile(engine, component, "condition", &ret_mapping->condition, err) < 0)
        return -1;
    if (expressions_compile(engine, component, "field_path", &ret_mapping->path, err) < 0)
        return -1;
    return expression_compile(engine, component, "value", &ret_mapping->value, err);
}

int dynamic_stream_compile(struct engine *engine, struct component component,
                           struct dynamic_stream **ret_dynamic, struct error *err)
{
    struct dynamic_stream *dynamic = arena_zalloc(&engine->arena, sizeof *dynamic);
    *dynamic = (struct dynamic_stream){
        .engine = engine,
        .definition = component,
        .stream_template = component_get(component, "stream_template"),
        .resolver = component_get(component, "components_resolver"),
    };
    struct component list = component_get(dynamic->resolver, "components_mapping");
    dynamic->mapping_count = component_count(list);
    dynamic->mappings =
        arena_zalloc(&engine->arena, (dynamic->mapping_count + 1) * sizeof *dynamic->mappings);
    for (size_t i = 0; i < dynamic->mapping_count; i++)
        if (compile_mapping(engine, dynamic->resolver, component_at(list, i), &dynamic->mappings[i], err) < 0)
            return -1;
    *ret_dynamic = dynamic;
    return 0;
}

/* --- one stream
 * -------------------------------------------------------------------------------------------------- */

/* A text that is YAML is what it says; any other stays text. */
static struct tvalue parse_if_yaml(struct arena *arena, struct tvalue value)
{
    struct yaml_document *doc = arena_zalloc(arena, sizeof *doc);
    struct error ignored;
    if (value.kind != TVALUE_STRING ||
        yaml_parse(arena, "value", YAML_SYNTAX_YAML_1_1, value.text, NULL, NULL, doc, &ignored) < 0)
        return value;
    return tvalue_json(arena, &doc->json, 0);
}

struct setting {
    struct arena *arena;
    struct tvalue *stream, value;
    struct path *found;
    size_t count, capacity;
};

static int keep_path(void *context, const struct slice *path, size_t count, struct tvalue value,
                     struct error *err)
{
    struct setting *setting = context;
    if (setting->count == setting->capacity) {
        setting->capacity = setting->capacity ? setting->capacity * 2 : 8;
        struct path *found = arena_alloc(setting->arena, setting->capacity * sizeof *found);
        if (setting->count > 0)
            memcpy(found, setting->found, setting->count * sizeof *found);
        setting->found = found;
    }
    setting->found[setting->count++] =
        (struct path){arena_dup(setting->arena, path, count * sizeof *path), count};
    return 0;
}

/* dpath.set: every place that is there; then, if none is and it may, dpath.new. */
static int set_field(struct setting *setting, struct path path, bool create, struct error *err)
{
    if (value_glob(setting->arena, setting->stream, path.segments, path.count, keep_path, setting, err) < 0)
        return -1;
    for (size_t i = 0; i < setting->count; i++)
        if (value_set_path(setting->arena, setting->stream, setting->found[i].segments,
                           setting->found[i].count, setting->value, err) < 0)
            return -1;
    if (setting->count > 0 || !create || !tvalue_true(&setting->value))
        return 0;
    return value_set_path(setting->arena, setting->stream, path.segments, path.count, setting->value, err);
}

static int apply(const struct dynamic_stream *dynamic, const struct mapping *mapping, struct scope *scope,
                 struct tvalue *stream, struct error *err)
{
    struct arena *arena = &dynamic->engine->arena;
    struct tvalue value;
    struct path path;
    bool holds = true;
    if (!expression_is_absent(&mapping->condition) &&
        expression_bool(&mapping->condition, scope, true, arena, &holds, err) < 0)
        return -1;
    if (!holds)
        return 0;
    scope->names[0].value = mapping->value.parameters;
    struct template_scope names = {scope->names, scope->count, scope->engine->clock};
    if (interpolation_string(mapping->value.code, mapping->types, &names, arena, &value, err) < 0 ||
        expressions_path(&mapping->path, scope, arena, &path, err) < 0)
        return -1;
    struct setting setting = {
        .arena = arena, .stream = stream, .value = mapping->reads_yaml ? parse_if_yaml(arena, value) : value};
    return set_field(&setting, path, mapping->create, err);
}

int dynamic_stream_make(const struct dynamic_stream *dynamic, struct tvalue components_values,
                        struct tvalue stream_slice, struct stream_components *streams, struct error *err)
{
    struct engine *engine = dynamic->engine;
    struct component origin = dynamic->stream_template, made;
    struct tvalue whole = tvalue_json(&engine->arena, &origin.manifest->doc, origin.at), stream = whole;
    struct scope scope;
    scope_init(&scope, engine);
    scope_set(&scope, "components_values", components_values);
    scope_set(&scope, "stream_template_config", whole);
    if (stream_slice.kind != TVALUE_NONE)
        scope_set_slice(&scope, stream_slice);
    for (size_t i = 0; i < dynamic->mapping_count; i++)
        if (apply(dynamic, &dynamic->mappings[i], &scope, &stream, err) < 0)
            return component_error(err, dynamic->mappings[i].where);
    struct buffer text;
    buffer_init(&text, MANIFEST_EXPANDED_MAX);
    int done = value_write(&text, &stream, err);
    if (done == 0)
        done = manifest_derive(&engine->arena, origin, (struct slice){text.data, text.size},
                               component_type(origin)->name,
                               component_bool(dynamic->definition, "use_parent_parameters"), &made, err);
    buffer_done(&text);
    return done < 0 ? component_error(err, origin) : stream_components_add(engine, streams, made, err);
}

/* --- all of them
 * --------------------------------------------------------------------------------------------------- */

/* What one StreamConfig leads to: the elements of a list in the config, or one value; and its default values.
 */
static int items_of(struct engine *engine, struct component stream_config, struct tvalue *ret_items,
                    struct error *err)
{
    struct arena *arena = &engine->arena;
    struct scope scope;
    struct expressions pointer;
    struct path path;
    struct tvalue value, item;
    struct titer iter;
    scope_init(&scope, engine);
    if (expressions_compile(engine, stream_config, "configs_pointer", &pointer, err) < 0 ||
        expressions_path(&pointer, &scope, arena, &path, err) < 0)
        return -1;
    *ret_items = tvalue_list(arena);
    bool there = value_at_path(arena, &engine->config, path.segments, path.count, &value);
    if (there && !tvalue_is_list(&value))
        tlist_push(arena, ret_items->list, value);
    else if (there && titer_init(&iter, arena, value))
        while (titer_next(&iter, &item))
            tlist_push(arena, ret_items->list, item);
    struct component presets = component_get(stream_config, "default_values");
    for (size_t i = 0; i < component_count(presets); i++) {
        struct component preset = component_at(presets, i);
        tlist_push(arena, ret_items->list, tvalue_json(arena, &preset.manifest->doc, preset.at));
    }
    return 0;
}

/* One of each list: mappings are merged, another value goes by the name source_config_N, with its position.
 */
static struct tvalue combine(struct arena *arena, const struct tvalue *lists, const size_t *at, size_t count)
{
    struct tvalue merged = tvalue_dict(arena);
    for (size_t i = 0; i < count; i++) {
        struct tvalue item = tvalue_at(arena, &lists[i], at[i]), key, other;
        struct titer iter;
        if (tvalue_is_mapping(&item) && titer_init(&iter, arena, item)) {
            while (titer_next(&iter, &key))
                tdict_set(arena, merged.dict, key, iter.of_key);
            continue;
        }
        const char *name = arena_printf(arena, "source_config_%zu", i);
        struct tvalue name_value = tvalue_cstring(name), pair[2] = {tvalue_int((int64_t)at[i]), item};
        if (!tdict_get(merged.dict, &name_value, &other))
            tdict_set(arena, merged.dict, name_value, tvalue_tuple(arena, pair, 2));
    }
    return merged;
}

/* The product of the lists, the last one running fastest. */
static int make_from_config(const struct dynamic_stream *dynamic, struct stream_components *streams,
                            struct error *err)
{
    struct engine *engine = dynamic->engine;
    struct component configs = component_get(dynamic->resolver, "stream_config");
    size_t count = component_count(configs);
    struct tvalue *lists = arena_zalloc(&engine->arena, (count + 1) * sizeof *lists);
    size_t *at = arena_zalloc(&engine->arena, (count + 1) * sizeof *at);
    for (size_t i = 0; i < count; i++) {
        if (items_of(engine, component_at(configs, i), &lists[i], err) < 0)
            return -1;
        if (tvalue_count(&lists[i]) == 0)
            return 0;
    }
    for (;;) {
        if (dynamic_stream_make(dynamic, combine(&engine->arena, lists, at, count), tvalue_none(), streams,
                                err) < 0)
            return -1;
        size_t wheel = count;
        while (wheel > 0 && ++at[wheel - 1] == tvalue_count(&lists[wheel - 1]))
            at[--wheel] = 0;
        if (wheel == 0)
            return 0;
    }
}

int dynamic_stream_make_all(const struct dynamic_stream *dynamic, struct stream_components *streams,
                            struct error *err)
{
    assert(!component_is(dynamic->resolver, "HttpComponentsResolver"));
    if (component_is(dynamic->resolver, "ConfigComponentsResolver"))
        return make_from_config(dynamic, streams, err);
    struct component list =
        component_get(component_get(dynamic->resolver, "stream_parameters"), "list_of_parameters_for_stream");
    for (size_t i = 0; i < component_count(list); i++) {
        struct component item = component_at(list, i);
        struct tvalue values = tvalue_json(&dynamic->engine->arena, &item.manifest->doc, item.at);
        if (dynamic_stream_make(dynamic, values, tvalue_none(), streams, err) < 0)
            return -1;
    }
    return 0;
}
