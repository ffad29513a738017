#include "control/stream_check.h"

#include <stdarg.h>
#include <stdio.h>

#include "protocol/airbyte_field.h"
#include "protocol/airbyte_mapper.h"

/* A stream as the catalog has it, and what that leaves out as the source was found to have it. */
struct stream {
    const struct stream_question *question;
    uint32_t config;
    const char *name;
    const char **part;
    struct error *err;
    bool has_modes, has_cursor; /* it is known which it supports; whether it has a cursor of its own */
    struct airbyte_stream source;
    struct json schema; /* count 0: not known */
    /* What was chosen. */
    bool incremental, dedup;
    struct airbyte_path cursor;
    const struct airbyte_path *key;
    size_t key_count;
};

static __attribute__((format(printf, 3, 4))) int fault(struct stream *stream, const char *part,
                                                       const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    *stream->part = part;
    return error_set(stream->err, ERROR_INVALID, "%s", message);
}

/* --- reading ------------------------------------------------------------------------------------------ */

static struct airbyte_path read_path(const struct stream_question *question, uint32_t list)
{
    const struct json *doc = question->doc;
    struct slice *parts = arena_alloc(question->arena, ((size_t)json_count(doc, list) + 1) * sizeof *parts);
    struct airbyte_path path = {.parts = parts};
    if (!json_is(doc, list, JSON_ARRAY))
        return path;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (json_is(doc, at, JSON_STRING))
            parts[path.count++] = json_string(doc, at, question->arena);
    }
    return path;
}

static size_t read_paths(const struct stream_question *question, uint32_t list,
                         const struct airbyte_path **ret_paths)
{
    const struct json *doc = question->doc;
    size_t count = 0;
    if (!json_is(doc, list, JSON_ARRAY))
        return 0;
    struct airbyte_path *paths =
        arena_alloc(question->arena, ((size_t)json_count(doc, list) + 1) * sizeof *paths);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at))
        paths[count++] = read_path(question, at);
    *ret_paths = paths;
    return count;
}

static uint32_t given(const struct stream_question *question, uint32_t object, const char *name)
{
    uint32_t at = json_get(question->doc, object, name);
    return json_is(question->doc, at, JSON_NULL) ? JSON_NONE : at;
}

/* No mode is there that the source was not found to have. */
static void read_modes(struct stream *stream, uint32_t list)
{
    const struct json *doc = stream->question->doc;
    const struct airbyte_stream offered = stream->source;
    bool known = offered.full_refresh || offered.incremental;
    stream->has_modes = true;
    stream->source.full_refresh = stream->source.incremental = false;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (!json_is(doc, at, JSON_STRING))
            continue;
        stream->source.full_refresh |= json_string_is(doc, at, "full_refresh");
        stream->source.incremental |= json_string_is(doc, at, "incremental");
    }
    if (known) {
        stream->source.full_refresh &= offered.full_refresh;
        stream->source.incremental &= offered.incremental;
    }
}

/* What the client says of the stream counts: that is what is synced. */
static void read_source(struct stream *stream, uint32_t object)
{
    const struct stream_question *question = stream->question;
    const struct json *doc = question->doc;
    uint32_t schema = given(question, object, "jsonSchema"),
             modes = given(question, object, "supportedSyncModes"),
             own = given(question, object, "sourceDefinedCursor"),
             cursor = given(question, object, "defaultCursorField"),
             key = given(question, object, "sourceDefinedPrimaryKey");
    struct error unused;
    if (json_is(doc, schema, JSON_OBJECT) && json_count(doc, schema)) /* {} says nothing */
        stream->source.json_schema = json_raw(doc, schema);
    if (stream->source.json_schema.size &&
        json_parse_copy(question->arena, stream->source.json_schema.data, stream->source.json_schema.size,
                        &stream->schema, &unused) < 0)
        stream->schema.count = 0;
    if (json_is(doc, modes, JSON_ARRAY))
        read_modes(stream, modes);
    stream->has_cursor |= stream->schema.count > 0;
    if (own != JSON_NONE)
        stream->source.source_defined_cursor = json_is(doc, own, JSON_TRUE);
    if (cursor != JSON_NONE)
        stream->source.default_cursor = read_path(question, cursor);
    if (key != JSON_NONE)
        stream->source.primary_key_count = read_paths(question, key, &stream->source.primary_key);
}

