#include "ingest/handshake.h"

#include "base/digest.h"

#include <sodium.h>
#include <strings.h>

enum { KEY_BYTES = 16, SHA1_BYTES = 20, TOKEN_MAX = 4096 };

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* of RFC 6455 §1.3 */
static const char BEARER[] = "bearer.";

/* Flow's old names hold a slash, which neither a token of HTTP nor a page's script may: so there are these.
 */
static const struct {
    const char *name;
    enum ingest_format format;
} protocols[] = {{"json/v1", INGEST_TEXTS}, {"csv/v1", INGEST_CSV}, {"tsv/v1", INGEST_TSV},
                 {"json", INGEST_TEXTS},    {"csv", INGEST_CSV},    {"tsv", INGEST_TSV}};

/* The next of a header's words, which commas part; no data: there is none. */
static struct slice next_word(const char **at)
{
    *at += strspn(*at, ", \t");
    size_t size = strcspn(*at, ",");
    struct slice word = {*at, size};
    *at += size;
    while (word.size && (word.data[word.size - 1] == ' ' || word.data[word.size - 1] == '\t'))
        word.size--;
    return word;
}

static bool has_word(const char *header, const char *wanted)
{
    struct slice word;
    while (header && (word = next_word(&header)).size) {
        if (word.size == strlen(wanted) && strncasecmp(word.data, wanted, word.size) == 0)
            return true;
    }
    return false;
}

bool ingest_handshake_asked(struct http_request *http)
{
    return http->method == HTTP_GET && has_word(http_header_list(http, "Upgrade"), "websocket");
}

/* --- subprotocols ------------------------------------------------------------------------------------- */

struct offer {
    struct ingest_handshake *handshake;
    struct arena *arena;
    const char *chosen;
    bool any; /* that could be chosen */
    bool two_tokens;
};

static const char *decode_token(struct slice text, struct arena *arena)
{
    char *token = arena_alloc(arena, text.size + 1);
    size_t size;
    if (text.size > TOKEN_MAX ||
        sodium_base642bin((unsigned char *)token, text.size, text.data, text.size, "=", &size, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
        return "";
    token[size] = 0;
    return token;
}

/* The first that the client names and we know. */
static void take_word(struct offer *offer, struct slice word)
{
    if (slice_starts_with(word, BEARER)) {
        const struct slice text = {word.data + sizeof BEARER - 1, word.size - (sizeof BEARER - 1)};
        offer->two_tokens = offer->handshake->token != NULL;
        offer->handshake->token = decode_token(text, offer->arena);
        return;
    }
    offer->any = true;
    for (size_t i = 0; !offer->chosen && i < sizeof protocols / sizeof *protocols; i++) {
        if (!slice_is(word, protocols[i].name))
            continue;
        offer->chosen = protocols[i].name;
        offer->handshake->format = protocols[i].format;
    }
}

/* They may come in several headers. */
static void take_header(void *context, const char *name, const char *value)
{
    struct slice word;
    if (strcasecmp(name, "Sec-WebSocket-Protocol") != 0)
        return;
    while ((word = next_word(&value)).size)
        take_word(context, word);
}

/* --- the key ------------------------------------------------------------------------------------------ */

static bool key_is_right(const char *key)
{
    unsigned char bytes[KEY_BYTES + 1];
    size_t size;
    return key &&
           sodium_base642bin(bytes, sizeof bytes, key, strlen(key), NULL, &size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           size == KEY_BYTES;
}

/* What shows that it is a websocket's server that answers; NULL if the machine cannot hash. */
static const char *accept_of(const char *key, struct arena *arena)
{
    struct digest_api api;
    struct error unused;
    unsigned char hash[DIGEST_MAX];
    size_t size = 0, room = sodium_base64_ENCODED_LEN(SHA1_BYTES, sodium_base64_VARIANT_ORIGINAL);
    const char *text = arena_printf(arena, "%s%s", key, GUID);
    if (digest_api_load(&api, &unused) < 0 ||
        !api.EVP_Q_digest(NULL, "SHA1", NULL, text, strlen(text), hash, &size) || size != SHA1_BYTES)
        return NULL;
    return sodium_bin2base64(arena_alloc(arena, room), room, hash, size, sodium_base64_VARIANT_ORIGINAL);
}

unsigned ingest_handshake_read(struct http_request *http, struct ingest_handshake *ret_handshake,
                               const char **ret_why)
{
    const char *key = http_header(http, "Sec-WebSocket-Key");
    const char *version = http_header(http, "Sec-WebSocket-Version");
    struct offer offer = {.handshake = ret_handshake, .arena = &http->arena};
    *ret_handshake = (struct ingest_handshake){.format = INGEST_TEXTS};
    http_headers(http, take_header, &offer);
    *ret_why = "a websocket is asked for with Connection: Upgrade";
    if (!has_word(http_header_list(http, "Connection"), "upgrade"))
        return 400;
    *ret_why = "websockets are spoken as of RFC 6455: Sec-WebSocket-Version: 13";
    if (!version || strcmp(version, "13") != 0) {
        http_answer_header(http, "Sec-WebSocket-Version", "13");
        return 426;
    }
    *ret_why = "Sec-WebSocket-Key must be 16 bytes in base64";
    if (!key_is_right(key))
        return 400;
    *ret_why = "none of the subprotocols is known: json, csv, tsv (or json/v1, csv/v1, tsv/v1)";
    if (offer.any && !offer.chosen)
        return 400;
    *ret_why = "two subprotocols say 'bearer.': which token counts?";
    if (offer.two_tokens)
        return 400;
    *ret_why = "this machine's libcrypto has no SHA-1";
    const char *accept = accept_of(key, &http->arena);
    if (!accept)
        return 500;
    http_answer_header(http, "Upgrade", "websocket");
    http_answer_header(http, "Sec-WebSocket-Accept", accept);
    if (offer.chosen)
        http_answer_header(http, "Sec-WebSocket-Protocol", offer.chosen);
    return 0;
}
