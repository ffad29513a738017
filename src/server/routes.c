/* The table of routes. To add one: its line here, its schemas in schemas.c, its handler in the file of its
 * resource. */
#include "server/routes.h"

#include "control/page.h"
#include "server/handlers.h"

#define CONFIG_GET(path_, handle_, response_, ...)                                        \
    {                                                                                     \
        .family = ROUTE_CONFIG, .method = HTTP_GET, .path = (path_), .handle = (handle_), \
        .response = (response_), ##__VA_ARGS__                                            \
    }
#define CONFIG(path_, handle_, request_, response_, ...)                                   \
    {                                                                                      \
        .family = ROUTE_CONFIG, .method = HTTP_POST, .path = (path_), .handle = (handle_), \
        .request = (request_), .response = (response_), ##__VA_ARGS__                      \
    }
#define PUBLIC(method_, path_, handle_, request_, response_, ...)                               \
    {                                                                                           \
        .family = ROUTE_PUBLIC, .method = HTTP_##method_, .path = (path_), .handle = (handle_), \
        .request = (request_), .response = (response_), ##__VA_ARGS__                           \
    }
#define FIRTH(method_, path_, handle_, request_, response_, ...)                               \
    {                                                                                          \
        .family = ROUTE_FIRTH, .method = HTTP_##method_, .path = (path_), .handle = (handle_), \
        .request = (request_), .response = (response_), ##__VA_ARGS__                          \
    }
#define FIRTH_GET(path_, handle_, response_, ...)                                        \
    {                                                                                    \
        .family = ROUTE_FIRTH, .method = HTTP_GET, .path = (path_), .handle = (handle_), \
        .response = (response_), ##__VA_ARGS__                                           \
    }
#define PAGED "workspaceIds [uuid], includeDeleted boolean, limit int32, offset int32"

/* What there is of sources and of destinations alike, once: word_ is "source", Word_ "Source", side_ the side
 * of the control store. */
/* clang-format off */
#define CONFIG_DEFINITIONS(word_, Word_, side_) \
    CONFIG("/" word_ "_definitions/list", definition_list, "DefinitionListBody", \
           Word_ "DefinitionReadList", .side = side_), \
    CONFIG("/" word_ "_definitions/list_latest", definition_list, "DefinitionListBody", \
           Word_ "DefinitionReadList", .side = side_), \
    CONFIG("/" word_ "_definitions/list_for_workspace", definition_list, "DefinitionListBody", \
           Word_ "DefinitionReadList", .side = side_), \
    CONFIG("/" word_ "_definitions/get", definition_get, Word_ "DefinitionIdRequestBody", \
           Word_ "DefinitionRead", .side = side_), \
    CONFIG("/" word_ "_definitions/get_for_workspace", definition_get, Word_ "DefinitionIdRequestBody", \
           Word_ "DefinitionRead", .side = side_), \
    CONFIG("/" word_ "_definitions/create_custom", definition_create, "Custom" Word_ "DefinitionCreate", \
           Word_ "DefinitionRead", .side = side_), \
    CONFIG("/" word_ "_definitions/update", definition_update, Word_ "DefinitionUpdate", \
           Word_ "DefinitionRead", .side = side_), \
    CONFIG("/" word_ "_definitions/get_for_scope", definition_get, "ActorDefinitionIdWithScope", \
           Word_ "DefinitionRead", .side = side_), \
    CONFIG("/" word_ "_definitions/list_private", definition_list_none, "WorkspaceIdRequestBody", \
           "Private" Word_ "DefinitionReadList", .side = side_), \
    CONFIG("/" word_ "_definitions/list_enterprise_stubs_for_workspace", definition_list_none, \
           "WorkspaceIdRequestBody", "EnterpriseConnectorStubsReadList", .side = side_, \
           .what = DEFINITIONS_STUBS), \
    CONFIG("/" word_ "_oauths/get_consent_url", definition_oauth, Word_ "OauthConsentRequest", \
           "OAuthConsentRead", .side = side_), \
    CONFIG("/" word_ "_oauths/complete_oauth", definition_oauth, "Complete" Word_ "OauthRequest", \
           "CompleteOAuthResponse", .side = side_), \
    CONFIG("/" word_ "_definitions/delete", definition_delete, Word_ "DefinitionIdRequestBody", NULL, \
           .side = side_), \
    CONFIG("/" word_ "_definition_specifications/get", definition_spec, Word_ "DefinitionIdRequestBody", \
           Word_ "DefinitionSpecificationRead", .side = side_), \
    CONFIG("/" word_ "_definition_specifications/get_for_" word_, definition_spec_of_actor, \
           Word_ "IdRequestBody", Word_ "DefinitionSpecificationRead", .side = side_)

