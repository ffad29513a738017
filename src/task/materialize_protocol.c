#include "task/materialize_protocol.h"

static const struct {
    const char *name;  /* where we are */
    const char *waits; /* for what; NULL: it is our turn */
} phases[] = {
    [MATERIALIZE_OPENING] = {"before it had answered 'open'", "the answer to 'open'"},
    [MATERIALIZE_OPENED] = {"before anything was acknowledged", NULL},
    [MATERIALIZE_LOADING] = {"while keys are loaded", "the answer to 'acknowledge'"},
    [MATERIALIZE_FLUSHING] = {"while it flushes", "the answer to 'flush'"},
    [MATERIALIZE_STORING] = {"while documents are stored", NULL},
    [MATERIALIZE_COMMITTING] = {"while it commits", "the answer to 'startCommit'"},
    [MATERIALIZE_COMMITTED] = {"after it had committed", NULL},
    [MATERIALIZE_LEAVING] = {"after its input was closed", "its end"},
};

void materialize_sent(struct materialize_protocol *protocol, enum flow_materialize_request_type type)
{
    enum materialize_phase phase = protocol->phase;
    switch (type) {
    case FLOW_MATERIALIZE_ACKNOWLEDGE:
        assert(phase == MATERIALIZE_OPENED || phase == MATERIALIZE_COMMITTED);
        protocol->phase = MATERIALIZE_LOADING;
        protocol->acknowledged = false;
        break;
    case FLOW_MATERIALIZE_LOAD:
        assert(phase == MATERIALIZE_LOADING);
        break;
    case FLOW_MATERIALIZE_FLUSH:
        assert(phase == MATERIALIZE_LOADING);
        protocol->phase = MATERIALIZE_FLUSHING;
        break;
    case FLOW_MATERIALIZE_STORE:
        assert(phase == MATERIALIZE_STORING);
        break;
    case FLOW_MATERIALIZE_START_COMMIT:
        assert(phase == MATERIALIZE_STORING);
        protocol->phase = MATERIALIZE_COMMITTING;
        break;
    default:
        assert(!"no message of a session's");
    }
}

void materialize_left(struct materialize_protocol *protocol)
{
    protocol->phase = MATERIALIZE_LEAVING;
}

static int refuse(const struct materialize_protocol *protocol, enum flow_materialize_response_type type,
                  struct error *err)
{
    const char *name = flow_materialize_response_name(type), *due = materialize_due(protocol);
    bool early = (type == FLOW_MATERIALIZE_LOADED || type == FLOW_MATERIALIZE_FLUSHED) &&
                 !protocol->acknowledged &&
                 (protocol->phase == MATERIALIZE_LOADING || protocol->phase == MATERIALIZE_FLUSHING);
    if (early)
        error_set(err, ERROR_PROTOCOL,
                  "it sent '%s' before 'acknowledged': it has to acknowledge the last commit first", name);
    else if (materialize_may_leave(protocol)) /* what it may send, though it need not */
        error_set(err, ERROR_PROTOCOL, "it sent '%s' %s, where only 'loaded' may come", name,
                  phases[protocol->phase].name);
    else
        error_set(err, ERROR_PROTOCOL, "it sent '%s' %s, where %s was due", name,
                  phases[protocol->phase].name, due ? due : "nothing");
    err->retriable = true;
    return -1;
}

int materialize_received(struct materialize_protocol *protocol, enum flow_materialize_response_type type,
                         struct error *err)
{
    enum materialize_phase phase = protocol->phase;
    bool loads = phase == MATERIALIZE_LOADING || phase == MATERIALIZE_FLUSHING;
    switch (type) {
    case FLOW_MATERIALIZE_OPENED:
        if (phase != MATERIALIZE_OPENING)
            break;
        protocol->phase = MATERIALIZE_OPENED;
        return 0;
    case FLOW_MATERIALIZE_ACKNOWLEDGED:
        if (!loads || protocol->acknowledged)
            break;
        protocol->acknowledged = true;
        return 0;
    case FLOW_MATERIALIZE_LOADED:
        if (!loads || !protocol->acknowledged)
            break;
        return 0;
    case FLOW_MATERIALIZE_FLUSHED:
        if (phase != MATERIALIZE_FLUSHING || !protocol->acknowledged)
            break;
        protocol->phase = MATERIALIZE_STORING;
        return 0;
    case FLOW_MATERIALIZE_STARTED_COMMIT:
        if (phase != MATERIALIZE_COMMITTING)
            break;
        protocol->phase = MATERIALIZE_COMMITTED;
        protocol->transactions++;
        return 0;
    default:
        break;
    }
    return refuse(protocol, type, err);
}

const char *materialize_place(const struct materialize_protocol *protocol)
{
    return phases[protocol->phase].name;
}

const char *materialize_due(const struct materialize_protocol *protocol)
{
    if (protocol->phase == MATERIALIZE_FLUSHING && !protocol->acknowledged)
        return "the answer to 'acknowledge'";
    if (protocol->phase == MATERIALIZE_LOADING && protocol->acknowledged)
        return NULL;
    return phases[protocol->phase].waits;
}

bool materialize_may_leave(const struct materialize_protocol *protocol)
{
    return protocol->phase == MATERIALIZE_LOADING && protocol->acknowledged;
}
