#include "cli/endpoint_check.h"

#include "connector/image.h"
#include "connector/marks.h"
#include "schema/schema.h"
#include "supervisor/plan.h"

enum { VIOLATIONS_MAX = 20, LISTED_MAX = 10 };

struct checker {
    const struct connector_catalog *built_ins;
    struct catalog_errors *errors;
    struct schema_validator *validator;
    struct arena arena;
};

/* One endpoint that an Airbyte connector is behind. */
struct place_of {
    const struct catalog_endpoint *endpoint;
    bool source;
};

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

/* --- config ---------------------------------------------------------------------------------------- */

/* Keys that the spec does not name are the connector's to judge, unless they look like one that it does.
 * Returns the property that the last of these was meant for, so that it is not told to be missing as well. */
static const char *check_keys(struct checker *checker, const struct catalog_endpoint *endpoint,
                              const struct json *spec, const struct json *config)
{
    uint32_t properties = json_pointer(spec, 0, SLICE_LITERAL("/connectionSpecification/properties"));
    const char **names = arena_alloc(&checker->arena, (json_count(spec, properties) + 1) * sizeof *names);
    const char *meant = NULL;
    size_t count = 0;
    for (uint32_t key = json_first_key(spec, properties); key != JSON_NONE;
         key = json_next_key(spec, properties, key))
        names[count++] = json_cstring(spec, key, &checker->arena);
    for (uint32_t key = json_first_key(config, 0); key != JSON_NONE; key = json_next_key(config, 0, key)) {
        struct slice name = json_string(config, key, &checker->arena);
        const char *text = json_cstring(config, key, &checker->arena);
        const char *nearest = text && json_get_slice(spec, properties, name) == JSON_NONE
                                  ? string_nearest(text, names, count)
                                  : NULL;
        if (!nearest)
            continue;
        meant = nearest;
        struct buffer pointer;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_push(&pointer, name);
        catalog_errors_add(checker->errors, catalog_place_of(&endpoint->config_places, buffer_cstr(&pointer)),
                           true, "config: unknown key '%s'; did you mean '%s'?", text, nearest);
        buffer_done(&pointer);
    }
    return meant;
}

/* "expected at least 1, got -5" without what was got: it may be a secret. */
static void add_violation(struct checker *checker, const struct catalog_endpoint *endpoint,
                          const struct schema_violation *violation)
{
    const char *got = strstr(violation->message, ", got ");
    size_t size = got ? (size_t)(got - violation->message) : strlen(violation->message);
    catalog_errors_add(checker->errors, catalog_place_of(&endpoint->config_places, violation->instance), true,
                       "config%s%s: %.*s", *violation->instance ? " " : "", violation->instance, (int)size,
                       violation->message);
}

static int explain(struct checker *checker, const struct catalog_endpoint *endpoint,
                   const struct schema *schema, const struct json *config, const char *meant,
                   struct error *err)
{
    struct schema_violation violations[VIOLATIONS_MAX];
    size_t count = 0;
    if (schema_explain(schema, checker->validator, config, 0, &checker->arena, violations, VIOLATIONS_MAX,
                       &count, err) < 0)
        return -1;
    auto_free char *quoted = mem_printf("\"%s\"", meant ? meant : "");
    for (size_t i = 0; i < count; i++) {
        bool told = meant && !*violations[i].instance && strcmp(violations[i].keyword, "required") == 0 &&
                    strstr(violations[i].message, quoted);
        if (!told)
            add_violation(checker, endpoint, &violations[i]);
    }
    return 0;
}

static int check_config(struct checker *checker, const struct catalog_endpoint *endpoint,
                        const struct connector_program *program, struct json *ret_spec, struct error *err)
{
    static const char uri[] = "firth://connector/spec";
    struct json spec, config;
    if (connector_airbyte_spec(program, &connector_limits_default, &checker->arena, &spec, err) < 0 ||
        json_parse_copy(&checker->arena, endpoint->config.data, endpoint->config.size, &config, err) < 0)
        return -1;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    uint32_t at = json_get(&spec, 0, "connectionSpecification");
    if (schema_registry_add(registry, uri, json_raw(&spec, at), err) < 0)
        return -1;
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, uri, err);
    if (!schema)
        return -1;
    *ret_spec = spec;
    const char *meant = check_keys(checker, endpoint, &spec, &config);
    return explain(checker, endpoint, schema, &config, meant, err);
}

/* --- endpoints ------------------------------------------------------------------------------------- */

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

/* True: a built-in connector, or an image of Airbyte's that is on this machine, whose config is right;
 * *ret_program and *ret_spec are filled. Checking a catalog pulls nothing: an image that is not here is left
 * for the run. */
