/* All items in the order of their keys: a heap over the sorted runs and the records. */
#include "task/combiner_parts.h"

#include <stdlib.h>

int combine_compare(struct combiner *combiner, const struct combine_item *a, const struct combine_item *b)
{
    if (a->binding != b->binding)
        return a->binding < b->binding ? -1 : 1;
    size_t common = a->key.size < b->key.size ? a->key.size : b->key.size;
    int order = common ? memcmp(a->key.data, b->key.data, common) : 0;
    if (order != 0)
        return order;
    if (!a->is_inexact && !b->is_inexact)
        return (a->key.size > b->key.size) - (a->key.size < b->key.size);
    struct json x = combine_parse(combiner->compared[0], a->document);
    struct json y = combine_parse(combiner->compared[1], b->document);
    return key_compare(combiner->bindings[a->binding].key, &x, 0, &y, 0);
}

static int compare_entries(const void *left, const void *right, void *context)
{
    struct combiner *combiner = context;
    const struct records *records = &combiner->records;
    struct combine_item a = records_item(records, records->entries[*(const uint32_t *)left].first);
    struct combine_item b = records_item(records, records->entries[*(const uint32_t *)right].first);
    return combine_compare(combiner, &a, &b);
}

static void sort_records(struct merge *merge)
{
    const struct records *records = &merge->combiner->records;
    merge->sorted = mem_alloc((records->count + 1) * sizeof *merge->sorted);
    for (uint32_t i = 0; i < records->count; i++) {
        if (records->entries[i].first != RECORD_NONE)
            merge->sorted[merge->sorted_count++] = i;
    }
    qsort_r(merge->sorted, merge->sorted_count, sizeof *merge->sorted, compare_entries, merge->combiner);
}

/* The source's next item: 1, 0 at its end, -1. */
static int read_source(struct merge *merge, struct source *source, struct error *err)
{
    const struct records *records = &merge->combiner->records;
    if (source->reader.spill)
        return run_reader_next(&source->reader, &source->item, err);
    assert(merge->sorted);
    if (source->record != RECORD_NONE)
        source->record = records_at(records, source->record)->next;
    if (source->record == RECORD_NONE) {
        if (source->position == merge->sorted_count)
            return 0;
        source->record = records->entries[merge->sorted[source->position++]].first;
    }
    source->item = records_item(records, source->record);
    return 1;
}

/* Of one key the left document first, then what was added earlier. */
static bool is_before(const struct merge *merge, uint32_t a, uint32_t b)
{
    const struct combine_item *x = &merge->sources[a].item, *y = &merge->sources[b].item;
    int order = combine_compare(merge->combiner, x, y);
    if (order != 0)
        return order < 0;
    return x->is_left != y->is_left ? x->is_left : a < b;
}

static void sink(struct merge *merge, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->heap_size; child++) {
            if (is_before(merge, merge->heap[child], merge->heap[least]))
                least = child;
        }
        if (least == at)
            return;
        uint32_t swap = merge->heap[at];
        merge->heap[at] = merge->heap[least];
        merge->heap[least] = swap;
        at = least;
    }
}

static int add_source(struct merge *merge, struct error *err)
{
    uint32_t number = (uint32_t)merge->source_count++;
    int got = read_source(merge, &merge->sources[number], err);
    if (got > 0)
        merge->heap[merge->heap_size++] = number;
    return got < 0 ? -1 : 0;
}

int merge_open(struct merge *merge, struct combiner *combiner, enum merge_of of, struct error *err)
{
    const struct spill *spill = of == MERGE_RECORDS ? NULL : combiner->spill;
    size_t runs = spill ? spill->run_count : 0;
    *merge = (struct merge){.combiner = combiner};
    merge->sources = mem_zalloc((runs + 1) * sizeof *merge->sources);
    merge->heap = mem_alloc((runs + 1) * sizeof *merge->heap);
    int result = 0;
    for (size_t i = 0; i < runs && result == 0; i++) {
        run_reader_open(&merge->sources[i].reader, spill, &spill->runs[i]);
        result = add_source(merge, err);
    }
    if (of != MERGE_RUNS && result == 0) {
        sort_records(merge);
        merge->sources[runs].record = RECORD_NONE;
        result = add_source(merge, err);
    }
    for (size_t i = merge->heap_size / 2; i-- > 0;)
        sink(merge, i);
    if (result < 0)
        merge_close(merge);
    return result;
}

void merge_close(struct merge *merge)
{
    for (size_t i = 0; i < merge->source_count; i++) {
        if (merge->sources[i].reader.spill)
            run_reader_close(&merge->sources[i].reader);
    }
    free(merge->sources);
    free(merge->heap);
    free(merge->sorted);
    *merge = (struct merge){0};
}

const struct combine_item *merge_peek(const struct merge *merge)
{
    return merge->heap_size ? &merge->sources[merge->heap[0]].item : NULL;
}

int merge_advance(struct merge *merge, struct error *err)
{
    int got = read_source(merge, &merge->sources[merge->heap[0]], err);
    if (got < 0)
        return -1;
    if (got == 0)
        merge->heap[0] = merge->heap[--merge->heap_size];
    sink(merge, 0);
    return 0;
}

/* Everything of the merge as one run. */
static int write_run(struct merge *merge, struct spill *spill, struct error *err)
{
    uint64_t before = spill->size;
    const struct combine_item *item;
    spill_begin(spill);
    while ((item = merge_peek(merge))) {
        if (spill_put(spill, item, err) < 0 || merge_advance(merge, err) < 0)
            return -1;
    }
    merge->combiner->stats.runs++;
    merge->combiner->stats.spilled_bytes += spill->size - before;
    return spill_end(spill, err);
}

/* All runs become one, in a new file. */
static int merge_runs(struct combiner *combiner, struct error *err)
{
    struct merge merge;
    struct spill *spill = spill_open(combiner->folder, err);
    if (!spill)
        return -1;
    int result = merge_open(&merge, combiner, MERGE_RUNS, err);
    if (result == 0) {
        result = write_run(&merge, spill, err);
        merge_close(&merge);
    }
    if (result < 0) {
        spill_close(spill);
        return -1;
    }
    spill_close(combiner->spill);
    combiner->spill = spill;
    return 0;
}

int combine_spill(struct combiner *combiner, struct error *err)
{
    struct merge merge;
    if (combiner->spill && combiner->spill->run_count == COMBINER_RUNS_MAX && merge_runs(combiner, err) < 0)
        return -1;
    if (!combiner->spill)
        combiner->spill = spill_open(combiner->folder, err);
    if (!combiner->spill || merge_open(&merge, combiner, MERGE_RECORDS, err) < 0)
        return -1;
    int result = write_run(&merge, combiner->spill, err);
    merge_close(&merge);
    records_clear(&combiner->records);
    return result;
}
