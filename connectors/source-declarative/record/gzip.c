/* GzipDecoder, and gzip itself. */
#include "decode.h"

#include <stdlib.h>
#include <zlib.h>

/* One layer: bytes as they come, or what they hold if they are gzip. */
struct layer {
    struct byte_source source;
    z_stream stream;
    char *input; /* of DECODER_PIECE bytes */
    size_t at, size;
    bool begun, packed, in_member, between, ended;
};

struct gunzip {
    struct layer layers[DECODER_NESTING_MAX];
};

static int fill(struct layer *layer, struct error *err)
{
    int64_t count =
        layer->source.read(layer->source.self, layer->input + layer->size, DECODER_PIECE - layer->size, err);
    if (count < 0)
        return -1;
    layer->size += (size_t)count;
    layer->ended = count == 0;
    return 0;
}

static bool is_gzip(const struct layer *layer)
{
    return layer->size - layer->at >= 2 && (unsigned char)layer->input[layer->at] == 0x1f &&
           (unsigned char)layer->input[layer->at + 1] == 0x8b;
}

static int begin(struct layer *layer, struct error *err)
{
    layer->input = mem_alloc(DECODER_PIECE);
    while (layer->size < 2 && !layer->ended) {
        if (fill(layer, err) != 0)
            return -1;
    }
    layer->begun = true;
    layer->packed = is_gzip(layer);
    if (layer->packed && inflateInit2(&layer->stream, 16 + MAX_WBITS) != Z_OK)
        return error_set(err, ERROR_IO, "zlib cannot begin");
    layer->in_member = layer->packed;
    return 0;
}

static int64_t read_plain(struct layer *layer, char *bytes, size_t size, struct error *err)
{
    size_t count = layer->size - layer->at;
    if (count == 0)
        return layer->ended ? 0 : layer->source.read(layer->source.self, bytes, size, err);
    count = count < size ? count : size;
    memcpy(bytes, layer->input + layer->at, count);
    layer->at += count;
    return (int64_t)count;
}

static int refill(struct layer *layer, struct error *err)
{
    memmove(layer->input, layer->input + layer->at, layer->size - layer->at);
    layer->size -= layer->at;
    layer->at = 0;
    return fill(layer, err);
}

/* Behind a member there are zeros, which are padding, and another member, or the end. 1: there is another. */
static int next_member(struct layer *layer, struct error *err)
{
    layer->between = false;
    for (;;) {
        while (layer->at < layer->size && layer->input[layer->at] == 0)
            layer->at++;
        if (layer->size - layer->at >= 2 || layer->ended)
            break;
        if (refill(layer, err) != 0)
            return -1;
    }
    layer->in_member = layer->at < layer->size;
    if (!layer->in_member)
        return 0;
    if (!is_gzip(layer) || inflateReset(&layer->stream) != Z_OK)
        return error_set(err, ERROR_PROTOCOL, "what follows the gzip data is neither gzip nor zeros");
    return 1;
}

static int64_t read_layer(void *self, char *bytes, size_t size, struct error *err)
{
    struct layer *layer = self;
    if (!layer->begun && begin(layer, err) != 0)
        return -1;
    if (!layer->packed)
        return read_plain(layer, bytes, size, err);
    if (!layer->in_member)
        return 0;
    layer->stream.next_out = (unsigned char *)bytes;
    layer->stream.avail_out = (unsigned)size;
    while (layer->stream.avail_out == size) {
        int next = layer->between ? next_member(layer, err) : 1;
        if (next <= 0)
            return next;
        if (layer->at == layer->size && !layer->ended && refill(layer, err) != 0)
            return -1;
        layer->stream.next_in = (unsigned char *)layer->input + layer->at;
        layer->stream.avail_in = (unsigned)(layer->size - layer->at);
        if (layer->stream.avail_in == 0)
            return error_set(err, ERROR_PROTOCOL, "the gzip data end too early");
        int status = inflate(&layer->stream, Z_NO_FLUSH);
        layer->at = layer->size - layer->stream.avail_in;
        layer->between = status == Z_STREAM_END;
        /* What comes before the damage is read; zlib says it again. */
        if (status != Z_STREAM_END && status != Z_OK && status != Z_BUF_ERROR &&
            layer->stream.avail_out == size)
            return error_set(err, ERROR_PROTOCOL, "the gzip data are broken: %s",
                             layer->stream.msg ? layer->stream.msg : "not what gzip writes");
    }
    return (int64_t)(size - layer->stream.avail_out);
}

struct gunzip *gunzip_new(struct byte_source source)
{
    struct gunzip *gunzip = mem_zalloc(sizeof *gunzip);
    for (size_t i = 0; i < DECODER_NESTING_MAX; i++) {
        gunzip->layers[i].source = source;
        source = (struct byte_source){read_layer, &gunzip->layers[i]};
    }
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (!gunzip)
        return;
    for (size_t i = 0; i < DECODER_NESTING_MAX; i++) {
        if (gunzip->layers[i].packed)
            inflateEnd(&gunzip->layers[i].stream);
        free(gunzip->layers[i].input);
    }
    free(gunzip);
}

struct byte_source gunzip_source(struct gunzip *gunzip)
{
    return (struct byte_source){read_layer, &gunzip->layers[DECODER_NESTING_MAX - 1]};
}

/* --- the decoder --------------------------------------------------------------------------------- */

struct gzip_state {
    struct gunzip *gunzip;
    struct decoding *inner;
};

static int gzip_begin(struct decoding *decoding, struct error *err)
{
    struct gzip_state *state = mem_zalloc(sizeof *state);
    decoding->state = state;
    state->gunzip = gunzip_new(decoding->source);
    return decoding_open(decoding->decoder->inner, decoding->answer, gunzip_source(state->gunzip),
                         (struct slice){0}, &state->inner, err);
}

static void gzip_end(struct decoding *decoding)
{
    struct gzip_state *state = decoding->state;
    decoding_end(state->inner);
    gunzip_free(state->gunzip);
    free(state);
}

static int gzip_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                     struct error *err)
{
    (void)arena;
    struct gzip_state *state = decoding->state;
    return decoding_step(state->inner, ret_document, err);
}

const struct decoder_class decoder_gzip = {
    .type_name = "GzipDecoder",
    .is_stream = true,
    .begin = gzip_begin,
    .next = gzip_next,
    .end = gzip_end,
};
