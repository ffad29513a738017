#include "web/head.h"

#include "web/mhd.h"

struct look {
    size_t lengths, hosts;
    bool other_coding, broken_name;
};

static void on_header(void *context, const char *name, const char *value)
{
    struct look *look = context;
    bool coding = strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    look->lengths += coding || strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    look->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    look->other_coding |= coding && strcasecmp(value, "chunked") != 0;
    look->broken_name |= strpbrk(name, " \t") != NULL;
}

unsigned http_head_fault(const struct http_request *request, const char **ret_why)
{
    struct look look = {0};
    http_headers(request, on_header, &look);
    if (look.lengths > 1) {
        *ret_why = "the request says its length twice";
        return MHD_HTTP_BAD_REQUEST;
    }
    if (look.broken_name) {
        *ret_why = "there is a blank between a header's name and its colon";
        return MHD_HTTP_BAD_REQUEST;
    }
    if (look.hosts > 1) {
        *ret_why = "the request names two hosts";
        return MHD_HTTP_BAD_REQUEST;
    }
    if (look.other_coding) {
        *ret_why = "the only Transfer-Encoding that is known here is chunked";
        return MHD_HTTP_NOT_IMPLEMENTED;
    }
    return 0;
}
