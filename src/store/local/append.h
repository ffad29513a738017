/* Writing a file from front to back in whole pages, so that the bytes can go around the page cache: a file
 * that is written once and synced at once gains nothing from a copy there, and that copy, its pages and
 * their writing back cost more than all the rest of a commit (docs/decisions/0013-around-the-page-cache.md).
 *
 * The last page is written padded with zeros and written again, with the same bytes at its beginning, when
 * more comes: so the file is longer than what was appended.
 *
 * Where little is appended at a time, and again and again, zeros are written ahead of it: then the next
 * appends overwrite what is there, and their sync has no metadata to wait for. As much as was appended
 * before, and APPEND_AHEAD_MAX at most, so the file is never twice as long as what it holds. */
#ifndef FIRTH_STORE_LOCAL_APPEND_H
#define FIRTH_STORE_LOCAL_APPEND_H

#include "store/local/disk.h"

enum {
    APPEND_PAGE = 4096,
    APPEND_AHEAD_MAX = 384 << 10, /* bytes of zeros */
    APPEND_LITTLE = 64 << 10,     /* an append of more is not written ahead of */
};

struct append {
    bool around; /* the handle is told already */
    char *pages; /* room for one request, kept: as large as the largest so far */
    size_t pages_capacity;
    uint64_t appended; /* bytes since the file was begun or resumed */
    uint64_t reach;    /* up to here there are pages, as far as we know */
    size_t tail_size;  /* bytes appended to the last page: the file's end modulo APPEND_PAGE */
    char tail[APPEND_PAGE];
};

/* Give the room back; what was appended stays known. Legal at any time. */
void append_shrink(struct append *append);
/* A new, empty file. */
void append_begin(struct append *append);
/* Go on behind `end` bytes of the file: reads the last page. 0, or a negated errno; -ENODATA if the file is
 * shorter than that. */
int append_resume(struct append *append, const struct disk *disk, int file, uint64_t end);
/* Append the parts behind `end`, which is where the last append ended. Once this was called, the handle is
 * not to be read from. */
int append_write(struct append *append, const struct disk *disk, int file, const struct iovec *parts,
                 int count, uint64_t end);

#endif
