/* `firth apply`: workspaces, definitions, sources, destinations and connections from a YAML file into the
 * control store. What is there already under its id, or its name, becomes as the file says; what the file
 * does not have stays. */
#include "cli/command.h"
#include "cli/output.h"
#include "control/actors.h"
#include "control/connections.h"
#include "control/definitions.h"
#include "control/workspaces.h"
#include "store/store.h"
#include "supervisor/definitions.h"
#include "supervisor/talk.h"
#include "yaml/yaml.h"
#include "json/writer.h"

#include <stdlib.h>
#include <unistd.h>

struct apply {
    const struct cli *cli;
    struct control *control;
    const struct yaml_document *file;
    const struct json *doc;
    struct arena *arena;
    int64_t now_ms;
    size_t applied;
};

/* --- reading ------------------------------------------------------------------------------------- */

static int at_place(const struct apply *apply, uint32_t node, struct error *err)
{
    struct yaml_position at = yaml_position(apply->file, node);
    return error_wrap(err, "%s:%u:%u", apply->file->file, at.line, at.column);
}

static const char *text(const struct apply *apply, uint32_t object, const char *name)
{
    return json_cstring(apply->doc, json_get(apply->doc, object, name), apply->arena);
}

static const char *text_or(const struct apply *apply, uint32_t object, const char *name,
                           const char *otherwise)
{
    const char *found = text(apply, object, name);
    return found ? found : otherwise;
}

static struct slice raw(const struct apply *apply, uint32_t object, const char *name)
{
    uint32_t at = json_get(apply->doc, object, name);
    return at == JSON_NONE || json_is(apply->doc, at, JSON_NULL) ? (struct slice){0}
                                                                 : json_raw(apply->doc, at);
}

static int only(const struct apply *apply, uint32_t object, const char *what, const char *const *names,
                struct error *err)
{
    const struct json *doc = apply->doc;
    size_t count = 0;
    while (names[count])
        count++;
    if (!json_is(doc, object, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "%s must be a mapping", what), at_place(apply, object, err);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        const char *name = json_cstring(doc, key, apply->arena);
        size_t i = 0;
        while (i < count && strcmp(names[i], name) != 0)
            i++;
        if (i < count)
            continue;
        const char *nearest = string_nearest(name, names, count);
        error_set(err, ERROR_INVALID, "%s has no '%.64s'%s%s%s", what, name,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return at_place(apply, key, err);
    }
    return 0;
}

/* The id that the file gives, or one of the name: the same for the same name, whenever the file is applied.
 */
static int id_of(const struct apply *apply, uint32_t object, const char *kind, const char *workspace,
                 const char **ret_id, struct error *err)
{
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    const char *given = text(apply, object, "id"), *name = text(apply, object, "name");
    if (given) {
        if (!control_uuid_parse(slice_of(given), id))
            return error_set(err, ERROR_INVALID, "the id '%.64s' is no UUID", given),
                   at_place(apply, json_get(apply->doc, object, "id"), err);
    } else if (!name || !*name) {
        return error_set(err, ERROR_INVALID, "a %s has a name, or an id", kind), at_place(apply, object, err);
    } else {
        control_uuid_of(arena_printf(apply->arena, "%s/%s/%s", kind, workspace, name), id);
    }
    *ret_id = id;
    return 0;
}

/* ${NAME} as a whole text is the environment's. */
static int write_expanded(struct apply *apply, struct json_writer *writer, uint32_t at, struct error *err)
{
    const struct json *doc = apply->doc;
    if (json_is(doc, at, JSON_OBJECT)) {
        json_begin_object(writer);
        for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
            json_put_key_of(writer, doc, key);
            if (write_expanded(apply, writer, json_value(key), err) < 0)
                return -1;
        }
        json_end_object(writer);
    } else if (json_is(doc, at, JSON_ARRAY)) {
        json_begin_array(writer);
        for (uint32_t item = json_first(doc, at); item != JSON_NONE; item = json_next(doc, at, item))
            if (write_expanded(apply, writer, item, err) < 0)
                return -1;
        json_end_array(writer);
    } else {
        const char *value = json_cstring(doc, at, apply->arena);
        size_t size = value ? strlen(value) : 0;
        if (size < 4 || strncmp(value, "${", 2) != 0 || value[size - 1] != '}') {
            json_put_value(writer, doc, at);
            return 0;
        }
        const char *name = arena_strndup(apply->arena, value + 2, size - 3), *found = getenv(name);
        if (!found)
            return error_set(err, ERROR_INVALID, "the environment has no %.64s", name),
                   at_place(apply, at, err);
        json_put_string(writer, found);
    }
    return 0;
}

