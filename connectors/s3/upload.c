#include "s3.h"

#include "base/clock.h"
#include "connectors/s3/xml.h"
#include "json/json.h"
#include "json/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A bucket as a place to write to. A file is a multipart upload: its parts are durable when they are
 * uploaded, and nobody sees it before it is completed. */

enum { PART_SIZE = 8 << 20, PARTS_MAX = 10 * 1000, GET_MAX = 64 << 20 };

struct bucket {
    struct files_target target;
    struct s3 *s3;
    char *prefix;
};

struct files_writing {
    struct bucket *bucket;
    char *key, *id;
    int64_t begun_ms;
    char **etags;
    size_t count, capacity;
    struct buffer part;
};

static int ask(struct s3 *s3, const struct s3_request *request, const char *what,
               struct http_transfer **ret_transfer, struct error *err)
{
    if (s3_do(s3, request, ret_transfer, err) < 0)
        return -1;
    return s3_check(s3, request, http_transfer_response(*ret_transfer), what, err);
}

static char *text_in(struct slice xml, const char *name)
{
    struct slice inside = {0};
    struct buffer text;
    if (!s3_xml_find(xml, name, &inside))
        return NULL;
    buffer_init(&text, BUFFER_UNLIMITED);
    s3_xml_text(inside, &text);
    return buffer_steal(&text);
}

/* --- writing ----------------------------------------------------------------------------------------------
 */

static int send_abort(struct s3 *s3, const char *key, const char *id, struct error *err)
{
    struct buffer query;
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    buffer_init(&query, BUFFER_UNLIMITED);
    s3_query(&query, "uploadId", id);
    const struct s3_request request = {.method = "DELETE", .key = key, .query = buffer_cstr(&query)};
    int result = s3_do(s3, &request, &transfer, err);
    if (result == 0 && http_transfer_response(transfer)->status != 404)
        result = s3_check(s3, &request, http_transfer_response(transfer), "abort the upload of", err);
    buffer_done(&query);
    return result;
}

static void end(struct files_writing *writing)
{
    for (size_t i = 0; i < writing->count; i++)
        free(writing->etags[i]);
    free(writing->etags);
    free(writing->key);
    free(writing->id);
    buffer_done(&writing->part);
    free(writing);
}

static void bucket_drop(struct files_writing *writing)
{
    struct error ignored;
    if (!writing)
        return;
    if (writing->id)
        send_abort(writing->bucket->s3, writing->key, writing->id, &ignored);
    end(writing);
}

static struct files_writing *bucket_begin(struct files_target *target, const char *name, struct error *err)
{
    struct bucket *bucket = (struct bucket *)target;
    struct files_writing *writing = mem_zalloc(sizeof *writing);
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    writing->bucket = bucket;
    writing->key = mem_printf("%s%s", bucket->prefix, name);
    writing->begun_ms = clock_wall_ms(&clock_system);
    buffer_init(&writing->part, BUFFER_UNLIMITED);
    const struct s3_request request = {.method = "POST", .key = writing->key, .query = "uploads="};
    if (ask(bucket->s3, &request, "write", &transfer, err) == 0) {
        writing->id = text_in(http_transfer_response(transfer)->body, "UploadId");
        if (writing->id)
            return writing;
        error_set(err, ERROR_PROTOCOL, "the S3 server begins an upload to s3://%s/%s without an UploadId",
                  s3_bucket(bucket->s3), writing->key);
    }
    end(writing);
    return NULL;
}

static int send_part(struct files_writing *writing, struct slice bytes, struct error *err)
{
    struct buffer query;
    char number[16];
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (writing->count == PARTS_MAX)
        return error_set(err, ERROR_LIMIT, "s3://%s/%s would have more than %d parts",
                         s3_bucket(writing->bucket->s3), writing->key, PARTS_MAX);
    snprintf(number, sizeof number, "%zu", writing->count + 1);
    buffer_init(&query, BUFFER_UNLIMITED);
    s3_query(&query, "partNumber", number);
    s3_query(&query, "uploadId", writing->id);
    const struct s3_request request = {
        .method = "PUT", .key = writing->key, .query = buffer_cstr(&query), .body = bytes};
    int result = ask(writing->bucket->s3, &request, "write", &transfer, err);
    buffer_done(&query);
    if (result < 0)
        return -1;
    const char *etag = http_response_header(http_transfer_response(transfer), "ETag");
    writing->etags = mem_grow(writing->etags, &writing->capacity, writing->count + 1, sizeof *writing->etags);
    writing->etags[writing->count++] = mem_strdup(etag ? etag : "");
    return 0;
}

static int bucket_write(struct files_writing *writing, struct slice bytes, struct error *err)
{
    buffer_append(&writing->part, bytes.data, bytes.size);
    while (writing->part.size >= PART_SIZE) {
        if (send_part(writing, (struct slice){writing->part.data, PART_SIZE}, err) < 0)
            return -1;
        buffer_consume(&writing->part, PART_SIZE);
    }
    return 0;
}

