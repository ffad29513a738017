/* The schemas of both APIs, field by field as Airbyte has them, in the short notation of notation.h. */
#include "server/routes.h"

#define STATS                                                                                              \
    "recordsEmitted integer, bytesEmitted integer, stateMessagesEmitted integer, bytesCommitted integer, " \
    "recordsCommitted integer, recordsRejected integer, estimatedRecords integer, estimatedBytes integer"
#define CONNECTION_FIELDS                                                                               \
    "namespaceDefinition NamespaceDefinitionType, namespaceFormat string, prefix string, operationIds " \
    "[uuid], "                                                                                          \
    "syncCatalog AirbyteCatalog, schedule ConnectionSchedule, scheduleType ConnectionScheduleType, "    \
    "scheduleData ConnectionScheduleData, resourceRequirements object, sourceCatalogId uuid, "          \
    "destinationCatalogId uuid, dataplaneGroupId uuid, notifySchemaChanges boolean, "                   \
    "notifySchemaChangesByEmail boolean, nonBreakingChangesPreference NonBreakingChangesPreference, "   \
    "backfillPreference (enabled|disabled), tags [Tag], onDemandEnabled boolean"
#define ACTOR_READ                                                                                          \
    "workspaceId* uuid, connectionConfiguration* object, name* string, icon string, "                       \
    "isVersionOverrideApplied boolean, isEntitled boolean, supportState string, status (active|inactive), " \
    "createdAt* integer, resourceAllocation object, numConnections integer, lastSync integer, "             \
    "connectionJobStatuses object"
#define DEFINITION_READ                                                                                      \
    "name* string, dockerRepository* string, dockerImageTag* string, documentationUrl string, icon string, " \
    "summary string, protocolVersion string, custom boolean, enterprise boolean, "                           \
    "supportLevel (community|certified|archived|none), releaseStage "                                        \
    "(alpha|beta|generally_available|custom), "                                                              \
    "releaseDate string, resourceRequirements object, maxSecondsBetweenMessages integer, lastPublished "     \
    "string, "                                                                                               \
    "cdkVersion string, metrics object, language string"
#define PAGED "previous string, next string"

/* Of sources and of destinations alike, once: word_ is "source", Word_ "Source". */
/* clang-format off */
#define DEFINITION_SCHEMAS(word_, Word_) \
    {Word_ "DefinitionIdRequestBody", word_ "DefinitionId* uuid, workspaceId uuid"}, \
    {Word_ "DefinitionReadList", word_ "Definitions* [" Word_ "DefinitionRead]"}, \
    {"Private" Word_ "DefinitionReadList", word_ "Definitions* [object]"}, \
    {"Custom" Word_ "DefinitionCreate", \
        "workspaceId uuid, scopeId uuid, scopeType string, " word_ "Definition* DefinitionCreate"}, \
    {Word_ "DefinitionUpdate", word_ "DefinitionId* uuid, workspaceId uuid, dockerImageTag string, " \
        "name string, resourceRequirements object"}, \
    {Word_ "OauthConsentRequest", word_ "DefinitionId* uuid, workspaceId* uuid, redirectUrl* string, " \
        word_ "Id uuid, oAuthInputConfiguration any"}, \
    {"Complete" Word_ "OauthRequest", word_ "DefinitionId* uuid, workspaceId* uuid, redirectUrl string, " \
        word_ "Id uuid, queryParams object, oAuthInputConfiguration any, returnSecretCoordinate boolean"}

#define ACTOR_SCHEMAS(word_, Word_) \
    {Word_ "IdRequestBody", word_ "Id* uuid"}, \
    {Word_ "Create", word_ "DefinitionId* uuid, connectionConfiguration* object, workspaceId* uuid, " \
        "name* string, secretId string, resourceAllocation object"}, \
    {Word_ "Update", word_ "Id* uuid, connectionConfiguration* object, name* string, secretId string, " \
        "resourceAllocation object"}, \
    {"Partial" Word_ "Update", word_ "Id* uuid, connectionConfiguration object, name string, " \
        "secretId string, resourceAllocation object"}, \
    {Word_ "CoreConfig", word_ "Id uuid, " word_ "DefinitionId* uuid, connectionConfiguration* object, " \
        "workspaceId* uuid"}, \
    {Word_ "CloneRequestBody", word_ "CloneId* uuid, " word_ "Configuration " Word_ "CloneConfiguration"}, \
    {Word_ "CloneConfiguration", "connectionConfiguration object, name string"}, \
    {Word_ "Search", word_ "DefinitionId uuid, " word_ "Id uuid, workspaceId uuid, " \
        "connectionConfiguration object, name string, " word_ "Name string"}, \
    {Word_ "Read", word_ "DefinitionId* uuid, " word_ "Id* uuid, " word_ "Name* string, " ACTOR_READ}, \
    {Word_ "ReadList", word_ "s* [" Word_ "Read]"}

