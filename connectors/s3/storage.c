#include "s3.h"

#include "base/clock.h"
#include "base/hash.h"
#include "connectors/s3/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A bucket as a place of files: listed a page at a time, objects read as streams that survive broken
 * connections. */

struct bucket {
    struct files_storage storage;
    struct s3 *s3;
};

static uint64_t tag_of(const char *etag, int64_t size)
{
    return hash_xxh3(etag, strlen(etag), (uint64_t)size);
}

/* --- listing ----------------------------------------------------------------------------------------------
 */

enum { PAGE_MAX = 16 << 20 }; /* bytes of a page of a thousand keys */

struct listing {
    struct files_listing listing;
    struct s3 *s3;
    char *prefix, *after;
    struct http_transfer *page;
    struct slice xml;
    size_t at;
    bool encoded, more;
    struct buffer name, etag;
};

static int fetch_page(struct listing *self, struct error *err)
{
    struct buffer query;
    struct slice inside;
    buffer_init(&query, BUFFER_UNLIMITED);
    s3_query(&query, "encoding-type", "url");
    s3_query(&query, "list-type", "2");
    s3_query(&query, "prefix", self->prefix);
    if (*self->after)
        s3_query(&query, "start-after", self->after);
    const struct s3_request request = {.method = "GET", .key = "", .query = buffer_cstr(&query)};
    http_transfer_free(self->page);
    self->page = NULL;
    int result = s3_do(self->s3, &request, &self->page, err);
    if (result == 0)
        result = s3_check(self->s3, &request, http_transfer_response(self->page), "list", err);
    buffer_done(&query);
    if (result < 0)
        return -1;
    self->xml = http_transfer_response(self->page)->body;
    self->at = 0;
    if (!s3_xml_find(self->xml, "ListBucketResult", &inside))
        return error_set(err, ERROR_PROTOCOL, "the listing of s3://%s is none: the endpoint is no S3 server",
                         s3_bucket(self->s3));
    self->encoded = s3_xml_find(self->xml, "EncodingType", &inside) && slice_is(inside, "url");
    self->more = s3_xml_find(self->xml, "IsTruncated", &inside) && slice_is(inside, "true");
    return 0;
}

static void take_text(const struct listing *self, struct slice inside, bool key, struct buffer *out)
{
    buffer_clear(out);
    if (key && self->encoded)
        s3_url_decode(inside, out);
    else
        s3_xml_text(inside, out);
}

static int64_t number_in(struct slice object, const char *name)
{
    struct slice inside;
    char text[24] = "";
    if (s3_xml_find(object, name, &inside) && inside.size < sizeof text)
        memcpy(text, inside.data, inside.size);
    return strtoll(text, NULL, 10);
}

static void take_object(struct listing *self, struct slice object, struct files_object *ret_object)
{
    struct slice inside = {0};
    buffer_clear(&self->etag);
    buffer_clear(&self->name);
    if (s3_xml_find(object, "Key", &inside))
        take_text(self, inside, true, &self->name);
    if (s3_xml_find(object, "ETag", &inside))
        take_text(self, inside, false, &self->etag);
    *ret_object = (struct files_object){.name = (char *)(uintptr_t)buffer_cstr(&self->name),
                                        .size = number_in(object, "Size"),
                                        .etag = (char *)(uintptr_t)buffer_cstr(&self->etag)};
    if (s3_xml_find(object, "LastModified", &inside))
        clock_parse_rfc3339(inside.data, inside.size, &ret_object->modified_ms);
    ret_object->arrived_ms = ret_object->modified_ms;
    ret_object->tag = tag_of(ret_object->etag, ret_object->size);
}

/* Pages go on behind the last key rather than by their tokens, which grow old while files are read. */
static int listing_next(struct files_listing *listing, struct files_object *ret_object, struct error *err)
{
    struct listing *self = (struct listing *)listing;
    struct slice object;
    for (;;) {
        if (self->page && s3_xml_next(self->xml, "Contents", &self->at, &object)) {
            take_object(self, object, ret_object);
            if (strcmp(ret_object->name, self->after) <= 0)
                continue; /* a server that does not know start-after */
            free(self->after);
            self->after = mem_strdup(ret_object->name);
            return 1;
        }
        if (self->page && !self->more)
            return 0;
        if (fetch_page(self, err) < 0)
            return -1;
    }
}

