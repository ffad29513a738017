#include "task/mapping_parts.h"

#include "base/digest.h"
#include "json/writer.h"

/* --- what was chosen ----------------------------------------------------------------------------- */

static struct mapping_field *child(struct mapping_field *parent, const char *name, struct arena *arena)
{
    for (size_t i = 0; i < parent->count; i++)
        if (slice_is(parent->fields[i].name, name))
            return &parent->fields[i];
    /* As many as there may be were made room for: by name, a field has no more children than paths. */
    struct mapping_field *field = &parent->fields[parent->count++];
    size_t size = strlen(name);
    *field =
        (struct mapping_field){.name = {arena_strdup(arena, name), size}, .hash = json_key_hash(name, size)};
    return field;
}

static size_t paths_below(const struct task_binding_spec *spec, const struct catalog_path *prefix,
                          size_t depth)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        size_t same = 0;
        while (same < depth && same < spec->fields[i].count &&
               strcmp(spec->fields[i].names[same], prefix->names[same]) == 0)
            same++;
        count += same == depth && spec->fields[i].count > depth;
    }
    return count;
}

static void add_path(const struct task_binding_spec *spec, struct mapping_field *root,
                     const struct catalog_path *path, struct arena *arena)
{
    struct mapping_field *at = root;
    for (size_t depth = 0; depth < path->count; depth++) {
        if (!at->fields)
            at->fields = arena_zalloc(arena, paths_below(spec, path, depth) * sizeof *at->fields);
        at = child(at, path->names[depth], arena);
    }
    at->whole = true;
}

int task_mapping_new(const struct task_binding_spec *spec, struct arena *arena,
                     const struct task_mapping **ret_mapping, struct error *err)
{
    struct task_mapping *mapping = arena_zalloc(arena, sizeof *mapping);
    struct json doc;
    *ret_mapping = NULL;
    mapping->selects = spec->selects;
    for (size_t i = 0; i < spec->field_count && spec->selects; i++)
        add_path(spec, &mapping->chosen, &spec->fields[i], arena);
    if (spec->mapping.size &&
        (json_parse_copy(arena, spec->mapping.data, spec->mapping.size, &doc, err) < 0 ||
         airbyte_mappers_read(&doc, 0, arena, &mapping->mappers, &mapping->mapper_count, err) < 0))
        return error_wrap(err, "the stream '%.200s'", spec->stream.name);
    bool hashes = false;
    for (size_t i = 0; i < mapping->mapper_count; i++)
        hashes |= mapping->mappers[i].type == AIRBYTE_MAPPER_HASH;
    if (hashes && digest_api_load(&mapping->digest, err) < 0)
        return error_wrap(err, "the stream '%.200s'", spec->stream.name);
    if (mapping->selects || mapping->mapper_count)
        *ret_mapping = mapping;
    return 0;
}

const struct mapping_field *mapping_field_of(const struct mapping_field *parent, const struct json *doc,
                                             uint32_t key)
{
    uint32_t hash = json_hash_of_key(doc, key);
    for (size_t i = 0; i < parent->count; i++)
        if (parent->fields[i].hash == hash && json_text_is(doc, key, parent->fields[i].name))
            return &parent->fields[i];
    return NULL;
}

/* --- records ------------------------------------------------------------------------------------- */

/* A column of a record on its way. */
struct column {
    const struct mapping_field *field; /* what was chosen of it; NULL: all */
    struct slice name;                 /* unescaped, */
    uint32_t key;                      /* or as the record has it; JSON_NONE: it was renamed */
    uint32_t value;                    /* in the line; JSON_NONE: `text` */
    struct slice text;
};

struct record {
    const struct json *line;
    struct column *columns;
    size_t count;
    struct arena *arena;
};

static void put_chosen(struct json_writer *writer, const struct json *line, uint32_t at,
                       const struct mapping_field *field)
{
    if (!field || field->whole || (!json_is(line, at, JSON_OBJECT) && !json_is(line, at, JSON_ARRAY))) {
        json_put_raw(writer, json_raw(line, at));
    } else if (json_is(line, at, JSON_ARRAY)) { /* of each of its elements */
        json_begin_array(writer);
        for (uint32_t item = json_first(line, at); item != JSON_NONE; item = json_next(line, at, item))
            put_chosen(writer, line, item, field);
        json_end_array(writer);
    } else {
        json_begin_object(writer);
        for (uint32_t key = json_first_key(line, at); key != JSON_NONE; key = json_next_key(line, at, key)) {
            const struct mapping_field *inner = mapping_field_of(field, line, key);
            if (!inner)
                continue;
            json_put_key_of(writer, line, key);
            put_chosen(writer, line, json_value(key), inner);
        }
        json_end_object(writer);
    }
}

