/* A record on its way from a response to the output.
 *
 * It begins as a node of the response's document (TVALUE_JSON_DICT): nothing is copied. The first change
 * copies the members, not what they hold (a dict in the record's arena, whose members are nodes still); a
 * change deeper inside does the same along its path. Numbers of a document keep their digits through that. */
#ifndef FIRTH_DECLARATIVE_RECORD_RECORD_H
#define FIRTH_DECLARATIVE_RECORD_RECORD_H

#include "source-declarative/engine/expression.h"

enum {
    RECORD_SIZE_MAX = 64 << 20, /* bytes, written */
    RECORD_DEPTH_MAX = 256,
};

struct record {
    struct tvalue data;         /* a mapping */
    struct tvalue stream_slice; /* that it came with: an object */
    const char *stream_name;
    const char *file; /* JSON of a file reference; NULL: none */
};

/* The record as a dict that may be changed. */
struct tdict *record_own(struct record *record, struct arena *arena);
/* A mapping or list that may be changed in place of one that may not; others stay as they are. */
void value_own(struct arena *arena, struct tvalue *value);
/* Has a segment of it what globs are made of? */
bool path_has_glob(const struct slice *path, size_t count);
/* The value at a path; false if there is none. Numbers index lists. */
bool value_at_path(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
                   struct tvalue *ret_value);
/* dpath.new and dpath.set: make what misses on the way. A change is seen through *value. */
int value_set_path(struct arena *arena, struct tvalue *value, const struct slice *path, size_t count,
                   struct tvalue new_value, struct error *err);
bool value_remove_path(struct arena *arena, struct tvalue *value, const struct slice *path, size_t count);
/* dpath.values with globs ("*", "?", "[…]"): every match, in order. */
typedef int value_match(void *context, const struct slice *path, size_t count, struct tvalue value,
                        struct error *err);
int value_glob(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
               value_match *on_match, void *context, struct error *err);
/* dpath.get: 1: the one value that the path leads to; 0: there is none; -1: there are several. */
int value_get(struct arena *arena, const struct tvalue *value, const struct slice *path, size_t count,
              struct tvalue *ret_value, struct error *err);

/* JSON as it goes out, without line breaks: nodes of documents as they were written, the rest as Python's
 * writers do (NaN is null, the key None is "null"). -1: something that is no JSON (a set, bytes), or past the
 * buffer's maximum. */
int value_write(struct buffer *out, const struct tvalue *value, struct error *err);
/* A value that lives in another arena as long as that one: for what outlives the page. */
struct tvalue value_copy(struct arena *arena, const struct tvalue *value);

#endif
