/* What must not be read in a log: the string values of the config and the environment whose names
 * look secret. */
#ifndef FIRTH_CONNECTOR_SECRETS_H
#define FIRTH_CONNECTOR_SECRETS_H

#include "base/buffer.h"
#include "base/text.h"

enum { CONNECTOR_SECRETS_MAX = 64 };

struct connector_secrets {
    struct slice items[CONNECTOR_SECRETS_MAX]; /* owned, longest first */
    size_t count;
};

/* Collect from a config (a JSON text; what is no JSON has none) and from an environment ("NAME=value",
 * NULL-terminated, or NULL). Values of fewer than 4 bytes are not taken:
 * masking them would garble every line. A value of several lines (a private key) counts line by line. */
void connector_secrets_init(struct connector_secrets *secrets, struct slice config, const char *const *env);
void connector_secrets_done(struct connector_secrets *secrets);
/* Append the line with every secret as "***". */
void connector_secrets_mask(const struct connector_secrets *secrets, struct slice line, struct buffer *out);

#endif
