#include "base/text.h"
#include "catalog/cron.h"

#include <string.h>

/* What crontab says, in Quartz's words. */

static bool is_word(const char *text)
{
    return *text == '@';
}

static size_t count_fields(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        text += strcspn(text, " \t");
        count++;
    }
    return count;
}

bool cron_is_crontab(const char *text)
{
    text += strspn(text, " \t");
    return is_word(text) || count_fields(text) == 5;
}

/* By name, since the numbers of the two differ by one: "MON-FRI", "MON,WED". */
static void write_weekdays(struct buffer *out, uint32_t days)
{
    static const char *const names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
    enum { COUNT = sizeof names / sizeof *names };
    bool first = true;
    for (unsigned day = 0; day < COUNT; day++) {
        unsigned last = day;
        if (!(days >> day & 1))
            continue;
        while (last + 1 < COUNT && days >> (last + 1) & 1)
            last++;
        buffer_printf(out, "%s%s", first ? "" : ",", names[day]);
        if (last > day)
            buffer_printf(out, "%c%s", last > day + 1 ? '-' : ',', names[last]);
        first = false;
        day = last;
    }
}

static bool write_word(struct buffer *out, const char *word)
{
    static const struct {
        const char *word, *expression;
    } table[] = {{"@yearly", "0 0 0 1 1 ?"},   {"@annually", "0 0 0 1 1 ?"}, {"@monthly", "0 0 0 1 * ?"},
                 {"@weekly", "0 0 0 ? * SUN"}, {"@daily", "0 0 0 * * ?"},    {"@midnight", "0 0 0 * * ?"},
                 {"@hourly", "0 0 * * * ?"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(word, table[i].word) == 0) {
            buffer_printf(out, "%s", table[i].expression);
            return true;
        }
    }
    return false;
}

bool cron_to_quartz(const char *text, struct buffer *out)
{
    struct cron cron;
    struct error unused;
    struct slice fields[5];
    size_t count = 0;
    if (cron_parse(text, &cron, &unused) < 0)
        return false;
    text += strspn(text, " \t");
    if (is_word(text))
        return write_word(out, text);
    for (; *text && count < 5; text += strspn(text, " \t")) {
        size_t size = strcspn(text, " \t");
        fields[count++] = (struct slice){text, size};
        text += size;
    }
    if (count < 5 || (!cron.any_day && !cron.any_weekday))
        return false;
    buffer_printf(out, "0 %.*s %.*s ", SLICE_ARGS(fields[0]), SLICE_ARGS(fields[1]));
    if (cron.any_weekday)
        buffer_printf(out, "%.*s %.*s ?", SLICE_ARGS(fields[2]), SLICE_ARGS(fields[3]));
    else
        buffer_printf(out, "? %.*s ", SLICE_ARGS(fields[3]));
    if (!cron.any_weekday)
        write_weekdays(out, cron.weekdays);
    return true;
}

bool cron_quartz_days(const char *text, struct buffer *out)
{
    enum { DAY = 3, WEEKDAY = 5, FIELDS_MAX = 7 };
    struct slice fields[FIELDS_MAX] = {0};
    size_t count = 0;
    for (text += strspn(text, " \t"); *text && count < FIELDS_MAX; text += strspn(text, " \t")) {
        fields[count] = (struct slice){text, strcspn(text, " \t")};
        text += fields[count++].size;
    }
    struct slice *day = &fields[DAY], *weekday = &fields[WEEKDAY];
    bool no_day = slice_is(*day, "?"), no_weekday = slice_is(*weekday, "?");
    if (no_day != no_weekday)
        return true;
    if (no_day)
        *day = SLICE_LITERAL("*");
    else if (slice_is(*weekday, "*"))
        *weekday = SLICE_LITERAL("?");
    else if (slice_is(*day, "*"))
        *day = SLICE_LITERAL("?");
    else
        return false;
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s%.*s", i ? " " : "", SLICE_ARGS(fields[i]));
    return false;
}
