/* What every component runs on: one per process, passed to everything that is compiled or read. */
#ifndef FIRTH_DECLARATIVE_ENGINE_ENGINE_H
#define FIRTH_DECLARATIVE_ENGINE_ENGINE_H

#include "fiber.h"
#include "source-declarative/manifest/manifest.h"
#include "source-declarative/template/value.h"

enum engine_level { ENGINE_DEBUG, ENGINE_INFO, ENGINE_WARN, ENGINE_ERROR };

/* What happened to a page, for `firth manifest test`. */
struct engine_exchange {
    const char *stream;
    const struct http_request *request;
    const struct http_response *response; /* NULL: none came */
    const char *error;                    /* NULL: none */
};

/* The way out, so that engines run without the SDK in tests and in `firth manifest test`. */
struct engine_output {
    void (*log)(void *context, enum engine_level level, const char *message);
    /* The config has new tokens: an Airbyte CONTROL message. JSON. */
    int (*config_changed)(void *context, struct slice config);
    /* For `firth manifest test`; each may be NULL. A slice is begun; a request has its answer; a record was
     * extracted, and what became of it: NULL: it was left out. */
    void (*sliced)(void *context, const char *stream, const struct tvalue *slice);
    void (*exchanged)(void *context, const struct engine_exchange *exchange);
    void (*extracted)(void *context, const char *stream, const struct tvalue *value);
    void (*selected)(void *context, const char *stream, const struct tvalue *value);
    void *context;
};

/* Limits that `firth manifest test` and the built-in connectors set. 0: none. */
struct engine_limits {
    size_t pages_per_slice, slices, records;
    bool no_retries, no_cache;
    unsigned unanswered;      /* so often in all is asked who gives no answer */
    unsigned refused_answers; /* so often in all is asked where a filter says RETRY to a good status */
};

struct api_budget;     /* request/budget.h */
struct response_cache; /* request/cache.h */
struct authenticator;  /* request/authenticator.h */
struct list_reading;   /* record/extractor.h */
struct engine_leaving; /* engine_on_free */

enum {
    ENGINE_CONFIG_MAX = 16 << 20, /* bytes of JSON */
    ENGINE_SECRETS_MAX = 1024,    /* that are looked for in messages; the oldest tokens go first */
    ENGINE_MESSAGE_MAX = 64 << 10,
};

/* What the catalog says of a stream that is read. */
struct engine_selected {
    struct engine_selected *next;
    const char *name;
    struct slice schema; /* JSON; size 0: none */
    const char *cursor;  /* JSON Pointer; NULL: none */
};

struct engine_secrets {
    char **items; /* longest first */
    size_t count, capacity;
};

struct engine {
    struct arena arena; /* of what is compiled: as long as the connector */
    const struct clock *clock;
    struct random_state random; /* jitter and uuids */
    struct http_client *client;
    struct fibers *fibers;
    struct engine_output output;
    struct engine_limits limits;
    struct component root;        /* the manifest's DeclarativeSource */
    struct tvalue config;         /* a mapping; engine_set_config */
    struct api_budget *budget;    /* NULL: none */
    struct response_cache *cache; /* of streams that are parents; NULL: not yet */
    struct component *keeping;    /* requesters: engine_keep_answers */
    size_t keeping_count, keeping_capacity;
    struct authenticator *authenticators; /* all of them, to be shared */
    struct fiber_gate jobs, jobs_ahead;   /* asynchronous ones of the API (stream/async.h) */
    struct engine_selected *selected;     /* engine_select */
    const struct list_reading *lists; /* how record/ reads lists with page/, which is above; NULL: not yet */
    unsigned lists_nested;            /* that are being compiled */
    struct engine_secrets secrets;
    struct engine_leaving *leaving;
};

struct engine_settings {
    const struct clock *clock; /* NULL: clock_system */
    uint64_t seed;             /* 0: from the kernel */
    struct engine_output output;
    struct engine_limits limits;
    struct http_settings http;
    void (*pass)(void *context, uint64_t ms); /* fibers_settings */
    void *pass_context;
};
struct engine *engine_new(const struct engine_settings *settings, struct component root, struct slice config,
                          struct error *err);
void engine_free(struct engine *engine);
MEM_DEFINE_CLEANUP(struct engine *, engine_free);

/* Run at engine_free, the last first: for what does not live in the arena. */
void engine_on_free(struct engine *engine, void (*leave)(void *context), void *context);

/* Another config from now on (a refreshed token): scopes that are begun later see it. What was taken from the
 * old one stays where it is. ERROR_INVALID if it is no object. */
int engine_set_config(struct engine *engine, struct slice json, struct error *err);
/* This requester's answers are kept (request/cache.h), whatever its use_cache says. Before it is compiled. */
void engine_keep_answers(struct engine *engine, struct component requester);
bool engine_keeps_answers(const struct engine *engine, struct component requester);

/* The catalog has this stream: before it is compiled. Without a catalog (check, discover) none is selected.
 */
void engine_select(struct engine *engine, const char *name, struct slice schema, const char *cursor);
/* NULL: it is not read, or there is no catalog. */
const struct engine_selected *engine_selected(const struct engine *engine, const char *name);

/* Set values of the config by path, all at once, and tell the platform. The paths' mappings are made where
 * they miss. */
struct engine_change {
    const struct slice *path;
    size_t path_count; /* not 0 */
    struct tvalue value;
};
int engine_update_config(struct engine *engine, const struct engine_change *changes, size_t count,
                         struct error *err);
/* A secret that is not in the config: a token. Kept until newer ones are too many. */
void engine_add_secret(struct engine *engine, struct slice secret);
/* Replace what is a secret, by the spec's airbyte_secret or as a token, by "****". For messages. */
void engine_redact(const struct engine *engine, struct buffer *text);
void engine_redact_error(const struct engine *engine, struct error *err);
/* One line, secrets left out. */
void engine_log(const struct engine *engine, enum engine_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