/* --- its name ----------------------------------------------------------------------------------------- */

static int find(struct stream *stream, uint32_t object, bool known)
{
    const struct stream_question *question = stream->question;
    const struct airbyte_catalog *offered = question->offered;
    uint32_t space = given(question, object, "namespace");
    struct airbyte_stream_name name = {.name = slice_of(stream->name)};
    struct error sought;
    bool namespace_wrong = false;
    if (!offered)
        return 0;
    if (json_is(question->doc, space, JSON_STRING))
        name.namespace = json_string(question->doc, space, question->arena);
    long found = airbyte_catalog_seek(offered, name, &namespace_wrong, &sought);
    if (found >= 0) {
        stream->source = offered->streams[found];
        stream->has_modes = stream->has_cursor = true;
        return 0;
    }
    return known ? 0
                 : fault(stream, namespace_wrong ? "stream.namespace" : "stream.name", "the source %s",
                         sought.message);
}

/* --- modes -------------------------------------------------------------------------------------------- */

static bool is_word(const struct json *doc, uint32_t at, const char *word)
{
    return json_is(doc, at, JSON_STRING) && json_string_is(doc, at, word);
}

/* -1 in *ret_word: it is not there. */
static int read_word(struct stream *stream, const char *name, const char *const *words, int count,
                     int *ret_word)
{
    const struct json *doc = stream->question->doc;
    struct arena *arena = stream->question->arena;
    uint32_t at = given(stream->question, stream->config, name);
    const char *all = "";
    *ret_word = -1;
    if (at == JSON_NONE)
        return 0;
    for (int i = 0; i < count; i++) {
        if (is_word(doc, at, words[i])) {
            *ret_word = i;
            return 0;
        }
        all = arena_printf(arena, "%s%s%s", all, i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
    }
    struct slice raw = json_raw(doc, at);
    return fault(stream, arena_printf(arena, "config.%s", name),
                 "the stream '%s' cannot be synced with the %s %.*s: it is %s", stream->name, name,
                 (int)(raw.size < 60 ? raw.size : 60), raw.data, all);
}

/* As the task will see it (task/streams.c). */
static int check_source_mode(struct stream *stream)
{
    const struct airbyte_stream *source = &stream->source;
    bool can = stream->incremental ? source->incremental : source->full_refresh || !source->incremental;
    if (can || !stream->has_modes)
        return 0;
    return fault(stream, "config.syncMode", "the source cannot read the stream '%s' as %s; it can %s",
                 stream->name, stream->incremental ? "incremental" : "full_refresh",
                 source->incremental ? "incremental" : "full_refresh");
}

static int check_destination_mode(struct stream *stream, enum airbyte_destination_sync_mode mode)
{
    const struct stream_question *question = stream->question;
    const char *all = "";
    if (!question->destination_modes || question->destination_modes & 1U << mode)
        return 0;
    for (int i = 0; i <= AIRBYTE_OVERWRITE_DEDUP; i++) {
        if (question->destination_modes & 1U << i)
            all = arena_printf(question->arena, "%s%s%s", all, *all ? ", " : "",
                               airbyte_destination_sync_mode_name((enum airbyte_destination_sync_mode)i));
    }
    return fault(stream, "config.destinationSyncMode", "the destination '%s' cannot %s; it can %s",
                 question->destination, airbyte_destination_sync_mode_name(mode),
                 *all ? all : "none of what Firth does");
}

static int check_modes(struct stream *stream)
{
    static const char *const modes[] = {"full_refresh", "incremental"};
    static const char *const destination_modes[] = {"append", "overwrite", "append_dedup", "overwrite_dedup"};
    int mode, destination;
    if (read_word(stream, "syncMode", modes, 2, &mode) < 0 ||
        read_word(stream, "destinationSyncMode", destination_modes, 4, &destination) < 0)
        return -1;
    stream->incremental = mode == 1;
    stream->dedup = destination == AIRBYTE_APPEND_DEDUP || destination == AIRBYTE_OVERWRITE_DEDUP;
    if (mode >= 0 && check_source_mode(stream) < 0)
        return -1;
    if (mode == 1 && (destination == AIRBYTE_OVERWRITE || destination == AIRBYTE_OVERWRITE_DEDUP))
        return fault(
            stream, "config.destinationSyncMode",
            "the stream '%s' is read incrementally and overwrites: each sync would replace all that was "
            "synced before by what is new; its destinationSyncMode may be append or append_dedup, or its "
            "syncMode full_refresh",
            stream->name);
    if (mode == 0 && destination == AIRBYTE_APPEND_DEDUP)
        return fault(stream, "config.destinationSyncMode",
                     "append_dedup goes with incremental: use overwrite, append or overwrite_dedup for the "
                     "full_refresh of '%s'",
                     stream->name);
    return destination < 0 ? 0
                           : check_destination_mode(stream, (enum airbyte_destination_sync_mode)destination);
}

/* --- fields ------------------------------------------------------------------------------------------- */

static int check_path(struct stream *stream, const char *part, struct airbyte_path path, bool through_lists)
{
    if (path.count == 0)
        return fault(stream, part,
                     "a path of the stream '%s' is empty: it has a field's name, or several that "
                     "lead into objects",
                     stream->name);
    const char *problem = stream->schema.count ? airbyte_field_problem(&stream->schema, 0, stream->name, path,
                                                                       through_lists, stream->question->arena)
                                               : NULL;
    return problem ? fault(stream, part, "%s", problem) : 0;
}

static int check_cursor(struct stream *stream)
{
    const struct airbyte_path *own = &stream->source.default_cursor;
    struct arena *arena = stream->question->arena;
    stream->cursor = read_path(stream->question, given(stream->question, stream->config, "cursorField"));
    if (stream->cursor.count == 0 || airbyte_path_equal(stream->cursor, *own)) {
        stream->cursor = *own;
        return stream->incremental && stream->has_cursor && !stream->source.source_defined_cursor &&
                       own->count == 0
                   ? fault(stream, "config.cursorField",
                           "incremental needs a cursor, and the source has none of its own for the stream "
                           "'%s': name one of its fields",
                           stream->name)
                   : 0;
    }
    if (check_path(stream, "config.cursorField", stream->cursor, false) < 0)
        return -1;
    return stream->incremental && stream->source.source_defined_cursor
               ? fault(stream, "config.cursorField",
                       "the source has a cursor of its own for the stream '%s'%s%s: leave cursorField out",
                       stream->name, own->count ? ", " : "", airbyte_path_text(*own, arena))
               : 0;
}

static int check_key(struct stream *stream)
{
    const struct stream_question *question = stream->question;
    stream->key_count = read_paths(question, given(question, stream->config, "primaryKey"), &stream->key);
    if (stream->key_count == 0) {
        stream->key = stream->source.primary_key;
        stream->key_count = stream->source.primary_key_count;
        return stream->dedup && stream->has_cursor && stream->key_count == 0
                   ? fault(
                         stream, "config.primaryKey",
                         "what is to be without duplicates needs a primary key, and the source has none for "
                         "the stream '%s': name its fields",
                         stream->name)
                   : 0;
    }
    bool own = stream->key_count == stream->source.primary_key_count;
    for (size_t i = 0; i < stream->key_count; i++) {
        own = own && airbyte_path_equal(stream->key[i], stream->source.primary_key[i]);
        if (!own && check_path(stream, arena_printf(question->arena, "config.primaryKey[%zu]", i),
                               stream->key[i], false) < 0)
            return -1;
    }
    return 0;
}

/* --- columns ------------------------------------------------------------------------------------------ */

/* Is all of the field among those that are sent? */
static bool is_sent(const struct airbyte_path *fields, size_t count, struct airbyte_path field)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].count <= field.count &&
            airbyte_path_equal(fields[i], (struct airbyte_path){field.parts, fields[i].count}))
            return true;
    }
    return false;
}

