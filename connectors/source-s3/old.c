#include "config.h"

#include <string.h>

/* The config of Airbyte's connector before its version 4: one stream, of `path_pattern`, named `dataset`. It
 * is taken, but `spec` does not tell of it. */

#define AT(field) .offset = offsetof(struct source_s3_config, field)

static const struct firth_option provider_fields[] = {
    {.name = "bucket", .type = FIRTH_STRING, AT(bucket), .required = true},
    {.name = "aws_access_key_id", .type = FIRTH_SECRET, AT(key_id)},
    {.name = "aws_secret_access_key", .type = FIRTH_SECRET, AT(secret)},
    {.name = "role_arn", .type = FIRTH_STRING, AT(role_arn)},
    {.name = "path_prefix", .type = FIRTH_STRING, AT(path_prefix)},
    {.name = "endpoint", .type = FIRTH_STRING, AT(endpoint)},
    {.name = "region_name", .type = FIRTH_STRING, AT(region_name)},
    {.name = "start_date", .type = FIRTH_STRING, AT(start_date)},
    {0},
};

static const struct firth_option csv_fields[] = {
    {.name = "delimiter", .type = FIRTH_STRING, AT(old.delimiter)},
    {.name = "quote_char", .type = FIRTH_STRING, AT(old.quote)},
    {.name = "escape_char", .type = FIRTH_STRING, AT(old.escape)},
    {.name = "encoding", .type = FIRTH_STRING, AT(old.encoding)},
    {.name = "double_quote", .type = FIRTH_BOOLEAN, AT(old.double_quote), .preset = "true"},
    {.name = "additional_reader_options", .type = FIRTH_STRING, AT(reader_options)},
    {.name = "advanced_options", .type = FIRTH_STRING, AT(advanced_options)},
    {0},
};

/* In the places that files_stream_options has for them. */
static const struct firth_choice formats[] = {
    {"auto", NULL, NULL, NULL},
    {"avro", NULL, NULL, NULL},
    {"csv", NULL, NULL, csv_fields},
    {"jsonl", NULL, NULL, NULL},
    {"json", NULL, NULL, NULL},
    {"parquet", NULL, NULL, NULL},
    {0},
};

const struct firth_option source_s3_old_options[] = {
    {.name = "dataset", .type = FIRTH_STRING, AT(old.name), .required = true},
    {.name = "path_pattern", .type = FIRTH_STRING, AT(old.legacy_prefix), .required = true},
    {.name = "schema", .type = FIRTH_STRING, AT(old.input_schema)},
    {.name = "format", .type = FIRTH_CHOICE, AT(old.format), .tag = "filetype", .choices = formats},
    {.name = "provider", .type = FIRTH_OBJECT, .fields = provider_fields, .required = true},
    {0},
};

bool source_s3_is_old(const struct source_s3_config *config)
{
    return config->old.name != NULL;
}

static bool says_something(const char *json)
{
    return json && json[strspn(json, " {}\t\n")];
}

/* Names have to match a pattern, and to begin with the prefix besides. */
static void keep_below(struct files_stream *stream, const char *prefix, struct arena *arena)
{
    const char **kept = arena_zalloc(arena, (stream->prefix_count + 1) * sizeof *kept);
    size_t count = 0;
    bool whole = false;
    for (size_t i = 0; i < stream->prefix_count; i++) {
        if (string_starts_with(stream->prefixes[i], prefix))
            kept[count++] = stream->prefixes[i];
        else if (string_starts_with(prefix, stream->prefixes[i]) && !whole)
            whole = (kept[count++] = prefix);
    }
    stream->prefixes = kept;
    stream->prefix_count = count;
}

int source_s3_old_stream(const struct source_s3_config *config, struct arena *arena,
                         struct files_stream *ret_stream, struct error *err)
{
    struct files_stream_options options = config->old;
    const char *const patterns[] = {options.legacy_prefix, NULL};
    if (says_something(config->reader_options) || says_something(config->advanced_options))
        return error_set(
            err, ERROR_UNSUPPORTED,
            "format/additional_reader_options and format/advanced_options of the old config are not "
            "taken up: give bucket and streams, as Airbyte's connector has them since its version 4");
    options.globs = (struct firth_strings){patterns, 1};
    options.legacy_prefix = NULL;
    options.header = 0; /* the first row names the columns */
    options.strings_can_be_null = true;
    if (!says_something(options.input_schema))
        options.input_schema = NULL;
    if (files_stream_of_options(&options, "", arena, ret_stream, err) < 0)
        return -1;
    if (config->path_prefix && *config->path_prefix)
        keep_below(ret_stream, config->path_prefix, arena);
    return 0;
}
