#include "ingest/body.h"

#include "base/hash.h"
#include "ingest/form.h"
#include "ingest/members.h"
#include "json/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* --- what is wrong ------------------------------------------------------------------------------------ */

struct slice ingest_answer_error(struct arena *arena, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "error", message);
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

int ingest_problem_set(struct ingest_problem *ret_problem, unsigned status, struct slice answer)
{
    *ret_problem = (struct ingest_problem){status, answer};
    return -1;
}

/* --- formats ------------------------------------------------------------------------------------------ */

static bool ends_with(struct slice type, const char *end)
{
    size_t size = strlen(end);
    return type.size > size && strncasecmp(type.data + type.size - size, end, size) == 0;
}

enum ingest_format ingest_format_of(const char *content_type)
{
    static const struct {
        const char *type;
        enum ingest_format format;
    } known[] = {{"application/json", INGEST_JSON},
                 {"text/json", INGEST_JSON},
                 {"application/x-ndjson", INGEST_LINES},
                 {"application/ndjson", INGEST_LINES},
                 {"application/jsonl", INGEST_LINES},
                 {"application/x-jsonlines", INGEST_LINES},
                 {"application/jsonlines", INGEST_LINES},
                 {"text/csv", INGEST_CSV},
                 {"application/csv", INGEST_CSV},
                 {"text/tab-separated-values", INGEST_TSV},
                 {"application/x-www-form-urlencoded", INGEST_FORM}};
    if (!content_type)
        return INGEST_JSON;
    struct slice type = {content_type, strcspn(content_type, "; \t")};
    bool nameless =
        strcasestr(content_type + type.size, "header=absent"); /* RFC 4180: its first row is a document's */
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].type) == type.size && strncasecmp(known[i].type, type.data, type.size) == 0)
            return nameless && known[i].format == INGEST_CSV ? INGEST_FORMATS : known[i].format;
    }
    return ends_with(type, "+json") ? INGEST_JSON : INGEST_FORMATS;
}

/* --- one document ------------------------------------------------------------------------------------- */

const struct json *ingest_parse(struct ingest_worker *worker, char *text, size_t size, const char *what,
                                struct arena *arena, struct ingest_problem *ret_problem)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct error err;
    if (ingest_worker_parse(worker, text, size, arena, doc, &err) < 0) {
        bool full = err.code == ERROR_BUSY;
        ingest_problem_set(ret_problem, full ? 503 : 400,
                           full ? ingest_answer_error(arena, "%s", err.message)
                                : ingest_answer_error(arena, "%s: %s", what, err.message));
        return NULL;
    }
    ingest_flatten(text, size);
    return doc;
}

static int append(struct ingest_worker *worker, struct ingest_batch *batch,
                  const struct ingest_document *document, struct ingest_problem *ret_problem)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? 2 * batch->capacity : 1;
        struct error err;
        if (ingest_worker_room(worker, capacity * sizeof *document, &err) < 0)
            return ingest_problem_set(ret_problem, 503, ingest_answer_error(batch->arena, "%s", err.message));
        struct ingest_document *more = arena_alloc(batch->arena, capacity * sizeof *more);
        if (batch->count)
            memcpy(more, batch->documents, batch->count * sizeof *more);
        batch->documents = more;
        batch->capacity = capacity;
    }
    batch->documents[batch->count++] = *document;
    return 0;
}

static int add(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
               const struct json *doc, uint32_t at, bool many, struct ingest_batch *batch,
               struct ingest_problem *ret_problem)
{
    const struct ingest_binding *to = &capture->bindings[binding];
    size_t number = batch->count;
    struct slice answer;
    struct error err;
    if (number == INGEST_DOCUMENTS_MAX)
        return ingest_problem_set(
            ret_problem, 413,
            ingest_answer_error(batch->arena, "more than %d documents in one request", INGEST_DOCUMENTS_MAX));
    if (to->options.metadata && batch->origin) {
        struct slice text =
            ingest_metadata_add(doc, at, to->options.metadata, batch->origin, many, number, batch->arena);
        if (!text.data)
            return ingest_problem_set(
                ret_problem, 400,
                ingest_answer_error(batch->arena,
                                    "document %zu: `_meta` is put into documents, so a document must be an "
                                    "object, and its `_meta`, if it has one, too",
                                    number));
        doc = ingest_parse(worker, (char *)text.data, text.size, "a document with its `_meta`", batch->arena,
                           ret_problem);
        if (!doc)
            return -1;
        at = 0;
    }
    int valid = ingest_check(worker, to, doc, at, number, batch->arena, &answer, &err);
    if (valid < 0)
        return ingest_problem_set(ret_problem, 400, ingest_answer_error(batch->arena, "%s", err.message));
    if (valid == 0 && answer.size)
        return ingest_problem_set(ret_problem, 400, answer);
    const struct ingest_document document = {doc, at, (uint32_t)binding, valid > 0};
    if (append(worker, batch, &document, ret_problem) < 0)
        return -1;
    batch->bytes += json_raw(doc, at).size;
    return 0;
}

