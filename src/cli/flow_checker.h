/* Private to the checks of Flow connectors: flow_check.c (captures),
 * flow_check_refusal.c and flow_check_materialize.c. */
#ifndef FIRTH_CLI_FLOW_CHECKER_H
#define FIRTH_CLI_FLOW_CHECKER_H

#include "catalog/catalog.h"
#include "connector/connector.h"
#include "protocol/flow.h"
#include "task/config_keeper.h"

struct flow_checker {
    const struct catalog *catalog;
    const struct catalog_endpoint *endpoint;
    const struct catalog_capture *capture;
    const char *data_dir;         /* or NULL */
    struct config_keeper *keeper; /* of a capture: its config as it is by now; NULL or `room` */
    struct config_keeper room;
    struct catalog_errors *errors;
    struct catalog_errors *notes; /* what a run will do, and is no error; or NULL */
    struct connector_program program;
    struct connector_secrets
        *secrets; /* of the endpoint: of its names, and once its spec is known its marks */
    struct schema_validator *validator;
    struct arena arena;
    bool loaded; /* the catalog: it can be told to a connector */
};

static inline bool flow_checker_is_image(const struct flow_checker *checker)
{
    return checker->endpoint->kind == CATALOG_ENDPOINT_CONNECTOR;
}

/* Ask once; the answer's line lives in the arena. */
int flow_checker_ask(struct flow_checker *checker, const char *verb, const char *answer, struct slice request,
                     struct json **ret_answer, struct error *err);
/* Is it of a version of the protocol that is spoken here? From now on only what it marks is masked, and what
 * names tell. */
int flow_checker_take_spec(struct flow_checker *checker, const struct flow_spec *spec, struct error *err);
/* What the data directory, if there is one, has of the task; what an untold one has, if it never ran. The
 * checkpoint is initialised by the caller, and its in any case. */
int flow_checker_past(struct flow_checker *checker, const char *task, struct task_checkpoint *checkpoint,
                      struct error *err);
/* Add what the schema has against the value. A schema that cannot be used checks nothing: the connector
 * itself will. */
void flow_checker_value(struct flow_checker *checker, struct slice raw_schema, struct slice value,
                        const char *what, const struct catalog_places *places);

void flow_check_materialization(struct flow_checker *checker,
                                const struct catalog_materialization *materialization);
/* Of one to a built-in connector, which is not asked: whether the fields can be wanted of the collections,
 * and be had of what it says of every endpoint. */
void flow_check_wanted(struct flow_checker *checker, const struct connector_catalog *built_ins,
                       const struct catalog_materialization *materialization);

/* Asks a capture's connector what it says of these bindings. */
typedef int flow_refusal_ask(struct flow_checker *checker, const struct catalog_binding *const *bindings,
                             size_t count, struct error *err);
/* The connector has refused these bindings together: add what it said, *why, at the binding that it is about,
 * by its words, or by asking again of fewer at a time; at the endpoint's config if it is about none. */
void flow_refusal_place(struct flow_checker *checker, flow_refusal_ask *ask,
                        const struct catalog_binding *const *bindings, size_t count, const struct error *why);

#endif
