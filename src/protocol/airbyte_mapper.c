#include "protocol/airbyte_mapper.h"

#include "protocol/airbyte_field.h"

struct reading {
    const struct json *doc;
    struct arena *arena;
    size_t conditions;
    struct error *err;
};

static bool is_text(const struct json *doc, uint32_t at, const char *text)
{
    return json_is(doc, at, JSON_STRING) && json_string_is(doc, at, text);
}

/* --- one mapper ---------------------------------------------------------------------------------- */

static int read_name(struct reading *reading, const char *type, uint32_t object, const char *member,
                     bool may_be_empty, struct slice *ret_name)
{
    uint32_t at = json_get(reading->doc, object, member);
    if (!json_is(reading->doc, at, JSON_STRING) || (!may_be_empty && json_inner(reading->doc, at).size == 0))
        return error_set(reading->err, ERROR_INVALID, "a mapper of the type '%s' has a '%s', which is a text",
                         type, member);
    *ret_name = json_string(reading->doc, at, reading->arena);
    return 0;
}

static int read_condition(struct reading *reading, uint32_t at, unsigned depth,
                          struct airbyte_condition *condition);

static int read_parts(struct reading *reading, uint32_t at, unsigned depth, bool one,
                      struct airbyte_condition *condition)
{
    const struct json *doc = reading->doc;
    uint32_t list = json_get(doc, at, "conditions"), count = json_count(doc, list);
    if (!json_is(doc, list, JSON_ARRAY) || count == 0 || (one && count != 1))
        return error_set(reading->err, ERROR_INVALID,
                         "a condition NOT has 'conditions' with one in it, AND and OR have one or more");
    reading->conditions += count;
    if (reading->conditions > AIRBYTE_CONDITIONS_MAX)
        return error_set(reading->err, ERROR_LIMIT, "a row filter has more than %d conditions",
                         AIRBYTE_CONDITIONS_MAX);
    struct airbyte_condition *parts = arena_zalloc(reading->arena, count * sizeof *parts);
    condition->parts = parts;
    for (uint32_t part = json_first(doc, list); part != JSON_NONE; part = json_next(doc, list, part))
        if (read_condition(reading, part, depth + 1, &parts[condition->count++]) < 0)
            return -1;
    return 0;
}

static int read_condition(struct reading *reading, uint32_t at, unsigned depth,
                          struct airbyte_condition *condition)
{
    static const char *const types[] = {"EQUAL", "NOT", "AND", "OR"};
    uint32_t type = json_get(reading->doc, at, "type");
    if (depth > AIRBYTE_CONDITION_DEPTH_MAX)
        return error_set(reading->err, ERROR_LIMIT, "conditions of a row filter are nested more than %d deep",
                         AIRBYTE_CONDITION_DEPTH_MAX);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!is_text(reading->doc, type, types[i]))
            continue;
        condition->type = (enum airbyte_condition_type)i;
        if (condition->type != AIRBYTE_EQUAL)
            return read_parts(reading, at, depth, condition->type == AIRBYTE_NOT, condition);
        return read_name(reading, "row-filtering", at, "fieldName", false, &condition->field) < 0
                   ? -1
                   : read_name(reading, "row-filtering", at, "comparisonValue", true, &condition->value);
    }
    const char *name = json_cstring(reading->doc, type, reading->arena);
    return error_set(reading->err, ERROR_INVALID,
                     "a row filter has the condition '%.40s'; there are EQUAL, NOT, AND, OR",
                     name ? name : "");
}

static int read_hashing(struct reading *reading, uint32_t config, struct airbyte_mapper *mapper)
{
    static const char *const methods[] = {"MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"};
    uint32_t method = json_get(reading->doc, config, "method");
    struct slice suffix = {0};
    if (read_name(reading, "hashing", config, "targetField", false, &mapper->field) < 0 ||
        (json_get(reading->doc, config, "fieldNameSuffix") != JSON_NONE &&
         read_name(reading, "hashing", config, "fieldNameSuffix", true, &suffix) < 0))
        return -1;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (is_text(reading->doc, method, methods[i]))
            mapper->method = methods[i];
    if (!mapper->method) {
        const char *name = json_cstring(reading->doc, method, reading->arena);
        return error_set(reading->err, ERROR_INVALID,
                         "hashing has the method '%.40s'; there are MD5, SHA-1, SHA-224, SHA-256, SHA-384, "
                         "SHA-512",
                         name ? name : "");
    }
    mapper->type = AIRBYTE_MAPPER_HASH;
    mapper->target =
        slice_of(arena_printf(reading->arena, "%.*s%.*s", SLICE_ARGS(mapper->field), SLICE_ARGS(suffix)));
    return 0;
}

