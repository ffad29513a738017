#include "supervisor/plan.h"

#include "json/json.h"

/* Both "cursor_field" and ["cursor", "field"] name a path. */
static int read_path(const struct json *doc, uint32_t at, struct arena *arena, struct catalog_path *path)
{
    if (json_is(doc, at, JSON_STRING)) {
        const char **names = arena_alloc(arena, sizeof *names);
        names[0] = json_cstring(doc, at, arena);
        *path = (struct catalog_path){names, 1};
        return 0;
    }
    if (!json_is(doc, at, JSON_ARRAY) || json_count(doc, at) == 0)
        return -1;
    const char **names = arena_alloc(arena, json_count(doc, at) * sizeof *names);
    size_t count = 0;
    for (uint32_t part = json_first(doc, at); part != JSON_NONE; part = json_next(doc, at, part)) {
        if (!json_is(doc, part, JSON_STRING))
            return -1;
        names[count++] = json_cstring(doc, part, arena);
    }
    *path = (struct catalog_path){names, count};
    return 0;
}

static int read_key(const struct json *doc, uint32_t at, struct arena *arena, struct catalog_stream *stream,
                    struct error *err)
{
    struct catalog_path *paths = arena_zalloc(arena, (json_count(doc, at) + 1) * sizeof *paths);
    bool good = json_is(doc, at, JSON_ARRAY);
    for (uint32_t part = json_first(doc, at); part != JSON_NONE && good; part = json_next(doc, at, part))
        good = read_path(doc, part, arena, &paths[stream->primary_key_count++]) == 0;
    if (!good)
        return error_set(err, ERROR_INVALID,
                         "'primaryKey' must be a list of fields, such as [id] or [[address, id]]");
    stream->primary_key = paths;
    return 0;
}

static int read_mode(const struct json *doc, uint32_t at, struct arena *arena, struct catalog_stream *stream,
                     struct error *err)
{
    if (json_string_is(doc, at, "full_refresh"))
        stream->sync_mode = CATALOG_SYNC_FULL_REFRESH;
    else if (json_string_is(doc, at, "incremental"))
        stream->sync_mode = CATALOG_SYNC_INCREMENTAL;
    else
        return error_set(err, ERROR_INVALID,
                         "'syncMode' is '%.64s', but it must be full_refresh or incremental",
                         json_cstring(doc, at, arena));
    return 0;
}

/* A setting that is text, or left out: NULL or null. */
static int check_text(const struct json *doc, const char *name, const char *wanted, struct error *err)
{
    static const char *const found[JSON_TAG_MAX] = {
        [JSON_FALSE] = "false",     [JSON_TRUE] = "true",    [JSON_INTEGER] = "a number",
        [JSON_NUMBER] = "a number", [JSON_ARRAY] = "a list", [JSON_OBJECT] = "a mapping",
    };
    uint32_t at = json_get(doc, 0, name);
    if (at == JSON_NONE || !found[json_tag(doc, at)])
        return 0;
    return error_set(err, ERROR_INVALID, "'%s' must be %s, but is %s", name, wanted,
                     found[json_tag(doc, at)]);
}

/* An Airbyte connector is told nothing of a resource but these: another key would be ignored in silence. Flow
 * itself writes "_meta" beside what a person gave. */
static int check_keys(const struct json *doc, struct arena *arena, struct error *err)
{
    static const char *const known[] = {"stream",      "name",       "namespace",          "syncMode",
                                        "cursorField", "primaryKey", "destinationSyncMode"};
    enum { KNOWN = sizeof known / sizeof *known };
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        const char *name = json_cstring(doc, key, arena);
        bool ours = !name || strcmp(name, "_meta") == 0;
        for (size_t i = 0; i < KNOWN && !ours; i++)
            ours = strcmp(name, known[i]) == 0;
        if (ours)
            continue;
        const char *nearest = string_nearest(name, known, KNOWN);
        return error_set(
            err, ERROR_INVALID,
            nearest ? "unknown key '%.64s' in the resource; did you mean '%s'?"
                    : "unknown key '%.64s' in the resource; it may have stream (or name), namespace, "
                      "syncMode, cursorField and primaryKey",
            name, nearest);
    }
    return 0;
}

int plan_resource(struct slice resource, struct arena *arena, struct catalog_stream *ret_stream,
                  struct error *err)
{
    struct json doc;
    if (json_parse_copy(arena, resource.data, resource.size, &doc, err) < 0)
        return -1;
    if (check_keys(&doc, arena, err) < 0)
        return -1;
    if (check_text(&doc, "namespace", "text", err) < 0 ||
        check_text(&doc, "syncMode", "full_refresh or incremental", err) < 0)
        return -1;
    struct catalog_stream stream = {.sync_mode = CATALOG_SYNC_DEFAULT};
    uint32_t name = json_get(&doc, 0, "stream");
    if (name == JSON_NONE)
        name = json_get(&doc, 0, "name");
    if (!json_is(&doc, name, JSON_STRING))
        return error_set(err, ERROR_INVALID, "the resource must name a stream: {stream: NAME}");
    stream.name = json_cstring(&doc, name, arena);
    uint32_t at = json_get(&doc, 0, "namespace");
    if (json_is(&doc, at, JSON_STRING) && json_inner(&doc, at).size)
        stream.namespace = json_cstring(&doc, at, arena);
    at = json_get(&doc, 0, "syncMode");
    if (json_is(&doc, at, JSON_STRING) && read_mode(&doc, at, arena, &stream, err) < 0)
        return -1;
    at = json_get(&doc, 0, "cursorField");
    if (at != JSON_NONE && !json_is(&doc, at, JSON_NULL) &&
        read_path(&doc, at, arena, &stream.cursor_field) < 0)
        return error_set(err, ERROR_INVALID, "'cursorField' must be a field's name or a list of names");
    at = json_get(&doc, 0, "primaryKey");
    if (at != JSON_NONE && !json_is(&doc, at, JSON_NULL) && read_key(&doc, at, arena, &stream, err) < 0)
        return -1;
    *ret_stream = stream;
    return 0;
}
