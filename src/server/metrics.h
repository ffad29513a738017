/* Prometheus metrics. Private to this folder; docs/api.md lists them. */
#ifndef FIRTH_SERVER_METRICS_H
#define FIRTH_SERVER_METRICS_H

#include <stdint.h>

struct server_counters;

/* An answer was sent. */
void metrics_count(struct server_counters *counters, unsigned status, uint64_t microseconds);

#endif
