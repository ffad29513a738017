#include "store/local/evidence.h"

#include "store/local/segment.h"

#include <errno.h>
#include <inttypes.h>

/* The first transaction after last + 1 in the blocks from `offset` on, as far as they are good; 0: none. */
static uint64_t later_transaction(struct segment *segment, uint64_t offset, uint64_t last)
{
    uint64_t size;
    struct block_header block;
    struct error ignored;
    if (segment->disk->size(segment->disk->context, segment->file, &size) < 0)
        return 0;
    while (offset < size && segment_block(segment, offset, size, &block, &ignored) == 0) {
        if (block.transaction > last + 1)
            return block.transaction;
        offset += BLOCK_HEADER + (uint64_t)block.stored_size;
    }
    return 0;
}

int evidence_check(const struct local_store *store, const char *collection, const char *task,
                   const struct journal_end *end, uint64_t last, struct error *err)
{
    auto_free char *folder = local_journal_folder(store, collection, task, err);
    struct segment_list list = {0};
    if (!folder || segment_list_read(&list, store->disk, folder, err) < 0)
        return -1;
    int result = 0;
    if (last == 0 && list.count > 0)
        result =
            error_set(err, ERROR_CORRUPT,
                      "the commit log of task %s is missing: there is none in %s/tasks, but %s holds its "
                      "documents",
                      task, store->folder, folder);
    struct segment segment;
    segment_init(&segment, store->disk);
    for (size_t i = 0; i < list.count && result == 0; i++) {
        struct error ignored; /* a file that never got its header is no evidence */
        if (list.bases[i] < end->segment ||
            segment_open(&segment, folder, list.bases[i], DISK_READ, collection, task, &ignored) <= 0)
            continue;
        bool active = list.bases[i] == end->segment && end->offset > 0;
        uint64_t offset = active ? end->offset : segment.header_size;
        uint64_t found = later_transaction(&segment, offset, last);
        if (found)
            result =
                error_set(err, ERROR_CORRUPT,
                          "the commit log of task %s has lost commits: its last one is %" PRIu64
                          ", but %s holds documents of commit %" PRIu64 " at offset %" PRIu64 " or later",
                          task, last, segment.path, found, offset);
    }
    segment_close(&segment);
    segment_list_done(&list);
    return result;
}

int evidence_check_folder(const struct local_store *store, const char *collection, const char *task,
                          const struct journal_end *end, struct error *err)
{
    uint64_t size;
    auto_free char *folder = local_journal_folder(store, collection, task, err);
    if (!folder)
        return -1;
    int result = end->offset > 0 ? store->disk->stat_size(store->disk->context, folder, &size) : 0;
    if (result == -ENOENT)
        return error_set(err, ERROR_CORRUPT,
                         "the folder %s is missing: the commit log of task %s says that documents %" PRIu64
                         " to %" PRIu64 " of collection %s are in it",
                         folder, task, end->first, end->end ? end->end - 1 : 0, collection);
    return result < 0 ? disk_error(err, result, "cannot stat %s", folder) : 0;
}
