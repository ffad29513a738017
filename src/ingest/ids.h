/* Which ids were pushed before: the idempotency keys of one capture, in memory, by collection. Kept are the
 * newest so many (catalog_ingest.id_window); what is older may be pushed again. They are durable as the notes
 * of the capture's task (task_item.note): each in the transaction of the documents it stands for. Pure. */
#ifndef FIRTH_INGEST_IDS_H
#define FIRTH_INGEST_IDS_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

struct ingest_ids;

struct ingest_ids *ingest_ids_new(size_t window);
void ingest_ids_free(struct ingest_ids *ids);
/* False: it is there already. `scope` sets collections apart. */
bool ingest_ids_add(struct ingest_ids *ids, struct slice scope, struct slice id);
bool ingest_ids_has(const struct ingest_ids *ids, struct slice scope, struct slice id);
size_t ingest_ids_count(const struct ingest_ids *ids);

#endif
