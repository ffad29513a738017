/* From a job of the control store to what its task process is told: connection, source, destination,
 * definitions and the job itself become one task_spec. */
#ifndef FIRTH_SUPERVISOR_JOB_SPEC_H
#define FIRTH_SUPERVISOR_JOB_SPEC_H

#include "connector/connector.h"
#include "control/connections.h"
#include "control/jobs.h"
#include "task/task_spec.h"

struct job_spec_options {
    const struct connector_catalog *built_ins;
    const char *data_dir;
    uint64_t commit_ms, stall_ms; /* 0: the defaults */
    bool discover;                /* ask the source what it offers, rather than do the job */
};

struct job_spec {
    struct arena arena;
    struct control_connection connection;
    uint64_t source_identity; /* of config and program: a discovered catalog is of this */
    struct task_spec spec;    /* its programs are found unless `image` */
    struct connector_spec wanted[CONTROL_SIDE_COUNT];
    bool images[CONTROL_SIDE_COUNT];      /* which are images that have to be looked for: a process does */
    bool image;                           /* any of them, and not found yet */
    const struct control_stream *streams; /* in the order of the specification's bindings */
};

/* Always followed by job_spec_done. ERROR_INVALID and ERROR_NOT_FOUND are for a person to mend. */
int job_spec_build(struct job_spec *spec, struct control *control, const struct control_job *job,
                   const struct job_spec_options *options, struct error *err);
void job_spec_done(struct job_spec *spec);

/* With `image`: a catalog's snapshot (catalog/snapshot.h) of one connection of that name, which `firth plan`
 * plans; and taking the programs from the specification that it answers. */
void job_spec_snapshot(const struct job_spec *spec, struct buffer *out);
int job_spec_take_programs(struct job_spec *spec, struct slice planned, struct error *err);

#endif
