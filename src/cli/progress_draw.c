#include "cli/progress_draw.h"

#include "cli/columns.h"

#include <assert.h>
#include <math.h>

enum { NAME_MIN = 8, BAR_MIN = 8, BAR_MAX = 30, TEXT_MAX = 64 * 1024 };

static const char *const DIM = "\033[2m", *const RED = "\033[31m", *const GREEN = "\033[32m",
                         *const CYAN = "\033[36m";

void progress_frame_init(struct progress_frame *frame)
{
    *frame = (struct progress_frame){0};
    buffer_init(&frame->text, 4 << 20);
}

void progress_frame_done(struct progress_frame *frame)
{
    buffer_done(&frame->text);
}

size_t progress_frame_rows(const struct progress_frame *frame, size_t columns)
{
    size_t rows = 0;
    for (size_t i = 0; i < frame->lines; i++)
        rows += frame->columns[i] == 0 ? 1 : (frame->columns[i] + columns - 1) / columns;
    return rows;
}

/* --- one line, never wider than the view ----------------------------------------------------------- */

struct line {
    struct progress_frame *frame;
    const struct progress_view *view;
    size_t used;
};

static struct line line_begin(struct progress_frame *frame, const struct progress_view *view)
{
    return (struct line){.frame = frame, .view = view};
}

static void put(struct line *line, const char *color, const char *text)
{
    size_t room = line->view->columns - 1 - line->used, size = text_cut_columns(text, strlen(text), room);
    bool colored = color && line->view->color;
    if (size == 0)
        return;
    if (colored)
        buffer_str(&line->frame->text, color);
    text_append_printable(&line->frame->text, text, size);
    if (colored)
        buffer_str(&line->frame->text, "\033[0m");
    line->used += text_columns(text, size);
}

static void pad_to(struct line *line, size_t column)
{
    while (line->used < column && line->used + 1 < line->view->columns) {
        buffer_byte(&line->frame->text, ' ');
        line->used++;
    }
}

/* A cell of fixed width, its text at the right. */
static void put_right(struct line *line, const char *color, const char *text, size_t width)
{
    size_t columns = text_columns(text, strlen(text));
    pad_to(line, line->used + (columns < width ? width - columns : 1));
    put(line, color, text);
}

static void line_end(struct line *line)
{
    struct progress_frame *frame = line->frame;
    assert(frame->lines < PROGRESS_LINES_MAX);
    while (line->used > 0 && frame->text.data[frame->text.size - 1] == ' ') {
        frame->text.size--;
        line->used--;
    }
    buffer_byte(&frame->text, '\n');
    frame->columns[frame->lines] = (uint16_t)line->used;
    frame->ends[frame->lines++] = frame->text.size;
}

/* --- the columns of a binding's line, as many as fit ----------------------------------------------- */

/* In the order of what matters when room is short. */
enum cell { CELL_DOCUMENTS, CELL_RATE, CELL_BYTES, CELL_LEFT, CELL_BAR, CELL_LAG, CELL_MAX };

struct layout {
    size_t name;            /* columns, the indent included */
    size_t width[CELL_MAX]; /* 0: does not fit or is not wanted */
};

static void put_bar(struct line *line, double fraction, size_t width)
{
    size_t full = (size_t)floor(fraction * (double)width + 1e-9);
    struct buffer done, rest;
    buffer_init(&done, TEXT_MAX);
    buffer_init(&rest, TEXT_MAX);
    for (size_t i = 0; i < width; i++)
        buffer_str(i < full ? &done : &rest, line->view->unicode ? "━" : i < full ? "=" : "-");
    put(line, CYAN, buffer_cstr(&done));
    put(line, DIM, line->view->color ? buffer_cstr(&rest) : "");
    if (!line->view->color)
        pad_to(line, line->used + rest.size / (line->view->unicode ? strlen("━") : 1));
    buffer_done(&done);
    buffer_done(&rest);
}

static void seconds_left(double seconds, char *text, size_t size)
{
    if (seconds < 0)
        text[0] = 0;
    else if (seconds < 100)
        snprintf(text, size, "%.0f s left", ceil(seconds));
    else if (seconds < 6000)
        snprintf(text, size, "%.0f min left", ceil(seconds / 60));
    else if (seconds < 360000)
        snprintf(text, size, "%.0f h left", ceil(seconds / 3600));
    else
        snprintf(text, size, "days left");
}

