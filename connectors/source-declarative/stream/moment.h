/* What cursors count in: a point is a moment, in microseconds since 1970 UTC, or a number of a counting
 * cursor. Private to this folder. */
#ifndef FIRTH_DECLARATIVE_STREAM_MOMENT_H
#define FIRTH_DECLARATIVE_STREAM_MOMENT_H

#include "source-declarative/engine/expression.h"

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
                int64_t *ret_point, struct error *err);

/* A text or a number in one of the formats. */
int point_parse(struct arena *arena, const struct tvalue *value, const struct slice *formats, size_t count,
                int64_t *ret_point, struct error *err);
int point_format(struct arena *arena, int64_t point, struct slice format, struct slice *ret_text,
                 struct error *err);
/* point + sign * duration; past what dates can be, the last one. */
int64_t point_add(int64_t point, const struct duration *duration, int sign);

enum clamping { CLAMP_NONE, CLAMP_DAY, CLAMP_WEEK, CLAMP_MONTH };
/* The beginning of the day, week or month that the point is in, or, upwards, of the next if it is not at the
 * beginning already. `weekday`: that weeks begin with, Monday is 0. */
int64_t point_clamp(int64_t point, enum clamping clamping, unsigned weekday, bool upwards);

#endif
