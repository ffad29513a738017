#include "generate.h"

#include "words.h"

static const int64_t FIXED_EPOCH_MS = 1704067200000; /* 2024-01-01T00:00:00Z */

enum { DAY_S = 86400, BIRTH_OF_TIME_S = 946684800 /* 2000-01-01 */, CREATED_SPAN_S = 23 * 365 * DAY_S };

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* --- pieces ---------------------------------------------------------------------------------------- */

/* Literals: the size is a constant, so that this is a move or two. */
#define PUT(at, literal) (memcpy((at), (literal), sizeof(literal) - 1), (at) + sizeof(literal) - 1)

static inline char *put_pair(char *at, unsigned value)
{
    memcpy(at, digit_pairs + value * 2, 2);
    return at + 2;
}

static char *put_number(char *at, uint64_t value)
{
    char digits[20];
    size_t from = sizeof digits;
    while (value >= 100) {
        from -= 2;
        memcpy(digits + from, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        from -= 2;
        memcpy(digits + from, digit_pairs + value * 2, 2);
    } else {
        digits[--from] = (char)('0' + value);
    }
    size_t size = sizeof digits - from;
    memcpy(at, digits + from, size);
    return at + size;
}

/* Small choices from one 64-bit number: each takes the next 16 bits' worth of it. */
struct dice {
    struct random_state random;
    uint64_t bits;
    unsigned left;
};

static void dice_init(struct dice *dice, uint64_t seed, uint64_t stream, int64_t index)
{
    /* Streams and indices far apart in the seed: neighbours share nothing after the seeding's mixing. */
    random_seed(&dice->random,
                seed ^ stream * 0xd6e8feb86659fd93ULL ^ (uint64_t)index * 0x9e3779b97f4a7c15ULL);
    dice->left = 0;
}

/* Uniform enough in [0, bound) for bound <= 65536: off by less than bound / 65536. */
static inline uint32_t dice_roll(struct dice *dice, uint32_t bound)
{
    if (dice->left == 0) {
        dice->bits = random_next(&dice->random);
        dice->left = 4;
    }
    uint32_t part = dice->bits & 0xffff;
    dice->bits >>= 16;
    dice->left--;
    return part * (uint64_t)bound >> 16;
}

static inline char *put_choice(char *at, struct dice *dice, enum word_list list)
{
    const struct words *words = &faker_words[list];
    return word_put(at, &words->items[dice_roll(dice, words->count)]);
}

/* --- time ---------------------------------------------------------------------------------------------- */

/* Days since 1970 to a date (the civil calendar counted from March, in eras of 400 years). */
static char *put_date(char *at, uint32_t days)
{
    uint32_t shifted = days + 719468, era = shifted / 146097, day_of_era = shifted % 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    uint32_t year = year_of_era + era * 400 + (month <= 2);
    at = put_pair(at, year / 100 % 100);
    at = put_pair(at, year % 100);
    *at++ = '-';
    at = put_pair(at, month);
    *at++ = '-';
    return put_pair(at, day);
}

char *faker_put_time(char *text, int64_t ms)
{
    int64_t seconds = ms / 1000;
    uint32_t rest = (uint32_t)(seconds % DAY_S), fraction = (uint32_t)(ms % 1000);
    char *at = put_date(text, (uint32_t)(seconds / DAY_S));
    *at++ = 'T';
    at = put_pair(at, rest / 3600);
    *at++ = ':';
    at = put_pair(at, rest / 60 % 60);
    *at++ = ':';
    at = put_pair(at, rest % 60);
    *at++ = '.';
    *at++ = (char)('0' + fraction / 100);
    at = put_pair(at, fraction % 100);
    return PUT(at, "+00:00");
}

void faker_init(struct faker *faker, uint64_t seed, bool fixed_times)
{
    *faker = (struct faker){.seed = seed, .clock = {.fixed = fixed_times, .second = -1}};
}

void faker_set_time(struct faker *faker, int64_t now_ms)
{
    faker->clock.now_ms = now_ms;
}

char *faker_put_updated_at(struct faker *faker, char *text, int64_t id)
{
    enum { FRACTION_AT = 20 };
    struct faker_clock *clock = &faker->clock;
    int64_t ms = clock->fixed ? FIXED_EPOCH_MS + id : clock->now_ms;
    if (ms / 1000 != clock->second) {
        clock->second = ms / 1000;
        faker_put_time(clock->text, ms);
    }
    uint32_t fraction = (uint32_t)(ms % 1000);
    clock->text[FRACTION_AT] = (char)('0' + fraction / 100);
    put_pair(clock->text + FRACTION_AT + 1, fraction % 100);
    memcpy(text, clock->text, FAKER_TIME_SIZE);
    return text + FAKER_TIME_SIZE;
}

/* A moment between 2000 and the end of 2022, in milliseconds on a whole second. */
static int64_t roll_created(struct dice *dice)
{
    uint64_t second = random_below(&dice->random, CREATED_SPAN_S);
    return (int64_t)(BIRTH_OF_TIME_S + second) * 1000;
}

static char *put_times(struct faker *faker, char *at, int64_t created_ms, int64_t id)
{
    at = PUT(at, ",\"created_at\":\"");
    at = faker_put_time(at, created_ms);
    at = PUT(at, "\",\"updated_at\":\"");
    at = faker_put_updated_at(faker, at, id);
    return PUT(at, "\"");
}

/* --- records
 * ------------------------------------------------------------------------------------------------ */

enum { STREAM_PRODUCTS = 1, STREAM_USERS, STREAM_PURCHASES };

size_t faker_product(struct faker *faker, int64_t index, char *out)
{
    struct dice dice;
    /* The cars are the same for every seed, as the ids that purchases name are. */
    dice_init(&dice, 0, STREAM_PRODUCTS, index);
    char *at = PUT(out, "{\"id\":");
    at = put_number(at, (uint64_t)index + 1);
    at = PUT(at, ",\"make\":\"");
    at = word_put(at, &faker_words[WORDS_MAKE].items[index / 10 % faker_words[WORDS_MAKE].count]);
    at = PUT(at, "\",\"model\":\"");
    at = word_put(at, &faker_words[WORDS_MODEL].items[index % faker_words[WORDS_MODEL].count]);
    at = PUT(at, "\",\"year\":");
    at = put_number(at, 1970 + dice_roll(&dice, 54));
    at = PUT(at, ",\"price\":");
    at = put_number(at, 4000 + 50 * dice_roll(&dice, 1500));
    at = put_times(faker, at, roll_created(&dice), index + 1);
    at = PUT(at, "}");
    return (size_t)(at - out);
}

static char *put_email(char *at, uint32_t first, uint32_t last, int64_t id, struct dice *dice)
{
    at = PUT(at, ",\"email\":\"");
    at = word_put(at, &faker_words[WORDS_FIRST_LOWER].items[first]);
    *at++ = '.';
    at = word_put(at, &faker_words[WORDS_LAST_LOWER].items[last]);
    *at++ = '+';
    at = put_number(at, (uint64_t)id);
    *at++ = '@';
    return put_choice(at, dice, WORDS_DOMAIN);
}

static char *put_telephone(char *at, struct dice *dice)
{
    at = PUT(at, "\",\"telephone\":\"+1-555-");
    at = put_pair(at, dice_roll(dice, 100));
    *at++ = (char)('0' + dice_roll(dice, 10));
    *at++ = '-';
    at = put_pair(at, dice_roll(dice, 100));
    return put_pair(at, dice_roll(dice, 100));
}

static char *put_address(char *at, struct dice *dice)
{
    at = PUT(at, ",\"address\":{\"street_number\":\"");
    at = put_number(at, 1 + dice_roll(dice, 1400));
    at = PUT(at, "\",\"street_name\":\"");
    at = put_choice(at, dice, WORDS_STREET);
    *at++ = ' ';
    at = put_choice(at, dice, WORDS_STREET_KIND);
    at = PUT(at, "\",\"city\":\"");
    at = put_choice(at, dice, WORDS_CITY);
    at = PUT(at, "\",\"state\":\"");
    at = put_choice(at, dice, WORDS_REGION);
    at = PUT(at, "\",\"province\":\"");
    at = put_choice(at, dice, WORDS_REGION);
    at = PUT(at, "\",\"postal_code\":\"");
    at = put_pair(at, dice_roll(dice, 100));
    *at++ = (char)('0' + dice_roll(dice, 10));
    at = put_pair(at, dice_roll(dice, 100));
    at = PUT(at, "\",\"country_code\":\"");
    at = put_choice(at, dice, WORDS_COUNTRY);
    return PUT(at, "\"}}");
}

size_t faker_user(struct faker *faker, int64_t index, char *out)
{
    struct dice dice;
    dice_init(&dice, faker->seed, STREAM_USERS, index);
    uint32_t first = dice_roll(&dice, faker_words[WORDS_FIRST].count);
    uint32_t last = dice_roll(&dice, faker_words[WORDS_LAST].count);
    char *at = PUT(out, "{\"id\":");
    at = put_number(at, (uint64_t)index + 1);
    at = put_times(faker, at, roll_created(&dice), index + 1);
    at = PUT(at, ",\"name\":\"");
    at = word_put(at, &faker_words[WORDS_FIRST].items[first]);
    *at++ = ' ';
    at = word_put(at, &faker_words[WORDS_LAST].items[last]);
    at = PUT(at, "\",\"title\":\"");
    at = put_choice(at, &dice, WORDS_TITLE);
    at = PUT(at, "\",\"age\":");
    at = put_pair(at, 16 + dice_roll(&dice, 72));
    at = put_email(at, first, last, index + 1, &dice);
    at = put_telephone(at, &dice);
    at = PUT(at, "\",\"gender\":\"");
    at = put_choice(at, &dice, WORDS_GENDER);
    at = PUT(at, "\",\"language\":\"");
    at = put_choice(at, &dice, WORDS_LANGUAGE);
    at = PUT(at, "\",\"academic_degree\":\"");
    at = put_choice(at, &dice, WORDS_DEGREE);
    at = PUT(at, "\",\"nationality\":\"");
    at = put_choice(at, &dice, WORDS_NATIONALITY);
    at = PUT(at, "\",\"occupation\":\"");
    at = put_choice(at, &dice, WORDS_OCCUPATION);
    at = PUT(at, "\",\"height\":\"1.");
    at = put_pair(at, 48 + dice_roll(&dice, 52));
    at = PUT(at, "\",\"blood_type\":\"");
    at = put_choice(at, &dice, WORDS_BLOOD);
    at = PUT(at, "\",\"weight\":");
    at = put_number(at, 41 + dice_roll(&dice, 70));
    at = put_address(at, &dice);
    return (size_t)(at - out);
}

/* By the last digit of the index: 6 buys nothing, 8 twice, and so 7 to 9 keep the ids without a gap. */
unsigned faker_purchase_count(int64_t user_index)
{
    int64_t digit = user_index % 10;
    return digit == 6 ? 0 : digit == 8 ? 2 : 1;
}

int64_t faker_purchases_before(int64_t user_index)
{
    int64_t digit = user_index % 10;
    return user_index - (digit == 7 || digit == 8);
}

static char *put_time_or_null(char *at, bool happened, int64_t ms)
{
    if (!happened)
        return PUT(at, "null");
    *at++ = '"';
    at = faker_put_time(at, ms);
    *at++ = '"';
    return at;
}

size_t faker_purchase(struct faker *faker, int64_t user_index, unsigned position, char *out)
{
    enum { PURCHASED_PERCENT = 70, RETURNED_PERCENT = 15 };
    struct dice dice;
    dice_init(&dice, faker->seed, STREAM_PURCHASES, user_index * FAKER_PURCHASES_MAX + position);
    int64_t id = faker_purchases_before(user_index) + position + 1;
    int64_t created = roll_created(&dice);
    int64_t added = created + 1000 * (int64_t)(1 + dice_roll(&dice, 3600));
    int64_t purchased = added + 1000 * (int64_t)(1 + dice_roll(&dice, 50000));
    int64_t returned = purchased + 60000 * (int64_t)(60 + dice_roll(&dice, 43200));
    bool is_purchased = dice_roll(&dice, 100) < PURCHASED_PERCENT;
    bool is_returned = is_purchased && dice_roll(&dice, 100) < RETURNED_PERCENT;
    char *at = PUT(out, "{\"id\":");
    at = put_number(at, (uint64_t)id);
    at = PUT(at, ",\"user_id\":");
    at = put_number(at, (uint64_t)user_index + 1);
    at = PUT(at, ",\"product_id\":");
    at = put_number(at, 1 + dice_roll(&dice, FAKER_PRODUCTS));
    at = put_times(faker, at, created, id);
    at = PUT(at, ",\"added_to_cart_at\":\"");
    at = faker_put_time(at, added);
    at = PUT(at, "\",\"purchased_at\":");
    at = put_time_or_null(at, is_purchased, purchased);
    at = PUT(at, ",\"returned_at\":");
    at = put_time_or_null(at, is_returned, returned);
    at = PUT(at, "}");
    return (size_t)(at - out);
}
