/* Attributes and methods of dates, times and durations. */
#include "base/calendar.h"
#include "run.h"

#define METHOD(name)                                                                    \
    static int name(struct run *run, const struct tvalue *self, const struct tvalue *a, \
                    struct tvalue *ret_value)

static struct tvalue zone_value(const struct datetime *datetime)
{
    if (datetime->zone == DATETIME_NAIVE)
        return tvalue_none();
    return tvalue_string(SLICE_LITERAL("UTC"));
}

static bool delta_attribute(const struct tvalue *value, struct slice name, struct tvalue *ret_value)
{
    bool duration = value->kind == TVALUE_DURATION;
    int64_t seconds = duration ? value->duration->seconds : value->seconds;
    uint32_t microseconds = duration ? value->duration->microseconds : value->at;
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    if (slice_is(name, "days"))
        *ret_value = tvalue_int(days);
    else if (slice_is(name, "seconds"))
        *ret_value = tvalue_int(seconds - days * 86400);
    else if (slice_is(name, "microseconds"))
        *ret_value = tvalue_int(microseconds);
    else if (duration && slice_is(name, "years"))
        *ret_value = tvalue_float(value->duration->years);
    else if (duration && slice_is(name, "months"))
        *ret_value = tvalue_float(value->duration->months);
    else if (duration && slice_is(name, "tdelta"))
        *ret_value = tvalue_timedelta(seconds, microseconds);
    else
        return false;
    /* Decimals in Python, written without fraction when they have none. */
    if (ret_value->kind == TVALUE_FLOAT && ret_value->number == trunc(ret_value->number))
        *ret_value = tvalue_int((int64_t)ret_value->number);
    return true;
}

bool datetime_attribute(struct run *run, const struct tvalue *value, struct slice name,
                        struct tvalue *ret_value)
{
    (void)run;
    if (value->kind == TVALUE_TIMEDELTA || value->kind == TVALUE_DURATION)
        return delta_attribute(value, name, ret_value);
    struct datetime_fields fields = datetime_fields(value->datetime);
    bool date = value->kind != TVALUE_TIME, time = value->kind != TVALUE_DATE;
    if (date && slice_is(name, "year"))
        *ret_value = tvalue_int(fields.year);
    else if (date && slice_is(name, "month"))
        *ret_value = tvalue_int(fields.month);
    else if (date && slice_is(name, "day"))
        *ret_value = tvalue_int(fields.day);
    else if (time && slice_is(name, "hour"))
        *ret_value = tvalue_int(fields.hour);
    else if (time && slice_is(name, "minute"))
        *ret_value = tvalue_int(fields.minute);
    else if (time && slice_is(name, "second"))
        *ret_value = tvalue_int(fields.second);
    else if (time && slice_is(name, "microsecond"))
        *ret_value = tvalue_int(fields.microsecond);
    else if (time && slice_is(name, "fold"))
        *ret_value = tvalue_int(0);
    else if (time && slice_is(name, "tzinfo"))
        *ret_value = zone_value(value->datetime);
    else
        return false;
    return true;
}

static int give(struct run *run, struct slice text, struct tvalue *ret_value)
{
    (void)run;
    *ret_value = tvalue_string(text);
    return 0;
}

METHOD(method_strftime)
{
    struct slice format, text;
    struct error err;
    if (run_string(run, &a[0], "a format", &format) < 0)
        return -1;
    if (datetime_strftime(run->arena, self->datetime, format, &text, &err) < 0)
        return run_error(run, &err);
    return give(run, text, ret_value);
}

/* timespec: how much of the time is written. */
static size_t cut_time(const struct datetime *datetime, struct slice spec, char *text, size_t size)
{
    unsigned microsecond = datetime_fields(datetime).microsecond;
    char zone[16];
    size_t time_end = 19 + (microsecond ? 7 : 0), zone_size = size - time_end;
    memcpy(zone, text + time_end, zone_size);
    size_t kept = slice_is(spec, "hours") ? 13 : slice_is(spec, "minutes") ? 16 : 19;
    if (slice_is(spec, "milliseconds"))
        kept = 19 + (size_t)snprintf(text + 19, 8, ".%03u", microsecond / 1000);
    else if (slice_is(spec, "microseconds"))
        kept = 19 + (size_t)snprintf(text + 19, 8, ".%06u", microsecond);
    memcpy(text + kept, zone, zone_size);
    return kept + zone_size;
}

