#include "tunnel.h"

#include "base/memory.h"
#include "base/text.h"
#include "connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UP_WITHIN_MS = 30000, LOOK_MS = 50, SAID_MAX = 1024, NO_SSH = 127 };

struct pg_tunnel_process {
    pid_t pid;
    int port, output;   /* output: ssh's stderr */
    char *folder, *key; /* heap; of the key's file while it is there */
};

/* Where ssh goes, and where it leads. */
struct way {
    const char *host, *user, *key;
    int port;
    char *target; /* host:port of the database */
};

int pg_tunnel_port(const struct pg_tunnel_process *tunnel)
{
    return tunnel->port;
}

/* --- what is asked for
 * -------------------------------------------------------------------------------------- */

/* ssh://user@host[:port] */
static int read_endpoint(struct arena *arena, const char *text, struct way *way, struct firth_error *err)
{
    char *rest = arena_strdup(arena, string_starts_with(text, "ssh://") ? text + 6 : text);
    char *at = strrchr(rest, '@');
    if (!at || at == rest || !at[1])
        return firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "networkTunnel.sshForwarding.sshEndpoint is %.100s, but it must be ssh://user@host[:port]", text);
    *at++ = 0;
    char *colon = strrchr(at, ':');
    int64_t port = 22;
    if (colon) {
        *colon++ = 0;
        if (!string_to_i64(colon, &port) || port < 1 || port > 65535)
            return firth_fail(err, FIRTH_FAILURE_CONFIG, "the port in sshEndpoint is %.20s", colon);
    }
    way->user = rest;
    way->host = at;
    way->port = (int)port;
    return 0;
}

static void put_target(struct arena *arena, const struct pg_config *config, struct way *way)
{
    if (!config->address)
        way->target = arena_printf(arena, "%s:%lld", config->host, (long long)config->port);
    else if (strchr(config->address, ':'))
        way->target = arena_strdup(arena, config->address);
    else
        way->target = arena_printf(arena, "%s:5432", config->address);
}

/* 1: there is one; 0: none is asked for. */
static int read_way(struct arena *arena, const struct pg_config *config, struct way *way,
                    struct firth_error *err)
{
    if (config->ssh_endpoint) {
        way->key = config->ssh_key;
        if (read_endpoint(arena, config->ssh_endpoint, way, err) < 0)
            return -1;
    } else if (!config->address && config->tunnel == PG_TUNNEL_PASSWORD) {
        return firth_fail(
            err, FIRTH_FAILURE_CONFIG,
            "tunnel_method SSH_PASSWORD_AUTH is not supported, for the program ssh takes passwords from a "
            "terminal only: use SSH_KEY_AUTH");
    } else if (!config->address && config->tunnel == PG_TUNNEL_KEY) {
        *way = (struct way){config->tunnel_host, config->tunnel_user, config->tunnel_key,
                            (int)config->tunnel_port, NULL};
    } else {
        return 0;
    }
    /* ssh would take it for an option. */
    if (*way->host == '-' || *way->user == '-')
        return firth_fail(err, FIRTH_FAILURE_CONFIG, "the tunnel's host and user cannot begin with '-'");
    put_target(arena, config, way);
    return 1;
}

/* --- the key
 * -------------------------------------------------------------------------------------------------- */

static int write_key(struct pg_tunnel_process *tunnel, const char *key, struct firth_error *err)
{
    const char *base = getenv("TMPDIR");
    tunnel->folder = mem_printf("%s/firth-ssh-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(tunnel->folder))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot make a folder for the tunnel's key: %s",
                          strerror(errno));
    tunnel->key = mem_printf("%s/key", tunnel->folder);
    auto_close int fd = open(tunnel->key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = strlen(key);
    bool ended = size && key[size - 1] == '\n'; /* forms cut the last line break, and ssh wants it */
    if (fd < 0 || write(fd, key, size) != (ssize_t)size || (!ended && write(fd, "\n", 1) != 1))
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot write the tunnel's key: %s", strerror(errno));
    return 0;
}

static void remove_key(struct pg_tunnel_process *tunnel)
{
    if (tunnel->key) {
        unlink(tunnel->key);
        rmdir(tunnel->folder);
    }
    free(tunnel->key);
    free(tunnel->folder);
    tunnel->key = tunnel->folder = NULL;
}

/* --- ssh
 * ------------------------------------------------------------------------------------------------------ */

static int loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (port ? connect : bind)(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int free_port(void)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof address;
    auto_close int fd = loopback(0);
    return fd < 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0 ? -1 : ntohs(address.sin_port);
}

static void become_ssh(const struct pg_tunnel_process *tunnel, const struct way *way, int output,
                       pid_t parent)
{
    char forward[512], port[16];
    const char *const words[] = {"ssh",
                                 "-N",
                                 "-T",
                                 "-o",
                                 "BatchMode=yes",
                                 "-o",
                                 "ExitOnForwardFailure=yes",
                                 "-o",
                                 "StrictHostKeyChecking=accept-new",
                                 "-o",
                                 "ConnectTimeout=20",
                                 "-o",
                                 "ServerAliveInterval=15",
                                 "-o",
                                 "IdentitiesOnly=yes",
                                 "-i",
                                 tunnel->key,
                                 "-L",
                                 forward,
                                 "-p",
                                 port,
                                 "-l",
                                 way->user,
                                 "--",
                                 way->host,
                                 NULL};
    snprintf(forward, sizeof forward, "127.0.0.1:%d:%s", tunnel->port, way->target);
    snprintf(port, sizeof port, "%d", way->port);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);
    if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0)
        execvp("ssh", (char *const *)(uintptr_t)words);
    dprintf(output, "cannot run ssh: %s", strerror(errno));
    _exit(NO_SSH);
}