static int read_config(struct apply *apply, uint32_t object, struct slice *ret_config, struct error *err)
{
    struct buffer out;
    struct json_writer writer;
    uint32_t config = json_get(apply->doc, object, "config");
    *ret_config = (struct slice){0};
    if (config == JSON_NONE)
        return 0; /* the one that is there stays */
    if (!json_is(apply->doc, config, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "'config' must be a mapping"), at_place(apply, config, err);
    buffer_init(&out, BUFFER_UNLIMITED);
    json_writer_init(&writer, &out);
    int result = write_expanded(apply, &writer, config, err);
    if (result == 0)
        *ret_config = (struct slice){arena_strndup(apply->arena, out.data, out.size), out.size};
    if (out.data)
        explicit_bzero(out.data, out.capacity);
    buffer_done(&out);
    return result;
}

/* --- references ---------------------------------------------------------------------------------- */

static const char *workspace_of(const struct apply *apply, uint32_t object)
{
    const char *name = text(apply, object, "workspace");
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    if (!name)
        return CONTROL_WORKSPACE_DEFAULT;
    if (!control_uuid_parse(slice_of(name), id))
        control_uuid_of(arena_printf(apply->arena, "workspace//%s", name), id);
    return id;
}

static int find_definition(struct apply *apply, uint32_t object, enum control_side side, const char **ret_id,
                           struct error *err)
{
    const char *name = text(apply, object, "definition");
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    struct control_definition *found;
    size_t count = 0;
    if (!name)
        return error_set(err, ERROR_INVALID, "a %s has a 'definition'", control_side_name(side)),
               at_place(apply, object, err);
    *ret_id = id;
    if (control_uuid_parse(slice_of(name), id))
        return 0;
    const struct control_definition_filter all = {.side = side, .page = {.limit = CONTROL_PAGE_MAX}};
    if (control_definitions(apply->control, &all, apply->arena, &found, &count, NULL, err) < 0)
        return -1;
    const char **names = arena_alloc(apply->arena, (2 * count + 1) * sizeof *names);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].name, name) == 0 || (found[i].built_in && strcmp(found[i].built_in, name) == 0)) {
            *ret_id = found[i].id;
            return 0;
        }
        names[known++] = found[i].name;
        if (found[i].built_in)
            names[known++] = found[i].built_in;
    }
    const char *nearest = string_nearest(name, names, known);
    error_set(err, ERROR_NOT_FOUND, "there is no definition '%.64s' of a %s%s%s%s", name,
              control_side_name(side), nearest ? "; did you mean '" : "", nearest ? nearest : "",
              nearest ? "'?" : "");
    return at_place(apply, json_get(apply->doc, object, "definition"), err);
}

static int find_actor(struct apply *apply, uint32_t object, enum control_side side, const char **ret_id,
                      struct error *err)
{
    const char *member = control_side_name(side), *name = text(apply, object, member);
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    struct control_actor *found;
    size_t count = 0;
    if (!name)
        return error_set(err, ERROR_INVALID, "a connection has a '%s'", member), at_place(apply, object, err);
    *ret_id = id;
    if (control_uuid_parse(slice_of(name), id))
        return 0;
    const char *workspace = workspace_of(apply, object);
    const struct control_actor_filter filter = {
        .side = side, .name = name, .workspaces = &workspace, .workspace_count = 1};
    if (control_actors(apply->control, &filter, apply->arena, &found, &count, NULL, err) < 0)
        return -1;
    if (count == 1) {
        *ret_id = found[0].id;
        return 0;
    }
    error_set(err, ERROR_NOT_FOUND,
              count ? "more than one %s is named '%.64s': give its id" : "there is no %s named '%.64s'",
              member, name);
    return at_place(apply, json_get(apply->doc, object, member), err);
}

