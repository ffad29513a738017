#include "cli/endpoint_check.h"

#include "cli/flow_check.h"
#include "cli/spec_check.h"
#include "cli/stream_check.h"
#include "connector/flow_call.h"
#include "connector/image.h"
#include "connector/marks.h"
#include "protocol/flow_materialize.h"
#include "sdk/flow.h"
#include "supervisor/plan.h"
#include "task/config_keeper.h"

enum { STALL_MS = 60000 };

/* What a program answered to `spec`. */
struct known_spec {
    struct known_spec *next;
    struct connector_program program;
    struct json spec;
};

struct checker {
    const struct endpoint_check *check;
    const struct connector_catalog *built_ins;
    struct catalog_errors *errors;
    struct schema_validator *validator;
    struct known_spec *known;
    struct arena arena;
};

/* One endpoint that an Airbyte connector is behind, and what is known of it. */
struct asked {
    const char *task;
    const struct catalog_endpoint *endpoint;
    bool source, capture, materialization;
    struct connector_program program;
    const struct json *spec; /* NULL: it was not had */
    bool config_right;
};

void endpoint_check_not_asked(struct catalog_errors *notes, struct catalog_errors *errors,
                              const struct catalog_place *place, const struct error *why)
{
    struct catalog_errors *list = why->code == ERROR_BUSY ? notes : errors;
    if (list)
        catalog_errors_add(list, place, true, "%s", why->message);
}

/* --- images that look like a slip ------------------------------------------------------------------ */

static bool near(const char *word, const char *wanted)
{
    return string_nearest(word, &wanted, 1) != NULL;
}

/* "airbyte/source-faker" is three words, and a slip may be in each. Taken as one, the long words that all
 * names share would make source-fauna a slip. */
static bool split(struct arena *arena, struct slice repository, const char *ret_words[3])
{
    char *text = arena_strndup(arena, repository.data, repository.size);
    char *slash = strrchr(text, '/'), *base = slash ? slash + 1 : text, *dash = strchr(base, '-');
    if (!dash)
        return false;
    *dash = 0;
    if (slash)
        *slash = 0;
    ret_words[0] = slash ? text : NULL;
    ret_words[1] = base;
    ret_words[2] = dash + 1;
    return true;
}

static const char *nearest_image(struct checker *checker, const char *image)
{
    const char *given[3], *known[3];
    if (!split(&checker->arena, connector_image_repository(image), given))
        return NULL;
    for (size_t i = 0; i < checker->built_ins->count; i++) {
        const char *const *names = checker->built_ins->items[i].image_names;
        for (; *names; names++) {
            if (split(&checker->arena, connector_image_repository(*names), known) &&
                (!given[0] || near(given[0], known[0])) && near(given[1], known[1]) &&
                near(given[2], known[2]))
                return *names;
        }
    }
    return NULL;
}

/* --- finding a connector --------------------------------------------------------------------------- */

static bool has_role(const char *name, bool source)
{
    return string_starts_with(name, source ? "source-" : "destination-");
}

static void add_nearest_image(struct checker *checker, const struct catalog_endpoint *endpoint)
{
    const char *nearest = nearest_image(checker, endpoint->image);
    if (nearest && !checker->built_ins->force_images)
        catalog_errors_add(
            checker->errors, &endpoint->image_place, true,
            "no connector for the image '%s' is built in; did you mean '%s'? If the image itself "
            "is meant, pull it first",
            endpoint->image, nearest);
}

/* A built-in connector, or an image of Airbyte's that is on this machine. Checking a catalog pulls nothing:
 * an image that is not here is left for the run. */
static bool resolve_image(struct checker *checker, struct asked *asked)
{
    const struct catalog_endpoint *endpoint = asked->endpoint;
    const struct connector_spec wanted = {.image = endpoint->image,
                                          .protocol = CONNECTOR_AIRBYTE,
                                          .present_only = true,
                                          .role = asked->source ? CONNECTOR_SOURCE : CONNECTOR_DESTINATION};
    struct error err;
    if (!endpoint->image)
        return false;
    if (connector_resolve(checker->built_ins, &wanted, &checker->arena, &asked->program, &err) < 0) {
        if (err.code == ERROR_INVALID)
            catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s", err.message);
        else
            add_nearest_image(checker, endpoint);
        return false;
    }
    if (asked->program.built_in && !has_role(asked->program.argv[2], asked->source)) {
        catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s is a %s, but here must be a %s",
                           asked->program.argv[2], asked->source ? "destination" : "source",
                           asked->source ? "source" : "destination");
        return false;
    }
    return asked->program.protocol == CONNECTOR_AIRBYTE;
}

