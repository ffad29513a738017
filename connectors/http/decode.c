/* Content-Encoding: bodies as they were before the server compressed them.
 *
 * Done here, not by libcurl, which takes what follows a first gzip member for an error of its reader: members
 * follow each other where a server compresses in parts, and urllib3, which manifests are written against,
 * reads them all. What follows the last one is left, as there; a member that breaks off is an error, unlike
 * there. */
#include "connectors/http/internal.h"

#include "base/library.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { ENCODINGS_MAX = 4, OUT_SIZE = 16 << 10 };

struct zlib_api {
    typeof(inflateInit2_) *inflateInit2_;
    typeof(inflate) *inflate;
    typeof(inflateReset) *inflateReset;
    typeof(inflateEnd) *inflateEnd;
};

enum place { BEFORE, WITHIN, BETWEEN, BEHIND };

struct link {
    bool is_gzip;
    enum place place;
    bool open;
    z_stream stream;
    unsigned char head[2]; /* of deflate: is there zlib's header? */
    unsigned head_size, head_at;
    struct slice in; /* not yet read */
    char out[OUT_SIZE];
};

struct http_decoder {
    struct zlib_api zlib;
    size_t count;
    struct link *links[ENCODINGS_MAX]; /* in the order in which they are undone */
    struct slice ready;                /* decoded, and not yet taken */
    size_t taken;                      /* of the piece that came last */
};

static int broken(struct http_transfer *transfer, const char *name, const char *why)
{
    transfer->cause = HTTP_BAD_ENCODING;
    transfer->why = arena_printf(&transfer->arena, "%s: %s", name, why);
    return -1;
}

static const char *name_of(const struct link *link)
{
    return link->is_gzip ? "gzip" : "deflate";
}

static int load(struct http_transfer *transfer, struct zlib_api *ret_api)
{
    static const char *const names[] = {"libz.so.1", "libz.1.dylib", "libz.so", NULL};
    static const struct library_function functions[] = {
        {"inflateInit2_", offsetof(struct zlib_api, inflateInit2_)},
        {"inflate", offsetof(struct zlib_api, inflate)},
        {"inflateReset", offsetof(struct zlib_api, inflateReset)},
        {"inflateEnd", offsetof(struct zlib_api, inflateEnd)}};
    struct error err;
    if (library_load(names, functions, sizeof functions / sizeof *functions, ret_api, &err) == 0)
        return 0;
    return broken(transfer, "zlib", arena_strdup(&transfer->arena, err.message));
}

/* One word of Content-Encoding. What nobody has heard of ("identity", "utf-8") is as if it were not there. */
static int add(struct http_transfer *transfer, struct http_decoder *decoder, struct slice word)
{
    static const char *const others[] = {"br", "zstd", "compress", "x-compress"};
    char name[16];
    snprintf(name, sizeof name, "%.*s", SLICE_ARGS(word));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcasecmp(name, others[i]) == 0)
            return broken(transfer, others[i], "only gzip and deflate can be read, and were asked for");
    bool is_gzip = strcasecmp(name, "gzip") == 0 || strcasecmp(name, "x-gzip") == 0;
    if (!is_gzip && strcasecmp(name, "deflate") != 0)
        return 0;
    if (decoder->count == ENCODINGS_MAX)
        return broken(transfer, "Content-Encoding", "it was encoded too often");
    struct link *link = mem_zalloc(sizeof *link);
    link->is_gzip = is_gzip;
    decoder->links[decoder->count++] = link;
    return 0;
}

static int add_all(struct http_transfer *transfer, struct http_decoder *decoder)
{
    const struct http_response *response = &transfer->response;
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, "Content-Encoding") != 0)
            continue;
        for (const char *at = response->headers[i].value; *at;) {
            at += strspn(at, " \t,");
            size_t size = strcspn(at, " \t,");
            if (size && add(transfer, decoder, (struct slice){at, size}) < 0)
                return -1;
            at += size;
        }
    }
    for (size_t i = 0; i < decoder->count / 2; i++) { /* the last was done last */
        struct link *first = decoder->links[i];
        decoder->links[i] = decoder->links[decoder->count - 1 - i];
        decoder->links[decoder->count - 1 - i] = first;
    }
    return decoder->count ? load(transfer, &decoder->zlib) : 0;
}

void http_decoder_free(struct http_decoder *decoder)
{
    for (size_t i = 0; decoder && i < decoder->count; i++) {
        if (decoder->links[i]->open)
            decoder->zlib.inflateEnd(&decoder->links[i]->stream);
        free(decoder->links[i]);
    }
    free(decoder);
}

/* Raw deflate is what some servers call deflate, zlib's format what the standard does. 1, 0: more is wanted.
 */
