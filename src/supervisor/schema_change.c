#include "supervisor/schema_change.h"

#include "protocol/airbyte_catalog.h"
#include "protocol/airbyte_mapper.h"
#include "json/writer.h"

enum { SUMMARY_MAX = 1024 };

struct comparison {
    struct json old, now; /* the syncCatalog; what was discovered */
    uint32_t old_list, now_list;
    enum control_changes preference;
    unsigned modes; /* of the destination; 0: not known */
    struct arena *arena;
    struct schema_change *change;
    struct control_stream *widened;
    struct buffer summary, misfit, text;
    struct json_writer writer;
    bool changed; /* the catalog that is written is another */
};

static const struct {
    const char *protocol, *api;
} names[] = {{"name", "name"},
             {"namespace", "namespace"},
             {"json_schema", "jsonSchema"},
             {"supported_sync_modes", "supportedSyncModes"},
             {"source_defined_cursor", "sourceDefinedCursor"},
             {"default_cursor_field", "defaultCursorField"},
             {"source_defined_primary_key", "sourceDefinedPrimaryKey"},
             {"is_resumable", "isResumable"},
             {"is_file_based", "isFileBased"}};

/* --- finding ------------------------------------------------------------------------------------- */

static bool same_text(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at)
{
    bool a_is = json_is(a, a_at, JSON_STRING) && json_inner(a, a_at).size;
    bool b_is = json_is(b, b_at, JSON_STRING) && json_inner(b, b_at).size;
    return a_is == b_is && (!a_is || json_equal(a, a_at, b, b_at));
}

static uint32_t find_now(const struct comparison *c, uint32_t stream)
{
    for (uint32_t at = json_first(&c->now, c->now_list); at != JSON_NONE;
         at = json_next(&c->now, c->now_list, at))
        if (same_text(&c->old, json_get(&c->old, stream, "name"), &c->now, json_get(&c->now, at, "name")) &&
            same_text(&c->old, json_get(&c->old, stream, "namespace"), &c->now,
                      json_get(&c->now, at, "namespace")))
            return at;
    return JSON_NONE;
}

static bool is_old(const struct comparison *c, uint32_t now)
{
    for (uint32_t at = json_first(&c->old, c->old_list); at != JSON_NONE;
         at = json_next(&c->old, c->old_list, at)) {
        uint32_t stream = json_get(&c->old, at, "stream");
        if (same_text(&c->old, json_get(&c->old, stream, "name"), &c->now, json_get(&c->now, now, "name")) &&
            same_text(&c->old, json_get(&c->old, stream, "namespace"), &c->now,
                      json_get(&c->now, now, "namespace")))
            return true;
    }
    return false;
}

/* --- telling ------------------------------------------------------------------------------------- */

static void add(struct buffer *text, const char *stream, const char *format, const char *what)
{
    if (text->size > SUMMARY_MAX)
        return; /* enough to see what it is about */
    buffer_printf(text, "%sstream '%.100s' ", text->size ? "; " : "", stream);
    buffer_printf(text, "%s%s%.100s%s", format, *what ? " '" : "", what, *what ? "'" : "");
}

static void tell(struct comparison *c, const char *stream, const char *format, const char *what)
{
    c->change->any = true;
    add(&c->summary, stream, format, what);
}

/* "a.b" */
static const char *path_text(struct comparison *c, uint32_t path)
{
    const char *text = "";
    for (uint32_t at = json_first(&c->old, path); at != JSON_NONE; at = json_next(&c->old, path, at)) {
        const char *name = json_cstring(&c->old, at, c->arena);
        text = arena_printf(c->arena, "%s%s%s", text, *text ? "." : "", name ? name : "");
    }
    return text;
}

/* --- one stream's columns ------------------------------------------------------------------------ */

static uint32_t properties(const struct json *doc, uint32_t schema)
{
    return json_get(doc, schema, "properties");
}

