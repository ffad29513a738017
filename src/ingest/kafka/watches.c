#include "ingest/kafka/watches.h"

#include "base/map.h"
#include "ingest/kafka/loop.h"

#include <stdlib.h>
#include <sys/epoll.h>

struct kafka_watch {
    struct kafka_source source; /* first */
    struct kafka_watches *watches;
    char *collection;
    struct store_reader *reader; /* of what comes; it gives nothing */
    int fd;
    unsigned waiting;
};

struct kafka_watches {
    struct map map;
    void (*fired)(struct kafka *kafka, struct kafka_watch *watch);
};

struct kafka_watches *kafka_watches_new(void (*fired)(struct kafka *kafka, struct kafka_watch *watch))
{
    struct kafka_watches *watches = mem_zalloc(sizeof *watches);
    map_init(&watches->map);
    watches->fired = fired;
    return watches;
}

static void free_watch(struct kafka *kafka, struct kafka_watch *watch)
{
    if (watch->fd >= 0)
        kafka_unwatch(kafka, watch->fd);
    store_reader_close(watch->reader);
    free(watch->collection);
    free(watch);
}

void kafka_watches_free(struct kafka *kafka, struct kafka_watches *watches)
{
    const struct map_entry *entry;
    if (!watches)
        return;
    for (size_t at = 0; (entry = map_next(&watches->map, &at));)
        free_watch(kafka, entry->value);
    map_done(&watches->map);
    free(watches);
}

/* Nothing is read of it but whether there are further journals, which are watched from then on. */
static void look(struct kafka_watch *watch)
{
    struct store_document document;
    struct error unused;
    store_reader_woken(watch->reader);
    while (store_reader_next(watch->reader, &document, &unused) > 0)
        continue;
}

static void ready(struct kafka *kafka, struct kafka_source *source, uint32_t events)
{
    struct kafka_watch *watch = (struct kafka_watch *)source;
    (void)events;
    if (!watch->waiting)
        return;
    look(watch);
    watch->watches->fired(kafka, watch);
}

void kafka_watches_trim(struct kafka *kafka, struct kafka_watches *watches)
{
    const struct map_entry *entry;
    if (watches->map.count <= KAFKA_WATCHES_MAX)
        return;
    for (size_t at = 0; (entry = map_next(&watches->map, &at));) {
        struct kafka_watch *watch = entry->value;
        if (watch->waiting)
            continue;
        map_remove(&watches->map, entry->key);
        free_watch(kafka, watch);
    }
}

static struct kafka_watch *new_watch(struct kafka *kafka, struct kafka_watches *watches,
                                     struct slice collection)
{
    struct error unused;
    auto_free char *name = mem_strndup(collection.data, collection.size);
    struct store_reader *reader = store_reader_open(kafka->store, name, NULL, UINT64_MAX, &unused);
    int fd = reader ? store_reader_fd(reader) : -1;
    if (fd < 0) {
        if (reader)
            store_reader_close(reader);
        return NULL;
    }
    struct kafka_watch *watch = mem_zalloc(sizeof *watch);
    *watch = (struct kafka_watch){.source = {.ready = ready},
                                  .watches = watches,
                                  .collection = mem_strdup(name),
                                  .reader = reader,
                                  .fd = fd};
    kafka_watch(kafka, fd, &watch->source, 0, true);
    map_set(&watches->map, collection, watch);
    return watch;
}

struct kafka_watch *kafka_watch_begin(struct kafka *kafka, struct kafka_watches *watches,
                                      struct slice collection)
{
    struct kafka_watch *watch = map_get(&watches->map, collection);
    if (!watch && !(watch = new_watch(kafka, watches, collection)))
        return NULL;
    if (watch->waiting++ == 0) {
        look(watch);
        kafka_watch(kafka, watch->fd, &watch->source, EPOLLIN, false);
    }
    return watch;
}

void kafka_watch_end(struct kafka *kafka, struct kafka_watches *watches, struct kafka_watch *watch)
{
    (void)watches;
    if (watch && --watch->waiting == 0)
        kafka_watch(kafka, watch->fd, &watch->source, 0, false);
}
