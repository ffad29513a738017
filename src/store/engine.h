/* What an engine of the store is: store.c dispatches to it, nothing outside src/store sees it. An engine's
 * own structs begin with the bases declared here. */
#ifndef FIRTH_STORE_ENGINE_H
#define FIRTH_STORE_ENGINE_H

#include "store/store.h"

struct store_engine {
    const char *name;
    struct store *(*open)(const char *place, const struct store_options *options, struct error *err);
    void (*close)(struct store *store);
    struct store_lock *(*lock_acquire)(struct store *store, const char *who, struct error *err);
    void (*lock_release)(struct store_lock *lock);

    struct store_writer *(*writer_open)(struct store *store, const char *task, struct slice *ret_checkpoint,
                                        struct error *err);
    void (*writer_close)(struct store_writer *writer);
    int (*writer_journal)(struct store_writer *writer, const char *collection,
                          const struct store_journal_options *options, uint32_t *ret_journal,
                          struct error *err);
    int (*append)(struct store_writer *writer, uint32_t journal, struct slice document, struct error *err);
    int (*commit)(struct store_writer *writer, struct slice checkpoint, struct error *err);
    uint64_t (*writer_pending)(const struct store_writer *writer);
    int (*truncate)(struct store_writer *writer, uint32_t journal, struct error *err);
    int (*drop_task)(struct store *store, const char *task, struct error *err);
    int (*checkpoint_get)(struct store *store, const char *task, struct arena *arena,
                          struct slice *ret_checkpoint, struct error *err);

    struct store_reader *(*reader_open)(struct store *store, const char *collection, const char *writer,
                                        uint64_t from, struct error *err);
    void (*reader_close)(struct store_reader *reader);
    int (*reader_seek)(struct store_reader *reader, const char *writer, uint64_t number, struct error *err);
    int (*reader_next)(struct store_reader *reader, struct store_document *ret_document, struct error *err);
    const char *(*reader_left_out)(const struct store_reader *reader, uint64_t *ret_number);
    int (*reader_notice)(struct store_reader *reader, struct store_notice *ret_notice);
    int (*reader_fd)(struct store_reader *reader);
    void (*reader_woken)(struct store_reader *reader);

    int (*mark)(struct store *store, const char *collection, const char *writer, uint64_t number,
                uint64_t *ret_mark, struct error *err);
    int (*list)(struct store *store, const char *collection, struct arena *arena,
                struct store_journal_info **ret_infos, size_t *ret_count, struct error *err);
    int (*list_tasks)(struct store *store, struct arena *arena, struct store_task_info **ret_infos,
                      size_t *ret_count, struct error *err);
};

struct store {
    const struct store_engine *engine;
};
struct store_lock {
    const struct store_engine *engine;
};
struct store_writer {
    const struct store_engine *engine;
};
struct store_reader {
    const struct store_engine *engine;
};

extern const struct store_engine store_engine_local;

#endif
