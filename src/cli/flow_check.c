#include "cli/flow_check.h"

#include "cli/flow_checker.h"
#include "cli/spec_check.h"
#include "connector/flow_call.h"
#include "connector/marks.h"
#include "protocol/flow_capture.h"
#include "store/store.h"
#include "task/capture_last.h"
#include "task/flow_collection.h"

#include <unistd.h>

enum { STALL_MS = 60000 };

/* --- asking ---------------------------------------------------------------------------------------- */

int flow_checker_ask(struct flow_checker *checker, const char *verb, const char *answer, struct slice request,
                     struct json **ret_answer, struct error *err)
{
    struct connector_limits limits = connector_limits_default;
    limits.stall_ms = STALL_MS;
    const struct connector_flow_question question = {
        .verb = verb,
        .answer = answer,
        .request = request,
        .secrets = checker->secrets,
        .on_config = checker->keeper ? config_keeper_on_flow_config : NULL,
        .config_context = checker->keeper};
    struct json *doc = arena_alloc(&checker->arena, sizeof *doc);
    int result = connector_flow_ask(&checker->program, &question, &limits, &checker->arena, doc, err);
    if (result == 0)
        *ret_answer = doc;
    return result;
}

int flow_checker_take_spec(struct flow_checker *checker, const struct flow_spec *spec, struct error *err)
{
    if (flow_protocol_check(spec->protocol, checker->program.label, err) < 0)
        return -1;
    connector_secrets_free(checker->secrets);
    checker->secrets =
        connector_secrets_of(checker->keeper ? checker->keeper->config : checker->endpoint->config,
                             checker->endpoint->env, spec->raw_config_schema);
    return 0;
}

static int ask(struct flow_checker *checker, const struct flow_capture_request *request,
               enum flow_capture_response_type answer, struct flow_capture_response *ret_response,
               struct error *err)
{
    struct buffer line;
    struct json *doc;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_capture_write_request(&line, request);
    int result =
        flow_checker_ask(checker, flow_capture_request_name(request->type),
                         flow_capture_response_name(answer), (struct slice){line.data, line.size}, &doc, err);
    if (result == 0)
        result = flow_capture_read_response(doc, &checker->arena, ret_response, err);
    explicit_bzero(line.data, line.size); /* the config is in it */
    buffer_done(&line);
    return result;
}

static int ask_spec(struct flow_checker *checker, struct flow_spec *ret_spec, struct error *err)
{
    const struct flow_capture_request request = {
        .type = FLOW_CAPTURE_SPEC,
        .spec = {flow_checker_is_image(checker) ? FLOW_CAPTURE_IMAGE : FLOW_CAPTURE_LOCAL,
                 checker->keeper->config}};
    struct flow_capture_response response = {0};
    if (ask(checker, &request, FLOW_CAPTURE_SPEC_RESPONSE, &response, err) < 0)
        return -1;
    *ret_spec = response.spec;
    return flow_checker_take_spec(checker, ret_spec, err);
}

/* --- by its schemas -------------------------------------------------------------------------------- */

void flow_checker_value(struct flow_checker *checker, struct slice raw_schema, struct slice value,
                        const char *what, const struct catalog_places *places)
{
    const struct spec_check check = {.schema = raw_schema,
                                     .value = value,
                                     .what = what,
                                     .places = places,
                                     .errors = checker->errors,
                                     .validator = checker->validator,
                                     .arena = &checker->arena};
    struct error unused;
    if (raw_schema.size && value.data)
        (void)spec_check(&check, &unused);
}

static void check_schemas(struct flow_checker *checker, const struct flow_spec *spec)
{
    const struct catalog_capture *capture = checker->capture;
    flow_checker_value(checker, spec->raw_config_schema, capture->endpoint.config, "config",
                       &capture->endpoint.config_places);
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (!capture->bindings[i].disable)
            flow_checker_value(checker, spec->raw_resource_config_schema, capture->bindings[i].resource,
                               "resource", &capture->bindings[i].resource_places);
    }
}

/* --- what was applied before ------------------------------------------------------------------------ */

int flow_checker_past(struct flow_checker *checker, const char *task, struct task_checkpoint *checkpoint,
                      struct error *err)
{
    const struct store_options read_only = {.read_only = true};
    struct slice saved = {0};
    mem_auto(store_close) struct store *store = NULL;
    if (!checker->data_dir || access(checker->data_dir, F_OK) != 0)
        return 0;
    store = store_open(checker->data_dir, &read_only, err);
    if (!store || store_checkpoint_get(store, task, &checker->arena, &saved, err) < 0)
        return err->code == ERROR_NOT_FOUND ? 0 : -1;
    return task_checkpoint_load(checkpoint, saved, err);
}

