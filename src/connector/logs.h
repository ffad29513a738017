/* A connector's log lines: stderr cut into lines, made readable, secrets masked, the last ones kept. */
#ifndef FIRTH_CONNECTOR_LOGS_H
#define FIRTH_CONNECTOR_LOGS_H

#include "base/log.h"
#include "connector/connector.h"
#include "connector/secrets.h"

enum {
    CONNECTOR_LOGS_KEPT = 20,            /* lines */
    CONNECTOR_LOG_LINE_MAX = 8 << 10,    /* bytes of a line; the rest of a longer one is dropped */
    CONNECTOR_LOG_KEPT_MAX = 1000,       /* bytes kept of each of the last lines */
    CONNECTOR_LOGS_MESSAGE_MAX = 3 << 10 /* bytes of log lines in an error */
};

struct connector_logs {
    struct connector_secrets *secrets;
    connector_on_log *on_log; /* may be NULL */
    void *context;
    struct buffer partial; /* of a line of stderr */
    struct buffer scratch; /* the line as it is shown */
    struct json_parser *parser;
    bool partial_cut;                /* the line has more than is kept of it */
    char *last[CONNECTOR_LOGS_KEPT]; /* a ring; NULL: not filled yet */
    size_t next;
};

/* The secrets are not owned. */
void connector_logs_init(struct connector_logs *logs, struct connector_secrets *secrets,
                         connector_on_log *on_log, void *context);
void connector_logs_done(struct connector_logs *logs);
/* Bytes of stderr. */
void connector_logs_feed(struct connector_logs *logs, struct slice bytes);
/* stderr has ended: its last line may lack the newline. */
void connector_logs_end(struct connector_logs *logs);
/* Only keep a line among the last: on_log is not called. */
void connector_logs_note(struct connector_logs *logs, struct slice line);
/* "; its last log lines:\n  …\n  …", or "; it logged nothing". The oldest are left out where all would be too
 * long. */
void connector_logs_describe(const struct connector_logs *logs, struct buffer *out);

#endif
