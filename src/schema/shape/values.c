/* The values of enum and default: immutable, shared, counted. */
#include "schema/shape/tree.h"
#include "json/number.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { VALUES_SIZE_MAX = 16 << 20, VALUES_BLOCK = 512 };

struct shape_values {
    atomic_uint references;
    struct arena arena;
    struct json json;
    uint64_t *hashes; /* of an array's elements */
};

const struct json *shape_values_json(const struct shape_values *values)
{
    return &values->json;
}

unsigned shape_type_of(const struct json *doc, uint32_t at)
{
    static const uint8_t types[JSON_TAG_MAX] = {
        [JSON_NULL] = SHAPE_NULL,     [JSON_FALSE] = SHAPE_BOOLEAN,   [JSON_TRUE] = SHAPE_BOOLEAN,
        [JSON_STRING] = SHAPE_STRING, [JSON_INTEGER] = SHAPE_INTEGER, [JSON_NUMBER] = SHAPE_FRACTION,
        [JSON_ARRAY] = SHAPE_ARRAY,   [JSON_OBJECT] = SHAPE_OBJECT,
    };
    enum json_tag tag = json_tag(doc, at);
    if (tag == JSON_NUMBER && number_is_integer(json_raw(doc, at))) /* 1.0, as the schema has it */
        return SHAPE_INTEGER;
    return types[tag];
}

/* Own what is one JSON text; NULL if it is more than can be held. */
static struct shape_values *values_from(struct slice text)
{
    struct shape_values *values = mem_zalloc(sizeof *values);
    struct error err;
    atomic_init(&values->references, 1);
    arena_init(&values->arena);
    values->arena.block_size = VALUES_BLOCK;
    if (text.size > VALUES_SIZE_MAX ||
        json_parse_copy(&values->arena, text.data, text.size, &values->json, &err) < 0) {
        shape_values_release(values);
        return NULL;
    }
    const struct json *json = &values->json;
    uint32_t number = 0;
    values->hashes = arena_alloc(&values->arena, (json_count(json, 0) + 1U) * sizeof *values->hashes);
    for (uint32_t e = json_first(json, 0); e != JSON_NONE; e = json_next(json, 0, e))
        values->hashes[number++] = json_hash(json, e);
    return values;
}

struct shape_values *shape_values_of(const struct json *doc, uint32_t at)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_put_value(&writer, doc, at);
    struct shape_values *values = values_from((struct slice){text.data, text.size});
    buffer_done(&text);
    return values;
}

struct shape_values *shape_values_hold(const struct shape_values *values)
{
    struct shape_values *held = (struct shape_values *)(uintptr_t)values;
    if (held)
        atomic_fetch_add_explicit(&held->references, 1, memory_order_relaxed);
    return held;
}

void shape_values_release(struct shape_values *values)
{
    if (!values || atomic_fetch_sub_explicit(&values->references, 1, memory_order_acq_rel) > 1)
        return;
    arena_done(&values->arena);
    free(values);
}

bool shape_values_equal(const struct shape_values *a, const struct shape_values *b)
{
    return a == b || (a && b && json_equal(&a->json, 0, &b->json, 0));
}

bool shape_values_contain(const struct shape_values *array, const struct json *doc, uint32_t at)
{
    const struct json *json = &array->json;
    uint64_t hash = json_hash(doc, at);
    uint32_t number = 0;
    for (uint32_t e = json_first(json, 0); e != JSON_NONE; e = json_next(json, 0, e)) {
        if (array->hashes[number++] == hash && json_equal(json, e, doc, at))
            return true;
    }
    return false;
}

unsigned shape_values_types(const struct shape_values *array)
{
    unsigned types = 0;
    for (uint32_t e = json_first(&array->json, 0); e != JSON_NONE; e = json_next(&array->json, 0, e))
        types |= shape_type_of(&array->json, e);
    return types & SHAPE_FRACTION ? types | SHAPE_NUMBER : types;
}

/* A new array is gathered value by value. */
struct gathering {
    struct buffer text;
    struct json_writer writer;
};

static void gather_start(struct gathering *gathering)
{
    buffer_init(&gathering->text, BUFFER_UNLIMITED);
    json_writer_init(&gathering->writer, &gathering->text);
    json_begin_array(&gathering->writer);
}

static struct shape_values *gather_end(struct gathering *gathering)
{
    json_end_array(&gathering->writer);
    struct shape_values *values = values_from((struct slice){gathering->text.data, gathering->text.size});
    buffer_done(&gathering->text);
    return values;
}

/* All of `array` whose types are among `types` and that are, or are not, in `other` (NULL: either). */
static void gather(struct gathering *gathering, const struct shape_values *array, unsigned types,
                   const struct shape_values *other, bool in_other)
{
    const struct json *json = &array->json;
    for (uint32_t e = json_first(json, 0); e != JSON_NONE; e = json_next(json, 0, e)) {
        if ((shape_type_of(json, e) & types) && (!other || shape_values_contain(other, json, e) == in_other))
            json_put_value(&gathering->writer, json, e);
    }
}

struct shape_values *shape_values_of_one(const struct json *doc, uint32_t at)
{
    struct gathering gathering;
    gather_start(&gathering);
    json_put_value(&gathering.writer, doc, at);
    return gather_end(&gathering);
}

struct shape_values *shape_values_union(const struct shape_values *a, const struct shape_values *b)
{
    if (json_count(&a->json, 0) + json_count(&b->json, 0) > SHAPE_CHOICES_MAX)
        return NULL;
    struct gathering gathering;
    gather_start(&gathering);
    gather(&gathering, a, SHAPE_ANY, NULL, true);
    gather(&gathering, b, SHAPE_ANY, a, false);
    return gather_end(&gathering);
}

struct shape_values *shape_values_both(const struct shape_values *a, const struct shape_values *b)
{
    struct gathering gathering;
    gather_start(&gathering);
    gather(&gathering, a, SHAPE_ANY, b, true);
    return gather_end(&gathering);
}

struct shape_values *shape_values_of_types(const struct shape_values *array, unsigned types)
{
    struct gathering gathering;
    gather_start(&gathering);
    gather(&gathering, array, types, NULL, true);
    return gather_end(&gathering);
}
