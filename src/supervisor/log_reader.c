#include "supervisor/log_reader.h"

#include "base/buffer.h"
#include "supervisor/log_files.h"
#include "supervisor/task_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK = 64 << 10, LINE_MAX_BYTES = 4 * TASK_LOG_RECORD_MAX };

struct log_reader {
    char *folder;
    int64_t since_ms;
    int fd;
    uint64_t number; /* of the open file, or of the last one */
    struct buffer text;
    size_t taken;  /* of the text: lines that were handed out */
    bool skipping; /* the rest of a line that is too long to be one of ours */
};

struct log_reader *log_reader_new(const char *data_dir, const char *task, int64_t since_ms)
{
    struct log_reader *reader = mem_zalloc(sizeof *reader);
    reader->folder = log_files_folder(data_dir, task);
    reader->since_ms = since_ms;
    reader->fd = -1;
    buffer_init(&reader->text, LINE_MAX_BYTES + READ_CHUNK);
    return reader;
}

void log_reader_free(struct log_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    buffer_done(&reader->text);
    free(reader->folder);
    free(reader);
}

const char *log_reader_folder(const struct log_reader *reader)
{
    return reader->folder;
}

static bool too_old(const struct log_reader *reader, int fd)
{
    struct stat info;
    return reader->since_ms && fstat(fd, &info) == 0 &&
           (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000 < reader->since_ms;
}

/* The file behind the one that was read. 1: it is open; 0: there is none. One that is removed meanwhile is no
 * error: the next is tried. */
static int open_next(struct log_reader *reader, struct error *err)
{
    uint64_t *numbers;
    size_t count;
    int result = 0;
    if (log_files_list(reader->folder, &numbers, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (numbers[i] <= reader->number)
            continue;
        auto_free char *path = log_files_path(reader->folder, numbers[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0) {
            result = error_errno(err, errno, "cannot read %s", path);
        } else if (i + 1 < count && too_old(reader, fd)) {
            close(fd);
        } else {
            if (reader->fd >= 0)
                close(reader->fd);
            reader->fd = fd;
            reader->number = numbers[i];
            reader->taken = 0;
            reader->skipping = false;
            buffer_clear(&reader->text);
            result = 1;
        }
    }
    free(numbers);
    return result;
}

/* More of the open file. 1: there was some, 0: not now. */
static int fill(struct log_reader *reader, struct error *err)
{
    buffer_consume(&reader->text, reader->taken);
    reader->taken = 0;
    if (!buffer_reserve(&reader->text, READ_CHUNK)) {
        buffer_clear(&reader->text);
        reader->skipping = true;
        (void)buffer_reserve(&reader->text, READ_CHUNK);
    }
    ssize_t got;
    do
        got = read(reader->fd, reader->text.data + reader->text.size, READ_CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(err, errno, "cannot read the log in %s", reader->folder);
    reader->text.size += (size_t)got;
    return got > 0;
}

static bool take_line(struct log_reader *reader, struct slice *ret_line)
{
    const char *begin = reader->text.data + reader->taken;
    size_t left = reader->text.size - reader->taken;
    const char *end = left ? memchr(begin, '\n', left) : NULL;
    if (!end)
        return false;
    *ret_line = (struct slice){begin, (size_t)(end - begin)};
    reader->taken += ret_line->size + 1;
    return true;
}

int log_reader_next(struct log_reader *reader, struct slice *ret_line, struct error *err)
{
    for (;;) {
        while (reader->fd >= 0 && take_line(reader, ret_line)) {
            bool whole = !reader->skipping;
            reader->skipping = false;
            if (whole && ret_line->size)
                return 1;
        }
        int more = reader->fd >= 0 ? fill(reader, err) : 0;
        if (more < 0)
            return -1;
        if (more > 0)
            continue;
        /* The end of this file is the end of it only if there is another: lines may have come in between, so
         * it is read once more after that is known. */
        uint64_t *numbers;
        size_t count;
        if (log_files_list(reader->folder, &numbers, &count, err) < 0)
            return -1;
        if (count > 0 && numbers[count - 1] < reader->number)
            reader->number = 0; /* the task was removed, and deployed again */
        bool another = count > 0 && numbers[count - 1] > reader->number;
        free(numbers);
        if (!another)
            return 0;
        if (reader->fd >= 0 && (more = fill(reader, err)) != 0) {
            if (more < 0)
                return -1;
            continue;
        }
        more = open_next(reader, err);
        if (more <= 0)
            return more;
    }
}
