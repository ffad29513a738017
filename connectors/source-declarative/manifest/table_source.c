/* The connector itself: checks, specs, dynamic streams, rules for configs. */
#include "table.h"

static const struct component_field none[] = {{.name = NULL}};

static const struct component_field custom[] = {
    {"class_name", "string", .required = true},
    {.name = NULL},
};

static const struct component_field declarative_source[] = {
    {"check", "CheckStream|CheckDynamicStream", .required = true},
    {"streams", "[ConditionalStreams|DeclarativeStream|StateDelegatingStream]"},
    {"dynamic_streams", "[DynamicDeclarativeStream]"},
    {"version", "string", .required = true},
    {"schemas", "object"},
    {"definitions", "object"},
    {"spec", "Spec"},
    {"concurrency_level", "ConcurrencyLevel"},
    {"api_budget", "HTTPAPIBudget"},
    {"stream_groups", "{StreamGroup}"},
    {"max_concurrent_async_job_count", "integer|string"},
    {"metadata", "object"},
    {"description", "string"},
    {.name = NULL},
};

static const struct component_field check_stream[] = {
    {"stream_names", "[string]"},
    {"dynamic_streams_check_configs", "[DynamicStreamCheckConfig]"},
    {"config_overrides", "object"},
    {.name = NULL},
};

static const struct component_field dynamic_stream_check_config[] = {
    {"dynamic_stream_name", "string", .required = true},
    {"stream_count", "integer", .least = ">=1"},
    {.name = NULL},
};

static const struct component_field check_dynamic_stream[] = {
    {"stream_count", "integer", .required = true},
    {"use_check_availability", "boolean", .preset = "true"},
    {"config_overrides", "object"},
    {.name = NULL},
};

static const struct component_field concurrency_level[] = {
    {"default_concurrency", "integer|string", .required = true},
    {"max_concurrency", "integer"},
    {.name = NULL},
};

static const struct component_field conditional_streams[] = {
    {"condition", "string", .required = true},
    {"streams", "[DeclarativeStream]", .required = true},
    {.name = NULL},
};

static const struct component_field stream_group[] = {
    {"streams", "[DeclarativeStream]", .required = true},
    {"action", "BlockSimultaneousSyncsAction", .required = true},
    {.name = NULL},
};

static const struct component_field dynamic_declarative_stream[] = {
    {"name", "string"},
    {"stream_template", "DeclarativeStream|StateDelegatingStream", .required = true},
    {"components_resolver", "HttpComponentsResolver|ConfigComponentsResolver|ParametrizedComponentsResolver",
     .required = true},
    {"use_parent_parameters", "boolean", .preset = "true"},
    {.name = NULL},
};

static const struct component_field http_components_resolver[] = {
    {"retriever", "SimpleRetriever|AsyncRetriever|CustomRetriever", .required = true},
    {"components_mapping", "[ComponentMappingDefinition]", .required = true},
    {.name = NULL},
};

static const struct component_field config_components_resolver[] = {
    {"stream_config", "[StreamConfig]|StreamConfig", .required = true},
    {"components_mapping", "[ComponentMappingDefinition]", .required = true},
    {.name = NULL},
};

static const struct component_field stream_config[] = {
    {"configs_pointer", "[string]", .required = true},
    {"default_values", "[object]"},
    {.name = NULL},
};

static const struct component_field parametrized_components_resolver[] = {
    {"stream_parameters", "StreamParametersDefinition", .required = true},
    {"components_mapping", "[ComponentMappingDefinition]", .required = true},
    {.name = NULL},
};

static const struct component_field stream_parameters_definition[] = {
    {"list_of_parameters_for_stream", "[object]", .required = true},
    {.name = NULL},
};

