/* source-file: files of this machine and of web servers, as streams of records. */
#include "base/file.h"
#include "bridge.h"
#include "connectors/files/options.h"
#include "connectors/files/web.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

struct file_config {
    /* Airbyte's: one file, one stream. */
    const char *dataset_name, *url, *reader_options;
    int format, provider;
    bool user_agent;
    /* Our own: as source-s3's. */
    struct firth_objects streams;
};

#define AT(field) .offset = offsetof(struct file_config, field)

static const struct firth_option https_fields[] = {
    {.name = "user_agent",
     .type = FIRTH_BOOLEAN,
     AT(user_agent),
     .title = "User-Agent",
     .help = "Accepted for existing configs: a user agent is always sent."},
    {0},
};

static const struct firth_choice providers[] = {
    {"HTTPS", "HTTPS: Public Web", "A file of a web server.", https_fields},
    {"local", "Local Filesystem", "A file of this machine.", NULL},
    {0},
};

static const char *const formats[] = {"auto", "csv", "json", "jsonl", "parquet", "avro", NULL};
static const enum files_kind kinds[] = {FILES_ANY_KIND,   FILES_CSV,     FILES_JSON,
                                        FILES_JSON_LINES, FILES_PARQUET, FILES_AVRO};

static const struct firth_option options[] = {
    {.name = "dataset_name",
     .type = FIRTH_STRING,
     AT(dataset_name),
     .title = "Dataset Name",
     .help = "Name of the stream that the file of `url` becomes. Not given: the file's own name."},
    {.name = "url",
     .type = FIRTH_STRING,
     AT(url),
     .example = "/local/orders.csv",
     .title = "URL",
     .help = "A file: http:// or https://, or a path of this machine, in which wildcards are allowed. What "
             "lies under "
             "/local is under /tmp/airbyte_local (the environment variable FIRTH_LOCAL_ROOT names another)."},
    {.name = "format",
     .type = FIRTH_ENUM,
     AT(format),
     .values = formats,
     .preset = "auto",
     .title = "File Format",
     .help = "What the file holds; auto: its name and its first bytes tell."},
    {.name = "reader_options",
     .type = FIRTH_STRING,
     AT(reader_options),
     .example = "{\"sep\": \";\", \"encoding\": \"latin1\"}",
     .title = "Reader Options",
     .help = "How a CSV file is written, as a JSON object: sep (or delimiter), quotechar, escapechar, "
             "encoding, header "
             "(a number of lines, or null), names, skiprows, na_values."},
    {.name = "provider",
     .type = FIRTH_CHOICE,
     AT(provider),
     .tag = "storage",
     .choices = providers,
     .title = "Storage Provider",
     .help = "Where the file is. Not given: the URL tells."},
    {.name = "streams",
     .type = FIRTH_OBJECTS,
     AT(streams),
     .item_size = sizeof(struct files_stream_options),
     .fields = files_stream_fields,
     .title = "Streams",
     .help = "Several streams, each of many files. Their globs are absolute paths, such as "
             "/data/orders/**/*.csv. "
             "Firth's own option."},
    {0},
};

