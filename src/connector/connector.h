/* Connectors as processes: find one, start it with hygiene, talk to it line by line, end it.
 *
 * A connector is a program that speaks a protocol over stdin and stdout and logs on stderr. Where it comes
 * from: built into this binary (run again as `firth connector NAME …`), a local command, an OCI image
 * (oci.h), a manifest that was added by name. Every child has its own process group and limits, closed
 * descriptors, a clean environment, no_new_privs; its config goes by a 0600 file that is gone afterwards; its
 * lines are bounded.
 *
 * The process object never blocks except where said: the owner polls connector_pollfds. */
#ifndef FIRTH_CONNECTOR_CONNECTOR_H
#define FIRTH_CONNECTOR_CONNECTOR_H

#include "base/clock.h"
#include "base/log.h"
#include "connector/secrets.h"
#include "json/json.h"

#include <poll.h>
#include <sys/types.h>

enum connector_protocol { CONNECTOR_AIRBYTE, CONNECTOR_FLOW };
enum connector_role { CONNECTOR_ANY_ROLE, CONNECTOR_SOURCE, CONNECTOR_DESTINATION };

/* What to run, as a catalog or the API names it. Strings are not owned. */
struct connector_spec {
    const char *image;    /* endpoint.connector.image, or NULL; without '/' and ':' it may be the name or the
                             id of one that was added (connector_added) */
    const char *built_in; /* a built-in's name ("source-faker"), or NULL */
    const char *const *command; /* endpoint.local.command, NULL-terminated, or NULL */
    const char *const *env;     /* "NAME=value", NULL-terminated, or NULL: added to the clean environment */
    const char *folder;         /* working folder for a local command, NULL: ours */
    const char *log_level;      /* what a connector of Flow's is to log, NULL: "info" */
    enum connector_protocol protocol; /* of a built-in or a command; an image says it itself */
    const char *task;                 /* whose it is, for the container's name and label; NULL: nobody's */
    bool present_only;                /* an image that would have to be pulled is ERROR_NOT_FOUND */
    enum connector_role role;         /* what is wanted of one that was added: a name may be that of two */
};

struct connector_limits {
    size_t line_max;     /* bytes of one line, default 64 MiB + 1 MiB */
    uint64_t memory_max; /* bytes of writable memory of one process (RLIMIT_DATA), 0 = no limit, default 0 */
    uint32_t files_max;  /* descriptors, default 1024 */
    uint64_t stall_ms;   /* nothing read from or written to it for so long is a failure, 0 = never, default
                            0. Time in which it waits for us does not count: lines the owner has not
                            taken, an open stdin with nothing queued for it, unless an answer is due
                            (connector_expect). */
    uint64_t exit_ms;    /* from the end of its stdout to its exit, then it is asked to stop, which makes it a
                            failure; 0 = never, default 10 s */
    uint64_t stop_ms;    /* from SIGTERM to SIGKILL, default 10 s */
};
extern const struct connector_limits connector_limits_default;

/* The names of built-in connectors, NULL-terminated, sorted; set once by the program's main from the
 * registry (connectors/registry.h is above this layer). */
struct connector_built_in {
    const char *name;               /* "source-faker" */
    const char *const *image_names; /* repository names it stands for: "airbyte/source-faker", … */
    const char *title, *summary;
    bool two_spellings; /* in a capture its config may be spelt in another way than its spec says */
    bool finds_streams; /* a capture may name streams that discover does not list */
};
/* Manifests of Airbyte's low-code language, as the built-in that runs them reads them. */
struct connector_manifest {
    struct slice text;   /* JSON, as it is written: nothing resolved */
    struct slice spec;   /* what it answers to `spec` */
    const char *version; /* of the language; "" */
};
/* Of a file (YAML or JSON), or, with path NULL, of a JSON text. The error says all that is wrong with it, and
 * where; ERROR_UNSUPPORTED: it is right, but nothing that the built-in can run. */
typedef int connector_read_manifest(const char *path, struct slice json, struct arena *arena,
                                    struct connector_manifest *ret_manifest, struct error *err);
/* What `firth connectors add` has added to a data directory: an image, a command, or a manifest with what
 * runs manifests. */
struct connector_added {
    const char *name;
    struct connector_spec program;
    struct slice manifest; /* JSON; size 0: it is none */
};
/* By name or id: 1, or 0 for none. ERROR_INVALID for one that is not of the role, for several, and where a
 * name that there is not is nearly that of one. */
