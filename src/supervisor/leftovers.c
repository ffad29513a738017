#include "supervisor/leftovers.h"

#include "task/connection_state.h"

int leftovers_drop(struct control *control, const char *data_dir,
                   const struct control_connection_filter *filter, struct error *err)
{
    struct control_connection_filter deleted = *filter;
    struct control_connection *items;
    size_t count = 0;
    int result = 0;
    deleted.any_status = deleted.catalogs = false;
    deleted.status = CONTROL_DEPRECATED;
    deleted.page = (struct control_page){.limit = CONTROL_PAGE_MAX, .deleted = true};
    do {
        struct arena arena;
        struct error failed;
        arena_init(&arena);
        int got = control_connections(control, &deleted, &arena, &items, &count, NULL, &failed);
        const char **ids = arena_alloc(&arena, (count + 1) * sizeof *ids);
        for (size_t i = 0; i < count && got == 0; i++)
            ids[i] = items[i].id;
        if (got == 0 && count)
            got = connection_states_drop(data_dir, ids, count, &failed);
        if (got < 0 && result == 0)
            *err = failed;
        result = got < 0 ? -1 : result;
        deleted.page.offset += (uint32_t)count;
        arena_done(&arena);
    } while (count == CONTROL_PAGE_MAX);
    return result;
}
