#include "task/materialize_row.h"

#include "task/fields.h"
#include "task/shorten.h"

#include "base/clock.h"
#include "json/writer.h"

/* --- which fields ---------------------------------------------------------------------------------- */

static const struct flow_projection *find(const struct flow_collection *collection, struct slice field)
{
    for (size_t i = 0; i < collection->projections.count; i++) {
        if (slice_equal(collection->projections.items[i].field, field))
            return &collection->projections.items[i];
    }
    return NULL;
}

/* What stands for a value that is not there: the schema's default. */
static int set_default(struct key *key, size_t part, const struct flow_projection *projection,
                       struct arena *arena, struct error *err)
{
    const struct flow_inference *inference = projection->inference;
    if (!inference || inference->raw_default.size == 0)
        return 0;
    struct json *doc = arena_alloc(arena, sizeof *doc);
    if (json_parse_copy(arena, inference->raw_default.data, inference->raw_default.size, doc, err) < 0)
        return error_wrap(err, "the default of the field '%.*s'", SLICE_ARGS(projection->field));
    key_set_absent(key, part, (struct key_value){doc, 0});
    return 0;
}

static int compile(const struct flow_collection *collection, struct flow_texts fields, struct arena *arena,
                   struct key *ret_key, bool **ret_is_time, struct error *err)
{
    const char **pointers = arena_zalloc(arena, (fields.count + 1) * sizeof *pointers);
    bool *is_time = arena_zalloc(arena, fields.count + 1);
    for (size_t i = 0; i < fields.count; i++) {
        const struct flow_projection *projection = find(collection, fields.items[i]);
        if (!projection)
            return error_set(err, ERROR_PROTOCOL, "the field '%.*s' is selected, but %.*s does not have it",
                             SLICE_ARGS(fields.items[i]), SLICE_ARGS(collection->name));
        pointers[i] = arena_strndup(arena, projection->pointer.data, projection->pointer.size);
        is_time[i] = slice_is(projection->field, fields_time) && !projection->is_explicit;
    }
    *ret_key = key_compile(pointers, arena);
    *ret_is_time = is_time;
    for (size_t i = 0; i < fields.count; i++) {
        if (set_default(ret_key, i, find(collection, fields.items[i]), arena, err) < 0)
            return -1;
    }
    return 0;
}

static bool shortens(const struct flow_ser_policy *policy)
{
    return policy && (policy->string_truncate_after || policy->array_truncate_after ||
                      policy->nested_object_truncate_after);
}

int materialize_row_init(struct materialize_row *row, const struct flow_collection *collection,
                         const struct flow_field_selection *selection, const struct flow_ser_policy *policy,
                         struct arena *arena, struct error *err)
{
    bool *is_time = NULL;
    *row = (struct materialize_row){.document_field = selection->document};
    buffer_init(&row->shortened, BUFFER_UNLIMITED);
    if (shortens(policy)) {
        row->policy = policy;
        row->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    }
    buffer_init(&row->key_json, BUFFER_UNLIMITED);
    buffer_init(&row->key_packed, BUFFER_UNLIMITED);
    buffer_init(&row->values_json, BUFFER_UNLIMITED);
    buffer_init(&row->values_packed, BUFFER_UNLIMITED);
    if (compile(collection, selection->keys, arena, &row->key, &is_time, err) < 0 ||
        compile(collection, selection->values, arena, &row->values, &is_time, err) < 0)
        return -1;
    row->is_time = is_time;
    return 0;
}

void materialize_row_done(struct materialize_row *row)
{
    buffer_done(&row->key_json);
    buffer_done(&row->key_packed);
    buffer_done(&row->values_json);
    buffer_done(&row->values_packed);
    buffer_done(&row->shortened);
    json_parser_free(row->parser);
}

/* --- a document's time ----------------------------------------------------------------------------- */

static const uint64_t uuid_epoch = 0x01b21dd213814000; /* 1970 in ticks of 100 ns since 1582-10-15 */

/* The ticks since 1970 that a UUID of version 1 tells. */
static bool uuid_ticks(struct slice text, uint64_t *ret_ticks)
{
    uint64_t digits[16];
    if (text.size != 36)
        return false;
    for (size_t i = 0, d = 0; i < 18; i++) {
        char c = text.data[i];
        if (i == 8 || i == 13) {
            if (c != '-')
                return false;
            continue;
        }
        digits[d++] = c >= '0' && c <= '9'   ? (uint64_t)(c - '0')
                      : c >= 'a' && c <= 'f' ? (uint64_t)(c - 'a' + 10)
                      : c >= 'A' && c <= 'F' ? (uint64_t)(c - 'A' + 10)
                                             : 16;
        if (digits[d - 1] == 16)
            return false;
    }
    uint64_t low = 0, middle = 0, high = 0;
    for (int i = 0; i < 8; i++)
        low = low << 4 | digits[i];
    for (int i = 8; i < 12; i++)
        middle = middle << 4 | digits[i];
    for (int i = 13; i < 16; i++)
        high = high << 4 | digits[i];
    uint64_t ticks = high << 48 | middle << 32 | low;
    if (digits[12] != 1 || ticks < uuid_epoch)
        return false;
    *ret_ticks = ticks - uuid_epoch;
    return true;
}

