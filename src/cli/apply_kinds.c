/* What `firth apply` does with each thing of the file: find it, compare, put it if it differs. */
#include "cli/apply.h"

#include "control/actors.h"
#include "control/catalog_complete.h"
#include "control/connection_check.h"
#include "control/definitions.h"
#include "control/settings.h"
#include "control/workspaces.h"
#include "supervisor/definitions.h"
#include "supervisor/jobs.h"
#include "supervisor/schema_fit.h"

/* --- references ---------------------------------------------------------------------------------- */

const char *apply_workspace_of(const struct apply *apply, uint32_t object)
{
    const char *name = apply_text(apply, object, "workspace");
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    if (!name)
        return apply->home;
    if (!control_uuid_parse(slice_of(name), id))
        control_uuid_of(arena_printf(apply->arena, "workspace//%s", name), id);
    return id;
}

static int find_definition(struct apply *apply, uint32_t object, enum control_side side, const char **ret_id,
                           struct error *err)
{
    const char *name = apply_text(apply, object, "definition");
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    struct control_definition *found;
    size_t count = 0;
    if (!name)
        return error_set(err, ERROR_INVALID, "a %s has a 'definition'", control_side_name(side)),
               apply_place(apply, object, err);
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
    return apply_place(apply, json_get(apply->doc, object, "definition"), err);
}

static int find_actor(struct apply *apply, uint32_t object, enum control_side side, const char **ret_id,
                      struct error *err)
{
    const char *member = control_side_name(side), *name = apply_text(apply, object, member);
    char *id = arena_alloc(apply->arena, CONTROL_UUID_SIZE);
    struct control_actor *found;
    size_t count = 0;
    if (!name)
        return error_set(err, ERROR_INVALID, "a connection has a '%s'", member),
               apply_place(apply, object, err);
    *ret_id = id;
    if (control_uuid_parse(slice_of(name), id))
        return 0;
    const char *workspace = apply_workspace_of(apply, object);
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
    return apply_place(apply, json_get(apply->doc, object, member), err);
}

/* --- settings, workspaces ------------------------------------------------------------------------ */

bool apply_takes_setting(const char *name)
{
    return string_starts_with(name, "jobs.") || string_starts_with(name, "connectors.");
}

int apply_setting(struct apply *apply, uint32_t key, struct error *err)
{
    const char *name = json_cstring(apply->doc, key, apply->arena), *was;
    const char *value = json_cstring(apply->doc, json_value(key), apply->arena);
    if (!apply_takes_setting(name))
        return error_set(err, ERROR_INVALID,
                         "there is no setting '%.64s'; their names begin with jobs. or connectors.", name),
               apply_place(apply, key, err);
    if (!value && json_is_number(apply->doc, json_value(key))) {
        struct slice raw = json_raw(apply->doc, json_value(key));
        value = arena_strndup(apply->arena, raw.data, raw.size);
    }
    if (!value)
        return error_set(err, ERROR_INVALID, "the setting %s is a text or a number", name),
               apply_place(apply, key, err);
    if (strcmp(name, DEFINITIONS_MANIFEST_SETTING) != 0 && jobs_setting_check(name, value, err) < 0)
        return apply_place(apply, key, err);
    map_set(&apply->named, slice_of(name), apply);
    if (control_setting_get(apply->control, name, apply->arena, &was, err) < 0)
        return -1;
    bool same = was && strcmp(was, value) == 0;
    apply_note(apply, same ? APPLY_SAME : was ? APPLY_CHANGED : APPLY_NEW, "setting", name);
    return same ? 0 : control_setting_set(apply->control, name, value, false, err);
}

static bool same_workspace(const struct control_workspace *a, const struct control_workspace *b)
{
    return apply_same_text(a->name, b->name) && apply_same_text(a->slug, b->slug) &&
           apply_same_text(a->email, b->email) && apply_same_json(a->notifications, b->notifications) &&
           apply_same_json(a->extra, b->extra);
}

