#include "ingest/reader.h"

#include "base/fault.h"
#include "ingest/body.h"
#include "ingest/ids.h"
#include "ingest/queue.h"
#include "task/notes.h"
#include "task/reader.h"
#include "json/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>

/* Pushes become items: the documents of one after the other, each push ended by a checkpoint that covers
 * them. A push is `queued`, then `current`, then one of those `under way`, which the sink has and no commit
 * yet; the acknowledgement of as many checkpoints tells the first of these. */

enum { NOTE_BYTES_MOST = 2 * INGEST_ID_MAX + 128 /* about what a note takes, for retention */ };

struct ingest_reader {
    struct task_reader base;
    struct ingest_captures *captures;
    struct ingest_capture capture;
    bool added; /* to the table */
    struct ingest_ids *ids;
    struct ingest_producers *producers;
    uint64_t notes_read;
    uint64_t *next_offset; /* of each binding, or INGEST_NOWHERE */
    struct buffer note;
    struct ingest_queue queue;
    struct ingest_pushes under_way;
    struct ingest_push *current; /* whose documents are being given */
    size_t given;                /* of them */
    bool duplicate;              /* nothing of the current one is to be given */
    uint64_t numbers;            /* documents so far */
    uint64_t told_ahead;         /* of those under way, by a planted bug */
};

static struct ingest_reader *of(struct task_reader *base)
{
    return (struct ingest_reader *)base;
}

/* --- pushes ------------------------------------------------------------------------------------------- */

void ingest_reader_push(struct ingest_reader *reader, struct ingest_push *first)
{
    ingest_queue_put(&reader->queue, first);
}

static void tell_done(struct ingest_reader *reader, struct ingest_push *push, enum ingest_result result)
{
    struct ingest_pushes done;
    ingest_pushes_init(&done);
    push->result = result;
    ingest_pushes_put(&done, push);
    ingest_queue_done(&reader->queue, &done);
}

/* Whoever waits hears that nothing was kept. */
static void give_up_all(struct ingest_reader *reader)
{
    struct ingest_push *push;
    ingest_queue_stop(&reader->queue);
    while ((push = ingest_pushes_take(&reader->under_way)))
        tell_done(reader, push, INGEST_STOPPED);
    if (reader->current)
        tell_done(reader, reader->current, INGEST_STOPPED);
    reader->current = NULL;
    while ((push = ingest_queue_take(&reader->queue)))
        tell_done(reader, push, INGEST_STOPPED);
}

/* --- opening ------------------------------------------------------------------------------------------ */

