#include "flow.h"

/* A binding of a materialization as a target: its fields out of the collection's projections, and what the
 * SDK proposes for each. */

/* --- fields ------------------------------------------------------------------------------------------ */

static const char *text_of(struct slice slice, struct arena *arena)
{
    return slice.size ? arena_strndup(arena, slice.data, slice.size) : NULL;
}

static unsigned types_of(const struct flow_inference *inference)
{
    static const struct {
        const char *name;
        unsigned type;
    } types[] = {{"null", FIRTH_MAY_BE_NULL},       {"boolean", FIRTH_MAY_BE_BOOLEAN},
                 {"integer", FIRTH_MAY_BE_INTEGER}, {"number", FIRTH_MAY_BE_NUMBER | FIRTH_MAY_BE_INTEGER},
                 {"string", FIRTH_MAY_BE_TEXT},     {"array", FIRTH_MAY_BE_ARRAY},
                 {"object", FIRTH_MAY_BE_OBJECT}};
    unsigned all = 0;
    for (size_t i = 0; inference && i < inference->types.count; i++) {
        for (size_t k = 0; k < sizeof types / sizeof *types; k++)
            all |= slice_is(inference->types.items[i], types[k].name) ? types[k].type : 0;
    }
    return all ? all : FIRTH_MAY_BE_ANYTHING;
}

static struct firth_field make_field(const struct flow_projection *projection, bool is_key,
                                     struct arena *arena)
{
    const struct flow_inference *inference = projection->inference;
    const struct flow_inference_string *string = inference ? inference->string : NULL;
    struct slice pointer = projection->pointer;
    return (struct firth_field){
        .name = arena_strndup(arena, projection->field.data, projection->field.size),
        .pointer = arena_strndup(arena, pointer.size ? pointer.data : "", pointer.size),
        .types = types_of(inference),
        .format = string ? text_of(string->format, arena) : NULL,
        .encoding = string ? text_of(string->content_encoding, arena) : NULL,
        .is_key = is_key,
        .is_document = pointer.size == 0,
        .always = inference && inference->exists == FLOW_EXISTS_MUST,
    };
}

static const struct flow_projection *find_projection(const struct flow_collection *collection,
                                                     struct slice field)
{
    for (size_t i = 0; i < collection->projections.count; i++) {
        if (slice_equal(collection->projections.items[i].field, field))
            return &collection->projections.items[i];
    }
    return NULL;
}

/* --- targets ----------------------------------------------------------------------------------------- */

static struct firth_target make_target(const struct flow_resource *resource,
                                       const struct flow_collection *collection, struct slice raw_resource,
                                       bool delta_updates, struct arena *arena)
{
    struct slice schema =
        collection->raw_read_schema.size ? collection->raw_read_schema : collection->raw_write_schema;
    return (struct firth_target){
        .name = resource->stream,
        .name_space = resource->name_space,
        .sync_mode = delta_updates ? FIRTH_APPEND : FIRTH_APPEND_DEDUP,
        .json_schema = {arena_dup(arena, schema.data, schema.size), schema.size},
        .resource = {arena_dup(arena, raw_resource.data, raw_resource.size), raw_resource.size},
        .generation = -1,
        .minimum_generation = -1,
        .sync = -1,
        .live = true,
    };
}

int flow_target_offered(const struct flow_materialize_validate_binding *binding, bool delta_updates,
                        struct arena *arena, struct firth_target *ret_target, struct error *err)
{
    const struct flow_collection *collection = binding->collection;
    struct flow_resource resource;
    if (!collection)
        return error_set(err, ERROR_PROTOCOL, "a binding has no 'collection'");
    if (flow_resource_read(binding->raw_resource_config, arena, &resource, err) < 0)
        return -1;
    *ret_target = make_target(&resource, collection, binding->raw_resource_config,
                              delta_updates || resource.delta_updates, arena);
    const char **key = arena_zalloc(arena, (collection->key.count + 1) * sizeof *key);
    for (size_t i = 0; i < collection->key.count; i++)
        key[i] = text_of(collection->key.items[i], arena);
    ret_target->primary_key = key;
    struct firth_field *fields = arena_zalloc(arena, (collection->projections.count + 1) * sizeof *fields);
    for (size_t i = 0; i < collection->projections.count; i++) {
        const struct flow_projection *projection = &collection->projections.items[i];
        fields[i] = make_field(projection, projection->is_primary_key, arena);
    }
    ret_target->fields = fields;
    ret_target->field_count = collection->projections.count;
    return 0;
}

static int add_field(const struct flow_materialize_binding *binding, struct slice field, bool is_key,
                     const struct json *configs, struct arena *arena, struct firth_field *ret_field,
                     struct error *err)
{
    const struct flow_projection *projection = find_projection(binding->collection, field);
    if (!projection)
        return error_set(err, ERROR_PROTOCOL,
                         "the field '%.*s' is selected, but the collection has no such projection",
                         SLICE_ARGS(field));
    *ret_field = make_field(projection, is_key, arena);
    uint32_t config = configs->count ? json_get_slice(configs, 0, field) : JSON_NONE;
    if (config != JSON_NONE)
        ret_field->config =
            (struct firth_slice){json_raw(configs, config).data, json_raw(configs, config).size};
    return 0;
}

