/* Private to this folder: RecordExpander, the lists inside of a record instead of it. */
#ifndef FIRTH_DECLARATIVE_RECORD_EXPANDER_H
#define FIRTH_DECLARATIVE_RECORD_EXPANDER_H

#include "extractor.h"
#include "transform.h"

struct expander;
/* *ret_expander is NULL where the component is none. */
int expander_compile(struct engine *engine, struct component component, struct expander **ret_expander,
                     struct error *err);
int expander_run(struct expander *expander, struct tvalue record, struct arena *arena,
                 extractor_sink *on_value, void *context, struct error *err);

/* dpath.values where a segment is "*", else dpath.get: which may match once. A value, or none. */
int path_take(struct arena *arena, const struct tvalue *document, struct path path, struct tvalue *ret_value,
              struct error *err);

#endif
