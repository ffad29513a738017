/* `firth job`: start, list, show and cancel the jobs of connections. */
#include "cli/columns.h"
#include "cli/command.h"
#include "cli/data_dir.h"
#include "cli/output.h"
#include "control/connections.h"
#include "control/job_changes.h"
#include "supervisor/job_log.h"
#include "supervisor/talk.h"
#include "json/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

struct job_options {
    const char *type; /* NULL: it was not given */
    struct option_list streams;
    bool merge;
};

enum { LOG_TAIL_BYTES = 1 << 20 };

/* --- what is shown ------------------------------------------------------------------------------- */

static void write_stats(struct json_writer *writer, const struct control_stats *stats)
{
    json_put_key(writer, "stats");
    json_begin_object(writer);
    json_member_i64(writer, "recordsEmitted", stats->records_emitted);
    json_member_i64(writer, "bytesEmitted", stats->bytes_emitted);
    json_member_i64(writer, "recordsCommitted", stats->records_committed);
    json_member_i64(writer, "bytesCommitted", stats->bytes_committed);
    json_member_i64(writer, "recordsRejected", stats->records_rejected);
    json_member_i64(writer, "stateMessagesEmitted", stats->states_emitted);
    json_end_object(writer);
}

static void write_job(struct json_writer *writer, const struct control_job *job)
{
    json_member_i64(writer, "id", job->id);
    json_member_string(writer, "connection", job->connection);
    json_member_string(writer, "type", control_job_type_name(job->type));
    json_member_string(writer, "status", control_job_status_name(job->status));
    json_member_u64(writer, "attempts", job->attempts);
    json_member_i64(writer, "createdMs", job->created_ms);
    json_member_i64(writer, "endedMs", job->ended_ms);
    write_stats(writer, &job->stats);
}

static void write_failure(struct json_writer *writer, const struct control_failure *failure)
{
    json_begin_object(writer);
    json_member_string(writer, "origin", failure->origin);
    json_member_string(writer, "type", failure->type);
    json_member_string(writer, "message", failure->message);
    if (failure->stack)
        json_member_string(writer, "stack", failure->stack);
    json_member_bool(writer, "retriable", failure->retriable);
    json_end_object(writer);
}

