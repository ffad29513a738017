/* A connector's state, as Flow keeps it: one JSON object, which the connector replaces or patches (RFC 7396)
 * with each checkpoint.
 *
 * It is kept as a tree whose objects are opened only as far as patches reach: a patch costs as much as it
 * says itself, whatever the size of the state. */
#ifndef FIRTH_PROTOCOL_FLOW_STATE_H
#define FIRTH_PROTOCOL_FLOW_STATE_H

#include "protocol/flow.h"

struct flow_state;

/* An empty state: {}. */
struct flow_state *flow_state_new(void);
void flow_state_free(struct flow_state *state);
MEM_DEFINE_CLEANUP(struct flow_state *, flow_state_free);

/* Replace it by the value at `at`, an object (ERROR_INVALID). Its nulls stay: only patches mean something by
 * them. */
int flow_state_load(struct flow_state *state, const struct json *doc, uint32_t at, struct error *err);
/* Take in what a connector said. ERROR_PROTOCOL if it is no object; without `updated` nothing changes. */
int flow_state_apply(struct flow_state *state, const struct flow_connector_state *update, struct error *err);
/* Is it {}? */
bool flow_state_is_empty(const struct flow_state *state);
/* Append it: one compact JSON object without a line break. */
void flow_state_write(const struct flow_state *state, struct buffer *out);

/* RFC 7396 itself, of any two values: append what becomes of `target` by `patch`. ERROR_INVALID if one is no
 * JSON. */
int flow_merge_patch(struct slice target, struct slice patch, struct buffer *out, struct error *err);

#endif