static int read_options(struct ingest_reader *reader, struct error *err)
{
    struct task *task = reader->base.task;
    const struct task_spec *spec = task->spec;
    struct flow_texts *paths = arena_zalloc(&task->arena, (spec->binding_count + 1) * sizeof *paths);
    struct ingest_plan plan;
    if (ingest_plan_read(spec, &task->arena, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < spec->binding_count; i++) {
        struct slice *text = arena_alloc(&task->arena, sizeof *text);
        *text = slice_of(plan.bindings[i].name);
        paths[i] = (struct flow_texts){text, 1};
    }
    task->resource_paths = paths;
    reader->capture.name = spec->name;
    reader->capture.options = plan.options;
    reader->capture.bindings = plan.bindings;
    reader->capture.binding_count = spec->binding_count;
    task->notes_bytes = plan.options.id_window * NOTE_BYTES_MOST;
    return 0;
}

static int open_reader(struct task_reader *base, struct error *err)
{
    struct ingest_reader *reader = of(base);
    return ingest_queue_open(&reader->queue, err) < 0 ? -1 : read_options(reader, err);
}

static bool ready(const struct task_reader *base)
{
    (void)base;
    return true;
}

static const char *collection_of(const struct ingest_reader *reader, size_t binding)
{
    return reader->capture.bindings[binding].task->spec->collection;
}

/* The members of a sequence's note, in their order. */
enum { NOTE_PRODUCER, NOTE_EPOCH, NOTE_PARTITION, NOTE_FIRST, NOTE_LAST, NOTE_OFFSET, NOTE_MEMBERS };

static void take_sequence(struct ingest_reader *reader, size_t scope, const struct json *doc, uint32_t list)
{
    uint64_t values[NOTE_MEMBERS];
    for (uint32_t i = 0; i < NOTE_MEMBERS; i++) {
        if (!json_to_u64(doc, json_at(doc, list, i), &values[i]))
            return;
    }
    if (scope == reader->capture.binding_count)
        return; /* a collection that is pushed to no more */
    const struct ingest_sequence batch = {.producer = (int64_t)values[NOTE_PRODUCER],
                                          .epoch = (int16_t)values[NOTE_EPOCH],
                                          .partition = (uint32_t)values[NOTE_PARTITION],
                                          .first = (int32_t)values[NOTE_FIRST],
                                          .last = (int32_t)values[NOTE_LAST]};
    ingest_producers_restore(reader->producers, (uint32_t)scope, &batch, values[NOTE_OFFSET]);
}

/* ["acmeCo/orders","1f0c…"]: of which collection (or ingest_push.id_scope), and the id; or
 * ["acmeCo/orders",[7,0,0,10,19,4711]], a producer's batch. The collection stays when its resource gets
 * another name or path. Notes of before had the resource's name: no other binding's collection has it. */
static void take_note(void *context, struct slice note)
{
    struct ingest_reader *reader = context;
    struct arena arena;
    struct json doc;
    struct error unused;
    arena_init(&arena);
    reader->notes_read++;
    if (json_parse_copy(&arena, note.data, note.size, &doc, &unused) == 0 &&
        json_is(&doc, json_at(&doc, 0, 0), JSON_STRING)) {
        struct slice name = json_string(&doc, json_at(&doc, 0, 0), &arena);
        uint32_t what = json_at(&doc, 0, 1);
        size_t scope = ingest_binding_of(&reader->capture, name);
        if (scope < reader->capture.binding_count)
            name = slice_of(collection_of(reader, scope));
        if (json_is(&doc, what, JSON_STRING))
            ingest_ids_add(reader->ids, name, json_string(&doc, what, &arena));
        else
            take_sequence(reader, scope, &doc, what);
    }
    arena_done(&arena);
}

/* Where the next document of each binding will lie. */
static int read_offsets(struct ingest_reader *reader, struct error *err)
{
    const struct task *task = reader->base.task;
    struct arena arena;
    struct store_journal_info *infos;
    size_t count;
    mem_auto(store_close) struct store *store =
        store_open(task->spec->data_dir, &(struct store_options){.read_only = true}, err);
    if (!store)
        return -1;
    arena_init(&arena);
    reader->next_offset = mem_zalloc((reader->capture.binding_count + 1) * sizeof *reader->next_offset);
    int result = store_list(store, NULL, &arena, &infos, &count, err);
    for (size_t i = 0; i < reader->capture.binding_count; i++) {
        for (size_t j = 0; result == 0 && j < count; j++) {
            if (strcmp(infos[j].writer, task->spec->name) == 0 &&
                strcmp(infos[j].collection, task->bindings[i].spec->collection) == 0)
                reader->next_offset[i] = infos[j].end;
        }
        if (task->bindings[i].reduced)
            reader->next_offset[i] = INGEST_NOWHERE;
    }
    arena_done(&arena);
    return result;
}

/* The sink has the writer and the bindings have their schemas: pushes may come. */
static int begin(struct task_reader *base, struct error *err)
{
    struct ingest_reader *reader = of(base);
    const struct task_spec *spec = base->task->spec;
    uint64_t window = reader->capture.options.id_window;
    struct ingest_binding *bindings = (struct ingest_binding *)reader->capture.bindings;
    for (size_t i = 0; i < reader->capture.binding_count; i++) {
        bindings[i].task = &base->task->bindings[i];
        bindings[i].shape = shape_of_schema(base->task->schemas, bindings[i].task->spec->schema_uri, err);
        if (!bindings[i].shape)
            return error_wrap(err, "the schema of %s", bindings[i].task->spec->collection);
    }
    reader->ids = ingest_ids_new(window);
    reader->producers = ingest_producers_new();
    if (task_notes_read(spec->data_dir, spec->name, window, take_note, reader, err) < 0)
        return error_wrap(err, "the ids of earlier requests");
    if (reader->notes_read >= window)
        ingest_producers_cut(reader->producers);
    if (read_offsets(reader, err) < 0)
        return -1;
    if (ingest_captures_add(reader->captures, &reader->capture, err) < 0)
        return -1;
    reader->added = true;
    return 0;
}

/* --- items -------------------------------------------------------------------------------------------- */

/* What sets its id, or its sequence, apart from others'. */
static const char *scope_of(const struct ingest_reader *reader, const struct ingest_push *push)
{
    return push->id_scope ? push->id_scope : collection_of(reader, push->scope);
}

/* What is known of it before anything of it is given: INGEST_DURABLE, it is to be kept. */
static enum ingest_result examine(struct ingest_reader *reader, struct ingest_push *push)
{
    static const enum ingest_result results[] = {[INGEST_IN_ORDER] = INGEST_DURABLE,
                                                 [INGEST_REPEATED] = INGEST_DUPLICATE,
                                                 [INGEST_REPEATED_LONG] = INGEST_DUPLICATE_OLD,
                                                 [INGEST_AHEAD] = INGEST_OUT_OF_ORDER,
                                                 [INGEST_FENCED] = INGEST_OLD_EPOCH};
    push->offset = push->count ? reader->next_offset[push->documents[0].binding] : INGEST_NOWHERE;
    if (push->sequence.producer)
        return results[ingest_producers_take(reader->producers, push->scope, &push->sequence, &push->offset)];
    if (push->id_scope_before && ingest_ids_has(reader->ids, slice_of(push->id_scope_before), push->id))
        return INGEST_DUPLICATE;
    if (push->id.size && !ingest_ids_add(reader->ids, slice_of(scope_of(reader, push)), push->id))
        return INGEST_DUPLICATE;
    return INGEST_DURABLE;
}

/* A push that is known has its answer as soon as the first of it is durable: at once, if nothing is under
 * way, or with the next commit. */
static void begin_push(struct ingest_reader *reader, struct ingest_push *push)
{
    enum ingest_result result = examine(reader, push);
    reader->given = 0;
    reader->current = push;
    reader->duplicate = result == INGEST_DUPLICATE || result == INGEST_DUPLICATE_OLD;
    push->result = result;
    if (result == INGEST_DURABLE || (reader->duplicate && reader->under_way.first))
        return;
    reader->current = NULL;
    tell_done(reader, push, result);
}

static void write_sequence(struct json_writer *writer, const struct ingest_push *push)
{
    const uint64_t values[NOTE_MEMBERS] = {
        [NOTE_PRODUCER] = (uint64_t)push->sequence.producer, [NOTE_EPOCH] = (uint64_t)push->sequence.epoch,
        [NOTE_PARTITION] = push->sequence.partition,         [NOTE_FIRST] = (uint64_t)push->sequence.first,
        [NOTE_LAST] = (uint64_t)push->sequence.last,         [NOTE_OFFSET] = push->offset};
    json_begin_array(writer);
    for (size_t i = 0; i < NOTE_MEMBERS; i++)
        json_put_u64(writer, values[i]);
    json_end_array(writer);
}

static void write_note(struct ingest_reader *reader, const struct ingest_push *push)
{
    struct json_writer writer;
    buffer_clear(&reader->note);
    json_writer_init(&writer, &reader->note);
    json_begin_array(&writer);
    json_put_string(&writer, scope_of(reader, push));
    if (push->sequence.producer)
        write_sequence(&writer, push);
    else
        json_put_slice(&writer, push->id);
    json_end_array(&writer);
}

static void give_document(struct ingest_reader *reader, struct task_item *item)
{
    const struct ingest_document *document = &reader->current->documents[reader->given++];
    uint64_t *next_offset = &reader->next_offset[document->binding];
    if (*next_offset != INGEST_NOWHERE) /* one that is not valid goes elsewhere */
        *next_offset += document->valid;
    *item = (struct task_item){.type = TASK_ITEM_DOCUMENT,
                               .binding = &reader->base.task->bindings[document->binding],
                               .line = document->doc,
                               .document = document->at,
                               .valid = document->valid,
                               .number = ++reader->numbers,
                               .line_number = reader->numbers};
}

static void give_checkpoint(struct ingest_reader *reader, struct task_item *item)
{
    struct ingest_push *push = reader->current;
    *item = (struct task_item){.type = TASK_ITEM_CHECKPOINT};
    if ((push->id.size || push->sequence.producer) && !reader->duplicate) {
        write_note(reader, push);
        item->note = (struct slice){reader->note.data, reader->note.size};
    }
    reader->current = NULL;
    if (fault_planted("ingest.acknowledge-ahead")) { /* a bug, for the checker to catch */
        reader->told_ahead++;
        tell_done(reader, push, INGEST_DURABLE);
        return;
    }
    ingest_pushes_put(&reader->under_way, push);
}

static int next(struct task_reader *base, struct task_item *item, struct error *err)
{
    struct ingest_reader *reader = of(base);
    (void)err;
    while (!reader->current) {
        struct ingest_push *push = ingest_queue_take(&reader->queue);
        if (!push)
            return 0;
        begin_push(reader, push);
    }
    if (!reader->duplicate && reader->given < reader->current->count)
        give_document(reader, item);
    else
        give_checkpoint(reader, item);
    return 1;
}

static int acknowledge(struct task_reader *base, uint64_t checkpoints, struct error *err)
{
    struct ingest_reader *reader = of(base);
    (void)err;
    fault_point("ingest.committed");
    for (; reader->told_ahead > 0 && checkpoints > 0; checkpoints--)
        reader->told_ahead--;
    struct ingest_pushes done;
    ingest_pushes_init(&done);
    for (; checkpoints > 0; checkpoints--) {
        struct ingest_push *push = ingest_pushes_take(&reader->under_way);
        assert(push);
        ingest_pushes_put(&done, push);
    }
    ingest_queue_done(&reader->queue, &done);
    return 0;
}

/* --- waiting and the end ------------------------------------------------------------------------------ */

static size_t pollfds(struct task_reader *base, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = of(base)->queue.wake, .events = POLLIN};
    return 1;
}