/* --- the five kinds ------------------------------------------------------------------------------ */

static int apply_workspace(struct apply *apply, uint32_t at, struct error *err)
{
    static const char *const names[] = {"id", "name", "slug", "email", "notifications", NULL};
    struct control_workspace workspace = {
        .setup_complete = true, .created_ms = apply->now_ms, .updated_ms = apply->now_ms};
    if (only(apply, at, "a workspace", names, err) < 0 ||
        id_of(apply, at, "workspace", "", &workspace.id, err) < 0)
        return -1;
    workspace.name = text_or(apply, at, "name", "");
    workspace.slug = text(apply, at, "slug");
    workspace.email = text(apply, at, "email");
    workspace.notifications = raw(apply, at, "notifications");
    return control_workspace_put(apply->control, &workspace, err) < 0 ? at_place(apply, at, err) : 0;
}

/* A file's name, or the manifest itself. */
static int set_manifest(struct apply *apply, struct control_definition *definition, uint32_t at,
                        struct error *err)
{
    return json_is(apply->doc, at, JSON_STRING)
               ? definitions_load_manifest(definition, json_cstring(apply->doc, at, apply->arena),
                                           apply->arena, err)
               : definitions_set_manifest(definition, json_raw(apply->doc, at), apply->arena, err);
}

static int apply_definition(struct apply *apply, uint32_t at, struct error *err)
{
    static const char *const names[] = {
        "id", "name", "kind", "image", "command", "manifest", "workspace", "documentationUrl", NULL};
    struct control_definition definition = {
        .custom = true, .created_ms = apply->now_ms, .updated_ms = apply->now_ms};
    if (only(apply, at, "a definition", names, err) < 0 ||
        id_of(apply, at, "definition", "", &definition.id, err) < 0)
        return -1;
    const char *kind = text_or(apply, at, "kind", ""), *image = text(apply, at, "image");
    uint32_t manifest = json_get(apply->doc, at, "manifest");
    definition.command = raw(apply, at, "command");
    if (strcmp(kind, "source") != 0 && strcmp(kind, "destination") != 0)
        return error_set(err, ERROR_INVALID, "'kind' is source or destination"), at_place(apply, at, err);
    if ((image != NULL) + (manifest != JSON_NONE) + (definition.command.size > 0) != 1)
        return error_set(err, ERROR_INVALID, "a definition has an 'image', a 'command' or a 'manifest'"),
               at_place(apply, at, err);
    definition.side = strcmp(kind, "source") == 0 ? CONTROL_SOURCE : CONTROL_DESTINATION;
    definition.name = text_or(apply, at, "name", "");
    definition.documentation_url = text(apply, at, "documentationUrl");
    definition.workspace = text(apply, at, "workspace") ? workspace_of(apply, at) : NULL;
    if (manifest == JSON_NONE)
        definitions_set_program(&definition, image, apply->arena);
    else if (set_manifest(apply, &definition, manifest, err) < 0)
        return at_place(apply, manifest, err);
    return control_definition_put(apply->control, &definition, err) < 0 ? at_place(apply, at, err) : 0;
}

static int apply_actor(struct apply *apply, enum control_side side, uint32_t at, struct error *err)
{
    static const char *const names[] = {"id", "name", "workspace", "definition", "config", NULL};
    const char *what = side == CONTROL_SOURCE ? "a source" : "a destination";
    struct control_actor actor = {.side = side, .created_ms = apply->now_ms, .updated_ms = apply->now_ms};
    actor.workspace = workspace_of(apply, at);
    if (only(apply, at, what, names, err) < 0 ||
        id_of(apply, at, control_side_name(side), actor.workspace, &actor.id, err) < 0 ||
        find_definition(apply, at, side, &actor.definition, err) < 0 ||
        read_config(apply, at, &actor.config, err) < 0)
        return -1;
    actor.name = text_or(apply, at, "name", "");
    return control_actor_put(apply->control, &actor, err) < 0 ? at_place(apply, at, err) : 0;
}

