#include "connectors/files/web.h"

#include "base/clock.h"
#include "base/hash.h"
#include "bridge.h"
#include "connectors/http/http.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A file of a web server: one URL, asked for again from the byte where a connection broke. */

struct web {
    struct files_storage storage;
    struct http_client *http;
    char *url; /* with all that may be secret in it; names of objects are without */
};

static bool is_stopping(void *context)
{
    return firth_stopping(context);
}

static int64_t parse_date(const char *text)
{
    struct tm parts = {0};
    return text && strptime(text, "%a, %d %b %Y %H:%M:%S", &parts) ? (int64_t)timegm(&parts) * 1000 : 0;
}

static int refused(const char *url, int status, struct error *err)
{
    struct buffer shown;
    buffer_init(&shown, BUFFER_UNLIMITED);
    http_url_shown(url, &shown);
    error_set(err,
              status == 404   ? ERROR_NOT_FOUND
              : status >= 500 ? ERROR_IO
                              : ERROR_INVALID,
              "cannot read %.500s: the server answers %d%s", buffer_cstr(&shown), status,
              status == 401 || status == 403 ? ": it wants credentials, or does not give the file to anybody"
                                             : "");
    err->retriable = http_status_may_pass(status);
    buffer_done(&shown);
    return -1;
}

/* Without an ETag and a date there is nothing by which a change is seen but the size. */
static void describe(const struct http_response *response, char *name, struct files_object *object)
{
    const char *etag = http_response_header(response, "ETag"),
               *size = http_response_header(response, "Content-Length"),
               *date = http_response_header(response, "Last-Modified");
    auto_free char *facts = mem_printf("%s\n%s\n%s", etag ? etag : "", date ? date : "", size ? size : "");
    *object = (struct files_object){.name = name,
                                    .size = size ? strtoll(size, NULL, 10) : -1,
                                    .modified_ms = parse_date(date),
                                    .arrived_ms = parse_date(date),
                                    .tag = hash_xxh3(facts, strlen(facts), 0),
                                    .etag = etag && strncmp(etag, "W/", 2) != 0 ? mem_strdup(etag)
                                            : date                              ? mem_strdup(date)
                                                                                : NULL};
}

