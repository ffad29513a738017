/* A connection's state: what its next sync continues from. The store has Airbyte's bare STATEs
 * (task/connection_state.h), the API its own shape of them. */
#include "base/map.h"
#include "server/handlers.h"
#include "server/internal.h"

#include <strings.h>

#include "control/connections.h"
#include "task/connection_state.h"

/* --- showing ------------------------------------------------------------------------------------------ */

static void write_descriptor(struct json_writer *out, const struct json *states, uint32_t stream)
{
    uint32_t descriptor = json_get(states, stream, "stream_descriptor");
    json_put_key(out, "streamDescriptor");
    json_begin_object(out);
    uint32_t name = json_get(states, descriptor, "name"), space = json_get(states, descriptor, "namespace");
    json_put_key(out, "name");
    if (name != JSON_NONE)
        json_put_value(out, states, name);
    else
        json_put_string(out, "");
    if (json_is(states, space, JSON_STRING))
        json_member_raw(out, "namespace", json_raw(states, space));
    json_end_object(out);
}

static void write_stream(struct json_writer *out, const struct json *states, uint32_t stream)
{
    uint32_t blob = json_get(states, stream, "stream_state");
    json_begin_object(out);
    write_descriptor(out, states, stream);
    if (blob != JSON_NONE)
        json_member_raw(out, "streamState", json_raw(states, blob));
    json_end_object(out);
}

static void write_global(struct json_writer *out, const struct json *states, uint32_t global)
{
    uint32_t shared = json_get(states, global, "shared_state"),
             list = json_get(states, global, "stream_states");
    json_put_key(out, "globalState");
    json_begin_object(out);
    if (shared != JSON_NONE)
        json_member_raw(out, "shared_state", json_raw(states, shared));
    json_put_key(out, "streamStates");
    json_begin_array(out);
    for (uint32_t at = json_first(states, list); at != JSON_NONE; at = json_next(states, list, at))
        write_stream(out, states, at);
    json_end_array(out);
    json_end_object(out);
}

static const char *type_of(const struct json *states)
{
    uint32_t first = json_first(states, 0),
             type = first == JSON_NONE ? JSON_NONE : json_get(states, first, "type");
    if (first == JSON_NONE)
        return "not_set";
    return json_is(states, type, JSON_STRING) && json_string_is(states, type, "GLOBAL")   ? "global"
           : json_is(states, type, JSON_STRING) && json_string_is(states, type, "STREAM") ? "stream"
                                                                                          : "legacy";
}

static void write_states(struct json_writer *out, const struct json *states)
{
    const char *type = type_of(states);
    uint32_t first = json_first(states, 0);
    json_member_string(out, "stateType", type);
    if (strcmp(type, "legacy") == 0) {
        uint32_t data = json_get(states, first, "data");
        if (data != JSON_NONE)
            json_member_raw(out, "state", json_raw(states, data));
    } else if (strcmp(type, "global") == 0) {
        write_global(out, states, json_get(states, first, "global"));
    } else if (strcmp(type, "stream") == 0) {
        json_put_key(out, "streamState");
        json_begin_array(out);
        for (uint32_t at = first; at != JSON_NONE; at = json_next(states, 0, at))
            write_stream(out, states, json_get(states, at, "stream"));
        json_end_array(out);
    }
}

/* -1: answered. */
static int read_states(struct call *call, const char *id, struct json *ret_states)
{
    struct control_connection connection;
    struct buffer text;
    struct error err;
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0) {
        call_error_of(call, &err, "connection", id);
        return -1;
    }
    buffer_init(&text, CONNECTION_STATE_MAX);
    bool read = connection_state_read(call->server->options.data_dir, id, &text, &err) == 0 &&
                json_parse_copy(call->arena, text.data ? text.data : "[]", text.data ? text.size : 2,
                                ret_states, &err) == 0;
    buffer_done(&text);
    if (!read)
        call_error(call, &err);
    return read ? 0 : -1;
}

enum http_next state_get(struct call *call)
{
    struct json states;
    const char *id = call_uuid(call, "connectionId");
    if (read_states(call, id, &states) < 0)
        return HTTP_ANSWER;
    json_member_string(call_begin(call), "connectionId", id);
    write_states(&call->out, &states);
    return call_end(call);
}

/* A string alone is the answer. */
enum http_next state_get_type(struct call *call)
{
    struct json states;
    if (read_states(call, call_uuid(call, "connectionId"), &states) < 0)
        return HTTP_ANSWER;
    call->http->status = 200;
    json_escape(&call->http->answer, slice_of(type_of(&states)));
    return HTTP_ANSWER;
}

