/* Readers of journals that stay where the last Fetch left them: a consumer goes on where it was, whichever
 * connection it comes by. And what is known of topics' journals, for a moment. Private to this folder. */
#ifndef FIRTH_INGEST_KAFKA_CURSORS_H
#define FIRTH_INGEST_KAFKA_CURSORS_H

#include "ingest/kafka/topics.h"
#include "json/key.h"

enum { KAFKA_CURSORS_MAX = 64, KAFKA_VIEWS_MAX = 1024, KAFKA_VIEW_MS = 1000 };

struct kafka_cursors;

struct kafka_cursors *kafka_cursors_new(void);
void kafka_cursors_free(struct kafka_cursors *cursors);

/* A topic's journals, as they were at most KAFKA_VIEW_MS ago; `fresh`: as they are now. */
struct kafka_view {
    struct arena arena;
    struct kafka_topic topic;
    struct key key; /* of its documents; count 0: not known */
    enum kafka_error error;
    uint64_t read_ms;
};
/* Valid until the next call. Its error says why there is none; what the client may is not looked at. */
struct kafka_view *kafka_view_of(struct kafka *kafka, struct slice name, bool fresh);

struct kafka_cursor {
    struct kafka_cursor *next;
    char *collection, *writer;
    struct store_reader *reader;
    uint64_t position; /* the next document has this number, or a later one */
    struct store_document held;
    bool holds; /* `held` was read, and not given yet */
};

/* A cursor that stands at this number: one that was put back, or a new one. NULL and *err. */
struct kafka_cursor *kafka_cursor_take(struct kafka *kafka, const char *collection, const char *writer,
                                       uint64_t position, struct error *err);
/* 1 and the document that comes next, which stays the next until kafka_cursor_given; 0: there is none yet. */
int kafka_cursor_next(struct kafka_cursor *cursor, const struct store_document **ret_document,
                      struct error *err);
void kafka_cursor_given(struct kafka_cursor *cursor);
void kafka_cursor_put(struct kafka *kafka, struct kafka_cursor *cursor);
void kafka_cursor_free(struct kafka_cursor *cursor);

#endif
