/* Where files are written: nothing is seen of one before it is whole.
 *
 * A file is begun, written, sealed (it is durable then, and nobody sees it), and published. What sealing
 * gives is a text that another process can publish, or abandon, as well: so that a commit can be one small
 * file that lists what is to be published, and what a crash leaves half done is finished by who comes next.
 */
#ifndef FIRTH_FILES_TARGET_H
#define FIRTH_FILES_TARGET_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

struct files_writing; /* of the kind */

struct files_target {
    struct files_writing *(*begin)(struct files_target *target, const char *name, struct error *err);
    int (*write)(struct files_writing *writing, struct slice bytes, struct error *err);
    /* Ends the writing, also where it fails. *out: the text for publish and abandon; has no line break. */
    int (*seal)(struct files_writing *writing, struct buffer *out, struct error *err);
    void (*drop)(struct files_writing *writing); /* without a trace; NULL is allowed */

    /* `again`: it may have been done before; then nothing is done. */
    int (*publish)(struct files_target *target, struct slice sealed, bool again, struct error *err);
    int (*abandon)(struct files_target *target, struct slice sealed, struct error *err);

    /* Small files of our own. get: 1; 0 if there is none. put is one act, durable. */
    int (*get)(struct files_target *target, const char *name, struct buffer *out, struct error *err);
    int (*put)(struct files_target *target, const char *name, struct slice bytes, struct error *err);
    int (*remove)(struct files_target *target, const char *name, struct error *err);
    /* Names of them that begin so; complete, as of some moment during the call. */
    int (*own)(struct files_target *target, const char *prefix,
               int (*found)(void *context, const char *name, struct error *err), void *context,
               struct error *err);
    /* Names of published files that begin so. */
    int (*list)(struct files_target *target, const char *prefix,
                int (*found)(void *context, const char *name, struct error *err), void *context,
                struct error *err);
    /* What writers that died have begun or sealed of files whose names begin with the prefix and have the
     * mark: as if it had never been. `sure` (or NULL) is asked when it is found and before it is removed: -1
     * and *err, and nothing is, since it may be of writers that came later. */
    int (*tidy)(struct files_target *target, const char *prefix, const char *mark,
                int (*sure)(void *context, struct error *err), void *context, struct error *err);
    /* Only one holder of this name at a time, until close: ERROR_BUSY, or 0. Where there are no locks: 0. */
    int (*lock)(struct files_target *target, const char *name, struct error *err);
    void (*close)(struct files_target *target);
};

static inline void files_target_close(struct files_target *target)
{
    if (target)
        target->close(target);
}

/* A folder of this machine, made if need be. */
struct files_target *files_folder_open(const char *folder, struct error *err);

#endif
