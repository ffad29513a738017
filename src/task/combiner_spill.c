/* Sorted runs of items in a file that has no name. */
#include "task/combiner_parts.h"

#include "base/file.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { WRITE_SIZE = 256 << 10, READ_SIZE = 64 << 10 };

/* What stands before an item's key and document. The file is read by the process that wrote it. */
struct head {
    uint32_t checksum; /* of all that follows */
    uint32_t binding;
    uint32_t key_size, document_size;
    uint8_t is_left, is_inexact, is_reduced, ends;
};

struct spill *spill_open(const char *folder, struct error *err)
{
    auto_free char *path = mem_printf("%s/combine-XXXXXX", folder);
    if (file_make_folders(folder, 0700, err) < 0) {
        error_wrap(err, "documents do not fit into memory");
        return NULL;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_errno(err, errno, "cannot make a file for documents that do not fit into memory in %s", folder);
        return NULL;
    }
    unlink(path); /* what fails here leaves a file behind, and nothing else */
    struct spill *spill = mem_zalloc(sizeof *spill);
    spill->fd = fd;
    spill->folder = mem_strdup(folder);
    buffer_init(&spill->out, BUFFER_UNLIMITED);
    return spill;
}

void spill_close(struct spill *spill)
{
    if (!spill)
        return;
    close(spill->fd);
    buffer_done(&spill->out);
    free(spill->folder);
    free(spill);
}

static int flush(struct spill *spill, struct error *err)
{
    uint64_t at = spill->size - spill->out.size;
    for (size_t done = 0; done < spill->out.size;) {
        ssize_t wrote = pwrite(spill->fd, spill->out.data + done, spill->out.size - done, (off_t)(at + done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0) {
            char size[16];
            string_human_bytes((double)spill->size, size, sizeof size);
            return error_errno(err, errno, "cannot write %s of documents that do not fit into memory to %s",
                               size, spill->folder);
        }
        done += (size_t)wrote;
    }
    buffer_clear(&spill->out);
    return 0;
}

void spill_begin(struct spill *spill)
{
    assert(spill->run_count < COMBINER_RUNS_MAX);
    spill->runs[spill->run_count++] = (struct run){spill->size, spill->size};
}

static uint32_t checksum(const struct head *head, const char *key, size_t size)
{
    const char *behind = (const char *)head + sizeof head->checksum;
    uint32_t crc = hash_crc32c(0, behind, sizeof *head - sizeof head->checksum);
    return hash_crc32c(crc, key, size);
}

int spill_put(struct spill *spill, const struct combine_item *item, struct error *err)
{
    struct head head = {.binding = item->binding,
                        .key_size = (uint32_t)item->key.size,
                        .document_size = (uint32_t)item->document.size,
                        .is_left = item->is_left,
                        .is_inexact = item->is_inexact,
                        .is_reduced = item->is_reduced,
                        .ends = item->ends};
    size_t start = spill->out.size;
    buffer_append(&spill->out, &head, sizeof head);
    buffer_append(&spill->out, item->key.data, item->key.size);
    buffer_append(&spill->out, item->document.data, item->document.size);
    size_t size = spill->out.size - start;
    head.checksum = checksum(&head, spill->out.data + start + sizeof head, size - sizeof head);
    memcpy(spill->out.data + start, &head, sizeof head);
    spill->size += size;
    spill->runs[spill->run_count - 1].to = spill->size;
    return spill->out.size >= WRITE_SIZE ? flush(spill, err) : 0;
}

int spill_end(struct spill *spill, struct error *err)
{
    return flush(spill, err);
}

/* --- reading -------------------------------------------------------------------------------------- */

void run_reader_open(struct run_reader *reader, const struct spill *spill, const struct run *run)
{
    *reader = (struct run_reader){.spill = spill, .at = run->from, .to = run->to};
    buffer_init(&reader->in, BUFFER_UNLIMITED);
}

void run_reader_close(struct run_reader *reader)
{
    buffer_done(&reader->in);
}

static int broken(const struct run_reader *reader, struct error *err)
{
    return error_set(
        err, ERROR_CORRUPT,
        "documents that did not fit into memory come back from %s otherwise than they were written",
        reader->spill->folder);
}

/* Have `size` bytes behind what is taken. */
static int fill(struct run_reader *reader, size_t size, struct error *err)
{
    buffer_consume(&reader->in, reader->taken);
    reader->taken = 0;
    while (reader->in.size < size) {
        size_t want = size - reader->in.size < READ_SIZE ? READ_SIZE : size - reader->in.size;
        if (want > reader->to - reader->at)
            want = (size_t)(reader->to - reader->at);
        if (want == 0)
            return broken(reader, err);
        buffer_reserve(&reader->in, want);
        ssize_t got = pread(reader->spill->fd, reader->in.data + reader->in.size, want, (off_t)reader->at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "cannot read documents that did not fit into memory from %s",
                               reader->spill->folder);
        if (got == 0)
            return broken(reader, err);
        reader->in.size += (size_t)got;
        reader->at += (uint64_t)got;
    }
    return 0;
}

int run_reader_next(struct run_reader *reader, struct combine_item *ret_item, struct error *err)
{
    struct head head;
    if (reader->in.size == reader->taken && reader->at == reader->to)
        return 0;
    if (reader->in.size - reader->taken < sizeof head && fill(reader, sizeof head, err) < 0)
        return -1;
    memcpy(&head, reader->in.data + reader->taken, sizeof head);
    size_t size = sizeof head + (size_t)head.key_size + head.document_size;
    if (size > reader->in.size - reader->taken && fill(reader, size, err) < 0)
        return -1;
    const char *key = reader->in.data + reader->taken + sizeof head;
    if (checksum(&head, key, size - sizeof head) != head.checksum)
        return broken(reader, err);
    *ret_item = (struct combine_item){.binding = head.binding,
                                      .is_left = head.is_left,
                                      .is_inexact = head.is_inexact,
                                      .is_reduced = head.is_reduced,
                                      .ends = head.ends,
                                      .key = {key, head.key_size},
                                      .document = {key + head.key_size, head.document_size}};
    reader->taken += size;
    return 1;
}
