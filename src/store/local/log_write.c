#include "store/local/log.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/hash.h"
#include "store/local/local.h"

#include <errno.h>
#include <inttypes.h>

enum { LOG_SIZE_MIN = 256 << 10, LOG_SIZE_MAX = 16 << 20, ZEROS = 64 << 10, ZEROS_TRIES = 16 };

static const char zeros[ZEROS];

void log_writer_init(struct log_writer *log, const struct disk *disk, const char *folder, const char *task,
                     uint64_t size_max)
{
    *log = (struct log_writer){
        .disk = disk, .folder = mem_strdup(folder), .task = mem_strdup(task), .file = -1, .mark_file = -1};
    log->size_max = size_max ? size_max : LOG_SIZE_MAX;
}

static void remove_spare(struct log_writer *log)
{
    auto_free char *temporary = mem_printf("%s/commits.tmp", log->folder);
    log->disk->unlink(log->disk->context, temporary);
}

void log_writer_done(struct log_writer *log)
{
    if (log->spare)
        remove_spare(log);
    local_close_file(log->disk, &log->file);
    local_close_file(log->disk, &log->mark_file);
    free(log->folder);
    free(log->task);
    *log = (struct log_writer){.file = -1, .mark_file = -1};
}

static uint32_t payload_size(const struct log_record *record)
{
    return (uint32_t)(record->journals.size + record->checkpoint.size);
}

static uint64_t slot_size(const struct log_record *record)
{
    return layout_record_slot(payload_size(record), (uint32_t)record->data.size);
}

/* Both copies of the record and the blocks it carries, each padded with zeros to whole pages, in one write.
 */
static int write_record(struct log_writer *log, int file, uint64_t salt, uint64_t offset,
                        const struct log_record *record)
{
    uint32_t payload = payload_size(record), size = (uint32_t)record->data.size;
    uint32_t crc = hash_crc32c(0, record->journals.data, record->journals.size);
    struct record_header header = {
        .payload_crc = hash_crc32c(crc, record->checkpoint.data, record->checkpoint.size),
        .salt = salt,
        .sequence = record->sequence,
        .committed_ms = record->committed_ms,
        .payload_size = payload,
        .journals = record->count,
        .checkpoint_size = (uint32_t)record->checkpoint.size,
        .data_size = size,
        .data_crc = hash_crc32c(0, record->data.data, size),
    };
    char headers[2][RECORD_HEADER];
    struct iovec parts[10];
    for (uint32_t copy = 0; copy < 2; copy++) {
        header.copy = copy;
        layout_record_put(&header, headers[copy]);
        struct iovec *part = parts + 4 * copy;
        part[0] = (struct iovec){headers[copy], RECORD_HEADER};
        part[1] = (struct iovec){(void *)(uintptr_t)record->journals.data, record->journals.size};
        part[2] = (struct iovec){(void *)(uintptr_t)record->checkpoint.data, record->checkpoint.size};
        part[3] =
            (struct iovec){(void *)(uintptr_t)zeros, layout_record_copy(payload) - RECORD_HEADER - payload};
    }
    parts[8] = (struct iovec){(void *)(uintptr_t)record->data.data, size};
    parts[9] = (struct iovec){(void *)(uintptr_t)zeros, layout_round_up(size, LAYOUT_PAGE) - size};
    return log->disk->write(log->disk->context, file, parts, size ? 10 : 8, offset);
}

static int write_zeros(const struct disk *disk, int file, uint64_t from, uint64_t to)
{
    int result = 0;
    for (; from < to && result == 0; from += ZEROS)
        result = disk_write_one(disk, file, zeros, to - from < ZEROS ? to - from : ZEROS, from);
    return result;
}

/* The content of a new log, durable. What an old log left in its file is told by its salt, so that it does
 * not have to be overwritten. */
static int fill(struct log_writer *log, int file, const struct log_header *header,
                const struct log_record *record, bool spare)
{
    const struct disk *disk = log->disk;
    char page[LAYOUT_PAGE];
    layout_log_put(header, page);
    int result = disk_write_one(disk, file, page, sizeof page, 0);
    if (result == 0)
        result = write_record(log, file, header->salt, LAYOUT_PAGE, record);
    if (result == 0 && !spare)
        result = write_zeros(disk, file, LAYOUT_PAGE + slot_size(record), header->file_size);
    return result == 0 ? disk->sync(disk->context, file) : result;
}

struct old_logs {
    struct log_writer *log;
    uint64_t keep, spare; /* the generation of the one that may serve again; 0: none */
};

static void remove_old(void *argument, const char *name)
{
    struct old_logs *old = argument;
    uint64_t sequence;
    if (!local_parse_log_name(name, &sequence) || sequence >= old->keep)
        return;
    const struct disk *disk = old->log->disk;
    auto_free char *path = local_log_path(old->log->folder, sequence);
    if (sequence == old->spare) {
        auto_free char *temporary = mem_printf("%s/commits.tmp", old->log->folder);
        old->log->spare = disk->rename(disk->context, path, temporary) == 0;
        if (old->log->spare)
            return;
    }
    disk->unlink(disk->context, path); /* if not now, then at the next roll */
}

/* Logs double from 256 kB to 16 MB, so that a task that commits twice is cheap and one that commits often
 * rolls rarely. A record too large for that gets a log that just holds it. */
static uint64_t next_size(const struct log_writer *log, uint64_t first_slot, uint64_t room)
{
    uint64_t size = log->file_size * 2 < LOG_SIZE_MIN ? LOG_SIZE_MIN : log->file_size * 2;
    if (size > log->size_max)
        size = log->size_max;
    uint64_t needed = LAYOUT_PAGE + first_slot + room;
    return size < needed ? needed : size;
}

