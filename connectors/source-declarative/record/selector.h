/* RecordSelector: from an answer to records: extractor, filter, transformations, normalization. */
#ifndef FIRTH_DECLARATIVE_RECORD_SELECTOR_H
#define FIRTH_DECLARATIVE_RECORD_SELECTOR_H

#include "decoder.h"
#include "record.h"
#include "transformation.h"

/* What the stream's cursor wants to have a say in: records that are too old are left out. */
struct record_gate {
    bool (*takes)(void *context, const struct record *record);
    void *context;
};

struct selector_settings {
    const char *stream_name;
    struct component transformations;      /* the stream's; a list, or none */
    const struct record_gate *client_side; /* is_client_side_incremental; NULL: none */
};
struct record_selector;
int record_selector_compile(struct engine *engine, struct component component,
                            const struct selector_settings *settings, struct record_selector **ret_selector,
                            struct error *err);

/* One that gives what its extractor finds, as it is. */
int record_selector_of_extractor(struct engine *engine, struct component where, struct component extractor,
                                 const char *stream_name, struct record_selector **ret_selector,
                                 struct error *err);

struct selection_call {
    struct tvalue stream_slice, next_page_token;
    const struct json *schema; /* for normalization; NULL: none */
};
/* Gives each record to `on_record`, in order; it lives until the record after the next. -1 from there ends
 * it. */
typedef int record_sink(void *context, struct record *record, struct error *err);
int record_selector_run(const struct record_selector *selector, const struct selection_call *call,
                        struct decoding *decoding, record_sink *on_record, void *context,
                        size_t *ret_extracted, struct error *err);
/* Records that did not come from a decoder (schemas, config streams). */
int record_selector_apply(const struct record_selector *selector, const struct selection_call *call,
                          struct arena *arena, struct record *record, bool *ret_takes, struct error *err);

#endif
