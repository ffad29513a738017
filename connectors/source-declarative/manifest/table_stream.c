/* Streams: cursors, partition routers, schemas, asynchronous jobs. */
#include "table.h"

#define ROUTERS                                                            \
    "SubstreamPartitionRouter|ListPartitionRouter|GroupingPartitionRouter" \
    "|UnionPartitionRouter|CustomPartitionRouter"
#define DECODERS                                                                  \
    "JsonDecoder|JsonItemsDecoder|XmlDecoder|CsvDecoder|JsonlDecoder|GzipDecoder" \
    "|IterableDecoder|ZipfileDecoder|CustomDecoder"
#define TRANSFORMATIONS                                                                   \
    "AddFields|RemoveFields|KeysToLower|KeysToSnakeCase|FlattenFields|DpathFlattenFields" \
    "|KeysReplace|CustomTransformation"
#define LOADERS "InlineSchemaLoader|DynamicSchemaLoader|JsonFileSchemaLoader|CustomSchemaLoader"

static const struct component_field none[] = {{.name = NULL}};

static const struct component_field custom[] = {
    {"class_name", "string", .required = true},
    {.name = NULL},
};

static const struct component_field declarative_stream[] = {
    {"name", "string", .plain = true},
    {"retriever", "SimpleRetriever|AsyncRetriever|CustomRetriever", .required = true},
    {"incremental_sync", "DatetimeBasedCursor|IncrementingCountCursor"},
    {"primary_key", "string|[string]|[[string]]"},
    {"schema_loader", LOADERS "|[" LOADERS "]"},
    {"transformations", "[" TRANSFORMATIONS "]"},
    {"state_migrations", "[LegacyToPerPartitionStateMigration|CustomStateMigration]"},
    {"file_uploader", "FileUploader"},
    {.name = NULL},
};

static const struct component_field state_delegating_stream[] = {
    {"name", "string", .required = true, .plain = true},
    {"full_refresh_stream", "DeclarativeStream", .required = true},
    {"incremental_stream", "DeclarativeStream", .required = true},
    {"api_retention_period", "string"},
    {.name = NULL},
};

static const struct component_field file_uploader[] = {
    {"requester", "HttpRequester|CustomRequester", .required = true},
    {"download_target_extractor", "DpathExtractor|CustomRecordExtractor|CombinedExtractor", .required = true},
    {"file_extractor", "DpathExtractor|CustomRecordExtractor"},
    {"filename_extractor", "string"},
    {.name = NULL},
};

static const struct component_field datetime_based_cursor[] = {
    {"clamping", "Clamping"},
    {"cursor_field", "string", .required = true},
    {"allow_catalog_defined_cursor_field", "boolean"},
    {"cursor_datetime_formats", "[string]"},
    {"start_datetime", "MinMaxDatetime|string", .required = true},
    {"start_time_option", "RequestOption"},
    {"end_datetime", "MinMaxDatetime|string"},
    {"end_time_option", "RequestOption"},
    {"datetime_format", "string", .required = true},
    {"cursor_granularity", "string"},
    {"is_data_feed", "boolean"},
    {"is_client_side_incremental", "boolean"},
    {"is_compare_strictly", "boolean", .preset = "false"},
    {"global_substream_cursor", "boolean", .preset = "false"},
    {"lookback_window", "string"},
    {"partition_field_end", "string"},
    {"partition_field_start", "string"},
    {"step", "string"},
    {"state_is_window_end", "boolean", .preset = "false"}, /* Firth's own */
    {.name = NULL},
};

static const struct component_field min_max_datetime[] = {
    {"datetime", "string", .required = true},
    {"datetime_format", "string"},
    {"max_datetime", "string"},
    {"min_datetime", "string"},
    {.name = NULL},
};

static const struct component_field clamping[] = {
    {"target", "string", .required = true},
    {"target_details", "object"},
    {.name = NULL},
};

static const struct component_field incrementing_count_cursor[] = {
    {"cursor_field", "string", .required = true},
    {"allow_catalog_defined_cursor_field", "boolean"},
    {"start_value", "string|integer"},
    {"start_value_option", "RequestOption"},
    {.name = NULL},
};

static const struct component_field list_partition_router[] = {
    {"cursor_field", "string", .required = true},
    {"values", "string|[string]", .required = true},
    {"request_option", "RequestOption"},
    {.name = NULL},
};

static const struct component_field substream_partition_router[] = {
    {"parent_stream_configs", "[ParentStreamConfig]", .required = true},
    {.name = NULL},
};

static const struct component_field parent_stream_config[] = {
    {"stream", "DeclarativeStream|StateDelegatingStream", .required = true},
    {"parent_key", "string", .required = true},
    {"partition_field", "string", .required = true},
    {"request_option", "RequestOption"},
    {"incremental_dependency", "boolean", .preset = "false"},
    {"lazy_read_pointer", "[string]"},
    {"extra_fields", "[[string]]"},
    {.name = NULL},
};

