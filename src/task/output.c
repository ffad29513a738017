#include "task/output.h"

#include <stdlib.h>
#include <strings.h>

enum {
    EXCERPT_MAX = 120,
    NAME_MAX_KEPT = 1024, /* bytes of a stream's name in a failure */
    MASK_MAX = 64 * 1024, /* of one text: what is longer is cut before it is shown */
};

void task_output_init(struct task_output *output, const char *label, struct task_report *report,
                      const struct connector_limits *limits)
{
    *output = (struct task_output){.label = label, .report = report};
    arena_init(&output->arena);
    buffer_init(&output->masked, (size_t)4 * MASK_MAX);
    output->parser = json_parser_new((struct json_limits){.size_max = (uint32_t)limits->line_max,
                                                          .depth_max = JSON_LIMITS_DEFAULT.depth_max},
                                     JSON_DUPLICATES_LAST_WINS);
}

static void forget_failure(struct task_output *output)
{
    char **const texts[] = {&output->failure_message, &output->failure_internal, &output->failure_stack,
                            &output->failure_stream, &output->failure_namespace};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}

void task_output_done(struct task_output *output)
{
    json_parser_free(output->parser);
    arena_done(&output->arena);
    buffer_done(&output->masked);
    forget_failure(output);
    output->parser = NULL;
}

void task_output_on_log(void *context, enum log_level level, struct slice line)
{
    struct task_output *output = context;
    task_report_log(output->report, level, output->label, line);
}

/* The text as it may be shown, valid until the next call. */
static struct slice masked(struct task_output *output, struct slice text)
{
    buffer_clear(&output->masked);
    connector_mask_cut(output->process, text, MASK_MAX, &output->masked);
    return (struct slice){buffer_cstr(&output->masked), output->masked.size};
}

static void take_log(struct task_output *output, enum log_level level, struct slice text)
{
    connector_note_log(output->process, level, text);
    task_output_on_log(output, level, masked(output, text));
}

/* --- lines that are no message ------------------------------------------------------------------- */

/* A line as a person should see it in an error: without secrets, cut short, control bytes replaced. */
static void excerpt(struct task_output *output, struct slice line, char *text, size_t size)
{
    line = masked(output, line);
    size_t length = line.size < EXCERPT_MAX ? line.size : EXCERPT_MAX;
    bool valid = utf8_valid(line.data, utf8_cut(line.data, length, length));
    if (valid)
        length = utf8_cut(line.data, line.size, EXCERPT_MAX);
    size_t at = 0;
    for (size_t i = 0; i < length && at + 4 < size; i++) {
        unsigned char c = (unsigned char)line.data[i];
        text[at++] = c < 0x20 || c == 0x7f || (c >= 0x80 && !valid) ? '?' : (char)c;
    }
    snprintf(text + at, size - at, "%s", length < line.size ? "..." : "");
}

/* What the parser says of its only line, without that line's number. */
static const char *in_the_line(const char *message)
{
    static const char first[] = "line 1, ";
    return string_starts_with(message, first) ? message + sizeof first - 1 : message;
}

static void keep_torn(struct task_output *output, struct slice line, const struct error *why)
{
    char shown[EXCERPT_MAX + 8];
    excerpt(output, line, shown, sizeof shown);
    error_set(&output->torn_error, why->code == ERROR_LIMIT ? ERROR_LIMIT : ERROR_PROTOCOL,
              "%s wrote a line that is not valid JSON, line %llu of its output: %s: %s", output->label,
              (unsigned long long)output->lines, in_the_line(why->message), shown);
    output->torn_error.retriable = why->code != ERROR_LIMIT;
    output->torn = true;
}

static bool contains(struct slice line, const char *text)
{
    return line.data && memmem(line.data, line.size, text, strlen(text)) != NULL;
}

/* A RECORD or STATE that lacks the right type: {"type":"record","record":{…}}. */
static bool resembles_message(const struct json *line, uint32_t at)
{
    uint32_t type = json_get(line, at, "type");
    if (json_is(line, type, JSON_STRING)) {
        struct slice name = json_inner(line, type);
        if ((name.size == 6 && strncasecmp(name.data, "RECORD", 6) == 0) ||
            (name.size == 5 && strncasecmp(name.data, "STATE", 5) == 0))
            return true;
    }
    return json_is(line, json_get(line, at, "record"), JSON_OBJECT) ||
           json_is(line, json_get(line, at, "state"), JSON_OBJECT);
}

