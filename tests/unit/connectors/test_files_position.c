/* Positions: what is read once is not read again, what comes late is, and what is remembered is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/files/position.h"

#include <stdio.h>

static const int64_t HOUR = 3600 * 1000, NOW = 1700000000000;

static struct files_object object(const char *name, int64_t modified_ms, uint64_t tag)
{
    return (struct files_object){
        .name = (char *)(uintptr_t)name, .modified_ms = modified_ms, .arrived_ms = modified_ms, .tag = tag};
}

/* Copied or unpacked with its time. */
static struct files_object arrived(const char *name, int64_t modified_ms, int64_t arrived_ms)
{
    struct files_object copied = object(name, modified_ms, 7);
    copied.arrived_ms = arrived_ms;
    return copied;
}

/* As text and back: nothing that decides is lost. */
static void again(struct files_position *position)
{
    struct buffer text;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    files_position_write(position, &text);
    files_position_done(position);
    files_position_init(position);
    assert_int_equal(files_position_parse(position, (struct slice){text.data, text.size}, &err), 0);
    buffer_done(&text);
}

static void test_late_files(void **state)
{
    struct files_position position;
    struct files_object a = object("a", NOW - 5 * HOUR, 1), b = object("b", NOW - HOUR, 2);
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    assert_true(files_position_wants(&position, &a));
    files_position_passed(&position, &a);
    again(&position);
    assert_string_equal(position.after, "a");
    assert_true(position.sweeping && position.started_ms == NOW);
    assert_true(files_position_wants(&position, &b));
    files_position_passed(&position, &b);
    files_position_end(&position, false);
    again(&position);
    assert_false(position.sweeping);
    assert_string_equal(position.after, "");
    assert_false(files_position_wants(&position, &a));
    assert_false(files_position_wants(&position, &b));
    struct files_object old = object("old", NOW - 9999 * HOUR, 4), late = object("late", NOW - HOUR, 3),
                        of_the_same_time = object("b2", NOW - HOUR, 2);
    assert_true(files_position_wants(&position, &late));
    assert_true(files_position_wants(&position, &old)); /* all that were read are remembered */
    assert_true(files_position_wants(&position, &of_the_same_time));
    struct files_object changed = object("b", NOW - HOUR, 9), touched = object("b", NOW, 2);
    assert_true(files_position_wants(&position, &changed));
    assert_true(files_position_wants(&position, &touched));
    files_position_done(&position);
}

/* While a sweep goes on for hours, files come whose names it has passed: the next one gets them. */
static void test_added_behind(void **state)
{
    struct files_position position;
    struct files_object z = object("z", NOW + 6 * HOUR, 1), behind = object("a", NOW + HOUR, 2);
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    files_position_passed(&position, &z);
    files_position_end(&position, false);
    again(&position);
    files_position_begin(&position, NOW + 7 * HOUR);
    assert_true(files_position_wants(&position, &behind));
    assert_false(files_position_wants(&position, &z));
    files_position_done(&position);
}

static void test_bounded(void **state)
{
    struct files_position position;
    char name[32];
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    for (int i = 0; i < 3 * FILES_SEEN_MAX; i++) {
        snprintf(name, sizeof name, "%08d", i);
        struct files_object each = object(name, NOW - HOUR + i, (uint64_t)i);
        assert_true(files_position_wants(&position, &each));
        files_position_passed(&position, &each);
        assert_true(position.seen.count <= FILES_SEEN_MAX);
    }
    again(&position);
    files_position_end(&position, false);
    for (int i = 0; i < 3 * FILES_SEEN_MAX; i++) {
        snprintf(name, sizeof name, "%08d", i);
        struct files_object each = object(name, NOW - HOUR + i, (uint64_t)i);
        assert_false(files_position_wants(&position, &each));
    }
    /* What arrived before all that is remembered may have been read; nine in ten are remembered. */
    struct files_object early = object("early", NOW - 2 * HOUR, 1),
                        copied = arrived("copied", NOW - 2 * HOUR, NOW),
                        between = object("between", NOW - HOUR + 2 * FILES_SEEN_MAX + FILES_FORGET, 1);
    assert_false(files_position_wants(&position, &early));
    assert_true(files_position_wants(&position, &copied));
    assert_true(files_position_wants(&position, &between));
    files_position_begin(&position, NOW + HOUR);
    files_position_passed(&position, &copied);
    files_position_end(&position, false);
    again(&position);
    assert_false(files_position_wants(&position, &copied));
    copied.arrived_ms += HOUR; /* renamed, or its mode changed */
    assert_false(files_position_wants(&position, &copied));
    files_position_done(&position);
}

/* More came in one sweep than is remembered, after it had begun: one of them with a name that it had passed
 * is not taken for one that was read. */
static void test_many_in_one_sweep(void **state)
{
    struct files_position position;
    char name[32];
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    for (int i = 0; i <= FILES_SEEN_MAX; i++) {
        snprintf(name, sizeof name, "%08d", i);
        struct files_object each = object(name, NOW + 1 + i, (uint64_t)i);
        files_position_passed(&position, &each);
    }
    files_position_end(&position, false);
    struct files_object behind = object("0", NOW + 1, 1);
    assert_true(files_position_wants(&position, &behind));
    files_position_done(&position);
}

static void test_in_a_file(void **state)
{
    struct files_position position;
    struct error err;
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    position.file = mem_strdup("dir/gr\xc3\xbcn \"x\".csv");
    position.tag = UINT64_MAX - 1;
    position.place = (struct files_place){.records = 7, .bytes = 1ULL << 40, .lines = 9};
    again(&position);
    assert_string_equal(position.file, "dir/gr\xc3\xbcn \"x\".csv");
    assert_true(position.tag == UINT64_MAX - 1);
    assert_true(position.place.records == 7 && position.place.bytes == 1ULL << 40 &&
                position.place.lines == 9);
    files_position_done(&position);
    files_position_init(&position);
    assert_int_equal(
        files_position_parse(&position, SLICE_LITERAL("{\"seen\":[1],\"file\":{\"name\":3}}"), &err), 0);
    assert_null(position.file);
    assert_int_equal(files_position_parse(&position, SLICE_LITERAL("{"), &err), -1);
    files_position_done(&position);
}

static void test_ascending(void **state)
{
    struct files_position position;
    struct files_object a = object("a", NOW, 1);
    (void)state;
    files_position_init(&position);
    files_position_begin(&position, NOW);
    files_position_passed(&position, &a);
    files_position_end(&position, true);
    again(&position);
    assert_string_equal(position.after, "a");
    assert_int_equal(position.seen.count, 0); /* the name says it all, whatever a later one's time is */
    struct files_object b = object("b", NOW - 9999 * HOUR, 1);
    assert_true(files_position_wants(&position, &b));
    files_position_done(&position);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_files), cmocka_unit_test(test_added_behind),
        cmocka_unit_test(test_bounded),    cmocka_unit_test(test_many_in_one_sweep),
        cmocka_unit_test(test_in_a_file),  cmocka_unit_test(test_ascending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
