/* The names of enum values, as they are stored in requests and answers. */
#include "control/connections.h"
#include "control/definitions.h"
#include "control/jobs.h"

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; name && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

#define COUNT(names) (int)(sizeof(names) / sizeof *(names))

const char *control_side_name(enum control_side side)
{
    return side == CONTROL_SOURCE ? "source" : "destination";
}

const char *control_origin_name(enum control_origin origin)
{
    static const char *const names[] = {"built-in", "image", "command", "manifest"};
    return names[origin];
}

/* --- connections --------------------------------------------------------------------------------- */

static const char *const statuses[] = {"active", "inactive", "deprecated"};
static const char *const namespaces[] = {"source", "destination", "customformat"};
static const char *const schedules[] = {"manual", "basic", "cron"};
static const char *const units[] = {"minutes", "hours", "days", "weeks", "months"};
static const char *const changes[] = {"ignore", "disable", "propagate_columns", "propagate_fully"};

const char *control_connection_status_name(enum control_connection_status status)
{
    return statuses[status];
}

enum control_connection_status control_connection_status_of(const char *name)
{
    int found = find(statuses, COUNT(statuses), name);
    return found < 0 ? CONTROL_CONNECTION_STATUS_COUNT : (enum control_connection_status)found;
}

const char *control_namespace_name(enum control_namespace definition)
{
    return namespaces[definition];
}

int control_namespace_of(const char *name)
{
    if (name && strcmp(name, "custom_format") == 0)
        return CONTROL_NAMESPACE_CUSTOM;
    return find(namespaces, COUNT(namespaces), name);
}

const char *control_schedule_name(enum control_schedule schedule)
{
    return schedules[schedule];
}

int control_schedule_of(const char *name)
{
    return find(schedules, COUNT(schedules), name);
}

const char *control_unit_name(enum control_unit unit)
{
    return units[unit];
}

int control_unit_of(const char *name)
{
    return find(units, COUNT(units), name);
}

const char *control_changes_name(enum control_changes preference)
{
    return changes[preference];
}

int control_changes_of(const char *name)
{
    if (name && strcmp(name, "disable_connection") == 0)
        return CONTROL_CHANGES_DISABLE;
    return find(changes, COUNT(changes), name);
}

/* --- jobs ---------------------------------------------------------------------------------------- */

static const char *const job_types[] = {"sync", "reset_connection", "refresh"};
static const char *const job_statuses[] = {"pending", "running",   "incomplete",
                                           "failed",  "succeeded", "cancelled"};
static const char *const attempt_statuses[] = {"running", "failed", "succeeded"};

const char *control_job_type_name(enum control_job_type type)
{
    return job_types[type];
}

enum control_job_type control_job_type_of(const char *name)
{
    if (name && (strcmp(name, "reset") == 0 || strcmp(name, "clear") == 0))
        return CONTROL_JOB_CLEAR;
    int found = find(job_types, COUNT(job_types), name);
    return found < 0 ? CONTROL_JOB_TYPE_COUNT : (enum control_job_type)found;
}

const char *control_job_status_name(enum control_job_status status)
{
    return job_statuses[status];
}

enum control_job_status control_job_status_of(const char *name)
{
    int found = find(job_statuses, COUNT(job_statuses), name);
    return found < 0 ? CONTROL_JOB_STATUS_COUNT : (enum control_job_status)found;
}

const char *control_attempt_status_name(enum control_attempt_status status)
{
    return attempt_statuses[status];
}
