/* What comes after a session: pure, so that tests drive it. */
#ifndef FIRTH_SUPERVISOR_SCHEDULE_H
#define FIRTH_SUPERVISOR_SCHEDULE_H

#include "supervisor/supervisor.h"

enum schedule_kind {
    SCHEDULE_DONE,  /* no further session */
    SCHEDULE_WAIT,  /* its schedule says when */
    SCHEDULE_RETRY, /* it failed */
};

struct schedule_next {
    enum schedule_kind kind;
    uint64_t delay_ms;
};

struct schedule_session {
    enum task_outcome outcome;
    bool retriable;      /* FAILED: trying again may help */
    uint32_t failures;   /* in a row, this one included; 0 unless FAILED */
    uint64_t elapsed_ms; /* since the session began */
    int64_t wall_ms;     /* the time of day now, for cron */
};

/* The first session of a task. */
struct schedule_next schedule_first(const struct supervisor_schedule *schedule, bool once, int64_t wall_ms);
/* The first session under this supervisor of a task that an earlier one knew (`past->known`). */
struct schedule_next schedule_resume(const struct supervisor_schedule *schedule,
                                     const struct supervisor_past *past, int64_t wall_ms);
/* The one after `session`. `random` spreads retries, so that what failed together does not return together.
 */
struct schedule_next schedule_after(const struct supervisor_schedule *schedule, bool once, uint64_t retry_ms,
                                    const struct schedule_session *session, struct random_state *random);

#endif
