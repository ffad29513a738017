/* The combiner's parts: shared by combiner*.c, private to them.
 *
 * An item is a document with its encoded key. Items live as records in one region of memory, or in runs of
 * the spill file; cursors go over either. */
#ifndef FIRTH_TASK_COMBINER_PARTS_H
#define FIRTH_TASK_COMBINER_PARTS_H

#include "task/combiner.h"

struct combine_item {
    uint32_t binding;
    bool is_left;
    bool is_inexact; /* the encoded key does not say all: see combiner_key.c */
    bool is_reduced; /* made of several: to be validated before it is drained */
    bool ends;       /* a document that deletes: what follows is not reduced onto it */
    bool is_pending; /* only in memory: not yet reduced onto the one before it, see combiner_pending.c */
    struct slice key, document;
};

/* --- combiner_key.c ------------------------------------------------------------------------------- */

/* Append a form of the key whose bytes are in the key's order, as far as it goes. */
void combine_encode_key(const struct key *key, const struct json *doc, struct buffer *out,
                        bool *ret_is_inexact);
/* "[1,\"x\"]", cut short, for people. */
void combine_key_text(const struct key *key, const struct json *doc, struct buffer *out);

/* --- combiner_records.c: the region --------------------------------------------------------------- */

#define RECORD_NONE UINT64_MAX
#define ENTRY_NONE UINT32_MAX

/* 8-byte aligned in the region; the key and the document follow. */
struct record {
    uint64_t next, previous; /* of the same key: the left document, then the others in order */
    uint32_t entry;          /* ENTRY_NONE: garbage */
    uint32_t binding;
    uint32_t room; /* bytes that follow */
    uint32_t key_size, document_size;
    bool is_left, is_inexact, is_reduced, ends, is_pending;
};

/* All records of one key. */
struct entry {
    uint64_t hash;
    uint64_t first, last; /* RECORD_NONE: they are gone */
};

struct records {
    char *bytes;
    size_t size, capacity, garbage;
    struct entry *entries;
    size_t count, entry_capacity;
    uint32_t *slots; /* entry + 1, 0 free; open addressing */
    size_t slot_count;
};

static inline struct record *records_at(const struct records *records, uint64_t offset)
{
    return (struct record *)(void *)(records->bytes + offset);
}
struct combine_item records_item(const struct records *records, uint64_t offset);
void records_clear(struct records *records);
void records_done(struct records *records);
/* Bytes that an item takes, at most. */
size_t records_cost(const struct combine_item *item);
size_t records_used(const struct records *records);
/* Put the item behind the others of its key (a left one before them). */
void records_put(struct records *records, uint32_t entry, const struct combine_item *item, bool grows);
uint32_t records_add_entry(struct records *records, uint64_t hash);
/* Take a record out. */
void records_kill(struct records *records, uint64_t offset);
/* Overwrite a record's document if there is room. */
bool records_overwrite(struct records *records, uint64_t offset, const struct combine_item *item);
/* Squeeze the garbage out. */
void records_compact(struct records *records);

/* --- combiner_spill.c: sorted runs in a file ------------------------------------------------------ */

struct run {
    uint64_t from, to; /* bytes of the file */
};

struct spill {
    int fd;
    char *folder;
    uint64_t size; /* of the file, what is still in `out` included */
    struct buffer out;
    struct run runs[COMBINER_RUNS_MAX];
    size_t run_count;
};

/* A file without a name in the folder. */
struct spill *spill_open(const char *folder, struct error *err);
void spill_close(struct spill *spill);
void spill_begin(struct spill *spill);
int spill_put(struct spill *spill, const struct combine_item *item, struct error *err);
int spill_end(struct spill *spill, struct error *err);

struct run_reader {
    const struct spill *spill;
    uint64_t at, to; /* what is still to be read */
    struct buffer in;
    size_t taken; /* of `in`, by the item at hand */
};

void run_reader_open(struct run_reader *reader, const struct spill *spill, const struct run *run);
void run_reader_close(struct run_reader *reader);
/* 1 with the next item, valid until the next call; 0 at the end. */
int run_reader_next(struct run_reader *reader, struct combine_item *ret_item, struct error *err);

/* --- combiner_merge.c: all items in order --------------------------------------------------------- */

/* One source of items in order: a run, or the records (reader.spill is NULL). */
struct source {
    struct run_reader reader;
    size_t position; /* of the next entry in `sorted` … */
    uint64_t record; /* … or of the next record of this one */
    struct combine_item item;
};

struct merge {
    struct combiner *combiner;
    uint32_t *sorted; /* entries in order */
    size_t sorted_count;
    struct source *sources;
    uint32_t *heap; /* numbers of sources; the least item's first */
    size_t source_count, heap_size;
};

enum merge_of { MERGE_ALL, MERGE_RUNS, MERGE_RECORDS };
int merge_open(struct merge *merge, struct combiner *combiner, enum merge_of of, struct error *err);
void merge_close(struct merge *merge);
/* The next item, NULL at the end; it stays until merge_advance. */
const struct combine_item *merge_peek(const struct merge *merge);
int merge_advance(struct merge *merge, struct error *err);
/* The records as one more run of the spill file; they are gone then. Merges runs if there are too many. */
int combine_spill(struct combiner *combiner, struct error *err);

/* --- combiner.c ----------------------------------------------------------------------------------- */

struct combiner {
    struct combiner_binding *bindings;
    struct reducer **reducers; /* by binding */
    size_t binding_count;
    size_t memory;
    char *folder;
    struct json_parser *left, *right, *compared[2];
    struct schema_validator *validator;
    struct buffer key, line; /* of the document at hand */
    struct records records;
    struct spill *spill; /* NULL: nothing was spilled */
    struct combiner_stats stats;

    bool is_draining;
    struct merge merge;
    struct buffer group;           /* the key that is drained … */
    struct buffer result, scratch; /* … and what its documents are so far */
};

/* Keep the item among those of its key (`entry`), in place of the record `old` that it was made of, if there
 * is one: the last of its key. Makes room within the budget; if that spills, all records are gone. */
int combine_keep(struct combiner *combiner, const struct combine_item *item, uint64_t hash, uint32_t entry,
                 uint64_t old, struct error *err);
/* combiner_pending.c: may a document of this size be left behind the record, to be reduced later? */
bool combine_defers(const struct combiner *combiner, uint64_t record, size_t size);
/* Reduce what the documents at the end of the entry's list have grown to; after one was put there. */
int combine_settle(struct combiner *combiner, uint32_t entry, struct error *err);

/* Binding by binding, key by key: below 0, 0, above 0. */
int combine_compare(struct combiner *combiner, const struct combine_item *a, const struct combine_item *b);
/* A document of ours, which is valid JSON. */
struct json combine_parse(struct json_parser *parser, struct slice document);
/* "documents with key […]: " before the message. Returns -1. */
int combine_wrap(const struct combiner *combiner, uint32_t binding, const struct json *doc,
                 struct error *err);

#endif
