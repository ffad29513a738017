/* libmicrohttpd's functions, loaded by the daemon alone (base/library.h). */
#ifndef FIRTH_SERVER_MHD_H
#define FIRTH_SERVER_MHD_H

#include "base/error.h"

#include <microhttpd.h>

struct mhd_api {
    typeof(MHD_start_daemon) *start_daemon;
    typeof(MHD_quiesce_daemon) *quiesce_daemon;
    typeof(MHD_stop_daemon) *stop_daemon;
    typeof(MHD_add_connection) *add_connection;
    typeof(MHD_get_reason_phrase_for) *get_reason_phrase_for;
    typeof(MHD_get_connection_info) *get_connection_info;
    typeof(MHD_get_connection_values) *get_connection_values;
    typeof(MHD_lookup_connection_value) *lookup_connection_value;
    typeof(MHD_suspend_connection) *suspend_connection;
    typeof(MHD_resume_connection) *resume_connection;
    typeof(MHD_create_response_from_buffer) *create_response_from_buffer;
    typeof(MHD_create_response_from_callback) *create_response_from_callback;
    typeof(MHD_add_response_header) *add_response_header;
    typeof(MHD_queue_response) *queue_response;
    typeof(MHD_destroy_response) *destroy_response;
};

int mhd_api_load(struct mhd_api *ret_api, struct error *err);

#endif
