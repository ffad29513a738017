/* The options of a push capture: those of `endpoint: {ingest: {…}}`, which are the defaults of its resources,
 * and of each `resource`. One reader serves `firth check` and the listener. */
#ifndef FIRTH_CATALOG_INGEST_H
#define FIRTH_CATALOG_INGEST_H

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum catalog_ingest_provider {
    CATALOG_SIGNED_NOT,
    CATALOG_SIGNED_HMAC, /* what the members say */
    CATALOG_SIGNED_GITHUB,
    CATALOG_SIGNED_STRIPE,
    CATALOG_SIGNED_SLACK,
    CATALOG_SIGNED_TWILIO,
};

enum catalog_ingest_encoding { CATALOG_SIGNED_HEX, CATALOG_SIGNED_BASE64 };

struct catalog_ingest_signature {
    enum catalog_ingest_provider provider;
    const char *secret;
    /* Of HMAC. */
    const char *algorithm; /* "sha256", "sha1", "sha512" */
    const char *header;    /* that holds the signature */
    const char *prefix;    /* before it in the header, "sha256="; "" */
    enum catalog_ingest_encoding encoding;
    const char *template;         /* what is signed, with {body} and {timestamp} in it */
    const char *timestamp_header; /* NULL: there is none */
    uint64_t max_age_s;           /* of the timestamp, where there is one */
    const char *url;              /* Twilio: the URL it was given; NULL: as the request says */
};

/* What is put into a document's `_meta`. */
enum {
    CATALOG_INGEST_META_ID = 1 << 0,       /* webhookId */
    CATALOG_INGEST_META_RECEIVED = 1 << 1, /* receivedAt */
    CATALOG_INGEST_META_HEADERS = 1 << 2,  /* headers */
    CATALOG_INGEST_META_PATH = 1 << 3,     /* reqPath */
    CATALOG_INGEST_META_QUERY = 1 << 4,    /* query */
    CATALOG_INGEST_META_KEY = 1 << 5,      /* key: of a Kafka record, as text */
    CATALOG_INGEST_META_TIME = 1 << 6,     /* timestamp: the same */
};

#define CATALOG_INGEST_ID_HEADER "Idempotency-Key"

enum {
    CATALOG_INGEST_BODY_DEFAULT = 16 << 20,
    CATALOG_INGEST_BODY_MAX = 64 << 20, /* bytes, as sent and decoded */
    CATALOG_INGEST_ID_WINDOW_DEFAULT = 100 * 1000,
    CATALOG_INGEST_ID_WINDOW_MAX = 10 * 1000 * 1000,
    CATALOG_INGEST_ORIGINS_MAX = 64,
    CATALOG_INGEST_PATH_MAX = 1024,
    CATALOG_INGEST_AGE_DEFAULT = 300, /* seconds */
    CATALOG_INGEST_AGE_MAX = 86400,
};

struct catalog_ingest {
    const char *name;  /* of a resource */
    const char *path;  /* of a resource, beside /ingest/CAPTURE/NAME; NULL: none */
    const char *token; /* Authorization: Bearer; NULL: none is asked for. Secret */
    const char *id_header;
    struct catalog_ingest_signature signature;
    const char *const *origins; /* CORS: "https://…" or "*" */
    size_t origin_count;
    unsigned metadata;
    uint64_t body_max;   /* bytes, decoded */
    uint64_t per_second; /* requests; 0: as many as come */
    uint64_t id_window;  /* of the endpoint alone */
};

/* The options of an endpoint ("{}" has none). An error is ERROR_INVALID, says what would be right and shows
 * no secret; *ret_pointer is where it is, a JSON Pointer into the options. Strings live in the arena. */
int catalog_ingest_endpoint(struct slice options, struct arena *arena, struct catalog_ingest *ret_options,
                            const char **ret_pointer, struct error *err);
/* Those of a resource, over those of its endpoint. */
int catalog_ingest_resource(const struct catalog_ingest *endpoint, struct slice resource, struct arena *arena,
                            struct catalog_ingest *ret_options, const char **ret_pointer, struct error *err);

#endif