/* What another try will not mend. All else passes: a host that is away, or starts again. */
static bool is_config(const char *said, int status)
{
    static const char *const words[] = {"Permission denied",       "Host key verification failed",
                                        "invalid format",          "incorrect passphrase",
                                        "Bad configuration",       "administratively prohibited",
                                        "No matching host key",    "no matching",
                                        "Too many authentication", NULL};
    return (WIFEXITED(status) && WEXITSTATUS(status) == NO_SSH) || pg_mentions(said, words);
}

/* It has ended: what it said last. */
static int ended(struct pg_tunnel_process *tunnel, const struct way *way, int status, struct firth_error *err)
{
    char said[SAID_MAX + 1];
    ssize_t size = read(tunnel->output, said, SAID_MAX);
    said[size > 0 ? size : 0] = 0;
    string_one_line(said);
    tunnel->pid = 0;
    return firth_fail(err, is_config(said, status) ? FIRTH_FAILURE_CONFIG : FIRTH_FAILURE_TRANSIENT,
                      "the SSH tunnel through %s ended: %s", way->host, *said ? said : "ssh said nothing");
}

static int wait_until_up(struct firth_host *host, struct pg_tunnel_process *tunnel, const struct way *way,
                         struct firth_error *err)
{
    int status;
    for (int waited = 0; waited < UP_WITHIN_MS; waited += LOOK_MS) {
        struct pollfd said = {.fd = tunnel->output, .events = 0}; /* HUP: it has ended */
        poll(&said, 1, LOOK_MS);
        if (waitpid(tunnel->pid, &status, WNOHANG) == tunnel->pid)
            return ended(tunnel, way, status, err);
        auto_close int fd = loopback(tunnel->port);
        if (fd >= 0)
            return 0;
        if (firth_stopping(host))
            break;
    }
    return firth_fail(err, FIRTH_FAILURE_TRANSIENT, "the SSH tunnel through %s did not come up within %d s",
                      way->host, UP_WITHIN_MS / 1000);
}

static int start(struct firth_host *host, struct pg_tunnel_process *tunnel, const struct way *way,
                 struct firth_error *err)
{
    int ends[2];
    tunnel->port = free_port();
    if (tunnel->port < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot prepare the SSH tunnel: %s", strerror(errno));
    pid_t parent = getpid();
    tunnel->output = ends[0];
    tunnel->pid = fork();
    if (tunnel->pid == 0)
        become_ssh(tunnel, way, ends[1], parent);
    close(ends[1]);
    if (tunnel->pid < 0) {
        tunnel->pid = 0;
        return firth_fail(err, FIRTH_FAILURE_SYSTEM, "cannot start ssh: %s", strerror(errno));
    }
    return wait_until_up(host, tunnel, way, err);
}

int pg_tunnel_open(struct firth_host *host, const struct pg_config *config,
                   struct pg_tunnel_process **ret_tunnel, struct firth_error *err)
{
    struct way way = {0};
    struct arena arena;
    *ret_tunnel = NULL;
    arena_init(&arena);
    int result = read_way(&arena, config, &way, err);
    if (result > 0) {
        struct pg_tunnel_process *tunnel = mem_zalloc(sizeof *tunnel);
        tunnel->output = -1;
        result = write_key(tunnel, way.key, err);
        if (result == 0)
            result = start(host, tunnel, &way, err);
        remove_key(tunnel); /* ssh has read it */
        if (result == 0)
            *ret_tunnel = tunnel;
        else
            pg_tunnel_close(tunnel);
    }
    arena_done(&arena);
    return result;
}

void pg_tunnel_close(struct pg_tunnel_process *tunnel)
{
    if (!tunnel)
        return;
    if (tunnel->pid) {
        kill(tunnel->pid, SIGTERM);
        waitpid(tunnel->pid, NULL, 0);
    }
    if (tunnel->output >= 0)
        close(tunnel->output);
    remove_key(tunnel);
    free(tunnel);
}
