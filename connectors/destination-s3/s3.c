/* destination-s3: objects of JSON lines, CSV or Parquet in a bucket. */
#include "connectors/s3/s3.h"
#include "bridge.h"
#include "connectors/files/destination.h"
#include "registry.h"

#include <string.h>

struct config {
    struct files_output_options output; /* first: files_output_formats */
    const char *bucket, *path, *region, *endpoint, *key_id, *secret, *template, *role_arn, *file_pattern,
        *external_id, *token;
};

#define AT(field) .offset = offsetof(struct config, field)

static const struct firth_option options[] = {
    {.name = "access_key_id",
     .type = FIRTH_SECRET,
     AT(key_id),
     .title = "S3 Key ID",
     .help = "With the secret; without both, those of the connector's environment count."},
    {.name = "secret_access_key",
     .type = FIRTH_SECRET,
     AT(secret),
     .title = "S3 Access Key",
     .help = "Of the key id."},
    {.name = "role_arn",
     .type = FIRTH_STRING,
     AT(role_arn),
     .title = "Role ARN",
     .help = "Of a role that is assumed, by the key above or by who the environment says we are."},
    {.name = "external_id",
     .type = FIRTH_STRING,
     AT(external_id),
     .title = "External ID",
     .help = "That the role asks for. Not given: that of AWS_ASSUME_ROLE_EXTERNAL_ID. Firth's own option."},
    {.name = "session_token",
     .type = FIRTH_SECRET,
     AT(token),
     .title = "Session Token",
     .help = "Of a key that is temporary. Firth's own option."},
    {.name = "s3_bucket_name",
     .type = FIRTH_STRING,
     AT(bucket),
     .required = true,
     .title = "S3 Bucket Name",
     .help = "The bucket, which is there already."},
    {.name = "s3_bucket_path",
     .type = FIRTH_STRING,
     AT(path),
     .required = true,
     .example = "data_sync/test",
     .title = "S3 Bucket Path",
     .help = "What all names begin with."},
    {.name = "s3_bucket_region",
     .type = FIRTH_STRING,
     AT(region),
     .title = "S3 Bucket Region",
     .help = "Where the bucket is. Not given: us-east-1."},
    {.name = "format",
     .type = FIRTH_CHOICE,
     .offset = offsetof(struct config, output.format),
     .required = true,
     .tag = "format_type",
     .choices = files_output_formats,
     .title = "Output Format",
     .help = "What the objects hold."},
    {.name = "s3_endpoint",
     .type = FIRTH_STRING,
     AT(endpoint),
     .title = "Endpoint",
     .help = "Of a server that speaks like S3; empty: Amazon's."},
    {.name = "s3_path_format",
     .type = FIRTH_STRING,
     AT(template),
     .preset = "${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_",
     .title = "S3 Path Format",
     .help =
         "What names begin with below the path: ${STREAM_NAME} (which it must have), ${NAMESPACE}, ${YEAR}, "
         "${MONTH}, ${DAY}, ${HOUR}, ${MINUTE}, ${SECOND}, ${MILLISECOND}, ${EPOCH}, ${UUID}, {date}, "
         "{generation}, "
         "{part_number}, {sync_id}. What follows is the connector's."},
    {.name = "file_name_pattern",
     .type = FIRTH_STRING,
     AT(file_pattern),
     .title = "File Name Pattern",
     .help = "Accepted for existing configs: what follows the path format is the connector's."},
    FILES_PACE_OPTIONS,
    {0},
};

static int output_of(struct firth_host *host, const void *config_, struct files_output *ret_output,
                     struct firth_error *err)
{
    const struct config *config = config_;
    struct error library_err;
    const struct s3_settings settings = {.bucket = config->bucket,
                                         .region = config->region,
                                         .endpoint = config->endpoint,
                                         .key_id = config->key_id,
                                         .secret = config->secret,
                                         .token = config->token,
                                         .role_arn = config->role_arn,
                                         .external_id = config->external_id,
                                         .host = host};
    const char *path = config->path + strspn(config->path, "/");
    size_t size = strlen(path);
    *ret_output = (struct files_output){.place = config->bucket, .template = config->template};
    if (files_output_take(&config->output, ret_output, &library_err) < 0)
        return sdk_error(err, &library_err);
    struct s3 *s3 = s3_new(&settings, &library_err);
    if (!s3)
        return sdk_error(err, &library_err);
    auto_free char *prefix = mem_printf("%s%s", path, size && path[size - 1] != '/' ? "/" : "");
    ret_output->target = s3_target_new(s3, prefix);
    return 0;
}

static const struct files_destination family = {.output = output_of};

static const char *const image_names[] = {"airbyte/destination-s3", NULL};

const struct firth_connector_class destination_s3 = {
    .name = "destination-s3",
    .version = FIRTH_VERSION,
    .title = "S3",
    .summary = "objects of JSON lines, CSV or Parquet in a bucket",
    .image_names = image_names,
    .config_size = sizeof(struct config),
    .options = options,
    .family = &family,
    .destination = {.sync_modes = FIRTH_APPEND | FIRTH_OVERWRITE,
                    .whole_documents = true,
                    .pace = files_destination_pace,
                    .check = files_destination_check,
                    .apply = files_destination_apply,
                    .open = files_destination_open,
                    .checkpoint = files_destination_checkpoint,
                    .store = files_destination_store,
                    .commit = files_destination_commit,
                    .finish = files_destination_finish,
                    .close = files_destination_close},
};