static void listing_close(struct files_listing *listing)
{
    struct listing *self = (struct listing *)listing;
    http_transfer_free(self->page);
    buffer_done(&self->name);
    buffer_done(&self->etag);
    free(self->prefix);
    free(self->after);
    free(self);
}

struct files_listing *s3_list(struct s3 *s3, const char *prefix, const char *after, struct error *err)
{
    struct listing *self = mem_zalloc(sizeof *self);
    self->listing = (struct files_listing){listing_next, listing_close};
    self->s3 = s3;
    self->prefix = mem_strdup(prefix);
    self->after = mem_strdup(after);
    buffer_init(&self->name, PAGE_MAX);
    buffer_init(&self->etag, PAGE_MAX);
    if (fetch_page(self, err) == 0)
        return &self->listing;
    listing_close(&self->listing);
    return NULL;
}

static struct files_listing *bucket_list(struct files_storage *storage, const char *prefix, const char *after,
                                         struct error *err)
{
    return s3_list(((struct bucket *)storage)->s3, prefix, after, err);
}

/* --- one object --------------------------------------------------------------------------------------------
 */

static int64_t parse_http_date(const char *text)
{
    struct tm parts = {0};
    if (!text || !strptime(text, "%a, %d %b %Y %H:%M:%S", &parts))
        return 0;
    return (int64_t)timegm(&parts) * 1000;
}

