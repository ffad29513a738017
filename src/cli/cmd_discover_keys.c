/* firth discover: each stream gets a key that its documents have, a schema that says so, and a name. */
#include "cli/cmd_discover.h"
#include "schema/regex.h"
#include "schema/shape/shape.h"
#include "json/writer.h"

enum { FIELDS_TRIED_MAX = 64, KEY_FIELDS_MAX = 8 };
static const char schema_uri[] = "firth://stream/schema";

/* --- the schema, with the key required in it ------------------------------------------------------- */

struct tight {
    const struct json *doc;
    struct json_writer *writer;
    const char **key;
    size_t key_count;
    struct arena *arena;
};

/* The first name of a pointer; *ret_rest is the pointer behind it. */
static struct slice first_name(struct arena *arena, const char *pointer, const char **ret_rest)
{
    size_t size = strcspn(pointer + 1, "/"), out = 0;
    char *name = arena_strndup(arena, pointer + 1, size);
    *ret_rest = pointer + 1 + size;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '~' && i + 1 < size)
            name[out++] = name[++i] == '1' ? '/' : '~';
        else
            name[out++] = name[i];
    }
    return (struct slice){name, out};
}

static void put_tight(const struct tight *tight, uint32_t at);

/* "number" is no part of a key, a whole number is; null is none either. */
static void put_key_type(const struct tight *tight, uint32_t type)
{
    const struct json *doc = tight->doc;
    if (!json_is(doc, type, JSON_ARRAY)) {
        if (json_string_is(doc, type, "number"))
            json_put_string(tight->writer, "integer");
        else
            json_put_value(tight->writer, doc, type);
        return;
    }
    bool whole = false;
    json_begin_array(tight->writer);
    for (uint32_t each = json_first(doc, type); each != JSON_NONE; each = json_next(doc, type, each)) {
        bool number = json_string_is(doc, each, "number") || json_string_is(doc, each, "integer");
        if (json_string_is(doc, each, "null") || (number && whole))
            continue;
        whole |= number;
        if (number)
            json_put_string(tight->writer, "integer");
        else
            json_put_value(tight->writer, doc, each);
    }
    json_end_array(tight->writer);
}

static void put_choices(const struct tight *tight, uint32_t choices, bool leaf)
{
    json_begin_array(tight->writer);
    for (uint32_t each = json_first(tight->doc, choices); each != JSON_NONE;
         each = json_next(tight->doc, choices, each)) {
        if (leaf && json_string_is(tight->doc, json_get(tight->doc, each, "type"), "null"))
            continue;
        json_put_value(tight->writer, tight->doc, each);
    }
    json_end_array(tight->writer);
}

static void put_leaf(const struct tight *tight, uint32_t at)
{
    const struct json *doc = tight->doc;
    if (!json_is(doc, at, JSON_OBJECT)) {
        json_put_value(tight->writer, doc, at);
        return;
    }
    json_begin_object(tight->writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        json_put_key_of(tight->writer, doc, key);
        if (json_string_is(doc, key, "type"))
            put_key_type(tight, json_value(key));
        else if (json_string_is(doc, key, "anyOf") || json_string_is(doc, key, "oneOf"))
            put_choices(tight, json_value(key), true);
        else
            json_put_value(tight->writer, doc, json_value(key));
    }
    json_end_object(tight->writer);
}

static void put_property(const struct tight *tight, struct slice name, uint32_t at)
{
    struct tight inner = *tight;
    bool leaf = false;
    inner.key = arena_zalloc(tight->arena, (tight->key_count + 1) * sizeof *inner.key);
    inner.key_count = 0;
    for (size_t i = 0; i < tight->key_count; i++) {
        const char *rest;
        if (!slice_equal(first_name(tight->arena, tight->key[i], &rest), name))
            continue;
        leaf |= !*rest;
        if (*rest)
            inner.key[inner.key_count++] = rest;
    }
    if (leaf)
        put_leaf(tight, at);
    else if (inner.key_count)
        put_tight(&inner, at);
    else
        json_put_value(tight->writer, tight->doc, at);
}

