/* XmlDecoder: one document of a body, whose encoding it may tell itself. What is no XML ends the stream, as
 * with JSON. */
#include "xml.h"

#include <stdlib.h>
#include <strings.h>

struct xml_state {
    struct buffer buffer, text;
    struct arena arena;
    struct tvalue document; /* lives as long as the decoding, like the text */
    bool given;
};

/* That the declaration names; data NULL: none. */
static struct slice declared(struct slice bytes)
{
    struct slice head = {bytes.data, bytes.size < 200 ? bytes.size : 200};
    const char *end = memmem(head.data, head.size, "?>", 2);
    const char *name = end ? memmem(head.data, (size_t)(end - head.data), "encoding=", 9) : NULL;
    if (!slice_starts_with(head, "<?xml") || !name || end - name < 12)
        return (struct slice){0};
    const char *close = memchr(name + 10, name[9], (size_t)(end - name - 10));
    return close ? (struct slice){name + 10, (size_t)(close - name - 10)} : (struct slice){0};
}

/* charset=… of the answer's Content-Type; data NULL: none. */
static struct slice charset(const struct answer *answer)
{
    const struct http_header *headers = answer->http ? answer->http->headers : answer->headers;
    size_t count = answer->http ? answer->http->header_count : answer->header_count;
    for (size_t i = 0; i < count; i++) {
        const char *name = strcasecmp(headers[i].name, "content-type") == 0
                               ? strcasestr(headers[i].value, "charset=")
                               : NULL;
        if (!name)
            continue;
        name += strlen("charset=");
        name += *name == '"' || *name == '\'';
        return (struct slice){name, strcspn(name, "\"'; ")};
    }
    return (struct slice){0};
}

/* A mark before the text says more than its declaration, this more than a header, and nothing is UTF-8. */
static struct recode *recode_of(const struct answer *answer, struct slice bytes, struct byte_source source,
                                struct error *err)
{
    struct error unknown = {0};
    bool marked =
        bytes.size >= 2 && (memcmp(bytes.data, "\xff\xfe", 2) == 0 || memcmp(bytes.data, "\xfe\xff", 2) == 0);
    struct slice named = declared(bytes), sent = charset(answer);
    if (marked)
        return recode_new(source, SLICE_LITERAL("utf-16"), err);
    if (!named.data && !sent.data)
        return recode_new(source, SLICE_LITERAL("utf-8-sig"), err);
    struct recode *recode = recode_new(source, named.data ? named : sent, err);
    return recode || !named.data || !sent.data ? recode : recode_new(source, sent, &unknown);
}

/* Bytes that are none of the encoding are U+FFFD, as in the CDK. */
static int as_text(struct decoding *decoding, struct slice bytes, struct buffer *text, struct error *err)
{
    struct slice rest = bytes;
    struct recode *recode = recode_of(decoding->answer, bytes, byte_source_of(&rest), err);
    if (!recode)
        return -1;
    recode_replace(recode);
    struct byte_source source = recode_source(recode);
    int result = byte_source_all(&source, text, err);
    recode_free(recode);
    return result;
}

static int xml_begin(struct decoding *decoding, struct error *err)
{
    struct xml_state *state = mem_zalloc(sizeof *state);
    struct slice bytes;
    decoding->state = state;
    buffer_init(&state->buffer, DECODER_EXPANDED_MAX);
    buffer_init(&state->text, DECODER_EXPANDED_MAX);
    if (decoding_bytes(decoding, &state->buffer, &bytes, err) != 0)
        return -1;
    struct error wrong = {0};
    struct slice text = bytes;
    state->document = tvalue_dict(&state->arena);
    int result = as_text(decoding, bytes, &state->text, &wrong);
    if (result == 0) {
        text = (struct slice){state->text.data ? state->text.data : "", state->text.size};
        result = xml_read(&state->arena, text, &state->document, &wrong);
    }
    if (result == 0)
        return 0;
    if (wrong.code == ERROR_LIMIT) {
        *err = wrong;
        return -1;
    }
    /* As with JSON: there is nothing to lose where nothing came, or where the manifest says to ignore it. */
    if (!decoding->answer->ignored && !decoding_is_blank(text)) {
        error_set(err, ERROR_PROTOCOL, "it is no XML: %s", wrong.message);
        err->retriable = true;
        return -1;
    }
    engine_log(decoding->decoder->engine, ENGINE_INFO, "the response is no XML: %s", wrong.message);
    return 0;
}

static void xml_end(struct decoding *decoding)
{
    struct xml_state *state = decoding->state;
    if (!state)
        return;
    buffer_done(&state->buffer);
    buffer_done(&state->text);
    arena_done(&state->arena);
    free(state);
}

static int xml_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                    struct error *err)
{
    struct xml_state *state = decoding->state;
    (void)arena, (void)err;
    if (state->given)
        return 0;
    state->given = true;
    *ret_document = state->document;
    return 1;
}

const struct decoder_class decoder_xml = {
    .type_name = "XmlDecoder",
    .keeps = true,
    .begin = xml_begin,
    .next = xml_next,
    .end = xml_end,
};
