#include "avro.h"

#include "base/map.h"
#include "json/json.h"
#include "json/writer.h"

/* An Avro schema's JSON as a tree of types; a named type that is used again is the same node again, also
 * within itself. */

struct compiler {
    const struct json *doc;
    struct arena *arena;
    struct map named; /* full name -> struct avro_type */
    size_t types;
};

static const char *const kind_names[] = {
    [AVRO_NULL] = "null",     [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",     [AVRO_LONG] = "long",
    [AVRO_FLOAT] = "float",   [AVRO_DOUBLE] = "double",   [AVRO_BYTES] = "bytes", [AVRO_STRING] = "string",
    [AVRO_RECORD] = "record", [AVRO_ENUM] = "enum",       [AVRO_ARRAY] = "array", [AVRO_MAP] = "map",
    [AVRO_UNION] = "union",   [AVRO_FIXED] = "fixed"};

static int compile(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                   struct avro_type **ret_type, struct error *err);

static struct slice text_of(struct compiler *compiler, uint32_t object, const char *name)
{
    uint32_t at = json_get(compiler->doc, object, name);
    return json_is(compiler->doc, at, JSON_STRING) ? json_string(compiler->doc, at, compiler->arena)
                                                   : (struct slice){0};
}

static int wrong(const char *what, struct slice name, struct error *err)
{
    return error_set(err, ERROR_CORRUPT, "the Avro schema %s '%.*s'", what,
                     (int)(name.size < 200 ? name.size : 200), name.data ? name.data : "");
}

/* Names without a dot are of the namespace that they stand in. */
static struct slice full_name(struct compiler *compiler, struct slice name, struct slice space)
{
    if (!space.size || memchr(name.data, '.', name.size))
        return name;
    return slice_of(arena_printf(compiler->arena, "%.*s.%.*s", SLICE_ARGS(space), SLICE_ARGS(name)));
}

static struct slice space_of(struct slice name)
{
    while (name.size && name.data[name.size - 1] != '.')
        name.size--;
    return (struct slice){name.data, name.size ? name.size - 1 : 0};
}

/* --- logical types ---------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    enum avro_logical logical;
    enum avro_kind kind;
    int scale;
} logicals[] = {
    {"date", AVRO_DATE, AVRO_INT, 0},
    {"time-millis", AVRO_TIME, AVRO_INT, 3},
    {"time-micros", AVRO_TIME, AVRO_LONG, 6},
    {"timestamp-millis", AVRO_TIMESTAMP, AVRO_LONG, 3},
    {"timestamp-micros", AVRO_TIMESTAMP, AVRO_LONG, 6},
    {"timestamp-nanos", AVRO_TIMESTAMP, AVRO_LONG, 9},
    {"local-timestamp-millis", AVRO_LOCAL_TIMESTAMP, AVRO_LONG, 3},
    {"local-timestamp-micros", AVRO_LOCAL_TIMESTAMP, AVRO_LONG, 6},
    {"local-timestamp-nanos", AVRO_LOCAL_TIMESTAMP, AVRO_LONG, 9},
    {"uuid", AVRO_UUID, AVRO_FIXED, 0},
};

static void take_logical(struct compiler *compiler, uint32_t at, struct avro_type *type)
{
    struct slice name = text_of(compiler, at, "logicalType");
    int64_t precision = 0, scale = 0;
    for (size_t i = 0; i < sizeof logicals / sizeof *logicals; i++) {
        if (slice_is(name, logicals[i].name) && type->kind == logicals[i].kind &&
            (logicals[i].logical != AVRO_UUID || type->size == 16)) {
            type->logical = logicals[i].logical;
            type->scale = logicals[i].scale;
        }
    }
    if (slice_is(name, "duration") && type->kind == AVRO_FIXED && type->size == 12)
        type->logical = AVRO_DURATION;
    json_to_i64(compiler->doc, json_get(compiler->doc, at, "precision"), &precision);
    json_to_i64(compiler->doc, json_get(compiler->doc, at, "scale"), &scale);
    if (slice_is(name, "decimal") && (type->kind == AVRO_BYTES || type->kind == AVRO_FIXED) &&
        precision > 0 && scale >= 0 && scale <= precision && scale <= 3 * AVRO_DECIMAL_MAX) {
        type->logical = AVRO_DECIMAL;
        type->scale = (int)scale;
    }
}

/* --- types -----------------------------------------------------------------------------------------------
 */

static void make_room(struct compiler *compiler, struct avro_type *type, size_t count)
{
    type->count = count;
    type->names = arena_zalloc(compiler->arena, (count + 1) * sizeof *type->names);
    type->inner = arena_zalloc(compiler->arena, (count + 1) * sizeof *type->inner);
}

static struct slice as_key(struct compiler *compiler, struct slice name)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    json_escape(&out, name);
    buffer_byte(&out, ':');
    struct slice key = {arena_strndup(compiler->arena, out.data, out.size), out.size};
    buffer_done(&out);
    return key;
}