/* As a JSON string. */
static size_t time_text(struct key_value uuid, int64_t time_ms, char text[48])
{
    uint64_t ticks = (uint64_t)time_ms * 10000;
    if (json_is(uuid.doc, uuid.at, JSON_STRING))
        uuid_ticks(json_inner(uuid.doc, uuid.at), &ticks);
    char seconds[32];
    clock_format_rfc3339((int64_t)(ticks / 10000), seconds, sizeof seconds);
    return (size_t)snprintf(text, 48, "\"%.19s.%07uZ\"", seconds, (unsigned)(ticks % 10000000));
}

/* --- rows ------------------------------------------------------------------------------------------ */

static void put_json(struct json_writer *writer, struct key_value value)
{
    if (value.at == JSON_NONE)
        json_put_null(writer);
    else
        json_put_value(writer, value.doc, value.at);
}

int materialize_row_key(struct materialize_row *row, const struct json *doc, struct error *err)
{
    struct json_writer writer;
    buffer_clear(&row->key_json);
    buffer_clear(&row->key_packed);
    json_writer_init(&writer, &row->key_json);
    json_begin_array(&writer);
    for (size_t i = 0; i < row->key.count; i++)
        put_json(&writer, key_value_of(&row->key.parts[i], doc, 0));
    json_end_array(&writer);
    return key_pack(&row->key, doc, 0, &row->key_packed, err);
}

static int put_time(struct materialize_row *row, struct json_writer *writer, struct key_value uuid,
                    int64_t time_ms, struct error *err)
{
    static const struct json_node node = {.tag = JSON_STRING};
    char text[48];
    size_t size = time_text(uuid, time_ms, text);
    struct json_node string = node;
    string.length = (uint32_t)size;
    const struct json doc = {.source = text, .size = (uint32_t)size, .count = 1, .nodes = &string};
    json_put_raw(writer, (struct slice){text, size});
    return key_pack_value((struct key_value){&doc, 0}, &row->values_packed, err);
}

/* Into row->shortened. */
static int shorten(struct materialize_row *row, const struct json *doc, uint32_t at, struct json *ret_doc,
                   struct error *err)
{
    struct json_writer writer;
    buffer_clear(&row->shortened);
    json_writer_init(&writer, &row->shortened);
    shorten_put(row->policy, &writer, doc, at);
    return json_parse(row->parser, row->shortened.data, row->shortened.size, ret_doc, err);
}

static int put_value(struct materialize_row *row, struct json_writer *writer, struct key_value value,
                     struct error *err)
{
    struct json shorter;
    if (shorten_applies(row->policy, value.doc, value.at)) {
        if (shorten(row, value.doc, value.at, &shorter, err) < 0)
            return -1;
        value = (struct key_value){&shorter, 0};
    }
    put_json(writer, value);
    return key_pack_value(value, &row->values_packed, err);
}

int materialize_row_values(struct materialize_row *row, const struct json *doc, int64_t time_ms,
                           struct error *err)
{
    struct json_writer writer;
    buffer_clear(&row->values_json);
    buffer_clear(&row->values_packed);
    json_writer_init(&writer, &row->values_json);
    json_begin_array(&writer);
    for (size_t i = 0; i < row->values.count; i++) {
        struct key_value value = key_value_of(&row->values.parts[i], doc, 0);
        if (row->is_time[i]) {
            if (put_time(row, &writer, value, time_ms, err) < 0)
                return -1;
            continue;
        }
        if (put_value(row, &writer, value, err) < 0)
            return -1;
    }
    json_end_array(&writer);
    return 0;
}

int materialize_row_document(struct materialize_row *row, const struct json *doc, struct slice text,
                             struct slice *ret_text, struct error *err)
{
    struct json shorter;
    *ret_text = text;
    if (!shorten_applies(row->policy, doc, 0))
        return 0;
    if (shorten(row, doc, 0, &shorter, err) < 0)
        return -1;
    if (key_compare(&row->key, doc, 0, &shorter, 0) == 0)
        *ret_text = (struct slice){row->shortened.data, row->shortened.size};
    return 0;
}
