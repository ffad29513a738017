/* Passwords, tokens, and how many wrong ones are looked at; the clock is the test's. */
#include "base/file.h"
#include "control/applications.h"
#include "server/auth.h"
#include "server/throttle.h"

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
    const char *address; /* of who asks */
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
    fixture->address = "192.0.2.1";
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

static struct auth_client client(const struct fixture *fixture)
{
    return (struct auth_client){fixture->address, fixture->now_ms};
}

static enum auth_verdict check(struct fixture *fixture, const char *header)
{
    enum auth_verdict verdict;
    const char *application;
    const struct auth_client who = client(fixture);
    assert_int_equal(
        auth_check(fixture->auth, &who, header, &fixture->arena, &verdict, &application, &fixture->err), 0);
    return verdict;
}

/* A session by this password. */
static enum auth_verdict guess(struct fixture *fixture, const char *password)
{
    const struct auth_client who = client(fixture);
    enum auth_verdict verdict;
    const char *token = NULL;
    assert_int_equal(auth_session(fixture->auth, &who, slice_of(AUTH_USER), slice_of(password),
                                  &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_true((verdict == AUTH_YES) == (token != NULL));
    return verdict;
}

/* Other wrong ones, until no more are looked at. */
static int guess_all(struct fixture *fixture, const char *what)
{
    int count = 0;
    for (;;) {
        auto_free char *password = mem_printf("%s %d", what, count);
        if (guess(fixture, password) == AUTH_SLOWER)
            return count;
        count++;
    }
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
        fixture->now_ms += THROTTLE_TRY_MS;
        if (check(fixture, cases[i].header) != cases[i].verdict)
            fail_msg("%s", cases[i].header ? cases[i].header : "(none)");
    }
}

static void test_tries(void **state)
{
    static const char right[] = "Basic YWlyYnl0ZTpwYXNzd29yZA==",
                      wrong[] = "Basic YWlyYnl0ZTpuby1pdC1pcy1ub3Q=";
    struct fixture *fixture = *state;
    /* The same one again tells nothing, and counts once. */
    for (int i = 0; i < 3 * THROTTLE_TRIES_MAX; i++)
        assert_int_equal(check(fixture, wrong), AUTH_NO);
    assert_int_equal(guess_all(fixture, "a"), THROTTLE_TRIES_MAX - 1);
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    assert_int_equal(check(fixture, wrong), AUTH_SLOWER);
    fixture->now_ms += THROTTLE_TRY_MS - 1;
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    fixture->now_ms += 1;
    assert_int_equal(check(fixture, right), AUTH_YES);
    /* Now the address has tries of its own; beyond them the right one is not looked at, either. */
    assert_int_equal(guess_all(fixture, "b"), THROTTLE_TRIES_MAX);
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    assert_int_equal(guess(fixture, "password"), AUTH_SLOWER);
    fixture->now_ms -= 1000 * THROTTLE_TRY_MS; /* a clock that is set back gives no tries */
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    fixture->now_ms += 1001 * THROTTLE_TRY_MS;
    assert_int_equal(check(fixture, right), AUTH_YES);
}

static void test_tries_of_others(void **state)
{
    static const char right[] = "Basic YWlyYnl0ZTpwYXNzd29yZA==";
    struct fixture *fixture = *state;
    assert_int_equal(check(fixture, right), AUTH_YES);
    /* Whoever was right already is not kept out by other addresses, which share their tries. */
    fixture->address = "192.0.2.2";
    assert_int_equal(guess_all(fixture, "a"), THROTTLE_TRIES_MAX);
    fixture->address = "2001:db8::1";
    assert_int_equal(guess_all(fixture, "b"), 0);
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
    fixture->address = "192.0.2.1";
    assert_int_equal(check(fixture, right), AUTH_YES);
    assert_int_equal(guess_all(fixture, "c"), THROTTLE_TRIES_MAX);

    /* More addresses than are kept: the ones used last keep their tries. */
    for (int i = 0; i < 2 * THROTTLE_KNOWN_MAX; i++) {
        fixture->now_ms += THROTTLE_TRY_MS;
        auto_free char *address = mem_printf("198.51.100.%d", i);
        fixture->address = address;
        assert_int_equal(check(fixture, right), AUTH_YES);
        fixture->address = "192.0.2.1";
        assert_int_equal(check(fixture, right), AUTH_YES);
    }
    fixture->address = "192.0.2.3";
    assert_int_equal(guess_all(fixture, "d"), THROTTLE_TRIES_MAX);
    fixture->address = "192.0.2.1";
    assert_int_equal(check(fixture, right), AUTH_YES);
    fixture->address = "198.51.100.0";
    assert_int_equal(check(fixture, right), AUTH_SLOWER);
}

/* Nothing is changed by who has to wait, and who changes it need not say the new one again. */
static void test_another_password_while_guessed(void **state)
{
    struct fixture *fixture = *state;
    enum auth_verdict verdict;
    const char *token = NULL;
    struct auth_client who = client(fixture);
    assert_int_equal(guess_all(fixture, "a"), THROTTLE_TRIES_MAX);
    assert_int_equal(auth_change(fixture->auth, &who, SLICE_LITERAL("password"), "correct horse",
                                 &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_SLOWER);
    bool by_default = false;
    assert_int_equal(auth_is_default(fixture->control, &by_default, &fixture->err), 0);
    assert_true(by_default && !token);
    who.now_ms = fixture->now_ms += THROTTLE_TRY_MS;
    assert_int_equal(auth_change(fixture->auth, &who, SLICE_LITERAL("password"), "correct horse",
                                 &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_YES);
    auto_free char *header = mem_printf("Bearer %s", token);
    assert_int_equal(check(fixture, header), AUTH_YES);
    assert_int_equal(guess(fixture, "correct horse"), AUTH_YES);
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
    assert_int_equal(auth_set_password(fixture->control, "tab\there", &fixture->err), -1);
    assert_int_equal(auth_set_password(fixture->control, "delete\x7fit", &fixture->err), -1);
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
    struct auth_client who = client(fixture);
    assert_int_equal(control_application_create(fixture->control, "airflow", fixture->now_ms, &fixture->arena,
                                                &application, secret, &fixture->err),
                     0);
    assert_int_equal(auth_token(fixture->auth, &who, slice_of(application.client_id), slice_of(secret),
                                &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_YES);
    auto_free char *header = mem_printf("Bearer %s", token);
    assert_int_equal(
        auth_check(fixture->auth, &who, header, &fixture->arena, &verdict, &whose, &fixture->err), 0);
    assert_int_equal(verdict, AUTH_YES);
    assert_string_equal(whose, application.id);
    who.now_ms = fixture->now_ms += (int64_t)AUTH_TOKEN_S * 1000 + 1;
    assert_int_equal(check(fixture, header), AUTH_NO);
    secret[0] = secret[0] == 'a' ? 'b' : 'a';
    assert_int_equal(auth_token(fixture->auth, &who, slice_of(application.client_id), slice_of(secret),
                                &fixture->arena, &verdict, &token, &fixture->err),
                     0);
    assert_int_equal(verdict, AUTH_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tries_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_password_while_guessed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_changed_password, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
