/* Files' records: whatever the bytes come in, and from every place between two records the rest is the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/files/charset.h"
#include "connectors/files/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

/* --- bytes of memory, a few at a time ----------------------------------------------------------------------
 */

struct memory {
    struct slice bytes;
    size_t piece;
};

struct memory_input {
    struct files_input input;
    struct slice left;
    size_t piece;
};

static int64_t memory_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct memory_input *self = (struct memory_input *)input;
    (void)err;
    size_t count = self->left.size < size ? self->left.size : size;
    if (count > self->piece)
        count = self->piece;
    if (count)
        memcpy(bytes, self->left.data, count);
    self->left = (struct slice){self->left.data + count, self->left.size - count};
    return (int64_t)count;
}

static void memory_close(struct files_input *input)
{
    free(input);
}

static struct files_input *memory_open(void *context, uint64_t offset, struct error *err)
{
    const struct memory *memory = context;
    (void)err;
    assert_true(offset <= memory->bytes.size);
    struct memory_input *self = mem_zalloc(sizeof *self);
    self->input = (struct files_input){memory_read, memory_close};
    self->left = (struct slice){memory->bytes.data + offset, memory->bytes.size - offset};
    self->piece = memory->piece;
    return &self->input;
}

static void count_skipped(void *context, const struct error *why)
{
    assert_true(strstr(why->message, "line ") != NULL);
    ++*(int *)context;
}

/* From a place on: all records, each followed by a line end; an error's message behind a '!'. */
static char *read_from(const char *name, struct slice bytes, size_t piece, const struct files_format *format,
                       struct files_place place, struct files_place *places, size_t most, int *skipped)
{
    struct memory memory = {bytes, piece};
    const struct files_opener opener = {memory_open, NULL, &memory, name};
    struct buffer out;
    struct error err;
    struct files_record record;
    int got;
    buffer_init(&out, BUFFER_UNLIMITED);
    struct files_reader *reader =
        files_reader_open(&opener, format, (struct firth_slice){0}, place, count_skipped, skipped, &err);
    if (!reader) {
        buffer_printf(&out, "!%s", err.message);
        return buffer_steal(&out);
    }
    size_t count = 0;
    while ((got = files_reader_next(reader, &record, &err)) > 0) {
        buffer_printf(&out, "%.*s\n", (int)record.json.size, record.json.data);
        assert_int_equal(record.number + 1, files_reader_place(reader).records);
        if (places && count < most)
            places[count] = files_reader_place(reader);
        count++;
    }
    if (got < 0)
        buffer_printf(&out, "!%s", err.message);
    files_reader_close(reader);
    return buffer_steal(&out);
}

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct {
    const char *name;
    struct slice bytes;
    const char *records;
} files[] = {
    {"a.jsonl", BYTES("{\"a\":1}\n\n  \r\n{\"a\":\"x\\ny\"}\r\n{\"a\":1.50}"),
     "{\"a\":1}\n{\"a\":\"x\\ny\"}\n{\"a\":1.50}\n"},
    {"a.json", BYTES("[{\"a\":[1,{\"b\":\"}]\"}]},\n {\"c\":2}]\n"),
     "{\"a\":[1,{\"b\":\"}]\"}]}\n{\"c\":2}\n"},
    {"a.json", BYTES("{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n"), "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n"},
    {"a.json", BYTES("{\"a\":1}\n{\"a\":2}\n"), "{\"a\":1}\n{\"a\":2}\n"},
    {"a", BYTES("{\"a\":1}"), "{\"a\":1}\n"},
    {"a.csv", BYTES("\xef\xbb\xbfid,t\n1,\"x\ny\"\n2,\"\"\n3,\n"), "{\"id\":1,\"t\":\"x\ny\"}\n"},
    {"b.csv", BYTES("1,2\n3,4\n"), "{\"f0\":1,\"f1\":2}\n{\"f0\":3,\"f1\":4}\n"},
    {"c.csv", BYTES("id,id,\n1,2,3\n"), "{\"id\":1,\"id_2\":2,\"column_3\":3}\n"},
    {"u16.csv", BYTES("\xff\xfei\0d\0,\0t\0\n\0001\0,\0\xe4\0\n\0"), "{\"id\":1,\"t\":\"\xc3\xa4\"}\n"},
    {"latin.csv", BYTES("id,t\n1,\xe4\x80\n"), "{\"id\":1,\"t\":\"\xc3\xa4\xe2\x82\xac\"}\n"},
    {"empty.csv", BYTES(""), ""},
    {"empty.jsonl", BYTES(""), ""},
    {"excel.csv", BYTES("sep=;\r\nid;t\r\n1;\"a;b\"\r\n2;x,y,z\r\n"),
     "{\"id\":1,\"t\":\"a;b\"}\n{\"id\":2,\"t\":\"x,y,z\"}\n"},
    {"sep.csv", BYTES("sep=,b\n1,2\n"), "{\"sep=\":1,\"b\":2}\n"},
    {"header.csv", BYTES("a,b\n"), ""},
};

