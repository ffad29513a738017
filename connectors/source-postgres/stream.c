#include "stream.h"

#include <stdlib.h>

/* --- the document's envelope
 * -------------------------------------------------------------------------------- */

enum pg_envelope pg_envelope_of(const struct pg_config *config, bool flow)
{
    if (pg_config_method(config) != PG_METHOD_CDC)
        return PG_ENVELOPE_NONE;
    return flow ? PG_ENVELOPE_FLOW : PG_ENVELOPE_AIRBYTE;
}

bool pg_column_is_read(const struct pg_column *column, enum pg_envelope envelope)
{
    return envelope == PG_ENVELOPE_NONE || !column->generated;
}

/* --- schemas
 * ------------------------------------------------------------------------------------------------ */

static void put_column(struct json_writer *writer, const struct pg_column *column, struct pg_style style)
{
    char description[256];
    snprintf(description, sizeof description, "(source type: %s%.200s)",
             column->not_null ? "non-nullable " : "", column->type->name);
    json_put_key(writer, column->name);
    /* Only the key is promised: NOT NULL may be dropped while changes flow, and deletes have the key alone.
     */
    pg_type_put_schema(writer, column->type, !column->key, description, style);
}

static void put_columns(struct json_writer *writer, const struct pg_table *table, enum pg_envelope envelope,
                        struct pg_style style)
{
    json_put_key(writer, "properties");
    json_begin_object(writer);
    for (size_t i = 0; i < table->column_count; i++) {
        if (pg_column_is_read(&table->columns[i], envelope))
            put_column(writer, &table->columns[i], style);
    }
    if (envelope == PG_ENVELOPE_AIRBYTE) {
        json_member_raw(writer, "_ab_cdc_lsn", SLICE_LITERAL("{\"type\":\"integer\"}"));
        json_member_raw(writer, "_ab_cdc_updated_at",
                        SLICE_LITERAL("{\"type\":\"string\",\"format\":\"date-time\",\"airbyte_type\":"
                                      "\"timestamp_with_timezone\"}"));
        json_member_raw(
            writer, "_ab_cdc_deleted_at",
            SLICE_LITERAL("{\"type\":[\"string\",\"null\"],\"format\":\"date-time\",\"airbyte_type\":"
                          "\"timestamp_with_timezone\"}"));
    }
    json_end_object(writer);
}

static void put_required(struct json_writer *writer, const struct pg_table *table)
{
    json_put_key(writer, "required");
    json_begin_array(writer);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key)
            json_put_string(writer, table->columns[i].name);
    }
    json_end_array(writer);
}

/* What "$ref": "#Row" leads to: the columns. The anchor is one name in every schema. */
static void put_row_definition(struct json_writer *writer, const struct pg_table *table,
                               struct pg_style style)
{
    json_put_key(writer, "$defs");
    json_begin_object(writer);
    json_put_key(writer, "Row");
    json_begin_object(writer);
    json_member_string(writer, "type", "object");
    if (table->key_count)
        put_required(writer, table);
    json_member_string(writer, "$anchor", "Row");
    put_columns(writer, table, PG_ENVELOPE_FLOW, style);
    json_end_object(writer);
    json_end_object(writer);
}

static const char source_schema[] =
    "{\"type\":\"object\",\"required\":[\"schema\",\"table\",\"loc\"],\"properties\":{"
    "\"ts_ms\":{\"type\":\"integer\",\"description\":\"When the transaction was committed, in "
    "milliseconds.\"},"
    "\"schema\":{\"type\":\"string\",\"description\":\"The table's schema.\"},"
    "\"table\":{\"type\":\"string\",\"description\":\"The table.\"},"
    "\"snapshot\":{\"type\":\"boolean\",\"description\":\"The row was there when the capture began.\"},"
    "\"loc\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":3,\"maxItems\":3,"
    "\"description\":"
    "\"Where the change is: end of the commit before, the change's LSN, the commit's LSN; of a row that was "
    "there "
    "-1, its number, 0.\"},"
    "\"txid\":{\"type\":\"integer\",\"description\":\"The transaction.\"},"
    "\"omitted\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"Columns whose large "
    "values "
    "did not change, and which the log therefore does not have.\"},"
    "\"tag\":{\"type\":\"string\"}}}";

