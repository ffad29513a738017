/* Front: a manifest (manifest.yaml). */
#include "source-declarative/source/built_in.h"

extern const struct built_in_manifest manifest_front;

static const struct firth_own_config own = DECLARATIVE_CONFIG(manifest_front, true);
static const char *const image_names[] = {"airbyte/source-front", "estuary/source-front", NULL};

const struct firth_connector_class source_front = {
    .name = "source-front",
    .version = FIRTH_VERSION,
    .title = "Front",
    .summary = "channels, contacts, conversations, events, inboxes, tags, teammates and teams of Front",
    .documentation_url = "https://docs.airbyte.com/integrations/sources/front",
    .image_names = image_names,
    .own = &own,
    .source = {DECLARATIVE_SOURCE, .resource_name = "name"},
};
