/* Stream names in a message replaced by others (a connection's prefix or namespace), and records mapped
 * (mapping.h); every other byte of the line as it came. */
#ifndef FIRTH_TASK_RENAME_H
#define FIRTH_TASK_RENAME_H

#include "task/lookup.h"

/* Append the line of a decoded RECORD or STATE to `out`, without a newline, its streams' names on
 * `lookup`'s side of the bindings replaced by those on the other side; without a namespace there, without the
 * member. A stream without a binding (in a GLOBAL's stream_states) keeps its name. False: a record that a row
 * filter keeps back; what was appended is nothing. */
bool task_rename(struct buffer *out, const struct json *line, const struct airbyte_message *message,
                 struct task_lookup *lookup);

#endif
