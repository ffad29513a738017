/* Reading without a replication slot: whole tables, by cursor, by xmin. */
#ifndef FIRTH_PG_BATCH_H
#define FIRTH_PG_BATCH_H

#include "scan.h"

struct pg_batch;

int pg_batch_open(struct firth_host *host, const struct pg_config *config,
                  const struct firth_selection *selection, struct pg_batch **ret_batch,
                  struct firth_error *err);
/* Records up to a state. 1: there is more; 0: the end. */
int pg_batch_read(struct pg_batch *batch, struct firth_host *host, struct firth_error *err);
void pg_batch_close(struct pg_batch *batch);

#endif
