/* connections: Airbyte's, for people who keep them in git: a source, a destination, streams, a schedule. */
#include "base/clock.h"
#include "catalog/loader.h"

/* --- streams --------------------------------------------------------------------------------------- */

enum {
    STREAM_NAME,
    STREAM_NAMESPACE,
    STREAM_SYNC_MODE,
    STREAM_DESTINATION_SYNC_MODE,
    STREAM_CURSOR_FIELD,
    STREAM_PRIMARY_KEY,
    STREAM_COUNT
};
static const struct key_rule stream_rules[STREAM_COUNT] = {
    [STREAM_NAME] = {"name", TYPE_STRING, true},
    [STREAM_NAMESPACE] = {"namespace", TYPE_STRING | TYPE_NULL, false},
    [STREAM_SYNC_MODE] = {"syncMode", TYPE_STRING, false},
    [STREAM_DESTINATION_SYNC_MODE] = {"destinationSyncMode", TYPE_STRING, false},
    [STREAM_CURSOR_FIELD] = {"cursorField", TYPE_STRING | TYPE_LIST, false},
    [STREAM_PRIMARY_KEY] = {"primaryKey", TYPE_STRING | TYPE_LIST, false},
};

/* A name, or a list of nested names. */
static bool build_path(struct loader *loader, struct value value, const char *what,
                       struct catalog_path *ret_path)
{
    bool list = value_has_tag(value, JSON_ARRAY);
    size_t count = list ? value_count(value) : 1;
    const char **names = arena_zalloc(loader->arena, (count + 1) * sizeof *names);
    size_t used = 0;
    struct value each = list ? value_first(value) : value;
    while (value_there(each)) {
        const char *name = value_is(loader, each, TYPE_STRING, what) ? value_string(loader, each) : NULL;
        if (!name)
            return false;
        if (!*name) {
            loader_problem(loader, each, "%s is empty", what);
            return false;
        }
        names[used++] = name;
        each = list ? value_next(value, each) : (struct value){value.source, JSON_NONE};
    }
    *ret_path = (struct catalog_path){names, used};
    return true;
}

/* "id", or [id, [address, zip]]: a list is the components of the key, a list in it a nested property. */
static void build_primary_key(struct loader *loader, struct value value, struct catalog_stream *stream)
{
    bool list = value_has_tag(value, JSON_ARRAY);
    size_t count = list ? value_count(value) : 1;
    if (count > CATALOG_KEY_MAX) {
        loader_problem(loader, value, "'primaryKey' may have at most %d components", CATALOG_KEY_MAX);
        return;
    }
    struct catalog_path *paths = arena_zalloc(loader->arena, (count + 1) * sizeof *paths);
    size_t used = 0;
    struct value each = list ? value_first(value) : value;
    while (value_there(each)) {
        if (value_is(loader, each, TYPE_STRING | TYPE_LIST, "a component of the primary key"))
            used += build_path(loader, each, "a name in the primary key", &paths[used]);
        each = list ? value_next(value, each) : (struct value){value.source, JSON_NONE};
    }
    stream->primary_key = paths;
    stream->primary_key_count = used;
}

/* Which pairs Airbyte has. */
static void check_modes(struct loader *loader, struct value at, const struct catalog_stream *stream)
{
    enum catalog_sync_mode source = stream->sync_mode;
    enum catalog_destination_sync_mode destination = stream->destination_sync_mode;
    if (source == CATALOG_SYNC_INCREMENTAL &&
        (destination == CATALOG_DESTINATION_OVERWRITE || destination == CATALOG_DESTINATION_OVERWRITE_DEDUP))
        loader_problem(loader, at,
                       "incremental with overwrite would keep the last sync's records only; use append or "
                       "append_dedup, or full_refresh");
    if (source == CATALOG_SYNC_FULL_REFRESH && destination == CATALOG_DESTINATION_APPEND_DEDUP)
        loader_problem(
            loader, at,
            "append_dedup goes with incremental; full_refresh has overwrite, append and overwrite_dedup");
}

static void build_modes(struct loader *loader, const struct value *values, struct catalog_stream *stream)
{
    static const char *const modes[] = {"full_refresh", "incremental"};
    static const char *const destination_modes[] = {"append", "overwrite", "append_dedup", "overwrite_dedup"};
    struct value mode = values[STREAM_SYNC_MODE], destination = values[STREAM_DESTINATION_SYNC_MODE];
    if (value_there(mode))
        stream->sync_mode =
            (enum catalog_sync_mode)(value_word(loader, mode, "'syncMode'", modes, RULES_COUNT(modes)) + 1);
    if (value_there(destination))
        stream->destination_sync_mode = (enum catalog_destination_sync_mode)(
            value_word(loader, destination, "'destinationSyncMode'", destination_modes,
                       RULES_COUNT(destination_modes)) +
            1);
    if (value_there(mode) && value_there(destination))
        check_modes(loader, destination, stream);
}

