/* Notifications, tried before they are needed. */
#include "server/connectors.h"
#include "server/handlers.h"
#include "server/internal.h"

#include "supervisor/webhook.h"

static enum http_next answer(struct call *call, const struct json *payload, const struct error *error)
{
    (void)payload;
    if (error && error->code == ERROR_CANCELLED)
        return call_error(call, error);
    json_member_string(call_begin(call), "status", error ? "failed" : "succeeded");
    if (error)
        json_member_string(&call->out, "message", error->message);
    return call_end(call);
}

/* To a webhook alone: there is no mail. */
enum http_next notification_try(struct call *call)
{
    const char *trigger = call_text(call, "trigger");
    const char *url = call_text_of(call, call_member(call, "slackConfiguration"), "webhook");
    struct json_writer writer;
    struct buffer body;
    const char *problem = webhook_url_problem(url ? url : "");
    if (problem)
        return call_invalid(call, "slackConfiguration.webhook", "slackConfiguration.webhook: %s", problem);
    buffer_init(&body, BUFFER_UNLIMITED);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_string(&writer, "text",
                       arena_printf(call->arena, "This is a try of Firth's notifications%s%s%s",
                                    trigger ? " (" : "", trigger ? trigger : "", trigger ? ")" : ""));
    json_end_object(&writer);
    enum http_next next = connectors_post(call, url, (struct slice){body.data, body.size}, answer);
    buffer_done(&body);
    return next;
}
