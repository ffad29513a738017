/* Every handler of the routes, by file. What a handler needs of its route (side, what) is said there. Private
 * to this folder. */
#ifndef FIRTH_SERVER_HANDLERS_H
#define FIRTH_SERVER_HANDLERS_H

#include "control/actors.h"
#include "control/definitions.h"
#include "control/jobs.h"
#include "server/call.h"

/* route.what */
enum { DEFINITIONS_ALL, DEFINITIONS_CUSTOM, DEFINITIONS_DECLARATIVE, DEFINITIONS_STUBS };
enum { ACTOR_WHOLE, ACTOR_PARTIAL };
enum { CONNECTIONS_KEPT, CONNECTIONS_ALL };
enum { CLEAR_ALL, CLEAR_STREAMS };
enum { JOB_WITH_LOGS, JOB_WITHOUT_LOGS };
enum { ATTEMPT_WHOLE, ATTEMPT_STATS };

/* actor_questions.c */
enum http_next actor_check(struct call *call);
enum http_next actor_check_core(struct call *call);
enum http_next source_discover(struct call *call);
enum http_next source_discover_core(struct call *call);
enum http_next destination_discover(struct call *call);
enum http_next source_last_catalog(struct call *call);

/* actors.c */
enum http_next actor_get(struct call *call);
enum http_next actor_list(struct call *call);
enum http_next actor_list_paginated(struct call *call);
enum http_next actor_search(struct call *call);
enum http_next actor_create(struct call *call);
enum http_next actor_clone(struct call *call);
enum http_next actor_update(struct call *call);
enum http_next actor_delete(struct call *call);
enum http_next actor_upgrade(struct call *call);

/* connection_jobs.c */
enum http_next connection_sync(struct call *call);
enum http_next connection_clear(struct call *call);
enum http_next connection_refresh(struct call *call);
enum http_next job_create(struct call *call);
enum http_next connection_status(struct call *call);
enum http_next connection_progress(struct call *call);
enum http_next connection_last_jobs(struct call *call);

/* connections.c */
enum http_next connection_get(struct call *call);
enum http_next connection_get_for_job(struct call *call);
enum http_next connection_list(struct call *call);
enum http_next connection_list_paginated(struct call *call);
enum http_next connection_list_by_definition(struct call *call);
enum http_next connection_search(struct call *call);
enum http_next connection_create(struct call *call);
enum http_next connection_update(struct call *call);
enum http_next web_connection_create(struct call *call);
enum http_next web_connection_update(struct call *call);
enum http_next connection_delete(struct call *call);

/* definitions.c */
enum http_next definition_get(struct call *call);
enum http_next definition_list(struct call *call);
enum http_next definition_create(struct call *call);
enum http_next definition_update(struct call *call);
enum http_next definition_delete(struct call *call);
enum http_next definition_list_none(struct call *call);
enum http_next definition_oauth(struct call *call);
enum http_next definition_spec(struct call *call);
enum http_next definition_spec_of_actor(struct call *call);

/* firth.c */
enum http_next firth_status(struct call *call);
enum http_next firth_documents(struct call *call);
enum http_next firth_discovery(struct call *call);

/* session.c */
enum http_next session_create(struct call *call);
enum http_next session_get(struct call *call);
enum http_next session_end(struct call *call);
enum http_next password_change(struct call *call);

/* logs.c */
enum http_next firth_job_log(struct call *call);
enum http_next firth_task_log(struct call *call);

/* instance.c */
enum http_next instance_health(struct call *call);
enum http_next instance_public_health(struct call *call);
enum http_next instance_configuration(struct call *call);
enum http_next instance_web_config(struct call *call);
enum http_next instance_openapi(struct call *call);
enum http_next instance_setup(struct call *call);
enum http_next instance_check_updates(struct call *call);
enum http_next instance_operations(struct call *call);

/* jobs.c */
enum http_next job_get(struct call *call);
enum http_next job_get_light(struct call *call);
enum http_next job_get_debug(struct call *call);
enum http_next job_get_last_replication(struct call *call);
enum http_next job_previous_succeeded(struct call *call);
enum http_next job_cancel(struct call *call);
enum http_next job_list(struct call *call);
enum http_next attempt_get(struct call *call);

/* metrics.c */
enum http_next metrics_get(struct call *call);

/* notifications.c */
enum http_next notification_try(struct call *call);

