/* Rules of the source and its requests. */
#include "rules.h"

#include "base/map.h"

static bool is_named(struct checking *checking, uint32_t stream, struct slice name)
{
    uint32_t its = rule_get(checking, stream, "name");
    return its != JSON_NONE && json_text_is(&checking->manifest->doc, its, name);
}

/* Those under a condition may stand in for each other. */
static void no_name_twice(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t streams = rule_get(checking, at, "streams");
    struct map names;
    map_init(&names);
    for (uint32_t each = json_first(doc, streams); each != JSON_NONE; each = json_next(doc, streams, each)) {
        uint32_t word = rule_get(checking, each, "name");
        if (word == JSON_NONE || !json_is(doc, word, JSON_STRING))
            continue;
        struct slice name = json_string(doc, word, checking->arena);
        if (map_get(&names, name))
            check_warning(checking, word, "there is a stream \"%.*s\" before: this one is read in its place",
                          (int)utf8_cut(name.data, name.size, 60), name.data);
        map_set(&names, name, checking);
    }
    map_done(&names);
}

static bool has_stream(struct checking *checking, uint32_t list, struct slice name)
{
    const struct json *doc = &checking->manifest->doc;
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        uint32_t within = rule_get(checking, each, "streams"); /* of ConditionalStreams */
        if (is_named(checking, each, name) || (within != JSON_NONE && has_stream(checking, within, name)))
            return true;
    }
    return false;
}

/* Found by a check alone; what streams are made, nobody knows before. */
static void checked_are_there(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t list = rule_get(checking, rule_get(checking, at, "check"), "stream_names");
    if (rule_is_empty(checking, at, "streams") || !rule_is_empty(checking, at, "dynamic_streams"))
        return;
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each)) {
        struct slice name =
            json_is(doc, each, JSON_STRING) ? json_string(doc, each, checking->arena) : (struct slice){0};
        if (name.data && !has_stream(checking, rule_get(checking, at, "streams"), name))
            check_warning(checking, each, "there is no stream \"%.*s\": every check would fail",
                          (int)utf8_cut(name.data, name.size, 60), name.data);
    }
}

static void source_rules(struct checking *checking, uint32_t at)
{
    enum { KNOWN_MAJOR = 7 }; /* of the language that table_*.c has */
    struct slice version = rule_text(checking, at, "version");
    unsigned major = 0;
    for (size_t i = 0; i < version.size && i < 6 && version.data[i] >= '0' && version.data[i] <= '9'; i++)
        major = major * 10 + (unsigned)(version.data[i] - '0');
    if (major > KNOWN_MAJOR)
        check_warning(checking, rule_get(checking, at, "version"),
                      "the manifest is of version %.*s, and Firth knows those up to %d: what came later is "
                      "missing",
                      (int)utf8_cut(version.data, version.size, 40), version.data, KNOWN_MAJOR);
    if (!rule_has(checking, at, "streams") && !rule_has(checking, at, "dynamic_streams"))
        check_error(checking, at, "there are no streams: expected `streams` or `dynamic_streams`");
    no_name_twice(checking, at);
    checked_are_there(checking, at);
}

/* Found by a check alone; what is read is none the worse. */
static void overrides_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t overrides = rule_get(checking, at, "config_overrides");
    for (uint32_t key = json_first_key(doc, overrides); key != JSON_NONE;
         key = json_next_key(doc, overrides, key))
        if (slice_starts_with(json_string(doc, key, checking->arena), "__airbyte"))
            check_warning(checking, key, "`config_overrides` has no `__airbyte…`, which is the platform's");
}

static void check_rules_stream(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    overrides_rules(checking, at);
    uint32_t names = json_get(doc, at, "stream_names"),
             dynamic = json_get(doc, at, "dynamic_streams_check_configs");
    if (json_count(doc, names) == 0 && json_count(doc, dynamic) == 0)
        check_warning(checking, at,
                      "no stream is checked: expected `stream_names` or `dynamic_streams_check_configs`");
}

static void option_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    bool name = rule_has(checking, at, "field_name"), path = rule_has(checking, at, "field_path");
    uint32_t target = json_get(doc, at, "inject_into");
    if (name ? path : rule_is_empty(checking, at, "field_path"))
        check_error(checking, at, "%s: expected one of `field_name` and `field_path`",
                    name ? "both are there" : "neither is there");
    else if (path && target != JSON_NONE && !json_string_is(doc, target, "body_json"))
        check_error(checking, at,
                    "`field_path` is for `inject_into: body_json` alone; expected `field_name`");
}

/* A path may be the whole of it, as of what an earlier answer says is to be fetched. */
static bool may_be_url(struct checking *checking, uint32_t at, const char *field)
{
    struct slice text = rule_text(checking, at, field);
    return text.data ? slice_starts_with(text, "http://") || slice_starts_with(text, "https://")
                     : !rule_is_empty(checking, at, field);
}

