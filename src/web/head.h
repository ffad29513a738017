/* Heads that a proxy before us may understand otherwise, and take what is left of the request for the next
 * one. Private to this folder. */
#ifndef FIRTH_WEB_HEAD_H
#define FIRTH_WEB_HEAD_H

#include "web/http.h"

/* 0: the head says one thing only. Else the status to refuse it with, and why. */
unsigned http_head_fault(const struct http_request *request, const char **ret_why);

#endif
