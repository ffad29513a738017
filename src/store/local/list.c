/* Listing: names of folders, journals and their committed ends, checkpoints. */
#include "base/map.h"
#include "store/local/carry.h"
#include "store/local/evidence.h"
#include "store/local/local.h"
#include "store/local/log.h"
#include "store/local/path.h"
#include "store/local/segment.h"

#include <errno.h>
#include <inttypes.h>

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

static void free_names(struct folder_names *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->names[i]);
    free(all->names);
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
    free_names(&all);
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

/* --- tasks' logs ---------------------------------------------------------------------------------- */

struct listing {
    struct local_store *store;
    struct arena *arena;
    const char *wanted;     /* NULL or the one collection */
    const char *collection; /* being listed */
    struct map logs;        /* task → struct log_entry */
    struct store_journal_info *infos;
    size_t count, capacity;
};

struct log_entry {
    struct log_view view;
    const struct error *damage; /* NULL: the log can be read */
};

static const struct error *keep_error(struct arena *arena, const struct error *err)
{
    return arena_dup(arena, err, sizeof *err);
}

static int check_dropping(const struct log_view *view, struct error *err)
{
    uint64_t size;
    auto_free char *marker = local_drop_marker(view->folder);
    if (view->disk->stat_size(view->disk->context, marker, &size) < 0)
        return 0;
    return error_set(err, ERROR_CORRUPT,
                     "task %s is being dropped, or that was interrupted: 'firth drop %s' finishes it",
                     view->task, view->task);
}

/* Never fails but for a name that is too long for a path. */
static struct log_entry *log_of(struct listing *listing, const char *task, struct error *err)
{
    struct log_entry *entry = map_get(&listing->logs, slice_of(task));
    if (entry)
        return entry;
    auto_free char *folder = local_task_folder(listing->store, task, err);
    if (!folder)
        return NULL;
    entry = mem_zalloc(sizeof *entry);
    log_view_init(&entry->view, listing->store->disk, folder, task);
    map_set(&listing->logs, slice_of(task), entry);
    if (check_dropping(&entry->view, err) < 0 || log_view_refresh(&entry->view, LOG_READER, err) < 0)
        entry->damage = keep_error(listing->arena, err);
    return entry;
}

static void listing_done(struct listing *listing)
{
    struct map_entry *each;
    for (size_t at = 0; (each = map_next(&listing->logs, &at));) {
        struct log_entry *entry = each->value;
        log_view_done(&entry->view);
        free(entry);
    }
    map_done(&listing->logs);
    free(listing->infos);
}

/* --- journals ------------------------------------------------------------------------------------- */

/* Does the log carry the journal's last block? Then the segment may lack it until a writer has recovered. */
static bool is_end_carried(const struct listing *listing, const struct log_view *view,
                           const struct journal_end *end)
{
    struct buffer block;
    uint64_t begin;
    buffer_init(&block, RECORD_DATA_MAX);
    bool found = carry_find(view, listing->collection, end->segment, end->offset - 1, &begin, &block);
    buffer_done(&block);
    return found;
}

/* Bytes of the journal's files up to the committed end. The first and the last of them have to be there. */
static int journal_bytes(struct listing *listing, const struct log_view *view, const struct journal_end *end,
                         uint64_t *ret_bytes, struct error *err)
{
    const struct disk *disk = listing->store->disk;
    auto_free char *folder = local_journal_folder(listing->store, listing->collection, view->task, err);
    struct segment_list list = {0};
    if (!folder || segment_list_read(&list, disk, folder, err) < 0)
        return -1;
    bool has_first = end->first == end->segment, has_active = false;
    uint64_t sum = end->offset, size, active = 0;
    for (size_t i = 0; i < list.count; i++) {
        has_first = has_first || list.bases[i] == end->first;
        if (list.bases[i] < end->first || list.bases[i] > end->segment)
            continue;
        auto_free char *path = local_segment_path(folder, list.bases[i]);
        int result = disk->stat_size(disk->context, path, &size);
        if (result == -ENOENT)
            continue;
        if (result < 0) {
            segment_list_done(&list);
            return disk_error(err, result, "cannot stat %s", path);
        }
        has_active = has_active || list.bases[i] == end->segment;
        if (list.bases[i] == end->segment)
            active = size;
        else
            sum += size;
    }
    segment_list_done(&list);
    *ret_bytes = sum;
    if (!has_first || (!has_active && end->offset > 0))
        return error_set(err, ERROR_CORRUPT, "the segment %s/%016" PRIx64 ".seg is missing", folder,
                         has_first ? end->segment : end->first);
    if (active < end->offset && !is_end_carried(listing, view, end))
        return error_set(err, ERROR_CORRUPT,
                         "the segment %s/%016" PRIx64 ".seg is damaged at offset %" PRIu64
                         ": committed documents are missing at its end",
                         folder, end->segment, active);
    return 0;
}

