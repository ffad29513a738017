#include "connector/process.h"

#include "connector/command_line.h"
#include "connector/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_SIZE = 1 << 20 };

uint64_t connector_now_ms(void)
{
    return clock_monotonic_ns(&clock_system) / 1000000;
}

/* --- starting ------------------------------------------------------------------------------------- */

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* The program's file as execvp would find it, with the PATH that the child will have. Heap string. */
static char *find_program(const char *name, char *const *environment, struct error *err)
{
    assert(name);
    if (strchr(name, '/'))
        return mem_strdup(name); /* exec says what is wrong with it, seen from its folder */
    const char *path = connector_environment_get(environment, "PATH");
    while (path && *path) {
        size_t size = strcspn(path, ":");
        auto_free char *candidate = mem_printf("%.*s%s%s", (int)size, path, size ? "/" : "./", name);
        if (is_program(candidate)) {
            char *found = candidate;
            candidate = NULL;
            return found;
        }
        path += size + (path[size] == ':');
    }
    error_set(err, ERROR_NOT_FOUND, "the command %s is in no folder of PATH", name);
    return NULL;
}

/* The child's ends, closed when the child has them. */
struct child_ends {
    int in, out, err;
};

static void child_ends_close(struct child_ends *ends)
{
    mem_close_cleanup(&ends->in);
    mem_close_cleanup(&ends->out);
    mem_close_cleanup(&ends->err);
}

static void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* One pipe: our end, large if the machine allows, and the child's. */
static int open_pipe(bool child_reads, int *ret_ours, int *ret_child, struct error *err)
{
    int ends[2];
    if (connector_pipe(ends, err) < 0)
        return -1;
    *ret_ours = ends[child_reads ? 1 : 0];
    *ret_child = ends[child_reads ? 0 : 1];
    set_nonblocking(*ret_ours);
    return 0;
}

