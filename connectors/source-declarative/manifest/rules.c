/* What no table of fields says. The CDK finds these when it builds a component; here they are found before.
 */
#include "check.h"

static bool has(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = json_get(doc, at, field);
    return value != JSON_NONE && !json_is(doc, value, JSON_NULL);
}

static bool is_empty(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = json_get(doc, at, field);
    if (!has(checking, at, field))
        return true;
    if (json_is(doc, value, JSON_STRING))
        return json_inner(doc, value).size == 0;
    return (json_is(doc, value, JSON_OBJECT) || json_is(doc, value, JSON_ARRAY)) &&
           json_count(doc, value) == 0;
}

static void source_rules(struct checking *checking, uint32_t at)
{
    if (!has(checking, at, "streams") && !has(checking, at, "dynamic_streams"))
        check_error(checking, at, "there are no streams: expected `streams` or `dynamic_streams`");
}

static void check_rules_stream(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t names = json_get(doc, at, "stream_names"),
             dynamic = json_get(doc, at, "dynamic_streams_check_configs");
    if (json_count(doc, names) == 0 && json_count(doc, dynamic) == 0)
        check_warning(checking, at,
                      "no stream is checked: expected `stream_names` or `dynamic_streams_check_configs`");
}

static void option_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    bool name = has(checking, at, "field_name"), path = has(checking, at, "field_path");
    uint32_t target = json_get(doc, at, "inject_into");
    if (name == path)
        check_error(checking, at, "%s: expected one of `field_name` and `field_path`",
                    name ? "both are there" : "neither is there");
    else if (path && target != JSON_NONE && !json_string_is(doc, target, "body_json"))
        check_error(checking, at,
                    "`field_path` is for `inject_into: body_json` alone; expected `field_name`");
}

static void requester_rules(struct checking *checking, uint32_t at)
{
    if (is_empty(checking, at, "url") && is_empty(checking, at, "url_base"))
        check_error(checking, at, "there is no URL: expected `url`, or `url_base` and `path`");
    int bodies = !is_empty(checking, at, "request_body") + !is_empty(checking, at, "request_body_data") +
                 !is_empty(checking, at, "request_body_json");
    if (bodies > 1)
        check_error(checking, at,
                    "there is more than one body: expected one of `request_body`, `request_body_json` and "
                    "`request_body_data`");
}

static void key_rules(struct checking *checking, uint32_t at)
{
    bool header = has(checking, at, "header"), option = has(checking, at, "inject_into");
    if (header == option)
        check_error(checking, at, "%s: expected one of `inject_into` and `header`",
                    header ? "both are there" : "neither is there");
}

static void cursor_rules(struct checking *checking, uint32_t at)
{
    bool step = !is_empty(checking, at, "step"), granularity = !is_empty(checking, at, "cursor_granularity");
    if (step != granularity)
        check_error(checking, at, "`%s` is missing: `step` and `cursor_granularity` go together",
                    step ? "cursor_granularity" : "step");
    if (has(checking, at, "is_data_feed") && has(checking, at, "is_client_side_incremental")) {
        const struct json *doc = &checking->manifest->doc;
        if (json_is(doc, json_get(doc, at, "is_data_feed"), JSON_TRUE) &&
            json_is(doc, json_get(doc, at, "is_client_side_incremental"), JSON_TRUE))
            check_error(checking, at, "a stream is either `is_data_feed` or `is_client_side_incremental`");
    }
}

static void filter_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    if (json_count(doc, json_get(doc, at, "http_codes")) == 0 && is_empty(checking, at, "predicate") &&
        is_empty(checking, at, "error_message_contains"))
        check_warning(checking, at,
                      "it matches nothing: expected `http_codes`, `predicate` or `error_message_contains`");
}

void check_rules(struct checking *checking, uint32_t at, const struct component_type *type)
{
    static const struct {
        const char *type;
        void (*check)(struct checking *checking, uint32_t at);
    } rules[] = {
        {"ApiKeyAuthenticator", key_rules},    {"CheckStream", check_rules_stream},
        {"DatetimeBasedCursor", cursor_rules}, {"DeclarativeSource", source_rules},
        {"HttpRequester", requester_rules},    {"HttpResponseFilter", filter_rules},
        {"RequestOption", option_rules},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].type, type->name) == 0)
            rules[i].check(checking, at);
}
