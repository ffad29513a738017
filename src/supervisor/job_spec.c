#include "supervisor/job_spec.h"

#include "base/file.h"
#include "base/hash.h"
#include "control/actors.h"
#include "supervisor/definitions.h"
#include "supervisor/job_streams.h"
#include "supervisor/plan.h"
#include "task/connection_state.h"
#include "json/writer.h"

/* --- endpoints ----------------------------------------------------------------------------------- */

static int build_endpoint(struct job_spec *job, struct control *control, enum control_side side,
                          const char *id, struct task_endpoint *endpoint, struct error *err)
{
    struct control_actor actor;
    struct control_definition definition;
    if (control_actor_get(control, side, id, false, &job->arena, &actor, err) < 0 ||
        control_definition_get(control, actor.definition, false, &job->arena, &definition, err) < 0)
        return -1;
    struct slice config;
    if (definitions_program(control, &definition, &job->arena, &job->wanted[side], err) < 0 ||
        definitions_config(&definition, actor.config, &job->arena, &config, err) < 0)
        return error_wrap(err, "the %s '%s'", control_side_name(side), actor.name);
    job->wanted[side].task = job->spec.name;
    endpoint->config = config;
    endpoint->image = job->wanted[side].image != NULL;
    if (side == CONTROL_SOURCE) {
        const char *label = arena_printf(&job->arena, "%s %s %s", definition.id,
                                         definition.repository ? definition.repository : "",
                                         definition.tag ? definition.tag : "");
        job->source_identity = hash_xxh3(config.data, config.size, hash_xxh3(label, strlen(label), 0));
    }
    return 0;
}

static bool is_image(const struct job_spec *job, const struct connector_catalog *built_ins,
                     enum control_side side)
{
    const char *image = job->wanted[side].image;
    return image && !connector_built_in_for(built_ins, image);
}

static int check_protocol(const struct task_endpoint *endpoint, struct error *err)
{
    return endpoint->program.protocol == CONNECTOR_AIRBYTE
               ? 0
               : error_set(err, ERROR_INVALID,
                           "%s speaks Flow's protocol; a connection moves data between connectors that speak "
                           "Airbyte's",
                           endpoint->program.label);
}

static int find_programs(struct job_spec *job, const struct connector_catalog *built_ins, struct error *err)
{
    struct task_endpoint *const endpoints[] = {&job->spec.source, &job->spec.destination};
    for (int side = 0; side < CONTROL_SIDE_COUNT; side++) {
        job->images[side] = is_image(job, built_ins, (enum control_side)side);
        job->image |= job->images[side];
        if (!job->images[side] && (connector_resolve(built_ins, &job->wanted[side], &job->arena,
                                                     &endpoints[side]->program, err) < 0 ||
                                   check_protocol(endpoints[side], err) < 0))
            return -1;
    }
    return 0;
}

/* --- images -------------------------------------------------------------------------------------- */

static void write_endpoint(struct json_writer *writer, const char *name, const char *image)
{
    json_put_key(writer, name);
    json_begin_object(writer);
    json_put_key(writer, "connector");
    json_begin_object(writer);
    json_member_string(writer, "image", image);
    json_put_key(writer, "config");
    json_begin_object(writer); /* configs stay here: a program does not depend on them */
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
}

/* The image of this side, or the other's where this one has none: that is looked for twice then. */
static const char *image_of(const struct job_spec *job, enum control_side side)
{
    enum control_side other = side == CONTROL_SOURCE ? CONTROL_DESTINATION : CONTROL_SOURCE;
    return job->images[side] ? job->wanted[side].image : job->wanted[other].image;
}

void job_spec_snapshot(const struct job_spec *job, struct buffer *out)
{
    static const char path[] = "/connection.json";
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_put_key(&writer, "connections");
    json_begin_object(&writer);
    json_put_key(&writer, job->spec.name);
    json_begin_object(&writer);
    write_endpoint(&writer, "source", image_of(job, CONTROL_SOURCE));
    write_endpoint(&writer, "destination", image_of(job, CONTROL_DESTINATION));
    json_member_string(&writer, "streams", "all");
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_object(&writer);

    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_u64(&writer, "version", 1);
    json_member_string(&writer, "catalog", path);
    json_put_key(&writer, "files");
    json_begin_object(&writer);
    json_member_slice(&writer, path, (struct slice){text.data, text.size});
    json_end_object(&writer);
    json_put_key(&writer, "names");
    json_begin_object(&writer);
    json_member_string(&writer, path, path);
    json_end_object(&writer);
    json_put_key(&writer, "variables");
    json_begin_object(&writer);
    json_end_object(&writer);
    json_end_object(&writer);
    buffer_done(&text);
}

int job_spec_take_programs(struct job_spec *job, struct slice planned, struct error *err)
{
    struct task_spec spec;
    if (task_spec_read(planned, &job->arena, &spec, err) < 0)
        return error_wrap(err, "what was planned");
    if (job->images[CONTROL_SOURCE])
        job->spec.source.program = spec.source.program;
    if (job->images[CONTROL_DESTINATION])
        job->spec.destination.program = spec.destination.program;
    job->image = false;
    return check_protocol(&job->spec.source, err) < 0 ? -1 : check_protocol(&job->spec.destination, err);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void set_namespace(struct task_spec *spec, const struct control_connection *connection)
{
    spec->prefix = connection->prefix ? connection->prefix : "";
    switch (connection->namespace_definition) {
    case CONTROL_NAMESPACE_SOURCE:
        spec->namespace = NULL;
        break;
    case CONTROL_NAMESPACE_DESTINATION:
        spec->namespace = "";
        break;
    case CONTROL_NAMESPACE_CUSTOM:
        spec->namespace = connection->namespace_format;
        break;
    }
}

int job_spec_build(struct job_spec *job, struct control *control, const struct control_job *wanted,
                   const struct job_spec_options *options, struct error *err)
{
    *job = (struct job_spec){0};
    arena_init(&job->arena);
    char *name = arena_alloc(&job->arena, 64);
    connection_task_name(wanted->connection, name);
    job->spec = (struct task_spec){.kind = TASK_CONNECTION,
                                   .name = name,
                                   .data_dir = options->data_dir,
                                   .sync_id = (uint64_t)wanted->id,
                                   .clear = wanted->type == CONTROL_JOB_CLEAR && !options->discover,
                                   .discover = options->discover,
                                   .commit = TASK_COMMIT_POLICY_DEFAULT,
                                   .log_level = LOG_INFO,
                                   .limits = connector_limits_default};
    if (options->commit_ms)
        job->spec.commit.time_ms = options->commit_ms;
    job->spec.limits.stall_ms = options->stall_ms ? options->stall_ms : PLAN_STALL_MS_DEFAULT;
    struct control_connection *connection = &job->connection;
    if (control_connection_get(control, wanted->connection, false, &job->arena, connection, err) < 0 ||
        build_endpoint(job, control, CONTROL_SOURCE, connection->source, &job->spec.source, err) < 0 ||
        build_endpoint(job, control, CONTROL_DESTINATION, connection->destination, &job->spec.destination,
                       err) < 0 ||
        find_programs(job, options->built_ins, err) < 0)
        return -1;
    set_namespace(&job->spec, connection);
    return job_streams_build(connection->catalog, wanted, &job->arena, &job->spec, &job->streams, err);
}

void job_spec_done(struct job_spec *job)
{
    arena_done(&job->arena);
}
