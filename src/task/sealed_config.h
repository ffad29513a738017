/* A config that its connector has changed, as it is kept in the task's checkpoint: put together, sealed, and
 * taken out again. When that is done is kept_config.h's (in a session) and config_keeper.h's (outside). */
#ifndef FIRTH_TASK_SEALED_CONFIG_H
#define FIRTH_TASK_SEALED_CONFIG_H

#include "control/secret.h"
#include "task/checkpoint.h"
#include "task/task_spec.h"

/* `was` with the members of the object at `now`: they replace those of their name, or come last. `label` is
 * the connector's, for errors. */
int sealed_config_merge(const char *label, struct slice was, const struct json *line, uint32_t now,
                        struct arena *arena, struct slice *ret_merged, struct error *err);

/* Of a config as it was given: a kept one is used while this is the same. The order of members does not
 * matter, nor which program reads it: what was exchanged is the account's, whatever release of a connector
 * comes next. It is in data directories. */
uint64_t sealed_config_identity(struct slice given);
/* Is what is saved of this endpoint as it was given? (By conversation_identity, too, as it was written once.)
 */
bool sealed_config_is_of(const struct task_saved_config *saved, const struct task_endpoint *endpoint);

/* `identity`: sealed_config_identity of what was given. */
void sealed_config_put(struct task_checkpoint *checkpoint, enum task_side side, uint64_t identity,
                       const struct secret_key *key, struct slice config);
/* Of a side that has one: the config, in the arena. */
int sealed_config_get(const struct task_checkpoint *checkpoint, enum task_side side,
                      const struct secret_key *key, struct arena *arena, struct slice *ret_config,
                      struct error *err);

#endif
