#include "ingest/kafka/cursors.h"

#include <stdlib.h>

struct kafka_cursors {
    struct kafka_cursor *idle; /* the newest first */
    size_t count;
    struct map views; /* of struct kafka_view */
};

struct kafka_cursors *kafka_cursors_new(void)
{
    struct kafka_cursors *cursors = mem_zalloc(sizeof *cursors);
    map_init(&cursors->views);
    return cursors;
}

static void drop_views(struct kafka_cursors *cursors)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&cursors->views, &at));) {
        struct kafka_view *view = entry->value;
        arena_done(&view->arena);
        free(view);
    }
    map_done(&cursors->views);
    map_init(&cursors->views);
}

void kafka_cursors_free(struct kafka_cursors *cursors)
{
    if (!cursors)
        return;
    while (cursors->idle) {
        struct kafka_cursor *cursor = cursors->idle;
        cursors->idle = cursor->next;
        kafka_cursor_free(cursor);
    }
    drop_views(cursors);
    map_done(&cursors->views);
    free(cursors);
}

/* --- views -------------------------------------------------------------------------------------------- */

static void read_key(struct kafka *kafka, struct kafka_view *view)
{
    struct ingest_capture *capture;
    size_t binding;
    if (ingest_find_collection(kafka->captures, view->topic.name, &capture, &binding) != INGEST_FOUND)
        return;
    const char *const *key = capture->bindings[binding].task->spec->key;
    size_t count = 0;
    while (key[count])
        count++;
    const char **copy = arena_zalloc(&view->arena, (count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(&view->arena, key[i]);
    ingest_release(capture);
    view->key = key_compile(copy, &view->arena);
}

struct kafka_view *kafka_view_of(struct kafka *kafka, struct slice name, bool fresh)
{
    struct kafka_cursors *cursors = kafka->cursors;
    struct kafka_view *view = map_get(&cursors->views, name);
    if (view && !fresh && kafka->now_ms - view->read_ms < KAFKA_VIEW_MS)
        return view;
    if (!view && cursors->views.count == KAFKA_VIEWS_MAX)
        drop_views(cursors);
    if (!view) {
        view = mem_zalloc(sizeof *view);
        map_set(&cursors->views, name, view);
    }
    arena_clear(&view->arena);
    view->topic = (struct kafka_topic){0};
    view->key = (struct key){0};
    view->read_ms = kafka->now_ms;
    view->error = kafka_topic_find(kafka, NULL, arena_strndup(&view->arena, name.data, name.size),
                                   &view->arena, &view->topic);
    if (view->error == KAFKA_NONE)
        read_key(kafka, view);
    return view;
}

/* --- cursors ------------------------------------------------------------------------------------------ */

void kafka_cursor_free(struct kafka_cursor *cursor)
{
    store_reader_close(cursor->reader);
    free(cursor->collection);
    free(cursor->writer);
    free(cursor);
}

static struct kafka_cursor *find_idle(struct kafka_cursors *cursors, const char *collection,
                                      const char *writer, uint64_t position)
{
    for (struct kafka_cursor **at = &cursors->idle; *at; at = &(*at)->next) {
        struct kafka_cursor *cursor = *at;
        if (cursor->position != position || strcmp(cursor->writer, writer) != 0 ||
            strcmp(cursor->collection, collection) != 0)
            continue;
        *at = cursor->next;
        cursors->count--;
        return cursor;
    }
    return NULL;
}

struct kafka_cursor *kafka_cursor_take(struct kafka *kafka, const char *collection, const char *writer,
                                       uint64_t position, struct error *err)
{
    struct kafka_cursor *cursor = find_idle(kafka->cursors, collection, writer, position);
    if (cursor)
        return cursor;
    struct store_reader *reader = store_reader_open(kafka->store, collection, writer, position, err);
    if (!reader)
        return NULL;
    cursor = mem_zalloc(sizeof *cursor);
    *cursor = (struct kafka_cursor){.collection = mem_strdup(collection),
                                    .writer = mem_strdup(writer),
                                    .reader = reader,
                                    .position = position};
    return cursor;
}

int kafka_cursor_next(struct kafka_cursor *cursor, const struct store_document **ret_document,
                      struct error *err)
{
    int got = 1;
    if (!cursor->holds)
        got = store_reader_next(cursor->reader, &cursor->held, err);
    if (got <= 0)
        return got;
    /* The log was dropped, and begins anew: its numbers are others'. */
    if (cursor->held.number < cursor->position)
        return error_set(err, ERROR_NOT_FOUND, "the documents that were read here are gone");
    cursor->holds = true;
    *ret_document = &cursor->held;
    return 1;
}

void kafka_cursor_given(struct kafka_cursor *cursor)
{
    cursor->holds = false;
    cursor->position = cursor->held.number + 1;
}

void kafka_cursor_put(struct kafka *kafka, struct kafka_cursor *cursor)
{
    struct kafka_cursors *cursors = kafka->cursors;
    cursor->next = cursors->idle;
    cursors->idle = cursor;
    if (++cursors->count <= KAFKA_CURSORS_MAX)
        return;
    struct kafka_cursor **at = &cursors->idle;
    while ((*at)->next)
        at = &(*at)->next;
    kafka_cursor_free(*at);
    *at = NULL;
    cursors->count--;
}
