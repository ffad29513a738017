/* SimpleRetriever without its slicer: every page of one slice. What `stream/` reads with. */
#ifndef FIRTH_DECLARATIVE_PAGE_PAGES_H
#define FIRTH_DECLARATIVE_PAGE_PAGES_H

#include "source-declarative/record/selector.h"

/* What the stream adds to each request and wants to know: its partition router and its cursor. Any may be
 * NULL. */
struct pages_hooks {
    int (*add_options)(void *context, struct scope *scope, struct tvalue stream_slice,
                       struct options *options, struct error *err);
    /* Data feeds: true at the first record that is older than the state: the page is the last. */
    bool (*is_old)(void *context, const struct record *record);
    /* PaginationReset, SPLIT_USING_CURSOR: the rest of the slice by what was read so far. */
    int (*reduce_slice)(void *context, struct tvalue stream_slice, struct arena *arena,
                        struct tvalue *ret_slice, struct error *err);
    /* SPLIT_REQUEST_WINDOW: smaller slices in place of this one, a list; none: it cannot be split. */
    int (*split_slice)(void *context, struct tvalue stream_slice, struct arena *arena,
                       struct tvalue *ret_slices, struct error *err);
    /* lazy_read_pointer: is the first page of a slice in its extra_fields, as PAGES_CHILD_RESPONSE? NULL: no.
     */
    bool (*is_lazy)(void *context);
    void *context;
};
#define PAGES_CHILD_RESPONSE "child_response"

struct pages_settings {
    const char *stream_name;
    struct component transformations;
    const struct record_gate *client_side; /* left out where they are extracted */
    const struct record_gate *post_filter; /* data feeds: left out after pagination saw them */
    struct pages_hooks hooks;
};
struct pages;
/* `component`: a SimpleRetriever. Its partition_router is the caller's. */
int pages_compile(struct engine *engine, struct component component, const struct pages_settings *settings,
                  struct pages **ret_pages, struct error *err);
/* The same without a SimpleRetriever around it, for downloads: every record that the extractor finds. None
 * for what is absent; without an extractor each document is a record. */
struct pages_parts {
    struct component requester, decoder, extractor, paginator;
};
int pages_compile_parts(struct engine *engine, struct component where, const struct pages_parts *parts,
                        const struct pages_settings *settings, struct pages **ret_pages, struct error *err);
/* In a fiber: all pages of a slice, each record to on_record in order. `schema`: for normalization and query
 * properties; NULL: none. Any number of slices of one struct pages may be read at once. */
int pages_read(const struct pages *pages, struct tvalue stream_slice, const struct json *schema,
               record_sink *on_record, void *context, struct error *err);

#endif
