/* Documents: the one JSON of the tree.
 *
 * A document is its raw bytes, parsed once into a flat, read-only array of nodes in document order:
 * a container's node is followed by its descendants; an object's by key, value, key, value. A value's
 * raw slice is had without re-serialising; numbers keep their text.
 *
 * Strict: RFC 8259, valid UTF-8, no byte order mark, no trailing bytes but white space; escaped
 * surrogates must pair. Depth, size and node count are bounded (struct json_limits). Answers of APIs, which
 * are not ours to correct, may be read leniently (json_parser_lenient).
 *
 * A value is named by (document, index): index 0 is the root, JSON_NONE is "there is none", and every
 * accessor that looks something up takes JSON_NONE and gives JSON_NONE back, so look-ups chain.
 * The layout of struct json_node is private to this header's inline functions: use the accessors. */
#ifndef FIRTH_JSON_JSON_H
#define FIRTH_JSON_JSON_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum json_tag {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* written without fraction and exponent, of any size */
    JSON_NUMBER,  /* any other number: 1.0, 1e5 */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_KEY, /* a member's name inside an object */
    JSON_TAG_MAX
};

#define JSON_NONE UINT32_MAX

/* 16 bytes. `length` is the length in source bytes (quotes and brackets included). */
struct json_node {
    uint32_t tag : 4;
    uint32_t escaped : 1; /* string or key: contains a backslash escape */
    uint32_t count : 27;  /* array: elements; object: members */
    uint32_t offset;
    uint32_t length;
    uint32_t link; /* container: index of the node after its last descendant; key: json_key_hash of the
                      unescaped name; otherwise 0 */
};

enum json_duplicates {
    JSON_DUPLICATES_LAST_WINS, /* documents: earlier members of the same name have no nodes; counted */
    JSON_DUPLICATES_REFUSE,    /* config, catalogs, API bodies */
};

struct json_limits {
    uint32_t size_max;  /* bytes of source, at most JSON_SIZE_LIMIT */
    uint32_t depth_max; /* nested containers, at most JSON_DEPTH_LIMIT */
    uint32_t nodes_max; /* values and keys together; 0 or anything above it means JSON_NODES_LIMIT */
};

#define JSON_SIZE_LIMIT (1U << 30)
#define JSON_DEPTH_LIMIT 1024 /* some walks of a document recurse, the schema's among them */
#define JSON_NODES_LIMIT ((1U << 27) - 1)
/* 64 MiB documents, 256 deep: what Flow accepts. */
#define JSON_LIMITS_DEFAULT ((struct json_limits){.size_max = 64U << 20, .depth_max = 256})

struct json {
    const char *source; /* not owned; of a document that was mended, the parser's */
    uint32_t size;
    uint32_t count; /* nodes */
    const struct json_node *nodes;
    uint32_t duplicates; /* members dropped because a later one has their name */
    uint32_t mended;     /* json_parser_lenient: places where the text was no JSON, */
    uint32_t mended_at;  /* and the byte where the first of them was */
};

/* A reusable parser: owns the nodes of the document parsed last. */
struct json_parser;

struct json_parser *json_parser_new(struct json_limits limits, enum json_duplicates duplicates);
void json_parser_free(struct json_parser *parser);
MEM_DEFINE_CLEANUP(struct json_parser *, json_parser_free);

/* From now on take what Python's json takes beside JSON: NaN, Infinity and -Infinity, which are read as null;
 * a \u escape of half a surrogate pair, which is read as U+FFFD; and pass over a byte order mark. The
 * document is then a mended copy of the source, which lives as its nodes do: what is written of it is JSON.
 * What is JSON already is read as fast as ever, from the source itself. Everything else is still refused,
 * with positions in the mended copy. */
void json_parser_lenient(struct json_parser *parser);

/* Parse one document. The source must stay as it is while *ret_doc is used; *ret_doc's nodes live until
 * the parser's next call. The error (ERROR_INVALID, ERROR_LIMIT) says what and the byte, line and column. */
int json_parse(struct json_parser *parser, const char *source, size_t size, struct json *ret_doc,
               struct error *err);

/* Parse into an arena, source copied: for config and other documents that live on. Duplicates refused. */
int json_parse_copy(struct arena *arena, const char *source, size_t size, struct json *ret_doc,
                    struct error *err);

/* The same for an answer of an API: lenient, and the last of several members of one name counts. */
int json_parse_answer(struct arena *arena, const char *source, size_t size, struct json *ret_doc,
                      struct error *err);

/* The same hash as json_node.link of a key holds: 32 bits of XXH3-like quality, the same in every process
 * of one build (never stored on disk). */
uint32_t json_key_hash(const char *name, size_t size);

/* --- reading ------------------------------------------------------------------------------------- */

static inline enum json_tag json_tag(const struct json *doc, uint32_t at)
{
    return (enum json_tag)doc->nodes[at].tag;
}

static inline bool json_is(const struct json *doc, uint32_t at, enum json_tag tag)
{
    return at != JSON_NONE && doc->nodes[at].tag == (uint32_t)tag;
}

static inline bool json_is_number(const struct json *doc, uint32_t at)
{
    return json_is(doc, at, JSON_INTEGER) || json_is(doc, at, JSON_NUMBER);
}

