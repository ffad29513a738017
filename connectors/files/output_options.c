#include "destination.h"

#include <string.h>

/* How files are written, as Airbyte's destination-s3 spells it. */

#define AT(field) .offset = offsetof(struct files_output_options, field)

static const struct firth_choice compressions[] = {
    {"No Compression", "No Compression", "Plain files.", NULL},
    {"GZIP", "GZIP", "gzip, as .gz.", NULL},
    {"ZSTD", "Zstandard", "zstd, as .zst: smaller and quicker. Firth's own.", NULL},
    {0},
};
static const enum files_compression kinds_of_compression[] = {FILES_PLAIN, FILES_GZIP, FILES_ZSTD};

static const char *const flattenings[] = {"No flattening", "Root level flattening", NULL};

#define FLATTENING                                                                                       \
    {                                                                                                    \
        .name = "flattening", .type = FIRTH_ENUM, AT(flattening), .values = flattenings,                 \
        .preset = "No flattening", .title = "Flattening",                                                \
        .help = "Whether a record is one member or column, _airbyte_data, or its fields are members or " \
                "columns of their own. Where a materialization writes, documents and fields stand by "   \
                "themselves."                                                                            \
    }
#define COMPRESSION                                                                              \
    {                                                                                            \
        .name = "compression", .type = FIRTH_CHOICE, AT(compression), .tag = "compression_type", \
        .choices = compressions, .title = "Compression", .help = "Not given: GZIP."              \
    }

static const char *const codecs[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", NULL};
static const char *const codec_names[] = {"uncompressed", "snappy", "gzip", NULL, "brotli", "lz4", "zstd"};

static const struct firth_option parquet_fields[] = {
    {.name = "compression_codec",
     .type = FIRTH_ENUM,
     AT(codec),
     .values = codecs,
     .preset = "SNAPPY",
     .title = "Compression Codec",
     .help = "How the pages within the file are compressed. LZO cannot be written."},
    {0},
};

static const struct firth_option text_fields[] = {COMPRESSION, FLATTENING, {0}};

const struct firth_choice files_output_formats[] = {
    {"JSONL", "JSON Lines", "A JSON object in each line, numbers to the digit.", text_fields},
    {"CSV", "CSV", "Comma-separated values with a header; null is empty, an empty text is \"\".",
     text_fields},
    {"Parquet", "Parquet", "Apache Parquet: a typed column for each property of the stream's schema.",
     parquet_fields},
    {0},
};

void files_destination_pace(const void *config, struct firth_pace *ret_pace)
{
    const struct files_output_options *options = config;
    *ret_pace =
        (struct firth_pace){options->commit_seconds * 1000, (uint64_t)options->commit_megabytes << 20};
}

int files_output_take(const struct files_output_options *options, struct files_output *output,
                      struct error *err)
{
    static const enum files_kind kinds[] = {FILES_JSON_LINES, FILES_CSV, FILES_PARQUET};
    output->kind = options->format >= 0 ? kinds[options->format] : FILES_JSON_LINES;
    if (output->kind == FILES_PARQUET && !(output->codec = codec_names[options->codec]))
        return error_set(err, ERROR_INVALID,
                         "compression_codec LZO cannot be written: SNAPPY and ZSTD can, for example");
    output->compression = options->format >= 0 && options->compression >= 0
                              ? kinds_of_compression[options->compression]
                              : FILES_GZIP;
    output->flattened = options->format >= 0 && options->flattening == 1;
    return 0;
}
