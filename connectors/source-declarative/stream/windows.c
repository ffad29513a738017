#include "windows.h"

#include <stdlib.h>

enum { SPLIT_MAX = 1 << 20 }; /* windows of one partition: a step of a second over years is a mistake */

static void append(struct window **items, size_t *count, size_t *capacity, struct window window)
{
    *items = mem_grow(*items, capacity, *count + 1, sizeof window);
    (*items)[(*count)++] = window;
}

static struct point looked_back(const struct windowing *windowing, struct point point)
{
    return windowing->has_lookback ? point_add(point, &windowing->lookback, -1) : point;
}

static struct point not_before_start(const struct windowing *windowing, struct point point)
{
    return point.at < windowing->start.at ? windowing->start : point;
}

void windows_begin(struct windows *windows, const struct windowing *windowing, bool has_state,
                   struct point state)
{
    struct point from = has_state && state.at >= windowing->start.at ? state : windowing->start;
    struct window first = {.start = windowing->start, .end = from, .has_recent = true, .recent = from};
    *windows = (struct windows){.lowest = not_before_start(windowing, looked_back(windowing, from)).at};
    append(&windows->done, &windows->done_count, &windows->done_capacity, first);
}

static int by_start(const void *a, const void *b)
{
    const struct window *one = a, *other = b;
    if (one->start.at != other->start.at)
        return one->start.at < other->start.at ? -1 : 1;
    return (one->end.at > other->end.at) - (one->end.at < other->end.at);
}

static int64_t after(const struct windowing *windowing, struct point point)
{
    if (windowing->counts)
        return point.at == POINT_MAX ? point.at : point.at + 1;
    if (windowing->has_granularity)
        return point_add(point, &windowing->granularity, 1).at;
    return point.at + DATETIME_SECOND / 1000;
}

static void join(struct windows *windows, const struct windowing *windowing)
{
    size_t count = 0;
    qsort(windows->done, windows->done_count, sizeof *windows->done, by_start);
    for (size_t i = 0; i < windows->done_count; i++) {
        struct window next = windows->done[i];
        struct window *last = count ? &windows->done[count - 1] : NULL;
        if (!last || next.start.at > after(windowing, last->end)) {
            windows->done[count++] = next;
            continue;
        }
        if (next.end.at > last->end.at)
            last->end = next.end;
        if (next.has_recent && (!last->has_recent || next.recent.at >= last->recent.at)) {
            last->has_recent = true;
            last->recent = next.recent;
        }
    }
    windows->done_count = count;
}

void windows_resume(struct windows *windows, const struct windowing *windowing, const struct window *done,
                    size_t count)
{
    assert(count > 0);
    struct point from = done[0].has_recent ? done[0].recent : done[0].end, lowest = from;
    if (windowing->has_lookback) {
        struct point floor = from.at < windowing->start.at ? from : windowing->start;
        lowest = looked_back(windowing, from);
        lowest = lowest.at < floor.at ? floor : lowest;
    }
    *windows = (struct windows){.lowest = lowest.at};
    for (size_t i = 0; i < count; i++)
        append(&windows->done, &windows->done_count, &windows->done_capacity, done[i]);
    join(windows, windowing);
}

void windows_done(struct windows *windows)
{
    free(windows->done);
    free(windows->open);
    *windows = (struct windows){0};
}

static int give(struct windows *windows, struct point start, struct point end, window_sink *on_window,
                void *context, struct error *err)
{
    struct window window = {.start = start, .end = end};
    append(&windows->open, &windows->open_count, &windows->open_capacity, window);
    return on_window(context, start, end, err);
}

/* Of the i-th window, which ends at `next`. */
static int check_step(struct point lower, struct point next, size_t i, struct error *err)
{
    if (next.at <= lower.at)
        return error_set(err, ERROR_INVALID, "step is no time: windows would never end");
    if (i == SPLIT_MAX)
        return error_set(err, ERROR_LIMIT, "step makes more than %d windows", SPLIT_MAX);
    return 0;
}

/* One after the other; each begins where the one before ends, and says that it ends a granule earlier. */
static int split(struct windows *windows, const struct windowing *windowing, struct point lower,
                 struct point upper, window_sink *on_window, void *context, struct error *err)
{
    for (size_t i = 0;; i++) {
        struct point next =
            point_clamp(point_add(lower, &windowing->step, 1), windowing->clamping, windowing->weekday, true);
        if (next.at <= lower.at &&
            windowing->clamping != CLAMP_NONE) /* a step within a first day: all of it */
            next = point_clamp((struct point){lower.at + DATETIME_DAY, lower.offset}, windowing->clamping,
                               windowing->weekday, true);
        bool last = next.at >= upper.at;
        if (check_step(lower, next, i, err) < 0)
            return -1;
        struct point end = last ? upper : point_add(next, &windowing->granularity, -1);
        if (last && lower.at >= upper.at && i > 0)
            return 0;
        if (give(windows, lower, end, on_window, context, err) != 0)
            return -1;
        if (last)
            return 0;
        lower = next;
    }
}

