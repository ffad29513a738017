#include "properties.h"

enum { PROPERTIES_MAX = 100000 };

struct query_properties {
    struct engine *engine;
    struct component where;
    struct slice parameter; /* data NULL: templates put them somewhere */
    struct tvalue always;   /* lists, or none */
    struct tvalue names;
    struct pages *source; /* NULL: `names` are written in the manifest */
    struct slice *path;   /* in a record of the source */
    size_t path_count;
    struct fiber_gate gate;
    bool fetched;
};

static struct tvalue list_of(struct engine *engine, struct component list)
{
    return component_is_none(list) ? tvalue_list(&engine->arena)
                                   : tvalue_json(&engine->arena, &list.manifest->doc, list.at);
}

static int compile_source(struct query_properties *properties, struct component endpoint, struct error *err)
{
    struct engine *engine = properties->engine;
    struct component path = component_get(endpoint, "property_field_path");
    struct pages_settings settings = {.stream_name = "properties", .transformations = {NULL, JSON_NONE}};
    properties->path_count = component_count(path);
    properties->path = arena_alloc(&engine->arena, (properties->path_count + 1) * sizeof *properties->path);
    for (size_t i = 0; i < properties->path_count; i++)
        properties->path[i] = component_string(component_at(path, i));
    properties->names = tvalue_list(&engine->arena);
    return pages_compile(engine, component_get(endpoint, "retriever"), &settings, &properties->source, err);
}

static int compile_from(struct query_properties *properties, struct component component, struct error *err)
{
    if (component_is(component, "PropertiesFromEndpoint"))
        return compile_source(properties, component, err);
    if (!component_is_none(component_get(component, "property_chunking"))) {
        error_set(err, ERROR_UNSUPPORTED, "property_chunking is not supported");
        return component_error(err, component);
    }
    if (!component_is_none(component_get(component, "property_selector"))) {
        error_set(err, ERROR_UNSUPPORTED, "property_selector is not supported");
        return component_error(err, component);
    }
    struct component list = component_get(component, "property_list");
    properties->always = list_of(properties->engine, component_get(component, "always_include_properties"));
    if (component_is(list, "PropertiesFromEndpoint"))
        return compile_source(properties, list, err);
    properties->names = list_of(properties->engine, list);
    properties->fetched = true;
    return 0;
}

int query_properties_compile(struct engine *engine, struct component requester,
                             const struct requester *compiled, struct query_properties **ret_properties,
                             struct error *err)
{
    struct slice parameter = {NULL, 0};
    struct component component = component_get(requester, "query_properties");
    if (component_is_none(component))
        component = component_get(requester, "fetch_properties_from_endpoint");
    if (component_is_none(component))
        requester_property_parameter(compiled, 0, &parameter, &component);
    *ret_properties = NULL;
    if (component_is_none(component))
        return 0;
    struct query_properties *properties = arena_zalloc(&engine->arena, sizeof *properties);
    properties->engine = engine;
    properties->where = component;
    properties->parameter = parameter;
    properties->always = tvalue_list(&engine->arena);
    properties->gate.max = 1;
    *ret_properties = properties;
    return compile_from(properties, component, err);
}

/* --- reading ---------------------------------------------------------------------------------------------
 */

static int take_name(void *context, struct record *record, struct error *err)
{
    struct query_properties *properties = context;
    struct arena *arena = &properties->engine->arena;
    struct tvalue value;
    if (!value_at_path(arena, &record->data, properties->path, properties->path_count, &value))
        return 0;
    if (properties->names.list->count >= PROPERTIES_MAX)
        return error_set(err, ERROR_LIMIT, "there are more than %d properties", PROPERTIES_MAX);
    tlist_push(arena, properties->names.list, value_copy(arena, &value));
    return 0;
}

static int fetch(struct query_properties *properties, struct error *err)
{
    if (fiber_gate_enter(properties->engine->fibers, &properties->gate, err) != 0)
        return -1;
    int result = 0;
    if (!properties->fetched) {
        properties->names.list->count = 0;
        result = pages_read(properties->source, tvalue_none(), NULL, take_name, properties, err);
        properties->fetched = result == 0;
    }
    fiber_gate_leave(&properties->gate);
    return result;
}

int query_properties_list(struct query_properties *properties, struct arena *arena, struct tvalue *ret_names,
                          struct error *err)
{
    if (!properties->fetched && fetch(properties, err) != 0)
        return -1;
    struct tvalue names = tvalue_list(arena);
    for (size_t i = 0; i < tvalue_count(&properties->always); i++)
        tlist_push(arena, names.list, tvalue_at(arena, &properties->always, i));
    for (size_t i = 0; i < tvalue_count(&properties->names); i++)
        tlist_push(arena, names.list, tvalue_at(arena, &properties->names, i));
    *ret_names = names;
    return 0;
}

int query_properties_add(const struct query_properties *properties, struct tvalue names,
                         struct options *options, struct error *err)
{
    if (!properties->parameter.data)
        return 0;
    struct ttext text;
    ttext_init(&text, options->arena, HTTP_URL_MAX);
    for (size_t i = 0; i < tvalue_count(&names); i++) {
        struct tvalue name = tvalue_at(options->arena, &names, i);
        if (i)
            ttext_byte(&text, ',');
        tvalue_str(&text, &name);
    }
    return options_put(options, OPTION_PARAMETER, tvalue_string(properties->parameter),
                       tvalue_string(ttext_slice_of(&text)), "the list of properties", err);
}

struct tvalue query_properties_slice(struct arena *arena, struct tvalue stream_slice, struct tvalue names)
{
    struct tvalue parts[3] = {tvalue_none(), tvalue_none(), tvalue_none()}, extra = tvalue_dict(arena), key;
    static const char *const fields[] = {"partition", "cursor_slice", "extra_fields"};
    struct titer iter;
    if (stream_slice.kind == TVALUE_OBJECT) {
        for (uint32_t i = 0; i < stream_slice.object->attribute_count; i++) {
            for (size_t field = 0; field < 3; field++) {
                if (strcmp(stream_slice.object->attributes[i].name, fields[field]) == 0)
                    parts[field] = stream_slice.object->attributes[i].value;
            }
        }
    }
    if (tvalue_is_mapping(&parts[2]) && titer_init(&iter, arena, parts[2])) {
        while (titer_next(&iter, &key))
            tdict_set(arena, extra.dict, key, iter.of_key);
    }
    tdict_set_name(arena, extra.dict, "query_properties", names);
    return tvalue_stream_slice(arena, parts[0], parts[1], extra);
}