METHOD(method_isoformat)
{
    static const char *const SPECS[] = {"auto",    "hours",        "minutes",
                                        "seconds", "milliseconds", "microseconds"};
    char text[DATETIME_TEXT_MAX + 16];
    char separator = 'T';
    struct slice spec = SLICE_LITERAL("auto"), given;
    bool known = false;
    if (!is_absent(&a[0])) {
        if (run_string(run, &a[0], "a separator", &given) < 0)
            return -1;
        if (given.size != 1)
            return run_type_error(run, "a separator is one character");
        separator = *given.data;
    }
    if (!is_absent(&a[1]) && run_string(run, &a[1], "a timespec", &spec) < 0)
        return -1;
    for (size_t i = 0; i < sizeof SPECS / sizeof *SPECS; i++)
        known = known || slice_is(spec, SPECS[i]);
    if (!known)
        return run_fail(run,
                        "a timespec is one of auto, hours, minutes, seconds, milliseconds, microseconds");
    size_t size = datetime_isoformat(self->datetime, separator, text);
    if (!slice_is(spec, "auto"))
        size = cut_time(self->datetime, spec, text, size);
    size_t from = self->kind == TVALUE_TIME ? 11 : 0;
    if (self->kind == TVALUE_DATE)
        size = 10;
    return give(run, (struct slice){arena_strndup(run->arena, text + from, size - from), size - from},
                ret_value);
}

METHOD(method_timestamp)
{
    (void)run, (void)a;
    *ret_value = tvalue_float(datetime_timestamp(self->datetime));
    return 0;
}

METHOD(method_date)
{
    (void)a;
    int64_t local = self->datetime->local;
    *ret_value = datetime_from(
        run, (struct datetime){.local = local - ((local % DATETIME_DAY) + DATETIME_DAY) % DATETIME_DAY});
    ret_value->kind = TVALUE_DATE;
    return 0;
}

METHOD(method_time)
{
    (void)a;
    int64_t local = self->datetime->local;
    *ret_value = datetime_from(
        run, (struct datetime){.local = ((local % DATETIME_DAY) + DATETIME_DAY) % DATETIME_DAY});
    ret_value->kind = TVALUE_TIME;
    return 0;
}

METHOD(method_weekday)
{
    (void)run, (void)a;
    *ret_value = tvalue_int(datetime_fields(self->datetime).weekday);
    return 0;
}

METHOD(method_isoweekday)
{
    (void)run, (void)a;
    *ret_value = tvalue_int(datetime_fields(self->datetime).weekday + 1);
    return 0;
}

METHOD(method_isocalendar)
{
    (void)a;
    struct datetime_fields fields = datetime_fields(self->datetime);
    int64_t year;
    unsigned week, weekday;
    datetime_iso_week(&fields, &year, &week, &weekday);
    struct tvalue parts[] = {tvalue_int(year), tvalue_int(week), tvalue_int(weekday)};
    *ret_value = tvalue_tuple(run->arena, parts, 3);
    ret_value->flags = TVALUE_CALENDAR;
    return 0;
}

METHOD(method_toordinal)
{
    (void)run, (void)a;
    int64_t local = self->datetime->local;
    int64_t days = local / DATETIME_DAY - (local % DATETIME_DAY < 0);
    *ret_value = tvalue_int(days + 719163);
    return 0;
}

METHOD(method_ctime)
{
    (void)a;
    struct slice text;
    struct error err;
    if (datetime_strftime(run->arena, self->datetime, SLICE_LITERAL("%a %b %e %H:%M:%S %Y"), &text, &err) < 0)
        return run_error(run, &err);
    return give(run, text, ret_value);
}

