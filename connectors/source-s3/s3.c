/* source-s3: objects of a bucket, of Amazon's S3 or a server like it, as streams of records. */
#include "connectors/s3/s3.h"
#include "base/clock.h"
#include "bridge.h"
#include "config.h"
#include "registry.h"

#include <stdlib.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct source_s3_config, field)

/* --- Airbyte's ---------------------------------------------------------------------------------------------
 */

static const struct firth_option options_airbyte[] = {
    {.name = "bucket",
     .type = FIRTH_STRING,
     AT(bucket),
     .required = true,
     .title = "Bucket",
     .help = "Its name."},
    {.name = "streams",
     .type = FIRTH_OBJECTS,
     AT(streams),
     .required = true,
     .item_size = sizeof(struct files_stream_options),
     .fields = files_stream_fields,
     .title = "The List of Streams To Sync",
     .help = "Each stream is made of the files that its globs match."},
    {.name = "aws_access_key_id",
     .type = FIRTH_SECRET,
     AT(key_id),
     .title = "AWS Access Key ID",
     .help =
         "With the secret; without both, those of the environment count (AWS_ACCESS_KEY_ID …), and without "
         "those, requests are not signed: for public buckets."},
    {.name = "aws_secret_access_key",
     .type = FIRTH_SECRET,
     AT(secret),
     .title = "AWS Secret Access Key",
     .help = "Of the key id."},
    {.name = "role_arn",
     .type = FIRTH_STRING,
     AT(role_arn),
     .title = "AWS Role ARN",
     .help = "Of a role that is assumed, by the key above or by who the environment says we are."},
    {.name = "external_id",
     .type = FIRTH_STRING,
     AT(external_id),
     .title = "External ID",
     .help = "That the role asks for. Not given: that of AWS_ASSUME_ROLE_EXTERNAL_ID. Firth's own option."},
    {.name = "aws_session_token",
     .type = FIRTH_SECRET,
     AT(token),
     .title = "AWS Session Token",
     .help = "Of a key that is temporary. Firth's own option."},
    {.name = "endpoint",
     .type = FIRTH_STRING,
     AT(endpoint),
     .example = "https://s3.example.com:9000",
     .title = "Endpoint",
     .help = "Of a server that speaks like S3; empty: Amazon's."},
    {.name = "region_name",
     .type = FIRTH_STRING,
     AT(region_name),
     .title = "AWS Region",
     .help = "Where the bucket is. Not given: us-east-1."},
    {.name = "start_date",
     .type = FIRTH_STRING,
     AT(start_date),
     .example = "2024-01-01T00:00:00.000000Z",
     .title = "Start Date",
     .help = "Files that were changed before are left out."},
    {0},
};

/* --- Estuary's ---------------------------------------------------------------------------------------------
 */

static const struct firth_option key_fields[] = {
    {.name = "aws_access_key_id",
     .type = FIRTH_STRING,
     AT(credentials_key_id),
     .required = true,
     .title = "AWS Access Key ID",
     .help = "The key's id."},
    {.name = "aws_secret_access_key",
     .type = FIRTH_SECRET,
     AT(credentials_secret),
     .required = true,
     .title = "AWS Secret Access Key",
     .help = "The key's secret."},
    {0},
};

static const struct firth_option iam_fields[] = {
    {.name = "aws_region",
     .type = FIRTH_STRING,
     AT(iam_region),
     .title = "AWS Region",
     .help = "Where the role is assumed. Not given: the bucket's."},
    {.name = "aws_role_arn",
     .type = FIRTH_STRING,
     AT(iam_role),
     .title = "AWS Role ARN",
     .help = "The role, which is assumed by who the environment says we are."},
    {0},
};

static const struct firth_choice auth_choices[] = {
    {"AWSAccessKey", "Access Key", "A key id and its secret.", key_fields},
    {"AWSAnonymous", "Anonymous", "Requests are not signed: for public buckets.", NULL},
    {"AWSIAM", "AWS IAM", "A role that is assumed.", iam_fields},
    {0},
};
enum { AUTH_KEY, AUTH_ANONYMOUS, AUTH_IAM };

#define PARSER(member) .offset = FILES_PARSER_OFFSET(source_s3_config, parser, member)

