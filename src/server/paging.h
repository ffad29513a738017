/* Pages of the public API's lists: limit and offset from the query, previous and next in the answer. Private.
 */
#ifndef FIRTH_SERVER_PAGING_H
#define FIRTH_SERVER_PAGING_H

#include "server/call.h"

enum { PAGING_LIMIT_DEFAULT = 20, PAGING_LIMIT_MAX = 100 };

/* False: the request was answered (422). */
bool paging_read(struct call *call, struct control_page *ret_page);
/* The values of a query parameter that are ids, separated by commas or given more than once; *ret_items NULL
 * and 0 if there are none. False: answered. */
bool paging_ids(struct call *call, const char *name, const char *const **ret_items, size_t *ret_count);
/* "previous" and "next": URLs, or "". */
void paging_write(struct call *call, const struct control_page *page, uint64_t total);
/* Of the config API: {"pagination": {"pageSize", "rowOffset"}}; `otherwise` rows without one. False:
 * answered. */
bool paging_of_body(struct call *call, uint32_t otherwise, struct control_page *page);
/* Likewise its other kind: "pageSize" rows after the one whose id "cursor" is (NULL: from the first). */
bool paging_by_cursor(struct call *call, size_t *ret_size, const char **ret_cursor);

#endif
