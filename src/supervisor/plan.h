/* From a catalog to the supervisor's tasks: programs are found, resources read, specifications written. */
#ifndef FIRTH_SUPERVISOR_PLAN_H
#define FIRTH_SUPERVISOR_PLAN_H

#include "catalog/compare.h"
#include "catalog/snapshot.h"
#include "connector/connector.h"
#include "supervisor/supervisor.h"

enum { PLAN_STALL_MS_DEFAULT = 3 * 60 * 60 * 1000 /* as Airbyte's platform */ };

struct plan_options {
    const struct connector_catalog *built_ins;
    const char *data_dir;
    uint64_t commit_ms;      /* a transaction lasts so long at most; 0: the default */
    bool once;               /* materializations end with what is committed when they begin */
    uint64_t stall_ms;       /* a connector may be silent for so long; 0: PLAN_STALL_MS_DEFAULT */
    const char *const *only; /* names of tasks; only_count 0: all that are not disabled */
    size_t only_count;
};

/* One task, ready for the supervisor. What the definition points to lives until plan_done. */
struct plan {
    struct arena arena;
    struct buffer spec;
    struct supervisor_definition definition;
};
/* Always followed by plan_done. The error begins with the place ("flow.yaml:12:5: "). */
int plan_task(struct plan *plan, const struct catalog *catalog, const struct catalog_task *task,
              const struct plan_options *options, struct error *err);
void plan_done(struct plan *plan);

/* Does it materialize collections whose schemas are inferred from what is captured? */
bool plan_is_inferred(const struct catalog_task *task);
/* The snapshot's catalog, at `path`, with what is known of inferred schemas now. NULL with *err. */
struct catalog *plan_load_inferred(struct catalog_snapshot *snapshot, const char *path, const char *data_dir,
                                   struct error *err);
/* A task's specification by it, appended. False if it cannot be made: the one that there is stays. */
bool plan_refresh(struct catalog_snapshot *snapshot, const char *path, const char *task,
                  const struct plan_options *options, struct buffer *spec);

/* "every 5m", "cron 0 * * * *", "once": a task's schedule for people, in the arena. */
const char *plan_schedule_text(const struct catalog_task *task, struct arena *arena);

/* Called for what the catalog has and this version does not run, when no task was named. */
typedef void plan_on_skipped(void *context, const char *message);
void plan_tell_skipped(const struct catalog *catalog, plan_on_skipped *on_skipped, void *context);

/* Add the catalog's tasks. ERROR_NOT_FOUND for a name in `only` that is no task, with the nearest; else the
 * error begins with the place ("flow.yaml:12:5: "). */
int plan_catalog(struct supervisor *supervisor, const struct catalog *catalog,
                 const struct plan_options *options, plan_on_skipped *on_skipped, void *context,
                 struct error *err);

/* A resource for an Airbyte connector: {stream | name, namespace, syncMode, cursorField, primaryKey}, and of
 * a materialization destinationSyncMode, which is not read here. Other members are an error. Strings go to
 * the arena. */
int plan_resource(struct slice resource, struct arena *arena, struct catalog_stream *ret_stream,
                  struct error *err);

/* "push captures (ingest)": a kind of endpoint that is read and checked, and not run by this version; NULL:
 * it is run. */
const char *plan_cannot_run(const struct catalog_endpoint *endpoint);

#endif
