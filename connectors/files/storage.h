/* Where files are: a disk, a bucket, a web server. */
#ifndef FIRTH_FILES_STORAGE_H
#define FIRTH_FILES_STORAGE_H

#include "base/memory.h"
#include "connectors/files/input.h"

struct files_object {
    char *name;          /* the whole path or key; owned by whoever gave it */
    int64_t size;        /* -1: unknown */
    int64_t modified_ms; /* of its last change, as whoever made the file says; 0: unknown */
    int64_t
        arrived_ms; /* since when it is here as it is, as the storage says; no later than it can be listed */
    uint64_t tag;   /* another one: other bytes */
    char *etag;     /* or what else a server tells it by; NULL: none */
};

struct files_listing;

/* A class of its own for each kind of place; the first member of its struct. */
struct files_storage {
    /* The files whose names begin with `prefix` and come behind `after` ("": all), in the order of their
     * names' bytes. */
    struct files_listing *(*list)(struct files_storage *storage, const char *prefix, const char *after,
                                  struct error *err);
    /* The object as it is now: 1; 0 if it is gone. The caller frees it by files_object_done. */
    int (*look)(struct files_storage *storage, const char *name, struct files_object *ret_object,
                struct error *err);
    /* Its bytes from `offset` on. If it is no longer what it was when it was listed, opening or reading fails
     * with ERROR_BUSY; ERROR_NOT_FOUND if it is gone. The object lives as long as the input. */
    struct files_input *(*open)(struct files_storage *storage, const struct files_object *object,
                                uint64_t offset, struct error *err);
    /* The path of the file itself, where it is on this machine; NULL otherwise. */
    const char *(*path)(struct files_storage *storage, const struct files_object *object);
    void (*close)(struct files_storage *storage);
};

struct files_listing {
    /* 1; 0 at the end. The object lives until the next call. */
    int (*next)(struct files_listing *listing, struct files_object *ret_object, struct error *err);
    void (*close)(struct files_listing *listing);
};

static inline void files_storage_close(struct files_storage *storage)
{
    if (storage)
        storage->close(storage);
}
MEM_DEFINE_CLEANUP(struct files_storage *, files_storage_close);

static inline void files_listing_close(struct files_listing *listing)
{
    if (listing)
        listing->close(listing);
}
MEM_DEFINE_CLEANUP(struct files_listing *, files_listing_close);

void files_object_copy(struct files_object *to, const struct files_object *from);
void files_object_done(struct files_object *object);

/* --- kinds -----------------------------------------------------------------------------------------------
 */

/* Files of this machine, by absolute path. Names that begin with a dot are left out, links to folders not
 * followed. */
struct files_storage *files_local_new(void);

#endif