#define PUBLIC_ACTOR_SCHEMAS(word_, Word_) \
    {Word_ "CreateRequest", "name* string, definitionId uuid, workspaceId* uuid, configuration* object, " \
        "secretId string, resourceAllocation object"}, \
    {Word_ "PatchRequest", "name string, workspaceId uuid, configuration object, secretId string, " \
        "resourceAllocation object"}, \
    {Word_ "PutRequest", "name* string, configuration* object, resourceAllocation object"}, \
    {Word_ "Response", word_ "Id* uuid, name* string, " word_ "Type* string, definitionId* uuid, " \
        "workspaceId* uuid, configuration* object, createdAt* integer, resourceAllocation object"}, \
    {Word_ "sResponse", PAGED ", data* [" Word_ "Response]"}
/* clang-format on */

const struct notation schemas[] = {
    /* --- errors --- */
    {"ExceptionInfo", "message* string, exceptionClassName string, exceptionStack [string], "
                      "validationErrors [ValidationError]"},
    {"ValidationError", "propertyPath* string, invalidValue string, message string"},
    {"Problem",
     "status* int32, type* string, title* string, detail string, documentationUrl string, data object"},

    /* --- the instance --- */
    {"HealthCheckRead", "available* boolean"},
    {"InstanceConfigurationResponse",
     "edition* (community), version* string, airbyteUrl string, initialSetupComplete* boolean, "
     "defaultUserId* uuid, defaultOrganizationId* uuid, defaultOrganizationEmail string, "
     "trackingStrategy (logging), auth InstanceAuth"},
    {"InstanceAuth", "mode* (none|simple_auth)"},
    {"WebappConfigResponse",
     "version* string, edition* string, datadogClientToken string, segmentToken string"},
    {"TokenRequest", "client_id* string, client_secret* string, grant_type string, grant-type string"},
    {"TokenResponse", "access_token* string, token_type* (Bearer), expires_in* integer"},
    {"ApplicationCreate", "name* string"},
    {"ApplicationRead", "id* uuid, name* string, clientId* string, clientSecret* string, createdAt* integer"},
    {"ApplicationReadList", "applications* [ApplicationRead]"},
    {"SlackNotificationConfiguration", "webhook* string"},
    {"Notification", "notificationType* (slack|customerio), sendOnSuccess* boolean, sendOnFailure* boolean, "
                     "slackConfiguration SlackNotificationConfiguration, customerioConfiguration object"},
    {"NotificationWebhookConfigValidationRequestBody",
     "trigger* (sync_success|sync_failure|connection_update|connection_update_action_required|sync_disabled|"
     "sync_disabled_warning|breaking_change_warning|breaking_change_syncs_disabled), "
     "slackConfiguration* SlackNotificationConfiguration"},
    {"NotificationRead", "status* (succeeded|failed), message string"},
    {"InternalOperationResult", "succeeded* boolean"},

    /* --- workspaces --- */
    {"WorkspaceIdRequestBody", "workspaceId* uuid, includeTombstone boolean"},
    {"WorkspaceCreate", "name* string, email string, anonymousDataCollection boolean, news boolean, "
                        "securityUpdates boolean, notifications [object], notificationSettings object, "
                        "displaySetupWizard boolean, dataplaneGroupId uuid, webhookConfigs [object], "
                        "organizationId uuid, id uuid"},
    {"WorkspaceCreateWithId",
     "id* uuid, name* string, email string, organizationId uuid, "
     "anonymousDataCollection boolean, news boolean, securityUpdates boolean, "
     "notifications [object], notificationSettings object, displaySetupWizard boolean, "
     "dataplaneGroupId uuid, webhookConfigs [object]"},
    {"WorkspaceUpdate", "workspaceId* uuid, name string, email string, initialSetupComplete boolean, "
                        "anonymousDataCollection boolean, news boolean, securityUpdates boolean, "
                        "notifications [object], notificationSettings object, displaySetupWizard boolean"},
    {"WorkspaceUpdateName", "workspaceId* uuid, name* string"},
    {"SlugRequestBody", "slug* string"},
    {"WorkspaceRead",
     "workspaceId* uuid, customerId* uuid, email string, name* string, slug* string, "
     "initialSetupComplete* boolean, displaySetupWizard boolean, anonymousDataCollection boolean, "
     "news boolean, securityUpdates boolean, notifications [object], notificationSettings object, "
     "firstCompletedSync boolean, feedbackDone boolean, dataplaneGroupId uuid, "
     "webhookConfigs [object], organizationId* uuid, tombstone boolean"},
    {"WorkspaceReadList", "workspaces* [WorkspaceRead]"},
    {"OrganizationInfoRead", "organizationId* uuid, organizationName* string, sso* boolean"},
    {"ListWorkspacesInOrganizationRequestBody",
     "organizationId* uuid, pagination Pagination, nameContains string"},
    {"ListWorkspacesByUserRequestBody", "userId* uuid, pagination Pagination, nameContains string"},
    {"InstanceConfigurationSetupRequestBody",
     "workspaceId uuid, email* string, anonymousDataCollection* boolean, initialSetupComplete* boolean, "
     "displaySetupWizard* boolean, userName string, organizationName string"},
    {"Pagination", "pageSize int32, rowOffset int32"},
    {"ListResourcesForWorkspacesRequestBody",
     "workspaceIds [uuid], includeDeleted boolean, pagination Pagination, nameContains string"},
    {"EmptyBody", ""},

    /* --- definitions --- */
    {"DefinitionListBody", "workspaceId uuid"},
    DEFINITION_SCHEMAS("source", "Source"),
    DEFINITION_SCHEMAS("destination", "Destination"),
    {"SourceDefinitionRead",
     "sourceDefinitionId* uuid, sourceType (api|file|database|custom), " DEFINITION_READ},
    {"ActorDefinitionIdWithScope",
     "actorDefinitionId* uuid, scopeId* uuid, scopeType* (workspace|organization)"},
    {"EnterpriseConnectorStubsReadList", "enterpriseConnectorStubs* [object]"},
    {"OAuthConsentRead", "consentUrl* string"},
    {"CompleteOAuthResponse", "request_succeeded* boolean, request_error string, auth_payload object"},
    {"DefinitionCreate", "name* string, dockerRepository* string, dockerImageTag* string, "
                         "documentationUrl string, icon string, resourceRequirements object"},
    {"DestinationDefinitionRead", "destinationDefinitionId* uuid, " DEFINITION_READ},
    {"SourceDefinitionSpecificationRead",
     "sourceDefinitionId* uuid, documentationUrl string, connectionSpecification object, advancedAuth "
     "object, "
     "advancedAuthGlobalCredentialsAvailable boolean, jobInfo* SynchronousJobRead"},
    {"DestinationDefinitionSpecificationRead", "destinationDefinitionId* uuid, documentationUrl string, "
                                               "connectionSpecification object, advancedAuth object, "
                                               "advancedAuthGlobalCredentialsAvailable boolean, "
                                               "supportedDestinationSyncModes [DestinationSyncMode], "
                                               "supportsDbt boolean, supportsNormalization boolean, "
                                               "jobInfo* SynchronousJobRead"},
    {"SynchronousJobRead", "id* uuid, configType* JobConfigType, configId string, createdAt* integer, "
                           "endedAt* integer, succeeded* boolean, connectorConfigurationUpdated boolean, "
                           "logType string, logs LogRead, failureReason FailureReason"},
    {"FailureReason",
     "failureOrigin string, failureType string, externalMessage string, internalMessage string, "
     "stacktrace string, retryable boolean, timestamp* integer, "
     "streamDescriptor StreamDescriptor"},
    {"LogRead", "logLines* [string]"},

    /* --- sources and destinations --- */
    ACTOR_SCHEMAS("source", "Source"),
    ACTOR_SCHEMAS("destination", "Destination"),
    {"SourceDiscoverSchemaRequestBody", "sourceId* uuid, connectionId uuid, disable_cache boolean, "
                                        "priority (high|default), notifySchemaChange boolean"},
    {"SourceDiscoverSchemaRead",
     "catalog AirbyteCatalog, jobInfo* SynchronousJobRead, catalogId uuid, "
     "catalogDiff CatalogDiff, breakingChange boolean, connectionStatus ConnectionStatus"},
    {"CatalogDiff", "transforms* [StreamTransform]"},
    {"StreamTransform", "transformType* (add_stream|remove_stream|update_stream), "
                        "streamDescriptor* StreamDescriptor, updateStream StreamTransformUpdateStream"},
    {"StreamTransformUpdateStream",
     "fieldTransforms* [FieldTransform], streamAttributeTransforms* [StreamAttributeTransform]"},
    {"StreamAttributeTransform", "transformType* (update_primary_key), breaking* boolean, "
                                 "updatePrimaryKey StreamAttributePrimaryKeyUpdate"},
    {"StreamAttributePrimaryKeyUpdate", "oldPrimaryKey [[string]], newPrimaryKey [[string]]"},
    {"FieldTransform", "transformType* (add_field|remove_field|update_field_schema), fieldName* [string], "
                       "breaking* boolean, addField FieldSchema, removeField FieldSchema, "
                       "updateFieldSchema FieldSchemaUpdate"},
    {"FieldSchema", "schema any"},
    {"FieldSchemaUpdate", "oldSchema* any, newSchema* any"},
    {"DestinationDiscoverSchemaRequestBody", "destinationId* uuid, connectionId uuid, disable_cache boolean"},
    {"DestinationDiscoverRead", "catalog object, catalogId uuid, jobInfo* SynchronousJobRead"},
    {"ActorCatalogWithUpdatedAt", "updatedAt integer, catalog object"},
    {"ActorListBody", "workspaceId* uuid, pageSize int32, cursor uuid"},
    {"CheckConnectionRead", "status (succeeded|failed), message string, jobInfo* SynchronousJobRead"},

    /* --- catalogs --- */
    {"SyncMode", "=(full_refresh|incremental)"},
    {"DestinationSyncMode", "=(append|overwrite|append_dedup|overwrite_dedup|update|soft_delete)"},
    {"AirbyteCatalog", "streams* [AirbyteStreamAndConfiguration]"},
    {"AirbyteStreamAndConfiguration", "stream AirbyteStream, config AirbyteStreamConfiguration"},
    {"AirbyteStream",
     "name* string, jsonSchema object, supportedSyncModes [SyncMode], sourceDefinedCursor boolean, "
     "defaultCursorField [string], sourceDefinedPrimaryKey [[string]], namespace string, "
     "isResumable boolean, isFileBased boolean"},
    {"AirbyteStreamConfiguration",
     "syncMode* SyncMode, cursorField [string], destinationSyncMode* DestinationSyncMode, namespace string, "
     "primaryKey [[string]], aliasName string, selected boolean, suggested boolean, "
     "destinationObjectName string, includeFiles boolean, fieldSelectionEnabled boolean, "
     "selectedFields [SelectedFieldInfo], hashedFields [SelectedFieldInfo], mappers [object], "
     "minimumGenerationId integer, generationId integer, syncId integer"},
    {"SelectedFieldInfo", "fieldPath [string]"},
    {"StreamDescriptor", "name* string, namespace string"},

    /* --- connections --- */
    {"NamespaceDefinitionType", "=(source|destination|customformat)"},
    {"ConnectionScheduleType", "=(manual|basic|cron)"},
    {"ConnectionStatus", "=(active|inactive|deprecated|locked)"},
    {"NonBreakingChangesPreference", "=(ignore|disable|propagate_columns|propagate_fully)"},
    {"ConnectionSchedule", "units* integer, timeUnit* (minutes|hours|days|weeks|months)"},
    {"ConnectionScheduleData", "basicSchedule BasicSchedule, cron CronSchedule"},
    {"BasicSchedule", "timeUnit* (minutes|hours|days|weeks|months), units* integer"},
    {"CronSchedule", "cronExpression* string, cronTimeZone* string"},
    {"Tag", "tagId* uuid, workspaceId* uuid, name* string, color* string"},
    {"ConnectionIdRequestBody", "connectionId* uuid"},
    {"ConnectionCreate",
     "name string, sourceId* uuid, destinationId* uuid, status* ConnectionStatus, " CONNECTION_FIELDS},
    {"ConnectionUpdate", "connectionId* uuid, name string, status ConnectionStatus, breakingChange boolean, "
                         "skipReset boolean, revision integer, " CONNECTION_FIELDS},
    {"ConnectionRead", "connectionId* uuid, name* string, sourceId* uuid, destinationId* uuid, "
                       "status* ConnectionStatus, statusReason string, breakingChange* boolean, "
                       "created_at integer, createdAt integer, workspaceId uuid, " CONNECTION_FIELDS},
    {"ConnectionReadList", "connections* [ConnectionRead]"},
    {"ConnectionSearch", "connectionId uuid, name string, sourceId uuid, destinationId uuid, "
                         "status ConnectionStatus, scheduleType ConnectionScheduleType, prefix string, "
                         "namespaceFormat string, source SourceSearch, destination DestinationSearch"},
    {"ListConnectionsForWorkspacesRequestBody", "workspaceIds [uuid], includeDeleted boolean, "
                                                "pagination Pagination, tagIds [uuid]"},
    {"ActorDefinitionRequestBody", "actorDefinitionId* uuid, actorType (source|destination)"},
    {"ConnectionStreamRequestBody", "connectionId* uuid, streams* [ConnectionStream]"},
    {"ConnectionStream", "streamName* string, streamNamespace string"},
    {"ConnectionStreamRefreshRequestBody", "connectionId* uuid, refreshMode (Truncate|Merge), "
                                           "streams [ConnectionStream]"},
    {"ConnectionStatusesRequestBody", "connectionIds* [uuid]"},
    {"ConnectionStatusRead", "connectionId* uuid, isRunning* boolean, lastSyncJobId integer, "
                             "lastSyncJobStatus JobStatus, lastSuccessfulSync integer, nextSync integer, "
                             "scheduleData ConnectionScheduleData, connectionSyncStatus string, "
                             "lastSyncAttemptNumber integer, failureReason FailureReason"},
    {"ConnectionStatusesRead", "=[ConnectionStatusRead]"},
    {"ConnectionSyncProgressRead",
     "connectionId* uuid, jobId integer, syncStartedAt integer, "
     "recordsEmitted integer, bytesEmitted integer, recordsCommitted integer, "
     "bytesCommitted integer, recordsRejected integer, configType JobConfigType, "
     "streams* [StreamSyncProgressReadItem]"},
    {"StreamSyncProgressReadItem",
     "streamName* string, streamNamespace string, recordsEmitted integer, recordsCommitted integer, "
     "bytesEmitted integer, bytesCommitted integer, recordsRejected integer, configType* JobConfigType"},
    {"ConnectionAndJobIdRequestBody", "connectionId* uuid, jobId* integer"},
    {"ConnectionLastJobPerStreamRequestBody", "connectionId* uuid, streams* [ConnectionStream]"},
    {"ConnectionLastJobPerStreamRead", "=[ConnectionLastJobPerStreamReadItem]"},
    {"ConnectionLastJobPerStreamReadItem",
     "streamName* string, streamNamespace string, jobId* integer, configType* JobConfigType, "
     "jobStatus* JobStatus, startedAt* integer, endedAt* integer, bytesCommitted* integer, "
     "recordsCommitted* integer"},
    {"ConnectionState", "stateType* (global|stream|legacy|not_set), connectionId* uuid, state any, "
                        "streamState [StreamState], globalState GlobalState"},
    {"StreamState", "streamDescriptor* StreamDescriptor, streamState any"},
    {"GlobalState", "shared_state any, streamStates* [StreamState]"},
    {"ConnectionStateCreateOrUpdate", "connectionId* uuid, connectionState* ConnectionState"},
    {"ConnectionStateType", "=(global|stream|legacy|not_set)"},
    {"OperationReadList", "operations* [object]"},

    /* --- jobs --- */
    {"JobConfigType", "=(check_connection_source|check_connection_destination|discover_schema|get_spec|sync|"
                      "reset_connection|refresh|clear)"},
    {"JobStatus", "=(pending|queued|running|incomplete|failed|succeeded|cancelled)"},
    {"JobIdRequestBody", "id* integer"},
    {"ConnectionJobRequestBody", "connectionId* uuid, jobId* integer"},
    {"BooleanRead", "value* boolean"},
    {"JobCreate",
     "jobType (sync|reset_connection|clear|refresh), configType (sync|reset_connection|clear|refresh), "
     "connectionId* uuid, isScheduled boolean"},
    {"JobListRequestBody",
     "configTypes* [JobConfigType], configId string, includingJobId integer, "
     "pagination Pagination, status JobStatus, statuses [JobStatus], "
     "createdAtStart datetime, createdAtEnd datetime, updatedAtStart datetime, "
     "updatedAtEnd datetime, orderByField (createdAt|updatedAt), orderByMethod (ASC|DESC)"},
    {"JobListForWorkspacesRequestBody",
     "configTypes [JobConfigType], workspaceIds* [uuid], includingJobId integer, "
     "pagination Pagination, statuses [JobStatus], createdAtStart datetime, "
     "createdAtEnd datetime, updatedAtStart datetime, updatedAtEnd datetime, "
     "orderByField (createdAt|updatedAt), orderByMethod (ASC|DESC)"},
    {"JobRead",
     "id* integer, configType* JobConfigType, configId* string, enabledStreams [StreamDescriptor], "
     "createdAt* integer, updatedAt* integer, startedAt integer, status* JobStatus, "
     "resetConfig ResetConfig, refreshConfig RefreshConfig, aggregatedStats JobAggregatedStats, "
     "streamAggregatedStats [StreamStats]"},
    {"ResetConfig", "streamsToReset [StreamDescriptor]"},
    {"RefreshConfig", "streamsToRefresh [StreamDescriptor]"},
    {"JobAggregatedStats", "recordsEmitted* integer, bytesEmitted* integer, recordsCommitted* integer, "
                           "bytesCommitted* integer, recordsRejected* integer"},
    {"StreamStats",
     "streamName* string, streamNamespace string, recordsEmitted* integer, bytesEmitted* integer, "
     "recordsCommitted* integer, bytesCommitted* integer, recordsRejected* integer, "
     "wasBackfilled boolean, wasResumed boolean"},
    {"AttemptStats", STATS},
    {"AttemptStreamStats", "streamName* string, streamNamespace string, stats* AttemptStats"},
    {"AttemptFailureSummary", "failures* [FailureReason], partialSuccess boolean"},
    {"AttemptRead",
     "id* integer, status* (running|failed|succeeded), createdAt* integer, updatedAt* integer, "
     "endedAt integer, bytesSynced integer, recordsSynced integer, totalStats AttemptStats, "
     "streamStats [AttemptStreamStats], failureSummary AttemptFailureSummary"},
    {"AttemptInfoRead", "attempt* AttemptRead, logType (formatted|structured), logs* LogRead"},
    {"GetAttemptStatsRequestBody", "jobId* integer, attemptNumber* int32"},
    {"JobInfoRead", "job* JobRead, attempts* [AttemptInfoRead]"},
    {"JobReadResponse", "job JobRead"},
    {"JobInfoLightRead", "job* JobRead"},
    {"JobOptionalRead", "job JobRead"},
    {"JobWithAttemptsRead", "job* JobRead, attempts* [AttemptRead]"},
    {"JobReadList", "jobs* [JobWithAttemptsRead], totalJobCount* integer"},
    {"JobDebugRead", "id* integer, configType* JobConfigType, configId* string, status* JobStatus, "
                     "airbyteVersion* string, sourceDefinition SourceDefinitionRead, "
                     "destinationDefinition DestinationDefinitionRead"},
    {"JobDebugInfoRead", "job* JobDebugRead, attempts* [AttemptInfoRead]"},
    {"LogsRequestBody", "logType (server|scheduler)"},

    /* --- web_backend --- */
    {"WebBackendConnectionRequestBody", "connectionId* uuid, withRefreshedCatalog boolean"},
    {"WebBackendConnectionListFilters",
     "searchTerm string, sourceDefinitionIds [uuid], destinationDefinitionIds [uuid], "
     "statuses [WebBackendConnectionStatusFilter], states [WebBackendConnectionStateFilter], tagIds [uuid]"},
    {"WebBackendConnectionStatusFilter", "=(healthy|failed|running|HEALTHY|FAILED|RUNNING)"},
    {"WebBackendConnectionStateFilter", "=(active|inactive|ACTIVE|INACTIVE)"},
    {"WebBackendConnectionSortKey",
     "=(connectionName_asc|connectionName_desc|sourceName_asc|sourceName_desc|destinationName_asc|"
     "destinationName_desc|lastSync_asc|lastSync_desc)"},
    {"WebBackendConnectionListRequestBody",
     "workspaceId* uuid, sourceId [uuid], destinationId [uuid], "
     "pageSize int32, cursor uuid, filters WebBackendConnectionListFilters, sortKey "
     "WebBackendConnectionSortKey"},
    {"ActorSnippet",
     "sourceId uuid, destinationId uuid, name* string, sourceDefinitionId uuid, sourceName string, "
     "destinationDefinitionId uuid, destinationName string, icon string"},
    {"WebBackendConnectionListItem",
     "connectionId* uuid, name* string, scheduleType ConnectionScheduleType, scheduleData "
     "ConnectionScheduleData, "
     "status* ConnectionStatus, statusReason string, source* ActorSnippet, destination* ActorSnippet, "
     "latestSyncJobCreatedAt integer, latestSyncJobStatus JobStatus, isSyncing* boolean, "
     "schemaChange* (no_change|non_breaking|breaking), sourceActorDefinitionVersion* VersionRead, "
     "destinationActorDefinitionVersion* VersionRead, tags* [Tag], onDemandEnabled* boolean"},
    {"VersionRead", "dockerRepository* string, dockerImageTag* string, isVersionOverrideApplied* boolean, "
                    "supportState* string, supportsRefreshes* boolean, supportsFileTransfer* boolean, "
                    "supportsDataActivation* boolean"},
    {"WebBackendConnectionReadList", "connections* [WebBackendConnectionListItem], num_connections integer, "
                                     "page_size integer"},
    {"WebBackendConnectionRead",
     "connectionId* uuid, revision integer, name* string, sourceId* uuid, destinationId* uuid, "
     "status* ConnectionStatus, statusReason string, source* SourceRead, destination* DestinationRead, "
     "operations [object], "
     "latestSyncJobCreatedAt integer, latestSyncJobStatus JobStatus, isSyncing* boolean, catalogId uuid, "
     "catalogDiff CatalogDiff, "
     "schemaChange* (no_change|non_breaking|breaking), createdAt integer, created_at integer, workspaceId "
     "uuid, "
     "breakingChange boolean, sourceActorDefinitionVersion* VersionRead, "
     "destinationActorDefinitionVersion* VersionRead, " CONNECTION_FIELDS},
    {"WebBackendWorkspaceStateResult",
     "hasConnections* boolean, hasSources* boolean, hasDestinations* boolean"},
    {"WebBackendCheckUpdatesRead", "sourceDefinitions* integer, destinationDefinitions* integer"},
    {"StatusCounts",
     "running* integer, healthy* integer, failed* integer, paused* integer, notSynced* integer"},
    {"CronExpressionBody", "cronExpression* string"},
    {"CronExpressionDescription", "isValid* boolean, cronExpression* string, description string, "
                                  "validationErrorMessage string, nextExecutions [integer]"},

    /* --- the public API --- */
    {"PublicWorkspaceCreate", "name* string, organizationId uuid, notifications object, regionId uuid"},
    {"PublicWorkspaceUpdate", "name string, notifications object, regionId uuid"},
    {"WorkspaceResponse", "workspaceId* uuid, name* string, dataResidency* string, notifications* object"},
    {"WorkspacesResponse", PAGED ", data* [WorkspaceResponse]"},
    PUBLIC_ACTOR_SCHEMAS("source", "Source"),
    PUBLIC_ACTOR_SCHEMAS("destination", "Destination"),
    {"InitiateOauthRequest", "redirectUrl* string, workspaceId* uuid, sourceType* string, "
                             "oAuthInputConfiguration object, requestedScopes [string], "
                             "requestedOptionalScopes [string]"},
    {"InitiateOauthResponse", "consentUrl* string"},
    {"ConnectionSyncModeEnum",
     "=(full_refresh_overwrite|full_refresh_overwrite_deduped|full_refresh_append|full_refresh_update|"
     "full_refresh_soft_delete|incremental_append|incremental_deduped_history|incremental_update|"
     "incremental_soft_delete)"},
    {"StreamConfiguration",
     "name* string, namespace string, syncMode ConnectionSyncModeEnum, cursorField [string], "
     "primaryKey [[string]], includeFiles boolean, destinationObjectName string, "
     "selectedFields [SelectedFieldInfo], mappers [object]"},
    {"StreamConfigurations", "streams [StreamConfiguration]"},
    {"ApiSchedule", "scheduleType* (manual|cron), cronExpression string"},
    {"ApiScheduleResponse", "scheduleType* (manual|cron|basic), cronExpression string, basicTiming string"},
    {"ConnectionCreateRequest",
     "name string, sourceId* uuid, destinationId* uuid, configurations StreamConfigurations, "
     "schedule ApiSchedule, dataResidency string, namespaceDefinition (source|destination|custom_format), "
     "namespaceFormat string, prefix string, "
     "nonBreakingSchemaUpdatesBehavior (ignore|disable_connection|propagate_columns|propagate_fully), "
     "status ConnectionStatus, tags [Tag]"},
    {"ConnectionPatchRequest",
     "name string, configurations StreamConfigurations, schedule ApiSchedule, dataResidency string, "
     "namespaceDefinition (source|destination|custom_format), namespaceFormat string, prefix string, "
     "nonBreakingSchemaUpdatesBehavior (ignore|disable_connection|propagate_columns|propagate_fully), "
     "status ConnectionStatus, tags [Tag]"},
    {"ConnectionResponse",
     "connectionId* uuid, name* string, sourceId* uuid, destinationId* uuid, workspaceId* uuid, "
     "status* ConnectionStatus, schedule* ApiScheduleResponse, dataResidency string, "
     "nonBreakingSchemaUpdatesBehavior (ignore|disable_connection|propagate_columns|propagate_fully), "
     "namespaceDefinition (source|destination|custom_format), namespaceFormat string, prefix string, "
     "configurations* StreamConfigurations, createdAt* integer, tags* [Tag], statusReason string"},
    {"ConnectionsResponse", PAGED ", data* [ConnectionResponse]"},
    {"JobCreateRequest", "connectionId* uuid, jobType* (sync|reset|refresh|clear)"},
    {"JobResponse",
     "jobId* integer, status* JobStatus, jobType* (sync|reset|refresh|clear), startTime* datetime, "
     "connectionId* uuid, lastUpdatedAt datetime, duration string, bytesSynced integer, "
     "rowsSynced integer"},
    {"JobsResponse", PAGED ", data* [JobResponse]"},
    {"StreamProperties", "streamName string, syncModes [ConnectionSyncModeEnum], streamnamespace string, "
                         "defaultCursorField [string], sourceDefinedCursorField boolean, "
                         "sourceDefinedPrimaryKey [[string]], propertyFields [[string]]"},
    {"StreamPropertiesResponse", "=[StreamProperties]"},
    {"CreateDefinitionRequest",
     "name* string, dockerRepository* string, dockerImageTag* string, documentationUrl string"},
    {"UpdateDefinitionRequest", "name* string, dockerImageTag* string"},
    {"DefinitionResponse", "id* uuid, name* string, dockerRepository* string, dockerImageTag* string, "
                           "documentationUrl string"},
    {"DefinitionsResponse", PAGED ", data* [DefinitionResponse]"},
    {"CreateDeclarativeSourceDefinitionRequest", "name* string, manifest* object"},
    {"UpdateDeclarativeSourceDefinitionRequest", "manifest* object"},
    {"DeclarativeSourceDefinitionResponse", "id* uuid, name* string, manifest* object, version* integer"},
    {"DeclarativeSourceDefinitionsResponse", PAGED ", data* [DeclarativeSourceDefinitionResponse]"},
    {"ConnectorDefinition", "id* uuid, connectorDefinitionType* (source|destination), name* string, "
                            "documentationUrl string, version string"},
    {"ConnectorDefinitionsResponse", "data* [ConnectorDefinition]"},

    /* --- Firth's own --- */
    {"SessionCreate", "username* string, password* string"},
    {"SessionRead",
     "loggedIn* boolean, user string, version string, workspaceId uuid, defaultPassword boolean, "
     "allowCommands boolean"},
    {"CommandCreate", "name* string, kind* (source|destination), command* [string]"},
    {"CommandRead", "sourceDefinitionId uuid, destinationDefinitionId uuid, name* string"},
    {"ManifestCreate", "name* string, manifest* string"},
    {"ManifestRead", "sourceDefinitionId* uuid, name* string"},
    {"CollectionRead", "name* string, key* [string], writeSchema* any, readSchema* any, inferred* boolean, "
                       "fields* [CollectionField]"},
    {"CollectionField", "field* string, pointer* string, types* [string], required* boolean, key* boolean, "
                        "description string"},
    {"PasswordChange", "currentPassword* string, newPassword* string"},
    {"ConnectionItems", "connections* [ConnectionItem]"},
    {"ConnectionItem",
     "connectionId* uuid, name* string, status* ConnectionStatus, statusReason string, "
     "scheduleType ConnectionScheduleType, schedule ConnectionSchedule, scheduleData ConnectionScheduleData, "
     "source* ConnectionItemActor, destination* ConnectionItemActor, isSyncing* boolean, "
     "schemaChange* (no_change|breaking), latestSyncJobCreatedAt integer, latestSyncJobStatus JobStatus, "
     "nextRunAt integer"},
    {"ConnectionItemActor", "id* uuid, name* string, connector* string"},
    {"JobHistory", "jobs* [JobHistoryItem], total* integer, nextRunAt integer"},
    {"JobHistoryItem",
     "id* integer, configType* JobConfigType, status* JobStatus, createdAt* integer, "
     "startedAt integer, endedAt integer, durationMs integer, attempts* integer, scheduled* boolean, "
     "recordsEmitted* integer, bytesEmitted* integer, recordsCommitted* integer, "
     "bytesCommitted* integer"},
    {"FirthStatus", "data_dir* string, daemon DaemonStatus, tasks* [TaskStatus]"},
    {"DaemonStatus", "pid* integer, since string, url string"},
    {"TaskStatus", "task* string, kind string, state string"},
    {"DiscoveryAsk", "task* string"},
    {"DiscoveryRead", "streams* [DiscoveredStream]"},
    {"DiscoveredStream",
     "stream* string, target string, key* [string], bound* boolean, enabled* boolean, found* boolean"},
    {"DocumentsRead", "documents* [CollectionDocument], notices* [object]"},
    {"CollectionDocument", "collection* string, writer* string, number* integer, document* any"},
};
const size_t schema_count = sizeof schemas / sizeof *schemas;