/* As Estuary's connector has it: a delete removes the document, everything else is merged into it. */
static void put_meta(struct json_writer *writer, bool history)
{
    json_begin_object(writer);
    if (!history) {
        json_member_raw(
            writer, "if",
            SLICE_LITERAL("{\"properties\":{\"_meta\":{\"properties\":{\"op\":{\"const\":\"d\"}}}}}"));
        json_member_raw(writer, "then",
                        SLICE_LITERAL("{\"reduce\":{\"delete\":true,\"strategy\":\"merge\"}}"));
        json_member_raw(writer, "else", SLICE_LITERAL("{\"reduce\":{\"strategy\":\"merge\"}}"));
    }
    json_member_raw(writer, "required", SLICE_LITERAL("[\"_meta\"]"));
    json_put_key(writer, "properties");
    json_begin_object(writer);
    json_put_key(writer, "_meta");
    json_begin_object(writer);
    json_member_string(writer, "type", "object");
    json_member_raw(writer, "required", SLICE_LITERAL("[\"op\",\"source\"]"));
    json_put_key(writer, "properties");
    json_begin_object(writer);
    json_put_key(writer, "before");
    json_begin_object(writer);
    json_member_string(writer, "$ref", "#Row");
    json_member_string(writer, "description",
                       "The row before this change, where the replica identity has it.");
    if (!history)
        json_member_raw(writer, "reduce", SLICE_LITERAL("{\"strategy\":\"firstWriteWins\"}"));
    json_end_object(writer);
    json_member_raw(
        writer, "op",
        SLICE_LITERAL("{\"enum\":[\"c\",\"d\",\"u\",\"t\"],\"description\":\"'c' insert, 'u' update, 'd' "
                      "delete, 't' truncate.\"}"));
    json_member_raw(writer, "source", slice_of(source_schema));
    json_end_object(writer);
    if (!history)
        json_member_raw(writer, "reduce", SLICE_LITERAL("{\"strategy\":\"merge\"}"));
    json_end_object(writer);
    json_end_object(writer);
    json_end_object(writer);
}

void pg_stream_put_schema(struct buffer *out, const struct pg_table *table, enum pg_envelope envelope,
                          bool history, struct pg_style style)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (envelope != PG_ENVELOPE_FLOW) {
        json_member_string(&writer, "type", "object");
        if (style.flow && table->key_count)
            put_required(&writer, table);
        put_columns(&writer, table, envelope, style);
        json_end_object(&writer);
        return;
    }
    put_row_definition(&writer, table, style);
    json_put_key(&writer, "allOf");
    json_begin_array(&writer);
    put_meta(&writer, history);
    json_put_raw(&writer, SLICE_LITERAL("{\"$ref\":\"#Row\"}"));
    json_end_array(&writer);
    json_member_bool(&writer, "x-infer-schema", true);
    json_end_object(&writer);
}

/* --- keys
 * --------------------------------------------------------------------------------------------------- */

const char *const *pg_stream_key(const struct pg_table *table, enum pg_envelope envelope, bool history,
                                 struct arena *arena)
{
    static const char *const by_place[] = {"/_meta/source/loc/0", "/_meta/source/loc/1",
                                           "/_meta/source/loc/2", NULL};
    if (envelope == PG_ENVELOPE_FLOW && (history || !table->key_count))
        return by_place;
    if (!table->key_count)
        return NULL;
    const char **key = arena_zalloc(arena, (table->key_count + 1) * sizeof *key);
    size_t count = 0;
    for (int place = 1; count < table->key_count && place <= 1600; place++) {
        for (size_t i = 0; i < table->column_count; i++) {
            struct buffer pointer;
            if (table->columns[i].key != place)
                continue;
            buffer_init(&pointer, BUFFER_UNLIMITED);
            json_pointer_push(&pointer, slice_of(table->columns[i].name));
            key[count++] = arena_strndup(arena, pointer.data, pointer.size);
            buffer_done(&pointer);
        }
    }
    return key;
}

