/* destination-local-json: a stream becomes a file of JSON lines.
 *
 *   <folder>/_airbyte_raw_<stream>.jsonl
 *   {"_airbyte_ab_id":"<uuid>","_airbyte_emitted_at":<ms>,"_airbyte_data":{…the record, byte for byte…}}
 *
 * When a state may be confirmed is docs/decisions/0030-local-json-durability.md; what a task without an end
 * does instead, 0033-local-json-live.md. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/map.h"
#include "base/memory.h"
#include "bridge.h"
#include "live.h"
#include "path.h"
#include "protocol/airbyte_write.h"
#include "registry.h"
#include "staged.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct local_json_config {
    const char *destination_path;
};

static const struct firth_option options[] = {
    {.name = "destination_path",
     .type = FIRTH_STRING,
     .offset = offsetof(struct local_json_config, destination_path),
     .required = true,
     .title = "Destination Path",
     .example = "/local/json_data",
     .pattern = LOCAL_JSON_PATH_PATTERN,
     .pattern_help = LOCAL_JSON_PATH_HELP,
     .help = "Path to the folder where the files are to be written. It lies under /local, which is "
             "/tmp/airbyte_local on this machine (the environment variable FIRTH_LOCAL_ROOT names another)."},
    {0},
};

struct session {
    char *folder;
    int folder_fd;
    struct staged **files; /* one a target, */
    struct live *live;     /* or all of them, of a task without an end; else NULL */
    size_t count;
    struct random_state random;
};

/* --- opening ----------------------------------------------------------------------------------------- */

/* The folder, made if need be. NULL with *err set. */
static char *make_folder(const struct local_json_config *config, struct error *err)
{
    char *folder = local_json_folder(config->destination_path, getenv("FIRTH_LOCAL_ROOT"), err);
    if (folder && file_make_folders(folder, 0755, err) < 0) {
        free(folder);
        return NULL;
    }
    return folder;
}

static int local_json_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct error library_err;
    auto_free char *folder = make_folder(config, &library_err);
    if (!folder)
        return sdk_error(err, &library_err);
    char uuid[37];
    random_uuid(uuid);
    auto_free char *probe = mem_printf("%s/.firth-check-%s", folder, uuid);
    auto_close int fd = open(probe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, "{}\n", 3, probe, &library_err) < 0) {
        error_errno(&library_err, errno, "cannot write into %s", folder);
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "%s", library_err.message);
    }
    unlink(probe);
    return 0;
}

/* Two streams must not share a file: names are made simpler, and namespaces are no part of them. */
static int refuse_collision(const struct firth_target *a, const struct firth_target *b, const char *file,
                            struct firth_error *err)
{
    return firth_fail(
        err, FIRTH_FAILURE_CONFIG,
        "streams \"%s%s%s\" and \"%s%s%s\" would both be written to %s: rename one, or give one of "
        "their connections another destination_path",
        a->name_space ? a->name_space : "", a->name_space ? "." : "", a->name,
        b->name_space ? b->name_space : "", b->name_space ? "." : "", b->name, file);
}

static bool is_overwrite(const struct firth_target *target)
{
    return target->sync_mode == FIRTH_OVERWRITE || target->sync_mode == FIRTH_OVERWRITE_DEDUP;
}

/* A file's name for each target, none twice. */
static int name_files(const struct firth_target *targets, size_t count, char **names, struct firth_error *err)
{
    struct map files; /* name -> target */
    map_init(&files);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        names[i] = local_json_file_name(targets[i].name);
        const struct firth_target *other =
            map_set(&files, slice_of(names[i]), (void *)(uintptr_t)&targets[i]);
        if (other)
            result = refuse_collision(other, &targets[i], names[i], err);
    }
    map_done(&files);
    return result;
}

static int open_staged(struct session *session, struct firth_host *host, struct firth_target *targets,
                       char *const *names, struct firth_error *err)
{
    struct error library_err;
    for (size_t i = 0; i < session->count; i++) {
        if (targets[i].sync_mode & (FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP))
            firth_log(host, FIRTH_WARN,
                      "stream %s asks for deduplication, which a file of lines cannot do: all "
                      "records are kept",
                      targets[i].name);
        targets[i].states_at_end = is_overwrite(&targets[i]);
        session->files[i] = staged_open(session->folder, session->folder_fd, names[i],
                                        !is_overwrite(&targets[i]), &library_err);
        if (!session->files[i])
            return sdk_error(err, &library_err);
    }
    return 0;
}

static int open_live(struct session *session, struct firth_host *host, char *const *names,
                     struct firth_error *err)
{
    struct error library_err;
    session->live =
        live_open(session->folder, session->folder_fd, firth_task(host), names, session->count, &library_err);
    return session->live ? 0 : sdk_error(err, &library_err);
}

static int open_files(struct session *session, struct firth_host *host, struct firth_target *targets,
                      struct firth_error *err)
{
    char **names = mem_zalloc((session->count + 1) * sizeof *names);
    int result = name_files(targets, session->count, names, err);
    if (result == 0)
        result = session->count && targets[0].live ? open_live(session, host, names, err)
                                                   : open_staged(session, host, targets, names, err);
    for (size_t i = 0; i < session->count; i++)
        free(names[i]);
    free(names);
    return result;
}

static void local_json_close(void *self)
{
    struct session *session = self;
    for (size_t i = 0; i < session->count; i++)
        staged_close(session->files[i]);
    live_close(session->live);
    free(session->files);
    if (session->folder_fd >= 0)
        close(session->folder_fd);
    free(session->folder);
    free(session);
}

