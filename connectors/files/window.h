/* The part of a text that is being looked at: filled from an input, used up from its beginning. */
#ifndef FIRTH_FILES_WINDOW_H
#define FIRTH_FILES_WINDOW_H

#include "base/buffer.h"
#include "base/text.h"
#include "connectors/files/input.h"

enum {
    FILES_RECORD_MAX = 64 << 20, /* bytes of one record, as everywhere in Flow */
    FILES_PIECE = 256 << 10,     /* bytes asked for at a time */
    FILES_HEAD = 256 << 10       /* bytes by which a file is recognised */
};

struct files_window {
    struct files_input *input; /* owned */
    struct buffer data;
    size_t at;     /* the first byte that is not used up */
    uint64_t base; /* where data begins in the input */
    uint64_t line; /* of the byte at `at`, from 1 */
    bool ended;
};

/* Takes `input`, which stands at `base`, on line `line`. */
void files_window_init(struct files_window *window, struct files_input *input, uint64_t base, uint64_t line);
void files_window_done(struct files_window *window);

/* More bytes behind those that are there: 1, 0 at the end. What is used up may go: positions in `data`
 * change, those relative to `at` do not. */
int files_window_fill(struct files_window *window, struct error *err);
/* Until so many bytes are not used up, or the input ends. */
int files_window_want(struct files_window *window, size_t count, struct error *err);
/* What comes next, by which something is to be told: FILES_HEAD bytes at most, and as many whatever pieces
 * they come in, so that it is told alike each time. *ret_whole: it is all there is. */
int files_window_head(struct files_window *window, struct slice *ret_head, bool *ret_whole,
                      struct error *err);
/* Use up, without looking for line ends. */
static inline void files_window_take(struct files_window *window, size_t count)
{
    window->at += count;
}
static inline struct slice files_window_rest(const struct files_window *window)
{
    return (struct slice){window->data.data + window->at, window->data.size - window->at};
}
static inline uint64_t files_window_position(const struct files_window *window)
{
    return window->base + window->at;
}
/* The next line, without its end (LF or CR LF), used up: 1, 0 at the end. It lives until the next call. */
int files_window_line(struct files_window *window, struct slice *ret_line, struct error *err);
/* A byte order mark at the very beginning is used up. */
int files_window_skip_mark(struct files_window *window, struct error *err);

#endif
