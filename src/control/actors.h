/* Actors: sources and destinations. The whole config is sealed (secret.h). */
#ifndef FIRTH_CONTROL_ACTORS_H
#define FIRTH_CONTROL_ACTORS_H

#include "control/page.h"

struct control_actor {
    const char *id;
    enum control_side side;
    const char *workspace, *definition;
    const char *name;
    struct slice config; /* JSON object with its secrets; of size 0 in lists that did not ask for it */
    struct slice extra;  /* JSON object */
    int64_t created_ms, updated_ms;
    bool deleted;
    /* Read only. */
    const char *definition_name;
    uint32_t connections; /* that use it */
};

/* A new one, or the one of this id as it is now; a config of size 0 leaves the one that is there.
 * ERROR_NOT_FOUND if its workspace or definition is not there, ERROR_INVALID if the definition is of the
 * other side. */
int control_actor_put(struct control *control, const struct control_actor *actor, struct error *err);
/* With its config. */
int control_actor_get(struct control *control, enum control_side side, const char *id, bool deleted,
                      struct arena *arena, struct control_actor *ret_actor, struct error *err);

struct control_actor_filter {
    enum control_side side;
    const char *const *workspaces; /* any of these; count 0: whatever */
    size_t workspace_count;
    const char *definition; /* NULL: whatever */
    const char *name;       /* exact; NULL: whatever */
    const char *name_like;  /* contains, in any case; NULL: whatever */
    bool configs;           /* with their configs */
    struct control_page page;
};
/* By creation, the newest first; of one moment by id, from its end. */
int control_actors(struct control *control, const struct control_actor_filter *filter, struct arena *arena,
                   struct control_actor **ret_items, size_t *ret_count, uint64_t *ret_total,
                   struct error *err);
/* With the connections that use it. ERROR_BUSY while a job of one runs. */
int control_actor_delete(struct control *control, enum control_side side, const char *id, int64_t now_ms,
                         struct error *err);

#endif