static int apply_source(struct apply *apply, uint32_t at, struct error *err)
{
    return apply_actor(apply, CONTROL_SOURCE, at, err);
}

static int apply_destination(struct apply *apply, uint32_t at, struct error *err)
{
    return apply_actor(apply, CONTROL_DESTINATION, at, err);
}

static int read_word(const struct apply *apply, uint32_t object, const char *name, int (*of)(const char *),
                     int otherwise, int *ret_value, struct error *err)
{
    const char *word = text(apply, object, name);
    *ret_value = word ? of(word) : otherwise;
    if (*ret_value >= 0)
        return 0;
    error_set(err, ERROR_INVALID, "'%s' cannot be '%.40s'", name, word);
    return at_place(apply, json_get(apply->doc, object, name), err);
}

/* manual, {every: 2, unit: hours} or {cron: "0 0 12 * * ?", timeZone: Europe/Berlin} */
static int read_schedule(const struct apply *apply, uint32_t at, struct control_connection *connection,
                         struct error *err)
{
    static const char *const names[] = {"every", "unit", "cron", "timeZone", NULL};
    uint32_t schedule = json_get(apply->doc, at, "schedule");
    uint64_t every = 0;
    int unit = CONTROL_HOURS;
    if (schedule == JSON_NONE ||
        (json_is(apply->doc, schedule, JSON_STRING) && json_string_is(apply->doc, schedule, "manual")))
        return 0;
    if (only(apply, schedule, "a schedule", names, err) < 0 ||
        read_word(apply, schedule, "unit", control_unit_of, CONTROL_HOURS, &unit, err) < 0)
        return -1;
    connection->cron = text(apply, schedule, "cron");
    connection->time_zone = text(apply, schedule, "timeZone");
    connection->schedule = connection->cron ? CONTROL_CRON : CONTROL_BASIC;
    uint32_t number = json_get(apply->doc, schedule, "every");
    if (number != JSON_NONE && (!json_to_u64(apply->doc, number, &every) || every > UINT32_MAX))
        return error_set(err, ERROR_INVALID, "'every' is a number"), at_place(apply, number, err);
    connection->every = (uint32_t)every;
    connection->unit = (enum control_unit)unit;
    return 0;
}

static int status_of(const char *name)
{
    enum control_connection_status status = control_connection_status_of(name);
    return status >= CONTROL_DEPRECATED ? -1 : (int)status;
}

static int apply_connection(struct apply *apply, uint32_t at, struct error *err)
{
    static const char *const names[] = {
        "id",     "name",      "workspace",       "source",        "destination", "status", "schedule",
        "prefix", "namespace", "namespaceFormat", "schemaChanges", "catalog",     NULL};
    struct control_connection connection = {0}, there;
    int namespace, changes, status;
    const char *workspace = workspace_of(apply, at), *id;
    if (only(apply, at, "a connection", names, err) < 0 ||
        id_of(apply, at, "connection", workspace, &id, err) < 0)
        return -1;
    int found = control_connection_get(apply->control, id, true, apply->arena, &there, err);
    if (found < 0 && err->code != ERROR_NOT_FOUND)
        return -1;
    if (found == 0)
        connection = there;
    connection.id = id;
    connection.status_reason = NULL;
    connection.schedule = CONTROL_MANUAL;
    connection.created_ms = found == 0 ? there.created_ms : apply->now_ms;
    connection.updated_ms = apply->now_ms;
    if (find_actor(apply, at, CONTROL_SOURCE, &connection.source, err) < 0 ||
        find_actor(apply, at, CONTROL_DESTINATION, &connection.destination, err) < 0 ||
        read_schedule(apply, at, &connection, err) < 0 ||
        read_word(apply, at, "namespace", control_namespace_of, CONTROL_NAMESPACE_SOURCE, &namespace, err) <
            0 ||
        read_word(apply, at, "schemaChanges", control_changes_of, CONTROL_CHANGES_IGNORE, &changes, err) <
            0 ||
        read_word(apply, at, "status", status_of, CONTROL_ACTIVE, &status, err) < 0)
        return -1;
    connection.namespace_definition = (enum control_namespace) namespace;
    connection.changes = (enum control_changes)changes;
    connection.status = (enum control_connection_status)status;
    connection.name = text_or(apply, at, "name", "");
    connection.prefix = text(apply, at, "prefix");
    connection.namespace_format = text(apply, at, "namespaceFormat");
    if (raw(apply, at, "catalog").size) {
        connection.catalog = raw(apply, at, "catalog");
        connection.breaking_change = false;
    }
    return control_connection_put(apply->control, &connection, err) < 0 ? at_place(apply, at, err) : 0;
}

