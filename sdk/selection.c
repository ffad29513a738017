#include "host.h"

/* What a source offers, what the user chose of it, and where each stream is to go on. */

/* --- what is offered ----------------------------------------------------------------------------- */

void sdk_catalog_init(struct firth_catalog *catalog)
{
    *catalog = (struct firth_catalog){0};
    arena_init(&catalog->arena);
    catalog->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
}

void sdk_catalog_done(struct firth_catalog *catalog)
{
    json_parser_free(catalog->parser);
    free(catalog->streams);
    arena_done(&catalog->arena);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int refuse(struct firth_error *err, const struct firth_stream *stream, const char *why)
{
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "the connector describes stream \"%s\" wrongly: %s",
                      stream->name, why);
}

static int check_stream(struct firth_catalog *catalog, const struct firth_stream *stream,
                        struct firth_error *err)
{
    struct json schema;
    struct error json_err;
    if (!(stream->sync_modes & (FIRTH_FULL_REFRESH | FIRTH_INCREMENTAL)))
        return refuse(err, stream, "it has no sync mode");
    if (json_parse(catalog->parser, stream->json_schema, strlen(stream->json_schema), &schema, &json_err) < 0)
        return refuse(err, stream, json_err.message);
    if (!json_is(&schema, 0, JSON_OBJECT))
        return refuse(err, stream, "its schema is no object");
    for (size_t i = 0; stream->primary_key && stream->primary_key[i]; i++) {
        if (*stream->primary_key[i] != '/')
            return refuse(err, stream, "a key is no JSON Pointer such as /id");
    }
    if (stream->cursor && *stream->cursor != '/')
        return refuse(err, stream, "its cursor is no JSON Pointer such as /updated_at");
    for (size_t i = 0; i < catalog->count; i++) {
        if (same_text(catalog->streams[i].name, stream->name) &&
            same_text(catalog->streams[i].name_space, stream->name_space))
            return refuse(err, stream, "there are two of that name");
    }
    return 0;
}

static const char *const *copy_names(struct arena *arena, const char *const *names)
{
    size_t count = 0;
    while (names && names[count])
        count++;
    const char **copy = arena_zalloc(arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, names[i]);
    return copy;
}

static const char *copy_text(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

int firth_catalog_add(struct firth_catalog *catalog, const struct firth_stream *stream,
                      struct firth_error *err)
{
    if (check_stream(catalog, stream, err) < 0)
        return -1;
    catalog->streams =
        mem_grow(catalog->streams, &catalog->capacity, catalog->count + 1, sizeof *catalog->streams);
    struct firth_stream *copy = &catalog->streams[catalog->count++];
    struct arena *arena = &catalog->arena;
    *copy = *stream;
    copy->name = arena_strdup(arena, stream->name);
    copy->name_space =
        stream->name_space && *stream->name_space ? arena_strdup(arena, stream->name_space) : NULL;
    copy->json_schema = arena_strdup(arena, stream->json_schema);
    copy->cursor = copy_text(arena, stream->cursor);
    copy->primary_key = copy_names(arena, stream->primary_key);
    return 0;
}

/* What a catalog asks for. One that cannot be found so is looked for among all that there is, so that who
 * misspelt it is told what is near. */
int sdk_catalog_offer(struct firth_host *host, const void *config, const struct sdk_stream_name *names,
                      size_t count, struct firth_catalog *offered, struct firth_error *err)
{
    const struct firth_source *source = &host->class_->source;
    bool all = source->find != NULL;
    for (size_t i = 0; i < count && all; i++) {
        size_t before = offered->count;
        bool twice = false;
        for (size_t k = 0; k < i && !twice; k++)
            twice = same_text(names[k].name, names[i].name) &&
                    same_text(names[k].name_space, names[i].name_space);
        if (twice) /* which is refused later, in other words */
            continue;
        if (source->find(host, config, names[i].name, names[i].name_space, offered, err) < 0)
            return -1;
        all = offered->count > before;
    }
    if (all)
        return 0;
    sdk_catalog_done(offered);
    sdk_catalog_init(offered);
    host->opening = true;
    int result = source->discover(host, config, offered, err);
    host->opening = false;
    return result;
}

bool firth_opening(const struct firth_host *host)
{
    return host->opening;
}

static bool is_resumable(const struct firth_stream *stream)
{
    return stream->resumable || (stream->sync_modes & FIRTH_INCREMENTAL && !stream->cursor_is_free);
}

/* --- paths and pointers ---------------------------------------------------------------------------- */

const char *sdk_pointer_of_path(struct airbyte_path path, struct arena *arena)
{
    if (!path.count)
        return NULL;
    struct buffer pointer;
    buffer_init(&pointer, BUFFER_UNLIMITED); /* bounded by the catalog file */
    for (size_t i = 0; i < path.count; i++)
        json_pointer_push(&pointer, sdk_show_nuls(path.parts[i], arena));
    const char *copy = arena_strndup(arena, pointer.data, pointer.size);
    buffer_done(&pointer);
    return copy;
}

const char *const *sdk_pointers_of_paths(const struct airbyte_path *paths, size_t count, struct arena *arena)
{
    const char **pointers = arena_zalloc(arena, (count + 1) * sizeof *pointers);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const char *pointer = sdk_pointer_of_path(paths[i], arena);
        if (pointer)
            pointers[used++] = pointer;
    }
    return pointers;
}