/* A file that is to begin anew goes; the others are made when they are opened. */
static int local_json_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                            size_t count, struct firth_error *err)
{
    struct error library_err;
    auto_free char *folder = make_folder(config, &library_err);
    if (!folder)
        return sdk_error(err, &library_err);
    for (size_t i = 0; i < count; i++) {
        auto_free char *name = local_json_file_name(targets[i].name);
        auto_free char *path = mem_printf("%s/%s", folder, name);
        if (!targets[i].anew || !file_exists(path))
            continue;
        if (unlink(path) < 0 || file_sync_folder(folder, &library_err) < 0) {
            error_errno(&library_err, errno, "cannot remove %s", path);
            return sdk_error(err, &library_err);
        }
        firth_did(host, "removed %s", path);
    }
    return 0;
}

static int local_json_open(struct firth_host *host, const void *config, struct firth_target *targets,
                           size_t count, void **ret_self, struct firth_error *err)
{
    struct error library_err;
    char *folder = make_folder(config, &library_err);
    if (!folder)
        return sdk_error(err, &library_err);
    struct session *session = mem_zalloc(sizeof *session);
    session->folder = folder;
    session->files = mem_zalloc(count * sizeof(struct staged *));
    session->count = count;
    random_bytes(&session->random, sizeof session->random);
    session->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = 0;
    if (session->folder_fd < 0)
        result = error_errno(&library_err, errno, "cannot open folder %s", folder);
    else
        result = staged_recover(folder, session->folder_fd, &library_err);
    if (result < 0)
        sdk_error(err, &library_err);
    else
        result = open_files(session, host, targets, err);
    if (result < 0)
        local_json_close(session);
    else
        *ret_self = session;
    return result;
}

/* --- writing ------------------------------------------------------------------------------------------- */

#define PUT(at, literal) (memcpy((at), (literal), sizeof(literal) - 1), (at) + sizeof(literal) - 1)

/* A version 4 UUID from a generator that the kernel seeded: they only have to differ. */
static char *put_uuid(char *at, struct random_state *random)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t high = (random_next(random) & ~0xf000ULL) | 0x4000;
    uint64_t low = (random_next(random) & ~(3ULL << 62)) | (2ULL << 62);
    for (int i = 0; i < 16; i++) {
        if (i == 8 || i == 12)
            *at++ = '-';
        *at++ = hex[high >> (60 - 4 * i) & 15];
    }
    *at++ = '-';
    for (int i = 0; i < 16; i++) {
        if (i == 4)
            *at++ = '-';
        *at++ = hex[low >> (60 - 4 * i) & 15];
    }
    return at;
}

static int local_json_store(void *self, struct firth_host *host, size_t stream,
                            const struct firth_record *record, struct firth_error *err)
{
    enum { AROUND = 160 }; /* everything but the data */
    struct session *session = self;
    struct error library_err;
    size_t most = record->data.size + AROUND;
    char *start = session->live ? live_reserve(session->live, stream, most, &library_err)
                                : staged_reserve(session->files[stream], most, &library_err);
    if (!start)
        return sdk_error(err, &library_err);
    char *at = PUT(start, "{\"_airbyte_ab_id\":\"");
    at = put_uuid(at, &session->random);
    at = PUT(at, "\",\"_airbyte_emitted_at\":");
    at += airbyte_format_i64(record->emitted_at, at);
    at = PUT(at, ",\"_airbyte_data\":");
    memcpy(at, record->data.data, record->data.size);
    at = PUT(at + record->data.size, "}\n");
    struct buffer *out = session->live ? &session->live->files[stream].out : &session->files[stream]->out;
    out->size += (size_t)(at - start);
    return 0;
}

static int local_json_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                             struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    bool renamed = false;
    if (session->live)
        return live_commit(session->live, (struct slice){commit->checkpoint.data, commit->checkpoint.size},
                           &library_err) < 0
                   ? sdk_error(err, &library_err)
                   : 0;
    for (size_t i = 0; i < session->count; i++) {
        if (session->files[i]->append && staged_commit(session->files[i], &renamed, &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    if (renamed && fsync(session->folder_fd) < 0) {
        error_errno(&library_err, errno, "cannot sync folder %s", session->folder);
        return sdk_error(err, &library_err);
    }
    fault_point("local-json.commit.done");
    return 0;
}

static int local_json_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                                 struct firth_error *err)
{
    const struct session *session = self;
    if (session->live)
        *ret_checkpoint = (struct firth_slice){session->live->checkpoint, strlen(session->live->checkpoint)};
    return 0;
}

/* Append: everything was committed, so it goes to its place whether the stream came to its end or not.
 * Overwrite: only a whole stream takes the old one's place. */
static int local_json_finish(void *self, struct firth_host *host, size_t stream, bool complete,
                             struct firth_error *err)
{
    struct session *session = self;
    struct error library_err;
    struct staged *staged = session->files[stream];
    if (!complete && !staged->committed)
        return 0; /* close removes what is hidden */
    if (staged_publish(staged, &library_err) < 0)
        return sdk_error(err, &library_err);
    return 0;
}

static const char *const image_names[] = {"airbyte/destination-local-json", NULL};

const struct firth_connector_class destination_local_json = {
    .name = "destination-local-json",
    .version = FIRTH_VERSION,
    .title = "Local JSON",
    .summary = "a file of JSON lines for each stream",
    .image_names = image_names,
    .config_size = sizeof(struct local_json_config),
    .options = options,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE,
                    .whole_documents = true,
                    .check = local_json_check,
                    .apply = local_json_apply,
                    .open = local_json_open,
                    .checkpoint = local_json_checkpoint,
                    .store = local_json_store,
                    .commit = local_json_commit,
                    .finish = local_json_finish,
                    .close = local_json_close},
};
