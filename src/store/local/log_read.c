#include "base/hash.h"
#include "store/local/local.h"
#include "store/local/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { RETRIES = 16 };

bool log_state_journal(const struct log_state *state, const char **at, struct journal_end *ret_end,
                       struct slice *ret_collection)
{
    const char *stop = state->payload + state->payload_size - state->checkpoint_size;
    if (!*at)
        *at = state->payload;
    return *at < stop && layout_journal_get(at, stop, ret_end, ret_collection);
}

bool log_state_find(const struct log_state *state, const char *collection, struct journal_end *ret_end)
{
    if (state->sequence == 0)
        return false;
    struct slice name;
    struct journal_end end;
    for (const char *at = NULL; log_state_journal(state, &at, &end, &name);) {
        if (slice_is(name, collection)) {
            *ret_end = end;
            return true;
        }
    }
    return false;
}

void log_view_init(struct log_view *view, const struct disk *disk, const char *folder, const char *task)
{
    *view = (struct log_view){
        .disk = disk, .folder = mem_strdup(folder), .task = mem_strdup(task), .file = -1, .mark_file = -1};
}

void log_view_done(struct log_view *view)
{
    local_close_file(view->disk, &view->file);
    local_close_file(view->disk, &view->mark_file);
    free(view->folder);
    free(view->task);
    free(view->state.payload);
    *view = (struct log_view){.file = -1, .mark_file = -1};
}

static struct mark read_mark(struct log_view *view)
{
    const struct disk *disk = view->disk;
    struct mark mark = {0};
    if (view->mark_file < 0) {
        auto_free char *path = mem_printf("%s/published", view->folder);
        view->mark_file = disk->open(disk->context, path, DISK_READ);
        if (view->mark_file < 0)
            return mark;
    }
    char bytes[MARK_SIZE];
    if (disk->read(disk->context, view->mark_file, bytes, MARK_SIZE, 0) == MARK_SIZE)
        layout_mark_get(bytes, &mark);
    return mark;
}

static void pick_newest(void *argument, const char *name)
{
    uint64_t *newest = argument, generation;
    if (local_parse_log_name(name, &generation) && generation > *newest)
        *newest = generation;
}

/* Open the newest log if it is not the one that is open. 1: opened or unchanged; 0: there is none, or it
 * went away meanwhile. */
static int open_newest(struct log_view *view, struct error *err)
{
    const struct disk *disk = view->disk;
    uint64_t newest = 0;
    int result = disk->list(disk->context, view->folder, pick_newest, &newest);
    if (result < 0 && result != -ENOENT)
        return disk_error(err, result, "cannot list %s", view->folder);
    if (newest == 0)
        return 0;
    if (view->file >= 0 && newest == view->log)
        return 1;
    auto_free char *path = local_log_path(view->folder, newest);
    int file = disk->open(disk->context, path, DISK_READ);
    if (file == -ENOENT)
        return 0;
    if (file < 0)
        return disk_error(err, file, "cannot open %s", path);
    local_close_file(disk, &view->file);
    view->file = file;
    view->log = newest;
    char page[LAYOUT_PAGE];
    ssize_t got = disk->read(disk->context, file, page, sizeof page, 0);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read %s", path);
    struct log_header header;
    const char *wrong = got < LAYOUT_PAGE ? "it is shorter than its header" : layout_log_get(page, &header);
    uint64_t size;
    if (!wrong && (result = disk->size(disk->context, file, &size)) < 0)
        return disk_error(err, result, "cannot stat %s", path);
    if (!wrong && !slice_is(header.task, view->task))
        wrong = "it belongs to another task";
    else if (!wrong && header.generation != newest)
        wrong = "its name does not match its header";
    if (wrong == layout_newer)
        return error_set(err, ERROR_UNSUPPORTED, "cannot read the commit log %s: %s", path, wrong);
    if (!wrong && size != header.file_size)
        return error_set(err, ERROR_CORRUPT,
                         "the commit log %s is damaged: it has %" PRIu64 " bytes instead of %" PRIu64, path,
                         size, header.file_size);
    if (wrong)
        return error_set(err, ERROR_CORRUPT, "the commit log %s is damaged at offset 0: %s", path, wrong);
    view->salt = header.salt;
    view->identity = header.identity;
    view->identified = header.identity && header.flags & LOG_IDENTIFIED;
    view->file_size = size;
    view->at = LAYOUT_PAGE;
    return 1;
}

