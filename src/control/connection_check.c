#include "control/connection_check.h"

#include "base/map.h"
#include "base/text.h"
#include "base/zone.h"
#include "control/actors.h"
#include "control/catalogs.h"
#include "control/definitions.h"
#include "control/schedule.h"
#include "control/stream_check.h"
#include "protocol/airbyte_target.h"

struct check {
    struct control *control;
    const struct control_connection *connection, *before;
    struct arena *arena;
    struct control_fault *fault;
    struct error *err;
    struct json catalog; /* its syncCatalog */
    struct map old;      /* streams of `before` */
};

static int fault(struct check *check, long stream, const char *part)
{
    *check->fault = (struct control_fault){stream, part};
    return -1;
}

/* --- the connection itself ---------------------------------------------------------------------------- */

static int check_text(struct check *check, const char *part, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    if (size > CONTROL_TITLE_MAX) {
        error_set(check->err, ERROR_LIMIT, "%s has %zu bytes; the limit is %d", part, size,
                  CONTROL_TITLE_MAX);
        return fault(check, -1, part);
    }
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            error_set(check->err, ERROR_INVALID, "%s has a control character, U+%04X, at byte %zu", part,
                      (unsigned)text[i], i);
            return fault(check, -1, part);
        }
    }
    return 0;
}

/* Of "${…}" there is one; another would be in the namespace's name as it stands. */
static int check_format(struct check *check)
{
    static const char known[] = "${SOURCE_NAMESPACE}";
    const char *format = check->connection->namespace_format;
    if (check->connection->namespace_definition != CONTROL_NAMESPACE_CUSTOM)
        return 0;
    for (const char *at = format; (at = strstr(at, "${")); at += sizeof known - 1) {
        if (string_starts_with(at, known))
            continue;
        error_set(check->err, ERROR_INVALID, "namespaceFormat has '%.*s'; what it may name is %s",
                  (int)utf8_cut(at, strcspn(at, "}") + (strchr(at, '}') != NULL), 60), at, known);
        return fault(check, -1, "namespaceFormat");
    }
    return 0;
}

static int check_schedule(struct check *check)
{
    const struct control_connection *connection = check->connection;
    struct error unused;
    if (control_schedule_check(connection, check->err) == 0)
        return 0;
    if (connection->schedule == CONTROL_BASIC)
        return fault(check, -1, "units");
    mem_auto(zone_free) struct zone *zone =
        connection->time_zone ? zone_load(connection->time_zone, &unused) : NULL;
    return fault(check, -1, connection->time_zone && !zone ? "cronTimeZone" : "cronExpression");
}

static int check_alone(struct check *check)
{
    const struct control_connection *connection = check->connection;
    const char *format = connection->namespace_format;
    if (!connection->name || !*connection->name) {
        error_set(check->err, ERROR_INVALID, "name is empty");
        return fault(check, -1, "name");
    }
    if (connection->namespace_definition == CONTROL_NAMESPACE_CUSTOM && !(format && *format)) {
        error_set(check->err, ERROR_INVALID,
                  "a custom namespace needs a namespaceFormat, such as '${SOURCE_NAMESPACE}'");
        return fault(check, -1, "namespaceFormat");
    }
    return check_text(check, "name", connection->name) < 0 ||
                   check_text(check, "prefix", connection->prefix) < 0 ||
                   check_text(check, "namespaceFormat", format) < 0 || check_format(check) < 0
               ? -1
               : check_schedule(check);
}

/* --- its streams -------------------------------------------------------------------------------------- */

/* "namespace\nname" of {stream, config}; NULL: it has no name. */
static const char *key_of(const struct json *doc, uint32_t both, struct arena *arena)
{
    uint32_t stream = json_get(doc, both, "stream");
    const char *name = json_cstring(doc, json_get(doc, stream, "name"), arena);
    const char *namespace = json_cstring(doc, json_get(doc, stream, "namespace"), arena);
    return name && *name ? arena_printf(arena, "%s\n%s", namespace ? namespace : "", name) : NULL;
}

