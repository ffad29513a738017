/* An Airbyte source that does what its config says, step by step, to show how Firth copes.
 *
 * `spec` takes the steps of the environment variable SPEC, else it says that any object is a config.
 * config: {"streams": [name | {name, namespace, modes, schema, …}], "steps": [step…], "check": [step…],
 *          "discover": [step…], "seen": path, "tokens": path}
 * A step: {"message": any JSON} {"text": a raw line} {"hex": raw bytes, no newline added} {"stderr": text}
 * {"records": {"stream", "from", "to", "data"?, "fill"?: bytes more}} {"state": {"stream", "n"}}
 * {"sleep_until": path} {"touch": path} {"hang": true}
 * {"ignore_sigterm": true} {"endless": a raw line, for ever} {"exit": status} {"kill": signal} {"drained":
 * wait until its output is read}
 * {"leave": {"text", "status"?, "killed_by"?}} (as leaving.py does) {"flood": {"bytes"}}
 * Every verb appends {"verb", "state", "catalog"} to `seen`; `read` its config's refresh_token to `tokens`.
 */
#include "scan.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { POLL_NS = 5000000, LEFT_IN_PIPE = 4096, FLOOD_CHUNK = 65536 };

static int argument_count;
static char **arguments;

/* What is written has a reader, or the source ends as Python does: with status 1. */
static void flush(void)
{
    if (fflush(stdout))
        die("the output broke");
}

static void put(const char *data, size_t size)
{
    if (fwrite(data, 1, size, stdout) != size)
        die("the output broke");
}

static void put_line(struct text line)
{
    put(line.data, line.size);
    put("\n", 1);
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

/* The JSON in the file that the option names, or NULL. */
static const char *argument(const char *name)
{
    for (int i = 2; i + 1 < argument_count; i++)
        if (!strcmp(arguments[i], name))
            return scan_start(read_all(arguments[i + 1]));
    return NULL;
}

static FILE *append_to(const char *path)
{
    FILE *file = fopen(scan_text(path).data, "a");
    if (!file)
        die("cannot append to %s", path);
    return file;
}

static void write_or_null(FILE *out, const char *value)
{
    if (value)
        scan_write(out, value);
    else
        fputs("null", out);
}

/* --- how it ends ---------------------------------------------------------------------------------- */

/* Writes the text and ends; the reader sleeps from before the last of it until this process has ended, so it
 * finds both in one turn. */
static void leave(const char *value)
{
    struct text text = scan_text(scan_need(value, "text"));
    const char *status = scan_get(value, "status"), *killed_by = scan_get(value, "killed_by");
    pid_t reader = getppid(), me = getpid();
    int ready[2];
    if (pipe(ready))
        die("no pipe");
    if (!fork()) {
        close(0);
        close(1);
        close(2);
        setsid();
        struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, me, 0), .events = POLLIN};
        if (write(ready[1], "x", 1) == 1)
            poll(&end, 1, -1);
        kill(reader, SIGCONT);
        _exit(0);
    }
    char told;
    if (read(ready[0], &told, 1) != 1)
        die("nobody will wake the reader");
    while (text.size) { /* what the pipe does not hold has to be read */
        bool last = text.size <= LEFT_IN_PIPE;
        if (last)
            kill(reader, SIGSTOP);
        ssize_t written = write(1, text.data, last ? text.size : text.size - LEFT_IN_PIPE);
        if (written < 0)
            die("the output broke");
        text.data += written;
        text.size -= (size_t)written;
    }
    if (killed_by)
        kill(me, (int)scan_integer(killed_by));
    _exit(status ? (int)scan_integer(status) : 0);
}

static void wait_until_drained(void)
{
    int waiting = 1;
    while (!ioctl(1, FIONREAD, &waiting) && waiting)
        wait_a_little();
}

/* --- what it says --------------------------------------------------------------------------------- */

static void put_records(const char *value)
{
    const char *data = scan_get(value, "data"), *fill = scan_get(value, "fill");
    long long to = scan_integer(scan_need(value, "to")), bytes = fill ? scan_integer(fill) : 0;
    for (long long n = scan_integer(scan_need(value, "from")); n <= to; n++) {
        printf("{\"type\": \"RECORD\", \"record\": {\"stream\": ");
        scan_write(stdout, scan_need(value, "stream"));
        printf(", \"emitted_at\": 1700000000000, \"data\": {\"id\": ");
        if (scan_get(data, "id"))
            scan_write(stdout, scan_get(data, "id"));
        else
            printf("%lld", n);
        for (const char *key = scan_first(data); key; key = scan_next(key)) {
            if (scan_is(key, "id") || (bytes && scan_is(key, "x")))
                continue;
            printf(", ");
            scan_write(stdout, key);
            printf(": ");
            scan_write(stdout, scan_value(key));
        }
        if (bytes) {
            printf(", \"x\": \"");
            for (long long i = 0; i < bytes; i++)
                putc_unlocked('y', stdout);
            printf("\"");
        }
        put("}}}\n", 4);
    }
}

static void put_state(const char *value)
{
    printf("{\"type\": \"STATE\", \"state\": {\"type\": \"STREAM\", \"stream\": {\"stream_descriptor\": "
           "{\"name\": ");
    scan_write(stdout, scan_need(value, "stream"));
    printf("}, \"stream_state\": {\"n\": ");
    scan_write(stdout, scan_need(value, "n"));
    put("}}}}\n", 5);
}

static void put_message(const char *value)
{
    scan_write(stdout, value);
    put("\n", 1);
}

static void put_hex(const char *value)
{
    struct text digits = scan_text(value);
    for (size_t i = 0; i + 1 < digits.size; i += 2)
        putchar((int)strtol((char[]){digits.data[i], digits.data[i + 1], 0}, NULL, 16));
}

