/* The process that plans for the daemon (plan_message.h). */
#ifndef FIRTH_SUPERVISOR_PLAN_MAIN_H
#define FIRTH_SUPERVISOR_PLAN_MAIN_H

#include "connector/connector.h"

/* Read the request to its end, answer, return. It dies with the process that started it. -1 for a request
 * that cannot be read. */
int plan_main(const struct connector_catalog *built_ins, int request_fd, int answer_fd, struct error *err);

#endif