static bool check_endpoint(struct checker *checker, struct place_of what,
                           struct connector_program *ret_program, struct json *ret_spec)
{
    const struct catalog_endpoint *endpoint = what.endpoint;
    struct connector_spec wanted = {
        .image = endpoint->image, .protocol = CONNECTOR_AIRBYTE, .present_only = true};
    struct error err;
    if (endpoint->kind != CATALOG_ENDPOINT_CONNECTOR)
        return false;
    if (connector_resolve(checker->built_ins, &wanted, &checker->arena, ret_program, &err) < 0) {
        add_nearest_image(checker, endpoint);
        return false;
    }
    if (ret_program->built_in && !has_role(ret_program->argv[2], what.source)) {
        catalog_errors_add(checker->errors, &endpoint->image_place, true, "%s is a %s, but here must be a %s",
                           ret_program->argv[2], what.source ? "destination" : "source",
                           what.source ? "source" : "destination");
        return false;
    }
    if (ret_program->protocol != CONNECTOR_AIRBYTE)
        return false;
    size_t before = checker->errors->count + checker->errors->omitted;
    if (check_config(checker, endpoint, ret_program, ret_spec, &err) < 0)
        catalog_errors_add(checker->errors, &endpoint->config_places.whole, true, "%s", err.message);
    return checker->errors->count + checker->errors->omitted == before;
}

/* The streams of a built-in source. False where they cannot be known, or are the run's to ask for: an image's
 * discovery may take minutes. */
static bool discover(struct checker *checker, struct place_of what, struct json *ret_streams)
{
    struct connector_program program;
    struct json spec;
    struct error err;
    if (!check_endpoint(checker, what, &program, &spec) || !program.built_in)
        return false;
    uint32_t schema = json_get(&spec, 0, "connectionSpecification");
    mem_auto(connector_secrets_free) struct connector_secrets *secrets =
        connector_secrets_of(what.endpoint->config, program.env,
                             schema == JSON_NONE ? (struct slice){0} : json_raw(&spec, schema));
    if (connector_airbyte_discover(&program, what.endpoint->config, secrets, &connector_limits_default,
                                   &checker->arena, ret_streams, &err) == 0)
        return true;
    catalog_errors_add(checker->errors, &what.endpoint->place, true, "%s", err.message);
    return false;
}

/* --- streams --------------------------------------------------------------------------------------- */

static const char *mode_name(enum catalog_sync_mode mode)
{
    return mode == CATALOG_SYNC_INCREMENTAL ? "incremental" : "full_refresh";
}

static void add_unknown_stream(struct checker *checker, const struct json *catalog,
                               const struct catalog_stream *wanted, const struct catalog_place *place)
{
    uint32_t streams = json_get(catalog, 0, "streams");
    const char **names = arena_alloc(&checker->arena, (json_count(catalog, streams) + 1) * sizeof *names);
    const char *all = "";
    size_t count = 0;
    for (uint32_t each = json_first(catalog, streams); each != JSON_NONE;
         each = json_next(catalog, streams, each)) {
        const char *name = json_cstring(catalog, json_get(catalog, each, "name"), &checker->arena);
        if (!name)
            continue;
        if (count < LISTED_MAX)
            all = arena_printf(&checker->arena, "%s%s%s", all, count ? ", " : "", name);
        names[count++] = name;
    }
    const char *nearest = string_nearest(wanted->name, names, count);
    if (nearest && strcmp(nearest, wanted->name) != 0)
        catalog_errors_add(checker->errors, place, false, "the source has no stream '%s'; did you mean '%s'?",
                           wanted->name, nearest);
    else
        catalog_errors_add(checker->errors, place, false, "the source has no stream '%s'%s%s%s; it has: %s%s",
                           wanted->name, wanted->namespace ? " in the namespace '" : "",
                           wanted->namespace ? wanted->namespace : "", wanted->namespace ? "'" : "", all,
                           count > LISTED_MAX ? ", …" : "");
}

/* Where a stream is asked for: its name and its mode have places of their own in a resource. */
struct stream_places {
    const struct catalog_place *name, *mode;
};

static void check_stream(struct checker *checker, const struct json *catalog,
                         const struct catalog_stream *wanted, struct stream_places places)
{
    uint32_t streams = json_get(catalog, 0, "streams"), found = JSON_NONE;
    for (uint32_t each = json_first(catalog, streams); each != JSON_NONE;
         each = json_next(catalog, streams, each)) {
        if (json_string_is(catalog, json_get(catalog, each, "name"), wanted->name) &&
            (!wanted->namespace ||
             json_string_is(catalog, json_get(catalog, each, "namespace"), wanted->namespace)))
            found = each;
    }
    if (found == JSON_NONE) {
        add_unknown_stream(checker, catalog, wanted, places.name);
        return;
    }
    uint32_t modes = json_get(catalog, found, "supported_sync_modes");
    bool offered = modes == JSON_NONE || wanted->sync_mode == CATALOG_SYNC_DEFAULT;
    for (uint32_t each = json_first(catalog, modes); each != JSON_NONE;
         each = json_next(catalog, modes, each))
        offered |= json_string_is(catalog, each, mode_name(wanted->sync_mode));
    if (!offered)
        catalog_errors_add(checker->errors, places.mode, false, "the stream '%s' has no syncMode %s",
                           wanted->name, mode_name(wanted->sync_mode));
}

