/* Kafka's encodings: primitives, record batches, keys as text. */
#include "ingest/kafka/batch.h"
#include "ingest/kafka/key_text.h"
#include "ingest/kafka/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
    static const int64_t numbers[] = {0,   1,   -1,  63,        64,        -64,       -65,
                                      127, 128, 300, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
    (void)state;
    for (int flexible = 0; flexible < 2; flexible++) {
        struct buffer out;
        struct wire_writer writer = {.out = &out, .flexible = flexible};
        struct wire_reader reader;
        buffer_init(&out, BUFFER_UNLIMITED);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            wire_put_i64(&writer, numbers[i]);
            wire_put_varlong(&writer, numbers[i]);
            wire_put_varint(&writer, (int32_t)numbers[i]);
            wire_put_uvarint(&writer, (uint32_t)numbers[i]);
        }
        wire_put_text(&writer, "text");
        wire_put_text(&writer, NULL);
        wire_put_bytes(&writer, (struct slice){"", 0});
        wire_put_bytes(&writer, (struct slice){0});
        wire_put_array(&writer, 2);
        wire_put_i8(&writer, -7);
        wire_put_bool(&writer, true);
        wire_put_array(&writer, -1);
        wire_put_tags(&writer);
        wire_reader_init(&reader, (struct slice){out.data, out.size}, flexible);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            assert_true(wire_i64(&reader) == numbers[i]);
            assert_true(wire_varlong(&reader) == numbers[i]);
            assert_true(wire_varint(&reader) == (int32_t)numbers[i]);
            assert_true(wire_uvarint(&reader) == (uint32_t)numbers[i]);
        }
        assert_true(slice_is(wire_string(&reader), "text"));
        assert_null(wire_string(&reader).data);
        struct slice empty = wire_bytes(&reader);
        assert_true(empty.data && empty.size == 0);
        assert_null(wire_bytes(&reader).data);
        assert_int_equal(wire_array(&reader, 1), 2);
        assert_int_equal(wire_i8(&reader), -7);
        assert_true(wire_bool(&reader));
        assert_int_equal(wire_array(&reader, 1), -1);
        wire_tags(&reader);
        assert_true(!reader.broken && wire_left(&reader) == 0);
        wire_i8(&reader);
        assert_true(reader.broken);
        buffer_done(&out);
    }
}

/* What cannot be sets `broken`, and gives nothing. */
static void test_broken(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool flexible;
        char what;
    } cases[] = {
        {"\x7f\xff", 2, false, 's'},
        {"\xff\xfe", 2, false, 's'},
        {"\x05"
         "abc",
         4, true, 's'},
        {"\xff\xff\xff\xff\x1f", 5, true, 's'},
        {"\x80\x80\x80\x80\x80\x01", 6, true, 's'},
        {"\x80", 1, true, 's'},
        {"\x7f\xff\xff\xff", 4, false, 'a'},
        {"\x00\x00\x00\x02\x00", 5, false, 'a'},
        {"\xff\xff\xff\xfe", 4, false, 'a'},
        {"\x01\x00\x05"
         "ab",
         5, true, 't'},
        {"\xff\xff\xff\xff\x0f", 5, true, 't'},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", 10, false, 'l'},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_reader reader;
        wire_reader_init(&reader, (struct slice){cases[i].bytes, cases[i].size}, cases[i].flexible);
        if (cases[i].what == 's')
            assert_null(wire_string(&reader).data);
        else if (cases[i].what == 'a')
            assert_int_equal(wire_array(&reader, 1), 0);
        else if (cases[i].what == 'l')
            wire_varlong(&reader);
        else
            wire_tags(&reader);
        if (!reader.broken)
            fail_msg("case %zu", i);
    }
}

static void test_batch(void **state)
{
    struct buffer out, decoded;
    struct arena arena;
    struct kafka_batch_writer writer;
    struct kafka_batch batch;
    struct error err;
    (void)state;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_init(&decoded, 1 << 20);
    arena_init(&arena);
    kafka_batch_begin(&writer, &out, 100, 5000);
    for (int64_t i = 0; i < 300; i++)
        kafka_batch_add(&writer, 100 + i * 1000, 5000 - i, i % 2 ? SLICE_LITERAL("key") : (struct slice){0},
                        SLICE_LITERAL("{\"value\":1}"));
    kafka_batch_end(&writer);
    /* A reader of the store's gaps: offsets are deltas, and the number of records is not that of offsets. */
    assert_int_equal(wire_get_u32(out.data + 23), 299000);
    assert_int_equal(kafka_batch_read((struct slice){out.data, out.size}, &arena, &decoded, &batch, &err),
                     -1);
    wire_set_i32(&out, 23, 299); /* as producers count, which the checksum covers */
    assert_int_equal(kafka_batch_read((struct slice){out.data, out.size}, &arena, &decoded, &batch, &err),
                     -1);
    assert_int_equal(err.code, ERROR_CORRUPT);
    buffer_clear(&out);
    kafka_batch_begin(&writer, &out, 7, 5000);
    for (int64_t i = 0; i < 300; i++)
        kafka_batch_add(&writer, 7 + i, 5000 - i, i % 2 ? SLICE_LITERAL("key") : (struct slice){0},
                        SLICE_LITERAL("{\"value\":1}"));
    kafka_batch_end(&writer);
    assert_int_equal(kafka_batch_read((struct slice){out.data, out.size}, &arena, &decoded, &batch, &err), 0);
    assert_int_equal(batch.count, 300);
    assert_true(batch.producer == -1);
    for (uint32_t i = 0; i < batch.count; i++) {
        assert_true(slice_is(batch.records[i].value, "{\"value\":1}"));
        assert_true(i % 2 ? slice_is(batch.records[i].key, "key") : !batch.records[i].key.data);
        assert_int_equal(batch.records[i].timestamp, 5000 - (int64_t)i);
    }
    for (size_t cut = 0; cut < out.size; cut++)
        assert_int_equal(kafka_batch_read((struct slice){out.data, cut}, &arena, &decoded, &batch, &err), -1);
    arena_done(&arena);
    buffer_done(&decoded);
    buffer_done(&out);
}

static void test_keys(void **state)
{
    static const char *const id[] = {"/id", NULL}, *const deep[] = {"/a/b",  "/c",      "/a/d~1e",
                                                                    "/none", "/a/b2/x", NULL};
    static const char text[] =
        "{\"id\":1.0,\"c\":[1, 2],\"a\":{\"d/e\":\"\\u00e4\",\"b\":true,\"b2\":{\"x\":null}}}";
    static const struct {
        const char *const *pointers;
        const char *wanted;
    } cases[] = {
        {id, "{\"id\":1.0}"},
        {deep, "{\"a\":{\"b\":true,\"d/e\":\"\\u00e4\",\"b2\":{\"x\":null}},\"c\":[1, 2],\"none\":null}"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena;
        struct json doc;
        struct error err;
        struct buffer out;
        arena_init(&arena);
        buffer_init(&out, BUFFER_UNLIMITED);
        assert_int_equal(json_parse_copy(&arena, text, sizeof text - 1, &doc, &err), 0);
        struct key key = key_compile(cases[i].pointers, &arena);
        kafka_key_text(&key, &doc, 0, &out);
        assert_string_equal(buffer_cstr(&out), cases[i].wanted);
        buffer_done(&out);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