/* Name by name, as far as the schema names what there is; lists are looked into. */
static bool column_is_there(const struct json *path_doc, uint32_t path, const struct json *doc,
                            uint32_t schema)
{
    struct arena arena;
    bool there = true;
    arena_init(&arena);
    for (uint32_t name = json_first(path_doc, path); name != JSON_NONE && there;
         name = json_next(path_doc, path, name)) {
        while (json_is(doc, json_get(doc, schema, "items"), JSON_OBJECT))
            schema = json_get(doc, schema, "items");
        uint32_t columns = properties(doc, schema);
        if (!json_is(path_doc, name, JSON_STRING) || !json_is(doc, columns, JSON_OBJECT))
            break; /* nothing is known of what is in it */
        schema = json_get_slice(doc, columns, json_string(path_doc, name, &arena));
        there = schema != JSON_NONE;
    }
    arena_done(&arena);
    return there;
}

/* Cursor and key that the config chooses, unless the source has its own. */
static void check_used(struct comparison *c, uint32_t config, uint32_t now, const char *name)
{
    uint32_t schema = json_get(&c->now, now, "json_schema");
    uint32_t cursor = json_get(&c->old, config, "cursorField"), key = json_get(&c->old, config, "primaryKey");
    bool incremental = json_is(&c->old, json_get(&c->old, config, "syncMode"), JSON_STRING) &&
                       json_string_is(&c->old, json_get(&c->old, config, "syncMode"), "incremental");
    bool own_cursor = json_is(&c->now, json_get(&c->now, now, "source_defined_cursor"), JSON_TRUE);
    if (incremental && !own_cursor && !column_is_there(&c->old, cursor, &c->now, schema)) {
        tell(c, name, "has no longer the column of its cursor", "");
        add(&c->misfit, name, "has not the column of its cursor,", path_text(c, cursor));
        c->change->breaking = true;
    }
    for (uint32_t at = json_first(&c->old, key); at != JSON_NONE; at = json_next(&c->old, key, at)) {
        if (column_is_there(&c->old, at, &c->now, schema))
            continue;
        tell(c, name, "has no longer a column of its primary key", "");
        add(&c->misfit, name, "has not the column of its primary key,", path_text(c, at));
        c->change->breaking = true;
    }
}

/* A hashing that finds nothing to hash would let pass in the clear what the column is called now. */
static void check_mapped(struct comparison *c, uint32_t config, uint32_t now, const char *name)
{
    struct error why;
    if (airbyte_mappers_fit(&c->old, config, &c->now, json_get(&c->now, now, "json_schema"), NULL, 0,
                            c->arena, &why) == 0)
        return;
    const char *said = arena_printf(c->arena, "has not what the connection does with it: %s", why.message);
    tell(c, name, said, "");
    add(&c->misfit, name, said, "");
    c->change->breaking = true;
}

/* Columns that are sent, of those that were chosen. */
static void check_selected(struct comparison *c, uint32_t config, uint32_t now, const char *name)
{
    uint32_t list = json_get(&c->old, config, "selectedFields");
    if (!json_is(&c->old, json_get(&c->old, config, "fieldSelectionEnabled"), JSON_TRUE))
        return;
    for (uint32_t at = json_first(&c->old, list); at != JSON_NONE; at = json_next(&c->old, list, at)) {
        uint32_t path = json_get(&c->old, at, "fieldPath");
        if (!column_is_there(&c->old, path, &c->now, json_get(&c->now, now, "json_schema")))
            add(&c->misfit, name, "has not the selected column", path_text(c, path));
    }
}

/* Columns of `a` that `b` has not; how many. */
static size_t tell_missing(struct comparison *c, const struct json *a, uint32_t a_schema,
                           const struct json *b, uint32_t b_schema, const char *stream, const char *format)
{
    uint32_t columns = properties(a, a_schema);
    size_t count = 0;
    for (uint32_t key = json_first_key(a, columns); key != JSON_NONE; key = json_next_key(a, columns, key)) {
        struct slice name = json_string(a, key, c->arena);
        if (json_get_slice(b, properties(b, b_schema), name) != JSON_NONE)
            continue;
        tell(c, stream, format, arena_strndup(c->arena, name.data, name.size));
        count++;
    }
    return count;
}

