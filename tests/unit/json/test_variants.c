/* Every SIMD variant agrees with the plain parser, node for node: on the conformance data, at every place
 * around block and window borders, on random documents and on damaged ones. */
#include "base/file.h"
#include "test_json.h"
#include "json/parser.h"

#include <dirent.h>

/* One parser a variant; the last is the plain one. */
struct variants {
    struct json_variant all[4];
    struct json_parser *parsers[4];
    size_t count;
};

static struct variants variants_new(struct json_limits limits, enum json_duplicates mode)
{
    struct variants variants = {0};
    variants.count = json_variants(variants.all);
    for (size_t i = 0; i < variants.count; i++) {
        variants.parsers[i] = json_parser_new(limits, mode);
        json_parser_use(variants.parsers[i], variants.all[i]);
    }
    return variants;
}

static void variants_free(struct variants *variants)
{
    for (size_t i = 0; i < variants->count; i++)
        json_parser_free(variants->parsers[i]);
}

/* True if the document is accepted. The source is a heap block of exactly its size. */
static bool agree(struct variants *variants, const char *text, size_t size)
{
    char *source = mem_dup(text, size);
    if (size == 0) { /* mem_dup gives one byte at least */
        free(source);
        source = NULL;
    }
    struct json plain, doc;
    struct error plain_err, err;
    size_t last = variants->count - 1;
    int expected = json_parse(variants->parsers[last], source, size, &plain, &plain_err);
    for (size_t i = 0; i < last; i++) {
        int result = json_parse(variants->parsers[i], source, size, &doc, &err);
        /* The plain parser runs again on what a fast one refuses: ask the fast one. */
        bool refused = variants->parsers[i]->refused;
        if (result != expected || refused != (expected < 0))
            fail_msg("%s %s what the plain parser %s: %.*s", variants->all[i].name,
                     refused ? "refuses" : "accepts", expected < 0 ? "refuses" : "accepts",
                     (int)(size > 2000 ? 2000 : size), text);
        if (expected < 0) {
            assert_string_equal(err.message, plain_err.message);
            continue;
        }
        assert_int_equal(doc.count, plain.count);
        assert_int_equal(doc.duplicates, plain.duplicates);
        if (memcmp(doc.nodes, plain.nodes, doc.count * sizeof *doc.nodes) != 0)
            fail_msg("%s makes other nodes of: %.*s", variants->all[i].name, (int)(size > 2000 ? 2000 : size),
                     text);
    }
    free(source);
    return expected == 0;
}

static void test_conformance(void **state)
{
    (void)state;
    const char *root = getenv("FIRTH_CONFORMANCE");
    root = root ? root : getenv("FIRTH_CONFORMANCE_DEFAULT");
    if (!root)
        fail_msg("FIRTH_CONFORMANCE must name the folder of the conformance data");
    auto_free char *folder_path = mem_printf("%s/JSONTestSuite/test_parsing", root);
    DIR *folder = opendir(folder_path);
    if (!folder) {
        fail_msg("no JSONTestSuite at %s", folder_path);
        return; /* fail_msg does not, but declares it to nobody */
    }
    struct variants variants = variants_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct variants deep = variants_new(
        (struct json_limits){.size_max = 1 << 20, .depth_max = JSON_DEPTH_LIMIT}, JSON_DUPLICATES_REFUSE);
    struct buffer content;
    buffer_init(&content, 1 << 20);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        auto_free char *path = mem_printf("%s/%s", folder_path, entry->d_name);
        struct error err;
        buffer_clear(&content);
        if (file_read(path, 1 << 20, &content, &err) < 0)
            fail_msg("%s", err.message);
        agree(&variants, content.data, content.size);
        agree(&deep, content.data, content.size);
    }
    closedir(folder);
    buffer_done(&content);
    variants_free(&variants);
    variants_free(&deep);
}