/* The index behind `at` and all its descendants. */
static inline uint32_t json_after(const struct json *doc, uint32_t at)
{
    const struct json_node *node = &doc->nodes[at];
    return node->tag == JSON_ARRAY || node->tag == JSON_OBJECT ? node->link : at + 1;
}

/* The value's bytes in the source, quotes and brackets included. */
static inline struct slice json_raw(const struct json *doc, uint32_t at)
{
    return (struct slice){doc->source + doc->nodes[at].offset, doc->nodes[at].length};
}

/* Elements of an array, members of an object, else 0. */
static inline uint32_t json_count(const struct json *doc, uint32_t at)
{
    return at == JSON_NONE ? 0 : doc->nodes[at].count;
}

/* Array iteration: for (uint32_t e = json_first(doc, a); e != JSON_NONE; e = json_next(doc, a, e)). */
static inline uint32_t json_first(const struct json *doc, uint32_t array)
{
    return json_is(doc, array, JSON_ARRAY) && doc->nodes[array].count ? array + 1 : JSON_NONE;
}
static inline uint32_t json_next(const struct json *doc, uint32_t array, uint32_t element)
{
    uint32_t after = json_after(doc, element);
    return after == doc->nodes[array].link ? JSON_NONE : after;
}

/* Object iteration over keys; the value is at json_value(key):
 * for (uint32_t k = json_first_key(doc, o); k != JSON_NONE; k = json_next_key(doc, o, k)). */
static inline uint32_t json_first_key(const struct json *doc, uint32_t object)
{
    return json_is(doc, object, JSON_OBJECT) && doc->nodes[object].count ? object + 1 : JSON_NONE;
}
static inline uint32_t json_value(uint32_t key)
{
    return key + 1;
}
static inline uint32_t json_next_key(const struct json *doc, uint32_t object, uint32_t key)
{
    uint32_t after = json_after(doc, key + 1);
    return after == doc->nodes[object].link ? JSON_NONE : after;
}
static inline uint32_t json_hash_of_key(const struct json *doc, uint32_t key)
{
    return doc->nodes[key].link;
}

/* The bytes between the quotes, still escaped if json_escaped says so. */
static inline struct slice json_inner(const struct json *doc, uint32_t at)
{
    return (struct slice){doc->source + doc->nodes[at].offset + 1, doc->nodes[at].length - 2};
}
static inline bool json_escaped(const struct json *doc, uint32_t at)
{
    return doc->nodes[at].escaped;
}

/* The text of a string or key: a slice of the source, or unescaped into the arena. */
struct slice json_string(const struct json *doc, uint32_t at, struct arena *arena);
/* The same as a NUL-terminated copy in the arena (a NUL inside ends it early: check json_string where
 * that matters). NULL if `at` is not a string. */
char *json_cstring(const struct json *doc, uint32_t at, struct arena *arena);
/* Is the string or key exactly this text? */
bool json_string_is(const struct json *doc, uint32_t at, const char *text);
/* The same for a string or key that is known to be one. */
bool json_text_is(const struct json *doc, uint32_t at, struct slice text);
/* Unescape the inside of a valid JSON string; `out` has room for size bytes. Returns the length. */
size_t json_unescape(const char *inner, size_t size, char *out);

/* The member's value by name, or JSON_NONE (also when `object` is none or no object). */
uint32_t json_get(const struct json *doc, uint32_t object, const char *name);
uint32_t json_get_slice(const struct json *doc, uint32_t object, struct slice name);
/* The array's element by position, or JSON_NONE. */
uint32_t json_at(const struct json *doc, uint32_t array, uint32_t position);
/* RFC 6901: "" is the value itself, "/a/0/b~1c". JSON_NONE if it leads nowhere or is malformed. */
uint32_t json_pointer(const struct json *doc, uint32_t at, struct slice pointer);
/* Append "/" and the name, escaped. */
void json_pointer_push(struct buffer *buffer, struct slice name);
/* Append the RFC 6901 pointer of the node `at` (a value or key), found by walking from the root. */
void json_pointer_of(const struct json *doc, uint32_t at, struct buffer *buffer);

/* Exact conversions: false if the value is no number or does not fit. 1.0 and 1e2 are integers here. */
bool json_to_i64(const struct json *doc, uint32_t at, int64_t *ret_value);
bool json_to_u64(const struct json *doc, uint32_t at, uint64_t *ret_value);
/* The nearest double (correctly rounded); false if the value is no number or overflows. */
bool json_to_double(const struct json *doc, uint32_t at, double *ret_value);

/* Equality of JSON Schema: numbers by value (1 == 1.0), objects regardless of order. */
bool json_equal(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at);

/* The order of all values, Flow's: null < false < true < numbers < strings < arrays < objects. Numbers by
 * value, exactly; strings by their bytes in UTF-8; arrays element by element, objects member by member in the
 * order of their names, the shorter first. JSON_NONE counts as null. Below 0, 0 (json_equal), above 0. */
int json_compare(const struct json *a, uint32_t a_at, const struct json *b, uint32_t b_at);

enum { JSON_HASH_TEXT_MAX = 1024 }; /* hashing a longer string allocates, if it is written with escapes */
/* Equal for values that json_equal finds equal. The same in every process of one build, never stored. */
uint64_t json_hash(const struct json *doc, uint32_t at);

#endif
