/* The cursor of a stream: from the manifest, and what is the same with and without partitions. */
#include "cursor_parts.h"

#include <math.h>

static int compile_duration(struct engine *engine, struct component component, const char *field,
                            bool *ret_there, struct duration *ret_duration, struct error *err)
{
    struct expression expression;
    struct scope scope;
    struct slice text;
    if (expression_compile(engine, component, field, &expression, err) != 0)
        return -1;
    *ret_there = !expression_is_absent(&expression);
    if (!*ret_there)
        return 0;
    scope_init(&scope, engine);
    if (expression_text(&expression, &scope, &engine->arena, &text, err) != 0)
        return -1;
    *ret_there = text.size > 0;
    if (*ret_there && duration_parse(text, ret_duration, err) != 0)
        return component_error(err, expression.where);
    return 0;
}

static int compile_text(struct engine *engine, struct component component, const char *field,
                        const char *otherwise, struct slice *ret_text, struct error *err)
{
    struct expression expression;
    struct scope scope;
    scope_init(&scope, engine);
    *ret_text = slice_of(otherwise);
    if (expression_compile(engine, component, field, &expression, err) != 0)
        return -1;
    if (expression_is_absent(&expression))
        return 0;
    if (expression_text(&expression, &scope, &engine->arena, ret_text, err) != 0)
        return -1;
    if (ret_text->size == 0)
        *ret_text = slice_of(otherwise);
    return 0;
}

static const char *const WEEKDAYS[] = {"MONDAY", "TUESDAY",  "WEDNESDAY", "THURSDAY",
                                       "FRIDAY", "SATURDAY", "SUNDAY"};

static int compile_clamping(struct engine *engine, struct component component, struct windowing *windowing,
                            struct error *err)
{
    struct component clamping = component_get(component, "clamping");
    struct slice target, day;
    if (component_is_none(clamping))
        return 0;
    if (compile_text(engine, clamping, "target", "", &target, err) != 0)
        return -1;
    if (slice_is(target, "DAY"))
        windowing->clamping = CLAMP_DAY;
    else if (slice_is(target, "MONTH"))
        windowing->clamping = CLAMP_MONTH;
    else if (slice_is(target, "WEEK"))
        windowing->clamping = CLAMP_WEEK;
    else if (target.size > 0) {
        error_set(err, ERROR_INVALID, "clamping's target \"%.*s\" is not DAY, WEEK or MONTH",
                  SLICE_ARGS(target));
        return component_error(err, clamping);
    }
    if (windowing->clamping != CLAMP_WEEK)
        return 0;
    if (compile_text(engine, component_get(clamping, "target_details"), "weekday", "", &day, err) != 0)
        return -1;
    for (unsigned i = 0; i < 7; i++) {
        if (slice_is(day, WEEKDAYS[i])) {
            windowing->weekday = i;
            return 0;
        }
    }
    error_set(err, ERROR_INVALID, "clamping to weeks needs target_details.weekday: MONDAY to SUNDAY");
    return component_error(err, clamping);
}

static int compile_formats(struct cursor *cursor, struct engine *engine, struct component component,
                           struct error *err)
{
    struct component list = component_get(component, "cursor_datetime_formats");
    size_t count = component_is_none(list) ? 0 : component_count(list);
    if (compile_text(engine, component, "datetime_format", "", &cursor->format, err) != 0)
        return -1;
    struct slice *formats = arena_alloc(&engine->arena, (count + 1) * sizeof *formats);
    for (size_t i = 0; i < count; i++) {
        struct component format = component_at(list, i);
        formats[i] = json_string(&format.manifest->doc, format.at, &engine->arena);
    }
    formats[count++] = cursor->format; /* that of the cursor's own states, also where others are named */
    cursor->formats = formats;
    cursor->format_count = count;
    return 0;
}

