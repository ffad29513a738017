#include "cli/stream_check.h"

enum { LISTED_MAX = 10 };

static const char *source_mode(enum catalog_sync_mode mode)
{
    return mode == CATALOG_SYNC_INCREMENTAL ? "incremental" : "full_refresh";
}

static const char *destination_mode(enum catalog_destination_sync_mode mode)
{
    static const char *const names[] = {
        [CATALOG_DESTINATION_DEFAULT] = "",
        [CATALOG_DESTINATION_APPEND] = "append",
        [CATALOG_DESTINATION_OVERWRITE] = "overwrite",
        [CATALOG_DESTINATION_APPEND_DEDUP] = "append_dedup",
        [CATALOG_DESTINATION_OVERWRITE_DEDUP] = "overwrite_dedup",
    };
    return names[mode];
}

/* --- fields ---------------------------------------------------------------------------------------- */

static void add_unknown_field(const struct stream_check *check, const struct catalog_place *place,
                              const struct json *schema, uint32_t properties, const struct catalog_path *path,
                              size_t step)
{
    const char **names = arena_alloc(check->arena, (json_count(schema, properties) + 1) * sizeof *names);
    const char *all = "", *within = "";
    size_t count = 0;
    for (uint32_t key = json_first_key(schema, properties); key != JSON_NONE;
         key = json_next_key(schema, properties, key)) {
        const char *name = json_cstring(schema, key, check->arena);
        if (!name)
            continue;
        if (count < LISTED_MAX)
            all = arena_printf(check->arena, "%s%s%s", all, count ? ", " : "", name);
        names[count++] = name;
    }
    for (size_t i = 0; i < step; i++)
        within = arena_printf(check->arena, "%s%s%s", within, i ? "." : " in '", path->names[i]);
    const char *nearest = string_nearest(path->names[step], names, count);
    const char *hint =
        nearest ? arena_printf(check->arena, "; did you mean '%s'?", nearest)
                : arena_printf(check->arena, "; it has: %s%s", all, count > LISTED_MAX ? ", …" : "");
    catalog_errors_add(check->errors, place, false, "the stream '%s' has no field '%s'%s%s%s",
                       check->wanted->name, path->names[step], within, step ? "'" : "", hint);
}

/* Could this object have members that its `properties` do not name? */
static bool is_open(const struct json *schema, uint32_t at)
{
    static const char *const keywords[] = {"oneOf", "anyOf", "allOf", "$ref", "if", "patternProperties"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (json_get(schema, at, keywords[i]) != JSON_NONE)
            return true;
    }
    return false;
}

/* The type of what plainly is no object, else NULL. */
static const char *plain_type(const struct stream_check *check, const struct json *schema, uint32_t at)
{
    uint32_t type = json_get(schema, at, "type");
    const char *found = json_is(schema, type, JSON_STRING) ? json_cstring(schema, type, check->arena) : NULL;
    for (uint32_t e = json_first(schema, type); e != JSON_NONE; e = json_next(schema, type, e)) {
        if (!json_is(schema, e, JSON_STRING) || json_string_is(schema, e, "object"))
            return NULL;
        if (!found && !json_string_is(schema, e, "null"))
            found = json_cstring(schema, e, check->arena);
    }
    return found && strcmp(found, "object") != 0 ? found : NULL;
}

static bool is_within_object(const struct stream_check *check, const struct catalog_place *place,
                             const struct json *schema, uint32_t at, const struct catalog_path *path,
                             size_t step)
{
    const char *type = step ? plain_type(check, schema, at) : NULL;
    if (type)
        catalog_errors_add(check->errors, place, false,
                           "the field '%s' of the stream '%s' has the type %s and no field '%s'",
                           path->names[step - 1], check->wanted->name, type, path->names[step]);
    return !type;
}

/* A path that the stream's schema plainly does not have. Where the schema names no properties, or leaves room
 * for others, nothing is said. False: an error was added. */
static bool check_path(const struct stream_check *check, const struct airbyte_stream *stream,
                       const struct catalog_path *path, const struct catalog_place *place)
{
    struct json schema;
    struct error unused;
    if (json_parse_copy(check->arena, stream->json_schema.data, stream->json_schema.size, &schema, &unused) <
        0)
        return true;
    uint32_t at = 0;
    for (size_t i = 0; i < path->count; i++) {
        if (!is_within_object(check, place, &schema, at, path, i))
            return false;
        uint32_t properties = json_get(&schema, at, "properties");
        if (!json_is(&schema, properties, JSON_OBJECT) || json_count(&schema, properties) == 0 ||
            is_open(&schema, at))
            return true;
        at = json_get(&schema, properties, path->names[i]);
        if (at != JSON_NONE)
            continue;
        add_unknown_field(check, place, &schema, properties, path, i);
        return false;
    }
    return true;
}

