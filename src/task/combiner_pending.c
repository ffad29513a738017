/* Documents that grow: reduced in time linear (times a logarithm) in what was added.
 *
 * To reduce each document at once onto what its key has become would write a list of n elements n times. So
 * once that is large, smaller documents are kept behind it, pending, and reduced with one another before they
 * are reduced onto it: whenever the last has grown to half of the one before, the two become one. Sizes then
 * fall by halves along a key's list, and each byte is written about once for each doubling.
 *
 * The outcome is that of reducing in order, one after the other. Reducing onto the first of the list always
 * is; two pending ones are put together only where the reducer vouches for it (reducer_regroup). Where it
 * does not, everything pending is reduced in order at once. */
#include "task/combiner_parts.h"

enum { DEFER_MIN = 4 << 10 }; /* bytes: documents up to this are rewritten each time */

/* Of what was added before it nothing is to be reduced onto the one before. */
static bool is_first(const struct records *records, const struct record *record)
{
    return !record->is_pending || record->previous == RECORD_NONE ||
           records_at(records, record->previous)->is_left;
}

bool combine_defers(const struct combiner *c, uint64_t offset, size_t size)
{
    const struct record *record = records_at(&c->records, offset);
    return !is_first(&c->records, record) ||
           (record->document_size >= DEFER_MIN && size < record->document_size / 2);
}

static int fail(struct combiner *c, uint32_t binding, const struct json *doc, struct error *err)
{
    c->stats.is_late = true;
    return combine_wrap(c, binding, doc, err);
}

/* Two documents, the first in c->result or a record, become one in c->scratch. REDUCE_DONE, REDUCE_SEPARATE
 * or -1. */
static int reduce_pair(struct combiner *c, struct slice first, const struct combine_item *second,
                       bool is_first_of_all, struct error *err)
{
    struct reducer *reducer = c->reducers[second->binding];
    struct json left = combine_parse(c->left, first), right = combine_parse(c->right, second->document);
    buffer_clear(&c->scratch);
    if (!is_first_of_all)
        return reducer_regroup(reducer, &left, &right, &c->scratch);
    int outcome = reducer_reduce(reducer, REDUCE_PARTIAL, &left, &right, &c->scratch, err);
    assert(outcome != REDUCE_INVALID); /* whatever is pending was found valid */
    return outcome < 0 ? fail(c, second->binding, &right, err) : outcome;
}

/* The document in `text` in place of the last of the entry, which it was made of. */
static int replace_last(struct combiner *c, uint32_t entry, const struct buffer *text, struct error *err)
{
    const struct entry *of = &c->records.entries[entry];
    struct combine_item item = records_item(&c->records, of->last);
    buffer_clear(&c->key);
    buffer_append(&c->key, item.key.data, item.key.size); /* records move */
    item.key = (struct slice){c->key.data, c->key.size};
    item.document = (struct slice){text->data, text->size};
    item.is_reduced = true;
    c->stats.reduced_bytes += text->size;
    return combine_keep(c, &item, of->hash, entry, of->last, err);
}

/* Everything pending at the entry's end, in order. Stops where documents must stay separate: what follows
 * there is the first of what is reduced from then on. */
static int reduce_all(struct combiner *c, uint32_t entry, struct error *err)
{
    uint64_t first = c->records.entries[entry].last;
    while (!is_first(&c->records, records_at(&c->records, first)))
        first = records_at(&c->records, first)->previous;
    struct slice document = records_item(&c->records, first).document;
    buffer_clear(&c->result);
    buffer_append(&c->result, document.data, document.size);
    for (uint64_t at = records_at(&c->records, first)->next; at != RECORD_NONE;
         at = records_at(&c->records, at)->next) {
        struct combine_item item = records_item(&c->records, at);
        int outcome = reduce_pair(c, (struct slice){c->result.data, c->result.size}, &item, true, err);
        if (outcome == REDUCE_SEPARATE)
            records_at(&c->records, at)->is_pending = false;
        if (outcome != REDUCE_DONE)
            return outcome < 0 ? -1 : 0;
        struct buffer swap = c->result;
        c->result = c->scratch;
        c->scratch = swap;
        c->stats.reduced_bytes += c->result.size;
    }
    while (c->records.entries[entry].last != first)
        records_kill(&c->records, c->records.entries[entry].last);
    return replace_last(c, entry, &c->result, err);
}

int combine_settle(struct combiner *c, uint32_t entry, struct error *err)
{
    uint64_t runs = c->stats.runs;
    while (c->stats.runs == runs) { /* else the records were spilled, and are reduced when drained */
        uint64_t last = c->records.entries[entry].last;
        struct record *record = records_at(&c->records, last);
        if (record->ends || is_first(&c->records, record))
            return 0;
        uint64_t before = record->previous;
        if (record->document_size < records_at(&c->records, before)->document_size / 2)
            return 0;
        bool is_first_of_all = is_first(&c->records, records_at(&c->records, before));
        struct combine_item item = records_item(&c->records, last);
        int outcome = reduce_pair(c, records_item(&c->records, before).document, &item, is_first_of_all, err);
        if (outcome < 0)
            return -1;
        if (outcome == REDUCE_SEPARATE && is_first_of_all)
            record->is_pending = false;
        else if (outcome == REDUCE_SEPARATE)
            return reduce_all(c, entry, err);
        else {
            records_kill(&c->records, last);
            if (replace_last(c, entry, &c->scratch, err) < 0)
                return -1;
        }
    }
    return 0;
}
