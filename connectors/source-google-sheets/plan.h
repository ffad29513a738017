/* Which tabs are streams, and what their columns are called. */
#ifndef FIRTH_CONNECTORS_SOURCE_GOOGLE_SHEETS_PLAN_H
#define FIRTH_CONNECTORS_SOURCE_GOOGLE_SHEETS_PLAN_H

#include "connectors/google-sheets/options.h"
#include "names.h"

struct stream_override {
    const char *from, *to;
};

/* A stream that the config names, of any spreadsheet. */
struct named_stream {
    const char *name, *spreadsheet_id, *tab;
};

struct source_config {
    struct sheets_config sheets; /* the first: sheets_client_choices */
    int64_t batch_size;
    struct names_rules names;
    struct firth_objects overrides, streams; /* struct stream_override, struct named_stream */
    int64_t num_workers;                     /* accepted: one request at a time is asked for */
};

struct sheet_stream {
    const char *name, *title;
    struct sheets *sheets; /* the plan's */
    int64_t rows;          /* of the grid */
    struct names_column *columns;
    size_t column_count;
};

struct source_plan {
    struct arena arena;
    struct sheets **books;
    size_t book_count;
    struct sheet_stream *streams;
    size_t count;
};

int source_plan_make(struct firth_host *host, const struct source_config *config,
                     struct source_plan *ret_plan, struct error *err);
void source_plan_done(struct source_plan *plan);

#endif
