/* A connector's failure told once and clearly: what it said itself (TRACE ERROR), how it ended, its last log
 * lines, and whether trying again can help. */
#ifndef FIRTH_TASK_FAILURE_H
#define FIRTH_TASK_FAILURE_H

#include "connector/connector.h"
#include "protocol/airbyte.h"

struct task_failure {
    bool set;
    bool config; /* config_error: only a change of the configuration helps */
    char message[ERROR_MESSAGE_MAX / 2];
};

/* Keep the first TRACE ERROR of a process; a config_error takes the place of another kind. */
void task_failure_note(struct task_failure *failure, const struct json *line,
                       const struct airbyte_message *message);

/* The result of a process that has exited: 0, or -1 and the one error. Exit status 0 does not make up for a
 * TRACE ERROR. */
int task_failure_result(const struct task_failure *failure, const char *label,
                        const struct connector_process *process, struct error *err);

/* A line of stdout as a person should see it in an error: cut short, quoted, control bytes replaced. */
void task_failure_excerpt(struct slice line, char *text, size_t size);

#endif