struct airbyte_path sdk_path_of_pointer(const char *pointer, struct arena *arena)
{
    size_t count = 0;
    for (const char *at = pointer; *at; at++)
        count += *at == '/';
    struct slice *parts = arena_zalloc(arena, (count + 1) * sizeof *parts);
    struct airbyte_path path = {parts, 0};
    while (*pointer == '/') {
        const char *from = ++pointer;
        while (*pointer && *pointer != '/')
            pointer++;
        char *name = arena_alloc(arena, (size_t)(pointer - from) + 1);
        size_t size = 0;
        for (const char *at = from; at < pointer; at++) {
            if (*at == '~' && at + 1 < pointer) {
                at++;
                name[size++] = *at == '1' ? '/' : '~';
            } else {
                name[size++] = *at;
            }
        }
        parts[path.count++] = (struct slice){name, size};
    }
    return path;
}

void sdk_catalog_write_message(struct buffer *out, const struct firth_catalog *catalog)
{
    struct arena arena;
    arena_init(&arena);
    struct airbyte_catalog message = {arena_zalloc(&arena, catalog->count * sizeof *message.streams),
                                      catalog->count};
    for (size_t i = 0; i < catalog->count; i++) {
        const struct firth_stream *from = &catalog->streams[i];
        struct airbyte_stream *to = &message.streams[i];
        to->name.name = slice_of(from->name);
        to->name.namespace = from->name_space ? slice_of(from->name_space) : (struct slice){0};
        to->json_schema = slice_of(from->json_schema);
        to->full_refresh = from->sync_modes & FIRTH_FULL_REFRESH;
        to->incremental = from->sync_modes & FIRTH_INCREMENTAL;
        to->source_defined_cursor = to->incremental && !from->cursor_is_free;
        to->is_resumable = is_resumable(from);
        if (from->cursor)
            to->default_cursor = sdk_path_of_pointer(from->cursor, &arena);
        while (from->primary_key[to->primary_key_count])
            to->primary_key_count++;
        struct airbyte_path *keys = arena_zalloc(&arena, (to->primary_key_count + 1) * sizeof *keys);
        for (size_t k = 0; k < to->primary_key_count; k++)
            keys[k] = sdk_path_of_pointer(from->primary_key[k], &arena);
        to->primary_key = keys;
    }
    airbyte_write_catalog(out, &message);
    arena_done(&arena);
}

/* --- what was chosen ------------------------------------------------------------------------------ */

bool sdk_selected_is_resumable(const struct firth_catalog *offered, const struct firth_selected *selected)
{
    for (size_t i = 0; i < offered->count; i++) {
        if (same_text(offered->streams[i].name, selected->name) &&
            same_text(offered->streams[i].name_space, selected->name_space))
            return is_resumable(&offered->streams[i]);
    }
    return false;
}

static const char *label(struct airbyte_stream_name name, struct arena *arena)
{
    if (!name.namespace.size)
        return arena_strndup(arena, name.name.data, name.name.size);
    return arena_printf(arena, "%.*s.%.*s", SLICE_ARGS(name.namespace), SLICE_ARGS(name.name));
}

static const struct firth_stream *find_offered(const struct firth_catalog *offered,
                                               struct airbyte_stream_name name)
{
    for (size_t i = 0; i < offered->count; i++) {
        const struct firth_stream *stream = &offered->streams[i];
        if (slice_is(name.name, stream->name) &&
            slice_is(name.namespace, stream->name_space ? stream->name_space : ""))
            return stream;
    }
    return NULL;
}

