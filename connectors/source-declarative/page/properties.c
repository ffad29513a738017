#include "properties.h"

#include "source-declarative/record/transform.h"

enum { PROPERTIES_MAX = 100000, DELIMITER_SIZE = 3 /* characters: "%2C" */ };

struct query_properties {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    struct slice parameter; /* data NULL: templates put them somewhere */
    struct tvalue always;   /* lists */
    struct tvalue names;
    struct pages *source;    /* NULL: `names` are written in the manifest */
    struct expressions path; /* in a record of the source */
    bool selects;            /* only what the catalog's schema has */
    struct transformations *transformations;
    bool in_chunks, by_characters;
    int64_t limit;    /* of a chunk; 0: none */
    struct path keys; /* names of what records are put together by */
    struct fiber_gate gate;
    bool ready;
    struct tvalue chunks;
};

static struct tvalue list_of(struct engine *engine, struct component list)
{
    return component_is_none(list) ? tvalue_list(&engine->arena)
                                   : tvalue_json(&engine->arena, &list.manifest->doc, list.at);
}

static int compile_source(struct query_properties *properties, struct component endpoint, struct error *err)
{
    struct engine *engine = properties->engine;
    struct component retriever = component_get(endpoint, "retriever");
    struct component requester = component_get(retriever, "requester");
    struct pages_settings settings = {.stream_name = "dynamic_properties",
                                      .transformations = {NULL, JSON_NONE}};
    properties->names = tvalue_list(&engine->arena);
    if (!component_is_none(requester))
        engine_keep_answers(engine, requester);
    return expressions_compile(engine, endpoint, "property_field_path", &properties->path, err) == 0
               ? pages_compile(engine, retriever, &settings, &properties->source, err)
               : -1;
}

static void compile_chunking(struct query_properties *properties, struct component chunking)
{
    struct engine *engine = properties->engine;
    struct component strategy = component_get(chunking, "record_merge_strategy");
    static const struct slice id = {"id", 2};
    properties->in_chunks = true;
    properties->by_characters = slice_is(component_text(chunking, "property_limit_type"), "characters");
    if (!component_integer(chunking, "property_limit", &properties->limit))
        properties->limit = 0;
    properties->keys = component_is_none(strategy) ? (struct path){&id, 1}
                                                   : component_path(engine, component_get(strategy, "key"));
}

static int compile_from(struct query_properties *properties, struct component component, struct error *err)
{
    struct engine *engine = properties->engine;
    if (component_is(component, "PropertiesFromEndpoint"))
        return compile_source(properties, component, err);
    struct component chunking = component_get(component, "property_chunking");
    struct component selector = component_get(component, "property_selector");
    struct component list = component_get(component, "property_list");
    if (!component_is_none(chunking))
        compile_chunking(properties, chunking);
    properties->selects = !component_is_none(selector);
    if (properties->selects && transformations_compile(engine, component_get(selector, "transformations"),
                                                       &properties->transformations, err) != 0)
        return -1;
    properties->always = list_of(engine, component_get(component, "always_include_properties"));
    if (component_is(list, "PropertiesFromEndpoint"))
        return compile_source(properties, list, err);
    properties->names = list_of(engine, list);
    return 0;
}

int query_properties_compile(struct engine *engine, struct component requester,
                             const struct requester *compiled, const char *stream_name,
                             struct query_properties **ret_properties, struct error *err)
{
    struct slice parameter = {NULL, 0}, second;
    struct component component = component_get(requester, "query_properties"), other;
    if (component_is_none(component))
        component = component_get(requester, "fetch_properties_from_endpoint");
    if (component_is_none(component))
        requester_property_parameter(compiled, 0, &parameter, &component);
    *ret_properties = NULL;
    if (component_is_none(component))
        return 0;
    if (requester_property_parameter(compiled, parameter.data ? 1 : 0, &second, &other)) {
        error_set(err, ERROR_INVALID, "a requester has QueryProperties once; \"%.*s\" are further ones",
                  SLICE_ARGS(second));
        return component_error(err, requester);
    }
    struct query_properties *properties = arena_zalloc(&engine->arena, sizeof *properties);
    properties->engine = engine;
    properties->where = component;
    properties->stream_name = stream_name;
    properties->parameter = parameter;
    properties->always = tvalue_list(&engine->arena);
    properties->gate.max = 1;
    *ret_properties = properties;
    return compile_from(properties, component, err);
}

/* --- which names there are -------------------------------------------------------------------------- */

static int keep_value(void *context, const struct slice *path, size_t count, struct tvalue value,
                      struct error *err)
{
    struct tvalue *kept = context;
    (void)path, (void)count, (void)err;
    *kept = value;
    return 0;
}

/* As the CDK has it, a record without the field gives a name, too: that of an empty list. */
static int take_name(void *context, struct record *record, struct error *err)
{
    struct query_properties *properties = context;
    struct arena *arena = &properties->engine->arena;
    struct tvalue value = tvalue_list(arena);
    struct scope scope;
    struct path path;
    struct ttext text;
    scope_init(&scope, properties->engine);
    if (expressions_path(&properties->path, &scope, arena, &path, err) != 0 ||
        value_glob(arena, &record->data, path.segments, path.count, keep_value, &value, err) < 0)
        return -1;
    if (properties->names.list->count >= PROPERTIES_MAX)
        return error_set(err, ERROR_LIMIT, "there are more than %d properties", PROPERTIES_MAX);
    ttext_init(&text, arena, HTTP_URL_MAX);
    tvalue_str(&text, &value);
    tlist_push(arena, properties->names.list, tvalue_string(ttext_slice_of(&text)));
    return 0;
}