typedef int connector_find_added(const char *data_dir, const char *name, enum connector_role role,
                                 struct arena *arena, struct connector_added *ret_added, struct error *err);
struct connector_catalog {
    const struct connector_built_in *items;
    size_t count;
    const char *program;                    /* path of this binary, to be run again */
    struct connector_engine *engine;        /* runs images (oci.h); NULL: they are not run */
    bool force_images;                      /* an image is run even where a built-in stands for it */
    connector_read_manifest *read_manifest; /* NULL: no built-in runs them */
    connector_find_added *find_added;       /* NULL: nothing was added */
    const char *data_dir;                   /* to look there; NULL: none */
};

/* Resolve to something that can be started: fills *ret_argv_prefix (arena) with the words before the verb.
 * ERROR_NOT_FOUND with the nearest names; ERROR_UNSUPPORTED for an image that nothing here can run. */
struct connector_program {
    const char *const *argv; /* NULL-terminated words before the verb */
    const char *const *env;
    const char *folder;
    const char *label; /* for people: "source-faker (built in)", "python -m x"; holds no secret */
    bool built_in;
    bool engine; /* podman or docker itself: keeps its variables and privileges */
    const struct connector_container *container; /* argv runs in a container of this; NULL: it does not */
    struct slice manifest; /* JSON, given to it as a file (--manifest-path); size 0: none */
    enum connector_protocol protocol;
};
int connector_resolve(const struct connector_catalog *built_ins, const struct connector_spec *spec,
                      struct arena *arena, struct connector_program *ret_program, struct error *err);

/* The name of the built-in that stands for an image, or NULL. */
const char *connector_built_in_for(const struct connector_catalog *built_ins, const char *image);

/* --- one process --------------------------------------------------------------------------------- */

struct connector_process;

/* JSON texts handed over as files; a zero-size slice is not passed. The order on the command line is the
 * protocol's: VERB --config F --catalog F --state F. The files live, 0600 in a 0700 folder, until the process
 * has ended. What `secrets` holds is masked in everything that the connector writes to stderr or that is
 * noted as its log; NULL: what the names in `config` and in the program's env tell. They live as long as the
 * process, and may grow meanwhile. */
struct connector_files {
    struct slice config, catalog, state;
    struct connector_secrets *secrets; /* not owned */
};

/* Called for every line of stderr, from connector_service; may be NULL. JSON log lines come as their message
 * with their other fields behind it; lines past 8 kB are cut. */
typedef void connector_on_log(void *context, enum log_level level, struct slice line);

/* Start `program VERB …`. The child dies with the thread that started it, whatever kills that. `verb` may be
 * NULL (Flow's protocol has none). stdin is a pipe if with_stdin, else /dev/null. Retriable errors are the
 * machine's (fork, pipe); a program that is not there is not. */
struct connector_process *connector_start(const struct connector_program *program, const char *verb,
                                          const struct connector_files *files, bool with_stdin,
                                          const struct connector_limits *limits, connector_on_log *on_log,
                                          void *log_context, struct error *err);
/* End it if it lives (SIGTERM to the group, after stop_ms SIGKILL), reap it, remove its files, free. Blocks.
 * A container is dead and removed before connector_exited says so: the connector_service that notices its end
 * takes as long as the engine takes for that, mostly a fifth of a second. */
void connector_free(struct connector_process *process);
MEM_DEFINE_CLEANUP(struct connector_process *, connector_free);

/* Fill up to 4 pollfds (stdout, stderr, stdin if bytes wait to be written, the exit). Returns how many. */
size_t connector_pollfds(struct connector_process *process, struct pollfd fds[4]);
/* Milliseconds until connector_service must be called even if no descriptor is ready, -1: never. */
int connector_timeout_ms(const struct connector_process *process);
/* Do what is ready: read stdout into the line buffer (only when the owner has taken the lines before),
 * read stderr, write pending stdin, notice the exit. -1: a line too long, a stall, a connector that closed
 * its stdin and lives on; it is killed then, and what remains is connector_free. A connector that dies while
 * it is written to gives no error here: connector_result knows why it died. */
int connector_service(struct connector_process *process, struct error *err);

