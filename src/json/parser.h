/* What the files of the parser share; private to this folder.
 *
 * Two parsers fill the same nodes. The plain one (plain.c) is one forward pass over the bytes: it runs
 * where there is no SIMD, it is what the fast one is tested against, and it alone writes error messages.
 * The fast one (index*.c, build.c) only says yes or no; on no, the plain one runs again to say why. */
#ifndef FIRTH_JSON_PARSER_H
#define FIRTH_JSON_PARSER_H

#include "json/fast.h"
#include "json/json.h"

/* A parser that a large document has made large gives its memory back after this many small ones. */
enum { JSON_PARSER_PATIENCE = 1000, JSON_PARSER_SMALL = 64 * 1024 /* nodes */ };

struct json_parser {
    struct json_limits limits;
    enum json_duplicates duplicates_mode;

    const char *source;
    uint32_t size;

    struct json_node *nodes;
    size_t capacity;
    uint32_t count;
    uint32_t duplicates; /* members marked as dropped in this document */

    /* Hashes of the names of every open object, outermost first: an object's own are the last ones when it
     * closes, because whatever it contains has closed before. */
    uint32_t *hashes;
    size_t hashes_capacity;
    size_t hashes_count;

    /* Scratch of members.c: slots of a hash table or keys to sort, grown for large objects only. */
    uint32_t *slots;
    size_t slots_capacity;

    struct buffer text; /* an unescaped name */

    bool lenient;
    struct buffer mended; /* what a lenient parser has made of a source that is no JSON */

    uint32_t small_in_row; /* documents that needed little of what there is */

    struct json_variant variant;
    bool refused; /* the fast parser refused this document */
    struct json_fast fast;
};

/* Parse parser->source. */
int json_plain_parse(struct json_parser *parser, struct error *err);

/* Use this variant from now on: for tests. */
void json_parser_use(struct json_parser *parser, struct json_variant variant);

/* lenient.c: write the source again with what Python's json takes beside JSON mended. The number of such
 * places; 0: there are none, or the copy would pass the buffer's maximum. */
uint32_t json_mend(const char *source, size_t size, struct buffer *out, size_t *ret_first);

/* Put "line L, column C (byte B): " and the message into *err. Returns -1. */
int json_fail(const struct json_parser *parser, enum error_code code, uint32_t byte, struct error *err,
              const char *format, ...) __attribute__((format(printf, 5, 6), cold));

/* The hash of the name of the key `node`. */
uint32_t json_hash_of_name(struct json_parser *parser, const struct json_node *node);

/* Is any of an object's hashes there twice? (Of many: perhaps.) */
bool json_hashes_repeat(const uint32_t *hashes, uint32_t count);

/* Deal with members of the same name in the object `at`, whose nodes up to parser->count are complete and
 * whose `members` hashes are the last of parser->hashes. LAST_WINS marks earlier members as dropped. REFUSE:
 * gives the earliest repeated key in *ret_again and the key it repeats in *ret_first, and returns false. */
bool json_members_check(struct json_parser *parser, uint32_t at, uint32_t members, uint32_t *ret_first,
                        uint32_t *ret_again);

/* After the whole document, if parser->duplicates: remove the dropped members' nodes. */
void json_members_compact(struct json_parser *parser);

/* Order the texts of two strings or keys bytewise, escapes resolved. */
int json_text_compare(const char *a_source, const struct json_node *a, const char *b_source,
                      const struct json_node *b);

#endif