static int compile_datetime(struct cursor *cursor, struct engine *engine, struct component component,
                            struct error *err)
{
    struct windowing *windowing = &cursor->windowing;
    if (compile_formats(cursor, engine, component, err) != 0 ||
        moment_compile(engine, component, "start_datetime", &cursor->start, err) != 0 ||
        moment_compile(engine, component, "end_datetime", &cursor->end, err) != 0 ||
        compile_duration(engine, component, "step", &windowing->has_step, &windowing->step, err) != 0 ||
        compile_duration(engine, component, "cursor_granularity", &windowing->has_granularity,
                         &windowing->granularity, err) != 0 ||
        compile_duration(engine, component, "lookback_window", &windowing->has_lookback, &windowing->lookback,
                         err) != 0 ||
        compile_clamping(engine, component, windowing, err) != 0 ||
        compile_text(engine, component, "partition_field_start", "start_time", &cursor->start_field, err) !=
            0 ||
        compile_text(engine, component, "partition_field_end", "end_time", &cursor->end_field, err) != 0 ||
        request_option_compile(engine, component, "start_time_option", &cursor->start_option, err) != 0 ||
        request_option_compile(engine, component, "end_time_option", &cursor->end_option, err) != 0)
        return -1;
    if (windowing->has_step != windowing->has_granularity) {
        error_set(err, ERROR_INVALID, "step and cursor_granularity go together: %s is missing",
                  windowing->has_step ? "cursor_granularity" : "step");
        return component_error(err, component);
    }
    cursor->uses_global = cursor->prefers_global = component_bool(component, "global_substream_cursor");
    windowing->strict = component_bool(component, "is_compare_strictly");
    cursor->is_data_feed = component_bool(component, "is_data_feed");
    cursor->is_client_side = component_bool(component, "is_client_side_incremental");
    cursor->state_is_window_end = component_bool(component, "state_is_window_end");
    return 0;
}

static int compile_count(struct cursor *cursor, struct engine *engine, struct component component,
                         struct error *err)
{
    cursor->windowing.counts = true;
    cursor->start_field = SLICE_LITERAL("start");
    cursor->end_field = SLICE_LITERAL("end");
    if (expression_compile(engine, component, "start_value", &cursor->start_value, err) != 0)
        return -1;
    return request_option_compile(engine, component, "start_value_option", &cursor->start_option, err);
}

/* The catalog's cursor field, where it names one. */
static int take_chosen_field(struct engine *engine, const char *stream_name, struct slice *field,
                             struct error *err)
{
    const struct engine_selected *selected = engine_selected(engine, stream_name);
    if (!selected || !selected->cursor || selected->cursor[0] != '/' || !selected->cursor[1])
        return 0;
    const char *from = selected->cursor + 1;
    if (strchr(from, '/'))
        return error_set(err, ERROR_INVALID,
                         "the catalog's cursor field %s is inside of another one, which this stream has not",
                         selected->cursor);
    char *name = arena_strdup(&engine->arena, from);
    size_t size = 0;
    for (; *from; from++) { /* ~0 and ~1 of JSON Pointers */
        bool escaped = *from == '~' && (from[1] == '0' || from[1] == '1');
        name[size++] = escaped ? (*++from == '0' ? '~' : '/') : *from;
    }
    *field = (struct slice){name, size};
    return 0;
}

int cursor_compile(struct engine *engine, struct component component, bool has_partitions,
                   const char *stream_name, struct cursor **ret_cursor, struct error *err)
{
    struct cursor *cursor = arena_zalloc(&engine->arena, sizeof *cursor);
    struct slice field;
    cursor->engine = engine;
    cursor->where = component;
    cursor->stream_name = stream_name;
    cursor->has_partitions = has_partitions;
    *ret_cursor = cursor;
    if (component_is_none(component))
        return 0;
    cursor->kind = component_is(component, "IncrementingCountCursor") ? CURSOR_COUNT : CURSOR_DATETIME;
    if (cursor->kind == CURSOR_DATETIME && !component_is(component, "DatetimeBasedCursor")) {
        error_set(err, ERROR_UNSUPPORTED, "it is no cursor that Firth has");
        return component_error(err, component);
    }
    if (compile_text(engine, component, "cursor_field", "", &field, err) != 0)
        return -1;
    cursor->is_free = component_bool(component, "allow_catalog_defined_cursor_field");
    if (cursor->is_free && take_chosen_field(engine, stream_name, &field, err) != 0)
        return component_error(err, component);
    cursor->field = field;
    struct buffer pointer;
    buffer_init(&pointer, TEMPLATE_TEXT_MAX);
    json_pointer_push(&pointer, field);
    cursor->pointer = arena_strdup(&engine->arena, buffer_cstr(&pointer));
    buffer_done(&pointer);
    return cursor->kind == CURSOR_COUNT ? compile_count(cursor, engine, component, err)
                                        : compile_datetime(cursor, engine, component, err);
}