/* In the arena: the capture's last specification, NULL if there was none, and its version. */
static int read_last(struct flow_checker *checker, const struct flow_capture_spec **ret_last,
                     struct slice *ret_version, struct error *err)
{
    struct task_checkpoint checkpoint;
    task_checkpoint_init(&checkpoint);
    int result = flow_checker_past(checker, checker->capture->name, &checkpoint, err);
    if (result == 0)
        result = task_capture_last_read(&checkpoint.flow, &checker->arena, ret_last, err);
    if (result == 0)
        *ret_version = slice_of(arena_strdup(&checker->arena, checkpoint.flow.version));
    task_checkpoint_done(&checkpoint);
    return result;
}

/* --- by itself ------------------------------------------------------------------------------------- */

/* Of these of the capture's bindings; of an answer it matters only that it is one. */
static int validate_some(struct flow_checker *checker, const struct catalog_binding *const *some,
                         size_t count, struct error *err)
{
    const struct catalog_capture *capture = checker->capture;
    struct flow_capture_validate_binding *bindings =
        arena_zalloc(&checker->arena, (count + 1) * sizeof *bindings);
    const struct flow_capture_spec *last = NULL;
    struct slice last_version = {0};
    if (read_last(checker, &last, &last_version, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct flow_collection *collection = arena_alloc(&checker->arena, sizeof *collection);
        task_flow_collection(checker->catalog, some[i]->target, &checker->arena, collection);
        bindings[i] =
            (struct flow_capture_validate_binding){some[i]->resource, collection, some[i]->backfill};
    }
    const struct flow_capture_request request = {.type = FLOW_CAPTURE_VALIDATE,
                                                 .validate = {.name = slice_of(capture->name),
                                                              .connector_type = flow_checker_is_image(checker)
                                                                                    ? FLOW_CAPTURE_IMAGE
                                                                                    : FLOW_CAPTURE_LOCAL,
                                                              .raw_config = checker->keeper->config,
                                                              .bindings = {bindings, count},
                                                              .last_capture = last,
                                                              .last_version = last_version}};
    struct flow_capture_response response = {0};
    if (ask(checker, &request, FLOW_CAPTURE_VALIDATED, &response, err) < 0)
        return -1;
    if (response.validated.bindings.count != count)
        return error_set(err, ERROR_PROTOCOL, "%s validated %zu bindings of %zu", checker->program.label,
                         response.validated.bindings.count, count);
    return 0;
}

static const struct catalog_binding **enabled_bindings(struct flow_checker *checker, size_t *ret_count)
{
    const struct catalog_capture *capture = checker->capture;
    const struct catalog_binding **enabled =
        arena_alloc(&checker->arena, (capture->binding_count + 1) * sizeof *enabled);
    *ret_count = 0;
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (!capture->bindings[i].disable)
            enabled[(*ret_count)++] = &capture->bindings[i];
    }
    return enabled;
}

static int validate(struct flow_checker *checker, struct error *err)
{
    size_t count;
    const struct catalog_binding **enabled = enabled_bindings(checker, &count);
    return validate_some(checker, enabled, count, err);
}

static int open_keeper(struct flow_checker *checker, struct error *err)
{
    const struct catalog_capture *capture = checker->capture;
    checker->keeper = &checker->room;
    return config_keeper_open(checker->keeper, checker->data_dir, capture->name, TASK_SOURCE,
                              &checker->program, capture->endpoint.config, &checker->arena, err);
}

int flow_check_validate(const struct connector_program *program, const struct catalog *catalog,
                        const struct catalog_capture *capture, struct slice config_schema,
                        const char *data_dir, struct error *err)
{
    struct flow_checker checker = {.catalog = catalog,
                                   .endpoint = &capture->endpoint,
                                   .capture = capture,
                                   .data_dir = data_dir,
                                   .program = *program,
                                   .loaded = true};
    size_t enabled = 0;
    for (size_t i = 0; i < capture->binding_count; i++)
        enabled += !capture->bindings[i].disable;
    if (enabled == 0)
        return 0;
    arena_init(&checker.arena);
    int result = open_keeper(&checker, err);
    if (result == 0) {
        checker.secrets = connector_secrets_of(checker.keeper->config, capture->endpoint.env, config_schema);
        result = validate(&checker, err);
    }
    connector_secrets_free(checker.secrets);
    arena_done(&checker.arena);
    return result;
}