static bool same_path(const struct catalog_path *path, const struct airbyte_path *other)
{
    bool same = path->count == other->count;
    for (size_t i = 0; same && i < path->count; i++)
        same = slice_is(other->parts[i], path->names[i]);
    return same;
}

static void check_cursor(const struct stream_check *check, const struct airbyte_stream *stream)
{
    const struct catalog_path *cursor = &check->wanted->cursor_field;
    const struct airbyte_path *own = &stream->default_cursor;
    if (cursor->count == 0 || !check_path(check, stream, cursor, &check->places->cursor_field) ||
        !stream->source_defined_cursor || own->count == 0 || same_path(cursor, own))
        return;
    const char *text = "";
    for (size_t i = 0; i < own->count; i++)
        text = arena_printf(check->arena, "%s%s%.*s", text, i ? "." : "", SLICE_ARGS(own->parts[i]));
    catalog_errors_add(check->errors, &check->places->cursor_field, false,
                       "the source has a cursor of its own for the stream '%s', %s; leave 'cursorField' out",
                       check->wanted->name, text);
}

/* --- a stream -------------------------------------------------------------------------------------- */

/* Told as the run would do it (task/streams.c). */
static void check_mode(const struct stream_check *check, const struct airbyte_stream *stream)
{
    enum catalog_sync_mode mode = check->wanted->sync_mode;
    bool full_refresh = stream->full_refresh || !stream->incremental;
    if (mode == CATALOG_SYNC_DEFAULT ||
        (mode == CATALOG_SYNC_INCREMENTAL ? stream->incremental : full_refresh))
        return;
    catalog_errors_add(check->errors, &check->places->sync_mode, false,
                       "the stream '%s' has no syncMode %s; it has: %s", check->wanted->name,
                       source_mode(mode), stream->incremental ? "incremental" : "full_refresh");
}

static void check_key(const struct stream_check *check, const struct airbyte_stream *stream)
{
    enum catalog_destination_sync_mode mode = check->wanted->destination_sync_mode;
    bool needed = mode == CATALOG_DESTINATION_APPEND_DEDUP || mode == CATALOG_DESTINATION_OVERWRITE_DEDUP;
    for (size_t i = 0; i < check->wanted->primary_key_count; i++)
        check_path(check, stream, &check->wanted->primary_key[i], &check->places->primary_key);
    if (needed && check->wanted->primary_key_count == 0 && stream->primary_key_count == 0)
        catalog_errors_add(
            check->errors, &check->places->destination_sync_mode, false,
            "%s needs a primary key, and the source has none for the stream '%s'; give it with "
            "'primaryKey'",
            destination_mode(mode), check->wanted->name);
}

void stream_check_source(const struct stream_check *check, const struct airbyte_catalog *offered)
{
    struct airbyte_stream_name name = {.name = slice_of(check->wanted->name)};
    struct error sought;
    bool namespace_wrong;
    if (check->wanted->namespace)
        name.namespace = slice_of(check->wanted->namespace);
    long found = airbyte_catalog_seek(offered, name, &namespace_wrong, &sought);
    if (found < 0) {
        catalog_errors_add(check->errors,
                           namespace_wrong && check->wanted->namespace ? &check->places->namespace
                                                                       : &check->places->name,
                           false, "the source %s", sought.message);
        return;
    }
    const struct airbyte_stream *stream = &offered->streams[found];
    check_mode(check, stream);
    check_cursor(check, stream);
    check_key(check, stream);
}

void stream_check_destination(const struct stream_check *check, const struct json *spec, const char *name)
{
    const char *all = "", *wanted = destination_mode(check->wanted->destination_sync_mode);
    uint32_t modes = json_get(spec, 0, "supported_destination_sync_modes");
    if (!json_is(spec, modes, JSON_ARRAY) || !*wanted)
        return;
    for (uint32_t each = json_first(spec, modes); each != JSON_NONE; each = json_next(spec, modes, each)) {
        if (json_string_is(spec, each, wanted))
            return;
        const char *mode = json_cstring(spec, each, check->arena);
        all = arena_printf(check->arena, "%s%s%s", all, *all ? ", " : "", mode ? mode : "");
    }
    catalog_errors_add(check->errors, &check->places->destination_sync_mode, false,
                       "%s has no destinationSyncMode %s; it has: %s", name, wanted, *all ? all : "none");
}
