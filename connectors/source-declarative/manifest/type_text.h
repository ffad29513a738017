/* Private to this folder: the alternatives of a field (table.h), one at a time. */
#ifndef FIRTH_DECLARATIVE_MANIFEST_TYPE_TEXT_H
#define FIRTH_DECLARATIVE_MANIFEST_TYPE_TEXT_H

#include "table.h"

enum alternative_kind {
    ALTERNATIVE_STRING,
    ALTERNATIVE_INTEGER,
    ALTERNATIVE_NUMBER,
    ALTERNATIVE_BOOLEAN,
    ALTERNATIVE_NULL,
    ALTERNATIVE_ANY,
    ALTERNATIVE_OBJECT,
    ALTERNATIVE_WORD,      /* `text`: the word */
    ALTERNATIVE_LIST,      /* `text`: of what */
    ALTERNATIVE_MAP,       /* `text`: of what */
    ALTERNATIVE_COMPONENT, /* `text`: its name */
};
struct alternative {
    enum alternative_kind kind;
    struct slice text;
};
/* The next of *rest, which is cut; false at the end. */
bool alternative_next(struct slice *rest, struct alternative *ret_alternative);

#endif
