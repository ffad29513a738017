#include "connector/logs.h"

#include "json/json.h"

void connector_logs_init(struct connector_logs *logs, struct connector_secrets *secrets,
                         connector_on_log *on_log, void *context)
{
    *logs = (struct connector_logs){.secrets = secrets, .on_log = on_log, .context = context};
    buffer_init(&logs->partial, CONNECTOR_LOG_LINE_MAX);
    buffer_init(&logs->scratch, 4 * CONNECTOR_LOG_LINE_MAX);
    logs->parser = json_parser_new((struct json_limits){.size_max = CONNECTOR_LOG_LINE_MAX, .depth_max = 64},
                                   JSON_DUPLICATES_LAST_WINS);
}

void connector_logs_done(struct connector_logs *logs)
{
    buffer_done(&logs->partial);
    buffer_done(&logs->scratch);
    json_parser_free(logs->parser);
    for (size_t i = 0; i < CONNECTOR_LOGS_KEPT; i++)
        free(logs->last[i]);
    *logs = (struct connector_logs){0};
}

/* --- making a line readable ---------------------------------------------------------------------- */

/* Logs end on terminals and in messages: what is not printable, or not UTF-8, must not reach them. */
static void put_clean(struct buffer *out, struct slice text)
{
    bool valid = utf8_valid(text.data, text.size);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        bool c1 = byte == 0xc2 && i + 1 < text.size && (unsigned char)text.data[i + 1] < 0xa0;
        if (byte < 0x20 || byte == 0x7f)
            buffer_byte(out, ' ');
        else if (byte >= 0x80 && (!valid || c1))
            buffer_byte(out, '?');
        else
            buffer_byte(out, (char)byte);
        i += valid && c1;
    }
}

/* Without secrets, and then clean: they are looked for as they were written. */
static void put_text(struct connector_logs *logs, struct slice text, bool cut)
{
    struct buffer masked;
    buffer_init(&masked, 16 * CONNECTOR_LOG_LINE_MAX);
    connector_secrets_mask(logs->secrets, text, cut, &masked);
    put_clean(&logs->scratch, (struct slice){masked.data, masked.size});
    buffer_done(&masked);
}

static uint32_t member(const struct json *doc, const char *name, const char *other)
{
    uint32_t at = json_get(doc, 0, name);
    return at == JSON_NONE ? json_get(doc, 0, other) : at;
}

/* The members that are not shown as fields: the message and level have their place, the time is ours to say.
 */
static bool is_shown_elsewhere(const struct json *doc, uint32_t key)
{
    static const char *const names[] = {"message", "msg", "level", "lvl", "time", "ts", "timestamp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_string_is(doc, key, names[i]))
            return true;
    return false;
}

/* {"level":"error","msg":"it failed","error":"no route"} is shown as: it failed error="no route". */
static bool put_json_line(struct connector_logs *logs, struct slice line, enum log_level *ret_level)
{
    struct json doc;
    struct error unused;
    if (line.size == 0 || line.data[0] != '{' ||
        json_parse(logs->parser, line.data, line.size, &doc, &unused) < 0)
        return false;
    uint32_t message = member(&doc, "message", "msg"), level = member(&doc, "level", "lvl");
    if (!json_is(&doc, message, JSON_STRING))
        return false;
    struct arena arena;
    arena_init(&arena);
    int parsed = json_is(&doc, level, JSON_STRING) ? log_level_parse(json_cstring(&doc, level, &arena)) : -1;
    if (parsed >= 0)
        *ret_level = (enum log_level)parsed;
    put_text(logs, json_string(&doc, message, &arena), false);
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        if (is_shown_elsewhere(&doc, key))
            continue;
        buffer_byte(&logs->scratch, ' ');
        put_text(logs, json_string(&doc, key, &arena), false);
        buffer_byte(&logs->scratch, '=');
        put_text(logs, json_raw(&doc, json_value(key)), false);
    }
    arena_done(&arena);
    return true;
}

/* --- keeping the last ----------------------------------------------------------------------------- */

static void keep(struct connector_logs *logs, struct slice line)
{
    size_t cut = utf8_cut(line.data, line.size, CONNECTOR_LOG_KEPT_MAX);
    char **slot = &logs->last[logs->next];
    free(*slot);
    *slot = mem_printf("%.*s%s", (int)cut, line.data, cut < line.size ? "…" : "");
    logs->next = (logs->next + 1) % CONNECTOR_LOGS_KEPT;
}

/* What `scratch` holds is a line as it is to be shown. */
static void finish_line(struct connector_logs *logs, enum log_level level, connector_on_log *on_log)
{
    struct slice shown = {buffer_cstr(&logs->scratch), logs->scratch.size};
    if (level > LOG_TRACE) /* which tells nobody why it failed */
        keep(logs, shown);
    if (on_log)
        on_log(logs->context, level, shown);
}

void connector_logs_note(struct connector_logs *logs, struct slice line)
{
    buffer_clear(&logs->scratch);
    size_t size = utf8_cut(line.data, line.size, CONNECTOR_LOG_LINE_MAX);
    put_text(logs, (struct slice){line.data, size}, size < line.size);
    finish_line(logs, LOG_INFO, NULL);
}

static void take_line(struct connector_logs *logs, struct slice line)
{
    enum log_level level = LOG_INFO;
    while (line.size && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
        line.size--;
    if (line.size == 0)
        return;
    buffer_clear(&logs->scratch);
    if (!put_json_line(logs, line, &level))
        put_text(logs, line, logs->partial_cut);
    finish_line(logs, level, logs->on_log);
}

/* --- stderr as lines ------------------------------------------------------------------------------ */

/* Take as much of the unfinished line as a line may have. */
static void add_partial(struct connector_logs *logs, struct slice bytes)
{
    size_t room = CONNECTOR_LOG_LINE_MAX - logs->partial.size;
    buffer_append(&logs->partial, bytes.data, bytes.size < room ? bytes.size : room);
    logs->partial_cut |= bytes.size > room;
}

void connector_logs_end(struct connector_logs *logs)
{
    take_line(logs, (struct slice){logs->partial.data, logs->partial.size});
    buffer_clear(&logs->partial);
    logs->partial_cut = false;
}

void connector_logs_feed(struct connector_logs *logs, struct slice bytes)
{
    while (bytes.size) {
        const char *newline = memchr(bytes.data, '\n', bytes.size);
        size_t size = newline ? (size_t)(newline - bytes.data) : bytes.size;
        add_partial(logs, (struct slice){bytes.data, size});
        if (!newline)
            return;
        connector_logs_end(logs);
        bytes.data += size + 1;
        bytes.size -= size + 1;
    }
}

void connector_logs_describe(const struct connector_logs *logs, struct buffer *out)
{
    size_t total = 0, count = 0;
    /* From the newest back, as many as fit. */
    for (; count < CONNECTOR_LOGS_KEPT; count++) {
        const char *line =
            logs->last[(logs->next + 2 * CONNECTOR_LOGS_KEPT - 1 - count) % CONNECTOR_LOGS_KEPT];
        if (!line || total + strlen(line) + 3 > CONNECTOR_LOGS_MESSAGE_MAX)
            break;
        total += strlen(line) + 3;
    }
    buffer_str(out, count ? "; its last log lines:" : "; it logged nothing");
    for (; count > 0; count--) {
        buffer_str(out, "\n  ");
        buffer_str(out, logs->last[(logs->next + CONNECTOR_LOGS_KEPT - count) % CONNECTOR_LOGS_KEPT]);
    }
}
