/* A catalog as it was read: its files and the environment variables it used, so that it can be loaded again
 * anywhere, later, by a newer program. A deployment keeps one: nothing that is derived is stored, so nothing
 * stored has to be converted when what is derived changes.
 *
 * A snapshot holds secrets (configs, variables): its text is stored encrypted only. */
#ifndef FIRTH_CATALOG_SNAPSHOT_H
#define FIRTH_CATALOG_SNAPSHOT_H

#include "catalog/catalog.h"

enum { CATALOG_SNAPSHOT_MAX = 64 << 20 /* bytes of its text */ };

struct catalog_snapshot;

/* An empty one, to be filled by a load that is given catalog_snapshot_recording's options. */
struct catalog_snapshot *catalog_snapshot_new(void);
void catalog_snapshot_free(struct catalog_snapshot *snapshot);
MEM_DEFINE_CLEANUP(struct catalog_snapshot *, catalog_snapshot_free);

/* Options that read the disk and the environment and keep what they gave. They live as long as it. */
const struct catalog_options *catalog_snapshot_recording(struct catalog_snapshot *snapshot);

/* Append its text, JSON. `path`: the catalog, as catalog_load was given it. ERROR_LIMIT past
 * CATALOG_SNAPSHOT_MAX. */
int catalog_snapshot_write(const struct catalog_snapshot *snapshot, const char *path, struct buffer *out,
                           struct error *err);

/* What such a text holds, to be changed and loaded again. NULL with *err. */
struct catalog_snapshot *catalog_snapshot_read(struct slice text, struct error *err);
/* Options that read it alone; they live as long as it. */
const struct catalog_options *catalog_snapshot_options(struct catalog_snapshot *snapshot);
/* The catalog's path, of one that was read. */
const char *catalog_snapshot_path(const struct catalog_snapshot *snapshot);
/* From now on it holds this file. `path` is absolute. */
void catalog_snapshot_put(struct catalog_snapshot *snapshot, const char *path, struct slice content);

/* Load what such a text holds; neither disk nor environment are looked at. As catalog_load. */
struct catalog *catalog_snapshot_load(struct slice text, struct catalog_errors *errors, struct error *err);

#endif
