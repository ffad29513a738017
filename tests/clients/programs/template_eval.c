/* Evaluates what each line of its input asks for, and writes a line with the value and its types: what
 * test_templates.py compares with the CDK.
 *
 * {"how": "eval" | "string" | "boolean" | "mapping" | "nested" | "strftime" | …, "text": …, "default": …,
 *  "types": bits, "scope": {name: value}, "now": milliseconds}; a scope's value {"$slice": {…}} is a
 * stream_slice, {"$record": {…}} a record. */
#include "source-declarative/template/interpolate.h"
#include "source-declarative/template/literal.h"
#include "json/writer.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES_MAX = 64 };

struct request {
    struct json doc;
    struct arena arena;
    struct template_name names[NAMES_MAX];
    struct template_scope scope;
    int64_t now;
    struct clock clock;
};

static int64_t wall_ms(void *context)
{
    return *(int64_t *)context;
}

static void put(struct json_writer *out, struct arena *arena, const struct tvalue *value);

static void put_text(struct json_writer *out, const char *type, struct slice text)
{
    json_begin_array(out);
    json_put_string(out, type);
    json_put_slice(out, text);
    json_end_array(out);
}

static void put_items(struct json_writer *out, struct arena *arena, const char *type,
                      const struct tvalue *value, bool pairs)
{
    struct titer iter;
    struct tvalue item;
    json_begin_array(out);
    json_put_string(out, type);
    json_begin_array(out);
    titer_init(&iter, arena, *value);
    while (titer_next(&iter, &item)) {
        if (!pairs) {
            put(out, arena, &item);
            continue;
        }
        json_begin_array(out);
        put(out, arena, &item);
        put(out, arena, &iter.of_key);
        json_end_array(out);
    }
    json_end_array(out);
    json_end_array(out);
}

static void put(struct json_writer *out, struct arena *arena, const struct tvalue *value)
{
    struct ttext text;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    switch (value->kind) {
    case TVALUE_STRING:
        put_text(out, "str", value->text);
        return;
    case TVALUE_LIST:
    case TVALUE_JSON_LIST:
        put_items(out, arena, "list", value, false);
        return;
    case TVALUE_TUPLE:
        put_items(out, arena, "tuple", value, false);
        return;
    case TVALUE_SET:
        put_items(out, arena, "set", value, false);
        return;
    case TVALUE_DICT:
    case TVALUE_JSON_DICT:
        put_items(out, arena, "dict", value, true);
        return;
    default:
        tvalue_repr(&text, value);
        put_text(out, tvalue_type(value), ttext_slice_of(&text));
    }
}

static struct tvalue scope_value(struct request *request, uint32_t at)
{
    const struct json *doc = &request->doc;
    struct arena *arena = &request->arena;
    uint32_t slice = json_get(doc, at, "$slice"), record = json_get(doc, at, "$record");
    if (slice != JSON_NONE)
        return tvalue_stream_slice(arena, tvalue_json(arena, doc, json_get(doc, slice, "partition")),
                                   tvalue_json(arena, doc, json_get(doc, slice, "cursor_slice")),
                                   tvalue_json(arena, doc, json_get(doc, slice, "extra_fields")));
    if (record != JSON_NONE)
        return tvalue_record(arena, tvalue_json(arena, doc, record), "stream", tvalue_none());
    return tvalue_json(arena, doc, at);
}

static void read_scope(struct request *request)
{
    const struct json *doc = &request->doc;
    uint32_t scope = json_get(doc, 0, "scope");
    for (uint32_t key = json_first_key(doc, scope); key != JSON_NONE && request->scope.count + 3 < NAMES_MAX;
         key = json_next_key(doc, scope, key)) {
        struct slice name = json_string(doc, key, &request->arena);
        struct tvalue value = scope_value(request, json_value(key));
        struct template_name *to = request->names + request->scope.count;
        if (slice_is(name, "stream_slice"))
            request->scope.count += interpolate_scope_slice(to, value);
        else
            to[0] = (struct template_name){name, value}, request->scope.count++;
    }
    request->scope.names = request->names;
    request->clock = clock_system;
    if (json_to_i64(doc, json_get(doc, 0, "now"), &request->now)) {
        request->clock.wall_ms = wall_ms;
        request->clock.context = &request->now;
    }
    request->scope.clock = &request->clock;
}

