/* The store's files, hostile: segments, commit logs, marks, names.
 *
 * The first byte chooses what the rest is. Checksums are made right first, or nothing behind them would ever
 * be reached: what is tested is that any content, however well sealed, is refused or read without harm. */
#include "base/hash.h"
#include "store/local/carry.h"
#include "store/local/path.h"
#include "store/local/segment.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a disk with a few files --------------------------------------------------------------------- */

enum { FILES = 3 };

struct memory_disk {
    const char *names[FILES]; /* the paths end so */
    char *bytes[FILES];
    size_t sizes[FILES];
};

static int memory_open(void *context, const char *path, int flags)
{
    struct memory_disk *memory = context;
    for (int i = 0; i < FILES; i++)
        if (memory->names[i] && string_ends_with(path, memory->names[i]))
            return i;
    return -ENOENT;
}

static void memory_close(void *context, int file) {}

static ssize_t memory_read(void *context, int file, void *bytes, size_t size, uint64_t offset)
{
    struct memory_disk *memory = context;
    size_t there = memory->sizes[file];
    if (offset >= there)
        return 0;
    size_t got = there - offset < size ? there - offset : size;
    memcpy(bytes, memory->bytes[file] + offset, got);
    return (ssize_t)got;
}

static int memory_size(void *context, int file, uint64_t *ret_size)
{
    *ret_size = ((struct memory_disk *)context)->sizes[file];
    return 0;
}

/* What is put into segments goes nowhere. */
static int memory_write(void *context, int file, const struct iovec *parts, int count, uint64_t offset)
{
    return 0;
}

static int memory_sync(void *context, int file)
{
    return 0;
}
static int memory_sync_folder(void *context, const char *path)
{
    return 0;
}
static int memory_locked(void *context, int file)
{
    return 0;
}

static int memory_list(void *context, const char *path, void (*each)(void *argument, const char *name),
                       void *argument)
{
    struct memory_disk *memory = context;
    for (int i = 0; i < FILES; i++)
        if (memory->names[i])
            each(argument, memory->names[i]);
    return 0;
}

static struct disk disk_of(struct memory_disk *memory)
{
    return (struct disk){
        .context = memory,
        .open = memory_open,
        .close = memory_close,
        .read = memory_read,
        .write = memory_write,
        .size = memory_size,
        .sync = memory_sync,
        .sync_folder = memory_sync_folder,
        .list = memory_list,
        .locked = memory_locked,
    };
}

/* --- right checksums ----------------------------------------------------------------------------- */

static void seal_header(char *at, size_t size, size_t crc_at)
{
    put_u32(at + crc_at, 0);
    put_u32(at + crc_at, hash_crc32c(0, at, size));
}

static void seal_segment(char *bytes, size_t size)
{
    if (size < SEGMENT_FIXED)
        return;
    memcpy(bytes, "FIRTHSEG", 8);
    put_u32(bytes + 8, LAYOUT_VERSION);
    size_t header = get_u32(bytes + 16);
    if (header < SEGMENT_FIXED || header > size)
        return;
    seal_header(bytes, header, 12);
    for (size_t at = header; size - at >= BLOCK_HEADER;) {
        memcpy(bytes + at, "FBLK", 4);
        size_t stored = get_u32(bytes + at + 12), left = size - at - BLOCK_HEADER;
        if (stored > left) {
            stored = left;
            put_u32(bytes + at + 12, (uint32_t)stored);
        }
        put_u32(bytes + at + 8, hash_crc32c(0, bytes + at + BLOCK_HEADER, stored));
        seal_header(bytes + at, BLOCK_HEADER, 4);
        at += BLOCK_HEADER + stored;
    }
}

static void seal_log(char *bytes, size_t size)
{
    if (size < LAYOUT_PAGE)
        return;
    memcpy(bytes, "FIRTHLOG", 8);
    put_u32(bytes + 8, LOG_VERSION);
    put_u64(bytes + 24, 1);
    put_u64(bytes + 32, size);
    put_u16(bytes + 40, 1);
    bytes[LOG_FIXED] = 't';
    seal_header(bytes, LOG_FIXED + 1, 12);
    for (size_t at = LAYOUT_PAGE; size - at >= RECORD_HEADER && at < size; at += LAYOUT_PAGE) {
        size_t payload = get_u32(bytes + at + 40);
        if (memcmp(bytes + at, "FCMT", 4) != 0 || payload > size - at - RECORD_HEADER)
            continue;
        memcpy(bytes + at + 16, bytes + 16, 8);
        put_u32(bytes + at + 8, hash_crc32c(0, bytes + at + RECORD_HEADER, payload));
        uint64_t data = at + layout_record_copy((uint32_t)payload) * (get_u32(bytes + at + 12) == 0 ? 2 : 1);
        uint32_t carried = get_u32(bytes + at + 52);
        if (data < size && carried <= size - data)
            put_u32(bytes + at + 56, hash_crc32c(0, bytes + data, carried));
        seal_header(bytes + at, RECORD_HEADER, 4);
    }
}