int ingest_batch_add(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     const struct json *doc, uint32_t at, struct ingest_batch *batch,
                     struct ingest_problem *ret_problem)
{
    return add(worker, capture, binding, doc, at, true, batch, ret_problem);
}

/* --- bodies ------------------------------------------------------------------------------------------- */

static int add_elements(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                        const struct json *doc, uint32_t array, struct ingest_batch *batch,
                        struct ingest_problem *ret_problem)
{
    for (uint32_t at = json_first(doc, array); at != JSON_NONE; at = json_next(doc, array, at)) {
        if (add(worker, capture, binding, doc, at, true, batch, ret_problem) < 0)
            return -1;
    }
    return 0;
}

static int body_json(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     char *body, size_t size, struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    const struct json *doc =
        ingest_parse(worker, body, size, "the request's body", batch->arena, ret_problem);
    if (!doc)
        return -1;
    return json_is(doc, 0, JSON_ARRAY) ? add_elements(worker, capture, binding, doc, 0, batch, ret_problem)
                                       : add(worker, capture, binding, doc, 0, false, batch, ret_problem);
}

static bool blank(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    }
    return true;
}

static int body_lines(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                      char *body, size_t size, struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    size_t line = 1;
    for (char *at = body, *end = body + size; at < end; line++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        char what[32];
        snprintf(what, sizeof what, "line %zu", line);
        if (!blank(at, length)) {
            const struct json *doc = ingest_parse(worker, at, length, what, batch->arena, ret_problem);
            if (!doc || add(worker, capture, binding, doc, 0, true, batch, ret_problem) < 0)
                return -1;
        }
        at += length + 1;
    }
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The size of the JSON text that begins here: of a container up to its end, of anything else up to a blank.
 * What is none is found by the parser, in as much as it is given. */
static size_t text_size(const char *text, size_t size)
{
    size_t depth = 0, at = 0;
    bool quoted = false;
    for (; at < size; at++) {
        char c = text[at];
        if (quoted) {
            at += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth <= 1)
                return at + 1;
            depth--;
        } else if (depth == 0 && is_blank(c)) {
            return at;
        }
    }
    return size;
}

static size_t skip_blanks(const char *text, size_t size, size_t at)
{
    while (at < size && is_blank(text[at]))
        at++;
    return at;
}

static int body_texts(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                      char *body, size_t size, struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    size_t at = skip_blanks(body, size, 0);
    while (at < size) {
        size_t length = text_size(body + at, size - at), after = skip_blanks(body, size, at + length);
        char what[40];
        snprintf(what, sizeof what, "the JSON from byte %zu on", at);
        const struct json *doc = ingest_parse(worker, body + at, length, what, batch->arena, ret_problem);
        if (!doc)
            return -1;
        bool many = after < size || batch->count > 0;
        if (json_is(doc, 0, JSON_ARRAY)
                ? add_elements(worker, capture, binding, doc, 0, batch, ret_problem) < 0
                : add(worker, capture, binding, doc, 0, many, batch, ret_problem) < 0)
            return -1;
        at = after;
    }
    return 0;
}

static int body_form(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                     struct slice body, struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    struct ingest_field *fields;
    size_t count;
    if (!ingest_form_read(body, batch->arena, &fields, &count))
        return ingest_problem_set(
            ret_problem, 400,
            ingest_answer_error(batch->arena, "the request's body is no form, or has more than %d fields",
                                INGEST_FORM_FIELDS_MAX));
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    struct ingest_members members;
    ingest_members_init(&members, INGEST_SEVERAL_LISTED, batch->arena);
    for (size_t i = 0; i < count; i++)
        ingest_members_add(&members, fields[i].name, fields[i].value);
    ingest_members_write(&members, &writer);
    ingest_members_done(&members);
    char *copy = arena_dup(batch->arena, text.data, text.size);
    size_t size = text.size;
    buffer_done(&text);
    const struct json *doc = ingest_parse(worker, copy, size, "the form", batch->arena, ret_problem);
    return doc ? add(worker, capture, binding, doc, 0, false, batch, ret_problem) : -1;
}

