/* Cursors: what of a partition is still to be read, and what has been. Datetime and counting cursors, alone
 * or per partition. Pure machines over a clock: they ask for nothing and emit nothing. */
#ifndef FIRTH_DECLARATIVE_STREAM_CURSOR_H
#define FIRTH_DECLARATIVE_STREAM_CURSOR_H

#include "router.h"

struct cursor;
/* The stream's incremental_sync, or none: full refresh, whose state is {"__ab_no_cursor_state_message":
 * true}. */
int cursor_compile(struct engine *engine, struct component component, bool has_partitions,
                   const char *stream_name, struct cursor **ret_cursor, struct error *err);
/* JSON Pointer of the cursor field; NULL: none. */
const char *cursor_field(const struct cursor *cursor);
/* A state {"field": value}; none without a cursor. */
struct tvalue cursor_state_at(const struct cursor *cursor, struct arena *arena, struct tvalue value);
/* May the catalog name another one? */
bool cursor_field_is_free(const struct cursor *cursor);
/* The stream's state, after its migrations. at JSON_NONE: from the beginning. */
int cursor_set_state(struct cursor *cursor, const struct json *state, uint32_t at, struct error *err);
/* How far a state that may be another cursor's has come, in microseconds since 1970; a finished full refresh:
 * to this day. False: it does not say, or not in a way that this cursor understands. */
bool cursor_reached(struct cursor *cursor, const struct json *state, uint32_t at, int64_t *ret_point);
/* The windows of a partition, in order, as cursor slices. */
int cursor_slices(struct cursor *cursor, const struct stream_slice *partition, partition_sink *on_slice,
                  void *context, struct error *err);
int cursor_add(const struct cursor *cursor, struct scope *scope, struct tvalue stream_slice,
               struct options *options, struct error *err);
/* Is the record of what is asked for? For client-side increments and data feeds. */
bool cursor_takes(struct cursor *cursor, const struct record *record);
bool cursor_is_data_feed(const struct cursor *cursor);
bool cursor_is_client_side(const struct cursor *cursor);
int cursor_observe(struct cursor *cursor, const struct stream_slice *slice, const struct record *record,
                   struct error *err);
/* A slice has been read to its end. */
int cursor_slice_done(struct cursor *cursor, const struct stream_slice *slice, struct error *err);
/* Every partition has been read: what they have reached together is the global state from now on. */
int cursor_finish(struct cursor *cursor, struct error *err);
/* The state as it is now. `parents`: the router's state, none if there is none. */
int cursor_state(struct cursor *cursor, struct tvalue parents, struct arena *arena, struct tvalue *ret_state,
                 struct error *err);
/* PaginationReset, SPLIT_USING_CURSOR: what of the slice is left after the records that were observed. */
int cursor_reduce_slice(struct cursor *cursor, const struct stream_slice *slice, struct arena *arena,
                        struct tvalue *ret_slice, struct error *err);
/* SPLIT_REQUEST_WINDOW: the two halves of a slice, by whole granules: a list; none: it cannot be split, or is
 * no longer than `least` (NULL: whatever its length). */
int cursor_split_slice(struct cursor *cursor, struct tvalue stream_slice, const struct duration *least,
                       struct arena *arena, struct tvalue *ret_slices, struct error *err);
/* Has it states on the way, or only that of the end? */
bool cursor_has_states(const struct cursor *cursor);
/* May its state now say more than the one before? One for all partitions does only at the end. */
bool cursor_moves(const struct cursor *cursor);
/* Partitions that its state tells of. */
size_t cursor_kept(const struct cursor *cursor);
/* As before cursor_set_state: it may be read again. */
void cursor_reset(struct cursor *cursor);
/* What is kept outside of the engine's arena. */
void cursor_done(struct cursor *cursor);

#endif
