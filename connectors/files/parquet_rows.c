#include "connectors/files/parquet_rows.h"

#include "base/clock.h"
#include "bridge.h"
#include "connectors/sql/dialect.h"
#include "json/number.h"
#include "json/writer.h"

#include <inttypes.h>
#include <stdlib.h>

/* Columns have the types that the SQL destinations give them; a value that does not fit its column is null,
 * and _airbyte_meta says so (the log does, once a column, where there is no _airbyte_meta). */

struct column {
    const char *name, *pointer;
    enum sql_type type;
    bool told;
};

struct parquet_rows {
    const struct firth_target *target;
    struct arena arena, row_arena;
    struct column *columns;
    size_t count;
    struct buffer cells, changes;
};

/* As connectors/parquet/write.c knows them. */
static const char *const type_names[SQL_TYPE_COUNT] = {
    [SQL_BOOLEAN] = "BOOLEAN",     [SQL_INTEGER] = "BIGINT",
    [SQL_NUMBER] = "DOUBLE",       [SQL_TEXT] = "VARCHAR",
    [SQL_DATE] = "DATE",           [SQL_TIME] = "TIME",
    [SQL_TIMESTAMP] = "TIMESTAMP", [SQL_TIMESTAMPTZ] = "TIMESTAMPTZ",
    [SQL_BYTES] = "BLOB",          [SQL_JSON] = "JSON"};

static const char *const own_names[] = {"_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id",
                                        "_airbyte_meta"};
static const char *const own_types[] = {"VARCHAR", "BIGINT", "BIGINT", "JSON"};
enum { OWN = sizeof own_names / sizeof *own_names };

/* --- cells -----------------------------------------------------------------------------------------------
 */

static void put_size(struct buffer *out, uint32_t size)
{
    const unsigned char bytes[] = {size & 0xff, size >> 8 & 0xff, size >> 16 & 0xff, size >> 24};
    buffer_append(out, bytes, sizeof bytes);
}

static void put_cell(struct buffer *out, struct slice cell)
{
    put_size(out, (uint32_t)cell.size);
    buffer_append(out, cell.data, cell.size);
}

static void put_number(struct buffer *out, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, number);
    put_cell(out, (struct slice){text, (size_t)size});
}

/* --- columns ---------------------------------------------------------------------------------------------
 */

/* Parquet has no times of day with a zone, and integers of 64 bits. */
static enum sql_type type_of(const struct firth_field *field, const struct json *schema)
{
    enum sql_type type = sql_type_of(field, schema);
    return type == SQL_TIMETZ ? SQL_TEXT : type_names[type] ? type : SQL_JSON;
}

/* DuckDB's names are one where they differ in case alone: then the later one gets a number. None is empty,
 * there and in the SQL destinations, as which it is called then. */
static const char *free_name(struct parquet_rows *rows, const char *name)
{
    static const struct sql_dialect none = {.folds_case = true};
    static const char *const others[] = {NULL};
    if (!*name)
        name = sql_name_choose(&none, false, name, name, others, others, &rows->arena);
    const char *wanted = name;
    for (unsigned n = 2;; n++) {
        bool taken = false;
        for (size_t i = 0; i < rows->count && !taken; i++)
            taken = strcasecmp(rows->columns[i].name, wanted) == 0;
        for (size_t i = 0; i < OWN && !rows->target->live && !taken; i++)
            taken = strcasecmp(own_names[i], wanted) == 0;
        if (!taken)
            return wanted;
        wanted = arena_printf(&rows->arena, "%s_%u", name, n);
    }
}

static int take_columns(struct parquet_rows *rows, struct error *err)
{
    struct firth_target target = *rows->target;
    struct json schema;
    target.fields = NULL;
    target.field_count = 0;
    sdk_target_fields(&target, &rows->arena);
    if (json_parse_copy(&rows->arena, target.json_schema.data, target.json_schema.size, &schema, err) < 0)
        return -1;
    if (target.field_count == 0)
        return error_set(
            err, ERROR_INVALID,
            "the schema of %s names no properties, so there are no columns for a Parquet file: give it "
            "some, or write JSONL",
            target.name);
    rows->columns = arena_zalloc(&rows->arena, target.field_count * sizeof *rows->columns);
    for (size_t i = 0; i < target.field_count; i++) {
        const struct firth_field *field = &target.fields[i];
        const char *name = free_name(rows, field->name);
        rows->columns[rows->count++] =
            (struct column){.name = name, .pointer = field->pointer, .type = type_of(field, &schema)};
    }
    return 0;
}

static void put_head(const struct parquet_rows *rows, struct buffer *out)
{
    size_t own = rows->target->live ? 0 : OWN;
    put_size(out, (uint32_t)(own + rows->count));
    for (size_t i = 0; i < own; i++) {
        put_cell(out, slice_of(own_names[i]));
        put_cell(out, slice_of(own_types[i]));
    }
    for (size_t i = 0; i < rows->count; i++) {
        put_cell(out, slice_of(rows->columns[i].name));
        put_cell(out, slice_of(type_names[rows->columns[i].type]));
    }
}

struct parquet_rows *parquet_rows_new(const struct firth_target *target, struct buffer *out_head,
                                      struct error *err)
{
    struct parquet_rows *rows = mem_zalloc(sizeof *rows);
    rows->target = target;
    arena_init(&rows->arena);
    arena_init(&rows->row_arena);
    buffer_init(&rows->cells, BUFFER_UNLIMITED);
    buffer_init(&rows->changes, BUFFER_UNLIMITED);
    if (take_columns(rows, err) == 0) {
        put_head(rows, out_head);
        return rows;
    }
    parquet_rows_free(rows);
    return NULL;
}