static const struct component_field component_mapping_definition[] = {
    {"field_path", "[string]", .required = true},
    {"value", "string", .required = true},
    {"value_type", "'string'|'number'|'integer'|'boolean'"},
    {"create_or_update", "boolean", .preset = "false"},
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field spec[] = {
    {"connection_specification", "object", .required = true},
    {"documentation_url", "string"},
    {"advanced_auth", "AuthFlow"},
    {"config_normalization_rules", "ConfigNormalizationRules"},
    {.name = NULL},
};

static const struct component_field auth_flow[] = {
    {"auth_flow_type", "'oauth2.0'|'oauth1.0'"},
    {"predicate_key", "[string]"},
    {"predicate_value", "string"},
    {"oauth_config_specification", "OAuthConfigSpecification"},
    {.name = NULL},
};

static const struct component_field o_auth_config_specification[] = {
    {"oauth_user_input_from_connector_config_specification", "object"},
    {"oauth_connector_input_specification", "OAuthConnectorInput"},
    {"complete_oauth_output_specification", "object"},
    {"complete_oauth_server_input_specification", "object"},
    {"complete_oauth_server_output_specification", "object"},
    {.name = NULL},
};

static const struct component_field o_auth_connector_input[] = {
    {"consent_url", "string", .required = true},
    {"scope", "string"},
    {"scopes", "[object]"},
    {"optional_scopes", "[object]"},
    {"scopes_join_strategy", "'space'|'comma'|'plus'", .preset = "\"space\""},
    {"access_token_url", "string", .required = true},
    {"access_token_headers", "object"},
    {"access_token_params", "object"},
    {"extract_output", "[string]"},
    {"state", "object"},
    {"client_id_key", "string"},
    {"client_secret_key", "string"},
    {"scope_key", "string"},
    {"state_key", "string"},
    {"auth_code_key", "string"},
    {"redirect_uri_key", "string"},
    {.name = NULL},
};

static const struct component_field config_normalization_rules[] = {
    {"config_migrations", "[ConfigMigration]"},
    {"transformations", "[ConfigRemapField|ConfigAddFields|ConfigRemoveFields|CustomConfigTransformation]"},
    {"validations", "[DpathValidator|PredicateValidator]"},
    {.name = NULL},
};

static const struct component_field config_migration[] = {
    {"description", "string"},
    {"transformations", "[ConfigRemapField|ConfigAddFields|ConfigRemoveFields|CustomConfigTransformation]",
     .required = true},
    {.name = NULL},
};

static const struct component_field config_remap_field[] = {
    {"map", "object|string", .required = true},
    {"field_path", "[string]", .required = true},
    {.name = NULL},
};

static const struct component_field config_add_fields[] = {
    {"fields", "[AddedFieldDefinition]", .required = true},
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field config_remove_fields[] = {
    {"field_pointers", "[[string]]", .required = true},
    {"condition", "string"},
    {.name = NULL},
};

static const struct component_field dpath_validator[] = {
    {"field_path", "[string]", .required = true},
    {"validation_strategy", "ValidateAdheresToSchema|CustomValidationStrategy", .required = true},
    {.name = NULL},
};

static const struct component_field predicate_validator[] = {
    {"value", "string|number|object|[any]|boolean|null", .required = true},
    {"validation_strategy", "ValidateAdheresToSchema|CustomValidationStrategy", .required = true},
    {.name = NULL},
};

static const struct component_field validate_adheres_to_schema[] = {
    {"base_schema", "string|object", .required = true},
    {.name = NULL},
};

const struct component_type table_source[] = {
    {"DeclarativeSource", declarative_source, .closed = true},
    {"CheckStream", check_stream},
    {"DynamicStreamCheckConfig", dynamic_stream_check_config},
    {"CheckDynamicStream", check_dynamic_stream},
    {"ConcurrencyLevel", concurrency_level, .untyped = true},
    {"ConditionalStreams", conditional_streams},
    {"StreamGroup", stream_group, .untyped = true},
    {"BlockSimultaneousSyncsAction", none},
    {"DynamicDeclarativeStream", dynamic_declarative_stream},
    {"HttpComponentsResolver", http_components_resolver},
    {"ConfigComponentsResolver", config_components_resolver},
    {"StreamConfig", stream_config},
    {"ParametrizedComponentsResolver", parametrized_components_resolver},
    {"StreamParametersDefinition", stream_parameters_definition},
    {"ComponentMappingDefinition", component_mapping_definition},
    {"Spec", spec},
    {"AuthFlow", auth_flow, .untyped = true},
    {"OAuthConfigSpecification", o_auth_config_specification, .untyped = true},
    {"OAuthConnectorInput", o_auth_connector_input, .untyped = true},
    {"ConfigNormalizationRules", config_normalization_rules, .closed = true},
    {"ConfigMigration", config_migration},
    {"ConfigRemapField", config_remap_field},
    {"ConfigAddFields", config_add_fields},
    {"ConfigRemoveFields", config_remove_fields},
    {"CustomConfigTransformation", custom, .custom = true},
    {"DpathValidator", dpath_validator},
    {"PredicateValidator", predicate_validator},
    {"ValidateAdheresToSchema", validate_adheres_to_schema},
    {"CustomValidationStrategy", custom, .custom = true},
    {.name = NULL},
};
