#include "windows.h"

#include <stdlib.h>

enum { SPLIT_MAX = 1 << 20 }; /* windows of one partition: a step of a second over years is a mistake */

static void append(struct window **items, size_t *count, size_t *capacity, struct window window)
{
    *items = mem_grow(*items, capacity, *count + 1, sizeof window);
    (*items)[(*count)++] = window;
}

static int64_t looked_back(const struct windowing *windowing, int64_t point)
{
    return windowing->has_lookback ? point_add(point, &windowing->lookback, -1) : point;
}

static int64_t not_before_start(const struct windowing *windowing, int64_t point)
{
    return point < windowing->start ? windowing->start : point;
}

void windows_begin(struct windows *windows, const struct windowing *windowing, bool has_state, int64_t state)
{
    int64_t from = has_state && state > windowing->start ? state : windowing->start;
    struct window first = {.start = windowing->start, .end = from, .has_recent = true, .recent = from};
    *windows = (struct windows){.lowest = not_before_start(windowing, looked_back(windowing, from))};
    append(&windows->done, &windows->done_count, &windows->done_capacity, first);
}

void windows_done(struct windows *windows)
{
    free(windows->done);
    free(windows->open);
    *windows = (struct windows){0};
}

static int give(struct windows *windows, int64_t start, int64_t end, window_sink *on_window, void *context,
                struct error *err)
{
    struct window window = {.start = start, .end = end};
    append(&windows->open, &windows->open_count, &windows->open_capacity, window);
    return on_window(context, start, end, err);
}

/* One after the other; each begins where the one before ends, and says that it ends a granule earlier. */
static int split(struct windows *windows, const struct windowing *windowing, int64_t lower, int64_t upper,
                 window_sink *on_window, void *context, struct error *err)
{
    for (size_t i = 0;; i++) {
        int64_t next =
            point_clamp(point_add(lower, &windowing->step, 1), windowing->clamping, windowing->weekday, true);
        bool last = next >= upper;
        if (next <= lower)
            return error_set(err, ERROR_INVALID, "step is no time: windows would never end");
        if (i == SPLIT_MAX)
            return error_set(err, ERROR_LIMIT, "step makes more than %d windows", SPLIT_MAX);
        int64_t end = last ? upper : point_add(next, &windowing->granularity, -1);
        if (last && lower >= upper && i > 0)
            return 0;
        if (give(windows, lower, end, on_window, context, err) != 0)
            return -1;
        if (last)
            return 0;
        lower = next;
    }
}

int windows_cut(struct windows *windows, const struct windowing *windowing, int64_t end,
                window_sink *on_window, void *context, struct error *err)
{
    int64_t reached = windows->done[0].has_recent ? windows->done[0].recent : windows->done[0].end;
    int64_t lower = looked_back(windowing, reached), upper = end;
    if (windowing->counts)
        return give(windows, not_before_start(windowing, lower), POINT_MAX, on_window, context, err);
    if (windowing->clamping != CLAMP_NONE) {
        upper = point_clamp(upper, windowing->clamping, windowing->weekday, false);
        if (windowing->has_granularity)
            upper = point_add(upper, &windowing->granularity, -1);
    }
    if (lower > upper || (lower == upper && !windowing->has_granularity))
        return 0;
    lower = not_before_start(windowing, lower);
    if (lower > upper)
        return 0;
    lower = point_clamp(lower, windowing->clamping, windowing->weekday, true);
    if (windowing->clamping != CLAMP_NONE && lower >= upper)
        return 0;
    if (lower > upper || (lower == upper && windowing->strict))
        return 0;
    if (!windowing->has_step)
        return give(windows, lower, upper, on_window, context, err);
    return split(windows, windowing, lower, upper, on_window, context, err);
}

static struct window *find_open(struct windows *windows, int64_t start, int64_t end)
{
    for (size_t i = 0; i < windows->open_count; i++) {
        if (windows->open[i].start == start && windows->open[i].end == end)
            return &windows->open[i];
    }
    return NULL;
}

void windows_observe(struct windows *windows, int64_t start, int64_t end, int64_t point)
{
    struct window *window = find_open(windows, start, end);
    if (!window || (window->has_recent && window->recent >= point))
        return;
    window->has_recent = true;
    window->recent = point;
}

static int by_start(const void *a, const void *b)
{
    const struct window *one = a, *other = b;
    if (one->start != other->start)
        return one->start < other->start ? -1 : 1;
    return (one->end > other->end) - (one->end < other->end);
}

static int64_t after(const struct windowing *windowing, int64_t point)
{
    if (windowing->counts)
        return point == POINT_MAX ? point : point + 1;
    if (windowing->has_granularity)
        return point_add(point, &windowing->granularity, 1);
    return point + DATETIME_SECOND / 1000;
}

static void join(struct windows *windows, const struct windowing *windowing)
{
    size_t count = 0;
    qsort(windows->done, windows->done_count, sizeof *windows->done, by_start);
    for (size_t i = 0; i < windows->done_count; i++) {
        struct window next = windows->done[i];
        struct window *last = count ? &windows->done[count - 1] : NULL;
        if (!last || next.start > after(windowing, last->end)) {
            windows->done[count++] = next;
            continue;
        }
        if (next.end > last->end)
            last->end = next.end;
        if (next.has_recent && (!last->has_recent || next.recent > last->recent)) {
            last->has_recent = true;
            last->recent = next.recent;
        }
    }
    windows->done_count = count;
}

void windows_close(struct windows *windows, const struct windowing *windowing, int64_t start, int64_t end)
{
    struct window *window = find_open(windows, start, end);
    if (!window)
        return;
    append(&windows->done, &windows->done_count, &windows->done_capacity, *window);
    *window = windows->open[--windows->open_count];
    join(windows, windowing);
}

int64_t windows_reached(const struct windows *windows)
{
    const struct window *first = &windows->done[0];
    return first->has_recent ? first->recent : first->start;
}
