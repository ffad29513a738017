/* The disk as the local engine sees it, so that tests can put a simulated one underneath: a page cache that
 * loses power, a disk that is full, a sync that fails.
 *
 * Every function returns 0 (or a count or handle >= 0) or a negated errno. Interrupted calls are repeated and
 * short writes completed behind this interface. Handles belong to the caller until close. */
#ifndef FIRTH_STORE_LOCAL_DISK_H
#define FIRTH_STORE_LOCAL_DISK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum disk_open {
    DISK_READ = 0,
    DISK_WRITE = 1,     /* read and write */
    DISK_CREATE = 2,    /* make it if it is not there */
    DISK_EXCLUSIVE = 4, /* with DISK_CREATE: -EEXIST if it is there */
    DISK_EMPTY = 8,     /* cut to 0 bytes */
};

struct disk {
    void *context;
    int (*open)(void *context, const char *path, int flags);
    void (*close)(void *context, int file);
    /* Bytes read: less than `size` only at the end of the file. */
    ssize_t (*read)(void *context, int file, void *bytes, size_t size, uint64_t offset);
    /* All the parts one after the other, or an error; then any part of them may have been written. */
    int (*write)(void *context, int file, const struct iovec *parts, int count, uint64_t offset);
    int (*size)(void *context, int file, uint64_t *ret_size);
    int (*linked)(void *context, int file); /* 1: the open file still has a name; 0: it was removed */
    int (*truncate)(void *context, int file, uint64_t size);
    /* From now on this handle is only written, in whole aligned pages (append.h), and they may go around the
     * page cache, or no longer: a hint. */
    void (*go_around)(void *context, int file, bool around);
    /* Begin to write dirty pages out without waiting: a hint. */
    void (*start_sync)(void *context, int file, uint64_t offset, uint64_t size);
    /* The file's bytes and length are durable when this returns 0. */
    int (*sync)(void *context, int file);
    /* The folder's entries (files made, renamed, removed in it) are durable when this returns 0. */
    int (*sync_folder)(void *context, const char *path);
    int (*make_folder)(void *context, const char *path); /* -EEXIST if it is there */
    int (*rename)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    int (*stat_size)(void *context, const char *path, uint64_t *ret_size);
    /* Names in a folder, without "." and "..", in any order. */
    int (*list)(void *context, const char *path, void (*each)(void *argument, const char *name),
                void *argument);
    /* An exclusive lock of the open file, until close or the process's death: -EAGAIN if somebody has it. */
    int (*lock)(void *context, int file);
    int (*locked)(void *context, int file); /* 1: somebody else holds the lock; 0: nobody */
    /* A descriptor for poll, readable when a watched path changes; -ENOSYS where there is none. */
    int (*watch_open)(void *context);
    int (*watch_add)(void *context, int watch, const char *path);
};

/* The operating system's. */
extern const struct disk disk_system;

/* error_errno for a negated errno; a full disk says so in words. Returns -1. */
int disk_error(struct error *err, int negated_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

static inline int disk_write_one(const struct disk *disk, int file, const void *bytes, size_t size,
                                 uint64_t offset)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    return disk->write(disk->context, file, &part, 1, offset);
}

#endif
