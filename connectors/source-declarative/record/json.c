/* JsonDecoder and JsonItemsDecoder. */
#include "decode.h"

#include <stdlib.h>

struct json_state {
    struct buffer buffer;
    struct json_parser *parser;
    struct json doc;
    uint32_t at; /* the element to give next; JSON_NONE: the end */
    bool empty;  /* nothing to read: one empty mapping */
    /* Items: the containers on the way to where we are. */
    uint32_t containers[RECORD_DEPTH_MAX + 1], keys[RECORD_DEPTH_MAX + 1];
    size_t depth;
};

static int begin_parsed(struct decoding *decoding, bool *ret_parsed, struct error *err)
{
    struct json_state *state = mem_zalloc(sizeof *state);
    struct slice bytes;
    struct error wrong = {0};
    decoding->state = state;
    buffer_init(&state->buffer, DECODER_EXPANDED_MAX);
    state->parser = decoding_json_parser(JSON_SIZE_LIMIT);
    state->at = JSON_NONE;
    if (decoding_bytes(decoding, &state->buffer, &bytes, err) != 0)
        return -1;
    *ret_parsed = json_parse(state->parser, bytes.data, bytes.size, &state->doc, &wrong) == 0;
    if (*ret_parsed) {
        decoding_say_mended(decoding, &state->doc, 0);
        return 0;
    }
    if (wrong.code == ERROR_LIMIT) {
        *err = wrong;
        return -1;
    }
    /* The CDK goes on with nothing, which loses the page's records and those of all pages behind it. There is
     * nothing to lose where nothing came, or where the manifest says to ignore it. */
    if (!decoding->answer->ignored && !decoding_is_blank(bytes)) {
        error_set(err, ERROR_PROTOCOL, "it is no JSON: %s", wrong.message);
        err->retriable = true;
        return -1;
    }
    engine_log(decoding->decoder->engine, ENGINE_INFO, "the response is no JSON: %s", wrong.message);
    return 0;
}

static void json_end(struct decoding *decoding)
{
    struct json_state *state = decoding->state;
    if (!state)
        return;
    json_parser_free(state->parser);
    buffer_done(&state->buffer);
    free(state);
}

static int json_begin(struct decoding *decoding, struct error *err)
{
    bool parsed;
    if (begin_parsed(decoding, &parsed, err) != 0)
        return -1;
    struct json_state *state = decoding->state;
    bool list = parsed && json_is(&state->doc, 0, JSON_ARRAY);
    state->at = list ? json_first(&state->doc, 0) : 0;
    state->empty = !parsed || json_is(&state->doc, 0, JSON_NULL) || state->at == JSON_NONE;
    return 0;
}

static int json_next_document(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                              struct error *err)
{
    (void)err;
    struct json_state *state = decoding->state;
    if (state->empty) {
        state->empty = false;
        state->at = JSON_NONE;
        *ret_document = tvalue_dict(arena);
        return 1;
    }
    if (state->at == JSON_NONE)
        return 0;
    *ret_document = tvalue_json(arena, &state->doc, state->at);
    state->at = json_is(&state->doc, 0, JSON_ARRAY) ? json_next(&state->doc, 0, state->at) : JSON_NONE;
    return 1;
}

const struct decoder_class decoder_json = {
    .type_name = "JsonDecoder",
    .keeps = true,
    .begin = json_begin,
    .next = json_next_document,
    .end = json_end,
};

/* --- items --------------------------------------------------------------------------------------- */

/* "a.b" is every element of the list at a.b; a list on the way is "item". */
static int items_compile(struct engine *engine, struct decoder *decoder, struct error *err)
{
    struct slice text = component_text(decoder->where, "items_path");
    if (!text.data || text.size == 0) {
        error_set(err, ERROR_INVALID, "items_path is empty: name the list of the items, as \"data\"");
        return component_error(err, decoder->where);
    }
    size_t count = 1;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == '.';
    struct slice *segments = arena_alloc(&engine->arena, count * sizeof *segments);
    for (size_t i = 0; i < count; i++) {
        const char *dot = memchr(text.data, '.', text.size);
        size_t size = dot ? (size_t)(dot - text.data) : text.size;
        segments[i] = (struct slice){text.data, size};
        text = (struct slice){text.data + size + 1, text.size - size - (dot ? 1 : 0)};
    }
    decoder->items_path = (struct path){segments, count};
    return 0;
}

static int items_begin(struct decoding *decoding, struct error *err)
{
    bool parsed;
    if (begin_parsed(decoding, &parsed, err) != 0)
        return -1;
    struct json_state *state = decoding->state;
    if (!parsed)
        return error_set(err, ERROR_PROTOCOL, "the response is no JSON");
    state->at = 0;
    return 0;
}

/* Do the containers we are in, and the members we took, spell the path? The innermost is the list. */
static bool in_items(const struct json_state *state, const struct path *path)
{
    if (state->depth != path->count + 1 || !json_is(&state->doc, state->containers[path->count], JSON_ARRAY))
        return false;
    for (size_t i = 0; i < path->count; i++) {
        bool list = json_is(&state->doc, state->containers[i], JSON_ARRAY);
        if (list ? !slice_is(path->segments[i], "item")
                 : !json_text_is(&state->doc, state->keys[i], path->segments[i]))
            return false;
    }
    return true;
}

/* Over the nodes in the order of the document, from where the last item was. */
static int items_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                      struct error *err)
{
    (void)err;
    struct json_state *state = decoding->state;
    const struct json *doc = &state->doc;
    while (state->at < doc->count) {
        uint32_t at = state->at++;
        while (state->depth > 0 && at >= json_after(doc, state->containers[state->depth - 1]))
            state->depth--;
        if (json_is(doc, at, JSON_KEY)) {
            state->keys[state->depth - 1] = at;
        } else if (in_items(state, &decoding->decoder->items_path)) {
            *ret_document = tvalue_json(arena, doc, at);
            state->at = json_after(doc, at);
            return 1;
        } else if (json_is(doc, at, JSON_ARRAY) || json_is(doc, at, JSON_OBJECT)) {
            state->containers[state->depth++] = at;
        }
    }
    return 0;
}

const struct decoder_class decoder_json_items = {
    .type_name = "JsonItemsDecoder",
    .is_stream = true,
    .keeps = true,
    .compile = items_compile,
    .begin = items_begin,
    .next = items_next,
    .end = json_end,
};
