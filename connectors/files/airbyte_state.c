#include "connectors/files/position.h"

#include "base/clock.h"

/* The states of Airbyte's own file connectors: what they have read is not read again.
 *
 * Since 2023: {"history": {"<name>": "2024-01-31T12:00:00.000000Z", …}, "_ab_source_file_last_modified":
 * "<time>_<name>"}. History has all files that were read, the newest 10,000 of them: where it is full, older
 * ones count as read. Before that:
 * {"history": {"2024-01-31": ["<name>", …]}, "_ab_source_file_last_modified": "2024-01-31T12:00:00Z"}: of the
 * files changed since an hour before that time, those of history were read. */

enum { HISTORY_FULL = 10 * 1000, BUFFER_MS = 60 * 60 * 1000, DAY_MS = 24 * 60 * 60 * 1000 };

/* Also "…+0000", as some versions wrote it, and a time with a name behind it. */
static bool parse_time(struct slice text, int64_t *ret_ms)
{
    char copy[40];
    const char *name = text.size ? memchr(text.data, '_', text.size) : NULL;
    size_t size = name ? (size_t)(name - text.data) : text.size;
    if (size == 0 || size > sizeof copy - 2)
        return false;
    memcpy(copy, text.data, size);
    if (size > 5 && (copy[size - 5] == '+' || copy[size - 5] == '-') && memchr(copy, 'T', size)) {
        memmove(copy + size - 1, copy + size - 2, 2);
        copy[size - 2] = ':';
        size++;
    }
    return clock_parse_rfc3339(copy, size, ret_ms);
}

static struct slice text_at(const struct json *doc, uint32_t at, struct arena *arena)
{
    return json_is(doc, at, JSON_STRING) ? json_string(doc, at, arena) : (struct slice){0};
}

/* A day's files: nothing says when on that day, so they count as changed at its end, or at the cursor. */
static void take_day(struct files_position *position, const struct json *doc, uint32_t key, int64_t cursor_ms,
                     struct arena *arena)
{
    int64_t day_ms;
    struct slice day = json_string(doc, key, arena);
    uint32_t names = json_value(key);
    auto_free char *text = mem_printf("%.*sT00:00:00Z", SLICE_ARGS(day));
    if (!parse_time(slice_of(text), &day_ms))
        return;
    int64_t end_ms = day_ms + DAY_MS - 1;
    int64_t at_ms = day_ms > cursor_ms ? day_ms : end_ms < cursor_ms ? end_ms : cursor_ms;
    for (uint32_t e = json_first(doc, names); e != JSON_NONE; e = json_next(doc, names, e)) {
        struct slice name = text_at(doc, e, arena);
        if (name.size)
            files_position_was_read(position, name, at_ms);
    }
}

bool files_position_take_airbyte(struct files_position *position, const struct json *doc, struct arena *arena)
{
    uint32_t history = json_get(doc, 0, "history"),
             cursor = json_get(doc, 0, "_ab_source_file_last_modified");
    int64_t cursor_ms = INT64_MIN, at_ms, oldest_ms = INT64_MAX;
    bool by_days = false;
    size_t count = 0;
    if (history == JSON_NONE && cursor == JSON_NONE)
        return false;
    parse_time(text_at(doc, cursor, arena), &cursor_ms);
    for (uint32_t key = json_first_key(doc, history); key != JSON_NONE;
         key = json_next_key(doc, history, key)) {
        uint32_t value = json_value(key);
        if (json_is(doc, value, JSON_ARRAY)) {
            by_days = true;
            take_day(position, doc, key, cursor_ms, arena);
        } else if (parse_time(text_at(doc, value, arena), &at_ms)) {
            files_position_was_read(position, json_string(doc, key, arena), at_ms);
            oldest_ms = at_ms < oldest_ms ? at_ms : oldest_ms;
            count++;
        }
    }
    if (count >= HISTORY_FULL)
        position->from_ms = oldest_ms;
    else if (cursor_ms != INT64_MIN && by_days)
        position->from_ms = cursor_ms - BUFFER_MS;
    else if (cursor_ms != INT64_MIN && count == 0)
        position->from_ms = cursor_ms + 1; /* it is all that is known */
    return true;
}
