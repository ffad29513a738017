/* Whom a workspace's notifications name. No I/O. */
#include "supervisor/webhook.h"

#include "json/json.h"

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
    bool http = text && (string_starts_with(text, "http://") || string_starts_with(text, "https://"));
    if (!http || strlen(text) > WEBHOOK_URL_MAX || *count == URLS_MAX)
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