static const struct component_field grouping_partition_router[] = {
    {"group_size", "integer", .required = true},
    {"underlying_partition_router",
     "ListPartitionRouter|SubstreamPartitionRouter|UnionPartitionRouter|CustomPartitionRouter",
     .required = true},
    {"deduplicate", "boolean", .preset = "true"},
    {.name = NULL},
};

static const struct component_field union_partition_router[] = {
    {"partition_field", "string", .required = true},
    {"partition_routers",
     "[ListPartitionRouter|SubstreamPartitionRouter|UnionPartitionRouter|CustomPartitionRouter]",
     .required = true, .least = ">=2"},
    {.name = NULL},
};

static const struct component_field inline_schema_loader[] = {
    {"schema", "object"},
    {.name = NULL},
};

static const struct component_field json_file_schema_loader[] = {
    {"file_path", "string"},
    {.name = NULL},
};

static const struct component_field dynamic_schema_loader[] = {
    {"retriever", "SimpleRetriever|AsyncRetriever|CustomRetriever", .required = true},
    {"schema_filter", "RecordFilter|CustomRecordFilter"},
    {"schema_transformations", "[" TRANSFORMATIONS "]"},
    {"schema_type_identifier", "SchemaTypeIdentifier", .required = true},
    {.name = NULL},
};

static const struct component_field schema_type_identifier[] = {
    {"schema_pointer", "[string]"},
    {"key_pointer", "[string]", .required = true},
    {"type_pointer", "[string]"},
    {"types_mapping", "[TypesMap]"},
    {.name = NULL},
};

static const struct component_field types_map[] = {
    {"target_type", "string|[string]|ComplexFieldType", .required = true},
    {"current_type", "string|[string]", .required = true},
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field complex_field_type[] = {
    {"field_type", "string", .required = true},
    {"items", "string|ComplexFieldType"},
    {.name = NULL},
};

static const struct component_field async_retriever[] = {
    {"record_selector", "RecordSelector", .required = true},
    {"status_mapping", "AsyncJobStatusMap", .required = true},
    {"status_extractor", "DpathExtractor|CustomRecordExtractor|CombinedExtractor", .required = true},
    {"download_target_extractor", "DpathExtractor|CustomRecordExtractor|CombinedExtractor"},
    {"download_extractor", "DpathExtractor|CustomRecordExtractor|ResponseToFileExtractor|CombinedExtractor"},
    {"creation_requester", "HttpRequester|CustomRequester", .required = true},
    {"polling_requester", "HttpRequester|CustomRequester", .required = true},
    {"polling_job_timeout", "integer|string"},
    {"failed_retry_wait_time_in_seconds", "integer|string", .least = ">=1"},
    {"download_target_requester", "HttpRequester|CustomRequester"},
    {"download_requester", "HttpRequester|CustomRequester", .required = true},
    {"download_paginator", "DefaultPaginator|NoPagination"},
    {"abort_requester", "HttpRequester|CustomRequester"},
    {"delete_requester", "HttpRequester|CustomRequester"},
    {"partition_router", ROUTERS "|[" ROUTERS "]"},
    {"decoder", DECODERS},
    {"download_decoder", DECODERS},
    {.name = NULL},
};

static const struct component_field async_job_status_map[] = {
    {"running", "[string]", .required = true},
    {"completed", "[string]", .required = true},
    {"failed", "[string]", .required = true},
    {"timeout", "[string]", .required = true},
    {"skipped", "[string]"},
    {.name = NULL},
};

const struct component_type table_stream[] = {
    {"DeclarativeStream", declarative_stream},
    {"StateDelegatingStream", state_delegating_stream},
    {"FileUploader", file_uploader},
    {"DatetimeBasedCursor", datetime_based_cursor},
    {"MinMaxDatetime", min_max_datetime},
    {"Clamping", clamping, .untyped = true},
    {"IncrementingCountCursor", incrementing_count_cursor},
    {"ListPartitionRouter", list_partition_router},
    {"SubstreamPartitionRouter", substream_partition_router},
    {"ParentStreamConfig", parent_stream_config},
    {"GroupingPartitionRouter", grouping_partition_router},
    {"UnionPartitionRouter", union_partition_router},
    {"CustomPartitionRouter", custom, .custom = true},
    {"LegacyToPerPartitionStateMigration", none, .untyped = true},
    {"CustomStateMigration", custom, .custom = true},
    {"InlineSchemaLoader", inline_schema_loader},
    {"JsonFileSchemaLoader", json_file_schema_loader},
    {"DynamicSchemaLoader", dynamic_schema_loader},
    {"SchemaTypeIdentifier", schema_type_identifier, .untyped = true},
    {"TypesMap", types_map, .untyped = true},
    {"ComplexFieldType", complex_field_type, .untyped = true},
    {"CustomSchemaLoader", custom, .custom = true},
    {"AsyncRetriever", async_retriever},
    {"AsyncJobStatusMap", async_job_status_map, .untyped = true},
    {"CustomRetriever", custom, .custom = true},
    {.name = NULL},
};
