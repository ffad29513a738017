/* Writing: commas, nesting, indentation, and every kind of value. */
#include "json/writer.h"

#include "json/number.h"

#include <math.h>
#include <stdio.h>

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out, .first = true};
}

static bool in_object(const struct json_writer *writer)
{
    uint32_t level = writer->depth - 1;
    return writer->depth > 0 && (writer->is_object[level / 64] >> (level % 64) & 1);
}

static void new_line(struct json_writer *writer)
{
    if (writer->indent == 0)
        return;
    buffer_byte(writer->out, '\n');
    for (uint32_t i = 0; i < writer->depth * writer->indent; i++)
        buffer_byte(writer->out, ' ');
}

/* What stands between the values of the open container. */
static void separate(struct json_writer *writer)
{
    if (!writer->first)
        buffer_byte(writer->out, ',');
    writer->first = false;
    if (writer->depth > 0)
        new_line(writer);
}

/* Before every value. */
static void value(struct json_writer *writer)
{
    if (writer->after_key) {
        writer->after_key = false;
        return;
    }
    assert(!in_object(writer));                 /* a member needs its key first */
    assert(writer->depth > 0 || writer->first); /* one document has one root */
    separate(writer);
}

static void begin(struct json_writer *writer, bool object)
{
    value(writer);
    assert(writer->depth < JSON_WRITER_DEPTH_MAX);
    uint64_t bit = 1ULL << (writer->depth % 64);
    uint64_t *word = &writer->is_object[writer->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    writer->depth++;
    writer->first = true;
    buffer_byte(writer->out, object ? '{' : '[');
}

static void end(struct json_writer *writer, bool object)
{
    assert(writer->depth > 0 && in_object(writer) == object && !writer->after_key);
    writer->depth--;
    if (!writer->first)
        new_line(writer);
    writer->first = false;
    buffer_byte(writer->out, object ? '}' : ']');
}

void json_begin_object(struct json_writer *writer)
{
    begin(writer, true);
}
void json_end_object(struct json_writer *writer)
{
    end(writer, true);
}
void json_begin_array(struct json_writer *writer)
{
    begin(writer, false);
}
void json_end_array(struct json_writer *writer)
{
    end(writer, false);
}

/* Before a key, and the colon behind it. */
static void before_key(struct json_writer *writer)
{
    assert(in_object(writer) && !writer->after_key);
    separate(writer);
}

static void after_key(struct json_writer *writer)
{
    buffer_append(writer->out, ": ", writer->indent ? 2 : 1);
    writer->after_key = true;
}

void json_put_key_slice(struct json_writer *writer, struct slice name)
{
    before_key(writer);
    json_escape(writer->out, name);
    after_key(writer);
}

void json_put_key(struct json_writer *writer, const char *name)
{
    json_put_key_slice(writer, slice_of(name));
}

void json_put_key_of(struct json_writer *writer, const struct json *doc, uint32_t key)
{
    struct slice raw = json_raw(doc, key);
    assert(json_tag(doc, key) == JSON_KEY);
    before_key(writer);
    buffer_append(writer->out, raw.data, raw.size);
    after_key(writer);
}

void json_put_null(struct json_writer *writer)
{
    value(writer);
    buffer_append(writer->out, "null", 4);
}

void json_put_bool(struct json_writer *writer, bool truth)
{
    value(writer);
    buffer_append(writer->out, truth ? "true" : "false", truth ? 4 : 5);
}

void json_put_u64(struct json_writer *writer, uint64_t number)
{
    value(writer);
    char text[20];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + number % 10);
    while (number /= 10);
    buffer_append(writer->out, text + at, sizeof text - at);
}

void json_put_i64(struct json_writer *writer, int64_t number)
{
    if (number >= 0) {
        json_put_u64(writer, (uint64_t)number);
        return;
    }
    value(writer);
    buffer_printf(writer->out, "%lld", (long long)number);
}

void json_put_double(struct json_writer *writer, double number)
{
    if (!isfinite(number)) {
        json_put_null(writer);
        return;
    }
    value(writer);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        int length = snprintf(text, sizeof text, "%.*g", digits, number);
        for (int i = 0; i < length; i++) { /* the locale's decimal point, if somebody set one */
            if (!strchr("+-0123456789e", text[i]))
                text[i] = '.';
        }
        double back;
        if (number_to_double((struct slice){text, (size_t)length}, &back) && back == number)
            break;
    }
    buffer_str(writer->out, text);
}

void json_put_slice(struct json_writer *writer, struct slice text)
{
    value(writer);
    json_escape(writer->out, text);
}

void json_put_string(struct json_writer *writer, const char *text)
{
    if (text)
        json_put_slice(writer, slice_of(text));
    else
        json_put_null(writer);
}

void json_put_raw(struct json_writer *writer, struct slice json)
{
    value(writer);
    buffer_append(writer->out, json.data, json.size);
}

void json_put_value(struct json_writer *writer, const struct json *doc, uint32_t at)
{
    uint32_t depth = writer->depth, end_at = json_after(doc, at);
    uint64_t ends[JSON_WRITER_DEPTH_MAX + 1];
    assert(json_tag(doc, at) != JSON_KEY);
    for (; at < end_at; at++) {
        while (writer->depth > depth && ends[writer->depth] == at)
            end(writer, in_object(writer));
        switch (json_tag(doc, at)) {
        case JSON_ARRAY:
        case JSON_OBJECT:
            begin(writer, json_tag(doc, at) == JSON_OBJECT);
            ends[writer->depth] = json_after(doc, at);
            break;
        case JSON_KEY:
            json_put_key_of(writer, doc, at);
            break;
        default:
            json_put_raw(writer, json_raw(doc, at));
        }
    }
    while (writer->depth > depth)
        end(writer, in_object(writer));
}

void json_member_string(struct json_writer *writer, const char *name, const char *text)
{
    json_put_key(writer, name);
    json_put_string(writer, text);
}

void json_member_slice(struct json_writer *writer, const char *name, struct slice text)
{
    json_put_key(writer, name);
    json_put_slice(writer, text);
}

void json_member_i64(struct json_writer *writer, const char *name, int64_t number)
{
    json_put_key(writer, name);
    json_put_i64(writer, number);
}

void json_member_u64(struct json_writer *writer, const char *name, uint64_t number)
{
    json_put_key(writer, name);
    json_put_u64(writer, number);
}

void json_member_double(struct json_writer *writer, const char *name, double number)
{
    json_put_key(writer, name);
    json_put_double(writer, number);
}

void json_member_bool(struct json_writer *writer, const char *name, bool truth)
{
    json_put_key(writer, name);
    json_put_bool(writer, truth);
}

void json_member_raw(struct json_writer *writer, const char *name, struct slice json)
{
    json_put_key(writer, name);
    json_put_raw(writer, json);
}
