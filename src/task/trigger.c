#include "task/trigger.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "catalog/trigger_template.h"
#include "task/trigger_send.h"
#include "json/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { RUN_SIZE = 37 };

/* A collection, and of what it is: the transaction under way, what is to be told, what is being told. */
struct name {
    const char *text;
    bool moved, pending, flying;
};

/* Commits that are told of together. */
struct batch {
    bool any;
    int64_t min_ms, max_ms;
    char run[RUN_SIZE];
};

struct trigger {
    const char *url, *method;
    struct slice headers, template;
    uint64_t timeout_ms, attempts;
};

struct task_triggers {
    struct arena arena;
    struct task_report *report;
    const struct clock *clock;
    const char *task, *connector;
    struct curl_api curl;
    uint64_t interval_ms;
    struct trigger *items;
    size_t count;

    struct name *names;
    size_t name_count, name_capacity;
    size_t *of_binding; /* its name's place, from 1 */
    size_t binding_capacity;
    struct batch moved, pending, flying;
    int64_t sent_ms; /* when the last batch went out; 0: never */
    char *saved;

    struct trigger_delivery *delivery;
    struct trigger_request *requests;
    int fd;
};

/* --- what is saved --------------------------------------------------------------------------------- */

static void add(struct batch *to, const struct batch *from)
{
    if (!from->any)
        return;
    to->min_ms = !to->any || from->min_ms < to->min_ms ? from->min_ms : to->min_ms;
    to->max_ms = !to->any || from->max_ms > to->max_ms ? from->max_ms : to->max_ms;
    memcpy(to->run, from->run, sizeof to->run);
    to->any = true;
}

static struct name *name_of(struct task_triggers *triggers, const char *text)
{
    for (size_t i = 0; i < triggers->name_count; i++) {
        if (strcmp(triggers->names[i].text, text) == 0)
            return &triggers->names[i];
    }
    triggers->names = mem_grow(triggers->names, &triggers->name_capacity, triggers->name_count + 1,
                               sizeof *triggers->names);
    triggers->names[triggers->name_count] = (struct name){.text = arena_strdup(&triggers->arena, text)};
    return &triggers->names[triggers->name_count++];
}

/* What is under way counts as pending until it is known to have come. */
static void save(struct task_triggers *triggers)
{
    struct batch all = triggers->flying;
    struct buffer text;
    struct json_writer writer;
    add(&all, &triggers->pending);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_i64(&writer, "sent", triggers->sent_ms);
    if (all.any) {
        json_member_i64(&writer, "min", all.min_ms);
        json_member_i64(&writer, "max", all.max_ms);
        json_member_string(&writer, "run", all.run);
        json_put_key(&writer, "collections");
        json_begin_array(&writer);
        for (size_t i = 0; i < triggers->name_count; i++) {
            if (triggers->names[i].pending || triggers->names[i].flying)
                json_put_string(&writer, triggers->names[i].text);
        }
        json_end_array(&writer);
    }
    json_end_object(&writer);
    free(triggers->saved);
    triggers->saved = buffer_steal(&text);
}

/* What cannot be read is nothing: a request more or less harms nobody. */
static void resume(struct task_triggers *triggers, const char *saved)
{
    struct json doc;
    struct error unused;
    if (!*saved || json_parse_copy(&triggers->arena, saved, strlen(saved), &doc, &unused) < 0)
        return;
    uint32_t names = json_get(&doc, 0, "collections");
    const char *run = json_cstring(&doc, json_get(&doc, 0, "run"), &triggers->arena);
    json_to_i64(&doc, json_get(&doc, 0, "sent"), &triggers->sent_ms);
    for (uint32_t at = json_first(&doc, names); at != JSON_NONE; at = json_next(&doc, names, at)) {
        const char *text = json_cstring(&doc, at, &triggers->arena);
        if (text)
            name_of(triggers, text)->pending = triggers->pending.any = true;
    }
    snprintf(triggers->pending.run, sizeof triggers->pending.run, "%s", run ? run : "");
    json_to_i64(&doc, json_get(&doc, 0, "min"), &triggers->pending.min_ms);
    json_to_i64(&doc, json_get(&doc, 0, "max"), &triggers->pending.max_ms);
}