/* Does a line that is no message evidently carry one? To take it for a log would lose a document. `parsed` is
 * NULL for what is no JSON. */
static bool carries_message(struct slice line, const struct json *parsed)
{
    if (contains(line, "{") && (contains(line, "\"RECORD\"") || contains(line, "\"STATE\"")))
        return true;
    if (!parsed)
        return line.size > 3 && memcmp(line.data, "\xef\xbb\xbf{", 4) == 0;
    if (json_is(parsed, 0, JSON_OBJECT))
        return resembles_message(parsed, 0);
    if (!json_is(parsed, 0, JSON_ARRAY))
        return false;
    for (uint32_t e = json_first(parsed, 0); e != JSON_NONE; e = json_next(parsed, 0, e))
        if (json_is(parsed, e, JSON_OBJECT) && resembles_message(parsed, e))
            return true;
    return false;
}

static int misplaced_message(struct task_output *output, struct slice line, struct error *err)
{
    char shown[EXCERPT_MAX + 8];
    excerpt(output, line, shown, sizeof shown);
    error_set(
        err, ERROR_PROTOCOL,
        "%s, line %llu of its output: a message is in it, but the line is none; right would be a line "
        "for each message that holds it alone, from '{' to '}' (no text or byte order mark before it, no "
        "array around it), with \"type\":\"RECORD\" or \"STATE\": %s",
        output->label, (unsigned long long)output->lines, shown);
    err->retriable = true;
    return -1;
}

/* Plain text is a log, as Airbyte's platform has it; a flood of it is not. */
static int take_stray(struct task_output *output, struct slice line, struct error *err)
{
    if (++output->stray_lines <= TASK_STRAY_LINES_MAX) {
        take_log(output, LOG_INFO, line);
        return 0;
    }
    char shown[EXCERPT_MAX + 8];
    excerpt(output, line, shown, sizeof shown);
    error_set(err, ERROR_PROTOCOL,
              "%s wrote more than %d lines that are no messages; the last, line %llu of its output: %s",
              output->label, TASK_STRAY_LINES_MAX, (unsigned long long)output->lines, shown);
    err->retriable = true;
    return -1;
}

static int broken_message(struct task_output *output, struct slice line, struct error *err)
{
    char shown[EXCERPT_MAX + 8];
    excerpt(output, line, shown, sizeof shown);
    struct error why = *err;
    struct slice what = masked(output, slice_of(in_the_line(why.message))); /* it may show a value */
    error_set(err, ERROR_PROTOCOL, "%s, line %llu of its output: %.*s: %s", output->label,
              (unsigned long long)output->lines, SLICE_ARGS(what), shown);
    err->retriable = true;
    return -1;
}

/* --- messages ------------------------------------------------------------------------------------ */

static char *kept_text(struct task_output *output, uint32_t node)
{
    if (!json_is(&output->line, node, JSON_STRING))
        return NULL;
    struct slice text = masked(output, json_string(&output->line, node, &output->arena));
    return text.size ? mem_strndup(text.data, text.size) : NULL;
}

static char *kept_name(struct slice name)
{
    return name.size ? mem_strndup(name.data, utf8_cut(name.data, name.size, NAME_MAX_KEPT)) : NULL;
}

/* What the trace says beside the one line that the error has. */
static void keep_failure(struct task_output *output)
{
    const struct airbyte_message *message = &output->message;
    struct slice type = json_is(&output->line, message->trace.failure_type, JSON_STRING)
                            ? json_string(&output->line, message->trace.failure_type, &output->arena)
                            : SLICE_LITERAL("system_error");
    forget_failure(output);
    snprintf(output->failure_type, sizeof output->failure_type, "%.*s",
             (int)utf8_cut(type.data, type.size, sizeof output->failure_type - 1), type.data);
    output->failure_message = kept_text(output, message->trace.message);
    output->failure_internal = kept_text(output, message->trace.internal_message);
    output->failure_stack = kept_text(output, message->trace.stack_trace);
    output->failure_stream = kept_name(message->trace.stream.name);
    output->failure_namespace = kept_name(message->trace.stream.namespace);
}

void task_output_tell_failure(const struct task_output *output, const char *origin)
{
    if (!output->failed)
        return;
    const struct task_failure failure = {.origin = origin,
                                         .type = output->failure_type,
                                         .message = output->failure_message,
                                         .internal = output->failure_internal,
                                         .stack = output->failure_stack,
                                         .stream = output->failure_stream,
                                         .namespace = output->failure_namespace};
    task_report_failure(output->report, &failure);
}