/* public_actors.c */
enum http_next public_actor_get(struct call *call);
enum http_next public_actor_list(struct call *call);
enum http_next public_actor_create(struct call *call);
enum http_next public_actor_update(struct call *call);
enum http_next public_actor_delete(struct call *call);
enum http_next public_oauth(struct call *call);

/* public_connections.c */
enum http_next public_connection_get(struct call *call);
enum http_next public_connection_list(struct call *call);
enum http_next public_connection_create(struct call *call);
enum http_next public_connection_patch(struct call *call);
enum http_next public_connection_delete(struct call *call);
enum http_next public_streams(struct call *call);

/* public_definitions.c */
enum http_next public_definitions(struct call *call);
enum http_next public_definition_get(struct call *call);
enum http_next public_definition_list(struct call *call);
enum http_next public_definition_create(struct call *call);
enum http_next public_definition_update(struct call *call);
enum http_next public_definition_delete(struct call *call);

/* public_jobs.c */
enum http_next public_job_get(struct call *call);
enum http_next public_job_cancel(struct call *call);
enum http_next public_job_create(struct call *call);
enum http_next public_job_list(struct call *call);

/* state.c */
enum http_next state_get(struct call *call);
enum http_next state_get_type(struct call *call);
enum http_next state_put(struct call *call);

/* tokens.c */
enum http_next token_create(struct call *call);
enum http_next application_create(struct call *call);
enum http_next application_list(struct call *call);
enum http_next application_get(struct call *call);
enum http_next application_delete(struct call *call);

/* web_backend.c */
enum http_next web_connection_get(struct call *call);
enum http_next web_connection_list(struct call *call);
enum http_next web_status_counts(struct call *call);
enum http_next web_workspace_state(struct call *call);
enum http_next web_describe_cron(struct call *call);

/* events.c */
enum http_next firth_events(struct call *call);

/* firth_collection.c */
enum http_next firth_collection(struct call *call);
/* The catalog that a task was deployed with, secret. ERROR_NOT_FOUND. */
int call_task_snapshot(struct call *call, const char *task, struct buffer *ret_text, struct error *err);

/* manifest_text.c */
enum http_next firth_manifest_create(struct call *call);

/* firth_commands.c */
enum http_next firth_command_create(struct call *call);

/* firth_connections.c */
enum http_next firth_connections(struct call *call);
enum http_next firth_history(struct call *call);

/* workspaces.c */
enum http_next workspace_get(struct call *call);
enum http_next workspace_get_by_slug(struct call *call);
enum http_next workspace_get_by_connection(struct call *call);
enum http_next workspace_list(struct call *call);
enum http_next workspace_create(struct call *call);
enum http_next workspace_create_if_absent(struct call *call);
enum http_next workspace_organization(struct call *call);
enum http_next workspace_update(struct call *call);
enum http_next workspace_delete(struct call *call);
enum http_next public_workspace_list(struct call *call);
enum http_next public_workspace_get(struct call *call);
enum http_next public_workspace_create(struct call *call);
enum http_next public_workspace_update(struct call *call);
enum http_next public_workspace_delete(struct call *call);

/* What handlers share. */

/* actors.c: an actor's config as the body's member changes it; `partial`: the members that it names. */
int actor_changed_config(struct call *call, const struct control_actor *actor, const char *member,
                         bool partial, struct slice *ret_config, struct error *err);
enum http_next actor_delete_by_id(struct call *call, const char *id);
/* definitions.c: a custom one of the route's side, with an id of its own; kept, and read back. */
struct control_definition definition_new(struct call *call, const char *workspace, const char *name);
int definition_put(struct call *call, struct control_definition *definition, struct error *err);
/* An image from an object of the body, whose place is `prefix`; a new tag and name. False: answered. */
bool definition_take_image(struct call *call, uint32_t given, const char *prefix,
                           struct control_definition *definition);
bool definition_change(struct call *call, struct control_definition *definition);
/* connection_jobs.c: ERROR_BUSY if one is under way. */
int job_begin(struct call *call, const struct control_job_new *job, int64_t *ret_id, struct error *err);
/* jobs.c: cancel, and go on when it is over, or will be; call->state is the job's id, an int64_t. */
enum http_next job_cancel_and(struct call *call, int64_t id, enum http_next (*then)(struct call *call));

#endif
