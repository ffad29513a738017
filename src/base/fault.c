#include "base/fault.h"

#ifdef FIRTH_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Is `name` one of the comma-separated words of `list`? *ret_count gets what follows a ':' (default 1). */
static bool listed(const char *list, const char *name, long *ret_count)
{
    size_t size = strlen(name);
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, name, size) != 0 || (at[size] && at[size] != ',' && at[size] != ':'))
            continue;
        *ret_count = at[size] == ':' ? strtol(at + size + 1, NULL, 10) : 1;
        return true;
    }
    return false;
}

void fault_point(const char *name)
{
    /* The one global of the tree, in test builds only: a count of passes has to outlive its callers. */
    static atomic_long passed;
    long wanted;
    if (!listed(getenv("FIRTH_FAULT_KILL"), name, &wanted))
        return;
    if (atomic_fetch_add(&passed, 1) + 1 >= wanted)
        kill(getpid(), SIGKILL);
}

bool fault_planted(const char *name)
{
    long ignored;
    return listed(getenv("FIRTH_FAULT_PLANT"), name, &ignored);
}

#else

/* ISO C wants something in a translation unit. */
extern int fault_not_built;

#endif
