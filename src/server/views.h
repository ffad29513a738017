/* Things of the control store as the config API shows them. Private to this folder. */
#ifndef FIRTH_SERVER_VIEWS_H
#define FIRTH_SERVER_VIEWS_H

#include "control/actors.h"
#include "control/connections.h"
#include "control/definitions.h"
#include "control/jobs.h"
#include "server/call.h"

/* Members of an object that is open. */
void view_definition(struct call *call, const struct control_definition *definition);
/* `definition` NULL: it is looked up, for its spec; the config is masked by that. */
void view_actor(struct call *call, const struct control_actor *actor,
                const struct control_definition *definition);
void view_masked_config(struct call *call, const char *member, const struct control_actor *actor,
                        const struct control_definition *definition);
void view_connection(struct json_writer *out, const struct control_connection *connection,
                     struct arena *arena);
void view_schedule(struct json_writer *out, const struct control_connection *connection);
/* "tags": […], [] if there are none. */
void view_tags(struct json_writer *out, const struct control_connection *connection, struct arena *arena);
void view_job(struct json_writer *out, const struct control_job *job);

/* An array of {"streams": [{stream, config}]} from a discovered catalog: the config API's spelling. Each
 * stream with its default config, of what the destination can (control_destination_modes; 0: not known). */
void view_discovered(struct json_writer *out, struct slice catalog, unsigned destination_modes,
                     struct arena *arena);
/* One stream of it, and what is proposed for it. */
void view_discovered_stream(struct json_writer *out, const struct json *catalog, uint32_t stream);
void view_discovered_config(struct json_writer *out, const struct json *catalog, uint32_t stream,
                            unsigned destination_modes, bool selected);

/* catalogDiff of the connection against what its source was just found to have; its catalog becomes both
 * merged. *ret_any, *ret_breaking: what there is in it. */
struct control_catalog;
int view_catalog_changes(struct call *call, struct control_connection *connection,
                         const struct control_catalog *found, bool *ret_any, bool *ret_breaking,
                         struct error *err);

/* {"job", "attempts"} with logs: a JobInfoRead. */
enum http_next view_job_info(struct call *call, int64_t id, bool logs);

#endif
