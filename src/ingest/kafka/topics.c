#include "ingest/kafka/topics.h"

#include "task/notes.h"

#include <stdlib.h>

/* --- what is pushed ----------------------------------------------------------------------------------- */

static void find_push(struct kafka *kafka, const struct kafka_connection *connection,
                      struct kafka_topic *topic, struct arena *arena, const char **ret_writer)
{
    struct ingest_capture *capture;
    size_t binding;
    enum ingest_found found = ingest_find_collection(kafka->captures, topic->name, &capture, &binding);
    topic->push = found != INGEST_NONE;
    topic->away = found == INGEST_AWAY;
    if (found != INGEST_FOUND)
        return;
    topic->may_push = !connection || kafka_may_push(kafka, connection, &capture->bindings[binding]);
    *ret_writer = arena_strdup(arena, capture->name);
    ingest_release(capture);
}

/* --- what is in the store ----------------------------------------------------------------------------- */

static struct kafka_partition partition_of(const struct store_journal_info *info)
{
    return (struct kafka_partition){
        .writer = info->writer, .first = info->first, .end = info->end, .identity = info->identity};
}

static void read_journals(struct kafka *kafka, struct kafka_topic *topic, const char *writer,
                          struct arena *arena)
{
    struct store_journal_info *infos = NULL;
    struct error unused;
    size_t count = 0;
    if (store_list(kafka->store, topic->name, arena, &infos, &count, &unused) < 0)
        count = 0;
    topic->partitions = arena_alloc(arena, (count + 1) * sizeof *topic->partitions);
    /* The push capture's own is the first, also if nothing was pushed to it yet. */
    if (writer)
        topic->partitions[topic->count++] = (struct kafka_partition){.writer = writer};
    for (size_t i = 0; i < count && topic->count < KAFKA_PARTITIONS_MAX; i++) {
        bool own = writer && strcmp(infos[i].writer, writer) == 0;
        if (!infos[i].damage)
            topic->partitions[own ? 0 : topic->count++] = partition_of(&infos[i]);
    }
}

enum kafka_error kafka_topic_find(struct kafka *kafka, const struct kafka_connection *connection,
                                  const char *name, struct arena *arena, struct kafka_topic *ret_topic)
{
    struct kafka_topic topic = {.name = name};
    const char *writer = NULL;
    bool may_read = !connection || kafka_may_read(kafka, connection);
    if (!*name)
        return KAFKA_INVALID_TOPIC;
    find_push(kafka, connection, &topic, arena, &writer);
    if (topic.away)
        return KAFKA_LEADER_NOT_AVAILABLE;
    if (!topic.may_push && !may_read)
        return KAFKA_TOPIC_AUTHORIZATION_FAILED; /* also of one that is not there: who may not see hears
                                                    nothing */
    if (!task_notes_is(name))
        read_journals(kafka, &topic, writer, arena);
    if (topic.count == 0)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    *ret_topic = topic;
    return KAFKA_NONE;
}

/* --- all of them -------------------------------------------------------------------------------------- */

struct names {
    struct arena *arena;
    struct map seen;
};

static void put(void *context, const char *name)
{
    struct names *names = context;
    if (!task_notes_is(name) && !map_get(&names->seen, slice_of(name))) {
        char *copy = arena_strdup(names->arena, name);
        map_set(&names->seen, slice_of(name), copy);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void kafka_topics_list(struct kafka *kafka, const struct kafka_connection *connection, struct arena *arena,
                       const char *const **ret_names, size_t *ret_count)
{
    struct names names = {.arena = arena};
    struct store_journal_info *infos;
    struct error unused;
    size_t count = 0;
    map_init(&names.seen);
    ingest_collections_each(kafka->captures, put, &names);
    if (kafka_may_read(kafka, connection) &&
        store_list(kafka->store, NULL, arena, &infos, &count, &unused) == 0) {
        for (size_t i = 0; i < count; i++)
            put(&names, infos[i].collection);
    }
    const char **list = arena_alloc(arena, (names.seen.count + 1) * sizeof *list);
    const struct map_entry *entry;
    *ret_count = 0;
    for (size_t at = 0; (entry = map_next(&names.seen, &at));)
        list[(*ret_count)++] = entry->value;
    qsort(list, *ret_count, sizeof *list, by_name);
    map_done(&names.seen);
    *ret_names = list;
}
