/* Connectors that are a manifest compiled into the program (embed.py): source-front, source-webflow.
 *
 *     extern const struct built_in_manifest manifest_front;      // generated, see connectors/meson.build
 *     static const struct firth_own_config own = DECLARATIVE_CONFIG(manifest_front, true);
 *     const struct firth_connector_class source_front = {…, .own = &own, .source = {DECLARATIVE_SOURCE}};
 *
 * Beside what the language has, such a manifest may say in `metadata.flow` what `spec` says in Flow's
 * protocol: connection_specification and documentation_url of Estuary's connector. A config that is spelled
 * so is held against it, whichever the protocol; the manifest's own config_normalization_rules make of it
 * what its streams know. */
#ifndef FIRTH_DECLARATIVE_SOURCE_BUILT_IN_H
#define FIRTH_DECLARATIVE_SOURCE_BUILT_IN_H

#include "firth/connector.h"

struct built_in_manifest {
    const char *file; /* as messages name it */
    const char *text;
    size_t size;
};

int declarative_spec(struct firth_host *host, struct firth_spec *ret_spec, struct firth_error *err);
int declarative_open(struct firth_host *host, struct firth_slice json, void **ret_config,
                     struct firth_error *err);
void declarative_close(void *config);
int declarative_check(struct firth_host *host, const void *config, struct firth_error *err);
int declarative_discover(struct firth_host *host, const void *config, struct firth_catalog *catalog,
                         struct firth_error *err);
int declarative_find(struct firth_host *host, const void *config, const char *name, const char *name_space,
                     struct firth_catalog *catalog, struct firth_error *err);
int source_open(struct firth_host *host, const void *config, const struct firth_selection *selection,
                void **ret_self, struct firth_error *err);
int source_read(void *self, struct firth_host *host, struct firth_error *err);
void source_close(void *self);

#define DECLARATIVE_SOURCE                                                                  \
    .check = declarative_check, .discover = declarative_discover, .find = declarative_find, \
    .open = source_open, .read = source_read, .close = source_close
/* `flow`: does the manifest have metadata.flow? */
#define DECLARATIVE_CONFIG(manifest, flow)                                              \
    {                                                                                   \
        .spec = declarative_spec, .open = declarative_open, .close = declarative_close, \
        .two_spellings = (flow), .context = &(manifest)                                 \
    }

#endif
