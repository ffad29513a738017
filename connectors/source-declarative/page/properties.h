/* Private to this folder: QueryProperties: names of what each request asks for. */
#ifndef FIRTH_DECLARATIVE_PAGE_PROPERTIES_H
#define FIRTH_DECLARATIVE_PAGE_PROPERTIES_H

#include "pages.h"

struct query_properties;
/* Of the requester's query_properties, of a parameter that holds them, or of fetch_properties_from_endpoint.
 * NULL where there are none. */
int query_properties_compile(struct engine *engine, struct component requester,
                             const struct requester *compiled, struct query_properties **ret_properties,
                             struct error *err);
/* In a fiber: the names as a list, fetched once where they come from the API. */
int query_properties_list(struct query_properties *properties, struct arena *arena, struct tvalue *ret_names,
                          struct error *err);
/* Put them where the manifest wants them: a parameter's value, "a,b,c". */
int query_properties_add(const struct query_properties *properties, struct tvalue names,
                         struct options *options, struct error *err);
/* The slice whose extra_fields hold them. */
struct tvalue query_properties_slice(struct arena *arena, struct tvalue stream_slice, struct tvalue names);

#endif
