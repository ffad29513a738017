#include "protocol/airbyte_doubled.h"

#include "protocol/doubled.h"

#include <assert.h>

/* What the protocol names; members of other names mean nothing here, once or twice. */
static const char *const names[] = {"advanced_auth",
                                    "byte_estimate",
                                    "catalog",
                                    "change",
                                    "changes",
                                    "config",
                                    "connectionSpecification",
                                    "connectionStatus",
                                    "connectorConfig",
                                    "control",
                                    "data",
                                    "default_cursor_field",
                                    "destinationStats",
                                    "documentationUrl",
                                    "emitted_at",
                                    "error",
                                    "estimate",
                                    "failure_type",
                                    "field",
                                    "global",
                                    "internal_message",
                                    "is_file_based",
                                    "is_resumable",
                                    "json_schema",
                                    "log",
                                    "message",
                                    "meta",
                                    "name",
                                    "namespace",
                                    "protocol_version",
                                    "reason",
                                    "record",
                                    "recordCount",
                                    "row_estimate",
                                    "shared_state",
                                    "source_defined_cursor",
                                    "source_defined_primary_key",
                                    "sourceStats",
                                    "spec",
                                    "stack_trace",
                                    "state",
                                    "status",
                                    "stream",
                                    "stream_descriptor",
                                    "stream_state",
                                    "stream_states",
                                    "stream_status",
                                    "streams",
                                    "supported_destination_sync_modes",
                                    "supported_sync_modes",
                                    "supportsIncremental",
                                    "trace",
                                    "type"};

static_assert(sizeof names / sizeof *names <= DOUBLED_MEMBERS_MAX, "they are numbered");

/* Values of these are objects of the protocol, or arrays of such. */
static const char *const own[] = {"catalog",
                                  "changes",
                                  "connectionStatus",
                                  "connectorConfig",
                                  "control",
                                  "destinationStats",
                                  "error",
                                  "estimate",
                                  "global",
                                  "meta",
                                  "record",
                                  "sourceStats",
                                  "spec",
                                  "state",
                                  "stream",
                                  "stream_descriptor",
                                  "stream_states",
                                  "stream_status",
                                  "streams",
                                  "trace"};

static size_t find(const char *const *list, size_t count, struct slice name)
{
    size_t i = 0;
    while (i < count && !slice_is(name, list[i]))
        i++;
    return i;
}

/* Airbyte's names mean the same wherever they are: there is one type of object. */
static int member(const void *type, struct slice name, const void **ret_inner)
{
    size_t count = sizeof names / sizeof *names, number = find(names, count, name);
    if (find(own, sizeof own / sizeof *own, name) < sizeof own / sizeof *own)
        *ret_inner = type;
    return number < count ? (int)number : -1;
}

int airbyte_refuse_doubled(struct slice line, struct error *err)
{
    return doubled_refuse(line, member, names, err);
}
