/* What every test of the room includes, in the order that cmocka wants. */
#ifndef TESTS_UNIT_TASK_TASK_TEST_H
#define TESTS_UNIT_TASK_TASK_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "json/json.h"

#include <stdio.h>

/* Parse, or fail the test. */
static inline struct json must_parse(struct arena *arena, const char *text)
{
    struct json doc;
    struct error err;
    if (json_parse_copy(arena, text, strlen(text), &doc, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return doc;
}

#endif
