#include "web/mhd.h"

#include "base/library.h"

#include <stddef.h>

#define FUNCTION(name)                               \
    {                                                \
        "MHD_" #name, offsetof(struct mhd_api, name) \
    }

int mhd_api_load(struct mhd_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libmicrohttpd.so.12", "libmicrohttpd.12.dylib", "libmicrohttpd.so",
                                        NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(start_daemon),
        FUNCTION(quiesce_daemon),
        FUNCTION(stop_daemon),
        FUNCTION(add_connection),
        FUNCTION(get_reason_phrase_for),
        FUNCTION(get_connection_info),
        FUNCTION(get_connection_values),
        FUNCTION(lookup_connection_value),
        FUNCTION(suspend_connection),
        FUNCTION(resume_connection),
        FUNCTION(create_response_from_buffer),
        FUNCTION(add_response_header),
        FUNCTION(queue_response),
        FUNCTION(destroy_response),
        FUNCTION(create_response_from_callback),
    };
    return library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err);
}