METHOD(method_utcoffset)
{
    (void)run, (void)a;
    *ret_value =
        self->datetime->zone == DATETIME_NAIVE ? tvalue_none() : tvalue_timedelta(self->datetime->offset, 0);
    return 0;
}

METHOD(method_tzname)
{
    (void)a;
    struct slice text;
    struct error err;
    *ret_value = tvalue_none();
    if (self->datetime->zone == DATETIME_NAIVE)
        return 0;
    if (datetime_strftime(run->arena, self->datetime, SLICE_LITERAL("%Z"), &text, &err) < 0)
        return run_error(run, &err);
    return give(run, text, ret_value);
}

/* Without a zone's own object only one to UTC is known: none given is the machine's, which is UTC here. */
METHOD(method_astimezone)
{
    struct datetime datetime = *self->datetime;
    if (!is_unset(&a[0]) && a[0].kind != TVALUE_STRING)
        return run_type_error(run, "a time zone is needed, not %s", tvalue_type(&a[0]));
    datetime.local = datetime_utc(&datetime);
    datetime.offset = 0;
    datetime.zone = DATETIME_UTC;
    if (!datetime_in_range(datetime.local))
        return run_fail(run, "a date is out of the years 1 to 9999");
    *ret_value = datetime_from(run, datetime);
    return 0;
}

static int replace_field(struct run *run, const struct tvalue *given, unsigned *field)
{
    int64_t number;
    if (is_absent(given))
        return 0;
    if (!tvalue_is_integer(given) && given->kind != TVALUE_BOOL)
        return run_type_error(run, "a part of a date must be an integer, not %s", tvalue_type(given));
    if (run_index(run, given, &number) < 0)
        return -1;
    *field = number < 0 || number > 999999 ? UINT32_MAX : (unsigned)number;
    return 0;
}

METHOD(method_replace)
{
    struct datetime datetime = *self->datetime;
    struct datetime_fields fields = datetime_fields(&datetime);
    unsigned year = (unsigned)fields.year;
    unsigned *const parts[] = {&year,          &fields.month,  &fields.day,        &fields.hour,
                               &fields.minute, &fields.second, &fields.microsecond};
    for (int i = 0; i < 7; i++) {
        if (replace_field(run, &a[i], parts[i]) < 0)
            return -1;
    }
    fields.year = year;
    if (!datetime_of_fields(&fields, &datetime.local))
        return run_fail(run, "there is no such day or time");
    if (!is_absent(&a[7])) {
        datetime.zone = a[7].kind == TVALUE_NONE ? DATETIME_NAIVE : DATETIME_UTC;
        datetime.offset = 0;
    }
    *ret_value = datetime_from(run, datetime);
    ret_value->kind = self->kind;
    return 0;
}

METHOD(method_replace_date)
{
    struct tvalue all[8];
    for (int i = 0; i < 8; i++)
        all[i] = i < 3 ? a[i] : absent();
    return method_replace(run, self, all, ret_value);
}

METHOD(method_strptime)
{
    (void)self;
    struct slice text, format;
    struct datetime datetime;
    struct error err;
    if (run_string(run, &a[0], "a date", &text) < 0 || run_string(run, &a[1], "a format", &format) < 0)
        return -1;
    if (datetime_strptime(text, format, &datetime, &err) < 0)
        return run_error(run, &err);
    *ret_value = datetime_from(run, datetime);
    return 0;
}

/* datetime.fromisoformat: what isoparse reads too, but for its stranger forms. */
METHOD(method_fromisoformat)
{
    struct slice text;
    struct datetime datetime;
    struct error err;
    if (run_string(run, &a[0], "a date", &text) < 0)
        return -1;
    if (text.size < 7 || datetime_isoparse(text, &datetime, &err) < 0)
        return run_fail(run, "a text is no date of ISO 8601");
    if (datetime.zone == DATETIME_TZ_OFFSET)
        datetime.zone = datetime.offset ? DATETIME_OFFSET : DATETIME_UTC;
    *ret_value = datetime_from(run, datetime);
    ret_value->kind = self->kind;
    return 0;
}

