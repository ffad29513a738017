/* A short command of an engine, waited for: inspect, pull, ps, rm. */
#ifndef FIRTH_CONNECTOR_OCI_COMMAND_H
#define FIRTH_CONNECTOR_OCI_COMMAND_H

#include "base/buffer.h"
#include "connector/connector.h"

enum {
    OCI_COMMAND_MS = 60 * 1000,     /* for an engine to answer */
    OCI_COMMAND_ERR_MAX = 64 << 10, /* bytes kept of what it says on stderr */
};

struct oci_answer {
    struct buffer out, err; /* stdout; stderr as lines */
    int status;             /* 0: it succeeded */
};

void oci_answer_init(struct oci_answer *answer, size_t out_max);
void oci_answer_done(struct oci_answer *answer);

/* Run `argv` (NULL-terminated, the engine's file first). `on_line`, if given, sees every line of both outputs
 * as it comes. silence_ms: so long without a word is a failure. -1 if it could not be run, was silent for too
 * long, or said more than out_max; that it exited with another status than 0 is in the answer. */
int oci_command(const char *const *argv, uint64_t silence_ms,
                void (*on_line)(void *context, struct slice line), void *context, struct oci_answer *answer,
                struct error *err);

#endif
