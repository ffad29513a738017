/* What cursors count in: a point is a moment, or a number of a counting cursor. A moment keeps the offset
 * that it was written with: it is written so again, and days and months are those of the clocks there.
 * Private to this folder. */
#ifndef FIRTH_DECLARATIVE_STREAM_MOMENT_H
#define FIRTH_DECLARATIVE_STREAM_MOMENT_H

#include "source-declarative/engine/expression.h"

struct point {
    int64_t at;     /* microseconds since 1970 UTC, or the number: what points are compared by */
    int32_t offset; /* seconds east of UTC */
};
#define POINT_MAX INT64_MAX

/* MinMaxDatetime, or a string. */
struct moment {
    struct expression datetime, format, min, max;
    struct component where;
};
int moment_compile(struct engine *engine, struct component component, const char *field,
                   struct moment *ret_moment, struct error *err);
static inline bool moment_is_absent(const struct moment *moment)
{
    return expression_is_absent(&moment->datetime);
}
/* `format`: the cursor's, where the moment has none. */
int moment_eval(const struct moment *moment, struct scope *scope, struct slice format, struct arena *arena,
                struct point *ret_point, struct error *err);

/* A text or a number in one of the formats. */
int point_parse(struct arena *arena, const struct tvalue *value, const struct slice *formats, size_t count,
                struct point *ret_point, struct error *err);
int point_format(struct arena *arena, struct point point, struct slice format, struct slice *ret_text,
                 struct error *err);
/* point + sign * duration; past what dates can be, the last one. */
struct point point_add(struct point point, const struct duration *duration, int sign);

enum clamping { CLAMP_NONE, CLAMP_DAY, CLAMP_WEEK, CLAMP_MONTH };
/* The beginning of the day, week or month that the point is in, or, upwards, of the next if it is past the
 * beginning of the day, or past the first day of the week or month. `weekday`: that weeks begin with, Monday
 * is 0. */
struct point point_clamp(struct point point, enum clamping clamping, unsigned weekday, bool upwards);

#endif
