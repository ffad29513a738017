/* A simulated disk under struct disk: files live in a page cache, and reach the disk when they are synced, or
 * by chance.
 *
 * Power loss keeps of every unsynced write all, nothing, or torn parts of it, in any order, and of every
 * unsynced folder entry (made, renamed, removed) some. A failed sync drops what it should have written: the
 * cache still shows it, a later sync does not bring it back. All by seed. */
#ifndef FIRTH_TESTS_STORE_SIM_DISK_H
#define FIRTH_TESTS_STORE_SIM_DISK_H

#include "base/clock.h"
#include "store/local/disk.h"

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *sim);
const struct disk *sim_disk_disk(struct sim_disk *sim);

/* From the `operations`-th operation that changes anything on, the power is out: that one is done in part,
 * all later ones fail. */
void sim_disk_cut_power_after(struct sim_disk *sim, uint64_t operations);
bool sim_disk_power_is_out(const struct sim_disk *sim);
/* Lose what the cache alone holds (unless only the process died), close every file, drop every lock, and go
 * on. */
void sim_disk_restart(struct sim_disk *sim, bool power_was_lost);

/* One in `one_in` writes, makes and syncs fails from now on; 0: none. */
void sim_disk_fail_one_in(struct sim_disk *sim, uint64_t one_in);
/* Bytes all files may have together; writes past it get -ENOSPC. */
void sim_disk_set_room(struct sim_disk *sim, uint64_t bytes);
uint64_t sim_disk_used(const struct sim_disk *sim);
uint64_t sim_disk_operations(const struct sim_disk *sim);

#endif