static bool journals_sound(const char *payload, const struct record_header *header)
{
    const char *at = payload, *stop = payload + header->payload_size - header->checkpoint_size;
    struct journal_end end;
    struct slice name;
    for (uint32_t i = 0; i < header->journals; i++)
        if (!layout_journal_get(&at, stop, &end, &name))
            return false;
    return at == stop;
}

/* Are the blocks at `offset` whole that the record carries? They were durable with it, so only of a record
 * that may be torn it has to be asked. */
static int carried_whole(const struct log_view *view, uint64_t offset, const struct record_header *header)
{
    if (header->data_size == 0 || header->sequence <= view->acknowledged)
        return 1;
    if (offset + header->data_size > view->file_size)
        return 0;
    auto_free char *data = mem_alloc(header->data_size);
    ssize_t got = view->disk->read(view->disk->context, view->file, data, header->data_size, offset);
    if (got < 0)
        return (int)got;
    return (uint64_t)got == header->data_size && hash_crc32c(0, data, header->data_size) == header->data_crc;
}

/* Is there a good copy of a record at `offset`, and is it no older than the state? Then it becomes the state.
 */
static int take_record(struct log_view *view, uint64_t offset, const char *page, uint64_t limit,
                       struct error *err)
{
    const struct disk *disk = view->disk;
    struct record_header header;
    if (layout_record_get(page, &header) || header.salt != view->salt || header.sequence > limit ||
        header.sequence < view->state.sequence)
        return 0;
    uint64_t copy = layout_record_copy(header.payload_size);
    uint64_t data = offset + copy * (header.copy == 0 ? 2 : 1);
    if (offset + copy > view->file_size)
        return 0;
    auto_free char *payload = mem_alloc(header.payload_size);
    ssize_t got = disk->read(disk->context, view->file, payload, header.payload_size, offset + RECORD_HEADER);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read the commit log in %s", view->folder);
    if ((uint64_t)got < header.payload_size ||
        hash_crc32c(0, payload, header.payload_size) != header.payload_crc ||
        !journals_sound(payload, &header))
        return 0;
    int whole = carried_whole(view, data, &header);
    if (whole < 0)
        return disk_error(err, whole, "cannot read the commit log in %s", view->folder);
    if (!whole)
        return 0;
    free(view->state.payload);
    view->state = (struct log_state){
        .sequence = header.sequence,
        .committed_ms = header.committed_ms,
        .journals = header.journals,
        .checkpoint_size = header.checkpoint_size,
        .payload = payload,
        .payload_size = header.payload_size,
    };
    payload = NULL;
    view->at = data + layout_round_up(header.data_size, LAYOUT_PAGE);
    return 1;
}