int apply_workspace(struct apply *apply, uint32_t at, struct error *err)
{
    static const char members[] =
        "id string, name string, slug string, email string, notifications any, extra object";
    struct control_workspace workspace = {.setup_complete = true, .created_ms = apply->now_ms}, there;
    const char *id;
    if (apply_only(apply, at, "a workspace", members, err) < 0 ||
        apply_id(apply, at, "workspace", "", &id, err) < 0)
        return -1;
    int found = control_workspace_get(apply->control, id, false, apply->arena, &there, err);
    if (found < 0 && !apply_is_new(found, err))
        return -1;
    if (found == 0)
        workspace = there;
    workspace.id = id;
    workspace.updated_ms = apply->now_ms;
    workspace.name = apply_text_or(apply, at, "name", "");
    workspace.email = apply_text(apply, at, "email");
    workspace.slug = apply_text(apply, at, "slug");
    if (!workspace.slug && found == 0)
        workspace.slug = there.slug;
    if (json_get(apply->doc, at, "extra") != JSON_NONE)
        workspace.extra = apply_raw(apply, at, "extra");
    if (json_get(apply->doc, at, "notifications") != JSON_NONE &&
        apply_expanded(apply, at, "notifications", found == 0 ? there.notifications : (struct slice){0},
                       &workspace.notifications, err) < 0)
        return -1;
    bool same = found == 0 && same_workspace(&workspace, &there);
    if (!same && apply_check_notifications(apply, at, workspace.notifications, err) < 0)
        return -1;
    apply_note(apply,
               same         ? APPLY_SAME
               : found == 0 ? APPLY_CHANGED
                            : APPLY_NEW,
               "workspace", workspace.name);
    return same || control_workspace_put(apply->control, &workspace, err) == 0 ? 0
                                                                               : apply_place(apply, at, err);
}

/* --- sources, destinations, connections ---------------------------------------------------------- */

static bool same_actor(const struct control_actor *a, const struct control_actor *b)
{
    return apply_same_text(a->name, b->name) && apply_same_text(a->workspace, b->workspace) &&
           apply_same_text(a->definition, b->definition) && apply_same_json(a->extra, b->extra) &&
           (a->config.size == 0 || apply_same_json(a->config, b->config));
}

