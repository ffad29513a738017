/* Secrets at rest: one key a data directory, libsodium's secretbox (XSalsa20 and Poly1305).
 *
 * The key comes from FIRTH_SECRET_KEY (64 hexadecimal digits), else from the file that FIRTH_SECRET_KEY_FILE
 * names, else from `<data>/secret.key`, which is made at first use. A key file is readable by its owner only.
 */
#ifndef FIRTH_CONTROL_SECRET_H
#define FIRTH_CONTROL_SECRET_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum { SECRET_KEY_BYTES = 32, SECRET_KEY_DIGITS = 2 * SECRET_KEY_BYTES };

struct secret_key {
    unsigned char bytes[SECRET_KEY_BYTES];
    char origin[512]; /* for messages: "FIRTH_SECRET_KEY", or the file's path */
};

/* `make`: a key that is nowhere is made, in `<data>/secret.key`, else that is ERROR_NOT_FOUND. A file that
 * others can read, or that holds no key, is ERROR_INVALID. */
int secret_key_load(const char *data_dir, bool make, struct secret_key *ret_key, struct error *err);
/* Forget it. */
void secret_key_done(struct secret_key *key);

/* Append nonce and sealed bytes. */
void secret_seal(const struct secret_key *key, struct slice plain, struct buffer *out);
/* Append the plain bytes. ERROR_INVALID, naming the key's origin, if another key sealed them or they were
 * changed since. */
int secret_unseal(const struct secret_key *key, struct slice sealed, struct buffer *out, struct error *err);

/* The same as text: base64. */
void secret_seal_text(const struct secret_key *key, struct slice plain, struct buffer *out);
int secret_unseal_text(const struct secret_key *key, struct slice sealed, struct buffer *out,
                       struct error *err);

/* The key of what tasks keep: made of the store's own, which it does not tell. In hexadecimal, for the
 * environment of the processes that run tasks; and back. */
void secret_task_key(const struct secret_key *key, char ret_digits[SECRET_KEY_DIGITS + 1]);
int secret_task_key_read(const char *digits, struct secret_key *ret_key, struct error *err);
/* Of the data directory's own key, which is made if there is none. */
int secret_task_key_load(const char *data_dir, struct secret_key *ret_key, struct error *err);

#endif