static int parse_catalog(struct check *check)
{
    struct slice text = check->connection->catalog;
    if (json_parse_copy(check->arena, text.size ? text.data : "{\"streams\":[]}", text.size ? text.size : 14,
                        &check->catalog, check->err) < 0)
        return fault(check, -1, "catalog");
    if (json_is(&check->catalog, json_get(&check->catalog, 0, "streams"), JSON_ARRAY))
        return 0;
    error_set(check->err, ERROR_INVALID, "the catalog has no 'streams', which is a list");
    return fault(check, -1, "catalog");
}

static void note_old(struct check *check)
{
    struct json doc;
    struct error unused;
    if (!check->before || !check->before->catalog.size ||
        json_parse_copy(check->arena, check->before->catalog.data, check->before->catalog.size, &doc,
                        &unused) < 0)
        return;
    uint32_t list = json_get(&doc, 0, "streams");
    for (uint32_t at = json_first(&doc, list); at != JSON_NONE; at = json_next(&doc, list, at)) {
        const char *key = key_of(&doc, at, check->arena);
        if (key)
            map_set(&check->old, slice_of(key), check);
    }
}

/* What the source was found to have; `offered` is NULL if it was never asked, or said what cannot be read. */
static int find_offered(struct check *check, struct airbyte_catalog *room,
                        const struct airbyte_catalog **ret_offered)
{
    struct control_catalog found;
    struct json *doc = arena_zalloc(check->arena, sizeof *doc);
    struct error unused;
    *ret_offered = NULL;
    if (control_catalog_newest(check->control, check->connection->source, check->arena, &found, check->err) <
        0)
        return check->err->code == ERROR_NOT_FOUND ? 0 : fault(check, -1, NULL);
    if (json_parse_copy(check->arena, found.catalog.data, found.catalog.size, doc, &unused) == 0 &&
        airbyte_catalog_read(doc, 0, check->arena, room, &unused) == 0)
        *ret_offered = room;
    return 0;
}

static unsigned modes_of(struct slice spec, struct arena *arena)
{
    struct json doc;
    struct error unused;
    if (!spec.size || json_parse_copy(arena, spec.data, spec.size, &doc, &unused) < 0)
        return 0;
    return airbyte_destination_modes(&doc, arena);
}

static int find_modes(struct control *control, const struct control_actor *destination, struct arena *arena,
                      unsigned *ret_modes, struct error *err)
{
    struct control_definition definition;
    if (control_definition_get(control, destination->definition, true, arena, &definition, err) < 0)
        return -1;
    *ret_modes = modes_of(definition.spec, arena);
    return 0;
}

int control_destination_modes(struct control *control, const char *destination, struct arena *arena,
                              unsigned *ret_modes, struct error *err)
{
    struct control_actor actor;
    return control_actor_get(control, CONTROL_DESTINATION, destination, true, arena, &actor, err) < 0
               ? -1
               : find_modes(control, &actor, arena, ret_modes, err);
}

static int find_destination(struct check *check, struct stream_question *question)
{
    struct control_actor actor;
    if (control_actor_get(check->control, CONTROL_DESTINATION, check->connection->destination, false,
                          check->arena, &actor, check->err) < 0 ||
        find_modes(check->control, &actor, check->arena, &question->destination_modes, check->err) < 0)
        return fault(check, -1, NULL);
    question->destination = actor.name;
    return 0;
}

static int check_each(struct check *check, const struct stream_question *question, struct map *seen)
{
    const struct json *doc = &check->catalog;
    uint32_t list = json_get(doc, 0, "streams");
    long number = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at), number++) {
        const char *key = key_of(doc, at, check->arena), *part;
        if (!key) {
            error_set(check->err, ERROR_INVALID, "a stream of the catalog has no name (stream.name)");
            return fault(check, number, "stream.name");
        }
        if (map_get(seen, slice_of(key))) {
            error_set(check->err, ERROR_INVALID, "the stream '%.200s' is in the catalog twice",
                      strchr(key, '\n') + 1);
            return fault(check, number, "stream.name");
        }
        map_set(seen, slice_of(key), check);
        if (stream_check(question, at, map_get(&check->old, slice_of(key)) != NULL, &part, check->err) < 0)
            return fault(check, number, part);
    }
    return 0;
}

