/* What an engine says about an image, read from its `image inspect`. */
#ifndef FIRTH_CONNECTOR_OCI_IMAGE_H
#define FIRTH_CONNECTOR_OCI_IMAGE_H

#include "connector/connector.h"

enum {
    OCI_INSPECT_MAX = 4 << 20, /* bytes of an inspection */
    OCI_WORDS_MAX = 256,       /* of an entrypoint */
};

struct oci_image {
    const char *id; /* without "sha256:" */
    const char *architecture;
    enum connector_protocol protocol;
    const char *const *words; /* what runs in the container, before the verb; at least one */
};

/* `image` is the name for messages. Strings live in the arena. ERROR_INVALID for an image that cannot be a
 * connector: nothing to run in it, not for Linux, a label that names no protocol. */
int oci_image_read(const char *image, struct slice inspection, struct arena *arena,
                   struct oci_image *ret_image, struct error *err);

/* The name to pull: with the registry, which podman would otherwise ask for: "docker.io/airbyte/source-x:1"
 * of "airbyte/source-x:1". */
const char *oci_image_full_name(const char *image, struct arena *arena);
/* The registry of a full name, a slice of it. */
struct slice oci_image_registry(const char *full_name);
/* False for what no engine should see as a word of its command line: empty, an option, blanks, control bytes.
 */
bool oci_image_name_valid(const char *image);
/* "amd64" of this machine. */
const char *oci_machine_architecture(void);

#endif
