/* base: buffers keep their maximum, maps keep their order, text and durations parse, files replace whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"

#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_error(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, ERROR_INVALID, "count must be at least 1, got %d", 0), -1);
    error_wrap(&err, "stream %s", "users");
    assert_string_equal(err.message, "stream users: count must be at least 1, got 0");
    assert_false(err.retriable);
    error_errno(&err, 2, "cannot open %s", "x");
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.message, "cannot open x: No such file or directory");
    /* A context longer than the message keeps inside its bounds. */
    char *longer = mem_zalloc(3 * ERROR_MESSAGE_MAX);
    memset(longer, 'a', 3 * ERROR_MESSAGE_MAX - 1);
    error_wrap(&err, "%s", longer);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_MAX - 1);
    free(longer);
}

static void test_buffer_maximum(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    for (int i = 0; i < 10; i++)
        buffer_str(&buffer, "0123456789");
    assert_false(buffer.overflowed);
    buffer_byte(&buffer, 'x');
    assert_true(buffer.overflowed);
    assert_int_equal(buffer.size, 100);
    assert_int_equal(strlen(buffer_cstr(&buffer)), 100);
    buffer_clear(&buffer);
    buffer_printf(&buffer, "%d-%s", 7, "seven");
    assert_string_equal(buffer_cstr(&buffer), "7-seven");
    buffer_consume(&buffer, 2);
    assert_string_equal(buffer_cstr(&buffer), "seven");
    char *stolen = buffer_steal(&buffer);
    assert_string_equal(stolen, "seven");
    assert_int_equal(buffer.size, 0);
    free(stolen);
    buffer_done(&buffer);
}

static void test_arena(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            char *memory = arena_alloc(&arena, size);
            assert_int_equal((uintptr_t)memory % 16, 0);
            memset(memory, 0xa5, size);
        }
        memset(arena_alloc(&arena, 5000000), 1, 5000000);
        assert_string_equal(arena_printf(&arena, "%s/%d", "a", 5), "a/5");
        arena_clear(&arena);
        assert_true(arena_used(&arena) < 4u << 20);
    }
    arena_done(&arena);
    arena_done(&arena);
}

static void test_map(void **state)
{
    (void)state;
    struct map map;
    map_init(&map);
    assert_null(map_get(&map, slice_of("absent")));
    enum { N = 2000 };
    static int values[N];
    for (int i = 0; i < N; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        assert_null(map_set(&map, slice_of(key), &values[i]));
    }
    for (int i = 0; i < N; i += 2) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i);
        assert_ptr_equal(map_remove(&map, slice_of(key)), &values[i]);
    }
    assert_int_equal(map.count, N / 2);
    assert_ptr_equal(map_set(&map, slice_of("key1"), &values[0]), &values[1]);
    struct map_entry *entry;
    int expected = 1;
    for (size_t at = 0; (entry = map_next(&map, &at)); expected += 2)
        assert_ptr_equal(entry->value, expected == 1 ? &values[0] : &values[expected]);
    assert_int_equal(expected, N + 1);
    map_done(&map);
}

/* Every code point comes back as it was; the bounds of the lengths are where they are. */
static void test_utf8_encode(void **state)
{
    (void)state;
    static const uint32_t firsts[] = {0, 0x80, 0x800, 0x10000, 0x110000};
    for (size_t length = 1; length <= UTF8_LENGTH_MAX; length++) {
        for (uint32_t code = firsts[length - 1]; code < firsts[length]; code++) {
            char bytes[UTF8_LENGTH_MAX];
            size_t got, size = utf8_encode(code, bytes);
            bool character = code < 0xd800 || code > 0xdfff;
            if (size != length || utf8_valid(bytes, size) != character ||
                utf8_decode(bytes, size, &got) != (character ? code : 0xfffd) ||
                got != (character ? length : 1))
                fail_msg("U+%04X", code);
        }
    }
}

