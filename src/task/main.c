#include "task/task.h"

#include "base/file.h"
#include "task/discover.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The process around the loop: descriptors, signals, the specification. */

/* The signals that stop us as a descriptor. They stay blocked: connectors get a clean mask from whoever
 * starts them. */
static int open_signals(struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file past the limit is an error of the write, told as such */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_errno(err, errno, "cannot block signals");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? error_errno(err, errno, "cannot open a signalfd") : fd;
}

static int read_spec(int fd, struct arena *arena, struct task_spec *spec, struct error *err)
{
    struct buffer text;
    buffer_init(&text, TASK_SPEC_MAX);
    ssize_t got;
    do {
        if (!buffer_reserve(&text, 64 << 10)) {
            buffer_done(&text);
            return error_set(err, ERROR_LIMIT,
                             "the task's specification is larger than the limit of %d bytes", TASK_SPEC_MAX);
        }
        got = read(fd, text.data + text.size, text.capacity - text.size);
        if (got > 0)
            text.size += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    int result = got < 0 ? error_errno(err, errno, "cannot read the task's specification")
                         : task_spec_read((struct slice){text.data, text.size}, arena, spec, err);
    if (text.data)
        explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return result;
}

int task_main(int spec_fd, int events_fd)
{
    /* If the supervisor dies in any way, so do we, and our connectors with us; the store's recovery does
     * the rest. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct task_report report;
    task_report_init(&report, events_fd, &clock_system);
    struct arena arena;
    arena_init(&arena);
    struct task_spec spec = {0};
    struct error err;
    enum task_outcome outcome = TASK_FAILED;
    auto_close int stop_fd = open_signals(&err);
    if (stop_fd >= 0 && read_spec(spec_fd, &arena, &spec, &err) == 0)
        outcome = spec.discover ? task_discover(&spec, &report, &clock_system, stop_fd, &err)
                                : task_run(&spec, &report, &clock_system, stop_fd, &err);
    task_report_ended(&report, outcome, &err);
    task_report_done(&report);
    arena_done(&arena);
    return outcome == TASK_FAILED;
}
