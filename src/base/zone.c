#include "base/zone.h"

#include "base/calendar.h"
#include "base/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A day of the year on which the clocks change, as the last line of a zone's file has it (POSIX's TZ). */
struct rule {
    enum { RULE_MONTH, RULE_JULIAN, RULE_DAY } kind;
    int month, week,
        day;        /* MONTH: the week'th (5: the last) day of the week; JULIAN: 1 to 365; DAY: 0 to 365 */
    int32_t second; /* of the day, by the clock before the change */
};

struct zone {
    int64_t *times; /* when a type begins, ascending */
    unsigned char *types;
    size_t count;
    int32_t *offsets; /* by type */
    size_t type_count;
    /* After the last of `times`. */
    bool has_rules, has_summer;
    int32_t standard, summer; /* offsets */
    struct rule to_summer, to_standard;
};

enum { DAY_SECONDS = 86400, OFFSET_MAX = 26 * 3600 /* of what a file may say */ };

/* --- the rules behind the table ------------------------------------------------------------------ */

static int64_t change_at(const struct rule *rule, int64_t year)
{
    int64_t first = calendar_days(year, 1, 1);
    bool leap = calendar_month_length(year, 2) == 29;
    if (rule->kind == RULE_DAY)
        return (first + rule->day) * DAY_SECONDS + rule->second;
    if (rule->kind == RULE_JULIAN)
        return (first + rule->day - 1 + (leap && rule->day > 59)) * DAY_SECONDS + rule->second;
    int64_t month = calendar_days(year, (unsigned)rule->month, 1);
    int64_t day = month + (rule->day - (int)calendar_weekday(month) + 7) % 7 + 7 * (rule->week - 1);
    while (day >= month + calendar_month_length(year, (unsigned)rule->month))
        day -= 7;
    return day * DAY_SECONDS + rule->second;
}

static int32_t offset_by_rules(const struct zone *zone, int64_t utc)
{
    if (!zone->has_summer)
        return zone->standard;
    int64_t year = calendar_year((utc + zone->standard) / DAY_SECONDS);
    int64_t begin = change_at(&zone->to_summer, year) - zone->standard;
    int64_t end = change_at(&zone->to_standard, year) - zone->summer;
    bool summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
    return summer ? zone->summer : zone->standard;
}

/* --- reading them -------------------------------------------------------------------------------- */

static bool take_number(const char **at, int max, int *ret_number)
{
    int number = 0;
    const char *from = *at;
    for (; isdigit((unsigned char)**at) && number <= max; ++*at)
        number = number * 10 + (**at - '0');
    *ret_number = number;
    return *at > from && number <= max;
}

