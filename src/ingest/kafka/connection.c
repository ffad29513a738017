#include "ingest/kafka/connection.h"

#include "ingest/kafka/loop.h"
#include "web/listen.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    SCRATCH = 64 << 10, /* kafka.scratch's bytes */
    TURN_MAX = 1 << 20, /* bytes that are read of one client before the others' turn */
    OUT_FULL = 4 << 20, /* bytes of answers that wait for the client: nothing more is read of it */
    HEADER_LEAST = 8,   /* bytes of a request's header: api, version, correlation */
    API_VERSIONS = 18,
};

/* --- coming and going --------------------------------------------------------------------------------- */

static bool is_full(const struct kafka *kafka, const struct kafka_connection *connection)
{
    return kafka->draining || connection->under_way >= KAFKA_UNDER_WAY_MAX ||
           connection->out.size - connection->sent > OUT_FULL ||
           (kafka->held > KAFKA_HELD_MAX && connection->wanted != 0);
}

static void set_events(struct kafka *kafka, struct kafka_connection *connection)
{
    uint32_t events = 0;
    if (connection->closed)
        return;
    if (!connection->hang_up && !is_full(kafka, connection))
        events |= EPOLLIN;
    if (connection->sent < connection->out.size || kafka_stream_wants_out(&connection->stream))
        events |= EPOLLOUT;
    if (events != connection->events)
        kafka_watch(kafka, connection->stream.fd, &connection->source, events, false);
    connection->events = events;
}

void kafka_connection_close(struct kafka *kafka, struct kafka_connection *connection)
{
    if (connection->closed)
        return;
    connection->closed = true;
    kafka_unwatch(kafka, connection->stream.fd);
    kafka_stream_close(&connection->stream);
    *(connection->previous ? &connection->previous->next : &kafka->connections) = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    kafka->connection_count--;
    ingest_count(kafka->captures, PUSH_KAFKA, -1);
    kafka_count(kafka, -(int64_t)connection->frame.size);
    struct kafka_exchange *exchange = connection->first;
    connection->first = NULL;
    while (exchange) {
        struct kafka_exchange *next = exchange->next;
        exchange->connection = NULL;
        if (!exchange->known && exchange->abandoned)
            exchange->abandoned(kafka, exchange);
        if (exchange->known || exchange->abandoned)
            kafka_exchange_free(kafka, exchange);
        exchange = next;
    }
    connection->next = kafka->dead;
    kafka->dead = connection;
}

void kafka_connection_free(struct kafka_connection *connection)
{
    buffer_done(&connection->frame);
    buffer_done(&connection->out);
    if (connection->password.data)
        explicit_bzero((char *)connection->password.data, connection->password.size);
    free((char *)connection->password.data);
    free(connection);
}

