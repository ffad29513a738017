/* An Airbyte destination that keeps every message it gets and misbehaves as its config says.
 *
 * config: {"out": path, "modes": […], "echo": "each" | "last" | "none" | "twice" | "wrong" | "reordered",
 * "exit": status, "exit_after": n messages, "check": status, "check_exit": status, "check_lines": stdout
 * lines before its answer, "stderr": text, "lines": extra stdout lines, "rejected": how many records each
 * echo says that it did not write} `out` gets the lines as they came; `out`.catalog the configured catalog.
 */
#include "scan.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The echoes that are told at the end. */
struct held {
    char **lines;
    size_t count;
};

static const char *argument(int count, char **arguments, const char *name)
{
    for (int i = 2; i + 1 < count; i++)
        if (!strcmp(arguments[i], name))
            return arguments[i + 1];
    die("no %s", name);
}

static void put_lines(const char *lines)
{
    for (const char *line = scan_first(lines); line; line = scan_next(line))
        puts(scan_text(line).data);
    fflush(stdout);
}

static int status_of(const char *config, const char *name)
{
    const char *status = scan_get(config, name);
    return status ? (int)scan_integer(status) : 0;
}

static int spec(void)
{
    const char *modes = getenv("DESTINATION_MODES"), *schema = getenv("DESTINATION_SPEC");
    printf("{\"type\": \"SPEC\", \"spec\": {\"connectionSpecification\": %s, "
           "\"supported_destination_sync_modes\": %s}}\n",
           schema ? schema : "{\"type\": \"object\"}",
           modes ? modes : "[\"append\", \"overwrite\", \"append_dedup\"]");
    return 0;
}

static int check(const char *config)
{
    const char *status = scan_get(config, "check");
    put_lines(scan_get(config, "check_lines"));
    printf("{\"type\": \"CONNECTION_STATUS\", \"connectionStatus\": ");
    scan_write(stdout, status ? status : "{\"status\":\"SUCCEEDED\"}");
    printf("}\n");
    return status_of(config, "check_exit");
}

static void keep_catalog(const char *out, const char *catalog)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.catalog", out);
    FILE *file = fopen(path, "w");
    if (!file)
        die("cannot write %s", path);
    fputs(read_all(catalog), file);
    fclose(file);
}

static void hold(struct held *held, const char *message)
{
    char *line;
    size_t size;
    FILE *memory = open_memstream(&line, &size);
    scan_write(memory, message);
    fclose(memory);
    held->lines = realloc(held->lines, (held->count + 1) * sizeof *held->lines);
    held->lines[held->count++] = line;
}

/* As the real ones do: parsed and written again, with statistics. */
static void echo_with_statistics(const char *message, long long taken, const char *rejected)
{
    char statistics[128];
    if (rejected)
        snprintf(statistics, sizeof statistics, "{\"recordCount\": %lld.0, \"rejectedRecordCount\": %lld}",
                 taken, scan_integer(rejected));
    else
        snprintf(statistics, sizeof statistics, "{\"recordCount\": %lld.0}", taken);
    scan_write_with(stdout, message, (const char *const[]){"state", "destinationStats", NULL}, statistics);
    putchar('\n');
}

static void echo_state(const char *config, const char *echo, const char *message, long long taken,
                       struct held *held)
{
    if (!echo || scan_is(echo, "each")) {
        echo_with_statistics(message, taken, scan_get(config, "rejected"));
    } else if (scan_is(echo, "twice")) {
        for (int i = 0; i < 2; i++) {
            scan_write(stdout, message);
            putchar('\n');
        }
    } else if (scan_is(echo, "wrong")) {
        scan_write_with(stdout, message, (const char *const[]){"state", "stream", "stream_state", NULL},
                        "{\"n\": -1}");
        putchar('\n');
    } else {
        hold(held, message);
    }
    fflush(stdout);
}

static char *name_of(const char *line)
{
    const char *stream = scan_need(scan_need(line, "state"), "stream");
    return scan_text(scan_need(scan_need(stream, "stream_descriptor"), "name")).data;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

static void tell_held(const char *echo, struct held *held)
{
    if (scan_is(echo, "last")) {
        if (!held->count)
            die("no state came");
        puts(held->lines[held->count - 1]);
    } else if (scan_is(echo, "reordered")) {
        qsort(held->lines, held->count, sizeof *held->lines, by_name);
        for (size_t i = 0; i < held->count; i++)
            puts(held->lines[i]);
    }
    fflush(stdout);
}

static int take(const char *config)
{
    const char *echo = scan_get(config, "echo"), *after = scan_get(config, "exit_after");
    const char *path = scan_text(scan_need(config, "out")).data;
    FILE *out = fopen(path, "ab");
    struct held held = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!out)
        die("cannot append to %s", path);
    for (long long taken = 1; (size = getline(&line, &room, stdin)) > 0; taken++) {
        fwrite(line, 1, (size_t)size, out);
        if (after && taken == scan_integer(after)) {
            fflush(out);
            _exit(status_of(config, "exit"));
        }
        if (scan_is(scan_need(line, "type"), "STATE")) {
            fflush(out);
            echo_state(config, echo, line, taken, &held);
        }
    }
    fclose(out);
    tell_held(echo, &held);
    return status_of(config, "exit");
}

int main(int count, char **arguments)
{
    if (count < 2)
        die("name a verb");
    if (!strcmp(arguments[1], "spec"))
        return spec();
    signal(SIGPIPE, SIG_IGN);
    const char *config = scan_start(read_all(argument(count, arguments, "--config")));
    if (!strcmp(arguments[1], "check"))
        return check(config);
    keep_catalog(scan_text(scan_need(config, "out")).data, argument(count, arguments, "--catalog"));
    if (scan_get(config, "stderr"))
        fprintf(stderr, "%s\n", scan_text(scan_get(config, "stderr")).data);
    put_lines(scan_get(config, "lines"));
    return take(config);
}
