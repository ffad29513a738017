/* Files that grow while others read them: for a task that has no end.
 *
 * Lines are appended to the files themselves. What is committed, and with which checkpoint of the task, says
 * one file beside them, replaced atomically with each commit:
 *
 *   .firth.<hash of the task>.json   {"task","checkpoint","closed","files":[{"name","inode","size"},…]}
 *
 * A session that finds one that was not closed cuts each file to the size that is written there: so a line is
 * there once, and covered by the checkpoint, or not at all. A file that is another by now (its inode says)
 * was put there by somebody else, and is left as it is. While a task writes a file it holds the lock that
 * staged.h describes. */
#ifndef FIRTH_LOCAL_JSON_LIVE_H
#define FIRTH_LOCAL_JSON_LIVE_H

#include "staged.h"

#include "base/memory.h"
#include "base/text.h"

struct live_file {
    char *name;
    struct staged *lock; /* never written: it only keeps others away */
    int fd;
    uint64_t inode, size, committed; /* `out` not counted */
    struct buffer out;
};

struct live {
    char *folder, *task, *record; /* `record`: the path of the file that says what is committed */
    int folder_fd;                /* borrowed */
    char *checkpoint;             /* JSON; "": none yet */
    struct live_file *files;
    size_t count;
    bool broken; /* what could not be cut is cut by the next session */
};

/* Open these files for the task, cut to what it has committed. ERROR_BUSY if somebody else writes one. */
struct live *live_open(const char *folder, int folder_fd, const char *task, char *const *names, size_t count,
                       struct error *err);
/* What was not committed goes. */
void live_close(struct live *live);

/* As staged_reserve, of the file at `index`; the caller adds what it wrote to files[index].out.size. */
char *live_reserve(struct live *live, size_t index, size_t size, struct error *err);
/* Everything so far is durable, and `checkpoint` with it. */
int live_commit(struct live *live, struct slice checkpoint, struct error *err);

#endif