static int open_pipes(struct connector_process *process, bool with_stdin, struct child_ends *ends,
                      struct error *err)
{
    if (open_pipe(false, &process->out, &ends->out, err) < 0 ||
        open_pipe(false, &process->err, &ends->err, err) < 0)
        return -1;
    fcntl(process->out, F_SETPIPE_SZ, PIPE_SIZE);
    if (with_stdin) {
        if (open_pipe(true, &process->in, &ends->in, err) < 0)
            return -1;
        fcntl(process->in, F_SETPIPE_SZ, PIPE_SIZE);
        return 0;
    }
    ends->in = connector_raise(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return ends->in < 0 ? error_errno(err, errno, "cannot open /dev/null") : 0;
}

/* An engine's client gets the engine's variables; what the container gets is in a file. */
static char **environment_of(const struct connector_program *program, const char *session)
{
    if (program->container || program->engine)
        return connector_environment(NULL, "", CONNECTOR_ENVIRONMENT_ENGINE);
    return connector_environment(program->env, session,
                                 program->built_in ? CONNECTOR_ENVIRONMENT_BUILT_IN
                                                   : CONNECTOR_ENVIRONMENT_COMMAND);
}

static int spawn(struct connector_process *process, const struct connector_program *program,
                 const struct connector_command_line *line, char *const *environment,
                 const struct child_ends *ends, struct error *err)
{
    auto_free char *path = find_program(line->words[0], environment, err);
    if (!path)
        return -1;
    const struct connector_spawn how = {
        .path = path,
        .argv = line->words,
        .environment = environment,
        .folder = program->container ? process->folder.path : program->folder,
        .in = ends->in,
        .out = ends->out,
        .err = ends->err,
        .memory_max = process->limits.memory_max,
        .files_max = process->limits.files_max,
        .trusted = program->container || program->engine,
    };
    return connector_spawn(&how, &process->pid, err);
}

/* From here on there is a child: whatever fails, connector_free ends it. */
static int watch(struct connector_process *process, const struct connector_program *program,
                 char *const *environment, struct error *err)
{
    process->pidfd = pidfd_open(process->pid, 0);
    if (process->pidfd < 0)
        return error_errno(err, errno, "cannot watch the process of %s", process->label);
    if (program->built_in)
        return 0; /* it has no children, and the death signal is enough */
    return connector_guard_start(process->pid, process->session,
                                 process->container ? process->container->remove : NULL, environment,
                                 &process->guard, err);
}

static struct connector_process *process_new(const struct connector_program *program,
                                             const struct connector_files *files,
                                             const struct connector_limits *limits, connector_on_log *on_log,
                                             void *log_context)
{
    struct connector_process *process = mem_zalloc(sizeof *process);
    process->label = mem_strdup(program->label);
    process->built_in = program->built_in;
    process->limits = *limits;
    process->pidfd = process->in = process->out = process->err = process->in_unread = -1;
    process->reads_all = program->protocol == CONNECTOR_AIRBYTE;
    process->folder = CONNECTOR_FOLDER_NONE;
    process->container = program->container ? oci_run_new(program) : NULL;
    process->activity_ms = connector_now_ms();
    connector_lines_init(&process->lines, limits->line_max);
    process->secrets = files ? files->secrets : NULL;
    if (!process->secrets) {
        process->secrets = process->own_secrets = connector_secrets_new();
        connector_secrets_add(process->own_secrets, files ? files->config : (struct slice){0}, program->env);
    }
    connector_logs_init(&process->logs, process->secrets, on_log, log_context);
    buffer_init(&process->input, BUFFER_UNLIMITED); /* the owner bounds it: connector_pending_input */
    return process;
}

static int start(struct connector_process *process, const struct connector_program *program, const char *verb,
                 const struct connector_files *files, bool with_stdin, struct error *err)
{
    struct child_ends ends = {-1, -1, -1};
    struct connector_command_line line;
    bool marked = !program->built_in && !program->container && !program->engine;
    if (marked && connector_session_init(process->session, err) < 0)
        return -1;
    char **environment = environment_of(program, process->session);
    int result = connector_command_line_init(&line, process, program, verb, files, err);
    if (result == 0)
        result = open_pipes(process, with_stdin, &ends, err);
    if (result == 0)
        result = spawn(process, program, &line, environment, &ends, err);
    child_ends_close(&ends);
    connector_command_line_done(&line);
    if (result == 0)
        result = watch(process, program, environment, err);
    connector_environment_free(environment);
    return result;
}

struct connector_process *connector_start(const struct connector_program *program, const char *verb,
                                          const struct connector_files *files, bool with_stdin,
                                          const struct connector_limits *limits, connector_on_log *on_log,
                                          void *log_context, struct error *err)
{
    struct connector_process *process =
        process_new(program, files, limits ? limits : &connector_limits_default, on_log, log_context);
    if (start(process, program, verb, files, with_stdin, err) < 0) {
        error_wrap(err, "cannot start %s", process->label);
        connector_free(process);
        return NULL;
    }
    return process;
}

/* --- ending --------------------------------------------------------------------------------------- */

void connector_signal(struct connector_process *process, int number)
{
    /* Until it is reaped its pid, and with it the group's, can be nobody else's. */
    if (process->pid > 0 && process->pidfd >= 0)
        kill(-process->pid, number);
}

int connector_pipe_holds(int fd)
{
    int count = 0;
    return fd >= 0 && ioctl(fd, FIONREAD, &count) == 0 ? count : 0;
}

void connector_notice_exit(struct connector_process *process)
{
    siginfo_t info = {0};
    if (process->exited || process->pidfd < 0)
        return;
    int result = waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT);
    if (result == 0 && info.si_pid == 0)
        return;
    process->exited = true;
    process->exit_ms = connector_now_ms();
    process->exit_code = result == 0 ? info.si_code : CLD_EXITED;
    process->exit_status = result == 0 ? info.si_status : -1; /* reaped by somebody else: unknown */
    if (process->reads_all)
        process->input_unread = connector_pipe_holds(process->in >= 0 ? process->in : process->in_unread);
}

/* As a shell tells it: 128 and more for a signal. */
static int exit_status(const struct connector_process *process)
{
    return process->exit_code == CLD_EXITED ? process->exit_status : 128 + process->exit_status;
}