#define CONFIG_ACTORS(word_, Word_, side_) \
    CONFIG("/" word_ "s/create", actor_create, Word_ "Create", Word_ "Read", .side = side_), \
    CONFIG("/" word_ "s/get", actor_get, Word_ "IdRequestBody", Word_ "Read", .side = side_), \
    CONFIG("/" word_ "s/list", actor_list, "ActorListBody", Word_ "ReadList", .side = side_), \
    CONFIG("/" word_ "s/list_paginated", actor_list_paginated, "ListResourcesForWorkspacesRequestBody", \
           Word_ "ReadList", .side = side_), \
    CONFIG("/" word_ "s/search", actor_search, Word_ "Search", Word_ "ReadList", .side = side_), \
    CONFIG("/" word_ "s/update", actor_update, Word_ "Update", Word_ "Read", .side = side_), \
    CONFIG("/" word_ "s/partial_update", actor_update, "Partial" Word_ "Update", Word_ "Read", \
           .side = side_, .what = ACTOR_PARTIAL), \
    CONFIG("/" word_ "s/delete", actor_delete, Word_ "IdRequestBody", NULL, .side = side_), \
    CONFIG("/" word_ "s/upgrade_version", actor_upgrade, Word_ "IdRequestBody", NULL, .side = side_), \
    CONFIG("/" word_ "s/clone", actor_clone, Word_ "CloneRequestBody", Word_ "Read", .side = side_), \
    CONFIG("/" word_ "s/check_connection", actor_check, Word_ "IdRequestBody", "CheckConnectionRead", \
           .side = side_), \
    CONFIG("/" word_ "s/check_connection_for_update", actor_check, Word_ "Update", "CheckConnectionRead", \
           .side = side_), \
    CONFIG("/scheduler/" word_ "s/check_connection", actor_check_core, Word_ "CoreConfig", \
           "CheckConnectionRead", .side = side_)

#define PUBLIC_ACTORS(word_, Word_, side_) \
    PUBLIC(GET, "/" word_ "s", public_actor_list, NULL, Word_ "sResponse", .side = side_, .query = PAGED), \
    PUBLIC(POST, "/" word_ "s", public_actor_create, Word_ "CreateRequest", Word_ "Response", \
           .side = side_), \
    PUBLIC(GET, "/" word_ "s/{" word_ "Id}", public_actor_get, NULL, Word_ "Response", .side = side_), \
    PUBLIC(PATCH, "/" word_ "s/{" word_ "Id}", public_actor_update, Word_ "PatchRequest", \
           Word_ "Response", .side = side_), \
    PUBLIC(PUT, "/" word_ "s/{" word_ "Id}", public_actor_update, Word_ "PutRequest", Word_ "Response", \
           .side = side_), \
    PUBLIC(DELETE, "/" word_ "s/{" word_ "Id}", public_actor_delete, NULL, NULL, .side = side_)

#define PUBLIC_DEFINITIONS(path_, prefix_, ...) \
    PUBLIC(GET, path_, public_definition_list, NULL, prefix_ "DefinitionsResponse", __VA_ARGS__), \
    PUBLIC(POST, path_, public_definition_create, "Create" prefix_ "DefinitionRequest", \
           prefix_ "DefinitionResponse", __VA_ARGS__), \
    PUBLIC(GET, path_ "/{definitionId}", public_definition_get, NULL, prefix_ "DefinitionResponse", \
           __VA_ARGS__), \
    PUBLIC(PUT, path_ "/{definitionId}", public_definition_update, "Update" prefix_ "DefinitionRequest", \
           prefix_ "DefinitionResponse", __VA_ARGS__), \
    PUBLIC(DELETE, path_ "/{definitionId}", public_definition_delete, NULL, prefix_ "DefinitionResponse", \
           __VA_ARGS__)
