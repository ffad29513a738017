/* ZipfileDecoder: each file of the archive through the inner decoder, one after the other. */
#include "decode.h"
#include "zip_other.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    ZIP_END_SIZE = 22,
    ZIP_ENTRY_SIZE = 46,
    ZIP_LOCAL_SIZE = 30,
    ZIP_COMMENT_MAX = 65535,
    ZIP_ENTRIES_MAX = 65535,
};

struct zip_entry {
    struct buffer bytes;
    struct decoding *decoding;
};

struct zip_state {
    struct buffer buffer;
    struct slice archive; /* without what may stand in front of it: a program that unpacks itself */
    size_t at;            /* of the next entry of the directory */
    unsigned left, index;
    struct zip_other *other;     /* what zlib cannot unpack */
    size_t expanded;             /* bytes, of all files so far */
    struct zip_entry entries[2]; /* the file that is read, and the one before: its last document lives on */
    unsigned turn;
};

static unsigned u16(struct slice archive, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)archive.data + at;
    return bytes[0] | (unsigned)bytes[1] << 8;
}
static size_t u32(struct slice archive, size_t at)
{
    return u16(archive, at) | (size_t)u16(archive, at + 2) << 16;
}

static int broken(struct error *err, const char *what)
{
    return error_set(err, ERROR_PROTOCOL, "the response is no zip archive: %s", what);
}

/* The directory ends where its end begins, so what it says of its place tells how much is in front. */
static int take_directory(struct zip_state *state, size_t end, struct error *err)
{
    size_t size = u32(state->archive, end + 12), at = u32(state->archive, end + 16);
    if (size > end || at > end - size)
        return broken(err, "its directory is damaged");
    size_t before = end - size - at;
    state->left = u16(state->archive, end + 10);
    state->archive = (struct slice){state->archive.data + before, state->archive.size - before};
    state->at = at;
    return 0;
}

/* The end of the directory, from the end of the archive; a comment may stand behind it. */
static int find_directory(struct zip_state *state, struct error *err)
{
    struct slice archive = state->archive;
    if (archive.size < ZIP_END_SIZE)
        return broken(err, "it is too short");
    size_t from = archive.size - ZIP_END_SIZE;
    size_t to = from > ZIP_COMMENT_MAX ? from - ZIP_COMMENT_MAX : 0;
    for (size_t at = from + 1; at-- > to;) {
        if (memcmp(archive.data + at, "PK\5\6", 4) != 0)
            continue;
        return take_directory(state, at, err);
    }
    return broken(err, "it has no directory");
}

static int zip_begin(struct decoding *decoding, struct error *err)
{
    struct zip_state *state = mem_zalloc(sizeof *state);
    decoding->state = state;
    buffer_init(&state->buffer, DECODER_EXPANDED_MAX);
    buffer_init(&state->entries[0].bytes, DECODER_EXPANDED_MAX);
    buffer_init(&state->entries[1].bytes, DECODER_EXPANDED_MAX);
    if (decoding_bytes(decoding, &state->buffer, &state->archive, err) != 0)
        return -1;
    return find_directory(state, err);
}

static void zip_end(struct decoding *decoding)
{
    struct zip_state *state = decoding->state;
    for (size_t i = 0; i < 2; i++) {
        decoding_end(state->entries[i].decoding);
        buffer_done(&state->entries[i].bytes);
    }
    zip_other_free(state->other);
    buffer_done(&state->buffer);
    free(state);
}

static int too_large(struct error *err)
{
    return error_set(err, ERROR_LIMIT, "the files of the archive are larger than %d bytes",
                     DECODER_EXPANDED_MAX);
}

static int inflate_entry(struct zip_state *state, struct slice packed, struct buffer *out, struct error *err)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)packed.data, .avail_in = (unsigned)packed.size};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return error_set(err, ERROR_IO, "zlib cannot begin");
    int status = Z_OK;
    while (status == Z_OK) {
        if (state->expanded + out->size > DECODER_EXPANDED_MAX || !buffer_reserve(out, DECODER_PIECE)) {
            inflateEnd(&stream);
            return too_large(err);
        }
        stream.next_out = (unsigned char *)out->data + out->size;
        stream.avail_out = DECODER_PIECE;
        status = inflate(&stream, Z_NO_FLUSH);
        out->size += DECODER_PIECE - stream.avail_out;
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END ? 0 : broken(err, "a file in it is damaged");
}

