/* Where a stream of files has got to: the state that its source emits.
 *
 * Files are looked through in the order of their names, again and again (a sweep). `seen` tells which files
 * have been read; any other is new, whatever its time, as long as all that were read are remembered. When
 * there are too many, those that arrived first are forgotten, and of what is not in `seen` only what has
 * arrived since then
 * (`from_ms`) is new. */
#ifndef FIRTH_FILES_POSITION_H
#define FIRTH_FILES_POSITION_H

#include "base/map.h"
#include "connectors/files/reader.h"
#include "connectors/files/storage.h"
#include "json/json.h"
#include "json/writer.h"

enum {
    FILES_SEEN_MAX = 10 * 1000,         /* files that are remembered */
    FILES_FORGET = FILES_SEEN_MAX / 10, /* so many go when there is no room */
};

struct files_position {
    int64_t from_ms;
    struct map seen; /* name -> struct files_seen */

    bool sweeping;
    int64_t started_ms; /* of the sweep */
    int64_t floor_ms;   /* from_ms is to be no less after it: what had arrived before has been forgotten */
    char *after;        /* files up to this name are done in this sweep; never NULL */

    char *file; /* in the middle of this one; NULL: between files */
    uint64_t tag;
    struct files_place place;
};

void files_position_init(struct files_position *position);
void files_position_done(struct files_position *position);
/* "" is the beginning. Also what Airbyte's own connectors have written. */
int files_position_parse(struct files_position *position, struct slice state, struct error *err);
void files_position_write(const struct files_position *position, struct buffer *out);

void files_position_begin(struct files_position *position, int64_t now_ms);
/* Is the file still to be read? */
bool files_position_wants(const struct files_position *position, const struct files_object *object);
/* It has been read to its end, or is to be passed over. */
void files_position_passed(struct files_position *position, const struct files_object *object);
/* The sweep has come to its end. `ascending`: names only grow, the next one goes on behind the last. */
void files_position_end(struct files_position *position, bool ascending);

/* --- between position.c and airbyte_state.c ----------------------------------------------------------------
 */

/* Is it a state of Airbyte's? Then what it says is taken. */
bool files_position_take_airbyte(struct files_position *position, const struct json *doc,
                                 struct arena *arena);
/* A file that was read as it was then: nothing but a later time says that it has changed. */
void files_position_was_read(struct files_position *position, struct slice name, int64_t modified_ms);

#endif