/* --- the whole ----------------------------------------------------------------------------------- */

static int apply_list(struct apply *apply, const char *name,
                      int (*one)(struct apply *apply, uint32_t at, struct error *err), struct error *err)
{
    uint32_t list = json_get(apply->doc, 0, name);
    if (list == JSON_NONE || json_is(apply->doc, list, JSON_NULL))
        return 0;
    if (!json_is(apply->doc, list, JSON_ARRAY))
        return error_set(err, ERROR_INVALID, "'%s' must be a list", name), at_place(apply, list, err);
    for (uint32_t at = json_first(apply->doc, list); at != JSON_NONE; at = json_next(apply->doc, list, at)) {
        if (one(apply, at, err) < 0)
            return -1;
        apply->applied++;
    }
    return 0;
}

static int apply_all(struct apply *apply, struct error *err)
{
    static const char *const names[] = {"workspaces",   "definitions", "sources",
                                        "destinations", "connections", NULL};
    return only(apply, 0, "the file", names, err) < 0 ||
                   definitions_put_built_ins(apply->control, apply->cli->built_ins, apply->now_ms, err) < 0 ||
                   apply_list(apply, "workspaces", apply_workspace, err) < 0 ||
                   apply_list(apply, "definitions", apply_definition, err) < 0 ||
                   apply_list(apply, "sources", apply_source, err) < 0 ||
                   apply_list(apply, "destinations", apply_destination, err) < 0 ||
                   apply_list(apply, "connections", apply_connection, err) < 0
               ? -1
               : 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct yaml_document file;
    struct arena arena;
    struct error err;
    (void)argc;
    arena_init(&arena);
    mem_auto(control_close) struct control *control = NULL;
    struct apply apply = {.cli = cli, .file = &file, .arena = &arena, .now_ms = clock_wall_ms(&clock_system)};
    int result = yaml_load(&arena, argv[1], NULL, NULL, &file, &err);
    apply.doc = &file.json;
    mem_auto(store_close) struct store *store = NULL;
    if (result == 0 && !(store = store_open(cli->data_dir, NULL, &err))) /* made, if there is none yet */
        result = -1;
    if (result == 0 && !(apply.control = control = control_open(cli->data_dir, CONTROL_CHANGE, &err)))
        result = -1;
    if (result == 0)
        result = apply_all(&apply, &err);
    if (apply.applied)
        talk_wake(cli->data_dir);
    arena_done(&arena);
    if (result < 0)
        return cli_fail(cli, &err);
    log_info(&cli->log, "%zu applied", apply.applied);
    return CLI_OK;
}

const struct command cli_apply = {
    .name = "apply",
    .arguments = "FILE",
    .summary = "bring connections and what they are made of to what a file says",
    .help =
        "The file has lists of workspaces, definitions, sources, destinations and connections, as 'firth\n"
        "export' writes them. What has no id gets one of its name, so that a file may be applied again\n"
        "and again. A config may name environment variables: password: ${PASSWORD}. Of a source or\n"
        "destination without a config the one that is there stays.\n"
        "\n"
        "  firth export > connections.yaml\n"
        "  firth apply connections.yaml\n",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
