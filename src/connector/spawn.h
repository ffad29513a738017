/* Starting a child with hygiene: fork, a careful way to exec, and a guard over its process group. */
#ifndef FIRTH_CONNECTOR_SPAWN_H
#define FIRTH_CONNECTOR_SPAWN_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct connector_spawn {
    const char *path;        /* the program's file, absolute or relative to `folder` */
    const char *const *argv; /* NULL-terminated */
    char *const *environment;
    const char *folder;  /* working folder, NULL: ours */
    int in, out, err;    /* above 2; become its 0, 1 and 2; not closed here */
    uint64_t memory_max; /* RLIMIT_DATA, 0: as ours */
    uint32_t files_max;
    bool trusted; /* it keeps our limits and may gain privileges: podman needs newuidmap, and many files */
};

/* A pipe whose ends are above 2 and close on exec. */
int connector_pipe(int ends[2], struct error *err);
/* The descriptor itself if it is above 2 (or negative), else a copy that is; -1 with errno. */
int connector_raise(int fd);

/* The child has: a process group of its own, SIGKILL on the death of the calling thread, no other
 * descriptors, every signal at its default and unblocked, no core files (they would hold secrets), and
 * unless it is trusted its limits and no_new_privs. */
int connector_spawn(const struct connector_spawn *spawn, pid_t *ret_pid, struct error *err);

/* A guard: a process that outlives us only long enough to kill `group`, and what has the variable `session`
 * (or
 * ""), when we die, however we die, and then to become `last_act`, if one is given: NULL-terminated words,
 * the first a file; with an environment of its own. For children that may have children of their own, which
 * no death signal reaches, and for containers.
 */
struct connector_guard {
    pid_t pid; /* 0: there is none */
    int pipe;  /* its end tells the guard that we are gone */
};
int connector_guard_start(pid_t group, const char *session, const char *const *last_act,
                          char *const *environment, struct connector_guard *ret_guard, struct error *err);
/* End it without harm to the group. Legal on a zeroed guard. */
void connector_guard_end(struct connector_guard *guard);

#endif