static int web_look(struct files_storage *storage, const char *name, struct files_object *ret_object,
                    struct error *err)
{
    struct web *web = (struct web *)storage;
    const struct http_request request = {.method = "HEAD", .url = web->url, .as_sent = true};
    const struct http_backoff backoff = {0};
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (http_do_patiently(web->http, &request, &backoff, &transfer, err) < 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    if (response->status == 404 || response->status == 410)
        return 0;
    if (response->status < 200 || response->status >= 300)
        return refused(name, response->status, err);
    describe(response, mem_strdup(name), ret_object);
    return 1;
}

/* --- listing: the one file
 * ---------------------------------------------------------------------------------- */

struct listing {
    struct files_listing listing;
    struct web *web;
    char *url;
    struct files_object object;
    bool given;
};

static int listing_next(struct files_listing *listing, struct files_object *ret_object, struct error *err)
{
    struct listing *self = (struct listing *)listing;
    if (self->given)
        return 0;
    self->given = true;
    int got = web_look(&self->web->storage, self->url, &self->object, err);
    if (got > 0)
        *ret_object = self->object;
    return got == 0 ? refused(self->url, 404, err) : got;
}

static void listing_close(struct files_listing *listing)
{
    struct listing *self = (struct listing *)listing;
    files_object_done(&self->object);
    free(self->url);
    free(self);
}

static struct files_listing *web_list(struct files_storage *storage, const char *prefix, const char *after,
                                      struct error *err)
{
    struct listing *self = mem_zalloc(sizeof *self);
    (void)err;
    self->listing = (struct files_listing){listing_next, listing_close};
    self->web = (struct web *)storage;
    self->url = mem_strdup(prefix);
    self->given = strcmp(prefix, after) <= 0;
    return &self->listing;
}

/* --- reading
 * ------------------------------------------------------------------------------------------------ */

enum { AHEAD_MAX = 1 << 20 };

struct web_input {
    struct files_input input;
    struct web *web;
    const struct files_object *object;
    struct http_transfer *transfer;
    struct buffer ahead;
    size_t at;
    uint64_t offset; /* behind all that has come */
    uint64_t pass;   /* bytes that come again, from a server that knows no ranges */
    unsigned attempt;
    bool ended, paused, changed;
};

/* What the object was known by: an ETag, or the date of its last change. */
static bool is_etag(const char *known)
{
    return *known == '"';
}

static enum http_sinking take_bytes(void *context, const struct http_response *response, struct slice bytes)
{
    struct web_input *self = context;
    if (self->ahead.size - self->at >= AHEAD_MAX) {
        self->paused = true;
        return HTTP_PAUSE;
    }
    const char *before = self->object->etag,
               *now =
                   before ? http_response_header(response, is_etag(before) ? "ETag" : "Last-Modified") : NULL;
    if (now && strcmp(now, before) != 0) {
        self->changed = true;
        return HTTP_FAIL;
    }
    if (response->status == 206)
        self->pass = 0;
    size_t skipped = self->pass < bytes.size ? (size_t)self->pass : bytes.size;
    self->pass -= skipped;
    buffer_append(&self->ahead, bytes.data + skipped, bytes.size - skipped);
    self->offset += bytes.size - skipped;
    return HTTP_GO_ON;
}

/* Without anything to know the file by, its end could be another's: then all comes again. */
static void start(struct web_input *self)
{
    char range[40];
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-", self->offset);
    const struct http_header headers[] = {{.name = "Range", .value = range},
                                          {.name = "If-Range", .value = self->object->etag}};
    const struct http_request request = {.url = self->web->url,
                                         .headers = headers,
                                         .header_count = self->offset && self->object->etag ? 2 : 0,
                                         .sink = take_bytes,
                                         .context = self,
                                         .as_sent = true};
    self->pass = self->offset;
    self->transfer = http_start(self->web->http, &request, NULL);
}

static int take_end(struct web_input *self, struct error *err)
{
    const struct http_response *response = http_transfer_response(self->transfer);
    const struct http_backoff backoff = {0};
    enum http_failure failure = http_transfer_failure(self->transfer);
    bool good = failure == HTTP_OK && response->status >= 200 && response->status < 300;
    bool whole = self->object->size < 0 || self->offset >= (uint64_t)self->object->size;
    if (self->changed)
        return error_set(err, ERROR_BUSY, "it has changed while it was read");
    if ((good && whole) || (failure == HTTP_OK && response->status == 416 && self->offset)) {
        self->ended = true;
        return 0;
    }
    bool may_pass = failure == HTTP_OK ? good || http_status_may_pass(response->status)
                                       : failure != HTTP_CANCELLED && failure != HTTP_NOT_TRUSTED;
    int64_t wait_ms =
        may_pass ? http_backoff_next(&backoff, ++self->attempt, failure == HTTP_OK ? response : NULL) : -1;
    if (wait_ms < 0)
        return failure != HTTP_OK ? http_transfer_error(self->transfer, err)
               : good ? error_set(err, ERROR_IO, "it ends after %" PRIu64 " bytes of %" PRId64, self->offset,
                                  self->object->size)
                      : refused(self->object->name, response->status, err);
    http_transfer_free(self->transfer);
    self->transfer = NULL;
    return http_sleep(self->web->http, (uint64_t)wait_ms) ? 0
                                                          : error_set(err, ERROR_CANCELLED, "asked to stop");
}

static int64_t web_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    enum { WAIT_MS = 1000 };
    struct web_input *self = (struct web_input *)input;
    while (self->ahead.size == self->at && !self->ended) {
        buffer_clear(&self->ahead);
        self->at = 0;
        uint64_t before = self->offset;
        if (!self->transfer)
            start(self);
        else if (self->paused)
            http_resume(self->transfer);
        self->paused = false;
        /* Going on hands over what had come before the pause: then there is nothing to wait for. */
        struct http_transfer *over = http_poll(self->web->http, self->offset > before ? 0 : WAIT_MS);
        if (self->offset > before)
            self->attempt = 0;
        if (over && take_end(self, err) < 0)
            return -1;
    }
    size_t count = self->ahead.size - self->at;
    count = count < size ? count : size;
    if (count)
        memcpy(bytes, self->ahead.data + self->at, count);
    self->at += count;
    return (int64_t)count;
}

static void web_input_close(struct files_input *input)
{
    struct web_input *self = (struct web_input *)input;
    http_transfer_free(self->transfer);
    buffer_done(&self->ahead);
    free(self);
}

static struct files_input *web_open(struct files_storage *storage, const struct files_object *object,
                                    uint64_t offset, struct error *err)
{
    struct web_input *self = mem_zalloc(sizeof *self);
    (void)err;
    self->input = (struct files_input){web_read, web_input_close};
    self->web = (struct web *)storage;
    self->object = object;
    self->offset = offset;
    self->ended = object->size >= 0 && offset >= (uint64_t)object->size;
    buffer_init(&self->ahead, BUFFER_UNLIMITED);
    return &self->input;
}

static const char *web_path(struct files_storage *storage, const struct files_object *object)
{
    (void)storage, (void)object;
    return NULL;
}

static void web_close(struct files_storage *storage)
{
    struct web *web = (struct web *)storage;
    http_client_free(web->http);
    free(web->url);
    free(web);
}

char *files_web_name(const char *url)
{
    struct buffer shown;
    buffer_init(&shown, BUFFER_UNLIMITED);
    http_url_shown(url, &shown);
    char *name = buffer_steal(&shown);
    name[strcspn(name, "?#")] = '\0';
    return name;
}

struct files_storage *files_web_new(const char *url, struct firth_host *host, struct error *err)
{
    struct web *web = mem_zalloc(sizeof *web);
    const struct http_settings settings = {
        .is_stopping = is_stopping, .context = host, .hurried = sdk_is_checking(host)};
    web->storage = (struct files_storage){web_list, web_look, web_open, web_path, web_close};
    web->url = mem_strdup(url);
    web->http = http_client_new(&settings, err);
    if (web->http)
        return &web->storage;
    free(web->url);
    free(web);
    return NULL;
}