static int look_at_journal(struct listing *listing, const struct log_view *view, struct journal_end *ret_end,
                           uint64_t *ret_bytes, struct error *err)
{
    bool found = log_state_find(&view->state, listing->collection, ret_end);
    if (view->unmarked && evidence_check(listing->store, listing->collection, view->task, ret_end,
                                         view->state.sequence, err) < 0)
        return -1;
    if (!found)
        return 0;
    return evidence_check_folder(listing->store, listing->collection, view->task, ret_end, err) < 0
               ? -1
               : journal_bytes(listing, view, ret_end, ret_bytes, err);
}

/* A task that goes on meanwhile removes and compresses files, or was dropped: whoever does not find a file
 * reads the log again, and at last opens it again. */
static int check_journal(struct listing *listing, struct log_entry *entry, struct journal_end *ret_end,
                         uint64_t *ret_bytes, struct error *err)
{
    enum { RETRIES = 16 };
    struct log_view *view = &entry->view;
    bool opened_again = false;
    for (int i = 0; look_at_journal(listing, view, ret_end, ret_bytes, err) < 0; i++) {
        struct error ignored;
        if (i < RETRIES && log_view_refresh(view, LOG_READER, &ignored) > 0)
            continue;
        if (opened_again)
            return -1;
        opened_again = true;
        auto_free char *folder = mem_strdup(view->folder), *task = mem_strdup(view->task);
        log_view_done(view);
        log_view_init(view, listing->store->disk, folder, task);
        if (check_dropping(view, err) < 0 || log_view_refresh(view, LOG_READER, err) < 0)
            return -1;
        *ret_end = (struct journal_end){0};
        *ret_bytes = 0;
    }
    return 0;
}

static int list_writer(void *argument, const char *task, struct error *err)
{
    struct listing *listing = argument;
    struct log_entry *entry = log_of(listing, task, err);
    if (!entry)
        return -1;
    struct journal_end end = {0};
    uint64_t bytes = 0;
    const struct error *damage = entry->damage;
    if (!damage && check_journal(listing, entry, &end, &bytes, err) < 0)
        damage = keep_error(listing->arena, err);
    listing->infos = mem_grow(listing->infos, &listing->capacity, listing->count + 1, sizeof *listing->infos);
    listing->infos[listing->count++] = (struct store_journal_info){
        .collection = arena_strdup(listing->arena, listing->collection),
        .writer = arena_strdup(listing->arena, task),
        .first = end.first,
        .end = end.end,
        .bytes = bytes,
        .committed_ms = end.committed_ms,
        .identity = entry->view.identity,
        .identified = entry->view.identified,
        .damage = damage,
    };
    return 0;
}

static int list_collection(void *argument, const char *collection, struct error *err)
{
    struct listing *listing = argument;
    auto_free char *folder = local_collection_folder(listing->store, collection, err);
    listing->collection = collection;
    if (!folder)
        return -1;
    if (local_list_names(listing->store, folder, list_writer, listing, err) == 0)
        return 0;
    /* One folder that cannot be read keeps nobody from the others, where all are listed: the tasks' logs say
     * whose documents are in it. */
    return listing->wanted || err->code != ERROR_IO ? -1 : 0;
}

/* Journals that the task's log names, and whose folders are gone. */
static int list_missing(void *argument, const char *task, struct error *err)
{
    struct listing *listing = argument;
    struct log_entry *entry = log_of(listing, task, err);
    struct folder_names missing = {0};
    struct journal_end end;
    struct slice name;
    int result = entry ? 0 : -1;
    bool readable = entry && !entry->damage && entry->view.state.sequence > 0;
    for (const char *at = NULL; readable && log_state_journal(&entry->view.state, &at, &end, &name);) {
        struct error ignored;
        auto_free char *collection = mem_strndup(name.data, name.size);
        if ((!listing->wanted || strcmp(listing->wanted, collection) == 0) &&
            evidence_check_folder(listing->store, collection, task, &end, &ignored) < 0)
            add_name(&missing, collection);
    }
    for (size_t i = 0; i < missing.count && result == 0; i++) {
        listing->collection = missing.names[i];
        result = list_writer(listing, task, err);
    }
    free_names(&missing);
    return result;
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
    struct listing listing = {.store = store, .arena = arena, .wanted = collection};
    auto_free char *collections = mem_printf("%s/collections", store->folder);
    auto_free char *tasks = mem_printf("%s/tasks", store->folder);
    map_init(&listing.logs);
    int result = collection ? list_collection(&listing, collection, err)
                            : local_list_names(store, collections, list_collection, &listing, err);
    if (result == 0)
        result = local_list_names(store, tasks, list_missing, &listing, err);
    if (listing.count > 1)
        qsort(listing.infos, listing.count, sizeof *listing.infos, compare_infos);
    /* A folder that can be listed and not looked at was found both ways. */
    size_t kept = 0;
    for (size_t i = 0; i < listing.count; i++) {
        if (kept == 0 || compare_infos(&listing.infos[kept - 1], &listing.infos[i]) != 0)
            listing.infos[kept++] = listing.infos[i];
    }
    listing.count = kept;
    if (result == 0) {
        *ret_infos = arena_dup(arena, listing.infos, listing.count * sizeof *listing.infos);
        *ret_count = listing.count;
    }
    listing_done(&listing);
    return result;
}

