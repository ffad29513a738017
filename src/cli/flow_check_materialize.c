#include "cli/flow_checker.h"
#include "protocol/flow_resource.h"
#include "task/fields.h"
#include "task/flow_collection.h"

/* A materialization: config and resources by the connector's schemas, then its own view of the bindings, and
 * whether the fields that the catalog wants can be had. What an existing table makes of a schema is the run's
 * business: it knows what was applied. */

static int ask(struct flow_checker *checker, const struct flow_materialize_request *request,
               enum flow_materialize_response_type answer, struct flow_materialize_response *ret_response,
               struct error *err)
{
    struct buffer line;
    struct json *doc;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_materialize_write_request(&line, request);
    int result = flow_checker_ask(checker, flow_materialize_request_name(request->type),
                                  flow_materialize_response_name(answer),
                                  (struct slice){line.data, line.size}, &doc, err);
    if (result == 0)
        result = flow_materialize_read_response(doc, &checker->arena, ret_response, err);
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return result;
}

static int ask_spec(struct flow_checker *checker, struct flow_spec *ret_spec, struct error *err)
{
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_SPEC,
        .spec = {flow_checker_is_image(checker) ? FLOW_MATERIALIZE_IMAGE : FLOW_MATERIALIZE_LOCAL,
                 checker->endpoint->config}};
    struct flow_materialize_response response = {0};
    if (ask(checker, &request, FLOW_MATERIALIZE_SPEC_RESPONSE, &response, err) < 0)
        return -1;
    *ret_spec = response.spec;
    return flow_checker_take_spec(checker, ret_spec, err);
}

/* The config of each binding's resource: the catalog's, or made for a collection of the source capture. NULL,
 * and the errors added, if one cannot be made. */
static const struct slice *make_resources(struct flow_checker *checker, const struct flow_spec *spec,
                                          const struct catalog_materialization *materialization)
{
    struct slice *resources =
        arena_zalloc(&checker->arena, (materialization->binding_count + 1) * sizeof *resources);
    for (size_t i = 0; i < materialization->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        struct error err;
        resources[i] = binding->resource;
        if (!binding->from_source)
            continue;
        if (flow_resource_make(spec->raw_resource_config_schema, binding->resource, &checker->arena,
                               &resources[i], &err) < 0) {
            /* It holds for all of them alike. */
            catalog_errors_add(checker->errors, &binding->place, true, "%s", err.message);
            return NULL;
        }
    }
    return resources;
}

static void check_schemas(struct flow_checker *checker, const struct flow_spec *spec,
                          const struct catalog_materialization *materialization,
                          const struct slice *resources)
{
    flow_checker_value(checker, spec->raw_config_schema, checker->endpoint->config, "config",
                       &checker->endpoint->config_places);
    for (size_t i = 0; i < materialization->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        const struct catalog_places whole = {.whole = binding->place};
        if (!binding->disable)
            flow_checker_value(checker, spec->raw_resource_config_schema, resources[i], "resource",
                               binding->from_source ? &whole : &binding->resource_places);
    }
}

static struct fields_input input_of(struct flow_checker *checker,
                                    const struct catalog_materialization_binding *binding)
{
    struct flow_collection *collection = arena_alloc(&checker->arena, sizeof *collection);
    task_flow_collection(checker->catalog, binding->source.collection, &checker->arena, collection);
    fields_add_time(collection, &checker->arena);
    return (struct fields_input){
        .binding = arena_printf(&checker->arena, "%s to %s", binding->source.collection->name, binding->name),
        .collection = collection,
        .wanted = &binding->fields};
}

static void check_fields(struct flow_checker *checker, const struct catalog_materialization_binding *binding,
                         struct fields_input *input, const struct flow_validated_binding *validated)
{
    struct flow_field_selection selection;
    struct error err;
    input->case_insensitive = validated->case_insensitive_fields;
    if (flow_validated_constraints(validated, &checker->arena, &input->constraints, &err) < 0 ||
        fields_select(input, &checker->arena, &selection, &err) == FIELDS_CONFLICT)
        catalog_errors_add(checker->errors, &binding->place, true, "%s", err.message);
}

static int validate(struct flow_checker *checker, const struct catalog_materialization *materialization,
                    const struct slice *resources, struct error *err)
{
    size_t max = materialization->binding_count, count = 0;
    struct flow_materialize_validate_binding *asked =
        arena_zalloc(&checker->arena, (max + 1) * sizeof *asked);
    const struct catalog_materialization_binding **bindings =
        arena_zalloc(&checker->arena, (max + 1) * sizeof *bindings);
    struct fields_input *inputs = arena_zalloc(&checker->arena, (max + 1) * sizeof *inputs);
    for (size_t i = 0; i < max; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        if (binding->disable)
            continue;
        inputs[count] = input_of(checker, binding);
        bindings[count] = binding;
        asked[count] = (struct flow_materialize_validate_binding){
            .raw_resource_config = resources[i],
            .collection = inputs[count].collection,
            .raw_field_config = fields_config(&binding->fields, &checker->arena),
            .backfill = binding->backfill,
            .group_by = fields_group_by(&inputs[count], &checker->arena)};
        count++;
    }
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_VALIDATE,
        .validate = {.name = slice_of(materialization->name),
                     .connector_type =
                         flow_checker_is_image(checker) ? FLOW_MATERIALIZE_IMAGE : FLOW_MATERIALIZE_LOCAL,
                     .raw_config = checker->endpoint->config,
                     .bindings = {asked, count}}};
    struct flow_materialize_response response = {0};
    if (ask(checker, &request, FLOW_MATERIALIZE_VALIDATED, &response, err) < 0)
        return -1;
    if (response.validated.bindings.count != count)
        return error_set(err, ERROR_PROTOCOL, "%s validated %zu bindings of %zu", checker->program.label,
                         response.validated.bindings.count, count);
    for (size_t i = 0; i < count; i++)
        check_fields(checker, bindings[i], &inputs[i], &response.validated.bindings.items[i]);
    return 0;
}

void flow_check_materialization(struct flow_checker *checker,
                                const struct catalog_materialization *materialization)
{
    size_t before = catalog_errors_total(checker->errors);
    struct flow_spec spec = {0};
    struct error err;
    if (ask_spec(checker, &spec, &err) < 0) {
        catalog_errors_add(checker->errors, &checker->endpoint->image_place, true, "%s", err.message);
        return;
    }
    const struct slice *resources = make_resources(checker, &spec, materialization);
    if (!resources)
        return;
    check_schemas(checker, &spec, materialization, resources);
    if (checker->loaded && catalog_errors_total(checker->errors) == before &&
        validate(checker, materialization, resources, &err) < 0)
        catalog_errors_add(checker->errors, &checker->endpoint->config_places.whole, true, "%s", err.message);
}