static int begin(struct http_transfer *transfer, struct link *link)
{
    int bits = 16 + MAX_WBITS;
    if (!link->is_gzip) {
        while (link->head_size < 2 && link->in.size) {
            link->head[link->head_size++] = (unsigned char)*link->in.data++;
            link->in.size--;
        }
        if (link->head_size < 2)
            return 0;
        bool is_zlib = (link->head[0] & 15) == Z_DEFLATED && (link->head[0] << 8 | link->head[1]) % 31 == 0;
        bits = is_zlib ? MAX_WBITS : -MAX_WBITS;
    }
    if (transfer->decoder->zlib.inflateInit2_(&link->stream, bits, ZLIB_VERSION, sizeof(z_stream)) != Z_OK)
        return broken(transfer, name_of(link), "zlib cannot begin");
    link->open = true;
    link->place = WITHIN;
    return 1;
}

/* Is there something to inflate? 1, 0, or -1. */
static int step_in(struct http_transfer *transfer, struct link *link)
{
    if (link->place == BETWEEN && *link->in.data == 0x1f) {
        transfer->decoder->zlib.inflateReset(&link->stream);
        link->place = WITHIN;
    } else if (link->place == BETWEEN) {
        link->place = BEHIND;
    }
    if (link->place == BEHIND)
        link->in.size = 0;
    return link->place == BEFORE ? begin(transfer, link) : link->place == WITHIN;
}

/* *ret_out: what came out of some of what is there; nothing: all has been read. */
static int inflate_some(struct http_transfer *transfer, struct link *link, struct slice *ret_out)
{
    z_stream *stream = &link->stream;
    *ret_out = (struct slice){link->out, 0};
    int within = step_in(transfer, link);
    if (within <= 0)
        return within;
    bool is_head = link->head_at < link->head_size;
    size_t size = is_head ? link->head_size - link->head_at : link->in.size;
    stream->next_in = is_head ? link->head + link->head_at : (unsigned char *)link->in.data;
    stream->avail_in = (unsigned)size;
    stream->next_out = (unsigned char *)link->out;
    stream->avail_out = OUT_SIZE;
    int code = transfer->decoder->zlib.inflate(stream, Z_NO_FLUSH);
    size -= stream->avail_in;
    if (is_head)
        link->head_at += (unsigned)size;
    else
        link->in.data += size, link->in.size -= size;
    ret_out->size = OUT_SIZE - stream->avail_out;
    if (code == Z_STREAM_END)
        link->place = link->is_gzip ? BETWEEN : BEHIND;
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return broken(transfer, name_of(link), stream->msg ? stream->msg : "the data is broken");
    return 0;
}

static bool has_more(const struct link *link)
{
    /* An inflater that filled its room may hold more, without any further input. */
    return link->in.size || (link->place == WITHIN && link->head_at < link->head_size) ||
           (link->place == WITHIN && link->open && link->stream.avail_out == 0);
}

/* Decoded bytes into `ready`; none: the piece has been read. */
static int decode_some(struct http_transfer *transfer)
{
    struct http_decoder *decoder = transfer->decoder;
    size_t last = decoder->count - 1;
    for (size_t at = last;;) {
        struct link *link = decoder->links[at];
        struct slice out = {0};
        while (has_more(link) && !out.size)
            if (inflate_some(transfer, link, &out) < 0)
                return -1;
        if (out.size && at == last) {
            decoder->ready = out;
            return 0;
        }
        if (out.size)
            decoder->links[++at]->in = out;
        else if (at-- == 0)
            return 0;
    }
}

int http_decode_begin(struct http_transfer *transfer)
{
    if (transfer->decoder || transfer->request.as_sent)
        return 0;
    transfer->decoder = mem_zalloc(sizeof *transfer->decoder);
    return add_all(transfer, transfer->decoder);
}

size_t http_decode(struct http_transfer *transfer, struct slice bytes,
                   size_t (*take)(struct http_transfer *transfer, struct slice bytes))
{
    struct http_decoder *decoder = transfer->decoder;
    if (!decoder || !decoder->count)
        return take(transfer, bytes);
    struct link *first = decoder->links[0];
    /* After a pause the same piece comes again, and some of it has been read. */
    first->in = (struct slice){bytes.data + decoder->taken, bytes.size - decoder->taken};
    for (;;) {
        if (decoder->ready.size) {
            size_t took = take(transfer, decoder->ready);
            if (took != decoder->ready.size) {
                decoder->taken = bytes.size - first->in.size;
                return took == CURL_WRITEFUNC_PAUSE ? took : 0;
            }
            decoder->ready.size = 0;
        }
        if (decode_some(transfer) < 0) {
            transfer->stopped = true;
            return 0;
        }
        if (!decoder->ready.size)
            break;
    }
    decoder->taken = 0;
    return bytes.size;
}

int http_decode_end(struct http_transfer *transfer)
{
    const struct http_decoder *decoder = transfer->decoder;
    for (size_t i = 0; decoder && i < decoder->count; i++) {
        const struct link *link = decoder->links[i];
        if (link->place == WITHIN || link->head_size == 1)
            return broken(transfer, name_of(link), "the data ends too early");
    }
    return 0;
}
