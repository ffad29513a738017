#include "task/notes.h"

#include "store/store.h"

bool task_notes_is(const char *collection)
{
    return strcmp(collection, TASK_NOTES) == 0;
}

/* The number that the newest `most` begin with. */
static int find_first(struct store *store, const char *task, uint64_t most, bool *ret_any,
                      uint64_t *ret_first, struct error *err)
{
    struct arena arena;
    struct store_journal_info *infos;
    size_t count;
    arena_init(&arena);
    int result = store_list(store, TASK_NOTES, &arena, &infos, &count, err);
    *ret_any = false;
    for (size_t i = 0; result == 0 && i < count; i++) {
        if (strcmp(infos[i].writer, task) != 0)
            continue;
        if (infos[i].damage) {
            *err = *infos[i].damage;
            result = -1;
            break;
        }
        *ret_any = infos[i].end > infos[i].first;
        *ret_first = infos[i].end - infos[i].first > most ? infos[i].end - most : infos[i].first;
    }
    arena_done(&arena);
    return result;
}

int task_notes_read(const char *data_dir, const char *task, uint64_t most, task_notes_take *take,
                    void *context, struct error *err)
{
    bool any;
    uint64_t first;
    struct store_document note;
    mem_auto(store_close) struct store *store =
        store_open(data_dir, &(struct store_options){.read_only = true}, err);
    if (!store || find_first(store, task, most, &any, &first, err) < 0)
        return -1;
    if (!any)
        return 0;
    mem_auto(store_reader_close) struct store_reader *reader =
        store_reader_open(store, TASK_NOTES, task, first, err);
    if (!reader)
        return -1;
    int got;
    while ((got = store_reader_next(reader, &note, err)) > 0)
        take(context, note.bytes);
    return got;
}