/* A lag is short: "35 ms", "1.2 s", "4 min". */
static void lag_text(int64_t ms, char *text, size_t size)
{
    if (ms < 0)
        text[0] = 0;
    else if (ms < 1000)
        snprintf(text, size, "lag %lld ms", (long long)ms);
    else if (ms < 60000)
        snprintf(text, size, "lag %.1f s", (double)ms / 1000);
    else if (ms < 3600000)
        snprintf(text, size, "lag %lld min", (long long)(ms / 60000));
    else
        snprintf(text, size, "lag %lld h", (long long)(ms / 3600000));
}

/* Empty for the bar and for what is not known. */
static void cell_text(enum cell cell, const struct progress_task *task,
                      const struct progress_binding *binding, uint64_t now_ns, char text[48])
{
    bool running = task->state == PROGRESS_RUNNING;
    text[0] = 0;
    switch (cell) {
    case CELL_DOCUMENTS:
        string_human_count(binding->documents, text, 48);
        break;
    case CELL_BYTES:
        string_human_bytes((double)binding->bytes, text, 48);
        break;
    case CELL_RATE:
        if (running && !binding->complete) {
            string_human_count((uint64_t)(progress_rate(task, binding, now_ns) + 0.5), text, 46);
            snprintf(text + strlen(text), 3, "/s");
        } else if (binding->complete) {
            snprintf(text, 48, "done");
        }
        break;
    case CELL_LEFT:
        if (running && !binding->complete)
            seconds_left(progress_seconds_left(task, binding, now_ns), text, 48);
        break;
    case CELL_LAG:
        if (running)
            lag_text(binding->lag_ms, text, 48);
        break;
    case CELL_BAR:
    case CELL_MAX:
        break;
    }
}

/* Columns are as wide as what they hold, but never narrower than usual, so that they seldom move. */
static struct layout lay_out(const struct progress_model *model, const struct progress_view *view,
                             uint64_t now_ns)
{
    size_t wanted[CELL_MAX] = {[CELL_DOCUMENTS] = 9, [CELL_RATE] = 10,         [CELL_BYTES] = 9,
                               [CELL_LEFT] = 11,     [CELL_BAR] = BAR_MIN + 2, [CELL_LAG] = 11};
    struct layout layout = {.name = NAME_MIN};
    size_t room = view->columns - 1, longest = NAME_MIN;
    bool estimated = false;
    for (size_t t = 0; t < model->count; t++) {
        for (size_t b = 0; b < model->tasks[t].binding_count; b++) {
            const struct progress_binding *binding = &model->tasks[t].bindings[b];
            size_t columns = 2 + text_columns(binding->name, strlen(binding->name));
            longest = columns > longest ? columns : longest;
            estimated |= progress_fraction(binding) >= 0;
            for (int cell = 0; cell < CELL_MAX; cell++) {
                char text[48];
                cell_text(cell, &model->tasks[t], binding, now_ns, text);
                columns = 2 + text_columns(text, strlen(text));
                wanted[cell] = columns > wanted[cell] ? columns : wanted[cell];
            }
        }
    }
    layout.name = longest < room * 2 / 5 ? longest : room * 2 / 5;
    room -= layout.name < room ? layout.name : room;
    for (int cell = 0; cell < CELL_MAX; cell++) {
        bool needs_estimate = cell == CELL_BAR || cell == CELL_LEFT;
        if (wanted[cell] > room || (needs_estimate && !estimated))
            continue;
        layout.width[cell] = wanted[cell];
        room -= wanted[cell];
    }
    if (layout.width[CELL_BAR])
        layout.width[CELL_BAR] += room < BAR_MAX - BAR_MIN ? room : BAR_MAX - BAR_MIN;
    return layout;
}