const char *pg_stream_label(const struct pg_table *table, struct arena *arena)
{
    return arena_printf(arena, "%s.%s", table->schema, table->name);
}

const struct pg_column *pg_stream_column(const struct pg_table *table, const char *pointer)
{
    for (size_t i = 0; i < table->column_count; i++) {
        struct buffer own;
        buffer_init(&own, BUFFER_UNLIMITED);
        json_pointer_push(&own, slice_of(table->columns[i].name));
        bool found = strcmp(buffer_cstr(&own), pointer) == 0;
        buffer_done(&own);
        if (found)
            return &table->columns[i];
    }
    return NULL;
}

/* --- what was chosen
 * -------------------------------------------------------------------------------------------- */

/* Does the pointer lead to that member, or into it? */
static bool leads_to(const char *pointer, const char *name)
{
    struct buffer own;
    buffer_init(&own, BUFFER_UNLIMITED);
    json_pointer_push(&own, slice_of(name));
    bool is = strncmp(pointer, own.data, own.size) == 0 && (!pointer[own.size] || pointer[own.size] == '/');
    buffer_done(&own);
    return is;
}

static bool is_of_envelope(const char *pointer, enum pg_envelope envelope)
{
    return envelope == PG_ENVELOPE_FLOW
               ? leads_to(pointer, "_meta")
               : envelope == PG_ENVELOPE_AIRBYTE && strncmp(pointer, "/_ab_cdc_", strlen("/_ab_cdc_")) == 0;
}

const char *pg_stream_missing_key(const struct firth_selected *selected, enum pg_envelope envelope,
                                  const char *const *names)
{
    for (const char *const *key = selected->primary_key; key && *key; key++) {
        bool found = is_of_envelope(*key, envelope);
        for (const char *const *name = names; !found && *name; name++)
            found = leads_to(*key, *name);
        if (!found)
            return *key;
    }
    return NULL;
}

int pg_stream_check(const struct pg_table *table, const struct firth_selected *selected,
                    const struct pg_config *config, enum pg_envelope envelope, struct firth_error *err)
{
    if (table->guarded)
        return firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "row-level security shows the user \"%.100s\" only some rows of %s.%s, so others would be "
            "missing without a word: run ALTER USER \"%.100s\" BYPASSRLS, or read a view of the rows "
            "that are wanted (it shows what its owner may see)",
            config->user, table->schema, table->name, config->user);
    for (size_t i = 0; i < table->column_count && selected->primary_key; i++) {
        const struct pg_column *column = &table->columns[i];
        for (const char *const *key = selected->primary_key; *key; key++) {
            if (!pg_column_is_read(column, envelope) && leads_to(*key, column->name))
                return firth_fail(
                    err, FIRTH_FAILURE_CONFIG,
                    "the column %s of %s.%s is in the key that was chosen, but it is generated, and in "
                    "no change: discover the stream anew and choose its key of now, or read it by "
                    "cursor or xmin",
                    column->name, table->schema, table->name);
        }
    }
    auto_free const char **names = mem_zalloc((table->column_count + 1) * sizeof *names);
    for (size_t i = 0; i < table->column_count; i++)
        names[i] = table->columns[i].name;
    const char *missing = pg_stream_missing_key(selected, envelope, names);
    if (!missing)
        return 0;
    return firth_fail(
        err, FIRTH_FAILURE_CONFIG,
        "%s.%s has no column %s, which is in the key that was chosen: it was renamed or dropped, or the "
        "user may not read it. Give it that name again, or discover the stream anew and choose its key "
        "of now (a collection of another key is another collection)",
        table->schema, table->name, missing);
}