/* Keep the first; a config_error takes the place of another kind. */
static void take_failure(struct task_output *output)
{
    const struct airbyte_message *message = &output->message;
    uint32_t type = message->trace.failure_type;
    bool config =
        json_is(&output->line, type, JSON_STRING) && json_string_is(&output->line, type, "config_error");
    if (output->failed && (output->failed_by_config || !config))
        return;
    struct slice text = {0}, stream = message->trace.stream.name;
    if (json_is(&output->line, message->trace.message, JSON_STRING))
        text = json_string(&output->line, message->trace.message, &output->arena);
    if (text.size == 0 && json_is(&output->line, message->trace.internal_message, JSON_STRING))
        text = json_string(&output->line, message->trace.internal_message, &output->arena);
    if (text.size == 0)
        text = SLICE_LITERAL("it failed and did not say why");
    text = masked(output, text);
    size_t cut = utf8_cut(text.data, text.size, sizeof output->failure - 256);
    if (stream.size)
        snprintf(output->failure, sizeof output->failure, "stream '%.*s': %.*s",
                 (int)utf8_cut(stream.data, stream.size, 200), stream.data, (int)cut, text.data);
    else
        snprintf(output->failure, sizeof output->failure, "%.*s", (int)cut, text.data);
    output->failed = true;
    output->failed_by_config = config;
    keep_failure(output);
}

/* 1: for the owner; 0: dealt with. */
static int take_message(struct task_output *output, struct slice line, struct error *err)
{
    const struct airbyte_message *message = &output->message;
    switch (message->type) {
    case AIRBYTE_NOT_A_MESSAGE:
        if (output->reads && carries_message(line, &output->line))
            return misplaced_message(output, line, err);
        return take_stray(output, line, err);
    case AIRBYTE_LOG:
        if (json_is(&output->line, message->log.message, JSON_STRING))
            take_log(output, (enum log_level)message->log.level,
                     json_string(&output->line, message->log.message, &output->arena));
        return 0;
    case AIRBYTE_TRACE:
        if (message->trace.type != AIRBYTE_TRACE_ERROR)
            return 1;
        take_failure(output);
        return 0;
    default:
        return 1;
    }
}

static int take_line(struct task_output *output, struct slice line, struct error *err)
{
    struct error why;
    if (json_parse(output->parser, line.data, line.size, &output->line, &why) < 0) {
        if (line.data[0] == '{') {
            keep_torn(output, line, &why);
        } else if (output->reads && carries_message(line, NULL)) {
            misplaced_message(output, line, &output->torn_error);
            output->torn = true;
        } else {
            return take_stray(output, line, err);
        }
        /* Only the last line of all may be torn; how the connector ended then tells more than the line. */
        if (connector_output_ended(output->process))
            return 0;
        *err = output->torn_error;
        return -1;
    }
    arena_clear(&output->arena);
    if (airbyte_decode(&output->line, &output->arena, &output->message, err) < 0)
        return broken_message(output, line, err);
    output->raw = line;
    return take_message(output, line, err);
}

int task_output_next(struct task_output *output, struct error *err)
{
    struct slice line;
    while (connector_next_line(output->process, &line) == 1) {
        if (output->torn) { /* it was not the last line */
            *err = output->torn_error;
            return -1;
        }
        output->lines++;
        if (line.size == 0)
            continue;
        int got = take_line(output, line, err);
        if (got != 0)
            return got;
    }
    return 0;
}

int task_output_result(const struct task_output *output, struct error *err)
{
    struct error exit;
    int result = connector_result(output->process, &exit);
    if (output->failed) {
        /* Its own words first, how it ended and its log after them. */
        error_set(err, output->failed_by_config ? ERROR_INVALID : ERROR_CONNECTOR, "%s: %s%s%s",
                  output->label, output->failure, result < 0 ? "; " : "", result < 0 ? exit.message : "");
        err->retriable = !output->failed_by_config;
        return -1;
    }
    if (result < 0) {
        if (output->torn && exit.code != ERROR_CANCELLED) /* one that we end may tear what it likes */
            task_report_torn(output->report, &output->torn_error);
        *err = exit;
    } else if (output->torn) {
        *err = output->torn_error;
        connector_add_logs(output->process, err);
    }
    return result < 0 || output->torn ? -1 : 0;
}
