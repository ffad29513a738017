#include "ingest/kafka/record.h"

#include "ingest/members.h"

enum { KAFKA_HEADERS_MAX = 10000 /* of a record */ };

static struct slice finish(struct buffer *text, struct arena *arena)
{
    struct slice copy = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return copy;
}

/* --- deletions ---------------------------------------------------------------------------------------- */

static const struct json *deletion(struct ingest_worker *worker, const struct kafka_record *record,
                                   struct arena *arena, struct ingest_problem *problem)
{
    struct json_writer writer;
    struct buffer text;
    struct json key;
    struct error unused;
    if (!record->key.data ||
        json_parse(worker->parser, record->key.data, record->key.size, &key, &unused) < 0 ||
        !json_is(&key, 0, JSON_OBJECT)) {
        ingest_problem_set(problem, 400,
                           ingest_answer_error(arena,
                                               "a record without a value is a deletion: its key must be "
                                               "the collection's, as a JSON object"));
        return NULL;
    }
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (uint32_t at = json_first_key(&key, 0); at != JSON_NONE; at = json_next_key(&key, 0, at)) {
        if (json_text_is(&key, at, SLICE_LITERAL("_meta")))
            continue;
        json_put_key_of(&writer, &key, at);
        json_put_raw(&writer, json_raw(&key, json_value(at)));
    }
    json_member_raw(&writer, "_meta", SLICE_LITERAL("{\"op\":\"d\"}"));
    json_end_object(&writer);
    struct slice copy = finish(&text, arena);
    return ingest_parse(worker, (char *)copy.data, copy.size, "a deletion", arena, problem);
}

/* --- what is told of a record ------------------------------------------------------------------------- */

static struct slice headers_of(const struct kafka_record *record, struct arena *arena)
{
    struct ingest_members members;
    struct wire_reader reader;
    struct json_writer writer;
    struct buffer text;
    struct arena own;
    struct slice name, value;
    arena_init(&own);
    ingest_members_init(&members, INGEST_SEVERAL_LISTED, &own);
    wire_reader_init(&reader, record->headers, false);
    for (uint32_t i = 0; i < record->header_count && kafka_header_next(&reader, &name, &value); i++)
        ingest_members_add(&members, name, value);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    ingest_members_write(&members, &writer);
    ingest_members_done(&members);
    arena_done(&own);
    return finish(&text, arena);
}

static struct slice text_of(struct slice bytes, struct arena *arena)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_escape(&text, bytes);
    return finish(&text, arena);
}

static void describe(const struct kafka_record *record, unsigned members, struct arena *arena,
                     struct ingest_origin *origin)
{
    enum { TIME_SIZE = 25 };
    *origin = (struct ingest_origin){.key = SLICE_LITERAL("null")};
    char *received = arena_alloc(arena, TIME_SIZE), *time = arena_alloc(arena, TIME_SIZE);
    clock_format_rfc3339(clock_wall_ms(&clock_system), received, TIME_SIZE);
    origin->received = received;
    if (members & CATALOG_INGEST_META_HEADERS)
        origin->headers = headers_of(record, arena);
    if (record->key.data && members & CATALOG_INGEST_META_KEY)
        origin->key = text_of(record->key, arena);
    if (record->timestamp >= 0 && record->timestamp < INT64_C(253402300800000)) { /* year 10000 */
        clock_format_rfc3339(record->timestamp, time, TIME_SIZE);
        origin->time = time;
    }
}

int kafka_record_add(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     const struct kafka_record *record, struct ingest_batch *batch,
                     struct ingest_problem *ret_problem)
{
    struct ingest_origin origin;
    unsigned members = capture->bindings[binding].options.metadata;
    if (record->header_count > KAFKA_HEADERS_MAX)
        return ingest_problem_set(
            ret_problem, 400,
            ingest_answer_error(batch->arena, "a record has more than %d headers", KAFKA_HEADERS_MAX));
    const struct json *doc = record->value.data
                                 ? ingest_parse(worker, (char *)record->value.data, record->value.size,
                                                "a record's value", batch->arena, ret_problem)
                                 : deletion(worker, record, batch->arena, ret_problem);
    if (!doc)
        return -1;
    if (members) {
        describe(record, members, batch->arena, &origin);
        batch->origin = &origin;
    }
    int result = ingest_batch_add(worker, capture, binding, doc, 0, batch, ret_problem);
    batch->origin = NULL;
    return result;
}

const char *kafka_record_why(const struct ingest_problem *problem, struct arena *arena)
{
    struct json answer;
    struct error unused;
    if (json_parse_copy(arena, problem->answer.data, problem->answer.size, &answer, &unused) < 0)
        return "it is refused";
    const char *why = json_cstring(&answer, json_get(&answer, 0, "error"), arena);
    return why ? why : "it is refused";
}
