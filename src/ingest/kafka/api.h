/* The handlers of requests, each in the file that its part is; apis.c has their table. Private to this
 * folder. */
#ifndef FIRTH_INGEST_KAFKA_API_H
#define FIRTH_INGEST_KAFKA_API_H

#include "ingest/kafka/exchange.h"

typedef enum kafka_next kafka_handler(struct kafka *kafka, struct kafka_exchange *exchange);

kafka_handler kafka_handle_versions, kafka_handle_metadata, kafka_handle_produce, kafka_handle_init_producer,
    kafka_handle_create_topics, kafka_handle_find_coordinator, kafka_handle_sasl_handshake,
    kafka_handle_sasl_authenticate, kafka_handle_fetch, kafka_handle_list_offsets, kafka_handle_join_group,
    kafka_handle_sync_group, kafka_handle_heartbeat, kafka_handle_leave_group, kafka_handle_describe_groups,
    kafka_handle_list_groups, kafka_handle_offset_commit, kafka_handle_offset_fetch,
    kafka_handle_delete_topics, kafka_handle_describe_configs;

/* Host and port that clients are told: where this one has come to, unless an option says otherwise. */
const char *kafka_told_host(const struct kafka *kafka, const struct kafka_connection *connection);
int kafka_told_port(const struct kafka *kafka, const struct kafka_connection *connection);

#endif