static void put_required(const struct tight *tight, uint32_t required)
{
    const struct json *doc = tight->doc;
    json_begin_array(tight->writer);
    for (uint32_t each = json_first(doc, required); each != JSON_NONE; each = json_next(doc, required, each))
        json_put_value(tight->writer, doc, each);
    for (size_t i = 0; i < tight->key_count; i++) {
        const char *rest;
        struct slice name = first_name(tight->arena, tight->key[i], &rest);
        bool there = false;
        for (uint32_t each = json_first(doc, required); each != JSON_NONE;
             each = json_next(doc, required, each))
            there |= json_is(doc, each, JSON_STRING) && json_text_is(doc, each, name);
        for (size_t j = 0; j < i; j++)
            there |= slice_equal(first_name(tight->arena, tight->key[j], &rest), name);
        if (!there)
            json_put_slice(tight->writer, name);
    }
    json_end_array(tight->writer);
}

/* An object's schema; `key` are the parts that are within. */
static void put_tight(const struct tight *tight, uint32_t at)
{
    const struct json *doc = tight->doc;
    if (!json_is(doc, at, JSON_OBJECT)) {
        json_put_value(tight->writer, doc, at);
        return;
    }
    json_begin_object(tight->writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        if (json_string_is(doc, key, "required"))
            continue;
        json_put_key_of(tight->writer, doc, key);
        uint32_t value = json_value(key);
        if (json_string_is(doc, key, "type") && json_is(doc, value, JSON_ARRAY)) {
            put_key_type(tight, value);
        } else if (json_string_is(doc, key, "properties") && json_is(doc, value, JSON_OBJECT)) {
            json_begin_object(tight->writer);
            for (uint32_t each = json_first_key(doc, value); each != JSON_NONE;
                 each = json_next_key(doc, value, each)) {
                json_put_key_of(tight->writer, doc, each);
                put_property(tight, json_string(doc, each, tight->arena), json_value(each));
            }
            json_end_object(tight->writer);
        } else {
            json_put_value(tight->writer, doc, value);
        }
    }
    json_put_key(tight->writer, "required");
    put_required(tight, json_get(doc, at, "required"));
    json_end_object(tight->writer);
}

static struct slice tighten(struct arena *arena, const struct json *doc, const char **key, size_t key_count)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    const struct tight tight = {doc, &writer, key, key_count, arena};
    put_tight(&tight, 0);
    struct slice result = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return result;
}

/* --- keys ------------------------------------------------------------------------------------------ */

/* Why the schema or the key in it cannot be used, NULL if they can. */
static const char *problem_of(struct arena *arena, struct slice text, const char **key, size_t key_count)
{
    struct error err;
    mem_auto(schema_registry_free) struct schema_registry *registry =
        schema_registry_new(SCHEMA_DRAFT_2020_12);
    if (schema_registry_add(registry, schema_uri, text, &err) < 0)
        return arena_strdup(arena, err.message);
    mem_auto(schema_free) struct schema *schema = schema_compile(registry, schema_uri, &err);
    if (!schema)
        return arena_strdup(arena, err.message);
    mem_auto(shape_free) struct shape *shape = shape_of_schema(registry, schema_uri, &err);
    for (size_t i = 0; shape && i < key_count; i++) {
        const char *problem = shape_key_problem(shape, key[i], arena);
        if (problem)
            return problem;
    }
    return NULL;
}

/* Why this cannot be its key; NULL: it is from now on, with a schema that requires it. */
static const char *use_key(struct discovery *discovery, struct discover_stream *stream,
                           const struct json *doc, const char **key, size_t key_count)
{
    struct slice text = tighten(&discovery->arena, doc, key, key_count);
    const char *problem = problem_of(&discovery->arena, text, key, key_count);
    if (problem)
        return problem;
    stream->schema = text;
    stream->key = key;
    stream->key_count = key_count;
    return NULL;
}

static bool try_key(struct discovery *discovery, struct discover_stream *stream, const struct json *doc,
                    const char **key, size_t key_count)
{
    return !use_key(discovery, stream, doc, key, key_count);
}

static bool is_scalar_field(const struct json *doc, uint32_t at)
{
    uint32_t type = json_get(doc, at, "type");
    if (json_is(doc, type, JSON_STRING))
        return json_string_is(doc, type, "string") || json_string_is(doc, type, "integer") ||
               json_string_is(doc, type, "boolean");
    bool scalar = json_count(doc, type) > 0;
    for (uint32_t each = json_first(doc, type); each != JSON_NONE; each = json_next(doc, type, each))
        scalar &= !json_string_is(doc, each, "object") && !json_string_is(doc, each, "array") &&
                  !json_string_is(doc, each, "number");
    return scalar;
}