int ingest_body(struct ingest_worker *worker, const struct ingest_capture *capture, size_t binding,
                enum ingest_format format, char *body, size_t size, struct ingest_batch *batch,
                struct ingest_problem *ret_problem)
{
    switch (format) {
    case INGEST_JSON:
        return body_json(worker, capture, binding, body, size, batch, ret_problem);
    case INGEST_LINES:
        return body_lines(worker, capture, binding, body, size, batch, ret_problem);
    case INGEST_TEXTS:
        return body_texts(worker, capture, binding, body, size, batch, ret_problem);
    case INGEST_CSV:
    case INGEST_TSV:
        return ingest_csv_read(
            &(struct ingest_csv){.separator = format == INGEST_CSV ? ',' : '\t', .arena = batch->arena},
            worker, capture, binding, (struct slice){body, size}, batch, ret_problem);
    case INGEST_FORM:
        return body_form(worker, capture, binding, (struct slice){body, size}, batch, ret_problem);
    case INGEST_FORMATS:
        break;
    }
    return ingest_problem_set(ret_problem, 415, ingest_answer_error(batch->arena, "no such format"));
}

/* --- the old form ------------------------------------------------------------------------------------- */

/* What the parser has left out since it comes again: nobody would hear of those documents. False: nothing. */
static bool find_doubled(const struct json *doc, struct slice *ret_name)
{
    const char *text = doc->source, *end = text + doc->size;
    uint32_t key = json_first_key(doc, 0);
    size_t depth = 0;
    bool named = false; /* before a member's name */
    if (doc->duplicates == 0)
        return false;
    for (const char *at = text; at < end; at++) {
        if (*at == '"') {
            const char *begin = at++;
            while (*at != '"')
                at += 1 + (*at == '\\');
            if (depth != 1 || !named)
                continue;
            if (key == JSON_NONE || json_raw(doc, key).data != begin) {
                *ret_name = (struct slice){begin + 1, (size_t)(at - begin - 1)};
                return true;
            }
            key = json_next_key(doc, 0, key);
            named = false;
        } else if (*at == '{' || *at == '[') {
            named = ++depth == 1;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (*at == ',' && depth == 1) {
            named = true;
        }
    }
    return false;
}

size_t ingest_binding_of(const struct ingest_capture *capture, struct slice name)
{
    size_t i = 0;
    while (i < capture->binding_count && !slice_is(name, capture->bindings[i].task->spec->collection) &&
           !slice_is(name, capture->bindings[i].name))
        i++;
    return i;
}

int ingest_body_by_collection(struct ingest_worker *worker, const struct ingest_capture *capture,
                              const struct json *doc, struct ingest_batch *batch,
                              struct ingest_problem *ret_problem)
{
    if (!json_is(doc, 0, JSON_OBJECT))
        return ingest_problem_set(
            ret_problem, 400,
            ingest_answer_error(batch->arena,
                                "without a resource in its path a request is an object of collections, "
                                "{\"acmeCo/orders\":[…]}"));
    struct slice doubled;
    if (find_doubled(doc, &doubled))
        return ingest_problem_set(
            ret_problem, 400,
            ingest_answer_error(batch->arena,
                                "'%.*s' comes twice: give a collection one list with all its documents",
                                (int)utf8_cut(doubled.data, doubled.size, 200), doubled.data));
    for (uint32_t key = json_first_key(doc, 0); key != JSON_NONE; key = json_next_key(doc, 0, key)) {
        struct slice name = json_string(doc, key, batch->arena);
        size_t binding = ingest_binding_of(capture, name);
        int cut = (int)utf8_cut(name.data, name.size, 200);
        if (binding == capture->binding_count)
            return ingest_problem_set(ret_problem, 400,
                                      ingest_answer_error(batch->arena,
                                                          "%s has no binding to the collection '%.*s'",
                                                          capture->name, cut, name.data));
        if (!json_is(doc, json_value(key), JSON_ARRAY))
            return ingest_problem_set(
                ret_problem, 400,
                ingest_answer_error(batch->arena, "'%.*s' must have a list of documents", cut, name.data));
        if (add_elements(worker, capture, binding, doc, json_value(key), batch, ret_problem) < 0)
            return -1;
    }
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *ingest_batch_scope(const struct ingest_capture *capture, const struct ingest_batch *batch,
                               bool by_resource, struct arena *arena)
{
    size_t same = 0;
    while (same < batch->count && batch->documents[same].binding == batch->documents[0].binding)
        same++;
    if (same == batch->count)
        return NULL;
    const char **names = arena_alloc(arena, (capture->binding_count + 1) * sizeof *names);
    bool *seen = arena_zalloc(arena, capture->binding_count + 1);
    uint64_t hash = 0;
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        uint32_t binding = batch->documents[i].binding;
        if (!seen[binding])
            names[count++] = by_resource ? capture->bindings[binding].name
                                         : capture->bindings[binding].task->spec->collection;
        seen[binding] = true;
    }
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++)
        hash = hash_xxh3(names[i], strlen(names[i]), hash);
    return arena_printf(arena, "%zu:%016llx", count, (unsigned long long)hash);
}
