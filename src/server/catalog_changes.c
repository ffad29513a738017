#include "server/catalog_changes.h"

#include "control/catalogs.h"
#include "control/connection_check.h"
#include "protocol/airbyte_mapper.h"
#include "server/views.h"

/* --- finding streams ---------------------------------------------------------------------------------- */

/* Of a stream: a key of the maps. An empty namespace is none. */
static struct slice key_of(const struct json *doc, uint32_t stream, struct arena *arena)
{
    uint32_t name = json_get(doc, stream, "name"), space = json_get(doc, stream, "namespace");
    struct slice first = json_is(doc, name, JSON_STRING) ? json_string(doc, name, arena) : (struct slice){0};
    struct slice second =
        json_is(doc, space, JSON_STRING) ? json_string(doc, space, arena) : (struct slice){0};
    char *key = arena_alloc(arena, first.size + second.size + 1);
    memcpy(key, first.data ? first.data : "", first.size);
    key[first.size] = '\n';
    memcpy(key + first.size + 1, second.data ? second.data : "", second.size);
    return (struct slice){key, first.size + second.size + 1};
}

static void *mark(uint32_t at)
{
    return (void *)((uintptr_t)at + 1);
}

static uint32_t found(const struct map *streams, struct slice key)
{
    uintptr_t value = (uintptr_t)map_get(streams, key);
    return value ? (uint32_t)(value - 1) : JSON_NONE;
}

/* `inside`: entries are {"stream", "config"}. */
static void index_streams(const struct json *doc, bool inside, struct map *streams, struct arena *arena)
{
    uint32_t list = doc->count ? json_get(doc, 0, "streams") : JSON_NONE;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at))
        map_set(streams, key_of(doc, inside ? json_get(doc, at, "stream") : at, arena), mark(at));
}

int catalog_changes_init(struct catalog_changes *changes, struct slice configured, struct slice before,
                         struct slice now, struct arena *arena, struct error *err)
{
    *changes = (struct catalog_changes){.arena = arena};
    map_init(&changes->configured_streams);
    map_init(&changes->now_streams);
    map_init(&changes->before_streams);
    if (json_parse_copy(arena, configured.data, configured.size, &changes->configured, err) < 0 ||
        json_parse_copy(arena, now.data, now.size, &changes->now, err) < 0 ||
        (before.size && json_parse_copy(arena, before.data, before.size, &changes->before, err) < 0))
        return -1;
    index_streams(&changes->configured, true, &changes->configured_streams, arena);
    index_streams(&changes->now, false, &changes->now_streams, arena);
    index_streams(&changes->before, false, &changes->before_streams, arena);
    return 0;
}

void catalog_changes_done(struct catalog_changes *changes)
{
    map_done(&changes->configured_streams);
    map_done(&changes->now_streams);
    map_done(&changes->before_streams);
}

/* --- one stream's fields ------------------------------------------------------------------------------ */

/* One comparison: the old schema in `configured`, the new one in `now`. */
struct fields {
    struct catalog_changes *changes;
    struct json_writer *out;
    uint32_t config; /* of the stream */
    bool own_cursor; /* the source's: the config's does not matter */
    bool misfit;     /* the mappers have not what they are for any more */
    struct slice path[CATALOG_CHANGES_DEPTH_MAX];
    size_t depth;
    bool differ;
};

/* Is the list's path the field's, or does it lead into it? */
static bool leads_there(const struct fields *fields, uint32_t list)
{
    const struct json *doc = &fields->changes->configured;
    uint32_t at = json_first(doc, list);
    for (size_t i = 0; i < fields->depth; i++, at = json_next(doc, list, at)) {
        if (at == JSON_NONE || !json_is(doc, at, JSON_STRING) ||
            !slice_equal(json_string(doc, at, fields->changes->arena), fields->path[i]))
            return false;
    }
    return true;
}

/* Does the stream need the field at the path for its cursor, its key or its mappers? */
static bool is_needed(const struct fields *fields)
{
    const struct json *doc = &fields->changes->configured;
    uint32_t mode = json_get(doc, fields->config, "syncMode"),
             keys = json_get(doc, fields->config, "primaryKey");
    if (!fields->own_cursor && json_is(doc, mode, JSON_STRING) && json_string_is(doc, mode, "incremental") &&
        leads_there(fields, json_get(doc, fields->config, "cursorField")))
        return true;
    for (uint32_t at = json_first(doc, keys); at != JSON_NONE; at = json_next(doc, keys, at)) {
        if (leads_there(fields, at))
            return true;
    }
    return fields->misfit && fields->depth == 1 &&
           airbyte_mappers_use(doc, fields->config, fields->path[0], fields->changes->arena);
}

