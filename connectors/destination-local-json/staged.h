/* A file that appears whole or not at all, and that loses nothing which was confirmed.
 *
 * Lines go to a hidden file beside the final one. Its name says what it is worth:
 *
 *   .<file>.partial         nothing of it was confirmed: whoever finds it may remove it
 *   .<file>.<N>.staged      its first N bytes were confirmed: whoever finds it cuts it to N bytes and
 *                           puts it in the final file's place
 *
 * Renaming is atomic, so a commit is: sync the bytes, rename to the new N, sync the folder. The writer holds
 * a lock (flock) on the file under every name; what is locked is alive and is left alone. Scanning the
 * folder, creating and renaming happen under a lock on the folder, so that no scan misses a file. */
#ifndef FIRTH_LOCAL_JSON_STAGED_H
#define FIRTH_LOCAL_JSON_STAGED_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct staged {
    char *folder, *file; /* where, and the final name */
    char *hidden;        /* the present hidden name, inside folder */
    int fd, folder_fd;   /* folder_fd is borrowed */
    bool append;         /* starts with what the final file holds; may be published up to any commit */
    struct buffer out;
    uint64_t base;      /* bytes taken over from the final file */
    uint64_t size;      /* bytes written, `out` not counted */
    uint64_t committed; /* bytes of the last commit */
};

/* Bring the folder in order after syncs that died: publish what was confirmed, remove what was not. Files of
 * living writers stay as they are. */
int staged_recover(const char *folder, int folder_fd, struct error *err);

/* ERROR_BUSY if another process writes the same file. Frees everything again on failure. */
struct staged *staged_open(const char *folder, int folder_fd, const char *file, bool append,
                           struct error *err);
/* Append mode: what was committed is published; otherwise, and if nothing was, the final file stays. */
void staged_close(struct staged *staged);

/* Room for `size` more bytes at the end of `out`; writes out what is there if it must. NULL on an error. The
 * caller writes up to size bytes there and adds what it wrote to out.size. */
char *staged_reserve(struct staged *staged, size_t size, struct error *err);

/* Append mode only: everything so far survives whatever comes. Does not sync the folder: the caller does,
 * once for all files (*ret_renamed is set where that is needed, otherwise left as it is). */
int staged_commit(struct staged *staged, bool *ret_renamed, struct error *err);

/* Make it the final file, durably; the object is to be closed afterwards. */
int staged_publish(struct staged *staged, struct error *err);

#endif