/* The members of the catalog's schema, transformed; none: everything is asked for. */
static int selected_names(struct query_properties *properties, struct tvalue *ret_names, struct error *err)
{
    struct engine *engine = properties->engine;
    struct arena *arena = &engine->arena;
    const struct engine_selected *selected = engine_selected(engine, properties->stream_name);
    struct json *doc = arena_zalloc(arena, sizeof *doc);
    struct tvalue schema;
    *ret_names = tvalue_none();
    if (!properties->selects || !selected || selected->schema.size == 0)
        return 0;
    if (json_parse_copy(arena, selected->schema.data, selected->schema.size, doc, err) != 0)
        return error_wrap(err, "the catalog's schema");
    schema = tvalue_json(arena, doc, 0);
    if (!tvalue_is_mapping(&schema) ||
        !tvalue_member_name(arena, &schema, SLICE_LITERAL("properties"), ret_names) ||
        !tvalue_is_mapping(ret_names))
        *ret_names = tvalue_dict(arena);
    return transformations_run(properties->transformations, tvalue_none(), arena, ret_names, err);
}

/* --- chunks ------------------------------------------------------------------------------------------ */

static void extend(struct arena *arena, struct tvalue list, const struct tvalue *more)
{
    for (size_t i = 0; i < tvalue_count(more); i++)
        tlist_push(arena, list.list, tvalue_at(arena, more, i));
}

static struct tvalue new_chunk(struct query_properties *properties)
{
    struct tvalue chunk = tvalue_list(&properties->engine->arena);
    tlist_push(&properties->engine->arena, properties->chunks.list, chunk);
    return chunk;
}

static void make_chunks(struct query_properties *properties, const struct tvalue *selected)
{
    struct arena *arena = &properties->engine->arena;
    bool whole = properties->in_chunks && properties->limit == 0;
    struct tvalue chunk = new_chunk(properties), none;
    int64_t size = 0;
    /* Without a limit the order is another, and nothing is left out, as in the CDK. */
    if (whole)
        extend(arena, chunk, &properties->names);
    extend(arena, chunk, &properties->always);
    for (size_t i = 0; !whole && i < tvalue_count(&properties->names); i++) {
        struct tvalue name = tvalue_at(arena, &properties->names, i);
        if (selected->kind != TVALUE_NONE && !tvalue_member(arena, selected, &name, &none))
            continue;
        int64_t more = properties->by_characters ? (int64_t)tvalue_count(&name) + DELIMITER_SIZE : 1;
        if (properties->in_chunks && size + more > properties->limit) {
            chunk = new_chunk(properties);
            extend(arena, chunk, &properties->always);
            size = 0;
        }
        tlist_push(arena, chunk.list, name);
        size += more;
    }
}

static int prepare(struct query_properties *properties, struct error *err)
{
    struct tvalue selected;
    if (properties->source) {
        properties->names.list->count = 0;
        if (pages_read(properties->source, tvalue_none(), NULL, take_name, properties, err) != 0)
            return -1;
    }
    if (selected_names(properties, &selected, err) != 0)
        return component_error(err, properties->where);
    properties->chunks = tvalue_list(&properties->engine->arena);
    make_chunks(properties, &selected);
    properties->ready = true;
    return 0;
}

int query_properties_chunks(struct query_properties *properties, struct tvalue *ret_chunks, struct error *err)
{
    if (!properties->ready) {
        if (fiber_gate_enter(properties->engine->fibers, &properties->gate, err) != 0)
            return -1;
        int result = properties->ready ? 0 : prepare(properties, err);
        fiber_gate_leave(&properties->gate);
        if (result != 0)
            return -1;
    }
    *ret_chunks = properties->chunks;
    return 0;
}

/* --- records in parts -------------------------------------------------------------------------------- */

bool query_properties_merge(const struct query_properties *properties)
{
    return properties && properties->in_chunks;
}

struct tvalue query_properties_key(const struct query_properties *properties, struct arena *arena,
                                   const struct tvalue *record)
{
    struct ttext text;
    struct tvalue value;
    ttext_init(&text, arena, RECORD_SIZE_MAX);
    for (size_t i = 0; i < properties->keys.count; i++) {
        if (!tvalue_member_name(arena, record, properties->keys.segments[i], &value) ||
            (!tvalue_true(&value) && (value.kind == TVALUE_BOOL || !tvalue_is_number(&value))))
            return tvalue_none();
        if (i > 0)
            ttext_byte(&text, ',');
        tvalue_str(&text, &value);
    }
    return tvalue_string(ttext_slice_of(&text));
}

void properties_merge(struct arena *arena, struct tvalue *into, const struct tvalue *record)
{
    struct titer iter;
    struct tvalue key, known;
    if (!tvalue_is_mapping(into) || !tvalue_is_mapping(record)) {
        *into = value_copy(arena, record);
        return;
    }
    value_own(arena, into);
    titer_init(&iter, arena, *record);
    while (titer_next(&iter, &key)) {
        if (!tdict_get(into->dict, &key, &known))
            known = tvalue_none();
        properties_merge(arena, &known, &iter.of_key);
        tdict_set(arena, into->dict, value_copy(arena, &key), known);
    }
}

/* --- in requests ------------------------------------------------------------------------------------- */

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
