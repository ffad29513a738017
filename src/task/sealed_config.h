/* A config that its connector has changed, as it is kept in the task's checkpoint: put together, sealed, and
 * taken out again. When that is done is kept_config.h's (in a session) and config_keeper.h's (outside). */
#ifndef FIRTH_TASK_SEALED_CONFIG_H
#define FIRTH_TASK_SEALED_CONFIG_H

#include "control/secret.h"
#include "task/checkpoint.h"

/* `was` with the members of the object at `now`: they replace those of their name, or come last. `label` is
 * the connector's, for errors. */
int sealed_config_merge(const char *label, struct slice was, const struct json *line, uint32_t now,
                        struct arena *arena, struct slice *ret_merged, struct error *err);

/* `identity` is of the endpoint with the config that was given (conversation_identity). */
void sealed_config_put(struct task_checkpoint *checkpoint, enum task_side side, uint64_t identity,
                       const struct secret_key *key, struct slice config);
/* Of a side that has one: the config, in the arena. */
int sealed_config_get(const struct task_checkpoint *checkpoint, enum task_side side,
                      const struct secret_key *key, struct arena *arena, struct slice *ret_config,
                      struct error *err);

#endif
