/* Private to this folder: stream_groups: of the streams of one, and of those that read one of them as a
 * parent, one is read at a time. */
#ifndef FIRTH_DECLARATIVE_SOURCE_GROUPS_H
#define FIRTH_DECLARATIVE_SOURCE_GROUPS_H

#include "source-declarative/engine/engine.h"

struct stream_groups {
    struct component root; /* the mapping of groups; none: there are none */
    size_t count;
    bool *busy; /* which of them are read from */
};
void stream_groups_init(struct stream_groups *groups, struct engine *engine);
/* Which groups a stream waits for: a flag for each, in the engine's arena; NULL: none. */
const bool *stream_groups_of(const struct stream_groups *groups, struct engine *engine,
                             struct component stream, const char *name);
/* False: it has to wait. */
bool stream_groups_enter(struct stream_groups *groups, const bool *its);
void stream_groups_leave(struct stream_groups *groups, const bool *its);

#endif
