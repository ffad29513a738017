/* Listing: names of folders, journals and their committed ends, checkpoints. */
#include "base/map.h"
#include "store/local/local.h"
#include "store/local/log.h"
#include "store/local/path.h"
#include "store/local/segment.h"

#include <errno.h>

struct folder_names {
    char **names;
    size_t count, capacity;
};

static void add_name(void *argument, const char *name)
{
    struct folder_names *all = argument;
    all->names = mem_grow(all->names, &all->capacity, all->count + 1, sizeof(char *));
    all->names[all->count++] = mem_strdup(name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One level of folders; `name` holds what the levels above it decoded to. */
static int list_level(const struct local_store *store, const char *folder, struct buffer *name,
                      int (*each)(void *argument, const char *name, struct error *err), void *argument,
                      struct error *err)
{
    struct folder_names all = {0};
    int result = store->disk->list(store->disk->context, folder, add_name, &all);
    if (result < 0 && result != -ENOENT && result != -ENOTDIR)
        disk_error(err, result, "cannot list %s", folder);
    else
        result = 0;
    if (all.count > 1)
        qsort(all.names, all.count, sizeof(char *), compare_names);
    size_t above = name->size;
    for (size_t i = 0; i < all.count && result == 0; i++) {
        name->size = above;
        name->overflowed = false;
        int more = path_decode_component(all.names[i], name);
        auto_free char *below = mem_printf("%s/%s", folder, all.names[i]);
        if (more == 1 && !name->overflowed)
            result = list_level(store, below, name, each, argument, err);
        else if (more == 0 && !name->overflowed && utf8_valid(name->data, name->size))
            result = each(argument, buffer_cstr(name), err);
    }
    name->size = above;
    for (size_t i = 0; i < all.count; i++)
        free(all.names[i]);
    free(all.names);
    return result < 0 ? -1 : 0;
}

int local_list_names(const struct local_store *store, const char *folder,
                     int (*each)(void *argument, const char *name, struct error *err), void *argument,
                     struct error *err)
{
    struct buffer name;
    buffer_init(&name, STORE_NAME_MAX);
    int result = list_level(store, folder, &name, each, argument, err);
    buffer_done(&name);
    return result;
}

struct listing {
    struct local_store *store;
    struct arena *arena;
    const char *collection;
    struct map views; /* task → struct log_view */
    struct store_journal_info *infos;
    size_t count, capacity;
};

static struct log_view *view_of(struct listing *listing, const char *task, struct error *err)
{
    struct log_view *view = map_get(&listing->views, slice_of(task));
    if (view)
        return view;
    auto_free char *folder = local_task_folder(listing->store, task, err);
    if (!folder)
        return NULL;
    view = mem_zalloc(sizeof *view);
    log_view_init(view, listing->store->disk, folder, task);
    map_set(&listing->views, slice_of(task), view);
    return log_view_refresh(view, LOG_READER, err) < 0 ? NULL : view;
}

/* Bytes of the journal's files up to the committed end. A file that retention removes meanwhile counts
 * nothing. */
static int journal_bytes(struct listing *listing, const char *task, const struct journal_end *end,
                         uint64_t *ret_bytes, struct error *err)
{
    const struct disk *disk = listing->store->disk;
    auto_free char *folder = local_journal_folder(listing->store, listing->collection, task, err);
    struct segment_list list = {0};
    if (!folder || segment_list_read(&list, disk, folder, err) < 0)
        return -1;
    uint64_t sum = end->offset, size;
    for (size_t i = 0; i < list.count; i++) {
        if (list.bases[i] < end->first || list.bases[i] >= end->segment)
            continue;
        auto_free char *path = local_segment_path(folder, list.bases[i]);
        if (disk->stat_size(disk->context, path, &size) == 0)
            sum += size;
    }
    segment_list_done(&list);
    *ret_bytes = sum;
    return 0;
}

static int list_writer(void *argument, const char *task, struct error *err)
{
    struct listing *listing = argument;
    struct log_view *view = view_of(listing, task, err);
    if (!view)
        return -1;
    struct journal_end end = {0};
    uint64_t bytes = 0;
    if (log_state_find(&view->state, listing->collection, &end) &&
        journal_bytes(listing, task, &end, &bytes, err) < 0)
        return -1;
    listing->infos = mem_grow(listing->infos, &listing->capacity, listing->count + 1, sizeof *listing->infos);
    listing->infos[listing->count++] = (struct store_journal_info){
        .collection = arena_strdup(listing->arena, listing->collection),
        .writer = arena_strdup(listing->arena, task),
        .first = end.first,
        .end = end.end,
        .bytes = bytes,
        .committed_ms = end.committed_ms,
    };
    return 0;
}

static int list_collection(void *argument, const char *collection, struct error *err)
{
    struct listing *listing = argument;
    auto_free char *folder = local_collection_folder(listing->store, collection, err);
    listing->collection = collection;
    return folder ? local_list_names(listing->store, folder, list_writer, listing, err) : -1;
}

static int compare_infos(const void *a, const void *b)
{
    const struct store_journal_info *left = a, *right = b;
    int order = strcmp(left->collection, right->collection);
    return order ? order : strcmp(left->writer, right->writer);
}

int local_list(struct store *base, const char *collection, struct arena *arena,
               struct store_journal_info **ret_infos, size_t *ret_count, struct error *err)
{
    struct local_store *store = local_store_of(base);
    struct listing listing = {.store = store, .arena = arena};
    map_init(&listing.views);
    int result;
    if (collection) {
        result = list_collection(&listing, collection, err);
    } else {
        auto_free char *folder = mem_printf("%s/collections", store->folder);
        result = local_list_names(store, folder, list_collection, &listing, err);
    }
    if (listing.count > 1)
        qsort(listing.infos, listing.count, sizeof *listing.infos, compare_infos);
    if (result == 0) {
        *ret_infos = arena_dup(arena, listing.infos, listing.count * sizeof *listing.infos);
        *ret_count = listing.count;
    }
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&listing.views, &at));) {
        log_view_done(entry->value);
        free(entry->value);
    }
    map_done(&listing.views);
    free(listing.infos);
    return result;
}

