/* Random documents and schemas by seed, for properties that must hold for all. */
#ifndef TESTS_SCHEMA_RANDOM_JSON_H
#define TESTS_SCHEMA_RANDOM_JSON_H

#include "json/writer.h"

struct random {
    uint64_t state;
};

static inline uint32_t random_below(struct random *random, uint32_t bound)
{
    random->state += 0x9e3779b97f4a7c15ULL; /* splitmix64 */
    uint64_t x = random->state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return (uint32_t)((x ^ x >> 31) >> 32) % bound;
}

/* Few names, so that documents meet. */
static const char *const random_names[] = {"a", "b", "ab", "x1", "x2", "é", "q\"/~", ""};
static const char *const random_scalars[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "1.0",
    "-1",
    "7",
    "12.5",
    "-0.25",
    "1e30",
    "-1e400",
    "123456789012345678901234567890",
    "0.001",
    "10",
    "100",
    "-99.5",
    "\"\"",
    "\"a\"",
    "\"x1\"",
    "\"12\"",
    "\"-7.5\"",
    "\"1e3\"",
    "\"2026-01-31\"",
    "\"2026-01-31T08:30:06Z\"",
    "\"08:30:06Z\"",
    "\"123e4567-e89b-12d3-a456-426614174000\"",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"NaN\"",
    "\"+12\"",
    "\"a longer text that has some forty characters\"",
};
#define RANDOM_PICK(random, array) ((array)[random_below(random, sizeof(array) / sizeof *(array))])

static inline void random_document(struct random *random, struct json_writer *writer, int depth)
{
    uint32_t kind = depth == 0 ? 0 : random_below(random, 5);
    if (kind <= 1) {
        json_put_raw(writer, slice_of(RANDOM_PICK(random, random_scalars)));
    } else if (kind == 2) {
        json_begin_array(writer);
        for (uint32_t i = random_below(random, 4); i > 0; i--)
            random_document(random, writer, depth - 1);
        json_end_array(writer);
    } else {
        json_begin_object(writer);
        for (size_t i = 0; i < sizeof random_names / sizeof *random_names; i++) {
            if (random_below(random, 3) > 0)
                continue;
            json_put_key(writer, random_names[i]);
            random_document(random, writer, depth - 1);
        }
        json_end_object(writer);
    }
}

static inline void random_schema(struct random *random, struct json_writer *writer, int depth);

static inline void random_schema_list(struct random *random, struct json_writer *writer, const char *keyword,
                                      int depth)
{
    json_put_key(writer, keyword);
    json_begin_array(writer);
    for (uint32_t i = 1 + random_below(random, 3); i > 0; i--)
        random_schema(random, writer, depth - 1);
    json_end_array(writer);
}

static inline void random_schema_map(struct random *random, struct json_writer *writer, const char *keyword,
                                     const char *const *names, size_t count, int depth)
{
    json_put_key(writer, keyword);
    json_begin_object(writer);
    for (size_t i = 0; i < count; i++) {
        if (random_below(random, 3) > 0)
            continue;
        json_put_key(writer, names[i]);
        random_schema(random, writer, depth - 1);
    }
    json_end_object(writer);
}

static inline void random_types(struct random *random, struct json_writer *writer)
{
    static const char *const types[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object",  "object"};
    if (random_below(random, 3) > 0) {
        json_member_string(writer, "type", RANDOM_PICK(random, types));
        return;
    }
    uint32_t first = random_below(random, 3);
    json_put_key(writer, "type");
    json_begin_array(writer);
    json_put_string(writer, types[first]);
    json_put_string(writer, types[first + 3]);
    json_end_array(writer);
}

static inline void random_assertion(struct random *random, struct json_writer *writer, uint32_t which)
{
    static const char *const bounds[] = {"-100", "0", "1", "12.5", "1e30"};
    static const char *const formats[] = {"integer", "number", "date", "uuid"};
    if (which == 0) {
        json_put_key(writer, "enum");
        json_begin_array(writer);
        for (uint32_t i = 1 + random_below(random, 4); i > 0; i--)
            json_put_raw(writer, slice_of(RANDOM_PICK(random, random_scalars)));
        json_end_array(writer);
    } else if (which == 1) {
        json_member_raw(writer, "const", slice_of(RANDOM_PICK(random, random_scalars)));
    } else if (which == 2) {
        json_member_raw(writer, "minimum", slice_of(RANDOM_PICK(random, bounds)));
        json_member_raw(writer, "exclusiveMaximum", slice_of(RANDOM_PICK(random, bounds)));
    } else if (which == 3) {
        json_member_u64(writer, "minLength", random_below(random, 3));
        json_member_u64(writer, "maxLength", random_below(random, 20));
    } else if (which == 4) {
        json_member_u64(writer, "minItems", random_below(random, 3));
        json_member_u64(writer, "maxItems", random_below(random, 4));
    } else {
        json_member_string(writer, "format", RANDOM_PICK(random, formats));
    }
}

static inline void random_members(struct random *random, struct json_writer *writer, int depth)
{
    static const char *const patterns[] = {"^x", "a", "^.$"};
    random_schema_map(random, writer, "properties", random_names, 6, depth);
    if (random_below(random, 3) == 0)
        random_schema_map(random, writer, "patternProperties", patterns, 3, depth);
    if (random_below(random, 2) == 0) {
        json_put_key(writer, "additionalProperties");
        random_schema(random, writer, depth - 1);
    }
    if (random_below(random, 2) == 0) {
        json_put_key(writer, "required");
        json_begin_array(writer);
        json_put_string(writer, random_names[random_below(random, 3)]);
        json_end_array(writer);
    }
}

static inline void random_combination(struct random *random, struct json_writer *writer, int depth)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    static const char *const parts[] = {"if", "then", "else"};
    uint32_t which = random_below(random, 4);
    if (which < 3) {
        random_schema_list(random, writer, lists[which], depth);
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (i > 0 && random_below(random, 4) == 0)
            continue;
        json_put_key(writer, parts[i]);
        random_schema(random, writer, depth - 1);
    }
}

static inline void random_schema(struct random *random, struct json_writer *writer, int depth)
{
    if (depth == 0 || random_below(random, 8) == 0) {
        json_put_bool(writer, random_below(random, 4) > 0);
        return;
    }
    json_begin_object(writer);
    if (random_below(random, 3) > 0)
        random_types(random, writer);
    if (random_below(random, 3) == 0)
        random_assertion(random, writer, random_below(random, 6));
    if (random_below(random, 2) == 0)
        random_members(random, writer, depth);
    if (random_below(random, 4) == 0)
        random_schema_list(random, writer, "prefixItems", depth);
    if (random_below(random, 4) == 0) {
        json_put_key(writer, "items");
        random_schema(random, writer, depth - 1);
    }
    if (random_below(random, 3) == 0)
        random_combination(random, writer, depth);
    json_end_object(writer);
}

/* Heap strings. */
static inline char *random_document_text(struct random *random, int depth)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 16 << 20);
    json_writer_init(&writer, &text);
    random_document(random, &writer, depth);
    return buffer_steal(&text);
}

static inline char *random_schema_text(struct random *random, int depth)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 16 << 20);
    json_writer_init(&writer, &text);
    random_schema(random, &writer, depth);
    return buffer_steal(&text);
}

#endif
