#include "connector/session.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PASSES_MAX = 100, /* over all processes: a killed one may have forked just before */
    DEATH_MS = 1000,
};

static const char name[] = "FIRTH_SESSION=";

int connector_session_init(char ret_variable[CONNECTOR_SESSION_SIZE], struct error *err)
{
    unsigned char random[16];
    size_t size = sizeof name - 1;
    ret_variable[0] = '\0';
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return error_errno(err, errno, "cannot draw a random number");
    memcpy(ret_variable, name, size);
    for (size_t i = 0; i < sizeof random; i++) {
        ret_variable[size++] = "0123456789abcdef"[random[i] >> 4];
        ret_variable[size++] = "0123456789abcdef"[random[i] & 15];
    }
    ret_variable[size] = '\0';
    return 0;
}

/* --- who has it ----------------------------------------------------------------------------------- */

static ssize_t read_some(int fd, char *bytes, size_t size)
{
    ssize_t count;
    do
        count = read(fd, bytes, size);
    while (count < 0 && errno == EINTR);
    return count;
}

/* Does the file hold the text? What was read last stays in front of what is read next: it may begin there. */
static bool holds(int fd, const char *text)
{
    char bytes[4096];
    size_t kept = 0, size = strlen(text);
    ssize_t count;
    while ((count = read_some(fd, bytes + kept, sizeof bytes - kept)) > 0) {
        size_t filled = kept + (size_t)count;
        if (memmem(bytes, filled, text, size))
            return true;
        kept = filled < size ? filled : size;
        memmove(bytes, bytes + filled - kept, kept);
    }
    return false;
}

/* `process` is a folder of /proc. A process of another user, and a zombie, has nothing to show. */
static bool has_variable(int proc, const char *process, const char *variable)
{
    char path[32];
    size_t size = strlen(process);
    if (size + sizeof "/environ" > sizeof path)
        return false;
    memcpy(path, process, size);
    memcpy(path + size, "/environ", sizeof "/environ");
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool found = holds(fd, variable);
    close(fd);
    return found;
}

static pid_t to_pid(const char *text)
{
    pid_t pid = 0;
    for (; isdigit((unsigned char)*text) && pid < 100000000; text++)
        pid = pid * 10 + (*text - '0');
    return *text ? 0 : pid;
}

/* --- its end -------------------------------------------------------------------------------------- */

/* The number may have become another's since its environment was read: what the descriptor is of stays. */
static bool kill_one(int proc, const char *process, const char *variable)
{
    pid_t pid = to_pid(process);
    if (pid <= 1 || pid == getpid() || !has_variable(proc, process, variable))
        return false;
    int fd = pidfd_open(pid, 0);
    bool kills =
        fd >= 0 && has_variable(proc, process, variable) && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
    if (kills) {
        struct pollfd end = {fd, POLLIN, 0};
        poll(&end, 1, DEATH_MS);
    }
    if (fd >= 0)
        close(fd);
    return kills;
}

/* The entries as the kernel gives them: opendir would allocate. */
static bool kill_some(int proc, const char *variable)
{
    _Alignas(struct dirent64) char entries[8192];
    bool any = false;
    long size;
    while ((size = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
        const struct dirent64 *entry;
        for (long at = 0; at < size; at += entry->d_reclen) {
            entry = (const struct dirent64 *)(entries + at);
            any |= kill_one(proc, entry->d_name, variable);
        }
    }
    return any;
}

void connector_session_kill(const char *variable)
{
    if (!*variable)
        return;
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return;
    for (int pass = 0; pass < PASSES_MAX && kill_some(proc, variable); pass++)
        lseek(proc, 0, SEEK_SET);
    close(proc);
}
