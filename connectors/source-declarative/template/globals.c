/* Global functions: the CDK's macros, and Jinja's own. */
#include "base/zone.h"
#include "interpolate.h"
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#define GLOBAL(name)                                                                    \
    static int name(struct run *run, const struct tvalue *self, const struct tvalue *a, \
                    struct tvalue *ret_value)

/* --- times --------------------------------------------------------------------------------------- */

struct tvalue datetime_from(struct run *run, struct datetime datetime)
{
    run->memory += sizeof datetime;
    return tvalue_datetime(run->arena, datetime);
}

GLOBAL(global_now_utc)
{
    (void)self, (void)a;
    *ret_value = datetime_from(run, (struct datetime){.local = run_now(run), .zone = DATETIME_UTC});
    return 0;
}

static struct tvalue date_of(struct run *run, int64_t local)
{
    struct tvalue date = datetime_from(
        run, (struct datetime){.local = local - ((local % DATETIME_DAY) + DATETIME_DAY) % DATETIME_DAY});
    date.kind = TVALUE_DATE;
    return date;
}

GLOBAL(global_today_utc)
{
    (void)self, (void)a;
    *ret_value = date_of(run, run_now(run));
    return 0;
}

GLOBAL(global_today_with_timezone)
{
    (void)self;
    struct slice name;
    struct error err;
    if (run_string(run, &a[0], "a time zone", &name) < 0)
        return -1;
    mem_auto(zone_free) struct zone *zone = zone_load(arena_strndup(run->arena, name.data, name.size), &err);
    if (!zone)
        return run_fail(run, "there is no time zone '%.*s' on this machine",
                        SLICE_ARGS(run_shown(run, name)));
    int64_t now = run_now(run);
    *ret_value = date_of(run, now + zone_offset(zone, now / DATETIME_SECOND) * DATETIME_SECOND);
    return 0;
}

/* str_to_datetime of the CDK. */
static int read_datetime(struct run *run, const struct tvalue *value, struct datetime *ret_datetime)
{
    struct error err;
    if (value->kind == TVALUE_UNDEFINED)
        return run_undefined(run, value);
    bool sized = tvalue_is_sequence(value) || tvalue_is_mapping(value);
    if (sized && tvalue_count(value) < 4) /* its length is looked at first */
        return run_fail(run, "a date must be a text, not %s", tvalue_type(value));
    if (value->kind != TVALUE_STRING)
        return run_type_error(run, "a date must be a text, not %s", tvalue_type(value));
    if (datetime_isoparse(value->text, ret_datetime, &err) < 0)
        return run_error(run, &err);
    ret_datetime->local = datetime_utc(ret_datetime);
    ret_datetime->offset = 0;
    ret_datetime->zone = DATETIME_PYTZ_UTC;
    if (!datetime_in_range(ret_datetime->local))
        return run_fail(run, "a date is out of the years 1 to 9999");
    return 0;
}

GLOBAL(global_str_to_datetime)
{
    (void)self;
    struct datetime datetime;
    if (read_datetime(run, &a[0], &datetime) < 0)
        return -1;
    *ret_value = datetime_from(run, datetime);
    return 0;
}

GLOBAL(global_timestamp)
{
    (void)self;
    struct datetime datetime;
    if (tvalue_is_number(&a[0]))
        return run_to_integer(run, &a[0], 10, ret_value);
    if (read_datetime(run, &a[0], &datetime) < 0)
        return -1;
    *ret_value = tvalue_float(datetime_timestamp(&datetime));
    return 0;
}

GLOBAL(global_day_delta)
{
    (void)self;
    struct datetime now = {.local = run_now(run), .zone = DATETIME_UTC};
    struct slice format = SLICE_LITERAL("%Y-%m-%dT%H:%M:%S.%f%z"), text;
    struct error err;
    if (!tvalue_is_number(&a[0]))
        return run_type_error(run, "day_delta needs a number of days, not %s", tvalue_type(&a[0]));
    if (!is_absent(&a[1]) && run_string(run, &a[1], "a format", &format) < 0)
        return -1;
    double days = tvalue_to_double(&a[0]);
    if (!(fabs(days) < 1e7))
        return run_fail(run, "a date is out of the years 1 to 9999");
    now.local += (int64_t)rint(days * (double)DATETIME_DAY);
    if (!datetime_in_range(now.local))
        return run_fail(run, "a date is out of the years 1 to 9999");
    if (datetime_strftime(run->arena, &now, format, &text, &err) < 0)
        return run_error(run, &err);
    *ret_value = tvalue_string(text);
    return 0;
}

