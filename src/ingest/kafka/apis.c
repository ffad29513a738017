#include "ingest/kafka/api.h"
#include "ingest/kafka/connection.h"

/* What of the protocol there is. A version is there when it is read and written as the protocol has it;
 * README.md says why these are the last. */

enum { NEVER = INT16_MAX };

const struct kafka_api kafka_apis[] = {
    {"Produce", 0, 0, 9, 9, false, kafka_handle_produce},
    {"Fetch", 1, 4, 12, 12, false, kafka_handle_fetch},
    {"ListOffsets", 2, 1, 7, 6, false, kafka_handle_list_offsets},
    {"Metadata", 3, 0, 9, 9, false, kafka_handle_metadata},
    {"OffsetCommit", 8, 2, 8, 8, false, kafka_handle_offset_commit},
    {"OffsetFetch", 9, 1, 7, 6, false, kafka_handle_offset_fetch},
    {"FindCoordinator", 10, 0, 3, 3, false, kafka_handle_find_coordinator},
    {"JoinGroup", 11, 0, 7, 6, false, kafka_handle_join_group},
    {"Heartbeat", 12, 0, 4, 4, false, kafka_handle_heartbeat},
    {"LeaveGroup", 13, 0, 4, 4, false, kafka_handle_leave_group},
    {"SyncGroup", 14, 0, 5, 4, false, kafka_handle_sync_group},
    {"DescribeGroups", 15, 0, 5, 5, false, kafka_handle_describe_groups},
    {"ListGroups", 16, 0, 4, 3, false, kafka_handle_list_groups},
    {"SaslHandshake", 17, 0, 1, NEVER, true, kafka_handle_sasl_handshake},
    {"ApiVersions", 18, 0, 3, 3, true, kafka_handle_versions},
    {"CreateTopics", 19, 0, 5, 5, false, kafka_handle_create_topics},
    {"DeleteTopics", 20, 0, 5, 4, false, kafka_handle_delete_topics},
    {"InitProducerId", 22, 0, 4, 2, false, kafka_handle_init_producer},
    {"DescribeConfigs", 32, 0, 4, 4, false, kafka_handle_describe_configs},
    {"SaslAuthenticate", 36, 0, 2, 2, true, kafka_handle_sasl_authenticate},
};
const size_t kafka_api_count = sizeof kafka_apis / sizeof *kafka_apis;

const struct kafka_api *kafka_api_find(int16_t key)
{
    for (size_t i = 0; i < kafka_api_count; i++) {
        if (kafka_apis[i].key == key)
            return &kafka_apis[i];
    }
    return NULL;
}

/* A version that is none of ours comes as -1, and is answered as the first with the error: all clients
 * understand that, and ask again. */
enum kafka_next kafka_handle_versions(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct wire_writer *out = &exchange->out;
    (void)kafka;
    if (exchange->version >= 3) {
        wire_string(&exchange->in); /* the client's name and version */
        wire_string(&exchange->in);
        wire_tags(&exchange->in);
        if (exchange->in.broken)
            return KAFKA_HANG_UP;
    }
    wire_put_i16(out, exchange->version < 0 ? KAFKA_UNSUPPORTED_VERSION : KAFKA_NONE);
    wire_put_array(out, (int32_t)kafka_api_count);
    for (size_t i = 0; i < kafka_api_count; i++) {
        wire_put_i16(out, kafka_apis[i].key);
        wire_put_i16(out, kafka_apis[i].least);
        wire_put_i16(out, kafka_apis[i].most);
        wire_put_tags(out);
    }
    if (exchange->version >= 1)
        wire_put_i32(out, 0);
    wire_put_tags(out);
    return KAFKA_ANSWER;
}

const char *kafka_told_host(const struct kafka *kafka, const struct kafka_connection *connection)
{
    return kafka->advertised_host ? kafka->advertised_host : connection->host;
}

int kafka_told_port(const struct kafka *kafka, const struct kafka_connection *connection)
{
    return kafka->advertised_host ? kafka->advertised_port : connection->port;
}