/* A stream of no key: what names it, what its schema requires, what orders it, whatever there is. */
static bool fall_back(struct discovery *discovery, struct discover_stream *stream, const struct json *doc)
{
    static const char *const usual[] = {"id", "_id", "uuid", "guid", "key", "_airbyte_raw_id"};
    struct arena *arena = &discovery->arena;
    uint32_t properties = json_get(doc, 0, "properties"), required = json_get(doc, 0, "required");
    const char **tried = arena_zalloc(arena, (KEY_FIELDS_MAX + 1) * sizeof *tried);
    const char *cursor = stream->key_count == 0 && stream->key ? stream->key[0] : NULL;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        tried[0] = arena_printf(arena, "/%s", usual[i]);
        if (json_get(doc, properties, usual[i]) != JSON_NONE && try_key(discovery, stream, doc, tried, 1))
            return true;
    }
    size_t count = 0;
    for (uint32_t each = json_first(doc, required); each != JSON_NONE && count < KEY_FIELDS_MAX;
         each = json_next(doc, required, each)) {
        struct slice name =
            json_is(doc, each, JSON_STRING) ? json_string(doc, each, arena) : (struct slice){"", 0};
        struct buffer pointer;
        if (!is_scalar_field(doc, json_get_slice(doc, properties, name)))
            continue;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_push(&pointer, name);
        tried[count++] = arena_strdup(arena, buffer_cstr(&pointer));
        buffer_done(&pointer);
    }
    if (count && try_key(discovery, stream, doc, tried, count))
        return true;
    tried[0] = cursor;
    if (cursor && try_key(discovery, stream, doc, tried, 1))
        return true;
    size_t looked = 0;
    for (uint32_t key = json_first_key(doc, properties); key != JSON_NONE && looked < FIELDS_TRIED_MAX;
         key = json_next_key(doc, properties, key), looked++) {
        struct buffer pointer;
        if (!is_scalar_field(doc, json_value(key)))
            continue;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        json_pointer_push(&pointer, json_string(doc, key, arena));
        tried[0] = arena_strdup(arena, buffer_cstr(&pointer));
        buffer_done(&pointer);
        if (try_key(discovery, stream, doc, tried, 1))
            return true;
    }
    tried[0] = "/id";
    return try_key(discovery, stream, doc, tried, 1);
}

/* A key that the source or the catalog names is required in the schema. If the schema cannot have it so, a
 * connector of Flow's, which means the key that it names, gets a schema that can; a stream of Airbyte's, of
 * which the database's own key is named, whatever that is, gets another key. */
static void prepare_key(struct discovery *discovery, struct discover_stream *stream)
{
    static const char anything[] = "{\"type\":\"object\"}";
    struct json doc;
    struct error err;
    bool flow = stream->resource.data != NULL;
    const char *problem = NULL;
    if (json_parse_copy(&discovery->arena, stream->schema.data, stream->schema.size, &doc, &err) < 0)
        problem = arena_strdup(&discovery->arena, err.message);
    else
        problem = problem_of(&discovery->arena, stream->schema, NULL, 0);
    if (!problem && stream->key_count) {
        const char *why = use_key(discovery, stream, &doc, stream->key, stream->key_count);
        if (!why)
            return;
        if (flow) {
            problem = why;
        } else if (stream->bound) {
            /* Of a collection that is there no other key will do: the catalog's own check says what is wrong.
             */
            stream->schema = tighten(&discovery->arena, &doc, stream->key, stream->key_count);
            return;
        }
    }
    if (problem) {
        stream->note = arena_printf(
            &discovery->arena, "The source's schema cannot be used, so that this one accepts everything: %s",
            problem);
        if (json_parse_copy(&discovery->arena, anything, sizeof anything - 1, &doc, &err) < 0)
            abort();
        if (stream->key_count && try_key(discovery, stream, &doc, stream->key, stream->key_count))
            return;
    }
    if (fall_back(discovery, stream, &doc)) {
        stream->guessed_key = true;
        if (!problem)
            stream->note =
                "The source has no key here. This one was found by the names and types of its fields: look "
                "whether each document has its own; one without it stops the capture.";
        return;
    }
    stream->key_count = 0;
    stream->chosen = false;
}