bool kafka_connection_late(const struct kafka *kafka, const struct kafka_connection *connection)
{
    bool stranger = connection->state != KAFKA_KNOWN && !connection->trusted;
    if (connection->sent < connection->out.size)
        return kafka->now_ms - connection->out_ms > kafka->client_ms;
    if (connection->under_way)
        return false;
    return kafka->now_ms - connection->since_ms >
           (connection->head_size || connection->wanted || stranger ? kafka->client_ms : KAFKA_IDLE_MS);
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void send_out(struct kafka *kafka, struct kafka_connection *connection)
{
    struct buffer *out = &connection->out;
    while (connection->sent < out->size) {
        ssize_t sent = kafka_stream_write(&connection->stream, out->data + connection->sent,
                                          out->size - connection->sent);
        if (sent == KAFKA_STREAM_WAIT)
            return;
        if (sent <= 0) {
            kafka_connection_close(kafka, connection);
            return;
        }
        connection->sent += (size_t)sent;
        connection->out_ms = kafka->now_ms;
    }
    connection->sent = 0;
    buffer_clear(out);
    if (out->capacity > OUT_FULL) { /* a large answer does not hold its memory until the next */
        buffer_done(out);
        buffer_init(out, BUFFER_UNLIMITED);
    }
    if (connection->hang_up)
        kafka_connection_close(kafka, connection);
}

static void take_answer(struct kafka_connection *connection, struct kafka_exchange *exchange)
{
    if (exchange->how == KAFKA_HANG_UP || exchange->answer.overflowed) {
        connection->hang_up = true;
    } else if (exchange->how != KAFKA_SILENT) {
        connection->hang_up = exchange->how == KAFKA_LAST;
        wire_set_i32(&exchange->answer, 0, (int32_t)(exchange->answer.size - 4));
        if (connection->out.size == 0) {
            struct buffer spare = connection->out;
            connection->out = exchange->answer;
            connection->out.max = BUFFER_UNLIMITED;
            exchange->answer = spare;
        } else {
            buffer_append(&connection->out, exchange->answer.data, exchange->answer.size);
        }
    }
}

static void flush(struct kafka *kafka, struct kafka_connection *connection)
{
    bool waits = connection->sent < connection->out.size;
    while (connection->first && connection->first->known && !connection->hang_up) {
        struct kafka_exchange *exchange = connection->first;
        connection->first = exchange->next;
        if (!connection->first)
            connection->last = &connection->first;
        connection->under_way--;
        connection->since_ms = kafka->now_ms;
        take_answer(connection, exchange);
        kafka_exchange_free(kafka, exchange);
    }
    if (!waits)
        connection->out_ms = kafka->now_ms;
    if (connection->hang_up && connection->sent == connection->out.size)
        kafka_connection_close(kafka, connection);
    else
        send_out(kafka, connection);
}

void kafka_answered(struct kafka *kafka, struct kafka_exchange *exchange, enum kafka_next how)
{
    struct kafka_connection *connection = exchange->connection;
    exchange->known = true;
    exchange->how = how;
    if (!connection) {
        kafka_exchange_free(kafka, exchange);
        return;
    }
    if (!connection->queued) {
        connection->queued = true;
        connection->next_queued = kafka->queued;
        kafka->queued = connection;
    }
}

/* --- requests ----------------------------------------------------------------------------------------- */

/* What a client is told whose version of the question is none of ours, so that it asks in another. */
static void begin_answer(struct kafka_exchange *exchange, int32_t correlation)
{
    buffer_init(&exchange->answer, KAFKA_ANSWER_MAX);
    exchange->out = (struct wire_writer){.out = &exchange->answer};
    wire_put_later(&exchange->out);
    wire_put_i32(&exchange->out, correlation);
    exchange->out.flexible = exchange->version >= exchange->api->flexible;
    if (exchange->api->key != API_VERSIONS)
        wire_put_tags(&exchange->out);
}

/* The header; false: it is no request, or none that can be answered. */
static bool read_head(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct kafka_connection *connection = exchange->connection;
    struct wire_reader *in = &exchange->in;
    wire_reader_init(in, (struct slice){exchange->frame, exchange->size}, false);
    int16_t key = wire_i16(in);
    exchange->version = wire_i16(in);
    int32_t correlation = wire_i32(in);
    struct slice client = wire_old_string(in);
    exchange->api = kafka_api_find(key);
    if (in->broken || !exchange->api)
        return false;
    bool known = exchange->version >= exchange->api->least && exchange->version <= exchange->api->most;
    if (!known && key != API_VERSIONS)
        return false;
    if (!known)
        exchange->version = -1; /* ApiVersions answers these in its first version */
    size_t size = utf8_cut(client.data, client.size, KAFKA_CLIENT_ID_MAX);
    memcpy(connection->client_id, client.data ? client.data : "", size);
    connection->client_id[size] = 0;
    in->flexible = exchange->version >= exchange->api->flexible;
    wire_tags(in);
    begin_answer(exchange, correlation);
    bool stranger = connection->state != KAFKA_KNOWN && !connection->trusted;
    return !in->broken && (!stranger || exchange->api->stranger);
}

static void handle(struct kafka *kafka, struct kafka_connection *connection, char *frame, size_t size)
{
    struct kafka_exchange *exchange = mem_zalloc(sizeof *exchange);
    *exchange = (struct kafka_exchange){.connection = connection, .frame = frame, .size = size};
    arena_init(&exchange->arena);
    ingest_hold_init(&exchange->hold, kafka->captures, &kafka->held);
    if (!read_head(kafka, exchange)) {
        connection->hang_up = true;
        exchange->connection = NULL;
        kafka_exchange_free(kafka, exchange);
        return;
    }
    *connection->last = exchange;
    connection->last = &exchange->next;
    connection->under_way++;
    enum kafka_next next = exchange->api->handle(kafka, exchange);
    if (next != KAFKA_LATER)
        kafka_answered(kafka, exchange, next);
}

static void handle_frame(struct kafka *kafka, struct kafka_connection *connection)
{
    struct buffer *frame = &connection->frame;
    size_t size = frame->size;
    char *bytes = frame->data;
    *frame = (struct buffer){0};
    connection->wanted = connection->head_size = 0;
    connection->since_ms = kafka->now_ms;
    if (connection->state == KAFKA_SASL_RAW) {
        connection->hang_up |= kafka_sasl_raw(kafka, connection, (struct slice){bytes, size}) < 0;
        explicit_bzero(bytes, size);
        free(bytes);
        kafka_count(kafka, -(int64_t)size);
    } else {
        handle(kafka, connection, bytes, size);
    }
}

/* Of the bytes that came: the head of a request, or some of its body. False: it is none. */
static bool take_head(struct kafka_connection *connection, const char **bytes, size_t *size)
{
    size_t more = sizeof connection->head - connection->head_size;
    if (more > *size)
        more = *size;
    memcpy(connection->head + connection->head_size, *bytes, more);
    connection->head_size += more;
    *bytes += more;
    *size -= more;
    if (connection->head_size < sizeof connection->head)
        return true;
    bool stranger = connection->state != KAFKA_KNOWN && !connection->trusted;
    uint32_t wanted = wire_get_u32(connection->head);
    if (wanted < HEADER_LEAST && connection->state != KAFKA_SASL_RAW)
        return false;
    if (wanted == 0 || wanted > (stranger ? KAFKA_FRAME_STRANGER_MAX : KAFKA_FRAME_MAX))
        return false;
    connection->wanted = wanted;
    buffer_init(&connection->frame, wanted);
    return true;
}

static void take_bytes(struct kafka *kafka, struct kafka_connection *connection, const char *bytes,
                       size_t size)
{
    while (size > 0 && !connection->hang_up) {
        if (connection->wanted == 0) {
            connection->hang_up = !take_head(connection, &bytes, &size);
            continue;
        }
        struct buffer *frame = &connection->frame;
        size_t more = connection->wanted - frame->size;
        if (more > size)
            more = size;
        buffer_append(frame, bytes, more);
        kafka_count(kafka, (int64_t)more);
        bytes += more;
        size -= more;
        if (frame->size == connection->wanted)
            handle_frame(kafka, connection);
    }
}

/* --- the socket --------------------------------------------------------------------------------------- */

static void read_some(struct kafka *kafka, struct kafka_connection *connection)
{
    size_t turn = 0;
    while (!connection->hang_up && !is_full(kafka, connection) &&
           (turn < TURN_MAX || kafka_stream_holds(&connection->stream))) {
        ssize_t got = kafka_stream_read(&connection->stream, kafka->scratch, SCRATCH);
        if (got == KAFKA_STREAM_WAIT)
            return;
        if (got <= 0) {
            kafka_connection_close(kafka, connection);
            return;
        }
        if (connection->head_size == 0 && connection->wanted == 0)
            connection->since_ms = kafka->now_ms;
        turn += (size_t)got;
        take_bytes(kafka, connection, kafka->scratch, (size_t)got);
        if (got < SCRATCH && !kafka_stream_holds(&connection->stream))
            return;
    }
}

void kafka_connection_go_on(struct kafka *kafka, struct kafka_connection *connection)
{
    flush(kafka, connection);
    /* What TLS holds back the socket tells nothing of. */
    if (!connection->closed && kafka_stream_holds(&connection->stream) && !is_full(kafka, connection)) {
        read_some(kafka, connection);
        if (!connection->closed)
            flush(kafka, connection);
    }
    if (kafka->held > KAFKA_HELD_MAX)
        kafka->paused = true;
    set_events(kafka, connection);
}

static void ready(struct kafka *kafka, struct kafka_source *source, uint32_t events)
{
    struct kafka_connection *connection = (struct kafka_connection *)source;
    if (connection->closed)
        return;
    if (events & (EPOLLERR | EPOLLHUP) && (!(events & EPOLLIN) || is_full(kafka, connection))) {
        kafka_connection_close(kafka, connection);
        return;
    }
    if (!is_full(kafka, connection))
        read_some(kafka, connection);
    if (!connection->closed)
        kafka_connection_go_on(kafka, connection);
}

static void describe(struct kafka_connection *connection)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } peer = {0}, own = {0};
    socklen_t peer_size = sizeof peer, own_size = sizeof own;
    int yes = 1, fd = connection->stream.fd;
    getpeername(fd, &peer.any, &peer_size);
    getsockname(fd, &own.any, &own_size);
    connection->near = listen_is_near(&peer.any, &own.any);
    listen_format(&peer.any, false, connection->peer, sizeof connection->peer);
    listen_format(&own.any, false, connection->host, sizeof connection->host);
    connection->port = ntohs(own.any.sa_family == AF_INET6 ? own.six.sin6_port : own.four.sin_port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

void kafka_connection_accept(struct kafka *kafka, int fd)
{
    struct kafka_connection *connection = mem_zalloc(sizeof *connection);
    if (!kafka_stream_open(&connection->stream, fd, kafka->credentials)) {
        close(fd);
        free(connection);
        return;
    }
    connection->source.ready = ready;
    connection->last = &connection->first;
    connection->since_ms = connection->out_ms = kafka->now_ms;
    buffer_init(&connection->out, BUFFER_UNLIMITED);
    describe(connection);
    connection->trusted = connection->near || kafka->open;
    connection->next = kafka->connections;
    if (connection->next)
        connection->next->previous = connection;
    kafka->connections = connection;
    kafka->connection_count++;
    ingest_count(kafka->captures, PUSH_KAFKA, 1);
    connection->events = EPOLLIN;
    kafka_watch(kafka, fd, &connection->source, EPOLLIN, true);
}
