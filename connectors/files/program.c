#include "connectors/files/program.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(char *const *argv, int in, int out, int errors, pid_t *ret_child, struct error *err)
{
    char own[4096];
    posix_spawn_file_actions_t actions;
    ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
    own[size < 0 ? 0 : size] = '\0';
    auto_free char *beside = file_resolve(own, argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (in >= 0)
        posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    int code = posix_spawn(ret_child, beside, &actions, NULL, argv, environ);
    if (code == ENOENT)
        code = posix_spawnp(ret_child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT)
        return error_set(err, ERROR_UNSUPPORTED,
                         "Parquet is the work of the program firth-parquet, which is neither beside firth "
                         "nor on PATH: it is "
                         "built where DuckDB's library is, which scripts/setup fetches");
    return code ? error_errno(err, code, "cannot run %s", beside) : 0;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int files_program_start(struct files_program *program, char *const *argv, bool wants_input, struct error *err)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
    *program = (struct files_program){.in = -1, .out = -1, .errors = -1};
    int result =
        pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 || (wants_input && pipe2(in, O_CLOEXEC) < 0)
            ? error_errno(err, errno, "cannot make a pipe")
            : spawn(argv, in[0], out[1], errors[1], &program->child, err);
    if (result < 0)
        program->child = 0;
    program->in = in[1];
    program->out = out[0];
    program->errors = errors[0];
    close_one(&in[0]);
    close_one(&out[1]);
    close_one(&errors[1]);
    if (result < 0)
        files_program_close(program);
    return result;
}

int files_program_end(struct files_program *program, const char *what, struct error *err)
{
    char said[2048];
    int status = 0;
    ssize_t size;
    do
        size = read(program->errors, said, sizeof said - 1);
    while (size < 0 && errno == EINTR);
    said[size < 0 ? 0 : size] = '\0';
    while (waitpid(program->child, &status, 0) < 0 && errno == EINTR)
        ;
    program->child = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    string_one_line(said);
    return error_set(err, ERROR_CORRUPT, "%s: %s", what, *said ? said : "firth-parquet was killed");
}

void files_program_close(struct files_program *program)
{
    if (program->child) {
        kill(program->child, SIGKILL);
        while (waitpid(program->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    program->child = 0;
    close_one(&program->in);
    close_one(&program->out);
    close_one(&program->errors);
}
