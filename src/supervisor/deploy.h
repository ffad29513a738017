/* A deploy: what a catalog would change of what is deployed, and doing it.
 *
 * A deployment is known by its name: the catalog's path, or what the person gives it instead (a checkout that
 * lies elsewhere each time). It owns the tasks that it brought: another deployment can neither change nor
 * remove them. */
#ifndef FIRTH_SUPERVISOR_DEPLOY_H
#define FIRTH_SUPERVISOR_DEPLOY_H

#include "control/control.h"
#include "supervisor/plan.h"

enum deploy_action {
    DEPLOY_ADD,
    DEPLOY_CHANGE,
    DEPLOY_REMOVE,
    DEPLOY_LEAVE, /* no longer in the catalog, and not to be removed */
    DEPLOY_NONE,
    DEPLOY_ACTION_COUNT,
};
const char *deploy_action_name(enum deploy_action action); /* "add", "change", "remove", "leave", "none" */

struct deploy_entry {
    enum deploy_action action;
    const char *name, *kind, *schedule;
    const char *bindings; /* binding_text.h; of the catalog's */
    unsigned differences; /* CHANGE: enum catalog_difference */
    bool enabled;
};

struct deploy {
    struct arena arena;
    const char *name;
    struct deploy_entry *entries; /* the catalog's in its order, then those it no longer has */
    size_t entry_count;
    size_t counts[DEPLOY_ACTION_COUNT];
    uint64_t revision;
    /* The last deploy was autoDiscover's, and this one would undo some of it: a line each, for people. */
    bool discovered;
    const char **undone;
    size_t undone_count;
};

/* `control` NULL: nothing was ever deployed. `prune`: remove what the catalog no longer has. Every task is
 * planned as the daemon would, so that what it could not run is told here (`options` NULL: it is not). Errors
 * begin with the place in the catalog. Always followed by deploy_done. */
int deploy_plan(struct deploy *deploy, struct control *control, const struct catalog *catalog,
                const char *name, bool prune, const struct plan_options *options, struct error *err);
void deploy_done(struct deploy *deploy);

static inline bool deploy_changes_something(const struct deploy *deploy)
{
    return deploy->counts[DEPLOY_ADD] + deploy->counts[DEPLOY_CHANGE] + deploy->counts[DEPLOY_REMOVE] > 0;
}

/* In one transaction. `snapshot`: the catalog's text (catalog/snapshot.h). */
int deploy_apply(const struct deploy *deploy, struct control *control, const char *file, const char *by,
                 struct slice snapshot, struct error *err);

#endif
