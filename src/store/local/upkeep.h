/* Upkeep of sealed segments: retention drops the oldest, compression rewrites them. It happens between
 * commits, a slice at a time, and what fails here fails no commit: it is tried again by a later writer. */
#ifndef FIRTH_STORE_LOCAL_UPKEEP_H
#define FIRTH_STORE_LOCAL_UPKEEP_H

#include "store/local/journal.h"

/* Raise journal->now.first as far as the journal's options say. Takes effect with the next record. */
void retain_choose(struct journal *journal, int64_t now_ms);
/* Remove the files of what the committed state no longer holds. */
void retain_remove(struct journal *journal);

/* A compression in progress, one at a time for a writer. */
struct packer;
struct packer *packer_new(const struct disk *disk, struct compressor *compressor);
void packer_free(struct packer *packer); /* abandons what is in progress */
/* Work on the journal's sealed and committed segments for about `budget` bytes read. Returns what is left of
 * the budget: if any, there was nothing more to do. */
uint64_t packer_work(struct packer *packer, struct journal *journal, uint64_t budget);

#endif
