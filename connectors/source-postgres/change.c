#include "change.h"

#include <stdlib.h>

/* --- relations
 * ----------------------------------------------------------------------------------------------- */

static struct slice keep(struct arena *arena, struct buffer *text)
{
    struct slice slice = {arena_dup(arena, text->data, text->size), text->size};
    buffer_done(text);
    return slice;
}

static const struct pg_column *column_of(const struct pg_table *table, const char *name)
{
    for (size_t i = 0; table && i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

static const struct pg_type unknown_type = {.name = "text", .form = PG_FORM_TEXT, .delimiter = ','};

static void add_column(struct pg_relation *relation, const struct pg_wire_column *from,
                       const struct pg_table *table, const struct pg_types *types)
{
    struct buffer head;
    const struct pg_column *known = column_of(table, from->name);
    const struct pg_type *type = pg_types_find(types, from->type);
    buffer_init(&head, BUFFER_UNLIMITED);
    json_escape(&head, slice_of(from->name));
    buffer_byte(&head, ':');
    relation->columns[relation->count++] =
        (struct pg_relation_column){.head = keep(&relation->arena, &head),
                                    .name = arena_strdup(&relation->arena, from->name),
                                    .type = type ? type : &unknown_type,
                                    .identity = from->key,
                                    .key = known && known->key,
                                    .hidden = table && pg_table_hides(table, from->name)};
}

void pg_relation_init(struct pg_relation *relation, const struct pg_message *message,
                      const struct pg_table *table, const struct pg_types *types, const char *tag,
                      bool history, size_t stream)
{
    struct buffer text;
    *relation = (struct pg_relation){.oid = message->relation, .stream = stream};
    arena_init(&relation->arena);
    relation->keyed = table && table->key_count && !history;
    relation->columns =
        arena_zalloc(&relation->arena, (message->column_count + 1) * sizeof *relation->columns);
    for (size_t i = 0; i < message->column_count; i++)
        add_column(relation, &message->columns[i], table, types);
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_str(&text, "\"schema\":");
    json_escape(&text, slice_of(message->schema));
    buffer_str(&text, ",\"table\":");
    json_escape(&text, slice_of(message->table));
    if (tag && *tag) {
        buffer_str(&text, ",\"tag\":");
        json_escape(&text, slice_of(tag));
    }
    relation->place = keep(&relation->arena, &text);
    buffer_init(&text, BUFFER_UNLIMITED);
    pg_put_table(&text, message->schema, message->table);
    buffer_byte(&text, 0);
    relation->current_name = keep(&relation->arena, &text);
}

static void need(struct pg_relation *relation, const struct pg_relation_column *column)
{
    if (!column->identity && !column->hidden)
        relation->unknown_key = column->name;
}

void pg_relation_needs(struct pg_relation *relation, const struct pg_table *table, const char *const *key)
{
    for (size_t i = 0; relation->keyed && i < relation->count; i++) {
        if (relation->columns[i].key)
            need(relation, &relation->columns[i]);
        for (size_t k = 0; key && key[k]; k++) {
            const struct pg_column *column = pg_stream_column(table, key[k]);
            if (column && strcmp(column->name, relation->columns[i].name) == 0)
                need(relation, &relation->columns[i]);
        }
    }
}

void pg_relation_done(struct pg_relation *relation)
{
    arena_done(&relation->arena);
}

/* --- what an update changed
 * ---------------------------------------------------------------------------------- */

static const struct pg_datum *datum_at(const struct pg_tuple *tuple, size_t index)
{
    return tuple && tuple->kind && index < tuple->count ? &tuple->items[index] : NULL;
}

bool pg_change_moves(const struct pg_relation *relation, const struct pg_message *update)
{
    for (size_t i = 0; relation->keyed && i < relation->count; i++) {
        const struct pg_datum *old = datum_at(&update->old, i), *new = datum_at(&update->new, i);
        if (!relation->columns[i].key || !old || !new || new->kind == PG_DATUM_UNCHANGED)
            continue;
        if (old->kind != new->kind || !slice_equal(old->text, new->text))
            return true;
    }
    return false;
}

const struct pg_datum *pg_change_value(const struct pg_relation *relation, const struct pg_tuple *row,
                                       const struct pg_tuple *old, size_t index)
{
    const struct pg_datum *value = datum_at(row, index), *before = datum_at(old, index);
    if (!value || value->kind != PG_DATUM_UNCHANGED || !before || before->kind == PG_DATUM_UNCHANGED)
        return value;
    /* Of an old key, which has the values of the key alone, the others are null. */
    return old->kind == 'O' || relation->columns[index].identity ? before : value;
}

static bool is_lacking(const struct pg_relation *relation, const struct pg_tuple *row,
                       const struct pg_tuple *old, size_t index)
{
    return !relation->columns[index].hidden &&
           pg_change_value(relation, row, old, index)->kind == PG_DATUM_UNCHANGED;
}

bool pg_change_lacks(const struct pg_relation *relation, const struct pg_tuple *row,
                     const struct pg_tuple *old)
{
    for (size_t i = 0; i < row->count && i < relation->count; i++) {
        if (is_lacking(relation, row, old, i))
            return true;
    }
    return false;
}

/* --- documents
 * ----------------------------------------------------------------------------------------------- */

/* The members of a row, each with a comma before it but for the first if `first`. Of an old key only the
 * key's. */
static void put_columns(struct buffer *out, struct pg_relation *relation, const struct pg_tuple *row,
                        const struct pg_tuple *old, bool first, struct pg_style style,
                        struct pg_change_note *note)
{
    for (size_t i = 0; row && i < relation->count && i < row->count; i++) {
        struct pg_relation_column *column = &relation->columns[i];
        unsigned notes = 0;
        const struct pg_datum *value = pg_change_value(relation, row, old, i);
        if (column->hidden || value->kind == PG_DATUM_UNCHANGED || (row->kind == 'K' && !column->identity))
            continue;
        if (!first)
            buffer_byte(out, ',');
        first = false;
        style.exact = column->key;
        buffer_append(out, column->head.data, column->head.size);
        size_t start = out->size;
        if (value->kind == PG_DATUM_NULL)
            buffer_append(out, "null", 4);
        else
            notes = pg_value_put(out, column->type, value->text, style);
        if (notes && note->changes)
            pg_changes_add(note->changes, (struct slice){column->head.data, column->head.size - 1},
                           (struct slice){out->data + start, out->size - start});
        notes &= ~column->noted;
        if (notes && !note->notes) {
            column->noted |= notes;
            *note = (struct pg_change_note){column->name, notes};
        }
    }
}

static void put_omitted(struct buffer *out, const struct pg_relation *relation,
                        const struct pg_change *change)
{
    bool first = true;
    if (!change->row || !pg_change_lacks(relation, change->row, change->old))
        return;
    buffer_str(out, ",\"omitted\":[");
    for (size_t i = 0; i < relation->count && i < change->row->count; i++) {
        if (!is_lacking(relation, change->row, change->old, i))
            continue;
        if (!first)
            buffer_byte(out, ',');
        first = false;
        buffer_append(out, relation->columns[i].head.data, relation->columns[i].head.size - 1);
    }
    buffer_byte(out, ']');
}

static void put_number(struct buffer *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buffer_append(out, digits + at, sizeof digits - at);
}

static void put_flow(struct buffer *out, struct pg_relation *relation, const struct pg_change *change,
                     struct pg_style style, struct pg_change_note *note)
{
    const struct pg_transaction *transaction = change->transaction;
    buffer_str(out, "{\"_meta\":{\"op\":\"");
    buffer_byte(out, change->op);
    buffer_str(out, "\",\"source\":{\"ts_ms\":");
    put_number(out, (uint64_t)transaction->time_ms);
    buffer_byte(out, ',');
    buffer_append(out, relation->place.data, relation->place.size);
    buffer_str(out, ",\"loc\":[");
    put_number(out, transaction->previous_end_lsn);
    buffer_byte(out, ',');
    put_number(out, change->lsn);
    buffer_byte(out, ',');
    put_number(out, transaction->commit_lsn);
    buffer_str(out, "],\"txid\":");
    put_number(out, transaction->xid);
    put_omitted(out, relation, change);
    buffer_byte(out, '}');
    if (change->before) {
        buffer_str(out, ",\"before\":{");
        put_columns(out, relation, change->before, NULL, true, style, note);
        buffer_byte(out, '}');
    }
    buffer_byte(out, '}');
    put_columns(out, relation, change->row, change->old, false, style, note);
    buffer_byte(out, '}');
}

static void put_airbyte(struct buffer *out, struct pg_relation *relation, const struct pg_change *change,
                        struct pg_style style, struct pg_change_note *note)
{
    const struct pg_transaction *transaction = change->transaction;
    buffer_byte(out, '{');
    size_t before = out->size;
    put_columns(out, relation, change->row, change->old, true, style, note);
    buffer_str(out, out->size > before ? ",\"_ab_cdc_lsn\":" : "\"_ab_cdc_lsn\":");
    put_number(out, change->rank);
    buffer_str(out, ",\"_ab_cdc_updated_at\":\"");
    buffer_str(out, transaction->when);
    buffer_str(out, "\",\"_ab_cdc_deleted_at\":");
    if (change->op == 'd') {
        buffer_byte(out, '"');
        buffer_str(out, transaction->when);
        buffer_str(out, "\"}");
    } else {
        buffer_str(out, "null}");
    }
}

void pg_change_put(struct buffer *out, struct pg_relation *relation, const struct pg_change *change,
                   enum pg_envelope envelope, struct pg_style style, struct pg_change_note *ret_note)
{
    ret_note->column = NULL;
    ret_note->notes = 0;
    if (envelope == PG_ENVELOPE_FLOW)
        put_flow(out, relation, change, style, ret_note);
    else
        put_airbyte(out, relation, change, style, ret_note);
}
