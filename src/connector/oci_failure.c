#include "connector/oci_failure.h"

#include "connector/oci_image.h"

#include <ctype.h>

enum { QUOTED_MAX = 600 };

/* The first that is found counts, so what is more precise stands first: a daemon's socket that may not be
 * opened is no missing daemon, and a registry that hides what may not be seen says denied. */
static const struct {
    const char *text; /* lower case */
    enum oci_failure failure;
} signs[] = {
    {"permission denied while trying to connect", OCI_FAILURE_NO_RIGHTS},
    {"docker.sock: connect: permission denied", OCI_FAILURE_NO_RIGHTS},
    {"podman.sock: connect: permission denied", OCI_FAILURE_NO_RIGHTS},
    {"cannot connect to the docker daemon", OCI_FAILURE_NO_DAEMON},
    {"is the docker daemon running", OCI_FAILURE_NO_DAEMON},
    {"cannot connect to podman", OCI_FAILURE_NO_DAEMON},
    {"no space left on device", OCI_FAILURE_DISK},
    {"disk quota exceeded", OCI_FAILURE_DISK},
    {"no matching manifest for", OCI_FAILURE_ARCHITECTURE},
    {"no image found in manifest list for architecture", OCI_FAILURE_ARCHITECTURE},
    {"no image found in image index for architecture", OCI_FAILURE_ARCHITECTURE},
    {"exec format error", OCI_FAILURE_ARCHITECTURE},
    {"executable file not found", OCI_FAILURE_ENTRYPOINT},
    {"command that was not found", OCI_FAILURE_ENTRYPOINT},
    {"unable to start container process: exec:", OCI_FAILURE_ENTRYPOINT},
    {"manifest unknown", OCI_FAILURE_NOT_THERE},
    {"name unknown", OCI_FAILURE_NOT_THERE},
    {"repository name not known to registry", OCI_FAILURE_NOT_THERE},
    {"repository does not exist or may require", OCI_FAILURE_DENIED},
    {"requested access to the resource is denied", OCI_FAILURE_DENIED},
    {"pull access denied", OCI_FAILURE_DENIED},
    {"authentication required", OCI_FAILURE_DENIED},
    {"unauthorized", OCI_FAILURE_DENIED},
    {"403 (forbidden)", OCI_FAILURE_DENIED},
    {"toomanyrequests", OCI_FAILURE_NETWORK},
    {"no such host", OCI_FAILURE_NETWORK},
    {"network is unreachable", OCI_FAILURE_NETWORK},
    {"connection refused", OCI_FAILURE_NETWORK},
    {"connection reset", OCI_FAILURE_NETWORK},
    {"i/o timeout", OCI_FAILURE_NETWORK},
    {"tls handshake timeout", OCI_FAILURE_NETWORK},
    {"temporary failure in name resolution", OCI_FAILURE_NETWORK},
    {"client.timeout exceeded", OCI_FAILURE_NETWORK},
    {"unexpected eof", OCI_FAILURE_NETWORK},
    {"no such image", OCI_FAILURE_IMAGE_MISSING},
    {"no such object", OCI_FAILURE_IMAGE_MISSING},
    {"image not known", OCI_FAILURE_IMAGE_MISSING},
    {"unable to find a name and tag match", OCI_FAILURE_IMAGE_MISSING},
    {"not found", OCI_FAILURE_NOT_THERE},
};

static bool contains(struct slice text, const char *lower)
{
    size_t size = strlen(lower);
    for (size_t at = 0; at + size <= text.size; at++) {
        size_t same = 0;
        while (same < size && tolower((unsigned char)text.data[at + same]) == lower[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

enum oci_failure oci_failure_of(struct slice stderr_text)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (contains(stderr_text, signs[i].text))
            return signs[i].failure;
    }
    return OCI_FAILURE_OTHER;
}

/* The last line that is not blank, cut short, printable. */
static void last_line(struct slice text, char line[QUOTED_MAX + 1])
{
    while (text.size && strchr(" \r\n\t", text.data[text.size - 1]))
        text.size--;
    const char *newline = text.size ? memrchr(text.data, '\n', text.size) : NULL;
    if (newline) {
        text.size -= (size_t)(newline + 1 - text.data);
        text.data = newline + 1;
    }
    size_t size = text.size ? utf8_cut(text.data, text.size, QUOTED_MAX) : 0;
    if (size)
        memcpy(line, text.data, size);
    line[size] = '\0';
    string_one_line(line);
}

static int denied(const char *engine, const char *image, const char *said, struct error *err)
{
    struct slice registry = oci_image_registry(image);
    return error_set(err, ERROR_INVALID,
                     "%.*s does not give the image %s: it does not exist there, or reading it needs a login: "
                     "`%s login %.*s` (%s)",
                     SLICE_ARGS(registry), image, engine, SLICE_ARGS(registry), said);
}

/* The program's name as people type it. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int oci_failure_set(enum oci_failure failure, const char *engine_path, const char *doing, const char *image,
                    struct slice stderr_text, struct error *err)
{
    const char *engine = base_name(engine_path);
    char said[QUOTED_MAX + 1];
    last_line(stderr_text, said);
    switch (failure) {
    case OCI_FAILURE_NOT_THERE:
    case OCI_FAILURE_IMAGE_MISSING:
        return error_set(err, ERROR_NOT_FOUND, "there is no image %s: is its name right, and its tag? (%s)",
                         image, said);
    case OCI_FAILURE_DENIED:
        return denied(engine, image, said, err);
    case OCI_FAILURE_NETWORK:
        error_set(err, ERROR_IO, "%s cannot %s the image %s: the registry cannot be reached: %s", engine,
                  doing, image, said);
        return -1;
    case OCI_FAILURE_NO_RIGHTS:
        return error_set(
            err, ERROR_INVALID,
            "this user may not use %s: add it to the group `docker` and log in again, or use podman, "
            "which needs no rights (--container-engine podman); %s",
            engine, said);
    case OCI_FAILURE_NO_DAEMON:
        error_set(err, ERROR_IO,
                  "%s is installed, but does not answer: start its daemon, or use podman, which has none "
                  "(--container-engine podman); %s",
                  engine, said);
        return -1;
    case OCI_FAILURE_DISK:
        error_set(err, ERROR_IO, "%s cannot %s the image %s: the disk is full: %s", engine, doing, image,
                  said);
        return -1;
    case OCI_FAILURE_ARCHITECTURE:
        return error_set(err, ERROR_UNSUPPORTED, "there is no image %s for this machine (%s): %s", image,
                         oci_machine_architecture(), said);
    case OCI_FAILURE_ENTRYPOINT:
    case OCI_FAILURE_OTHER:
        break;
    }
    error_set(err, ERROR_IO, "%s cannot %s the image %s: %s", engine, doing, image,
              *said ? said : "it did not say why");
    return -1;
}
