#include "loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum {
    WAITING_MAX = 4 << 20, /* the appender gathers by rows alone, far more than the processor's caches hold */
    BYTES_MAX = 32 << 20,  /* of chunks in work, one beyond that */
};

struct loader {
    pthread_t thread;
    bool started, stopping;
    pthread_mutex_t mutex; /* of what follows, and of failed of the tables */
    pthread_cond_t submitted, taken;
    struct loader_chunk *first, *last; /* the first is being worked on */
    uint64_t bytes;                    /* of them all */
};

struct loader *loader_new(void)
{
    struct loader *loader = mem_zalloc(sizeof *loader);
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->submitted, NULL);
    pthread_cond_init(&loader->taken, NULL);
    return loader;
}

void loader_chunk_free(struct loader_chunk *chunk)
{
    duckdb_destroy_data_chunk(&chunk->data);
    arena_done(&chunk->text);
    free(chunk);
}

struct loader_chunk *loader_spare(struct loader *loader, struct loader_table *table)
{
    pthread_mutex_lock(&loader->mutex);
    struct loader_chunk *spare = table->spare;
    if (spare)
        table->spare = spare->next;
    pthread_mutex_unlock(&loader->mutex);
    return spare;
}

static void empty(struct loader_chunk *chunk)
{
    duckdb_data_chunk_reset(chunk->data);
    arena_clear(&chunk->text);
}

/* --- the thread ----------------------------------------------------------------------------------------- */

static bool append(struct loader_table *table, const struct loader_chunk *chunk)
{
    if (duckdb_append_data_chunk(table->appender, chunk->data) != DuckDBSuccess)
        return false;
    table->waiting += chunk->bytes;
    if (table->waiting < WAITING_MAX)
        return true;
    table->waiting = 0;
    return duckdb_appender_flush(table->appender) == DuckDBSuccess;
}

static void *run(void *context)
{
    struct loader *loader = context;
    pthread_mutex_lock(&loader->mutex);
    for (;;) {
        struct loader_chunk *chunk = loader->first;
        if (!chunk && loader->stopping)
            break;
        if (!chunk) {
            pthread_cond_wait(&loader->submitted, &loader->mutex);
            continue;
        }
        bool failed = chunk->table->failed;
        pthread_mutex_unlock(&loader->mutex);
        failed = failed || !append(chunk->table, chunk);
        empty(chunk);
        pthread_mutex_lock(&loader->mutex);
        chunk->table->failed = failed;
        loader->first = chunk->next;
        loader->bytes -= chunk->bytes;
        chunk->next = chunk->table->spare;
        chunk->table->spare = chunk;
        pthread_cond_signal(&loader->taken);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* Signals are for the thread that waits for input. False: there can be no thread. */
static bool start(struct loader *loader)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loader->started = loader->started || pthread_create(&loader->thread, NULL, run, loader) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return loader->started;
}

/* --- its owner ------------------------------------------------------------------------------------------ */

void loader_submit(struct loader *loader, struct loader_chunk *chunk)
{
    if (!loader->started && !start(loader)) { /* then here, and later */
        chunk->table->failed = chunk->table->failed || !append(chunk->table, chunk);
        empty(chunk);
        chunk->next = chunk->table->spare;
        chunk->table->spare = chunk;
        return;
    }
    pthread_mutex_lock(&loader->mutex);
    while (loader->bytes >= BYTES_MAX)
        pthread_cond_wait(&loader->taken, &loader->mutex);
    chunk->next = NULL;
    if (loader->first)
        loader->last->next = chunk;
    else
        loader->first = chunk;
    loader->last = chunk;
    loader->bytes += chunk->bytes;
    pthread_cond_signal(&loader->submitted);
    pthread_mutex_unlock(&loader->mutex);
}

bool loader_failed(struct loader *loader, const struct loader_table *table)
{
    pthread_mutex_lock(&loader->mutex);
    bool failed = table->failed;
    pthread_mutex_unlock(&loader->mutex);
    return failed;
}

void loader_drain(struct loader *loader)
{
    pthread_mutex_lock(&loader->mutex);
    while (loader->first)
        pthread_cond_wait(&loader->taken, &loader->mutex);
    pthread_mutex_unlock(&loader->mutex);
}

void loader_free(struct loader *loader)
{
    if (loader->started) {
        pthread_mutex_lock(&loader->mutex);
        loader->stopping = true;
        pthread_cond_signal(&loader->submitted);
        pthread_mutex_unlock(&loader->mutex);
        pthread_join(loader->thread, NULL);
    }
    pthread_cond_destroy(&loader->taken);
    pthread_cond_destroy(&loader->submitted);
    pthread_mutex_destroy(&loader->mutex);
    free(loader);
}