static void begin_field(struct fields *fields, const char *type, bool breaking)
{
    struct json_writer *out = fields->out;
    fields->differ = true;
    fields->changes->breaking |= breaking;
    json_begin_object(out);
    json_member_string(out, "transformType", type);
    json_put_key(out, "fieldName");
    json_begin_array(out);
    for (size_t i = 0; i < fields->depth; i++)
        json_put_slice(out, fields->path[i]);
    json_end_array(out);
    json_member_bool(out, "breaking", breaking);
}

static void write_schema(struct json_writer *out, const char *name, const struct json *doc, uint32_t schema)
{
    json_put_key(out, name);
    json_put_value(out, doc, schema);
}

static void write_one(struct fields *fields, const char *type, const char *member, const struct json *doc,
                      uint32_t schema, bool breaking)
{
    begin_field(fields, type, breaking);
    json_put_key(fields->out, member);
    json_begin_object(fields->out);
    write_schema(fields->out, "schema", doc, schema);
    json_end_object(fields->out);
    json_end_object(fields->out);
}

static void compare_properties(struct fields *fields, uint32_t before, uint32_t now);

static void compare_field(struct fields *fields, uint32_t before, uint32_t now)
{
    const struct json *old_doc = &fields->changes->configured, *new_doc = &fields->changes->now;
    uint32_t old_fields = json_get(old_doc, before, "properties"),
             new_fields = json_get(new_doc, now, "properties");
    if (json_equal(old_doc, before, new_doc, now))
        return;
    if (json_is(old_doc, old_fields, JSON_OBJECT) && json_is(new_doc, new_fields, JSON_OBJECT) &&
        fields->depth < CATALOG_CHANGES_DEPTH_MAX) {
        compare_properties(fields, before, now);
        return;
    }
    begin_field(fields, "update_field_schema", false);
    json_put_key(fields->out, "updateFieldSchema");
    json_begin_object(fields->out);
    write_schema(fields->out, "oldSchema", old_doc, before);
    write_schema(fields->out, "newSchema", new_doc, now);
    json_end_object(fields->out);
    json_end_object(fields->out);
}

static void compare_properties(struct fields *fields, uint32_t before, uint32_t now)
{
    const struct json *old_doc = &fields->changes->configured, *new_doc = &fields->changes->now;
    uint32_t old_fields = json_get(old_doc, before, "properties"),
             new_fields = json_get(new_doc, now, "properties");
    struct slice *name = &fields->path[fields->depth++];
    for (uint32_t key = json_first_key(old_doc, old_fields); key != JSON_NONE;
         key = json_next_key(old_doc, old_fields, key)) {
        *name = json_string(old_doc, key, fields->changes->arena);
        uint32_t there = json_get_slice(new_doc, new_fields, *name);
        if (there == JSON_NONE)
            write_one(fields, "remove_field", "removeField", old_doc, json_value(key), is_needed(fields));
        else
            compare_field(fields, json_value(key), there);
    }
    for (uint32_t key = json_first_key(new_doc, new_fields); key != JSON_NONE;
         key = json_next_key(new_doc, new_fields, key)) {
        *name = json_string(new_doc, key, fields->changes->arena);
        if (json_get_slice(old_doc, old_fields, *name) == JSON_NONE)
            write_one(fields, "add_field", "addField", new_doc, json_value(key), false);
    }
    fields->depth--;
}

/* --- one stream's attributes -------------------------------------------------------------------------- */

static bool names_key(const struct json *doc, uint32_t keys, const struct json *other_doc, uint32_t path)
{
    for (uint32_t at = json_first(doc, keys); at != JSON_NONE; at = json_next(doc, keys, at)) {
        if (json_equal(doc, at, other_doc, path))
            return true;
    }
    return false;
}

static bool names_all(const struct json *doc, uint32_t keys, const struct json *other_doc, uint32_t others)
{
    for (uint32_t at = json_first(other_doc, others); at != JSON_NONE;
         at = json_next(other_doc, others, at)) {
        if (!names_key(doc, keys, other_doc, at))
            return false;
    }
    return true;
}

/* Is the stream deduplicated by another key than the source's new one? The order does not matter. A source
 * that defines none any more leaves it to the connection, which has one. */
