/* Private to this room: what a connector process is made of. process.c starts and ends it, service.c does its
 * I/O. */
#ifndef FIRTH_CONNECTOR_PROCESS_H
#define FIRTH_CONNECTOR_PROCESS_H

#include "connector/connector.h"
#include "connector/folder.h"
#include "connector/lines.h"
#include "connector/logs.h"
#include "connector/oci_run.h"
#include "connector/session.h"
#include "connector/spawn.h"

enum {
    CONNECTOR_LINGER_MS = 1000, /* for a dead connector's children to finish their output */
    CONNECTOR_SEND_AT_ONCE =
        64 << 10, /* queued bytes that connector_send writes without waiting for a poll */
};

struct connector_process {
    char *label;
    bool built_in;
    struct connector_limits limits;
    pid_t pid;
    int pidfd; /* -1: reaped */
    struct connector_guard guard;
    char
        session[CONNECTOR_SESSION_SIZE]; /* its descendants' mark; "": it has none, or they are an engine's */
    struct connector_folder folder;
    struct oci_run *container; /* of which the process is the client; NULL: it is the connector itself */

    int in, out, err; /* our ends, non-blocking; -1: closed */
    struct connector_lines lines;
    struct connector_logs logs;
    struct connector_secrets *secrets, *own_secrets; /* own: NULL if they are the caller's */

    struct buffer input; /* queued for stdin from input_sent on */
    size_t input_sent;
    size_t input_full;   /* so much was queued when it took no more; 0: it took all */
    bool input_finished; /* close stdin once all is written */
    bool input_broken;   /* it closed its stdin before that */
    size_t input_lost;
    bool reads_all;   /* to leave some of its input unread is a failure, however well it ends */
    int in_unread;    /* the pipe, once our end of it is closed, to see what was left in it; -1: none */
    int input_unread; /* bytes */

    const char *due; /* an answer that it owes; NULL: none */

    bool exited;           /* noticed, though perhaps not yet reaped */
    int exit_code;         /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
    int exit_status;       /* status or signal */
    bool stopping, killed; /* we sent SIGTERM, SIGKILL */
    bool overstayed;       /* SIGTERM because it closed its output and lived on */
    bool stop_expired;     /* and SIGKILL because SIGTERM did not do */
    uint64_t activity_ms;  /* of the last byte in any direction, or of the last time it waited for us */
    uint64_t stop_ms, exit_ms, broken_ms,
        ended_ms; /* when those began, valid with their flags; its output's end */
};

uint64_t connector_now_ms(void);
/* A signal to its whole group, as long as that surely is its. */
void connector_signal(struct connector_process *process, int number);
/* Notice, without waiting, whether it has exited. */
void connector_notice_exit(struct connector_process *process);
/* How many bytes are in a pipe that nobody has read. */
int connector_pipe_holds(int fd);
/* After the exit: end what is left of its group and the guard, and reap it. */
void connector_reap(struct connector_process *process);
/* connector_result, with what was due when it ended ("the answer to 'flush'"; NULL: nothing was). */
int connector_result_where(const struct connector_process *process, const char *due, struct error *err);
/* What it did wrong is told by *err; it is killed. Returns -1. */
int connector_fail(struct connector_process *process);

#endif
