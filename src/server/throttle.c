#include "server/throttle.h"

#include "web/http.h"

#include <sodium.h>
#include <stdio.h>

_Static_assert((int)THROTTLE_ADDRESS_SIZE >= (int)HTTP_ADDRESS_MAX, "an address is kept whole");

void throttle_init(struct throttle *throttle)
{
    *throttle = (struct throttle){.strangers = {.left = THROTTLE_TRIES_MAX}};
}

/* --- whose tries -------------------------------------------------------------------------------------- */

static struct throttle_known *find(struct throttle *throttle, const char *address)
{
    for (size_t i = 0; i < throttle->known_count; i++) {
        if (strcmp(throttle->known[i].address, address) == 0)
            return &throttle->known[i];
    }
    return NULL;
}

static struct throttle_tries *tries_of(struct throttle *throttle, const char *address)
{
    struct throttle_known *known = find(throttle, address);
    return known ? &known->tries : &throttle->strangers;
}

static void know(struct throttle *throttle, const char *address, int64_t now_ms)
{
    struct throttle_known *known = find(throttle, address);
    if (!known) {
        known = throttle->known;
        for (size_t i = 1; i < throttle->known_count && throttle->known_count == THROTTLE_KNOWN_MAX; i++)
            known = throttle->known[i].used < known->used ? &throttle->known[i] : known;
        if (throttle->known_count < THROTTLE_KNOWN_MAX)
            known = &throttle->known[throttle->known_count++];
        *known = (struct throttle_known){.tries = {THROTTLE_TRIES_MAX, now_ms}};
        snprintf(known->address, sizeof known->address, "%s", address);
    }
    known->used = ++throttle->uses;
}

/* --- tries -------------------------------------------------------------------------------------------- */

/* A clock that is set back gives none. */
static void grow(struct throttle_tries *tries, int64_t now_ms)
{
    if (now_ms > tries->at_ms) {
        tries->left += (double)(now_ms - tries->at_ms) / THROTTLE_TRY_MS;
        tries->at_ms = now_ms;
    }
    if (tries->left > THROTTLE_TRIES_MAX)
        tries->left = THROTTLE_TRIES_MAX;
}

bool throttle_take(struct throttle *throttle, const char *address, int64_t now_ms)
{
    struct throttle_tries *tries = tries_of(throttle, address);
    grow(tries, now_ms);
    if (tries->left < 1)
        return false;
    tries->left -= 1;
    return true;
}

void throttle_right(struct throttle *throttle, const char *address, int64_t now_ms)
{
    tries_of(throttle, address)->left += 1;
    know(throttle, address, now_ms);
}

/* --- what was wrong ----------------------------------------------------------------------------------- */

bool throttle_was_wrong(const struct throttle *throttle, const unsigned char print[THROTTLE_PRINT_SIZE])
{
    size_t count = throttle->wrong_count < THROTTLE_WRONG_MAX ? throttle->wrong_count : THROTTLE_WRONG_MAX;
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= sodium_memcmp(throttle->wrong[i], print, THROTTLE_PRINT_SIZE) == 0;
    return found;
}

void throttle_wrong(struct throttle *throttle, const char *address,
                    const unsigned char print[THROTTLE_PRINT_SIZE])
{
    if (throttle_was_wrong(throttle, print))
        tries_of(throttle, address)->left += 1;
    else
        memcpy(throttle->wrong[throttle->wrong_count++ % THROTTLE_WRONG_MAX], print, THROTTLE_PRINT_SIZE);
}
