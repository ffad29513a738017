/* A control store in a folder of its own, with a workspace, a definition of each side, a source, a
 * destination. */
#ifndef FIRTH_TESTS_CONTROL_FIXTURE_H
#define FIRTH_TESTS_CONTROL_FIXTURE_H

#include "control/connections.h"

#define SOURCE_DEFINITION "dfd88b22-b603-4c3d-aad7-3701784586b1"
#define DESTINATION_DEFINITION "a625d593-bba5-4a1c-a53d-2d246268a816"
#define SOURCE "11111111-1111-4111-8111-111111111111"
#define DESTINATION "22222222-2222-4222-8222-222222222222"
#define CATALOG                                                                       \
    "{\"streams\":[{\"stream\":{\"name\":\"users\"},\"config\":{\"selected\":true}}," \
    "{\"stream\":{\"name\":\"orders\",\"namespace\":\"shop\"},\"config\":{}},"        \
    "{\"stream\":{\"name\":\"left\"},\"config\":{\"selected\":false}}]}"

struct fixture {
    char folder[64];
    struct control *control;
    struct arena arena;
    struct error err;
};

/* For cmocka; the state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* That call went well, else its message fails the test. */
#define FINE(fixture, call)                         \
    do {                                            \
        if ((call) < 0)                             \
            fail_msg("%s", (fixture)->err.message); \
    } while (0)
/* It failed, with this code and a message that has this in it. */
#define REFUSED(fixture, call, wanted, text)                                                \
    do {                                                                                    \
        assert_int_equal((call), -1);                                                       \
        assert_string_equal(error_code_name((fixture)->err.code), error_code_name(wanted)); \
        if (!strstr((fixture)->err.message, (text)))                                        \
            fail_msg("'%s' is not in: %s", (text), (fixture)->err.message);                 \
    } while (0)

/* A connection as a request would make it, in the fixture's arena. */
struct control_connection fixture_connection(const char *id, int64_t created_ms);
/* Put it. */
void fixture_connect(struct fixture *fixture, const char *id, int64_t created_ms);
/* SQL by another program, straight into the file. */
void fixture_sql(struct fixture *fixture, const char *statement);
/* The n'th id. */
const char *fixture_id(struct fixture *fixture, unsigned number);

#endif