static void put_cell(struct line *line, enum cell cell, const struct progress_task *task,
                     const struct progress_binding *binding, uint64_t now_ns, size_t width)
{
    char text[48];
    if (cell == CELL_BAR) {
        double fraction = progress_fraction(binding);
        size_t from = line->used + 2;
        pad_to(line, from);
        if (fraction >= 0)
            put_bar(line, fraction, width - 2);
        pad_to(line, from + width - 2);
        return;
    }
    cell_text(cell, task, binding, now_ns, text);
    put_right(line, cell == CELL_DOCUMENTS || cell == CELL_BYTES ? NULL : DIM, text, width);
}

static void draw_binding(struct progress_frame *frame, const struct progress_view *view,
                         const struct layout *layout, const struct progress_task *task,
                         const struct progress_binding *binding, uint64_t now_ns)
{
    static const enum cell order[] = {CELL_BAR, CELL_DOCUMENTS, CELL_BYTES, CELL_RATE, CELL_LAG, CELL_LEFT};
    struct line line = line_begin(frame, view);
    char name[512];
    size_t size = strlen(binding->name), room = layout->name > 2 ? layout->name - 2 : 1;
    if (text_columns(binding->name, size) > room) {
        /* The end of a name tells more than its beginning: acmeCo/very/long/users. */
        while (size > 0 && text_columns(binding->name + strlen(binding->name) - size, size) > room - 1) {
            do
                size--;
            while (size > 0 && ((unsigned char)binding->name[strlen(binding->name) - size] & 0xc0) == 0x80);
        }
        snprintf(name, sizeof name, "%s%s", view->unicode ? "…" : "~",
                 binding->name + strlen(binding->name) - size);
    } else {
        snprintf(name, sizeof name, "%s", binding->name);
    }
    put(&line, NULL, "  ");
    put(&line, NULL, name);
    pad_to(&line, layout->name);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (layout->width[order[i]])
            put_cell(&line, order[i], task, binding, now_ns, layout->width[order[i]]);
    }
    line_end(&line);
}

/* --- a task's line ---------------------------------------------------------------------------------- */

static const char *mark(const struct progress_task *task, const struct progress_view *view, uint64_t now_ns,
                        const char **ret_color)
{
    static const char *const spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    static const char *const plain_spinner[] = {"|", "/", "-", "\\"};
    enum progress_state state = task->state == PROGRESS_WAITING ? task->last_outcome : task->state;
    switch (state) {
    case PROGRESS_RUNNING:
        *ret_color = CYAN;
        return view->unicode ? spinner[now_ns / 100000000 % 10] : plain_spinner[now_ns / 200000000 % 4];
    case PROGRESS_COMPLETED:
        *ret_color = GREEN;
        return view->unicode ? "✓" : "+";
    case PROGRESS_FAILED:
        *ret_color = RED;
        return view->unicode ? "✗" : "x";
    case PROGRESS_PENDING:
    case PROGRESS_WAITING:
    case PROGRESS_STOPPED:
        break;
    }
    *ret_color = DIM;
    return view->unicode ? "·" : ".";
}

static void state_text(const struct progress_task *task, uint64_t now_ns, char *text, size_t size)
{
    char time[32];
    uint64_t wait_ms = task->wake_ns > now_ns ? (task->wake_ns - now_ns) / 1000000 : 0;
    const char *why = task->error ? task->error : "";
    switch (task->state) {
    case PROGRESS_PENDING:
        snprintf(text, size, "starts");
        return;
    case PROGRESS_RUNNING:
        text_duration(now_ns > task->started_ns ? (now_ns - task->started_ns) / 1000000 : 0, time,
                      sizeof time);
        snprintf(text, size, "runs for %s", time);
        return;
    case PROGRESS_WAITING:
        if (task->wait == SUPERVISOR_WAIT_SLOT) {
            snprintf(text, size, "waits for others to end");
            return;
        }
        text_duration(wait_ms / 1000 * 1000, time, sizeof time);
        snprintf(text, size, "%s again in %s%s%s",
                 task->last_outcome == PROGRESS_FAILED ? "failed," : "done,", time, *why ? ": " : "", why);
        return;
    case PROGRESS_COMPLETED:
    case PROGRESS_STOPPED:
        text_duration(task->session_ms, time, sizeof time);
        snprintf(text, size, "%s after %s", task->state == PROGRESS_COMPLETED ? "done" : "stopped", time);
        return;
    case PROGRESS_FAILED:
        snprintf(text, size, "failed: %s", why);
        return;
    }
}

