/* Drawing a run's state as lines of text. Pure: model, size and time in, lines out. */
#ifndef FIRTH_CLI_PROGRESS_DRAW_H
#define FIRTH_CLI_PROGRESS_DRAW_H

#include "cli/progress_model.h"

struct progress_view {
    size_t columns, rows; /* of the terminal; no line is as wide, no frame as high */
    bool color, unicode;
};

enum { PROGRESS_LINES_MAX = 200 };

/* Lines of a frame, each ended by '\n' in `text`, with their widths for a later erase. */
struct progress_frame {
    struct buffer text;
    size_t lines;
    size_t ends[PROGRESS_LINES_MAX]; /* offset just past each line's '\n' */
    uint16_t columns[PROGRESS_LINES_MAX];
};

void progress_frame_init(struct progress_frame *frame);
void progress_frame_done(struct progress_frame *frame);

void progress_draw(const struct progress_model *model, const struct progress_view *view, uint64_t now_ns,
                   struct progress_frame *ret_frame);

/* Rows of the terminal that a drawn frame takes now, if its width has changed to `columns` since. */
size_t progress_frame_rows(const struct progress_frame *frame, size_t columns);

/* One plain line for a task, without newline: what a log file gets every few seconds. */
void progress_plain(const struct progress_task *task, uint64_t now_ns, struct buffer *out);

#endif
