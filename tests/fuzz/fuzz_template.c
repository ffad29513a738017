/* Any bytes as a template, its text as a literal, and as dates. Whatever they are:
 * - compiling and rendering end, and a failure says so in one line, without the scope's secret in it;
 * - a literal written as repr() is read as an equal literal;
 * - what strftime makes of a date that was read is text, and an ISO date is read as it was written. */
#include "source-declarative/template/interpolate.h"
#include "source-declarative/template/literal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_LONGEST = 4096 };

static const char SCOPE[] =
    "{\"config\":{\"a\":1,\"b\":\"text\",\"list\":[3,1,2],\"d\":{\"x\":{\"y\":[1,2.5,null,true]}},"
    "\"token\":\"q7Zx-hidden-w9Kp\",\"date\":\"2021-01-31T10:20:30Z\",\"big\":123456789012345678901234567890}"
    ","
    "\"record\":{\"id\":7,\"tags\":[\"x\",\"\\u00e9\\ud83d\\ude00\"],\"n\":null},\"parameters\":{\"name\":"
    "\"s\"}}";
static const char SECRET[] = "q7Zx-hidden-w9Kp";

/* Unlike assert, also in builds without assertions. */
static void must(bool truth)
{
    if (!truth)
        abort();
}

/* The fuzzer may know the secret: it sees what bytes are compared with. */
static void check_error(struct slice input, const struct error *err)
{
    must(err->code != ERROR_NONE && err->message[0]);
    must(!strchr(err->message, '\n'));
    must(!strstr(err->message, SECRET) || memmem(input.data, input.size, SECRET, sizeof SECRET - 1));
    must(utf8_valid(err->message, strlen(err->message)));
}

static void check_literal(struct arena *arena, struct slice text)
{
    struct tvalue value, again;
    struct ttext repr;
    if (!literal_read(arena, text, &value))
        return;
    ttext_init(&repr, arena, TEMPLATE_TEXT_MAX);
    tvalue_repr(&repr, &value);
    struct slice written = ttext_slice_of(&repr);
    /* What is too large for a float is written as inf, which is no literal. */
    if (memmem(written.data, written.size, "inf", 3))
        return;
    must(literal_read(arena, written, &again) && tvalue_equal(arena, &value, &again));
}

static void check_dates(struct arena *arena, struct slice text)
{
    struct datetime datetime, again;
    struct duration duration;
    struct slice formatted;
    struct error err;
    char iso[DATETIME_TEXT_MAX];
    const char *line = memchr(text.data, '\n', text.size);
    struct slice first = {text.data, line ? (size_t)(line - text.data) : text.size};
    struct slice second =
        line ? (struct slice){line + 1, text.size - first.size - 1} : SLICE_LITERAL("%Y-%m-%d");
    if (duration_parse(first, &duration, &err) < 0)
        check_error(text, &err);
    if (datetime_parse(first, second, &datetime, &err) < 0 && datetime_isoparse(first, &datetime, &err) < 0) {
        check_error(text, &err);
        return;
    }
    if (datetime_format(arena, &datetime, second, &formatted, &err) < 0)
        check_error(text, &err);
    struct slice written = {iso, datetime_isoformat(&datetime, 'T', iso)};
    if (datetime.offset % 60 == 0) {
        must(datetime_isoparse(written, &again, &err) == 0);
        must(datetime_utc(&again) == datetime_utc(&datetime));
    }
}

static void check_template(struct arena *arena, struct slice text)
{
    struct json doc;
    struct error err;
    struct tvalue value;
    bool truth;
    must(json_parse_copy(arena, SCOPE, sizeof SCOPE - 1, &doc, &err) == 0);
    struct template_name names[8] = {{{0}}};
    struct template_scope scope = {.names = names};
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key))
        names[scope.count++] =
            (struct template_name){json_string(&doc, key, arena), tvalue_json(arena, &doc, json_value(key))};
    struct tvalue slice = tvalue_stream_slice(arena, names[1].value, tvalue_none(), names[2].value);
    scope.count += interpolate_scope_slice(names + scope.count, slice);
    struct interpolation *interpolation = interpolation_compile(arena, text, &err);
    if (!interpolation) {
        check_error(text, &err);
        return;
    }
    if (interpolation_string(interpolation, INTERPOLATE_ANY, &scope, arena, &value, &err) < 0) {
        check_error(text, &err);
    } else {
        struct ttext out;
        ttext_init(&out, arena, TEMPLATE_TEXT_MAX);
        tvalue_repr(&out, &value);
        must(utf8_valid(out.data ? out.data : "", out.size));
    }
    if (interpolation_boolean(interpolation, &scope, arena, &truth, &err) < 0)
        check_error(text, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SIZE_LONGEST)
        return 0;
    /* A block of exactly this size, so that the sanitizer sees what is read beyond. */
    char *source = size ? mem_dup(data, size) : mem_alloc(1);
    struct slice text = {source, size};
    struct arena arena;
    arena_init(&arena);
    check_template(&arena, text);
    if (utf8_valid(source, size)) {
        check_literal(&arena, text);
        check_dates(&arena, text);
    }
    arena_done(&arena);
    free(source);
    return 0;
}
