/* Extractors: which parts of a document are records. Also used by async jobs, for states and URLs. */
#ifndef FIRTH_DECLARATIVE_RECORD_EXTRACTOR_H
#define FIRTH_DECLARATIVE_RECORD_EXTRACTOR_H

#include "record.h"

struct extractor;
/* A DpathExtractor, a CombinedExtractor; none: one that gives the whole document. */
int extractor_compile(struct engine *engine, struct component component, struct extractor **ret_extractor,
                      struct error *err);
/* Empty values that are skipped (skip_empty_records) are given all the same, as undefined: they count for the
 * size of a page. */
void extractor_tell_dropped(struct extractor *extractor);
/* Each record of a document, in order; any value, parts of the document or made in the arena. -1 from
 * `on_value` ends it. */
typedef int extractor_sink(void *context, struct tvalue value, struct error *err);
int extractor_run(const struct extractor *extractor, const struct tvalue *document, struct arena *arena,
                  extractor_sink *on_value, void *context, struct error *err);

/* How a list is read that a record has only in part (truncated_list_retriever): with pages, which are above
 * this folder. page/list.c has it; engine->lists leads there. */
struct list_reading {
    int (*compile)(struct engine *engine, struct component retriever, void **ret_reader, struct error *err);
    /* All items, each there for the call alone; `parent`: the record. In a fiber. */
    int (*read)(void *reader, const struct tvalue *parent, extractor_sink *on_item, void *context,
                struct error *err);
};

#endif