void parquet_rows_free(struct parquet_rows *rows)
{
    if (!rows)
        return;
    arena_done(&rows->arena);
    arena_done(&rows->row_arena);
    buffer_done(&rows->cells);
    buffer_done(&rows->changes);
    free(rows);
}

/* --- rows ------------------------------------------------------------------------------------------------
 */

/* What DuckDB can hold of it, and Parquet: microseconds, and no end of time. */
static enum sql_verdict fits(enum sql_type type, struct sql_cell *cell)
{
    static const int64_t day_micros = INT64_C(24) * 3600 * 1000000;
    double real;
    if (type == SQL_NUMBER)
        return number_is_held(cell->text, &real) ? SQL_FITS : SQL_TOO_LARGE;
    if (type != SQL_DATE && type != SQL_TIME && type != SQL_TIMESTAMP && type != SQL_TIMESTAMPTZ)
        return SQL_FITS;
    if (cell->integer == SQL_FOREVER || cell->integer == SQL_NEVER)
        return SQL_UNSTORABLE;
    if (type == SQL_DATE)
        return cell->integer > -INT32_MAX && cell->integer < INT32_MAX ? SQL_FITS : SQL_TOO_LARGE;
    if (type == SQL_TIME && cell->integer >= day_micros)
        return SQL_TOO_LARGE; /* 24:00:00 is read as the morning's */
    return cell->nanos ? SQL_CUT : SQL_FITS;
}

static void tell(struct parquet_rows *rows, struct firth_host *host, struct column *column,
                 enum sql_verdict verdict)
{
    static const char *const reasons[] = {
        [SQL_CUT] = "DESTINATION_FIELD_SIZE_LIMITATION",
        [SQL_TOO_LARGE] = "DESTINATION_FIELD_SIZE_LIMITATION",
        [SQL_MISFIT] = "DESTINATION_TYPECAST_ERROR",
        [SQL_UNSTORABLE] = "DESTINATION_SERIALIZATION_ERROR",
    };
    if (rows->target->live && !column->told)
        firth_log(host, FIRTH_WARN, "a value of \"%.200s\" does not fit its column of %s (%s): it is %s",
                  column->name, rows->target->name, type_names[column->type],
                  verdict == SQL_CUT ? "cut" : "null there");
    column->told = true;
    struct buffer *out = &rows->changes;
    buffer_str(out, out->size ? ",{\"field\":" : "{\"field\":");
    json_escape(out, slice_of(column->name));
    buffer_printf(out, ",\"change\":\"%s\",\"reason\":\"%s\"}", verdict == SQL_CUT ? "TRUNCATED" : "NULLED",
                  reasons[verdict]);
}

static void put_value(struct parquet_rows *rows, struct firth_host *host, struct column *column,
                      const struct firth_record *record)
{
    struct firth_slice value = {0};
    struct sql_cell cell;
    enum firth_type kind = firth_record_get(host, record, column->pointer, &value);
    enum sql_verdict verdict = sql_value(kind, value, column->type, &rows->row_arena, &cell);
    if (verdict <= SQL_CUT && !cell.null) {
        enum sql_verdict held = fits(column->type, &cell);
        verdict = held == SQL_FITS ? verdict : held;
    }
    if (verdict != SQL_FITS)
        tell(rows, host, column, verdict);
    if (cell.null || verdict > SQL_CUT)
        put_size(&rows->cells, PARQUET_NULL);
    else if (column->type == SQL_TEXT || column->type == SQL_NUMBER || column->type == SQL_BYTES ||
             column->type == SQL_JSON)
        put_cell(&rows->cells, cell.text);
    else
        put_number(&rows->cells, cell.integer);
}

static void put_own(struct parquet_rows *rows, const struct firth_record *record, struct buffer *out)
{
    const struct firth_target *target = rows->target;
    char uuid[37];
    struct buffer meta;
    random_uuid(uuid);
    buffer_init(&meta, BUFFER_UNLIMITED);
    put_cell(out, slice_of(uuid));
    put_number(out, record->emitted_at);
    put_number(out, target->generation < 0 ? 0 : target->generation);
    buffer_printf(&meta, "{\"sync_id\":%" PRId64 ",\"changes\":[", target->sync < 0 ? 0 : target->sync);
    if (record->changes.size > 2) { /* the source's own, without their brackets */
        buffer_append(&meta, record->changes.data + 1, record->changes.size - 2);
        buffer_str(&meta, rows->changes.size ? "," : "");
    }
    buffer_append(&meta, rows->changes.data, rows->changes.size);
    buffer_str(&meta, "]}");
    put_cell(out, (struct slice){meta.data, meta.size});
    buffer_done(&meta);
}

void parquet_rows_put(struct parquet_rows *rows, struct firth_host *host, const struct firth_record *record,
                      struct buffer *out)
{
    arena_clear(&rows->row_arena);
    buffer_clear(&rows->cells);
    buffer_clear(&rows->changes);
    for (size_t i = 0; i < rows->count; i++)
        put_value(rows, host, &rows->columns[i], record);
    if (!rows->target->live)
        put_own(rows, record, out); /* when all changes are known */
    buffer_append(out, rows->cells.data, rows->cells.size);
}