static int check_needed(struct stream *stream, const struct airbyte_path *fields, size_t count)
{
    struct arena *arena = stream->question->arena;
    static const char advice[] = "add it to selectedFields";
    if (stream->incremental && stream->cursor.count && !is_sent(fields, count, stream->cursor))
        return fault(stream, "config.selectedFields",
                     "the cursor '%s' of the stream '%s' is not selected: %s",
                     airbyte_path_text(stream->cursor, arena), stream->name, advice);
    for (size_t i = 0; stream->dedup && i < stream->key_count; i++) {
        if (!is_sent(fields, count, stream->key[i]))
            return fault(stream, "config.selectedFields",
                         "'%s' of the primary key of the stream '%s' is not selected: %s",
                         airbyte_path_text(stream->key[i], arena), stream->name, advice);
    }
    return 0;
}

static int check_columns(struct stream *stream)
{
    const struct stream_question *question = stream->question;
    const struct json *doc = question->doc;
    uint32_t list = given(question, stream->config, "selectedFields");
    size_t count = 0;
    if (!json_is(doc, json_get(doc, stream->config, "fieldSelectionEnabled"), JSON_TRUE))
        return 0;
    if (!json_is(doc, list, JSON_ARRAY) || json_count(doc, list) == 0)
        return fault(stream, "config.selectedFields",
                     "fieldSelectionEnabled is true, and no field of the stream '%s' is selected: name those "
                     "that are to be sent, or set it to false",
                     stream->name);
    struct airbyte_path *fields =
        arena_alloc(question->arena, (size_t)json_count(doc, list) * sizeof *fields);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        fields[count] = read_path(question, given(question, at, "fieldPath"));
        if (check_path(stream, arena_printf(question->arena, "config.selectedFields[%zu].fieldPath", count),
                       fields[count], true) < 0)
            return -1;
        count++;
    }
    return check_needed(stream, fields, count);
}