static int read_config(struct apply *apply, uint32_t at, struct slice before, struct control_actor *actor,
                       struct error *err)
{
    uint32_t config = json_get(apply->doc, at, "config");
    if (config != JSON_NONE && !json_is(apply->doc, config, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "'config' must be a mapping"), apply_place(apply, config, err);
    return apply_expanded(apply, at, "config", before, &actor->config, err);
}

/* Of another connector neither the states of its connections nor what its destination has would be true. */
static int check_definition(const struct control_actor *there, const struct control_actor *actor,
                            struct error *err)
{
    if (strcmp(there->definition, actor->definition) == 0 || there->connections == 0)
        return 0;
    return error_set(
        err, ERROR_INVALID,
        "the %s '%.200s' has another definition now, and %u connection%s it, whose state would not "
        "be true of that: give it another name, and connections of their own; or delete its "
        "connections first",
        control_side_name(actor->side), there->name, there->connections,
        there->connections == 1 ? " uses" : "s use");
}

static int apply_actor(struct apply *apply, enum control_side side, uint32_t at, struct error *err)
{
    static const char members[] =
        "id string, name string, workspace string, definition string, config any, extra object";
    const char *what = side == CONTROL_SOURCE ? "a source" : "a destination";
    struct control_actor actor = {.side = side, .created_ms = apply->now_ms, .updated_ms = apply->now_ms};
    struct control_actor there = {0};
    actor.workspace = apply_workspace_of(apply, at);
    if (apply_only(apply, at, what, members, err) < 0 ||
        apply_id(apply, at, control_side_name(side), actor.workspace, &actor.id, err) < 0 ||
        find_definition(apply, at, side, &actor.definition, err) < 0)
        return -1;
    int found = control_actor_get(apply->control, side, actor.id, false, apply->arena, &there, err);
    if ((found < 0 && !apply_is_new(found, err)) || read_config(apply, at, there.config, &actor, err) < 0)
        return -1;
    if (found == 0 && check_definition(&there, &actor, err) < 0)
        return apply_place(apply, json_get(apply->doc, at, "definition"), err);
    actor.name = apply_text_or(apply, at, "name", "");
    actor.extra =
        json_get(apply->doc, at, "extra") != JSON_NONE ? apply_raw(apply, at, "extra") : there.extra;
    bool same = found == 0 && same_actor(&actor, &there);
    if (!same && apply_check_config(apply, at, &actor, found < 0, err) < 0)
        return -1;
    apply_note(apply,
               same         ? APPLY_SAME
               : found == 0 ? APPLY_CHANGED
                            : APPLY_NEW,
               control_side_name(side), actor.name);
    return same || control_actor_put(apply->control, &actor, err) == 0 ? 0 : apply_place(apply, at, err);
}

int apply_source(struct apply *apply, uint32_t at, struct error *err)
{
    return apply_actor(apply, CONTROL_SOURCE, at, err);
}

int apply_destination(struct apply *apply, uint32_t at, struct error *err)
{
    return apply_actor(apply, CONTROL_DESTINATION, at, err);
}

static int read_word(const struct apply *apply, uint32_t object, const char *name, int (*of)(const char *),
                     int otherwise, int *ret_value, struct error *err)
{
    const char *word = apply_text(apply, object, name);
    *ret_value = word ? of(word) : otherwise;
    if (*ret_value >= 0)
        return 0;
    error_set(err, ERROR_INVALID, "'%s' cannot be '%.40s'", name, word);
    return apply_place(apply, json_get(apply->doc, object, name), err);
}

/* manual, {every: 2, unit: hours} or {cron: "0 0 12 * * ?", timeZone: Europe/Berlin} */
static int read_schedule(const struct apply *apply, uint32_t at, struct control_connection *connection,
                         struct error *err)
{
    static const char members[] = "every any, unit string, cron string, timeZone string";
    uint32_t schedule = json_get(apply->doc, at, "schedule");
    uint64_t every = 0;
    int unit = CONTROL_HOURS;
    if (schedule == JSON_NONE ||
        (json_is(apply->doc, schedule, JSON_STRING) && json_string_is(apply->doc, schedule, "manual")))
        return 0;
    if (apply_only(apply, schedule, "a schedule", members, err) < 0 ||
        read_word(apply, schedule, "unit", control_unit_of, CONTROL_HOURS, &unit, err) < 0)
        return -1;
    connection->cron = apply_text(apply, schedule, "cron");
    connection->time_zone = apply_text(apply, schedule, "timeZone");
    connection->schedule = connection->cron ? CONTROL_CRON : CONTROL_BASIC;
    uint32_t number = json_get(apply->doc, schedule, "every");
    if (number != JSON_NONE && (!json_to_u64(apply->doc, number, &every) || every > UINT32_MAX))
        return error_set(err, ERROR_INVALID, "'every' is a number"), apply_place(apply, number, err);
    connection->every = (uint32_t)every;
    connection->unit = (enum control_unit)unit;
    return 0;
}

static int status_of(const char *name)
{
    enum control_connection_status status = control_connection_status_of(name);
    return status >= CONTROL_DEPRECATED ? -1 : (int)status;
}

static bool same_schedule(const struct control_connection *a, const struct control_connection *b)
{
    if (a->schedule != b->schedule)
        return false;
    return a->schedule == CONTROL_CRON
               ? apply_same_text(a->cron, b->cron) && apply_same_text(a->time_zone, b->time_zone)
               : a->schedule == CONTROL_MANUAL || (a->every == b->every && a->unit == b->unit);
}

static bool same_connection(const struct control_connection *a, const struct control_connection *b)
{
    return apply_same_text(a->name, b->name) && apply_same_text(a->source, b->source) &&
           apply_same_text(a->destination, b->destination) && a->status == b->status && same_schedule(a, b) &&
           apply_same_text(a->prefix, b->prefix) && a->namespace_definition == b->namespace_definition &&
           apply_same_text(a->namespace_format, b->namespace_format) && a->changes == b->changes &&
           a->notify_changes == b->notify_changes && a->backfill == b->backfill &&
           a->breaking_change == b->breaking_change && apply_same_json(a->catalog, b->catalog) &&
           apply_same_json(a->extra, b->extra);
}

static int read_connection(struct apply *apply, uint32_t at, struct control_connection *connection,
                           struct error *err)
{
    int namespace, changes, status;
    connection->schedule = CONTROL_MANUAL;
    if (find_actor(apply, at, CONTROL_SOURCE, &connection->source, err) < 0 ||
        find_actor(apply, at, CONTROL_DESTINATION, &connection->destination, err) < 0 ||
        read_schedule(apply, at, connection, err) < 0 ||
        read_word(apply, at, "namespace", control_namespace_of, CONTROL_NAMESPACE_SOURCE, &namespace, err) <
            0 ||
        read_word(apply, at, "schemaChanges", control_changes_of, CONTROL_CHANGES_IGNORE, &changes, err) <
            0 ||
        read_word(apply, at, "status", status_of, CONTROL_ACTIVE, &status, err) < 0)
        return -1;
    connection->namespace_definition = (enum control_namespace) namespace;
    connection->changes = (enum control_changes)changes;
    connection->status = (enum control_connection_status)status;
    connection->name = apply_text_or(apply, at, "name", "");
    connection->prefix = apply_text(apply, at, "prefix");
    connection->namespace_format = apply_text(apply, at, "namespaceFormat");
    connection->notify_changes = apply_true(apply, at, "notifySchemaChanges");
    connection->backfill = apply_true(apply, at, "backfill");
    if (json_get(apply->doc, at, "extra") != JSON_NONE)
        connection->extra = apply_raw(apply, at, "extra");
    struct slice catalog = control_catalog_complete(apply_raw(apply, at, "catalog"), apply->arena);
    if (catalog.size && !apply_same_json(catalog, connection->catalog))
        connection->catalog = catalog;
    return 0;
}

/* Its state says what of its source its destination has. Of others it would say what is not so: rows would be
 * missing, and nobody told. */
static int check_sides(const struct control_connection *there, const struct control_connection *connection,
                       struct error *err)
{
    bool source = strcmp(there->source, connection->source) != 0;
    if (!source && strcmp(there->destination, connection->destination) == 0)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "the connection '%.200s' has another %s now, where its state would not be true: give it "
                     "another name, or apply the file without it with --prune, then with it: it begins anew",
                     there->name, source ? "source" : "destination");
}

