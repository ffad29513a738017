#include "registry.h"

#include <string.h>

const struct firth_connector_class *const connectors_registry[] = {
    &destination_duckdb,
    &destination_files,
    &destination_google_sheets,
    &destination_local_json,
    &destination_postgres,
    &destination_s3,
    &destination_sqlite,
    &source_declarative,
    &source_faker,
    &source_file,
    &source_front,
    &source_google_sheets,
    &source_postgres,
    &source_s3,
    &source_webflow,
    NULL,
};

const struct firth_connector_class *connectors_find(const char *name)
{
    if (strcmp(name, "declarative") == 0) /* as everybody calls it */
        name = source_declarative.name;
    for (size_t i = 0; connectors_registry[i]; i++) {
        if (strcmp(connectors_registry[i]->name, name) == 0)
            return connectors_registry[i];
    }
    return NULL;
}

bool connectors_is_elsewhere(const struct firth_connector_class *class_)
{
    return !class_->source.read && !class_->destination.store;
}
