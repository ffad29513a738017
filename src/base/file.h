/* Files: read whole with a limit, replace atomically, make folders. Every descriptor is O_CLOEXEC. */
#ifndef FIRTH_BASE_FILE_H
#define FIRTH_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

#include <sys/types.h>

/* Append the whole file to *buffer. ERROR_LIMIT if it is larger than max or the buffer's room. */
int file_read(const char *path, size_t max, struct buffer *buffer, struct error *err);
/* Write beside the target, fsync, rename over it, fsync the folder. */
int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err);
/* mkdir -p; what is new is durable. */
int file_make_folders(const char *path, mode_t mode, struct error *err);
int file_sync_folder(const char *path, struct error *err);
bool file_exists(const char *path);
/* Remove a file or a whole tree; what does not exist is no error. */
int file_remove_tree(const char *path, struct error *err);
/* All bytes or an error, through EINTR and short writes. */
int file_write_all(int fd, const void *bytes, size_t size, const char *name, struct error *err);
/* dirname(path) + "/" + relative, unless relative is absolute. Heap string. */
char *file_resolve(const char *base_path, const char *relative);
/* "/a/./b//../c" to "/a/c", by text alone; a relative path is taken from the working folder. Heap string. */
char *file_absolute(const char *path);

#endif
