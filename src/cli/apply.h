/* What the files of `firth apply` share: the file that is read, the store that is changed, and what became of
 * it. */
#ifndef FIRTH_CLI_APPLY_H
#define FIRTH_CLI_APPLY_H

#include "base/map.h"
#include "cli/command.h"
#include "control/actors.h"
#include "schema/schema.h"
#include "yaml/yaml.h"

enum apply_change { APPLY_SAME, APPLY_NEW, APPLY_CHANGED, APPLY_GONE, APPLY_CHANGE_COUNT };

struct apply {
    const struct cli *cli;
    struct control *control;
    const struct yaml_document *file;
    const struct json *doc;
    struct arena *arena;
    int64_t now_ms;
    const char *home;        /* the workspace of what names none */
    struct map named;        /* ids of what the file has: its kind */
    struct schema *catalogs; /* the API's, once it was needed */
    const char **again;      /* ids of connections that were deleted and are there again */
    size_t again_count, again_capacity;
    struct buffer plan; /* a line for each change */
    size_t counts[APPLY_CHANGE_COUNT];
};

/* --- apply_read.c: values of the file; errors name their place ------------------------------------- */

int apply_place(const struct apply *apply, uint32_t node, struct error *err); /* returns -1 */
/* What a path ("config.selectedFields[2].fieldPath") leads to from a node: as near as the file has it. */
uint32_t apply_at(const struct apply *apply, uint32_t node, const char *path);
/* NULL if it is absent. */
const char *apply_text(const struct apply *apply, uint32_t object, const char *name);
const char *apply_text_or(const struct apply *apply, uint32_t object, const char *name,
                          const char *otherwise);
bool apply_true(const struct apply *apply, uint32_t object, const char *name);
/* JSON; of size 0 if it is absent or null. A text that export has escaped is what it was. */
struct slice apply_raw(struct apply *apply, uint32_t object, const char *name);
/* The object has no members but these, and they are of their types: "name string, extra object" (string,
 * boolean, object, any; null is as if it were absent). */
int apply_only(const struct apply *apply, uint32_t object, const char *what, const char *members,
               struct error *err);
/* The id that it gives, or one of the name: the same for the same name, whenever the file is applied. */
int apply_id(struct apply *apply, uint32_t object, const char *kind, const char *workspace,
             const char **ret_id, struct error *err);
/* The member with ${NAME} as the environment has it, or, if that has not, as `before` has it in this place.
 */
int apply_expanded(struct apply *apply, uint32_t object, const char *name, struct slice before,
                   struct slice *ret_json, struct error *err);
/* Are they the same as JSON? Nothing is {}. */
bool apply_same_json(struct slice a, struct slice b);
static inline bool apply_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Note what becomes of a thing. */
void apply_note(struct apply *apply, enum apply_change change, const char *kind, const char *name);

/* --- apply_check.c: what the API checks, in the same way; errors name their place and the path ------ */

int apply_check_notifications(struct apply *apply, uint32_t workspace, struct slice notifications,
                              struct error *err);
/* The config by its connector's spec, if that is known. */
int apply_check_config(struct apply *apply, uint32_t at, const struct control_actor *actor, bool is_new,
                       struct error *err);
/* Its types; also members of a stream's config that are none: what looks like a slip is refused, of others is
 * warned, since the API keeps them. */
int apply_check_catalog(struct apply *apply, uint32_t connection, struct slice catalog, struct error *err);

/* --- apply_kinds.c: each brings one thing to what the file says; apply_definition.c, apply_prune.c --- */

/* The id of the workspace that it names, or of `home`. */
const char *apply_workspace_of(const struct apply *apply, uint32_t object);
/* What was found decides what becomes of it: -1 with ERROR_NOT_FOUND, it is new. */
static inline bool apply_is_new(int found, const struct error *err)
{
    return found < 0 && err->code == ERROR_NOT_FOUND;
}

/* Is it one that files have: of the jobs, of connectors? */
bool apply_takes_setting(const char *name);
int apply_setting(struct apply *apply, uint32_t key, struct error *err);
int apply_workspace(struct apply *apply, uint32_t at, struct error *err);
int apply_definition(struct apply *apply, uint32_t at, struct error *err);
int apply_source(struct apply *apply, uint32_t at, struct error *err);
int apply_destination(struct apply *apply, uint32_t at, struct error *err);
int apply_connection(struct apply *apply, uint32_t at, struct error *err);

/* What the file does not have goes. */
int apply_prune(struct apply *apply, struct error *err);

#endif
