/* For connectors inside this tree, which use src/base and src/json: their errors as the SDK's. */
#ifndef FIRTH_SDK_BRIDGE_H
#define FIRTH_SDK_BRIDGE_H

#include "base/error.h"
#include "base/memory.h"
#include "firth/connector.h"

/* The fields of a target's JSON Schema's first level, into the arena; none if it is no object with
 * properties. */
void sdk_target_fields(struct firth_target *target, struct arena *arena);

/* Is this a check? Then somebody waits for the answer. */
bool sdk_is_checking(const struct firth_host *host);

/* What the user gave wrongly is CONFIG, what may pass by itself TRANSIENT, the rest SYSTEM. Returns -1. */
int sdk_error(struct firth_error *ret_error, const struct error *err);

/* As in base/error.h. */
#ifdef __clang_analyzer__
#define sdk_error(...) (sdk_error(__VA_ARGS__), -1)
#endif

#endif
