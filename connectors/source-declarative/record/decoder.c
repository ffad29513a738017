/* Decoders: the table of classes, and what all of them share. */
#include "decode.h"

#include <stdlib.h>

static const struct decoder_class *const CLASSES[] = {
    &decoder_csv,   &decoder_gzip,  &decoder_iterable, &decoder_json, &decoder_json_items,
    &decoder_jsonl, &decoder_table, &decoder_xml,      &decoder_zip,
};

static const struct decoder_class *class_of(struct component component)
{
    if (component_is_none(component))
        return &decoder_json;
    for (size_t i = 0; i < sizeof CLASSES / sizeof *CLASSES; i++) {
        if (component_is(component, CLASSES[i]->type_name))
            return CLASSES[i];
    }
    return NULL;
}

static int compile_nested(struct engine *engine, struct component component, unsigned depth,
                          struct decoder **ret_decoder, struct error *err)
{
    struct decoder *decoder = arena_zalloc(&engine->arena, sizeof *decoder);
    *decoder = (struct decoder){
        .class = class_of(component), .engine = engine, .where = component, .delimiter = ','};
    decoder->said = arena_zalloc(&engine->arena, sizeof *decoder->said);
    if (!decoder->class) {
        error_set(err, ERROR_UNSUPPORTED, "it is no decoder that Firth has");
        return component_error(err, component);
    }
    if (depth == DECODER_NESTING_MAX) {
        error_set(err, ERROR_LIMIT, "decoders are nested more than %d deep", DECODER_NESTING_MAX);
        return component_error(err, component);
    }
    if (decoder->class == &decoder_gzip || decoder->class == &decoder_zip) {
        struct decoder *inner;
        if (compile_nested(engine, component_get(component, "decoder"), depth + 1, &inner, err) != 0)
            return -1;
        decoder->inner = inner;
    }
    *ret_decoder = decoder;
    return decoder->class->compile ? decoder->class->compile(engine, decoder, err) : 0;
}

int decoder_compile(struct engine *engine, struct component component, struct decoder **ret_decoder,
                    struct error *err)
{
    return compile_nested(engine, component, 0, ret_decoder, err);
}

bool decoder_is_stream(const struct decoder *decoder)
{
    return decoder->class->is_stream;
}

bool decoder_keeps(const struct decoder *decoder)
{
    while (decoder->class == &decoder_gzip)
        decoder = decoder->inner;
    return decoder->class->keeps;
}

const struct decoder *decoding_decoder(const struct decoding *decoding)
{
    return decoding->decoder;
}

/* --- bytes --------------------------------------------------------------------------------------- */

static int64_t read_answer(void *self, char *bytes, size_t size, struct error *err)
{
    return fiber_http_read(self, bytes, size, err);
}

/* What was kept, piece by piece. */
static int64_t read_slice(void *self, char *bytes, size_t size, struct error *err)
{
    (void)err;
    struct slice *rest = self;
    size_t count = rest->size < size ? rest->size : size;
    if (count > 0)
        memcpy(bytes, rest->data, count);
    rest->data += count;
    rest->size -= count;
    return (int64_t)count;
}

struct byte_source byte_source_of(struct slice *rest)
{
    return (struct byte_source){read_slice, rest};
}

int byte_source_all(const struct byte_source *source, struct buffer *out, struct error *err)
{
    for (;;) {
        if (!buffer_reserve(out, DECODER_PIECE))
            return error_set(err, ERROR_LIMIT, "the body is larger than %zu bytes", out->max);
        int64_t count = source->read(source->self, out->data + out->size, DECODER_PIECE, err);
        if (count <= 0)
            return (int)count;
        out->size += (size_t)count;
    }
}

int decoding_bytes(struct decoding *decoding, struct buffer *buffer, struct slice *ret_bytes,
                   struct error *err)
{
    if (decoding->whole.data) {
        *ret_bytes = decoding->whole;
        return 0;
    }
    if (byte_source_all(&decoding->source, buffer, err) != 0)
        return -1;
    *ret_bytes = (struct slice){buffer->data ? buffer->data : "", buffer->size};
    return 0;
}

/* --- decoding ------------------------------------------------------------------------------------ */

