#include "host.h"

#include "json/key.h"

#include <assert.h>

/* Values for connectors. Those of a record are looked up in the line as it was parsed: nothing is parsed
 * again. Other JSON (states, options) is small and rare. */

static enum firth_type value_at(const struct json *doc, uint32_t at, struct arena *scratch,
                                struct firth_slice *ret_value)
{
    static const enum firth_type types[JSON_TAG_MAX] = {
        [JSON_NULL] = FIRTH_IS_NULL,      [JSON_FALSE] = FIRTH_IS_BOOLEAN, [JSON_TRUE] = FIRTH_IS_BOOLEAN,
        [JSON_INTEGER] = FIRTH_IS_NUMBER, [JSON_NUMBER] = FIRTH_IS_NUMBER, [JSON_STRING] = FIRTH_IS_TEXT,
        [JSON_ARRAY] = FIRTH_IS_ARRAY,    [JSON_OBJECT] = FIRTH_IS_OBJECT,
    };
    if (at == JSON_NONE)
        return FIRTH_IS_ABSENT;
    enum json_tag tag = json_tag(doc, at);
    struct slice value = tag == JSON_STRING ? json_string(doc, at, scratch) : json_raw(doc, at);
    *ret_value = (struct firth_slice){value.data, value.size};
    return types[tag];
}

enum firth_type firth_record_get(struct firth_host *host, const struct firth_record *record,
                                 const char *pointer, struct firth_slice *ret_value)
{
    const struct json *line = record->document;
    uint32_t at = record->node == JSON_NONE ? JSON_NONE : json_pointer(line, record->node, slice_of(pointer));
    return value_at(line, at, &host->scratch, ret_value);
}

/* Where the fields of a row are: the key's parts, the other values, the document. */
static void find_fields(struct sdk_row *row, const struct firth_record *record)
{
    const struct json *line = record->document;
    uint32_t key = json_first(line, row->key), value = json_first(line, row->values);
    for (size_t i = 0; i < row->target->field_count; i++) {
        const struct firth_field *field = &row->target->fields[i];
        uint32_t *next = field->is_key ? &key : &value;
        uint32_t array = field->is_key ? row->key : row->values;
        row->nodes[i] = field->is_document ? record->node : *next;
        if (!field->is_document && *next != JSON_NONE)
            *next = json_next(line, array, *next);
    }
    row->found = true;
}

void sdk_row_init(struct sdk_row *row, const struct firth_target *target, struct arena *arena)
{
    size_t count = target->field_count + 1;
    *row = (struct sdk_row){.target = target,
                            .nodes = arena_zalloc(arena, count * sizeof *row->nodes),
                            .hashes = arena_zalloc(arena, count * sizeof *row->hashes)};
    for (size_t i = 0; i < target->field_count; i++)
        row->hashes[i] = json_key_hash(target->fields[i].member.data, target->fields[i].member.size);
}

static bool is_member(const struct json *line, uint32_t key, const struct firth_field *field)
{
    return json_text_is(line, key, (struct slice){field->member.data, field->member.size});
}

/* Where the fields of a record are, all at once: its members come in the schema's order more often than not,
 * so each is looked for behind the one before. */
static void find_members(struct sdk_row *row, const struct firth_record *record)
{
    const struct json *line = record->document;
    size_t count = row->target->field_count, next = 0;
    for (size_t i = 0; i < count; i++)
        row->nodes[i] = JSON_NONE;
    for (uint32_t key = json_first_key(line, record->node); key != JSON_NONE;
         key = json_next_key(line, record->node, key)) {
        uint32_t hash = json_hash_of_key(line, key);
        for (size_t step = 0; step < count; step++) {
            size_t i = next + step < count ? next + step : next + step - count;
            if (row->hashes[i] != hash || !is_member(line, key, &row->target->fields[i]))
                continue;
            row->nodes[i] = json_value(key);
            next = i + 1 < count ? i + 1 : 0;
            break;
        }
    }
    row->found = true;
}

static uint32_t field_node(const struct firth_record *record, size_t index)
{
    struct sdk_row *row = (struct sdk_row *)(uintptr_t)record->row;
    if (!row->found && row->flow)
        find_fields(row, record);
    else if (!row->found)
        find_members(row, record);
    return row->nodes[index];
}

enum firth_type firth_record_field(struct firth_host *host, const struct firth_record *record, size_t index,
                                   struct firth_slice *ret_value)
{
    const struct sdk_row *row = record->row;
    assert(index < row->target->field_count);
    return value_at(record->document, field_node(record, index), &host->scratch, ret_value);
}

int firth_record_key(struct firth_host *host, const struct firth_record *record, struct firth_slice *ret_key,
                     struct firth_error *err)
{
    const struct sdk_row *row = record->row;
    const struct json *line = record->document;
    struct error library_err;
    buffer_clear(&host->key);
    for (size_t i = 0; row->target->primary_key[i]; i++) {
        uint32_t at = row->flow ? json_at(line, row->key, (uint32_t)i)
                                : json_pointer(line, record->node, slice_of(row->target->primary_key[i]));
        if (key_pack_value((struct key_value){line, at}, &host->key, &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    *ret_key = (struct firth_slice){host->key.data, host->key.size};
    return 0;
}

/* Into an arena of its own: the host's parser may hold the line whose record is being stored. */
static bool parse(struct firth_host *host, struct firth_slice json, struct json *ret_doc)
{
    struct error err;
    arena_clear(&host->values);
    return json_parse_copy(&host->values, json.data, json.size, ret_doc, &err) == 0;
}

enum firth_type firth_json_get(struct firth_host *host, struct firth_slice json, const char *pointer,
                               struct firth_slice *ret_value)
{
    struct json doc;
    if (!parse(host, json, &doc))
        return FIRTH_IS_ABSENT;
    return value_at(&doc, json_pointer(&doc, 0, slice_of(pointer)), &host->values, ret_value);
}

bool firth_json_integer(struct firth_host *host, struct firth_slice json, const char *pointer,
                        int64_t *ret_value)
{
    struct json doc;
    return parse(host, json, &doc) && json_to_i64(&doc, json_pointer(&doc, 0, slice_of(pointer)), ret_value);
}
