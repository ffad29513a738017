/* Connectors behind definitions: their specs, and questions to them on behalf of a request. Private to this
 * folder. */
#ifndef FIRTH_SERVER_CONNECTORS_H
#define FIRTH_SERVER_CONNECTORS_H

#include "control/actors.h"
#include "control/catalogs.h"
#include "control/definitions.h"
#include "server/ask.h"
#include "server/call.h"

/* The JSON Schema of a definition's spec; size 0: not known. */
struct slice connectors_schema(const struct control_definition *definition, struct arena *arena);

/* A definition, also one that is gone, and the schema of its spec: lists that show many things of a few
 * definitions look each up once. NULL: there is none. */
struct connectors_known {
    struct control_definition definition;
    struct slice schema; /* connectors_schema */
    struct connectors_known *next;
};
const struct connectors_known *connectors_known(struct call *call, const char *id, struct error *err);

/* What goes on with a definition whose spec is known. */
typedef enum http_next connectors_then(struct call *call, const struct control_definition *definition);
/* Find the definition, ask its connector for the spec unless that is known, go on. Errors are answered. */
enum http_next connectors_with_spec(struct call *call, const char *id, enum control_side side,
                                    connectors_then *then);

/* Ask a connector; `then` gets its answer, or the error. `keeper`: the source or destination whose config it
 * is, in the call's arena (side and id), perhaps with members that are not kept yet: what the connector makes
 * of the others is kept there before `then` is called. NULL: the config is not kept anywhere, and a token
 * that the connector exchanges is its asker's loss. */
typedef enum http_next connectors_answered(struct call *call, const struct json *payload,
                                           const struct error *error);
enum http_next connectors_ask(struct call *call, const struct control_definition *definition,
                              enum ask_verb verb, struct slice config, const struct control_actor *keeper,
                              connectors_answered *then);

/* Try a webhook in the same way; there is no payload. */
enum http_next connectors_post(struct call *call, const char *url, struct slice body,
                               connectors_answered *then);

/* Is the config what the spec wants? False: answered (422), with nothing of its values. `field` names it. */
bool connectors_config_valid(struct call *call, const struct control_definition *definition,
                             struct slice config, const char *field);

/* The source's catalog: the newest one if it is of this config and connector (unless `fresh`), else it is
 * asked. */
typedef enum http_next connectors_discovered(struct call *call, const struct control_actor *source,
                                             const struct control_catalog *catalog);
/* `failed` answers when the connector says no; NULL: 422. */
enum http_next connectors_with_catalog(struct call *call, const char *source, bool fresh,
                                       connectors_discovered *then, connectors_answered *failed);

/* Airbyte's jobInfo of what was just asked, or could not be (call->state: what connectors_* keep there, or
 * NULL). */
void connectors_write_job(struct call *call, const char *config_type, const char *config_id,
                          const struct error *error);

#endif
