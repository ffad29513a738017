#include "ingest/kafka/api.h"
#include "ingest/kafka/connection.h"
#include "ingest/signature.h"

/* SASL PLAIN: the password is a token, the user's name says nothing. Which token it has to be depends on what
 * is asked for later: a binding's to push to it, the listener's to read. Here it is enough that it is one. */

/* --- what a client may -------------------------------------------------------------------------------- */

static bool has_token(const struct kafka_connection *connection, const char *token)
{
    return connection->state == KAFKA_KNOWN && ingest_secret_equal(connection->password, slice_of(token));
}

bool kafka_may_push(const struct kafka *kafka, const struct kafka_connection *connection,
                    const struct ingest_binding *binding)
{
    if (binding->options.token)
        return has_token(connection, binding->options.token);
    /* Who signs signs requests of HTTP. */
    return !binding->options.signature.provider && (connection->near || kafka->open);
}

bool kafka_may_read(const struct kafka *kafka, const struct kafka_connection *connection)
{
    return kafka->token ? has_token(connection, kafka->token) : connection->near;
}

/* --- the exchange of names and passwords -------------------------------------------------------------- */

/* [authorization] NUL user NUL password (RFC 4616). */
static bool split(struct slice message, struct slice *ret_password)
{
    const char *first = message.size ? memchr(message.data, 0, message.size) : NULL;
    const char *end = message.data + message.size;
    const char *second = first ? memchr(first + 1, 0, (size_t)(end - first - 1)) : NULL;
    if (!second || second == first + 1 || end - second - 1 > KAFKA_SECRET_MAX)
        return false;
    *ret_password = (struct slice){second + 1, (size_t)(end - second - 1)};
    return ret_password->size > 0;
}

static bool authenticate(struct kafka *kafka, struct kafka_connection *connection, struct slice message)
{
    struct slice password;
    if (!split(message, &password) ||
        !((kafka->token && ingest_secret_equal(password, slice_of(kafka->token))) ||
          ingest_token_known(kafka->captures, password)))
        return false;
    connection->password = (struct slice){mem_dup(password.data, password.size), password.size};
    connection->state = KAFKA_KNOWN;
    return true;
}

int kafka_sasl_raw(struct kafka *kafka, struct kafka_connection *connection, struct slice bytes)
{
    static const char empty[4];
    if (!authenticate(kafka, connection, bytes))
        return -1;
    buffer_append(&connection->out, empty, sizeof empty);
    return 0;
}

enum kafka_next kafka_handle_sasl_handshake(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct kafka_connection *connection = exchange->connection;
    struct wire_writer *out = &exchange->out;
    struct slice mechanism = wire_string(&exchange->in);
    (void)kafka;
    enum kafka_error error = !slice_is(mechanism, "PLAIN")         ? KAFKA_UNSUPPORTED_SASL_MECHANISM
                             : connection->state == KAFKA_STRANGER ? KAFKA_NONE
                                                                   : KAFKA_ILLEGAL_SASL_STATE;
    if (exchange->in.broken)
        return KAFKA_HANG_UP;
    if (error == KAFKA_NONE)
        connection->state = exchange->version == 0 ? KAFKA_SASL_RAW : KAFKA_SASL;
    wire_put_i16(out, (int16_t)error);
    wire_put_array(out, 1);
    wire_put_text(out, "PLAIN");
    return KAFKA_ANSWER;
}

enum kafka_next kafka_handle_sasl_authenticate(struct kafka *kafka, struct kafka_exchange *exchange)
{
    struct kafka_connection *connection = exchange->connection;
    struct wire_writer *out = &exchange->out;
    struct slice message = wire_bytes(&exchange->in);
    wire_tags(&exchange->in);
    if (exchange->in.broken)
        return KAFKA_HANG_UP;
    enum kafka_error error = connection->state != KAFKA_SASL            ? KAFKA_ILLEGAL_SASL_STATE
                             : authenticate(kafka, connection, message) ? KAFKA_NONE
                                                                        : KAFKA_SASL_AUTHENTICATION_FAILED;
    wire_put_i16(out, (int16_t)error);
    wire_put_text(out, error == KAFKA_NONE ? NULL
                       : error == KAFKA_ILLEGAL_SASL_STATE
                           ? "the handshake comes first, once"
                           : "the password is no token of a push capture, nor "
                             "that of --ingest-kafka-token");
    wire_put_bytes(out, (struct slice){"", 0});
    if (exchange->version >= 1)
        wire_put_i64(out, 0); /* the session lasts as long as the connection */
    wire_put_tags(out);
    return error == KAFKA_NONE ? KAFKA_ANSWER : KAFKA_LAST;
}
