/* Who asks from this machine, by both ends' addresses. */
#include "web/listen.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    if (strchr(text, ':')) {
        six->sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
    } else if (*text != '/') {
        four->sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, text, &four->sin_addr), 1);
    } else {
        storage.ss_family = AF_UNIX;
    }
    return storage;
}

static void test_near(void **state)
{
    static const struct {
        const char *peer, *own;
        bool near;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.1", "127.8.9.10", true},
        {"::1", "::1", true},
        {"::ffff:127.0.0.1", "::ffff:127.0.0.1", true},
        {"192.0.2.7", "127.0.0.1", false},
        {"127.0.0.1", "192.0.2.7", false},
        {"192.0.2.7", "192.0.2.7", false}, /* of this machine perhaps, but not only */
        {"126.255.255.255", "127.0.0.1", false},
        {"128.0.0.1", "127.0.0.1", false},
        {"1.0.0.127", "1.0.0.127", false},
        {"::ffff:192.0.2.7", "::ffff:127.0.0.1", false},
        {"::ffff:127.0.0.1", "::ffff:192.0.2.7", false},
        {"fe80::1", "::1", false},
        {"::1", "fe80::1", false},
        {"7f00::1", "::1", false},
        {"::", "::", false},
        {"0.0.0.0", "0.0.0.0", false},
        {"/", "/", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage peer = address_of(cases[i].peer), own = address_of(cases[i].own);
        if (listen_is_near((struct sockaddr *)&peer, (struct sockaddr *)&own) != cases[i].near)
            fail_msg("%s to %s", cases[i].peer, cases[i].own);
    }
}

static void test_no_address_is_not_near(void **state)
{
    struct sockaddr_storage loopback = address_of("127.0.0.1");
    (void)state;
    assert_false(listen_is_near(NULL, (struct sockaddr *)&loopback));
    assert_false(listen_is_near((struct sockaddr *)&loopback, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near),
        cmocka_unit_test(test_no_address_is_not_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
