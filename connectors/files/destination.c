#include "destination.h"

#include "base/clock.h"
#include "base/fault.h"
#include "bridge.h"
#include "connectors/files/commits.h"
#include "connectors/files/compress.h"
#include "connectors/files/names.h"
#include "json/writer.h"

#include <inttypes.h>
#include <stdlib.h>

struct stream {
    const struct firth_target *target;
    struct files_rows *rows;
    struct files_compressor *file; /* that is being written; NULL: none */
    char *mark;
    char **sealed; /* not published yet */
    size_t count, capacity;
    char **names; /* that this session has written, of an overwrite */
    size_t name_count, name_capacity;
    int64_t parts;
};

struct session {
    struct files_output output;
    struct stream *streams;
    size_t count;
    bool live;
    char *task;
    struct files_commits *commits; /* of a live one; NULL of others */
    struct buffer row;
};

static const char *ending_of(const struct files_output *output)
{
    if (output->kind == FILES_PARQUET)
        return ".parquet";
    static const char *const endings[2][FILES_COMPRESSIONS] = {
        {[FILES_PLAIN] = ".jsonl", [FILES_GZIP] = ".jsonl.gz", [FILES_ZSTD] = ".jsonl.zst"},
        {[FILES_PLAIN] = ".csv", [FILES_GZIP] = ".csv.gz", [FILES_ZSTD] = ".csv.zst"}};
    return endings[output->kind == FILES_CSV][output->compression];
}

static struct files_name name_of(const struct files_output *output, const struct firth_target *target,
                                 const char *task)
{
    struct files_name name = {.stream = target->name,
                              .name_space = target->name_space,
                              .task = target->live ? task : "",
                              .generation = target->generation,
                              .sync = target->sync,
                              .time_ms = clock_wall_ms(&clock_system),
                              .ending = ending_of(output)};
    random_bytes(&name.random, sizeof name.random);
    return name;
}

static bool is_overwrite(const struct firth_target *target)
{
    return target->sync_mode == FIRTH_OVERWRITE || target->sync_mode == FIRTH_OVERWRITE_DEDUP;
}

/* --- removing --------------------------------------------------------------------------------------------
 */

struct removing {
    const struct files_output *output;
    const struct stream *stream; /* whose names stay; NULL: none */
    const char *mark;
    uint64_t removed;
};

static int remove_one(void *context, const char *name, struct error *err)
{
    struct removing *removing = context;
    const char *slash = strrchr(name, '/');
    if (!strstr(slash ? slash + 1 : name, removing->mark))
        return 0;
    for (size_t i = 0; removing->stream && i < removing->stream->name_count; i++) {
        if (strcmp(removing->stream->names[i], name) == 0)
            return 0;
    }
    removing->removed++;
    return removing->output->target->remove(removing->output->target, name, err);
}

static int remove_files(const struct files_output *output, const struct firth_target *target,
                        const char *task, const struct stream *keep, uint64_t *ret_removed, struct error *err)
{
    const struct files_name name = name_of(output, target, task);
    auto_free char *prefix = files_template_prefix(output->template, &name), *mark = files_name_mark(&name);
    struct removing removing = {output, keep, mark, 0};
    if (output->target->list(output->target, prefix, remove_one, &removing, err) < 0)
        return -1;
    *ret_removed = removing.removed;
    return 0;
}

/* --- check, apply ----------------------------------------------------------------------------------------
 */

static int get_output(struct firth_host *host, const void *config, struct files_output *ret_output,
                      struct firth_error *err)
{
    struct error library_err;
    *ret_output = (struct files_output){0};
    const struct files_destination *family = firth_family(host);
    if (family->output(host, config, ret_output, err) < 0)
        return -1;
    if (files_template_check(ret_output->template, &library_err) == 0)
        return 0;
    files_target_close(ret_output->target);
    return sdk_error(err, &library_err);
}

int files_destination_check(struct firth_host *host, const void *config, struct firth_error *err)
{
    struct files_output output;
    struct error library_err;
    char uuid[37];
    if (get_output(host, config, &output, err) < 0)
        return -1;
    random_uuid(uuid);
    auto_free char *name = mem_printf(".firth-check-%s", uuid);
    int result = output.target->put(output.target, name, SLICE_LITERAL("{}\n"), &library_err);
    if (result == 0)
        result = output.target->remove(output.target, name, &library_err);
    files_target_close(output.target);
    return result < 0
               ? firth_fail(err, library_err.retriable ? FIRTH_FAILURE_TRANSIENT : FIRTH_FAILURE_CONFIG, "%s",
                            library_err.message)
               : 0;
}

