/* Lines of a body, and the decoders of one document a line: JsonlDecoder, IterableDecoder. */
#include "decode.h"

#include <stdlib.h>

/* --- lines --------------------------------------------------------------------------------------- */

struct lines {
    struct byte_source source;
    struct buffer pending; /* read, not given */
    size_t searched;       /* of pending, without a line end */
    struct buffer kept[2]; /* the lines given last, in turn */
    unsigned turn;
    bool ended;
};

struct lines *lines_new(struct byte_source source)
{
    struct lines *lines = mem_zalloc(sizeof *lines);
    lines->source = source;
    buffer_init(&lines->pending, (size_t)DECODER_ITEM_MAX + 2 * DECODER_PIECE);
    buffer_init(&lines->kept[0], DECODER_ITEM_MAX);
    buffer_init(&lines->kept[1], DECODER_ITEM_MAX);
    return lines;
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    buffer_done(&lines->pending);
    buffer_done(&lines->kept[0]);
    buffer_done(&lines->kept[1]);
    free(lines);
}

/* The end of the first line in pending, its '\n' included; 0: it is not there yet. */
static size_t line_end(struct lines *lines)
{
    const char *data = lines->pending.data;
    const char *end =
        data ? memchr(data + lines->searched, '\n', lines->pending.size - lines->searched) : NULL;
    if (end)
        return (size_t)(end - data) + 1;
    lines->searched = lines->pending.size;
    return lines->ended ? lines->pending.size : 0;
}

int decoded_lines_next(struct lines *lines, struct slice *ret_line, struct error *err)
{
    size_t end;
    while ((end = line_end(lines)) == 0) {
        if (lines->ended)
            return 0;
        if (!buffer_reserve(&lines->pending, DECODER_PIECE) || lines->pending.size > DECODER_ITEM_MAX)
            return error_set(err, ERROR_LIMIT, "a line of the body is longer than %d bytes",
                             DECODER_ITEM_MAX);
        int64_t count = lines->source.read(lines->source.self, lines->pending.data + lines->pending.size,
                                           DECODER_PIECE, err);
        if (count < 0)
            return -1;
        lines->pending.size += (size_t)count;
        lines->ended = count == 0;
    }
    struct buffer *line = &lines->kept[lines->turn ^= 1];
    buffer_clear(line);
    buffer_append(line, lines->pending.data, end - (lines->pending.data[end - 1] == '\n'));
    buffer_consume(&lines->pending, end);
    lines->searched = 0;
    *ret_line = (struct slice){line->data ? line->data : "", line->size};
    return 1;
}

/* --- JsonlDecoder -------------------------------------------------------------------------------- */

struct jsonl_state {
    struct lines *lines;
    struct json_parser *parsers[2];
    unsigned turn;
    uint64_t line; /* counts from 1 */
};

static int jsonl_begin(struct decoding *decoding, struct error *err)
{
    (void)err;
    struct jsonl_state *state = mem_zalloc(sizeof *state);
    state->lines = lines_new(decoding->source);
    state->parsers[0] = decoding_json_parser(DECODER_ITEM_MAX);
    state->parsers[1] = decoding_json_parser(DECODER_ITEM_MAX);
    decoding->state = state;
    return 0;
}

static void jsonl_end(struct decoding *decoding)
{
    struct jsonl_state *state = decoding->state;
    lines_free(state->lines);
    json_parser_free(state->parsers[0]);
    json_parser_free(state->parsers[1]);
    free(state);
}

static int jsonl_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                      struct error *err)
{
    struct jsonl_state *state = decoding->state;
    struct slice line;
    int more;
    while ((more = decoded_lines_next(state->lines, &line, err)) == 1) {
        struct json *doc = arena_zalloc(arena, sizeof *doc);
        struct error wrong = {0};
        state->turn ^= 1;
        state->line++;
        if (json_parse(state->parsers[state->turn], line.data, line.size, doc, &wrong) == 0) {
            decoding_say_mended(decoding, doc, state->line);
            *ret_document = tvalue_json(arena, doc, 0);
            return 1;
        }
        /* The CDK warns and goes on without the line's record. */
        if (!decoding->answer->ignored && !decoding_is_blank(line)) {
            error_set(err, ERROR_PROTOCOL, "its line %llu is no JSON: %s", (unsigned long long)state->line,
                      wrong.message);
            err->retriable = true;
            return -1;
        }
    }
    return more;
}

const struct decoder_class decoder_jsonl = {
    .type_name = "JsonlDecoder",
    .is_stream = true,
    .begin = jsonl_begin,
    .next = jsonl_next,
    .end = jsonl_end,
};

/* --- IterableDecoder ----------------------------------------------------------------------------- */

static int iterable_begin(struct decoding *decoding, struct error *err)
{
    (void)err;
    decoding->state = lines_new(decoding->source);
    return 0;
}

static void iterable_end(struct decoding *decoding)
{
    lines_free(decoding->state);
}

static int iterable_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                         struct error *err)
{
    struct slice line;
    int more = decoded_lines_next(decoding->state, &line, err);
    if (more != 1)
        return more;
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    if (!utf8_valid(line.data, line.size))
        return error_set(err, ERROR_PROTOCOL, "a line of the response is no UTF-8");
    *ret_document = tvalue_dict(arena);
    tdict_set_name(arena, ret_document->dict, "record", tvalue_string(line));
    return 1;
}

const struct decoder_class decoder_iterable = {
    .type_name = "IterableDecoder",
    .is_stream = true,
    .begin = iterable_begin,
    .next = iterable_next,
    .end = iterable_end,
};
