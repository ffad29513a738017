#include "destination.h"

#include "base/clock.h"
#include "connectors/files/csv.h"
#include "connectors/files/parquet_rows.h"
#include "json/writer.h"

#include <inttypes.h>
#include <stdlib.h>

struct column {
    char *pointer;
};

struct files_rows {
    const struct firth_target *target;
    bool csv, flattened, live;
    struct column *columns; /* of CSV, and of flattened rows */
    size_t count;
    struct buffer head;
    struct parquet_rows *parquet;
    struct json_parser *parser;
};

/* --- CSV -------------------------------------------------------------------------------------------------
 */

/* An empty text is quoted, null is nothing: so that they differ. */
static void put_cell(struct buffer *out, struct slice text)
{
    bool plain = text.size != 0;
    for (size_t i = 0; i < text.size && plain; i++)
        plain = !strchr(",\"\r\n", text.data[i]) && text.data[i];
    if (plain && text.data[0] != ' ' && text.data[text.size - 1] != ' ') {
        buffer_append(out, text.data, text.size);
        return;
    }
    buffer_byte(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_byte(out, '"');
        buffer_byte(out, text.data[i]);
    }
    buffer_byte(out, '"');
}

static void put_value(struct buffer *out, struct firth_host *host, const struct firth_record *record,
                      const char *pointer)
{
    struct firth_slice value;
    enum firth_type type = firth_record_get(host, record, pointer, &value);
    if (type != FIRTH_IS_ABSENT && type != FIRTH_IS_NULL)
        put_cell(out, (struct slice){value.data, value.size});
}

static const char *const own[] = {"_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id",
                                  "_airbyte_meta"};

static bool is_own(struct slice name)
{
    bool found = false;
    for (size_t i = 0; i < sizeof own / sizeof *own && !found; i++)
        found = slice_is(name, own[i]);
    return found;
}

/* What is called as a column of ours gets a number, as in a Parquet file: one that nothing beside it has. */
static struct slice free_name(const struct json *doc, uint32_t beside, struct slice name, struct arena *arena)
{
    if (!is_own(name))
        return name;
    for (unsigned n = 2;; n++) {
        const char *wanted = arena_printf(arena, "%.*s_%u", (int)name.size, name.data, n);
        if (json_get(doc, beside, wanted) == JSON_NONE)
            return slice_of(wanted);
    }
}

static void put_head(struct files_rows *rows, const struct json *schema, uint32_t properties,
                     struct arena *arena)
{
    bool any = false;
    for (size_t i = 0; i < sizeof own / sizeof *own && !rows->live; i++, any = true)
        buffer_printf(&rows->head, "%s%s", any ? "," : "", own[i]);
    if (!rows->live && !rows->flattened) {
        buffer_str(&rows->head, ",_airbyte_data\r\n");
        return;
    }
    for (uint32_t key = json_first_key(schema, properties); key != JSON_NONE;
         key = json_next_key(schema, properties, key)) {
        if (any)
            buffer_byte(&rows->head, ',');
        struct slice name = json_string(schema, key, arena);
        put_cell(&rows->head, rows->live ? name : free_name(schema, properties, name, arena));
        any = true;
    }
    buffer_str(&rows->head, "\r\n");
}

static int take_columns(struct files_rows *rows, struct error *err)
{
    const struct firth_target *target = rows->target;
    struct arena arena;
    struct json schema;
    arena_init(&arena);
    int result = json_parse_copy(&arena, target->json_schema.data, target->json_schema.size, &schema, err);
    uint32_t properties = result == 0 ? json_get(&schema, 0, "properties") : JSON_NONE;
    uint32_t count = json_is(&schema, properties, JSON_OBJECT) ? json_count(&schema, properties) : 0;
    bool needed = rows->live || rows->flattened;
    if (result == 0 && count == 0 && needed)
        result = error_set(
            err, ERROR_INVALID,
            "the schema of %s names no properties, so there are no columns for a CSV file: give it some, or "
            "write JSONL",
            target->name);
    if (result == 0) {
        rows->columns = mem_zalloc((count + 1) * sizeof *rows->columns);
        for (uint32_t key = json_first_key(&schema, properties); count && key != JSON_NONE;
             key = json_next_key(&schema, properties, key)) {
            struct buffer pointer;
            buffer_init(&pointer, BUFFER_UNLIMITED);
            json_pointer_push(&pointer, json_string(&schema, key, &arena));
            rows->columns[rows->count++].pointer = buffer_steal(&pointer);
        }
        put_head(rows, &schema, properties, &arena);
    }
    arena_done(&arena);
    return result;
}

/* --- rows ------------------------------------------------------------------------------------------------
 */

struct files_rows *files_rows_new(const struct files_output *output, const struct firth_target *target,
                                  struct error *err)
{
    struct files_rows *rows = mem_zalloc(sizeof *rows);
    rows->target = target;
    rows->csv = output->kind == FILES_CSV;
    rows->flattened = output->flattened;
    rows->live = target->live;
    buffer_init(&rows->head, BUFFER_UNLIMITED);
    rows->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (output->kind == FILES_PARQUET)
        rows->parquet = parquet_rows_new(target, &rows->head, err);
    if (output->kind == FILES_PARQUET ? rows->parquet != NULL : !rows->csv || take_columns(rows, err) == 0)
        return rows;
    files_rows_free(rows);
    return NULL;
}