static int unknown_stream(const struct firth_catalog *offered, struct airbyte_stream_name name,
                          struct arena *arena, struct error *err)
{
    const char **names = arena_zalloc(arena, (offered->count + 1) * sizeof *names);
    for (size_t i = 0; i < offered->count; i++)
        names[i] = offered->streams[i].name;
    const char *wanted = arena_strndup(arena, name.name.data, name.name.size);
    const char *near = string_nearest(wanted, names, offered->count);
    return error_set(
        err, ERROR_INVALID, "the catalog asks for stream \"%s\", which this source does not have%s%s%s",
        label(name, arena), near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int go_without_cursor(struct firth_host *host, const struct firth_stream *from,
                             struct firth_selected *to, struct error *err)
{
    if (!host || !(from->sync_modes & FIRTH_FULL_REFRESH))
        return error_set(err, ERROR_INVALID,
                         "stream \"%s\" is to be read incrementally, and the catalog names no cursor_field",
                         from->name);
    firth_log(
        host, FIRTH_WARN,
        "stream \"%s\" is to be read incrementally, and the catalog names no cursor_field: it is read whole",
        from->name);
    to->sync_mode = FIRTH_FULL_REFRESH;
    return 0;
}

static int select_stream(struct firth_host *host, const struct firth_stream *from,
                         const struct airbyte_configured_stream *asked, struct arena *arena,
                         struct firth_selected *to, struct error *err)
{
    unsigned wanted = asked->sync_mode == AIRBYTE_INCREMENTAL ? FIRTH_INCREMENTAL : FIRTH_FULL_REFRESH;
    *to = (struct firth_selected){.name = from->name, .name_space = from->name_space};
    /* PyAirbyte asks for incremental whatever the source offers. */
    to->sync_mode = from->sync_modes & wanted ? wanted : from->sync_modes;
    if (host && wanted == FIRTH_INCREMENTAL && to->sync_mode == FIRTH_FULL_REFRESH)
        firth_log(host, FIRTH_INFO, "stream \"%s\" cannot be read incrementally: it is read whole",
                  from->name);
    to->cursor = from->cursor;
    if (from->cursor_is_free && asked->cursor.count)
        to->cursor = sdk_pointer_of_path(asked->cursor, arena);
    if (to->sync_mode == FIRTH_INCREMENTAL && from->cursor_is_free && !to->cursor &&
        go_without_cursor(host, from, to, err) < 0)
        return -1;
    to->primary_key = asked->primary_key_count
                          ? sdk_pointers_of_paths(asked->primary_key, asked->primary_key_count, arena)
                          : from->primary_key;
    struct slice schema = asked->stream.json_schema;
    if (!schema.size)
        schema = slice_of(from->json_schema);
    to->json_schema = (struct firth_slice){schema.data, schema.size};
    return 0;
}

/* --- where to go on ---------------------------------------------------------------------------------- */

struct chosen {
    struct firth_selected *streams;
    const struct firth_stream **offered; /* the same as they are offered */
    size_t count;
    struct arena *arena;
};

/* Beside a cursor the CDK's streams go on to write it, and then it says nothing. */
static bool says_no_cursor(const struct json *doc, uint32_t at)
{
    return json_count(doc, at) == 1 && json_get(doc, at, "__ab_no_cursor_state_message") != JSON_NONE;
}

/* Copies, for the parser's document does not live. An empty or null state, and the one that says that there
 * is none, mean: from the start. */
static struct firth_slice keep_state(const struct json *doc, uint32_t at, bool knows_full,
                                     struct arena *arena)
{
    if (at == JSON_NONE || json_is(doc, at, JSON_NULL) || (!knows_full && says_no_cursor(doc, at)))
        return (struct firth_slice){0};
    struct slice raw = json_raw(doc, at);
    return (struct firth_slice){arena_strndup(arena, raw.data, raw.size), raw.size};
}

static bool descriptor_is(const struct json *doc, uint32_t entry, const struct firth_selected *stream)
{
    uint32_t descriptor = json_get(doc, entry, "stream_descriptor");
    uint32_t space = json_get(doc, descriptor, "namespace");
    if (!json_string_is(doc, json_get(doc, descriptor, "name"), stream->name))
        return false;
    if (space == JSON_NONE || !json_is(doc, space, JSON_STRING))
        return !stream->name_space;
    return json_string_is(doc, space, stream->name_space ? stream->name_space : "");
}

static void take_state(const struct json *doc, uint32_t at, const struct chosen *chosen, size_t i)
{
    chosen->streams[i].state = keep_state(doc, at, chosen->offered[i]->knows_full_state, chosen->arena);
}

static void take_stream_state(const struct json *doc, uint32_t entry, const struct chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        if (descriptor_is(doc, entry, &chosen->streams[i]))
            take_state(doc, json_get(doc, entry, "stream_state"), chosen, i);
    }
}

/* A blob of an old platform: {"users": {…}, "purchases": {…}}, one member a stream. */
static void take_legacy(const struct json *doc, uint32_t blob, const struct chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        uint32_t value = json_get(doc, blob, chosen->streams[i].name);
        if (json_is(doc, value, JSON_OBJECT))
            take_state(doc, value, chosen, i);
    }
}

