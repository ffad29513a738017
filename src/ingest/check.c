#include "ingest/check.h"

#include "json/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* --- workers ------------------------------------------------------------------------------------------ */

struct ingest_workers {
    pthread_mutex_t lock;
    struct ingest_worker *idle;
};

struct ingest_workers *ingest_workers_new(void)
{
    struct ingest_workers *workers = mem_zalloc(sizeof *workers);
    pthread_mutex_init(&workers->lock, NULL);
    return workers;
}

void ingest_workers_free(struct ingest_workers *workers)
{
    if (!workers)
        return;
    while (workers->idle) {
        struct ingest_worker *worker = workers->idle;
        workers->idle = worker->next;
        json_parser_free(worker->parser);
        schema_validator_free(worker->validator);
        free(worker);
    }
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

static struct json_parser *new_parser(void)
{
    return json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
}

struct ingest_worker *ingest_workers_take(struct ingest_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    struct ingest_worker *worker = workers->idle;
    if (worker)
        workers->idle = worker->next;
    pthread_mutex_unlock(&workers->lock);
    if (worker)
        return worker;
    worker = mem_zalloc(sizeof *worker);
    worker->parser = new_parser();
    worker->validator = schema_validator_new();
    return worker;
}

void ingest_workers_give(struct ingest_workers *workers, struct ingest_worker *worker)
{
    pthread_mutex_lock(&workers->lock);
    worker->next = workers->idle;
    workers->idle = worker;
    pthread_mutex_unlock(&workers->lock);
}

/* --- parsing ------------------------------------------------------------------------------------------ */

enum {
    OWED_MAX = 64 << 10,        /* bytes */
    EACH = sizeof(struct json), /* what a text takes beside its nodes */
};

/* A text of 16 MiB may have nodes of 128: such are parsed one after the other, whoever sends them. */
static pthread_mutex_t large_lock = PTHREAD_MUTEX_INITIALIZER;

/* A value begins the text, or follows one of these; in strings they count too. */
static size_t nodes_most(const char *text, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += (text[i] == ',') + (text[i] == ':') + (text[i] == '[') + (text[i] == '{');
    return count;
}

static int take_room(struct ingest_room *room, size_t more, struct error *err)
{
    if (!room || (room->owed += more) < OWED_MAX)
        return 0;
    more = room->owed;
    room->owed = 0;
    return room->take(room->context, more)
               ? 0
               : error_set(err, ERROR_BUSY, "too many large requests at once; try again");
}

int ingest_worker_room(struct ingest_worker *worker, size_t more, struct error *err)
{
    return take_room(worker->room, more, err);
}

static bool take_hold(void *context, size_t more)
{
    struct ingest_hold *hold = context;
    size_t before = atomic_fetch_add(hold->all, more);
    if (before + more > INGEST_HELD_MAX && before > hold->own + *hold->received) {
        atomic_fetch_sub(hold->all, more);
        return false;
    }
    hold->own += more;
    return true;
}

void ingest_hold_init(struct ingest_hold *hold, struct ingest_captures *captures, const size_t *received)
{
    *hold = (struct ingest_hold){
        .room = {.take = take_hold, .context = hold}, .all = ingest_held(captures), .received = received};
}

void ingest_hold_done(struct ingest_hold *hold)
{
    atomic_fetch_sub(hold->all, hold->own);
    hold->own = hold->room.owed = 0;
}

static int parse(struct ingest_worker *worker, const char *text, size_t size, struct arena *arena,
                 struct json *ret_doc, struct error *err)
{
    if (json_parse(worker->parser, text, size, ret_doc, err) < 0)
        return -1;
    ret_doc->nodes = arena_dup(arena, ret_doc->nodes, ret_doc->count * sizeof *ret_doc->nodes);
    return 0;
}

static int parse_large(struct ingest_worker *worker, const char *text, size_t size, struct arena *arena,
                       struct json *ret_doc, struct error *err)
{
    if (take_room(worker->room, nodes_most(text, size) * sizeof *ret_doc->nodes, err) < 0)
        return -1;
    pthread_mutex_lock(&large_lock);
    int result = parse(worker, text, size, arena, ret_doc, err);
    json_parser_free(worker->parser); /* it would keep what it has grown to */
    worker->parser = new_parser();
    pthread_mutex_unlock(&large_lock);
    return result;
}

int ingest_worker_parse(struct ingest_worker *worker, const char *text, size_t size, struct arena *arena,
                        struct json *ret_doc, struct error *err)
{
    if (size >= INGEST_LARGE)
        return parse_large(worker, text, size, arena, ret_doc, err);
    if (parse(worker, text, size, arena, ret_doc, err) < 0)
        return -1;
    return take_room(worker->room, EACH + size + ret_doc->count * sizeof *ret_doc->nodes, err);
}

/* --- documents ---------------------------------------------------------------------------------------- */

static void write_violation(struct json_writer *writer, const struct schema_violation *violation, bool hides)
{
    json_begin_object(writer);
    json_member_string(writer, "instance", violation->instance);
    json_member_string(writer, "keyword", violation->keyword);
    json_member_string(writer, "keywordLocation", violation->keyword_location);
    json_member_string(writer, "message",
                       hides ? "the value is not shown, since the schema redacts" : violation->message);
    json_end_object(writer);
}

static const char *missing_key(const struct ingest_binding *binding, const struct json *doc, uint32_t at)
{
    const struct key *key = &binding->task->key;
    for (size_t i = 0; i < key->count; i++) {
        struct key_value value = key_value_of(&key->parts[i], doc, at);
        if (!key_value_allowed(value.doc, value.at))
            return key->parts[i].pointer;
    }
    return NULL;
}

static void write_answer(struct json_writer *writer, const struct ingest_binding *binding,
                         const struct schema_violation *violations, size_t count, const char *key,
                         size_t number, struct arena *arena)
{
    bool hides = binding->task->redactor != NULL;
    const char *keyword = count ? violations[0].keyword : "key";
    const char *instance = count ? violations[0].instance : key ? key : "";
    json_begin_object(writer);
    json_member_string(
        writer, "error",
        arena_printf(arena,
                     "document %zu violates the %s of %s: at '%.200s', keyword '%.60s'; nothing "
                     "of the request was kept",
                     number, count ? "schema" : "key", binding->task->spec->collection, instance, keyword));
    json_member_u64(writer, "document", number);
    json_put_key(writer, "violations");
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        write_violation(writer, &violations[i], hides);
    if (key)
        write_violation(writer,
                        &(struct schema_violation){.instance = key,
                                                   .keyword_location = "/key",
                                                   .keyword = "key",
                                                   .message =
                                                       "a key's location must be there and hold a string, an "
                                                       "integer or a boolean"},
                        false);
    json_end_array(writer);
    json_end_object(writer);
}

static int explain(struct ingest_worker *worker, const struct ingest_binding *binding, const struct json *doc,
                   uint32_t at, size_t number, struct arena *arena, struct slice *ret_answer,
                   struct error *err)
{
    struct schema_violation violations[INGEST_VIOLATIONS_MAX];
    size_t count = 0;
    if (schema_explain(binding->task->schema, worker->validator, doc, at, arena, violations,
                       INGEST_VIOLATIONS_MAX, &count, err) < 0)
        return -1;
    /* Where it is in the document, not in the request. */
    struct buffer place, text;
    buffer_init(&place, BUFFER_UNLIMITED);
    json_pointer_of(doc, at, &place);
    for (size_t i = 0; i < count; i++) {
        if (string_starts_with(violations[i].instance, buffer_cstr(&place)))
            violations[i].instance += place.size;
    }
    buffer_done(&place);
    buffer_init(&text, BUFFER_UNLIMITED);
    struct json_writer writer;
    json_writer_init(&writer, &text);
    write_answer(&writer, binding, violations, count, missing_key(binding, doc, at), number, arena);
    *ret_answer = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return 0;
}

int ingest_check(struct ingest_worker *worker, const struct ingest_binding *binding, const struct json *doc,
                 uint32_t at, size_t number, struct arena *arena, struct slice *ret_answer, struct error *err)
{
    int valid = schema_validate(binding->task->schema, worker->validator, doc, at, err);
    if (valid < 0)
        return error_wrap(err, "document %zu", number);
    if (valid > 0 && key_is_there(&binding->task->key, doc, at))
        return 1;
    *ret_answer = (struct slice){0};
    if (binding->task->spec->quarantine)
        return 0;
    return explain(worker, binding, doc, at, number, arena, ret_answer, err);
}

void ingest_flatten(char *text, size_t size)
{
    char *end = text + size, *at = text;
    while ((at = memchr(at, '\n', (size_t)(end - at))))
        *at++ = ' ';
    for (at = text; (at = memchr(at, '\r', (size_t)(end - at)));)
        *at++ = ' ';
}
