/* What kept_config.h is in a session, for whoever asks a task's connector without one (firth check, discover,
 * autodiscover): the config as the connector has changed it is looked up in the task's checkpoint, and a
 * change goes there, so that the next session, or the next question, goes on with it. The file that the
 * config is written in stays as it is. */
#ifndef FIRTH_TASK_CONFIG_KEEPER_H
#define FIRTH_TASK_CONFIG_KEEPER_H

#include "connector/connector.h"
#include "task/checkpoint.h"

struct config_keeper {
    const char *data_dir, *task, *label;
    enum task_side side;
    uint64_t given;      /* sealed_config_identity */
    struct slice config; /* to ask with; replaced by a change */
    struct arena *arena;
};

/* `config` is as it was given; NULL as data_dir: nothing was kept, nothing can be. All borrowed.
 * ERROR_BUSY: the task's session has the connector exchange what is good once (it has done so before), so
 * a question now would take it away from the session. */
int config_keeper_open(struct config_keeper *keeper, const char *data_dir, const char *task,
                       enum task_side side, const struct connector_program *program, struct slice config,
                       struct arena *arena, struct error *err);

/* The connector says its config anew: a JSON object. Durable when this returns. */
int config_keeper_change(struct config_keeper *keeper, struct slice said, struct error *err);
/* The same, as the two kinds of questions want it; the keeper is the context. */
int config_keeper_on_config(void *keeper, struct slice said, struct error *err);
int config_keeper_on_flow_config(void *keeper, const struct json *line, uint32_t config, struct error *err);

#endif