static bool resolve_command(struct checker *checker, struct asked *asked, bool disabled)
{
    const struct catalog_endpoint *endpoint = asked->endpoint;
    const struct connector_spec wanted = {.command = endpoint->command,
                                          .env = endpoint->env,
                                          .folder = endpoint->folder,
                                          .protocol = CONNECTOR_AIRBYTE};
    struct error err;
    if (disabled || checker->check->depth == ENDPOINT_CHECK_BUILT_IN || !endpoint->command ||
        !endpoint->env || endpoint->protocol != CATALOG_PROTOCOL_AIRBYTE)
        return false;
    if (connector_resolve(checker->built_ins, &wanted, &checker->arena, &asked->program, &err) == 0)
        return true;
    catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s", err.message);
    return false;
}

/* --- spec and config ------------------------------------------------------------------------------- */

static bool same_words(const char *const *a, const char *const *b)
{
    while (*a && *b && strcmp(*a, *b) == 0) {
        a++;
        b++;
    }
    return !*a && !*b;
}

static bool same_program(const struct connector_program *a, const struct connector_program *b)
{
    return same_words(a->argv, b->argv) && same_words(a->env, b->env) && !a->container && !b->container &&
           slice_equal(a->manifest, b->manifest) &&
           (a->folder == b->folder || (a->folder && b->folder && strcmp(a->folder, b->folder) == 0));
}

static const struct json *ask_spec(struct checker *checker, const struct connector_program *program,
                                   struct error *err)
{
    struct connector_limits limits = connector_limits_default;
    struct known_spec *known = checker->known;
    while (known && !same_program(&known->program, program))
        known = known->next;
    if (known)
        return &known->spec;
    known = arena_zalloc(&checker->arena, sizeof *known);
    known->program = *program;
    limits.stall_ms = STALL_MS;
    if (connector_airbyte_spec(program, &limits, &checker->arena, &known->spec, err) < 0)
        return NULL;
    known->next = checker->known;
    checker->known = known;
    return &known->spec;
}

static const struct connector_built_in *built_in_of(const struct checker *checker, const struct asked *asked)
{
    for (size_t i = 0; asked->program.built_in && i < checker->built_ins->count; i++) {
        if (strcmp(checker->built_ins->items[i].name, asked->program.argv[2]) == 0)
            return &checker->built_ins->items[i];
    }
    return NULL;
}

/* Does the built-in connector itself take what its spec does not say? */
static bool has_two_spellings(const struct checker *checker, const struct asked *asked)
{
    const struct connector_built_in *item = built_in_of(checker, asked);
    return item && item->two_spellings;
}

/* Are its streams more than it lists? The connector itself says what is wrong with one, when it is run. */
static bool finds_streams(const struct checker *checker, const struct asked *asked)
{
    const struct connector_built_in *item = built_in_of(checker, asked);
    return item && item->finds_streams;
}

/* Does the config have all that the schema requires of it, and is that anything? */
static bool has_required(struct checker *checker, struct slice schema_text, struct slice config_text)
{
    struct json schema, config;
    struct error unused;
    if (json_parse_copy(&checker->arena, schema_text.data, schema_text.size, &schema, &unused) < 0 ||
        json_parse_copy(&checker->arena, config_text.data, config_text.size, &config, &unused) < 0)
        return false;
    uint32_t required = json_get(&schema, 0, "required");
    if (!json_is(&schema, required, JSON_ARRAY) || json_first(&schema, required) == JSON_NONE)
        return false;
    for (uint32_t i = json_first(&schema, required); i != JSON_NONE; i = json_next(&schema, required, i)) {
        const char *name = json_cstring(&schema, i, &checker->arena);
        if (!name || json_get(&config, 0, name) == JSON_NONE)
            return false;
    }
    return true;
}

