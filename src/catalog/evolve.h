/* Evolution: what a capture's catalog becomes when its connector has found other streams, schemas or keys
 * than it found before, as Flow's autoDiscover does it. What is to change is decided first, all of it, and
 * then put into the catalog's files, which are changed in place (edit.h).
 *
 * - A stream without a binding gets one, and a collection (addNewBindings).
 * - A binding whose stream is gone is disabled. Its collection stays.
 * - Another schema replaces the collection's write schema; its read schema stays.
 * - Another key, or a partition that the schema has no more, is incompatible: nobody may write such documents
 * to the collection. With evolveIncompatibleCollections the binding gets a new collection, NAME_v2, is
 * captured anew (backfill counter), and each materialization's binding of the old collection follows by its
 *   onIncompatibleSchemaChange: it reads the new one and is materialized anew, or is disabled, or its task
 * is. The old collection stays. Without, or where a materialization says abort, nothing at all is changed. */
#ifndef FIRTH_CATALOG_EVOLVE_H
#define FIRTH_CATALOG_EVOLVE_H

#include "catalog/overlay.h"

enum { EVOLVE_NO_BINDING = -1 };

/* A stream that the connector found. */
struct evolve_stream {
    const char *label;      /* for people */
    const char *collection; /* what its collection is called if it gets one */
    const char *const *key; /* JSON pointers */
    size_t key_count;       /* 0: none could be found: it gets no binding */
    bool own_key; /* the source says so; else it was guessed, or a person has chosen it, and is no reason to
                   * change a collection's */
    const char *note;      /* about the key, for a comment; or NULL */
    struct slice schema;   /* JSON */
    struct slice resource; /* JSON, of a binding to be added */
    ptrdiff_t binding;     /* the capture's binding of it, or EVOLVE_NO_BINDING */
    bool unwanted;         /* the connector suggests to leave it out */
};

enum evolve_kind {
    EVOLVE_ADD,      /* a binding */
    EVOLVE_DISABLE,  /* a binding */
    EVOLVE_SCHEMA,   /* another write schema */
    EVOLVE_RECREATE, /* another collection in the place of one */
    EVOLVE_KIND_COUNT
};
/* "add", "disable", "schema", "recreate" */
const char *evolve_kind_name(enum evolve_kind kind);

struct evolve_change {
    enum evolve_kind kind;
    const struct evolve_stream *stream;   /* NULL: DISABLE */
    ptrdiff_t binding;                    /* of the capture; EVOLVE_NO_BINDING: ADD */
    const struct catalog_collection *old; /* RECREATE, SCHEMA: as it was */
    const char *collection;               /* that is written to from now on; DISABLE: was */
    bool declared;                        /* ADD, RECREATE: it is there already, and nobody writes to it */
    const char *why;                      /* RECREATE: "the key is [/a], was [/id]" */
};

struct evolve_plan {
    struct evolve_change *changes;
    size_t count;
};

/* Decide. ERROR_INVALID names what is incompatible and may not be evolved: then nothing is to be changed. */
int evolve_plan(const struct catalog *catalog, const struct catalog_capture *capture,
                const struct evolve_stream *streams, size_t stream_count, struct arena *arena,
                struct evolve_plan *ret_plan, struct error *err);

/* Put the changes into the files. ERROR_UNSUPPORTED for a place that cannot be edited. The overlay must be
 * thrown away after an error. The catalog's own file is where collections are added whose capture is
 * elsewhere. */
int evolve_apply(const struct catalog *catalog, const struct catalog_capture *capture,
                 const struct evolve_plan *plan, struct catalog_overlay *overlay, struct arena *arena,
                 struct error *err);

/* "+ binding public/users -> acmeCo/users": one line for people, in the arena. */
const char *evolve_describe(const struct evolve_change *change, const struct catalog_capture *capture,
                            struct arena *arena);

/* --- shared by evolve*.c ---------------------------------------------------------------------------- */

/* Where a collection's write schema is written. */
struct evolve_schema {
    const char *path;   /* a file of its own, else NULL: in the collection */
    bool shared;        /* the file is another collection's as well */
    const char *member; /* "schema" or "writeSchema" */
    struct json doc;    /* as it is now */
    uint32_t at;
};
int evolve_find_schema(const struct catalog *catalog, const struct catalog_collection *collection,
                       struct catalog_overlay *overlay, struct arena *arena, struct evolve_schema *ret_schema,
                       struct error *err);

#endif
