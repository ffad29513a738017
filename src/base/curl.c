#include "base/curl.h"

#include "base/library.h"

#include <stddef.h>

#define FUNCTION(name)                                 \
    {                                                  \
        "curl_" #name, offsetof(struct curl_api, name) \
    }

int curl_api_load(struct curl_api *ret_api, struct error *err)
{
    static const char *const NAMES[] = {"libcurl.so.4", "libcurl.4.dylib", "libcurl.so", NULL};
    static const struct library_function FUNCTIONS[] = {
        FUNCTION(global_init),    FUNCTION(easy_init),        FUNCTION(easy_setopt),
        FUNCTION(easy_perform),   FUNCTION(easy_getinfo),     FUNCTION(easy_strerror),
        FUNCTION(easy_cleanup),   FUNCTION(easy_pause),       FUNCTION(multi_init),
        FUNCTION(multi_setopt),   FUNCTION(multi_add_handle), FUNCTION(multi_remove_handle),
        FUNCTION(multi_perform),  FUNCTION(multi_poll),       FUNCTION(multi_info_read),
        FUNCTION(multi_strerror), FUNCTION(multi_cleanup),    FUNCTION(share_init),
        FUNCTION(share_setopt),   FUNCTION(share_cleanup),    FUNCTION(slist_append),
        FUNCTION(slist_free_all),
    };
    if (library_load(NAMES, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, ret_api, err) < 0)
        return -1;
    CURLcode code = ret_api->global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        return error_set(err, ERROR_IO, "the HTTP client cannot be made ready: %s",
                         ret_api->easy_strerror(code));
    return 0;
}
