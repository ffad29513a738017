#include "supervisor/log_places.h"

#include "base/file.h"
#include "supervisor/log_files.h"
#include "supervisor/task_log.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_MAX = 16 << 20,                   /* bytes of one answer, whatever was asked for */
    PIECE = 1 << 20,                       /* bytes that are made text of at once */
    LOG_LINE_MAX = 4 * TASK_LOG_RECORD_MAX /* bytes of a line of a log, escapes and all */
};

/* --- reading ------------------------------------------------------------------------------------- */

/* What the file has from `at` on, `max` bytes at most. */
static int read_part(const char *path, uint64_t at, size_t max, struct buffer *out, struct error *err)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "cannot open %s", path);
    while (max > 0) {
        size_t chunk = max < (64 << 10) ? max : 64 << 10;
        if (!buffer_reserve(out, chunk))
            return error_set(err, ERROR_LIMIT, "more of a log than there is room for");
        ssize_t got = pread(fd, out->data + out->size, chunk, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read %s", path);
        if (got == 0)
            break;
        out->size += (size_t)got;
        at += (uint64_t)got;
        max -= (size_t)got;
    }
    return 0;
}

/* Only whole lines behind `from`; how many bytes that are. */
static size_t keep_lines(struct buffer *out, size_t from)
{
    const char *last = out->size > from ? memrchr(out->data + from, '\n', out->size - from) : NULL;
    out->size = last ? (size_t)(last - out->data) + 1 : from;
    return out->size - from;
}

static char *path_of(const char *folder, enum log_places places, uint64_t start)
{
    return log_files_path(folder, start >> places);
}

static int read_files(const char *folder, enum log_places places, const uint64_t *starts, size_t count,
                      uint64_t offset, size_t max, struct buffer *out, uint64_t *ret_next, struct error *err)
{
    size_t at = 0, from = out->size;
    if (offset < starts[0])
        offset = starts[0]; /* those lines have gone */
    while (at + 1 < count && starts[at + 1] <= offset)
        at++;
    for (; at < count && out->size - from < max; at++) {
        auto_free char *path = path_of(folder, places, starts[at]);
        uint64_t skip = offset > starts[at] ? offset - starts[at] : 0;
        size_t before = out->size, left = max - (out->size - from);
        /* A line has a bound, so one that begins here ends within it. */
        if (read_part(path, skip, left < LOG_LINE_MAX ? LOG_LINE_MAX : left, out, err) < 0)
            return -1;
        offset = (offset > starts[at] ? offset : starts[at]) + keep_lines(out, before);
    }
    *ret_next = offset;
    return 0;
}

/* The places where the files begin, ascending, heap. */
static int list(const char *folder, enum log_places places, uint64_t **ret_starts, size_t *ret_count,
                struct error *err)
{
    if (log_files_list(folder, ret_starts, ret_count, err) < 0)
        return -1;
    for (size_t i = 0; i < *ret_count; i++)
        (*ret_starts)[i] <<= places;
    return 0;
}

int log_places_read(const char *folder, enum log_places places, uint64_t from, size_t max, struct buffer *out,
                    uint64_t *ret_next, struct error *err)
{
    uint64_t *starts = NULL, next = from;
    size_t count = 0;
    if (list(folder, places, &starts, &count, err) < 0)
        return -1;
    int result = 0;
    if (count)
        result =
            read_files(folder, places, starts, count, from, max < READ_MAX ? max : READ_MAX, out, &next, err);
    free(starts);
    if (result == 0)
        *ret_next = next;
    return result;
}

/* --- for people ---------------------------------------------------------------------------------- */

static void append_text(struct buffer *out, const struct json *line, struct arena *arena)
{
    const char *when = json_cstring(line, json_get(line, 0, "ts"), arena);
    const char *level = json_cstring(line, json_get(line, 0, "level"), arena);
    const char *origin = json_cstring(line, json_get(line, 0, "origin"), arena);
    const char *message = json_cstring(line, json_get(line, 0, "message"), arena);
    struct buffer text;
    if (!message)
        return;
    buffer_init(&text, 4 * LOG_LINE_MAX);
    buffer_printf(&text, "%.10s %.8s %s%s", when && strlen(when) > 19 ? when : "",
                  when && strlen(when) > 19 ? when + 11 : "", origin ? origin : "firth", " ");
    for (const char *at = level ? level : "info"; *at; at++)
        buffer_byte(&text, (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at));
    buffer_byte(&text, ' ');
    text_append_printable_indented(&text, message, strlen(message));
    buffer_byte(&text, '\n');
    buffer_append(out, text.data, text.size);
    buffer_done(&text);
}

static void append_lines(struct buffer *out, struct slice lines)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct arena arena;
    arena_init(&arena);
    while (lines.size) {
        const char *end = memchr(lines.data, '\n', lines.size);
        size_t size = end ? (size_t)(end - lines.data) : lines.size;
        struct json line;
        struct error torn; /* a crash may have left half a line */
        arena_clear(&arena);
        if (size && json_parse(parser, lines.data, size, &line, &torn) == 0)
            append_text(out, &line, &arena);
        size += end != NULL;
        lines = (struct slice){lines.data + size, lines.size - size};
    }
    arena_done(&arena);
}

/* Where the last `max` bytes begin; how many lie before. */
static uint64_t tail_start(const char *folder, enum log_places places, const uint64_t *starts, size_t count,
                           size_t max, uint64_t *ret_left)
{
    uint64_t start = starts[0];
    *ret_left = 0;
    for (size_t i = count; i-- > 0;) {
        struct stat info;
        auto_free char *path = path_of(folder, places, starts[i]);
        size_t size = stat(path, &info) == 0 ? (size_t)info.st_size : 0;
        if (size > max) {
            start = max ? starts[i] + (size - max) : start;
            *ret_left += size - max;
        } else if (max) {
            start = starts[i];
        }
        max -= size < max ? size : max;
    }
    return start;
}

/* As text, from `start` on, about `max` bytes of it: what is written meanwhile is not waited for. */
static int append_from(const char *folder, enum log_places places, const uint64_t *starts, size_t count,
                       uint64_t start, size_t max, struct buffer *out, struct error *err)
{
    struct buffer raw;
    uint64_t at = start, next = start;
    int result = 0;
    buffer_init(&raw, 2 * (size_t)READ_MAX);
    for (size_t done = 0; done < max; done += raw.size, at = next) {
        buffer_clear(&raw);
        result = read_files(folder, places, starts, count, at, max - done < PIECE ? max - done : PIECE, &raw,
                            &next, err);
        if (result < 0 || raw.size == 0)
            break;
        struct slice lines = {raw.data, raw.size};
        const char *first = at == start && start > starts[0] ? memchr(lines.data, '\n', lines.size) : NULL;
        size_t skip = first ? (size_t)(first - lines.data) + 1 : 0; /* it may be the end of a line */
        append_lines(out, (struct slice){lines.data + skip, lines.size - skip});
    }
    buffer_done(&raw);
    return result;
}

int log_places_tail(const char *folder, enum log_places places, size_t max, struct buffer *out,
                    uint64_t *ret_left, struct error *err)
{
    uint64_t *starts = NULL, left = 0;
    size_t count = 0;
    if (list(folder, places, &starts, &count, err) < 0)
        return -1;
    uint64_t start = count ? tail_start(folder, places, starts, count, max, &left) : 0;
    int result = count ? append_from(folder, places, starts, count, start, max, out, err) : 0;
    free(starts);
    if (result == 0 && ret_left)
        *ret_left = left;
    return result;
}