static int timeout_ms(const struct task_reader *base)
{
    (void)base;
    return -1;
}

static int service(struct task_reader *base, struct error *err)
{
    eventfd_t count;
    (void)err;
    eventfd_read(of(base)->queue.wake, &count);
    return 0;
}

static bool ended(const struct task_reader *base)
{
    struct ingest_reader *reader = (struct ingest_reader *)base;
    return ingest_queue_over(&reader->queue) && !reader->current;
}

static int result(struct task_reader *base, struct error *err)
{
    (void)base, (void)err;
    return 0;
}

/* What was taken is still committed and answered; nobody finds us any more. */
static void stop(struct task_reader *base)
{
    ingest_queue_stop(&of(base)->queue);
}

static bool leave(struct task_reader *base)
{
    (void)base;
    return true;
}

static void kill_reader(struct task_reader *base)
{
    stop(base);
}

static void close_reader(struct task_reader *base)
{
    struct ingest_reader *reader = of(base);
    if (reader->added)
        ingest_captures_withdraw(reader->captures, &reader->capture);
    give_up_all(reader);
    for (size_t i = 0; i < reader->capture.binding_count; i++)
        shape_free((struct shape *)reader->capture.bindings[i].shape);
    ingest_ids_free(reader->ids);
    ingest_producers_free(reader->producers);
    free(reader->next_offset);
    buffer_done(&reader->note);
    ingest_queue_close(&reader->queue);
    free(reader);
}

struct task_reader *ingest_reader_new(struct task *task, void *captures)
{
    static const struct task_reader_class class = {.name = "ingest",
                                                   .open = open_reader,
                                                   .ready = ready,
                                                   .begin = begin,
                                                   .pollfds = pollfds,
                                                   .timeout_ms = timeout_ms,
                                                   .service = service,
                                                   .next = next,
                                                   .ended = ended,
                                                   .result = result,
                                                   .acknowledge = acknowledge,
                                                   .stop = stop,
                                                   .leave = leave,
                                                   .kill = kill_reader,
                                                   .close = close_reader};
    struct ingest_reader *reader = mem_zalloc(sizeof *reader);
    reader->base = (struct task_reader){.class = &class, .task = task, .label = "pushed documents"};
    reader->captures = captures;
    reader->capture.reader = reader;
    ingest_queue_init(&reader->queue, captures);
    ingest_pushes_init(&reader->under_way);
    buffer_init(&reader->note, STORE_DOCUMENT_MAX);
    return &reader->base;
}