static int read_mapper(struct reading *reading, uint32_t at, struct airbyte_mapper *mapper)
{
    const struct json *doc = reading->doc;
    uint32_t type = json_get(doc, at, "type"), config = json_get(doc, at, "mapperConfiguration");
    if (is_text(doc, type, "hashing"))
        return read_hashing(reading, config, mapper);
    if (is_text(doc, type, "field-renaming")) {
        mapper->type = AIRBYTE_MAPPER_RENAME;
        return read_name(reading, "field-renaming", config, "originalFieldName", false, &mapper->field) < 0
                   ? -1
                   : read_name(reading, "field-renaming", config, "newFieldName", false, &mapper->target);
    }
    if (is_text(doc, type, "field-filtering")) {
        mapper->type = AIRBYTE_MAPPER_REMOVE;
        return read_name(reading, "field-filtering", config, "targetField", false, &mapper->field);
    }
    if (is_text(doc, type, "row-filtering")) {
        mapper->type = AIRBYTE_MAPPER_FILTER;
        return read_condition(reading, json_get(doc, config, "conditions"), 0, &mapper->condition);
    }
    const char *name = json_cstring(doc, type, reading->arena);
    return error_set(reading->err, ERROR_INVALID,
                     "there is no mapper '%.40s' here; there are hashing, field-renaming, field-filtering, "
                     "row-filtering",
                     name ? name : "");
}

/* An older spelling: [{"fieldPath": ["email"]}]. */
static int read_hashed(struct reading *reading, uint32_t at, struct airbyte_mapper *mapper)
{
    uint32_t path = json_get(reading->doc, at, "fieldPath"), name = json_first(reading->doc, path);
    if (json_count(reading->doc, path) != 1 || !json_is(reading->doc, name, JSON_STRING))
        return error_set(reading->err, ERROR_INVALID,
                         "'hashedFields' names columns: each fieldPath has one name");
    mapper->type = AIRBYTE_MAPPER_HASH;
    mapper->method = "SHA-256";
    mapper->field = json_string(reading->doc, name, reading->arena);
    mapper->target = slice_of(arena_printf(reading->arena, "%.*s_hashed", SLICE_ARGS(mapper->field)));
    return 0;
}

int airbyte_mappers_read(const struct json *doc, uint32_t config, struct arena *arena,
                         const struct airbyte_mapper **ret_mappers, size_t *ret_count, struct error *err)
{
    uint32_t list = json_get(doc, config, "mappers"), hashed = json_get(doc, config, "hashedFields");
    size_t most = (size_t)json_count(doc, list) + json_count(doc, hashed), count = 0;
    struct reading reading = {.doc = doc, .arena = arena, .err = err};
    if (most > AIRBYTE_MAPPERS_MAX)
        return error_set(err, ERROR_LIMIT, "a stream has %zu mappers; the limit is %d", most,
                         AIRBYTE_MAPPERS_MAX);
    struct airbyte_mapper *mappers = arena_zalloc(arena, (most + 1) * sizeof *mappers);
    for (uint32_t at = json_first(doc, hashed); at != JSON_NONE; at = json_next(doc, hashed, at))
        if (read_hashed(&reading, at, &mappers[count++]) < 0)
            return -1;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        reading.conditions = 0;
        if (read_mapper(&reading, at, &mappers[count++]) < 0)
            return -1;
    }
    *ret_mappers = mappers;
    *ret_count = count;
    return 0;
}

/* --- do they fit --------------------------------------------------------------------------------- */

enum { LISTED_MAX = 10 };

/* The columns of a stream as they are after each mapper. */
struct columns {
    const char **names;
    size_t count;
    bool named; /* there are names at all */
    bool open;  /* there may be others */
};

static size_t find(const struct columns *columns, struct slice name)
{
    size_t i = 0;
    while (i < columns->count && !slice_is(name, columns->names[i]))
        i++;
    return i;
}

static int check_there(const struct columns *columns, struct slice field, bool sure, struct arena *arena,
                       struct error *err)
{
    if (!columns->named || find(columns, field) < columns->count || (columns->open && !sure))
        return 0;
    const char *name = arena_strndup(arena, field.data, field.size), *all = "";
    const char *nearest = string_nearest(name, columns->names, columns->count);
    for (size_t i = 0; i < columns->count && i < LISTED_MAX; i++)
        all = arena_printf(arena, "%s%s%s", all, i ? ", " : "", columns->names[i]);
    const char *hint =
        nearest ? arena_printf(arena, "; did you mean '%s'?", nearest)
                : arena_printf(arena, "; there are: %s%s", all, columns->count > LISTED_MAX ? ", …" : "");
    return error_set(err, ERROR_INVALID, "a mapper is for the column '%.100s', which is not there%s", name,
                     hint);
}

static int check_condition(const struct columns *columns, const struct airbyte_condition *condition,
                           struct arena *arena, struct error *err)
{
    if (condition->type == AIRBYTE_EQUAL)
        return check_there(columns, condition->field, false, arena, err);
    for (size_t i = 0; i < condition->count; i++)
        if (check_condition(columns, &condition->parts[i], arena, err) < 0)
            return -1;
    return 0;
}

static void rename_column(struct columns *columns, const struct airbyte_mapper *mapper, struct arena *arena)
{
    size_t at = find(columns, mapper->field);
    if (at < columns->count)
        columns->names[at] = arena_strndup(arena, mapper->target.data, mapper->target.size);
}

