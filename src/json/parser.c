/* The parser as an object: limits, reuse, copies that live on, and the position in an error. */
#include "json/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct json_parser *json_parser_new(struct json_limits limits, enum json_duplicates duplicates)
{
    assert(limits.size_max <= JSON_SIZE_LIMIT && limits.depth_max <= JSON_DEPTH_LIMIT);
    struct json_parser *parser = mem_zalloc(sizeof *parser);
    if (limits.nodes_max == 0 || limits.nodes_max > JSON_NODES_LIMIT)
        limits.nodes_max = JSON_NODES_LIMIT;
    parser->limits = limits;
    parser->duplicates_mode = duplicates;
    buffer_init(&parser->text, JSON_SIZE_LIMIT);
    buffer_init(&parser->mended, limits.size_max);
    memset(parser->fast.tail, ' ', sizeof parser->fast.tail);
    struct json_variant variants[4];
    json_variants(variants);
    parser->variant = variants[0];
    return parser;
}

void json_parser_lenient(struct json_parser *parser)
{
    parser->lenient = true;
}

void json_parser_use(struct json_parser *parser, struct json_variant variant)
{
    parser->variant = variant;
}

int json_fail(const struct json_parser *parser, enum error_code code, uint32_t byte, struct error *err,
              const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < byte; i++) {
        if (parser->source[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)parser->source[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return error_set(err, code, "line %u, column %u (byte %u): %s", line, column, byte, message);
}

static void release(struct json_parser *parser)
{
    free(parser->nodes);
    free(parser->hashes);
    free(parser->slots);
    buffer_done(&parser->text);
    buffer_done(&parser->mended);
    parser->nodes = NULL;
    parser->hashes = parser->slots = NULL;
    parser->capacity = parser->hashes_capacity = parser->slots_capacity = 0;
}

void json_parser_free(struct json_parser *parser)
{
    if (!parser)
        return;
    release(parser);
    free(parser->fast.index);
    free(parser->fast.escaped);
    free(parser);
}

/* One document of a hundred megabytes must not cost that much for the rest of the process's life. */
static void release_if_idle(struct json_parser *parser)
{
    bool small = parser->capacity > JSON_PARSER_SMALL && parser->count < parser->capacity / 16;
    parser->small_in_row = small ? parser->small_in_row + 1 : 0;
    if (parser->small_in_row < JSON_PARSER_PATIENCE)
        return;
    release(parser);
    parser->small_in_row = 0;
}

static void begin(struct json_parser *parser)
{
    parser->count = 0;
    parser->duplicates = 0;
    parser->hashes_count = 0;
}

/* Fast; and where that refuses, plain, to say why. */
static int parse(struct json_parser *parser, struct error *err)
{
    begin(parser);
    parser->refused = parser->variant.parse && !parser->variant.parse(parser);
    if (parser->variant.parse && !parser->refused)
        return 0;
    begin(parser);
    return json_plain_parse(parser, err);
}

struct mended {
    uint32_t count, first;
};

/* Once more, with what can be mended. What is wrong otherwise, *err says already. */
static int parse_mended(struct json_parser *parser, struct mended *ret_mended, struct error *err)
{
    size_t first;
    ret_mended->count = json_mend(parser->source, parser->size, &parser->mended, &first);
    if (ret_mended->count == 0)
        return -1;
    ret_mended->first = (uint32_t)first;
    parser->source = buffer_cstr(&parser->mended);
    parser->size = (uint32_t)parser->mended.size;
    return parse(parser, err);
}

int json_parse(struct json_parser *parser, const char *source, size_t size, struct json *ret_doc,
               struct error *err)
{
    if (size > parser->limits.size_max)
        return error_set(err, ERROR_LIMIT, "the document has %zu bytes, at most %u are accepted", size,
                         parser->limits.size_max);
    struct mended mended = {0};
    release_if_idle(parser);
    parser->source = source;
    parser->size = (uint32_t)size;
    if (parse(parser, err) < 0 && (!parser->lenient || parse_mended(parser, &mended, err) < 0))
        return -1;
    if (parser->duplicates)
        json_members_compact(parser);
    *ret_doc = (struct json){
        .source = parser->source,
        .size = parser->size,
        .mended = mended.count,
        .mended_at = mended.first,
        .count = parser->count,
        .nodes = parser->nodes,
        .duplicates = parser->duplicates,
    };
    return 0;
}

static int parse_copy(struct json_parser *parser, struct arena *arena, struct slice source,
                      struct json *ret_doc, struct error *err)
{
    struct json doc = {0};
    if (json_parse(parser, source.data, source.size, &doc, err) < 0)
        return -1;
    doc.source = arena_dup(arena, doc.source, doc.size);
    doc.nodes = arena_dup(arena, doc.nodes, doc.count * sizeof *doc.nodes);
    *ret_doc = doc;
    return 0;
}

int json_parse_copy(struct arena *arena, const char *source, size_t size, struct json *ret_doc,
                    struct error *err)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    return parse_copy(parser, arena, (struct slice){source, size}, ret_doc, err);
}

int json_parse_answer(struct arena *arena, const char *source, size_t size, struct json *ret_doc,
                      struct error *err)
{
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    json_parser_lenient(parser);
    return parse_copy(parser, arena, (struct slice){source, size}, ret_doc, err);
}
