/* Slices are read at once and written one after the other: a state covers every record of its stream that was
 * written before it, so no record of a slice that is still being read may stand before another one's state.
 * What a slice gives is held until it has ended, in bounded memory; one whose records are more than that is
 * written as it is read, and meanwhile the others are held.
 *
 * A partition's windows are written in their order: its state is where the first that is missing begins. */
#ifndef FIRTH_DECLARATIVE_STREAM_OUTLET_H
#define FIRTH_DECLARATIVE_STREAM_OUTLET_H

#include "stream.h"

enum {
    OUTLET_EAGER = 256 << 10,  /* bytes of a slice: then it is written as it is read, if it can be */
    OUTLET_HELD_MAX = 8 << 20, /* of all slices: then they wait */
    OUTLET_RESTING_MAX = 64,   /* slices that have been read, and wait without a slot */
};

struct outlet_slice;
struct outlet {
    struct fibers *fibers;
    const struct stream_sink *sink;
    bool ordered;                       /* false: there are no states, and nothing is held */
    struct outlet_slice *first, **last; /* that have not left, in the order in which they came */
    const struct outlet_slice *writing; /* as it is read; NULL: none */
    size_t held, resting;
    struct fiber_signal changed;
    struct buffer text;
};

struct outlet_slice {
    struct outlet *outlet; /* NULL: it has not entered, or has left */
    struct outlet_slice *next;
    const void *partition; /* NULL: none in particular */
    struct buffer held;    /* sizes and texts */
    bool begun;            /* it is being read: whoever has entered may still wait for an API's job */
    bool resting;
};

void outlet_init(struct outlet *outlet, struct fibers *fibers, const struct stream_sink *sink, bool ordered);
void outlet_done(struct outlet *outlet); /* all have left */
void outlet_enter(struct outlet *outlet, struct outlet_slice *slice, const void *partition);
/* The rest in the slice's fiber. */
int outlet_record(struct outlet_slice *slice, const struct record *record, struct error *err);
/* It has been read: would it have to wait for its turn? */
bool outlet_must_wait(const struct outlet_slice *slice);
/* Wait for its turn, and write what was held. From then on until it leaves nobody else writes. */
int outlet_turn(struct outlet_slice *slice, struct error *err);
/* In whatever way it ended; what is still held goes. Nothing where it has not entered. */
void outlet_leave(struct outlet_slice *slice);

#endif