static struct catalog_stream_places stream_places(const struct catalog_place *whole,
                                                  const struct value values[STREAM_COUNT])
{
    struct catalog_place places[STREAM_COUNT];
    for (size_t i = 0; i < STREAM_COUNT; i++)
        places[i] = values && value_there(values[i]) ? loader_place(values[i]) : *whole;
    return (struct catalog_stream_places){
        .name = places[STREAM_NAME],
        .namespace = places[STREAM_NAMESPACE],
        .sync_mode = places[STREAM_SYNC_MODE],
        .destination_sync_mode = places[STREAM_DESTINATION_SYNC_MODE],
        .cursor_field = places[STREAM_CURSOR_FIELD],
        .primary_key = places[STREAM_PRIMARY_KEY],
    };
}

static void build_stream(struct loader *loader, struct value value, struct catalog_stream *stream)
{
    struct value values[STREAM_COUNT];
    *stream = (struct catalog_stream){.place = loader_place(value)};
    stream->places = stream_places(&stream->place, NULL);
    if (!value_is(loader, value, TYPE_STRING | TYPE_MAPPING, "a stream"))
        return;
    if (value_has_tag(value, JSON_STRING)) {
        stream->name = value_string(loader, value);
        return;
    }
    value_members(loader, value, "a stream", stream_rules, STREAM_COUNT, values);
    stream->places = stream_places(&stream->place, values);
    if (value_there(values[STREAM_NAME]))
        stream->name = value_string(loader, values[STREAM_NAME]);
    if (stream->name && !*stream->name)
        loader_problem(loader, values[STREAM_NAME], "the name of a stream is empty");
    if (value_there(values[STREAM_NAMESPACE]))
        stream->namespace = value_string(loader, values[STREAM_NAMESPACE]);
    if (stream->namespace && !*stream->namespace)
        stream->namespace = NULL;
    build_modes(loader, values, stream);
    if (value_there(values[STREAM_CURSOR_FIELD]))
        build_path(loader, values[STREAM_CURSOR_FIELD], "'cursorField'", &stream->cursor_field);
    if (value_there(values[STREAM_PRIMARY_KEY]))
        build_primary_key(loader, values[STREAM_PRIMARY_KEY], stream);
}

static void check_stream_names(struct loader *loader, struct value list, const struct catalog_stream *streams)
{
    struct map seen;
    map_init(&seen);
    size_t index = 0;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each), index++) {
        const struct catalog_stream *stream = &streams[index];
        if (!stream->name)
            continue;
        /* A NUL cannot be in either, so it parts them. */
        const char *namespace = stream->namespace ? stream->namespace : "";
        struct buffer identity;
        buffer_init(&identity, BUFFER_UNLIMITED);
        buffer_append(&identity, namespace, strlen(namespace) + 1);
        buffer_str(&identity, stream->name);
        const struct catalog_stream *earlier =
            map_set(&seen, (struct slice){identity.data, identity.size}, (void *)stream);
        buffer_done(&identity);
        if (earlier)
            loader_problem(loader, each, "this stream is here twice; the first is at line %u",
                           earlier->place.line);
    }
    map_done(&seen);
}

static void build_streams(struct loader *loader, struct value value, struct catalog_connection *connection)
{
    if (value_has_tag(value, JSON_STRING)) {
        const char *text = value_string(loader, value);
        connection->all_streams = text && strcmp(text, "all") == 0;
        if (text && !connection->all_streams)
            loader_problem(loader, value, "'streams' must be all, or a list of streams, not '%s'",
                           value_written(loader, value));
        return;
    }
    size_t count = value_count(value);
    if (count == 0 || count > CATALOG_BINDINGS_MAX) {
        loader_problem(loader, value, "'streams' must list 1 to %d streams, or be: all",
                       CATALOG_BINDINGS_MAX);
        return;
    }
    struct catalog_stream *streams = arena_zalloc(loader->arena, count * sizeof *streams);
    size_t index = 0;
    for (struct value each = value_first(value); value_there(each); each = value_next(value, each))
        build_stream(loader, each, &streams[index++]);
    check_stream_names(loader, value, streams);
    connection->streams = streams;
    connection->stream_count = count;
}

/* --- schedule -------------------------------------------------------------------------------------- */

static void build_cron(struct loader *loader, struct value value, struct catalog_schedule *schedule)
{
    const char *text = value_string(loader, value);
    struct error err;
    if (!text)
        return;
    if (cron_parse(text, &schedule->cron, &err) < 0) {
        loader_problem(loader, value, "'cron': %s", err.message);
        return;
    }
    if (cron_next(&schedule->cron, clock_wall_ms(&clock_system)) < 0) {
        loader_problem(loader, value, "'cron': there is no such time any more: '%s'",
                       value_written(loader, value));
        return;
    }
    schedule->kind = CATALOG_SCHEDULE_CRON;
    schedule->text = text;
}

/* "manual", or what people write for the other two. */
static void build_schedule_word(struct loader *loader, struct value value)
{
    const char *text = value_string(loader, value), *written = value_written(loader, value);
    struct cron cron;
    struct error unused;
    uint64_t ms;
    if (!text || strcmp(text, "manual") == 0)
        return;
    if (string_to_duration_ms(text, &ms))
        loader_problem(loader, value, "'schedule' must say what '%s' is: {every: %s}", written, written);
    else if (cron_parse(text, &cron, &unused) == 0)
        loader_problem(loader, value, "'schedule' must say what '%s' is: {cron: \"%s\"}", written, written);
    else
        loader_problem(loader, value,
                       "'schedule' must be manual, {every: 1h} or {cron: \"0 * * * *\"}, not '%s'", written);
}