/* clang-format on */

const struct route routes[] = {
    /* --- the instance --- */
    CONFIG_GET("/health", instance_health, "HealthCheckRead", .open = true),
    CONFIG_GET("/openapi", instance_openapi, NULL, .type = "application/json"),
    CONFIG_GET("/instance_configuration", instance_configuration, "InstanceConfigurationResponse"),
    CONFIG_GET("/web_backend/config", instance_web_config, "WebappConfigResponse"),
    CONFIG("/applications/token", token_create, "TokenRequest", "TokenResponse", .open = true, .form = true),
    CONFIG("/instance_configuration/setup", instance_setup, "InstanceConfigurationSetupRequestBody",
           "InstanceConfigurationResponse"),
    CONFIG("/notifications/try", notification_try, "Notification", "NotificationRead"),
    CONFIG("/notifications/try_webhook", notification_try, "NotificationWebhookConfigValidationRequestBody",
           "NotificationRead"),
    CONFIG("/operations/list", instance_operations, "ConnectionIdRequestBody", "OperationReadList"),
    {.family = ROUTE_OTHER,
     .method = HTTP_GET,
     .path = "/metrics",
     .handle = metrics_get,
     .type = "text/plain"},

    /* --- workspaces --- */
    CONFIG("/workspaces/create", workspace_create, "WorkspaceCreate", "WorkspaceRead"),
    CONFIG("/workspaces/create_if_not_exist", workspace_create_if_absent, "WorkspaceCreateWithId",
           "WorkspaceRead"),
    CONFIG("/workspaces/get", workspace_get, "WorkspaceIdRequestBody", "WorkspaceRead"),
    CONFIG("/workspaces/get_by_slug", workspace_get_by_slug, "SlugRequestBody", "WorkspaceRead"),
    CONFIG("/workspaces/get_by_connection_id", workspace_get_by_connection, "ConnectionIdRequestBody",
           "WorkspaceRead"),
    CONFIG("/workspaces/get_by_connection_id_with_tombstone", workspace_get_by_connection,
           "ConnectionIdRequestBody", "WorkspaceRead"),
    CONFIG("/workspaces/get_organization_info", workspace_organization, "WorkspaceIdRequestBody",
           "OrganizationInfoRead"),
    CONFIG("/workspaces/list_by_organization_id", workspace_list, "ListWorkspacesInOrganizationRequestBody",
           "WorkspaceReadList"),
    CONFIG("/workspaces/list_by_user_id", workspace_list, "ListWorkspacesByUserRequestBody",
           "WorkspaceReadList"),
    CONFIG("/workspaces/list", workspace_list, "EmptyBody", "WorkspaceReadList"),
    CONFIG("/workspaces/list_paginated", workspace_list, "ListResourcesForWorkspacesRequestBody",
           "WorkspaceReadList"),
    CONFIG("/workspaces/update", workspace_update, "WorkspaceUpdate", "WorkspaceRead"),
    CONFIG("/workspaces/update_name", workspace_update, "WorkspaceUpdateName", "WorkspaceRead"),
    CONFIG("/workspaces/delete", workspace_delete, "WorkspaceIdRequestBody", NULL),

    /* --- definitions, sources, destinations --- */
    CONFIG_DEFINITIONS("source", "Source", CONTROL_SOURCE),
    CONFIG_DEFINITIONS("destination", "Destination", CONTROL_DESTINATION),
    CONFIG_ACTORS("source", "Source", CONTROL_SOURCE),
    CONFIG_ACTORS("destination", "Destination", CONTROL_DESTINATION),
    CONFIG("/sources/discover_schema", source_discover, "SourceDiscoverSchemaRequestBody",
           "SourceDiscoverSchemaRead", .side = CONTROL_SOURCE),
    CONFIG("/scheduler/sources/discover_schema", source_discover_core, "SourceCoreConfig",
           "SourceDiscoverSchemaRead", .side = CONTROL_SOURCE),
    CONFIG("/destinations/discover_schema", destination_discover, "DestinationDiscoverSchemaRequestBody",
           "DestinationDiscoverRead", .side = CONTROL_DESTINATION),
    CONFIG("/sources/most_recent_source_actor_catalog", source_last_catalog, "SourceIdRequestBody",
           "ActorCatalogWithUpdatedAt", .side = CONTROL_SOURCE),

    /* --- connections --- */
    CONFIG("/connections/create", connection_create, "ConnectionCreate", "ConnectionRead"),
    CONFIG("/connections/get", connection_get, "ConnectionIdRequestBody", "ConnectionRead"),
    CONFIG("/connections/getForJob", connection_get_for_job, "ConnectionAndJobIdRequestBody",
           "ConnectionRead"),
    CONFIG("/connections/list", connection_list, "WorkspaceIdRequestBody", "ConnectionReadList"),
    CONFIG("/connections/list_all", connection_list, "WorkspaceIdRequestBody", "ConnectionReadList",
           .what = CONNECTIONS_ALL),
    CONFIG("/connections/list_paginated", connection_list_paginated,
           "ListConnectionsForWorkspacesRequestBody", "ConnectionReadList"),
    CONFIG("/connections/list_by_actor_definition", connection_list_by_definition,
           "ActorDefinitionRequestBody", "ConnectionReadList"),
    CONFIG("/connections/search", connection_search, "ConnectionSearch", "ConnectionReadList"),
    CONFIG("/connections/update", connection_update, "ConnectionUpdate", "ConnectionRead"),
    CONFIG("/connections/delete", connection_delete, "ConnectionIdRequestBody", NULL),
    CONFIG("/connections/sync", connection_sync, "ConnectionIdRequestBody", "JobInfoRead"),
    CONFIG("/connections/reset", connection_clear, "ConnectionIdRequestBody", "JobInfoRead"),
    CONFIG("/connections/clear", connection_clear, "ConnectionIdRequestBody", "JobInfoRead"),
    CONFIG("/connections/reset/stream", connection_clear, "ConnectionStreamRequestBody", "JobInfoRead",
           .what = CLEAR_STREAMS),
    CONFIG("/connections/clear/stream", connection_clear, "ConnectionStreamRequestBody", "JobInfoRead",
           .what = CLEAR_STREAMS),
    CONFIG("/connections/refresh", connection_refresh, "ConnectionStreamRefreshRequestBody",
           "JobReadResponse"),
    CONFIG("/connections/status", connection_status, "ConnectionStatusesRequestBody",
           "ConnectionStatusesRead"),
    CONFIG("/connections/sync_progress", connection_progress, "ConnectionIdRequestBody",
           "ConnectionSyncProgressRead"),
    CONFIG("/connections/last_job_per_stream", connection_last_jobs, "ConnectionLastJobPerStreamRequestBody",
           "ConnectionLastJobPerStreamRead"),
    CONFIG("/state/get", state_get, "ConnectionIdRequestBody", "ConnectionState"),
    CONFIG("/state/create_or_update", state_put, "ConnectionStateCreateOrUpdate", "ConnectionState"),
    CONFIG("/state/create_or_update_safe", state_put, "ConnectionStateCreateOrUpdate", "ConnectionState"),

    /* --- web_backend --- */
    CONFIG("/web_backend/connections/list", web_connection_list, "WebBackendConnectionListRequestBody",
           "WebBackendConnectionReadList"),
    CONFIG("/web_backend/connections/get", web_connection_get, "WebBackendConnectionRequestBody",
           "WebBackendConnectionRead"),
    CONFIG("/web_backend/connections/create", web_connection_create, "ConnectionCreate",
           "WebBackendConnectionRead"),
    CONFIG("/web_backend/connections/update", web_connection_update, "ConnectionUpdate",
           "WebBackendConnectionRead"),
    CONFIG("/web_backend/connections/status_counts", web_status_counts, "WorkspaceIdRequestBody",
           "StatusCounts"),
    CONFIG("/web_backend/workspace/state", web_workspace_state, "WorkspaceIdRequestBody",
           "WebBackendWorkspaceStateResult"),
    CONFIG("/web_backend/state/get_type", state_get_type, "ConnectionIdRequestBody", "ConnectionStateType"),
    CONFIG("/web_backend/check_updates", instance_check_updates, NULL, "WebBackendCheckUpdatesRead"),
    CONFIG("/web_backend/describe_cron_expression", web_describe_cron, "CronExpressionBody",
           "CronExpressionDescription"),

    /* --- jobs --- */
    CONFIG("/jobs/create", job_create, "JobCreate", "JobInfoRead"),
    CONFIG("/jobs/list", job_list, "JobListRequestBody", "JobReadList"),
    CONFIG("/jobs/list_for_workspaces", job_list, "JobListForWorkspacesRequestBody", "JobReadList"),
    CONFIG("/jobs/get", job_get, "JobIdRequestBody", "JobInfoRead"),
    CONFIG("/jobs/get_without_logs", job_get, "JobIdRequestBody", "JobInfoRead", .what = JOB_WITHOUT_LOGS),
    CONFIG("/jobs/get_light", job_get_light, "JobIdRequestBody", "JobInfoLightRead"),
    CONFIG("/jobs/get_debug_info", job_get_debug, "JobIdRequestBody", "JobDebugInfoRead"),
    CONFIG("/jobs/get_last_replication_job", job_get_last_replication, "ConnectionIdRequestBody",
           "JobOptionalRead"),
    CONFIG("/jobs/get_last_replication_job_with_cancel", job_get_last_replication, "ConnectionIdRequestBody",
           "JobOptionalRead"),
    CONFIG("/jobs/did_previous_job_succeed", job_previous_succeeded, "ConnectionJobRequestBody",
           "BooleanRead"),
    CONFIG("/jobs/cancel", job_cancel, "JobIdRequestBody", "JobInfoRead"),
    CONFIG("/attempt/get_for_job", attempt_get, "GetAttemptStatsRequestBody", "AttemptInfoRead"),
    CONFIG("/attempt/get_combined_stats", attempt_get, "GetAttemptStatsRequestBody", "AttemptStats",
           .what = ATTEMPT_STATS),

    /* --- the public API --- */
    PUBLIC(GET, "/health", instance_public_health, NULL, NULL, .type = "text/plain", .open = true),
    PUBLIC(GET, "/openapi", instance_openapi, NULL, NULL, .type = "application/json"),
    PUBLIC(POST, "/applications/token", token_create, "TokenRequest", "TokenResponse", .open = true,
           .form = true),
    PUBLIC(GET, "/applications", application_list, NULL, "ApplicationReadList"),
    PUBLIC(POST, "/applications", application_create, "ApplicationCreate", "ApplicationRead"),
    PUBLIC(GET, "/applications/{applicationId}", application_get, NULL, "ApplicationRead"),
    PUBLIC(DELETE, "/applications/{applicationId}", application_delete, NULL, "ApplicationRead"),
    PUBLIC(GET, "/workspaces", public_workspace_list, NULL, "WorkspacesResponse", .query = PAGED),
    PUBLIC(POST, "/workspaces", public_workspace_create, "PublicWorkspaceCreate", "WorkspaceResponse"),
    PUBLIC(GET, "/workspaces/{workspaceId}", public_workspace_get, NULL, "WorkspaceResponse"),
    PUBLIC(PATCH, "/workspaces/{workspaceId}", public_workspace_update, "PublicWorkspaceUpdate",
           "WorkspaceResponse"),
    PUBLIC(DELETE, "/workspaces/{workspaceId}", public_workspace_delete, NULL, NULL),
    PUBLIC(GET, "/connector_definitions", public_definitions, NULL, "ConnectorDefinitionsResponse",
           .query = "type* (source|destination), workspaceId uuid"),
    PUBLIC_DEFINITIONS("/workspaces/{workspaceId}/definitions/sources", "", .side = CONTROL_SOURCE),
    PUBLIC_DEFINITIONS("/workspaces/{workspaceId}/definitions/destinations", "", .side = CONTROL_DESTINATION),
    PUBLIC_DEFINITIONS("/workspaces/{workspaceId}/definitions/declarative_sources", "DeclarativeSource",
                       .side = CONTROL_SOURCE, .what = DEFINITIONS_DECLARATIVE),
    PUBLIC_ACTORS("source", "Source", CONTROL_SOURCE),
    PUBLIC(POST, "/sources/initiateOAuth", public_oauth, "InitiateOauthRequest", "InitiateOauthResponse"),
    PUBLIC_ACTORS("destination", "Destination", CONTROL_DESTINATION),
    PUBLIC(GET, "/connections", public_connection_list, NULL, "ConnectionsResponse",
           .query = PAGED ", tagIds [uuid]"),
    PUBLIC(POST, "/connections", public_connection_create, "ConnectionCreateRequest", "ConnectionResponse"),
    PUBLIC(GET, "/connections/{connectionId}", public_connection_get, NULL, "ConnectionResponse"),
    PUBLIC(PATCH, "/connections/{connectionId}", public_connection_patch, "ConnectionPatchRequest",
           "ConnectionResponse"),
    PUBLIC(DELETE, "/connections/{connectionId}", public_connection_delete, NULL, NULL),
    PUBLIC(GET, "/streams", public_streams, NULL, "StreamPropertiesResponse",
           .query = "sourceId* uuid, destinationId uuid, ignoreCache boolean"),
    PUBLIC(GET, "/jobs", public_job_list, NULL, "JobsResponse",
           .query = "connectionId uuid, limit int32, offset int32, jobType (sync|reset|refresh|clear), "
                    "workspaceIds [uuid], status JobStatus, createdAtStart datetime, createdAtEnd datetime, "
                    "updatedAtStart datetime, updatedAtEnd datetime, orderBy string"),
    PUBLIC(POST, "/jobs", public_job_create, "JobCreateRequest", "JobResponse"),
    PUBLIC(GET, "/jobs/{jobId}", public_job_get, NULL, "JobResponse"),
    PUBLIC(DELETE, "/jobs/{jobId}", public_job_cancel, NULL, "JobResponse"),

    /* --- Firth's own --- */
    FIRTH_GET("/openapi", instance_openapi, NULL, .type = "application/json"),
    FIRTH(POST, "/session", session_create, "SessionCreate", "SessionRead", .open = true),
    FIRTH(GET, "/session", session_get, NULL, "SessionRead", .open = true),
    FIRTH(DELETE, "/session", session_end, NULL, NULL, .open = true),
    FIRTH_GET("/events", firth_events, NULL, .type = "text/event-stream", .query = "topic* string"),
    FIRTH(POST, "/password", password_change, "PasswordChange", "SessionRead"),
    FIRTH(POST, "/manifests", firth_manifest_create, "ManifestCreate", "ManifestRead"),
    FIRTH(POST, "/commands", firth_command_create, "CommandCreate", "CommandRead"),
    FIRTH_GET("/connections", firth_connections, "ConnectionItems"),
    FIRTH_GET("/connections/{connectionId}/history", firth_history, "JobHistory", .query = "limit int32"),
    FIRTH_GET("/status", firth_status, "FirthStatus"),
    FIRTH_GET("/collections", firth_collection, "CollectionRead", .query = "name* string, task* string"),
    FIRTH(POST, "/discovery", firth_discovery, "DiscoveryAsk", "DiscoveryRead"),
    FIRTH_GET("/documents", firth_documents, "DocumentsRead",
              .query = "collection* string, task string, from integer, limit int32, where string"),
    FIRTH_GET("/jobs/{jobId}/attempts/{attemptNumber}/log", firth_job_log, NULL,
              .type = "application/x-ndjson", .query = "from integer, format (json|text)"),
    FIRTH_GET("/log", firth_task_log, NULL, .type = "application/x-ndjson",
              .query = "task* string, from integer, format (json|text)"),
};
const size_t route_count = sizeof routes / sizeof *routes;