static bool all_zeros(const char *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Take every record up to `limit` from view->at on. Where a slot is not good, look for a later good copy;
 * `search` does so even behind a page of zeros. Returns 1 if the state changed. */
static int scan(struct log_view *view, uint64_t limit, bool search, struct error *err)
{
    const struct disk *disk = view->disk;
    char page[LAYOUT_PAGE];
    int changed = 0;
    bool torn = false; /* where we are is neither zeros nor a good record: torn, or what an older log left */
    for (uint64_t offset = view->at;
         offset + LAYOUT_PAGE <= view->file_size && view->state.sequence < limit;) {
        ssize_t got = disk->read(disk->context, view->file, page, sizeof page, offset);
        if (got < 0)
            return disk_error(err, (int)got, "cannot read the commit log in %s", view->folder);
        if (got < LAYOUT_PAGE)
            break;
        int taken = take_record(view, offset, page, limit, err);
        if (taken < 0)
            return -1;
        if (taken) {
            changed = 1;
            torn = false;
            offset = view->at;
            continue;
        }
        if (!all_zeros(page, sizeof page))
            torn = true;
        else if (!search && !torn)
            break;
        offset += LAYOUT_PAGE;
    }
    return changed;
}

static bool writer_alive(const struct log_view *view)
{
    const struct disk *disk = view->disk;
    auto_free char *path = mem_printf("%s/lock", view->folder);
    int file = disk->open(disk->context, path, DISK_READ);
    if (file < 0)
        return false;
    int locked = disk->locked(disk->context, file);
    disk->close(disk->context, file);
    return locked == 1;
}

/* Make sure that what is complete is durable too, then take it. */
static int sync_and_scan(struct log_view *view, bool search, struct error *err)
{
    const struct disk *disk = view->disk;
    int result = disk->sync(disk->context, view->file);
    if (result == 0)
        result = disk->sync_folder(disk->context, view->folder);
    if (result < 0)
        return disk_error(err, result, "cannot sync the commit log in %s", view->folder);
    return scan(view, UINT64_MAX, search, err);
}

/* What lies behind the published record: nothing, the next commit being written, the last one of a process
 * that died before it could say so, or the torn rest of one. */
static int look_behind(struct log_view *view, struct error *err)
{
    const struct disk *disk = view->disk;
    char page[LAYOUT_PAGE];
    if (view->at + LAYOUT_PAGE > view->file_size)
        return 0;
    ssize_t got = disk->read(disk->context, view->file, page, sizeof page, view->at);
    if (got < 0)
        return disk_error(err, (int)got, "cannot read the commit log in %s", view->folder);
    if (all_zeros(page, (size_t)got) || writer_alive(view))
        return 0;
    return sync_and_scan(view, false, err);
}

/* The log is open, `mark` was read before: take what counts. */
static int take_committed(struct log_view *view, const struct mark *mark, enum log_trust trust,
                          struct error *err)
{
    int result;
    if (trust == LOG_OWNER)
        result = scan(view, UINT64_MAX, true, err);
    else if (mark->sequence == 0 || mark->log != view->log)
        result = sync_and_scan(view, true, err); /* `published` is lost, or older than the log */
    else if (mark->sequence > view->state.sequence)
        result = scan(view, mark->sequence, true, err);
    else
        result = 0;
    if (result < 0)
        return -1;
    if (view->state.sequence < mark->sequence || view->state.sequence == 0)
        return error_set(err, ERROR_CORRUPT,
                         "the commit log %s/commits-%016" PRIx64 " is damaged at offset %" PRIu64
                         ": an acknowledged commit cannot be read (the last good one is %" PRIu64
                         ", acknowledged were %" PRIu64 ")",
                         view->folder, view->log, view->at, view->state.sequence, mark->sequence);
    bool published = trust == LOG_READER && mark->sequence != 0 && mark->log == view->log;
    return published ? look_behind(view, err) : 0;
}

/* One look at `published` and the log. 1: done; 0: there is no log, or none as new as was published. */
static int look(struct log_view *view, struct mark *mark, enum log_trust trust, uint64_t before,
                struct error *err)
{
    *mark = read_mark(view);
    view->unmarked = mark->sequence == 0;
    view->acknowledged = mark->sequence;
    if (trust == LOG_READER && mark->sequence != 0 && mark->sequence == before)
        return 1;
    int opened = 1;
    if (view->file < 0 || mark->sequence == 0 || mark->log != view->log)
        opened = open_newest(view, err);
    if (opened < 0)
        return -1;
    if (opened == 0 || (mark->sequence != 0 && view->log < mark->log))
        return 0;
    return take_committed(view, mark, trust, err) < 0 ? -1 : 1;
}

/* The writer uses the files of old logs again: what failed in one that is not the newest any more was no
 * damage. */
static bool is_newest(const struct log_view *view)
{
    uint64_t newest = 0;
    view->disk->list(view->disk->context, view->folder, pick_newest, &newest);
    return newest == view->log;
}

int log_view_refresh(struct log_view *view, enum log_trust trust, struct error *err)
{
    struct mark mark;
    uint64_t before = view->state.sequence;
    for (int i = 0;; i++) {
        int result = look(view, &mark, trust, before, err);
        if (result > 0)
            return view->state.sequence != before;
        if (result < 0 && (i >= RETRIES || is_newest(view)))
            return -1;
        if (result == 0 && mark.sequence == 0 && i >= 2)
            return 0;
        if (result == 0 && i >= RETRIES)
            return error_set(err, ERROR_CORRUPT,
                             "the commit log of task %s is missing: %s says that commit %" PRIu64
                             " is in commits-%016" PRIx64,
                             view->task, view->folder, mark.sequence, mark.log);
    }
}