static void build_schedule(struct loader *loader, struct value value, struct catalog_schedule *schedule)
{
    enum { EVERY, CRON, COUNT };
    static const struct key_rule rules[COUNT] = {
        [EVERY] = {"every", TYPE_DURATION, false},
        [CRON] = {"cron", TYPE_STRING, false},
    };
    struct value values[COUNT];
    if (!value_there(value))
        return;
    if (value_has_tag(value, JSON_STRING)) {
        build_schedule_word(loader, value);
        return;
    }
    if (!value_members(loader, value, "'schedule'", rules, COUNT, values))
        return;
    if (value_there(values[EVERY]) && value_there(values[CRON])) {
        loader_problem(loader, values[CRON], "'schedule' has 'every' or 'cron', not both");
    } else if (value_there(values[EVERY])) {
        if (value_duration(loader, values[EVERY], "'every'", &schedule->every_ms)) {
            schedule->kind = CATALOG_SCHEDULE_EVERY;
            if (schedule->every_ms < CATALOG_INTERVAL_MIN_MS)
                loader_problem(loader, values[EVERY], "'every' must be at least 1s");
        }
    } else if (value_there(values[CRON])) {
        build_cron(loader, values[CRON], schedule);
    } else if (value_count(value) == 0) {
        loader_problem(loader, value, "'schedule' must be manual, {every: 1h} or {cron: \"0 * * * *\"}");
    }
}

/* --- connections ----------------------------------------------------------------------------------- */

enum {
    CONNECTION_SOURCE,
    CONNECTION_DESTINATION,
    CONNECTION_STREAMS,
    CONNECTION_SCHEDULE,
    CONNECTION_PREFIX,
    CONNECTION_NAMESPACE,
    CONNECTION_DISABLE,
    CONNECTION_COUNT
};
static const struct key_rule connection_rules[CONNECTION_COUNT] = {
    [CONNECTION_SOURCE] = {"source", TYPE_MAPPING, true},
    [CONNECTION_DESTINATION] = {"destination", TYPE_MAPPING, true},
    [CONNECTION_STREAMS] = {"streams", TYPE_LIST | TYPE_STRING, true},
    [CONNECTION_SCHEDULE] = {"schedule", TYPE_STRING | TYPE_MAPPING, false},
    [CONNECTION_PREFIX] = {"prefix", TYPE_STRING | TYPE_NULL, false},
    [CONNECTION_NAMESPACE] = {"namespace", TYPE_STRING | TYPE_NULL, false},
    [CONNECTION_DISABLE] = {"disable", TYPE_BOOL, false},
};

static void build_side(struct loader *loader, struct value value, const char *what,
                       struct catalog_endpoint *ret_endpoint)
{
    if (!value_there(value) || !endpoint_build(loader, value, what, ENDPOINT_CONNECTOR | ENDPOINT_LOCAL,
                                               CATALOG_PROTOCOL_AIRBYTE, ret_endpoint))
        return;
    if (ret_endpoint->kind == CATALOG_ENDPOINT_LOCAL && ret_endpoint->protocol != CATALOG_PROTOCOL_AIRBYTE)
        loader_problem(loader, value, "%s of a connection speaks Airbyte's protocol; Flow's is for captures",
                       what);
}

static void build_connection(struct loader *loader, const struct entry *entry,
                             struct catalog_connection *connection)
{
    struct value values[CONNECTION_COUNT];
    *connection = (struct catalog_connection){.place = *entry->place, .name = entry->name, .prefix = ""};
    if (!value_members(loader, entry->value, "a connection", connection_rules, CONNECTION_COUNT, values))
        return;
    build_side(loader, values[CONNECTION_SOURCE], "'source'", &connection->source);
    build_side(loader, values[CONNECTION_DESTINATION], "'destination'", &connection->destination);
    if (value_there(values[CONNECTION_STREAMS]))
        build_streams(loader, values[CONNECTION_STREAMS], connection);
    build_schedule(loader, values[CONNECTION_SCHEDULE], &connection->schedule);
    const char *prefix =
        value_there(values[CONNECTION_PREFIX]) ? value_string(loader, values[CONNECTION_PREFIX]) : NULL;
    if (prefix)
        connection->prefix = prefix;
    if (value_there(values[CONNECTION_NAMESPACE]))
        connection->namespace = value_string(loader, values[CONNECTION_NAMESPACE]);
    connection->disable = value_true(values[CONNECTION_DISABLE]);
}

void connections_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_CONNECTIONS];
    struct catalog_connection *connections =
        arena_zalloc(loader->arena, (entries->count + 1) * sizeof *connections);
    for (size_t i = 0; i < entries->count; i++)
        build_connection(loader, entries->items[i], &connections[i]);
    loader->catalog->connections = connections;
    loader->catalog->connection_count = entries->count;
}