/* What was committed and is not seen yet is to be removed with the rest, and nobody is to add to it. */
static int settle(const struct files_output *output, const char *task, struct error *err)
{
    struct files_commits *commits = files_commits_open(output->target, output->place, task, err);
    files_commits_free(commits);
    return commits ? 0 : -1;
}

int files_destination_apply(struct firth_host *host, const void *config, const struct firth_target *targets,
                            size_t count, struct firth_error *err)
{
    struct files_output output;
    struct error library_err;
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= targets[i].anew;
    if (!any)
        return 0;
    if (get_output(host, config, &output, err) < 0)
        return -1;
    int result = 0;
    if (targets[0].live)
        result = settle(&output, firth_task(host), &library_err);
    for (size_t i = 0; i < count && result == 0; i++) {
        uint64_t removed = 0;
        if (!targets[i].anew)
            continue;
        result = remove_files(&output, &targets[i], firth_task(host), NULL, &removed, &library_err);
        if (result == 0 && removed)
            firth_did(host, "removed %" PRIu64 " files of %s from %s", removed, targets[i].name,
                      output.place);
    }
    files_target_close(output.target);
    return result < 0 ? sdk_error(err, &library_err) : 0;
}

/* --- opening ---------------------------------------------------------------------------------------------
 */

static void close_stream(struct session *session, struct stream *stream)
{
    struct error ignored;
    files_compressor_drop(stream->file);
    for (size_t i = 0; i < stream->count; i++) {
        if (!session->live)
            session->output.target->abandon(session->output.target, slice_of(stream->sealed[i]), &ignored);
        free(stream->sealed[i]);
    }
    for (size_t i = 0; i < stream->name_count; i++)
        free(stream->names[i]);
    free(stream->sealed);
    free(stream->names);
    free(stream->mark);
    files_rows_free(stream->rows);
}

void files_destination_close(void *self)
{
    struct session *session = self;
    for (size_t i = 0; i < session->count; i++)
        close_stream(session, &session->streams[i]);
    files_commits_free(session->commits);
    files_target_close(session->output.target);
    free(session->streams);
    free(session->task);
    buffer_done(&session->row);
    free(session);
}

static int open_stream(struct session *session, struct firth_host *host, struct firth_target *target,
                       struct stream *stream, struct error *err)
{
    const struct files_name name = name_of(&session->output, target, session->task);
    auto_free char *prefix = files_template_prefix(session->output.template, &name);
    stream->target = target;
    stream->mark = files_name_mark(&name);
    if (target->sync_mode & (FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP))
        firth_log(host, FIRTH_WARN,
                  "stream %s asks for deduplication, which files cannot do: all records are kept",
                  target->name);
    target->states_at_end = is_overwrite(target);
    auto_free char *lock = mem_printf(".%slock", stream->mark);
    stream->rows = files_rows_new(&session->output, target, err);
    if (stream->rows && !session->live && session->output.target->lock(session->output.target, lock, err) < 0)
        return -1;
    return stream->rows ? session->output.target->tidy(session->output.target, prefix, stream->mark,
                                                       session->live ? files_commits_sure : NULL,
                                                       session->commits, err)
                        : -1;
}

static int open_session(struct session *session, struct firth_host *host, struct firth_target *targets,
                        size_t count, struct error *err)
{
    session->live = count && targets[0].live;
    session->task = mem_strdup(firth_task(host));
    if (session->live) {
        session->commits =
            files_commits_open(session->output.target, session->output.place, session->task, err);
        if (!session->commits)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        session->count++;
        if (open_stream(session, host, &targets[i], &session->streams[i], err) < 0)
            return -1;
    }
    return 0;
}

int files_destination_open(struct firth_host *host, const void *config, struct firth_target *targets,
                           size_t count, void **ret_self, struct firth_error *err)
{
    struct session *session = mem_zalloc(sizeof *session);
    struct error library_err;
    if (get_output(host, config, &session->output, err) < 0) {
        free(session);
        return -1;
    }
    session->streams = mem_zalloc((count + 1) * sizeof *session->streams);
    buffer_init(&session->row, BUFFER_UNLIMITED);
    if (open_session(session, host, targets, count, &library_err) < 0) {
        files_destination_close(session);
        return sdk_error(err, &library_err);
    }
    *ret_self = session;
    return 0;
}

