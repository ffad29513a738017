/* Missing types, and $parameters, from the outside in.
 *
 * A mapping with a `type` is a component. Its parameters are its parent's and its own; each becomes a field
 * of it that is absent or falsy, and all of them stay on it under $parameters. Where that descends, and what
 * it forgets, is the CDK's to the letter, its odd corners included; tests/clients holds it to that. */
#include "tree.h"

#include <stdio.h>

/* "ParentType.field" to the type of a mapping there that has none. */
static const struct default_type {
    const char *identifier, *type;
} default_types[] = {
    {"AddFields.fields", "AddedFieldDefinition"},
    {"CompositeErrorHandler.error_handlers", "DefaultErrorHandler"},
    {"ConfigComponentsResolver.components_mapping", "ComponentMappingDefinition"},
    {"ConfigComponentsResolver.stream_config", "StreamConfig"},
    {"CursorPagination.decoder", "JsonDecoder"},
    {"CustomPartitionRouter.parent_stream_configs", "ParentStreamConfig"},
    {"DatetimeBasedCursor.end_datetime", "MinMaxDatetime"},
    {"DatetimeBasedCursor.end_time_option", "RequestOption"},
    {"DatetimeBasedCursor.start_datetime", "MinMaxDatetime"},
    {"DatetimeBasedCursor.start_time_option", "RequestOption"},
    {"DeclarativeSource.check", "CheckStream"},
    {"DeclarativeSource.spec", "Spec"},
    {"DeclarativeSource.streams", "DeclarativeStream"},
    {"DeclarativeStream.retriever", "SimpleRetriever"},
    {"DeclarativeStream.schema_loader", "JsonFileSchemaLoader"},
    {"DefaultErrorHandler.response_filters", "HttpResponseFilter"},
    {"DefaultPaginator.decoder", "JsonDecoder"},
    {"DefaultPaginator.page_size_option", "RequestOption"},
    {"DpathExtractor.decoder", "JsonDecoder"},
    {"DpathExtractor.record_expander", "RecordExpander"},
    {"DynamicDeclarativeStream.components_resolver", "ConfigComponentResolver"},
    {"DynamicDeclarativeStream.stream_template", "DeclarativeStream"},
    {"DynamicSchemaLoader.retriever", "SimpleRetriever"},
    {"HttpComponentsResolver.components_mapping", "ComponentMappingDefinition"},
    {"HttpComponentsResolver.retriever", "SimpleRetriever"},
    {"HttpRequester.error_handler", "DefaultErrorHandler"},
    {"ListPartitionRouter.request_option", "RequestOption"},
    {"ParentStreamConfig.request_option", "RequestOption"},
    {"ParentStreamConfig.stream", "DeclarativeStream"},
    {"RecordExpander.parent_fields", "ParentFieldPath"},
    {"RecordSelector.extractor", "DpathExtractor"},
    {"RecordSelector.record_filter", "RecordFilter"},
    {"SchemaTypeIdentifier.types_map", "TypesMap"},
    {"SimpleRetriever.paginator", "NoPagination"},
    {"SimpleRetriever.record_selector", "RecordSelector"},
    {"SimpleRetriever.requester", "HttpRequester"},
    {"SubstreamPartitionRouter.parent_stream_configs", "ParentStreamConfig"},
};

/* The same where there is a class_name. */
static const struct default_type custom_types[] = {
    {"CompositeErrorHandler.backoff_strategies", "CustomBackoffStrategy"},
    {"DeclarativeStream.retriever", "CustomRetriever"},
    {"DeclarativeStream.transformations", "CustomTransformation"},
    {"DefaultErrorHandler.backoff_strategies", "CustomBackoffStrategy"},
    {"DefaultPaginator.pagination_strategy", "CustomPaginationStrategy"},
    {"HttpRequester.authenticator", "CustomAuthenticator"},
    {"HttpRequester.error_handler", "CustomErrorHandler"},
    {"RecordSelector.extractor", "CustomRecordExtractor"},
    {"SimpleRetriever.partition_router", "CustomPartitionRouter"},
};

struct propagating {
    struct tree_work *work;
    bool parents_win;
};

/* --- members that can be changed ------------------------------------------------------------------------ */

/* A mapping while it is made, in Python's order: a name that is taken out and put back goes to the end. */
struct members {
    struct tree_member *items;
    uint32_t count, capacity;
};

static bool members_room(struct propagating *propagating, struct members *members, uint32_t more,
                         struct yaml_position at, struct error *err)
{
    if (members->count + more <= members->capacity)
        return true;
    uint32_t capacity = (members->count + more) * 2;
    const struct tree *room = tree_new(propagating->work, TREE_MAP, capacity, at, err);
    if (!room)
        return false;
    if (members->count > 0)
        memcpy(room->members, members->items, members->count * sizeof *members->items);
    members->items = room->members;
    members->capacity = capacity;
    return true;
}

