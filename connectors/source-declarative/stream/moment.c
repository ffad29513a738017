#include "moment.h"

int moment_compile(struct engine *engine, struct component component, const char *field,
                   struct moment *ret_moment, struct error *err)
{
    struct component node = component_get(component, field);
    *ret_moment = (struct moment){.where = node};
    if (component_is_none(node))
        return 0;
    if (!component_is(node, "MinMaxDatetime"))
        return expression_compile(engine, component, field, &ret_moment->datetime, err);
    struct slice format = component_text(node, "datetime_format");
    if (format.data && format.size > 0 &&
        expression_compile(engine, node, "datetime_format", &ret_moment->format, err) != 0)
        return -1;
    if (expression_compile(engine, node, "datetime", &ret_moment->datetime, err) != 0 ||
        expression_compile(engine, node, "min_datetime", &ret_moment->min, err) != 0 ||
        expression_compile(engine, node, "max_datetime", &ret_moment->max, err) != 0)
        return -1;
    return 0;
}

/* A date of min_datetime or max_datetime may be empty: then it is none. */
static int bound(const struct expression *expression, struct scope *scope, struct slice format,
                 struct arena *arena, bool *ret_there, int64_t *ret_point, struct error *err)
{
    struct slice text;
    *ret_there = false;
    if (expression_is_absent(expression))
        return 0;
    if (expression_text(expression, scope, arena, &text, err) != 0)
        return -1;
    struct tvalue value = tvalue_string(text);
    *ret_there = text.size > 0;
    return *ret_there ? point_parse(arena, &value, &format, 1, ret_point, err) : 0;
}

int moment_eval(const struct moment *moment, struct scope *scope, struct slice format, struct arena *arena,
                int64_t *ret_point, struct error *err)
{
    struct slice text;
    bool there;
    int64_t other;
    if (!expression_is_absent(&moment->format) &&
        expression_text(&moment->format, scope, arena, &format, err) != 0)
        return -1;
    if (expression_text(&moment->datetime, scope, arena, &text, err) != 0)
        return -1;
    struct tvalue value = tvalue_string(text);
    if (point_parse(arena, &value, &format, 1, ret_point, err) != 0)
        return component_error(err, moment->where);
    if (bound(&moment->min, scope, format, arena, &there, &other, err) != 0)
        return component_error(err, moment->where);
    if (there && other > *ret_point)
        *ret_point = other;
    if (bound(&moment->max, scope, format, arena, &there, &other, err) != 0)
        return component_error(err, moment->where);
    if (there && other < *ret_point)
        *ret_point = other;
    return 0;
}

int point_parse(struct arena *arena, const struct tvalue *value, const struct slice *formats, size_t count,
                int64_t *ret_point, struct error *err)
{
    struct ttext text;
    struct datetime datetime;
    struct error wrong = {0};
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    if (value->kind == TVALUE_STRING)
        ttext_slice(&text, value->text);
    else
        tvalue_str(&text, value);
    for (size_t i = 0; i < count; i++) {
        if (datetime_parse(ttext_slice_of(&text), formats[i], &datetime, &wrong) == 0) {
            *ret_point = datetime_utc(&datetime);
            return 0;
        }
    }
    struct slice shown = ttext_slice_of(&text);
    shown.size = utf8_cut(shown.data, shown.size, 60);
    return error_set(err, ERROR_INVALID, "\"%.*s\" is no date of the format \"%.*s\"%s", SLICE_ARGS(shown),
                     SLICE_ARGS(formats[0]), count > 1 ? ", nor of the others" : "");
}

int point_format(struct arena *arena, int64_t point, struct slice format, struct slice *ret_text,
                 struct error *err)
{
    struct datetime datetime = {.local = point, .zone = DATETIME_UTC};
    return datetime_format(arena, &datetime, format, ret_text, err);
}

int64_t point_add(int64_t point, const struct duration *duration, int sign)
{
    struct datetime datetime = {.local = point, .zone = DATETIME_UTC}, sum;
    struct error wrong = {0};
    if (duration_add(&datetime, duration, sign, &sum, &wrong) != 0)
        return sign > 0 ? DATETIME_MAX : DATETIME_MIN;
    return datetime_utc(&sum);
}

static int64_t floor_day(int64_t point)
{
    int64_t rest = point % DATETIME_DAY;
    return point - rest - (rest < 0 ? DATETIME_DAY : 0);
}

static int64_t month_start(int64_t point, bool next)
{
    struct datetime datetime = {.local = point, .zone = DATETIME_UTC};
    struct datetime_fields fields = datetime_fields(&datetime);
    fields.day = 1;
    fields.hour = fields.minute = fields.second = fields.microsecond = 0;
    if (next && ++fields.month > 12) {
        fields.month = 1;
        fields.year++;
    }
    int64_t local = point;
    datetime_of_fields(&fields, &local);
    return local;
}

int64_t point_clamp(int64_t point, enum clamping clamping, unsigned weekday, bool upwards)
{
    int64_t day = floor_day(point), start = point, next = point;
    switch (clamping) {
    case CLAMP_NONE:
        return point;
    case CLAMP_DAY:
        start = day;
        next = day + DATETIME_DAY;
        break;
    case CLAMP_WEEK: {
        int64_t days = day / DATETIME_DAY + 3; /* 1970-01-01 was a Thursday */
        int64_t since = ((days - (int64_t)weekday) % 7 + 7) % 7;
        start = day - since * DATETIME_DAY;
        next = start + 7 * DATETIME_DAY;
        break;
    }
    case CLAMP_MONTH:
        start = month_start(point, false);
        next = month_start(point, true);
        break;
    }
    return upwards && start != point ? next : start;
}
