/* Firth's own API: what `firth status`, `firth read` and `firth autodiscover` tell, by those very commands.
 */
#include "catalog/snapshot.h"
#include "server/handlers.h"
#include "server/internal.h"
#include "server/own_command.h"

#include <stdio.h>

enum { DOCUMENTS_DEFAULT = 50, DOCUMENTS_MAX = 1000, WHERES_MAX = 8, NUMBER_SIZE = 24 };

/* --- status ------------------------------------------------------------------------------------------- */

/* The line that is the answer as it is. */
static enum http_next answer_line(struct call *call, struct slice text, const char *member)
{
    struct slice line;
    struct json doc;
    struct error err;
    while (own_command_line(&text, call->arena, &line, &doc)) {
        if (json_get(&doc, 0, member) == JSON_NONE)
            continue;
        call->http->status = 200;
        buffer_append(&call->http->answer, line.data, line.size);
        return HTTP_ANSWER;
    }
    error_set(&err, ERROR_PROTOCOL, "the command said nothing of %s", member);
    return call_error(call, &err);
}

static enum http_next answer_status(struct call *call, struct slice text)
{
    return answer_line(call, text, "tasks");
}

enum http_next firth_status(struct call *call)
{
    static const char *const words[] = {"status", NULL};
    return own_command_run(
        call, &(struct own_command){.words = words, .member = "tasks", .answered = answer_status});
}

/* --- documents ---------------------------------------------------------------------------------------- */

/* What is gone or damaged stands in the place of its documents. */
static void write_lines(struct call *call, struct slice text, const char *member, bool documents)
{
    struct slice line;
    struct json doc;
    json_put_key(&call->out, member);
    json_begin_array(&call->out);
    while (own_command_line(&text, call->arena, &line, &doc)) {
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
    const char *words[8 + WHERES_MAX + 1] = {"read", "--from", from, "--limit", limit};
    size_t count = 5, wheres = 0;
    for (const char *where; (where = http_query(call->http, "where", wheres)) != NULL; wheres++) {
        if (wheres == WHERES_MAX)
            return call_invalid(call, "where", "where: at most %d are possible", WHERES_MAX);
        words[count++] = arena_printf(call->arena, "--where=%s", where);
    }
    if (task && *task)
        words[count++] = arena_printf(call->arena, "--task=%s", task);
    words[count++] = "--";
    words[count++] = collection;
    return own_command_run(
        call, &(struct own_command){.words = words, .member = "writer", .answered = answer_documents});
}

/* --- what a capture's source has ---------------------------------------------------------------------- */

static enum http_next answer_discovery(struct call *call, struct slice text)
{
    return answer_line(call, text, "streams");
}

enum http_next firth_discovery(struct call *call)
{
    const char *task = call_text(call, "task");
    struct buffer snapshot;
    struct error err;
    if (!task || !*task)
        return call_invalid(call, "task", "task: the name of a capture that is deployed is wanted");
    buffer_init(&snapshot, CATALOG_SNAPSHOT_MAX + 1);
    enum http_next next = HTTP_ANSWER;
    int got = call_task_snapshot(call, task, &snapshot, &err);
    if (got < 0)
        next = call_error_of(call, &err, "deployed task", task);
    const char *words[] = {"autodiscover", "--snapshot", "--list",
                           arena_printf(call->arena, "--name=%s", task), NULL};
    if (got == 0)
        next = own_command_run(call, &(struct own_command){.words = words,
                                                           .input = {snapshot.data, snapshot.size},
                                                           .asks_connector = true,
                                                           .member = "streams",
                                                           .answered = answer_discovery});
    if (snapshot.data)
        explicit_bzero(snapshot.data, snapshot.capacity);
    buffer_done(&snapshot);
    return next;
}
