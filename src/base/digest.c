#include "base/digest.h"

#include "base/library.h"

#include <stddef.h>

int digest_api_load(struct digest_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libcrypto.so.3", "libcrypto.3.dylib", "libcrypto.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        {"EVP_Q_digest", offsetof(struct digest_api, EVP_Q_digest)},
        {"EVP_Q_mac", offsetof(struct digest_api, EVP_Q_mac)}};
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}
