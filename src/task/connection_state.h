/* The state of a connection of the control store, as its last sync left it in the store's checkpoint: read
 * and set from outside, while nothing runs. Callable from any thread. */
#ifndef FIRTH_TASK_CONNECTION_STATE_H
#define FIRTH_TASK_CONNECTION_STATE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum { CONNECTION_STATE_MAX = 64 << 20 /* bytes of a state that is set */ };

/* The task's name in the store: "connections/<uuid>", in 64 bytes. */
void connection_task_name(const char *connection, char ret_name[64]);

/* Append the states: a JSON array of Airbyte's bare STATEs ({"type":"STREAM","stream":{stream_descriptor,
 * stream_state}}, {"type":"GLOBAL","global":{shared_state, stream_states}} or {"type":"LEGACY","data":…}),
 * "[]" if there is none. It is what the last commit has; a sync that runs changes nothing in it before it
 * commits. */
int connection_state_read(const char *data_dir, const char *connection, struct buffer *out,
                          struct error *err);
/* Replace the states by these. ERROR_BUSY while a sync runs; ERROR_INVALID for what is no such array. */
int connection_state_write(const char *data_dir, const char *connection, struct slice states,
                           struct error *err);
/* Remove all that is kept of these connections' syncs: the next one begins as the first. ERROR_BUSY, for the
 * first of them, while a sync runs; the others are removed all the same. */
int connection_states_drop(const char *data_dir, const char *const *connections, size_t count,
                           struct error *err);

#endif
