#include "server/own_command.h"

#include "server/internal.h"

struct running {
    struct ask ask;
    bool asks_connector;
    const char *member;
    enum http_next (*answered)(struct call *call, struct slice text);
};

static void on_done(struct ask *ask)
{
    http_request_resume(((struct call *)ask->owner)->http);
}

bool own_command_line(struct slice *text, struct arena *arena, struct slice *ret_line, struct json *ret_doc)
{
    struct error err;
    while (slice_next_line(text, ret_line)) {
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
    while (own_command_line(&text, arena, &line, &doc)) {
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
    /* What a connector makes of it is no failure of ours. */
    bool theirs = err.code == ERROR_CONNECTOR || err.code == ERROR_PROTOCOL || err.code == ERROR_IO;
    if (failed && running->asks_connector && theirs)
        return call_fail(call, 422, "%s", err.message);
    return failed ? call_error(call, &err) : running->answered(call, text);
}

/* Those of the command behind the program's own options, NULL at their end; in the arena. */
static const char *const *words_of(const struct call *call, const struct own_command *command)
{
    const struct server_options *options = &call->server->options;
    const char *const own[] = {options->program, "--data-dir", options->data_dir, "-o", "json"};
    const char *const *const parts[] = {command->words,
                                        command->asks_connector ? options->image_words : NULL};
    enum { OWN = sizeof own / sizeof *own };
    size_t count = OWN;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; parts[i] && parts[i][j]; j++)
            count++;
    }
    const char **words = arena_zalloc(call->arena, (count + 1) * sizeof *words);
    memcpy(words, own, sizeof own);
    count = OWN;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; parts[i] && parts[i][j]; j++)
            words[count++] = parts[i][j];
    }
    return words;
}

enum http_next own_command_run(struct call *call, const struct own_command *command)
{
    struct running *running = arena_zalloc(call->arena, sizeof *running);
    ask_init_command(&running->ask, words_of(call, command), command->input);
    if (command->asks_connector) {
        running->ask.own = false;
        running->ask.what = NULL;
        running->ask.times = ASK_DISCOVER_TIMES;
    }
    running->ask.owner = call;
    running->ask.done = on_done;
    running->asks_connector = command->asks_connector;
    running->member = command->member;
    running->answered = command->answered;
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