/* The whole, a byte at a time, and from each place. */
static void check_file(const char *name, struct slice bytes, const char *records)
{
    enum { MOST = 8 };
    struct files_format format = FILES_FORMAT_DEFAULT;
    struct files_place places[MOST] = {0};
    static const size_t pieces[] = {1, 3, 1 << 20};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        char *whole = read_from(name, bytes, pieces[p], &format, (struct files_place){0}, places, MOST, NULL);
        if (records)
            assert_string_equal(whole, records);
        assert_null(strchr(whole, '!'));
        for (size_t i = 0; i < MOST && places[i].records; i++) {
            char *rest = read_from(name, bytes, pieces[p], &format, places[i], NULL, 0, NULL);
            size_t size = strlen(rest);
            assert_true(size < strlen(whole));
            assert_string_equal(whole + strlen(whole) - size, rest);
            free(rest);
        }
        free(whole);
    }
}

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bool csv_with_breaks = strcmp(files[i].name, "a.csv") == 0;
        check_file(files[i].name, files[i].bytes, csv_with_breaks ? NULL : files[i].records);
    }
}

static void test_values_of_csv(void **state)
{
    struct files_format format = FILES_FORMAT_DEFAULT;
    (void)state;
    char *text = read_from("a.csv", files[5].bytes, 7, &format, (struct files_place){0}, NULL, 0, NULL);
    assert_string_equal(text, "{\"id\":1,\"t\":\"x\\ny\"}\n{\"id\":2,\"t\":\"\"}\n{\"id\":3,\"t\":null}\n");
    free(text);
}

static void test_zstd(void **state)
{
    static const char text[] = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    char packed[256];
    (void)state;
    size_t half = ZSTD_compress(packed, sizeof packed, text, 16, 3);
    size_t size = half + ZSTD_compress(packed + half, sizeof packed - half, text + 16, sizeof text - 17, 3);
    check_file("a.jsonl.zst", (struct slice){packed, size}, text); /* two frames */
    struct files_format format = FILES_FORMAT_DEFAULT;
    char *cut = read_from("a.jsonl", (struct slice){packed, size - 1}, 5, &format, (struct files_place){0},
                          NULL, 0, NULL);
    assert_non_null(strstr(cut, "ends too early"));
    free(cut);
}