static void test_text(void **state)
{
    (void)state;
    uint64_t u;
    int64_t i;
    assert_true(string_to_u64("18446744073709551615", UINT64_MAX, &u));
    assert_false(string_to_u64("18446744073709551616", UINT64_MAX, &u));
    assert_false(string_to_u64("-1", UINT64_MAX, &u));
    assert_false(string_to_u64("1x", UINT64_MAX, &u));
    assert_false(string_to_u64("", UINT64_MAX, &u));
    assert_true(string_to_i64("-9223372036854775808", &i));
    assert_false(string_to_i64(" 1", &i));

    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } durations[] = {{"250ms", 250},
                     {"30s", 30000},
                     {"5m", 300000},
                     {"2h", 7200000},
                     {"1d", 86400000},
                     {"5", -1},
                     {"5 m", -1},
                     {"", -1},
                     {"-5s", -1},
                     {"5w", -1},
                     {"99999999999999999999s", -1}};
    for (size_t n = 0; n < sizeof durations / sizeof *durations; n++) {
        bool ok = string_to_duration_ms(durations[n].text, &u);
        assert_int_equal(ok, durations[n].ms >= 0);
        if (ok)
            assert_int_equal(u, durations[n].ms);
    }

    static const char *const names[] = {"bindings", "endpoint", "interval"};
    assert_string_equal(string_nearest("bindngs", names, 3), "bindings");
    assert_string_equal(string_nearest("enpdoint", names, 3), "endpoint");
    assert_null(string_nearest("zebra", names, 3));
    static const char *const states[] = {"PENDING", "ENDING"};
    assert_string_equal(string_nearest("pending", states, 2), "PENDING");
    assert_int_equal(string_distance("pending", "PENDING"), 1);
    assert_int_equal(string_distance("pending", "pending"), 0);

    static const struct {
        const char *bytes;
        bool valid;
    } utf8[] = {{"plain", true},         {"gr\xc3\xbc\xc3\x9f", true}, {"\xf0\x9f\x98\x80", true},
                {"\xc0\xaf", false},     {"\xed\xa0\x80", false},      {"\xf4\x90\x80\x80", false},
                {"abcdefgh\xff", false}, {"\xe2\x82", false}};
    for (size_t n = 0; n < sizeof utf8 / sizeof *utf8; n++)
        assert_int_equal(utf8_valid(utf8[n].bytes, strlen(utf8[n].bytes)), utf8[n].valid);
    assert_int_equal(utf8_cut("a\xc3\xbc", 3, 2), 1);
    static const struct {
        const char *text, *line;
    } lines[] = {{"plain", "plain"},           {"", ""},
                 {"a\nb\tc\x7f", "a b c "},    {"\xc3\xbc \xe6\x97\xa5", "\xc3\xbc \xe6\x97\xa5"},
                 {"a\xff\x80z", "a??z"},       {"cut \xe6\x97", "cut "},
                 {"cut \xf0\x9f\x98", "cut "}, {"a\xc3z", "a?z"}};
    for (size_t n = 0; n < sizeof lines / sizeof *lines; n++) {
        auto_free char *text = mem_strdup(lines[n].text);
        string_one_line(text);
        assert_string_equal(text, lines[n].line);
    }

    char text[32];
    string_human_count(1234567, text, sizeof text);
    assert_string_equal(text, "1,234,567");
    string_human_bytes(1234567, text, sizeof text);
    assert_string_equal(text, "1.2 MB");
}