/* --- life ------------------------------------------------------------------------------------------ */

static uint64_t number(const struct json *doc, uint32_t object, const char *name)
{
    uint64_t value = 0;
    json_to_u64(doc, json_get(doc, object, name), &value);
    return value;
}

static struct slice raw_text(struct json *doc, uint32_t at, struct arena *arena)
{
    return json_is(doc, at, JSON_STRING) ? json_string(doc, at, arena) : (struct slice){"", 0};
}

static void read_items(struct task_triggers *triggers, struct json *doc)
{
    uint32_t list = json_get(doc, 0, "config");
    triggers->interval_ms = number(doc, 0, "intervalMs");
    triggers->items = arena_zalloc(&triggers->arena, (json_count(doc, list) + 1) * sizeof *triggers->items);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        triggers->items[triggers->count++] = (struct trigger){
            .url = json_cstring(doc, json_get(doc, at, "url"), &triggers->arena),
            .method = json_cstring(doc, json_get(doc, at, "method"), &triggers->arena),
            .headers = json_raw(doc, json_get(doc, at, "headers")),
            .template = raw_text(doc, json_get(doc, at, "payloadTemplate"), &triggers->arena),
            .timeout_ms = number(doc, at, "timeoutMs"),
            .attempts = number(doc, at, "maxAttempts"),
        };
    }
}

struct task_triggers *task_triggers_new(struct slice spec, const char *saved, const char *task,
                                        const char *connector, struct task_report *report,
                                        const struct clock *clock, struct error *err)
{
    struct task_triggers *triggers = mem_zalloc(sizeof *triggers);
    struct json doc;
    arena_init(&triggers->arena);
    triggers->report = report;
    triggers->clock = clock;
    triggers->task = task;
    triggers->connector = connector;
    triggers->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (triggers->fd < 0)
        error_errno(err, errno, "eventfd");
    if (triggers->fd < 0 || curl_api_load(&triggers->curl, err) < 0 ||
        json_parse_copy(&triggers->arena, spec.data, spec.size, &doc, err) < 0) {
        task_triggers_free(triggers);
        return NULL;
    }
    read_items(triggers, &doc);
    resume(triggers, saved);
    save(triggers);
    return triggers;
}

static void free_requests(struct task_triggers *triggers)
{
    for (size_t i = 0; i < triggers->count && triggers->requests; i++) {
        triggers->curl.slist_free_all(triggers->requests[i].headers);
        free(triggers->requests[i].body);
    }
    free(triggers->requests);
    triggers->requests = NULL;
}

void task_triggers_free(struct task_triggers *triggers)
{
    if (!triggers)
        return;
    trigger_delivery_free(triggers->delivery);
    free_requests(triggers);
    if (triggers->fd >= 0)
        close(triggers->fd);
    free(triggers->names);
    free(triggers->of_binding);
    free(triggers->saved);
    arena_done(&triggers->arena);
    free(triggers);
}

/* --- commits --------------------------------------------------------------------------------------- */

void task_triggers_document(struct task_triggers *triggers, size_t binding, const char *collection,
                            int64_t committed_ms)
{
    struct batch *moved = &triggers->moved;
    size_t before = triggers->binding_capacity;
    if (binding >= before) {
        triggers->of_binding = mem_grow(triggers->of_binding, &triggers->binding_capacity, binding + 1,
                                        sizeof *triggers->of_binding);
        memset(triggers->of_binding + before, 0,
               (triggers->binding_capacity - before) * sizeof *triggers->of_binding);
    }
    if (triggers->of_binding[binding] == 0)
        triggers->of_binding[binding] = (size_t)(name_of(triggers, collection) - triggers->names) + 1;
    triggers->names[triggers->of_binding[binding] - 1].moved = true;
    moved->min_ms = !moved->any || committed_ms < moved->min_ms ? committed_ms : moved->min_ms;
    moved->max_ms = !moved->any || committed_ms > moved->max_ms ? committed_ms : moved->max_ms;
    moved->any = true;
}

