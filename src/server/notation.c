#include "server/notation.h"

#include <assert.h>
#include <ctype.h>

static struct slice trim(struct slice text)
{
    while (text.size && text.data[0] == ' ')
        text = (struct slice){text.data + 1, text.size - 1};
    while (text.size && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* The length up to the next `end` that no bracket encloses. */
static size_t until(struct slice text, char end)
{
    int depth = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == end && depth == 0)
            return i;
        depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
    }
    return text.size;
}

static struct slice inside(struct slice text)
{
    return trim((struct slice){text.data + 1, text.size - 2});
}

static void put_type(struct json_writer *writer, const char *type, bool nullable)
{
    json_put_key(writer, "type");
    if (nullable)
        json_begin_array(writer);
    json_put_string(writer, type);
    if (nullable) {
        json_put_string(writer, "null");
        json_end_array(writer);
    }
}

static void put_words(struct json_writer *writer, struct slice words, bool nullable)
{
    put_type(writer, "string", nullable);
    json_put_key(writer, "enum");
    json_begin_array(writer);
    while (words.size) {
        size_t size = until(words, '|');
        json_put_slice(writer, (struct slice){words.data, size});
        size += size < words.size;
        words = (struct slice){words.data + size, words.size - size};
    }
    if (nullable)
        json_put_null(writer);
    json_end_array(writer);
}

static void put_reference(struct json_writer *writer, struct slice name, bool nullable)
{
    char target[128] = "#/components/schemas/";
    size_t size = strlen(target);
    assert(size + name.size < sizeof target && isupper((unsigned char)name.data[0]));
    memcpy(target + size, name.data, name.size);
    target[size + name.size] = 0;
    if (!nullable) {
        json_member_string(writer, "$ref", target);
        return;
    }
    json_put_key(writer, "anyOf");
    json_begin_array(writer);
    json_begin_object(writer);
    json_member_string(writer, "$ref", target);
    json_end_object(writer);
    json_begin_object(writer);
    json_member_string(writer, "type", "null");
    json_end_object(writer);
    json_end_array(writer);
}

static bool put_simple(struct json_writer *writer, struct slice type, bool nullable)
{
    static const struct {
        const char *name, *type, *format, *pattern;
    } simple[] = {
        {"string", "string", NULL, NULL},    {"integer", "integer", "int64", NULL},
        {"int32", "integer", "int32", NULL}, {"number", "number", NULL, NULL},
        {"boolean", "boolean", NULL, NULL},  {"object", "object", NULL, NULL},
        {"uuid", "string", "uuid", NULL},    {"datetime", "string", "date-time", NULL},
        {"uri", "string", "uri", NULL},
    };
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (!slice_is(type, simple[i].name))
            continue;
        put_type(writer, simple[i].type, nullable);
        if (simple[i].format)
            json_member_string(writer, "format", simple[i].format);
        if (slice_is(type, "integer")) {
            json_member_i64(writer, "minimum", INT64_MIN);
            json_member_i64(writer, "maximum", INT64_MAX);
        }
        if (slice_is(type, "int32")) {
            json_member_i64(writer, "minimum", INT32_MIN);
            json_member_i64(writer, "maximum", INT32_MAX);
        }
        return true;
    }
    return slice_is(type, "any");
}

void notation_write_type(struct json_writer *writer, struct slice type, bool nullable)
{
    assert(type.size);
    json_begin_object(writer);
    if (type.data[0] == '(') {
        put_words(writer, inside(type), nullable);
    } else if (type.data[0] == '[') {
        put_type(writer, "array", nullable);
        json_put_key(writer, "items");
        notation_write_type(writer, inside(type), false);
    } else if (type.data[0] == '{') {
        put_type(writer, "object", nullable);
        json_put_key(writer, "additionalProperties");
        notation_write_type(writer, inside(type), false);
    } else if (!put_simple(writer, type, nullable)) {
        put_reference(writer, type, nullable);
    }
    json_end_object(writer);
}

bool notation_next(const char **text, struct notation_member *ret_member)
{
    struct slice rest = trim(slice_of(*text));
    if (!rest.size)
        return false;
    size_t size = until(rest, ',');
    struct slice member = trim((struct slice){rest.data, size});
    size_t name = until(member, ' ');
    assert(name < member.size);
    *text = rest.data + size + (size < rest.size);
    ret_member->required = member.data[name - 1] == '*';
    ret_member->name = (struct slice){member.data, name - ret_member->required};
    ret_member->type = trim((struct slice){member.data + name, member.size - name});
    return true;
}

void notation_write(struct json_writer *writer, const char *text)
{
    struct notation_member member;
    const char *at = text;
    if (*text == '=') {
        notation_write_type(writer, trim(slice_of(text + 1)), false);
        return;
    }
    json_begin_object(writer);
    json_member_string(writer, "type", "object");
    json_put_key(writer, "properties");
    json_begin_object(writer);
    while (notation_next(&at, &member)) {
        json_put_key_slice(writer, member.name);
        notation_write_type(writer, member.type, !member.required);
    }
    json_end_object(writer);
    json_put_key(writer, "required");
    json_begin_array(writer);
    for (at = text; notation_next(&at, &member);) {
        if (member.required)
            json_put_slice(writer, member.name);
    }
    json_end_array(writer);
    json_end_object(writer);
}
