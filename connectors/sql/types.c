#include "types.h"

/* Which type a field's column has, and which one holds the values of two. */

/* --- from a schema ----------------------------------------------------------------------------------- */

uint32_t sql_schema_at(const struct json *schema, const char *pointer)
{
    uint32_t at = schema && schema->count ? 0 : JSON_NONE;
    char name[512];
    while (*pointer == '/' && at != JSON_NONE) {
        size_t size = 0;
        for (pointer++; *pointer && *pointer != '/'; pointer++) {
            char byte = *pointer;
            if (byte == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                byte = *++pointer == '0' ? '~' : '/';
            if (size == sizeof name)
                return JSON_NONE;
            name[size++] = byte;
        }
        at = json_get_slice(schema, json_get(schema, at, "properties"), (struct slice){name, size});
    }
    return at;
}

static bool is_format(const struct firth_field *field, const char *format)
{
    return field->format && strcmp(field->format, format) == 0;
}

static enum sql_type of_text(const struct firth_field *field, const struct json *schema, uint32_t at)
{
    uint32_t kind = json_get(schema, at, "airbyte_type");
    if (json_string_is(schema, kind, "timestamp_without_timezone"))
        return SQL_TIMESTAMP;
    if (json_string_is(schema, kind, "timestamp_with_timezone") || is_format(field, "date-time"))
        return SQL_TIMESTAMPTZ;
    if (json_string_is(schema, kind, "time_without_timezone"))
        return SQL_TIME;
    if (json_string_is(schema, kind, "time_with_timezone"))
        return SQL_TIMETZ;
    if (is_format(field, "date"))
        return SQL_DATE;
    if (is_format(field, "time"))
        return SQL_TIME;
    if (is_format(field, "integer"))
        return SQL_INTEGER;
    if (is_format(field, "number"))
        return SQL_NUMBER;
    return field->encoding && strcmp(field->encoding, "base64") == 0 ? SQL_BYTES : SQL_TEXT;
}

enum sql_type sql_type_of(const struct firth_field *field, const struct json *schema)
{
    enum { NUMERIC = FIRTH_MAY_BE_INTEGER | FIRTH_MAY_BE_NUMBER };
    static const struct json none = {0};
    uint32_t at = sql_schema_at(schema, field->pointer);
    unsigned types = field->types & ~(unsigned)FIRTH_MAY_BE_NULL;
    if (field->is_document)
        return SQL_DOCUMENT;
    if (types == FIRTH_MAY_BE_BOOLEAN)
        return SQL_BOOLEAN;
    if (types && !(types & ~(unsigned)NUMERIC)) {
        bool integers = !(types & FIRTH_MAY_BE_NUMBER) ||
                        (schema && json_string_is(schema, json_get(schema, at, "airbyte_type"), "integer"));
        return integers ? SQL_INTEGER : SQL_NUMBER;
    }
    bool of_numbers = is_format(field, "integer") || is_format(field, "number");
    if (types == FIRTH_MAY_BE_TEXT || (of_numbers && !(types & ~(unsigned)(NUMERIC | FIRTH_MAY_BE_TEXT))))
        return of_text(field, schema ? schema : &none, schema ? at : JSON_NONE);
    return SQL_JSON;
}

/* --- widening ---------------------------------------------------------------------------------------- */

static bool is_numeric(enum sql_type type)
{
    return type == SQL_INTEGER || type == SQL_HUGE || type == SQL_NUMBER;
}

enum sql_type sql_type_join(enum sql_type a, enum sql_type b)
{
    if (a == b)
        return a;
    if (a == SQL_OTHER || b == SQL_OTHER || a == SQL_DOCUMENT || b == SQL_DOCUMENT)
        return SQL_OTHER;
    if (a == SQL_BYTES || b == SQL_BYTES)
        return SQL_OTHER;
    if (a == SQL_JSON || b == SQL_JSON)
        return SQL_JSON;
    if (is_numeric(a) && is_numeric(b))
        return a > b ? a : b; /* in this order each holds the values of the one before */
    if ((a == SQL_DATE && b == SQL_TIMESTAMP) || (a == SQL_TIMESTAMP && b == SQL_DATE))
        return SQL_TIMESTAMP;
    return SQL_TEXT;
}
