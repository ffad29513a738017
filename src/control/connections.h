/* Connections: a source's streams to a destination. What is to be synced is Airbyte's syncCatalog in the
 * config API's spelling: {"streams":[{"stream":{name, jsonSchema, supportedSyncModes, …},"config":{syncMode,
 * destinationSyncMode, cursorField, primaryKey, aliasName, selected, fieldSelectionEnabled, selectedFields,
 * …}}]}. The state is the store's (task/connection_state.h), never here. */
#ifndef FIRTH_CONTROL_CONNECTIONS_H
#define FIRTH_CONTROL_CONNECTIONS_H

#include "control/page.h"

enum control_connection_status {
    CONTROL_ACTIVE,
    CONTROL_INACTIVE,   /* nothing is synced, by schedule or by hand */
    CONTROL_DEPRECATED, /* deleted */
    CONTROL_CONNECTION_STATUS_COUNT,
};
const char *control_connection_status_name(enum control_connection_status status); /* "active", … */
/* COUNT for what is none. */
enum control_connection_status control_connection_status_of(const char *name);

enum control_namespace { CONTROL_NAMESPACE_SOURCE, CONTROL_NAMESPACE_DESTINATION, CONTROL_NAMESPACE_CUSTOM };
enum control_schedule { CONTROL_MANUAL, CONTROL_BASIC, CONTROL_CRON };
enum control_unit { CONTROL_MINUTES, CONTROL_HOURS, CONTROL_DAYS, CONTROL_WEEKS, CONTROL_MONTHS };
enum control_changes {
    CONTROL_CHANGES_IGNORE,
    CONTROL_CHANGES_DISABLE,
    CONTROL_CHANGES_COLUMNS, /* propagate_columns */
    CONTROL_CHANGES_FULLY,   /* propagate_fully */
};

struct control_connection {
    const char *id;
    uint64_t revision; /* grows with each put; 0 when put: it is new */
    const char *name;
    const char *source, *destination;
    const char *workspace; /* the source's; read only */
    enum control_namespace namespace_definition;
    const char *namespace_format; /* CUSTOM: may hold ${SOURCE_NAMESPACE} */
    const char *prefix;
    enum control_connection_status status;
    const char *status_reason;  /* why firth itself made it inactive; NULL: it did not */
    struct slice catalog;       /* JSON: syncCatalog; of size 0 in lists that did not ask for it */
    const char *source_catalog; /* id of the discovered catalog it was made from; NULL: none */
    enum control_schedule schedule;
    uint32_t every;         /* BASIC: so many */
    enum control_unit unit; /* BASIC: of these */
    const char *cron;       /* CRON: Quartz */
    const char *time_zone;  /* CRON: "Europe/Berlin"; NULL: UTC */
    enum control_changes changes;
    bool breaking_change; /* the source no longer has what the catalog needs: no sync until it is changed */
    bool notify_changes;
    bool backfill;      /* columns that were added are filled for old rows: the stream is read anew */
    struct slice extra; /* JSON object: tags, operationIds, resourceRequirements, … kept as they are */
    int64_t created_ms, updated_ms;
    int64_t checked_ms; /* the source was asked for changes of its schema; read only */
    bool deleted;       /* status is CONTROL_DEPRECATED */
    /* Read only: the newest job; job 0: there was none. */
    int64_t job, job_created_ms;
    int job_status; /* enum control_job_status (jobs.h) */
    bool running;   /* it has a job that is not over */
};

/* A new one (revision 0) or a change of revision `revision`: ERROR_BUSY (retriable) if another change came
 * between. ERROR_NOT_FOUND for actors that are not there, ERROR_INVALID for what they contradict (other
 * workspaces, a schedule that is none). Checked here: names, schedule, time zone, that the catalog is an
 * object with streams of distinct names. */
int control_connection_put(struct control *control, const struct control_connection *connection,
                           struct error *err);
/* With its catalog. */
int control_connection_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                           struct control_connection *ret_connection, struct error *err);

struct control_connection_filter {
    const char *const *workspaces; /* any of these; count 0: whatever */
    size_t workspace_count;
    const char *const *ids; /* likewise */
    size_t id_count;
    const char *const *tags; /* has any of these; ids in lower case; likewise */
    size_t tag_count;
    const char *source, *destination; /* NULL: whatever */
    const char *definition;           /* of its source or destination; NULL: whatever */
    const char *name_like;            /* contains, in any case; NULL: whatever */
    bool any_status;
    enum control_connection_status status; /* unless any_status */
    bool catalogs;                         /* with their catalogs */
    struct control_page page;
};
/* By creation, the newest first; of one moment by id, from its end. */
int control_connections(struct control *control, const struct control_connection_filter *filter,
                        struct arena *arena, struct control_connection **ret_items, size_t *ret_count,
                        uint64_t *ret_total, struct error *err);
/* ERROR_BUSY while a job of it runs. Its state in the store is the caller's to drop (supervisor/leftovers.h).
 */
int control_connection_delete(struct control *control, const char *id, int64_t now_ms, struct error *err);
/* The source was asked for changes of its schema just now. */
int control_connection_checked(struct control *control, const char *id, int64_t now_ms, struct error *err);

/* Names of enum values as Airbyte's config API has them ("customformat", "propagate_columns", "minutes"), and
 * back; -1 for what is none. `custom_format` (the public API) is taken as well. */
const char *control_namespace_name(enum control_namespace definition);
int control_namespace_of(const char *name);
const char *control_schedule_name(enum control_schedule schedule);
int control_schedule_of(const char *name);
const char *control_unit_name(enum control_unit unit);
int control_unit_of(const char *name);
const char *control_changes_name(enum control_changes changes);
int control_changes_of(const char *name); /* also "disable_connection" */

#endif
