/* The reducer at work: shared by the files of this folder, private to it.
 *
 * Functions that reduce return false once the reduction has stopped: a value that cannot be reduced, or
 * documents that must stay separate. Whoever gets false returns it; nothing is taken back on the way. */
#ifndef FIRTH_SCHEMA_REDUCE_REDUCER_H
#define FIRTH_SCHEMA_REDUCE_REDUCER_H

#include "schema/annotate.h"
#include "schema/reduce/reduce.h"
#include "schema/reduce/strategy.h"
#include "json/writer.h"

enum { REDUCE_DOCUMENT_MAX = 64 << 20 }; /* bytes of a string that is unescaped */

struct reducer {
    const struct schema *schema;
    struct schema_validator *validator;
    struct arena arena;          /* of the strategies */
    struct strategy *strategies; /* by note */

    /* the reduction at hand */
    const struct json *left, *right;
    bool is_full;
    bool any_drops;                     /* something of the right document may not be in the result */
    bool left_is_plain, right_is_plain; /* its bytes may be copied as they are */
    uint32_t *note_of;                  /* by node of the right document: note + 1; 0: nothing is said */
    size_t note_capacity;
    struct json_writer writer;
    enum reduce_outcome outcome; /* if it stopped: REDUCE_SEPARATE, or REDUCE_DONE with *err set */
    struct error *err;

    /* scratch: a stack of numbers, and unescaped text */
    uint32_t *stack;
    size_t stack_size, stack_capacity;
    struct buffer text[2];

    /* regroup.c: places that have been seen with their strategies; open addressing */
    struct json_parser *parser; /* NULL: not needed so far */
    struct place_seen {
        uint64_t path; /* 0: free */
        uint64_t strategy;
    } * places;
    size_t place_count, place_slots;
};

/* --- reducer.c ------------------------------------------------------------------------------------ */

/* Write what `left` (JSON_NONE: there is nothing) and `right` become. */
bool reduce_value(struct reducer *r, uint32_t left, uint32_t right);
/* The same for an element that may be dropped, and a member: the right one's key. */
bool reduce_element(struct reducer *r, uint32_t left, uint32_t right);
bool reduce_member(struct reducer *r, uint32_t left, uint32_t right_key);
bool reduce_is_dropped(const struct reducer *r, uint32_t right);
void reduce_put_left(struct reducer *r, uint32_t at);
void reduce_put_right(struct reducer *r, uint32_t at);
void reduce_put_left_member(struct reducer *r, uint32_t key);
/* Stop: "reduction failed at location '…': message". Returns false. */
bool reduce_fail(struct reducer *r, uint32_t right, const char *message);
bool reduce_separate(struct reducer *r);
/* Room for `count` numbers on the stack; the offset. Offsets stay, addresses do not. */
size_t reduce_push(struct reducer *r, size_t count);

/* The document becomes the right one of the reduction at hand: 1, 0 if it is not valid, -1. */
int reduce_prepare(struct reducer *r, enum reduce_mode mode, const struct json *right, struct error *err);
/* Reduce r->left and the right document: as reducer_reduce. */
int reduce_documents(struct reducer *r, struct buffer *out, struct error *err);
const struct strategy *reduce_strategy_at(const struct reducer *r, uint32_t right);

/* --- the strategies ------------------------------------------------------------------------------- */

bool reduce_merge(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right);
bool reduce_set(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right);
bool reduce_sum(struct reducer *r, uint32_t left, uint32_t right);
bool reduce_schemas(struct reducer *r, uint32_t left, uint32_t right); /* jsonSchemaMerge */

/* --- names.c: the members of an object by name ------------------------------------------------------ */

struct names {
    const struct json *doc;
    uint32_t object;   /* JSON_NONE: no members */
    uint32_t expected; /* key: mostly members come in the same order */
    uint32_t mask;     /* of the table; 0: too few for one */
    size_t table;      /* on the stack: key, 0 free */
};

struct names names_open(struct reducer *r, const struct json *doc, uint32_t object);
/* The key of the same name as another document's, or JSON_NONE. */
uint32_t names_find(struct reducer *r, struct names *names, const struct json *other, uint32_t key);

/* --- sorted.c: the elements of an array by key ------------------------------------------------------ */

struct sorted {
    const struct json *doc;
    uint32_t count;
    size_t first; /* on the stack: nodes */
};

/* The elements of an array (JSON_NONE: none), in the order of the key. */
struct sorted sorted_open(struct reducer *r, const struct key *key, const struct json *doc, uint32_t array);
static inline uint32_t sorted_at(const struct reducer *r, const struct sorted *sorted, uint32_t position)
{
    return r->stack[sorted->first + position];
}
/* Is there an element with the key of another document's? */
bool sorted_has(const struct reducer *r, const struct sorted *sorted, const struct key *key,
                const struct json *other, uint32_t element);
/* The key of scalars: the value itself. */
extern const struct key sorted_natural;

#endif
