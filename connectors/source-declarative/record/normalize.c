#include "normalize.h"

#include "source-declarative/template/big.h"
#include "source-declarative/template/digits.h"
#include "source-declarative/template/unicode.h"

#include <math.h>

/* The one type that the schema has beside null; JSON_NONE: none, or several. */
static uint32_t only_type(const struct json *schema, uint32_t at, bool *ret_nullable)
{
    uint32_t type = json_get(schema, at, "type"), found = JSON_NONE;
    *ret_nullable = false;
    if (!json_is(schema, type, JSON_ARRAY)) {
        *ret_nullable = json_is(schema, type, JSON_STRING) && json_string_is(schema, type, "null");
        return json_is(schema, type, JSON_STRING) ? type : JSON_NONE;
    }
    size_t count = 0;
    for (uint32_t e = json_first(schema, type); e != JSON_NONE; e = json_next(schema, type, e)) {
        if (json_string_is(schema, e, "null")) {
            *ret_nullable = true;
        } else {
            found = e;
            count++;
        }
    }
    return count == 1 ? found : JSON_NONE;
}

static struct tvalue as_text(struct arena *arena, const struct tvalue *value)
{
    struct ttext text;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    tvalue_str(&text, value);
    return tvalue_string(ttext_slice_of(&text));
}

static bool to_number(const struct tvalue *value, struct tvalue *ret_value)
{
    double number;
    if (value->kind == TVALUE_STRING) {
        if (!digits_to_float(value->text, &number))
            return false;
    } else if (tvalue_is_number(value)) {
        if (value->kind == TVALUE_FLOAT)
            return false; /* it is one, with its digits */
        number = tvalue_to_double(value);
    } else {
        return false;
    }
    *ret_value = tvalue_float(number);
    return true;
}

static bool to_integer(struct arena *arena, const struct tvalue *value, struct tvalue *ret_value)
{
    if (value->kind == TVALUE_STRING)
        return digits_to_integer(arena, value->text, 10, ret_value);
    if (value->kind == TVALUE_BOOL) {
        *ret_value = tvalue_int(value->boolean);
        return true;
    }
    if (value->kind != TVALUE_FLOAT || !isfinite(value->number))
        return false;
    *ret_value = integer_of_double(arena, value->number);
    return true;
}

/* distutils' strtobool. */
static bool to_boolean(struct arena *arena, const struct tvalue *value, struct tvalue *ret_value)
{
    static const char *const YES[] = {"y", "yes", "t", "true", "on", "1"};
    static const char *const NO[] = {"n", "no", "f", "false", "off", "0"};
    if (value->kind != TVALUE_STRING) {
        *ret_value = tvalue_bool(tvalue_true(value));
        return true;
    }
    struct slice text = unicode_lower(arena, value->text);
    for (size_t i = 0; i < sizeof YES / sizeof *YES; i++) {
        if (slice_is(text, YES[i]) || slice_is(text, NO[i])) {
            *ret_value = tvalue_bool(slice_is(text, YES[i]));
            return true;
        }
    }
    return false;
}

static bool is_simple(const struct json *schema, uint32_t name)
{
    static const char *const SIMPLE[] = {"string", "number", "integer", "boolean", "null"};
    for (size_t i = 0; i < sizeof SIMPLE / sizeof *SIMPLE; i++) {
        if (json_string_is(schema, name, SIMPLE[i]))
            return true;
    }
    return false;
}

/* May a scalar stand as the only element of this list? */
static bool takes_scalars(const struct json *schema, uint32_t at)
{
    uint32_t types = json_get(schema, json_get(schema, at, "items"), "type");
    if (json_is(schema, types, JSON_STRING)) /* the CDK takes a text apart into letters, which are no types */
        return false;
    for (uint32_t e = json_first(schema, types); e != JSON_NONE; e = json_next(schema, types, e)) {
        if (!is_simple(schema, e))
            return false;
    }
    return true;
}

static bool convert(struct arena *arena, const struct tvalue *value, const struct json *schema, uint32_t at,
                    struct tvalue *ret_value)
{
    bool nullable;
    uint32_t type = only_type(schema, at, &nullable);
    if (type == JSON_NONE || (nullable && value->kind == TVALUE_NONE))
        return false;
    if (json_string_is(schema, type, "string")) {
        if (value->kind == TVALUE_STRING)
            return false;
        *ret_value = as_text(arena, value);
        return true;
    }
    if (json_string_is(schema, type, "number"))
        return to_number(value, ret_value);
    if (json_string_is(schema, type, "integer"))
        return to_integer(arena, value, ret_value);
    if (json_string_is(schema, type, "boolean"))
        return value->kind != TVALUE_BOOL && to_boolean(arena, value, ret_value);
    bool scalar = tvalue_is_number(value) || value->kind == TVALUE_STRING || value->kind == TVALUE_NONE;
    if (json_string_is(schema, type, "array") && scalar && takes_scalars(schema, at)) {
        *ret_value = tvalue_list(arena);
        tlist_push(arena, ret_value->list, *value);
        return true;
    }
    return false;
}

static void normalize_members(struct arena *arena, struct tvalue *value, const struct json *schema,
                              uint32_t properties, unsigned depth);
static void normalize_items(struct arena *arena, struct tvalue *value, const struct json *schema,
                            uint32_t items, unsigned depth);

/* The very same, not only equal: what it points to has not been made anew. */
static bool is_same(const struct tvalue *a, const struct tvalue *b)
{
    return a->kind == b->kind && a->flags == b->flags && a->id == b->id && a->at == b->at &&
           memcmp(&a->text, &b->text, sizeof a->text) == 0;
}

static bool changes(struct arena *arena, struct tvalue *value, const struct json *schema, uint32_t at,
                    unsigned depth)
{
    struct tvalue before = *value, converted;
    if (depth > RECORD_DEPTH_MAX)
        return false;
    if (convert(arena, value, schema, at, &converted))
        *value = converted;
    if (tvalue_is_mapping(value))
        normalize_members(arena, value, schema, json_get(schema, at, "properties"), depth);
    else if (tvalue_is_list(value))
        normalize_items(arena, value, schema, json_get(schema, at, "items"), depth);
    return !is_same(&before, value);
}

static void normalize_members(struct arena *arena, struct tvalue *value, const struct json *schema,
                              uint32_t properties, unsigned depth)
{
    for (uint32_t key = json_first_key(schema, properties); key != JSON_NONE;
         key = json_next_key(schema, properties, key)) {
        struct slice name = json_string(schema, key, arena);
        struct tvalue member;
        if (!tvalue_member_name(arena, value, name, &member) ||
            !changes(arena, &member, schema, json_value(key), depth + 1))
            continue;
        value_own(arena, value);
        tdict_set(arena, value->dict, tvalue_string(name), member);
    }
}

static void normalize_items(struct arena *arena, struct tvalue *value, const struct json *schema,
                            uint32_t items, unsigned depth)
{
    size_t count = json_is(schema, items, JSON_OBJECT) ? tvalue_count(value) : 0;
    for (size_t i = 0; i < count; i++) {
        struct tvalue item = tvalue_at(arena, value, i);
        if (!changes(arena, &item, schema, items, depth + 1))
            continue;
        value_own(arena, value);
        value->list->items[i] = item;
    }
}

void normalize_value(struct arena *arena, struct tvalue *value, const struct json *schema, uint32_t at)
{
    if (tvalue_is_mapping(value))
        normalize_members(arena, value, schema, json_get(schema, at, "properties"), 0);
}
