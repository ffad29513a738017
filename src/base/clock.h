/* Time and randomness behind a small struct, so that tests drive them. */
#ifndef FIRTH_BASE_CLOCK_H
#define FIRTH_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(void *context);       /* milliseconds since 1970-01-01T00:00:00Z */
    uint64_t (*monotonic_ns)(void *context); /* never goes back */
    void *context;
};

/* The machine's clock. */
extern const struct clock clock_system;

static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock->context);
}
static inline uint64_t clock_monotonic_ns(const struct clock *clock)
{
    return clock->monotonic_ns(clock->context);
}

/* "2026-11-21T09:30:00.123Z" into text (at least 25 bytes). Years 0 to 9999. */
void clock_format_rfc3339(int64_t wall_ms, char *text, size_t size);

/* "2026-11-21T09:30:00Z", with any fraction of a second (cut to milliseconds) and any offset; a day that
 * exists, second 60 taken as 59. False for anything else. */
bool clock_parse_rfc3339(const char *text, size_t size, int64_t *ret_wall_ms);

/* A small, fast, seedable generator (xoshiro256**): for fakers, jitter and tests, not for secrets. */
struct random_state {
    uint64_t s[4];
};
void random_seed(struct random_state *random, uint64_t seed);
uint64_t random_next(struct random_state *random);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(struct random_state *random, uint64_t bound);

/* From the kernel: for secrets and identities. */
void random_bytes(void *bytes, size_t size);
/* A version 4 UUID as 36 characters and a NUL. */
void random_uuid(char text[37]);

#endif