static bool breaks_dedup(const struct catalog_changes *changes, uint32_t config, uint32_t key)
{
    const struct json *doc = &changes->configured;
    uint32_t mode = json_get(doc, config, "destinationSyncMode"), own = json_get(doc, config, "primaryKey");
    bool dedup = json_is(doc, mode, JSON_STRING) &&
                 (json_string_is(doc, mode, "append_dedup") || json_string_is(doc, mode, "overwrite_dedup"));
    return dedup && json_count(&changes->now, key) > 0 &&
           (!names_all(doc, own, &changes->now, key) || !names_all(&changes->now, key, doc, own));
}

static void write_key(struct json_writer *out, const char *name, const struct json *doc, uint32_t key)
{
    json_put_key(out, name);
    if (key != JSON_NONE && json_is(doc, key, JSON_ARRAY))
        json_put_value(out, doc, key);
    else
        json_put_raw(out, SLICE_LITERAL("[]"));
}

/* The key that the source defined when the connection was made: what the connection's catalog says, else what
 * that was made from. */
static uint32_t old_key(const struct catalog_changes *changes, uint32_t stream, const struct json **ret_doc)
{
    uint32_t key = json_get(&changes->configured, stream, "sourceDefinedPrimaryKey");
    *ret_doc = &changes->configured;
    if (json_is(&changes->configured, key, JSON_ARRAY))
        return key;
    uint32_t before = found(&changes->before_streams, key_of(&changes->configured, stream, changes->arena));
    *ret_doc = &changes->before;
    return before == JSON_NONE ? JSON_NONE : json_get(&changes->before, before, "source_defined_primary_key");
}

/* Of a stream's attributes Airbyte tells one, the key that the source defines. */
static bool write_attributes(struct catalog_changes *changes, struct json_writer *out, uint32_t entry,
                             uint32_t now)
{
    const struct json *old;
    uint32_t before = old_key(changes, json_get(&changes->configured, entry, "stream"), &old),
             key = json_get(&changes->now, now, "source_defined_primary_key");
    bool had = before != JSON_NONE && json_count(old, before), has = json_count(&changes->now, key) > 0;
    bool same = had == has && (!had || json_equal(old, before, &changes->now, key));
    json_begin_array(out);
    if (!same) {
        bool breaking = breaks_dedup(changes, json_get(&changes->configured, entry, "config"), key);
        changes->breaking |= breaking;
        json_begin_object(out);
        json_member_string(out, "transformType", "update_primary_key");
        json_member_bool(out, "breaking", breaking);
        json_put_key(out, "updatePrimaryKey");
        json_begin_object(out);
        write_key(out, "oldPrimaryKey", old, before);
        write_key(out, "newPrimaryKey", &changes->now, key);
        json_end_object(out);
        json_end_object(out);
    }
    json_end_array(out);
    return !same;
}

/* --- the diff ----------------------------------------------------------------------------------------- */

static void begin_stream(struct json_writer *out, const char *type, const struct json *doc, uint32_t stream)
{
    uint32_t name = json_get(doc, stream, "name"), space = json_get(doc, stream, "namespace");
    json_begin_object(out);
    json_member_string(out, "transformType", type);
    json_put_key(out, "streamDescriptor");
    json_begin_object(out);
    json_put_key(out, "name");
    if (json_is(doc, name, JSON_STRING))
        json_put_value(out, doc, name);
    else
        json_put_string(out, "");
    if (json_is(doc, space, JSON_STRING))
        json_member_raw(out, "namespace", json_raw(doc, space));
    json_end_object(out);
}

/* Writes the transforms of the fields; do any differ? */
static bool write_fields(struct catalog_changes *changes, struct json_writer *out, uint32_t entry,
                         uint32_t now)
{
    const struct json *doc = &changes->now;
    struct fields fields = {.changes = changes,
                            .out = out,
                            .config = json_get(&changes->configured, entry, "config"),
                            .own_cursor =
                                json_is(doc, json_get(doc, now, "source_defined_cursor"), JSON_TRUE)};
    struct error unused;
    fields.misfit =
        airbyte_mappers_fit(&changes->configured, fields.config, doc, json_get(doc, now, "json_schema"), NULL,
                            0, changes->arena, &unused) < 0;
    changes->breaking |= fields.misfit;
    json_begin_array(out);
    compare_properties(
        &fields,
        json_get(&changes->configured, json_get(&changes->configured, entry, "stream"), "jsonSchema"),
        json_get(doc, now, "json_schema"));
    json_end_array(out);
    return fields.differ;
}