static void note_again(struct apply *apply, const char *id)
{
    apply->again =
        mem_grow(apply->again, &apply->again_capacity, apply->again_count + 1, sizeof *apply->again);
    apply->again[apply->again_count++] = id;
}

/* The place in the file of what is wrong: as near as the file has it. */
static uint32_t node_of(const struct apply *apply, uint32_t at, const struct control_fault *fault)
{
    static const char *const schedule[][2] = {
        {"units", "every"}, {"cronExpression", "cron"}, {"cronTimeZone", "timeZone"}};
    uint32_t list = json_get(apply->doc, json_get(apply->doc, at, "catalog"), "streams");
    const char *part = fault->part;
    for (size_t i = 0; fault->stream < 0 && i < sizeof schedule / sizeof *schedule; i++) {
        if (strcmp(part, schedule[i][0]) == 0)
            part = arena_printf(apply->arena, "schedule.%s", schedule[i][1]);
    }
    if (fault->stream >= 0 && json_is(apply->doc, list, JSON_ARRAY))
        at = json_at(apply->doc, list, (uint32_t)fault->stream);
    return apply_at(apply, at, part);
}

static int check_connection(struct apply *apply, uint32_t at, const struct control_connection *connection,
                            const struct control_connection *before, struct error *err)
{
    struct control_fault fault;
    if (control_connection_check(apply->control, connection, before, apply->arena, &fault, err) == 0)
        return 0;
    if (!fault.part)
        return apply_place(apply, at, err);
    if (fault.stream >= 0)
        error_wrap(err, "catalog.streams[%ld].%s", fault.stream, fault.part);
    return apply_place(apply, node_of(apply, at, &fault), err);
}

int apply_connection(struct apply *apply, uint32_t at, struct error *err)
{
    static const char members[] =
        "id string, name string, workspace string, source string, destination string, status string, "
        "schedule any, prefix string, namespace string, namespaceFormat string, catalog any, extra object, "
        "backfill boolean, schemaChanges string, notifySchemaChanges boolean";
    struct control_connection connection = {.created_ms = apply->now_ms}, there;
    const char *workspace = apply_workspace_of(apply, at), *id, *misfit;
    if (apply_only(apply, at, "a connection", members, err) < 0 ||
        apply_id(apply, at, "connection", workspace, &id, err) < 0)
        return -1;
    /* Also one that was deleted: it is there again. */
    int found = control_connection_get(apply->control, id, true, apply->arena, &there, err);
    if (found < 0 && !apply_is_new(found, err))
        return -1;
    if (found == 0)
        connection = there;
    connection.id = id;
    connection.updated_ms = apply->now_ms;
    const struct control_connection *before = found == 0 && !there.deleted ? &there : NULL;
    if (read_connection(apply, at, &connection, err) < 0 ||
        schema_fit_settle(apply->control, &connection, before, apply->arena, &misfit, err) < 0)
        return -1;
    if (found == 0 && there.deleted)
        note_again(apply, id);
    else if (found == 0 && check_sides(&there, &connection, err) < 0)
        return apply_place(apply, at, err);
    bool same = found == 0 && same_connection(&connection, &there);
    apply_note(apply, same ? APPLY_SAME : before ? APPLY_CHANGED : APPLY_NEW, "connection", connection.name);
    connection.status_reason = NULL;
    if (!same && (apply_check_catalog(apply, at, connection.catalog, err) < 0 ||
                  check_connection(apply, at, &connection, before, err) < 0))
        return -1;
    if (misfit) /* what the next look at its source would find */
        log_warn(
            &apply->cli->log, "the connection '%s' does not fit what its source was last found to have%s: %s",
            connection.name, connection.breaking_change ? ", and is not synced until it does" : "", misfit);
    return same || control_connection_put(apply->control, &connection, err) == 0
               ? 0
               : apply_place(apply, at, err);
}
