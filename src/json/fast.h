/* The fast parser's state, and what its variants share; private to this folder. */
#ifndef FIRTH_JSON_FAST_H
#define FIRTH_JSON_FAST_H

#include "json/index.h"

#include "base/memory.h"

struct json_parser;

struct json_fast {
    struct json_index_carry carry;
    uint32_t done; /* bytes indexed */
    bool complete; /* all of them are */

    uint32_t *index; /* entries that the builder has not taken before the last refill: [0, end) */
    size_t index_capacity;
    uint32_t end;
    uint32_t *escaped; /* closing quotes of strings with escapes, likewise: [0, escaped_end) */
    size_t escaped_capacity;
    uint32_t escaped_end;

    /* The last bytes of the source again, with spaces behind them: what is looked at past `tail_from` is
     * looked at here, so that wide loads never leave the source. */
    uint32_t tail_from;
    char tail[4 * JSON_BLOCK];
};

/* Parse parser->source. False: it is refused, json_plain_parse says why. */
typedef bool json_fast_parse(struct json_parser *parser);

struct json_variant {
    const char *name;
    json_fast_parse *parse; /* NULL: the plain parser alone */
};

/* The variants that this machine can run, fastest first; the last is the plain parser. */
size_t json_variants(struct json_variant variants[static 4]);

json_fast_parse json_parse_avx2, json_parse_avx512;

#endif
