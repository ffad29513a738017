#include "schema/redact.h"

#include "json/writer.h"

#include <sodium.h>

enum redaction { REDACTION_NONE, REDACTION_BLOCK, REDACTION_SHA256 };

enum {
    KEYWORD_REDUCE, /* positions in redact_annotations */
    KEYWORD_REDACT,
    DIGEST_TEXT = sizeof "sha256:" - 1 + 2 * crypto_hash_sha256_BYTES,
};
static const char digest_prefix[] = "sha256:";

const char *const redact_annotations[] = {"reduce", "redact", NULL};

struct redactor {
    const struct schema *schema;
    uint8_t *strategies; /* enum redaction, of each of the schema's notes */
    unsigned char salt[REDACT_SALT_MAX];
    size_t salt_size;
    struct buffer text; /* of a container that is hashed */
    struct arena arena;

    /* Of the document at work: what is left of its annotations, in document order. */
    const struct schema_annotation *next, *end;
    struct error *err;
};

static bool has_note(const struct schema *schema, uint16_t keyword)
{
    size_t count;
    const struct schema_note *notes = schema_notes(schema, &count);
    for (size_t i = 0; i < count; i++) {
        if (notes[i].keyword == keyword)
            return true;
    }
    return false;
}

bool redact_wanted(const struct schema *schema)
{
    return has_note(schema, KEYWORD_REDACT);
}

bool redact_schema_reduces(const struct schema *schema)
{
    return has_note(schema, KEYWORD_REDUCE);
}

/* --- understanding annotations --------------------------------------------------------------------- */

static int parse(const struct json *doc, uint32_t at, struct arena *arena, uint8_t *ret_redaction,
                 struct error *err)
{
    static const char *const names[] = {"block", "sha256"};
    uint32_t strategy = json_get(doc, at, "strategy");
    if (!json_is(doc, strategy, JSON_STRING) || json_count(doc, at) != 1)
        return error_set(err, ERROR_INVALID,
                         "expected \"redact\" to be {\"strategy\": \"block\"} or {\"strategy\": \"sha256\"}");
    const char *name = json_cstring(doc, strategy, arena);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_redaction = (uint8_t)(REDACTION_BLOCK + i);
            return 0;
        }
    }
    const char *nearest = string_nearest(name, names, sizeof names / sizeof *names);
    return error_set(err, ERROR_INVALID, "redaction strategy \"%.60s\" is not known; %s\"%s\"%s", name,
                     nearest ? "did you mean " : "right would be ", nearest ? nearest : "block",
                     nearest ? "?" : " or \"sha256\"");
}

struct redactor *redactor_new(const struct schema *schema, struct slice salt, struct error *err)
{
    size_t count;
    const struct schema_note *notes = schema_notes(schema, &count);
    struct redactor *redactor = mem_zalloc(sizeof *redactor);
    redactor->schema = schema;
    redactor->strategies = mem_zalloc(count + 1);
    redactor->salt_size = salt.size < REDACT_SALT_MAX ? salt.size : REDACT_SALT_MAX;
    if (redactor->salt_size)
        memcpy(redactor->salt, salt.data, redactor->salt_size);
    buffer_init(&redactor->text, BUFFER_UNLIMITED);
    arena_init(&redactor->arena);
    for (size_t i = 0; i < count; i++) {
        uint32_t at;
        if (notes[i].keyword != KEYWORD_REDACT)
            continue;
        const struct json *doc = schema_note_value(schema, &notes[i], &at);
        if (parse(doc, at, &redactor->arena, &redactor->strategies[i], err) < 0) {
            error_wrap(err, "%s", schema_note_location(schema, &notes[i], &redactor->arena));
            redactor_free(redactor);
            return NULL;
        }
    }
    return redactor;
}

void redactor_free(struct redactor *redactor)
{
    if (!redactor)
        return;
    sodium_memzero(redactor->salt, sizeof redactor->salt);
    buffer_done(&redactor->text);
    arena_done(&redactor->arena);
    free(redactor->strategies);
    free(redactor);
}

/* --- hashing --------------------------------------------------------------------------------------- */

static bool is_digest(struct slice text)
{
    if (text.size != DIGEST_TEXT || memcmp(text.data, digest_prefix, sizeof digest_prefix - 1) != 0)
        return false;
    for (size_t i = sizeof digest_prefix - 1; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

static void add_u64(crypto_hash_sha256_state *hash, uint64_t value)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    crypto_hash_sha256_update(hash, bytes, sizeof bytes);
}

static void add_text(crypto_hash_sha256_state *hash, struct slice text)
{
    crypto_hash_sha256_update(hash, (const unsigned char *)text.data, text.size);
}

static void add_number(crypto_hash_sha256_state *hash, const struct json *doc, uint32_t at)
{
    static const double safe = 9007199254740992.0; /* 2^53 */
    uint64_t natural;
    int64_t integer;
    double number;
    if (json_is(doc, at, JSON_INTEGER) && json_to_u64(doc, at, &natural)) {
        add_u64(hash, natural);
    } else if (json_is(doc, at, JSON_INTEGER) && json_to_i64(doc, at, &integer)) {
        add_u64(hash, (uint64_t)integer);
    } else if (json_is(doc, at, JSON_INTEGER) || !json_to_double(doc, at, &number)) {
        add_text(hash, json_raw(doc, at)); /* of more bits than Flow has */
    } else if (number >= -safe && number <= safe && number == (double)(int64_t)number) {
        add_u64(hash, (uint64_t)(int64_t)number);
    } else {
        memcpy(&natural, &number, sizeof natural);
        add_u64(hash, natural);
    }
}

static void add_value(struct redactor *redactor, crypto_hash_sha256_state *hash, const struct json *doc,
                      uint32_t at)
{
    struct json_writer writer;
    switch (json_tag(doc, at)) {
    case JSON_NULL:
        return;
    case JSON_FALSE:
    case JSON_TRUE:
        crypto_hash_sha256_update(hash, (const unsigned char *)(json_is(doc, at, JSON_TRUE) ? "\1" : "\0"),
                                  1);
        return;
    case JSON_INTEGER:
    case JSON_NUMBER:
        add_number(hash, doc, at);
        return;
    case JSON_STRING:
        add_text(hash, json_string(doc, at, &redactor->arena));
        return;
    default:
        buffer_clear(&redactor->text);
        json_writer_init(&writer, &redactor->text);
        json_put_value(&writer, doc, at);
        add_text(hash, (struct slice){redactor->text.data, redactor->text.size});
    }
}

static void put_digest(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                       uint32_t at)
{
    crypto_hash_sha256_state hash;
    unsigned char digest[crypto_hash_sha256_BYTES];
    char text[DIGEST_TEXT + 1];
    if (json_is(doc, at, JSON_STRING) && is_digest(json_string(doc, at, &redactor->arena))) {
        json_put_raw(writer, json_raw(doc, at));
        return;
    }
    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, redactor->salt, redactor->salt_size);
    add_value(redactor, &hash, doc, at);
    crypto_hash_sha256_final(&hash, digest);
    memcpy(text, digest_prefix, sizeof digest_prefix);
    sodium_bin2hex(text + sizeof digest_prefix - 1, sizeof text - (sizeof digest_prefix - 1), digest,
                   sizeof digest);
    json_put_string(writer, text);
}

