#include "store/local/append.h"

#include "base/memory.h"
#include "store/local/layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    PIECE = BLOCK_TARGET + 2 * APPEND_PAGE, /* of one request: a whole block and the page before it */
};

void append_shrink(struct append *append)
{
    free(append->pages);
    append->pages = NULL;
    append->pages_capacity = 0;
}

void append_begin(struct append *append)
{
    append->around = false;
    append->tail_size = 0;
}

int append_resume(struct append *append, const struct disk *disk, int file, uint64_t end)
{
    append_begin(append);
    append->tail_size = end % APPEND_PAGE;
    if (append->tail_size == 0)
        return 0;
    ssize_t got = disk->read(disk->context, file, append->tail, append->tail_size, end - append->tail_size);
    if (got < 0)
        return (int)got;
    return (size_t)got < append->tail_size ? -ENODATA : 0;
}

/* Fill the pages from the parts; *part and *skip say where the next bytes are. */
static size_t take(char *pages, size_t room, const struct iovec *parts, int count, int *part, size_t *skip)
{
    size_t taken = 0;
    while (taken < room && *part < count) {
        size_t left = parts[*part].iov_len - *skip, size = left < room - taken ? left : room - taken;
        memcpy(pages + taken, (const char *)parts[*part].iov_base + *skip, size);
        taken += size;
        *skip += size;
        if (*skip == parts[*part].iov_len) {
            ++*part;
            *skip = 0;
        }
    }
    return taken;
}

int append_write(struct append *append, const struct disk *disk, int file, const struct iovec *parts,
                 int count, uint64_t end, bool around)
{
    assert(end % APPEND_PAGE == append->tail_size);
    if (append->around != around)
        disk->go_around(disk->context, file, around);
    append->around = around;
    size_t size = append->tail_size;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    size_t capacity = (size + APPEND_PAGE - 1) / APPEND_PAGE * APPEND_PAGE;
    if (capacity > PIECE)
        capacity = PIECE;
    if (append->pages_capacity < capacity) {
        append_shrink(append);
        append->pages = mem_alloc_aligned(APPEND_PAGE, capacity);
        append->pages_capacity = capacity;
    }
    char *pages = append->pages;
    memcpy(pages, append->tail, append->tail_size);
    size_t filled = append->tail_size, skip = 0;
    uint64_t at = end - append->tail_size;
    int part = 0, result = 0;
    do {
        filled += take(pages + filled, capacity - filled, parts, count, &part, &skip);
        size_t padded = (filled + APPEND_PAGE - 1) / APPEND_PAGE * APPEND_PAGE;
        memset(pages + filled, 0, padded - filled);
        result = disk_write_one(disk, file, pages, padded, at);
        append->tail_size = filled % APPEND_PAGE;
        memcpy(append->tail, pages + filled - append->tail_size, append->tail_size);
        at += filled;
        filled = 0;
    } while (result == 0 && part < count);
    return result;
}
