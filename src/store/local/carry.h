/* Blocks that the commit log carries: FORMAT.md, "Carried blocks". The segment has them too, but durably only
 * once it was synced, which is before the log rolls: until then they are taken from the log where the segment
 * has lost them. */
#ifndef FIRTH_STORE_LOCAL_CARRY_H
#define FIRTH_STORE_LOCAL_CARRY_H

#include "store/local/local.h"
#include "store/local/log.h"

/* Append a block to what the next record carries. */
void carry_block(struct buffer *carried, uint32_t journal, uint64_t offset, struct slice block);

/* Write every block that the log carries of an active segment into it once more, and make that durable. It is
 * written whatever is there: after a sync that failed the page cache shows what the disk does not have. */
int carry_replay(const struct local_store *store, const struct log_view *view, struct error *err);

/* The block that holds the byte `offset` of the segment, as far as that is committed: 1, and where it begins;
 * 0: the log does not carry it. */
int carry_find(const struct log_view *view, const char *collection, uint64_t segment, uint64_t offset,
               uint64_t *ret_begin, struct buffer *block);

#endif
