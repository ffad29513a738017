/* config_normalization_rules: a config as the manifest wants it. */
#ifndef FIRTH_DECLARATIVE_SOURCE_RULES_H
#define FIRTH_DECLARATIVE_SOURCE_RULES_H

#include "source-declarative/engine/engine.h"

/* Migrations, then transformations: engine->config is the result. *ret_changed: migrations changed it; the
 * platform has been told then. An empty config is left alone. */
int config_rules_apply(struct engine *engine, bool *ret_changed, struct error *err);
/* ERROR_INVALID if the config is not what the manifest's validations want. Not for spec. */
int config_rules_validate(struct engine *engine, struct error *err);

#endif
