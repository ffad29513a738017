/* Writing JSON into a buffer. The writer keeps commas and nesting; what is written is always one valid
 * document once every begin has its end (assert). Raw values are copied as they are. */
#ifndef FIRTH_JSON_WRITER_H
#define FIRTH_JSON_WRITER_H

#include "base/buffer.h"
#include "base/text.h"
#include "json/json.h"

/* Any document fits in, inside as much again of our own: what comes from outside never meets the assertion.
 */
enum { JSON_WRITER_DEPTH_MAX = JSON_DEPTH_LIMIT + 64 };

struct json_writer {
    struct buffer *out; /* not owned; its overflow flag tells of a document past its maximum */
    uint32_t depth;
    bool first;     /* nothing written yet in the open container */
    bool after_key; /* a value must come */
    uint8_t indent; /* spaces a level, 0 = compact */
    uint64_t is_object[JSON_WRITER_DEPTH_MAX / 64];
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_put_key(struct json_writer *writer, const char *name);
void json_put_key_slice(struct json_writer *writer, struct slice name);
/* The name of a document's member, byte for byte. */
void json_put_key_of(struct json_writer *writer, const struct json *doc, uint32_t key);
void json_put_null(struct json_writer *writer);
void json_put_bool(struct json_writer *writer, bool value);
void json_put_i64(struct json_writer *writer, int64_t value);
void json_put_u64(struct json_writer *writer, uint64_t value);
/* The shortest text that reads back as the same double; NaN and infinities become null. */
void json_put_double(struct json_writer *writer, double value);
/* NULL text writes null. Bytes that are not valid UTF-8 become U+FFFD. */
void json_put_string(struct json_writer *writer, const char *text);
void json_put_slice(struct json_writer *writer, struct slice text);
/* A value that is JSON already: copied as it is. */
void json_put_raw(struct json_writer *writer, struct slice json);
/* The value written anew: compactly (or indented), each string and number byte for byte, without members that
 * a later one of their name replaced. So it has no line break, whatever the document has. */
void json_put_value(struct json_writer *writer, const struct json *doc, uint32_t at);

/* key + value in one call. */
void json_member_string(struct json_writer *writer, const char *name, const char *text);
void json_member_slice(struct json_writer *writer, const char *name, struct slice text);
void json_member_i64(struct json_writer *writer, const char *name, int64_t value);
void json_member_u64(struct json_writer *writer, const char *name, uint64_t value);
void json_member_double(struct json_writer *writer, const char *name, double value);
void json_member_bool(struct json_writer *writer, const char *name, bool value);
void json_member_raw(struct json_writer *writer, const char *name, struct slice json);

/* Only the string, quotes included, outside any writer. */
void json_escape(struct buffer *out, struct slice text);

#endif