/* --- a document ------------------------------------------------------------------------------------ */

static int contradiction(struct redactor *redactor, const struct json *doc, uint32_t at)
{
    struct buffer pointer;
    buffer_init(&pointer, BUFFER_UNLIMITED);
    json_pointer_of(doc, at, &pointer);
    error_set(redactor->err, ERROR_INVALID, "the schema says of '%s' both \"block\" and \"sha256\"",
              buffer_cstr(&pointer));
    buffer_done(&pointer);
    return -1;
}

/* What is said of the node at `at`, which is at or behind the last one asked for: enum redaction, or -1. */
static int redaction_of(struct redactor *redactor, const struct json *doc, uint32_t at)
{
    uint8_t found = REDACTION_NONE;
    while (redactor->next < redactor->end && redactor->next->instance < at)
        redactor->next++;
    for (; redactor->next < redactor->end && redactor->next->instance == at; redactor->next++) {
        uint8_t said = redactor->strategies[redactor->next->note];
        if (said && found && said != found)
            return contradiction(redactor, doc, at);
        found = said ? said : found;
    }
    return found;
}

/* Is anything said of what is inside of the container? What is said of another keyword may be counted. */
static bool touches(const struct redactor *redactor, const struct json *doc, uint32_t at)
{
    return redactor->next < redactor->end && redactor->next->instance < json_after(doc, at);
}

/* 0, or -1. The value itself stays. */
static int put_inside(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                      uint32_t at);

static int put_hashed_or_inside(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                                uint32_t at, int redaction)
{
    if (redaction != REDACTION_SHA256)
        return put_inside(redactor, writer, doc, at);
    put_digest(redactor, writer, doc, at);
    return 0;
}

static int put_members(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                       uint32_t at)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        int redaction = redaction_of(redactor, doc, json_value(key));
        if (redaction == REDACTION_BLOCK)
            continue;
        json_put_key_of(writer, doc, key);
        if (redaction < 0 || put_hashed_or_inside(redactor, writer, doc, json_value(key), redaction) < 0)
            return -1;
    }
    json_end_object(writer);
    return 0;
}

static int put_elements(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                        uint32_t at)
{
    json_begin_array(writer);
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each)) {
        int redaction = redaction_of(redactor, doc, each);
        if (redaction == REDACTION_BLOCK)
            continue;
        if (redaction < 0 || put_hashed_or_inside(redactor, writer, doc, each, redaction) < 0)
            return -1;
    }
    json_end_array(writer);
    return 0;
}

static int put_inside(struct redactor *redactor, struct json_writer *writer, const struct json *doc,
                      uint32_t at)
{
    if (touches(redactor, doc, at) && json_is(doc, at, JSON_OBJECT))
        return put_members(redactor, writer, doc, at);
    if (touches(redactor, doc, at) && json_is(doc, at, JSON_ARRAY))
        return put_elements(redactor, writer, doc, at);
    json_put_value(writer, doc, at);
    return 0;
}

static bool any_redaction(const struct redactor *redactor)
{
    for (const struct schema_annotation *each = redactor->next; each < redactor->end; each++) {
        if (redactor->strategies[each->note])
            return true;
    }
    return false;
}

int redactor_apply(struct redactor *redactor, struct schema_validator *validator, const struct json *doc,
                   uint32_t at, struct buffer *out, struct error *err)
{
    size_t count;
    int valid = schema_annotate(redactor->schema, validator, doc, at, &redactor->next, &count, err);
    if (valid < 0)
        return -1;
    assert(valid == 1); /* it was validated */
    redactor->end = redactor->next + count;
    redactor->err = err;
    if (!any_redaction(redactor))
        return 0;
    arena_clear(&redactor->arena);
    int redaction = redaction_of(redactor, doc, at);
    if (redaction == REDACTION_BLOCK || redaction == REDACTION_SHA256)
        return error_set(err, ERROR_INVALID,
                         "the schema redacts the document as a whole: nothing of it would be left");
    struct json_writer writer;
    buffer_clear(out);
    json_writer_init(&writer, out);
    return redaction < 0 || put_inside(redactor, &writer, doc, at) < 0 ? -1 : 1;
}