static int compile_fields(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                          struct avro_type *type, struct error *err)
{
    const struct json *doc = compiler->doc;
    uint32_t fields = json_get(doc, at, "fields");
    if (!json_is(doc, fields, JSON_ARRAY))
        return wrong("has a record without fields", text_of(compiler, at, "name"), err);
    make_room(compiler, type, json_count(doc, fields));
    size_t i = 0;
    for (uint32_t e = json_first(doc, fields); e != JSON_NONE; e = json_next(doc, fields, e), i++) {
        struct slice name = text_of(compiler, e, "name");
        if (!name.size)
            return wrong("has a field without a name in", text_of(compiler, at, "name"), err);
        type->names[i] = as_key(compiler, name);
        if (compile(compiler, json_get(doc, e, "type"), space, depth + 1, &type->inner[i], err) < 0)
            return -1;
    }
    return 0;
}

static int compile_symbols(struct compiler *compiler, uint32_t at, struct avro_type *type, struct error *err)
{
    const struct json *doc = compiler->doc;
    uint32_t symbols = json_get(doc, at, "symbols");
    if (!json_is(doc, symbols, JSON_ARRAY))
        return wrong("has an enum without symbols", text_of(compiler, at, "name"), err);
    make_room(compiler, type, json_count(doc, symbols));
    size_t i = 0;
    for (uint32_t e = json_first(doc, symbols); e != JSON_NONE; e = json_next(doc, symbols, e), i++) {
        if (!json_is(doc, e, JSON_STRING))
            return wrong("has a symbol that is no text in", text_of(compiler, at, "name"), err);
        type->names[i] = json_string(doc, e, compiler->arena);
    }
    return 0;
}

/* A record is known by its name before its fields are looked at: they may be of its own type. */
static int compile_named(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                         struct avro_type *type, struct error *err)
{
    struct slice name = text_of(compiler, at, "name"), own = text_of(compiler, at, "namespace");
    int64_t size = -1;
    if (!name.size)
        return wrong("has a type without a name, a", slice_of(kind_names[type->kind]), err);
    name = full_name(compiler, name, own.size ? own : space);
    if (map_get(&compiler->named, name))
        return wrong("names two types", name, err);
    map_set(&compiler->named, name, type);
    if (type->kind == AVRO_RECORD)
        return compile_fields(compiler, at, space_of(name), depth, type, err);
    if (type->kind == AVRO_ENUM)
        return compile_symbols(compiler, at, type, err);
    if (!json_to_i64(compiler->doc, json_get(compiler->doc, at, "size"), &size) || size < 0 ||
        size > AVRO_BLOCK_MAX)
        return wrong("has a fixed without a size that is one", name, err);
    type->size = (size_t)size;
    return 0;
}

static int compile_union(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                         struct avro_type *type, struct error *err)
{
    const struct json *doc = compiler->doc;
    type->kind = AVRO_UNION;
    make_room(compiler, type, json_count(doc, at));
    size_t i = 0;
    for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e), i++) {
        if (compile(compiler, e, space, depth + 1, &type->inner[i], err) < 0)
            return -1;
    }
    return 0;
}

