#include "task/failure.h"

#include <stdio.h>

enum { EXCERPT_MAX = 120 };

void task_failure_note(struct task_failure *failure, const struct json *line,
                       const struct airbyte_message *message)
{
    bool config = json_string_is(line, message->trace.failure_type, "config_error");
    if (failure->set && (failure->config || !config))
        return;
    struct arena arena;
    arena_init(&arena);
    struct slice text = {0};
    if (json_is(line, message->trace.message, JSON_STRING))
        text = json_string(line, message->trace.message, &arena);
    if (text.size == 0 && json_is(line, message->trace.internal_message, JSON_STRING))
        text = json_string(line, message->trace.internal_message, &arena);
    if (text.size == 0)
        text = slice_of("an error without a message");
    int length = 0;
    if (message->trace.stream.name.size)
        length =
            snprintf(failure->message, sizeof failure->message, "stream '%.*s': ",
                     (int)utf8_cut(message->trace.stream.name.data, message->trace.stream.name.size, 200),
                     message->trace.stream.name.data);
    size_t room = sizeof failure->message - (size_t)length;
    snprintf(failure->message + length, room, "%.*s", (int)utf8_cut(text.data, text.size, room - 1),
             text.data);
    failure->set = true;
    failure->config = config;
    arena_done(&arena);
}

int task_failure_result(const struct task_failure *failure, const char *label,
                        const struct connector_process *process, struct error *err)
{
    struct error exit;
    int result = connector_result(process, &exit);
    if (!failure->set) {
        if (result < 0)
            *err = exit;
        return result;
    }
    /* Its own words first, how it ended and its log after them. */
    error_set(err, failure->config ? ERROR_INVALID : ERROR_CONNECTOR, "%s: %s%s%s", label, failure->message,
              result < 0 ? "; " : "", result < 0 ? exit.message : "");
    err->retriable = !failure->config;
    return -1;
}

void task_failure_excerpt(struct slice line, char *text, size_t size)
{
    size_t length = utf8_cut(line.data, line.size, EXCERPT_MAX), at = 0;
    if (length == 0 && line.size)
        length = line.size < EXCERPT_MAX ? line.size : EXCERPT_MAX;
    for (size_t i = 0; i < length && at + 4 < size; i++) {
        unsigned char c = (unsigned char)line.data[i];
        text[at++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    if (!utf8_valid(text, at)) {
        for (size_t i = 0; i < at; i++)
            text[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    }
    snprintf(text + at, size - at, "%s", length < line.size ? "..." : "");
}
