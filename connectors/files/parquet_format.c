#include "connectors/files/reader.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Parquet, by the program firth-parquet (connectors/parquet), whose lines are read as they come. */

extern char **environ;

struct parquet {
    pid_t child; /* 0: it has been waited for */
    int errors;
    struct files_window window;
};

struct pipe_input {
    struct files_input input;
    int fd;
};

static int64_t pipe_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    ssize_t got;
    do
        got = read(((struct pipe_input *)input)->fd, bytes, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? error_errno(err, errno, "cannot read from firth-parquet") : got;
}

static void pipe_close(struct files_input *input)
{
    close(((struct pipe_input *)input)->fd);
    free(input);
}

static void format_close(void *self_)
{
    struct parquet *self = self_;
    if (self->child) {
        kill(self->child, SIGKILL);
        while (waitpid(self->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    files_window_done(&self->window);
    if (self->errors >= 0)
        close(self->errors);
    free(self);
}

/* Beside this program, or on PATH. */
static int start(char *const *argv, int out, int errors, pid_t *ret_child, struct error *err)
{
    char own[4096];
    posix_spawn_file_actions_t actions;
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    own[size < 0 ? 0 : size] = '\0';
    auto_free char *beside = file_resolve(own, argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    int code = posix_spawn(ret_child, beside, &actions, NULL, argv, environ);
    if (code == ENOENT)
        code = posix_spawnp(ret_child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT)
        return error_set(
            err, ERROR_UNSUPPORTED,
            "Parquet is read by the program firth-parquet, which is neither beside firth nor on PATH: it is "
            "built where DuckDB's library is, which scripts/setup fetches");
    return code ? error_errno(err, code, "cannot run %s", beside) : 0;
}

static void *format_open(const struct files_opener *opener, const struct files_format *format, uint64_t skip,
                         struct error *err)
{
    const char *path = opener->local(opener->context, err);
    if (!path)
        return NULL;
    struct parquet *self = mem_zalloc(sizeof *self);
    struct pipe_input *input = mem_zalloc(sizeof *input);
    auto_free char *number = mem_printf("%" PRIu64, skip), *file = mem_strdup(path);
    char *const argv[] = {(char *)(uintptr_t) "firth-parquet", file, number,
                          (char *)(uintptr_t)(format->decimals_as_floats ? "number" : "text"), NULL};
    int out[2] = {-1, -1}, errors[2] = {-1, -1};
    int result = pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0
                     ? error_errno(err, errno, "cannot make a pipe")
                     : start(argv, out[1], errors[1], &self->child, err);
    input->input = (struct files_input){pipe_read, pipe_close};
    input->fd = out[0];
    self->errors = errors[0];
    files_window_init(&self->window, &input->input, 0, 1);
    close(out[1]);
    close(errors[1]);
    if (result == 0)
        return self;
    self->child = 0;
    format_close(self);
    return NULL;
}

/* Its end: with 0, or with what it says. */
static int take_end(struct parquet *self, struct error *err)
{
    char said[2048];
    int status = 0;
    ssize_t size = read(self->errors, said, sizeof said - 1);
    said[size < 0 ? 0 : size] = '\0';
    while (waitpid(self->child, &status, 0) < 0 && errno == EINTR)
        ;
    self->child = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    string_one_line(said);
    return error_set(err, ERROR_CORRUPT, "it cannot be read as Parquet: %s",
                     *said ? said : "firth-parquet was killed");
}

static int format_next(void *self_, struct slice *ret_json, struct error *err)
{
    struct parquet *self = self_;
    int got = files_window_line(&self->window, ret_json, err);
    return got == 0 && self->child ? take_end(self, err) : got;
}

const struct files_other_format files_parquet_format = {format_open, format_next, format_close};