GLOBAL(global_duration)
{
    (void)self;
    struct duration duration;
    struct slice text;
    struct error err;
    if (run_string(run, &a[0], "a duration", &text) < 0)
        return -1;
    if (duration_parse(text, &duration, &err) < 0)
        return run_error(run, &err);
    if (!duration.is_duration)
        *ret_value = tvalue_timedelta(duration.seconds, duration.microseconds);
    else
        *ret_value = (struct tvalue){.kind = TVALUE_DURATION,
                                     .duration = arena_dup(run->arena, &duration, sizeof duration)};
    return 0;
}

/* The date that format_datetime formats. */
static int parse_for_format(struct run *run, const struct tvalue *value, const struct tvalue *input_format,
                            struct datetime *ret_datetime)
{
    struct error err;
    struct slice format = SLICE_LITERAL("%s");
    bool given = !is_absent(input_format) && tvalue_true(input_format);
    if (given && run_string(run, input_format, "an input format", &format) < 0)
        return -1;
    if (tvalue_is_integer(value) || value->kind == TVALUE_BOOL) {
        struct tvalue text;
        if (run_str_value(run, value, &text) < 0)
            return -1;
        if (value->kind == TVALUE_BOOL)
            text = tvalue_string(value->boolean ? SLICE_LITERAL("1") : SLICE_LITERAL("0"));
        return datetime_parse(text.text, format, ret_datetime, &err) < 0 ? run_error(run, &err) : 0;
    }
    if (!given)
        return read_datetime(run, value, ret_datetime);
    if (value->kind != TVALUE_STRING)
        return run_type_error(run, "a date must be a text, not %s", tvalue_type(value));
    if (datetime_strptime(value->text, format, ret_datetime, &err) < 0)
        return run_error(run, &err);
    if (ret_datetime->zone == DATETIME_NAIVE)
        ret_datetime->zone = DATETIME_PYTZ_UTC;
    return 0;
}

GLOBAL(global_format_datetime)
{
    (void)self;
    struct datetime datetime;
    struct slice format, text;
    struct error err;
    if (a[0].kind == TVALUE_DATETIME) {
        if (run_string(run, &a[1], "a format", &format) < 0)
            return -1;
        if (datetime_strftime(run->arena, a[0].datetime, format, &text, &err) < 0)
            return run_error(run, &err);
        *ret_value = tvalue_string(text);
        return 0;
    }
    if (parse_for_format(run, &a[0], &a[2], &datetime) < 0 || run_string(run, &a[1], "a format", &format) < 0)
        return -1;
    if (datetime_format(run->arena, &datetime, format, &text, &err) < 0)
        return run_error(run, &err);
    *ret_value = tvalue_string(text);
    return 0;
}

/* --- others of the CDK --------------------------------------------------------------------------- */

/* builtins.max and min: of several arguments, or of one iterable. */
static int extreme(struct run *run, const struct call *call, bool max, struct tvalue *ret_value)
{
    struct tvalue list;
    if (call->keyword_count || !call->count)
        return run_type_error(run, "%s needs values, by position", max ? "max" : "min");
    list = tvalue_tuple(run->arena, call->positional, call->count);
    if (call->count == 1 && run_to_list(run, &call->positional[0], &list) < 0)
        return -1;
    if (!list.list->count)
        return run_fail(run, "%s of nothing", max ? "max" : "min");
    *ret_value = list.list->items[0];
    for (uint32_t i = 1; i < list.list->count; i++) {
        bool better;
        const struct tvalue *item = &list.list->items[i];
        if (run_step(run) < 0 ||
            (max ? run_less(run, ret_value, item, &better) : run_less(run, item, ret_value, &better)) < 0)
            return -1;
        if (better)
            *ret_value = *item;
    }
    return 0;
}