static struct tree_member *members_find(const struct members *members, struct slice key)
{
    for (uint32_t i = 0; i < members->count; i++)
        if (slice_equal(members->items[i].key, key))
            return &members->items[i];
    return NULL;
}

static bool members_set(struct propagating *propagating, struct members *members, struct tree_member member,
                        struct error *err)
{
    struct tree_member *there = members_find(members, member.key);
    if (there) {
        there->value = member.value;
        return true;
    }
    if (!members_room(propagating, members, 1, member.at, err))
        return false;
    members->items[members->count++] = member;
    return true;
}

static bool members_take(struct members *members, struct slice key, struct tree_member *ret_member)
{
    struct tree_member *there = members_find(members, key);
    if (!there)
        return false;
    *ret_member = *there;
    uint32_t behind = members->count - (uint32_t)(there - members->items) - 1;
    memmove(there, there + 1, behind * sizeof *there);
    members->count--;
    return true;
}

static bool members_copy(struct propagating *propagating, struct members *copy,
                         const struct tree_member *items, uint32_t count, struct yaml_position at,
                         struct error *err)
{
    *copy = (struct members){NULL, 0, 0};
    if (!members_room(propagating, copy, count + 4, at, err))
        return false;
    assert(copy->items);
    if (count > 0)
        memcpy(copy->items, items, count * sizeof *items);
    copy->count = count;
    return true;
}

static const struct tree *members_tree(struct propagating *propagating, const struct members *members,
                                       struct yaml_position at, struct error *err)
{
    struct tree *map = tree_new(propagating->work, TREE_MAP, members->count, at, err);
    if (!map)
        return NULL;
    if (members->count > 0)
        memcpy(map->members, members->items, members->count * sizeof *members->items);
    return map;
}

/* --- one component ---------------------------------------------------------------------------------------
 */

static const char *find_type(const struct default_type *types, size_t count, const char *identifier)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].identifier, identifier) == 0)
            return types[i].type;
    return NULL;
}

static const char *default_type(const struct members *component, const char *identifier)
{
    if (members_find(component, SLICE_LITERAL("class_name")))
        return find_type(custom_types, sizeof custom_types / sizeof *custom_types, identifier);
    return find_type(default_types, sizeof default_types / sizeof *default_types, identifier);
}

/* A JSON Schema, not a component: what is in it is nobody's. */
static bool is_json_schema(const struct tree *type)
{
    return type->kind == TREE_LIST || type->kind == TREE_MAP ||
           (type->kind == TREE_STRING && slice_is(type->text, "object"));
}

static bool has_true_type(const struct tree *value)
{
    const struct tree *type = value->kind == TREE_MAP ? tree_get(value, "type") : NULL;
    return type && tree_is_true(type);
}

static const struct tree *propagate(struct propagating *propagating, const struct tree *map,
                                    const char *identifier, const struct members *parents, struct error *err);

/* Of a mapping that is no component, only members that are components are looked into. */
static const struct tree *propagate_plain(struct propagating *propagating, struct members *component,
                                          const char *identifier, const struct members *parameters,
                                          struct yaml_position at, struct error *err)
{
    for (uint32_t i = 0; i < component->count; i++) {
        struct tree_member *member = &component->items[i];
        if (!has_true_type(member->value))
            continue;
        member->value = propagate(propagating, member->value, identifier, parameters, err);
        if (!member->value)
            return NULL;
    }
    return members_tree(propagating, component, at, err);
}

static const struct tree *propagate_list(struct propagating *propagating, const struct tree *list,
                                         const char *identifier, const struct members *parameters,
                                         struct error *err)
{
    bool has_maps = false;
    for (uint32_t i = 0; i < list->count; i++)
        has_maps |= list->items[i]->kind == TREE_MAP;
    if (!has_maps)
        return list;
    struct tree *done = tree_new(propagating->work, TREE_LIST, list->count, list->at, err);
    for (uint32_t i = 0; done && i < list->count; i++) {
        done->items[i] = list->items[i]->kind == TREE_MAP
                             ? propagate(propagating, list->items[i], identifier, parameters, err)
                             : list->items[i];
        if (!done->items[i])
            return NULL;
    }
    return done;
}

/* Each field that holds components; the parameter of the field's own name is put aside meanwhile. */
static bool propagate_field(struct propagating *propagating, struct slice type, struct tree_member *field,
                            bool is_parameter, struct members *parameters, struct error *err)
{
    struct tree_member aside;
    bool has_aside = members_take(parameters, field->key, &aside);
    char identifier[256];
    snprintf(identifier, sizeof identifier, "%.*s.%.*s", (int)(type.size < 120 ? type.size : 120), type.data,
             (int)(field->key.size < 120 ? field->key.size : 120), field->key.data);
    const struct tree *before = field->value;
    field->value = before->kind == TREE_MAP
                       ? propagate(propagating, before, identifier, parameters, err)
                       : propagate_list(propagating, before, identifier, parameters, err);
    if (!field->value)
        return false;
    if (!has_aside || !tree_is_true(aside.value))
        return true;
    /* A list that came from the parameters is the parameters' own: it changes there, too. */
    if (is_parameter && before->kind == TREE_LIST)
        aside.value = field->value;
    return members_set(propagating, parameters, aside, err);
}