void connector_reap(struct connector_process *process)
{
    connector_signal(process, SIGKILL);       /* its children, if it left any, */
    connector_session_kill(process->session); /* and those that left its group */
    if (process->container)
        oci_run_end(process->container, process->folder.path, exit_status(process));
    connector_guard_end(&process->guard);
    siginfo_t info;
    while (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    mem_close_cleanup(&process->pidfd);
    process->pidfd = -1;
    connector_folder_remove(&process->folder);
}

void connector_kill(struct connector_process *process)
{
    connector_signal(process, SIGKILL);
    process->killed = true;
}

void connector_stop(struct connector_process *process)
{
    if (process->stopping)
        return;
    connector_signal(process, SIGTERM);
    process->stopping = true;
    process->stop_ms = connector_now_ms();
}

int connector_fail(struct connector_process *process)
{
    connector_kill(process);
    return -1;
}

/* Its output is read and dropped until it is gone: a connector that writes a last word must not hang on it.
 */
static void wait_for_end(struct connector_process *process)
{
    struct error unused;
    struct slice line;
    while (!connector_exited(process)) {
        struct pollfd fds[4];
        while (connector_next_line(process, &line))
            ;
        if (connector_exited(process)) /* the last line was all that was left */
            break;
        size_t count = connector_pollfds(process, fds);
        poll(fds, count, connector_timeout_ms(process));
        connector_service(process, &unused);
    }
}

void connector_free(struct connector_process *process)
{
    if (!process)
        return;
    if (process->pid > 0 && process->pidfd < 0 && !process->exited) { /* it could not even be watched */
        kill(-process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        if (process->container)
            oci_run_end(process->container, process->folder.path, exit_status(process));
    }
    if (process->pidfd >= 0) {
        mem_close_cleanup(&process->in);
        process->in = -1;
        connector_stop(process); /* also for what an exited connector left in its group */
        wait_for_end(process);
    }
    mem_close_cleanup(&process->in);
    mem_close_cleanup(&process->in_unread);
    mem_close_cleanup(&process->out);
    mem_close_cleanup(&process->err);
    connector_folder_remove(&process->folder);
    connector_lines_done(&process->lines);
    connector_logs_done(&process->logs);
    connector_secrets_free(process->own_secrets);
    buffer_done(&process->input);
    oci_run_free(process->container);
    free(process->label);
    free(process);
}

pid_t connector_pid(const struct connector_process *process)
{
    return process->pid;
}

void connector_note_log(struct connector_process *process, enum log_level level, struct slice line)
{
    (void)level;
    connector_logs_note(&process->logs, line);
}

void connector_mask(const struct connector_process *process, struct slice text, struct buffer *out)
{
    connector_secrets_mask(process->secrets, text, false, out);
}

void connector_mask_cut(const struct connector_process *process, struct slice text, size_t max,
                        struct buffer *out)
{
    size_t size = utf8_cut(text.data, text.size, max);
    connector_secrets_mask(process->secrets, (struct slice){text.data, size}, size < text.size, out);
}

/* How it ended, in words after its name. */
static void describe_end(const struct connector_process *process, const char *logs, struct buffer *out)
{
    bool ours = process->stopping || process->killed;
    if (process->overstayed)
        buffer_printf(out, "closed its output, but did not exit within %llu ms; then it %s",
                      (unsigned long long)process->limits.exit_ms,
                      process->stop_expired ? "ignored SIGTERM and was killed" : "was told to");
    else if (process->stop_expired)
        buffer_printf(out, "did not stop within %llu ms of SIGTERM and was killed",
                      (unsigned long long)process->limits.stop_ms);
    else if (process->container &&
             oci_run_describe(process->container, exit_status(process), ours, logs, out))
        return;
    else if (process->exit_code != CLD_EXITED)
        buffer_printf(out, "was killed by signal %d (%s)", process->exit_status,
                      sigdescr_np(process->exit_status) ? sigdescr_np(process->exit_status) : "unknown");
    else if (process->exit_status < 0)
        buffer_str(out, "ended, but its exit status was taken by another part of this program");
    else if (process->exit_status != 0)
        buffer_printf(out, "exited with status %d", process->exit_status);
    else if (process->input_unread)
        buffer_printf(out, "exited with status 0 and left %d bytes of its input unread",
                      process->input_unread);
    else
        buffer_printf(out,
                      "closed its input while %zu bytes were still to be sent, then exited with status 0",
                      process->input_lost);
}

int connector_result(const struct connector_process *process, struct error *err)
{
    return connector_result_where(process, NULL, err);
}

int connector_result_where(const struct connector_process *process, const char *due, struct error *err)
{
    assert(process->exited);
    bool read_all = !process->reads_all || (!process->input_broken && !process->input_unread);
    if (process->exit_code == CLD_EXITED && process->exit_status == 0 && read_all && !process->overstayed)
        return 0;
    struct buffer text, logs;
    buffer_init(&text, ERROR_MESSAGE_MAX);
    buffer_init(&logs, ERROR_MESSAGE_MAX);
    connector_logs_describe(&process->logs, &logs);
    describe_end(process, buffer_cstr(&logs), &text);
    if (due)
        buffer_printf(&text, ", where %s was due", due);
    buffer_append(&text, logs.data, logs.size);
    bool ours = (process->stopping || process->killed) && !process->overstayed;
    bool config = process->built_in && process->exit_code == CLD_EXITED &&
                  process->exit_status == CONNECTOR_WRONG_CONFIG;
    error_set(err,
              ours     ? ERROR_CANCELLED
              : config ? ERROR_INVALID
                       : ERROR_CONNECTOR,
              "%s %s", process->label, buffer_cstr(&text));
    err->retriable = !ours && !config &&
                     !(process->container && oci_run_hopeless(exit_status(process), buffer_cstr(&logs)));
    buffer_done(&text);
    buffer_done(&logs);
    return -1;
}
