/* What a cursor is made of; private to this folder. */
#ifndef FIRTH_DECLARATIVE_STREAM_CURSOR_PARTS_H
#define FIRTH_DECLARATIVE_STREAM_CURSOR_PARTS_H

#include "base/map.h"
#include "cursor.h"
#include "windows.h"

enum cursor_kind { CURSOR_NONE, CURSOR_DATETIME, CURSOR_COUNT };

enum {
    PARTITIONS_GLOBAL_AFTER = 10000, /* more partitions than this: the global cursor */
    PARTITIONS_KEPT_MAX = 25000,
};

/* The seconds of all years that there are: a state's lookback_window is no longer. */
#define LOOKBACK_MAX ((DATETIME_MAX - DATETIME_MIN) / DATETIME_SECOND)

/* A partition, from the state or from the router. */
struct partition_state {
    struct arena arena;
    struct slice key;
    struct tvalue partition;
    struct tvalue cursor; /* of the state, as it came; or none */
    bool begun;           /* has windows */
    bool known;           /* all its slices are */
    size_t open;          /* slices that are not read yet */
    struct windows windows;
};

struct cursor {
    struct engine *engine;
    struct component where;
    const char *stream_name;
    enum cursor_kind kind;
    bool has_partitions, prepared, told_missing, is_data_feed, is_client_side, is_free;
    bool state_is_window_end; /* a window's records do not tell how far it reached */
    bool rewrites_time; /* what is written is read back as another time: a zone that the format says literally
                         */
    struct slice field, format, start_field, end_field;
    const char *pointer;
    const struct slice *formats; /* of records and states; `format` is the last that is tried */
    size_t format_count;
    struct moment start, end;
    struct expression start_value;
    struct request_option *start_option, *end_option;
    struct windowing windowing;

    struct map partitions; /* of struct partition_state; one with the key "" without partitions */
    size_t partition_count;
    bool uses_global, prefers_global, has_global, has_new_global;
    struct point global, new_global; /* the last sync's; what this one has reached */
    struct arena global_arena;
    struct tvalue global_state; /* as it came, or as it is now */
    int64_t lookback_seconds;
    uint64_t began_ns;
    bool observed_any;
};

/* Evaluate what the config decides, once. */
int cursor_prepare(struct cursor *cursor, struct arena *arena, struct error *err);
int cursor_end_point(const struct cursor *cursor, struct arena *arena, struct point *ret_point,
                     struct error *err);
int cursor_parse(const struct cursor *cursor, struct arena *arena, const struct tvalue *value,
                 struct point *ret_point, struct error *err);
int cursor_format(const struct cursor *cursor, struct arena *arena, struct point point,
                  struct tvalue *ret_value, struct error *err);
/* What is left of a point once it has been written: the next sync begins there. Where that cannot be read, as
 * it was. */
struct point cursor_settle(const struct cursor *cursor, struct arena *arena, struct point point);
/* The latest of all partitions is no earlier than this. partitions.c. */
void cursor_raise_global(struct cursor *cursor, struct arena *arena, struct point point);
/* The oldest that a record of its partition may be. partitions.c. */
int64_t cursor_lowest(struct cursor *cursor, struct arena *arena, const struct record *record);

#endif