/* [+-]h[:m[:s]] */
static bool take_time(const char **at, int32_t *ret_seconds)
{
    int parts[3] = {0}, sign = 1;
    if (**at == '-' || **at == '+')
        sign = *(*at)++ == '-' ? -1 : 1;
    if (!take_number(at, 167, &parts[0]))
        return false;
    for (int i = 1; i < 3 && **at == ':'; i++) {
        ++*at;
        if (!take_number(at, 59, &parts[i]))
            return false;
    }
    *ret_seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

static bool take_abbreviation(const char **at)
{
    const char *from = *at;
    if (**at == '<') {
        while (**at && **at != '>')
            ++*at;
        return *(*at)++ == '>';
    }
    while (isalpha((unsigned char)**at))
        ++*at;
    return *at - from >= 3;
}

static bool take_rule(const char **at, struct rule *rule)
{
    rule->second = 2 * 3600;
    if (*(*at)++ != ',')
        return false;
    bool fine;
    if (**at == 'M') {
        ++*at;
        rule->kind = RULE_MONTH;
        fine = take_number(at, 12, &rule->month) && *(*at)++ == '.' && take_number(at, 5, &rule->week) &&
               *(*at)++ == '.' && take_number(at, 6, &rule->day) && rule->month >= 1 && rule->week >= 1;
    } else if (**at == 'J') {
        ++*at;
        rule->kind = RULE_JULIAN;
        fine = take_number(at, 365, &rule->day) && rule->day >= 1;
    } else {
        rule->kind = RULE_DAY;
        fine = take_number(at, 365, &rule->day);
    }
    if (fine && **at == '/') {
        ++*at;
        fine = take_time(at, &rule->second);
    }
    return fine;
}

/* "CET-1CEST,M3.5.0,M10.5.0/3": offsets are west of UTC. */
static bool read_rules(struct zone *zone, const char *text)
{
    int32_t west = 0;
    if (!take_abbreviation(&text) || !take_time(&text, &west))
        return false;
    zone->standard = -west;
    zone->has_rules = true;
    if (*text == 0)
        return true;
    zone->summer = zone->standard + 3600;
    if (!take_abbreviation(&text))
        return false;
    if (*text != ',') {
        if (!take_time(&text, &west))
            return false;
        zone->summer = -west;
    }
    zone->has_summer = true;
    return take_rule(&text, &zone->to_summer) && take_rule(&text, &zone->to_standard) && *text == 0;
}

/* --- the file (RFC 9636) ------------------------------------------------------------------------- */

enum { HEADER_SIZE = 44 };

struct counts {
    size_t utc, standard, leaps, times, types, letters;
};

static uint64_t big_endian(const char *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static bool read_header(const char *data, size_t size, struct counts *counts)
{
    if (size < HEADER_SIZE || memcmp(data, "TZif", 4) != 0)
        return false;
    size_t *const fields[] = {&counts->utc,   &counts->standard, &counts->leaps,
                              &counts->times, &counts->types,    &counts->letters};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        *fields[i] = (size_t)big_endian(data + 20 + 4 * i, 4);
        if (*fields[i] > ZONE_FILE_MAX)
            return false;
    }
    return true;
}

static size_t block_size(const struct counts *counts, size_t time_size)
{
    return counts->times * (time_size + 1) + counts->types * 6 + counts->letters +
           counts->leaps * (time_size + 4) + counts->standard + counts->utc;
}

static bool read_block(struct zone *zone, const char *data, const struct counts *counts)
{
    const char *types = data + counts->times * 8, *offsets = types + counts->times;
    zone->times = mem_alloc((counts->times + 1) * sizeof *zone->times);
    zone->types = mem_alloc(counts->times + 1);
    zone->offsets = mem_alloc((counts->types + 1) * sizeof *zone->offsets);
    zone->count = counts->times;
    zone->type_count = counts->types;
    for (size_t i = 0; i < counts->types; i++) {
        zone->offsets[i] = (int32_t)big_endian(offsets + 6 * i, 4);
        if (zone->offsets[i] > OFFSET_MAX || zone->offsets[i] < -OFFSET_MAX)
            return false;
    }
    for (size_t i = 0; i < counts->times; i++) {
        zone->times[i] = (int64_t)big_endian(data + 8 * i, 8);
        zone->types[i] = (unsigned char)types[i];
        if (zone->types[i] >= counts->types || (i && zone->times[i] <= zone->times[i - 1]))
            return false;
    }
    return counts->types > 0;
}

static bool read_file(struct zone *zone, const char *data, size_t size)
{
    struct counts counts;
    if (!read_header(data, size, &counts) || data[4] < '2')
        return false;
    size_t first = HEADER_SIZE + block_size(&counts, 4);
    if (first > size || !read_header(data + first, size - first, &counts))
        return false;
    size_t second = first + HEADER_SIZE, end = second + block_size(&counts, 8);
    if (end > size || !read_block(zone, data + second, &counts))
        return false;
    if (end + 2 > size || data[end] != '\n' || data[size - 1] != '\n')
        return false;
    auto_free char *rules = mem_strndup(data + end + 1, size - end - 2);
    return *rules == 0 || read_rules(zone, rules);
}

/* --- the whole ----------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > ZONE_NAME_MAX || !isalpha((unsigned char)*name) || strstr(name, ".."))
        return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_+-/", *at))
            return false;
    return true;
}

struct zone *zone_load(const char *name, struct error *err)
{
    mem_auto(zone_free) struct zone *zone = mem_zalloc(sizeof *zone);
    zone->has_rules = true;
    struct zone *loaded = zone;
    if (strcmp(name, "UTC") != 0 && strcmp(name, "Z") != 0 && strcmp(name, "GMT") != 0) {
        struct buffer bytes;
        struct error unused;
        auto_free char *path = mem_printf("/usr/share/zoneinfo/%s", is_name(name) ? name : "-");
        buffer_init(&bytes, ZONE_FILE_MAX);
        zone->has_rules = false;
        bool there = is_name(name) && file_read(path, ZONE_FILE_MAX, &bytes, &unused) == 0;
        bool fine = there && bytes.data && read_file(zone, bytes.data, bytes.size);
        buffer_done(&bytes);
        if (!there)
            error_set(err, ERROR_INVALID,
                      "the time zone '%.64s' is not known here; it is a name like Europe/Berlin, or UTC",
                      name);
        else if (!fine)
            error_set(err, ERROR_CORRUPT, "%s is no time zone that can be read", path);
        loaded = fine ? zone : NULL;
    }
    if (loaded)
        zone = NULL;
    return loaded;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    free(zone->times);
    free(zone->types);
    free(zone->offsets);
    free(zone);
}

int32_t zone_offset(const struct zone *zone, int64_t utc)
{
    if (zone->count == 0 || (zone->has_rules && utc >= zone->times[zone->count - 1]))
        return zone->has_rules ? offset_by_rules(zone, utc) : zone->offsets[0];
    if (utc < zone->times[0])
        return zone->offsets[0];
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= utc)
            low = middle;
        else
            high = middle;
    }
    return zone->offsets[zone->types[low]];
}

int64_t zone_to_utc(const struct zone *zone, int64_t local)
{
    int32_t before = zone_offset(zone, local - DAY_SECONDS), after = zone_offset(zone, local + DAY_SECONDS);
    int64_t first = local - (before > after ? before : after),
            second = local - (before > after ? after : before);
    if (first + zone_offset(zone, first) == local)
        return first;
    if (second + zone_offset(zone, second) == local)
        return second;
    return local - before; /* skipped: as if the clocks had not been put forward */
}
