/* A "reduce" annotation, understood. Private to the folder. */
#ifndef FIRTH_SCHEMA_REDUCE_STRATEGY_H
#define FIRTH_SCHEMA_REDUCE_STRATEGY_H

#include "json/key.h"

enum strategy_kind {
    STRATEGY_APPEND,
    STRATEGY_FIRST_WRITE_WINS,
    STRATEGY_JSON_SCHEMA_MERGE,
    STRATEGY_LAST_WRITE_WINS,
    STRATEGY_MAXIMIZE,
    STRATEGY_MERGE,
    STRATEGY_MINIMIZE,
    STRATEGY_SET,
    STRATEGY_SUM,
    STRATEGY_KIND_MAX
};

enum { STRATEGY_KEY_MAX = 64 }; /* pointers of a key */

struct strategy {
    enum strategy_kind kind;
    bool drops;        /* "delete": the location goes in a full reduction */
    bool associative;  /* lastWriteWins: updates may be put together */
    struct key key;    /* count 0: none */
    uint64_t identity; /* the same for two that do the same */
};

/* What applies where nothing is said. */
extern const struct strategy strategy_default;
enum { STRATEGY_DEFAULT_IDENTITY = 1 };

/* The strategy of the annotation at `at`; everything it refers to lives in the arena. -1 with *err: what is
 * wrong with it, without the place. */
int strategy_parse(const struct json *json, uint32_t at, struct arena *arena, struct strategy *ret_strategy,
                   struct error *err);

#endif
