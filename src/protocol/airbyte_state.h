/* The state of a sync: what a source is given to go on from. Built from STATE messages, kept in a task's
 * checkpoint, written as the file that `read --state` takes.
 *
 * A source speaks one kind: a state per STREAM, one GLOBAL for all, or one LEGACY blob. A message of
 * another kind than what is stored replaces all of it: the source was upgraded, and what it no longer
 * speaks of starts over. Within one session (since _new or _load) a change of kind breaks the protocol. */
#ifndef FIRTH_PROTOCOL_AIRBYTE_STATE_H
#define FIRTH_PROTOCOL_AIRBYTE_STATE_H

#include "protocol/airbyte.h"

struct airbyte_states;

struct airbyte_states *airbyte_states_new(void);
void airbyte_states_free(struct airbyte_states *states);
MEM_DEFINE_CLEANUP(struct airbyte_states *, airbyte_states_free);

/* Take in a decoded STATE message; its raw bytes are copied. A null state of a STREAM (of LEGACY: data)
 * removes what is stored. ERROR_PROTOCOL for a change of kind within the session. */
int airbyte_states_apply(struct airbyte_states *states, const struct json *line,
                         const struct airbyte_message *message, struct error *err);
/* Forget one stream's state, that it may start over (a changed backfill counter, a refresh): also inside a
 * GLOBAL's stream_states; a LEGACY blob, which cannot be divided, goes as a whole. True if there was any. */
bool airbyte_states_reset_stream(struct airbyte_states *states, struct airbyte_stream_name stream);
void airbyte_states_clear(struct airbyte_states *states);
bool airbyte_states_empty(const struct airbyte_states *states);

/* The raw stream_state of one stream (STREAM or inside GLOBAL), size 0 if there is none. Valid until the
 * next change. */
struct slice airbyte_states_stream(const struct airbyte_states *states, struct airbyte_stream_name stream);
/* There is a state that is not one stream's: a GLOBAL or a LEGACY one. */
bool airbyte_states_are_shared(const struct airbyte_states *states);

/* The file for `read --state`: a JSON array of bare state messages, [] when empty; the blob itself when the
 * state is LEGACY. */
void airbyte_states_write_file(struct buffer *out, const struct airbyte_states *states);
/* The same as one JSON value for a checkpoint: always an array of bare state messages, LEGACY with its type.
 */
void airbyte_states_write(struct buffer *out, const struct airbyte_states *states);
/* Replace the content by what either of the two wrote, or by what a user or a client hands over: enveloped
 * messages, explicit nulls, unknown keys, a legacy blob. ERROR_INVALID says which element is wrong. */
int airbyte_states_load(struct airbyte_states *states, const struct json *doc, uint32_t at,
                        struct error *err);

/* Identity of a STATE message: equal for messages that mean the same (kind, stream, state), whatever their
 * statistics, key order, white space, escapes, number spelling and members that are null. For finding which
 * forwarded state a destination echoes. */
struct airbyte_state_id {
    uint64_t a, b;
};
struct airbyte_state_id airbyte_state_identity(const struct json *line,
                                               const struct airbyte_message *message);
static inline bool airbyte_state_id_equal(struct airbyte_state_id x, struct airbyte_state_id y)
{
    return x.a == y.a && x.b == y.b;
}

#endif