int files_destination_checkpoint(void *self, struct firth_host *host, struct firth_slice *ret_checkpoint,
                                 struct firth_error *err)
{
    const struct session *session = self;
    const char *kept = session->live ? files_commits_checkpoint(session->commits) : "";
    (void)host, (void)err;
    *ret_checkpoint = (struct firth_slice){kept, strlen(kept)};
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------
 */

static int begin_file(struct session *session, struct stream *stream, struct error *err)
{
    struct files_target *target = session->output.target;
    struct files_name name = name_of(&session->output, stream->target, session->task);
    name.part = stream->parts++;
    char *text = files_template_name(session->output.template, &name);
    struct files_writing *writing = target->begin(target, text, err);
    if (stream->target->states_at_end) {
        stream->names =
            mem_grow(stream->names, &stream->name_capacity, stream->name_count + 1, sizeof *stream->names);
        stream->names[stream->name_count++] = text;
    } else {
        free(text);
    }
    if (!writing)
        return -1;
    stream->file = files_compress(target, writing, &session->output, err);
    struct slice head = files_rows_head(stream->rows);
    return !stream->file ? -1 : head.size ? files_compressor_write(stream->file, head, err) : 0;
}

int files_destination_store(void *self, struct firth_host *host, size_t at, const struct firth_record *record,
                            struct firth_error *err)
{
    struct session *session = self;
    struct stream *stream = &session->streams[at];
    struct error library_err;
    if (!stream->file && begin_file(session, stream, &library_err) < 0)
        return sdk_error(err, &library_err);
    buffer_clear(&session->row);
    files_rows_put(stream->rows, host, record, &session->row);
    if (files_compressor_write(stream->file, (struct slice){session->row.data, session->row.size},
                               &library_err) < 0)
        return sdk_error(err, &library_err);
    return 0;
}

static int seal_file(struct stream *stream, struct error *err)
{
    struct buffer sealed;
    struct files_compressor *file = stream->file;
    if (!file)
        return 0;
    stream->file = NULL;
    buffer_init(&sealed, BUFFER_UNLIMITED);
    int result = files_compressor_seal(file, &sealed, err);
    if (result == 0) {
        stream->sealed =
            mem_grow(stream->sealed, &stream->capacity, stream->count + 1, sizeof *stream->sealed);
        stream->sealed[stream->count++] = buffer_steal(&sealed);
    }
    buffer_done(&sealed);
    return result;
}

static int publish(struct session *session, struct stream *stream, struct error *err)
{
    struct files_target *target = session->output.target;
    while (stream->count) {
        if (target->publish(target, slice_of(stream->sealed[stream->count - 1]), false, err) < 0)
            return -1;
        free(stream->sealed[--stream->count]);
        fault_point("files.published");
    }
    return 0;
}

static int write_commit(struct session *session, struct slice checkpoint, struct error *err)
{
    struct buffer list;
    struct json_writer writer;
    buffer_init(&list, BUFFER_UNLIMITED);
    json_writer_init(&writer, &list);
    json_begin_array(&writer);
    for (size_t i = 0; i < session->count; i++) {
        for (size_t k = 0; k < session->streams[i].count; k++)
            json_put_string(&writer, session->streams[i].sealed[k]);
    }
    json_end_array(&writer);
    int result = files_commits_write(session->commits, checkpoint, (struct slice){list.data, list.size}, err);
    buffer_done(&list);
    return result;
}

static int commit_all(struct session *session, struct slice checkpoint, struct error *err)
{
    bool noted = session->live && checkpoint.size;
    for (size_t i = 0; i < session->count; i++) {
        if (seal_file(&session->streams[i], err) < 0)
            return -1;
        noted |= session->live && session->streams[i].count > 0;
    }
    fault_point("files.sealed");
    if (noted && write_commit(session, checkpoint, err) < 0)
        return -1;
    fault_point("files.committed");
    for (size_t i = 0; i < session->count; i++) {
        if (!session->streams[i].target->states_at_end && publish(session, &session->streams[i], err) < 0)
            return -1;
    }
    return noted ? files_commits_published(session->commits, err) : 0;
}

int files_destination_commit(void *self, struct firth_host *host, const struct firth_commit *commit,
                             struct firth_error *err)
{
    struct error library_err;
    (void)host;
    return commit_all(self, (struct slice){commit->checkpoint.data, commit->checkpoint.size}, &library_err) <
                   0
               ? sdk_error(err, &library_err)
               : 0;
}

/* Of an overwrite: the new files are there before the old ones go. */
int files_destination_finish(void *self, struct firth_host *host, size_t at, bool complete,
                             struct firth_error *err)
{
    struct session *session = self;
    struct stream *stream = &session->streams[at];
    struct error library_err;
    uint64_t removed;
    (void)host;
    if (!stream->target->states_at_end || !complete)
        return 0; /* close abandons what is sealed */
    if (publish(session, stream, &library_err) < 0 ||
        remove_files(&session->output, stream->target, session->task, stream, &removed, &library_err) < 0)
        return sdk_error(err, &library_err);
    return 0;
}
