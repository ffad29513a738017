/* Replication messages: each kind, cut at every byte, with lengths that lie. */
#include "source-postgres/pgoutput.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct message_bytes {
    const char *name, *bytes;
    size_t size;
};
#define BYTES(text) text, sizeof(text) - 1

static const struct message_bytes messages[] = {
    {"begin", BYTES("B\0\0\0\1\0\0\0\2\0\2\x8b\x5d\x2a\x10\x20\x30\0\0\2\xe9")},
    {"commit", BYTES("C\0\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\x40\0\2\x8b\x5d\x2a\x10\x20\x30")},
    {"relation",
     BYTES("R\0\0\x40\1public\0t\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff\0x\0\0\0\0\x19\xff\xff\xff\xff")},
    {"insert", BYTES("I\0\0\x40\1N\0\2t\0\0\0\1"
                     "7n")},
    {"update", BYTES("U\0\0\x40\1K\0\2t\0\0\0\1"
                     "7nN\0\2t\0\0\0\1"
                     "8u")},
    {"delete", BYTES("D\0\0\x40\1O\0\2t\0\0\0\1"
                     "7t\0\0\0\0")},
    {"truncate", BYTES("T\0\0\0\2\0\0\0\x40\1\0\0\x40\2")},
};

static int parse(const char *bytes, size_t size, struct arena *arena, struct pg_message *message)
{
    struct error err;
    char *exact = mem_alloc(size + 1); /* so that a read past the end is seen */
    memcpy(exact, bytes, size);
    int result = pg_message_read((struct slice){arena_dup(arena, exact, size), size}, arena, message, &err);
    mem_free_cleanup(&exact);
    return result;
}

static void test_messages(void **state)
{
    (void)state;
    struct arena arena;
    struct pg_message m[7];
    arena_init(&arena);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(parse(messages[i].bytes, messages[i].size, &arena, &m[i]), 0);
    assert_int_equal(m[0].kind, PG_MESSAGE_BEGIN);
    assert_int_equal(m[0].lsn, 0x100000002);
    assert_int_equal(m[0].xid, 745);
    assert_int_equal(m[0].time_ms, 0x00028b5d2a102030 / 1000 + 946684800000);
    assert_int_equal(m[1].end_lsn, 0x100000040);
    assert_string_equal(m[2].schema, "public");
    assert_string_equal(m[2].table, "t");
    assert_int_equal(m[2].relation, 0x4001);
    assert_int_equal(m[2].column_count, 2);
    assert_true(m[2].columns[0].key && !m[2].columns[1].key);
    assert_string_equal(m[2].columns[1].name, "x");
    assert_int_equal(m[2].columns[1].type, 25);
    assert_int_equal(m[3].new.count, 2);
    assert_true(slice_is(m[3].new.items[0].text, "7") && m[3].new.items[1].kind == PG_DATUM_NULL);
    assert_int_equal(m[4].old.kind, 'K');
    assert_int_equal(m[4].new.items[1].kind, PG_DATUM_UNCHANGED);
    assert_int_equal(m[5].old.kind, 'O');
    assert_int_equal(m[6].relation_count, 2);
    assert_int_equal(m[6].relations[1], 0x4002);
    arena_done(&arena);
}

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        for (size_t size = 1; size < messages[i].size; size++) {
            struct arena arena;
            struct pg_message message;
            arena_init(&arena);
            assert_int_equal(parse(messages[i].bytes, size, &arena, &message), -1);
            arena_done(&arena);
        }
    }
}

static void test_lies(void **state)
{
    (void)state;
    static const struct message_bytes lies[] = {
        {"columns", BYTES("I\0\0\0\1N\xff\xff")},
        {"length", BYTES("I\0\0\0\1N\0\1t\xff\xff\xff\xff"
                         "7")},
        {"kind", BYTES("I\0\0\0\1N\0\1q")},
        {"binary", BYTES("I\0\0\0\1N\0\1b\0\0\0\1"
                         "7")},
        {"no new row", BYTES("I\0\0\0\1X\0\0")},
        {"relations", BYTES("T\xff\xff\xff\xff\0\0\0\0\1")},
        {"table without an end", BYTES("R\0\0\0\1public\0t")},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct arena arena;
        struct pg_message message;
        arena_init(&arena);
        assert_int_equal(parse(lies[i].bytes, lies[i].size, &arena, &message), -1);
        arena_done(&arena);
    }
}

static void test_frames(void **state)
{
    (void)state;
    struct pg_frame frame;
    struct error err;
    static const char keepalive[] = "k\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\0\1",
                      data[] = "w\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0B";
    assert_int_equal(pg_frame_read((struct slice){keepalive, 18}, &frame, &err), 0);
    assert_true(frame.keepalive && frame.reply_wanted && frame.end == 0x100000002);
    assert_int_equal(pg_frame_read((struct slice){data, 26}, &frame, &err), 0);
    assert_true(!frame.keepalive && frame.start == 1 && frame.end == 2 && slice_is(frame.body, "B"));
    for (size_t size = 0; size < 18; size++)
        assert_int_equal(pg_frame_read((struct slice){keepalive, size}, &frame, &err), -1);
    assert_int_equal(pg_frame_read((struct slice){"x", 1}, &frame, &err), -1);
    char status[PG_STATUS_SIZE];
    pg_status_write(status, 0x0102030405060708, 9, 946684800001, true);
    assert_memory_equal(status,
                        "r\1\2\3\4\5\6\7\x08\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\x03\xe8\1", 34);
}

static void test_positions(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    "1",    "1/",          "/1",         "g/1",
                                        "1/g", "1/2 ", "100000000/0", "0/100000000"};
    char text[PG_LSN_SIZE];
    uint64_t lsn;
    assert_true(pg_lsn_read("16/B374D848", &lsn) && lsn == 0x16B374D848);
    assert_string_equal(pg_lsn_write(text, lsn), "16/B374D848");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(pg_lsn_read(wrong[i], &lsn));
}

static void test_visibility(void **state)
{
    (void)state;
    struct pg_visibility seen;
    static const char *const wrong[] = {"", "1", "1:", "1:2", "a:1:", "1:2:x", "1:2:3;4"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(pg_visibility_read(&seen, wrong[i]));
    assert_true(pg_visibility_read(&seen, "100:110:100,105"));
    assert_true(pg_visible(&seen, 99) && pg_visible(&seen, 101) && pg_visible(&seen, 109));
    assert_false(pg_visible(&seen, 100) || pg_visible(&seen, 105) || pg_visible(&seen, 110) ||
                 pg_visible(&seen, 5000));
    pg_visibility_done(&seen);
    /* Around the place where 32 bits begin anew. */
    assert_true(pg_visibility_read(&seen, "4294967290:4294967300:4294967297"));
    assert_true(pg_visible(&seen, 4294967289U) && pg_visible(&seen, 0) && pg_visible(&seen, 3));
    assert_false(pg_visible(&seen, 1) || pg_visible(&seen, 4) || pg_visible(&seen, 100));
    pg_visibility_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_cut),       cmocka_unit_test(test_lies),
        cmocka_unit_test(test_frames),   cmocka_unit_test(test_positions), cmocka_unit_test(test_visibility),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
