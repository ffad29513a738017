/* A binding's rows: a document's key and selected values, as JSON and packed, for `load` and `store`. */
#ifndef FIRTH_TASK_MATERIALIZE_ROW_H
#define FIRTH_TASK_MATERIALIZE_ROW_H

#include "protocol/flow_materialize.h"
#include "json/key.h"

struct materialize_row {
    struct key key, values;
    const bool *is_time; /* by value: not what lies there, but the document's time */
    struct slice document_field;
    const struct flow_ser_policy *policy; /* NULL: nothing is shortened */
    struct json_parser *parser;           /* of what was shortened; NULL without a policy */
    /* Of the document last read. */
    struct buffer key_json, key_packed, values_json, values_packed, shortened;
};

/* From a selection of the collection's fields: ERROR_PROTOCOL for one that it does not have. `policy`, or
 * NULL: how values and documents are shortened. What the row points to lives in the arena; its buffers are
 * freed by materialize_row_done, to be called after a failure too. */
int materialize_row_init(struct materialize_row *row, const struct flow_collection *collection,
                         const struct flow_field_selection *selection, const struct flow_ser_policy *policy,
                         struct arena *arena, struct error *err);
void materialize_row_done(struct materialize_row *row);
/* Fill key_json and key_packed; ERROR_LIMIT for an integer of hundreds of digits. */
int materialize_row_key(struct materialize_row *row, const struct json *doc, struct error *err);
/* Fill values_json and values_packed. `time_ms`: of a document that does not tell its own (/_meta/uuid). */
int materialize_row_values(struct materialize_row *row, const struct json *doc, int64_t time_ms,
                           struct error *err);
/* The document's text as it is stored, after materialize_row_key: `text`, or shortened, in the row's memory
 * until the next one. A document whose key is in what would be cut off stays whole: it has to be found again.
 */
int materialize_row_document(struct materialize_row *row, const struct json *doc, struct slice text,
                             struct slice *ret_text, struct error *err);

#endif
