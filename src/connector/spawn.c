#include "connector/spawn.h"

#include "base/memory.h"
#include "connector/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Between fork and exec only async-signal-safe calls are made and nothing is allocated: other threads may
 * have held any lock at the fork. What fails there is told through a pipe that a successful exec closes. */

enum stage { STAGE_PARENT, STAGE_FILES, STAGE_LIMITS, STAGE_FOLDER, STAGE_EXEC };

struct report {
    enum stage stage;
    int error;
};

static __attribute__((noreturn)) void give_up(int report_fd, enum stage stage)
{
    struct report report = {stage, errno};
    ssize_t ignored = write(report_fd, &report, sizeof report);
    (void)ignored;
    _exit(127);
}

/* Handlers and ignored signals are ours, not the connector's. */
static void reset_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool limit(int resource, rlim_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) < 0)
        return false;
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
        value = now.rlim_max;
    struct rlimit wanted = {value, value};
    return setrlimit(resource, &wanted) == 0;
}

static void close_from(int first)
{
    if (close_range((unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    struct rlimit files;
    int end = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? (int)files.rlim_cur : 65536;
    for (int fd = first; fd < end; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static bool confine(const struct connector_spawn *spawn)
{
    return limit(RLIMIT_NOFILE, spawn->files_max) &&
           (!spawn->memory_max || limit(RLIMIT_DATA, spawn->memory_max)) &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static __attribute__((noreturn)) void become(const struct connector_spawn *spawn, pid_t parent, int report_fd)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        give_up(report_fd, STAGE_PARENT);
    setpgid(0, 0);
    reset_signals();
    if (dup2(spawn->in, 0) < 0 || dup2(spawn->out, 1) < 0 || dup2(spawn->err, 2) < 0)
        give_up(report_fd, STAGE_FILES);
    close_from(3);
    if (!limit(RLIMIT_CORE, 0) || (!spawn->trusted && !confine(spawn)))
        give_up(report_fd, STAGE_LIMITS);
    if (spawn->folder && chdir(spawn->folder) < 0)
        give_up(report_fd, STAGE_FOLDER);
    execve(spawn->path, (char *const *)spawn->argv, spawn->environment);
    give_up(report_fd, STAGE_EXEC);
}

static int explain(const struct connector_spawn *spawn, const struct report *report, struct error *err)
{
    switch (report->stage) {
    case STAGE_FOLDER:
        error_errno(err, report->error, "cannot enter the folder %s", spawn->folder);
        break;
    case STAGE_EXEC:
        error_errno(err, report->error, "cannot run %s%s", spawn->path,
                    report->error == ENOEXEC ? " (a script needs a first line like #!/bin/sh)" : "");
        break;
    default:
        error_errno(err, report->error, "cannot prepare the process of %s", spawn->path);
        break;
    }
    err->retriable = report->error == EAGAIN || report->error == ENOMEM || report->error == ETXTBSY;
    return -1;
}

/* Read the child's report: nothing comes if the exec succeeded. */
static bool read_report(int fd, struct report *ret_report)
{
    ssize_t count;
    do
        count = read(fd, ret_report, sizeof *ret_report);
    while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof *ret_report;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* fork with every signal blocked, so that no handler of ours runs in the child; the parent gets its mask
 * back. */
static pid_t fork_blocked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int failure = errno;
    if (pid != 0)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failure;
    return pid;
}

int connector_raise(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int raised = fcntl(fd, F_DUPFD_CLOEXEC, 3), failure = errno;
    close(fd);
    errno = failure;
    return raised;
}

int connector_pipe(int ends[2], struct error *err)
{
    int made[2];
    if (pipe2(made, O_CLOEXEC) < 0)
        return error_errno(err, errno, "cannot make a pipe");
    made[0] = connector_raise(made[0]);
    int failure = errno;
    made[1] = connector_raise(made[1]);
    if (made[0] < 0 || made[1] < 0) {
        mem_close_cleanup(&made[0]);
        mem_close_cleanup(&made[1]);
        return error_errno(err, failure, "cannot make a pipe");
    }
    memcpy(ends, made, sizeof made);
    return 0;
}

int connector_spawn(const struct connector_spawn *spawn, pid_t *ret_pid, struct error *err)
{
    int ends[2] = {-1, -1};
    if (connector_pipe(ends, err) < 0)
        return -1;
    auto_close int report_in = ends[0];
    pid_t parent = getpid(), pid = fork_blocked();
    if (pid == 0)
        become(spawn, parent, ends[1]);
    int failure = errno;
    close(ends[1]);
    if (pid < 0)
        return error_errno(err, failure, "cannot fork");
    setpgid(pid, pid); /* in both processes, so that neither runs before it is done */
    struct report report;
    if (read_report(report_in, &report)) {
        reap(pid);
        return explain(spawn, &report, err);
    }
    *ret_pid = pid;
    return 0;
}

/* --- the guard ----------------------------------------------------------------------------------- */

/* In a session of its own, so that a terminal's Ctrl-C does not end it first; with no descriptor but the
 * pipe, lest it keep a lock or a pipe of ours. */
static __attribute__((noreturn)) void guard(pid_t group, const char *session, const char *const *last_act,
                                            char *const *environment, int pipe_out)
{
    setsid();
    reset_signals();
    if (dup2(pipe_out, 0) < 0)
        _exit(1);
    close_range(1, ~0U, 0);
    prctl(PR_SET_NAME, "firth-guard");
    char byte;
    ssize_t count;
    do
        count = read(0, &byte, 1);
    while (count < 0 && errno == EINTR);
    kill(-group, SIGKILL);
    connector_session_kill(session);
    if (last_act) { /* programs expect their three descriptors, and nobody is left to read these */
        int null = open("/dev/null", O_RDWR);
        if (null >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0)
            execve(last_act[0], (char *const *)last_act, environment);
    }
    _exit(0);
}

int connector_guard_start(pid_t group, const char *session, const char *const *last_act,
                          char *const *environment, struct connector_guard *ret_guard, struct error *err)
{
    int ends[2] = {-1, -1};
    if (connector_pipe(ends, err) < 0)
        return -1;
    pid_t pid = fork_blocked();
    if (pid == 0)
        guard(group, session, last_act, environment, ends[0]);
    int failure = errno;
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return error_errno(err, failure, "cannot fork");
    }
    *ret_guard = (struct connector_guard){pid, ends[1]};
    return 0;
}

void connector_guard_end(struct connector_guard *guard_process)
{
    if (guard_process->pid == 0)
        return;
    kill(guard_process->pid, SIGKILL);
    reap(guard_process->pid);
    close(guard_process->pipe);
    *guard_process = (struct connector_guard){0, -1};
}