static void requester_rules(struct checking *checking, uint32_t at)
{
    if (rule_is_empty(checking, at, "url") && rule_is_empty(checking, at, "url_base") &&
        !may_be_url(checking, at, "path"))
        check_error(checking, at, "there is no URL: expected `url`, or `url_base` and `path`");
    int bodies = !rule_is_empty(checking, at, "request_body") +
                 !rule_is_empty(checking, at, "request_body_data") +
                 !rule_is_empty(checking, at, "request_body_json");
    if (bodies > 1)
        check_error(checking, at,
                    "there is more than one body: expected one of `request_body`, `request_body_json` and "
                    "`request_body_data`");
}

static void key_rules(struct checking *checking, uint32_t at)
{
    bool header = rule_has(checking, at, "header"), option = rule_has(checking, at, "inject_into");
    if (header == option)
        check_error(checking, at, "%s: expected one of `inject_into` and `header`",
                    header ? "both are there" : "neither is there");
}

static void filter_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    if (json_count(doc, json_get(doc, at, "http_codes")) == 0 && rule_is_empty(checking, at, "predicate") &&
        rule_is_empty(checking, at, "error_message_contains"))
        check_warning(checking, at,
                      "it matches nothing: expected `http_codes`, `predicate` or `error_message_contains`");
}

static void handlers_rules(struct checking *checking, uint32_t at)
{
    rule_not_empty(checking, at, "error_handlers");
}

static void window_rules(struct checking *checking, uint32_t at)
{
    rule_not_empty(checking, at, "rates");
    struct duration period;
    bool has_months = rule_duration_of(checking, at, "period", &period) && period.is_duration;
    rule_duration(checking, at, "period", !has_months);
}

/* A number that is written as one or as a text: is it less than 1? */
static bool is_below_one(struct checking *checking, uint32_t at, const char *field)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t value = rule_get(checking, at, field);
    struct slice text = rule_text(checking, at, field);
    double number;
    int64_t written;
    if (value == JSON_NONE)
        return false;
    if (text.size)
        return string_to_i64(arena_strndup(checking->arena, text.data, text.size), &written) && written < 1;
    return json_to_double(doc, value, &number) && number < 1;
}

static void fixed_rules(struct checking *checking, uint32_t at)
{
    window_rules(checking, at);
    if (is_below_one(checking, at, "call_limit")) /* found at the first call */
        check_warning(checking, rule_get(checking, at, "call_limit"),
                      "`call_limit` must be 1 or more: no call would be made");
}

static void rate_rules(struct checking *checking, uint32_t at)
{
    if (is_below_one(checking, at, "limit"))
        check_error(checking, rule_get(checking, at, "limit"), "`limit` must be 1 or more");
    rule_duration(checking, at, "interval", true);
}

static void tokens_rules(struct checking *checking, uint32_t at)
{
    rule_duration(checking, at, "max_wait_time", false);
}

static void matcher_rules(struct checking *checking, uint32_t at)
{
    rule_pattern(checking, at, "url_path_pattern", check_error);
    if (is_below_one(checking, at, "weight"))
        check_error(checking, rule_get(checking, at, "weight"), "`weight` must be 1 or more");
}

static void wait_rules(struct checking *checking, uint32_t at)
{
    rule_pattern(checking, at, "regex", check_warning); /* found at the first wait */
}

/* A wrong name would fail at each answer, and nobody would wait. */
static void answer_rules(struct checking *checking, uint32_t at)
{
    static const char *const known[] = {"config", "parameters", "response", "headers"};
    const struct slice *names;
    size_t count = rule_free_names(checking, at, "wait_time_in_seconds", &names);
    for (size_t i = 0; i < count; i++) {
        bool is_known = false;
        for (size_t j = 0; j < sizeof known / sizeof *known; j++)
            is_known |= slice_is(names[i], known[j]);
        if (!is_known)
            check_error(checking, rule_get(checking, at, "wait_time_in_seconds"),
                        "`wait_time_in_seconds` has `%.*s`; expected config, parameters, response or headers",
                        (int)utf8_cut(names[i].data, names[i].size, 60), names[i].data);
    }
}

static void concurrency_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t level = rule_get(checking, at, "default_concurrency");
    double most = 0;
    json_to_double(doc, rule_get(checking, at, "max_concurrency"), &most);
    if (level == JSON_NONE || !json_is(doc, level, JSON_STRING) || most != 0)
        return;
    struct slice text = json_string(doc, level, checking->arena);
    if (memmem(text.data, text.size, "config", 6))
        check_error(checking, level,
                    "`default_concurrency` is what the config says, and needs `max_concurrency`");
}