static const struct firth_option parser_csv_config[] = {
    {.name = "delimiter",
     .type = FIRTH_STRING,
     PARSER(delimiter),
     .title = "Delimiter",
     .help = "What separates the fields. Not given: the first rows tell."},
    {.name = "encoding",
     .type = FIRTH_STRING,
     PARSER(encoding),
     .title = "Encoding",
     .help = "utf-8, utf-16, iso-8859-1 or windows-1252. Not given: the first bytes tell."},
    {.name = "escape",
     .type = FIRTH_STRING,
     PARSER(escape),
     .title = "Escape Character",
     .help = "What stands before a character that is meant as it is."},
    {.name = "quote",
     .type = FIRTH_STRING,
     PARSER(quote),
     .title = "Quote Character",
     .help = "What encloses fields; empty: nothing does. Not given: the first rows tell."},
    {.name = "headers",
     .type = FIRTH_STRINGS,
     PARSER(headers),
     .title = "Headers",
     .help = "Names of the columns, where the first row does not name them."},
    {.name = "lineEnding",
     .type = FIRTH_STRING,
     PARSER(line_ending),
     .title = "Line Ending",
     .help = "Accepted for existing configs: the first rows tell."},
    {.name = "errorThreshold",
     .type = FIRTH_INTEGER,
     PARSER(error_threshold),
     .preset = "0",
     .minimum = "0",
     .maximum = "100",
     .title = "Error Threshold",
     .help = "Above 0, rows that cannot be read are left out and counted; with 0 they are an error."},
    {0},
};

static const struct firth_option parser_csv_fields[] = {
    {.name = "config",
     .type = FIRTH_OBJECT,
     .fields = parser_csv_config,
     .title = "Configuration",
     .help = "How the CSV is written."},
    {0},
};

static const struct firth_choice parser_formats[] = {
    {"auto", "Auto", "By the name and the first bytes of each file.", NULL},
    {"avro", "Avro", "Avro object container files.", NULL},
    {"csv", "CSV", "Comma-separated values, and others of their kind.", parser_csv_fields},
    {"json", "JSON", "JSON objects, one after the other or in an array.", NULL},
    {"parquet", "Parquet", "Apache Parquet.", NULL},
    {0},
};

static const char *const compressions[] = {"none", "gzip", "zstd", "bzip2", "zip", NULL};

static const struct firth_option parser_fields[] = {
    {.name = "compression",
     .type = FIRTH_ENUM,
     PARSER(compression),
     .values = compressions,
     .title = "Compression",
     .help = "Not given: the first bytes of each file tell."},
    {.name = "format",
     .type = FIRTH_CHOICE,
     PARSER(type),
     .tag = "type",
     .choices = parser_formats,
     .title = "Format",
     .help = "Not given: the name and the first bytes of each file tell."},
    {0},
};

static const struct firth_option advanced_fields[] = {
    {.name = "ascendingKeys",
     .type = FIRTH_BOOLEAN,
     AT(ascending),
     .preset = "false",
     .title = "Ascending Keys",
     .help = "New objects always have names behind all others: only what comes behind the last is listed."},
    {.name = "endpoint",
     .type = FIRTH_STRING,
     AT(flow_endpoint),
     .title = "AWS Endpoint",
     .help = "Of a server that speaks like S3; empty: Amazon's."},
    {0},
};

static const struct firth_option options_flow[] = {
    {.name = "region",
     .type = FIRTH_STRING,
     AT(region),
     .required = true,
     .title = "AWS Region",
     .help = "Where the bucket is."},
    {.name = "bucket",
     .type = FIRTH_STRING,
     AT(bucket),
     .required = true,
     .title = "Bucket",
     .help = "Its name."},
    {.name = "prefix",
     .type = FIRTH_STRING,
     AT(prefix),
     .title = "Prefix",
     .help = "Of the objects' names that make the stream that is discovered."},
    {.name = "matchKeys",
     .type = FIRTH_STRING,
     AT(match_keys),
     .example = ".*\\.json",
     .title = "Match Keys",
     .help = "Only objects whose name has a match of this regular expression."},
    {.name = "credentials",
     .type = FIRTH_CHOICE,
     AT(auth),
     .tag = "auth_type",
     .choices = auth_choices,
     .title = "Authentication",
     .help = "Who asks. Not given: awsAccessKeyId and awsSecretAccessKey, as older configs have it, or those "
             "of the "
             "environment."},
    {.name = "parser",
     .type = FIRTH_OBJECT,
     .fields = parser_fields,
     .title = "Parser Configuration",
     .help = "What the objects hold. Not given: each one tells."},
    {.name = "advanced",
     .type = FIRTH_OBJECT,
     .fields = advanced_fields,
     .title = "Advanced",
     .help = "For those who need them."},
    {.name = "awsAccessKeyId",
     .type = FIRTH_STRING,
     AT(flow_key_id),
     .title = "AWS Access Key ID",
     .help = "As credentials/aws_access_key_id."},
    {.name = "awsSecretAccessKey",
     .type = FIRTH_SECRET,
     AT(flow_secret),
     .title = "AWS Secret Access Key",
     .help = "As credentials/aws_secret_access_key."},
    {.name = "endpoint",
     .type = FIRTH_STRING,
     AT(top_endpoint),
     .title = "AWS Endpoint",
     .help = "As advanced/endpoint; older configs have it here."},
    {0},
};

/* --- the plan ----------------------------------------------------------------------------------------------
 */

static bool is_flow(const struct source_s3_config *config)
{
    return config->region != NULL;
}

static const char *first(const char *a, const char *b)
{
    return a && *a ? a : b;
}

