/* Content encodings: what comes out, and that no more comes out than may. */
#include "ingest/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

enum { SIZE = 100 * 1000 };

/* A hundred thousand times x, by another program. */
static const unsigned char BROTLI[] = {0x5b, 0x9f, 0x86, 0x81, 0x5f, 0x02, 0x2f,
                                       0x1e, 0x0b, 0x04, 0xb2, 0xfc, 0x02, 0x00};

static struct slice with_zlib(const char *in, size_t size, int window)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)size};
    size_t room = size + 1000;
    char *out = malloc(room);
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (struct slice){out, room - stream.avail_out};
}

static struct slice with_zstd(const char *in, size_t size)
{
    size_t room = ZSTD_compressBound(size);
    char *out = malloc(room);
    return (struct slice){out, ZSTD_compress(out, room, in, size, 19)};
}

static struct slice encode(const char *how, const char *text)
{
    if (strcmp(how, "br") == 0)
        return (struct slice){memcpy(malloc(sizeof BROTLI), BROTLI, sizeof BROTLI), sizeof BROTLI};
    if (strcmp(how, "zstd") == 0)
        return with_zstd(text, SIZE);
    return with_zlib(text, SIZE, strcmp(how, "gzip") == 0 ? 15 + 16 : 15);
}

static int decode(const char *how, struct slice body, size_t most, struct slice *ret_body, struct buffer *out,
                  struct error *err)
{
    buffer_init(out, most);
    int result = ingest_decode(how, body, out, ret_body, err);
    assert_true(out->size <= most);
    return result;
}

static void test_each(void **state)
{
    static const char *const each[] = {"gzip", "deflate", "zstd", "br"};
    char *text = malloc(SIZE);
    (void)state;
    memset(text, 'x', SIZE);
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct slice packed = encode(each[i], text), body;
        struct buffer out;
        struct error err;
        assert_int_equal(decode(each[i], packed, SIZE, &body, &out, &err), 0);
        assert_int_equal(body.size, SIZE);
        assert_memory_equal(body.data, text, SIZE);
        buffer_done(&out);
        /* A byte too much, and a body that ends too soon anywhere. */
        assert_int_equal(decode(each[i], packed, SIZE - 1, &body, &out, &err), -1);
        assert_int_equal(err.code, ERROR_LIMIT);
        buffer_done(&out);
        for (size_t size = 0; size < packed.size; size++) {
            assert_int_equal(decode(each[i], (struct slice){packed.data, size}, SIZE, &body, &out, &err), -1);
            assert_int_equal(err.code, ERROR_INVALID);
            buffer_done(&out);
        }
        free((char *)packed.data);
    }
    free(text);
}

static void test_several(void **state)
{
    char *text = malloc(SIZE);
    (void)state;
    memset(text, 'x', SIZE);
    struct slice once = with_zstd(text, SIZE), twice = with_zlib(once.data, once.size, 15 + 16), body;
    struct buffer out;
    struct error err;
    static const char *const right[] = {"zstd, gzip", "zstd,identity ,X-GZIP", ",zstd,, gzip,"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        assert_int_equal(decode(right[i], twice, SIZE, &body, &out, &err), 0);
        assert_int_equal(body.size, SIZE);
        buffer_done(&out);
    }
    assert_int_equal(decode("gzip, zstd", twice, SIZE, &body, &out, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    buffer_done(&out);
    free((char *)once.data);
    free((char *)twice.data);
    free(text);
}

static void test_none(void **state)
{
    static const char *const none[] = {NULL, "", "identity", " Identity , "};
    static const char *const unknown[] = {"compress", "gzipp", "gzip;q=1", "gzip,gzip,gzip,gzip", "zstd,x"};
    struct slice body, in = slice_of("as it is");
    struct buffer out;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(decode(none[i], in, 100, &body, &out, &err), 0);
        assert_ptr_equal(body.data, in.data);
        assert_int_equal(body.size, in.size);
        buffer_done(&out);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(decode(unknown[i], in, 100, &body, &out, &err), -1);
        assert_int_equal(err.code, ERROR_UNSUPPORTED);
        buffer_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_several),
                                       cmocka_unit_test(test_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