struct task_listing {
    struct local_store *store;
    struct arena *arena;
    struct store_task_info *infos;
    size_t count, capacity;
};

static int list_task(void *argument, const char *task, struct error *err)
{
    struct task_listing *listing = argument;
    struct log_view view;
    auto_free char *folder = local_task_folder(listing->store, task, err);
    if (!folder)
        return -1;
    log_view_init(&view, listing->store->disk, folder, task);
    int result = log_view_refresh(&view, LOG_READER, err) < 0 ? -1 : 0;
    /* Sequence 1 is the empty state that every log begins with. */
    if (result == 0 && view.state.sequence > 1) {
        listing->infos =
            mem_grow(listing->infos, &listing->capacity, listing->count + 1, sizeof *listing->infos);
        listing->infos[listing->count++] = (struct store_task_info){
            .task = arena_strdup(listing->arena, task),
            .checkpoint_bytes = view.state.checkpoint_size,
            .committed_ms = view.state.committed_ms,
        };
    }
    log_view_done(&view);
    return result;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct store_task_info *left = a, *right = b;
    return strcmp(left->task, right->task);
}

int local_list_tasks(struct store *base, struct arena *arena, struct store_task_info **ret_infos,
                     size_t *ret_count, struct error *err)
{
    struct task_listing listing = {.store = local_store_of(base), .arena = arena};
    auto_free char *folder = mem_printf("%s/tasks", listing.store->folder);
    int result = local_list_names(listing.store, folder, list_task, &listing, err);
    if (listing.count > 1)
        qsort(listing.infos, listing.count, sizeof *listing.infos, compare_tasks);
    if (result == 0) {
        *ret_infos = arena_dup(arena, listing.infos, listing.count * sizeof *listing.infos);
        *ret_count = listing.count;
    }
    free(listing.infos);
    return result;
}

int local_checkpoint_get(struct store *base, const char *task, struct arena *arena,
                         struct slice *ret_checkpoint, struct error *err)
{
    struct local_store *store = local_store_of(base);
    auto_free char *folder = local_task_folder(store, task, err);
    if (!folder)
        return -1;
    struct log_view view;
    log_view_init(&view, store->disk, folder, task);
    int result = log_view_refresh(&view, LOG_READER, err);
    /* Sequence 1 is the empty state that every log begins with. */
    if (result >= 0 && view.state.sequence <= 1)
        result = error_set(err, ERROR_NOT_FOUND, "task %s never committed", task);
    if (result >= 0) {
        struct slice checkpoint = log_state_checkpoint(&view.state);
        *ret_checkpoint = (struct slice){arena_dup(arena, checkpoint.data, checkpoint.size), checkpoint.size};
        result = 0;
    }
    log_view_done(&view);
    return result;
}
