/* Every connector that is built into `firth`: the only list. One line here, one in meson.build. */
#ifndef FIRTH_CONNECTORS_REGISTRY_H
#define FIRTH_CONNECTORS_REGISTRY_H

#include "firth/connector.h"

extern const struct firth_connector_class destination_duckdb; /* connectors_is_elsewhere */
extern const struct firth_connector_class destination_google_sheets;
extern const struct firth_connector_class destination_files;
extern const struct firth_connector_class destination_local_json;
extern const struct firth_connector_class destination_postgres;
extern const struct firth_connector_class destination_s3;
extern const struct firth_connector_class destination_sqlite;
extern const struct firth_connector_class source_declarative;
extern const struct firth_connector_class source_faker;
extern const struct firth_connector_class source_file;
extern const struct firth_connector_class source_front;
extern const struct firth_connector_class source_google_sheets;
extern const struct firth_connector_class source_postgres;
extern const struct firth_connector_class source_s3;
extern const struct firth_connector_class source_webflow;

/* Sorted by name; ends with NULL. */
extern const struct firth_connector_class *const connectors_registry[];

/* Is it a program of its own, firth-<name>, of which the class only says what it is? */
bool connectors_is_elsewhere(const struct firth_connector_class *class_);

/* The class by its name, or NULL. */
const struct firth_connector_class *connectors_find(const char *name);

#endif
