/* Workspaces: what sources, destinations, connections and custom definitions belong to. There is one from the
 * beginning, CONTROL_WORKSPACE_DEFAULT. */
#ifndef FIRTH_CONTROL_WORKSPACES_H
#define FIRTH_CONTROL_WORKSPACES_H

#include "control/page.h"

/* The workspace that Airbyte had of itself in each installation up to 0.29 (DEFAULT_WORKSPACE_ID of its
 * migration V0_29_0), which its tutorials and clients name; later ones draw an id. And its default
 * organization. */
#define CONTROL_WORKSPACE_DEFAULT "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6"
#define CONTROL_ORGANIZATION_DEFAULT "00000000-0000-0000-0000-000000000000"

struct control_workspace {
    const char *id;
    const char *name;
    const char *slug; /* unique; NULL when put: made from the name */
    const char *email;
    bool setup_complete;
    struct slice notifications; /* JSON: Airbyte's notificationSettings; webhooks (supervisor/webhook.h),
                                   whose URLs hold tokens: sealed like a config; size 0 in a store that was
                                   opened to look */
    struct slice extra;         /* JSON object: other members that clients set, kept as they are */
    int64_t created_ms, updated_ms;
    bool deleted;
};

/* A new one, or the one of this id as it is now (created_ms stays). ERROR_INVALID for a slug that another
 * one has. */
int control_workspace_put(struct control *control, const struct control_workspace *workspace,
                          struct error *err);
/* ERROR_NOT_FOUND, also for a deleted one unless `deleted`. */
int control_workspace_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                          struct control_workspace *ret_workspace, struct error *err);
int control_workspace_by_slug(struct control *control, const char *slug, struct arena *arena,
                              struct control_workspace *ret_workspace, struct error *err);
/* By creation, then id. ret_total (may be NULL): without the page. */
int control_workspaces(struct control *control, const struct control_page *page, struct arena *arena,
                       struct control_workspace **ret_items, size_t *ret_count, uint64_t *ret_total,
                       struct error *err);
/* The one for what names none: CONTROL_WORKSPACE_DEFAULT, or, if that was deleted, the oldest. */
int control_workspace_home(struct control *control, struct arena *arena, const char **ret_id,
                           struct error *err);
/* With all that belongs to it. ERROR_BUSY while a job of it runs, and of the only one. */
int control_workspace_delete(struct control *control, const char *id, int64_t now_ms, struct error *err);

#endif
