/* Passwords, tokens, and how many wrong ones are looked at; the clock is the test's. */
#include "base/file.h"
#include "control/applications.h"
#include "server/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct control *control;
    struct auth *auth;
    struct arena arena;
    struct error err;
    int64_t now_ms;
};

static int setup(void **state)
{
    struct fixture *fixture = mem_zalloc(sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/firth-test-auth-XXXXXX");
    unsetenv("FIRTH_SECRET_KEY");
    unsetenv("FIRTH_SECRET_KEY_FILE");
    *state = fixture;
    arena_init(&fixture->arena);
    fixture->now_ms = 1000000;
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->control = control_open(fixture->folder, CONTROL_CHANGE, &fixture->err);
    fixture->auth = fixture->control ? auth_new(fixture->control, &fixture->err) : NULL;
    return fixture->auth ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    auth_free(fixture->auth);
    control_close(fixture->control);
    arena_done(&fixture->arena);
    int result = file_remove_tree(fixture->folder, &fixture->err);
    free(fixture);
    return result;
}

static enum auth_verdict check(struct fixture *fixture, const char *header)
{
    enum auth_verdict verdict;
    const char *application;
    assert_int_equal(auth_check(fixture->auth, header, fixture->now_ms, &fixture->arena, &verdict,
                                &application, &fixture->err),
                     0);
    return verdict;
}

static void test_headers(void **state)
{
    static const struct {
        const char *header;
        enum auth_verdict verdict;
    } cases[] = {
        {"Basic YWlyYnl0ZTpwYXNzd29yZA==", AUTH_YES},
        {"basic   YWlyYnl0ZTpwYXNzd29yZA==", AUTH_YES},
        {"Basic YWlyYnl0ZTpwYXNzd29yZA", AUTH_YES}, /* without padding */
        {NULL, AUTH_NO},
        {"", AUTH_NO},
        {"Basic", AUTH_NO},
        {"Basic ", AUTH_NO},
        {"Basic !!!!", AUTH_NO},
        {"Basic YWlyYnl0ZQ==", AUTH_NO}, /* no colon */
        {"Basic YWlyYnl0ZTo=", AUTH_NO},
        {"Basic OnBhc3N3b3Jk", AUTH_NO},
        {"Bearer ", AUTH_NO},
        {"Bearer YWlyYnl0ZTpwYXNzd29yZA==", AUTH_NO},
        {"Token YWlyYnl0ZTpwYXNzd29yZA==", AUTH_NO},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->now_ms += AUTH_TRY_MS;
        if (check(fixture, cases[i].header) != cases[i].verdict)
            fail_msg("%s", cases[i].header ? cases[i].header : "(none)");
    }
}

static void test_tries(void **state)
{
    static const char right[] = "Basic YWlyYnl0ZTpwYXNzd29yZA==",
                      wrong[] = "Basic YWlyYnl0ZTpuby1pdC1pcy1ub3Q=";
    struct fixture *fixture = *state;
    for (int i = 0; i < AUTH_TRIES_MAX; i++)
        assert_int_equal(check(fixture, wrong), AUTH_NO);
    assert_int_equal(check(fixture, wrong), AUTH_SLOWER);
    assert_int_equal(check(fixture, right), AUTH_SLOWER); /* it was never right before */
    fixture->now_ms += AUTH_TRY_MS - 1;
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    fixture->now_ms += 1;
    assert_int_equal(check(fixture, right), AUTH_YES);
    assert_int_equal(check(fixture, wrong), AUTH_NO);
    assert_int_equal(check(fixture, wrong), AUTH_SLOWER);
    assert_int_equal(check(fixture, right), AUTH_YES); /* now it is remembered */
    fixture->now_ms -= 1000 * AUTH_TRY_MS;             /* a clock that is set back gives no tries */
    assert_int_equal(check(fixture, wrong), AUTH_SLOWER);
}

static void test_a_changed_password(void **state)
{
    struct fixture *fixture = *state;
    bool by_default = false;
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpwYXNzd29yZA=="), AUTH_YES);
    assert_int_equal(auth_set_password(fixture->control, "correct horse", &fixture->err), 0);
    assert_int_equal(auth_is_default(fixture->control, &by_default, &fixture->err), 0);
    assert_false(by_default);
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpwYXNzd29yZA=="), AUTH_NO);
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpjb3JyZWN0IGhvcnNl"), AUTH_YES);
    assert_int_equal(auth_set_password(fixture->control, "password", &fixture->err), -1);
    assert_int_equal(auth_set_password(fixture->control, "1234567", &fixture->err), -1);
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpjb3JyZWN0IGhvcnNl"), AUTH_YES);
    assert_int_equal(auth_set_password(fixture->control, NULL, &fixture->err), 0);
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpjb3JyZWN0IGhvcnNl"), AUTH_NO);
    assert_int_equal(check(fixture, "Basic YWlyYnl0ZTpwYXNzd29yZA=="), AUTH_YES);
}

static void test_tokens(void **state)
{
    struct fixture *fixture = *state;
    struct control_application application;
    char secret[CONTROL_SECRET_SIZE];
    enum auth_verdict verdict;
    const char *token, *whose;
    assert_int_equal(control_application_create(fixture->control, "airflow", fixture->now_ms, &fixture->arena,
                                                &application, secret, &fixture->err),
                     0);
    assert_int_equal(auth_token(fixture->auth, slice_of(application.client_id), slice_of(secret),
                                fixture->now_ms, &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_YES);
    auto_free char *header = mem_printf("Bearer %s", token);
    assert_int_equal(
        auth_check(fixture->auth, header, fixture->now_ms, &fixture->arena, &verdict, &whose, &fixture->err),
        0);
    assert_int_equal(verdict, AUTH_YES);
    assert_string_equal(whose, application.id);
    fixture->now_ms += (int64_t)AUTH_TOKEN_S * 1000 + 1;
    assert_int_equal(check(fixture, header), AUTH_NO);
    secret[0] = secret[0] == 'a' ? 'b' : 'a';
    assert_int_equal(auth_token(fixture->auth, slice_of(application.client_id), slice_of(secret),
                                fixture->now_ms, &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_changed_password, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
