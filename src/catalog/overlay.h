/* A catalog's files as they will be: what was changed lies over what is there, on the disk or in a snapshot.
 * A change is tried by loading the catalog from here before anything is written. */
#ifndef FIRTH_CATALOG_OVERLAY_H
#define FIRTH_CATALOG_OVERLAY_H

#include "base/map.h"
#include "catalog/catalog.h"

struct catalog_overlay {
    const struct catalog_files *below; /* NULL: the disk */
    struct arena *arena;               /* of what was put in */
    struct map changed;                /* identity to struct catalog_overlay_file */
    struct catalog_files files;        /* what to load from */
};

struct catalog_overlay_file {
    const char *path; /* as it was put in */
    struct slice content;
};

void catalog_overlay_init(struct catalog_overlay *overlay, const struct catalog_files *below,
                          struct arena *arena);
void catalog_overlay_done(struct catalog_overlay *overlay);

/* The file as it will be, in the arena; ERROR_NOT_FOUND if there is none. */
int catalog_overlay_read(struct catalog_overlay *overlay, const char *path, struct slice *ret_content,
                         struct error *err);
bool catalog_overlay_has(struct catalog_overlay *overlay, const char *path);
/* From now on the file is this; the content is kept as it is given. */
void catalog_overlay_put(struct catalog_overlay *overlay, const char *path, struct slice content);
/* What was put in, by path; in the arena. */
const struct catalog_overlay_file *catalog_overlay_changes(const struct catalog_overlay *overlay,
                                                           size_t *ret_count);

#endif