const char *cursor_field(const struct cursor *cursor)
{
    return cursor->pointer;
}
struct tvalue cursor_state_at(const struct cursor *cursor, struct arena *arena, struct tvalue value)
{
    struct tvalue state = tvalue_dict(arena);
    if (cursor->kind == CURSOR_NONE)
        return tvalue_none();
    tdict_set(arena, state.dict, tvalue_string(cursor->field), value);
    return state;
}
bool cursor_field_is_free(const struct cursor *cursor)
{
    return cursor->is_free;
}
bool cursor_is_data_feed(const struct cursor *cursor)
{
    return cursor->is_data_feed;
}
bool cursor_is_client_side(const struct cursor *cursor)
{
    return cursor->is_client_side;
}

/* --- points -------------------------------------------------------------------------------------- */

/* Of a number that counts the offset says whether it is written with a point, as 1.0 is. */
static int count_of(const struct tvalue *value, struct point *ret_point, struct error *err)
{
    if (value->kind == TVALUE_INT) {
        *ret_point = (struct point){.at = value->integer};
        return 0;
    }
    if (value->kind == TVALUE_FLOAT && value->number > -9e15 && value->number < 9e15) {
        double whole = floor(value->number);
        *ret_point = (struct point){.at = (int64_t)whole, .offset = whole == value->number};
        return 0;
    }
    return error_set(err, ERROR_INVALID, "a counting cursor needs numbers of 64 bits, and here is a %s",
                     value->kind == TVALUE_BIG ? "larger one" : tvalue_type(value));
}

int cursor_parse(const struct cursor *cursor, struct arena *arena, const struct tvalue *value,
                 struct point *ret_point, struct error *err)
{
    if (cursor->kind == CURSOR_COUNT)
        return count_of(value, ret_point, err);
    return point_parse(arena, value, cursor->formats, cursor->format_count, ret_point, err);
}

int cursor_format(const struct cursor *cursor, struct arena *arena, struct point point,
                  struct tvalue *ret_value, struct error *err)
{
    struct slice text;
    if (cursor->kind == CURSOR_COUNT) {
        *ret_value = point.at == POINT_MAX ? tvalue_float(HUGE_VAL)
                     : point.offset        ? tvalue_float((double)point.at)
                                           : tvalue_int(point.at);
        return 0;
    }
    if (point_format(arena, point, cursor->format, &text, err) != 0)
        return -1;
    *ret_value = tvalue_string(text);
    return 0;
}

struct point cursor_settle(const struct cursor *cursor, struct arena *arena, struct point point)
{
    struct tvalue text;
    struct point settled;
    struct error wrong;
    bool known = cursor_format(cursor, arena, point, &text, &wrong) == 0 &&
                 cursor_parse(cursor, arena, &text, &settled, &wrong) == 0;
    return known ? settled : point;
}

int cursor_prepare(struct cursor *cursor, struct arena *arena, struct error *err)
{
    struct scope scope;
    if (cursor->prepared || cursor->kind == CURSOR_NONE)
        return 0;
    scope_init(&scope, cursor->engine);
    if (cursor->kind == CURSOR_COUNT) {
        if (!expression_is_absent(&cursor->start_value) &&
            expression_integer(&cursor->start_value, &scope, arena, &cursor->windowing.start.at, err) != 0)
            return -1;
    } else if (moment_is_absent(&cursor->start)) {
        cursor->windowing.start = (struct point){0};
    } else if (moment_eval(&cursor->start, &scope, cursor->format, arena, &cursor->windowing.start, err) !=
               0) {
        return -1;
    }
    const struct point probe = {.at = 10957 * DATETIME_DAY}; /* 2000-01-01: no format loses of it */
    cursor->rewrites_time =
        cursor->kind == CURSOR_DATETIME && cursor_settle(cursor, arena, probe).at != probe.at;
    cursor->prepared = true;
    return 0;
}

