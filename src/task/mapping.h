/* What becomes of a stream's records on their way through a connection: columns and fields that were not
 * chosen are left out, then the mappers do their work, in their order (protocol/airbyte_mapper.h). What is
 * sent on unchanged keeps its bytes. */
#ifndef FIRTH_TASK_MAPPING_H
#define FIRTH_TASK_MAPPING_H

#include "protocol/airbyte_catalog.h"
#include "task/task_spec.h"

struct task_mapping;

/* NULL in *ret_mapping: the records go as they come. It lives in the arena. */
int task_mapping_new(const struct task_binding_spec *spec, struct arena *arena,
                     const struct task_mapping **ret_mapping, struct error *err);

/* Append a record's data as the destination gets it. False, and nothing appended: a row filter keeps the
 * record back. `arena` is for the moment. */
bool task_mapping_write(const struct task_mapping *mapping, const struct json *line, uint32_t data,
                        struct buffer *out, struct arena *arena);

/* The schema with what was chosen only, as the source is asked for it. Whatever the arena is given lives as
 * long as the stream. */
int task_mapping_select(const struct task_mapping *mapping, struct airbyte_stream *stream,
                        struct arena *arena, struct error *err);
/* The stream as the mappers leave it, for the destination: schema, cursor and key. */
int task_mapping_configure(const struct task_mapping *mapping, struct airbyte_configured_stream *stream,
                           struct arena *arena, struct error *err);

#endif
