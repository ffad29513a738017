/* A connector says its config anew (CONTROL): what an OAuth token was exchanged for. The control store's
 * becomes the same, so that whoever runs the connector next has it. */
#ifndef FIRTH_SUPERVISOR_CHANGED_CONFIG_H
#define FIRTH_SUPERVISOR_CHANGED_CONFIG_H

#include "base/memory.h"
#include "control/page.h"

/* `was` with the members of `now` in their places, new ones last; both are JSON objects. In the arena. */
int changed_config_merge(struct slice was, struct slice now, struct arena *arena, struct slice *ret_merged,
                         struct error *err);

struct changed_config {
    enum control_side side;
    const char *actor;  /* its id */
    struct slice asked; /* the config that the connector was given: what differs from it in the store was
                           changed by somebody else and stays, as does what was given but is not in the store;
                           size 0: what the connector says counts */
    struct slice said;  /* a JSON object: the members that are to be replaced or are new */
};

/* Keep it. 1: the store has another config now, *ret_config if that is not NULL; 0: nothing is new. -1:
 * the store refused, or, with *ret_refused, the connector's own spec does not allow what it said (no value is
 * told: it may be secret). */
int changed_config_keep(struct control *control, const struct changed_config *change, int64_t now_ms,
                        struct arena *arena, struct slice *ret_config, bool *ret_refused, struct error *err);

#endif
