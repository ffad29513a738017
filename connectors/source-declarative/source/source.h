/* The connector: a manifest as a source. `firth connector declarative --manifest-path M.yaml VERB …`. */
#ifndef FIRTH_DECLARATIVE_SOURCE_SOURCE_H
#define FIRTH_DECLARATIVE_SOURCE_SOURCE_H

#include "source-declarative/stream/stream.h"

/* Config as it is used: defaults of the spec, migrations and transformations of config_normalization_rules;
 * then its validations (not for spec). *ret_changed: migrations changed it, and the platform should be told.
 */
int config_rules_apply(struct engine *engine, bool *ret_changed, struct error *err);
int config_rules_validate(struct engine *engine, struct error *err);

/* Every stream: those written, conditional ones whose condition holds, and in a fiber those that
 * dynamic_streams make of their templates. */
struct declared_streams {
    struct declared_stream **items;
    size_t count;
};
int declared_streams_compile(struct engine *engine, struct declared_streams *ret_streams, struct error *err);

/* CheckStream, CheckDynamicStream. In a fiber. *ret_reason: as declared_stream_available. */
int source_check(struct engine *engine, struct arena *arena, const char **ret_reason, struct error *err);

#endif
