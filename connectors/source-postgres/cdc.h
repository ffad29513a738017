/* Change data capture: tables as they are in one snapshot, and from there every change, in the order of
 * commits. */
#ifndef FIRTH_PG_CDC_H
#define FIRTH_PG_CDC_H

#include "scan.h"

struct pg_cdc;

int pg_cdc_open(struct firth_host *host, const struct pg_config *config,
                const struct firth_selection *selection, struct pg_cdc **ret_cdc, struct firth_error *err);
/* Records up to a state. 1: there is more; 0: the end, where it is not live. */
int pg_cdc_read(struct pg_cdc *cdc, struct firth_error *err);
/* The records of so many states are durable: the server may forget them. */
int pg_cdc_acknowledged(struct pg_cdc *cdc, uint64_t states, struct firth_error *err);
void pg_cdc_close(struct pg_cdc *cdc);

#endif