static void new_run(char run[RUN_SIZE])
{
    unsigned char b[16];
    random_bytes(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(run, RUN_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

const char *task_triggers_commit(struct task_triggers *triggers)
{
    if (triggers->moved.any) {
        new_run(triggers->moved.run);
        add(&triggers->pending, &triggers->moved);
        triggers->moved = (struct batch){0};
        for (size_t i = 0; i < triggers->name_count; i++) {
            triggers->names[i].pending |= triggers->names[i].moved;
            triggers->names[i].moved = false;
        }
        save(triggers);
    }
    return triggers->saved;
}

const char *task_triggers_saved(struct task_triggers *triggers)
{
    return triggers->saved;
}

/* --- sending --------------------------------------------------------------------------------------- */

static void put_time(struct json_writer *writer, const char *member, int64_t ms)
{
    char text[32];
    clock_format_rfc3339(ms, text, sizeof text);
    json_member_string(writer, member, text);
}

static void put_context(const struct task_triggers *triggers, struct slice headers, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, "collection_names");
    json_begin_array(&writer);
    for (size_t i = 0; i < triggers->name_count; i++) {
        if (triggers->names[i].flying)
            json_put_string(&writer, triggers->names[i].text);
    }
    json_end_array(&writer);
    json_member_string(&writer, "connector_image", triggers->connector);
    json_member_string(&writer, "materialization_name", triggers->task);
    put_time(&writer, "flow_published_at_min", triggers->flying.min_ms);
    put_time(&writer, "flow_published_at_max", triggers->flying.max_ms);
    json_member_string(&writer, "flow_run_id", triggers->flying.run);
    json_member_string(&writer, "run_id", triggers->flying.run);
    json_member_raw(&writer, "headers", headers);
    json_end_object(&writer);
}

static void add_headers(struct task_triggers *triggers, const struct json *context,
                        struct trigger_request *request)
{
    uint32_t headers = json_get(context, 0, "headers");
    struct arena arena;
    bool typed = false;
    arena_init(&arena);
    for (uint32_t key = json_first_key(context, headers); key != JSON_NONE;
         key = json_next_key(context, headers, key)) {
        const char *name = json_cstring(context, key, &arena);
        const char *value = json_cstring(context, json_value(key), &arena);
        typed |= strcasecmp(name, "content-type") == 0;
        /* libcurl leaves out a header that ends in a colon, and sends one that ends in a semicolon empty. */
        const char *line =
            *value ? arena_printf(&arena, "%s: %s", name, value) : arena_printf(&arena, "%s;", name);
        request->headers = triggers->curl.slist_append(request->headers, line);
    }
    if (!typed)
        request->headers = triggers->curl.slist_append(request->headers, "Content-Type: application/json");
    request->headers = triggers->curl.slist_append(request->headers, "Expect:");
    arena_done(&arena);
}

/* The template was tried when the catalog was loaded: it can only have become too large. */
static void make_request(struct task_triggers *triggers, const struct trigger *trigger,
                         struct trigger_request *request)
{
    struct buffer text, body;
    struct json context;
    struct arena arena;
    struct error err;
    arena_init(&arena);
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_init(&body, TRIGGER_PAYLOAD_MAX);
    put_context(triggers, trigger->headers, &text);
    *request = (struct trigger_request){.url = trigger->url,
                                        .method = trigger->method,
                                        .timeout_ms = trigger->timeout_ms,
                                        .attempts = (unsigned)trigger->attempts};
    if (json_parse_copy(&arena, text.data, text.size, &context, &err) < 0 ||
        trigger_template_render(trigger->template, &context, &body, &err) < 0) {
        request->attempts = 0;
        snprintf(request->why, sizeof request->why, "%s", err.message);
    } else {
        add_headers(triggers, &context, request);
    }
    request->body = mem_strndup(body.data ? body.data : "", body.size);
    if (text.data)
        explicit_bzero(text.data, text.size);
    buffer_done(&text);
    buffer_done(&body);
    arena_done(&arena);
}

static void send_pending(struct task_triggers *triggers)
{
    triggers->flying = triggers->pending;
    triggers->pending = (struct batch){0};
    for (size_t i = 0; i < triggers->name_count; i++) {
        triggers->names[i].flying = triggers->names[i].pending;
        triggers->names[i].pending = false;
    }
    triggers->sent_ms = clock_wall_ms(triggers->clock);
    triggers->requests = mem_zalloc((triggers->count + 1) * sizeof *triggers->requests);
    for (size_t i = 0; i < triggers->count; i++)
        make_request(triggers, &triggers->items[i], &triggers->requests[i]);
    triggers->delivery =
        trigger_delivery_new(&triggers->curl, triggers->requests, triggers->count, triggers->fd);
}

/* A URL's path may be its secret. */
static int host_size(const char *url)
{
    const char *host = strstr(url, "//"), *at = host ? strpbrk(host + 2, "/?#@") : NULL;
    if (!host || (at && *at == '@')) /* with a name and a password in it */
        return host ? (int)(host - url) : 0;
    return (int)(at ? (size_t)(at - url) : strlen(url));
}

static void take_ends(struct task_triggers *triggers)
{
    for (size_t i = 0; i < triggers->count; i++) {
        const struct trigger_request *request = &triggers->requests[i];
        if (request->delivered)
            task_report_logf(triggers->report, LOG_INFO, "the trigger at %.*s/… was told",
                             host_size(request->url), request->url);
        else
            task_report_logf(triggers->report, LOG_WARN,
                             "the trigger at %.*s/… was not told, after %u tr%s: %s", host_size(request->url),
                             request->url, request->tries, request->tries == 1 ? "y" : "ies", request->why);
    }
    trigger_delivery_free(triggers->delivery);
    triggers->delivery = NULL;
    free_requests(triggers);
    triggers->flying = (struct batch){0};
    for (size_t i = 0; i < triggers->name_count; i++)
        triggers->names[i].flying = false;
}

static bool is_due(const struct task_triggers *triggers)
{
    int64_t since = clock_wall_ms(triggers->clock) - triggers->sent_ms;
    return triggers->pending.any &&
           (triggers->sent_ms == 0 || since < 0 || (uint64_t)since >= triggers->interval_ms);
}

bool task_triggers_tick(struct task_triggers *triggers)
{
    uint64_t told;
    bool changed = false;
    if (triggers->delivery && trigger_delivery_ended(triggers->delivery)) {
        while (read(triggers->fd, &told, sizeof told) < 0 && errno == EINTR)
            continue;
        take_ends(triggers);
        changed = true;
    }
    if (!triggers->delivery && is_due(triggers)) {
        send_pending(triggers);
        if (!triggers->delivery) {
            task_report_logf(triggers->report, LOG_WARN, "the triggers are not told: there can be no thread");
            free_requests(triggers);
            add(&triggers->pending, &triggers->flying);
            triggers->flying = (struct batch){0};
        }
        changed = true;
    }
    if (changed)
        save(triggers);
    return changed;
}

bool task_triggers_busy(const struct task_triggers *triggers)
{
    return triggers->delivery || is_due(triggers);
}

int task_triggers_timeout_ms(const struct task_triggers *triggers)
{
    if (triggers->delivery || !triggers->pending.any)
        return -1; /* its descriptor tells */
    int64_t since = clock_wall_ms(triggers->clock) - triggers->sent_ms;
    if (is_due(triggers))
        return 0;
    uint64_t left = triggers->interval_ms - (uint64_t)since;
    return left > 60 * 1000 ? 60 * 1000 : (int)left;
}

int task_triggers_fd(const struct task_triggers *triggers)
{
    return triggers->fd;
}