/* Pieces that a border must not break: each is put at every place, behind spaces and inside a string. */
static const char *const pieces[] = {
    "{\"key\":\"value\",\"longer key than sixteen bytes\":[1,-2.5,1e5,true,false,null]}",
    "\"\\\\\"",
    "\"\\\"\"",
    "\"\\\\\\\"\"",
    "\"\\\\\\\\\"",
    "\"\\u00e9\\ud83d\\ude00\"",
    "\"a\\\\\\\\\\\\b\"",
    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\xe0\xa0\x80\"",
    "12345678901234567890123456789012345678901234567890",
    "-0.00000000000000000000000000000000000000001e-12",
    "1234567890123456789012345678901",
    "-123456789012345678901234567890",
    "0.123456789012345678901234567890",
    "123456789012345678901234567890.5",
    "true",
    "null",
    "0",
    "-0",
    "{}",
    "[]",
    "{\"\":\"\"}",
    "[[],{}]",
    /* wrong ones */
    "\"\\\\\\\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\ud800\\ud800\"",
    "\"\\x\"",
    "\"\x01\"",
    "\"\x1f\"",
    "\"\xc3\"",
    "\"\xe2\x82\"",
    "\"\xf0\x9f\x98\"",
    "\"\xed\xa0\x80\"",
    "\"\xe0\x9f\xbf\"",
    "\"\xf0\x8f\xbf\xbf\"",
    "\"\xf4\x90\x80\x80\"",
    "\"\xc0\x80\"",
    "\"\xc1\xbf\"",
    "\"\xf5\x80\x80\x80\"",
    "\"\x80\"",
    "\"\xc3\xc3\xa9\"",
    "\"\xff\"",
    "tru",
    "truee",
    "nul",
    "fals",
    "01",
    "-",
    "-a",
    "1.",
    "1.e5",
    "1e",
    "1e+",
    ".5",
    "1.5.5",
    "1\f",
    "1\"a\"",
    "\"a\"1",
    "\"a\"\"b\"",
    "\\",
    "1\\",
    "\x7f",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\" 1}",
    "{1:1}",
    "{,}",
    "[,]",
    "[1,]",
    "[1 2]",
    "{\"a\":1,}",
    "[",
    "{",
    "\"",
    "]",
    "}",
    ":",
    ",",
    "[1}",
    "{\"a\":1]",
    "\x0c",
    "\x1a",
    ("[1\x0c"
     "2]"),
    ("{\"a\"\x1a"
     "1}"),
    "\xef\xbb\xbf",
    "\xc2\xa0",
    "nullnull",
    "--1",
    "-01",
    "1-",
    "00",
    "-00.5",
    "0.",
    "0e",
    "0x1",
    "1_000",
    "+1",
    "Infinity",
    "NaN",
    "'a'",
    "{\"a\":1}}",
    "[]]",
    "1 1",
};

static void test_borders(void **state)
{
    (void)state;
    struct variants variants = variants_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t place = 0; place < 200; place++) {
            for (int shape = 0; shape < 4; shape++) {
                buffer_clear(&text);
                buffer_str(&text, shape == 1 ? "[\"" : shape == 3 ? "{\"" : "");
                for (size_t j = 0; j < place; j++)
                    buffer_byte(&text, shape == 0 || shape == 2 ? ' ' : 'x');
                buffer_str(&text, shape == 1 ? "\"," : shape == 3 ? "\":" : "");
                buffer_str(&text, pieces[i]);
                buffer_str(&text, shape == 1 ? "]" : shape == 3 ? "}" : "");
                for (size_t j = 0; shape == 2 && j < 100; j++)
                    buffer_byte(&text, '\n');
                agree(&variants, text.data, text.size);
            }
        }
    }
    buffer_done(&text);
    variants_free(&variants);
}

/* The same around the border of a window, and strings that span several windows. */
static void test_windows(void **state)
{
    (void)state;
    struct variants variants = variants_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    struct buffer text;
    buffer_init(&text, 1 << 20);
    static const size_t places[] = {JSON_WINDOW - 130, JSON_WINDOW - 70, JSON_WINDOW - 3,
                                    2 * JSON_WINDOW - 40, 4 * JSON_WINDOW - 20};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t place = i % 3; place < 5 * 16; place += 3) {
            buffer_clear(&text);
            buffer_str(&text, "[1,\"\\n\",{\"\\t\":\"\\u0041");
            while (text.size < places[place / 16] + place % 16)
                buffer_byte(&text, 'x');
            buffer_str(&text, "\"},\"\\\\\",");
            buffer_str(&text, pieces[i]);
            buffer_str(&text, ",\"\\n\",{\"a\":[1,2,3]}]");
            agree(&variants, text.data, text.size);
        }
    }
    buffer_done(&text);
    variants_free(&variants);
}

struct random {
    uint64_t state;
};

static uint32_t below(struct random *random, uint32_t limit)
{
    random->state = random->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)((random->state >> 33) % limit);
}