static int bucket_look(struct files_storage *storage, const char *name, struct files_object *ret_object,
                       struct error *err)
{
    struct s3 *s3 = ((struct bucket *)storage)->s3;
    const struct s3_request request = {.method = "HEAD", .key = name};
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (s3_do(s3, &request, &transfer, err) < 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    if (response->status == 404)
        return 0;
    if (s3_check(s3, &request, response, "look at", err) < 0)
        return -1;
    const char *etag = http_response_header(response, "ETag"),
               *size = http_response_header(response, "Content-Length");
    *ret_object =
        (struct files_object){.name = mem_strdup(name),
                              .size = size ? strtoll(size, NULL, 10) : 0,
                              .modified_ms = parse_http_date(http_response_header(response, "Last-Modified")),
                              .etag = mem_strdup(etag ? etag : "")};
    ret_object->arrived_ms = ret_object->modified_ms;
    ret_object->tag = tag_of(ret_object->etag, ret_object->size);
    return 1;
}

/* --- reading -----------------------------------------------------------------------------------------------
 */

enum { AHEAD_MAX = 1 << 20 }; /* bytes that are held before the server has to wait */

struct object_input {
    struct files_input input;
    struct s3 *s3;
    const struct files_object *object;
    struct http_transfer *transfer;
    struct buffer ahead;
    size_t at;
    uint64_t offset; /* behind all that has come */
    unsigned attempt;
    bool ended, paused;
};

static enum http_sinking take_bytes(void *context, const struct http_response *response, struct slice bytes)
{
    struct object_input *self = context;
    (void)response;
    if (self->ahead.size - self->at >= AHEAD_MAX) {
        self->paused = true;
        return HTTP_PAUSE;
    }
    buffer_append(&self->ahead, bytes.data, bytes.size);
    self->offset += bytes.size;
    return HTTP_GO_ON;
}

static struct s3_request request_of(struct object_input *self)
{
    return (struct s3_request){.method = "GET",
                               .key = self->object->name,
                               .from = (int64_t)self->offset,
                               .if_match = *self->object->etag ? self->object->etag : NULL,
                               .sink = take_bytes,
                               .context = self};
}

/* The transfer has ended: well, or to be gone on with at the byte where it broke. */
static int take_end(struct object_input *self, struct error *err)
{
    const struct s3_request request = request_of(self);
    const struct http_response *response = http_transfer_response(self->transfer);
    const struct http_backoff backoff = {0};
    enum http_failure failure = http_transfer_failure(self->transfer);
    bool whole = self->object->size < 0 || self->offset >= (uint64_t)self->object->size;
    if (failure == HTTP_OK && response->status >= 200 && response->status < 300 && whole) {
        self->ended = true;
        return 0;
    }
    if (failure == HTTP_OK && response->status == 416 && whole) { /* from its very end on */
        self->ended = true;
        return 0;
    }
    bool may_pass = failure == HTTP_OK ? http_status_may_pass(response->status) || response->status < 300
                                       : failure != HTTP_CANCELLED && failure != HTTP_NOT_TRUSTED;
    int64_t wait_ms =
        may_pass ? http_backoff_next(&backoff, ++self->attempt, failure == HTTP_OK ? response : NULL) : -1;
    if (wait_ms < 0 && failure == HTTP_OK && response->status < 300)
        return error_set(err, ERROR_IO, "s3://%s/%s ends after %" PRIu64 " bytes of %" PRId64,
                         s3_bucket(self->s3), self->object->name, self->offset, self->object->size);
    if (wait_ms < 0)
        return failure == HTTP_OK ? s3_check(self->s3, &request, response, "read", err)
                                  : http_transfer_error(self->transfer, err);
    http_transfer_free(self->transfer);
    self->transfer = NULL;
    if (!http_sleep(s3_http(self->s3), (uint64_t)wait_ms))
        return error_set(err, ERROR_CANCELLED, "asked to stop");
    return 0;
}

static int wait_for_bytes(struct object_input *self, struct error *err)
{
    enum { WAIT_MS = 1000 };
    uint64_t before = self->offset;
    if (!self->transfer) {
        if (s3_ready(self->s3, err) < 0)
            return -1;
        const struct s3_request request = request_of(self);
        self->transfer = s3_start(self->s3, &request);
    } else if (self->paused) {
        self->paused = false;
        http_resume(self->transfer);
    }
    /* Going on hands over what had come before the pause: then there is nothing to wait for. */
    struct http_transfer *over = http_poll(s3_http(self->s3), self->offset > before ? 0 : WAIT_MS);
    if (self->offset > before)
        self->attempt = 0;
    return over ? take_end(self, err) : 0;
}

static int64_t object_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct object_input *self = (struct object_input *)input;
    while (self->ahead.size == self->at && !self->ended) {
        buffer_clear(&self->ahead);
        self->at = 0;
        if (wait_for_bytes(self, err) < 0)
            return -1;
    }
    size_t count = self->ahead.size - self->at;
    if (count > size)
        count = size;
    memcpy(bytes, self->ahead.data + self->at, count);
    self->at += count;
    return (int64_t)count;
}

static void object_close(struct files_input *input)
{
    struct object_input *self = (struct object_input *)input;
    http_transfer_free(self->transfer);
    buffer_done(&self->ahead);
    free(self);
}

static struct files_input *bucket_open(struct files_storage *storage, const struct files_object *object,
                                       uint64_t offset, struct error *err)
{
    struct object_input *self = mem_zalloc(sizeof *self);
    (void)err;
    self->input = (struct files_input){object_read, object_close};
    self->s3 = ((struct bucket *)storage)->s3;
    self->object = object;
    self->offset = offset;
    self->ended = object->size == 0 || (object->size > 0 && offset >= (uint64_t)object->size);
    buffer_init(&self->ahead, BUFFER_UNLIMITED);
    return &self->input;
}

static const char *bucket_path(struct files_storage *storage, const struct files_object *object)
{
    (void)storage, (void)object;
    return NULL;
}

static void bucket_close(struct files_storage *storage)
{
    struct bucket *self = (struct bucket *)storage;
    s3_free(self->s3);
    free(self);
}

struct files_storage *s3_storage_new(struct s3 *s3)
{
    struct bucket *self = mem_zalloc(sizeof *self);
    self->storage = (struct files_storage){bucket_list, bucket_look, bucket_open, bucket_path, bucket_close};
    self->s3 = s3;
    return &self->storage;
}