int log_writer_roll(struct log_writer *log, const struct log_record *record, uint64_t room, struct error *err)
{
    const struct disk *disk = log->disk;
    if (log->log == 0)
        log->identified = true; /* the task's first */
    while (log->identity == 0)
        random_bytes(&log->identity, sizeof log->identity);
    struct log_header header = {
        .generation = log->log + 1,
        .file_size = next_size(log, slot_size(record), room),
        .identity = log->identity,
        .flags = log->identified ? LOG_IDENTIFIED : 0,
        .task = slice_of(log->task),
    };
    random_bytes(&header.salt, sizeof header.salt);
    auto_free char *temporary = mem_printf("%s/commits.tmp", log->folder);
    auto_free char *path = local_log_path(log->folder, header.generation);
    bool spare = log->spare && header.file_size == log->size_max;
    uint64_t old_size = log->file_size;
    int file = disk->open(disk->context, temporary, DISK_WRITE | (spare ? 0 : DISK_CREATE | DISK_EMPTY));
    log->spare = false;
    if (file < 0)
        return disk_error(err, file, "cannot make the commit log %s", temporary);
    int result = fill(log, file, &header, record, spare);
    fault_point("store.log.before-rename");
    if (result == 0)
        result = disk->rename(disk->context, temporary, path);
    else
        disk->unlink(disk->context, temporary);
    fault_point("store.log.after-rename");
    if (result == 0)
        result = disk->sync_folder(disk->context, log->folder);
    if (result < 0) {
        disk->close(disk->context, file);
        return disk_error(err, result, "cannot write the commit log %s", path);
    }
    local_close_file(disk, &log->file);
    log->file = file;
    log->log = header.generation;
    log->salt = header.salt;
    log->file_size = header.file_size;
    log->last = LAYOUT_PAGE;
    log->last_copy = layout_record_copy(payload_size(record));
    log->at = LAYOUT_PAGE + slot_size(record);
    struct old_logs old = {log, log->log, old_size == log->size_max ? log->log - 1 : 0};
    disk->list(disk->context, log->folder, remove_old, &old);
    fault_point("store.log.after-unlink");
    return 0;
}

/* The last record once more, without the blocks it carries, at the head of a new log. It is read back rather
 * than kept: it may be large. */
static int roll_over(struct log_writer *log, uint64_t room, struct error *err)
{
    const struct disk *disk = log->disk;
    for (int copy = 0; copy < 2; copy++) {
        char bytes[RECORD_HEADER];
        struct record_header header;
        uint64_t offset = copy == 0 ? log->last : log->last + log->last_copy;
        if (disk->read(disk->context, log->file, bytes, sizeof bytes, offset) < RECORD_HEADER ||
            layout_record_get(bytes, &header))
            continue;
        auto_free char *payload = mem_alloc(header.payload_size);
        ssize_t got =
            disk->read(disk->context, log->file, payload, header.payload_size, offset + RECORD_HEADER);
        if (got < (ssize_t)header.payload_size ||
            hash_crc32c(0, payload, header.payload_size) != header.payload_crc)
            continue;
        uint32_t journals_size = header.payload_size - header.checkpoint_size;
        struct log_record record = {
            .sequence = header.sequence,
            .committed_ms = header.committed_ms,
            .journals = {payload, journals_size},
            .count = header.journals,
            .checkpoint = {payload + journals_size, header.checkpoint_size},
        };
        return log_writer_roll(log, &record, room, err);
    }
    return error_set(err, ERROR_CORRUPT,
                     "the commit log %s/commits-%016" PRIx64 " is damaged at offset %" PRIu64, log->folder,
                     log->log, log->last);
}

bool log_writer_has_room(const struct log_writer *log, const struct log_record *record)
{
    return log->at + slot_size(record) <= log->file_size;
}

int log_writer_append(struct log_writer *log, const struct log_record *record, struct error *err)
{
    const struct disk *disk = log->disk;
    uint64_t slot = slot_size(record);
    if (!log_writer_has_room(log, record) && roll_over(log, slot, err) < 0)
        return -1;
    int result = write_record(log, log->file, log->salt, log->at, record);
    if (result == 0)
        result = disk->sync(disk->context, log->file);
    if (result < 0) {
        /* What became of the record is unknown; nobody has seen it, and nobody should now: after a sync that
         * failed even a reader's own proves nothing. So a write that fails as well is tried again. */
        for (int tries = 0; tries < ZEROS_TRIES && write_zeros(disk, log->file, log->at, log->at + slot) < 0;
             tries++)
            ;
        return disk_error(err, result, "cannot write the commit log %s/commits-%016" PRIx64, log->folder,
                          log->log);
    }
    log->last = log->at;
    log->last_copy = layout_record_copy(payload_size(record));
    log->at += slot;
    return 0;
}

void log_writer_publish(struct log_writer *log, uint64_t sequence)
{
    const struct disk *disk = log->disk;
    auto_free char *path = log->mark_file < 0 ? mem_printf("%s/published", log->folder) : NULL;
    if (path)
        log->mark_file = disk->open(disk->context, path, DISK_WRITE | DISK_CREATE);
    char bytes[MARK_SIZE];
    layout_mark_put(&(struct mark){.sequence = sequence, .log = log->log}, bytes);
    /* An old mark would keep readers at an old commit: better none. */
    if (log->mark_file >= 0 && disk_write_one(disk, log->mark_file, bytes, sizeof bytes, 0) < 0)
        disk->truncate(disk->context, log->mark_file, 0);
}