static int check_streams(struct check *check)
{
    struct airbyte_catalog offered;
    struct stream_question question = {.doc = &check->catalog, .arena = check->arena};
    struct map seen;
    if (check->before && slice_equal(check->before->catalog, check->connection->catalog))
        return 0;
    if (parse_catalog(check) < 0 || find_offered(check, &offered, &question.offered) < 0 ||
        find_destination(check, &question) < 0)
        return -1;
    map_init(&seen);
    map_init(&check->old);
    note_old(check);
    int result = check_each(check, &question, &seen);
    map_done(&check->old);
    map_done(&seen);
    return result;
}

/* --- their names at the destination ------------------------------------------------------------------- */

static bool same_rule(const struct control_connection *a, const struct control_connection *b)
{
    return strcmp(a->prefix ? a->prefix : "", b->prefix ? b->prefix : "") == 0 &&
           a->namespace_definition == b->namespace_definition &&
           strcmp(a->namespace_format ? a->namespace_format : "",
                  b->namespace_format ? b->namespace_format : "") == 0 &&
           slice_equal(a->catalog, b->catalog);
}

static struct airbyte_target_rule rule_of(const struct control_connection *connection)
{
    return (struct airbyte_target_rule){connection->prefix,
                                        connection->namespace_definition == CONTROL_NAMESPACE_SOURCE ? NULL
                                        : connection->namespace_definition == CONTROL_NAMESPACE_DESTINATION
                                            ? ""
                                            : connection->namespace_format};
}

/* As the task will have them (task/streams.c). */
static int check_targets_in(struct check *check, struct map *seen)
{
    const struct json *doc = &check->catalog;
    struct airbyte_target_rule rule = rule_of(check->connection);
    long number = 0;
    for (uint32_t at = json_first(doc, json_get(doc, 0, "streams")); at != JSON_NONE;
         at = json_next(doc, json_get(doc, 0, "streams"), at), number++) {
        uint32_t stream = json_get(doc, at, "stream"), config = json_get(doc, at, "config");
        const char *alias = json_cstring(doc, json_get(doc, config, "aliasName"), check->arena);
        struct airbyte_stream_name *name = arena_zalloc(check->arena, sizeof *name);
        uint32_t space = json_get(doc, stream, "namespace"), own = json_get(doc, stream, "name");
        if (json_is(doc, json_get(doc, config, "selected"), JSON_FALSE) || !json_is(doc, own, JSON_STRING))
            continue;
        name->name = json_string(doc, own, check->arena);
        if (json_is(doc, space, JSON_STRING))
            name->namespace = json_string(doc, space, check->arena);
        struct airbyte_stream_name target =
            airbyte_target(&rule, *name, alias && *alias ? alias : NULL, check->arena);
        struct slice key = airbyte_target_key(target, check->arena);
        const struct airbyte_stream_name *other = map_get(seen, key);
        if (other) {
            airbyte_targets_collide(target, *other, *name, check->err);
            return fault(check, number,
                         alias && !slice_is(name->name, alias) ? "config.aliasName" : "stream.name");
        }
        map_set(seen, key, name);
    }
    return 0;
}

static int check_targets(struct check *check)
{
    struct map seen;
    if (check->before && same_rule(check->before, check->connection))
        return 0;
    if (check->catalog.count == 0 && parse_catalog(check) < 0)
        return -1;
    map_init(&seen);
    int result = check_targets_in(check, &seen);
    map_done(&seen);
    return result;
}

int control_connection_check(struct control *control, const struct control_connection *connection,
                             const struct control_connection *before, struct arena *arena,
                             struct control_fault *ret_fault, struct error *err)
{
    struct check check = {.control = control,
                          .connection = connection,
                          .before = before,
                          .arena = arena,
                          .fault = ret_fault,
                          .err = err};
    return check_alone(&check) < 0 || check_streams(&check) < 0 ? -1 : check_targets(&check);
}
