#include "server/sync_modes.h"

#include "control/connection_check.h"
#include "protocol/airbyte_catalog.h"
#include "server/views.h"

#include <stdio.h>

static const struct {
    const char *name, *source, *destination;
} modes[] = {
    {"full_refresh_overwrite", "full_refresh", "overwrite"},
    {"full_refresh_overwrite_deduped", "full_refresh", "overwrite_dedup"},
    {"full_refresh_append", "full_refresh", "append"},
    {"full_refresh_update", "full_refresh", "update"},
    {"full_refresh_soft_delete", "full_refresh", "soft_delete"},
    {"incremental_append", "incremental", "append"},
    {"incremental_deduped_history", "incremental", "append_dedup"},
    {"incremental_update", "incremental", "update"},
    {"incremental_soft_delete", "incremental", "soft_delete"},
};
enum { MODE_COUNT = sizeof modes / sizeof *modes };

static bool text_is(const struct json *doc, uint32_t at, const char *text)
{
    return json_is(doc, at, JSON_STRING) && json_string_is(doc, at, text);
}

static const char *mode_of(const struct json *doc, uint32_t config)
{
    uint32_t source = json_get(doc, config, "syncMode"),
             destination = json_get(doc, config, "destinationSyncMode");
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (text_is(doc, source, modes[i].source) && text_is(doc, destination, modes[i].destination))
            return modes[i].name;
    }
    return text_is(doc, source, "incremental") ? "incremental_append" : "full_refresh_overwrite";
}

/* --- from a syncCatalog ------------------------------------------------------------------------------- */

static void put_list(struct json_writer *out, const char *name, const struct json *doc, uint32_t list)
{
    if (json_is(doc, list, JSON_ARRAY))
        json_member_raw(out, name, json_raw(doc, list));
}

static void write_stream(struct json_writer *out, const struct json *doc, uint32_t both)
{
    uint32_t stream = json_get(doc, both, "stream"), config = json_get(doc, both, "config");
    uint32_t space = json_get(doc, stream, "namespace");
    json_begin_object(out);
    json_member_raw(out, "name", json_raw(doc, json_get(doc, stream, "name")));
    if (json_is(doc, space, JSON_STRING))
        json_member_raw(out, "namespace", json_raw(doc, space));
    json_member_string(out, "syncMode", mode_of(doc, config));
    put_list(out, "cursorField", doc, json_get(doc, config, "cursorField"));
    put_list(out, "primaryKey", doc, json_get(doc, config, "primaryKey"));
    put_list(out, "selectedFields", doc, json_get(doc, config, "selectedFields"));
    json_put_key(out, "mappers");
    json_begin_array(out);
    json_end_array(out);
    json_end_object(out);
}

void sync_modes_write(struct call *call, struct slice sync_catalog)
{
    struct json_writer *out = &call->out;
    struct json doc;
    struct error err;
    bool there = sync_catalog.size &&
                 json_parse_copy(call->arena, sync_catalog.data, sync_catalog.size, &doc, &err) == 0;
    json_put_key(out, "configurations");
    json_begin_object(out);
    json_put_key(out, "streams");
    json_begin_array(out);
    uint32_t list = there ? json_get(&doc, 0, "streams") : JSON_NONE;
    for (uint32_t at = there ? json_first(&doc, list) : JSON_NONE; at != JSON_NONE;
         at = json_next(&doc, list, at)) {
        uint32_t config = json_get(&doc, at, "config");
        bool named = json_is(&doc, json_get(&doc, json_get(&doc, at, "stream"), "name"), JSON_STRING);
        if (named && !json_is(&doc, json_get(&doc, config, "selected"), JSON_FALSE))
            write_stream(out, &doc, at);
    }
    json_end_array(out);
    json_end_object(out);
}

/* --- to a syncCatalog --------------------------------------------------------------------------------- */

struct configuring {
    struct call *call;
    struct json doc; /* what was discovered, in the API's spelling */
    uint32_t list;
    struct json_writer out;
};

