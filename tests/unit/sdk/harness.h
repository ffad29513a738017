/* Running a connector's program in a child process, and looking at what it said. */
#ifndef FIRTH_TESTS_SDK_HARNESS_H
#define FIRTH_TESTS_SDK_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "firth/connector.h"
#include "json/json.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    int status; /* as waitpid gave it */
    struct buffer out, err;
    char folder[40];
};

static inline void run_start(struct run *run)
{
    memcpy(run->folder, "/tmp/firth-sdk-XXXXXX", sizeof "/tmp/firth-sdk-XXXXXX");
    assert_non_null(mkdtemp(run->folder));
    buffer_init(&run->out, 64 << 20);
    buffer_init(&run->err, 1 << 20);
}

static inline void run_end(struct run *run)
{
    struct error err;
    buffer_done(&run->out);
    buffer_done(&run->err);
    assert_int_equal(file_remove_tree(run->folder, &err), 0);
}

static inline char *put_file(struct run *run, const char *name, const char *text)
{
    struct error err;
    char *path = mem_printf("%s/%s", run->folder, name);
    assert_int_equal(file_replace(path, text, strlen(text), 0400, &err), 0);
    return path;
}

static inline pid_t spawn_with(const struct firth_connector_class *class_, char **argv, int in, int out,
                               int err)
{
    pid_t child = fork();
    if (child == 0) {
        dup2(in, 0);
        dup2(out, 1);
        dup2(err, 2);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        int argc = 0;
        while (argv[argc])
            argc++;
        _exit(firth_connector_main(class_, argc, argv));
    }
    assert_true(child > 0);
    return child;
}

static inline pid_t spawn(const struct firth_connector_class *class_, char **argv, int in, int out)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t child = spawn_with(class_, argv, in, out, nowhere);
    close(nowhere);
    return child;
}

/* Input and output through files: no pipe can fill up. `words` NULL-terminated, after the name. */
static inline void run_class(struct run *run, const struct firth_connector_class *class_,
                             const char *const *words, struct slice input)
{
    struct error err;
    char *argv[16] = {(char *)"connector"};
    for (int i = 0; words[i]; i++)
        argv[i + 1] = (char *)words[i];
    auto_free char *in_path = mem_printf("%s/in", run->folder), *out_path = mem_printf("%s/out", run->folder);
    auto_free char *err_path = mem_printf("%s/err", run->folder);
    assert_int_equal(file_replace(in_path, input.data, input.size, 0600, &err), 0);
    int in = open(in_path, O_RDONLY), out = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int said = open(err_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    pid_t child = spawn_with(class_, argv, in, out, said);
    assert_int_equal(waitpid(child, &run->status, 0), child);
    close(in);
    close(out);
    close(said);
    buffer_clear(&run->out);
    buffer_clear(&run->err);
    assert_int_equal(file_read(out_path, 64 << 20, &run->out, &err), 0);
    assert_int_equal(file_read(err_path, 1 << 20, &run->err, &err), 0);
}

static inline struct firth_slice text(const char *bytes)
{
    return (struct firth_slice){bytes, strlen(bytes)};
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline void expect_exit(const struct run *run, int status)
{
    assert_true(WIFEXITED(run->status));
    assert_int_equal(WEXITSTATUS(run->status), status);
}

/* Every line is JSON; the pieces come in this order, each in a line of its own or behind the one before. */
static inline void expect_lines(struct run *run, const char *const *pieces)
{
    struct json_parser *parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE);
    const char *at = buffer_cstr(&run->out), *end = at + run->out.size;
    size_t wanted = 0;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct json doc;
        struct error err;
        assert_non_null(newline);
        if (json_parse(parser, at, (size_t)(newline - at), &doc, &err) < 0)
            fail_msg("%s in %.*s", err.message, (int)(newline - at), at);
        if (pieces[wanted] && memmem(at, (size_t)(newline - at), pieces[wanted], strlen(pieces[wanted])))
            wanted++;
        at = newline + 1;
    }
    if (pieces[wanted])
        fail_msg("%s is not in its place in:\n%s", pieces[wanted], buffer_cstr(&run->out));
    json_parser_free(parser);
}

static inline unsigned count_pieces(struct run *run, const char *piece)
{
    unsigned count = 0;
    for (const char *at = buffer_cstr(&run->out); (at = strstr(at, piece)); at += strlen(piece))
        count++;
    return count;
}

#endif