void files_rows_free(struct files_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < rows->count; i++)
        free(rows->columns[i].pointer);
    free(rows->columns);
    parquet_rows_free(rows->parquet);
    json_parser_free(rows->parser);
    buffer_done(&rows->head);
    free(rows);
}

struct slice files_rows_head(const struct files_rows *rows)
{
    return (struct slice){rows->head.data, rows->head.size};
}

static void put_meta(struct buffer *out, const struct firth_target *target, const struct firth_record *record)
{
    buffer_printf(out, "{\"sync_id\":%" PRId64 ",\"changes\":", target->sync < 0 ? 0 : target->sync);
    if (record->changes.size)
        buffer_append(out, record->changes.data, record->changes.size);
    else
        buffer_str(out, "[]");
    buffer_byte(out, '}');
}

static void put_csv(struct files_rows *rows, struct firth_host *host, const struct firth_record *record,
                    struct buffer *out)
{
    const struct firth_target *target = rows->target;
    if (!rows->live) {
        char uuid[37];
        struct buffer meta;
        random_uuid(uuid);
        buffer_init(&meta, BUFFER_UNLIMITED);
        put_meta(&meta, target, record);
        buffer_printf(out, "%s,%" PRId64 ",%" PRId64 ",", uuid, record->emitted_at,
                      target->generation < 0 ? 0 : target->generation);
        put_cell(out, (struct slice){meta.data, meta.size});
        buffer_done(&meta);
        buffer_byte(out, ',');
    }
    if (!rows->live && !rows->flattened) {
        put_cell(out, (struct slice){record->data.data, record->data.size});
    } else {
        for (size_t i = 0; i < rows->count; i++) {
            if (i)
                buffer_byte(out, ',');
            put_value(out, host, record, rows->columns[i].pointer);
        }
    }
    buffer_str(out, "\r\n");
}

/* A line has one line break, its own: those between a document's tokens become blanks. */
static void put_document(struct buffer *out, struct slice document)
{
    size_t from = out->size;
    buffer_append(out, document.data, document.size);
    for (char *at = out->data + from; at < out->data + out->size; at++) {
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    }
}

/* Can a member be called as one of ours? Its name may be written with escapes. */
static bool may_have_own(struct slice data)
{
    return memmem(data.data, data.size, "_airbyte_", 9) || memmem(data.data, data.size, "\\u00", 4);
}

/* The members of a record and its closing brace, with a comma before them if there are any. */
static void put_members(struct files_rows *rows, struct slice data, struct buffer *out)
{
    struct json doc;
    struct error err;
    if (may_have_own(data) && json_parse(rows->parser, data.data, data.size, &doc, &err) == 0) {
        struct arena arena;
        arena_init(&arena);
        for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
            buffer_byte(out, ',');
            json_escape(out, free_name(&doc, 0, json_string(&doc, key, &arena), &arena));
            buffer_byte(out, ':');
            put_document(out, json_raw(&doc, json_value(key)));
        }
        buffer_byte(out, '}');
        arena_done(&arena);
        return;
    }
    struct slice inside = {data.data, data.size};
    while (inside.size && inside.data[0] != '{')
        inside = (struct slice){inside.data + 1, inside.size - 1};
    inside = (struct slice){inside.data + 1, inside.size - 1};
    while (inside.size && strchr(" \t\r\n", inside.data[0]))
        inside = (struct slice){inside.data + 1, inside.size - 1};
    buffer_str(out, inside.size && inside.data[0] != '}' ? "," : "");
    put_document(out, inside);
}

static void put_json(struct files_rows *rows, const struct firth_record *record, struct buffer *out)
{
    const struct firth_target *target = rows->target;
    struct slice data = {record->data.data, record->data.size};
    if (rows->live) {
        put_document(out, data);
    } else {
        char uuid[37];
        random_uuid(uuid);
        buffer_printf(out,
                      "{\"_airbyte_raw_id\":\"%s\",\"_airbyte_extracted_at\":%" PRId64
                      ",\"_airbyte_generation_id\":%" PRId64 ",\"_airbyte_meta\":",
                      uuid, record->emitted_at, target->generation < 0 ? 0 : target->generation);
        put_meta(out, target, record);
        if (rows->flattened) {
            put_members(rows, data, out);
        } else {
            buffer_str(out, ",\"_airbyte_data\":");
            put_document(out, data);
            buffer_byte(out, '}');
        }
    }
    buffer_byte(out, '\n');
}

void files_rows_put(struct files_rows *rows, struct firth_host *host, const struct firth_record *record,
                    struct buffer *out)
{
    if (rows->parquet)
        parquet_rows_put(rows->parquet, host, record, out);
    else if (rows->csv)
        put_csv(rows, host, record, out);
    else
        put_json(rows, record, out);
}
