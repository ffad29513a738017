/* Webhooks: a job's end told to the URLs that its workspace names, by POST, in Airbyte's form. They never
 * hold up the loop, and nothing depends on them: one that cannot be reached is tried WEBHOOK_TRIES times,
 * then the log says so.
 *
 * A workspace's notifications (control/workspaces.h) may be written in any of these ways:
 *   config API   {"sendOnSuccess":{"notificationType":["slack"],"slackConfiguration":{"webhook":URL}},
 *                 "sendOnFailure":{…}, …}
 *   its old one  [{"notificationType":"slack","sendOnSuccess":true,"sendOnFailure":true,
 *                  "slackConfiguration":{"webhook":URL}}]
 *   public API   {"success":{"webhook":{"enabled":true,"url":URL}},"failure":{…}} */
#ifndef FIRTH_SUPERVISOR_WEBHOOK_H
#define FIRTH_SUPERVISOR_WEBHOOK_H

#include "base/curl.h"
#include "base/log.h"
#include "base/text.h"
#include "control/control.h"

#include <stdatomic.h>
#include <uv.h>

enum {
    WEBHOOK_TRIES = 3,
    WEBHOOK_TIMEOUT_MS = 10 * 1000,
    WEBHOOK_RETRY_MS = 5 * 1000, /* twice as long with each try */
    WEBHOOK_WAITING_MAX = 1000,  /* deliveries at once; more are left out, and told of */
    WEBHOOK_URL_MAX = 2048,
};

struct webhooks;

/* Fails if there is no HTTP client here. */
struct webhooks *webhooks_new(uv_loop_t *loop, const struct log *log, struct error *err);
/* What is under way is given up; frees itself once that has ended. NULL is allowed. */
void webhooks_close(struct webhooks *webhooks);

/* One try to POST a JSON text, in WEBHOOK_TIMEOUT_MS; blocks. Another thread may set `closing` (NULL: nobody
 * does) to give it up. False: it did not arrive, and why, without the URL, whose path may be its secret. */
bool webhook_post(const struct curl_api *curl, const char *url, const char *body, const atomic_bool *closing,
                  char *why, size_t size);

/* The job succeeded or failed: tell whoever is to know. */
void webhooks_tell_job(struct webhooks *webhooks, struct control *control, int64_t job);
/* A connection's source has changed its schema. */
void webhooks_tell_change(struct webhooks *webhooks, struct control *control, const char *connection,
                          const char *change);

enum webhook_event { WEBHOOK_SUCCESS, WEBHOOK_FAILURE, WEBHOOK_CHANGE };
/* The URLs that are to be told and can be, in the arena; how many. */
size_t webhook_urls(struct slice notifications, enum webhook_event event, struct arena *arena,
                    const char *const **ret_urls);
/* Can it be sent to: http or https, a host, WEBHOOK_URL_MAX bytes, no space or control character? If not,
 * what is wrong, for people, without the URL. */
const char *webhook_url_problem(const char *url);
/* Can all URLs of the notifications be sent to, in whichever spelling, and has what is to be told one?
 * ERROR_INVALID: *ret_part is the place of the first ("sendOnFailure.slackConfiguration.webhook",
 * "[0].slackConfiguration.webhook", "failure.webhook.url"), in the arena. */
int webhook_urls_check(struct slice notifications, struct arena *arena, const char **ret_part,
                       struct error *err);
/* Its host and port: all that a log may have of a URL, since its path may be a secret, as Slack's is, and so
 * may its query and what stands before '@'. */
struct slice webhook_host(const char *url);

#endif