static bool fill_from_parameters(struct propagating *propagating, struct members *component,
                                 const struct members *parameters, bool *is_parameter, struct error *err)
{
    for (uint32_t i = 0; i < parameters->count; i++) {
        struct tree_member *there = members_find(component, parameters->items[i].key);
        if (there && tree_is_true(there->value))
            continue;
        if (!members_set(propagating, component, parameters->items[i], err))
            return false;
        there = members_find(component, parameters->items[i].key);
        is_parameter[there - component->items] = true;
    }
    return true;
}

static const struct tree *propagate_component(struct propagating *propagating, struct members *component,
                                              struct members *parameters, struct yaml_position at,
                                              struct error *err)
{
    bool *is_parameter =
        arena_zalloc(propagating->work->arena, component->count + parameters->count + sizeof *is_parameter);
    if (!fill_from_parameters(propagating, component, parameters, is_parameter, err))
        return NULL;
    for (uint32_t i = 0; i < component->count; i++) {
        struct tree_member *field = &component->items[i];
        if (field->value->kind != TREE_MAP && field->value->kind != TREE_LIST)
            continue;
        const struct tree *type = members_find(component, SLICE_LITERAL("type"))->value;
        struct slice name = type->kind == TREE_STRING ? type->text : (struct slice){"", 0};
        if (!propagate_field(propagating, name, field, is_parameter[i], parameters, err))
            return NULL;
    }
    if (parameters->count > 0) {
        const struct tree *map = members_tree(propagating, parameters, at, err);
        if (!map || !members_set(propagating, component,
                                 (struct tree_member){SLICE_LITERAL("$parameters"), at, map}, err))
            return NULL;
    }
    return members_tree(propagating, component, at, err);
}

/* --- all -------------------------------------------------------------------------------------------------
 */

/* The parent's parameters and the component's own, which are taken out of it. */
static bool merge_parameters(struct propagating *propagating, struct members *component,
                             const struct members *parents, struct yaml_position at,
                             struct members *ret_merged, struct error *err)
{
    struct tree_member own;
    struct members own_members = {NULL, 0, 0};
    if (members_take(component, SLICE_LITERAL("$parameters"), &own)) {
        if (own.value->kind != TREE_MAP) {
            tree_error(propagating->work, err, ERROR_INVALID, own.value->at, "$parameters is no mapping");
            return false;
        }
        own_members = (struct members){own.value->members, own.value->count, own.value->count};
    }
    const struct members *first = propagating->parents_win ? &own_members : parents;
    const struct members *second = propagating->parents_win ? parents : &own_members;
    if (!members_copy(propagating, ret_merged, first->items, first->count, at, err))
        return false;
    for (uint32_t i = 0; i < second->count; i++)
        if (!members_set(propagating, ret_merged, second->items[i], err))
            return false;
    return true;
}

static const struct tree *propagate(struct propagating *propagating, const struct tree *map,
                                    const char *identifier, const struct members *parents, struct error *err)
{
    struct tree_work *work = propagating->work;
    if (++work->depth > TREE_DEPTH_MAX) {
        tree_error(work, err, ERROR_LIMIT, map->at, "components are more than %d deep", TREE_DEPTH_MAX);
        return NULL;
    }
    struct members component, parameters;
    if (!members_copy(propagating, &component, map->members, map->count, map->at, err))
        return NULL;
    const char *missing =
        members_find(&component, SLICE_LITERAL("type")) ? NULL : default_type(&component, identifier);
    if (missing) {
        struct tree *type = tree_new(work, TREE_STRING, 0, map->at, err);
        if (!type)
            return NULL;
        type->text = slice_of(missing);
        if (!members_set(propagating, &component, (struct tree_member){SLICE_LITERAL("type"), map->at, type},
                         err))
            return NULL;
    }
    if (!merge_parameters(propagating, &component, parents, map->at, &parameters, err))
        return NULL;
    const struct tree_member *type = members_find(&component, SLICE_LITERAL("type"));
    const struct tree *done = NULL;
    if (type && is_json_schema(type->value))
        done = members_tree(propagating, &component, map->at, err);
    else if (type)
        done = propagate_component(propagating, &component, &parameters, map->at, err);
    else
        done = propagate_plain(propagating, &component, identifier, &parameters, map->at, err);
    work->depth--;
    return done;
}

const struct tree *manifest_propagate_tree(struct tree_work *work, const struct tree *root,
                                           const char *identifier, bool parent_parameters_win,
                                           struct error *err)
{
    struct propagating propagating = {work, parent_parameters_win};
    struct members none = {NULL, 0, 0};
    if (root->kind != TREE_MAP) {
        tree_error(work, err, ERROR_INVALID, root->at, "it is no mapping");
        return NULL;
    }
    return propagate(&propagating, root, identifier, &none, err);
}
