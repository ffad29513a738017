/* Reading a log of several files by places that stay what they are while it is written and old files go. */
#ifndef FIRTH_SUPERVISOR_LOG_PLACES_H
#define FIRTH_SUPERVISOR_LOG_PLACES_H

#include "base/buffer.h"
#include "base/error.h"

/* What a file's number is (log_files.h), in bits that lie behind it in a place. */
enum log_places {
    LOG_PLACES_BY_OFFSET = 0, /* the offset of its first byte in the whole log, and so is a place */
    LOG_PLACES_NUMBERED = 32, /* they are counted: a place is the number, then the offset within the file */
};

/* From any thread. Append whole lines from the place `from` on, up to `max` bytes (at least one line, if
 * there is one). *ret_next: where to go on; beyond `from` without lines where those have gone already. No
 * error for a folder that is not there: nothing is appended. */
int log_places_read(const char *folder, enum log_places places, uint64_t from, size_t max, struct buffer *out,
                    uint64_t *ret_next, struct error *err);
/* The last `max` bytes of it in whole lines, for people: "2026-11-21 18:58:10 source-faker INFO message\n".
 * *ret_left: how many bytes before them are left out; NULL is allowed. */
int log_places_tail(const char *folder, enum log_places places, size_t max, struct buffer *out,
                    uint64_t *ret_left, struct error *err);

#endif
