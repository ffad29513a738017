/* Whom a workspace's notifications name. No I/O. */
#include "supervisor/webhook.h"

#include "supervisor/config_check.h"
#include "json/json.h"

#include <arpa/inet.h>

enum { URLS_MAX = 16 };

static const char *const setting_names[] = {
    [WEBHOOK_SUCCESS] = "sendOnSuccess",
    [WEBHOOK_FAILURE] = "sendOnFailure",
    [WEBHOOK_CHANGE] = "sendOnConnectionUpdate",
};
static const char *const public_names[] = {
    [WEBHOOK_SUCCESS] = "success", [WEBHOOK_FAILURE] = "failure", [WEBHOOK_CHANGE] = "connectionUpdate"};

static void add(const struct json *doc, uint32_t url, struct arena *arena, const char **urls, size_t *count)
{
    const char *text = json_cstring(doc, url, arena);
    if (!text || webhook_url_problem(text) || *count == URLS_MAX)
        return;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(urls[i], text) == 0)
            return;
    urls[(*count)++] = text;
}

static uint32_t slack_url(const struct json *doc, uint32_t object)
{
    return json_get(doc, json_get(doc, object, "slackConfiguration"), "webhook");
}

static bool names_slack(const struct json *doc, uint32_t types)
{
    for (uint32_t at = json_first(doc, types); at != JSON_NONE; at = json_next(doc, types, at))
        if (json_is(doc, at, JSON_STRING) && json_string_is(doc, at, "slack"))
            return true;
    return false;
}

struct slice webhook_host(const char *url)
{
    const char *at = strstr(url, "//");
    struct slice host = {at ? at + 2 : "", at ? strcspn(at + 2, "/?#\\") : 0};
    const char *user = host.size ? memrchr(host.data, '@', host.size) : NULL;
    size_t skipped = user ? (size_t)(user + 1 - host.data) : 0;
    return (struct slice){host.data + skipped, host.size - skipped};
}

size_t webhook_urls(struct slice notifications, enum webhook_event event, struct arena *arena,
                    const char *const **ret_urls)
{
    const char **urls = arena_zalloc(arena, (URLS_MAX + 1) * sizeof *urls);
    struct json doc;
    struct error unused;
    size_t count = 0;
    *ret_urls = urls;
    if (notifications.size == 0 ||
        json_parse_copy(arena, notifications.data, notifications.size, &doc, &unused) < 0)
        return 0;
    uint32_t setting = json_get(&doc, 0, setting_names[event]);
    if (json_is(&doc, setting, JSON_OBJECT) && names_slack(&doc, json_get(&doc, setting, "notificationType")))
        add(&doc, slack_url(&doc, setting), arena, urls, &count);
    uint32_t webhook = json_get(&doc, json_get(&doc, 0, public_names[event]), "webhook");
    if (json_is(&doc, webhook, JSON_OBJECT) && !json_is(&doc, json_get(&doc, webhook, "enabled"), JSON_FALSE))
        add(&doc, json_get(&doc, webhook, "url"), arena, urls, &count);
    for (uint32_t at = json_first(&doc, 0); at != JSON_NONE; at = json_next(&doc, 0, at))
        if (json_is(&doc, json_get(&doc, at, setting_names[event]), JSON_TRUE))
            add(&doc, slack_url(&doc, at), arena, urls, &count);
    return count;
}

/* --- are they right? --------------------------------------------------------------------------------- */

/* "[V6]", also with "%25" and a zone: does it begin so? */
static bool is_v6(struct slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr unused;
    const char *end = memchr(host.data, ']', host.size), *zone = memchr(host.data, '%', host.size);
    if (!end)
        return false;
    size_t size = (size_t)((zone && zone < end ? zone : end) - (host.data + 1));
    if (size >= sizeof text)
        return false;
    memcpy(text, host.data + 1, size);
    text[size] = 0;
    return inet_pton(AF_INET6, text, &unused) == 1;
}

/* Of "host:port". */
static const char *host_problem(struct slice host)
{
    enum { PORT_MAX = 65535, PORT_SIZE = 6 };
    char port[PORT_SIZE];
    uint64_t number;
    bool bracket = host.size && *host.data == '[';
    if (host.size == 0 || *host.data == ':')
        return "the URL has no host";
    if (bracket && !is_v6(host))
        return "the URL has no IPv6 address in its brackets, as [::1]";
    size_t size = bracket ? (size_t)((const char *)memchr(host.data, ']', host.size) + 1 - host.data) : 0;
    const char *colon = memchr(host.data + size, ':', host.size - size);
    size_t end = colon ? (size_t)(colon - host.data) : host.size;
    if (bracket ? end != size
                : memchr(host.data, '[', host.size) != NULL || memchr(host.data, ']', host.size) != NULL)
        return "the URL's brackets are not around its host, as http://[::1]:8080";
    size_t left = host.size - end;
    if (left <= 1) /* none, or nothing behind the colon, which means the usual one */
        return NULL;
    if (!bracket && memchr(colon + 1, ':', left - 1))
        return "an IPv6 address needs brackets, as http://[::1]:8080";
    if (left > PORT_SIZE)
        return "the URL's port is none: 1 to 65535 is wanted";
    memcpy(port, colon + 1, left - 1);
    port[left - 1] = 0;
    return string_to_u64(port, PORT_MAX, &number) && number > 0
               ? NULL
               : "the URL's port is none: 1 to 65535 is wanted";
}

