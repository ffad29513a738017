/* The STATEs on their way through a destination: sent, waiting to be echoed. Pure bookkeeping.
 *
 * A destination echoes each STATE once what came before it is durable, in order. Two liberties are taken as
 * seen in practice: streams need not keep order among each other, and one echo may stand for the earlier
 * STATEs of the same stream. An echo of what was not sent is an error: it must never be saved. */
#ifndef FIRTH_TASK_ECHO_H
#define FIRTH_TASK_ECHO_H

#include "protocol/airbyte_state.h"

enum { TASK_ECHO_ALL = -1 /* a GLOBAL or LEGACY state: covers every stream */ };

/* What had been sent of a stream when its STATE was. */
struct task_sent {
    uint64_t documents, bytes;
};

struct task_echo_entry {
    struct airbyte_state_id id;
    long stream;            /* index, or TASK_ECHO_ALL */
    bool done;              /* echoed, or another echo stood for it */
    struct task_sent *sent; /* one, or for TASK_ECHO_ALL one for each stream; owned */
};

struct task_echoes {
    size_t stream_count;
    struct task_echo_entry *entries; /* entries[head..count) wait, in the order sent */
    size_t head, count, capacity;
};

void task_echoes_init(struct task_echoes *echoes, size_t stream_count);
void task_echoes_done(struct task_echoes *echoes); /* legal on a zeroed one */

/* A STATE was sent; `sent` has one element, or stream_count for TASK_ECHO_ALL. Copied. */
void task_echoes_add(struct task_echoes *echoes, struct airbyte_state_id id, long stream,
                     const struct task_sent *sent);
/* The entry that this echo answers, or NULL if no such STATE waits. The entry is valid until the next call.
 */
const struct task_echo_entry *task_echoes_match(struct task_echoes *echoes, struct airbyte_state_id id);
size_t task_echoes_waiting(const struct task_echoes *echoes);

#endif
