/* Private to this folder: what is done when pages cannot be read on as they are: from the first page again,
 * with smaller pages, in smaller windows. */
#ifndef FIRTH_DECLARATIVE_PAGE_RESET_H
#define FIRTH_DECLARATIVE_PAGE_RESET_H

#include "pages.h"

/* PaginationReset; zeroed: none, which resets all the same when the error handler says so. */
struct page_reset {
    bool splits;           /* SPLIT_USING_CURSOR */
    int64_t records_limit; /* 0: none */
};
struct reset_state {
    size_t records; /* since the last reset */
    unsigned resets;
};
int page_reset_compile(struct component component, struct page_reset *ret_reset, struct error *err);
bool reset_is_due(const struct page_reset *reset, const struct reset_state *state);
/* *slice is what is read next. -1: there would be no end of it. */
int reset_slice(const struct page_reset *reset, struct reset_state *state, const struct pages_hooks *hooks,
                struct arena *arena, struct tvalue *slice, struct error *err);

/* PageSizeReduction; `factor` 0: there is none. */
struct size_reduction {
    double factor, wait_seconds;
    int64_t least, attempts_max, retries_at_least;
    bool resets; /* after a page that succeeded */
    struct expression failure;
};
struct reduction_state {
    int64_t page_size; /* 0: the paginator's own */
    int64_t attempts, at_least;
};
int size_reduction_compile(struct engine *engine, struct component component,
                           struct size_reduction *ret_reduction, struct error *err);
/* In a fiber: the next smaller size, after the wait. */
int reduce_page_size(const struct size_reduction *reduction, struct reduction_state *state,
                     struct engine *engine, int64_t page_size, struct component where, struct error *err);
void reduction_succeeded(const struct size_reduction *reduction, struct reduction_state *state);

/* RequestWindowSplitting. */
struct window_splitting {
    bool is_there;
    struct slice failure;
};
int window_splitting_compile(struct engine *engine, struct component component,
                             struct window_splitting *ret_splitting, struct error *err);
int splitting_failed(const struct window_splitting *splitting, struct component where, struct error *err);

#endif
