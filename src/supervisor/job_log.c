#include "supervisor/job_log.h"

#include "base/file.h"
#include "supervisor/job_files.h"
#include "supervisor/log_files.h"
#include "json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_MAX = 16 << 20 /* bytes of one answer, whatever was asked for */ };

char *job_files_folder(const char *data_dir, int64_t job)
{
    return mem_printf("%s/jobs/%" PRId64, data_dir, job);
}

char *job_files_attempt(const char *data_dir, int64_t job, uint32_t attempt)
{
    return mem_printf("%s/jobs/%" PRId64 "/%" PRIu32, data_dir, job, attempt);
}

void job_files_remove(const char *data_dir, int64_t job)
{
    struct error ignored; /* what is left is in nobody's way */
    auto_free char *folder = job_files_folder(data_dir, job);
    (void)file_remove_tree(folder, &ignored);
}

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

static int read_files(const char *folder, const uint64_t *starts, size_t count, uint64_t offset, size_t max,
                      struct buffer *out, uint64_t *ret_next, struct error *err)
{
    size_t at = 0, from = out->size;
    if (offset < starts[0])
        offset = starts[0]; /* those lines have gone */
    while (at + 1 < count && starts[at + 1] <= offset)
        at++;
    for (; at < count && out->size - from < max; at++) {
        auto_free char *path = log_files_path(folder, starts[at]);
        uint64_t skip = offset > starts[at] ? offset - starts[at] : 0;
        size_t before = out->size, left = max - (out->size - from);
        /* A line has a bound, so one that begins here ends within it. */
        if (read_part(path, skip, left < JOB_LOG_LINE_MAX ? JOB_LOG_LINE_MAX : left, out, err) < 0)
            return -1;
        offset = (offset > starts[at] ? offset : starts[at]) + keep_lines(out, before);
    }
    *ret_next = offset;
    return 0;
}

int job_log_read(const char *data_dir, int64_t job, uint32_t attempt, uint64_t offset, size_t max,
                 struct buffer *out, uint64_t *ret_next, struct error *err)
{
    uint64_t *starts = NULL, next = offset;
    size_t count = 0;
    auto_free char *folder = job_files_attempt(data_dir, job, attempt);
    if (log_files_list(folder, &starts, &count, err) < 0)
        return -1;
    int result = 0;
    if (count)
        result = read_files(folder, starts, count, offset, max < READ_MAX ? max : READ_MAX, out, &next, err);
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
    buffer_init(&text, 4 * JOB_LOG_LINE_MAX);
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

/* Where the last `max` bytes begin. */
static uint64_t tail_start(const char *folder, const uint64_t *starts, size_t count, size_t max)
{
    struct stat info;
    auto_free char *path = log_files_path(folder, starts[count - 1]);
    uint64_t end = starts[count - 1] + (stat(path, &info) == 0 ? (uint64_t)info.st_size : 0);
    return end > max ? end - max : 0;
}

int job_log_tail(const char *data_dir, int64_t job, uint32_t attempt, size_t max, struct buffer *out,
                 struct error *err)
{
    uint64_t *starts = NULL, unused;
    size_t count = 0;
    struct buffer raw;
    auto_free char *folder = job_files_attempt(data_dir, job, attempt);
    if (log_files_list(folder, &starts, &count, err) < 0)
        return -1;
    buffer_init(&raw, 2 * (size_t)READ_MAX);
    uint64_t start = count ? tail_start(folder, starts, count, max) : 0;
    int result =
        count ? read_files(folder, starts, count, start, max < READ_MAX ? max : READ_MAX, &raw, &unused, err)
              : 0;
    if (result == 0 && raw.size) {
        struct slice lines = {raw.data, raw.size};
        const char *first = start > starts[0] ? memchr(lines.data, '\n', lines.size) : NULL;
        size_t skip = first ? (size_t)(first - lines.data) + 1 : 0; /* it may be the end of a line */
        append_lines(out, (struct slice){lines.data + skip, lines.size - skip});
    }
    buffer_done(&raw);
    free(starts);
    return result;
}
