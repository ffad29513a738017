/* Private to this folder: QueryProperties: names of what each request asks for, in one request or in several
 * whose records are then put together. */
#ifndef FIRTH_DECLARATIVE_PAGE_PROPERTIES_H
#define FIRTH_DECLARATIVE_PAGE_PROPERTIES_H

#include "pages.h"

struct query_properties;
/* Of the requester's query_properties, of a parameter that holds them, or of fetch_properties_from_endpoint.
 * NULL where there are none. */
int query_properties_compile(struct engine *engine, struct component requester,
                             const struct requester *compiled, const char *stream_name,
                             struct query_properties **ret_properties, struct error *err);
/* In a fiber: the names as a list of lists, each for a request of its own; fetched once where they come from
 * the API. As long as the engine. */
int query_properties_chunks(struct query_properties *properties, struct tvalue *ret_chunks,
                            struct error *err);
/* Put them where the manifest wants them: a parameter's value, "a,b,c". */
int query_properties_add(const struct query_properties *properties, struct tvalue names,
                         struct options *options, struct error *err);
/* The slice whose extra_fields hold them. */
struct tvalue query_properties_slice(struct arena *arena, struct tvalue stream_slice, struct tvalue names);

/* PropertyChunking: do records of a page's requests belong together where their keys are the same? */
bool query_properties_merge(const struct query_properties *properties);
/* The key of record_merge_strategy, in the arena; none: the record is for itself. */
struct tvalue query_properties_key(const struct query_properties *properties, struct arena *arena,
                                   const struct tvalue *record);
/* *into is a mapping, or none yet: members of mappings in it are put together, the rest is the last one's.
 * All of it is copied. */
void properties_merge(struct arena *arena, struct tvalue *into, const struct tvalue *record);

#endif
