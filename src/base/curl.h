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
    typeof(curl_slist_append) *slist_append;
    typeof(curl_slist_free_all) *slist_free_all;
};

/* Also makes it ready for use (curl_global_init). To be called before there are threads. */
int curl_api_load(struct curl_api *ret_api, struct error *err);

#endif