static void check_capture(struct flow_checker *checker)
{
    const struct catalog_endpoint *endpoint = &checker->capture->endpoint;
    size_t before = catalog_errors_total(checker->errors);
    struct flow_spec spec = {0};
    struct error err;
    if (open_keeper(checker, &err) < 0) {
        endpoint_check_not_asked(checker->notes, checker->errors, &endpoint->place, &err);
        return;
    }
    if (ask_spec(checker, &spec, &err) < 0) {
        catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s", err.message);
        return;
    }
    check_schemas(checker, &spec);
    if (checker->loaded && catalog_errors_total(checker->errors) == before && validate(checker, &err) < 0) {
        size_t count;
        const struct catalog_binding **enabled = enabled_bindings(checker, &count);
        flow_refusal_place(checker, validate_some, enabled, count, &err);
    }
}

/* A local command that speaks Flow's protocol, or an image that is here and does: checking pulls nothing. */
static bool resolve(struct flow_checker *checker, const struct connector_catalog *built_ins)
{
    const struct catalog_endpoint *endpoint = checker->endpoint;
    struct connector_spec wanted = {.protocol = CONNECTOR_FLOW, .present_only = true};
    struct error err;
    bool image = endpoint->kind == CATALOG_ENDPOINT_CONNECTOR;
    if (image) {
        wanted.image = endpoint->image;
        wanted.protocol = CONNECTOR_AIRBYTE; /* of a built-in one */
        wanted.role = checker->capture ? CONNECTOR_SOURCE : CONNECTOR_DESTINATION;
    } else {
        wanted.command = endpoint->command;
        wanted.env = endpoint->env;
        wanted.folder = endpoint->folder;
    }
    if (connector_resolve(built_ins, &wanted, &checker->arena, &checker->program, &err) == 0)
        return checker->program.protocol == CONNECTOR_FLOW;
    if (!image)
        catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s", err.message);
    return false;
}

static bool begin(struct flow_checker *checker, const struct connector_catalog *built_ins,
                  const struct catalog_endpoint *endpoint)
{
    bool local = endpoint->kind == CATALOG_ENDPOINT_LOCAL && endpoint->protocol == CATALOG_PROTOCOL_FLOW &&
                 endpoint->command && endpoint->env;
    bool image = endpoint->kind == CATALOG_ENDPOINT_CONNECTOR && endpoint->image;
    checker->program = (struct connector_program){0};
    if ((!local && !image) || !endpoint->config.data)
        return false;
    checker->endpoint = endpoint;
    connector_secrets_free(checker->secrets);
    checker->secrets =
        connector_secrets_of(endpoint->config, endpoint->env, SLICE_LITERAL("{\"secret\":true}"));
    return resolve(checker, built_ins);
}

void flow_check(const struct endpoint_check *check, const struct catalog *catalog, bool loaded,
                struct catalog_errors *errors)
{
    struct flow_checker checker = {.catalog = catalog,
                                   .errors = errors,
                                   .notes = check->notes,
                                   .data_dir = check->data_dir,
                                   .loaded = loaded};
    if (check->depth != ENDPOINT_CHECK_ALL)
        return;
    checker.validator = schema_validator_new();
    arena_init(&checker.arena);
    for (size_t i = 0; i < catalog->capture_count; i++) {
        checker.capture = &catalog->captures[i];
        checker.keeper = NULL;
        if (!checker.capture->disable && endpoint_check_wants(check, checker.capture->name) &&
            begin(&checker, check->built_ins, &checker.capture->endpoint))
            check_capture(&checker);
    }
    checker.capture = NULL;
    checker.keeper = NULL;
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        const struct catalog_materialization *materialization = &catalog->materializations[i];
        if (materialization->disable || !endpoint_check_wants(check, materialization->name))
            continue;
        if (begin(&checker, check->built_ins, &materialization->endpoint))
            flow_check_materialization(&checker, materialization);
        else if (checker.program.built_in && loaded)
            flow_check_wanted(&checker, check->built_ins, materialization);
    }
    connector_secrets_free(checker.secrets);
    arena_done(&checker.arena);
    schema_validator_free(checker.validator);
}