METHOD(method_fromtimestamp)
{
    struct datetime datetime;
    struct error err;
    double number;
    if (!tvalue_is_number(&a[0]))
        return run_type_error(run, "a timestamp is a number, not %s", tvalue_type(&a[0]));
    if (run_to_float(run, &a[0], &number) < 0)
        return -1;
    if (datetime_of_timestamp(number, &datetime, &err) < 0)
        return run_error(run, &err);
    if (is_unset(&a[1]))
        datetime.zone = DATETIME_NAIVE;
    *ret_value = datetime_from(run, datetime);
    if (self->kind == TVALUE_DATE) {
        struct tvalue moment = *ret_value;
        return method_date(run, &moment, a, ret_value);
    }
    return 0;
}

METHOD(method_total_seconds)
{
    (void)run, (void)a;
    bool duration = self->kind == TVALUE_DURATION;
    int64_t seconds = duration ? self->duration->seconds : self->seconds;
    uint32_t microseconds = duration ? self->duration->microseconds : self->at;
    *ret_value = tvalue_float((double)((long double)seconds + (long double)microseconds / 1000000));
    return 0;
}

const struct builtin methods_datetime[] = {
    {.name = "strftime", .function = method_strftime, .required = 1, .parameters = {"format"}},
    {.name = "isoformat", .function = method_isoformat, .parameters = {"sep", "timespec"}},
    {.name = "timestamp", .function = method_timestamp},
    {.name = "date", .function = method_date},
    {.name = "time", .function = method_time},
    {.name = "weekday", .function = method_weekday},
    {.name = "isoweekday", .function = method_isoweekday},
    {.name = "isocalendar", .function = method_isocalendar},
    {.name = "toordinal", .function = method_toordinal},
    {.name = "ctime", .function = method_ctime},
    {.name = "utcoffset", .function = method_utcoffset},
    {.name = "tzname", .function = method_tzname},
    {.name = "astimezone", .function = method_astimezone, .parameters = {"tz"}},
    {.name = "replace",
     .function = method_replace,
     .parameters = {"year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"}},
    {.name = "strptime", .function = method_strptime, .required = 2, .parameters = {"date_string", "format"}},
    {.name = "fromisoformat", .function = method_fromisoformat, .required = 1, .parameters = {"date_string"}},
    {.name = "fromtimestamp",
     .function = method_fromtimestamp,
     .required = 1,
     .parameters = {"timestamp", "tz"}},
    {.name = "utcfromtimestamp",
     .function = method_fromtimestamp,
     .required = 1,
     .parameters = {"timestamp"}},
    {.name = NULL},
};

const struct builtin methods_date[] = {
    {.name = "strftime", .function = method_strftime, .required = 1, .parameters = {"format"}},
    {.name = "isoformat", .function = method_isoformat},
    {.name = "weekday", .function = method_weekday},
    {.name = "isoweekday", .function = method_isoweekday},
    {.name = "isocalendar", .function = method_isocalendar},
    {.name = "toordinal", .function = method_toordinal},
    {.name = "ctime", .function = method_ctime},
    {.name = "replace", .function = method_replace_date, .parameters = {"year", "month", "day"}},
    {.name = "fromisoformat", .function = method_fromisoformat, .required = 1, .parameters = {"date_string"}},
    {.name = "fromtimestamp",
     .function = method_fromtimestamp,
     .required = 1,
     .parameters = {"timestamp", "tz"}},
    {.name = NULL},
};

const struct builtin methods_time[] = {
    {.name = "strftime", .function = method_strftime, .required = 1, .parameters = {"format"}},
    {.name = "isoformat", .function = method_isoformat, .parameters = {"sep", "timespec"}},
    {.name = NULL},
};

const struct builtin methods_timedelta[] = {
    {.name = "total_seconds", .function = method_total_seconds},
    {.name = NULL},
};