static int unpack_other(struct zip_state *state, unsigned index, unsigned method, struct buffer *out,
                        struct error *err)
{
    if (!state->other && !(state->other = zip_other_new(state->archive, err)))
        return -1;
    int64_t got = zip_other_open(state->other, index, method, err);
    while (got >= 0) {
        if (state->expanded + out->size > DECODER_EXPANDED_MAX || !buffer_reserve(out, DECODER_PIECE))
            return too_large(err);
        got = zip_other_read(state->other, out->data + out->size, DECODER_PIECE, err);
        if (got <= 0)
            break;
        out->size += (size_t)got;
    }
    return got < 0 ? -1 : 0;
}

static int unpack(struct zip_state *state, unsigned index, unsigned method, struct slice packed,
                  struct buffer *out, struct error *err)
{
    if (method == 8)
        return inflate_entry(state, packed, out, err);
    if (method != 0)
        return unpack_other(state, index, method, out, err);
    buffer_append(out, packed.data, packed.size);
    return out->overflowed ? too_large(err) : 0;
}

/* The next file's bytes; 1, 0: no more, -1. Folders are left out. */
static int next_file(struct zip_state *state, struct buffer *out, struct error *err)
{
    struct slice archive = state->archive;
    for (; state->left > 0; state->left--, state->index++) {
        size_t at = state->at;
        if (archive.size < ZIP_ENTRY_SIZE || at > archive.size - ZIP_ENTRY_SIZE ||
            memcmp(archive.data + at, "PK\1\2", 4) != 0)
            return broken(err, "its directory is damaged");
        unsigned flags = u16(archive, at + 8), method = u16(archive, at + 10), name = u16(archive, at + 28);
        size_t size = u32(archive, at + 20), local = u32(archive, at + 42);
        if (at + ZIP_ENTRY_SIZE + name > archive.size)
            return broken(err, "its directory is damaged");
        bool folder = name > 0 && archive.data[at + ZIP_ENTRY_SIZE + name - 1] == '/';
        state->at += ZIP_ENTRY_SIZE + name + u16(archive, at + 30) + u16(archive, at + 32);
        if (folder)
            continue;
        if (archive.size < ZIP_LOCAL_SIZE || local > archive.size - ZIP_LOCAL_SIZE ||
            memcmp(archive.data + local, "PK\3\4", 4) != 0)
            return broken(err, "a file is not where its directory says");
        size_t start = local + ZIP_LOCAL_SIZE + u16(archive, local + 26) + u16(archive, local + 28);
        if (start > archive.size || size > archive.size - start)
            return broken(err, "a file is cut off");
        if (flags & 1)
            return error_set(err, ERROR_UNSUPPORTED, "the zip archive is encrypted");
        state->left--;
        buffer_clear(out);
        if (unpack(state, state->index++, method, (struct slice){archive.data + start, size}, out, err) != 0)
            return -1;
        if (crc32(0, (const unsigned char *)(out->size ? out->data : ""), (unsigned)out->size) !=
            u32(archive, at + 16))
            return broken(err, "a file in it is damaged: its checksum is another");
        state->expanded += out->size;
        return 1;
    }
    return 0;
}

static int zip_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                    struct error *err)
{
    (void)arena;
    struct zip_state *state = decoding->state;
    for (;;) {
        struct zip_entry *now = &state->entries[state->turn];
        int more = now->decoding ? decoding_step(now->decoding, ret_document, err) : 0;
        if (more != 0)
            return more;
        struct zip_entry *next = &state->entries[state->turn ^= 1];
        decoding_end(next->decoding);
        next->decoding = NULL;
        more = next_file(state, &next->bytes, err);
        if (more != 1)
            return more;
        struct slice whole = {next->bytes.data ? next->bytes.data : "", next->bytes.size};
        if (decoding_open(decoding->decoder->inner, decoding->answer, (struct byte_source){0}, whole,
                          &next->decoding, err) != 0)
            return -1;
    }
}

const struct decoder_class decoder_zip = {
    .type_name = "ZipfileDecoder",
    .begin = zip_begin,
    .next = zip_next,
    .end = zip_end,
};