/* A stream that is in both; nothing is written unless they differ. */
static void compare_stream(struct catalog_changes *changes, struct json_writer *out, uint32_t entry,
                           uint32_t now)
{
    uint32_t stream = json_get(&changes->configured, entry, "stream");
    struct buffer text;
    struct json_writer writer;
    uint32_t schema = json_get(&changes->configured, stream, "jsonSchema");
    if (!json_is(&changes->configured, schema, JSON_OBJECT) ||
        json_count(&changes->configured, schema) == 0 ||
        !json_is(&changes->now, json_get(&changes->now, now, "json_schema"), JSON_OBJECT))
        return; /* one made without schemas follows whatever comes */
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_put_key(&writer, "fieldTransforms");
    bool differ = write_fields(changes, &writer, entry, now);
    json_put_key(&writer, "streamAttributeTransforms");
    differ |= write_attributes(changes, &writer, entry, now);
    json_end_object(&writer);
    if (differ) {
        changes->any = true;
        begin_stream(out, "update_stream", &changes->configured, stream);
        json_member_raw(out, "updateStream", (struct slice){text.data, text.size});
        json_end_object(out);
    }
    buffer_done(&text);
}

void catalog_changes_write(struct catalog_changes *changes, struct json_writer *out)
{
    uint32_t old_list = json_get(&changes->configured, 0, "streams"),
             new_list = json_get(&changes->now, 0, "streams");
    json_begin_object(out);
    json_put_key(out, "transforms");
    json_begin_array(out);
    for (uint32_t at = json_first(&changes->configured, old_list); at != JSON_NONE;
         at = json_next(&changes->configured, old_list, at)) {
        uint32_t stream = json_get(&changes->configured, at, "stream");
        uint32_t now = found(&changes->now_streams, key_of(&changes->configured, stream, changes->arena));
        if (now != JSON_NONE) {
            compare_stream(changes, out, at, now);
            continue;
        }
        changes->any = true;
        begin_stream(out, "remove_stream", &changes->configured, stream);
        json_end_object(out);
    }
    for (uint32_t at = json_first(&changes->now, new_list); at != JSON_NONE;
         at = json_next(&changes->now, new_list, at)) {
        struct slice key = key_of(&changes->now, at, changes->arena);
        if (found(&changes->configured_streams, key) != JSON_NONE ||
            found(&changes->before_streams, key) != JSON_NONE)
            continue;
        changes->any = true;
        begin_stream(out, "add_stream", &changes->now, at);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}

/* --- both as one -------------------------------------------------------------------------------------- */

void catalog_changes_merge(const struct catalog_changes *changes, unsigned destination_modes,
                           struct json_writer *out)
{
    uint32_t list = json_get(&changes->now, 0, "streams");
    json_begin_object(out);
    json_put_key(out, "streams");
    json_begin_array(out);
    for (uint32_t at = json_first(&changes->now, list); at != JSON_NONE;
         at = json_next(&changes->now, list, at)) {
        uint32_t entry = found(&changes->configured_streams, key_of(&changes->now, at, changes->arena));
        uint32_t config = json_get(&changes->configured, entry, "config");
        json_begin_object(out);
        json_put_key(out, "stream");
        view_discovered_stream(out, &changes->now, at);
        json_put_key(out, "config");
        if (entry != JSON_NONE && json_is(&changes->configured, config, JSON_OBJECT))
            json_put_value(out, &changes->configured, config);
        else
            view_discovered_config(out, &changes->now, at, destination_modes, false);
        json_end_object(out);
    }
    json_end_array(out);
    json_end_object(out);
}

int view_catalog_changes(struct call *call, struct control_connection *connection,
                         const struct control_catalog *found, bool *ret_any, bool *ret_breaking,
                         struct error *err)
{
    struct control_catalog before = {0};
    struct catalog_changes changes;
    struct buffer merged;
    struct json_writer writer;
    struct error unused;
    unsigned modes = 0;
    if (control_destination_modes(call->control, connection->destination, call->arena, &modes, err) < 0)
        return -1;
    if (connection->source_catalog)
        (void)control_catalog_get(call->control, connection->source_catalog, call->arena, &before, &unused);
    int result =
        catalog_changes_init(&changes, connection->catalog, before.catalog, found->catalog, call->arena, err);
    if (result == 0) {
        json_put_key(&call->out, "catalogDiff");
        catalog_changes_write(&changes, &call->out);
        *ret_any = changes.any;
        *ret_breaking = changes.breaking;
        buffer_init(&merged, BUFFER_UNLIMITED);
        json_writer_init(&writer, &merged);
        catalog_changes_merge(&changes, modes, &writer);
        connection->catalog = (struct slice){arena_dup(call->arena, merged.data, merged.size), merged.size};
        buffer_done(&merged);
    }
    catalog_changes_done(&changes);
    return result;
}
