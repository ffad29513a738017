/* Firth's own API: what `firth status` and `firth read` tell, by those very commands. */
#include "server/handlers.h"
#include "server/internal.h"

#include <stdio.h>

enum { DOCUMENTS_DEFAULT = 50, DOCUMENTS_MAX = 1000, NUMBER_SIZE = 24 };

struct running {
    struct ask ask;
    const char *member; /* of each line that belongs to the answer */
    /* The lines of the answer that are no error. */
    enum http_next (*answered)(struct call *call, struct slice text);
};

static void on_done(struct ask *ask)
{
    http_request_resume(((struct call *)ask->owner)->http);
}

/* The next line of the text, without its end; false at the text's. */
static bool next_line(struct slice *text, struct slice *ret_line)
{
    if (text->size == 0)
        return false;
    const char *end = memchr(text->data, '\n', text->size);
    size_t size = end ? (size_t)(end - text->data) : text->size;
    *ret_line = (struct slice){text->data, size};
    size += end != NULL;
    *text = (struct slice){text->data + size, text->size - size};
    return true;
}

/* A line that is an object. */
static bool next_object(struct slice *text, struct arena *arena, struct slice *ret_line, struct json *ret_doc)
{
    struct error err;
    while (next_line(text, ret_line)) {
        if (ret_line->size && *ret_line->data == '{' &&
            json_parse_copy(arena, ret_line->data, ret_line->size, ret_doc, &err) == 0)
            return true;
    }
    return false;
}

/* {"error": {code, message}}, as every command says what is wrong; what it said before that counts, though.
 */
static bool find_error(const struct running *running, struct slice text, struct arena *arena,
                       struct error *ret_error)
{
    struct slice line;
    struct json doc;
    bool found = false;
    while (next_object(&text, arena, &line, &doc)) {
        if (json_get(&doc, 0, running->member) != JSON_NONE)
            return false;
        uint32_t error = json_get(&doc, 0, "error");
        const char *code = json_cstring(&doc, json_get(&doc, error, "code"), arena),
                   *message = json_cstring(&doc, json_get(&doc, error, "message"), arena);
        if (found || !code || !message)
            continue;
        error_set(ret_error, error_code_parse(code), "%s", message);
        found = true;
    }
    return found;
}

static enum http_next go_on(struct call *call)
{
    struct running *running = call->state;
    struct slice text = {arena_strndup(call->arena, running->ask.answer.data ? running->ask.answer.data : "",
                                       running->ask.answer.size),
                         running->ask.answer.size};
    struct error err = running->ask.error;
    bool failed = running->ask.failed || find_error(running, text, call->arena, &err);
    ask_done(&running->ask);
    return failed ? call_error(call, &err) : running->answered(call, text);
}

/* `words` behind the program's own options. */
static enum http_next run(struct call *call, const char *const *words, const char *member,
                          enum http_next (*then)(struct call *call, struct slice text))
{
    enum { OWN = 5, WORDS = 16 };
    const struct server_options *options = &call->server->options;
    const char *all[WORDS + 1] = {options->program, "--data-dir", options->data_dir, "-o", "json"};
    struct running *running = arena_zalloc(call->arena, sizeof *running);
    for (size_t i = 0; words[i] && i < WORDS - OWN; i++)
        all[OWN + i] = words[i];
    ask_init_command(&running->ask, all);
    running->ask.owner = call;
    running->ask.done = on_done;
    running->member = member;
    running->answered = then;
    call->state = running;
    running->ask.client = http_request_socket(call->http);
    /* It is held first: the answer may come before this returns. */
    enum http_next next = call_hold(call, go_on);
    if (ask_start(call->server->asks, &running->ask))
        return next;
    running->ask.failed = true;
    error_set(&running->ask.error, ERROR_CANCELLED, "%d questions are under way already: try again",
              ASKS_MAX);
    http_request_resume(call->http);
    return next;
}

/* --- status ------------------------------------------------------------------------------------------- */

static enum http_next answer_status(struct call *call, struct slice text)
{
    struct slice line;
    struct json doc;
    struct error err;
    while (next_object(&text, call->arena, &line, &doc)) {
        if (json_get(&doc, 0, "tasks") == JSON_NONE)
            continue;
        call->http->status = 200;
        buffer_append(&call->http->answer, line.data, line.size);
        return HTTP_ANSWER;
    }
    error_set(&err, ERROR_PROTOCOL, "firth status said nothing");
    return call_error(call, &err);
}

enum http_next firth_status(struct call *call)
{
    static const char *const words[] = {"status", NULL};
    return run(call, words, "tasks", answer_status);
}

/* --- documents ---------------------------------------------------------------------------------------- */

/* What is gone or damaged stands in the place of its documents. */
static void write_lines(struct call *call, struct slice text, const char *member, bool documents)
{
    struct slice line;
    struct json doc;
    json_put_key(&call->out, member);
    json_begin_array(&call->out);
    while (next_object(&text, call->arena, &line, &doc)) {
        if (json_get(&doc, 0, "writer") != JSON_NONE &&
            (json_get(&doc, 0, "document") != JSON_NONE) == documents)
            json_put_raw(&call->out, line);
    }
    json_end_array(&call->out);
}

static enum http_next answer_documents(struct call *call, struct slice text)
{
    call_begin(call);
    write_lines(call, text, "documents", true);
    write_lines(call, text, "notices", false);
    return call_end(call);
}

static bool read_number(struct call *call, const char *name, uint64_t least, uint64_t most,
                        uint64_t otherwise, char text[NUMBER_SIZE])
{
    const char *given = http_query(call->http, name, 0);
    uint64_t value = otherwise;
    if (given && (!string_to_u64(given, most, &value) || value < least)) {
        call_invalid(call, name, "%s: a number from %llu to %llu is wanted", name, (unsigned long long)least,
                     (unsigned long long)most);
        return false;
    }
    snprintf(text, NUMBER_SIZE, "%llu", (unsigned long long)value);
    return true;
}

enum http_next firth_documents(struct call *call)
{
    const char *collection = http_query(call->http, "collection", 0),
               *task = http_query(call->http, "task", 0);
    char from[NUMBER_SIZE], limit[NUMBER_SIZE];
    if (!collection || !*collection)
        return call_invalid(call, "collection", "collection: a name is wanted");
    if (!read_number(call, "from", 0, INT64_MAX, 0, from) ||
        !read_number(call, "limit", 1, DOCUMENTS_MAX, DOCUMENTS_DEFAULT, limit))
        return HTTP_ANSWER;
    const char *words[] = {"read", "--from", from, "--limit", limit, NULL, NULL, NULL, NULL, NULL};
    size_t count = 5;
    if (task && *task)
        words[count++] = arena_printf(call->arena, "--task=%s", task);
    words[count++] = "--";
    words[count++] = collection;
    return run(call, words, "writer", answer_documents);
}
