/* A connector for images that hold nothing else: static, one file, Airbyte's protocol and a little of Flow's.
 * What it does is told by its config, as plain text that is looked for: it has no JSON parser.
 *
 *   "count": 3           records of the stream users
 *   "eat": true          takes memory until it is killed
 *   "hang": true         after its records it waits for SIGTERM; then says so on stderr and exits with 0
 *   "deaf": true         the same, but it ignores SIGTERM
 *   "status": 7          exits with that
 *   "local": true        a destination writes what it gets to /local/out.jsonl */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char config[65536];

static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

static int read_config(const char *path)
{
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return fprintf(stderr, "cannot read the config %s\n", path ? path : "(none)"), 1;
    size_t size = fread(config, 1, sizeof config - 1, file);
    config[size] = 0;
    fclose(file);
    return 0;
}

static long number(const char *name)
{
    const char *at = strstr(config, name);
    return at ? strtol(at + strlen(name) + strspn(at + strlen(name), "\": "), NULL, 10) : 0;
}

static void on_term(int signal_number)
{
    static const char text[] = "asked to stop\n";
    (void)signal_number;
    ssize_t ignored = write(2, text, sizeof text - 1);
    (void)ignored;
    _exit(0);
}

static void wait_for_ever(void)
{
    fflush(stdout);
    for (;;)
        pause();
}

static void eat(void)
{
    for (;;) {
        char *piece = malloc(1 << 20);
        if (piece)
            memset(piece, 1, 1 << 20);
    }
}

static int read_records(void)
{
    long count = number("count");
    signal(SIGTERM, strstr(config, "deaf") ? SIG_IGN : on_term);
    for (long i = 1; i <= count; i++)
        printf("{\"type\":\"RECORD\",\"record\":{\"stream\":\"users\",\"emitted_at\":1700000000000,"
               "\"data\":{\"id\":%ld,\"uid\":%d}}}\n",
               i, (int)getuid());
    printf("{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":"
           "\"users\"},"
           "\"stream_state\":{\"seen\":%ld}}}}\n",
           count);
    fflush(stdout);
    fprintf(stderr, "password is %s\n", strstr(config, "hunter2") ? "hunter2" : "none");
    if (strstr(config, "eat"))
        eat();
    if (strstr(config, "hang") || strstr(config, "deaf"))
        wait_for_ever();
    return (int)number("status");
}

static int write_records(void)
{
    static char line[1 << 20];
    FILE *out = strstr(config, "local") ? fopen("/local/out.jsonl", "a") : fopen("/out.jsonl", "a");
    if (!out)
        return perror("out.jsonl"), 1;
    while (fgets(line, sizeof line, stdin)) {
        if (strstr(line, "\"STATE\"")) {
            fflush(out);
            fputs(line, stdout);
            fflush(stdout);
        } else {
            fputs(line, out);
        }
    }
    fclose(out);
    return 0;
}

/* Flow's capture protocol, with one binding; what the documentation's address says is how it was started. */
static void flow_captured(void)
{
    for (int id = 1; id <= 3; id++)
        printf("{\"captured\":{\"binding\":0,\"doc\":{\"id\":%d,\"uid\":%d}}}\n", id, (int)getuid());
    puts("{\"checkpoint\":{\"state\":{\"updated\":{\"seen\":3},\"mergePatch\":true}}}");
}

static int flow(void)
{
    static char line[1 << 20];
    const char *codec = getenv("FLOW_RUNTIME_CODEC");
    while (fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "{\"open\"", 7) == 0) {
            puts("{\"opened\":{\"explicitAcknowledgements\":false}}");
            flow_captured();
            return 0; /* it polls: what is there has been given */
        }
        if (strstr(line, "\"refused\"")) {
            fputs("there is no such address\n", stderr);
            return 1;
        }
        if (strncmp(line, "{\"validate\"", 11) == 0)
            puts("{\"validated\":{\"bindings\":[{\"resourcePath\":[\"users\"]}]}}");
        else if (strncmp(line, "{\"apply\"", 8) == 0)
            puts("{\"applied\":{\"actionDescription\":\"\"}}");
        else
            printf("{\"spec\":{\"protocol\":3032023,\"configSchema\":{\"type\":\"object\",\"properties\":{"
                   "\"count\":{\"type\":\"integer\"},\"password\":{\"secret\":true}}},"
                   "\"resourceConfigSchema\":{\"type\":\"object\"},\"documentationUrl\":\"https://x/%s\","
                   "\"resourcePathPointers\":[\"/stream\"]}}\n",
                   codec ? codec : "proto");
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : NULL;
    if (!verb)
        return flow();
    if (strcmp(verb, "spec") == 0) {
        puts("{\"type\":\"SPEC\",\"spec\":{\"connectionSpecification\":{\"type\":\"object\",\"properties\":{"
             "\"count\":{\"type\":\"integer\"},\"password\":{\"type\":\"string\",\"airbyte_secret\":true}},"
             "\"required\":[\"count\"]},\"supported_destination_sync_modes\":[\"append\",\"overwrite\"]}}");
        return 0;
    }
    if (read_config(option(argc, argv, "--config")))
        return 1;
    if (strcmp(verb, "check") == 0) {
        puts("{\"type\":\"CONNECTION_STATUS\",\"connectionStatus\":{\"status\":\"SUCCEEDED\"}}");
        return 0;
    }
    if (strcmp(verb, "discover") == 0) {
        puts("{\"type\":\"CATALOG\",\"catalog\":{\"streams\":[{\"name\":\"users\",\"json_schema\":{\"type\":"
             "\"object\","
             "\"properties\":{\"id\":{\"type\":\"integer\"}}},\"supported_sync_modes\":[\"full_refresh\","
             "\"incremental\"],\"source_defined_primary_key\":[[\"id\"]]}]}}");
        return 0;
    }
    return strcmp(verb, "write") == 0 ? write_records() : read_records();
}