/* How the config of a materialization is spelt in Flow, as the connector itself says it. */
static int ask_flow_schema(struct checker *checker, const struct asked *asked, struct slice *ret_schema,
                           struct error *err)
{
    struct connector_limits limits = connector_limits_default;
    const struct flow_materialize_request request = {.type = FLOW_MATERIALIZE_SPEC,
                                                     .spec = {FLOW_MATERIALIZE_IMAGE, SLICE_LITERAL("{}")}};
    struct flow_materialize_response response = {0};
    struct json *answer = arena_alloc(&checker->arena, sizeof *answer);
    struct buffer line;
    limits.stall_ms = STALL_MS;
    buffer_init(&line, BUFFER_UNLIMITED);
    flow_materialize_write_request(&line, &request);
    const struct connector_flow_question question = {
        .verb = flow_materialize_request_name(FLOW_MATERIALIZE_SPEC),
        .answer = flow_materialize_response_name(FLOW_MATERIALIZE_SPEC_RESPONSE),
        .request = {line.data, line.size}};
    int result = connector_flow_ask(&asked->program, &question, &limits, &checker->arena, answer, err);
    if (result == 0)
        result = flow_materialize_read_response(answer, &checker->arena, &response, err);
    buffer_done(&line);
    *ret_schema = response.spec.raw_config_schema;
    return result;
}

/* The schema that the config is held against. A materialization's is spelt as Flow spells it, unless it has
 * what Airbyte's spelling requires and Flow's lacks some: the connector itself reads it so. */
static int config_schema(struct checker *checker, const struct asked *asked, struct slice *ret_schema,
                         struct error *err)
{
    struct slice config = asked->endpoint->config, flow;
    struct slice airbyte = json_raw(asked->spec, json_get(asked->spec, 0, "connectionSpecification"));
    *ret_schema = airbyte;
    if (!asked->materialization || !has_two_spellings(checker, asked))
        return 0;
    if (ask_flow_schema(checker, asked, &flow, err) < 0)
        return -1;
    if (has_required(checker, flow, config) || !has_required(checker, airbyte, config))
        *ret_schema = flow;
    return 0;
}

/* -1: its spec cannot be used. */
static int check_config(struct checker *checker, const struct asked *asked, struct error *err)
{
    struct slice schema;
    if (config_schema(checker, asked, &schema, err) < 0)
        return -1;
    const struct spec_check check = {.schema = schema,
                                     .value = asked->endpoint->config,
                                     .what = "config",
                                     .places = &asked->endpoint->config_places,
                                     .errors = checker->errors,
                                     .validator = checker->validator,
                                     .arena = &checker->arena};
    return spec_check(&check, err);
}

/* False: nothing of the connector is known. What is wrong with it, or with its config, was told. */
static bool ask(struct checker *checker, struct asked *asked, bool disabled)
{
    const struct catalog_endpoint *endpoint = asked->endpoint;
    bool local = endpoint->kind == CATALOG_ENDPOINT_LOCAL;
    struct error err;
    if (local ? !resolve_command(checker, asked, disabled)
              : endpoint->kind != CATALOG_ENDPOINT_CONNECTOR || !resolve_image(checker, asked))
        return false;
    size_t before = catalog_errors_total(checker->errors);
    asked->spec = ask_spec(checker, &asked->program, &err);
    if (!asked->spec) {
        /* A run starts the command in a moment, and tries again where that may help. */
        if (!local || checker->check->depth == ENDPOINT_CHECK_ALL)
            catalog_errors_add(checker->errors,
                               local ? &endpoint->image_place : &endpoint->config_places.whole, true, "%s",
                               err.message);
        return false;
    }
    /* A capture's connector is asked to discover with the config, however it is spelt. */
    bool by_itself = asked->capture && has_two_spellings(checker, asked);
    if (endpoint->config.data && !by_itself && check_config(checker, asked, &err) < 0)
        catalog_errors_add(checker->errors, &endpoint->config_places.whole, true,
                           "the spec of %s cannot be used: %s", asked->program.label, err.message);
    asked->config_right = endpoint->config.data && catalog_errors_total(checker->errors) == before;
    return true;
}

/* --- streams --------------------------------------------------------------------------------------- */

/* The streams of a built-in source, or of a local command where everything is to be asked. A wrong config may
 * not matter for it, nor none at all. False where they cannot be had: an image's discovery, which may take
 * minutes, is left for the run. */
