#include "control/schedule.h"

#include "base/clock.h"
#include "catalog/cron.h"

static int64_t interval_ms(const struct control_connection *connection)
{
    static const int64_t minutes[] = {[CONTROL_MINUTES] = 1,
                                      [CONTROL_HOURS] = 60,
                                      [CONTROL_DAYS] = 24 * 60,
                                      [CONTROL_WEEKS] = 7 * 24 * 60,
                                      [CONTROL_MONTHS] = 30 * 24 * 60};
    return (int64_t)connection->every * minutes[connection->unit] * 60 * 1000;
}

static int64_t next_by_cron(const struct control_connection *connection, int64_t after_ms, struct error *err)
{
    struct cron cron;
    mem_auto(zone_free) struct zone *zone =
        zone_load(connection->time_zone ? connection->time_zone : "UTC", err);
    if (!zone || cron_parse(connection->cron, &cron, err) < 0)
        return -2;
    return cron_next_in(&cron, zone, after_ms);
}

/* Airbyte's expressions are Quartz's: one of another kind would mean something else there, or nothing. */
static int refuse_crontab(const char *text, struct error *err)
{
    struct cron cron;
    struct buffer quartz;
    if (cron_parse(text, &cron, err) < 0)
        return -1;
    buffer_init(&quartz, ERROR_MESSAGE_MAX);
    if (cron_to_quartz(text, &quartz))
        error_set(err, ERROR_INVALID,
                  "'%.60s' is a crontab expression; a connection's is Quartz's, with seconds first: '%.120s'",
                  text, buffer_cstr(&quartz));
    else
        error_set(
            err, ERROR_INVALID,
            "'%.60s' is a crontab expression; a connection's is Quartz's, with seconds first, which does "
            "not know both a day of the month and a day of the week: one of the two must be ?",
            text);
    buffer_done(&quartz);
    return -1;
}

/* 0 if it is as Quartz has it. */
static int check_days(const char *text, struct error *err)
{
    struct buffer meant;
    buffer_init(&meant, ERROR_MESSAGE_MAX);
    bool right = cron_quartz_days(text, &meant);
    if (!right)
        error_set(
            err, ERROR_INVALID,
            "'%.60s' is not Quartz's, of whose two fields for days, of the month and of the week, one is "
            "?, and one only%s%.120s%s",
            text, meant.size ? ": '" : "", buffer_cstr(&meant), meant.size ? "'" : "");
    buffer_done(&meant);
    return right ? 0 : -1;
}

static size_t count_fields(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t"), count++)
        text += strcspn(text, " \t");
    return count;
}

int control_schedule_check(const struct control_connection *connection, struct error *err)
{
    switch (connection->schedule) {
    case CONTROL_MANUAL:
        return 0;
    case CONTROL_BASIC:
        return connection->every >= 1 && connection->every <= CONTROL_EVERY_MAX
                   ? 0
                   : error_set(err, ERROR_INVALID, "every %u %s is no schedule; it may be 1 to %d",
                               connection->every, control_unit_name(connection->unit), CONTROL_EVERY_MAX);
    case CONTROL_CRON:
        break;
    }
    if (!connection->cron || !*connection->cron)
        return error_set(err, ERROR_INVALID, "the schedule is cron, and cronExpression does not say which");
    if (cron_is_crontab(connection->cron))
        return refuse_crontab(connection->cron, err);
    if (count_fields(connection->cron) != 6 && count_fields(connection->cron) != 7)
        return error_set(
            err, ERROR_INVALID,
            "'%.60s' has not 6 fields, as Quartz's expressions have (second minute hour day month "
            "weekday), or 7 (year last)",
            connection->cron);
    int64_t next = next_by_cron(connection, clock_wall_ms(&clock_system), err);
    if (next > -2 && check_days(connection->cron, err) < 0)
        return -1;
    if (next == -1)
        return error_set(err, ERROR_INVALID, "the cron expression '%.60s' means no time that comes",
                         connection->cron);
    return next < 0 ? -1 : 0;
}

int64_t control_schedule_next(const struct control_connection *connection, int64_t after_ms)
{
    struct error unused;
    if (connection->schedule == CONTROL_BASIC)
        return after_ms + interval_ms(connection);
    if (connection->schedule != CONTROL_CRON)
        return -1;
    int64_t next = next_by_cron(connection, after_ms, &unused);
    return next < 0 ? -1 : next;
}

int64_t control_schedule_due(const struct control_connection *connection, int64_t now_ms)
{
    int64_t from = connection->job_created_ms;
    if (connection->schedule == CONTROL_BASIC && from == 0)
        return connection->created_ms < now_ms ? connection->created_ms : now_ms;
    if (connection->schedule == CONTROL_CRON && from < connection->updated_ms)
        from = connection->updated_ms;
    return control_schedule_next(connection, from < now_ms ? from : now_ms);
}
