/* Paginators: where the next page is, and what asks for it. Stateless: the token is the caller's. */
#ifndef FIRTH_DECLARATIVE_PAGE_PAGINATOR_H
#define FIRTH_DECLARATIVE_PAGE_PAGINATOR_H

#include "source-declarative/record/selector.h"

struct paginator;
/* Of DefaultPaginator, NoPagination, or none. */
int paginator_compile(struct engine *engine, struct component component, struct component decoder,
                      struct paginator **ret_paginator, struct error *err);
/* 0: not known. */
int64_t paginator_page_size(const struct paginator *paginator);
/* None: no token. `token` is the bare value; templates see {"next_page_token": token}. */
struct tvalue paginator_initial_token(const struct paginator *paginator);
/* What the page asks for: parameters, headers, body, and the path (RequestPath; data NULL: none).
 * `page_size`: in place of the paginator's own; 0: that. */
int paginator_add(const struct paginator *paginator, struct scope *scope, struct tvalue token,
                  int64_t page_size, struct options *options, struct slice *ret_path, struct error *err);
struct page_result {
    const struct answer *answer;
    struct tvalue body;        /* the decoded document; {} where the body is a stream */
    size_t extracted;          /* records before the filter */
    size_t records;            /* after it */
    const struct record *last; /* NULL: none */
    struct tvalue token;       /* of this page */
    int64_t page_size;         /* that was asked for in place of the paginator's own; 0: that */
};
/* None: that was the last page. Lives in the arena. */
int paginator_next(const struct paginator *paginator, struct scope *scope, const struct page_result *page,
                   struct arena *arena, struct tvalue *ret_token, struct error *err);

#endif
