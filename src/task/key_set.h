/* A set of keys by their hashes: which keys of a transaction were seen. 128 bits of each are kept, of a hash
 * with a secret, so that two keys are taken for one in no transaction that will ever be. */
#ifndef FIRTH_TASK_KEY_SET_H
#define FIRTH_TASK_KEY_SET_H

#include "base/text.h"

#include <stdint.h>

struct key_mark {
    uint64_t high, low; /* both 0: free */
};

struct key_set {
    struct key_mark *marks;
    size_t capacity; /* a power of two, 0 while empty */
    size_t count;
    unsigned char secret[16]; /* since the first was added */
};

/* Legal on a zeroed one; so is every other. */
void key_set_done(struct key_set *set);
void key_set_clear(struct key_set *set);
/* True if it was not there. */
bool key_set_add(struct key_set *set, uint32_t binding, struct slice packed);
bool key_set_has(const struct key_set *set, uint32_t binding, struct slice packed);

#endif
