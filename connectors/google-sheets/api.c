/* Requests: token, pace, patience, and what an answer means. */
#include "connectors/google-sheets/api.h"

#include "bridge.h"
#include "connectors/http/oauth.h"

#include <ctype.h>
#include <stdlib.h>

enum pace { PACE_READS, PACE_WRITES, PACE_COUNT };

/* Tokens that come back with time. */
struct bucket {
    double tokens;
    uint64_t at_ns;
};

struct sheets {
    struct firth_host *host;
    struct http_client *client;
    struct oauth *oauth;
    struct http_backoff patience;
    struct arena arena; /* texts that last */
    const char *id, *base, *email;
    struct json_parser *parser;
    bool mended_told;
    struct http_transfer *last; /* whose body the answer is */
    struct bucket buckets[PACE_COUNT];
};

/* --- beginning ---------------------------------------------------------------------------------------------
 */

/* Of a URL: the longest run of letters that an id may have; else the text itself. */
static struct slice id_of(const char *text)
{
    struct slice best = slice_of(text);
    if (!strchr(text, '/'))
        return best;
    best.size = 0;
    for (const char *at = text; *at;) {
        const char *start = at;
        while (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
            at++;
        if ((size_t)(at - start) > best.size)
            best = (struct slice){start, (size_t)(at - start)};
        at += *at != 0;
    }
    return best;
}

static bool is_id(struct slice id)
{
    if (id.size < SHEETS_ID_MIN || id.size > 200)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (!isalnum((unsigned char)id.data[i]) && id.data[i] != '-' && id.data[i] != '_')
            return false;
    return true;
}

static int set_id(struct sheets *sheets, const char *text, struct error *err)
{
    struct slice id = id_of(text ? text : "");
    if (!is_id(id))
        return error_set(err, ERROR_INVALID,
                         "spreadsheet_id \"%.200s\" is no spreadsheet; expected its URL, "
                         "https://docs.google.com/spreadsheets/d/…/edit, or the id within",
                         text ? text : "");
    sheets->id = arena_strndup(&sheets->arena, id.data, id.size);
    return 0;
}

static int use_account(struct sheets *sheets, const char *text, const char *scope,
                       struct oauth_settings *settings, struct error *err)
{
    struct json account;
    struct error broken;
    if (json_parse_copy(&sheets->arena, text, strlen(text), &account, &broken) < 0 ||
        !json_is(&account, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID,
                         "credentials.service_account_info is no JSON object; expected the content of the "
                         "account's key file");
    const char *email = json_cstring(&account, json_get(&account, 0, "client_email"), &sheets->arena);
    const char *key = json_cstring(&account, json_get(&account, 0, "private_key"), &sheets->arena);
    const char *uri = json_cstring(&account, json_get(&account, 0, "token_uri"), &sheets->arena);
    if (!email || !key)
        return error_set(err, ERROR_INVALID,
                         "credentials.service_account_info has no \"%s\"; expected the content of the "
                         "account's key file",
                         email ? "private_key" : "client_email");
    sheets->email = email;
    settings->issuer = email;
    settings->scope = scope;
    settings->audience = uri ? uri : SHEETS_TOKEN_URL;
    settings->token_url = settings->audience;
    settings->key_id = json_cstring(&account, json_get(&account, 0, "private_key_id"), &sheets->arena);
    settings->key = (struct jwt_key){.algorithm = "RS256", .key = slice_of(key)};
    return 0;
}

static const char *copy(struct sheets *sheets, const char *text)
{
    return text ? arena_strdup(&sheets->arena, text) : NULL;
}

static int set_credentials(struct sheets *sheets, const struct sheets_config *config, const char *scope,
                           struct error *err)
{
    struct oauth_settings settings = {.token_url = SHEETS_TOKEN_URL, .backoff = &sheets->patience};
    if (config->auth == SHEETS_AUTH_SERVICE) {
        if (use_account(sheets, config->service_account_info, scope, &settings, err) < 0)
            return -1;
    } else {
        settings.client_id = copy(sheets, config->client_id);
        settings.client_secret = copy(sheets, config->client_secret);
        settings.refresh_token = copy(sheets, config->refresh_token);
    }
    if (config->api_base)
        settings.token_url = arena_printf(&sheets->arena, "%s/token", sheets->base);
    sheets->oauth = oauth_new(sheets->client, &settings);
    return 0;
}

static bool is_stopping(void *context)
{
    return firth_stopping(context);
}

static void tell_wait(void *context, unsigned attempt, uint64_t ms, const char *why)
{
    struct sheets *sheets = context;
    firth_log(sheets->host, FIRTH_INFO, "Google Sheets: %s; trying again in %.1f s (attempt %u)", why,
              (double)ms / 1000, attempt + 1);
}

struct sheets *sheets_open(struct firth_host *host, const struct sheets_config *config, const char *scope,
                           struct error *err)
{
    const struct http_settings settings = {
        .is_stopping = is_stopping, .context = host, .hurried = sdk_is_checking(host)};
    struct sheets *sheets = mem_zalloc(sizeof *sheets);
    const char *base = config->api_base ? config->api_base : SHEETS_API_BASE;
    size_t size = strlen(base);
    arena_init(&sheets->arena);
    sheets->host = host;
    while (size && base[size - 1] == '/')
        size--;
    sheets->base = arena_strndup(&sheets->arena, base, size);
    sheets->patience = (struct http_backoff){.told = tell_wait, .context = sheets};
    for (size_t i = 0; i < PACE_COUNT; i++)
        sheets->buckets[i] = (struct bucket){SHEETS_AT_ONCE, clock_monotonic_ns(&clock_system)};
    struct json_limits limits = {.size_max = SHEETS_RESPONSE_MAX, .depth_max = 64};
    sheets->parser = json_parser_new(limits, JSON_DUPLICATES_LAST_WINS);
    json_parser_lenient(sheets->parser);
    sheets->client = http_client_new(&settings, err);
    if (!sheets->client || set_id(sheets, config->spreadsheet_id, err) < 0 ||
        set_credentials(sheets, config, scope, err) < 0) {
        sheets_close(sheets);
        return NULL;
    }
    return sheets;
}

void sheets_close(struct sheets *sheets)
{
    if (!sheets)
        return;
    http_transfer_free(sheets->last);
    oauth_free(sheets->oauth);
    http_client_free(sheets->client);
    json_parser_free(sheets->parser);
    arena_done(&sheets->arena);
    free(sheets);
}

const char *sheets_id(const struct sheets *sheets)
{
    return sheets->id;
}

/* --- pace
 * ---------------------------------------------------------------------------------------------------- */

static int keep_pace(struct sheets *sheets, enum pace pace, struct error *err)
{
    struct bucket *bucket = &sheets->buckets[pace];
    uint64_t now = clock_monotonic_ns(&clock_system);
    double per_ms = SHEETS_PER_MINUTE / 60000.0;
    bucket->tokens += (double)(now - bucket->at_ns) / 1e6 * per_ms;
    if (bucket->tokens > SHEETS_AT_ONCE)
        bucket->tokens = SHEETS_AT_ONCE;
    bucket->at_ns = now;
    bucket->tokens -= 1;
    if (bucket->tokens >= 0)
        return 0;
    if (!http_sleep(sheets->client, (uint64_t)(-bucket->tokens / per_ms) + 1))
        return error_set(err, ERROR_CANCELLED, "asked to stop");
    return 0;
}

/* --- answers
 * ---------------------------------------------------------------------------------------------------- */

static int refuse(struct sheets *sheets, const struct http_response *response, struct error *err)
{
    struct json answer;
    struct error broken;
    struct arena arena;
    const char *why = NULL;
    int status = response->status;
    arena_init(&arena);
    if (json_parse_answer(&arena, response->body.data, response->body.size, &answer, &broken) == 0)
        why = json_cstring(&answer, json_get(&answer, json_get(&answer, 0, "error"), "message"), &arena);
    if (status == 404)
        error_set(err, ERROR_NOT_FOUND, "there is no spreadsheet %s (Google: %.300s)", sheets->id,
                  why ? why : "status 404");
    else if (status == 403)
        error_set(err, ERROR_INVALID, "access to spreadsheet %s is refused: %.300s%s%.200s%s", sheets->id,
                  why ? why : "status 403", sheets->email ? "; share it with " : "",
                  sheets->email ? sheets->email : "", sheets->email ? " as an editor" : "");
    else if (status == 401)
        error_set(err, ERROR_INVALID, "Google does not accept the access token: %.300s",
                  why ? why : "status 401");
    else if (http_status_may_pass(status))
        error_set(err, ERROR_IO, "Google Sheets does not answer: status %d%s%.300s", status, why ? ", " : "",
                  why ? why : "");
    else
        error_set(err, ERROR_INVALID, "Google Sheets refuses the request: %.600s",
                  why ? why : "without words");
    err->retriable = http_status_may_pass(status);
    error_make_printable(err);
    arena_done(&arena);
    return -1;
}

static int ask_once(struct sheets *sheets, const struct http_request *plain,
                    struct http_transfer **ret_transfer, struct error *err)
{
    const char *token;
    if (oauth_token(sheets->oauth, &token, err) < 0)
        return -1;
    char *bearer = mem_printf("Bearer %s", token);
    const struct http_header headers[] = {{"Authorization", bearer, true},
                                          {"Accept", "application/json"},
                                          {"Content-Type", "application/json"}};
    struct http_request request = *plain;
    request.headers = headers;
    request.header_count = plain->body.data ? 3 : 2;
    int result = http_do_patiently(sheets->client, &request, &sheets->patience, ret_transfer, err);
    explicit_bzero(bearer, strlen(bearer));
    free(bearer);
    return result;
}

/* A token may have been withdrawn before its time: once, another is fetched. */
static int ask(struct sheets *sheets, const struct http_request *request, enum pace pace,
               struct json *ret_answer, struct error *err)
{
    http_transfer_free(sheets->last);
    sheets->last = NULL;
    for (int attempt = 1;; attempt++) {
        if (keep_pace(sheets, pace, err) < 0 || ask_once(sheets, request, &sheets->last, err) < 0)
            return -1;
        const struct http_response *response = http_transfer_response(sheets->last);
        if (response->status / 100 == 2)
            break;
        if (response->status != 401 || attempt == 2)
            return refuse(sheets, response, err);
        oauth_forget(sheets->oauth);
        http_transfer_free(sheets->last);
        sheets->last = NULL;
    }
    struct slice body = http_transfer_response(sheets->last)->body;
    if (json_parse(sheets->parser, body.data, body.size, ret_answer, err) < 0) {
        error_wrap(err, "what Google Sheets answers is no JSON");
        err->code = ERROR_PROTOCOL;
        err->retriable = true;
        return -1;
    }
    if (ret_answer->mended && !sheets->mended_told)
        firth_log(
            sheets->host, FIRTH_WARN,
            "Google Sheets: an answer has what is not JSON, first at byte %u: NaN and infinities are read as "
            "null, half surrogate pairs as U+FFFD; further answers are not told",
            ret_answer->mended_at);
    sheets->mended_told |= ret_answer->mended > 0;
    return 0;
}

static const char *url_of(const struct sheets *sheets, const char *path, struct arena *arena)
{
    return arena_printf(arena, "%s/v4/spreadsheets/%s%s", sheets->base, sheets->id, path);
}

int sheets_get(struct sheets *sheets, const char *path, struct json *ret_answer, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct http_request request = {.url = url_of(sheets, path, &arena), .response_max = SHEETS_RESPONSE_MAX};
    int result = ask(sheets, &request, PACE_READS, ret_answer, err);
    arena_done(&arena);
    return result;
}

int sheets_post(struct sheets *sheets, const char *path, struct slice body, bool writes,
                struct json *ret_answer, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    struct http_request request = {.method = "POST",
                                   .url = url_of(sheets, path, &arena),
                                   .body = body,
                                   .response_max = SHEETS_RESPONSE_MAX};
    int result = ask(sheets, &request, writes ? PACE_WRITES : PACE_READS, ret_answer, err);
    arena_done(&arena);
    return result;
}