/* "long", or the name of a type that was defined before. */
static int compile_name(struct compiler *compiler, uint32_t at, struct slice space, struct avro_type *type,
                        struct avro_type **ret_type, struct error *err)
{
    struct slice name = json_string(compiler->doc, at, compiler->arena);
    for (unsigned kind = AVRO_NULL; kind <= AVRO_STRING; kind++) {
        if (slice_is(name, kind_names[kind])) {
            type->kind = kind;
            *ret_type = type;
            return 0;
        }
    }
    *ret_type = map_get(&compiler->named, full_name(compiler, name, space));
    if (!*ret_type)
        *ret_type = map_get(&compiler->named, name);
    return *ret_type ? 0 : wrong("has no type", name, err);
}

static int compile_object(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                          struct avro_type *type, struct avro_type **ret_type, struct error *err)
{
    const struct json *doc = compiler->doc;
    uint32_t what = json_get(doc, at, "type");
    struct slice name = text_of(compiler, at, "type");
    *ret_type = type;
    if (slice_is(name, "error"))
        name = slice_of("record");
    for (unsigned kind = AVRO_RECORD; name.size && kind <= AVRO_FIXED; kind++) {
        if (kind == AVRO_UNION || !slice_is(name, kind_names[kind]))
            continue;
        type->kind = kind;
        if (kind == AVRO_ARRAY || kind == AVRO_MAP) {
            make_room(compiler, type, 1);
            return compile(compiler, json_get(doc, at, kind == AVRO_ARRAY ? "items" : "values"), space,
                           depth + 1, type->inner, err);
        }
        if (compile_named(compiler, at, space, depth, type, err) < 0)
            return -1;
        take_logical(compiler, at, type);
        return 0;
    }
    if (!json_is(doc, what, JSON_STRING)) /* a type in one more pair of braces */
        return compile(compiler, what, space, depth + 1, ret_type, err);
    if (compile_name(compiler, what, space, type, ret_type, err) < 0)
        return -1;
    if (*ret_type == type) /* one that was defined elsewhere keeps what it was */
        take_logical(compiler, at, type);
    return 0;
}

static int compile(struct compiler *compiler, uint32_t at, struct slice space, unsigned depth,
                   struct avro_type **ret_type, struct error *err)
{
    if (depth >= AVRO_DEPTH_MAX || ++compiler->types > AVRO_TYPES_MAX)
        return error_set(err, ERROR_LIMIT,
                         "the Avro schema has more than %d types, or more than %d in one another",
                         AVRO_TYPES_MAX, AVRO_DEPTH_MAX);
    struct avro_type *type = arena_zalloc(compiler->arena, sizeof *type);
    *ret_type = type;
    if (json_is(compiler->doc, at, JSON_STRING))
        return compile_name(compiler, at, space, type, ret_type, err);
    if (json_is(compiler->doc, at, JSON_ARRAY))
        return compile_union(compiler, at, space, depth, type, err);
    if (json_is(compiler->doc, at, JSON_OBJECT))
        return compile_object(compiler, at, space, depth, type, ret_type, err);
    return error_set(err, ERROR_CORRUPT, "the Avro schema lacks a type where there must be one");
}

int avro_schema_parse(struct slice text, struct arena *arena, struct avro_type **ret_type, struct error *err)
{
    struct json doc;
    if (json_parse_copy(arena, text.data, text.size, &doc, err) < 0)
        return error_wrap(err, "the Avro schema");
    struct compiler compiler = {.doc = &doc, .arena = arena};
    map_init(&compiler.named);
    int result = compile(&compiler, 0, (struct slice){0}, 0, ret_type, err);
    map_done(&compiler.named);
    if (result == 0 && (*ret_type)->kind != AVRO_RECORD)
        result = error_set(err, ERROR_UNSUPPORTED,
                           "an Avro file must hold records, but this one's values are of type %s",
                           kind_names[(*ret_type)->kind]);
    return result;
}