static void draw_task(struct progress_frame *frame, const struct progress_view *view,
                      const struct progress_task *task, uint64_t now_ns)
{
    struct line line = line_begin(frame, view);
    const char *color;
    char state[ERROR_MESSAGE_MAX + 128];
    const char *sign = mark(task, view, now_ns, &color);
    put(&line, color, sign);
    put(&line, NULL, " ");
    put(&line, NULL, task_kind_name(task->kind));
    put(&line, NULL, " ");
    put(&line, NULL, task->name);
    put(&line, NULL, "  ");
    state_text(task, now_ns, state, sizeof state);
    char *newline = strchr(state, '\n');
    if (newline)
        *newline = 0;
    put(&line, task->error ? RED : DIM, state);
    line_end(&line);
}

/* What runs comes first when not everything can be shown. */
static int importance(const struct progress_task *task)
{
    return task->state == PROGRESS_RUNNING ? 0 : task->state == PROGRESS_FAILED ? 1 : 2;
}

void progress_draw(const struct progress_model *model, const struct progress_view *view, uint64_t now_ns,
                   struct progress_frame *ret_frame)
{
    struct progress_view bounded = *view;
    bounded.columns = view->columns < 16 ? 16 : view->columns > 1000 ? 1000 : view->columns;
    struct layout layout = lay_out(model, &bounded, now_ns);
    size_t needed = model->signals > 0, room = view->rows > 4 ? view->rows - 2 : 2, left_out = 0;
    room = room < PROGRESS_LINES_MAX - 2 ? room : PROGRESS_LINES_MAX - 2;
    buffer_clear(&ret_frame->text);
    ret_frame->lines = 0;
    for (size_t i = 0; i < model->count; i++)
        needed += 1 + model->tasks[i].binding_count;
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < model->count; i++) {
            const struct progress_task *task = &model->tasks[i];
            /* In order as long as there is room for all. */
            if (needed <= room ? pass > 0 : importance(task) != pass)
                continue;
            if (ret_frame->lines + 1 > room) {
                left_out++;
                continue;
            }
            draw_task(ret_frame, &bounded, task, now_ns);
            for (size_t b = 0; b < task->binding_count && ret_frame->lines < room; b++)
                draw_binding(ret_frame, &bounded, &layout, task, &task->bindings[b], now_ns);
        }
    }
    char text[96] = "";
    if (model->signals == 1)
        snprintf(text, sizeof text, "Finishing transactions. Ctrl-C again stops at once.");
    else if (model->signals > 1)
        snprintf(text, sizeof text, "Stopping at once.");
    else if (left_out)
        snprintf(text, sizeof text, "and %zu more task%s", left_out, left_out == 1 ? "" : "s");
    if (*text) {
        struct line line = line_begin(ret_frame, &bounded);
        put(&line, DIM, text);
        line_end(&line);
    }
}

void progress_plain(const struct progress_task *task, uint64_t now_ns, struct buffer *out)
{
    buffer_printf(out, "%s %s:", task_kind_name(task->kind), task->name);
    for (size_t i = 0; i < task->binding_count; i++) {
        const struct progress_binding *binding = &task->bindings[i];
        char count[32], bytes[32], rate[32], lag[32];
        double fraction = progress_fraction(binding);
        string_human_count(binding->documents, count, sizeof count);
        string_human_bytes((double)binding->bytes, bytes, sizeof bytes);
        string_human_count((uint64_t)(progress_rate(task, binding, now_ns) + 0.5), rate, sizeof rate);
        lag_text(binding->lag_ms, lag, sizeof lag);
        buffer_printf(out, "%s %s %s document%s, %s", i ? ";" : "", binding->name, count,
                      binding->documents == 1 ? "" : "s", bytes);
        if (binding->complete)
            buffer_str(out, ", done");
        else if (task->state == PROGRESS_RUNNING)
            buffer_printf(out, ", %s/s", rate);
        if (fraction >= 0 && !binding->complete)
            buffer_printf(out, ", %.0f%%", fraction * 100);
        if (*lag)
            buffer_printf(out, ", %s", lag);
    }
}