static void write_attempt(struct json_writer *writer, const struct control_attempt *attempt)
{
    json_begin_object(writer);
    json_member_u64(writer, "number", attempt->number);
    json_member_string(writer, "status", control_attempt_status_name(attempt->status));
    json_member_i64(writer, "createdMs", attempt->created_ms);
    json_member_i64(writer, "endedMs", attempt->ended_ms);
    write_stats(writer, &attempt->stats);
    json_put_key(writer, "streams");
    json_begin_array(writer);
    for (size_t i = 0; i < attempt->stream_count; i++) {
        json_begin_object(writer);
        json_member_string(writer, "name", attempt->streams[i].stream.name);
        if (attempt->streams[i].stream.namespace)
            json_member_string(writer, "namespace", attempt->streams[i].stream.namespace);
        json_member_bool(writer, "complete", attempt->streams[i].complete);
        write_stats(writer, &attempt->streams[i].stats);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_put_key(writer, "failures");
    json_begin_array(writer);
    for (size_t i = 0; i < attempt->failure_count; i++)
        write_failure(writer, &attempt->failures[i]);
    json_end_array(writer);
    json_end_object(writer);
}

static int print(const struct cli *cli, struct buffer *text)
{
    struct output output;
    output_init(&output, STDOUT_FILENO);
    output_write(&output, text->data, text->size);
    return output_finish(&output, cli, CLI_OK);
}

static enum control_job_type type_of(const struct job_options *options)
{
    return options->type ? control_job_type_of(options->type) : CONTROL_JOB_SYNC;
}

/* --- what is done -------------------------------------------------------------------------------- */

static int show(const struct cli *cli, struct control *control, int64_t id, struct arena *arena,
                struct error *err)
{
    struct control_job job;
    struct control_attempt *attempts;
    struct json_writer writer;
    struct buffer text;
    size_t count = 0;
    if (control_job_get(control, id, arena, &job, err) < 0 ||
        control_job_attempts(control, id, arena, &attempts, &count, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    writer.indent = cli->terminal ? 2 : 0;
    json_begin_object(&writer);
    write_job(&writer, &job);
    json_put_key(&writer, "attemptList");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++)
        write_attempt(&writer, &attempts[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    int code = print(cli, &text);
    buffer_done(&text);
    return code;
}

static int list(const struct cli *cli, struct control *control, struct arena *arena, struct error *err)
{
    const struct job_options *options = cli->options;
    const struct control_job_filter newest = {.types = options->type ? 1U << type_of(options) : 0,
                                              .page = {.limit = 100}};
    struct control_job *jobs;
    struct json_writer writer;
    struct buffer text;
    size_t count = 0;
    if (control_jobs(control, &newest, arena, &jobs, &count, NULL, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (size_t i = 0; i < count; i++) {
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        write_job(&writer, &jobs[i]);
        json_end_object(&writer);
        buffer_byte(&text, '\n');
    }
    int code = print(cli, &text);
    buffer_done(&text);
    return code;
}

static int show_log(const struct cli *cli, struct control *control, int64_t id, struct arena *arena,
                    struct error *err)
{
    struct control_job job;
    struct buffer text;
    if (control_job_get(control, id, arena, &job, err) < 0)
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    int result = 0;
    for (uint32_t i = 0; i < job.attempts && result == 0; i++)
        result = job_log_tail(cli->data_dir, id, i, LOG_TAIL_BYTES, &text, err);
    if (result == 0)
        result = print(cli, &text);
    buffer_done(&text);
    return result;
}

static int no_connection(struct control *control, const char *name, struct arena *arena, struct error *err)
{
    const struct control_connection_filter all = {.any_status = true, .page = {.limit = CONTROL_PAGE_MAX}};
    struct control_connection *found;
    size_t count = 0;
    if (control_connections(control, &all, arena, &found, &count, NULL, err) < 0)
        return -1;
    const char **names = arena_zalloc(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = found[i].name;
    const char *near = string_nearest(name, names, count);
    return error_set(err, ERROR_NOT_FOUND, "there is no connection '%.64s'%s%.64s%s", name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static int find_connection(struct control *control, const char *name, struct arena *arena,
                           const char **ret_id, struct error *err)
{
    char *id = arena_alloc(arena, CONTROL_UUID_SIZE);
    struct control_connection *found;
    size_t count = 0, matches = 0;
    *ret_id = id;
    if (control_uuid_parse(slice_of(name), id))
        return 0;
    const struct control_connection_filter filter = {
        .any_status = true, .name_like = name, .page = {.limit = CONTROL_PAGE_MAX}};
    if (control_connections(control, &filter, arena, &found, &count, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].name, name) != 0)
            continue;
        *ret_id = found[i].id;
        matches++;
    }
    if (matches == 1)
        return 0;
    return matches ? error_set(err, ERROR_NOT_FOUND, "more than one connection is named '%.64s': give its id",
                               name)
                   : no_connection(control, name, arena, err);
}

/* The daemon does it: without one nothing happens, and whoever waits for it should know. */
static void wake(const struct cli *cli)
{
    if (!talk_wake(cli->data_dir))
        log_info(&cli->log, "no daemon runs: it is done once 'firth serve' does");
}

static int start(const struct cli *cli, struct control *control, const char *name, struct arena *arena,
                 struct error *err)
{
    const struct job_options *options = cli->options;
    struct control_stream *streams = arena_zalloc(arena, (options->streams.count + 1) * sizeof *streams);
    struct control_job_new job = {.type = type_of(options),
                                  .merge = options->merge,
                                  .streams = streams,
                                  .stream_count = options->streams.count,
                                  .now_ms = clock_wall_ms(&clock_system)};
    int64_t id;
    for (size_t i = 0; i < options->streams.count; i++) {
        const char *text = options->streams.items[i], *dot = strchr(text, '.');
        streams[i] = (struct control_stream){
            .name = dot ? dot + 1 : text,
            .namespace = dot ? arena_strndup(arena, text, (size_t)(dot - text)) : NULL};
    }
    if (find_connection(control, name, arena, &job.connection, err) < 0 ||
        control_job_create(control, &job, &id, err) < 0)
        return -1;
    wake(cli);
    struct buffer text;
    buffer_init(&text, 64);
    buffer_printf(&text, "%lld\n", (long long)id);
    int code = print(cli, &text);
    buffer_done(&text);
    return code;
}

static int cancel(const struct cli *cli, struct control *control, int64_t id, struct error *err)
{
    int over = control_job_cancelling(control, id, clock_wall_ms(&clock_system), err);
    if (over == 0)
        wake(cli);
    if (over == 1)
        log_info(&cli->log, "job %lld is over already", (long long)id);
    return over < 0 ? -1 : CLI_OK;
}

static int act(const struct cli *cli, struct control *control, int argc, char **argv, struct arena *arena,
               struct error *err)
{
    const char *word = argv[1], *operand = argc > 2 ? argv[2] : NULL;
    int64_t id = 0;
    if (strcmp(word, "list") == 0)
        return list(cli, control, arena, err);
    assert(operand); /* every other word was checked to have one */
    if (strcmp(word, "start") == 0)
        return start(cli, control, operand, arena, err);
    if (!string_to_i64(operand, &id) || id <= 0)
        return error_set(err, ERROR_INVALID, "'%.40s' is no job's number", operand);
    return strcmp(word, "show") == 0  ? show(cli, control, id, arena, err)
           : strcmp(word, "log") == 0 ? show_log(cli, control, id, arena, err)
                                      : cancel(cli, control, id, err);
}

static int check_words(int argc, char **argv, struct error *err)
{
    static const char *const words[] = {"start", "show", "log", "cancel", "list"};
    enum { COUNT = sizeof words / sizeof *words };
    const char *word = argv[1];
    size_t i = 0;
    while (i < COUNT && strcmp(word, words[i]) != 0)
        i++;
    if (i == COUNT) {
        const char *near = string_nearest(word, words, COUNT);
        return error_set(err, ERROR_INVALID,
                         "'firth job %.40s': it is start CONNECTION, list, show JOB, log JOB or cancel "
                         "JOB%s%s%s",
                         word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    bool alone = strcmp(word, "list") == 0;
    if (!alone && argc == 2)
        return error_set(err, ERROR_INVALID, "'firth job %s' needs more: firth job %s %s", word, word,
                         strcmp(word, "start") == 0 ? "CONNECTION" : "JOB");
    if (alone && argc > 2)
        return error_set(err, ERROR_INVALID, "'firth job list' does not take '%.40s'", argv[2]);
    return 0;
}

/* An option that changes nothing is a slip: whoever gave it expects something else. */
static int check_options(const struct job_options *options, const char *word, struct error *err)
{
    bool start = strcmp(word, "start") == 0, list = strcmp(word, "list") == 0;
    if (options->type && type_of(options) == CONTROL_JOB_TYPE_COUNT)
        return error_set(err, ERROR_INVALID, "--type is sync, clear or refresh, not '%.40s'", options->type);
    if (!start && (options->streams.count || options->merge))
        return error_set(err, ERROR_INVALID, "--stream and --merge are of 'firth job start' alone");
    if (!start && !list && options->type)
        return error_set(err, ERROR_INVALID, "--type is of 'firth job start' and 'firth job list' alone");
    if (options->streams.count && type_of(options) == CONTROL_JOB_SYNC)
        return error_set(
            err, ERROR_INVALID,
            "a sync is of all streams of the connection: --stream is of --type clear or refresh");
    if (options->merge && type_of(options) != CONTROL_JOB_REFRESH)
        return error_set(err, ERROR_INVALID,
                         "--merge is of --type refresh: it leaves the rows that are there");
    return 0;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct arena arena;
    struct error err;
    if (check_words(argc, argv, &err) < 0 || check_options(cli->options, argv[1], &err) < 0)
        return cli_usage(cli, &err);
    bool changes = strcmp(argv[1], "start") == 0 || strcmp(argv[1], "cancel") == 0;
    if (data_dir_check(cli, &err) < 0)
        return cli_fail(cli, &err);
    mem_auto(control_close) struct control *control =
        control_open(cli->data_dir, changes ? CONTROL_CHANGE : CONTROL_LOOK, &err);
    if (!control)
        return cli_fail(cli, &err);
    arena_init(&arena);
    int code = act(cli, control, argc, argv, &arena, &err);
    arena_done(&arena);
    return code < 0 ? cli_fail(cli, &err) : code;
}

static const struct option_spec options[] = {
    {.name = "type",
     .kind = OPTION_STRING,
     .offset = offsetof(struct job_options, type),
     .value = "sync|clear|refresh",
     .help = "start: what is done (sync); list: these alone"},
    {.name = "stream",
     .kind = OPTION_LIST,
     .offset = offsetof(struct job_options, streams),
     .value = "[NAMESPACE.]NAME",
     .help = "start: of a clear, these streams alone; of a refresh, these anew"},
    {.name = "merge",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct job_options, merge),
     .help = "start: a refresh leaves the rows that are there"},
    {0},
};

const struct command cli_job = {
    .name = "job",
    .arguments = "start CONNECTION|list|show JOB|log JOB|cancel JOB",
    .summary = "start, follow and cancel the syncs of connections",
    .help = "A job is what is done for a connection that 'firth apply' or the API made, in one attempt or\n"
            "more; the daemon runs it. 'start' prints its number. 'list' and 'show' print JSON.\n"
            "\n"
            "  firth job start \"faker to disk\"\n"
            "  firth job show 1\n",
    .options = options,
    .options_size = sizeof(struct job_options),
    .operands_min = 1,
    .operands_max = 2,
    .run = run,
};
