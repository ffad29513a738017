/* What a catalog asks of its connectors, as far as they say it themselves before anything is moved. */
#ifndef FIRTH_CLI_ENDPOINT_CHECK_H
#define FIRTH_CLI_ENDPOINT_CHECK_H

#include "catalog/catalog.h"
#include "connector/connector.h"

enum endpoint_check_depth {
    ENDPOINT_CHECK_BUILT_IN, /* built-in connectors, and images that are on this machine */
    ENDPOINT_CHECK_CONFIGS,  /* and the configs of local commands, each of which is started for its spec; one
                                that gives none is left for the session */
    ENDPOINT_CHECK_ALL, /* and their streams, and what Flow's connectors say to `validate`; one that gives no
                           spec is an error */
};

struct endpoint_check {
    const struct connector_catalog *built_ins;
    enum endpoint_check_depth depth;
    const char
        *data_dir; /* what was materialized before is looked up there, if it exists; NULL: nothing was */
    struct catalog_errors *notes; /* gets what is no error, but good to know before a run; NULL: not told */
    const char *const *only;      /* names of tasks; only_count 0: all */
    size_t only_count;
};

/* Add to *errors what is wrong, each at its place: roles, configs by the connectors' specs, streams with
 * their modes, cursors and keys, resources, images whose names look like a slip. Starts the connectors for
 * that. The catalog may be one that did not load: what could not be built is passed over, and where a config
 * is wrong the streams are looked at all the same if the connector tells them. No message holds a value of a
 * config. */
void endpoint_check(const struct endpoint_check *check, const struct catalog *catalog,
                    struct catalog_errors *errors);

/* Is the task one of those to check? */
bool endpoint_check_wants(const struct endpoint_check *check, const char *task);

/* A connector cannot be asked with the config that it has changed itself (config_keeper_open): an error, but
 * a note where its task is being run, which shows that it works. */
void endpoint_check_not_asked(struct catalog_errors *notes, struct catalog_errors *errors,
                              const struct catalog_place *place, const struct error *why);

#endif
