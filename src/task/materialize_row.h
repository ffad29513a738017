/* A binding's rows: a document's key and selected values, as JSON and packed, for `load` and `store`. */
#ifndef FIRTH_TASK_MATERIALIZE_ROW_H
#define FIRTH_TASK_MATERIALIZE_ROW_H

#include "protocol/flow_materialize.h"
#include "json/key.h"

struct materialize_row {
    struct key key, values;
    const bool *is_time; /* by value: not what lies there, but the document's time */
    struct slice document_field;
    /* Of the document last read. */
    struct buffer key_json, key_packed, values_json, values_packed;
};

/* From a selection of the collection's fields: ERROR_PROTOCOL for one that it does not have. What the row
 * points to lives in the arena; its buffers are freed by materialize_row_done. */
int materialize_row_init(struct materialize_row *row, const struct flow_collection *collection,
                         const struct flow_field_selection *selection, struct arena *arena,
                         struct error *err);
void materialize_row_done(struct materialize_row *row);
/* Fill key_json and key_packed; ERROR_LIMIT for an integer of hundreds of digits. */
int materialize_row_key(struct materialize_row *row, const struct json *doc, struct error *err);
/* Fill values_json and values_packed. `time_ms`: of a document that does not tell its own (/_meta/uuid). */
int materialize_row_values(struct materialize_row *row, const struct json *doc, int64_t time_ms,
                           struct error *err);

#endif