/* --- targets ------------------------------------------------------------------------------------- */

static void read_segment(struct memory_disk *memory)
{
    struct disk disk = disk_of(memory);
    struct error err;
    struct segment segment;
    struct buffer stored, raw;
    segment_init(&segment, &disk);
    buffer_init(&stored, BLOCK_RAW_MAX);
    buffer_init(&raw, BLOCK_RAW_MAX);
    if (segment_open(&segment, "", 0, DISK_READ, "c", "t", &err) == 1) {
        struct block_header header;
        uint64_t at = segment.header_size, end = memory->sizes[0];
        while (at < end && segment_block(&segment, at, end, &header, &err) == 0) {
            /* A block may say that it has 64 MB: the fuzzer's time is better spent on others. */
            if (header.raw_size < 1 << 20 && segment_payload(&segment, at, &header, &stored, &raw, &err) == 0)
                assert(raw.size == header.raw_size);
            at += BLOCK_HEADER + (uint64_t)header.stored_size;
        }
    }
    segment_close(&segment);
    buffer_done(&stored);
    buffer_done(&raw);
}

static void find_carried(const struct log_view *view, const struct journal_end *end)
{
    struct buffer block;
    uint64_t begin;
    buffer_init(&block, RECORD_DATA_MAX);
    if (carry_find(view, "c", end->segment, end->offset - 1, &begin, &block))
        assert(begin < end->offset && block.size >= BLOCK_HEADER && begin + block.size >= end->offset);
    buffer_done(&block);
}

static void read_log(struct memory_disk *memory, enum log_trust trust)
{
    static char folder[] = "/data";
    struct disk disk = disk_of(memory);
    struct error err;
    struct log_view view;
    log_view_init(&view, &disk, "", "t");
    for (int i = 0; i < 2; i++) {
        if (log_view_refresh(&view, trust, &err) < 0)
            break;
        uint32_t count = 0;
        struct journal_end end;
        struct slice name;
        for (const char *at = NULL; log_state_journal(&view.state, &at, &end, &name);)
            count++;
        assert(count == view.state.journals);
        assert(log_state_checkpoint(&view.state).size <= view.state.payload_size);
        if (log_state_find(&view.state, "c", &end) && end.offset > 0)
            find_carried(&view, &end);
    }
    if (trust == LOG_OWNER && view.state.sequence > 0) {
        struct local_store store = {.disk = &disk, .folder = folder};
        carry_replay(&store, &view, &err);
    }
    log_view_done(&view);
}

/* Whatever decodes, encodes to the same again. */
static void read_name(const char *bytes, size_t size)
{
    auto_free char *component = mem_strndup(bytes, size);
    struct buffer name, path;
    buffer_init(&name, STORE_NAME_MAX);
    buffer_init(&path, PATH_WHOLE_MAX);
    if (path_decode_component(component, &name) == 0 && !name.overflowed &&
        strlen(buffer_cstr(&name)) == name.size) {
        path_append_name(&path, buffer_cstr(&name));
        assert(strcmp(buffer_cstr(&path) + 1, component) == 0);
    }
    buffer_done(&name);
    buffer_done(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct memory_disk memory = {.sizes = {size - 1}};
    memory.bytes[0] = mem_dup(data + 1, size - 1);
    switch (data[0]) {
    case 'S': /* with right checksums */
    case 's':
        if (data[0] == 'S')
            seal_segment(memory.bytes[0], size - 1);
        memory.names[0] = "0000000000000000.seg";
        read_segment(&memory);
        break;
    case 'L':
    case 'l':
        if (data[0] == 'L')
            seal_log(memory.bytes[0], size - 1);
        memory.names[0] = "commits-0000000000000001";
        if (size > MARK_SIZE) { /* its last bytes as the mark */
            memory.names[1] = "published";
            memory.bytes[1] = memory.bytes[0] + size - 1 - MARK_SIZE;
            memory.sizes[1] = MARK_SIZE;
        }
        memory.names[2] = "0000000000000000.seg"; /* what the log carries belongs into it */
        struct segment_header header = {.collection = slice_of("c"), .task = slice_of("t")};
        char segment[SEGMENT_HEADER_MAX];
        memory.sizes[2] = layout_segment_put(&header, segment);
        memory.bytes[2] = segment;
        read_log(&memory, LOG_READER);
        read_log(&memory, LOG_OWNER);
        break;
    default:
        read_name((const char *)data + 1, size - 1);
    }
    free(memory.bytes[0]);
    return 0;
}