static void test_crc32c(void **state)
{
    (void)state;
    /* RFC 3720, B.4. */
    unsigned char zeros[32] = {0}, rising[32];
    for (int n = 0; n < 32; n++)
        rising[n] = (unsigned char)n;
    assert_int_equal(hash_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(hash_crc32c(0, rising, 32), 0x46dd794e);
    assert_int_equal(hash_crc32c(hash_crc32c(0, rising, 5), rising + 5, 27), 0x46dd794e);
}

static void test_clock(void **state)
{
    (void)state;
    char text[32];
    clock_format_rfc3339(1700000000123, text, sizeof text);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z");
    clock_format_rfc3339(-1, text, sizeof text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } times[] = {
        {"2023-11-14T22:13:20.123Z", 1700000000123},
        {"2023-11-14T22:13:20Z", 1700000000000},
        {"2023-11-15t03:43:20.1239999+05:30", 1700000000123},
        {"2023-11-14T17:13:20.5-05:00", 1700000000500},
        {"1970-01-01T00:00:00z", 0},
        {"0000-03-01T00:00:00Z", -62162035200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2000-02-29T23:59:60Z", 951868799000},
        {"1900-02-29T00:00:00Z", -1},
        {"2023-02-29T00:00:00Z", -1},
        {"2023-13-01T00:00:00Z", -1},
        {"2023-00-01T00:00:00Z", -1},
        {"2023-04-31T00:00:00Z", -1},
        {"2023-01-01T24:00:00Z", -1},
        {"2023-01-01T00:60:00Z", -1},
        {"2023-01-01T00:00:61Z", -1},
        {"2023-01-01T00:00:00.Z", -1},
        {"2023-01-01T00:00:00", -1},
        {"2023-01-01T00:00:00+0100", -1},
        {"2023-01-01T00:00:00+24:00", -1},
        {"2023-01-01 00:00:00Z", -1},
        {"2023-01-01", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t ms = -1;
        bool taken = clock_parse_rfc3339(times[i].text, strlen(times[i].text), &ms);
        if (taken != (times[i].ms != -1) || ms != times[i].ms)
            fail_msg("%s: %lld", times[i].text, (long long)ms);
    }
    struct random_state a, b;
    random_seed(&a, 7);
    random_seed(&b, 7);
    for (int n = 0; n < 1000; n++) {
        assert_int_equal(random_next(&a), random_next(&b));
        assert_true(random_below(&a, 10) < 10);
        random_below(&b, 10);
    }
    char uuid[37];
    random_uuid(uuid);
    assert_int_equal(strlen(uuid), 36);
    assert_int_equal(uuid[14], '4');
}

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/firth-base-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct error err;
    auto_free char *deep = mem_printf("%s/a/b/c", folder);
    auto_free char *path = mem_printf("%s/file", deep);
    assert_int_equal(file_make_folders(deep, 0700, &err), 0);
    assert_int_equal(file_make_folders(deep, 0700, &err), 0);
    assert_int_equal(file_replace(path, "one", 3, 0600, &err), 0);
    assert_int_equal(file_replace(path, "second", 6, 0600, &err), 0);
    struct buffer content;
    buffer_init(&content, 1 << 20);
    assert_int_equal(file_read(path, 100, &content, &err), 0);
    assert_string_equal(buffer_cstr(&content), "second");
    assert_int_equal(file_read(path, 5, &content, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    assert_int_equal(file_read(deep, 5, &content, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    buffer_done(&content);
    /* A buffer may be exactly as large as the file, and not one byte smaller. */
    struct buffer small;
    buffer_init(&small, 6);
    assert_int_equal(file_read(path, 100, &small, &err), 0);
    assert_string_equal(buffer_cstr(&small), "second");
    buffer_done(&small);
    buffer_init(&small, 5);
    assert_int_equal(file_read(path, 100, &small, &err), -1);
    assert_int_equal(err.code, ERROR_LIMIT);
    buffer_done(&small);
    assert_int_equal(file_remove_tree(folder, &err), 0);
    assert_false(file_exists(folder));
    assert_int_equal(file_remove_tree(folder, &err), 0);

    auto_free char *resolved = file_resolve("/a/b/catalog.yaml", "c/d.yaml");
    assert_string_equal(resolved, "/a/b/c/d.yaml");
    auto_free char *absolute = file_absolute("/a/./b//../c/");
    assert_string_equal(absolute, "/a/c");
}

static void test_log(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct log log = {.fd = fds[1], .level = LOG_INFO, .json = true, .name = "t"};
    log_debug(&log, "not written");
    log_warn(&log, "a \"quoted\"\nline");
    char line[512] = {0};
    assert_true(read(fds[0], line, sizeof line - 1) > 0);
    assert_non_null(
        strstr(line, "\"level\":\"warn\",\"task\":\"t\",\"message\":\"a \\\"quoted\\\"\\u000aline\"}\n"));
    log.json = false;
    log_warn(&log, "a\x1b[31m\xe2\x80\xae b\nc");
    memset(line, 0, sizeof line);
    assert_true(read(fds[0], line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, "t: a\\u001b[31m\\u202e b\n  c\n"));
    assert_int_equal(log_level_parse("WARNING"), LOG_WARN);
    assert_int_equal(log_level_parse("loud"), -1);
    close(fds[0]);
    close(fds[1]);
}

#ifdef __SANITIZE_ADDRESS__
/* What is undefined ends a test build, which says where. */
static void test_undefined(void **state)
{
    int fds[2];
    char said[4096] = "";
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        volatile int number = INT_MAX;
        number = number + 1;
        _exit(0);
    }
    close(fds[1]);
    int status;
    size_t size = 0;
    for (ssize_t n; size < sizeof said - 1 && (n = read(fds[0], said + size, sizeof said - 1 - size)) > 0;)
        size += (size_t)n;
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_not_equal(status, 0);
    assert_non_null(strstr(said, "AddressSanitizer: ILL"));
    assert_non_null(strstr(said, "in test_undefined "));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),     cmocka_unit_test(test_buffer_maximum),
        cmocka_unit_test(test_arena),     cmocka_unit_test(test_map),
        cmocka_unit_test(test_text),      cmocka_unit_test(test_utf8_encode),
        cmocka_unit_test(test_crc32c),    cmocka_unit_test(test_clock),
        cmocka_unit_test(test_files),     cmocka_unit_test(test_log),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(test_undefined),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
