#include "supervisor/task_log.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "supervisor/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MESSAGE_MAX = 16 << 10, FILE_MIN = 4 << 10 };

void task_log_init(struct task_log *log, const char *data_dir, const char *task, uint64_t bytes_max)
{
    task_log_init_in(log, log_files_folder(data_dir, task), bytes_max);
    log->by_offset = false;
}

void task_log_init_in(struct task_log *log, char *folder, uint64_t bytes_max)
{
    uint64_t file_max = bytes_max / TASK_LOG_FILES;
    *log = (struct task_log){
        .folder = folder, .by_offset = true, .file_max = file_max < FILE_MIN ? FILE_MIN : file_max, .fd = -1};
    buffer_init(&log->line, 2 * TASK_LOG_RECORD_MAX);
}

void task_log_close(struct task_log *log)
{
    if (log->fd >= 0 && !fault_planted("log-left-open"))
        close(log->fd);
    log->fd = -1;
}

void task_log_done(struct task_log *log)
{
    task_log_close(log);
    buffer_done(&log->line);
    free(log->folder);
}

void task_log_remove(struct task_log *log)
{
    struct error ignored;
    task_log_close(log);
    (void)file_remove_tree(log->folder, &ignored);
}

/* --- files --------------------------------------------------------------------------------------- */

/* A crash may have left half a line at the end: it is ended, and readers leave it out. */
static bool ends_torn(int fd, uint64_t size)
{
    char last;
    return size > 0 && pread(fd, &last, 1, (off_t)size - 1) == 1 && last != '\n';
}

static int open_number(struct task_log *log, uint64_t number)
{
    auto_free char *path = log_files_path(log->folder, number);
    struct stat info;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    task_log_close(log);
    log->fd = fd;
    log->number = number;
    log->size = fstat(fd, &info) == 0 ? (uint64_t)info.st_size : 0;
    log->torn = ends_torn(fd, log->size);
    return 0;
}

static int open_newest(struct task_log *log)
{
    uint64_t *numbers;
    size_t count;
    struct error err;
    if (file_make_folders(log->folder, 0700, &err) < 0 ||
        log_files_list(log->folder, &numbers, &count, &err) < 0)
        return -1;
    int result = open_number(log, count ? numbers[count - 1] : !log->by_offset);
    free(numbers);
    return result;
}

/* Those that are too many, also if there were more files once. */
static void drop_oldest(const struct task_log *log)
{
    uint64_t *numbers;
    size_t count;
    struct error ignored;
    if (log_files_list(log->folder, &numbers, &count, &ignored) < 0)
        return;
    for (size_t i = 0; i < count && i + TASK_LOG_FILES < count; i++) {
        auto_free char *path = log_files_path(log->folder, numbers[i]);
        unlink(path);
    }
    free(numbers);
}

/* Where a new file cannot be had the old one stays in use as long as it may: never past the bound. */
static int make_room(struct task_log *log, size_t size)
{
    if (log->fd < 0 && open_newest(log) < 0)
        return -1;
    if (log->size == 0 || log->size + size <= log->file_max)
        return 0;
    if (open_number(log, log->number + (log->by_offset ? log->size : 1)) < 0)
        return -1;
    drop_oldest(log);
    return 0;
}

static int write_line(struct task_log *log, const char *line, size_t size)
{
    if (make_room(log, size + log->torn) < 0)
        return -1;
    if (log->torn && write(log->fd, "\n", 1) != 1)
        return -1;
    log->size += log->torn;
    log->torn = false;
    ssize_t written;
    do
        written = write(log->fd, line, size);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return -1;
    log->size += (uint64_t)written;
    if ((size_t)written == size)
        return 0;
    log->torn = true;
    errno = ENOSPC; /* the usual reason for a short write to a file */
    return -1;
}

/* --- records ------------------------------------------------------------------------------------- */

void task_log_begin(struct task_log *log, int64_t wall_ms, enum log_level level, const char *event)
{
    char when[32];
    clock_format_rfc3339(wall_ms, when, sizeof when);
    buffer_clear(&log->line);
    json_writer_init(&log->writer, &log->line);
    json_begin_object(&log->writer);
    json_member_string(&log->writer, "ts", when);
    json_member_string(&log->writer, "level", log_level_name(level));
    json_member_string(&log->writer, "event", event);
}

void task_log_message(struct task_log *log, const char *message)
{
    struct slice text = {message, utf8_cut(message, strlen(message), MESSAGE_MAX)};
    json_member_slice(&log->writer, "message", text);
}

static void tell_lost(struct task_log *log, int64_t wall_ms)
{
    struct buffer kept = log->line;
    uint64_t lost = log->lost;
    buffer_init(&log->line, TASK_LOG_RECORD_MAX);
    task_log_begin(log, wall_ms, LOG_WARN, "lost");
    json_member_u64(&log->writer, "lines", lost);
    auto_free char *message = mem_printf("%llu line%s could not be written: %s", (unsigned long long)lost,
                                         lost == 1 ? "" : "s", strerror(log->lost_errno));
    task_log_message(log, message);
    json_end_object(&log->writer);
    buffer_byte(&log->line, '\n');
    if (write_line(log, log->line.data, log->line.size) == 0)
        log->lost = 0;
    buffer_done(&log->line);
    log->line = kept;
}

void task_log_end(struct task_log *log)
{
    json_end_object(&log->writer);
    buffer_byte(&log->line, '\n');
    if (log->line.overflowed)
        return; /* nothing that is written here can be that long: messages and labels are cut */
    if (log->lost)
        tell_lost(log, clock_wall_ms(&clock_system));
    if (log->lost == 0 && write_line(log, log->line.data, log->line.size) == 0)
        return;
    if (log->lost++ == 0)
        log->lost_errno = errno;
}
