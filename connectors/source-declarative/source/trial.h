/* One stream of a manifest, read a few pages far, with all that happens on the way: `firth manifest test`. */
#ifndef FIRTH_DECLARATIVE_SOURCE_TRIAL_H
#define FIRTH_DECLARATIVE_SOURCE_TRIAL_H

#include "source-declarative/engine/engine.h"

enum { TRIAL_BODY_MAX = 256 << 10, TRIAL_STEPS_MAX = 200000 };

enum trial_kind {
    TRIAL_SLICE,    /* json: the slice */
    TRIAL_EXCHANGE, /* a request and its answer */
    TRIAL_RECORD,   /* json: as it was extracted; after: what became of it, size 0: left out */
    TRIAL_STATE,    /* json */
    TRIAL_CONFIG,   /* json: the config has changed */
    TRIAL_LOG,      /* text */
};

struct trial_part {
    struct slice head;    /* "GET https://…", "200" */
    struct slice headers; /* a line each: "Name: value" */
    struct slice body;    /* cut to TRIAL_BODY_MAX */
    size_t size;          /* of the whole body */
};

struct trial_step {
    enum trial_kind kind;
    const char *stream; /* whose: a parent's, too; NULL: nobody's */
    struct slice json, after;
    enum engine_level level; /* TRIAL_LOG: of json, which is its text */
    struct trial_part request,
        response; /* TRIAL_EXCHANGE; of the response no head: none came, json says why */
};

struct trial_settings {
    const char *stream;
    struct slice config; /* JSON */
    struct slice state;  /* the stream's, JSON; size 0: none */
    struct engine_limits limits;
};

/* Secrets are left out: of the config, by the spec; tokens that came on the way; and the values of headers
 * that carry credentials. */
struct trial {
    struct trial_step *steps;
    size_t count, capacity;
    struct slice schema; /* the stream's, JSON; size 0: it was not come to */
};

/* 0: it went well; -1: *err says what went wrong, and the trial what was until then. All in the arena, but
 * manifest_trial_done is to be called. ERROR_NOT_FOUND for a stream that is not there. */
int manifest_trial_run(const struct manifest *manifest, const struct trial_settings *settings,
                       struct arena *arena, struct trial *ret_trial, struct error *err);
void manifest_trial_done(struct trial *trial);

#endif