static void check_destination_mode(struct checker *checker, const struct json *spec,
                                   const struct connector_program *destination,
                                   const struct catalog_stream *wanted)
{
    static const char *const names[] = {
        [CATALOG_DESTINATION_APPEND] = "append",
        [CATALOG_DESTINATION_OVERWRITE] = "overwrite",
        [CATALOG_DESTINATION_APPEND_DEDUP] = "append_dedup",
        [CATALOG_DESTINATION_OVERWRITE_DEDUP] = "overwrite_dedup",
    };
    const char *all = "";
    uint32_t modes = json_get(spec, 0, "supported_destination_sync_modes");
    if (modes == JSON_NONE || wanted->destination_sync_mode == CATALOG_DESTINATION_DEFAULT)
        return;
    for (uint32_t each = json_first(spec, modes); each != JSON_NONE; each = json_next(spec, modes, each)) {
        if (json_string_is(spec, each, names[wanted->destination_sync_mode]))
            return;
        const char *mode = json_cstring(spec, each, &checker->arena);
        all = arena_printf(&checker->arena, "%s%s%s", all, *all ? ", " : "", mode ? mode : "");
    }
    catalog_errors_add(checker->errors, &wanted->place, false, "%s has no destinationSyncMode %s; it has: %s",
                       destination->argv[2], names[wanted->destination_sync_mode], all);
}

/* --- tasks ----------------------------------------------------------------------------------------- */

/* Is a resource of this endpoint an Airbyte stream? What an image that is not built in wants is known only
 * of Airbyte's own. */
static bool reads_streams(const struct catalog_endpoint *endpoint)
{
    if (endpoint->kind == CATALOG_ENDPOINT_LOCAL)
        return endpoint->protocol == CATALOG_PROTOCOL_AIRBYTE;
    return endpoint->kind == CATALOG_ENDPOINT_CONNECTOR &&
           slice_starts_with(connector_image_repository(endpoint->image), "airbyte/");
}

static const struct catalog_place *stream_place(const struct catalog_places *resource)
{
    const struct catalog_place *place = catalog_place_of(resource, "/stream");
    return place == &resource->whole ? catalog_place_of(resource, "/name") : place;
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

/* An endpoint with an error of its own was not built. */
static bool is_built(const struct catalog_endpoint *endpoint)
{
    return endpoint->config.data && (endpoint->kind != CATALOG_ENDPOINT_CONNECTOR || endpoint->image) &&
           (endpoint->kind != CATALOG_ENDPOINT_LOCAL || endpoint->command);
}

static void check_capture(struct checker *checker, const struct catalog_capture *capture)
{
    struct json streams;
    if (!is_built(&capture->endpoint))
        return;
    bool known = discover(checker, (struct place_of){&capture->endpoint, true}, &streams);
    if (!known && !reads_streams(&capture->endpoint))
        return;
    for (size_t i = 0; i < capture->binding_count; i++) {
        const struct catalog_binding *binding = &capture->bindings[i];
        struct catalog_stream wanted;
        struct error err;
        if (binding->disable || !binding->resource.data)
            continue;
        if (plan_resource(binding->resource, &checker->arena, &wanted, &err) < 0) {
            catalog_errors_add(checker->errors, named_in(&binding->resource_places, err.message), false, "%s",
                               err.message);
            continue;
        }
        struct stream_places places = {stream_place(&binding->resource_places),
                                       catalog_place_of(&binding->resource_places, "/syncMode")};
        if (known)
            check_stream(checker, &streams, &wanted, places);
    }
}

static void check_connection(struct checker *checker, const struct catalog_connection *connection)
{
    struct json streams, spec;
    struct connector_program destination;
    bool known = is_built(&connection->source) &&
                 discover(checker, (struct place_of){&connection->source, true}, &streams);
    bool takes =
        is_built(&connection->destination) &&
        check_endpoint(checker, (struct place_of){&connection->destination, false}, &destination, &spec);
    for (size_t i = 0; i < connection->stream_count; i++) {
        if (!connection->streams[i].name)
            continue;
        if (known)
            check_stream(
                checker, &streams, &connection->streams[i],
                (struct stream_places){&connection->streams[i].place, &connection->streams[i].place});
        if (takes)
            check_destination_mode(checker, &spec, &destination, &connection->streams[i]);
    }
}

void endpoint_check(const struct connector_catalog *built_ins, const struct catalog *catalog,
                    struct catalog_errors *errors)
{
    struct checker checker = {.built_ins = built_ins, .errors = errors, .validator = schema_validator_new()};
    arena_init(&checker.arena);
    for (size_t i = 0; i < catalog->capture_count; i++)
        check_capture(&checker, &catalog->captures[i]);
    for (size_t i = 0; i < catalog->connection_count; i++)
        check_connection(&checker, &catalog->connections[i]);
    arena_done(&checker.arena);
    schema_validator_free(checker.validator);
}
