/* The class: what the SDK calls. */
#include "built_in.h"
#include "source.h"

#include <stdlib.h>

/* --- spec ------------------------------------------------------------------------------------------------
 */

/* Without a manifest: it comes with the config. */
static const char general_spec[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"Low-code "
    "source\",\"type\":\"object\","
    "\"additionalProperties\":true,\"required\":[\"__injected_declarative_manifest\"],\"properties\":{"
    "\"__injected_declarative_manifest\":{\"title\":\"Low-code manifest\",\"type\":\"object\","
    "\"description\":\"The low-code manifest that defines the components of the source.\"}}}";

static void tell_spec(struct firth_host *host, struct firth_spec *ret_spec, const struct manifest *manifest,
                      struct arena *arena)
{
    struct manifest_spec spec;
    manifest_spec(manifest, &spec);
    struct component flow = source_flow_spec(manifest);
    if (firth_speaks_flow(host) && !component_is_none(flow)) {
        struct component schema = component_get(flow, "connection_specification");
        struct slice url = component_string(component_get(flow, "documentation_url"));
        spec = (struct manifest_spec){
            .connection_specification = json_raw(&manifest->doc, schema.at),
            .documentation_url = arena_strndup(arena, url.data, url.size),
        };
    }
    firth_spec_tell(ret_spec, &(struct firth_spec_parts){
                                  .connection_specification = {spec.connection_specification.data,
                                                               spec.connection_specification.size},
                                  .advanced_auth = {spec.advanced_auth.data, spec.advanced_auth.size},
                                  .documentation_url = spec.documentation_url,
                              });
}

int declarative_spec(struct firth_host *host, struct firth_spec *ret_spec, struct firth_error *err)
{
    struct arena arena;
    struct manifest *manifest;
    struct error wrong;
    arena_init(&arena);
    int result = source_manifest(host, (struct slice){0}, &arena, &manifest, &wrong);
    if (result == 0 && manifest)
        tell_spec(host, ret_spec, manifest, &arena);
    else if (result == 0)
        firth_spec_tell(ret_spec, &(struct firth_spec_parts){
                                      .connection_specification = {general_spec, sizeof general_spec - 1}});
    else
        sdk_error(err, &wrong);
    arena_done(&arena);
    return result;
}

/* --- config ----------------------------------------------------------------------------------------------
 */

void declarative_close(void *config)
{
    struct declarative *source = config;
    engine_free(source->engine);
    arena_done(&source->arena);
    free(source);
}

static int open_source(struct declarative *source, struct slice json, struct error *err)
{
    if (source_manifest(source->host, json, &source->arena, &source->manifest, err) != 0)
        return -1;
    if (!source->manifest)
        return error_set(err, ERROR_INVALID,
                         "there is no manifest: name it with --manifest-path, or put it into the config as "
                         "__injected_declarative_manifest");
    source->engine = source_engine(source->host, source->manifest, json, err);
    if (!source->engine)
        return -1;
    source->offered.engine = source->engine;
    if (source_prepare(source->host, source->engine, err) == 0)
        return 0;
    engine_redact_error(source->engine, err);
    return -1;
}

int declarative_open(struct firth_host *host, struct firth_slice json, void **ret_config,
                     struct firth_error *err)
{
    struct declarative *source = mem_zalloc(sizeof *source);
    struct error wrong;
    source->host = host;
    arena_init(&source->arena);
    if (open_source(source, (struct slice){json.data, json.size}, &wrong) != 0) {
        declarative_close(source);
        return sdk_error(err, &wrong);
    }
    *ret_config = source;
    return 0;
}

/* --- check, discover, find -------------------------------------------------------------------------------
 */

static struct declarative *source_of(const void *config)
{
    return (struct declarative *)(uintptr_t)config;
}

int declarative_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct error wrong;
    const char *reason;
    (void)host;
    if (source_check(source_of(config), &reason, &wrong) != 0)
        return sdk_error(err, &wrong);
    return reason ? firth_fail(err, FIRTH_FAILURE_CONFIG, "%s", reason) : 0;
}

