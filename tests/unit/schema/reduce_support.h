/* Reducing from text to text, for tests. */
#ifndef TESTS_SCHEMA_REDUCE_SUPPORT_H
#define TESTS_SCHEMA_REDUCE_SUPPORT_H

#include "support.h"

#include "schema/reduce/reduce.h"

static inline struct schema *compile_reducible(const char *text)
{
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    struct schema *schema = NULL;
    if (schema_registry_add(registry, TEST_URI, slice_of(text), &err) == 0)
        schema = schema_compile_with(
            registry, TEST_URI, &(struct schema_options){reduce_annotations, .assert_formats = true}, &err);
    if (!schema)
        fail_msg("%s: %s", text, err.message);
    return schema;
}

/* A reducer, and parsers for both sides. */
struct bench {
    struct schema *schema;
    struct reducer *reducer;
    struct json_parser *left, *right;
    struct buffer out;
};

static inline void bench_init(struct bench *bench, const char *schema)
{
    struct error err;
    bench->schema = compile_reducible(schema);
    bench->reducer = reducer_new(bench->schema, &err);
    if (!bench->reducer)
        fail_msg("%s: %s", schema, err.message);
    bench->left = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    bench->right = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    buffer_init(&bench->out, 64 << 20);
}

static inline void bench_done(struct bench *bench)
{
    reducer_free(bench->reducer);
    schema_free(bench->schema);
    json_parser_free(bench->left);
    json_parser_free(bench->right);
    buffer_done(&bench->out);
}

/* As reducer_reduce; left NULL: none. The result is in bench->out until the next call. */
static inline int bench_reduce(struct bench *bench, enum reduce_mode mode, const char *left,
                               const char *right, struct error *err)
{
    struct json l, r;
    if (left && json_parse(bench->left, left, strlen(left), &l, err) < 0)
        fail_msg("%s: %s", left, err->message);
    if (json_parse(bench->right, right, strlen(right), &r, err) < 0)
        fail_msg("%s: %s", right, err->message);
    buffer_clear(&bench->out);
    return reducer_reduce(bench->reducer, mode, left ? &l : NULL, &r, &bench->out, err);
}

static inline bool same_json(const char *a, const char *b)
{
    mem_auto(json_parser_free) struct json_parser *x =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    mem_auto(json_parser_free) struct json_parser *y =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    struct json left, right;
    struct error err;
    return json_parse(x, a, strlen(a), &left, &err) == 0 && json_parse(y, b, strlen(b), &right, &err) == 0 &&
           json_equal(&left, 0, &right, 0);
}

#endif