static int check_mapper(struct columns *columns, struct columns *key, const struct airbyte_mapper *mapper,
                        struct arena *arena, struct error *err)
{
    if (mapper->type == AIRBYTE_MAPPER_FILTER)
        return check_condition(columns, &mapper->condition, arena, err);
    if (check_there(columns, mapper->field, mapper->type == AIRBYTE_MAPPER_HASH, arena, err) < 0)
        return -1;
    size_t at = find(columns, mapper->field), taken = find(columns, mapper->target);
    if (mapper->type == AIRBYTE_MAPPER_REMOVE) {
        if (find(key, mapper->field) < key->count)
            return error_set(err, ERROR_INVALID,
                             "a mapper takes the column '%.100s' away, which is in the primary key",
                             key->names[find(key, mapper->field)]);
        if (at < columns->count)
            columns->names[at] = columns->names[--columns->count];
        return 0;
    }
    if (taken < columns->count && taken != at)
        return error_set(err, ERROR_INVALID,
                         "a mapper makes the column '%.100s' of another, and there is one already",
                         columns->names[taken]);
    rename_column(columns, mapper, arena);
    rename_column(key, mapper, arena);
    return 0;
}

static struct columns schema_columns(const struct json *doc, uint32_t schema, struct arena *arena)
{
    uint32_t properties = json_get(doc, schema, "properties");
    struct columns columns = {
        .names = arena_alloc(arena, ((size_t)json_count(doc, properties) + 1) * sizeof *columns.names),
        .open = airbyte_field_open(doc, schema)};
    for (uint32_t at = json_first_key(doc, properties); at != JSON_NONE;
         at = json_next_key(doc, properties, at))
        columns.names[columns.count++] = json_cstring(doc, at, arena);
    columns.named = columns.count > 0;
    return columns;
}

static int check_all(struct columns *columns, struct columns *key, const struct airbyte_mapper *mappers,
                     size_t count, struct arena *arena, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (check_mapper(columns, key, &mappers[i], arena, err) < 0)
            return -1;
    return 0;
}

/* The first names of a key's paths. */
static struct columns key_columns(const struct json *doc, uint32_t stream, uint32_t config,
                                  struct arena *arena)
{
    uint32_t chosen = json_get(doc, config, "primaryKey");
    uint32_t key = json_count(doc, chosen) ? chosen : json_get(doc, stream, "sourceDefinedPrimaryKey");
    struct columns columns = {
        .names = arena_alloc(arena, ((size_t)json_count(doc, key) + 1) * sizeof *columns.names)};
    for (uint32_t path = json_first(doc, key); path != JSON_NONE; path = json_next(doc, key, path)) {
        const char *name = json_cstring(doc, json_first(doc, path), arena);
        if (name)
            columns.names[columns.count++] = name;
    }
    return columns;
}

int airbyte_mappers_check(const struct json *doc, uint32_t both, struct arena *arena, struct error *err)
{
    uint32_t stream = json_get(doc, both, "stream"), config = json_get(doc, both, "config");
    const struct airbyte_mapper *mappers = NULL;
    size_t count = 0;
    if (airbyte_mappers_read(doc, config, arena, &mappers, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    struct columns key = key_columns(doc, stream, config, arena);
    struct columns columns = schema_columns(doc, json_get(doc, stream, "jsonSchema"), arena);
    return check_all(&columns, &key, mappers, count, arena, err);
}

int airbyte_mappers_fit(const struct json *doc, uint32_t config, const struct json *schema_doc,
                        uint32_t schema, const struct airbyte_path *key, size_t key_count,
                        struct arena *arena, struct error *err)
{
    const struct airbyte_mapper *mappers = NULL;
    size_t count = 0;
    struct columns keys = {.names = arena_alloc(arena, (key_count + 1) * sizeof *keys.names)};
    if (airbyte_mappers_read(doc, config, arena, &mappers, &count, err) < 0)
        return -1;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < key_count; i++)
        if (key[i].count)
            keys.names[keys.count++] = arena_strndup(arena, key[i].parts[0].data, key[i].parts[0].size);
    struct columns columns = schema_columns(schema_doc, schema, arena);
    return check_all(&columns, &keys, mappers, count, arena, err);
}

static bool condition_uses(const struct airbyte_condition *condition, struct slice column)
{
    bool uses = condition->type == AIRBYTE_EQUAL && slice_equal(condition->field, column);
    for (size_t i = 0; i < condition->count && !uses; i++)
        uses = condition_uses(&condition->parts[i], column);
    return uses;
}

bool airbyte_mappers_use(const struct json *doc, uint32_t config, struct slice column, struct arena *arena)
{
    const struct airbyte_mapper *mappers = NULL;
    struct error unused;
    size_t count = 0;
    bool uses = false;
    if (airbyte_mappers_read(doc, config, arena, &mappers, &count, &unused) < 0)
        return false;
    for (size_t i = 0; i < count && !uses; i++)
        uses = mappers[i].type == AIRBYTE_MAPPER_FILTER ? condition_uses(&mappers[i].condition, column)
                                                        : slice_equal(mappers[i].field, column);
    return uses;
}