static bool is_web(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* As the destinations have it: /local is a folder that containers share. */
static const char *real_path(const char *path, struct arena *arena)
{
    const char *root = getenv("FIRTH_LOCAL_ROOT");
    if (strncmp(path, "file://", 7) == 0)
        path += 7;
    if (strncmp(path, "/local/", 7) == 0)
        return arena_printf(arena, "%s/%s", root && *root ? root : "/tmp/airbyte_local", path + 7);
    if (*path == '/')
        return path;
    auto_free char *whole = file_absolute(path);
    return arena_strdup(arena, whole);
}

/* --- reader_options ----------------------------------------------------------------------------------------
 */

static int take_strings(const struct json *doc, uint32_t at, struct arena *arena,
                        struct firth_strings *ret_strings)
{
    size_t count = json_is(doc, at, JSON_STRING) ? 1 : json_count(doc, at), used = 0;
    const char **items = arena_zalloc(arena, (count + 1) * sizeof *items);
    if (json_is(doc, at, JSON_STRING))
        items[used++] = json_cstring(doc, at, arena);
    for (uint32_t e = json_first(doc, at); e != JSON_NONE; e = json_next(doc, at, e)) {
        if (json_is(doc, e, JSON_STRING))
            items[used++] = json_cstring(doc, e, arena);
    }
    *ret_strings = (struct firth_strings){items, used};
    return 0;
}

static int take_reader_option(const struct json *doc, uint32_t key, struct arena *arena,
                              struct files_format *format, struct error *err)
{
    static const char *const known[] = {"sep",    "delimiter",   "quotechar",  "escapechar", "encoding",
                                        "header", "names",       "skiprows",   "na_values",  "lines",
                                        "orient", "compression", "low_memory", "chunksize"};
    const char *name = json_cstring(doc, key, arena), *text = json_cstring(doc, json_value(key), arena);
    uint32_t value = json_value(key);
    struct files_csv *csv = &format->csv;
    int64_t number = 0;
    if (strcmp(name, "sep") == 0 || strcmp(name, "delimiter") == 0)
        return files_character(text, name, &csv->delimiter, err);
    if (strcmp(name, "quotechar") == 0)
        return files_character(text, name, &csv->quote, err);
    if (strcmp(name, "escapechar") == 0)
        return files_character(text, name, &csv->escape, err);
    if (strcmp(name, "encoding") == 0)
        format->encoding = text;
    else if (strcmp(name, "names") == 0) {
        csv->header = FILES_HEADER_GIVEN;
        return take_strings(doc, value, arena, &csv->names);
    } else if (strcmp(name, "na_values") == 0)
        return take_strings(doc, value, arena, &csv->null_values);
    else if (strcmp(name, "header") == 0 && csv->header != FILES_HEADER_GIVEN) {
        csv->header = json_is(doc, value, JSON_NULL) ? FILES_HEADER_NONE : FILES_HEADER_FIRST;
        if (json_to_i64(doc, value, &number) && number > 0)
            csv->skip_before += number;
    } else if (strcmp(name, "skiprows") == 0 && json_to_i64(doc, value, &number) && number > 0)
        csv->skip_before += number;
    else if (strcmp(name, "lines") == 0 && json_is(doc, value, JSON_TRUE))
        format->kind = FILES_JSON_LINES;
    else {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strcmp(name, known[i]) == 0)
                return 0;
        }
        const char *near = string_nearest(name, known, sizeof known / sizeof *known);
        return error_set(err, ERROR_INVALID, "reader_options: unknown '%.60s'%s%s%s", name,
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return 0;
}

static int take_reader_options(const char *text, struct arena *arena, struct files_format *format,
                               struct error *err)
{
    struct json doc;
    if (!text || !*text)
        return 0;
    if (json_parse_copy(arena, text, strlen(text), &doc, err) < 0)
        return error_wrap(err, "reader_options");
    if (!json_is(&doc, 0, JSON_OBJECT))
        return error_set(err, ERROR_INVALID,
                         "reader_options must be a JSON object, such as {\"sep\": \";\"}");
    for (uint32_t key = json_first_key(&doc, 0); key != JSON_NONE; key = json_next_key(&doc, 0, key)) {
        if (take_reader_option(&doc, key, arena, format, err) < 0)
            return -1;
    }
    return 0;
}

/* --- the plan ----------------------------------------------------------------------------------------------
 */

static const char *base_name(const char *url, struct arena *arena)
{
    size_t size = strcspn(url, "?#");
    while (size && url[size - 1] == '/')
        size--;
    size_t from = size;
    while (from && url[from - 1] != '/')
        from--;
    size_t dot = from;
    while (dot < size && url[dot] != '.')
        dot++;
    return arena_strndup(arena, url + from, (dot > from ? dot : size) - from);
}

static int plan_url(const struct file_config *config, struct arena *arena, struct files_stream *stream,
                    struct error *err)
{
    *stream = (struct files_stream){.location = "", .format = FILES_FORMAT_DEFAULT};
    stream->format.kind = kinds[config->format];
    stream->name =
        config->dataset_name && *config->dataset_name ? config->dataset_name : base_name(config->url, arena);
    if (!*stream->name)
        return error_set(err, ERROR_INVALID, "the stream needs a name: give dataset_name");
    if (take_reader_options(config->reader_options, arena, &stream->format, err) < 0)
        return -1;
    if (is_web(config->url)) { /* which may have any character: it is no pattern */
        const char **prefix = arena_zalloc(arena, 2 * sizeof *prefix);
        auto_free char *name = files_web_name(config->url);
        prefix[0] = arena_strdup(arena, name);
        stream->prefixes = prefix;
        stream->prefix_count = 1;
        return 0;
    }
    const char *const *globs = arena_dup(arena, (const char *const[]){real_path(config->url, arena), NULL},
                                         2 * sizeof(const char *));
    return files_stream_set_globs(stream, &(struct firth_strings){globs, 1}, "", arena, err);
}

static int plan_stream(const struct files_stream_options *given, struct arena *arena,
                       struct files_stream *stream, struct error *err)
{
    struct files_stream_options copy = *given;
    const char **globs = arena_zalloc(arena, (given->globs.count + 1) * sizeof *globs);
    for (size_t i = 0; i < given->globs.count; i++)
        globs[i] = real_path(given->globs.items[i], arena);
    if (!given->globs.count && !(given->legacy_prefix && *given->legacy_prefix))
        return error_set(err, ERROR_INVALID, "stream %s needs globs, such as [\"/data/orders/*.csv\"]",
                         given->name ? given->name : "");
    copy.globs = (struct firth_strings){globs, given->globs.count};
    return files_stream_of_options(&copy, "/", arena, stream, err);
}

static int plan(struct firth_host *host, const void *config_, struct files_plan *ret_plan,
                struct firth_error *err)
{
    const struct file_config *config = config_;
    struct error library_err;
    bool one = config->url && *config->url;
    if (!one && !config->streams.count)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "url is required: a path such as /local/orders.csv, or an "
                          "http(s) URL (or streams, for several)");
    ret_plan->streams =
        arena_zalloc(&ret_plan->arena, (config->streams.count + 1) * sizeof *ret_plan->streams);
    if (one && plan_url(config, &ret_plan->arena, &ret_plan->streams[ret_plan->count++], &library_err) < 0)
        return sdk_error(err, &library_err);
    const struct files_stream_options *given = config->streams.items;
    for (size_t i = 0; i < config->streams.count; i++) {
        if (plan_stream(&given[i], &ret_plan->arena, &ret_plan->streams[ret_plan->count++], &library_err) < 0)
            return sdk_error(err, &library_err);
    }
    if (one && is_web(config->url) && config->streams.count)
        return firth_fail(err, FIRTH_FAILURE_CONFIG,
                          "url is of the web and streams are of this machine: give one of the two");
    if (one && is_web(config->url)) {
        ret_plan->storage = files_web_new(config->url, host, &library_err);
        return ret_plan->storage ? 0 : sdk_error(err, &library_err);
    }
    ret_plan->storage = files_local_new();
    return 0;
}

static const struct files_source family = {.plan = plan};

static const char *const image_names[] = {"airbyte/source-file", NULL};

const struct firth_connector_class source_file = {
    .name = "source-file",
    .version = FIRTH_VERSION,
    .title = "File",
    .summary = "records of files, of this machine or of the web: JSON, CSV, Parquet, Avro",
    .image_names = image_names,
    .config_size = sizeof(struct file_config),
    .options = options,
    .family = &family,
    .source = {.check = files_source_check,
               .discover = files_source_discover,
               .find = files_source_find,
               .open = files_source_open,
               .read = files_source_read,
               .close = files_source_close},
};
