/* How many seeds a random test takes: at every change a part of what `make test-full` takes. */
#ifndef FIRTH_TESTS_UNIT_LEVEL_H
#define FIRTH_TESTS_UNIT_LEVEL_H

#include <stdlib.h>
#include <string.h>

static inline int level_seeds(int quick, int full)
{
    const char *level = getenv("FIRTH_TEST_LEVEL");
    return level && strcmp(level, "full") == 0 ? full : quick;
}

#endif