int cursor_end_point(const struct cursor *cursor, struct arena *arena, struct point *ret_point,
                     struct error *err)
{
    struct scope scope;
    if (cursor->kind == CURSOR_COUNT || moment_is_absent(&cursor->end)) {
        *ret_point = (struct point){
            .at = cursor->kind == CURSOR_COUNT ? POINT_MAX : clock_wall_ms(cursor->engine->clock) * 1000};
        return 0;
    }
    scope_init(&scope, cursor->engine);
    return moment_eval(&cursor->end, &scope, cursor->format, arena, ret_point, err);
}

/* --- records and requests ------------------------------------------------------------------------ */

/* False, and told once, if the record has no cursor that can be read. */
static bool record_point(struct cursor *cursor, struct arena *arena, const struct record *record,
                         struct point *ret_point)
{
    struct tvalue value;
    struct error wrong = {0};
    bool there = tvalue_member_name(arena, &record->data, cursor->field, &value) && tvalue_true(&value);
    if (cursor->kind == CURSOR_COUNT)
        there = tvalue_member_name(arena, &record->data, cursor->field, &value);
    return there && cursor_parse(cursor, arena, &value, ret_point, &wrong) == 0;
}

bool cursor_takes(struct cursor *cursor, const struct record *record)
{
    struct arena arena;
    struct point point, end;
    bool takes = true;
    struct error wrong = {0};
    if (cursor->kind == CURSOR_NONE)
        return true;
    arena_init(&arena);
    if (!record_point(cursor, &arena, record, &point)) {
        if (!cursor->told_missing)
            engine_log(cursor->engine, ENGINE_WARN,
                       "stream %s: a record has no cursor field \"%.*s\"; it is taken as new",
                       cursor->stream_name, SLICE_ARGS(cursor->field));
        cursor->told_missing = true;
    } else if (cursor_end_point(cursor, &arena, &end, &wrong) == 0) {
        takes = point.at >= cursor_lowest(cursor, &arena, record) && point.at <= end.at;
    }
    arena_done(&arena);
    return takes;
}

int cursor_observe(struct cursor *cursor, const struct stream_slice *slice, const struct record *record,
                   struct error *err)
{
    struct partition_state *partition = slice->owner;
    struct arena arena;
    struct point point;
    (void)err;
    if (cursor->kind == CURSOR_NONE || !partition)
        return 0;
    if (cursor->state_is_window_end) {
        cursor->observed_any = true;
        return 0;
    }
    arena_init(&arena);
    if (record_point(cursor, &arena, record, &point)) {
        cursor->observed_any = true;
        struct window *window = windows_find(&partition->windows, slice->start, slice->end);
        if (window)
            window_observe(window, point);
        if (cursor->has_partitions)
            cursor_raise_global(cursor, &arena, point);
    }
    arena_done(&arena);
    return 0;
}

static int add_option(const struct request_option *option, struct slice field, struct scope *scope,
                      const struct tvalue *stream_slice, struct options *options, struct error *err)
{
    struct tvalue value;
    if (!option || !tvalue_member_name(options->arena, stream_slice, field, &value))
        return 0;
    return request_option_set(option, scope, value, options, err);
}

int cursor_add(const struct cursor *cursor, struct scope *scope, struct tvalue stream_slice,
               struct options *options, struct error *err)
{
    if (cursor->kind == CURSOR_NONE || !tvalue_is_mapping(&stream_slice))
        return 0;
    if (add_option(cursor->start_option, cursor->start_field, scope, &stream_slice, options, err) != 0)
        return -1;
    return add_option(cursor->end_option, cursor->end_field, scope, &stream_slice, options, err);
}

int cursor_reduce_slice(struct cursor *cursor, const struct stream_slice *slice, struct arena *arena,
                        struct tvalue *ret_slice, struct error *err)
{
    struct partition_state *partition = slice->owner;
    struct tvalue text, window = value_copy(arena, &slice->cursor_slice);
    const struct window *open =
        partition ? windows_find(&partition->windows, slice->start, slice->end) : NULL;
    if (cursor->kind == CURSOR_NONE || !open || !open->has_recent) {
        *ret_slice = slice->value;
        return 0;
    }
    if (cursor_format(cursor, arena, open->recent, &text, err) != 0)
        return -1;
    value_own(arena, &window);
    tdict_set(arena, window.dict, tvalue_string(cursor->start_field), text);
    *ret_slice = tvalue_stream_slice(arena, slice->partition, window, slice->extra_fields);
    return 0;
}
