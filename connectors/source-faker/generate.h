/* Records out of numbers: every record is a function of (seed, index) alone, so that any slice can be made
 * at any time and a resumed run goes on exactly where the first one ended. No I/O, no allocation. */
#ifndef FIRTH_SOURCE_FAKER_GENERATE_H
#define FIRTH_SOURCE_FAKER_GENERATE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKER_PRODUCTS = 100, FAKER_RECORD_MAX = 2048, FAKER_PURCHASES_MAX = 2, FAKER_TIME_SIZE = 29 };

/* When records are said to have been updated: a fixed moment plus a millisecond an id where everything is to
 * come from the seed, otherwise the time of the slice. Ascends with the id in both cases. */
struct faker_clock {
    bool fixed;
    int64_t now_ms;
    int64_t second; /* whose text is in `text` */
    char text[FAKER_TIME_SIZE + 3];
};

struct faker {
    uint64_t seed;
    struct faker_clock clock;
};

void faker_init(struct faker *faker, uint64_t seed, bool fixed_times);
/* Records made from now on carry this time, unless times are fixed. */
void faker_set_time(struct faker *faker, int64_t now_ms);

/* "2024-02-29T12:30:00.123+00:00" into text; years 1970 to 9999. Returns the end. */
char *faker_put_time(char *text, int64_t ms);
/* The updated_at of the record with this id. Returns the end. */
char *faker_put_updated_at(struct faker *faker, char *text, int64_t id);

/* Each writes the JSON object of one record (at most FAKER_RECORD_MAX bytes) and returns its size. `index`
 * counts from 0, the id is index + 1. */
size_t faker_product(struct faker *faker, int64_t index, char *out);
size_t faker_user(struct faker *faker, int64_t index, char *out);
/* A user's purchases: none, one or two. Ten users have ten, and ids stay unique. */
unsigned faker_purchase_count(int64_t user_index);
size_t faker_purchase(struct faker *faker, int64_t user_index, unsigned position, char *out);
/* How many purchases the users before this one have made. */
int64_t faker_purchases_before(int64_t user_index);

#endif
