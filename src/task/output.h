/* What an Airbyte connector says on stdout, message by message, the same for every verb: LOG lines and lines
 * of plain text go to the report, TRACE ERROR is kept as the reason of its failure, broken messages and
 * floods are errors. Whatever of its words goes into a log or an error has the config's secrets masked. At
 * its end one clear error: what it said itself, how it ended, its last log lines, and whether trying again
 * can help. */
#ifndef FIRTH_TASK_OUTPUT_H
#define FIRTH_TASK_OUTPUT_H

#include "connector/connector.h"
#include "protocol/airbyte.h"
#include "task/report.h"

enum {
    TASK_STRAY_LINES_MAX = 10000, /* lines that are no message: so many are logs, more is garbage */
};

struct task_output {
    struct connector_process *process; /* set and owned by the owner */
    const char *label;                 /* not owned */
    struct task_report *report;
    bool reads; /* it is a source's `read`: a line that hides a RECORD or a STATE is an error, not a log */

    /* The message that task_output_next gave last. */
    struct slice raw; /* its line */
    struct json line;
    struct airbyte_message message;
    struct arena arena;
    uint64_t lines; /* taken so far: the number of this one */

    struct json_parser *parser;
    struct buffer masked; /* the text shown last, without the config's secrets */
    uint64_t stray_lines;
    bool failed, failed_by_config; /* there was a TRACE ERROR */
    char failure[ERROR_MESSAGE_MAX / 2];
    char failure_type[32]; /* as the connector has it */
    /* Of the same trace, masked and cut; heap, NULL: it has none. */
    char *failure_message, *failure_internal, *failure_stack, *failure_stream, *failure_namespace;
    /* A line that is no JSON, kept until it is known whether it is the torn last line of a connector that
     * died: then how it died is the failure, and not what it left behind. */
    bool torn;
    struct error torn_error;
};

void task_output_init(struct task_output *output, const char *label, struct task_report *report,
                      const struct connector_limits *limits);
void task_output_done(struct task_output *output);

/* For connector_start: a connector_on_log whose context is the output. */
void task_output_on_log(void *output, enum log_level level, struct slice line);

/* 1: output->message is the next one that is its owner's business (no LOG, no TRACE ERROR), valid until the
 * next call. 0: none at present. -1: garbage. */
int task_output_next(struct task_output *output, struct error *err);

/* After connector_exited: 0, or -1 and the one error. Exit status 0 does not make up for a TRACE ERROR. */
int task_output_result(const struct task_output *output, struct error *err);

/* If there was a TRACE ERROR: report it as the failure of `origin` ("source", "destination"). */
void task_output_tell_failure(const struct task_output *output, const char *origin);

#endif
