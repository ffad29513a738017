/* One question to an Airbyte connector (spec, check, discover) without blocking: start the verb, poll, take
 * the answer. The same rules as connector_airbyte_discover, for a loop that must hear its signals meanwhile.
 */
#ifndef FIRTH_TASK_CONVERSATION_H
#define FIRTH_TASK_CONVERSATION_H

#include "connector/connector.h"
#include "protocol/airbyte.h"
#include "task/report.h"
#include "task/task_spec.h"

struct conversation;

/* `wanted` is the message that answers `verb`. Logs go to the report. */
struct conversation *conversation_start(const struct connector_program *program, const char *verb,
                                        enum airbyte_type wanted, struct slice config,
                                        struct connector_secrets *secrets,
                                        const struct connector_limits *limits, struct task_report *report,
                                        struct error *err);
void conversation_free(struct conversation *conversation);

/* What it says of its config meanwhile (CONTROL; JSON_NONE: another kind of it). Without this it is ignored.
 */
typedef int conversation_control(void *context, const struct json *line, uint32_t config, struct error *err);
void conversation_on_control(struct conversation *conversation, conversation_control *control, void *context);

size_t conversation_pollfds(struct conversation *conversation, struct pollfd fds[4]);
int conversation_timeout_ms(const struct conversation *conversation);
/* 1: the answer is there and the connector has ended well; 0: not yet. */
int conversation_service(struct conversation *conversation, struct error *err);
/* After 1: the payload, its own document in the arena. */
int conversation_answer(struct conversation *conversation, struct arena *arena, struct json *ret_payload,
                        struct error *err);

/* After 1, of `check`: -1 with the connector's reason unless it succeeded, to be tried again unless the
 * connector has said beside its answer that this is its config's fault. Whose fault it is, is reported. */
int conversation_verdict(struct conversation *conversation, const char *label, const char *origin,
                         struct arena *arena, struct error *err);
/* A hash of what is run with what config: whether it was checked already. Never 0. */
uint64_t conversation_identity(const struct task_endpoint *endpoint);

#endif
