/* What every list of the control store shares: a page of it, and what is handed out.
 *
 * A control handle may be used by several threads: a call holds the handle for as long as it lasts. The
 * daemon's loop and the threads that answer HTTP have a handle each (control_share), so that neither waits
 * for the other's reading.
 *
 * Rows that are handed out, and every string and slice in them, live in the arena that was given. Slices
 * named "JSON" are one JSON value; of size 0 where there is none. Ids are UUIDs in lower case, 36 characters.
 * Times are milliseconds since 1970, 0 for never.
 *
 * A thing that was deleted is a tombstone: it is found by nobody who does not ask for deleted ones, and jobs
 * that name it stay. */
#ifndef FIRTH_CONTROL_PAGE_H
#define FIRTH_CONTROL_PAGE_H

#include "control/control.h"

enum {
    CONTROL_UUID_SIZE = 37,            /* with its NUL */
    CONTROL_PAGE_DEFAULT = 20,         /* rows of a page, if `limit` is 0 */
    CONTROL_PAGE_MAX = 10000,          /* rows of a page at most: a larger limit is this one */
    CONTROL_TITLE_MAX = 1024,          /* bytes of a workspace's, an actor's, a connection's name */
    CONTROL_DEFINITION_NAME_MAX = 200, /* characters of a definition's */
    CONTROL_CONFIG_MAX = 8 << 20,      /* bytes of a connector's config */
    CONTROL_CATALOG_MAX = 64 << 20,    /* bytes of a catalog, discovered or configured */
    CONTROL_JSON_MAX = 1 << 20,        /* bytes of any other JSON that is kept */
    CONTROL_CONNECTIONS_MAX = 100000,  /* connections that are not deleted */
};

struct control_page {
    uint32_t limit, offset;
    bool deleted; /* also tombstones */
};

enum control_side { CONTROL_SOURCE, CONTROL_DESTINATION, CONTROL_SIDE_COUNT };
const char *control_side_name(enum control_side side); /* "source", "destination" */

/* Another handle on the same store, with the same key, whatever the environment has become. It is closed
 * before `control` is. NULL with *err. */
struct control *control_share(const struct control *control, struct error *err);

/* A random one. */
void control_uuid_new(char ret_uuid[CONTROL_UUID_SIZE]);
/* Of a name: the same for the same name, on every machine (version 8). */
void control_uuid_of(const char *name, char ret_uuid[CONTROL_UUID_SIZE]);
/* Is it one, in any case; the lower-case form goes to ret_uuid. */
bool control_uuid_parse(struct slice text, char ret_uuid[CONTROL_UUID_SIZE]);

#endif