static size_t find(const struct record *record, struct slice name)
{
    for (size_t i = 0; i < record->count; i++) {
        const struct column *column = &record->columns[i];
        if (column->key != JSON_NONE ? json_text_is(record->line, column->key, name)
                                     : slice_equal(column->name, name))
            return i;
    }
    return SIZE_MAX;
}

static void take_away(struct record *record, size_t at)
{
    record->count--;
    memmove(&record->columns[at], &record->columns[at + 1], (record->count - at) * sizeof *record->columns);
}

/* The column gets a new name, in its place; one that has it already goes. */
static void rename_to(struct record *record, size_t at, struct slice name)
{
    size_t taken = find(record, name);
    struct column column = record->columns[at];
    column.key = JSON_NONE;
    column.name = name;
    record->columns[at] = column;
    if (taken != SIZE_MAX && taken != at)
        take_away(record, taken);
}

/* A text's characters, anything else as it is written. */
static struct slice text_of(const struct record *record, const struct column *column)
{
    if (column->value == JSON_NONE) /* a hash, in quotes */
        return (struct slice){column->text.data + 1, column->text.size - 2};
    return json_is(record->line, column->value, JSON_STRING)
               ? json_string(record->line, column->value, record->arena)
               : json_raw(record->line, column->value);
}

/* What is null stays so. */
static void hash(struct record *record, const struct digest_api *api, size_t at,
                 const struct airbyte_mapper *mapper)
{
    static const char digits[] = "0123456789abcdef";
    struct column *column = &record->columns[at];
    unsigned char digest[DIGEST_MAX];
    if (json_is(record->line, column->value, JSON_NULL))
        return;
    struct slice text = text_of(record, column);
    size_t size = 0;
    if (!api->EVP_Q_digest(NULL, mapper->method, NULL, text.size ? text.data : "", text.size, digest, &size))
        size = 0; /* a method that the machine's policy forbids: nothing of the value goes on */
    char *hex = arena_alloc(record->arena, 2 * size + 2);
    hex[0] = hex[2 * size + 1] = '"';
    for (size_t i = 0; i < size; i++) {
        hex[1 + 2 * i] = digits[digest[i] >> 4];
        hex[2 + 2 * i] = digits[digest[i] & 15];
    }
    column->value = JSON_NONE;
    column->text = (struct slice){hex, 2 * size + 2};
}

static bool holds(const struct record *record, const struct airbyte_condition *condition)
{
    bool any = condition->type == AIRBYTE_OR;
    if (condition->type == AIRBYTE_EQUAL) {
        size_t at = find(record, condition->field);
        return at != SIZE_MAX && !json_is(record->line, record->columns[at].value, JSON_NULL) &&
               slice_equal(text_of(record, &record->columns[at]), condition->value);
    }
    if (condition->type == AIRBYTE_NOT)
        return !holds(record, &condition->parts[0]);
    for (size_t i = 0; i < condition->count; i++)
        if (holds(record, &condition->parts[i]) == any)
            return any;
    return !any;
}

static bool map(struct record *record, const struct digest_api *api, const struct airbyte_mapper *mapper)
{
    if (mapper->type == AIRBYTE_MAPPER_FILTER)
        return holds(record, &mapper->condition);
    size_t at = find(record, mapper->field);
    if (at == SIZE_MAX)
        return true;
    if (mapper->type == AIRBYTE_MAPPER_REMOVE) {
        take_away(record, at);
        return true;
    }
    if (mapper->type == AIRBYTE_MAPPER_HASH)
        hash(record, api, at, mapper);
    rename_to(record, at, mapper->target);
    return true;
}

bool task_mapping_write(const struct task_mapping *mapping, const struct json *line, uint32_t data,
                        struct buffer *out, struct arena *arena)
{
    struct record record = {
        .line = line,
        .columns = arena_alloc(arena, ((size_t)json_count(line, data) + 1) * sizeof *record.columns),
        .arena = arena};
    struct json_writer writer;
    for (uint32_t key = json_first_key(line, data); key != JSON_NONE; key = json_next_key(line, data, key)) {
        const struct mapping_field *field =
            mapping->selects ? mapping_field_of(&mapping->chosen, line, key) : NULL;
        if (!mapping->selects || field)
            record.columns[record.count++] =
                (struct column){.field = field, .key = key, .value = json_value(key)};
    }
    for (size_t i = 0; i < mapping->mapper_count; i++)
        if (!map(&record, &mapping->digest, &mapping->mappers[i]))
            return false;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; i < record.count; i++) {
        const struct column *column = &record.columns[i];
        if (column->key != JSON_NONE)
            json_put_key_of(&writer, line, column->key);
        else
            json_put_key_slice(&writer, column->name);
        if (column->value == JSON_NONE)
            json_put_raw(&writer, column->text);
        else
            put_chosen(&writer, line, column->value, column->field);
    }
    json_end_object(&writer);
    return true;
}
