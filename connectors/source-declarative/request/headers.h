/* Headers of an answer as templates see them. */
#ifndef FIRTH_DECLARATIVE_REQUEST_HEADERS_H
#define FIRTH_DECLARATIVE_REQUEST_HEADERS_H

#include "http/http.h"
#include "source-declarative/template/value.h"

/* A dict, names as the server wrote them, several of one name joined with ", ". `any_case`: each name in
 * lower case and in Title-Case as well, for places where the CDK's mapping looks past case. */
struct tvalue headers_value(struct arena *arena, const struct http_header *headers, size_t count,
                            bool any_case);
/* A Link header taken apart: by rel, or by URL where there is none: {"next": {"url": …, "rel": "next"}}. */
struct tvalue headers_links(struct arena *arena, struct slice link);

#endif