struct discovering {
    struct declarative *source;
    struct firth_catalog *catalog;
    struct firth_error *failure; /* of the catalog */
    bool failed;
    struct arena arena;
};

static int discover_one(struct discovering *discovering, struct offered_stream *stream, struct error *err)
{
    const struct json *schema;
    if (offered_stream_compile(discovering->source->engine, stream, err) != 0 ||
        declared_stream_schema(stream->stream, &schema, err) != 0)
        return error_wrap(err, "stream %.200s", stream->name);
    struct slice text = json_raw(schema, 0);
    const char *cursor = declared_stream_cursor(stream->stream);
    const struct firth_stream found = {
        .name = stream->name,
        .json_schema = arena_strndup(&discovering->arena, text.data, text.size),
        .primary_key = declared_stream_primary_key(stream->stream),
        .cursor = cursor,
        .cursor_is_free = cursor && declared_stream_cursor_is_free(stream->stream),
        .sync_modes = FIRTH_FULL_REFRESH | (cursor ? FIRTH_INCREMENTAL : 0),
        .knows_full_state = declared_stream_delegates(stream->stream),
    };
    if (firth_catalog_add(discovering->catalog, &found, discovering->failure) == 0)
        return 0;
    discovering->failed = true;
    return error_set(err, ERROR_PROTOCOL, "the catalog does not take it");
}

static int discover_body(void *context, struct error *err)
{
    struct discovering *discovering = context;
    struct offered *offered = &discovering->source->offered;
    if (offered_all(offered, err) != 0)
        return -1;
    for (size_t i = 0; i < offered->count; i++)
        if (discover_one(discovering, &offered->items[i], err) != 0)
            return -1;
    return 0;
}

static int run(struct discovering *discovering, fiber_body *body, void *context, struct firth_error *err)
{
    struct engine *engine = discovering->source->engine;
    struct error wrong;
    int result = fibers_call(engine->fibers, body, context, &wrong);
    if (result != 0 && !discovering->failed) {
        engine_redact_error(engine, &wrong);
        sdk_error(err, &wrong);
    }
    return result;
}

int declarative_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                         struct firth_error *err)
{
    struct discovering discovering = {.source = source_of(config), .catalog = catalog, .failure = err};
    (void)host;
    arena_init(&discovering.arena);
    int result = run(&discovering, discover_body, &discovering, err);
    arena_done(&discovering.arena);
    return result;
}

struct finding {
    struct discovering discovering;
    const char *name;
};

/* Streams that are made cost requests: only where no written one has the name. */
static int find_body(void *context, struct error *err)
{
    struct finding *finding = context;
    struct offered *offered = &finding->discovering.source->offered;
    if (offered_written(offered, err) != 0)
        return -1;
    struct offered_stream *stream = offered_find(offered, finding->name);
    if (!stream) {
        if (offered_all(offered, err) != 0)
            return -1;
        stream = offered_find(offered, finding->name);
    }
    return stream ? discover_one(&finding->discovering, stream, err) : 0;
}

int declarative_find(struct firth_host *host, const void *config, const char *name, const char *name_space,
                     struct firth_catalog *catalog, struct firth_error *err)
{
    struct finding finding = {{.source = source_of(config), .catalog = catalog, .failure = err}, name};
    (void)host;
    if (name_space && *name_space)
        return 0;
    arena_init(&finding.discovering.arena);
    int result = run(&finding.discovering, find_body, &finding, err);
    arena_done(&finding.discovering.arena);
    return result;
}

/* --- the class -------------------------------------------------------------------------------------------
 */

static const char *const flags[] = {"--manifest-path", NULL};
static const char *const image_names[] = {"airbyte/source-declarative-manifest", NULL};
static const struct firth_own_config own = {flags, declarative_spec, declarative_open, declarative_close,
                                            NULL};

const struct firth_connector_class source_declarative = {
    .name = "source-declarative-manifest",
    .version = "0.1.0",
    .title = "Low-code source",
    .summary = "whatever API a manifest of Airbyte's low-code language describes",
    .documentation_url = "https://docs.airbyte.com/integrations/sources/low-code",
    .image_names = image_names,
    .own = &own,
    .source =
        {
            DECLARATIVE_SOURCE,
        },
};