static int evaluate(struct request *request, struct slice how, unsigned types, struct tvalue *ret_value,
                    struct error *err)
{
    struct arena *arena = &request->arena;
    const struct json *doc = &request->doc;
    uint32_t at = json_get(doc, 0, "text"), fallback_at = json_get(doc, 0, "default");
    struct datetime datetime;
    struct slice text = json_is(doc, at, JSON_STRING) ? json_string(doc, at, arena) : (struct slice){"", 0},
                 out;
    struct slice format = fallback_at != JSON_NONE && json_is(doc, fallback_at, JSON_STRING)
                              ? json_string(doc, fallback_at, arena)
                              : (struct slice){"", 0};
    if (slice_is(how, "mapping") || slice_is(how, "nested")) {
        struct interpolated *tree = interpolated_compile(arena, doc, at, err);
        if (!tree)
            return -1;
        return slice_is(how, "nested") ? interpolated_nested(tree, &request->scope, arena, ret_value, err)
                                       : interpolated_mapping(tree, INTERPOLATE_STR, types, &request->scope,
                                                              arena, ret_value, err);
    }
    if (slice_is(how, "literal")) {
        *ret_value = interpolate_literal(arena, text, types);
        return 0;
    }
    if (slice_is(how, "format") || slice_is(how, "parse")) { /* the CDK's DatetimeParser */
        if (slice_is(how, "format") ? datetime_isoparse(text, &datetime, err) < 0
                                    : datetime_parse(text, format, &datetime, err) < 0)
            return -1;
        if (slice_is(how, "parse")) {
            *ret_value = tvalue_datetime(arena, datetime);
            return 0;
        }
        if (datetime_format(arena, &datetime, format, &out, err) < 0)
            return -1;
        *ret_value = tvalue_string(out);
        return 0;
    }
    struct interpolation *interpolation = interpolation_compile(arena, text, err), *fallback = NULL;
    if (!interpolation)
        return -1;
    if (json_is(doc, fallback_at, JSON_STRING) && !(fallback = interpolation_compile(arena, format, err)))
        return -1;
    if (slice_is(how, "string"))
        return interpolation_string(interpolation, types, &request->scope, arena, ret_value, err);
    if (slice_is(how, "boolean")) {
        bool truth;
        if (interpolation_boolean(interpolation, &request->scope, arena, &truth, err) < 0)
            return -1;
        *ret_value = tvalue_bool(truth);
        return 0;
    }
    return interpolation_eval(interpolation, fallback, types, &request->scope, arena, ret_value, err);
}

static void answer(const char *line, size_t size)
{
    struct request request = {.now = 0};
    struct buffer buffer;
    struct json_writer out;
    struct error err;
    struct tvalue value;
    int64_t types = 0;
    arena_init(&request.arena);
    buffer_init(&buffer, BUFFER_UNLIMITED);
    json_writer_init(&out, &buffer);
    if (json_parse_copy(&request.arena, line, size, &request.doc, &err) < 0) {
        fprintf(stderr, "template_eval: %s\n", err.message);
        exit(1);
    }
    read_scope(&request);
    json_to_i64(&request.doc, json_get(&request.doc, 0, "types"), &types);
    struct slice how = json_string(&request.doc, json_get(&request.doc, 0, "how"), &request.arena);
    json_begin_object(&out);
    if (evaluate(&request, how, (unsigned)types, &value, &err) < 0) {
        json_member_string(&out, "error", err.message);
    } else {
        json_put_key(&out, "ok");
        put(&out, &request.arena, &value);
    }
    json_end_object(&out);
    puts(buffer_cstr(&buffer));
    fflush(stdout);
    buffer_done(&buffer);
    arena_done(&request.arena);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while ((size = getline(&line, &capacity, stdin)) > 0)
        answer(line, (size_t)size);
    free(line);
    return 0;
}