/* --- setting ------------------------------------------------------------------------------------------ */

static void put_protocol_stream(struct json_writer *out, const struct json *body, uint32_t stream)
{
    uint32_t blob = json_get(body, stream, "streamState");
    json_begin_object(out);
    json_member_raw(out, "stream_descriptor", json_raw(body, json_get(body, stream, "streamDescriptor")));
    if (blob != JSON_NONE && !json_is(body, blob, JSON_NULL))
        json_member_raw(out, "stream_state", json_raw(body, blob));
    json_end_object(out);
}

static void put_protocol_global(struct json_writer *out, const struct json *body, uint32_t global)
{
    uint32_t shared = json_get(body, global, "shared_state"), list = json_get(body, global, "streamStates");
    json_begin_object(out);
    json_member_string(out, "type", "GLOBAL");
    json_put_key(out, "global");
    json_begin_object(out);
    if (shared != JSON_NONE)
        json_member_raw(out, "shared_state", json_raw(body, shared));
    json_put_key(out, "stream_states");
    json_begin_array(out);
    for (uint32_t at = json_first(body, list); at != JSON_NONE; at = json_next(body, list, at))
        put_protocol_stream(out, body, at);
    json_end_array(out);
    json_end_object(out);
    json_end_object(out);
}

static void put_protocol(struct json_writer *out, const struct json *body, uint32_t state, const char *type)
{
    uint32_t list = json_get(body, state, "streamState"), global = json_get(body, state, "globalState");
    uint32_t blob = json_get(body, state, "state");
    json_begin_array(out);
    if (strcmp(type, "stream") == 0 && json_is(body, list, JSON_ARRAY)) {
        for (uint32_t at = json_first(body, list); at != JSON_NONE; at = json_next(body, list, at)) {
            json_begin_object(out);
            json_member_string(out, "type", "STREAM");
            json_put_key(out, "stream");
            put_protocol_stream(out, body, at);
            json_end_object(out);
        }
    } else if (strcmp(type, "global") == 0 && json_is(body, global, JSON_OBJECT)) {
        put_protocol_global(out, body, global);
    } else if (strcmp(type, "legacy") == 0 && blob != JSON_NONE) {
        json_begin_object(out);
        json_member_string(out, "type", "LEGACY");
        json_member_raw(out, "data", json_raw(body, blob));
        json_end_object(out);
    }
    json_end_array(out);
}

/* `place`: of a list of {streamDescriptor, streamState}. False: answered. */
static bool check_streams(struct call *call, uint32_t list, const char *place, const struct map *known)
{
    const struct json *body = &call->body;
    struct map seen;
    bool right = true;
    size_t number = 0;
    map_init(&seen);
    for (uint32_t at = json_first(body, list); at != JSON_NONE && right;
         at = json_next(body, list, at), number++) {
        uint32_t descriptor = json_get(body, at, "streamDescriptor"),
                 blob = json_get(body, at, "streamState");
        const char *name = call_text_of(call, descriptor, "name"),
                   *space = call_text_of(call, descriptor, "namespace");
        struct slice key = slice_of(arena_printf(call->arena, "%s\n%s", space ? space : "", name));
        right = false;
        if (map_get(&seen, key))
            call_invalid(call, arena_printf(call->arena, "%s[%zu].streamDescriptor", place, number),
                         "the stream '%.200s' is there twice", name);
        else if (!map_get(known, key))
            call_invalid(call, arena_printf(call->arena, "%s[%zu].streamDescriptor", place, number),
                         "the connection has no stream '%.200s'%s%.200s%s", name,
                         space ? " in the namespace '" : "", space ? space : "", space ? "'" : "");
        else if (blob != JSON_NONE && !json_is(body, blob, JSON_NULL) && !json_is(body, blob, JSON_OBJECT))
            call_invalid(call, arena_printf(call->arena, "%s[%zu].streamState", place, number),
                         "the state of the stream '%.200s' is no object", name);
        else
            right = true;
        map_set(&seen, key, call);
    }
    map_done(&seen);
    return right;
}