/* By name, and by namespace where one is given. */
static uint32_t find_stream(const struct configuring *configuring, const char *name, const char *space)
{
    const struct json *doc = &configuring->doc;
    for (uint32_t at = json_first(doc, configuring->list); at != JSON_NONE;
         at = json_next(doc, configuring->list, at)) {
        uint32_t stream = json_get(doc, at, "stream");
        if (text_is(doc, json_get(doc, stream, "name"), name) &&
            (!space || text_is(doc, json_get(doc, stream, "namespace"), space)))
            return at;
    }
    return JSON_NONE;
}

/* Has a stream beyond `first` this name? */
static bool is_ambiguous(const struct configuring *configuring, const char *name, uint32_t first)
{
    const struct json *doc = &configuring->doc;
    uint32_t at = json_next(doc, configuring->list, first);
    while (at != JSON_NONE && !text_is(doc, json_get(doc, json_get(doc, at, "stream"), "name"), name))
        at = json_next(doc, configuring->list, at);
    return at != JSON_NONE;
}

/* `number`: of the body's configurations. */
static bool say_no_stream(const struct configuring *configuring, const char *name, const char *space,
                          size_t number)
{
    struct call *call = configuring->call;
    const struct json *doc = &configuring->doc;
    const char **names = arena_alloc(call->arena, (json_count(doc, configuring->list) + 1) * sizeof *names);
    size_t count = 0;
    if (space && find_stream(configuring, name, NULL) != JSON_NONE) {
        call_invalid(call, arena_printf(call->arena, "configurations.streams[%zu].namespace", number),
                     "the source has no stream '%.100s' in the namespace '%.100s'", name, space);
        return false;
    }
    for (uint32_t at = json_first(doc, configuring->list); at != JSON_NONE;
         at = json_next(doc, configuring->list, at)) {
        const char *each = json_cstring(doc, json_get(doc, json_get(doc, at, "stream"), "name"), call->arena);
        if (each)
            names[count++] = each;
    }
    const char *near = string_nearest(name, names, count);
    call_invalid(call, arena_printf(call->arena, "configurations.streams[%zu].name", number),
                 "the source has no stream '%.100s'%s%s%s", name, near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
    return false;
}

static void put_chosen(struct configuring *configuring, const char *name, uint32_t given, uint32_t proposed)
{
    const struct json *body = &configuring->call->body, *doc = &configuring->doc;
    uint32_t chosen = json_get(body, given, name), own = json_get(doc, proposed, name);
    json_put_key(&configuring->out, name);
    if (json_is(body, chosen, JSON_ARRAY) && json_count(body, chosen))
        json_put_raw(&configuring->out, json_raw(body, chosen));
    else if (json_is(doc, own, JSON_ARRAY))
        json_put_raw(&configuring->out, json_raw(doc, own));
    else
        json_put_raw(&configuring->out, SLICE_LITERAL("[]"));
}

static void put_config(struct configuring *configuring, uint32_t given, uint32_t both)
{
    const struct json *body = &configuring->call->body, *doc = &configuring->doc;
    struct json_writer *out = &configuring->out;
    uint32_t proposed = json_get(doc, both, "config"), fields = json_get(body, given, "selectedFields");
    const char *mode = call_text_of(configuring->call, given, "syncMode");
    bool choose = json_is(body, fields, JSON_ARRAY) && json_count(body, fields);
    size_t at = 0;
    while (mode && strcmp(modes[at].name, mode) != 0)
        at++;
    json_begin_object(out);
    json_member_string(out, "syncMode", modes[at].source);
    json_member_string(out, "destinationSyncMode", modes[at].destination);
    put_chosen(configuring, "cursorField", given, proposed);
    put_chosen(configuring, "primaryKey", given, proposed);
    json_put_key(out, "aliasName");
    json_put_raw(out, json_raw(doc, json_get(doc, json_get(doc, both, "stream"), "name")));
    json_member_bool(out, "selected", true);
    json_member_bool(out, "fieldSelectionEnabled", choose);
    json_member_raw(out, "selectedFields", choose ? json_raw(body, fields) : SLICE_LITERAL("[]"));
    uint32_t mappers = json_get(body, given, "mappers");
    if (json_is(body, mappers, JSON_ARRAY))
        json_member_raw(out, "mappers", json_raw(body, mappers));
    json_end_object(out);
}

static bool put_stream(struct configuring *configuring, uint32_t given, size_t number)
{
    struct call *call = configuring->call;
    const char *name = call_text_of(call, given, "name"), *space = call_text_of(call, given, "namespace");
    uint32_t both = find_stream(configuring, name, space);
    if (both == JSON_NONE)
        return say_no_stream(configuring, name, space, number);
    if (!space && is_ambiguous(configuring, name, both)) {
        call_invalid(call, arena_printf(call->arena, "configurations.streams[%zu].namespace", number),
                     "the source has the stream '%.100s' in several namespaces: name one", name);
        return false;
    }
    json_begin_object(&configuring->out);
    json_member_raw(&configuring->out, "stream",
                    json_raw(&configuring->doc, json_get(&configuring->doc, both, "stream")));
    json_put_key(&configuring->out, "config");
    put_config(configuring, given, both);
    json_end_object(&configuring->out);
    return true;
}

static struct slice keep(struct call *call, const struct buffer *text)
{
    return (struct slice){arena_dup(call->arena, text->data, text->size), text->size};
}

bool sync_modes_configure(struct call *call, struct slice discovered, const char *destination,
                          struct slice *ret_sync_catalog)
{
    struct configuring configuring = {.call = call};
    struct buffer all, chosen;
    struct json_writer writer;
    struct error err;
    bool right = true;
    size_t number = 0;
    unsigned can = 0;
    uint32_t configurations = call_member(call, "configurations");
    uint32_t wanted =
        configurations == JSON_NONE ? JSON_NONE : json_get(&call->body, configurations, "streams");
    if (control_destination_modes(call->control, destination, call->arena, &can, &err) < 0) {
        call_error_of(call, &err, "destination", destination);
        return false;
    }
    buffer_init(&all, BUFFER_UNLIMITED);
    json_writer_init(&writer, &all);
    view_discovered(&writer, discovered, can, call->arena);
    *ret_sync_catalog = keep(call, &all);
    buffer_done(&all);
    if (!json_is(&call->body, wanted, JSON_ARRAY) || !json_count(&call->body, wanted))
        return true;
    if (json_parse_copy(call->arena, ret_sync_catalog->data, ret_sync_catalog->size, &configuring.doc, &err) <
        0) {
        call_error(call, &err);
        return false;
    }
    configuring.list = json_get(&configuring.doc, 0, "streams");
    buffer_init(&chosen, BUFFER_UNLIMITED);
    json_writer_init(&configuring.out, &chosen);
    json_begin_object(&configuring.out);
    json_put_key(&configuring.out, "streams");
    json_begin_array(&configuring.out);
    for (uint32_t at = json_first(&call->body, wanted); right && at != JSON_NONE;
         at = json_next(&call->body, wanted, at))
        right = put_stream(&configuring, at, number++);
    json_end_array(&configuring.out);
    json_end_object(&configuring.out);
    if (right)
        *ret_sync_catalog = keep(call, &chosen);
    buffer_done(&chosen);
    return right;
}

/* --- what is possible --------------------------------------------------------------------------------- */

static bool has_mode(const struct json *doc, uint32_t stream, const char *mode)
{
    uint32_t list = json_get(doc, stream, "supportedSyncModes");
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (text_is(doc, at, mode))
            return true;
    }
    return false;
}

void sync_modes_write_possible(struct json_writer *out, const struct json *doc, uint32_t stream, unsigned can)
{
    json_begin_array(out);
    for (size_t i = 0; i < MODE_COUNT; i++) {
        bool ours =
            strcmp(modes[i].destination, "update") != 0 && strcmp(modes[i].destination, "soft_delete") != 0;
        int mode = airbyte_destination_sync_mode_parse(slice_of(modes[i].destination));
        if (ours && (!can || can & 1U << mode) && has_mode(doc, stream, modes[i].source))
            json_put_string(out, modes[i].name);
    }
    json_end_array(out);
}
