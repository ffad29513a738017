/* What a walsender sends: frames, each with its length before it, as a session takes them. What is read lies
 * within what came, and every change becomes a document that is JSON, whatever texts it has. */
#include "source-postgres/change.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RELATIONS_MAX = 8, HEAD = 2 };

struct fuzz {
    struct json_parser *parser;
    struct arena arena; /* of a message */
    struct arena tables;
    struct pg_types types;
    struct pg_relation relations[RELATIONS_MAX];
    size_t count;
    struct buffer out;
    struct pg_transaction transaction;
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_within(struct slice body, const void *at, size_t size)
{
    const char *start = at;
    require(start >= body.data && size <= body.size && start <= body.data + body.size - size);
}

static void check_tuple(struct slice body, const struct pg_tuple *tuple)
{
    require(tuple->count <= PG_COLUMNS_MAX);
    for (size_t i = 0; tuple->kind && i < tuple->count; i++) {
        if (tuple->items[i].kind == PG_DATUM_TEXT)
            require_within(body, tuple->items[i].text.data, tuple->items[i].text.size);
    }
}

static struct pg_relation *relation_of(struct fuzz *fuzz, uint32_t oid)
{
    for (size_t i = 0; i < fuzz->count; i++) {
        if (fuzz->relations[i].oid == oid)
            return &fuzz->relations[i];
    }
    return NULL;
}

/* A table whose every second column is of its key. */
static const struct pg_table *table_of(struct fuzz *fuzz, const struct pg_message *message)
{
    struct pg_table *table = arena_zalloc(&fuzz->tables, sizeof *table);
    table->column_count = message->column_count;
    table->columns = arena_zalloc(&fuzz->tables, (message->column_count + 1) * sizeof *table->columns);
    for (size_t i = 0; i < message->column_count; i++) {
        table->columns[i].name = arena_strdup(&fuzz->tables, message->columns[i].name);
        table->columns[i].key = i % 2 == 0;
        table->key_count += i % 2 == 0;
    }
    return table;
}

static void take_relation(struct fuzz *fuzz, const struct pg_message *message)
{
    struct pg_relation *relation = relation_of(fuzz, message->relation);
    if (relation)
        pg_relation_done(relation);
    else if (fuzz->count < RELATIONS_MAX)
        relation = &fuzz->relations[fuzz->count++];
    else
        return;
    pg_relation_init(relation, message, table_of(fuzz, message), &fuzz->types, "tag", false, 0);
}

static void put(struct fuzz *fuzz, struct pg_relation *relation, const struct pg_change *change, bool flow)
{
    struct json doc;
    struct error err;
    struct pg_change_note note = {0};
    buffer_clear(&fuzz->out);
    pg_change_put(&fuzz->out, relation, change, flow ? PG_ENVELOPE_FLOW : PG_ENVELOPE_AIRBYTE,
                  (struct pg_style){flow}, &note);
    require(!note.column || note.notes);
    require(json_parse(fuzz->parser, fuzz->out.data, fuzz->out.size, &doc, &err) == 0);
    require(json_is(&doc, 0, JSON_OBJECT) && !memchr(fuzz->out.data, '\n', fuzz->out.size));
}

static void take_change(struct fuzz *fuzz, const struct pg_message *message, uint64_t lsn)
{
    struct pg_relation *relation = relation_of(fuzz, message->relation);
    bool is_new = message->kind != PG_MESSAGE_DELETE;
    if (!relation)
        return;
    struct pg_change change = {.op = is_new ? 'u' : 'd',
                               .lsn = lsn,
                               .transaction = &fuzz->transaction,
                               .row = is_new ? &message->new : &message->old,
                               .before = message->old.kind ? &message->old : NULL,
                               .old = is_new && message->old.kind ? &message->old : NULL};
    pg_change_moves(relation, message);
    put(fuzz, relation, &change, true);
    put(fuzz, relation, &change, false);
}

static void take(struct fuzz *fuzz, const struct pg_frame *frame)
{
    struct pg_message message;
    struct error err;
    if (pg_message_read(frame->body, &fuzz->arena, &message, &err) < 0)
        return;
    check_tuple(frame->body, &message.old);
    check_tuple(frame->body, &message.new);
    require(message.column_count <= PG_COLUMNS_MAX);
    if (message.kind == PG_MESSAGE_BEGIN)
        fuzz->transaction = (struct pg_transaction){
            .commit_lsn = message.lsn, .time_ms = message.time_ms, .xid = message.xid};
    else if (message.kind == PG_MESSAGE_RELATION)
        take_relation(fuzz, &message);
    else if (message.kind == PG_MESSAGE_INSERT || message.kind == PG_MESSAGE_UPDATE ||
             message.kind == PG_MESSAGE_DELETE)
        take_change(fuzz, &message, frame->start);
    for (size_t i = 0; i < message.relation_count; i++)
        relation_of(fuzz, message.relations[i]);
}

/* A snapshot's text, as a state may have it. */
static void take_snapshot(struct fuzz *fuzz, struct slice body)
{
    struct pg_visibility seen;
    char *text = arena_strndup(&fuzz->arena, body.data, body.size);
    if (!pg_visibility_read(&seen, text))
        return;
    for (size_t i = 0; i < seen.count; i++)
        pg_visible(&seen, (uint32_t)seen.running[i]);
    pg_visibility_done(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {.parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS)};
    arena_init(&fuzz.arena);
    arena_init(&fuzz.tables);
    pg_types_init(&fuzz.types);
    buffer_init(&fuzz.out, BUFFER_UNLIMITED);
    while (size >= HEAD) {
        size_t length = (size_t)data[0] << 8 | data[1];
        length = length < size - HEAD ? length : size - HEAD;
        char *exact =
            length ? mem_dup(data + HEAD, length) : mem_zalloc(1); /* so that a read past the end is seen */
        struct pg_frame frame;
        struct error err;
        arena_clear(&fuzz.arena);
        if (pg_frame_read((struct slice){exact, length}, &frame, &err) < 0)
            take_snapshot(&fuzz, (struct slice){exact, length});
        else if (!frame.keepalive)
            take(&fuzz, &frame);
        free(exact);
        data += HEAD + length;
        size -= HEAD + length;
    }
    for (size_t i = 0; i < fuzz.count; i++)
        pg_relation_done(&fuzz.relations[i]);
    buffer_done(&fuzz.out);
    pg_types_done(&fuzz.types);
    arena_done(&fuzz.tables);
    arena_done(&fuzz.arena);
    json_parser_free(fuzz.parser);
    return 0;
}