/* Found when the first request is signed: other streams are read. */
static void not_among(struct checking *checking, uint32_t at, const char *field, const char *const *reserved)
{
    for (; *reserved; reserved++) {
        uint32_t value = json_get(&checking->manifest->doc, rule_get(checking, at, field), *reserved);
        if (value != JSON_NONE)
            check_warning(checking, value, "\"%s\" has a field of its own, and cannot be in `%s`", *reserved,
                          field);
    }
}

static void jwt_rules(struct checking *checking, uint32_t at)
{
    static const char *const headers[] = {"kid", "alg", "typ", "cty", NULL};
    static const char *const claims[] = {"iss", "sub", "aud", "iat", "exp", "nbf", NULL};
    not_among(checking, at, "additional_jwt_headers", headers);
    not_among(checking, at, "additional_jwt_payload", claims);
}

static bool says_refusals(struct checking *checking, uint32_t at)
{
    return !rule_is_empty(checking, at, "refresh_token_error_status_codes") ||
           !rule_is_empty(checking, at, "refresh_token_error_key") ||
           !rule_is_empty(checking, at, "refresh_token_error_values");
}

static void oauth_rules(struct checking *checking, uint32_t at)
{
    bool updates = rule_has(checking, at, "refresh_token_updater");
    bool asserts = !updates && rule_is_true(checking, at, "use_profile_assertion");
    uint32_t grant = json_get(&checking->manifest->doc, at, "grant_type");
    bool exchanges = grant == JSON_NONE || json_string_is(&checking->manifest->doc, grant, "refresh_token");
    if (updates && says_refusals(checking, at) &&
        says_refusals(checking, json_get(&checking->manifest->doc, at, "refresh_token_updater")))
        check_error(checking, at,
                    "`refresh_token_error_…` are in the authenticator and in its `refresh_token_updater`: "
                    "expected one of them");
    uint32_t check = json_get(&checking->manifest->doc, 0, "check");
    if (updates && !rule_is_empty(checking, check, "config_overrides"))
        check_warning(
            checking, at,
            "a `refresh_token_updater` writes the config back, and with the check's `config_overrides` it "
            "would keep what only the check is to see");
    if (asserts && !rule_has(checking, at, "profile_assertion"))
        check_error(checking, at, "`use_profile_assertion` needs `profile_assertion`");
    if (asserts || !rule_has(checking, at, "token_refresh_endpoint"))
        return;
    /* Where tokens are kept in the config, the client may be there, too. */
    if (!updates && (!rule_has(checking, at, "client_id") || !rule_has(checking, at, "client_secret")))
        check_error(checking, at, "`client_id` and `client_secret` are needed to fetch a token");
    else if (!updates && exchanges && !rule_has(checking, at, "refresh_token"))
        check_error(checking, at, "`refresh_token` is needed where `grant_type` is refresh_token");
}

/* Mappings of a resolver that sees no config. */
static void resolver_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t list = json_get(doc, at, "components_mapping");
    if (list == JSON_NONE || !json_is(doc, list, JSON_ARRAY))
        return;
    for (uint32_t each = json_first(doc, list); each != JSON_NONE; each = json_next(doc, list, each))
        if (json_is(doc, each, JSON_OBJECT) && !rule_is_empty(checking, each, "condition"))
            check_error(checking, each, "`condition` is for ConfigComponentsResolver alone");
}

static void config_rules(struct checking *checking, uint32_t at)
{
    rule_not_empty(checking, at, "field_path");
}

const struct rule REQUEST_RULES[] = {
    {"ApiKeyAuthenticator", key_rules},
    {"CheckDynamicStream", overrides_rules},
    {"CheckStream", check_rules_stream},
    {"CompositeErrorHandler", handlers_rules},
    {"ConcurrencyLevel", concurrency_rules},
    {"ConfigRemapField", config_rules},
    {"DeclarativeSource", source_rules},
    {"DpathValidator", config_rules},
    {"FixedWindowCallRatePolicy", fixed_rules},
    {"HttpComponentsResolver", resolver_rules},
    {"HttpRequestRegexMatcher", matcher_rules},
    {"HttpRequester", requester_rules},
    {"HttpResponseFilter", filter_rules},
    {"JwtAuthenticator", jwt_rules},
    {"MovingWindowCallRatePolicy", window_rules},
    {"OAuthAuthenticator", oauth_rules},
    {"ParametrizedComponentsResolver", resolver_rules},
    {"Rate", rate_rules},
    {"RateLimitedMultipleTokenAuthenticator", tokens_rules},
    {"RequestOption", option_rules},
    {"WaitTimeFromHeader", wait_rules},
    {"WaitTimeFromResponse", answer_rules},
    {"WaitUntilTimeFromHeader", wait_rules},
    {.type = NULL},
};