static void compare_columns(struct comparison *c, uint32_t stream, uint32_t now, const char *name)
{
    uint32_t old_schema = json_get(&c->old, stream, "jsonSchema"),
             schema = json_get(&c->now, now, "json_schema");
    if (json_count(&c->old, old_schema) == 0 || json_equal(&c->old, old_schema, &c->now, schema))
        return;
    size_t more = tell_missing(c, &c->now, schema, &c->old, old_schema, name, "has the new column");
    size_t fewer = tell_missing(c, &c->old, old_schema, &c->now, schema, name, "has no longer the column");
    if (more + fewer == 0)
        tell(c, name, "has other types", "");
    if (more) {
        const char *namespace = json_cstring(&c->old, json_get(&c->old, stream, "namespace"), c->arena);
        c->widened[c->change->widened_count++] =
            (struct control_stream){name, namespace && *namespace ? namespace : NULL};
    }
}

/* --- the new catalog ----------------------------------------------------------------------------- */

static void write_stream(struct comparison *c, uint32_t now)
{
    json_begin_object(&c->writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t at = json_get(&c->now, now, names[i].protocol);
        if (at == JSON_NONE)
            continue;
        json_put_key(&c->writer, names[i].api);
        json_put_value(&c->writer, &c->now, at);
    }
    json_end_object(&c->writer);
}

static void write_old(struct comparison *c, uint32_t entry, uint32_t now)
{
    json_begin_object(&c->writer);
    for (uint32_t key = json_first_key(&c->old, entry); key != JSON_NONE;
         key = json_next_key(&c->old, entry, key)) {
        json_put_key_of(&c->writer, &c->old, key);
        if (now != JSON_NONE && json_text_is(&c->old, key, SLICE_LITERAL("stream")))
            write_stream(c, now);
        else
            json_put_value(&c->writer, &c->old, json_value(key));
    }
    json_end_object(&c->writer);
}

static bool offers(const struct comparison *c, uint32_t now, const char *mode)
{
    uint32_t modes = json_get(&c->now, now, "supported_sync_modes");
    for (uint32_t at = json_first(&c->now, modes); at != JSON_NONE; at = json_next(&c->now, modes, at))
        if (json_is(&c->now, at, JSON_STRING) && json_string_is(&c->now, at, mode))
            return true;
    return false;
}

