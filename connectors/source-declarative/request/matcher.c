#include "matcher.h"

#include "source-declarative/template/pattern.h"
#include "url.h"

#include <strings.h>

/* A text that must be there: a header or a parameter. */
struct expected {
    struct slice name, value;
};

struct matcher {
    const char *method; /* NULL: any */
    struct slice base;  /* size 0: any */
    struct pattern *path;
    struct expected *parameters, *headers;
    size_t parameter_count, header_count;
    int64_t weight;
};

static bool has_parameter(struct arena *arena, struct slice url, const struct expected *expected)
{
    struct tvalue dict = tvalue_dict(arena);
    tdict_set(arena, dict.dict, tvalue_string(expected->name), tvalue_string(expected->value));
    struct tvalue left = url_without_repeated(arena, url, &dict);
    return tvalue_count(&left) == 0;
}

static bool has_header(const struct matched_call *call, const struct expected *expected)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (expected->name.size == strlen(call->headers[i].name) &&
            strncasecmp(expected->name.data, call->headers[i].name, expected->name.size) == 0)
            return slice_is(expected->value, call->headers[i].value);
    }
    return false;
}

static bool matches(const struct matcher *matcher, const struct matched_call *call)
{
    struct slice url = slice_of(call->url), before = url_before_query(url);
    const char *authority = memmem(before.data, before.size, "://", 3);
    const char *path =
        authority ? memchr(authority + 3, '/', before.size - (size_t)(authority + 3 - before.data)) : NULL;
    size_t base_size = path ? (size_t)(path - before.data) : before.size;
    while (before.size > base_size &&
           before.data[before.size - 1] == '/') /* a path's last slash does not count */
        before.size--;
    if (matcher->method && strcasecmp(matcher->method, call->method) != 0)
        return false;
    if (matcher->base.size && !slice_equal(matcher->base, (struct slice){before.data, base_size}))
        return false;
    if (matcher->path &&
        !pattern_finds(matcher->path, (struct slice){before.data + base_size, before.size - base_size}, false,
                       NULL))
        return false;
    struct arena arena = {0};
    bool all = true;
    for (size_t i = 0; all && i < matcher->parameter_count; i++)
        all = has_parameter(&arena, url, &matcher->parameters[i]);
    arena_done(&arena);
    for (size_t i = 0; all && i < matcher->header_count; i++)
        all = has_header(call, &matcher->headers[i]);
    return all;
}

bool matchers_take(const struct matchers *matchers, const struct matched_call *call, int64_t *ret_weight)
{
    for (size_t i = 0; i < matchers->count; i++) {
        if (!matches(&matchers->items[i], call))
            continue;
        if (ret_weight)
            *ret_weight = matchers->items[i].weight;
        return true;
    }
    return false;
}

/* --- compiling -------------------------------------------------------------------------------------------
 */

static void pattern_leave(void *context)
{
    pattern_free(context);
}

static int expected_of(struct engine *engine, struct component component, const char *field,
                       struct expected **ret_items, size_t *ret_count, struct error *err)
{
    struct mapping_expression mapping;
    struct scope scope;
    struct tvalue dict, name;
    struct titer iter;
    struct arena *arena = &engine->arena;
    scope_init(&scope, engine);
    if (mapping_expression_compile(engine, component, field, &mapping, err) != 0 ||
        mapping_expression_flat(&mapping, &scope, INTERPOLATE_ANY, INTERPOLATE_ANY, arena, &dict, err) != 0)
        return -1;
    struct expected *items = arena_alloc(arena, (tvalue_count(&dict) + 1) * sizeof *items);
    size_t count = 0;
    if (titer_init(&iter, arena, dict)) {
        while (titer_next(&iter, &name)) {
            struct ttext key, value;
            ttext_init(&key, arena, SIZE_MAX);
            ttext_init(&value, arena, SIZE_MAX);
            tvalue_str(&key, &name);
            tvalue_str(&value, &iter.of_key);
            items[count++] = (struct expected){ttext_slice_of(&key), ttext_slice_of(&value)};
        }
    }
    *ret_items = items;
    *ret_count = count;
    return 0;
}

static int matcher_compile(struct engine *engine, struct component component, struct matcher *matcher,
                           struct error *err)
{
    struct slice method, pattern;
    if (config_text(engine, component, "method", &method, err) != 0 ||
        config_text(engine, component, "url_base", &matcher->base, err) != 0 ||
        config_text(engine, component, "url_path_pattern", &pattern, err) != 0 ||
        config_integer(engine, component, "weight", 1, &matcher->weight, err) != 0 ||
        expected_of(engine, component, "params", &matcher->parameters, &matcher->parameter_count, err) != 0 ||
        expected_of(engine, component, "headers", &matcher->headers, &matcher->header_count, err) != 0)
        return -1;
    matcher->method = method.size ? method.data : NULL;
    while (matcher->base.size && matcher->base.data[matcher->base.size - 1] == '/')
        matcher->base.size--;
    if (matcher->weight < 1 || matcher->weight > INT32_MAX) {
        error_set(err, ERROR_INVALID, "weight must be 1 or more");
        return component_error(err, component);
    }
    if (!pattern.size)
        return 0;
    matcher->path = pattern_new(pattern, err);
    if (!matcher->path)
        return component_error(err, component);
    engine_on_free(engine, pattern_leave, matcher->path);
    return 0;
}

int matchers_compile(struct engine *engine, struct component list, struct matchers *ret_matchers,
                     struct error *err)
{
    size_t count = component_count(list);
    *ret_matchers =
        (struct matchers){arena_zalloc(&engine->arena, (count + 1) * sizeof(struct matcher)), count};
    for (size_t i = 0; i < count; i++) {
        if (matcher_compile(engine, component_at(list, i), &ret_matchers->items[i], err) != 0)
            return -1;
    }
    return 0;
}
