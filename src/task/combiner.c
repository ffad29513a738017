/* Adding documents: found by key, reduced with what is there, kept as records. */
#include "task/combiner_parts.h"

#include "base/hash.h"
#include "json/writer.h"

struct combiner *combiner_new(const struct combiner_binding *bindings, size_t count,
                              const struct combiner_options *options, struct error *err)
{
    struct combiner *c = mem_zalloc(sizeof *c);
    c->bindings = mem_dup(bindings, count * sizeof *bindings);
    c->reducers = mem_zalloc((count + 1) * sizeof(struct reducer *));
    c->binding_count = count;
    c->memory = options->memory ? options->memory : COMBINER_MEMORY_DEFAULT;
    if (c->memory < COMBINER_MEMORY_MIN)
        c->memory = COMBINER_MEMORY_MIN;
    c->folder = mem_strdup(options->folder);
    struct json_limits limits = {.size_max = COMBINER_DOCUMENT_MAX, .depth_max = JSON_DEPTH_LIMIT};
    struct json_parser **parsers[] = {&c->left, &c->right, &c->compared[0], &c->compared[1]};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        *parsers[i] = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    c->validator = schema_validator_new();
    buffer_init(&c->key, BUFFER_UNLIMITED); /* part of a document, twice its size at most */
    buffer_init(&c->group, BUFFER_UNLIMITED);
    buffer_init(&c->line, COMBINER_DOCUMENT_MAX);
    buffer_init(&c->result, COMBINER_DOCUMENT_MAX);
    buffer_init(&c->scratch, COMBINER_DOCUMENT_MAX);
    for (size_t i = 0; i < count; i++) {
        c->reducers[i] = reducer_new(bindings[i].schema, err);
        if (!c->reducers[i]) {
            combiner_free(c);
            return NULL;
        }
    }
    return c;
}

void combiner_clear(struct combiner *c)
{
    if (c->is_draining)
        merge_close(&c->merge);
    c->is_draining = false;
    records_clear(&c->records);
    spill_close(c->spill);
    c->spill = NULL;
    c->stats = (struct combiner_stats){0};
}

