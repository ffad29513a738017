#include "cli/flow_checker.h"
#include "cli/flow_subject.h"

#include "connectors/registry.h"
#include "protocol/flow_resource.h"
#include "sdk/flow.h"
#include "task/fields.h"
#include "task/flow_bindings.h"
#include "task/flow_collection.h"
#include "task/materialize_key.h"

/* A materialization: config and resources by the connector's schemas, then its own view of the bindings, and
 * whether the fields that the catalog wants can be had. It is told what the data directory says was applied,
 * as the run tells it; and what the run will do about a key or fields that do not fit an existing table is
 * told.
 */

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

static void check_wanted(struct flow_checker *checker, const struct catalog_materialization_binding *binding,
                         const struct fields_input *input)
{
    struct error wrong;
    if (fields_check(input, &checker->arena, &wrong) < 0)
        catalog_errors_add(checker->errors, &binding->place, true, "%s", wrong.message);
}

/* As a built-in connector reads it, of whatever class. */
static bool check_resource(struct flow_checker *checker,
                           const struct catalog_materialization_binding *binding)
{
    struct flow_resource resource;
    struct error err;
    if (binding->from_source || flow_resource_read(binding->resource, &checker->arena, &resource, &err) == 0)
        return true;
    catalog_errors_add(checker->errors, &binding->resource_places.whole, true, "%s", err.message);
    return false;
}

/* As a built-in connector answers before it has looked at its endpoint: what it needs whatever is there, as
 * the document itself. */
static void check_proposed(struct flow_checker *checker, const struct firth_connector_class *class_,
                           const struct catalog_materialization_binding *binding, struct fields_input *input)
{
    const struct flow_materialize_validate_binding asked = {.raw_resource_config = binding->resource,
                                                            .collection = input->collection};
    struct flow_field_selection selection;
    struct firth_target target;
    struct error err;
    if (binding->from_source ||
        flow_target_offered(&asked, !class_->destination.load, &checker->arena, &target, &err) < 0)
        return;
    input->constraints = flow_target_constraints(
        &target, flow_target_propose(&class_->destination, &target, &checker->arena), &checker->arena);
    input->case_insensitive = class_->destination.folds_case;
    if (fields_select(input, &checker->arena, &selection, &err) == FIELDS_CONFLICT)
        catalog_errors_add(checker->errors, &binding->place, true, "%s", err.message);
}

/* NULL: it is a program of its own, of which nothing is known here. */
static const struct firth_connector_class *class_of(const struct flow_checker *checker,
                                                    const struct connector_catalog *built_ins)
{
    const char *image = checker->endpoint->image,
               *name = image ? connector_built_in_for(built_ins, image) : NULL;
    const struct firth_connector_class *class_ = name ? connectors_find(name) : NULL;
    return class_ && !connectors_is_elsewhere(class_) ? class_ : NULL;
}

void flow_check_wanted(struct flow_checker *checker, const struct connector_catalog *built_ins,
                       const struct catalog_materialization *materialization)
{
    const struct firth_connector_class *class_ = class_of(checker, built_ins);
    for (size_t i = 0; i < materialization->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        if (binding->disable)
            continue;
        struct fields_input input = input_of(checker, binding);
        size_t before = catalog_errors_total(checker->errors);
        check_wanted(checker, binding, &input);
        if (check_resource(checker, binding) && class_ && catalog_errors_total(checker->errors) == before)
            check_proposed(checker, class_, binding, &input);
    }
}

/* --- what was applied before ------------------------------------------------------------------------ */

struct past {
    struct task_materialize_last last;
    struct json counters; /* by binding */
};

/* No data directory, or none with this task, is a task that never ran. */
static int read_past(struct flow_checker *checker, const char *task, struct past *ret_past, struct error *err)
{
    struct task_checkpoint checkpoint;
    task_checkpoint_init(&checkpoint);
    int result = flow_checker_past(checker, task, &checkpoint, err);
    if (result == 0)
        result = task_materialize_last_read(&checkpoint, checker->endpoint->config, &checker->arena,
                                            &ret_past->last, err);
    if (result == 0)
        result = json_parse_copy(&checker->arena, checkpoint.materialize.bindings,
                                 strlen(checkpoint.materialize.bindings), &ret_past->counters, err);
    task_checkpoint_done(&checkpoint);
    return result;
}

/* --- what the connector says of the fields ----------------------------------------------------------- */

static const char *what_happens(enum catalog_on_incompatible on)
{
    switch (on) {
    case CATALOG_INCOMPATIBLE_BACKFILL:
        return "a run materializes it anew (onIncompatibleSchemaChange: backfill)";
    case CATALOG_INCOMPATIBLE_DISABLE_BINDING:
        return "a run disables the binding (onIncompatibleSchemaChange: disableBinding) until the catalog "
               "changes";
    case CATALOG_INCOMPATIBLE_DISABLE_TASK:
        return "the materialization is not run (onIncompatibleSchemaChange: disableTask) until the catalog "
               "changes";
    case CATALOG_INCOMPATIBLE_ABORT:
        break;
    }
    return "raise the binding's 'backfill', or have it done with onIncompatibleSchemaChange: backfill";
}

/* What the table has does not fit, its key or a field: wrong only if the run stops there. */
static void tell_incompatible(struct flow_checker *checker,
                              const struct catalog_materialization_binding *binding, const struct error *why)
{
    bool aborts = binding->on_incompatible == CATALOG_INCOMPATIBLE_ABORT;
    struct catalog_errors *list = aborts ? checker->errors : checker->notes;
    if (list)
        catalog_errors_add(list, &binding->place, true, "%s; %s", why->message,
                           what_happens(binding->on_incompatible));
}