static void space(struct buffer *out, struct random *random)
{
    if (below(random, 8) == 0)
        buffer_append(out, " \n\t\r", below(random, 5));
}

static void random_string(struct buffer *out, struct random *random, uint32_t longest)
{
    static const char *const parts[] = {"a",        "key",
                                        "\xc3\xa9", "\\n",
                                        "\\\\",     "\\\"",
                                        "\\u0041",  "\\ud83d\\ude00",
                                        "{",        "]",
                                        ":",        ",",
                                        " ",        "\xf0\x9f\x98\x80",
                                        "0",        "\xe2\x82\xac",
                                        "/",        "\x7f"};
    buffer_byte(out, '"');
    for (uint32_t i = below(random, below(random, 10) ? 8 : longest); i > 0; i--)
        buffer_str(out, parts[below(random, below(random, 2) ? 2 : sizeof parts / sizeof *parts)]);
    buffer_byte(out, '"');
}

static void random_value(struct buffer *out, struct random *random, uint32_t depth)
{
    static const char *const numbers[] = {
        "0", "-1", "12", "3.25", "1e9", "-0.5E-3", "123456789012345678901234567890123"};
    uint32_t kind = below(random, depth ? 9 : 6), count = below(random, below(random, 20) ? 6 : 80);
    space(out, random);
    if (kind < 2) {
        random_string(out, random, 200);
    } else if (kind < 4) {
        buffer_str(out, numbers[below(random, sizeof numbers / sizeof *numbers)]);
    } else if (kind < 6) {
        buffer_str(out, below(random, 3) ? "true" : below(random, 2) ? "false" : "null");
    } else {
        bool object = kind > 6;
        buffer_byte(out, object ? '{' : '[');
        for (uint32_t i = 0; i < count; i++) {
            if (i)
                buffer_byte(out, ',');
            space(out, random);
            if (object) {
                random_string(out, random, 30);
                space(out, random);
                buffer_byte(out, ':');
            }
            random_value(out, random, depth - 1);
        }
        space(out, random);
        buffer_byte(out, object ? '}' : ']');
    }
    space(out, random);
}

static void test_random(void **state)
{
    (void)state;
    struct variants both[2] = {variants_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS),
                               variants_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_REFUSE)};
    struct random random = {.state = 1};
    struct buffer text;
    buffer_init(&text, 1 << 24);
    size_t accepted = 0, damaged = 0;
    for (int i = 0; i < 4000; i++) {
        buffer_clear(&text);
        random_value(&text, &random, 1 + below(&random, 5));
        accepted += agree(&both[0], text.data, text.size);
        agree(&both[1], text.data, text.size);
        for (int j = 0; j < 5; j++) { /* change, drop or repeat a byte */
            static const char bytes[] = "\"\\{}[]:,0-. \n\x01\x80\xe2u";
            uint32_t at = below(&random, (uint32_t)text.size);
            text.data[at] = bytes[below(&random, sizeof bytes - 1)];
            damaged += agree(&both[0], text.data, text.size - below(&random, 2));
        }
    }
    assert_int_equal(accepted, 4000);
    assert_in_range(damaged, 100, 19000); /* both kinds were there */
    buffer_done(&text);
    variants_free(&both[0]);
    variants_free(&both[1]);
}

static void test_limits(void **state)
{
    (void)state;
    struct variants variants =
        variants_new((struct json_limits){.size_max = 1 << 20, .depth_max = 3, .nodes_max = 100},
                     JSON_DUPLICATES_LAST_WINS);
    struct buffer text;
    buffer_init(&text, 1 << 20);
    assert_true(agree(&variants, "[[[1]]]", 7));
    assert_false(agree(&variants, "[[[[1]]]]", 9));
    for (int elements = 90; elements < 110; elements++) {
        buffer_clear(&text);
        for (int i = 0; i < elements; i++)
            buffer_str(&text, i ? ",7" : "[7");
        buffer_byte(&text, ']');
        assert_int_equal(agree(&variants, text.data, text.size), elements < 100);
    }
    buffer_clear(&text);
    buffer_str(&text, "[");
    while (text.size < 500000)
        buffer_str(&text, "1,");
    buffer_str(&text, "1]");
    assert_false(agree(&variants, text.data, text.size));
    buffer_done(&text);
    variants_free(&variants);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conformance), cmocka_unit_test(test_borders), cmocka_unit_test(test_windows),
        cmocka_unit_test(test_random),      cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