void combiner_free(struct combiner *c)
{
    if (!c)
        return;
    combiner_clear(c);
    records_done(&c->records);
    for (size_t i = 0; i < c->binding_count; i++)
        reducer_free(c->reducers[i]);
    struct json_parser *parsers[] = {c->left, c->right, c->compared[0], c->compared[1]};
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        json_parser_free(parsers[i]);
    schema_validator_free(c->validator);
    struct buffer *buffers[] = {&c->key, &c->group, &c->line, &c->result, &c->scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_done(buffers[i]);
    free(c->bindings);
    free(c->reducers);
    free(c->folder);
    free(c);
}

struct combiner_stats combiner_stats(const struct combiner *c)
{
    return c->stats;
}

struct json combine_parse(struct json_parser *parser, struct slice document)
{
    struct json doc = {0};
    struct error err;
    int result = json_parse(parser, document.data, document.size, &doc, &err);
    assert(result == 0);
    (void)result;
    return doc;
}

int combine_wrap(const struct combiner *c, uint32_t binding, const struct json *doc, struct error *err)
{
    struct buffer key;
    buffer_init(&key, BUFFER_UNLIMITED);
    combine_key_text(c->bindings[binding].key, doc, &key);
    error_wrap(err, "documents with key %s", buffer_cstr(&key));
    buffer_done(&key);
    return -1;
}

/* The entry of the item's key. Mostly the encoded keys say whether it is the same one. */
static uint32_t find_entry(struct combiner *c, const struct combine_item *item, uint64_t hash)
{
    const struct records *records = &c->records;
    if (records->slot_count == 0)
        return ENTRY_NONE;
    size_t mask = records->slot_count - 1;
    for (size_t at = hash & mask; records->slots[at]; at = (at + 1) & mask) {
        const struct entry *entry = &records->entries[records->slots[at] - 1];
        if (entry->hash != hash || entry->first == RECORD_NONE)
            continue;
        struct combine_item other = records_item(records, entry->first);
        if (combine_compare(c, item, &other) == 0)
            return records->slots[at] - 1;
    }
    return ENTRY_NONE;
}

/* The last document of a key that others may be reduced onto. */
static uint64_t last_right(const struct combiner *c, uint32_t entry)
{
    uint64_t last = entry == ENTRY_NONE ? RECORD_NONE : c->records.entries[entry].last;
    if (last == RECORD_NONE)
        return RECORD_NONE;
    const struct record *record = records_at(&c->records, last);
    return record->is_left || record->ends ? RECORD_NONE : last;
}

/* Make room within the budget: squeeze, or spill. A document that is alone may be larger than the budget. */
static int make_room(struct combiner *c, const struct combine_item *item, struct error *err)
{
    struct records *records = &c->records;
    size_t cost = records_cost(item);
    if (records_used(records) + cost <= c->memory || records->size == 0)
        return 0;
    if (records->garbage >= records->size / 2)
        records_compact(records);
    if (records_used(records) + cost <= c->memory || records->size == 0)
        return 0;
    return combine_spill(c, err);
}

int combine_keep(struct combiner *c, const struct combine_item *item, uint64_t hash, uint32_t entry,
                 uint64_t old, struct error *err)
{
    struct combine_item kept = *item;
    uint64_t runs = c->stats.runs;
    if (old != RECORD_NONE && records_overwrite(&c->records, old, item))
        return 0;
    if (old != RECORD_NONE)
        records_kill(&c->records, old);
    if (make_room(c, item, err) < 0)
        return -1;
    if (entry == ENTRY_NONE || c->stats.runs != runs) { /* spilled: there are no entries any more */
        entry = records_add_entry(&c->records, hash);
        kept.is_pending = false;
    }
    records_put(&c->records, entry, &kept, old != RECORD_NONE);
    return 0;
}

static struct combine_item item_of(struct combiner *c, uint32_t binding, const struct json *document,
                                   uint64_t *ret_hash)
{
    struct combine_item item = {.binding = binding};
    buffer_clear(&c->key);
    combine_encode_key(c->bindings[binding].key, document, &c->key, &item.is_inexact);
    item.key = (struct slice){c->key.data, c->key.size};
    item.document = json_raw(document, 0);
    *ret_hash = hash_xxh3(item.key.data, item.key.size, binding);
    return item;
}

/* The document by itself: validated, in one line. It is reduced with those before it later. */
static int add_pending(struct combiner *c, struct combine_item *item, const struct json *document,
                       uint64_t hash, uint32_t entry, struct error *err)
{
    uint64_t runs = c->stats.runs;
    int outcome = reducer_reduce(c->reducers[item->binding], REDUCE_PARTIAL, NULL, document, &c->line, err);
    if (outcome < 0)
        return combine_wrap(c, item->binding, document, err);
    if (outcome == REDUCE_INVALID)
        return 1;
    item->ends = reducer_deletes(c->reducers[item->binding]);
    item->is_pending = true;
    item->document = (struct slice){c->line.data, c->line.size};
    c->stats.added++;
    if (combine_keep(c, item, hash, entry, RECORD_NONE, err) < 0)
        return -1;
    return c->stats.runs == runs ? combine_settle(c, entry, err) : 0;
}

int combiner_add(struct combiner *c, uint32_t binding, const struct json *document, struct error *err)
{
    uint64_t hash;
    struct json left;
    assert(binding < c->binding_count && !c->is_draining);
    struct combine_item item = item_of(c, binding, document, &hash);
    uint32_t entry = find_entry(c, &item, hash);
    uint64_t old = last_right(c, entry);
    buffer_clear(&c->line);
    if (old != RECORD_NONE && combine_defers(c, old, item.document.size))
        return add_pending(c, &item, document, hash, entry, err);
    if (old != RECORD_NONE)
        left = combine_parse(c->left, records_item(&c->records, old).document);
    int outcome = reducer_reduce(c->reducers[binding], REDUCE_PARTIAL, old == RECORD_NONE ? NULL : &left,
                                 document, &c->line, err);
    if (outcome == REDUCE_SEPARATE) { /* kept behind the other */
        old = RECORD_NONE;
        outcome = reducer_reduce(c->reducers[binding], REDUCE_PARTIAL, NULL, document, &c->line, err);
    }
    if (outcome < 0)
        return combine_wrap(c, binding, document, err);
    if (outcome == REDUCE_INVALID)
        return 1;
    item.is_reduced = old != RECORD_NONE;
    item.ends = reducer_deletes(c->reducers[binding]);
    item.document = (struct slice){c->line.data, c->line.size};
    c->stats.added++;
    c->stats.reduced_bytes += old == RECORD_NONE ? 0 : c->line.size;
    return combine_keep(c, &item, hash, entry, old, err);
}

int combiner_add_left(struct combiner *c, uint32_t binding, const struct json *document, struct error *err)
{
    uint64_t hash;
    struct json_writer writer;
    assert(binding < c->binding_count && !c->is_draining && c->bindings[binding].mode == REDUCE_FULL);
    struct combine_item item = item_of(c, binding, document, &hash);
    uint32_t entry = find_entry(c, &item, hash);
    item.is_left = true;
    if (entry != ENTRY_NONE && records_at(&c->records, c->records.entries[entry].first)->is_left) {
        error_set(err, ERROR_INVALID, "the endpoint's document came twice");
        return combine_wrap(c, binding, document, err);
    }
    buffer_clear(&c->line);
    json_writer_init(&writer, &c->line);
    json_put_value(&writer, document, 0);
    if (c->line.overflowed)
        return error_set(err, ERROR_LIMIT, "the endpoint's document is larger than %d bytes",
                         COMBINER_DOCUMENT_MAX);
    item.document = (struct slice){c->line.data, c->line.size};
    c->stats.added++;
    return combine_keep(c, &item, hash, entry, RECORD_NONE, err);
}