const char *webhook_url_problem(const char *url)
{
    size_t size = strlen(url);
    if (strcmp(url, CONFIG_SHOWN) == 0)
        return CONFIG_SHOWN_GIVEN;
    if (!string_starts_with(url, "http://") && !string_starts_with(url, "https://"))
        return "a URL that begins with http:// or https:// is wanted";
    if (size > WEBHOOK_URL_MAX)
        return "the URL has more than 2048 bytes";
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f)
            return "the URL has a space or a control character in it";
    }
    return host_problem(webhook_host(url));
}

static int fault(const char *part, const char *message, const char **ret_part, struct error *err)
{
    *ret_part = part;
    return error_set(err, ERROR_INVALID, "%s", message);
}

/* `needed`: there has to be one. */
static int check_url(const struct json *doc, uint32_t at, bool needed, const char *part, struct arena *arena,
                     const char **ret_part, struct error *err)
{
    bool none = at == JSON_NONE || json_is(doc, at, JSON_NULL);
    const char *url = none ? "" : json_cstring(doc, at, arena);
    if (!url)
        return fault(part, "a URL is wanted, a text", ret_part, err);
    if (!none && json_string(doc, at, arena).size != strlen(url)) /* a NUL would end it early */
        return fault(part, "the URL has a control character in it", ret_part, err);
    if (!*url)
        return needed ? fault(part, "somebody is to be told, and there is no URL", ret_part, err) : 0;
    const char *problem = webhook_url_problem(url);
    return problem ? fault(part, problem, ret_part, err) : 0;
}

static bool is_told(const struct json *doc, uint32_t old)
{
    for (size_t i = 0; i < sizeof setting_names / sizeof *setting_names; i++) {
        if (json_is(doc, json_get(doc, old, setting_names[i]), JSON_TRUE))
            return true;
    }
    return false;
}

static bool is_slack(const struct json *doc, uint32_t old)
{
    uint32_t type = json_get(doc, old, "notificationType");
    return json_is(doc, type, JSON_STRING) && json_string_is(doc, type, "slack");
}

/* A member of the object in either of its spellings. */
static int check_setting(const struct json *doc, const char *name, uint32_t setting, struct arena *arena,
                         const char **ret_part, struct error *err)
{
    uint32_t webhook = json_get(doc, setting, "webhook");
    bool enabled = json_is(doc, json_get(doc, webhook, "enabled"), JSON_TRUE);
    return check_url(doc, slack_url(doc, setting),
                     names_slack(doc, json_get(doc, setting, "notificationType")),
                     arena_printf(arena, "%s.slackConfiguration.webhook", name), arena, ret_part, err) < 0 ||
                   check_url(doc, json_get(doc, webhook, "url"), enabled,
                             arena_printf(arena, "%s.webhook.url", name), arena, ret_part, err) < 0
               ? -1
               : 0;
}

int webhook_urls_check(struct slice notifications, struct arena *arena, const char **ret_part,
                       struct error *err)
{
    struct json doc;
    size_t number = 0;
    *ret_part = "";
    if (notifications.size == 0)
        return 0;
    if (json_parse_copy(arena, notifications.data, notifications.size, &doc, err) < 0)
        return -1;
    for (uint32_t at = json_first(&doc, 0); json_is(&doc, 0, JSON_ARRAY) && at != JSON_NONE;
         at = json_next(&doc, 0, at), number++) {
        if (check_url(&doc, slack_url(&doc, at), is_slack(&doc, at) && is_told(&doc, at),
                      arena_printf(arena, "[%zu].slackConfiguration.webhook", number), arena, ret_part,
                      err) < 0)
            return -1;
    }
    for (uint32_t key = json_first_key(&doc, 0); json_is(&doc, 0, JSON_OBJECT) && key != JSON_NONE;
         key = json_next_key(&doc, 0, key)) {
        const char *name = json_cstring(&doc, key, arena);
        if (name && check_setting(&doc, name, json_value(key), arena, ret_part, err) < 0)
            return -1;
    }
    return 0;
}
