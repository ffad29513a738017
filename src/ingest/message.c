#include "ingest/message.h"

#include "ingest/request.h"
#include "json/writer.h"

#include <stdlib.h>
#include <sys/eventfd.h>

enum { MESSAGE_OVERHEAD = 512 /* bytes that a message takes beside its text, about */ };

struct ingest_message *ingest_message_new(struct ingest_sockets *sockets, struct ingest_socket *socket,
                                          uint64_t number, struct buffer *text)
{
    struct ingest_message *message = mem_zalloc(sizeof *message);
    *message = (struct ingest_message){.sockets = sockets, .socket = socket, .number = number, .text = *text};
    buffer_init(text, BUFFER_UNLIMITED);
    arena_init(&message->arena);
    ingest_hold_init(&message->hold, sockets->captures, &sockets->bytes);
    ingest_sockets_count(sockets, MESSAGE_OVERHEAD);
    return message;
}

size_t ingest_message_weight(const struct ingest_message *message)
{
    return message->text.size + MESSAGE_OVERHEAD;
}

void ingest_message_free(struct ingest_message *message)
{
    ingest_hold_done(&message->hold);
    ingest_sockets_count(message->sockets, -(int64_t)ingest_message_weight(message));
    if (message->text.data) /* it may hold secrets */
        explicit_bzero(message->text.data, message->text.size);
    buffer_done(&message->text);
    arena_done(&message->arena);
    free(message);
}

/* --- its push ----------------------------------------------------------------------------------------- */

/* From the capture's thread, or from ours, in which case whoever pushed will look. */
static void on_done(struct ingest_push *push, enum ingest_result result)
{
    struct ingest_message *message = (struct ingest_message *)push;
    struct ingest_sockets *sockets = message->sockets;
    message->result = result;
    if (pthread_equal(pthread_self(), sockets->thread)) {
        message->state = MESSAGE_TOLD;
        return;
    }
    pthread_mutex_lock(&sockets->lock);
    bool first = !sockets->told;
    message->next_told = sockets->told;
    sockets->told = message;
    pthread_mutex_unlock(&sockets->lock);
    if (first)
        eventfd_write(sockets->wake, 1);
}

static int read_documents(struct ingest_message *message, const struct ingest_socket_plan *plan,
                          const struct ingest_capture *capture, size_t binding, struct ingest_csv *csv,
                          struct ingest_batch *batch, struct ingest_problem *ret_problem)
{
    struct ingest_workers *workers = message->sockets->workers;
    struct ingest_worker *worker = ingest_workers_take(workers);
    struct slice text = {message->text.data, message->text.size};
    worker->room = &message->hold.room;
    int result = plan->format == INGEST_TEXTS
                     ? ingest_body(worker, capture, binding, INGEST_TEXTS, message->text.data, text.size,
                                   batch, ret_problem)
                     : ingest_csv_read(csv, worker, capture, binding, text, batch, ret_problem);
    worker->room = NULL;
    ingest_workers_give(workers, worker);
    return result;
}

/* As before it was taken. */
static enum ingest_taken later(struct ingest_message *message, struct ingest_csv *csv,
                               const struct ingest_csv *before)
{
    *csv = *before;
    if (!before->columns)
        arena_clear(csv->arena);
    arena_clear(&message->arena);
    ingest_hold_done(&message->hold);
    return INGEST_LATER;
}

static enum ingest_taken push(struct ingest_message *message, const struct ingest_socket_plan *plan,
                              struct ingest_capture *capture, size_t binding, struct ingest_csv *csv,
                              struct ingest_problem *ret_problem)
{
    const struct ingest_binding *to = &capture->bindings[binding];
    struct ingest_origin origin = plan->origin;
    struct ingest_batch batch = {.arena = &message->arena, .origin = &origin};
    const struct ingest_csv before = *csv;
    if (!ingest_rate_allows(to, ingest_request_second()))
        return INGEST_TOO_OFTEN;
    const char *id =
        plan->id ? arena_printf(&message->arena, "%s/%llu", plan->id, (unsigned long long)message->number)
                 : NULL;
    ingest_request_origin_renew(&origin, &to->options, id, &message->arena);
    if (read_documents(message, plan, capture, binding, csv, &batch, ret_problem) < 0)
        return ret_problem->status == 503 ? later(message, csv, &before) : INGEST_REFUSED;
    message->push = (struct ingest_push){.documents = batch.documents,
                                         .count = batch.count,
                                         .bytes = batch.bytes,
                                         .id = id ? slice_of(id) : (struct slice){0},
                                         .scope = (uint32_t)binding,
                                         .done = on_done};
    message->state = MESSAGE_PUSHED;
    if (batch.count == 0) {
        on_done(&message->push, INGEST_DURABLE);
        return INGEST_TAKEN;
    }
    ingest_push(capture, &message->push);
    if (message->state != MESSAGE_TOLD || message->result != INGEST_FULL)
        return INGEST_TAKEN;
    message->state = MESSAGE_WAITS;
    return later(message, csv, &before);
}

bool ingest_message_find(struct ingest_captures *captures, const struct ingest_socket_plan *plan,
                         struct ingest_capture **ret_capture, size_t *ret_binding)
{
    enum ingest_found found = plan->by_collection
                                  ? ingest_find_collection(captures, plan->path, ret_capture, ret_binding)
                                  : ingest_find(captures, plan->path, ret_capture, ret_binding);
    if (found == INGEST_FOUND && (*ret_capture)->serial == plan->serial)
        return true;
    if (found == INGEST_FOUND)
        ingest_release(*ret_capture);
    return false;
}

enum ingest_taken ingest_message_take(struct ingest_message *message, const struct ingest_socket_plan *plan,
                                      struct ingest_csv *csv, struct ingest_problem *ret_problem)
{
    struct ingest_capture *capture;
    size_t binding;
    if (!ingest_message_find(message->sockets->captures, plan, &capture, &binding))
        return INGEST_CHANGED;
    enum ingest_taken taken = push(message, plan, capture, binding, csv, ret_problem);
    ingest_release(capture);
    return taken;
}

/* --- what is wrong with it ---------------------------------------------------------------------------- */

struct slice ingest_message_error(struct ingest_message *message, const struct ingest_problem *problem)
{
    struct json doc;
    struct error unused;
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    if (json_parse_copy(&message->arena, problem->answer.data, problem->answer.size, &doc, &unused) == 0) {
        for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
            if (json_text_is(&doc, key, slice_of("error")))
                json_put_key(&writer, "Error");
            else
                json_put_key_of(&writer, &doc, key);
            json_put_raw(&writer, json_raw(&doc, json_value(key)));
        }
    }
    json_member_u64(&writer, "ApproximateFrame", message->number);
    json_end_object(&writer);
    struct slice copy = {arena_dup(&message->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}
