/* How many passwords and secrets may be guessed.
 *
 * A try is taken before anything is looked at, and given back for a right one: who has none left is told to
 * wait, right or wrong, since otherwise the answers to the others would tell which is right. Tries are those
 * of an address from which somebody was right already; all other addresses share theirs, so that many of them
 * guess no faster than one. What was wrong already costs nothing when it comes again, since nothing is
 * learned by that: a client with an old password does not keep its neighbours out. */
#ifndef FIRTH_SERVER_THROTTLE_H
#define FIRTH_SERVER_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    THROTTLE_TRIES_MAX = 10,  /* wrong ones in a row */
    THROTTLE_TRY_MS = 2000,   /* then one in so many milliseconds */
    THROTTLE_KNOWN_MAX = 64,  /* addresses with tries of their own; the one not used for longest gives way */
    THROTTLE_WRONG_MAX = 16,  /* wrong ones that are remembered */
    THROTTLE_PRINT_SIZE = 32, /* bytes of a keyed hash of what was given */
    THROTTLE_ADDRESS_SIZE = 64, /* http.h's HTTP_ADDRESS_MAX */
};

struct throttle_tries {
    double left;
    int64_t at_ms;
};

struct throttle {
    struct throttle_tries strangers;
    struct throttle_known {
        char address[THROTTLE_ADDRESS_SIZE];
        struct throttle_tries tries;
        uint64_t used;
    } known[THROTTLE_KNOWN_MAX];
    size_t known_count;
    uint64_t uses;
    unsigned char wrong[THROTTLE_WRONG_MAX][THROTTLE_PRINT_SIZE];
    size_t wrong_count;
};

void throttle_init(struct throttle *throttle);
/* A try of this address; false: it has none left. One of the two below ends it. */
bool throttle_take(struct throttle *throttle, const char *address, int64_t now_ms);
/* It is given back, and the address is known from now on. */
void throttle_right(struct throttle *throttle, const char *address, int64_t now_ms);
/* It is spent, unless the same was wrong before. `print`: of what was given, and of what it was held against.
 */
void throttle_wrong(struct throttle *throttle, const char *address,
                    const unsigned char print[THROTTLE_PRINT_SIZE]);
/* Was it wrong before? Then it need not be looked at. */
bool throttle_was_wrong(const struct throttle *throttle, const unsigned char print[THROTTLE_PRINT_SIZE]);

#endif
