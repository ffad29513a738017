/* Flow's unary calls (spec, discover, validate, apply): the connector is started, gets one request and the
 * end of its input, answers with exactly one response and exits with 0. Whatever else it does is an error. */
#ifndef FIRTH_CONNECTOR_FLOW_CALL_H
#define FIRTH_CONNECTOR_FLOW_CALL_H

#include "connector/connector.h"

struct connector_flow_call;

/* It says its config anew (flow_config_changed). -1: it cannot be kept, and the call fails. */
typedef int connector_flow_config(void *context, const struct json *line, uint32_t config, struct error *err);

struct connector_flow_question {
    const char *verb;                  /* "validate": what is asked, in errors */
    const char *answer;                /* "validated": the response's member */
    struct slice request;              /* the line */
    struct connector_secrets *secrets; /* masked in logs and errors; not owned; NULL: of the env's names */
    connector_flow_config *on_config;  /* NULL: nobody keeps it */
    void *config_context;
};

/* Start and ask. The question is copied. Without a stall limit of the caller's, ten minutes of silence are
 * one. */
struct connector_flow_call *connector_flow_call_start(const struct connector_program *program,
                                                      const struct connector_flow_question *question,
                                                      const struct connector_limits *limits,
                                                      connector_on_log *on_log, void *log_context,
                                                      struct error *err);
/* Ends the connector (at once) if it lives. */
void connector_flow_call_free(struct connector_flow_call *call);
MEM_DEFINE_CLEANUP(struct connector_flow_call *, connector_flow_call_free);

size_t connector_flow_call_pollfds(struct connector_flow_call *call, struct pollfd fds[4]);
int connector_flow_call_timeout_ms(const struct connector_flow_call *call);
/* 1: the answer is there and the connector has ended well; 0: not yet. */
int connector_flow_call_service(struct connector_flow_call *call, struct error *err);
/* After 1: the response's whole line, in the arena. */
int connector_flow_call_answer(const struct connector_flow_call *call, struct arena *arena,
                               struct json *ret_line, struct error *err);

/* All of that, blocking. */
int connector_flow_ask(const struct connector_program *program,
                       const struct connector_flow_question *question, const struct connector_limits *limits,
                       struct arena *arena, struct json *ret_line, struct error *err);

/* As connector_result, for a connector that speaks Flow's protocol: the last line that it logged is its
 * error, told first, unless it belongs to a crash's trace. `due` is what it owed when it ended ("the answer
 * to 'flush'"), NULL: nothing. */
int connector_flow_result(const struct connector_process *process, const char *due, struct error *err);
/* What to say of a line that is no JSON (`why`): that it looks like protobuf, or the line, cut short and
 * masked. Returns -1. */
int connector_flow_no_json(const struct connector_process *process, struct slice line, uint64_t number,
                           const struct error *why, struct error *err);

#endif
