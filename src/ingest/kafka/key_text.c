#include "ingest/kafka/key_text.h"

#include "json/writer.h"

/* Parts that begin alike are members of one object, in the place of the first of them. */

static bool alike(const struct key_part *a, const struct key_part *b, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        if (i >= a->step_count || i >= b->step_count || !slice_equal(a->steps[i].name, b->steps[i].name))
            return false;
    }
    return true;
}

/* No part before it has led there. */
static bool is_first(const struct key *key, size_t part, size_t depth)
{
    for (size_t i = 0; i < part; i++) {
        if (alike(&key->parts[i], &key->parts[part], depth))
            return false;
    }
    return true;
}

/* The object at the first `depth` steps of the part. */
static void put_object(struct json_writer *writer, const struct key *key, size_t part, size_t depth,
                       const struct json *doc, uint32_t at)
{
    json_begin_object(writer);
    for (size_t i = part; i < key->count; i++) {
        const struct key_part *each = &key->parts[i];
        if (each->step_count <= depth || !alike(each, &key->parts[part], depth) ||
            !is_first(key, i, depth + 1))
            continue;
        json_put_key_slice(writer, each->steps[depth].name);
        if (each->step_count > depth + 1) {
            put_object(writer, key, i, depth + 1, doc, at);
            continue;
        }
        struct key_value value = key_value_of(each, doc, at);
        if (value.at == JSON_NONE)
            json_put_null(writer);
        else
            json_put_raw(writer, json_raw(value.doc, value.at));
    }
    json_end_object(writer);
}

void kafka_key_text(const struct key *key, const struct json *doc, uint32_t at, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    put_object(&writer, key, 0, 0, doc, at);
}
