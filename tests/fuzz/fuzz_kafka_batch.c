/* Record batches as producers send them. Of a v2 batch the length and the
 * checksum are set right, for a fuzzer finds no checksum by chance. Whatever it is, records lie within what
 * was given or decoded, and it is decoded to no more than may be. */
#include "base/hash.h"
#include "ingest/kafka/batch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECODED_MAX = 1 << 20, HEAD = 21 };

static void within(struct slice part, struct slice whole, const struct buffer *decoded)
{
    bool in_whole = part.data >= whole.data && part.data + part.size <= whole.data + whole.size;
    bool in_decoded =
        decoded->data && part.data >= decoded->data && part.data + part.size <= decoded->data + decoded->size;
    if (part.size && !in_whole && !in_decoded)
        abort();
}

static void set_right(char *bytes, size_t size)
{
    struct buffer view = {.data = bytes, .size = size, .capacity = size, .max = size};
    if (size < HEAD || bytes[16] != 2)
        return;
    wire_set_i32(&view, 8, (int32_t)(size - 12));
    wire_set_i32(&view, HEAD - 4, (int32_t)hash_crc32c(0, bytes + HEAD, size - HEAD));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer decoded;
    struct kafka_batch batch;
    struct error err;
    arena_init(&arena);
    buffer_init(&decoded, DECODED_MAX);
    char *bytes = mem_dup(data, size + (size == 0));
    set_right(bytes, size);
    struct slice whole = {bytes, size};
    if (kafka_batch_read(whole, &arena, &decoded, &batch, &err) == 0) {
        for (uint32_t i = 0; i < batch.count; i++) {
            struct wire_reader headers;
            struct slice name, value;
            within(batch.records[i].key, whole, &decoded);
            within(batch.records[i].value, whole, &decoded);
            wire_reader_init(&headers, batch.records[i].headers, false);
            for (uint32_t j = 0; j < batch.records[i].header_count; j++) {
                if (!kafka_header_next(&headers, &name, &value))
                    abort();
            }
        }
    }
    if (decoded.size > DECODED_MAX)
        abort();
    free(bytes);
    buffer_done(&decoded);
    arena_done(&arena);
    return 0;
}