/* A state of a type that does not come with it would be none, and what there was would be lost. */
static bool check_state(struct call *call, uint32_t state, const char *id, const struct map *known)
{
    static const char streams[] = "connectionState.streamState", global[] = "connectionState.globalState";
    const struct json *body = &call->body;
    const char *type = call_text_of(call, state, "stateType");
    const char *own = call_text_of(call, state, "connectionId");
    uint32_t list = json_get(body, state, "streamState"), all = json_get(body, state, "globalState");
    uint32_t shared = json_get(body, all, "shared_state");
    if (strcasecmp(own, id) != 0)
        call_invalid(call, "connectionState.connectionId", "the state is another connection's: %.60s", own);
    else if (strcmp(type, "stream") == 0 && !json_is(body, list, JSON_ARRAY))
        call_invalid(call, streams, "a state of the type stream needs its streamState; [] is none");
    else if (strcmp(type, "global") == 0 && !json_is(body, all, JSON_OBJECT))
        call_invalid(call, global, "a state of the type global needs its globalState");
    else if (strcmp(type, "global") == 0 && shared != JSON_NONE && !json_is(body, shared, JSON_NULL) &&
             !json_is(body, shared, JSON_OBJECT))
        call_invalid(call, "connectionState.globalState.shared_state", "the shared state is no object");
    else if (strcmp(type, "legacy") == 0 && !json_is(body, json_get(body, state, "state"), JSON_OBJECT))
        call_invalid(call, "connectionState.state",
                     "a state of the type legacy needs its state, which is an object");
    else if (strcmp(type, "stream") == 0)
        return check_streams(call, list, streams, known);
    else
        return strcmp(type, "global") != 0 ||
               check_streams(call, json_get(body, all, "streamStates"),
                             "connectionState.globalState.streamStates", known);
    return false;
}

static void know(struct call *call, const struct json *doc, uint32_t stream, struct map *known)
{
    const char *name = json_cstring(doc, json_get(doc, stream, "name"), call->arena),
               *space = json_cstring(doc, json_get(doc, stream, "namespace"), call->arena);
    if (name)
        map_set(known, slice_of(arena_printf(call->arena, "%s\n%s", space ? space : "", name)), call);
}

/* The streams of its catalog, and those that it has a state of: what was read may be written back. */
static bool know_streams(struct call *call, const struct control_connection *connection, struct map *known)
{
    struct json catalog, states;
    struct error err;
    if (read_states(call, connection->id, &states) < 0)
        return false;
    if (connection->catalog.size && json_parse_copy(call->arena, connection->catalog.data,
                                                    connection->catalog.size, &catalog, &err) == 0) {
        uint32_t list = json_get(&catalog, 0, "streams");
        for (uint32_t at = json_first(&catalog, list); at != JSON_NONE; at = json_next(&catalog, list, at))
            know(call, &catalog, json_get(&catalog, at, "stream"), known);
    }
    for (uint32_t at = json_first(&states, 0); at != JSON_NONE; at = json_next(&states, 0, at)) {
        uint32_t stream = json_get(&states, at, "stream"),
                 list = json_get(&states, json_get(&states, at, "global"), "stream_states");
        know(call, &states, json_get(&states, stream, "stream_descriptor"), known);
        for (uint32_t each = json_first(&states, list); each != JSON_NONE;
             each = json_next(&states, list, each))
            know(call, &states, json_get(&states, each, "stream_descriptor"), known);
    }
    return true;
}

/* False: answered. */
static bool is_right(struct call *call, uint32_t state, const struct control_connection *connection)
{
    struct map known;
    map_init(&known);
    bool right = know_streams(call, connection, &known) && check_state(call, state, connection->id, &known);
    map_done(&known);
    return right;
}

enum http_next state_put(struct call *call)
{
    const char *id = call_uuid(call, "connectionId");
    uint32_t state = call_member(call, "connectionState");
    struct control_connection connection;
    struct json_writer writer;
    struct buffer text;
    struct error err;
    if (control_connection_get(call->control, id, false, call->arena, &connection, &err) < 0)
        return call_error_of(call, &err, "connection", id);
    if (connection.running)
        return call_fail(
            call, 409,
            "the state of connection %s cannot be set while a job of it is not over: wait for its end, "
            "or cancel it",
            id);
    if (!is_right(call, state, &connection))
        return HTTP_ANSWER;
    buffer_init(&text, CONNECTION_STATE_MAX);
    json_writer_init(&writer, &text);
    put_protocol(&writer, &call->body, state, call_text_of(call, state, "stateType"));
    int result = text.overflowed ? error_set(&err, ERROR_LIMIT, "the state is too large")
                                 : connection_state_write(call->server->options.data_dir, id,
                                                          (struct slice){text.data, text.size}, &err);
    buffer_done(&text);
    return result < 0 ? call_error_in(call, &err, "connectionState") : state_get(call);
}
