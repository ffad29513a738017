/* Pages and records: paginators, decoders, extractors, filters, transformations. */
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
#define INNER "CsvDecoder|GzipDecoder|JsonDecoder|JsonItemsDecoder|JsonlDecoder"

static const struct component_field none[] = {{.name = NULL}};

static const struct component_field custom[] = {
    {"class_name", "string", .required = true},
    {.name = NULL},
};

static const struct component_field simple_retriever[] = {
    {"requester", "HttpRequester|CustomRequester", .required = true},
    {"decoder", DECODERS},
    {"record_selector", "RecordSelector", .required = true},
    {"paginator", "DefaultPaginator|NoPagination"},
    {"pagination_reset", "PaginationReset"},
    {"page_size_reduction", "PageSizeReduction"},
    {"request_window_splitting", "RequestWindowSplitting"},
    {"ignore_stream_slicer_parameters_on_paginated_requests", "boolean", .preset = "false"},
    {"partition_router", ROUTERS "|[" ROUTERS "]"},
    {.name = NULL},
};

static const struct component_field default_paginator[] = {
    {"pagination_strategy", "PageIncrement|OffsetIncrement|CursorPagination|CustomPaginationStrategy",
     .required = true},
    {"page_size_option", "RequestOption"},
    {"page_token_option", "RequestOption|RequestPath"},
    {.name = NULL},
};

