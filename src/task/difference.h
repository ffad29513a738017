/* In what a document falls short of what was expected: every expected member has to be there, more may. */
#ifndef FIRTH_TASK_DIFFERENCE_H
#define FIRTH_TASK_DIFFERENCE_H

#include "json/json.h"

struct difference {
    const char *pointer; /* into the document; arena */
    /* JSON; size 0: nothing is expected there, or nothing is there. Of the documents. */
    struct slice expected, actual;
};

enum { DIFFERENCES_MAX = 20 };
struct differences {
    struct arena *arena;
    struct difference items[DIFFERENCES_MAX];
    size_t count, omitted;
};

/* Add what differs. Members beyond those expected are right, elements of an array are not; numbers are
 * compared by value. */
void difference_find(struct differences *differences, const struct json *expected, const struct json *actual);

#endif
