/* Questions to connectors (spec, check, discover): each in a process of its own, `firth ask`, so that what
 * hangs or dies there harms nobody; a bounded number at once, each with a deadline, and each for as long as
 * who asks is there to hear the answer. */
#ifndef FIRTH_SERVER_ASK_H
#define FIRTH_SERVER_ASK_H

#include "connector/connector.h"
#include "server/loop.h"

enum {
    ASKS_MAX = 8,              /* at once, of each kind (struct ask.own) */
    ASK_MS = 5 * 60 * 1000,    /* for a spec or a check */
    ASK_DISCOVER_TIMES = 3,    /* as long for a discovery */
    ASK_ANSWER_MAX = 64 << 20, /* bytes */
    ASK_LOGS_MAX = 200,        /* lines of the connector's log that are told, the last ones */
    ASK_LOG_LINE_MAX = 2000,   /* bytes of each */
};

enum ask_verb { ASK_SPEC, ASK_CHECK, ASK_DISCOVER };
const char *ask_verb_name(enum ask_verb verb); /* "spec" */

struct asks;

/* One question, and its answer. It belongs to the asker again when `done` is called. */
struct ask {
    struct loop_item item; /* ask.c's own */
    struct asks *asks;
    struct buffer request; /* ask_init fills it; secret */
    uint64_t times;        /* its deadline, in asks_options.limit_ms */
    bool own;              /* a command of this program: it does not wait for connectors that hang */
    const char *what;      /* what does not answer, for people; as long as the question. NULL: a connector */
    int client; /* the socket of who asks: once that is closed the question is over; -1: not known */
    void (*done)(struct ask *ask); /* in the loop's thread */
    void *owner;
    struct buffer answer; /* JSON objects, line by line: see ask_read_config and ask_read */
    struct error error;
    bool failed;       /* there is no answer: `error` */
    bool may_be_empty; /* no answer is one too */
};

struct asks_options {
    const char *program, *data_dir;
    const char *const *image_words; /* NULL-terminated, or NULL */
    uint64_t limit_ms;              /* 0: ASK_MS */
};

struct asks *asks_new(uv_loop_t *loop, struct loop_inbox *inbox, const struct asks_options *options);
/* How many are not done. From any thread. */
unsigned asks_under_way(struct asks *asks);
/* In the loop's thread: kill what runs; its questions are done, as failed, and so are further ones. */
void asks_close(struct asks *asks);
/* Nobody asks any more: freed once the loop has closed its handles. */
void asks_release(struct asks *asks);

void ask_init(struct ask *ask, enum ask_verb verb, const struct connector_spec *program, struct slice config,
              struct slice spec);
/* Instead of a connector's question: what a command of this program says, both its outputs as they are in
 * `answer`. The words are the daemon's to choose, never a request's. `input`, a text, is what it reads. */
void ask_init_command(struct ask *ask, const char *const *words, struct slice input);
/* Instead of a connector's question: what the snapshot of a catalog says of a collection (ask_collection.h);
 * ask_read gives it. */
void ask_init_collection(struct ask *ask, struct slice snapshot, const char *name, const char *data_dir);
/* Instead of a connector's question: try a webhook (supervisor/webhook.h). ask_read gives nothing, or why it
 * was not reached. The URL is taken for a secret. */
void ask_init_webhook(struct ask *ask, const char *url, struct slice body);
void ask_done(struct ask *ask);
/* From any thread. False: too many are being asked; nothing was begun. */
bool ask_start(struct asks *asks, struct ask *ask);
/* Is the answer there, whole or not, and not only what was said before it? */
bool ask_answered(const struct ask *ask);
/* The connector's word: its payload in the arena (count 0 for a check), or what it said was wrong. */
int ask_read(const struct ask *ask, struct arena *arena, struct json *ret_payload, struct error *err);
/* What the connector logged meanwhile, whether or not it answered: a JSON array of lines ("info: …") in the
 * arena, without secrets. [] of a question that was ended. */
struct slice ask_read_logs(const struct ask *ask, struct arena *arena);

/* What the connector said of its config meanwhile (CONTROL), whether or not there is an answer: its members,
 * as one JSON object in the arena. Size 0: nothing. */
int ask_read_config(const struct ask *ask, struct arena *arena, struct slice *ret_config, struct error *err);

/* The process: `firth ask`. */
int ask_main(const struct connector_catalog *built_ins, int request_fd, int answer_fd, struct error *err);

#endif
