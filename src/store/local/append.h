/* Writing a file from front to back in whole pages, so that the bytes can go around the page cache: a file
 * that is written once and synced at once gains nothing from a copy there, and that copy, its pages and
 * their writing back cost more than all the rest of a commit (docs/decisions/0013-around-the-page-cache.md).
 *
 * The last page is written padded with zeros and written again, with the same bytes at its beginning, when
 * more comes: so the file is longer than what was appended.
 *
 * What the commit log carries as well (FORMAT.md, "Carried blocks") is not synced at once: that goes through
 * the cache, where many small appends become few large writes. */
#ifndef FIRTH_STORE_LOCAL_APPEND_H
#define FIRTH_STORE_LOCAL_APPEND_H

#include "store/local/disk.h"

enum { APPEND_PAGE = 4096 };

struct append {
    bool around; /* what the handle was told last */
    char *pages; /* room for one request, kept: as large as the largest so far */
    size_t pages_capacity;
    size_t tail_size; /* bytes appended to the last page: the file's end modulo APPEND_PAGE */
    char tail[APPEND_PAGE];
};

/* Give the room back; what was appended stays known. Legal at any time. */
void append_shrink(struct append *append);
/* A new, empty file. */
void append_begin(struct append *append);
/* Go on behind `end` bytes of the file: reads the last page. 0, or a negated errno; -ENODATA if the file is
 * shorter than that. */
int append_resume(struct append *append, const struct disk *disk, int file, uint64_t end);
/* Append the parts behind `end`, which is where the last append ended, around the cache or into it. Once this
 * was called, the handle is not to be read from. */
int append_write(struct append *append, const struct disk *disk, int file, const struct iovec *parts,
                 int count, uint64_t end, bool around);

#endif
