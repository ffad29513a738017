/* Why there is no answer, in words and for programs. */
#include "connectors/http/internal.h"

enum http_failure http_failure_of(CURLcode code)
{
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return HTTP_BAD_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_NO_SUCH_HOST;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return HTTP_NO_CONNECTION;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM:
        return HTTP_NOT_TRUSTED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
        return HTTP_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_OUT_OF_MEMORY: /* a header's line without end */
        return HTTP_TOO_LARGE;
    case CURLE_BAD_CONTENT_ENCODING:
        return HTTP_BAD_ENCODING;
    default:
        return HTTP_BROKEN;
    }
}

struct cause {
    enum error_code code;
    bool may_pass;
    const char *words; /* what happened, before what the library says of it */
};

static const struct cause causes[] = {
    [HTTP_BAD_URL] = {ERROR_INVALID, false, "the request cannot be sent"},
    [HTTP_NO_SUCH_HOST] = {ERROR_IO, true, "the name of the host is not known"},
    [HTTP_NO_CONNECTION] = {ERROR_IO, true, "there is no connection"},
    [HTTP_PROXY_REFUSED] = {ERROR_INVALID, false, "the proxy refuses the connection"},
    [HTTP_TLS] = {ERROR_IO, true, "the connection could not be made secure"},
    [HTTP_NOT_TRUSTED] = {ERROR_INVALID, false, "the server's certificate is not trusted"},
    [HTTP_TIMEOUT] = {ERROR_IO, true, "no answer in time"},
    [HTTP_BROKEN] = {ERROR_IO, true, "the answer is broken"},
    [HTTP_TOO_LARGE] = {ERROR_LIMIT, false, "the answer is too large"},
    [HTTP_BAD_ENCODING] = {ERROR_PROTOCOL, true, "the answer does not decompress"},
    [HTTP_REDIRECTS] = {ERROR_PROTOCOL, false, "the request was sent on"},
    [HTTP_REFUSED_BY_SINK] = {ERROR_IO, false, "the answer could not be taken"},
    [HTTP_READER_FAILED] = {ERROR_IO, false, "what is to be sent could not be read"},
    [HTTP_CANCELLED] = {ERROR_CANCELLED, false, "cancelled"},
};

void http_transfer_fail(struct http_transfer *transfer, enum http_failure failure, const char *why)
{
    const struct cause *cause = &causes[failure];
    struct buffer shown;
    buffer_init(&shown, ERROR_MESSAGE_MAX / 2);
    http_url_shown(transfer->url, &shown);
    bool has_words = why && failure != HTTP_CANCELLED;
    error_set(&transfer->error, cause->code, "%s %s: %s%s%s%s", transfer->method, buffer_cstr(&shown),
              cause->words, has_words ? " (" : "", has_words ? why : "", has_words ? ")" : "");
    error_make_printable(&transfer->error);
    transfer->error.retriable = cause->may_pass;
    transfer->failure = failure;
    buffer_done(&shown);
}
