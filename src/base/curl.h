/* libcurl's functions, loaded by the processes that speak HTTP (library.h). */
#ifndef FIRTH_BASE_CURL_H
#define FIRTH_BASE_CURL_H

#include "base/error.h"

#include <curl/curl.h>

struct curl_api {
    typeof(curl_global_init) *global_init;
    typeof(curl_easy_init) *easy_init;
    typeof(curl_easy_setopt) *easy_setopt;
    typeof(curl_easy_perform) *easy_perform;
    typeof(curl_easy_getinfo) *easy_getinfo;
    typeof(curl_easy_strerror) *easy_strerror;
    typeof(curl_easy_cleanup) *easy_cleanup;
    typeof(curl_easy_pause) *easy_pause;
    typeof(curl_multi_init) *multi_init;
    typeof(curl_multi_setopt) *multi_setopt;
    typeof(curl_multi_add_handle) *multi_add_handle;
    typeof(curl_multi_remove_handle) *multi_remove_handle;
    typeof(curl_multi_perform) *multi_perform;
    typeof(curl_multi_poll) *multi_poll;
    typeof(curl_multi_info_read) *multi_info_read;
    typeof(curl_multi_strerror) *multi_strerror;
    typeof(curl_multi_cleanup) *multi_cleanup;
    typeof(curl_share_init) *share_init;
    typeof(curl_share_setopt) *share_setopt;
    typeof(curl_share_cleanup) *share_cleanup;
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
};

/* Also makes it ready for use (curl_global_init). To be called before there are threads. */
int curl_api_load(struct curl_api *ret_api, struct error *err);

#endif
