/* Reductions: two documents become one, place by place, as the schema's "reduce" annotations say.
 *
 * The strategies and their meaning are Flow's (docs/reductions.md). The newer document is the right one; what
 * the schema says about it decides, so that a reduction may depend on the document (if/then/else, oneOf).
 *
 * Two modes. In a partial reduction the left document is itself an update: what is reduced later onto a base
 * is the same whichever way the updates were put together. Full: the left one is the base, all there was
 * before; only then locations are deleted and a set forgets what it was to remove. */
#ifndef FIRTH_SCHEMA_REDUCE_REDUCE_H
#define FIRTH_SCHEMA_REDUCE_REDUCE_H

#include "schema/schema.h"

enum reduce_mode { REDUCE_PARTIAL, REDUCE_FULL };

enum reduce_outcome {
    REDUCE_DONE,
    REDUCE_DELETED,  /* full: the document is to be deleted; what it was reduced to is there all the same */
    REDUCE_SEPARATE, /* partial: these two cannot be put together, both must be kept, in order */
    REDUCE_INVALID,  /* the right document is not valid by the schema; schema_explain says why */
};

/* What a schema is compiled with to be reduced by: {"reduce", NULL}. A list of a caller's own has "reduce"
 * first. */
extern const char *const reduce_annotations[];

/* One thread's reducer: the schema's strategies and scratch. The schema outlives it. NULL, with the
 * annotation's place, if one is not understood. */
struct reducer;
struct reducer *reducer_new(const struct schema *schema, struct error *err);
void reducer_free(struct reducer *reducer);
MEM_DEFINE_CLEANUP(struct reducer *, reducer_free);

/* Validate the right document and reduce the left one with it; left NULL: there is none. The result, one line
 * of compact JSON if the documents are (any line break goes), is appended to *out, whose maximum bounds it;
 * what is not changed is copied byte for byte. Members keep the left document's order, new ones follow in the
 * right one's. Nothing is appended unless the outcome is REDUCE_DONE or REDUCE_DELETED.
 * Returns enum reduce_outcome, or -1 with *err: a value that the strategy cannot take (the message names the
 * location), or a limit. In the steady state nothing is allocated. */
int reducer_reduce(struct reducer *reducer, enum reduce_mode mode, const struct json *left,
                   const struct json *right, struct buffer *out, struct error *err);
/* Reduce two updates, both found valid, to one that may stand for both as the *right* document of a partial
 * reduction: reduced with whatever came before, the outcome is that of reducing with the one and then the
 * other. REDUCE_DONE, with the result appended; or REDUCE_SEPARATE where that is not certain: the update
 * would not be valid, or other strategies would apply to it than to the two (an annotation that depends on
 * the document). */
int reducer_regroup(struct reducer *reducer, const struct json *left, const struct json *right,
                    struct buffer *out);
/* Would the right document of the last reduction, which was done, delete the whole in a full one? */
bool reducer_deletes(const struct reducer *reducer);

#endif
