/* The daemon's ear: `<data>/firth.sock`, a unix socket of mode 0600. A request is a line of JSON, and so is
 * its answer; a connection may carry several. The one who asks blocks; the daemon does not.
 *
 * Requests: {"do":"status"}; {"do":"deploying"}: however this connection ends, read what is deployed anew, so
 * that a deploy that is killed behind its commit is heard of as well; {"do":"reload"}: the same now, and
 * answered once it is done; {"do":"wake"}: the control store's connections, schedules or jobs were changed.
 * An answer has "ok": true, or false with "error". */
#ifndef FIRTH_SUPERVISOR_TALK_H
#define FIRTH_SUPERVISOR_TALK_H

#include "base/buffer.h"
#include "base/error.h"
#include "json/json.h"

#include <uv.h>

enum {
    TALK_REQUEST_MAX = 64 << 10,  /* bytes of a request */
    TALK_ANSWER_MAX = 64 << 20,   /* bytes of an answer */
    TALK_CONNECTIONS_MAX = 64,    /* at once; more are closed at once */
    TALK_PATIENCE_MS = 60 * 1000, /* how long the one who asks waits for an answer */
};

/* --- the daemon's side --------------------------------------------------------------------------- */

struct talk_server;

/* One request. */
struct talk_turn {
    uint64_t id;  /* by which it is answered later */
    bool later;   /* set: the answer comes by talk_server_answer */
    bool watched; /* set: tell `gone` when this connection ends */
};

struct talk_callbacks {
    void *context;
    /* Append the answer, one line of JSON without its end, or put it off. */
    void (*asked)(void *context, const struct json *request, struct buffer *answer, struct talk_turn *turn);
    void (*gone)(void *context);
};

/* Whoever holds the data directory's lock may open it: a socket that a dead daemon left is replaced. */
struct talk_server *talk_server_open(uv_loop_t *loop, const char *data_dir,
                                     const struct talk_callbacks *callbacks, struct error *err);
/* Answer a request that was put off; whoever asked it may be gone. */
void talk_server_answer(struct talk_server *server, uint64_t turn, struct slice answer);
/* Removes the socket; frees itself once the loop has closed its handles. NULL is allowed. */
void talk_server_close(struct talk_server *server);

/* --- the other side ------------------------------------------------------------------------------ */

/* A descriptor; ERROR_NOT_FOUND if no daemon listens. */
int talk_connect(const char *data_dir, struct error *err);
/* Send a request (a line without its end), wait for the answer. */
int talk_ask(int fd, const char *request, struct buffer *answer, struct error *err);
/* Tell a daemon, if one runs, that connections, schedules or jobs were changed: one that does not run reads
 * them when it begins. Does one run? */
bool talk_wake(const char *data_dir);

#endif