/* As the run does it: a connector may forbid a key that the table has no column of. */
static void check_fields(struct flow_checker *checker, const struct catalog_materialization_binding *binding,
                         const struct past *past, struct fields_input *input, uint32_t backfill,
                         const struct flow_validated_binding *validated)
{
    struct flow_field_selection selection;
    struct error err, other;
    enum fields_outcome outcome = FIELDS_CONFLICT;
    input->case_insensitive = validated->case_insensitive_fields;
    if (validated->resource_path.count) /* the catalog may give the resource no name */
        input->binding = task_flow_binding_name(binding->source.collection->name, validated->resource_path,
                                                &checker->arena);
    if (flow_validated_constraints(validated, &checker->arena, &input->constraints, &err) == 0) {
        outcome = fields_select(input, &checker->arena, &selection, &err);
        bool selected = outcome == FIELDS_SELECTED;
        const struct task_materialize_key key = {.binding = input->binding,
                                                 .collection = input->collection,
                                                 .resource_path = validated->resource_path,
                                                 .backfill = backfill,
                                                 .delta_updates = validated->delta_updates,
                                                 .fields = selected ? selection.keys
                                                                    : fields_group_by(input, &checker->arena),
                                                 .selected = selected};
        if (outcome != FIELDS_INCOMPATIBLE &&
            task_materialize_key_changed(&past->last, &key, &checker->arena, &other)) {
            tell_incompatible(checker, binding, &other);
            return;
        }
    }
    if (outcome == FIELDS_INCOMPATIBLE)
        tell_incompatible(checker, binding, &err);
    if (outcome == FIELDS_CONFLICT)
        catalog_errors_add(checker->errors, &binding->place, true, "%s", err.message);
}

/* What the connector says is about the binding of which it names most; else about the endpoint. */
static const struct catalog_place *place_of(struct flow_checker *checker, const char *message,
                                            const struct catalog_materialization *materialization,
                                            const struct slice *resources)
{
    struct flow_subject *subjects =
        arena_zalloc(&checker->arena, (materialization->binding_count + 1) * sizeof *subjects);
    size_t count = 0;
    for (size_t i = 0; i < materialization->binding_count; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        if (!binding->disable)
            subjects[count++] =
                (struct flow_subject){&binding->place, binding->source.collection->name, resources[i]};
    }
    const struct flow_subject *subject = flow_subject_of(message, subjects, count, &checker->arena);
    return subject ? subject->place : &checker->endpoint->config_places.whole;
}

/* --- validating ------------------------------------------------------------------------------------- */

static int validate(struct flow_checker *checker, const struct catalog_materialization *materialization,
                    const struct slice *resources, struct error *err)
{
    struct past past;
    if (read_past(checker, materialization->name, &past, err) < 0)
        return error_wrap(err, "what %s has materialized before cannot be read", materialization->name);
    size_t max = materialization->binding_count, count = 0;
    struct flow_materialize_validate_binding *asked =
        arena_zalloc(&checker->arena, (max + 1) * sizeof *asked);
    const struct catalog_materialization_binding **bindings =
        arena_zalloc(&checker->arena, (max + 1) * sizeof *bindings);
    struct fields_input *inputs = arena_zalloc(&checker->arena, (max + 1) * sizeof *inputs);
    size_t before = catalog_errors_total(checker->errors);
    for (size_t i = 0; i < max; i++) {
        const struct catalog_materialization_binding *binding = &materialization->bindings[i];
        if (binding->disable)
            continue;
        inputs[count] = input_of(checker, binding);
        check_wanted(checker, binding, &inputs[count]);
        bindings[count] = binding;
        asked[count] = (struct flow_materialize_validate_binding){
            .raw_resource_config = resources[i],
            .collection = inputs[count].collection,
            .raw_field_config = fields_config(&binding->fields, &checker->arena),
            .backfill = task_materialize_counter(
                &past.counters,
                task_materialize_id(binding->source.collection->name, binding->resource, &checker->arena),
                binding->backfill),
            .group_by = fields_group_by(&inputs[count], &checker->arena)};
        count++;
    }
    if (catalog_errors_total(checker->errors) > before)
        return 0; /* nobody else needs to be asked */
    const struct flow_materialize_request request = {
        .type = FLOW_MATERIALIZE_VALIDATE,
        .validate = {.name = slice_of(materialization->name),
                     .connector_type =
                         flow_checker_is_image(checker) ? FLOW_MATERIALIZE_IMAGE : FLOW_MATERIALIZE_LOCAL,
                     .raw_config = checker->endpoint->config,
                     .bindings = {asked, count},
                     .last_materialization = past.last.spec,
                     .last_version = past.last.version}};
    struct flow_materialize_response response = {0};
    if (ask(checker, &request, FLOW_MATERIALIZE_VALIDATED, &response, err) < 0) {
        for (size_t i = 0; i < count; i++) {
            if (flow_subject_mentioned(err->message, inputs[i].collection->name))
                fields_advise(&inputs[i], &checker->arena, err);
        }
        return -1;
    }
    if (response.validated.bindings.count != count)
        return error_set(err, ERROR_PROTOCOL, "%s validated %zu bindings of %zu", checker->program.label,
                         response.validated.bindings.count, count);
    for (size_t i = 0; i < count; i++)
        check_fields(checker, bindings[i], &past, &inputs[i], asked[i].backfill,
                     &response.validated.bindings.items[i]);
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
        catalog_errors_add(checker->errors, place_of(checker, err.message, materialization, resources), true,
                           "%s", err.message);
}