static bool discover(struct checker *checker, const struct asked *asked, struct airbyte_catalog *ret_streams)
{
    const struct catalog_endpoint *endpoint = asked->endpoint;
    bool built_in = asked->program.built_in;
    struct connector_limits limits = connector_limits_default;
    struct json answer;
    struct error err;
    limits.stall_ms = STALL_MS;
    if (!built_in &&
        (endpoint->kind != CATALOG_ENDPOINT_LOCAL || checker->check->depth != ENDPOINT_CHECK_ALL))
        return false;
    struct config_keeper keeper = {.config = endpoint->config};
    const struct connector_listener listener = {config_keeper_on_config, &keeper, NULL};
    if (endpoint->config.data &&
        config_keeper_open(&keeper, checker->check->data_dir, asked->task, TASK_SOURCE, &asked->program,
                           endpoint->config, &checker->arena, &err) < 0) {
        endpoint_check_not_asked(checker->check->notes, checker->errors, &endpoint->place, &err);
        return false;
    }
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        connector_secrets_of(keeper.config, asked->program.env,
                             json_raw(asked->spec, json_get(asked->spec, 0, "connectionSpecification")));
    bool known =
        keeper.config.data && connector_airbyte_discover(&asked->program, keeper.config, secrets, &listener,
                                                         &limits, &checker->arena, &answer, &err) == 0;
    if (!known && asked->config_right && built_in)
        catalog_errors_add(checker->errors, &endpoint->place, true, "%s", err.message);
    if (!known && !asked->config_right)
        known = connector_airbyte_discover(&asked->program, SLICE_LITERAL("{}"), secrets, NULL, &limits,
                                           &checker->arena, &answer, &err) == 0;
    return known && airbyte_catalog_read(&answer, 0, &checker->arena, ret_streams, &err) == 0;
}

/* --- captures -------------------------------------------------------------------------------------- */

/* Is a resource of this endpoint an Airbyte stream? What an image that is not built in wants is known only
 * of Airbyte's own; what is named by its name alone is built in or was added, which both speak that. */
static bool reads_streams(const struct catalog_endpoint *endpoint)
{
    if (endpoint->kind == CATALOG_ENDPOINT_LOCAL)
        return endpoint->protocol == CATALOG_PROTOCOL_AIRBYTE;
    return endpoint->kind == CATALOG_ENDPOINT_CONNECTOR && endpoint->image &&
           (slice_starts_with(connector_image_repository(endpoint->image), "airbyte/") ||
            connector_image_is_name(endpoint->image));
}

static struct catalog_stream_places places_in(const struct catalog_places *resource)
{
    const struct catalog_place *name = catalog_place_of(resource, "/stream");
    return (struct catalog_stream_places){
        .name = name == &resource->whole ? *catalog_place_of(resource, "/name") : *name,
        .namespace = *catalog_place_of(resource, "/namespace"),
        .sync_mode = *catalog_place_of(resource, "/syncMode"),
        .destination_sync_mode = resource->whole,
        .cursor_field = *catalog_place_of(resource, "/cursorField"),
        .primary_key = *catalog_place_of(resource, "/primaryKey"),
    };
}

/* The place of the member that a message about the resource names first, 'syncMode' or the like. */
static const struct catalog_place *named_in(const struct catalog_places *resource, const char *message)
{
    const char *begin = strchr(message, '\''), *end = begin ? strchr(begin + 1, '\'') : NULL;
    for (size_t i = 0; end && i < resource->count; i++) {
        const char *name = resource->items[i].pointer + 1;
        if (strlen(name) == (size_t)(end - begin - 1) && strncmp(name, begin + 1, strlen(name)) == 0)
            return &resource->items[i].place;
    }
    return &resource->whole;
}

/* Of a resource that is wrong elsewhere: which stream it names, if it does. */
static bool read_stream_name(struct checker *checker, struct slice resource, struct catalog_stream *stream)
{
    struct json doc;
    struct error unused;
    if (json_parse_copy(&checker->arena, resource.data, resource.size, &doc, &unused) < 0)
        return false;
    uint32_t name = json_get(&doc, 0, "stream"), namespace = json_get(&doc, 0, "namespace");
    if (name == JSON_NONE)
        name = json_get(&doc, 0, "name");
    *stream = (struct catalog_stream){.name = json_cstring(&doc, name, &checker->arena)};
    if (json_is(&doc, namespace, JSON_STRING) && json_inner(&doc, namespace).size)
        stream->namespace = json_cstring(&doc, namespace, &checker->arena);
    return stream->name != NULL;
}

/* A resource in Flow's spelling may have what Airbyte's has not. A built-in connector judges both by this. */
static int check_resource(struct checker *checker, const struct catalog_binding *binding, bool two_spellings,
                          struct catalog_stream *ret_wanted, struct error *err)
{
    struct flow_resource unused;
    if (plan_resource(binding->resource, &checker->arena, ret_wanted, err) == 0)
        return 1;
    return two_spellings ? flow_resource_read(binding->resource, &checker->arena, &unused, err) : -1;
}