static void test_bad_records(void **state)
{
    static const struct {
        const char *name, *text, *says, *left;
    } cases[] = {
        {"a.jsonl", "{\"a\":1}\n{\"a\":\n{\"a\":3}\n", "line 2", "{\"a\":1}\n{\"a\":3}\n"},
        {"a.jsonl", "{\"a\":1}\n[2]\n{\"a\":3}\n", "line 2: a record must be an object, but this is an array",
         "{\"a\":1}\n{\"a\":3}\n"},
        {"a.json", "[{\"a\":1},\n7,\n{\"a\":3}]", "line 2: a record must be an object, but this is a number",
         "{\"a\":1}\n{\"a\":3}\n"},
        {"a.csv", "id,t\n1,x\n2\n3,z\n", "line 3 has 1 field, but there are 2 columns",
         "{\"id\":1,\"t\":\"x\"}\n{\"id\":3,\"t\":\"z\"}\n"},
        {"a.csv", "id,t\n1,x\n2,\"y\"y\n3,z\n", "line 3: text behind a closing quote",
         "{\"id\":1,\"t\":\"x\"}\n{\"id\":3,\"t\":\"z\"}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct files_format format = FILES_FORMAT_DEFAULT;
        int skipped = 0;
        char *text = read_from(cases[i].name, slice_of(cases[i].text), 4, &format, (struct files_place){0},
                               NULL, 0, &skipped);
        char *error = strchr(text, '!');
        assert_non_null(error);
        if (!strstr(error, cases[i].says))
            fail_msg("%s, not %s", error, cases[i].says);
        free(text);
        format.skip_bad = true;
        text = read_from(cases[i].name, slice_of(cases[i].text), 4, &format, (struct files_place){0}, NULL, 0,
                         &skipped);
        assert_string_equal(text, cases[i].left);
        assert_int_equal(skipped, 1);
        free(text);
    }
}

/* Wherever the head is cut, a charset is the same. */
static void test_cut_charsets(void **state)
{
    static const struct {
        const char *text;
        enum files_charset charset;
    } cases[] = {
        {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", FILES_UTF8},
        {"a\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd", FILES_UTF8},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", FILES_UTF8},
        {"\xe4"
         "b\xe4\xf6\xfc\x80 \xdf",
         FILES_WINDOWS1252},
        {"\xc3\xa9\xe9 \xc3\xa9\xc3\xa9", FILES_UTF8}, /* one byte is damaged */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t size = 2; size <= strlen(cases[i].text); size++) {
            if (i != 4 || size < 4 || size > 5) /* as many wrong as right */
                assert_int_equal(files_charset_detect(cases[i].text, size, false), cases[i].charset);
        }
        assert_int_equal(files_charset_detect(cases[i].text, strlen(cases[i].text), true), cases[i].charset);
    }
    assert_int_equal(files_charset_detect("caf\xe9", 4, true), FILES_WINDOWS1252);
    assert_int_equal(files_charset_detect("\xc3\xa9 caf\xe9", 7, true), FILES_UTF8); /* still being written */
}

/* Text that is longer than a head: `count` numbers, each between these. */
static char *long_text(const char *begin, const char *before, const char *behind, size_t count)
{
    struct buffer out;
    buffer_init(&out, BUFFER_UNLIMITED);
    buffer_str(&out, begin);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%zu%s", before, i, behind);
    return buffer_steal(&out);
}

static char *read_text(const char *name, const char *text, size_t piece)
{
    struct files_format format = FILES_FORMAT_DEFAULT;
    return read_from(name, slice_of(text), piece, &format, (struct files_place){0}, NULL, 0, NULL);
}

/* A head that is cut: within characters, and within a row that is longer; what comes in whatever pieces. */
static void test_cut_heads(void **state)
{
    static const char *const begins[] = {"a,b\n", "aa,b\n", "aaa,b\n", "aaaa,b\n"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char *csv = long_text(begins[i], "", ",\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\n", 25000);
        char *whole = read_text("a.csv", csv, 1 << 20), *pieces = read_text("a.csv", csv, 70001);
        assert_non_null(strstr(whole, "\"b\":\"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd\"}\n"));
        assert_string_equal(whole, pieces);
        free(pieces);
        free(whole);
        free(csv);
    }
    /* One record, of which the head has a part; the second shows how it was taken. */
    char *json = long_text("{\"a\":\"", "", " \xc3\xa9\xc3\xa9\xc3\xa9 ", 40000),
         *wide = long_text("id", ";c", "", 60000), *more = mem_printf("%s\"}\n{\"a\":\"\xc3\xa9\"}\n", json);
    char *records = read_text("a", more, 1 << 20);
    assert_string_equal(records, more);
    free(records);
    records = read_text("a.csv", wide, 1 << 20);
    assert_non_null(strstr(records, "more than 16384 columns"));
    free(records);
    free(more);
    free(json);
    free(wide);
    /* What is seen to be no UTF-8 only behind the head is told. */
    char *late = long_text("a;b\n", "", ";x\n", 50000);
    more = mem_printf("%s1;\xe9\n", late);
    records = read_text("a.csv", more, 1 << 20);
    assert_non_null(strstr(records, "!line 50002: bytes that are not UTF-8; name the file's encoding"));
    free(records);
    free(more);
    free(late);
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(files_kind_of_name("a/b.JSONL.gz"), FILES_JSON_LINES);
    assert_int_equal(files_kind_of_name("x.csv.zst"), FILES_CSV);
    assert_int_equal(files_kind_of_name("x.parquet"), FILES_PARQUET);
    assert_int_equal(files_kind_of_name("csv"), FILES_ANY_KIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),        cmocka_unit_test(test_values_of_csv),
        cmocka_unit_test(test_zstd),         cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_cut_charsets), cmocka_unit_test(test_cut_heads),
        cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
