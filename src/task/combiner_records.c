/* Records of documents in one region of memory, found by their keys' hashes. */
#include "task/combiner_parts.h"

enum { ALIGNMENT = 8, SLOTS_MIN = 64 };

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A document that has grown once may do so again: a quarter more for it. */
static size_t record_size(const struct combine_item *item, bool grows)
{
    return aligned(sizeof(struct record) + item->key.size + item->document.size +
                   (grows ? item->document.size / 4 : 0));
}

size_t records_cost(const struct combine_item *item)
{
    return record_size(item, true) + sizeof(struct entry) + 4 * sizeof(uint32_t);
}

size_t records_used(const struct records *records)
{
    return records->size + records->count * sizeof(struct entry) + records->slot_count * sizeof(uint32_t);
}

struct combine_item records_item(const struct records *records, uint64_t offset)
{
    const struct record *record = records_at(records, offset);
    const char *key = (const char *)(record + 1);
    return (struct combine_item){.binding = record->binding,
                                 .is_left = record->is_left,
                                 .is_inexact = record->is_inexact,
                                 .is_reduced = record->is_reduced,
                                 .ends = record->ends,
                                 .is_pending = record->is_pending,
                                 .key = {key, record->key_size},
                                 .document = {key + record->key_size, record->document_size}};
}

void records_clear(struct records *records)
{
    records->size = records->garbage = records->count = 0;
    if (records->slot_count)
        memset(records->slots, 0, records->slot_count * sizeof *records->slots);
}

void records_done(struct records *records)
{
    free(records->bytes);
    free(records->entries);
    free(records->slots);
    *records = (struct records){0};
}

static void insert_slot(struct records *records, uint32_t entry)
{
    size_t mask = records->slot_count - 1, at = records->entries[entry].hash & mask;
    while (records->slots[at])
        at = (at + 1) & mask;
    records->slots[at] = entry + 1;
}

uint32_t records_add_entry(struct records *records, uint64_t hash)
{
    uint32_t entry = (uint32_t)records->count++;
    records->entries =
        mem_grow(records->entries, &records->entry_capacity, records->count, sizeof *records->entries);
    records->entries[entry] = (struct entry){hash, RECORD_NONE, RECORD_NONE};
    if (records->count * 2 <= records->slot_count) {
        insert_slot(records, entry);
        return entry;
    }
    records->slot_count = records->slot_count ? 2 * records->slot_count : SLOTS_MIN;
    free(records->slots);
    records->slots = mem_zalloc(records->slot_count * sizeof *records->slots);
    for (uint32_t i = 0; i < records->count; i++)
        insert_slot(records, i);
    return entry;
}

static void write_item(struct record *record, const struct combine_item *item)
{
    char *to = (char *)(record + 1);
    record->binding = item->binding;
    record->key_size = (uint32_t)item->key.size;
    record->document_size = (uint32_t)item->document.size;
    record->is_left = item->is_left;
    record->is_inexact = item->is_inexact;
    record->is_reduced = item->is_reduced;
    record->ends = item->ends;
    record->is_pending = item->is_pending;
    memcpy(to, item->key.data, item->key.size);
    memcpy(to + item->key.size, item->document.data, item->document.size);
}

void records_put(struct records *records, uint32_t entry, const struct combine_item *item, bool grows)
{
    size_t size = record_size(item, grows);
    uint64_t offset = records->size;
    records->bytes = mem_grow(records->bytes, &records->capacity, records->size + size, 1);
    records->size += size;
    struct record *record = records_at(records, offset);
    struct entry *of = &records->entries[entry];
    *record = (struct record){.next = RECORD_NONE,
                              .previous = RECORD_NONE,
                              .entry = entry,
                              .room = (uint32_t)(size - sizeof *record)};
    write_item(record, item);
    if (of->first == RECORD_NONE) {
        of->first = of->last = offset;
    } else if (item->is_left) {
        record->next = of->first;
        records_at(records, of->first)->previous = offset;
        of->first = offset;
    } else {
        record->previous = of->last;
        records_at(records, of->last)->next = offset;
        of->last = offset;
    }
}

void records_kill(struct records *records, uint64_t offset)
{
    struct record *record = records_at(records, offset);
    struct entry *entry = &records->entries[record->entry];
    if (record->previous == RECORD_NONE)
        entry->first = record->next;
    else
        records_at(records, record->previous)->next = record->next;
    if (record->next == RECORD_NONE)
        entry->last = record->previous;
    else
        records_at(records, record->next)->previous = record->previous;
    record->entry = ENTRY_NONE;
    records->garbage += sizeof *record + record->room;
}

bool records_overwrite(struct records *records, uint64_t offset, const struct combine_item *item)
{
    struct record *record = records_at(records, offset);
    if (item->key.size + item->document.size > record->room)
        return false;
    write_item(record, item);
    return true;
}

void records_compact(struct records *records)
{
    uint64_t to = 0;
    for (uint64_t from = 0; from < records->size;) {
        struct record *record = records_at(records, from);
        size_t size = sizeof *record + record->room;
        if (record->entry != ENTRY_NONE) {
            struct entry *entry = &records->entries[record->entry];
            *(record->previous == RECORD_NONE ? &entry->first
                                              : &records_at(records, record->previous)->next) = to;
            *(record->next == RECORD_NONE ? &entry->last : &records_at(records, record->next)->previous) = to;
            memmove(records->bytes + to, record, size);
            to += size;
        }
        from += size;
    }
    records->size = to;
    records->garbage = 0;
}