int flow_target_selected(const struct flow_materialize_binding *binding, struct arena *arena,
                         struct firth_target *ret_target, struct error *err)
{
    const struct flow_field_selection *selection = binding->field_selection;
    struct flow_resource resource;
    if (!binding->collection || !selection)
        return error_set(err, ERROR_PROTOCOL, "a binding has no '%s'",
                         selection ? "collection" : "fieldSelection");
    if (flow_resource_read(binding->raw_resource_config, arena, &resource, err) < 0)
        return -1;
    *ret_target = make_target(&resource, binding->collection, binding->raw_resource_config,
                              binding->delta_updates, arena);
    size_t keys = selection->keys.count, values = selection->values.count, count = 0;
    struct firth_field *fields = arena_zalloc(arena, (keys + values + 2) * sizeof *fields);
    const char **key = arena_zalloc(arena, (keys + 1) * sizeof *key);
    struct slice raw = selection->raw_field_config;
    struct json configs = {0};
    if (raw.size && json_parse_copy(arena, raw.data, raw.size, &configs, err) < 0)
        return -1;
    for (size_t i = 0; i < keys + values; i++) {
        struct slice field = i < keys ? selection->keys.items[i] : selection->values.items[i - keys];
        if (add_field(binding, field, i < keys, &configs, arena, &fields[count++], err) < 0)
            return -1;
        if (i < keys)
            key[i] = fields[i].pointer;
        else
            fields[i].is_document = false; /* the document twice: this one is a value like any other */
    }
    if (selection->document.size &&
        add_field(binding, selection->document, false, &configs, arena, &fields[count++], err) < 0)
        return -1;
    ret_target->primary_key = key;
    ret_target->fields = fields;
    ret_target->field_count = count;
    return 0;
}

struct flow_texts flow_target_path(const struct firth_target *target, struct arena *arena)
{
    struct slice *parts = arena_zalloc(arena, 2 * sizeof *parts);
    size_t count = 0;
    if (target->name_space)
        parts[count++] = slice_of(target->name_space);
    parts[count++] = slice_of(target->name);
    return (struct flow_texts){parts, count};
}

/* --- constraints --------------------------------------------------------------------------------------- */

static bool is_single_scalar(unsigned types)
{
    types &= ~(unsigned)FIRTH_MAY_BE_NULL;
    return types == FIRTH_MAY_BE_BOOLEAN || types == FIRTH_MAY_BE_INTEGER || types == FIRTH_MAY_BE_TEXT ||
           types == (FIRTH_MAY_BE_INTEGER | FIRTH_MAY_BE_NUMBER);
}

static void set(struct firth_constraint *constraint, enum firth_constraint_type type, const char *reason)
{
    constraint->type = type;
    snprintf(constraint->reason, sizeof constraint->reason, "%s", reason);
}

static void propose(const struct firth_destination *class_, const struct firth_target *target,
                    const struct firth_field *field, struct firth_constraint *constraint)
{
    bool appends = target->sync_mode == FIRTH_APPEND;
    if (field->is_key)
        set(constraint, FIRTH_LOCATION_REQUIRED, "the collection's key is always needed");
    else if (field->is_document && class_->whole_documents)
        set(constraint, FIRTH_LOCATION_REQUIRED, "documents are stored whole");
    else if (class_->whole_documents)
        set(constraint, FIRTH_FORBIDDEN, "documents are stored whole, not by their fields");
    else if (field->is_document && !appends)
        set(constraint, FIRTH_LOCATION_REQUIRED, "the document is kept, to be reduced with what comes");
    else if (field->is_document)
        set(constraint, FIRTH_RECOMMENDED, "the whole document");
    else if (field->types == FIRTH_MAY_BE_NULL)
        set(constraint, FIRTH_FORBIDDEN, "it is never anything but null");
    else if (!strchr(field->pointer + 1, '/') && is_single_scalar(field->types))
        set(constraint, FIRTH_RECOMMENDED, "a single scalar of the first level");
    else
        set(constraint, FIRTH_OPTIONAL, "it can be stored");
}

struct firth_constraint *flow_target_propose(const struct firth_destination *class_,
                                             const struct firth_target *target, struct arena *arena)
{
    struct firth_constraint *constraints =
        arena_zalloc(arena, (target->field_count + 1) * sizeof *constraints);
    for (size_t i = 0; i < target->field_count; i++)
        propose(class_, target, &target->fields[i], &constraints[i]);
    return constraints;
}

struct flow_projection_constraints flow_target_constraints(const struct firth_target *target,
                                                           const struct firth_constraint *constraints,
                                                           struct arena *arena)
{
    static const enum flow_constraint_type types[] = {
        [FIRTH_FORBIDDEN] = FLOW_CONSTRAINT_FIELD_FORBIDDEN,
        [FIRTH_OPTIONAL] = FLOW_CONSTRAINT_FIELD_OPTIONAL,
        [FIRTH_RECOMMENDED] = FLOW_CONSTRAINT_LOCATION_RECOMMENDED,
        [FIRTH_LOCATION_REQUIRED] = FLOW_CONSTRAINT_LOCATION_REQUIRED,
        [FIRTH_FIELD_REQUIRED] = FLOW_CONSTRAINT_FIELD_REQUIRED,
        [FIRTH_INCOMPATIBLE] = FLOW_CONSTRAINT_INCOMPATIBLE,
    };
    size_t count = target->field_count;
    struct flow_projection_constraint *items = arena_zalloc(arena, (count + 1) * sizeof *items);
    struct flow_constraint *own = arena_zalloc(arena, (count + 1) * sizeof *own);
    for (size_t i = 0; i < count; i++) {
        own[i] = (struct flow_constraint){.type = types[constraints[i].type],
                                          .reason = slice_of(constraints[i].reason)};
        items[i] = (struct flow_projection_constraint){slice_of(target->fields[i].name), &own[i]};
    }
    return (struct flow_projection_constraints){items, count};
}