/* The next whole line of stdout (without the newline), valid until the next connector_service. 1, or 0 if
 * there is none yet or no more. A last line without newline counts at the end of the output. */
int connector_next_line(struct connector_process *process, struct slice *ret_line);
/* EOF, and every line taken. Then call connector_finish_input, and service until connector_exited. */
bool connector_output_ended(const struct connector_process *process);

/* Queue bytes for stdin (they are copied). Never blocks; connector_pending_input tells how much waits, so
 * that the owner stops reading its other side beyond its bound. */
void connector_send(struct connector_process *process, struct slice bytes);
size_t connector_pending_input(const struct connector_process *process);
/* That, and what lies in the pipe: bytes that the connector has not read yet. */
size_t connector_unread_input(const struct connector_process *process);
/* What it owes by its protocol from now on, for people ("the answer to 'flush'"; not copied); NULL: nothing.
 * While it owes something its silence counts for stall_ms, though its stdin is open. */
void connector_expect(struct connector_process *process, const char *due);
/* Close stdin once everything queued is written. */
void connector_finish_input(struct connector_process *process);

/* Ask it to stop: SIGTERM to its group now, SIGKILL by connector_service after stop_ms. */
void connector_stop(struct connector_process *process);
/* SIGKILL to its group now. */
void connector_kill(struct connector_process *process);
/* It has exited and both outputs have ended. */
bool connector_exited(const struct connector_process *process);
/* After connector_exited: 0 if it exited with 0; else -1 and ERROR_CONNECTOR with how it died and its last
 * log lines ("source-x exited with status 1; its last log lines: …"). */
int connector_result(const struct connector_process *process, struct error *err);
/* The exit status by which a built-in says, whichever protocol it speaks, that its config or what it reaches
 * by it has to be changed: connector_result is ERROR_INVALID then, and not to be tried again. */
enum { CONNECTOR_WRONG_CONFIG = 3 };
/* Put its last log lines behind an error about what it wrote. */
void connector_add_logs(const struct connector_process *process, struct error *err);
/* Take in a log line that came by the protocol (Airbyte LOG), or a line of stdout that is no message, for the
 * last log lines. It is not handed to on_log. */
void connector_note_log(struct connector_process *process, enum log_level level, struct slice line);
/* Append text of the connector's (an ERROR trace's message, …) with its config's secrets masked: before it
 * becomes part of an error or a log. What passes through on_log and connector_result is masked already. */
void connector_mask(const struct connector_process *process, struct slice text, struct buffer *out);
/* The same of its first `max` bytes, cut to whole characters: no secret shows that goes on beyond. */
void connector_mask_cut(const struct connector_process *process, struct slice text, size_t max,
                        struct buffer *out);
pid_t connector_pid(const struct connector_process *process);

/* --- whole conversations, blocking ---------------------------------------------------------------- */

/* What hears of a config that the connector changes while it is asked (CONTROL): a JSON object, its secrets
 * masked from here on, before anything else that the connector says is looked at. -1 ends the conversation.
 * Either may be NULL. `on_log` hears its log: the lines of stderr, LOG messages, what on stdout is no
 * message; secrets that are known by then are masked. */
struct connector_listener {
    int (*on_config)(void *context, struct slice config, struct error *err);
    void *context;
    connector_on_log *on_log;
};

/* Airbyte's one-shot verbs (spec, check, discover): start, wait for the one message, end. The message's
 * payload is copied to the arena as *ret_…'s own document. check gives an error if the connector says FAILED
 * (ERROR_INVALID with its message); so does an ERROR trace (config_error: ERROR_INVALID, else
 * ERROR_CONNECTOR). Without a stall limit of the caller's, ten minutes of silence are one. `secrets` as in
 * connector_files. `listener` NULL: a changed config is ignored, for there is nowhere to keep it. */
int connector_airbyte_spec(const struct connector_program *program, const struct connector_limits *limits,
                           struct arena *arena, struct json *ret_spec, struct error *err);
int connector_airbyte_check(const struct connector_program *program, struct slice config,
                            struct connector_secrets *secrets, const struct connector_listener *listener,
                            const struct connector_limits *limits, struct error *err);
int connector_airbyte_discover(const struct connector_program *program, struct slice config,
                               struct connector_secrets *secrets, const struct connector_listener *listener,
                               const struct connector_limits *limits, struct arena *arena,
                               struct json *ret_catalog, struct error *err);

#endif