static int fault_mappers(struct stream *stream, const struct error *why)
{
    const struct json *doc = stream->question->doc;
    bool older = json_count(doc, given(stream->question, stream->config, "mappers")) == 0;
    return fault(stream, older ? "config.hashedFields" : "config.mappers", "the stream '%s': %s",
                 stream->name, why->message);
}

/* By themselves, and as far as the catalog has the stream's schema. */
static int check_mappers(struct stream *stream, uint32_t both)
{
    struct error why;
    return airbyte_mappers_check(stream->question->doc, both, stream->question->arena, &why) == 0
               ? 0
               : fault_mappers(stream, &why);
}

/* With what the source was last found to have. */
static int check_mapped(struct stream *stream)
{
    const struct stream_question *question = stream->question;
    struct error why;
    if (stream->schema.count == 0 ||
        airbyte_mappers_fit(question->doc, stream->config, &stream->schema, 0, stream->key, stream->key_count,
                            question->arena, &why) == 0)
        return 0;
    return fault_mappers(stream, &why);
}

/* --- all of it ---------------------------------------------------------------------------------------- */

int stream_check(const struct stream_question *question, uint32_t both, bool known, const char **ret_part,
                 struct error *err)
{
    uint32_t object = json_get(question->doc, both, "stream");
    struct stream stream = {
        .question = question,
        .config = json_get(question->doc, both, "config"),
        .name = json_cstring(question->doc, json_get(question->doc, object, "name"), question->arena),
        .part = ret_part,
        .err = err};
    if (check_mappers(&stream, both) < 0)
        return -1;
    if (json_is(question->doc, json_get(question->doc, stream.config, "selected"), JSON_FALSE))
        return 0;
    if (find(&stream, object, known) < 0)
        return -1;
    read_source(&stream, object);
    if (json_is(question->doc, json_get(question->doc, stream.config, "includeFiles"), JSON_TRUE))
        return fault(&stream, "config.includeFiles",
                     "the files of the stream '%s' cannot be synced, its "
                     "records can: set includeFiles to false",
                     stream.name);
    return check_modes(&stream) < 0 || check_cursor(&stream) < 0 || check_key(&stream) < 0 ||
                   check_columns(&stream) < 0 || check_mapped(&stream) < 0
               ? -1
               : 0;
}
