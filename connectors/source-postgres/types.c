#include "types.h"

#include <stdlib.h>
#include <string.h>

/* Types with a form of their own; every other is text. */
static const struct {
    uint32_t oid;
    enum pg_form form;
} built_in[] = {
    {16, PG_FORM_BOOLEAN},       {17, PG_FORM_BYTEA},    {20, PG_FORM_INTEGER},   {21, PG_FORM_INTEGER},
    {23, PG_FORM_INTEGER},       {26, PG_FORM_INTEGER},  {114, PG_FORM_JSON},     {700, PG_FORM_REAL},
    {701, PG_FORM_FLOAT},        {1082, PG_FORM_DATE},   {1083, PG_FORM_TIME},    {1114, PG_FORM_TIMESTAMP},
    {1184, PG_FORM_TIMESTAMPTZ}, {1266, PG_FORM_TIMETZ}, {1700, PG_FORM_NUMERIC}, {2950, PG_FORM_UUID},
    {3802, PG_FORM_JSON},
};

void pg_types_init(struct pg_types *types)
{
    *types = (struct pg_types){0};
    arena_init(&types->arena);
}

void pg_types_done(struct pg_types *types)
{
    free(types->items);
    arena_done(&types->arena);
}

/* Where the oid is, or where it belongs. */
static size_t place_of(const struct pg_types *types, uint32_t oid)
{
    size_t low = 0, high = types->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (types->items[middle]->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct pg_type *pg_types_find(const struct pg_types *types, uint32_t oid)
{
    size_t at = place_of(types, oid);
    return at < types->count && types->items[at]->oid == oid ? types->items[at] : NULL;
}

static enum pg_form form_of(uint32_t oid)
{
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
        if (built_in[i].oid == oid)
            return built_in[i].form;
    }
    return PG_FORM_TEXT;
}

const struct pg_type *pg_types_add(struct pg_types *types, const struct pg_type_row *row)
{
    size_t at = place_of(types, row->oid);
    if (at < types->count && types->items[at]->oid == row->oid)
        return types->items[at];
    struct pg_type *type = arena_zalloc(&types->arena, sizeof *type);
    const struct pg_type *base = row->base ? pg_types_find(types, row->base) : NULL;
    *type = (struct pg_type){.oid = row->oid,
                             .name = arena_strdup(&types->arena, row->name),
                             .cast = base ? base->cast : NULL,
                             .form = base ? base->form : form_of(row->oid),
                             .delimiter = row->delimiter,
                             .item = base ? base->item : NULL};
    if (!base && row->item) {
        type->item = pg_types_find(types, row->item);
        type->form = type->item ? PG_FORM_ARRAY : PG_FORM_TEXT;
    }
    if (!base)
        type->cast = type->name;
    types->items = mem_grow(types->items, &types->capacity, types->count + 1, sizeof *types->items);
    memmove(types->items + at + 1, types->items + at, (types->count - at) * sizeof *types->items);
    types->items[at] = type;
    types->count++;
    return type;
}

/* --- JSON Schema -------------------------------------------------------------------------------------------
 */

struct words {
    const char *type;      /* of JSON; NULL: any */
    const char *flow_type; /* where it differs in Flow's protocol */
    const char *also;      /* Flow: a second type */
    const char *format, *flow_format;
    const char *airbyte_type;
    const char *encoding;
};

static const struct words words_of[PG_FORM_COUNT] = {
    [PG_FORM_TEXT] = {.type = "string"},
    [PG_FORM_BOOLEAN] = {.type = "boolean"},
    [PG_FORM_INTEGER] = {.type = "integer"},
    [PG_FORM_REAL] = {.type = "number", .also = "string", .flow_format = "number"},
    [PG_FORM_FLOAT] = {.type = "number", .also = "string", .flow_format = "number"},
    [PG_FORM_NUMERIC] = {.type = "number", .flow_type = "string", .flow_format = "number"},
    [PG_FORM_JSON] = {.type = NULL},
    [PG_FORM_BYTEA] = {.type = "string", .encoding = "base64"},
    [PG_FORM_UUID] = {.type = "string", .flow_format = "uuid"},
    [PG_FORM_DATE] = {.type = "string", .format = "date", .flow_format = "date"},
    [PG_FORM_TIMESTAMP] = {.type = "string",
                           .format = "date-time",
                           .flow_format = "date-time",
                           .airbyte_type = "timestamp_without_timezone"},
    [PG_FORM_TIMESTAMPTZ] = {.type = "string",
                             .format = "date-time",
                             .flow_format = "date-time",
                             .airbyte_type = "timestamp_with_timezone"},
    [PG_FORM_TIME] = {.type = "string", .format = "time", .airbyte_type = "time_without_timezone"},
    [PG_FORM_TIMETZ] = {.type = "string", .format = "time", .airbyte_type = "time_with_timezone"},
    [PG_FORM_ARRAY] = {.type = "array"},
};

static void put_types(struct json_writer *writer, const char *type, const char *also, bool nullable)
{
    json_put_key(writer, "type");
    if (!also && !nullable) {
        json_put_string(writer, type);
        return;
    }
    json_begin_array(writer);
    json_put_string(writer, type);
    if (also)
        json_put_string(writer, also);
    if (nullable)
        json_put_string(writer, "null");
    json_end_array(writer);
}

/* The elements of an array of any number of dimensions: PostgreSQL's types do not say how many. So only what
 * they are not is left out: `items` of a one-dimensional array would refuse the others. */
static void put_members(struct json_writer *writer, const struct pg_type *type, bool nullable,
                        struct pg_style style)
{
    const struct words *words = &words_of[type->form];
    const char *name = style.flow && words->flow_type ? words->flow_type : words->type;
    const char *format = style.flow ? words->flow_format : words->format;
    if (name)
        put_types(writer, name, style.flow ? words->also : NULL, nullable);
    if (format)
        json_member_string(writer, "format", format);
    if (words->airbyte_type && !style.flow)
        json_member_string(writer, "airbyte_type", words->airbyte_type);
    if (words->encoding)
        json_member_string(writer, "contentEncoding", words->encoding);
}

void pg_type_put_schema(struct json_writer *writer, const struct pg_type *type, bool nullable,
                        const char *description, struct pg_style style)
{
    json_begin_object(writer);
    put_members(writer, type, nullable, style);
    if (description)
        json_member_string(writer, "description", description);
    json_end_object(writer);
}
