/* What the daemon and the process that plans for it (`firth plan`) say to each other. Planning reads catalogs
 * and may have to fetch images, which can take minutes: the daemon's loop does neither.
 *
 * One request, a JSON object, then answers, one line each: of every task in it that it is planned, that it
 * cannot be, or that it needs an image, when images were not to be looked for. In between: notes for people,
 * and signs of life. Both hold secrets and go by pipes. */
#ifndef FIRTH_SUPERVISOR_PLAN_MESSAGE_H
#define FIRTH_SUPERVISOR_PLAN_MESSAGE_H

#include "catalog/snapshot.h"
#include "supervisor/plan.h"
#include "task/task_spec.h"

enum {
    PLAN_REQUEST_MAX = CATALOG_SNAPSHOT_MAX + (8 << 20), /* bytes */
    PLAN_ANSWER_MAX = TASK_SPEC_MAX + (8 << 20),         /* bytes of a line */
};

struct plan_request {
    const char *data_dir;
    uint64_t commit_ms, stall_ms;
    bool images; /* look for images, and fetch them; else tell which are needed */
    const char *const *tasks;
    size_t task_count;
    struct slice snapshot; /* the catalog (catalog/snapshot.h) */
};

void plan_request_write(struct buffer *out, const struct plan_request *request);
/* Strings and slices of what was read live in the arena. */
int plan_request_read(struct slice text, struct arena *arena, struct plan_request *ret_request,
                      struct error *err);

enum plan_answer_type {
    PLAN_PLANNED, /* definition */
    PLAN_FAILED,  /* task, error */
    PLAN_IMAGE,   /* task, text: the images that it needs */
    PLAN_NOTE,    /* text: for people */
    PLAN_ALIVE,
    PLAN_ANSWER_TYPES,
};

struct plan_answer {
    enum plan_answer_type type;
    const char *task, *text;
    struct supervisor_definition definition; /* without past and owner */
    struct error error;
};

/* With its newline. */
void plan_answer_write(struct buffer *out, const struct plan_answer *answer);
int plan_answer_read(const struct json *line, struct arena *arena, struct plan_answer *ret_answer,
                     struct error *err);

#endif