/* --- tasks ---------------------------------------------------------------------------------------- */

struct task_listing {
    struct local_store *store;
    struct arena *arena;
    struct store_task_info *infos;
    size_t count, capacity;
    struct map seen; /* tasks that have a folder, and those looked at for their journals */
    const char *collection;
};

static void add_task(struct task_listing *listing, const struct store_task_info *info)
{
    listing->infos = mem_grow(listing->infos, &listing->capacity, listing->count + 1, sizeof *listing->infos);
    listing->infos[listing->count++] = *info;
}

static int list_task(void *argument, const char *task, struct error *err)
{
    struct task_listing *listing = argument;
    struct log_view view;
    auto_free char *folder = local_task_folder(listing->store, task, err);
    if (!folder)
        return -1;
    log_view_init(&view, listing->store->disk, folder, task);
    struct store_task_info info = {.task = arena_strdup(listing->arena, task)};
    bool damaged = check_dropping(&view, err) < 0 || log_view_refresh(&view, LOG_READER, err) < 0;
    if (damaged)
        info.damage = keep_error(listing->arena, err);
    /* Sequence 1 is the empty state that every log begins with. */
    if (!damaged && view.state.sequence > 1) {
        info.checkpoint_bytes = view.state.checkpoint_size;
        info.committed_ms = view.state.committed_ms;
    }
    if (damaged || view.state.sequence > 1)
        add_task(listing, &info);
    if (damaged || view.state.sequence > 0)
        map_set(&listing->seen, slice_of(task), listing);
    log_view_done(&view);
    return 0;
}

/* A writer without a log. */
static int list_orphan(void *argument, const char *task, struct error *err)
{
    static const struct journal_end none = {0};
    struct task_listing *listing = argument;
    if (map_get(&listing->seen, slice_of(task)) ||
        evidence_check(listing->store, listing->collection, task, &none, 0, err) == 0)
        return 0;
    map_set(&listing->seen, slice_of(task), listing);
    add_task(listing, &(struct store_task_info){.task = arena_strdup(listing->arena, task),
                                                .damage = keep_error(listing->arena, err)});
    return 0;
}

static int list_orphans(void *argument, const char *collection, struct error *err)
{
    struct task_listing *listing = argument;
    auto_free char *folder = local_collection_folder(listing->store, collection, err);
    listing->collection = collection;
    if (!folder)
        return -1;
    int result = local_list_names(listing->store, folder, list_orphan, listing, err);
    return result < 0 && err->code != ERROR_IO ? -1 : 0;
}

static int compare_tasks(const void *a, const void *b)
{
    const struct store_task_info *left = a, *right = b;
    return strcmp(left->task, right->task);
}

int local_list_tasks(struct store *base, struct arena *arena, struct store_task_info **ret_infos,
                     size_t *ret_count, struct error *err)
{
    struct local_store *store = local_store_of(base);
    struct task_listing listing = {.store = store, .arena = arena};
    auto_free char *tasks = mem_printf("%s/tasks", store->folder);
    auto_free char *collections = mem_printf("%s/collections", store->folder);
    map_init(&listing.seen);
    int result = local_list_names(store, tasks, list_task, &listing, err);
    if (result == 0)
        result = local_list_names(store, collections, list_orphans, &listing, err);
    if (listing.count > 1)
        qsort(listing.infos, listing.count, sizeof *listing.infos, compare_tasks);
    if (result == 0) {
        *ret_infos = arena_dup(arena, listing.infos, listing.count * sizeof *listing.infos);
        *ret_count = listing.count;
    }
    map_done(&listing.seen);
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
