/* What must not be read in anything that a connector says: collected from configs and environments, and
 * masked in texts.
 *
 * A value counts because of its name (password, token, …), or because the connector's spec marks it. It is
 * found as it is and in its common disguises (disguise.h): one pass over the text for each disguise that the
 * text wears, however many secrets there are. */
#ifndef FIRTH_CONNECTOR_SECRETS_H
#define FIRTH_CONNECTOR_SECRETS_H

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    CONNECTOR_SECRET_SIZE_MIN = 4,  /* bytes; to mask shorter ones would garble every line */
    CONNECTOR_SECRET_PIECE_MAX = 32 /* bytes; a longer line of a secret is found piece by piece */
};

struct connector_secrets;

struct connector_secrets *connector_secrets_new(void);
void connector_secrets_free(struct connector_secrets *secrets);
MEM_DEFINE_CLEANUP(struct connector_secrets *, connector_secrets_free);

/* By name: strings of a config (a JSON text; what is no JSON has none), and values of an environment
 * ("NAME=value", NULL-terminated, or NULL). Values under 4 bytes, true and false are not taken. A value of
 * several lines (a private key) counts line by line; in one that is JSON itself, the same names count. */
void connector_secrets_add(struct connector_secrets *secrets, struct slice config, const char *const *env);
/* By place: every string and number in the config at or below each of `pointers`, a JSON array of RFC 6901
 * pointers as connector_marks_find writes it. */
void connector_secrets_add_marked(struct connector_secrets *secrets, struct slice config,
                                  struct slice pointers);
/* More than can be held: then everything is masked. */
bool connector_secrets_overflowed(const struct connector_secrets *secrets);

/* Append the text with every secret as "***". `cut`: the text goes on where it ends here, so that a secret of
 * which only the beginning is here is masked as well. */
void connector_secrets_mask(struct connector_secrets *secrets, struct slice text, bool cut,
                            struct buffer *out);
/* An error's message, in place. */
void connector_secrets_mask_message(struct connector_secrets *secrets, char *message, size_t capacity);

#endif