/* Between two that have been read: up to where the second begins, or to the end of the day, week or month. */
static int cut_gap(struct windows *windows, const struct windowing *windowing, struct point lower,
                   struct point upper, window_sink *on_window, void *context, struct error *err)
{
    lower = point_clamp(not_before_start(windowing, lower), windowing->clamping, windowing->weekday, true);
    for (size_t i = 0; lower.at < upper.at; i++) {
        struct point next = windowing->has_step ? point_add(lower, &windowing->step, 1) : upper;
        if (check_step(lower, next, i, err) < 0)
            return -1;
        bool last = next.at >= upper.at;
        if (last && i > 0)
            next = upper;
        else
            next = point_clamp(last ? upper : next, windowing->clamping, windowing->weekday, true);
        struct point end = windowing->has_granularity ? point_add(next, &windowing->granularity, -1) : next;
        if (next.at <= lower.at)
            return 0;
        if (give(windows, lower, end, on_window, context, err) != 0)
            return -1;
        if (last)
            return 0;
        lower = next;
    }
    return 0;
}

static int cut_gaps(struct windows *windows, const struct windowing *windowing, const struct window *done,
                    size_t count, window_sink *on_window, void *context, struct error *err)
{
    if (windowing->start.at < done[0].start.at &&
        cut_gap(windows, windowing, windowing->start, done[0].start, on_window, context, err) != 0)
        return -1;
    for (size_t i = 0; i + 1 < count; i++) {
        struct point from = done[i].end;
        if (windowing->has_granularity)
            from = point_add(from, &windowing->granularity, 1);
        if (cut_gap(windows, windowing, from, done[i + 1].start, on_window, context, err) != 0)
            return -1;
    }
    return 0;
}

static int cut_rest(struct windows *windows, const struct windowing *windowing, struct point reached,
                    struct point end, window_sink *on_window, void *context, struct error *err)
{
    struct point lower = looked_back(windowing, reached), upper = end;
    if (windowing->counts)
        return give(windows, not_before_start(windowing, lower), (struct point){.at = POINT_MAX}, on_window,
                    context, err);
    if (windowing->clamping != CLAMP_NONE) {
        upper = point_clamp(upper, windowing->clamping, windowing->weekday, false);
        if (windowing->has_granularity)
            upper = point_add(upper, &windowing->granularity, -1);
    }
    if (lower.at > upper.at || (lower.at == upper.at && !windowing->has_granularity))
        return 0;
    lower = not_before_start(windowing, lower);
    if (lower.at > upper.at)
        return 0;
    lower = point_clamp(lower, windowing->clamping, windowing->weekday, true);
    if (windowing->clamping != CLAMP_NONE && lower.at >= upper.at)
        return 0;
    if (lower.at > upper.at || (lower.at == upper.at && windowing->strict))
        return 0;
    if (!windowing->has_step)
        return give(windows, lower, upper, on_window, context, err);
    return split(windows, windowing, lower, upper, on_window, context, err);
}

int windows_cut(struct windows *windows, const struct windowing *windowing, struct point end,
                window_sink *on_window, void *context, struct error *err)
{
    /* Who takes a window may have read it before the next is cut. */
    size_t count = windows->done_count;
    auto_free struct window *done = mem_dup(windows->done, count * sizeof *done);
    int result = cut_gaps(windows, windowing, done, count, on_window, context, err);
    if (result == 0)
        result = cut_rest(windows, windowing, done[count - 1].end, end, on_window, context, err);
    return result;
}

struct window *windows_find(struct windows *windows, int64_t start, int64_t end)
{
    for (size_t i = 0; i < windows->open_count; i++) {
        if (windows->open[i].start.at == start && windows->open[i].end.at == end)
            return &windows->open[i];
    }
    return NULL;
}

void window_observe(struct window *window, struct point point)
{
    if (window->has_recent && window->recent.at >= point.at)
        return;
    window->has_recent = true;
    window->recent = point;
}

void windows_close(struct windows *windows, const struct windowing *windowing, struct window *window)
{
    if (!window)
        return;
    append(&windows->done, &windows->done_count, &windows->done_capacity, *window);
    *window = windows->open[--windows->open_count];
    join(windows, windowing);
}

struct point windows_reached(const struct windows *windows)
{
    const struct window *first = &windows->done[0];
    return first->has_recent ? first->recent : first->start;
}
