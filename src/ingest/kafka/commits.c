#include "ingest/kafka/commits.h"

#include "base/fault.h"
#include "base/file.h"
#include "ingest/kafka/commit_table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MAX = 512 << 20 };

struct waiter {
    struct waiter *next;
    void *who;
};

struct kafka_commits {
    struct commit_table table;
    void (*done)(void *waiter, bool durable);
    pthread_t thread;
    bool started;

    /* The thread's. */
    char *path;
    int fd;
    size_t size, base; /* of the file: now, and when it was last written anew */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct buffer lines;
    struct waiter *waiting;
    bool closing;
};

/* --- the file ----------------------------------------------------------------------------------------- */

static int open_file(struct kafka_commits *commits, struct error *err)
{
    if (commits->fd >= 0)
        close(commits->fd);
    commits->fd = open(commits->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return commits->fd < 0 ? error_errno(err, errno, "cannot open %s", commits->path) : 0;
}

static int rewrite_from(struct kafka_commits *commits, const struct commit_table *table, struct error *err)
{
    struct buffer text;
    buffer_init(&text, FILE_MAX);
    commit_table_write(table, &text);
    int result = file_replace(commits->path, text.size ? text.data : "", text.size, 0600, err);
    if (result == 0)
        result = open_file(commits, err);
    commits->size = commits->base = text.size;
    buffer_done(&text);
    return result;
}

/* What a crash has left behind its last line that is whole was told to nobody. */
static int read_file(struct kafka_commits *commits, struct commit_table *table, struct error *err)
{
    struct buffer text;
    buffer_init(&text, FILE_MAX);
    int result = file_exists(commits->path) ? file_read(commits->path, FILE_MAX, &text, err) : 0;
    bool whole = result == 0 && commit_table_read(table, (struct slice){buffer_cstr(&text), text.size});
    commits->size = commits->base = text.size;
    buffer_done(&text);
    if (result < 0)
        return -1;
    return whole && commits->size ? open_file(commits, err) : rewrite_from(commits, table, err);
}

/* Most of it is out of date: what it says is read, and written anew. */
static int compact(struct kafka_commits *commits, struct error *err)
{
    struct commit_table table;
    if (commits->size < KAFKA_COMMIT_FILE_LEAST || commits->size / 2 < commits->base)
        return 0;
    commit_table_init(&table);
    int result = read_file(commits, &table, err);
    if (result == 0)
        result = rewrite_from(commits, &table, err);
    commit_table_done(&table);
    return result;
}

/* A line that was half written is the last of its file until the next is: it goes with the file's rewriting.
 */
static int append(struct kafka_commits *commits, const struct buffer *lines, struct error *err)
{
    if (lines->overflowed || compact(commits, err) < 0)
        return -1;
    fault_point("kafka.commit");
    if (file_write_all(commits->fd, lines->data, lines->size, commits->path, err) < 0) {
        struct commit_table table;
        commit_table_init(&table);
        read_file(commits, &table, &(struct error){0});
        commit_table_done(&table);
        return -1;
    }
    commits->size += lines->size;
    return fdatasync(commits->fd) < 0 ? error_errno(err, errno, "cannot sync %s", commits->path) : 0;
}

/* --- the thread --------------------------------------------------------------------------------------- */

static void tell(struct kafka_commits *commits, struct waiter *waiting, bool durable)
{
    while (waiting) {
        struct waiter *next = waiting->next;
        commits->done(waiting->who, durable);
        free(waiting);
        waiting = next;
    }
}

static void *run(void *context)
{
    struct kafka_commits *commits = context;
    struct buffer lines;
    struct error err;
    buffer_init(&lines, FILE_MAX);
    pthread_mutex_lock(&commits->lock);
    while (!commits->closing || commits->waiting) {
        if (!commits->waiting) {
            pthread_cond_wait(&commits->wake, &commits->lock);
            continue;
        }
        struct buffer spare = commits->lines;
        struct waiter *waiting = commits->waiting;
        commits->lines = lines;
        commits->waiting = NULL;
        lines = spare;
        pthread_mutex_unlock(&commits->lock);
        tell(commits, waiting, append(commits, &lines, &err) == 0);
        buffer_clear(&lines);
        pthread_mutex_lock(&commits->lock);
    }
    pthread_mutex_unlock(&commits->lock);
    buffer_done(&lines);
    return NULL;
}

/* --- its life ----------------------------------------------------------------------------------------- */

static int begin(struct kafka_commits *commits, const char *data_dir, struct error *err)
{
    auto_free char *folder = mem_printf("%s/kafka", data_dir);
    commits->path = mem_printf("%s/offsets.jsonl", folder);
    if (file_make_folders(folder, 0700, err) < 0 || read_file(commits, &commits->table, err) < 0 ||
        file_sync_folder(folder, err) < 0)
        return error_wrap(err, "the offsets of Kafka's consumer groups");
    int failed = pthread_create(&commits->thread, NULL, run, commits);
    if (failed)
        return error_errno(err, failed, "cannot start a thread for committed offsets");
    commits->started = true;
    return 0;
}

struct kafka_commits *kafka_commits_open(const char *data_dir, void (*done)(void *waiter, bool durable),
                                         struct error *err)
{
    struct kafka_commits *commits = mem_zalloc(sizeof *commits);
    commits->done = done;
    commits->fd = -1;
    commit_table_init(&commits->table);
    buffer_init(&commits->lines, FILE_MAX);
    pthread_mutex_init(&commits->lock, NULL);
    pthread_cond_init(&commits->wake, NULL);
    if (begin(commits, data_dir, err) == 0)
        return commits;
    kafka_commits_close(commits);
    return NULL;
}

void kafka_commits_stop(struct kafka_commits *commits)
{
    if (!commits->started)
        return;
    pthread_mutex_lock(&commits->lock);
    commits->closing = true;
    pthread_cond_signal(&commits->wake);
    pthread_mutex_unlock(&commits->lock);
    pthread_join(commits->thread, NULL);
    commits->started = false;
}

void kafka_commits_close(struct kafka_commits *commits)
{
    if (!commits)
        return;
    kafka_commits_stop(commits);
    if (commits->fd >= 0)
        close(commits->fd);
    commit_table_done(&commits->table);
    buffer_done(&commits->lines);
    pthread_mutex_destroy(&commits->lock);
    pthread_cond_destroy(&commits->wake);
    free(commits->path);
    free(commits);
}

void kafka_commits_put(struct kafka_commits *commits, const struct kafka_commit *list, size_t count,
                       void *waiter)
{
    struct waiter *own = mem_alloc(sizeof *own);
    pthread_mutex_lock(&commits->lock);
    for (size_t i = 0; i < count; i++)
        commit_write(&commits->lines, &list[i]);
    *own = (struct waiter){commits->waiting, waiter};
    commits->waiting = own;
    pthread_cond_signal(&commits->wake);
    pthread_mutex_unlock(&commits->lock);
}

/* --- what is committed -------------------------------------------------------------------------------- */

void kafka_commits_take(struct kafka_commits *commits, const struct kafka_commit *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        commit_table_set(&commits->table, &list[i]);
}

bool kafka_commits_get(const struct kafka_commits *commits, struct slice group, struct slice topic,
                       int32_t partition, struct kafka_commit *ret_commit)
{
    return commit_table_get(&commits->table, group, topic, partition, ret_commit);
}

bool kafka_commits_next(const struct kafka_commits *commits, struct slice group, size_t *at,
                        struct kafka_commit *ret_commit)
{
    return commit_table_next(&commits->table, group, at, ret_commit);
}

bool kafka_commits_has_group(const struct kafka_commits *commits, struct slice group)
{
    return map_get(&commits->table.groups, group) != NULL;
}

bool kafka_commits_next_group(const struct kafka_commits *commits, size_t *at, struct slice *ret_group)
{
    const struct map_entry *entry = map_next(&commits->table.groups, at);
    if (entry)
        *ret_group = entry->key;
    return entry != NULL;
}
