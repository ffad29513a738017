#include "supervisor/job_settings.h"

#include "control/settings.h"

struct values {
    uint64_t attempts_max, failures_max, partial_max, backoff_ms, backoff_max_ms, keep_days, keep,
        discover_minutes;
};

static const struct {
    const char *name;
    size_t offset;
    uint64_t otherwise, max;
} settings[] = {
    {"jobs.attempts_max", offsetof(struct values, attempts_max), 5, 1000},
    {"jobs.failures_max", offsetof(struct values, failures_max), 10, 1000},
    {"jobs.partial_max", offsetof(struct values, partial_max), 20, 1000},
    {"jobs.backoff_ms", offsetof(struct values, backoff_ms), 10 * 1000, 86400000},
    {"jobs.backoff_max_ms", offsetof(struct values, backoff_max_ms), 30 * 60 * 1000, 86400000},
    {"jobs.keep_days", offsetof(struct values, keep_days), 60, 36500},
    {"jobs.keep", offsetof(struct values, keep), 1000, UINT32_MAX},
    {"jobs.discover_minutes", offsetof(struct values, discover_minutes), 24 * 60, 525600},
};

int jobs_setting_check(const char *name, const char *value, struct error *err)
{
    const char *names[sizeof settings / sizeof *settings];
    uint64_t unused;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        names[i] = settings[i].name;
        if (strcmp(name, settings[i].name) != 0)
            continue;
        return string_to_u64(value, settings[i].max, &unused)
                   ? 0
                   : error_set(err, ERROR_INVALID,
                               "the setting %s is '%.40s': it is a whole number from 0 to %llu", name, value,
                               (unsigned long long)settings[i].max);
    }
    const char *nearest = string_nearest(name, names, sizeof names / sizeof *names);
    return error_set(err, ERROR_INVALID, "there is no setting '%.64s'%s%s%s", name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

void job_settings_read(struct jobs *jobs)
{
    struct values values;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    bool fine = true;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && fine; i++) {
        const char *text;
        uint64_t value = settings[i].otherwise;
        fine = control_setting_get(jobs->options.control, settings[i].name, &arena, &text, &err) == 0;
        if (fine && text && !string_to_u64(text, settings[i].max, &value))
            log_warn(jobs->options.log, "the setting %s is '%.40s', which is no number up to %llu",
                     settings[i].name, text, (unsigned long long)settings[i].max);
        memcpy((char *)&values + settings[i].offset, &value, sizeof value);
    }
    arena_done(&arena);
    if (!fine)
        return;
    jobs->policy = (struct job_policy){.failures_in_row_max = (uint32_t)values.attempts_max,
                                       .failures_max = (uint32_t)values.failures_max,
                                       .partial_max = (uint32_t)values.partial_max,
                                       .backoff_ms = values.backoff_ms,
                                       .backoff_max_ms = values.backoff_max_ms};
    jobs->keep_ms = (int64_t)values.keep_days * 24 * 60 * 60 * 1000;
    jobs->keep = (uint32_t)values.keep;
    jobs->discover_ms = (int64_t)values.discover_minutes * 60 * 1000;
}
