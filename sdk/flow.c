#include "flow.h"

/* Requests come in, one a line, and are answered in order. Usually one program answers one request; several
 * do no harm. `open` begins a session, which goes to the end of the input or of the source. */

static int wrong_input(const struct flow *flow, struct slice line, const struct error *why,
                       struct firth_error *err)
{
    /* A frame of protobuf begins with its length in four bytes, the last of which is 0 for all but giants. */
    if (line.size && memchr(line.data, 0, line.size < 64 ? line.size : 64))
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "the input is no JSON, and looks like protobuf: this connector speaks JSON alone, "
                          "one message a line, as FLOW_RUNTIME_CODEC=json says");
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input is no JSON: %s",
                      (unsigned long long)flow->lines.number, why->message);
}

int flow_bad_line(const struct flow *flow, const struct error *library_err, struct firth_error *err)
{
    sdk_error(err, library_err);
    char message[sizeof err->message];
    memcpy(message, err->message, sizeof message);
    return firth_fail(err, err->failure, "line %llu of the input: %.3900s",
                      (unsigned long long)flow->lines.number, message);
}

int flow_out_of_place(const struct flow *flow, const char *request, const char *why, struct firth_error *err)
{
    return firth_fail(err, FIRTH_FAILURE_SYSTEM, "line %llu of the input: '%s' %s",
                      (unsigned long long)flow->lines.number, request, why);
}

int flow_next(struct flow *flow, int timeout_ms, struct firth_error *err)
{
    struct error library_err;
    struct slice line;
    for (;;) {
        int got = sdk_lines_next(&flow->lines, timeout_ms, &line, &library_err);
        if (got < 0)
            return firth_fail(err, FIRTH_FAILURE_SYSTEM, "%s", library_err.message);
        if (got != SDK_LINES_LINE)
            return got;
        if (line.size && line.data[line.size - 1] == '\r')
            line.size--;
        if (!line.size)
            continue;
        if (json_parse(flow->parser, line.data, line.size, &flow->line, &library_err) < 0)
            return wrong_input(flow, line, &library_err, err);
        return SDK_LINES_LINE;
    }
}

static int read_config(struct flow *flow, struct slice raw_config, bool check, void **ret_config,
                       struct firth_error *err)
{
    const struct firth_connector_class *class_ = flow->class_;
    struct error library_err;
    struct json doc;
    if (!raw_config.size)
        raw_config = SLICE_LITERAL("{}");
    void *config = arena_zalloc(&flow->arena, class_->config_size);
    if (class_->own && sdk_own_open(flow->host, raw_config, &config, err) < 0)
        return -1;
    if (!class_->own &&
        (json_parse_copy(&flow->arena, raw_config.data, raw_config.size, &doc, &library_err) < 0 ||
         sdk_options_read(sdk_options_of(class_, &doc, true), &doc, 0, config, &flow->arena, &library_err) <
             0))
        return sdk_error(err, &library_err);
    int (*own)(struct firth_host *, const void *, struct firth_error *) =
        class_->source.read ? class_->source.check : class_->destination.check;
    if (check && own && own(flow->host, config, err) < 0)
        return -1;
    *ret_config = config;
    return 0;
}

int flow_read_config(struct flow *flow, struct slice raw_config, bool check, void **ret_config,
                     struct firth_error *err)
{
    flow->host->checking = check;
    int result = read_config(flow, raw_config, check, ret_config, err);
    flow->host->checking = false;
    return result;
}

static int answer_all(struct flow *flow, struct firth_error *err)
{
    bool session = false;
    for (uint64_t answered = 0; !session; answered++) {
        int got = flow_next(flow, FLOW_WAIT_MS, err);
        if (got < 0)
            return -1;
        if (got == SDK_LINES_NONE && firth_stopping(flow->host))
            return 0;
        if (got == SDK_LINES_NONE)
            continue;
        if (got == SDK_LINES_END)
            return answered ? 0 : 1;
        arena_clear(&flow->arena);
        int result = flow->class_->source.read ? flow_capture_answer(flow, &session, err)
                                               : flow_materialize_answer(flow, &session, err);
        if (result < 0 || sdk_host_flush(flow->host) < 0)
            return -1;
    }
    return 0;
}

int sdk_run_flow(struct firth_host *host, int input, struct firth_error *err)
{
    struct flow flow = {.host = host, .class_ = host->class_};
    sdk_lines_init(&flow.lines, input, FLOW_LINE_MAX);
    flow.parser = json_parser_new(
        (struct json_limits){.size_max = FLOW_LINE_MAX, .depth_max = JSON_LIMITS_DEFAULT.depth_max + 8},
        JSON_DUPLICATES_LAST_WINS);
    arena_init(&flow.arena);
    int result = answer_all(&flow, err);
    if (result < 0 && host->failed)
        *err = host->error;
    else if (result < 0)
        sdk_host_flush(host); /* what was answered was answered */
    arena_done(&flow.arena);
    json_parser_free(flow.parser);
    sdk_lines_done(&flow.lines);
    return result;
}
