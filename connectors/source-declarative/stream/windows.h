/* The windows of one partition: what has been read, and what is still to be. As the CDK's concurrent cursor
 * counts it: windows that have been read are joined, and the state is what the first stretch of them
 * reaches. Private to this folder; points are of moment.h. */
#ifndef FIRTH_DECLARATIVE_STREAM_WINDOWS_H
#define FIRTH_DECLARATIVE_STREAM_WINDOWS_H

#include "moment.h"

struct window {
    struct point start, end;
    bool has_recent;
    struct point recent; /* the latest that a record had */
};

/* How a cursor cuts time. */
struct windowing {
    struct point start; /* nothing before it is read */
    bool has_step, has_granularity, has_lookback;
    bool strict; /* is_compare_strictly: no window whose end is its beginning */
    struct duration step, granularity, lookback;
    enum clamping clamping;
    unsigned weekday;
    bool counts; /* numbers: no steps, no end */
};

struct windows {
    struct window *done; /* sorted, none touches the next */
    size_t done_count, done_capacity;
    struct window *open; /* begun, with what their records had so far */
    size_t open_count, open_capacity;
    int64_t lowest; /* that a record of this sync may have */
};

/* `state`: where the last sync ended. */
void windows_begin(struct windows *windows, const struct windowing *windowing, bool has_state,
                   struct point state);
/* From what has been read before, at least one; between two something is missing. */
void windows_resume(struct windows *windows, const struct windowing *windowing, const struct window *done,
                    size_t count);
void windows_done(struct windows *windows);
typedef int window_sink(void *context, struct point start, struct point end, struct error *err);
/* What is to be read until `end`. Opens each. */
int windows_cut(struct windows *windows, const struct windowing *windowing, struct point end,
                window_sink *on_window, void *context, struct error *err);
/* The open window that begins and ends at these; NULL: none does. */
struct window *windows_find(struct windows *windows, int64_t start, int64_t end);
/* A record of an open window had this. */
void window_observe(struct window *window, struct point point);
/* A window that windows_find has found has been read (NULL: none was); no more is known of it. */
void windows_close(struct windows *windows, const struct windowing *windowing, struct window *window);
/* The state now. */
struct point windows_reached(const struct windows *windows);

#endif
