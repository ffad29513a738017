/* Named crash points and planted bugs: they exist only in builds configured with -Dfaults=true.
 *
 * FIRTH_FAULT_KILL="store.commit.after-sync:3" kills the process with SIGKILL the third time that point
 * is passed (":1" may be left out). FIRTH_FAULT_PLANT="commit-before-sync,…" switches planted bugs on, so
 * that a checker can be shown to catch them. A plain build contains none of this. */
#ifndef FIRTH_BASE_FAULT_H
#define FIRTH_BASE_FAULT_H

#include <stdbool.h>

#ifdef FIRTH_FAULTS
void fault_point(const char *name);
bool fault_planted(const char *name);
#else
static inline void fault_point(const char *name)
{
    (void)name;
}
static inline bool fault_planted(const char *name)
{
    (void)name;
    return false;
}
#endif

#endif
