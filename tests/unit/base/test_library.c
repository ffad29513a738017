#include "base/curl.h"
#include "base/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct table {
    typeof(curl_version) *version;
    void (*none)(void);
};

static const char *const NAMES_OF_CURL[] = {"libcurl.so.none", "libcurl.so.4", "libcurl.4.dylib", NULL};

static void test_found(void **state)
{
    static const struct library_function FUNCTIONS[] = {{"curl_version", offsetof(struct table, version)}};
    struct table table = {0};
    struct error err;
    (void)state;
    assert_int_equal(library_load(NAMES_OF_CURL, FUNCTIONS, 1, &table, &err), 0);
    assert_non_null(strstr(table.version(), "libcurl"));
}

static void test_missing_library(void **state)
{
    static const char *const NAMES[] = {"libfirth-has-no-such.so.1", "libfirth-nor-such.so", NULL};
    struct table table;
    struct error err;
    (void)state;
    assert_int_equal(library_load(NAMES, NULL, 0, &table, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "the library libfirth-has-no-such.so.1 could not be loaded"));
}

static void test_missing_function(void **state)
{
    static const struct library_function FUNCTIONS[] = {{"curl_version", offsetof(struct table, version)},
                                                        {"curl_no_such", offsetof(struct table, none)}};
    struct table table;
    struct error err;
    (void)state;
    assert_int_equal(library_load(NAMES_OF_CURL, FUNCTIONS, 2, &table, &err), -1);
    assert_int_equal(err.code, ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has no 'curl_no_such'"));
}

static void test_curl(void **state)
{
    struct curl_api curl;
    struct error err;
    (void)state;
    assert_int_equal(curl_api_load(&curl, &err), 0);
    CURL *handle = curl.easy_init();
    assert_non_null(handle);
    assert_int_equal(curl.easy_setopt(handle, CURLOPT_URL, "no-such://127.0.0.1/"), CURLE_OK);
    assert_int_equal(curl.easy_perform(handle), CURLE_UNSUPPORTED_PROTOCOL);
    curl.easy_cleanup(handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_missing_library),
        cmocka_unit_test(test_missing_function),
        cmocka_unit_test(test_curl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
