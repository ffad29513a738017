/* Requests: options, bodies, authenticators, error handlers, budgets. */
#include "table.h"

#define AUTHENTICATORS                                                      \
    "NoAuth|ApiKeyAuthenticator|BasicHttpAuthenticator|BearerAuthenticator" \
    "|OAuthAuthenticator|JwtAuthenticator|SessionTokenAuthenticator"        \
    "|LegacySessionTokenAuthenticator|SelectiveAuthenticator"               \
    "|RateLimitedMultipleTokenAuthenticator|CustomAuthenticator"
#define BACKOFFS                                                            \
    "ConstantBackoffStrategy|ExponentialBackoffStrategy|WaitTimeFromHeader" \
    "|WaitTimeFromResponse|WaitUntilTimeFromHeader|CustomBackoffStrategy"

static const struct component_field none[] = {{.name = NULL}};

static const struct component_field custom[] = {
    {"class_name", "string", .required = true},
    {.name = NULL},
};

static const struct component_field http_requester[] = {
    {"url_base", "string", .instead = "url"},
    {"url", "string"},
    {"path", "string", .instead = "url"},
    {"http_method", "'GET'|'POST'", .preset = "\"GET\""},
    {"authenticator", AUTHENTICATORS},
    {"fetch_properties_from_endpoint", "PropertiesFromEndpoint", .instead = "query_properties"},
    {"query_properties", "QueryProperties"},
    {"request_parameters", "{string|QueryProperties}|string"},
    {"request_headers", "{string}|string"},
    {"request_body_data", "{string}|string", .instead = "request_body"},
    {"request_body_json", "object|string", .instead = "request_body"},
    {"request_body",
     "RequestBodyPlainText|RequestBodyUrlEncodedForm|RequestBodyJsonObject|RequestBodyGraphQL"},
    {"error_handler", "DefaultErrorHandler|CompositeErrorHandler|CustomErrorHandler"},
    {"use_cache", "boolean", .preset = "false"},
    {"connect_timeout_in_seconds", "number", .least = ">0"},
    {"read_timeout_in_seconds", "number", .least = ">0"},
    {"use_tcp_keepalive", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field request_option[] = {
    {"inject_into", "'request_parameter'|'header'|'body_data'|'body_json'", .required = true},
    {"field_name", "string"},
    {"field_path", "[string]"},
    {.name = NULL},
};

static const struct component_field request_body_plain_text[] = {
    {"value", "string", .required = true},
    {.name = NULL},
};

static const struct component_field request_body_url_encoded_form[] = {
    {"value", "{string}", .required = true},
    {.name = NULL},
};

static const struct component_field request_body_json_object[] = {
    {"value", "object", .required = true},
    {.name = NULL},
};

static const struct component_field request_body_graph_ql[] = {
    {"value", "RequestBodyGraphQlQuery", .required = true},
    {.name = NULL},
};

static const struct component_field request_body_graph_ql_query[] = {
    {"query", "string", .required = true, .preset = "\"query {\\n    \\n}\""},
    {.name = NULL},
};

static const struct component_field api_key_authenticator[] = {
    {"api_token", "string"},
    {"header", "string"},
    {"inject_into", "RequestOption"},
    {.name = NULL},
};

static const struct component_field basic_http_authenticator[] = {
    {"username", "string", .required = true},
    {"password", "string"},
    {.name = NULL},
};

static const struct component_field bearer_authenticator[] = {
    {"api_token", "string", .required = true},
    {.name = NULL},
};

static const struct component_field o_auth_authenticator[] = {
    {"client_id_name", "string", .preset = "\"client_id\""},
    {"client_id", "string"},
    {"client_secret_name", "string", .preset = "\"client_secret\""},
    {"client_secret", "string"},
    {"refresh_token_name", "string", .preset = "\"refresh_token\""},
    {"refresh_token", "string"},
    {"token_refresh_endpoint", "string"},
    {"access_token_name", "string", .preset = "\"access_token\""},
    {"access_token_value", "string"},
    {"expires_in_name", "string", .preset = "\"expires_in\""},
    {"grant_type_name", "string", .preset = "\"grant_type\""},
    {"grant_type", "string", .preset = "\"refresh_token\""},
    {"refresh_request_body", "object"},
    {"refresh_request_headers", "object"},
    {"send_refresh_request_as_query_params", "boolean", .preset = "false"},
    {"scopes", "[string]"},
    {"token_expiry_date", "string"},
    {"token_expiry_date_format", "string"},
    {"refresh_token_error_status_codes", "[integer]"},
    {"refresh_token_error_key", "string"},
    {"refresh_token_error_values", "[string]"},
    {"refresh_token_updater", "RefreshTokenUpdater"},
    {"profile_assertion", "JwtAuthenticator"},
    {"use_profile_assertion", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field refresh_token_updater[] = {
    {"refresh_token_name", "string", .preset = "\"refresh_token\""},
    {"access_token_config_path", "[string]", .preset = "[\"credentials\", \"access_token\"]"},
    {"refresh_token_config_path", "[string]", .preset = "[\"credentials\", \"refresh_token\"]"},
    {"token_expiry_date_config_path", "[string]", .preset = "[\"credentials\", \"token_expiry_date\"]"},
    {"refresh_token_error_status_codes", "[integer]"},
    {"refresh_token_error_key", "string"},
    {"refresh_token_error_values", "[string]"},
    {.name = NULL},
};

static const struct component_field jwt_authenticator[] = {
    {"secret_key", "string", .required = true},
    {"base64_encode_secret_key", "boolean", .preset = "false"},
    {"algorithm",
     "'HS256'|'HS384'|'HS512'|'ES256'|'ES256K'|'ES384'|'ES512'|'RS256'|'RS384'|'RS512'|'PS256'|'PS384'|'"
     "PS512'|'EdDSA'",
     .required = true},
    {"token_duration", "integer", .preset = "1200"},
    {"header_prefix", "string"},
    {"jwt_headers", "JwtHeaders"},
    {"additional_jwt_headers", "object"},
    {"jwt_payload", "JwtPayload"},
    {"additional_jwt_payload", "object"},
    {"passphrase", "string"},
    {"request_option", "RequestOption"},
    {.name = NULL},
};

static const struct component_field jwt_headers[] = {
    {"kid", "string"},
    {"typ", "string", .preset = "\"JWT\""},
    {"cty", "string"},
    {.name = NULL},
};

static const struct component_field jwt_payload[] = {
    {"iss", "string"},
    {"sub", "string"},
    {"aud", "string"},
    {.name = NULL},
};

static const struct component_field session_token_authenticator[] = {
    {"login_requester", "HttpRequester", .required = true},
    {"session_token_path", "[string]", .required = true},
    {"expiration_duration", "string"},
    {"request_authentication",
     "SessionTokenRequestApiKeyAuthenticator|SessionTokenRequestBearerAuthenticator", .required = true},
    {"decoder", "JsonDecoder|XmlDecoder"},
    {.name = NULL},
};

static const struct component_field session_token_request_api_key_authenticator[] = {
    {"inject_into", "RequestOption", .required = true},
    {"api_token", "string", .preset = "\"{{ session_token }}\""},
    {.name = NULL},
};

static const struct component_field legacy_session_token_authenticator[] = {
    {"header", "string", .required = true},
    {"login_url", "string", .required = true},
    {"session_token", "string"},
    {"session_token_response_key", "string", .required = true},
    {"username", "string"},
    {"password", "string"},
    {"validate_session_url", "string", .required = true},
    {.name = NULL},
};

static const struct component_field selective_authenticator[] = {
    {"authenticator_selection_path", "[string]", .required = true},
    {"authenticators",
     "{ApiKeyAuthenticator|BasicHttpAuthenticator|BearerAuthenticator|OAuthAuthenticator|JwtAuthenticator|"
     "SessionTokenAuthenticator|LegacySessionTokenAuthenticator|CustomAuthenticator|NoAuth|"
     "RateLimitedMultipleTokenAuthenticator}",
     .required = true},
    {.name = NULL},
};

static const struct component_field rate_limited_multiple_token_authenticator[] = {
    {"tokens", "string|[string]", .required = true, .least = ">=1"},
    {"token_delimiter", "string", .preset = "\",\""},
    {"auth_method", "string", .preset = "\"Bearer\""},
    {"header", "string", .preset = "\"Authorization\""},
    {"quota_status_source", "QuotaStatusSource", .required = true},
    {"quotas", "[TokenQuota]", .required = true, .least = ">=1"},
    {"max_wait_time", "string", .preset = "\"PT2H\""},
    {"budget_reserve_fraction", "number", .preset = "0.1"},
    {"budget_min_reserve", "integer", .preset = "50"},
    {.name = NULL},
};

static const struct component_field quota_status_source[] = {
    {"url", "string", .required = true},
    {"http_method", "'GET'|'POST'", .preset = "\"GET\""},
    {"request_headers", "{string}"},
    {"unavailable_status_codes", "[integer]"},
    {.name = NULL},
};

static const struct component_field token_quota[] = {
    {"name", "string", .required = true},
    {"remaining_path", "[string]", .required = true},
    {"reset_path", "[string]", .required = true},
    {"limit_path", "[string]"},
    {"matchers", "[HttpRequestRegexMatcher]"},
    {"remaining_header", "string"},
    {"reset_header", "string"},
    {"limit_header", "string"},
    {"exhaustion_status_codes", "[integer]"},
    {.name = NULL},
};

static const struct component_field default_error_handler[] = {
    {"backoff_strategies", "[" BACKOFFS "]"},
    {"max_retries", "integer|string", .preset = "5"},
    {"response_filters", "[HttpResponseFilter]"},
    {.name = NULL},
};

static const struct component_field composite_error_handler[] = {
    {"error_handlers", "[CompositeErrorHandler|DefaultErrorHandler|CustomErrorHandler]", .required = true},
    {.name = NULL},
};

static const struct component_field http_response_filter[] = {
    {"action", "'SUCCESS'|'FAIL'|'RETRY'|'IGNORE'|'RESET_PAGINATION'|'RATE_LIMITED'|'REFRESH_TOKEN_THEN_"
               "RETRY'|'REDUCE_PAGE_SIZE'|'SPLIT_REQUEST_WINDOW'"},
    {"failure_type", "'system_error'|'config_error'|'transient_error'"},
    {"error_message", "string"},
    {"error_message_contains", "string"},
    {"http_codes", "[integer]"},
    {"predicate", "string"},
    {.name = NULL},
};

static const struct component_field constant_backoff_strategy[] = {
    {"backoff_time_in_seconds", "number|string", .required = true, .least = ">=0"},
    {"jitter_range_in_seconds", "number", .least = ">=0"},
    {.name = NULL},
};

static const struct component_field exponential_backoff_strategy[] = {
    {"factor", "number|string", .preset = "5"},
    {"jitter_range_in_seconds", "number", .least = ">=0"},
    {.name = NULL},
};

static const struct component_field wait_time_from_header[] = {
    {"header", "string", .required = true},
    {"regex", "string"},
    {"max_waiting_time_in_seconds", "number|string"},
    {.name = NULL},
};

static const struct component_field wait_time_from_response[] = {
    {"wait_time_in_seconds", "string", .required = true},
    {"max_waiting_time_in_seconds", "number|string"},
    {.name = NULL},
};

static const struct component_field wait_until_time_from_header[] = {
    {"header", "string", .required = true},
    {"min_wait", "number|string"},
    {"regex", "string"},
    {"max_waiting_time_in_seconds", "number|string"},
    {.name = NULL},
};

static const struct component_field httpapi_budget[] = {
    {"policies", "[FixedWindowCallRatePolicy|MovingWindowCallRatePolicy|UnlimitedCallRatePolicy]",
     .required = true},
    {"ratelimit_reset_header", "string", .preset = "\"ratelimit-reset\""},
    {"ratelimit_remaining_header", "string", .preset = "\"ratelimit-remaining\""},
    {"status_codes_for_ratelimit_hit", "[integer]", .preset = "[429]"},
    {.name = NULL},
};

static const struct component_field fixed_window_call_rate_policy[] = {
    {"period", "string", .required = true},
    {"call_limit", "integer", .required = true},
    {"matchers", "[HttpRequestRegexMatcher]", .required = true},
    {.name = NULL},
};

static const struct component_field moving_window_call_rate_policy[] = {
    {"rates", "[Rate]", .required = true},
    {"matchers", "[HttpRequestRegexMatcher]", .required = true},
    {.name = NULL},
};

static const struct component_field unlimited_call_rate_policy[] = {
    {"matchers", "[HttpRequestRegexMatcher]", .required = true},
    {.name = NULL},
};

static const struct component_field rate[] = {
    {"limit", "integer|string", .required = true},
    {"interval", "string", .required = true},
    {.name = NULL},
};

static const struct component_field http_request_regex_matcher[] = {
    {"method", "string"}, {"url_base", "string"}, {"url_path_pattern", "string"},
    {"params", "object"}, {"headers", "object"},  {"weight", "integer|string"},
    {.name = NULL},
};

const struct component_type table_request[] = {
    {"HttpRequester", http_requester},
    {"CustomRequester", custom, .custom = true},
    {"RequestOption", request_option},
    {"RequestPath", none},
    {"RequestBodyPlainText", request_body_plain_text},
    {"RequestBodyUrlEncodedForm", request_body_url_encoded_form},
    {"RequestBodyJsonObject", request_body_json_object},
    {"RequestBodyGraphQL", request_body_graph_ql},
    {"RequestBodyGraphQlQuery", request_body_graph_ql_query, .untyped = true},
    {"NoAuth", none},
    {"ApiKeyAuthenticator", api_key_authenticator},
    {"BasicHttpAuthenticator", basic_http_authenticator},
    {"BearerAuthenticator", bearer_authenticator},
    {"OAuthAuthenticator", o_auth_authenticator},
    {"RefreshTokenUpdater", refresh_token_updater, .untyped = true},
    {"JwtAuthenticator", jwt_authenticator},
    {"JwtHeaders", jwt_headers, .untyped = true, .closed = true},
    {"JwtPayload", jwt_payload, .untyped = true, .closed = true},
    {"SessionTokenAuthenticator", session_token_authenticator},
    {"SessionTokenRequestApiKeyAuthenticator", session_token_request_api_key_authenticator, .word = "ApiKey"},
    {"SessionTokenRequestBearerAuthenticator", none, .word = "Bearer"},
    {"LegacySessionTokenAuthenticator", legacy_session_token_authenticator},
    {"SelectiveAuthenticator", selective_authenticator},
    {"RateLimitedMultipleTokenAuthenticator", rate_limited_multiple_token_authenticator},
    {"QuotaStatusSource", quota_status_source},
    {"TokenQuota", token_quota},
    {"CustomAuthenticator", custom, .custom = true},
    {"DefaultErrorHandler", default_error_handler},
    {"CompositeErrorHandler", composite_error_handler},
    {"HttpResponseFilter", http_response_filter},
    {"CustomErrorHandler", custom, .custom = true},
    {"ConstantBackoffStrategy", constant_backoff_strategy},
    {"ExponentialBackoffStrategy", exponential_backoff_strategy},
    {"WaitTimeFromHeader", wait_time_from_header},
    {"WaitTimeFromResponse", wait_time_from_response},
    {"WaitUntilTimeFromHeader", wait_until_time_from_header},
    {"CustomBackoffStrategy", custom, .custom = true},
    {"HTTPAPIBudget", httpapi_budget},
    {"FixedWindowCallRatePolicy", fixed_window_call_rate_policy},
    {"MovingWindowCallRatePolicy", moving_window_call_rate_policy},
    {"UnlimitedCallRatePolicy", unlimited_call_rate_policy},
    {"Rate", rate, .untyped = true},
    {"HttpRequestRegexMatcher", http_request_regex_matcher, .untyped = true},
    {.name = NULL},
};
