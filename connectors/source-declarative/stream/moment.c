#include "moment.h"

#include "source-declarative/template/big.h"

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
                 struct arena *arena, bool *ret_there, struct point *ret_point, struct error *err)
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
                struct point *ret_point, struct error *err)
{
    struct slice text;
    bool there;
    struct point other;
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
    if (there && other.at > ret_point->at)
        *ret_point = other;
    if (bound(&moment->max, scope, format, arena, &there, &other, err) != 0)
        return component_error(err, moment->where);
    if (there && other.at < ret_point->at)
        *ret_point = other;
    return 0;
}

static struct point point_of(const struct datetime *datetime)
{
    return (struct point){datetime_utc(datetime), datetime->offset};
}

/* On the clocks of its offset. */
static struct datetime datetime_of(struct point point)
{
    return (struct datetime){
        .local = point.at + point.offset * DATETIME_SECOND,
        .offset = point.offset,
        .zone = point.offset ? DATETIME_OFFSET : DATETIME_UTC,
    };
}

/* int() of a number with a fraction, as the CDK reads those that count units of time; a text with one is
 * none.
 */
static struct slice whole_text(struct arena *arena, const struct tvalue *value, struct slice text,
                               struct slice format)
{
    bool counts =
        slice_is(format, "%s") || slice_is(format, "%ms") || slice_is(format, "%epoch_microseconds");
    if (!counts || value->kind != TVALUE_FLOAT || !isfinite(value->number))
        return text;
    struct tvalue whole = integer_of_double(arena, trunc(value->number));
    return tvalue_text(arena, &whole);
}

int point_parse(struct arena *arena, const struct tvalue *value, const struct slice *formats, size_t count,
                struct point *ret_point, struct error *err)
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
        struct slice date = whole_text(arena, value, ttext_slice_of(&text), formats[i]);
        if (datetime_parse(date, formats[i], &datetime, &wrong) == 0) {
            *ret_point = point_of(&datetime);
            return 0;
        }
    }
    struct slice shown = ttext_slice_of(&text);
    shown.size = utf8_cut(shown.data, shown.size, 60);
    return error_set(err, ERROR_INVALID, "\"%.*s\" is no date of the format \"%.*s\"%s", SLICE_ARGS(shown),
                     SLICE_ARGS(formats[0]), count > 1 ? ", nor of the others" : "");
}

int point_format(struct arena *arena, struct point point, struct slice format, struct slice *ret_text,
                 struct error *err)
{
    struct datetime datetime = datetime_of(point);
    return datetime_format(arena, &datetime, format, ret_text, err);
}

struct point point_add(struct point point, const struct duration *duration, int sign)
{
    struct datetime datetime = datetime_of(point), sum;
    struct error wrong = {0};
    if (duration_add(&datetime, duration, sign, &sum, &wrong) != 0)
        return (struct point){.at = sign > 0 ? DATETIME_MAX : DATETIME_MIN};
    return point_of(&sum);
}

static int64_t floor_day(int64_t local)
{
    int64_t rest = local % DATETIME_DAY;
    return local - rest - (rest < 0 ? DATETIME_DAY : 0);
}

static int64_t month_start(int64_t local, bool next)
{
    struct datetime datetime = {.local = local, .zone = DATETIME_UTC};
    struct datetime_fields fields = datetime_fields(&datetime);
    fields.day = 1;
    fields.hour = fields.minute = fields.second = fields.microsecond = 0;
    if (next && ++fields.month > 12) {
        fields.month = 1;
        fields.year++;
    }
    datetime_of_fields(&fields, &local);
    return local;
}

struct point point_clamp(struct point point, enum clamping clamping, unsigned weekday, bool upwards)
{
    int64_t offset = point.offset * DATETIME_SECOND, local = point.at + offset;
    int64_t day = floor_day(local), start = day, next = day + DATETIME_DAY;
    switch (clamping) {
    case CLAMP_NONE:
        return point;
    case CLAMP_DAY:
        break;
    case CLAMP_WEEK: {
        int64_t days = day / DATETIME_DAY + 3; /* 1970-01-01 was a Thursday */
        int64_t since = ((days - (int64_t)weekday) % 7 + 7) % 7;
        start = day - since * DATETIME_DAY;
        next = start + 7 * DATETIME_DAY;
        break;
    }
    case CLAMP_MONTH:
        start = month_start(local, false);
        next = month_start(local, true);
        break;
    }
    /* On its first day a week or a month has not begun to be over, whatever the time. */
    bool inside = clamping == CLAMP_DAY ? start != local : start != day;
    point.at = (upwards && inside ? next : start) - offset;
    return point;
}