static int global_max(struct run *run, const struct tvalue *self, const struct call *call,
                      struct tvalue *ret_value)
{
    (void)self;
    return extreme(run, call, true, ret_value);
}

static int global_min(struct run *run, const struct tvalue *self, const struct call *call,
                      struct tvalue *ret_value)
{
    (void)self;
    return extreme(run, call, false, ret_value);
}

/* urllib.parse.quote_plus; its result for what is not a text depends on how it gets there. */
GLOBAL(global_sanitize_url)
{
    (void)self;
    struct ttext out;
    if (a[0].kind != TVALUE_STRING && a[0].kind != TVALUE_BYTES)
        return run_type_error(run, "sanitize_url needs a text, not %s", tvalue_type(&a[0]));
    run_text_init(run, &out);
    text_quote(&out, a[0].text, "", true);
    return run_text(run, &out, ret_value);
}

GLOBAL(global_camel_case_to_snake_case)
{
    (void)self;
    struct slice text;
    struct ttext out;
    if (run_string(run, &a[0], "a name", &text) < 0)
        return -1;
    run_text_init(run, &out);
    for (size_t i = 0; i < text.size; i++) {
        if (i && text.data[i] >= 'A' && text.data[i] <= 'Z')
            ttext_byte(&out, '_');
        ttext_byte(&out, text.data[i]);
    }
    *ret_value = tvalue_string(unicode_lower(run->arena, ttext_slice_of(&out)));
    return run_charge(run, 2 * out.size);
}

GLOBAL(global_generate_uuid)
{
    (void)self, (void)a;
    char text[37];
    random_uuid(text);
    *ret_value = tvalue_string((struct slice){arena_strdup(run->arena, text), 36});
    return 0;
}

const struct builtin globals_cdk[] = {
    {.name = "now_utc", .function = global_now_utc},
    {.name = "today_utc", .function = global_today_utc},
    {.name = "today_with_timezone",
     .function = global_today_with_timezone,
     .required = 1,
     .parameters = {"timezone"}},
    {.name = "timestamp", .function = global_timestamp, .required = 1, .parameters = {"dt"}},
    {.name = "str_to_datetime", .function = global_str_to_datetime, .required = 1, .parameters = {"s"}},
    {.name = "max", .any = global_max},
    {.name = "min", .any = global_min},
    {.name = "day_delta", .function = global_day_delta, .required = 1, .parameters = {"num_days", "format"}},
    {.name = "duration", .function = global_duration, .required = 1, .parameters = {"datestring"}},
    {.name = "format_datetime",
     .function = global_format_datetime,
     .required = 2,
     .parameters = {"dt", "format", "input_format"}},
    {.name = "sanitize_url", .function = global_sanitize_url, .required = 1, .parameters = {"value"}},
    {.name = "camel_case_to_snake_case",
     .function = global_camel_case_to_snake_case,
     .required = 1,
     .parameters = {"value"}},
    {.name = "generate_uuid", .function = global_generate_uuid},
    {.name = NULL},
};

/* --- Jinja's ------------------------------------------------------------------------------------- */

/* dict(): a mapping or pairs, and keywords. */
static int fill_dict(struct run *run, const struct call *call, struct tdict *dict)
{
    struct titer iter;
    struct tvalue item, pair;
    uint64_t hash;
    if (call->count > 1)
        return run_type_error(run, "dict takes one argument and keywords");
    if (call->count && run_iterate(run, &call->positional[0], &iter) < 0)
        return -1;
    bool mapping = call->count && tvalue_is_mapping(&call->positional[0]);
    while (call->count && titer_next(&iter, &item)) {
        struct tvalue key = item, value = iter.of_key;
        if (!mapping) {
            if (run_to_list(run, &item, &pair) < 0)
                return -1;
            if (pair.list->count != 2)
                return run_fail(run, "dict needs pairs of key and value");
            key = pair.list->items[0];
            value = pair.list->items[1];
        }
        if (run_key(run, &key) < 0)
            return -1;
        if (!tvalue_hash(run->arena, &key, &hash))
            return run_type_error(run, "a value of type %s cannot be a key", tvalue_type(&key));
        if (run_step(run) < 0 || run_charge(run, 2 * sizeof(struct tentry)) < 0)
            return -1;
        tdict_set(run->arena, dict, key, value);
    }
    for (uint32_t i = 0; i < call->keyword_count; i++)
        tdict_set(run->arena, dict, tvalue_string(call->keywords[i].name), call->keywords[i].value);
    return 0;
}

