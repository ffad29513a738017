/* Triggers of a materialization: requests to be sent after its commits, each with a payload made of a
 * template. */
#include "catalog/loader.h"
#include "catalog/trigger_template.h"
#include "json/writer.h"

enum {
    TIMEOUT_MS = 30 * 1000,
    TIMEOUT_MAX_MS = 10 * 60 * 1000,
    ATTEMPTS = 3,
    ATTEMPTS_MAX = 20,
    TRIGGERS_MAX = 64,
};

/* A name of a header, and what it may hold: no line must become two. */
static bool header_valid(const char *name, const char *content)
{
    for (const char *at = name; *at; at++) {
        if (*at <= ' ' || *at >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *at))
            return false;
    }
    return *name && !strpbrk(content, "\r\n");
}

static void put_headers(struct loader *loader, struct value mapping, struct json_writer *writer)
{
    loader->hides = true;
    json_begin_object(writer);
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key)) {
        struct value value = value_of_key(key);
        const char *name = value_string(loader, key);
        const char *content = value_is(loader, value, TYPE_STRING, "the value of a header")
                                  ? value_string(loader, value)
                                  : NULL;
        if (name && content && !header_valid(name, content))
            loader_problem(loader, key, "'%s' cannot be a header, or its value has a line break",
                           value_written(loader, key));
        else if (name && content)
            json_member_string(writer, name, content);
    }
    json_end_object(writer);
    loader->hides = false;
}

/* With values that stand for those of a commit: what a template asks for that is not there is found now. */
static void check_template(struct loader *loader, struct value value, const char *template,
                           struct slice headers)
{
    struct buffer context, out;
    struct json doc;
    struct error err;
    buffer_init(&context, BUFFER_UNLIMITED);
    buffer_init(&out, TRIGGER_PAYLOAD_MAX);
    buffer_printf(&context,
                  "{\"collection_names\":[\"a/b\"],\"connector_image\":\"i\",\"materialization_name\":\"m\","
                  "\"flow_published_at_min\":\"t\",\"flow_published_at_max\":\"t\",\"flow_run_id\":\"r\","
                  "\"run_id\":\"r\",\"headers\":%.*s}",
                  SLICE_ARGS(headers));
    if (json_parse_copy(&loader->scratch, context.data, context.size, &doc, &err) < 0 ||
        trigger_template_render(slice_of(template), &doc, &out, &err) < 0)
        loader_problem(loader, value, "'payloadTemplate': %s", err.message);
    buffer_done(&context);
    buffer_done(&out);
}

static void put_trigger(struct loader *loader, struct value value, struct json_writer *writer)
{
    enum { URL, PAYLOAD, METHOD, HEADERS, TIMEOUT, ATTEMPTS_WANTED, COUNT };
    static const struct key_rule rules[COUNT] = {
        [URL] = {"url", TYPE_STRING, true},
        [PAYLOAD] = {"payloadTemplate", TYPE_STRING, true},
        [METHOD] = {"method", TYPE_STRING | TYPE_NULL, false},
        [HEADERS] = {"headers", TYPE_MAPPING | TYPE_NULL, false},
        [TIMEOUT] = {"timeout", TYPE_DURATION | TYPE_NULL, false},
        [ATTEMPTS_WANTED] = {"maxAttempts", TYPE_INTEGER | TYPE_NULL, false},
    };
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    struct value values[COUNT];
    uint64_t timeout_ms = TIMEOUT_MS, attempts = ATTEMPTS;
    int method = 0;
    if (!value_members(loader, value, "a trigger", rules, COUNT, values))
        return;
    const char *url = value_there(values[URL]) ? value_string(loader, values[URL]) : NULL;
    const char *template = value_there(values[PAYLOAD]) ? value_string(loader, values[PAYLOAD]) : NULL;
    if (url && !string_starts_with(url, "http://") && !string_starts_with(url, "https://"))
        loader_problem(loader, values[URL], "'url' must begin with http:// or https://");
    if (value_has_tag(values[METHOD], JSON_STRING))
        method = value_word(loader, values[METHOD], "'method'", methods, RULES_COUNT(methods));
    if (value_has_tag(values[TIMEOUT], JSON_STRING))
        value_duration(loader, values[TIMEOUT], "'timeout'", &timeout_ms);
    if (value_has_tag(values[ATTEMPTS_WANTED], JSON_INTEGER))
        value_u64(loader, values[ATTEMPTS_WANTED], "'maxAttempts'", 1, ATTEMPTS_MAX, &attempts);
    timeout_ms = timeout_ms < 1000 ? 1000 : timeout_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : timeout_ms;
    json_begin_object(writer);
    json_member_string(writer, "url", url ? url : "");
    json_member_string(writer, "method", methods[method < 0 ? 0 : method]);
    json_member_string(writer, "payloadTemplate", template ? template : "");
    json_member_u64(writer, "timeoutMs", timeout_ms);
    json_member_u64(writer, "maxAttempts", attempts);
    struct buffer headers;
    struct json_writer inner;
    buffer_init(&headers, BUFFER_UNLIMITED);
    json_writer_init(&inner, &headers);
    put_headers(loader, values[HEADERS], &inner);
    json_member_raw(writer, "headers", (struct slice){headers.data, headers.size});
    if (template)
        check_template(loader, values[PAYLOAD], template, (struct slice){headers.data, headers.size});
    if (headers.data)
        explicit_bzero(headers.data, headers.size);
    buffer_done(&headers);
    json_end_object(writer);
}

struct slice triggers_build(struct loader *loader, struct value value)
{
    enum { CONFIG, INTERVAL, SOPS, COUNT };
    static const struct key_rule rules[COUNT] = {
        [CONFIG] = {"config", TYPE_LIST, true},
        [INTERVAL] = {"interval", TYPE_DURATION | TYPE_NULL, false},
        [SOPS] = {"sops", TYPE_MAPPING | TYPE_NULL, false}, /* how Flow has encrypted it */
    };
    struct value values[COUNT];
    struct json_writer writer;
    struct buffer text;
    uint64_t interval_ms = 0;
    if (!value_has_tag(value, JSON_OBJECT) ||
        !value_members(loader, value, "'triggers'", rules, COUNT, values))
        return (struct slice){0};
    if (value_has_tag(values[INTERVAL], JSON_STRING))
        value_duration(loader, values[INTERVAL], "'interval'", &interval_ms);
    if (value_count(values[CONFIG]) > TRIGGERS_MAX)
        loader_problem(loader, values[CONFIG], "%zu triggers; at most %d are possible",
                       value_count(values[CONFIG]), TRIGGERS_MAX);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_u64(&writer, "intervalMs", interval_ms);
    json_put_key(&writer, "config");
    json_begin_array(&writer);
    for (struct value each = value_first(values[CONFIG]); value_there(each);
         each = value_next(values[CONFIG], each))
        put_trigger(loader, each, &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    struct slice built = {arena_dup(loader->arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return value_count(values[CONFIG]) ? built : (struct slice){0};
}
