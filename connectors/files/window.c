#include "window.h"

void files_window_init(struct files_window *window, struct files_input *input, uint64_t base, uint64_t line)
{
    *window = (struct files_window){.input = input, .base = base, .line = line};
    buffer_init(&window->data, (size_t)2 * FILES_RECORD_MAX);
}

void files_window_done(struct files_window *window)
{
    files_input_close(window->input);
    buffer_done(&window->data);
    *window = (struct files_window){0};
}

int files_window_fill(struct files_window *window, struct error *err)
{
    if (window->ended)
        return 0;
    /* Moving what is left costs less than twice what was used up. */
    if (window->at >= window->data.size - window->at) {
        buffer_consume(&window->data, window->at);
        window->base += window->at;
        window->at = 0;
    }
    if (window->data.size - window->at > FILES_RECORD_MAX || !buffer_reserve(&window->data, FILES_PIECE))
        return error_set(err, ERROR_LIMIT, "a record is larger than %d MiB", FILES_RECORD_MAX >> 20);
    int64_t got = window->input->read(window->input, window->data.data + window->data.size, FILES_PIECE, err);
    if (got < 0)
        return -1;
    window->data.size += (size_t)got;
    window->ended = got == 0;
    return got > 0;
}

int files_window_want(struct files_window *window, size_t count, struct error *err)
{
    int more = 1;
    while (more > 0 && window->data.size - window->at < count)
        more = files_window_fill(window, err);
    return more < 0 ? -1 : 0;
}

int files_window_head(struct files_window *window, struct slice *ret_head, bool *ret_whole, struct error *err)
{
    if (files_window_want(window, FILES_HEAD + 1, err) < 0)
        return -1;
    *ret_head = files_window_rest(window);
    *ret_whole = ret_head->size <= FILES_HEAD;
    if (!*ret_whole)
        ret_head->size = FILES_HEAD;
    return 0;
}

int files_window_line(struct files_window *window, struct slice *ret_line, struct error *err)
{
    size_t searched = 0;
    for (;;) {
        struct slice rest = files_window_rest(window);
        const char *end =
            rest.size > searched ? memchr(rest.data + searched, '\n', rest.size - searched) : NULL;
        size_t size = end ? (size_t)(end - rest.data) : rest.size;
        int more = end ? 1 : files_window_fill(window, err);
        if (more < 0)
            return -1;
        if (!end && more) {
            searched = size;
            continue;
        }
        if (!end && size == 0)
            return 0;
        rest = files_window_rest(window); /* filling may have moved it */
        files_window_take(window, size + (end != NULL));
        window->line++;
        if (size && rest.data[size - 1] == '\r')
            size--;
        *ret_line = (struct slice){rest.data, size};
        return 1;
    }
}

int files_window_skip_mark(struct files_window *window, struct error *err)
{
    if (files_window_position(window) != 0)
        return 0;
    if (files_window_want(window, 3, err) < 0)
        return -1;
    struct slice rest = files_window_rest(window);
    if (rest.size >= 3 && memcmp(rest.data, "\xef\xbb\xbf", 3) == 0)
        files_window_take(window, 3);
    return 0;
}