static int take_message(const struct json *doc, uint32_t at, const struct chosen *chosen,
                        struct firth_slice *shared, struct error *err)
{
    if (!json_is(doc, at, JSON_OBJECT))
        return error_set(err, ERROR_INVALID, "the state file must be an array of state messages");
    if (json_string_is(doc, json_get(doc, at, "type"), "STATE"))
        at = json_get(doc, at, "state"); /* with its envelope, as `read` writes it */
    uint32_t stream = json_get(doc, at, "stream"), global = json_get(doc, at, "global");
    if (json_is(doc, stream, JSON_OBJECT)) {
        take_stream_state(doc, stream, chosen);
    } else if (json_is(doc, global, JSON_OBJECT)) {
        *shared = keep_state(doc, json_get(doc, global, "shared_state"), false, chosen->arena);
        uint32_t states = json_get(doc, global, "stream_states");
        for (uint32_t e = json_first(doc, states); e != JSON_NONE; e = json_next(doc, states, e))
            take_stream_state(doc, e, chosen);
    } else if (json_is(doc, json_get(doc, at, "data"), JSON_OBJECT)) {
        take_legacy(doc, json_get(doc, at, "data"), chosen);
    } else if (json_get(doc, at, "type") == JSON_NONE) {
        take_legacy(doc, at, chosen);
    }
    return 0;
}

static int read_state(struct slice state, const struct chosen *chosen, struct firth_slice *shared,
                      struct error *err)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new((struct json_limits){.size_max = SDK_STATE_MAX, .depth_max = 256},
                        JSON_DUPLICATES_LAST_WINS); /* PyAirbyte writes "global_" twice */
    struct json doc;
    if (json_parse(parser, state.data, state.size, &doc, err) < 0)
        return error_wrap(err, "the state file is not JSON");
    if (!json_is(&doc, 0, JSON_ARRAY))
        return take_message(&doc, 0, chosen, shared, err);
    for (uint32_t e = json_first(&doc, 0); e != JSON_NONE; e = json_next(&doc, 0, e)) {
        if (take_message(&doc, e, chosen, shared, err) < 0)
            return -1;
    }
    return 0;
}

/* The others are read nevertheless, and the session fails at its end. */
static void miss_stream(struct firth_host *host, const struct airbyte_stream_name *name,
                        const struct error *why)
{
    const struct host_stream missing = {.name = *name};
    firth_log(host, FIRTH_ERROR, "%s", why->message);
    host->face->put_status(host, &missing, AIRBYTE_STREAM_INCOMPLETE);
    if (!host->missing.message[0])
        sdk_error(&host->missing, why);
}

int sdk_selection_read(struct firth_host *host, const struct firth_catalog *offered,
                       const struct airbyte_configured_catalog *asked, struct slice state,
                       struct arena *arena, struct firth_selection *ret_selection, struct error *err)
{
    struct firth_selected *streams = arena_zalloc(arena, (asked->count + 1) * sizeof *streams);
    const struct firth_stream **from = arena_zalloc(arena, (asked->count + 1) * sizeof *from);
    bool *starts_over = arena_zalloc(arena, asked->count + 1);
    struct firth_slice shared = {0};
    size_t count = 0;
    for (size_t i = 0; i < asked->count; i++) {
        const struct airbyte_configured_stream *each = &asked->streams[i];
        from[count] = find_offered(offered, each->stream.name);
        if (!from[count]) {
            unknown_stream(offered, each->stream.name, arena, err);
            if (!host)
                return -1;
            miss_stream(host, &each->stream.name, err);
            continue;
        }
        if (select_stream(host, from[count], each, arena, &streams[count], err) < 0)
            return -1;
        /* A full refresh starts over, unless it is one that an interrupted attempt can go on with. */
        starts_over[count] = each->sync_mode == AIRBYTE_FULL_REFRESH && !is_resumable(from[count]) &&
                             !from[count]->knows_full_state;
        count++;
    }
    const struct chosen chosen = {streams, from, count, arena};
    if (state.size && read_state(state, &chosen, &shared, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (starts_over[i])
            streams[i].state = (struct firth_slice){0};
    }
    *ret_selection = (struct firth_selection){streams, count, shared, false};
    return 0;
}