bool discover_key_is_possible(struct discovery *discovery, const struct discover_stream *stream)
{
    struct json doc;
    struct error unused;
    return json_parse_copy(&discovery->arena, stream->schema.data, stream->schema.size, &doc, &unused) == 0 &&
           !problem_of(&discovery->arena, tighten(&discovery->arena, &doc, stream->key, stream->key_count),
                       stream->key, stream->key_count);
}

bool discover_same_key(const char *const *key, size_t count, const struct catalog_collection *target)
{
    bool same = count == target->key_count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(key[i], target->key[i]) == 0;
    return same;
}

void discover_take_key(struct discovery *discovery, struct discover_stream *stream,
                       const struct catalog_collection *target)
{
    stream->bound = true;
    stream->found_key = !stream->guessed_key &&
                        discover_same_key((const char *const *)stream->key, stream->key_count, target);
    stream->key_count = target->key_count;
    stream->key = arena_zalloc(&discovery->arena, (target->key_count + 1) * sizeof *stream->key);
    memcpy(stream->key, target->key, target->key_count * sizeof *stream->key);
}

/* --- names ----------------------------------------------------------------------------------------- */

/* What a name is made of: letters and digits of any script. A dot is left out: a part of dots alone is none.
 */
struct letters {
    struct regex *regex;
    struct regex_scratch *scratch;
};

static void letters_init(struct letters *letters)
{
    struct error err;
    letters->regex = regex_compile(SLICE_LITERAL("^[\\p{L}\\p{N}\\-_]$"), &err);
    letters->scratch = regex_scratch_new();
    assert(letters->regex);
}

static void letters_done(struct letters *letters)
{
    regex_free(letters->regex);
    regex_scratch_free(letters->scratch);
}

static void append_name(struct buffer *out, const char *text, bool slashes, const struct letters *letters)
{
    size_t begin = out->size;
    for (size_t i = 0, size = strlen(text), length; i < size; i += length) {
        utf8_decode(text + i, size - i, &length);
        struct slice character = {text + i, length};
        bool inner_slash = slashes && text[i] == '/' && out->size > begin && out->data[out->size - 1] != '/';
        bool fine = inner_slash || (utf8_valid(character.data, length) &&
                                    regex_match(letters->regex, letters->scratch, character) == 1);
        if (fine)
            buffer_append(out, character.data, length);
        else
            buffer_byte(out, '_');
    }
    while (out->size > begin && out->data[out->size - 1] == '/')
        out->size--;
    if (out->size == begin)
        buffer_byte(out, '_');
}

static int by_name(const void *a, const void *b)
{
    const struct discover_stream *const *left = a, *const *right = b;
    int order = strcmp((*left)->collection, (*right)->collection);
    return order ? order : *left < *right ? -1 : *left > *right;
}

/* "public/orders"; two streams of one name, as it must be written, get numbers. */
static void name_all(struct discovery *discovery)
{
    struct arena *arena = &discovery->arena;
    struct discover_stream **sorted = arena_zalloc(arena, (discovery->stream_count + 1) * sizeof(void *));
    struct letters letters;
    letters_init(&letters);
    for (size_t i = 0; i < discovery->stream_count; i++) {
        struct discover_stream *stream = &discovery->streams[i];
        struct buffer name;
        buffer_init(&name, BUFFER_UNLIMITED);
        if (stream->namespace) {
            append_name(&name, stream->namespace, false, &letters);
            buffer_byte(&name, '/');
        }
        append_name(&name, stream->name, stream->resource.data != NULL, &letters);
        name.size = utf8_cut(name.data, name.size, CATALOG_NAME_MAX / 2);
        stream->collection = arena_strdup(arena, buffer_cstr(&name));
        buffer_done(&name);
        sorted[i] = stream;
    }
    letters_done(&letters);
    bool again = true;
    for (size_t round = 0; again && round < 8; round++) {
        again = false;
        qsort(sorted, discovery->stream_count, sizeof(void *), by_name);
        for (size_t i = 1, number = 2; i < discovery->stream_count; i++) {
            const char *base = sorted[i - 1]->collection;
            for (number = 2; i < discovery->stream_count && strcmp(sorted[i]->collection, base) == 0;
                 i++, number++) {
                sorted[i]->collection = arena_printf(arena, "%s_%zu", base, number);
                again = true;
            }
        }
    }
}

void discover_prepare(struct discovery *discovery)
{
    for (size_t i = 0; i < discovery->stream_count; i++)
        prepare_key(discovery, &discovery->streams[i]);
    name_all(discovery);
}
