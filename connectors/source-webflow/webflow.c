/* Webflow: a manifest (manifest.yaml). */
#include "source-declarative/source/built_in.h"

extern const struct built_in_manifest manifest_webflow;

static const struct firth_own_config own = DECLARATIVE_CONFIG(manifest_webflow, false);
static const char *const image_names[] = {"airbyte/source-webflow", "estuary/source-webflow", NULL};

const struct firth_connector_class source_webflow = {
    .name = "source-webflow",
    .version = FIRTH_VERSION,
    .title = "Webflow",
    .summary = "the collections of a Webflow site",
    .documentation_url = "https://docs.airbyte.com/integrations/sources/webflow",
    .image_names = image_names,
    .own = &own,
    .source = {DECLARATIVE_SOURCE},
};
