/* What an engine wrote when it failed, as an error that says what to do. */
#ifndef FIRTH_CONNECTOR_OCI_FAILURE_H
#define FIRTH_CONNECTOR_OCI_FAILURE_H

#include "base/error.h"
#include "base/text.h"

enum oci_failure {
    OCI_FAILURE_OTHER,
    OCI_FAILURE_IMAGE_MISSING, /* not on this machine */
    OCI_FAILURE_NOT_THERE,     /* not in the registry either */
    OCI_FAILURE_DENIED,        /* by the registry */
    OCI_FAILURE_NETWORK,
    OCI_FAILURE_NO_RIGHTS, /* to the engine */
    OCI_FAILURE_NO_DAEMON,
    OCI_FAILURE_DISK,
    OCI_FAILURE_ARCHITECTURE,
    OCI_FAILURE_ENTRYPOINT, /* the program is not in the image, or no program */
};

/* By the engine's words: it gives no codes. `podman` and `docker` of several versions are meant. */
enum oci_failure oci_failure_of(struct slice stderr_text);

/* Set *err; returns -1. `doing` is like "pull"; `image` is the full name; the engine's own last line is
 * quoted where it says more than ours. */
int oci_failure_set(enum oci_failure failure, const char *engine, const char *doing, const char *image,
                    struct slice stderr_text, struct error *err);

#endif
