/* A table as a stream: its schema, its key, how its records are made. */
#ifndef FIRTH_PG_STREAM_H
#define FIRTH_PG_STREAM_H

#include "catalog.h"

/* What is around a row: what both protocols' CDC documents have beside the columns. */
enum pg_envelope {
    PG_ENVELOPE_NONE,    /* columns only */
    PG_ENVELOPE_AIRBYTE, /* _ab_cdc_lsn, _ab_cdc_updated_at, _ab_cdc_deleted_at */
    PG_ENVELOPE_FLOW,    /* _meta {op, source, before} */
};

enum pg_envelope pg_envelope_of(const struct pg_config *config, bool flow);
/* May this column be captured? Changes may leave out generated ones. */
bool pg_column_is_read(const struct pg_column *column, enum pg_envelope envelope);
/* Append the JSON Schema of the table's records. */
void pg_stream_put_schema(struct buffer *out, const struct pg_table *table, enum pg_envelope envelope,
                          bool history, struct pg_style style);
/* The key as JSON Pointers, NULL-terminated; NULL: none. In the arena. */
const char *const *pg_stream_key(const struct pg_table *table, enum pg_envelope envelope, bool history,
                                 struct arena *arena);
/* "name" and 'schema.name' for people. */
const char *pg_stream_label(const struct pg_table *table, struct arena *arena);
/* Can the table be read as it was chosen: all rows, and with its key? */
int pg_stream_check(const struct pg_table *table, const struct firth_selected *selected,
                    const struct pg_config *config, enum pg_envelope envelope, struct firth_error *err);
/* Which of the chosen key's pointers leads to none of these columns (NULL-terminated); NULL: none does. */
const char *pg_stream_missing_key(const struct firth_selected *selected, enum pg_envelope envelope,
                                  const char *const *names);
/* The column that a cursor, "/updated_at", points to; NULL: none. */
const struct pg_column *pg_stream_column(const struct pg_table *table, const char *pointer);

#endif
