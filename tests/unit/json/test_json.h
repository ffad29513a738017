/* What the tests of this folder share. */
#ifndef FIRTH_TEST_JSON_H
#define FIRTH_TEST_JSON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>

/* Parse from a heap copy of exactly its size, so that the sanitizer sees every byte read too far. */
struct parsed {
    struct json_parser *parser;
    char *source;
    struct json doc;
    struct error err;
    int result;
};

static inline struct parsed parse_with(struct json_limits limits, enum json_duplicates mode,
                                       struct slice text)
{
    struct parsed parsed = {.parser = json_parser_new(limits, mode), .source = mem_alloc(text.size)};
    if (text.size)
        memcpy(parsed.source, text.data, text.size);
    parsed.result = json_parse(parsed.parser, parsed.source, text.size, &parsed.doc, &parsed.err);
    return parsed;
}

static inline struct parsed parse(const char *text)
{
    return parse_with(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS, slice_of(text));
}

static inline void parsed_done(struct parsed *parsed)
{
    json_parser_free(parsed->parser);
    free(parsed->source);
}

static inline void assert_slice(struct slice slice, const char *text)
{
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size);
}

#endif