/* Whose body cannot be read. */
static int tell_answer(const struct answer *answer, struct error *err)
{
    struct buffer shown;
    if (!answer->url || !*answer->url || err->code == ERROR_CANCELLED)
        return -1;
    buffer_init(&shown, HTTP_URL_MAX);
    http_url_shown(answer->url, &shown);
    error_wrap(err, "the answer of %.300s", buffer_cstr(&shown));
    buffer_done(&shown);
    return -1;
}

bool decoding_is_blank(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!strchr(" \t\r\n", text.data[i]) || text.data[i] == '\0')
            return false;
    }
    return true;
}

struct json_parser *decoding_json_parser(uint32_t size_max)
{
    struct json_limits limits = {.size_max = size_max, .depth_max = RECORD_DEPTH_MAX};
    struct json_parser *parser = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    json_parser_lenient(parser);
    return parser;
}

void decoding_say_mended(const struct decoding *decoding, const struct json *doc, uint64_t line)
{
    struct decoder_said *said = decoding->decoder->said;
    struct buffer shown;
    if (doc->mended == 0 || said->mended)
        return;
    said->mended = true;
    buffer_init(&shown, HTTP_URL_MAX);
    if (decoding->answer->url)
        http_url_shown(decoding->answer->url, &shown);
    char *place = line ? mem_printf("line %llu, byte %u", (unsigned long long)line, doc->mended_at)
                       : mem_printf("byte %u", doc->mended_at);
    engine_log(
        decoding->decoder->engine, ENGINE_WARN,
        "the answer of %.300s has what is not JSON, first at %s: NaN and infinities are read as null, half "
        "surrogate pairs as U+FFFD; further answers are not told",
        buffer_cstr(&shown), place);
    free(place);
    buffer_done(&shown);
}

int decoding_open(const struct decoder *decoder, const struct answer *answer, struct byte_source source,
                  struct slice whole, struct decoding **ret_decoding, struct error *err)
{
    struct decoding *decoding = mem_zalloc(sizeof *decoding + sizeof(struct slice));
    *decoding = (struct decoding){.decoder = decoder, .answer = answer, .source = source, .whole = whole};
    if (whole.data) {
        struct slice *rest = (struct slice *)(decoding + 1);
        *rest = whole;
        decoding->source = byte_source_of(rest);
    }
    if (decoder->class->begin(decoding, err) != 0) {
        decoding_end(decoding);
        return -1;
    }
    *ret_decoding = decoding;
    return 0;
}

int decoding_begin(const struct decoder *decoder, struct answer *answer, struct decoding **ret_decoding,
                   struct error *err)
{
    struct byte_source source = {read_answer, answer->reader};
    struct slice whole = {0};
    if (!answer->reader)
        whole = (struct slice){answer->body.data ? answer->body.data : "", answer->body.size};
    if (decoding_open(decoder, answer, source, whole, ret_decoding, err) == 0)
        return 0;
    return tell_answer(answer, err);
}

int decoding_step(struct decoding *decoding, struct tvalue *ret_document, struct error *err)
{
    struct arena *arena = &decoding->rings[0];
    if (!decoding->decoder->class->keeps) {
        arena = &decoding->rings[decoding->turn ^= 1];
        arena_clear(arena);
    }
    int more = decoding->decoder->class->next(decoding, arena, ret_document, err);
    if (more > 0 && decoding->decoder->class->keeps && !decoding->has_first) {
        decoding->has_first = true;
        decoding->first = *ret_document;
    }
    return more;
}

int decoding_next(struct decoding *decoding, struct tvalue *ret_document, struct error *err)
{
    int more = decoding_step(decoding, ret_document, err);
    return more < 0 ? tell_answer(decoding->answer, err) : more;
}

bool decoding_first(const struct decoding *decoding, struct tvalue *ret_document)
{
    if (decoding->has_first)
        *ret_document = decoding->first;
    return decoding->has_first;
}

void decoding_end(struct decoding *decoding)
{
    if (!decoding)
        return;
    decoding->decoder->class->end(decoding);
    arena_done(&decoding->rings[0]);
    arena_done(&decoding->rings[1]);
    arena_done(&decoding->records.arenas[0]);
    arena_done(&decoding->records.arenas[1]);
    arena_done(&decoding->records.scratch);
    free(decoding);
}
