#include "cli/stream_check.h"

#include "protocol/airbyte_field.h"

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

static struct airbyte_path path_of(const struct stream_check *check, const struct catalog_path *path)
{
    struct slice *parts = arena_alloc(check->arena, (path->count + 1) * sizeof *parts);
    for (size_t i = 0; i < path->count; i++)
        parts[i] = slice_of(path->names[i]);
    return (struct airbyte_path){parts, path->count};
}

/* A path that the stream's schema plainly does not have. False: an error was added. */
static bool check_path(const struct stream_check *check, const struct airbyte_stream *stream,
                       const struct catalog_path *path, const struct catalog_place *place)
{
    struct json schema;
    struct error unused;
    if (json_parse_copy(check->arena, stream->json_schema.data, stream->json_schema.size, &schema, &unused) <
        0)
        return true;
    const char *problem =
        airbyte_field_problem(&schema, 0, check->wanted->name, path_of(check, path), false, check->arena);
    if (problem)
        catalog_errors_add(check->errors, place, false, "%s", problem);
    return !problem;
}

static void check_cursor(const struct stream_check *check, const struct airbyte_stream *stream)
{
    const struct catalog_path *cursor = &check->wanted->cursor_field;
    const struct airbyte_path *own = &stream->default_cursor;
    if (cursor->count == 0 || !check_path(check, stream, cursor, &check->places->cursor_field) ||
        !stream->source_defined_cursor || own->count == 0 || airbyte_path_equal(path_of(check, cursor), *own))
        return;
    catalog_errors_add(check->errors, &check->places->cursor_field, false,
                       "the source has a cursor of its own for the stream '%s', %s; leave 'cursorField' out",
                       check->wanted->name, airbyte_path_text(*own, check->arena));
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
    bool says = json_is(spec, json_get(spec, 0, "supported_destination_sync_modes"), JSON_ARRAY);
    unsigned modes = airbyte_destination_modes(spec, check->arena);
    if (!says || !*wanted)
        return;
    for (int i = 0; i <= AIRBYTE_OVERWRITE_DEDUP; i++) {
        const char *mode = airbyte_destination_sync_mode_name((enum airbyte_destination_sync_mode)i);
        if (!(modes & 1U << i))
            continue;
        if (strcmp(mode, wanted) == 0)
            return;
        all = arena_printf(check->arena, "%s%s%s", all, *all ? ", " : "", mode);
    }
    catalog_errors_add(check->errors, &check->places->destination_sync_mode, false,
                       "%s has no destinationSyncMode %s; it has: %s", name, wanted, *all ? all : "none");
}