static struct s3_settings settings_of(const struct source_s3_config *config, struct firth_host *host)
{
    bool by_choice = config->auth == AUTH_KEY && is_flow(config),
         by_role = config->auth == AUTH_IAM && is_flow(config);
    return (struct s3_settings){
        .bucket = config->bucket,
        .region = first(config->region, config->region_name),
        .endpoint = is_flow(config) ? first(config->flow_endpoint, config->top_endpoint) : config->endpoint,
        .key_id = by_choice ? config->credentials_key_id : first(config->key_id, config->flow_key_id),
        .secret = by_choice ? config->credentials_secret : first(config->secret, config->flow_secret),
        .token = by_choice ? NULL : config->token,
        .role_arn = by_role ? config->iam_role : config->role_arn,
        .role_region = by_role ? config->iam_region : NULL,
        .external_id = config->external_id,
        .anonymous = is_flow(config) && config->auth == AUTH_ANONYMOUS,
        .host = host,
    };
}

/* "bucket/prefix" in Estuary's spelling, as its connector has it. */
static bool flow_stream(const struct source_s3_config *config, const char *name, struct arena *arena,
                        struct files_stream *ret_stream, struct error *err)
{
    size_t bucket = strlen(config->bucket);
    struct files_stream stream = {.name = arena_strdup(arena, name),
                                  .location = arena_printf(arena, "%s/", config->bucket),
                                  .match = config->match_keys,
                                  .ascending = config->ascending};
    if (strncmp(name, config->bucket, bucket) != 0 || (name[bucket] && name[bucket] != '/'))
        return false;
    const char *prefix = name[bucket] ? name + bucket + 1 : "";
    if (files_format_of_parser(&config->parser, &stream.format, err) < 0 ||
        files_stream_set_globs(&stream, &(struct firth_strings){0}, prefix, arena, err) < 0)
        return false;
    *ret_stream = stream;
    return true;
}

static const char *discovered_name(const struct source_s3_config *config, struct arena *arena)
{
    const char *prefix = config->prefix ? config->prefix : "";
    return arena_printf(arena, "%s%s%s", config->bucket, *prefix ? "/" : "", prefix);
}

static int plan_streams(const struct source_s3_config *config, struct files_plan *plan, struct error *err)
{
    const struct files_stream_options *given = config->streams.items;
    bool is_old = source_s3_is_old(config);
    size_t count = is_flow(config) || is_old ? 1 : config->streams.count;
    plan->streams = arena_zalloc(&plan->arena, (count + 1) * sizeof *plan->streams);
    if (is_flow(config)) {
        error_set(err, ERROR_INVALID, "bucket and prefix make no stream");
        if (!flow_stream(config, discovered_name(config, &plan->arena), &plan->arena, &plan->streams[0], err))
            return -1;
    }
    if (is_old && source_s3_old_stream(config, &plan->arena, &plan->streams[0], err) < 0)
        return -1;
    for (size_t i = 0; i < count && !is_flow(config) && !is_old; i++) {
        if (files_stream_of_options(&given[i], "", &plan->arena, &plan->streams[i], err) < 0)
            return -1;
    }
    plan->count = count;
    if (config->start_date && *config->start_date &&
        !clock_parse_rfc3339(config->start_date, strlen(config->start_date), &plan->start_ms))
        return error_set(err, ERROR_INVALID, "start_date must be like 2024-01-01T00:00:00Z, got '%.60s'",
                         config->start_date);
    return 0;
}

static int plan(struct firth_host *host, const void *config_, struct files_plan *ret_plan,
                struct firth_error *err)
{
    const struct source_s3_config *config = config_;
    struct error library_err;
    const struct s3_settings settings = settings_of(config, host);
    if (plan_streams(config, ret_plan, &library_err) < 0)
        return sdk_error(err, &library_err);
    struct s3 *s3 = s3_new(&settings, &library_err);
    if (!s3)
        return sdk_error(err, &library_err);
    ret_plan->storage = s3_storage_new(s3);
    return 0;
}

static bool find_stream(struct firth_host *host, const void *config, const char *name, struct arena *arena,
                        struct files_stream *ret_stream)
{
    struct error err;
    (void)host;
    return is_flow(config) && flow_stream(config, name, arena, ret_stream, &err);
}

static const struct files_source family = {.plan = plan, .find = find_stream};

static const char *const image_names[] = {"ghcr.io/estuary/source-s3", "airbyte/source-s3", NULL};

const struct firth_connector_class source_s3 = {
    .name = "source-s3",
    .version = FIRTH_VERSION,
    .title = "S3",
    .summary = "records of objects in a bucket: JSON, CSV, Parquet, Avro",
    .image_names = image_names,
    .config_size = sizeof(struct source_s3_config),
    .options = options_airbyte,
    .flow_options = options_flow,
    .old_options = source_s3_old_options,
    .family = &family,
    .source = {.check = files_source_check,
               .discover = files_source_discover,
               .find = files_source_find,
               .open = files_source_open,
               .read = files_source_read,
               .close = files_source_close},
};
