/* Runs small shell scripts as connectors and collects what comes of them. */
#ifndef TEST_CONNECTOR_HARNESS_H
#define TEST_CONNECTOR_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/file.h"
#include "connector/connector.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* What one run of a connector gave. */
struct run {
    struct buffer lines; /* each with '\n' */
    struct buffer logs;  /* what on_log got: "level line\n" */
    size_t count;
    int service; /* the first failure of connector_service, else 0 */
    int result;  /* connector_result, if it came to that */
    struct error err;
};

static inline void run_done(struct run *run)
{
    buffer_done(&run->lines);
    buffer_done(&run->logs);
}

static inline void run_log(void *context, enum log_level level, struct slice line)
{
    struct run *run = context;
    buffer_printf(&run->logs, "%s %.*s\n", log_level_name(level), SLICE_ARGS(line));
}

/* Take turns until it has ended or a turn failed. */
static inline void run_loop(struct run *run, struct connector_process *process)
{
    while (!connector_exited(process)) {
        struct pollfd fds[4];
        struct slice line;
        size_t count = connector_pollfds(process, fds);
        poll(fds, count, connector_timeout_ms(process));
        run->service = connector_service(process, &run->err);
        if (run->service < 0)
            return;
        while (connector_next_line(process, &line)) {
            buffer_append(&run->lines, line.data, line.size);
            buffer_byte(&run->lines, '\n');
            run->count++;
        }
    }
    run->result = connector_result(process, &run->err);
}

static inline void run_init(struct run *run)
{
    *run = (struct run){0};
    buffer_init(&run->lines, BUFFER_UNLIMITED);
    buffer_init(&run->logs, BUFFER_UNLIMITED);
}

static inline struct connector_program shell(const char **argv, const char *script)
{
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = script;
    argv[3] = "connector";
    argv[4] = NULL;
    return (struct connector_program){.argv = argv, .label = "the script"};
}

/* sh -c SCRIPT connector [VERB --config F …], to its end. */
static inline void run_script(struct run *run, const char *script, const char *verb,
                              const struct connector_files *files, const struct connector_limits *limits)
{
    const char *argv[5];
    struct connector_program program = shell(argv, script);
    run_init(run);
    struct connector_process *process =
        connector_start(&program, verb, files, false, limits, run_log, run, &run->err);
    assert_non_null(process);
    run_loop(run, process);
    connector_free(process);
}

static inline size_t count_files(const char *folder)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    assert_non_null(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static inline size_t open_descriptors(void)
{
    return count_files("/proc/self/fd");
}

static inline bool has_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static inline void assert_contains(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("\"%s\" does not contain \"%s\"", text ? text : "", part);
}

static inline void assert_lacks(const char *text, const char *part)
{
    if (!text || strstr(text, part))
        fail_msg("\"%s\" contains \"%s\"", text ? text : "", part);
}

#endif
