/* The options of an engine's `run` that are the same whenever the same image is run in the same way: a task's
 * specification holds them, and may be compared with another. */
#ifndef FIRTH_CONNECTOR_OCI_OPTIONS_H
#define FIRTH_CONNECTOR_OCI_OPTIONS_H

#include "connector/connector.h"

struct oci_how {
    const char *image;
    bool podman, passthrough, init;
    const char *network, *memory, *cpus; /* NULL: not limited, the default */
    const char *data_dir, *task;         /* NULL: none */
};

/* NULL-terminated, in the arena. Makes the folder behind /local where the image is known to want it. */
int oci_options(const struct oci_how *how, struct arena *arena, const char *const **ret_options,
                struct error *err);

#endif