/* A stream that is new: as its source proposes. */
static void write_new(struct comparison *c, uint32_t now)
{
    uint32_t cursor = json_get(&c->now, now, "default_cursor_field"),
             key = json_get(&c->now, now, "source_defined_primary_key");
    bool has_cursor = json_count(&c->now, cursor) ||
                      json_is(&c->now, json_get(&c->now, now, "source_defined_cursor"), JSON_TRUE);
    bool incremental = offers(c, now, "incremental") && has_cursor, keyed = json_count(&c->now, key) > 0;
    json_begin_object(&c->writer);
    json_put_key(&c->writer, "stream");
    write_stream(c, now);
    json_put_key(&c->writer, "config");
    json_begin_object(&c->writer);
    json_member_string(&c->writer, "syncMode", incremental ? "incremental" : "full_refresh");
    bool dedup = keyed && (!c->modes || c->modes & 1U << AIRBYTE_APPEND_DEDUP);
    bool overwrite = !c->modes || c->modes & 1U << AIRBYTE_OVERWRITE;
    const char *mode = incremental ? dedup ? "append_dedup" : "append" : overwrite ? "overwrite" : "append";
    json_member_string(&c->writer, "destinationSyncMode", mode);
    if (json_count(&c->now, cursor)) {
        json_put_key(&c->writer, "cursorField");
        json_put_value(&c->writer, &c->now, cursor);
    }
    if (keyed) {
        json_put_key(&c->writer, "primaryKey");
        json_put_value(&c->writer, &c->now, key);
    }
    json_member_bool(&c->writer, "selected", true);
    json_end_object(&c->writer);
    json_end_object(&c->writer);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static void compare_stream(struct comparison *c, uint32_t entry)
{
    uint32_t stream = json_get(&c->old, entry, "stream"), config = json_get(&c->old, entry, "config");
    const char *name = json_cstring(&c->old, json_get(&c->old, stream, "name"), c->arena);
    bool selected = !json_is(&c->old, json_get(&c->old, config, "selected"), JSON_FALSE);
    bool follows = c->preference == CONTROL_CHANGES_COLUMNS || c->preference == CONTROL_CHANGES_FULLY;
    uint32_t now = find_now(c, stream);
    bool changed = c->change->any;
    c->change->any = false;
    if (name && now == JSON_NONE && selected) {
        tell(c, name, "is gone", "");
        add(&c->misfit, name, "is not there", "");
    }
    if (name && now != JSON_NONE && selected) {
        compare_columns(c, stream, now, name);
        check_used(c, config, now, name);
        check_mapped(c, config, now, name);
        check_selected(c, config, now, name);
    }
    bool here = c->change->any;
    c->change->any |= changed;
    if (now == JSON_NONE && c->preference == CONTROL_CHANGES_FULLY) {
        c->changed = true; /* left out */
        return;
    }
    c->changed |= here && follows && now != JSON_NONE;
    write_old(c, entry, here && follows ? now : JSON_NONE);
}

static void compare_all(struct comparison *c)
{
    json_begin_object(&c->writer);
    json_put_key(&c->writer, "streams");
    json_begin_array(&c->writer);
    for (uint32_t at = json_first(&c->old, c->old_list); at != JSON_NONE;
         at = json_next(&c->old, c->old_list, at))
        compare_stream(c, at);
    for (uint32_t at = json_first(&c->now, c->now_list); at != JSON_NONE;
         at = json_next(&c->now, c->now_list, at)) {
        if (is_old(c, at))
            continue;
        const char *name = json_cstring(&c->now, json_get(&c->now, at, "name"), c->arena);
        tell(c, name ? name : "", "is new", "");
        if (c->preference != CONTROL_CHANGES_FULLY)
            continue;
        c->changed = true;
        write_new(c, at);
    }
    json_end_array(&c->writer);
    json_end_object(&c->writer);
}

int schema_change_find(struct slice catalog, struct slice discovered, enum control_changes preference,
                       unsigned destination_modes, struct arena *arena, struct schema_change *ret_change,
                       struct error *err)
{
    struct schema_change change = {0};
    struct comparison c = {
        .preference = preference, .modes = destination_modes, .arena = arena, .change = &change};
    if (json_parse_copy(arena, catalog.data, catalog.size, &c.old, err) < 0)
        return error_wrap(err, "the connection's catalog");
    if (json_parse_copy(arena, discovered.data, discovered.size, &c.now, err) < 0)
        return error_wrap(err, "what the source offers");
    c.old_list = json_get(&c.old, 0, "streams");
    c.now_list = json_get(&c.now, 0, "streams");
    c.widened = arena_zalloc(arena, ((size_t)json_count(&c.old, c.old_list) + 1) * sizeof *c.widened);
    buffer_init(&c.summary, BUFFER_UNLIMITED);
    buffer_init(&c.misfit, BUFFER_UNLIMITED);
    buffer_init(&c.text, BUFFER_UNLIMITED);
    json_writer_init(&c.writer, &c.text);
    compare_all(&c);
    change.widened = c.widened;
    if (change.any)
        change.summary = arena_strdup(arena, buffer_cstr(&c.summary));
    if (c.misfit.size)
        change.misfit = arena_strdup(arena, buffer_cstr(&c.misfit));
    if (c.changed && !change.breaking)
        change.catalog = (struct slice){arena_strndup(arena, c.text.data, c.text.size), c.text.size};
    buffer_done(&c.summary);
    buffer_done(&c.misfit);
    buffer_done(&c.text);
    *ret_change = change;
    return 0;
}