static const struct component_field page_increment[] = {
    {"page_size", "integer|string"},
    {"start_from_page", "integer", .preset = "0"},
    {"inject_on_first_request", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field offset_increment[] = {
    {"page_size", "integer|string"},
    {"inject_on_first_request", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field cursor_pagination[] = {
    {"cursor_value", "string", .required = true},
    {"page_size", "integer|string"},
    {"stop_condition", "string"},
    {.name = NULL},
};

static const struct component_field pagination_reset[] = {
    {"action", "'SPLIT_USING_CURSOR'|'RESET'", .required = true},
    {"limits", "PaginationResetLimits"},
    {.name = NULL},
};

static const struct component_field pagination_reset_limits[] = {
    {"number_of_records", "integer"},
    {.name = NULL},
};

static const struct component_field page_size_reduction[] = {
    {"reduction_factor", "number", .preset = "2", .least = ">1"},
    {"minimum_page_size", "integer", .preset = "1", .least = ">=1"},
    {"max_attempts", "integer", .preset = "5", .least = ">=1"},
    {"backoff_seconds", "number", .preset = "0.5", .least = ">=0"},
    {"retries_at_minimum_page_size", "integer", .preset = "0", .least = ">=0"},
    {"failure_message", "string"},
    {"reset_policy", "'NEVER'|'AFTER_SUCCESSFUL_PAGE'", .preset = "\"NEVER\""},
    {.name = NULL},
};

static const struct component_field request_window_splitting[] = {
    {"failure_message", "string"},
    {"min_split_window", "string"},
    {.name = NULL},
};

static const struct component_field query_properties[] = {
    {"property_list", "[string]|PropertiesFromEndpoint", .required = true},
    {"always_include_properties", "[string]"},
    {"property_chunking", "PropertyChunking"},
    {"property_selector", "JsonSchemaPropertySelector"},
    {.name = NULL},
};

static const struct component_field properties_from_endpoint[] = {
    {"property_field_path", "[string]", .required = true},
    {"retriever", "SimpleRetriever|CustomRetriever", .required = true},
    {.name = NULL},
};

static const struct component_field property_chunking[] = {
    {"property_limit_type", "'characters'|'property_count'", .required = true},
    {"property_limit", "integer"},
    {"record_merge_strategy", "GroupByKeyMergeStrategy"},
    {.name = NULL},
};

static const struct component_field group_by_key_merge_strategy[] = {
    {"key", "string|[string]", .required = true},
    {.name = NULL},
};

static const struct component_field json_schema_property_selector[] = {
    {"transformations", "[" TRANSFORMATIONS "]"},
    {.name = NULL},
};

static const struct component_field json_items_decoder[] = {
    {"items_path", "string", .required = true},
    {"encoding", "string", .preset = "\"utf-8\""},
    {.name = NULL},
};

static const struct component_field csv_decoder[] = {
    {"encoding", "string", .preset = "\"utf-8\""},
    {"delimiter", "string", .preset = "\",\""},
    {"set_values_to_none", "[string]"},
    {.name = NULL},
};

static const struct component_field gzip_decoder[] = {
    {"decoder", INNER, .required = true},
    {.name = NULL},
};

static const struct component_field zipfile_decoder[] = {
    {"decoder", INNER, .required = true},
    {.name = NULL},
};

static const struct component_field record_selector[] = {
    {"extractor", "DpathExtractor|CustomRecordExtractor|CombinedExtractor", .required = true},
    {"record_filter", "RecordFilter|CustomRecordFilter"},
    {"schema_normalization", "'Default'|'None'|CustomSchemaNormalization"},
    {"transform_before_filtering", "boolean"},
    {.name = NULL},
};

static const struct component_field dpath_extractor[] = {
    {"field_path", "[string]", .required = true},
    {"record_expander", "RecordExpander"},
    {.name = NULL},
};

static const struct component_field combined_extractor[] = {
    {"extractors", "[DpathExtractor|CustomRecordExtractor|CombinedExtractor]", .required = true,
     .least = ">=1"},
    {"mode", "'union'|'first_match'", .preset = "\"union\""},
    {"skip_empty_records", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field response_to_file_extractor[] = {
    {"preserve_na_values", "boolean", .preset = "false"},
    {.name = NULL},
};

static const struct component_field record_expander[] = {
    {"expand_records_from_field", "[string]", .required = true},
    {"remain_original_record", "boolean", .preset = "false"},
    {"parent_fields", "[ParentFieldPath]"},
    {"merge_parent", "boolean", .preset = "false"},
    {"on_no_records", "'skip'|'emit_parent'", .preset = "\"skip\""},
    {"truncation_indicator_path", "[string]"},
    {"truncated_list_retriever", "SimpleRetriever|CustomRetriever"},
    {.name = NULL},
};

static const struct component_field parent_field_path[] = {
    {"parent_path", "[string]", .required = true},
    {"record_path", "[string]", .required = true},
    {.name = NULL},
};

static const struct component_field record_filter[] = {
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field add_fields[] = {
    {"fields", "[AddedFieldDefinition]", .required = true},
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field added_field_definition[] = {
    {"path", "[string]", .required = true},
    {"value", "string", .required = true},
    {"value_type", "'string'|'number'|'integer'|'boolean'"},
    {.name = NULL},
};

static const struct component_field remove_fields[] = {
    {"condition", "string"},
    {"field_pointers", "[[string]]", .required = true},
    {.name = NULL},
};

static const struct component_field keys_replace[] = {
    {"old", "string", .required = true},
    {"new", "string", .required = true},
    {.name = NULL},
};

static const struct component_field flatten_fields[] = {
    {"flatten_lists", "boolean", .preset = "true"},
    {.name = NULL},
};

static const struct component_field dpath_flatten_fields[] = {
    {"field_path", "[string]", .required = true},
    {"delete_origin_value", "boolean"},
    {"replace_record", "boolean"},
    {"key_transformation", "KeyTransformation"},
    {.name = NULL},
};

static const struct component_field key_transformation[] = {
    {"prefix", "string"},
    {"suffix", "string"},
    {.name = NULL},
};

const struct component_type table_record[] = {
    {"SimpleRetriever", simple_retriever},
    {"DefaultPaginator", default_paginator},
    {"NoPagination", none},
    {"PageIncrement", page_increment},
    {"OffsetIncrement", offset_increment},
    {"CursorPagination", cursor_pagination},
    {"CustomPaginationStrategy", custom, .custom = true},
    {"PaginationReset", pagination_reset},
    {"PaginationResetLimits", pagination_reset_limits},
    {"PageSizeReduction", page_size_reduction},
    {"RequestWindowSplitting", request_window_splitting},
    {"QueryProperties", query_properties},
    {"PropertiesFromEndpoint", properties_from_endpoint},
    {"PropertyChunking", property_chunking},
    {"GroupByKeyMergeStrategy", group_by_key_merge_strategy},
    {"JsonSchemaPropertySelector", json_schema_property_selector},
    {"JsonDecoder", none},
    {"JsonItemsDecoder", json_items_decoder},
    {"JsonlDecoder", none},
    {"CsvDecoder", csv_decoder},
    {"XmlDecoder", none},
    {"IterableDecoder", none},
    {"GzipDecoder", gzip_decoder},
    {"ZipfileDecoder", zipfile_decoder},
    {"CustomDecoder", custom, .custom = true},
    {"RecordSelector", record_selector},
    {"DpathExtractor", dpath_extractor},
    {"CombinedExtractor", combined_extractor},
    {"ResponseToFileExtractor", response_to_file_extractor},
    {"RecordExpander", record_expander},
    {"ParentFieldPath", parent_field_path},
    {"CustomRecordExtractor", custom, .custom = true},
    {"RecordFilter", record_filter},
    {"CustomRecordFilter", custom, .custom = true},
    {"CustomSchemaNormalization", custom, .custom = true},
    {"AddFields", add_fields},
    {"AddedFieldDefinition", added_field_definition},
    {"RemoveFields", remove_fields},
    {"KeysToLower", none},
    {"KeysToSnakeCase", none},
    {"KeysReplace", keys_replace},
    {"FlattenFields", flatten_fields},
    {"DpathFlattenFields", dpath_flatten_fields},
    {"KeyTransformation", key_transformation},
    {"CustomTransformation", custom, .custom = true},
    {.name = NULL},
};