static void check_binding(struct checker *checker, const struct catalog_binding *binding,
                          const struct airbyte_catalog *offered, bool two_spellings)
{
    struct catalog_stream wanted;
    struct error err;
    bool named = true;
    int right = check_resource(checker, binding, two_spellings, &wanted, &err);
    if (right < 0)
        catalog_errors_add(checker->errors, named_in(&binding->resource_places, err.message), false, "%s",
                           err.message);
    if (right <= 0) {
        named = read_stream_name(checker, binding->resource, &wanted);
    }
    const struct catalog_stream_places places = places_in(&binding->resource_places);
    const struct stream_check check = {&wanted, &places, checker->errors, &checker->arena};
    if (named && offered)
        stream_check_source(&check, offered);
}

static void check_capture(struct checker *checker, const struct catalog_capture *capture)
{
    struct asked asked = {
        .task = capture->name, .endpoint = &capture->endpoint, .source = true, .capture = true};
    struct airbyte_catalog offered;
    bool known = ask(checker, &asked, capture->disable) && capture->binding_count &&
                 !finds_streams(checker, &asked) && discover(checker, &asked, &offered);
    if (!known && !reads_streams(&capture->endpoint))
        return;
    for (size_t i = 0; i < capture->binding_count; i++) {
        if (!capture->bindings[i].disable && capture->bindings[i].resource.data)
            check_binding(checker, &capture->bindings[i], known ? &offered : NULL,
                          has_two_spellings(checker, &asked));
    }
}

/* --- connections ----------------------------------------------------------------------------------- */

static void check_connection(struct checker *checker, const struct catalog_connection *connection)
{
    struct asked source = {.task = connection->name, .endpoint = &connection->source, .source = true};
    struct asked destination = {.task = connection->name, .endpoint = &connection->destination};
    struct airbyte_catalog offered;
    bool known = ask(checker, &source, connection->disable) && connection->stream_count &&
                 discover(checker, &source, &offered);
    bool takes = ask(checker, &destination, connection->disable);
    for (size_t i = 0; i < connection->stream_count; i++) {
        const struct catalog_stream *wanted = &connection->streams[i];
        const struct stream_check check = {wanted, &wanted->places, checker->errors, &checker->arena};
        if (!wanted->name)
            continue;
        if (known)
            stream_check_source(&check, &offered);
        if (takes)
            stream_check_destination(&check, destination.spec,
                                     destination.program.built_in ? destination.program.argv[2]
                                                                  : destination.program.label);
    }
}

/* --- materializations ------------------------------------------------------------------------------ */

/* To a destination of Airbyte's; those that speak Flow's protocol are asked by flow_check. */
static void check_materialization(struct checker *checker,
                                  const struct catalog_materialization *materialization)
{
    struct asked destination = {
        .task = materialization->name, .endpoint = &materialization->endpoint, .materialization = true};
    (void)ask(checker, &destination, materialization->disable);
}

/* --- all ------------------------------------------------------------------------------------------- */

bool endpoint_check_wants(const struct endpoint_check *check, const char *task)
{
    for (size_t i = 0; i < check->only_count; i++) {
        if (strcmp(check->only[i], task) == 0)
            return true;
    }
    return check->only_count == 0;
}

void endpoint_check(const struct endpoint_check *check, const struct catalog *catalog,
                    struct catalog_errors *errors)
{
    struct checker checker = {
        .check = check, .built_ins = check->built_ins, .errors = errors, .validator = schema_validator_new()};
    bool loaded = catalog_errors_total(errors) == 0;
    arena_init(&checker.arena);
    for (size_t i = 0; i < catalog->capture_count; i++) {
        if (endpoint_check_wants(check, catalog->captures[i].name))
            check_capture(&checker, &catalog->captures[i]);
    }
    for (size_t i = 0; i < catalog->connection_count; i++) {
        if (endpoint_check_wants(check, catalog->connections[i].name))
            check_connection(&checker, &catalog->connections[i]);
    }
    for (size_t i = 0; i < catalog->materialization_count; i++) {
        if (endpoint_check_wants(check, catalog->materializations[i].name))
            check_materialization(&checker, &catalog->materializations[i]);
    }
    arena_done(&checker.arena);
    schema_validator_free(checker.validator);
    flow_check(check, catalog, loaded, errors);
}
