/* Sealing and unsealing, and where the key comes from. */
#include "base/file.h"
#include "control/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static int setup(void **state)
{
    char *folder = mem_strdup("/tmp/firth-test-secret-XXXXXX");
    *state = folder;
    unsetenv("FIRTH_SECRET_KEY");
    unsetenv("FIRTH_SECRET_KEY_FILE");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct error err;
    int result = file_remove_tree(*state, &err);
    free(*state);
    return result;
}

static void test_every_flipped_bit_is_seen(void **state)
{
    struct secret_key key;
    struct error err;
    struct buffer sealed, again, plain;
    assert_int_equal(secret_key_load(*state, true, &key, &err), 0);
    buffer_init(&sealed, 1 << 20);
    buffer_init(&again, 1 << 20);
    buffer_init(&plain, 1 << 20);
    secret_seal(&key, SLICE_LITERAL("a password"), &sealed);
    secret_seal(&key, SLICE_LITERAL("a password"), &again);
    assert_int_equal(sealed.size, again.size);
    assert_memory_not_equal(sealed.data, again.data, sealed.size);
    assert_null(memmem(sealed.data, sealed.size, "password", 8));
    assert_int_equal(secret_unseal(&key, (struct slice){sealed.data, sealed.size}, &plain, &err), 0);
    assert_true(slice_is((struct slice){plain.data, plain.size}, "a password"));
    for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
        sealed.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(secret_unseal(&key, (struct slice){sealed.data, sealed.size}, &plain, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        sealed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_int_equal(secret_unseal(&key, (struct slice){sealed.data, size}, &plain, &err), -1);
    assert_int_equal(plain.size, 10); /* nothing was added by what failed */
    buffer_done(&sealed);
    buffer_done(&again);
    buffer_done(&plain);
}

static void test_text_and_the_key_of_tasks(void **state)
{
    struct secret_key own, of_store, of_task;
    struct error err;
    struct buffer sealed, plain;
    char digits[SECRET_KEY_DIGITS + 1];
    assert_int_equal(secret_task_key_load(*state, &of_task, &err), 0);
    assert_int_equal(secret_key_load(*state, false, &own, &err), 0);
    assert_memory_not_equal(own.bytes, of_task.bytes, SECRET_KEY_BYTES);
    secret_task_key(&own, digits);
    assert_int_equal(secret_task_key_read(digits, &of_store, &err), 0);
    assert_memory_equal(of_store.bytes, of_task.bytes, SECRET_KEY_BYTES);
    assert_int_equal(secret_task_key_read("abc", &of_store, &err), -1);
    buffer_init(&sealed, 1 << 20);
    buffer_init(&plain, 1 << 20);
    secret_seal_text(&of_task, SLICE_LITERAL("a password"), &sealed);
    struct slice text = {sealed.data, sealed.size};
    assert_int_equal(secret_unseal_text(&of_task, text, &plain, &err), 0);
    assert_string_equal(buffer_cstr(&plain), "a password");
    assert_int_equal(secret_unseal_text(&own, text, &plain, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(secret_unseal_text(&of_task, SLICE_LITERAL("!"), &plain, &err), -1);
    assert_int_equal(err.code, ERROR_CORRUPT);
    buffer_done(&sealed);
    buffer_done(&plain);
}

static void test_the_key_is_made_once(void **state)
{
    struct secret_key one, two;
    struct error err;
    struct stat info;
    auto_free char *path = mem_printf("%s/secret.key", (char *)*state);
    assert_int_equal(secret_key_load(*state, false, &one, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(secret_key_load(*state, true, &one, &err), 0);
    assert_int_equal(secret_key_load(*state, true, &two, &err), 0);
    assert_memory_equal(one.bytes, two.bytes, sizeof one.bytes);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_what_is_no_key(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00",
        "0x112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    };
    struct secret_key key;
    struct error err;
    auto_free char *path = mem_printf("%s/secret.key", (char *)*state);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(file_replace(path, texts[i], strlen(texts[i]), 0600, &err), 0);
        assert_int_equal(secret_key_load(*state, true, &key, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        if (strlen(texts[i]) > 1)
            assert_null(strstr(err.message, texts[i]));
    }
    setenv("FIRTH_SECRET_KEY", "00112233445566778899AABBccddeeff00112233445566778899aabbccddeeff", 1);
    assert_int_equal(secret_key_load(*state, true, &key, &err), 0);
    assert_int_equal(key.bytes[10], 0xaa);
    unsetenv("FIRTH_SECRET_KEY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_flipped_bit_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_key_is_made_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_and_the_key_of_tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_key, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
