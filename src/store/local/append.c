#include "store/local/append.h"

#include "base/memory.h"
#include "store/local/layout.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    PIECE = BLOCK_TARGET + 2 * APPEND_PAGE, /* of one request: a whole block and the page before it */
    ZEROS = 64 << 10,
};

static const _Alignas(APPEND_PAGE) char zeros[ZEROS];

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
    append->appended = append->reach = 0;
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

/* Whole pages, and zeros behind them where that spares the next ones a longer file. */
static int write_pages(struct append *append, const struct disk *disk, int file, const char *pages,
                       size_t size, uint64_t at, size_t ahead)
{
    struct iovec parts[1 + APPEND_AHEAD_MAX / ZEROS] = {{(void *)(uintptr_t)pages, size}};
    int count = 1;
    uint64_t end = at + size;
    if (end <= append->reach)
        ahead = 0;
    for (size_t left = ahead / APPEND_PAGE * APPEND_PAGE; left > 0; left -= parts[count++].iov_len)
        parts[count] = (struct iovec){(void *)(uintptr_t)zeros, left < ZEROS ? left : ZEROS};
    int result = disk->write(disk->context, file, parts, count, at);
    if (result == -ENOSPC && count > 1) { /* there may be room for what has to be written */
        ahead = 0;
        result = disk_write_one(disk, file, pages, size, at);
    }
    end += ahead / APPEND_PAGE * APPEND_PAGE;
    if (result == 0 && end > append->reach)
        append->reach = end;
    return result;
}

static size_t ahead_of(const struct append *append, size_t size)
{
    if (size > APPEND_LITTLE)
        return 0;
    return append->appended < APPEND_AHEAD_MAX ? (size_t)append->appended : APPEND_AHEAD_MAX;
}

int append_write(struct append *append, const struct disk *disk, int file, const struct iovec *parts,
                 int count, uint64_t end)
{
    assert(end % APPEND_PAGE == append->tail_size);
    if (!append->around)
        disk->go_around(disk->context, file);
    append->around = true;
    size_t size = append->tail_size;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    size_t ahead = ahead_of(append, size);
    append->appended += size - append->tail_size;
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
        result = write_pages(append, disk, file, pages, padded, at, ahead);
        append->tail_size = filled % APPEND_PAGE;
        memcpy(append->tail, pages + filled - append->tail_size, append->tail_size);
        at += filled;
        filled = 0;
    } while (result == 0 && part < count);
    return result;
}
