/* source-s3's config: in Airbyte's spelling, in that of Airbyte's connector before its version 4, in
 * Estuary's. */
#ifndef FIRTH_SOURCE_S3_CONFIG_H
#define FIRTH_SOURCE_S3_CONFIG_H

#include "connectors/files/options.h"

struct source_s3_config {
    struct files_stream_options old; /* first: of the old spelling's one stream */
    const char *path_prefix, *reader_options, *advanced_options;

    const char *bucket;

    /* Airbyte's. */
    struct firth_objects streams;
    const char *key_id, *secret, *region_name, *endpoint, *role_arn, *start_date, *external_id, *token;

    /* Estuary's. */
    const char *flow_key_id, *flow_secret, *region, *prefix, *match_keys, *flow_endpoint, *top_endpoint;
    const char *credentials_key_id, *credentials_secret, *iam_region, *iam_role;
    int auth; /* choices: key, anonymous, IAM */
    bool ascending;
    struct files_parser_options parser;
};

/* The old spelling: one stream. */
extern const struct firth_option source_s3_old_options[];
bool source_s3_is_old(const struct source_s3_config *config);
int source_s3_old_stream(const struct source_s3_config *config, struct arena *arena,
                         struct files_stream *ret_stream, struct error *err);

#endif
