#include "connector/oci_options.h"

#include "base/file.h"
#include "connector/image.h"
#include "connector/oci_owner.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTIONS_MAX = 64 };
#define PIDS_MAX "4096" /* processes and threads of a container */
#define LOCAL_ROOT_DEFAULT "/tmp/airbyte_local"

/* --- /local --------------------------------------------------------------------------------------- */

/* Airbyte's destinations that write files do so below /local, which Airbyte's platform mounts. */
static bool wants_local(const char *image)
{
    static const char *const names[] = {
        "airbyte/destination-local-json", "airbyte/destination-csv", "airbyte/destination-sqlite",
        "airbyte/destination-duckdb",     "airbyte/source-file",
    };
    struct slice repository = connector_image_repository(image);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(repository, names[i]))
            return true;
    }
    return false;
}

/* In /tmp anybody may have made it first, or have put a link there that leads elsewhere. */
static int local_root(struct arena *arena, const char **ret_path, struct error *err)
{
    const char *given = getenv("FIRTH_LOCAL_ROOT");
    const char *path = given && *given == '/' ? given : LOCAL_ROOT_DEFAULT;
    struct stat info;
    if (strpbrk(path, ":,"))
        return error_set(err, ERROR_INVALID, "the folder %s cannot be mounted: its name has a ':' or a ','",
                         path);
    if (file_make_folders(path, 0755, err) < 0)
        return -1;
    if (lstat(path, &info) < 0)
        return error_errno(err, errno, "cannot look at the folder %s", path);
    if (!S_ISDIR(info.st_mode) || (info.st_uid != geteuid() && info.st_uid != 0))
        return error_set(err, ERROR_INVALID, "%s is to be mounted as /local, but it is %s", path,
                         S_ISDIR(info.st_mode) ? "another user's folder" : "no folder");
    *ret_path = arena_strdup(arena, path);
    return 0;
}

/* --- words ---------------------------------------------------------------------------------------- */

struct words {
    const char **items;
    size_t count;
};

static void add(struct words *words, const char *word)
{
    assert(words->count < OPTIONS_MAX);
    words->items[words->count++] = word;
}

/* What docker does not hand on by itself, and podman does. By name alone: a proxy's address may hold a
 * password. */
static void add_proxies(struct words *words, struct arena *arena)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy",
                                        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (getenv(names[i]))
            add(words, arena_printf(arena, "--env=%s", names[i]));
    }
}

static void add_labels(struct words *words, const struct oci_how *how, struct arena *arena)
{
    char data[OCI_DATA_SIZE];
    if (how->task)
        add(words, arena_printf(arena, "--label=" OCI_LABEL_TASK "=%s", how->task));
    if (how->data_dir) {
        oci_owner_data(how->data_dir, data);
        add(words, arena_printf(arena, "--label=" OCI_LABEL_DATA "=%s", data));
    }
}

int oci_options(const struct oci_how *how, struct arena *arena, const char *const **ret_options,
                struct error *err)
{
    struct words words = {.items = arena_zalloc(arena, (OPTIONS_MAX + 1) * sizeof(char *))};
    /* The streams are ours: without this each record would be written to the engine's log as well. */
    add(&words, how->passthrough ? "--log-driver=passthrough" : "--log-driver=none");
    add(&words, "--interactive");
    add(&words, "--pull=never");
    add(&words, "--no-healthcheck");
    add(&words, "--security-opt=no-new-privileges");
    add(&words, "--pids-limit=" PIDS_MAX);
    add(&words, "--stop-timeout=0"); /* `rm --force` is meant; asking it to stop is done by SIGTERM */
    if (how->init)
        add(&words, "--init");
    if (how->network)
        add(&words, arena_printf(arena, "--network=%s", how->network));
    if (how->memory)
        add(&words, arena_printf(arena, "--memory=%s", how->memory));
    if (how->cpus)
        add(&words, arena_printf(arena, "--cpus=%s", how->cpus));
    if (!how->podman)
        add_proxies(&words, arena);
    add_labels(&words, how, arena);
    if (wants_local(how->image)) {
        const char *root = NULL;
        if (local_root(arena, &root, err) < 0)
            return -1;
        add(&words, arena_printf(arena, "--volume=%s:/local:z", root));
    }
    *ret_options = words.items;
    return 0;
}
