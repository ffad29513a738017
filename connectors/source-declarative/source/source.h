/* The connector: a manifest as a source. `firth connector declarative --manifest-path M.yaml VERB …`. */
#ifndef FIRTH_DECLARATIVE_SOURCE_SOURCE_H
#define FIRTH_DECLARATIVE_SOURCE_SOURCE_H

#include "built_in.h"
#include "offered.h"
#include "sdk/bridge.h"

/* An open config: what the verbs share. */
struct declarative {
    struct firth_host *host;
    struct arena arena; /* of the manifest */
    struct manifest *manifest;
    struct engine *engine; /* after the config's rules */
    struct offered offered;
};

/* --- config.c --------------------------------------------------------------------------------------------
 */

/* Of --manifest-path, else the class's own (built_in.h), else of the config's __injected_declarative_manifest
 * (`config` size 0: there is none). *ret_manifest NULL: neither is there. Each problem is told in *err,
 * custom components by name. */
int source_manifest(struct firth_host *host, struct slice config, struct arena *arena,
                    struct manifest **ret_manifest, struct error *err);
/* What the manifest says of Flow's protocol: connection_specification, documentation_url; or none. */
struct component source_flow_spec(const struct manifest *manifest);
/* An engine for this config, without rules, checks or budget. */
struct engine *source_engine(struct firth_host *host, const struct manifest *manifest, struct slice config,
                             struct error *err);
/* Rules, then the spec's schema, then validations; and the API budget. `host` NULL: nobody speaks Flow's
 * protocol (trial.c). */
int source_prepare(struct firth_host *host, struct engine *engine, struct error *err);

/* --- check.c, read.c -------------------------------------------------------------------------------------
 */

/* CheckStream, CheckDynamicStream. Not in a fiber. *ret_reason: why it cannot work, in the arena of
 * `source`; NULL: it can. */
int source_check(struct declarative *source, const char **ret_reason, struct error *err);

/* source_open, source_read, source_close: built_in.h. */

#endif