static int global_dict(struct run *run, const struct tvalue *self, const struct call *call,
                       struct tvalue *ret_value)
{
    (void)self;
    *ret_value = tvalue_dict(run->arena);
    return fill_dict(run, call, ret_value->dict);
}

static int global_namespace(struct run *run, const struct tvalue *self, const struct call *call,
                            struct tvalue *ret_value)
{
    if (global_dict(run, self, call, ret_value) < 0)
        return -1;
    ret_value->kind = TVALUE_NAMESPACE;
    return 0;
}

/* The cycler's position is in its list's capacity: the list never grows. */
static int global_cycler(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    (void)self;
    if (!call->count || call->keyword_count)
        return run_fail(run, "a cycler needs items");
    struct tvalue cycler = tvalue_tuple(run->arena, call->positional, call->count);
    cycler.kind = TVALUE_CYCLER;
    cycler.list->capacity = 0;
    *ret_value = cycler;
    return 0;
}

GLOBAL(cycler_next)
{
    (void)run, (void)a;
    *ret_value = self->list->items[self->list->capacity];
    self->list->capacity = (self->list->capacity + 1) % self->list->count;
    return 0;
}

GLOBAL(cycler_reset)
{
    (void)run, (void)a;
    self->list->capacity = 0;
    *ret_value = tvalue_none();
    return 0;
}

GLOBAL(global_joiner)
{
    (void)self;
    struct tvalue state[2] = {is_absent(&a[0]) ? tvalue_string(SLICE_LITERAL(", ")) : a[0],
                              tvalue_bool(false)};
    *ret_value =
        (struct tvalue){.kind = TVALUE_JOINER, .pointer = arena_dup(run->arena, state, sizeof state)};
    return 0;
}

static int global_lipsum(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    (void)self, (void)call, (void)ret_value;
    return run_fail(run, "lipsum() is not supported: it makes text at random");
}

GLOBAL(given_json_loads)
{
    (void)self;
    struct slice text;
    struct error ignored;
    struct json *doc = arena_zalloc(run->arena, sizeof *doc);
    if (a[0].kind != TVALUE_STRING && a[0].kind != TVALUE_BYTES)
        return run_type_error(run, "json_loads of a %s", tvalue_type(&a[0]));
    text = a[0].text;
    run->memory += text.size;
    if (json_parse_copy(run->arena, text.data, text.size, doc, &ignored) != 0)
        return run_fail(run, "json_loads of a text that is no JSON");
    *ret_value = tvalue_json(run->arena, doc, 0);
    return 0;
}

struct tvalue interpolate_json_loads(void)
{
    static const struct builtin json_loads = {
        .name = "json_loads", .function = given_json_loads, .parameters = {"s"}, .required = 1};
    return (struct tvalue){.kind = TVALUE_FUNCTION, .pointer = (void *)&json_loads};
}

const struct builtin globals_jinja[] = {
    {.name = "dict", .any = global_dict},
    {.name = "namespace", .any = global_namespace},
    {.name = "cycler", .any = global_cycler},
    {.name = "joiner", .function = global_joiner, .parameters = {"sep"}},
    {.name = "lipsum", .any = global_lipsum},
    {.name = NULL},
};

const struct builtin methods_cycler[] = {
    {.name = "next", .function = cycler_next},
    {.name = "reset", .function = cycler_reset},
    {.name = NULL},
};