static int bucket_seal(struct files_writing *writing, struct buffer *out, struct error *err)
{
    struct json_writer writer;
    if ((writing->part.size || !writing->count) &&
        send_part(writing, (struct slice){writing->part.data ? writing->part.data : "", writing->part.size},
                  err) < 0) {
        bucket_drop(writing);
        return -1;
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_string(&writer, "key", writing->key);
    json_member_string(&writer, "upload", writing->id);
    json_member_i64(&writer, "begun", writing->begun_ms);
    json_put_key(&writer, "parts");
    json_begin_array(&writer);
    for (size_t i = 0; i < writing->count; i++)
        json_put_string(&writer, writing->etags[i]);
    json_end_array(&writer);
    json_end_object(&writer);
    end(writing);
    return 0;
}

/* A page of them, after these two; *key and *id become the next page's, or NULL. */
static int upload_page(struct bucket *bucket, const char *prefix, char **key, char **id,
                       struct http_transfer **ret_transfer, struct error *err)
{
    struct buffer query;
    struct slice truncated;
    buffer_init(&query, BUFFER_UNLIMITED);
    if (*key)
        s3_query(&query, "key-marker", *key);
    s3_query(&query, "prefix", prefix);
    if (*id)
        s3_query(&query, "upload-id-marker", *id);
    s3_query(&query, "uploads", "");
    const struct s3_request request = {.method = "GET", .key = "", .query = buffer_cstr(&query)};
    int result = ask(bucket->s3, &request, "list the uploads of", ret_transfer, err);
    buffer_done(&query);
    auto_free char *old_key = *key, *old_id = *id;
    *key = *id = NULL;
    if (result < 0)
        return -1;
    struct slice xml = http_transfer_response(*ret_transfer)->body;
    if (s3_xml_find(xml, "IsTruncated", &truncated) && slice_is(truncated, "true")) {
        *key = text_in(xml, "NextKeyMarker");
        *id = text_in(xml, "NextUploadIdMarker");
        if (old_key && old_id && *key && *id && strcmp(*key, old_key) == 0 && strcmp(*id, old_id) == 0)
            return error_set(err, ERROR_PROTOCOL,
                             "the uploads of s3://%s/%s do not end: the server lists the page after '%s' "
                             "again and again",
                             s3_bucket(bucket->s3), prefix, old_key);
    }
    return 0;
}

/* The uploads of names that begin so, which are neither completed nor aborted. */
static int each_upload(struct bucket *bucket, const char *prefix,
                       int (*found)(void *context, const char *key, const char *id, struct error *err),
                       void *context, struct error *err)
{
    char *next_key = NULL, *next_id = NULL;
    int result = 0;
    do {
        mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
        result = upload_page(bucket, prefix, &next_key, &next_id, &transfer, err);
        struct slice xml = result == 0 ? http_transfer_response(transfer)->body : (struct slice){0}, upload;
        for (size_t at = 0; result == 0 && s3_xml_next(xml, "Upload", &at, &upload);) {
            auto_free char *key = text_in(upload, "Key"), *id = text_in(upload, "UploadId");
            if (key && id && strncmp(key, prefix, strlen(prefix)) == 0)
                result = found(context, key, id, err);
        }
    } while (result == 0 && next_key);
    free(next_key), free(next_id);
    return result;
}

/* --- publishing --------------------------------------------------------------------------------------------
 */

struct sealed {
    struct arena arena;
    const char *key, *id;
    int64_t begun_ms; /* 0: an older version of this program did not say */
    struct json doc;
};

static int take_apart(struct slice text, struct sealed *sealed, struct error *err)
{
    arena_init(&sealed->arena);
    if (json_parse_copy(&sealed->arena, text.data, text.size, &sealed->doc, err) < 0)
        return -1;
    sealed->key = json_cstring(&sealed->doc, json_get(&sealed->doc, 0, "key"), &sealed->arena);
    sealed->id = json_cstring(&sealed->doc, json_get(&sealed->doc, 0, "upload"), &sealed->arena);
    if (!json_to_i64(&sealed->doc, json_get(&sealed->doc, 0, "begun"), &sealed->begun_ms))
        sealed->begun_ms = 0;
    return sealed->key && sealed->id
               ? 0
               : error_set(err, ERROR_CORRUPT, "this is not how this connector notes an upload");
}

static void put_parts(const struct sealed *sealed, struct buffer *out)
{
    uint32_t parts = json_get(&sealed->doc, 0, "parts");
    struct arena arena;
    arena_init(&arena);
    int number = 1;
    buffer_str(out, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint32_t e = json_first(&sealed->doc, parts); e != JSON_NONE;
         e = json_next(&sealed->doc, parts, e)) {
        buffer_printf(out, "<Part><PartNumber>%d</PartNumber><ETag>", number++);
        s3_xml_escape(out, json_cstring(&sealed->doc, e, &arena));
        buffer_str(out, "</ETag></Part>");
    }
    buffer_str(out, "</CompleteMultipartUpload>");
    arena_done(&arena);
}

/* 1; 0: there is no such upload. The server answers 200 before it has tried: the answer may be an error all
 * the same. */
static int complete(struct bucket *bucket, const struct sealed *sealed, struct error *err)
{
    struct buffer query, body;
    struct slice inside;
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    buffer_init(&query, BUFFER_UNLIMITED);
    buffer_init(&body, BUFFER_UNLIMITED);
    s3_query(&query, "uploadId", sealed->id);
    put_parts(sealed, &body);
    const struct s3_request request = {.method = "POST",
                                       .key = sealed->key,
                                       .query = buffer_cstr(&query),
                                       .body = {body.data, body.size},
                                       .content_type = "application/xml"};
    int result = s3_do(bucket->s3, &request, &transfer, err);
    const struct http_response *response = result == 0 ? http_transfer_response(transfer) : NULL;
    bool gone = response && response->status == 404 && s3_xml_find(response->body, "Code", &inside) &&
                slice_is(inside, "NoSuchUpload");
    if (gone)
        response = NULL;
    if (response)
        result = s3_check(bucket->s3, &request, response, "complete the upload of", err);
    if (response && result == 0 && s3_xml_find(response->body, "Error", &inside)) {
        auto_free char *why = text_in(inside, "Message");
        result = error_set(err, ERROR_IO, "cannot complete the upload of s3://%s/%s: %.300s",
                           s3_bucket(bucket->s3), sealed->key, why ? why : "the server does not say why");
    }
    buffer_done(&query);
    buffer_done(&body);
    return result < 0 ? -1 : !gone;
}

/* There is no such upload: then its object is there, since a request may be done twice, or somebody aborted
 * it. Only after a crash, `again`, there may be neither for a good reason: it was completed, and who reads
 * the bucket has moved it on; bound to be so if it is younger than what lifecycle rules and servers end by
 * themselves. */
static int look_for(struct bucket *bucket, const struct sealed *sealed, bool again, struct error *err)
{
    enum { ABORTED_AFTER_MS = 24 * 3600 * 1000 };
    const struct s3_request request = {.method = "HEAD", .key = sealed->key};
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (s3_do(bucket->s3, &request, &transfer, err) < 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    if (response->status != 404)
        return s3_check(bucket->s3, &request, response, "look at", err);
    int64_t age_ms = clock_wall_ms(&clock_system) - sealed->begun_ms;
    const char *name = s3_bucket(bucket->s3);
    if (!again)
        return error_set(
            err, ERROR_IO,
            "cannot complete the upload of s3://%s/%s: it was aborted, by another sync, a rule of the "
            "bucket, or hand, and no such object is there",
            name, sealed->key);
    if (sealed->begun_ms && age_ms >= ABORTED_AFTER_MS)
        return error_set(
            err, ERROR_NOT_FOUND,
            "s3://%s/%s belongs to the last commit, and neither the object is there nor its upload, "
            "which may have been aborted: if a reader has moved it on, put any object of this name "
            "there once; if not, do that and raise the binding's backfill, since its documents are lost",
            name, sealed->key);
    if (s3_host(bucket->s3))
        firth_log(s3_host(bucket->s3), FIRTH_WARN,
                  "s3://%s/%s belongs to the last commit and is not there: a reader has moved it on, unless "
                  "somebody aborted its upload",
                  name, sealed->key);
    return 0;
}

struct looking {
    const char *id;
    bool found;
};

static int look_at(void *context, const char *key, const char *id, struct error *err)
{
    struct looking *looking = context;
    (void)key, (void)err;
    looking->found |= strcmp(id, looking->id) == 0;
    return 0;
}

static int bucket_publish(struct files_target *target, struct slice text, bool again, struct error *err)
{
    struct sealed sealed;
    int result = take_apart(text, &sealed, err);
    struct looking looking = {sealed.id, !again};
    if (result == 0 && again)
        result = each_upload((struct bucket *)target, sealed.key, look_at, &looking, err);
    int completed = result == 0 && looking.found ? complete((struct bucket *)target, &sealed, err) : result;
    if (completed == 0)
        completed = look_for((struct bucket *)target, &sealed, again, err);
    arena_done(&sealed.arena);
    return completed < 0 ? -1 : 0;
}

static int bucket_abandon(struct files_target *target, struct slice text, struct error *err)
{
    struct sealed sealed;
    int result = take_apart(text, &sealed, err);
    if (result == 0)
        result = send_abort(((struct bucket *)target)->s3, sealed.key, sealed.id, err);
    arena_done(&sealed.arena);
    return result;
}

/* --- small files, names ------------------------------------------------------------------------------------
 */

static int bucket_get(struct files_target *target, const char *name, struct buffer *out, struct error *err)
{
    struct bucket *bucket = (struct bucket *)target;
    auto_free char *key = mem_printf("%s%s", bucket->prefix, name);
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    const struct s3_request request = {.method = "GET", .key = key};
    struct slice code;
    if (s3_do(bucket->s3, &request, &transfer, err) < 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    if (response->status == 404 &&
        !(s3_xml_find(response->body, "Code", &code) && slice_is(code, "NoSuchBucket")))
        return 0;
    if (s3_check(bucket->s3, &request, response, "read", err) < 0)
        return -1;
    buffer_append(out, response->body.data, response->body.size);
    return 1;
}

static int simple(struct files_target *target, const char *method, const char *name, struct slice body,
                  const char *what, struct error *err)
{
    struct bucket *bucket = (struct bucket *)target;
    auto_free char *key = mem_printf("%s%s", bucket->prefix, name);
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    const struct s3_request request = {.method = method, .key = key, .body = body};
    return ask(bucket->s3, &request, what, &transfer, err);
}

static int bucket_put(struct files_target *target, const char *name, struct slice bytes, struct error *err)
{
    return simple(target, "PUT", name, bytes, "write", err);
}

static int bucket_remove(struct files_target *target, const char *name, struct error *err)
{
    return simple(target, "DELETE", name, (struct slice){0}, "remove", err);
}

static int bucket_list(struct files_target *target, const char *prefix,
                       int (*found)(void *context, const char *name, struct error *err), void *context,
                       struct error *err)
{
    struct bucket *bucket = (struct bucket *)target;
    auto_free char *whole = mem_printf("%s%s", bucket->prefix, prefix);
    mem_auto(files_listing_close) struct files_listing *listing = s3_list(bucket->s3, whole, "", err);
    struct files_object object;
    int got = listing ? 1 : -1;
    while (got > 0 && (got = listing->next(listing, &object, err)) > 0) {
        if (found(context, object.name + strlen(bucket->prefix), err) < 0)
            return -1;
    }
    return got;
}

/* Uploads that nobody will complete cost money for ever. All are looked at before one is aborted: what is
 * begun after `sure` was asked is not among them, however late an abort comes. */
struct tidying {
    const char *mark;
    char **uploads; /* key, id, key, id, … */
    size_t count, capacity;
};

static int tidy_one(void *context, const char *key, const char *id, struct error *err)
{
    struct tidying *tidying = context;
    (void)err;
    if (!strstr(key, tidying->mark))
        return 0;
    tidying->uploads =
        mem_grow(tidying->uploads, &tidying->capacity, tidying->count + 2, sizeof *tidying->uploads);
    tidying->uploads[tidying->count++] = mem_strdup(key);
    tidying->uploads[tidying->count++] = mem_strdup(id);
    return 0;
}

static int bucket_tidy(struct files_target *target, const char *prefix, const char *mark,
                       int (*sure)(void *context, struct error *err), void *context, struct error *err)
{
    struct bucket *bucket = (struct bucket *)target;
    auto_free char *whole = mem_printf("%s%s", bucket->prefix, prefix);
    struct tidying tidying = {.mark = mark};
    int result = each_upload(bucket, whole, tidy_one, &tidying, err);
    if (result == 0 && tidying.count && sure)
        result = sure(context, err);
    for (size_t i = 0; result == 0 && i < tidying.count; i += 2)
        result = send_abort(bucket->s3, tidying.uploads[i], tidying.uploads[i + 1], err);
    while (tidying.count)
        free(tidying.uploads[--tidying.count]);
    free(tidying.uploads);
    return result;
}

static int bucket_lock(struct files_target *target, const char *name, struct error *err)
{
    (void)target, (void)name, (void)err; /* the file of commits says whose turn it is */
    return 0;
}

static void bucket_close(struct files_target *target)
{
    struct bucket *bucket = (struct bucket *)target;
    s3_free(bucket->s3);
    free(bucket->prefix);
    free(bucket);
}

struct files_target *s3_target_new(struct s3 *s3, const char *prefix)
{
    struct bucket *bucket = mem_zalloc(sizeof *bucket);
    bucket->target = (struct files_target){
        bucket_begin, bucket_write,  bucket_seal, bucket_drop, bucket_publish, bucket_abandon, bucket_get,
        bucket_put,   bucket_remove, bucket_list, bucket_list, bucket_tidy,    bucket_lock,    bucket_close};
    bucket->s3 = s3;
    bucket->prefix = mem_strdup(prefix);
    return &bucket->target;
}