static void flood(const char *value)
{
    char chunk[FLOOD_CHUNK];
    memset(chunk, 'x', sizeof chunk);
    for (long long left = scan_integer(scan_need(value, "bytes")) / FLOOD_CHUNK; left > 0; left--)
        put(chunk, sizeof chunk);
}

static void step(const char *kind, const char *value)
{
    if (scan_is(kind, "message")) {
        put_message(value);
    } else if (scan_is(kind, "text")) {
        put_line(scan_text(value));
    } else if (scan_is(kind, "hex")) {
        put_hex(value);
    } else if (scan_is(kind, "stderr")) {
        fprintf(stderr, "%s\n", scan_text(value).data);
    } else if (scan_is(kind, "records")) {
        put_records(value);
    } else if (scan_is(kind, "state")) {
        put_state(value);
    } else if (scan_is(kind, "ignore_sigterm")) {
        signal(SIGTERM, SIG_IGN);
    } else if (scan_is(kind, "flood")) {
        flood(value);
    } else if (scan_is(kind, "endless")) {
        for (struct text line = scan_text(value);;) /* until the pipe breaks, most likely within a line */
            put_line(line);
    } else {
        flush(); /* the others wait, or end */
        if (scan_is(kind, "sleep_until"))
            for (const char *path = scan_text(value).data; access(path, F_OK);)
                wait_a_little();
        else if (scan_is(kind, "touch"))
            close(open(scan_text(value).data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        else if (scan_is(kind, "drained"))
            wait_until_drained();
        else if (scan_is(kind, "leave"))
            leave(value);
        else if (scan_is(kind, "exit"))
            _exit((int)scan_integer(value));
        else if (scan_is(kind, "kill"))
            kill(getpid(), (int)scan_integer(value));
        else if (scan_is(kind, "hang"))
            for (;;)
                pause();
        else
            die("no step is %.40s", kind);
    }
}

static void run(const char *steps)
{
    for (const char *each = scan_first(steps); each; each = scan_next(each))
        step(scan_first(each), scan_value(scan_first(each)));
}

/* Whether the source finds its own cursor: where incremental reads are. */
static const char *has_cursor(const char *modes)
{
    for (const char *mode = scan_first(modes); mode; mode = scan_next(mode))
        if (scan_is(mode, "incremental"))
            return "true";
    return modes ? "false" : "true";
}

/* The entry's members, behind those that it does not have. */
static void put_stream(const char *entry)
{
    const char *modes = scan_get(entry, "modes"), *schema = scan_get(entry, "schema"), *before = "{";
    const char *const defaults[][2] = {
        {"source_defined_cursor", has_cursor(modes)},
        {"supported_sync_modes", modes ? modes : "[\"full_refresh\",\"incremental\"]"},
        {"json_schema", schema ? schema : "{\"type\":\"object\"}"},
        {"name", *entry == '"' ? entry : NULL},
    };
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (!defaults[i][1] || scan_get(entry, defaults[i][0]))
            continue;
        printf("%s\"%s\": ", before, defaults[i][0]);
        scan_write(stdout, defaults[i][1]);
        before = ", ";
    }
    for (const char *key = *entry == '{' ? scan_first(entry) : NULL; key; key = scan_next(key)) {
        if (scan_is(key, "modes") || scan_is(key, "schema"))
            continue;
        printf("%s", before);
        scan_write(stdout, key);
        printf(": ");
        scan_write(stdout, scan_value(key));
        before = ", ";
    }
    printf("}");
}

static void discover(const char *streams)
{
    const char *before = "";
    printf("{\"type\": \"CATALOG\", \"catalog\": {\"streams\": [");
    for (const char *each = scan_first(streams); each; each = scan_next(each), before = ", ") {
        printf("%s", before);
        put_stream(each);
    }
    put("]}}\n", 4);
}

static void tell_what_was_seen(const char *path, const char *verb)
{
    FILE *seen = append_to(path);
    fprintf(seen, "{\"verb\": \"%s\", \"state\": ", verb);
    write_or_null(seen, argument("--state"));
    fprintf(seen, ", \"catalog\": ");
    write_or_null(seen, argument("--catalog"));
    fprintf(seen, "}\n");
    fclose(seen);
}

static void tell_the_token(const char *config)
{
    FILE *tokens = append_to(scan_get(config, "tokens"));
    fprintf(tokens, "{\"token\": ");
    write_or_null(tokens, scan_get(config, "refresh_token"));
    fprintf(tokens, "}\n");
    fclose(tokens);
}

int main(int count, char **values)
{
    argument_count = count;
    arguments = values;
    if (count < 2)
        die("name a verb");
    signal(SIGPIPE, SIG_IGN);
    const char *verb = values[1], *config = argument("--config");
    if (scan_get(config, "seen"))
        tell_what_was_seen(scan_get(config, "seen"), verb);
    if (!strcmp(verb, "spec")) {
        const char *steps = getenv("SPEC");
        run(steps ? scan_start(steps)
                  : "[{\"message\":{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"type\":"
                    "\"object\"}}}}]");
    } else if (!strcmp(verb, "check")) {
        const char *steps = scan_get(config, "check");
        run(steps ? steps
                  : "[{\"message\":{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":"
                    "\"SUCCEEDED\"}}}]");
    } else if (!strcmp(verb, "discover")) {
        run(scan_get(config, "discover"));
        discover(scan_need(config, "streams"));
    } else if (!strcmp(verb, "read")) {
        if (scan_get(config, "tokens"))
            tell_the_token(config);
        run(scan_need(config, "steps"));
    }
    flush();
    return 0;
}
