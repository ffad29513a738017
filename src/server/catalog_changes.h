/* What has changed between a connection's streams and what its source has now, as Airbyte's catalogDiff, and
 * both as one syncCatalog. Private to this folder. */
#ifndef FIRTH_SERVER_CATALOG_CHANGES_H
#define FIRTH_SERVER_CATALOG_CHANGES_H

#include "base/map.h"
#include "json/writer.h"

enum { CATALOG_CHANGES_DEPTH_MAX = 32 /* objects within objects whose fields are compared one by one */ };

struct catalog_changes {
    struct json configured; /* the syncCatalog */
    struct json now;        /* discovered, in the protocol's spelling */
    struct json before;     /* what it was made from; count 0: not known */
    struct map configured_streams, now_streams, before_streams; /* by name and namespace: nodes + 1 */
    struct arena *arena;
    bool any, breaking; /* what catalog_changes_write found */
};

/* Streams that are neither in `configured` nor in `before` (size 0: not known) are new. */
int catalog_changes_init(struct catalog_changes *changes, struct slice configured, struct slice before,
                         struct slice now, struct arena *arena, struct error *err);
void catalog_changes_done(struct catalog_changes *changes);

/* {"transforms": […]} */
void catalog_changes_write(struct catalog_changes *changes, struct json_writer *out);
/* The streams that there are now, each with the config that it had; new ones are not selected. */
void catalog_changes_merge(const struct catalog_changes *changes, unsigned destination_modes,
                           struct json_writer *out);

#endif
