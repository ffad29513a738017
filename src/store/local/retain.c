#include "base/fault.h"
#include "store/local/upkeep.h"

#include <errno.h>

/* When the newest document of sealed segment i was written, at the latest: when the next one was begun. */
static int64_t newest_ms(struct journal *journal, size_t i)
{
    if (i + 1 == journal->sealed_count)
        return journal->now.offset > 0 && journal->segment.begun_ms ? journal->segment.begun_ms
                                                                    : journal->now.committed_ms;
    struct sealed_segment *next = &journal->sealed[i + 1];
    if (next->begun_ms == 0) {
        struct segment segment;
        struct error ignored;
        segment_init(&segment, journal->store->disk);
        if (segment_open(&segment, journal->folder, next->base, DISK_READ, journal->collection, journal->task,
                         &ignored) == 1)
            next->begun_ms = segment.begun_ms;
        segment_close(&segment);
    }
    return next->begun_ms ? next->begun_ms : INT64_MAX; /* unreadable: reading it will say so, keep it */
}

static bool too_old(struct journal *journal, size_t i, int64_t now_ms)
{
    uint64_t keep = journal->options.retain_ms;
    if (keep == 0 || keep > INT64_MAX)
        return false;
    int64_t newest = newest_ms(journal, i);
    return newest < now_ms && (uint64_t)(now_ms - newest) > keep;
}

void retain_choose(struct journal *journal, int64_t now_ms)
{
    uint64_t bytes = journal->now.offset;
    for (size_t i = 0; i < journal->sealed_count; i++)
        bytes += journal->sealed[i].base >= journal->now.first ? journal->sealed[i].bytes : 0;
    for (size_t i = 0; i < journal->sealed_count; i++) {
        struct sealed_segment *segment = &journal->sealed[i];
        if (segment->base < journal->now.first)
            continue;
        /* The newest retain_bytes are kept, so a segment goes only when enough is left without it. */
        uint64_t keep = journal->options.retain_bytes;
        bool too_much = keep != 0 && bytes - segment->bytes >= keep;
        if (!too_much && !too_old(journal, i, now_ms))
            break;
        bytes -= segment->bytes;
        journal->now.first =
            i + 1 < journal->sealed_count ? journal->sealed[i + 1].base : journal->now.segment;
    }
}

void retain_remove(struct journal *journal)
{
    const struct disk *disk = journal->store->disk;
    size_t gone = 0;
    if (journal->sealed_count > 0 && journal->sealed[0].base < journal->committed.first)
        fault_point("store.retain.before-unlink");
    while (gone < journal->sealed_count && journal->sealed[gone].base < journal->committed.first) {
        auto_free char *path = local_segment_path(journal->folder, journal->sealed[gone].base);
        int result = disk->unlink(disk->context, path);
        if (result < 0 && result != -ENOENT)
            break;
        gone++;
    }
    if (gone == 0)
        return;
    journal->sealed_count -= gone;
    memmove(journal->sealed, journal->sealed + gone, journal->sealed_count * sizeof *journal->sealed);
    journal->packed = journal->packed > gone ? journal->packed - gone : 0;
    fault_point("store.retain.after-unlink");
}
