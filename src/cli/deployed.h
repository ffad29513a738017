/* What is deployed in a data directory, as commands show it: the control store's rows, and what a running
 * daemon knows besides. */
#ifndef FIRTH_CLI_DEPLOYED_H
#define FIRTH_CLI_DEPLOYED_H

#include "cli/command.h"
#include "control/control.h"

struct deployed_task {
    struct control_task row;
    const char *deployment;
    const char *state; /* "running", "waiting", …: docs/serve.md */
    int64_t due_ms;    /* the next session; 0: not known, or none */
    bool live;         /* it runs: the figures below are there */
    uint64_t documents, bytes;
    double document_rate, byte_rate;           /* a second */
    int64_t lag_ms;                            /* negative: not known */
    const struct control_discovery *discovery; /* of its autoDiscover; NULL: there was none */
};

struct deployed {
    struct arena arena;
    bool daemon; /* one runs */
    int64_t pid, since_ms;
    const char *url;             /* of its API; NULL: it has none */
    const char *ingest_url;      /* of its push captures; NULL: there is none */
    struct deployed_task *tasks; /* by name */
    size_t count;
};

/* A data directory without a control store has nothing deployed: that is no error. deployed_done afterwards
 * in any case. */
int deployed_load(const char *data_dir, struct deployed *ret_deployed, struct error *err);
void deployed_done(struct deployed *deployed);

/* By name, NULL if there is none. */
const struct deployed_task *deployed_find(const struct deployed *deployed, const char *name);
/* ERROR_NOT_FOUND, with the nearest of `names`. Returns -1. */
int deployed_unknown(const char *name, const char *const *names, size_t count, const char *data_dir,
                     struct error *err);

#endif
