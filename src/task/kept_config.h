/* Configs that connectors change themselves, by CONTROL messages: an OAuth token that was exchanged for the
 * next one and works no more. What such a message has is merged into the config, member by member at the top;
 * it is in the checkpoint, encrypted, before anything follows from it, and the supervisor is told
 * (TASK_EVENT_CONFIG) so that it may keep it where the config came from.
 *
 * A session that is given the config that the message was about goes on with the merged one; one that is
 * given another forgets it: somebody has changed the config since, and is right. */
#ifndef FIRTH_TASK_KEPT_CONFIG_H
#define FIRTH_TASK_KEPT_CONFIG_H

#include "task/task.h"

/* Once, before anything is run: the key, that no connector inherits. */
void task_config_init(struct task *task);
void task_config_done(struct task *task);

/* The checkpoint was loaded: what it has replaces the configs that were given. */
int task_config_adopt(struct task *task, struct error *err);

/* A connector of this side says its config anew: `config` is an object in `line`. It is durable when this
 * returns, but for a sink that is in the midst of what it cannot commit: then with its next commit. */
int task_config_change(struct task *task, enum task_side side, const struct json *line, uint32_t config,
                       struct error *err);

#endif
