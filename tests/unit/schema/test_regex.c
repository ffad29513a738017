/* Patterns: what ECMA-262 means by them, with and without the engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "schema/regex.h"

struct match {
    const char *pattern, *text;
    bool expected;
    bool simple; /* needs no engine */
};

static const struct match matches[] = {
    {"", "", true, true},
    {".*", "a\nb", true, true},
    {"a*", "", true, true},
    {"^.{0,100000}$", "abc", true, true}, /* more than PCRE2 takes */
    {"^.{70000,}$", "abc", false, true},
    {"^a{3}b{2,3}$", "aaabbbb", false, true},
    {"foo", "a foo b", true, true},
    {"foo", "a fo b", false, true},
    {"^x-", "x-y", true, true},
    {"^x-", "ax-", false, true},
    {"y$", "xy", true, true},
    {"y$", "xy\n", false, true},
    {"^abc$", "abc", true, true},
    {"^abc$", "abcd", false, true},
    {"^$", "", true, true},
    {"^$", "a", false, true},
    {"^a\\.b$", "a.b", true, true},
    {"^a\\.b$", "axb", false, true},
    {"^[A-Z]{2}[0-9]{4}$", "AB1234", true, true},
    {"^[A-Z]{2}[0-9]{4}$", "AB123", false, true},
    {"^[A-Z]{2}[0-9]{4}$", "AB12345", false, true},
    {"^\\d{4}-\\d{2}-\\d{2}", "2026-11-21T", true, true},
    {"^\\d+$", "12\xd9\xa3", false, true},
    {"^[a-z0-9_]+$", "a_1", true, true},
    {"^[a-z0-9_]+$", "", false, true},
    {"^[a-z0-9_]+$", "a-b", false, true},
    {"^[^/]+$", "\xc3\xa4\xf0\x9f\x98\x80", true, true},
    {"^[^/]{2}$", "\xc3\xa4\xf0\x9f\x98\x80", true, true},
    {"^[^/]{2}$", "\xc3\xa4", false, true},
    {"^.{1,3}$", "\xc3\xa4\xc3\xa4\xc3\xa4", true, true},
    {"^.{1,3}$", "abcd", false, true},
    {"^.{1,3}$", "a\n", false, true},
    {"^.$", "\xe2\x80\xa8", false, true},
    {"^[a-z]+-[0-9]*$", "abc-", true, true},
    {"^[a-z]+(-[a-z]+)*$", "a-b-c", true, false},
    {"^[a-z]*a$", "bba", true, false}, /* would have to go back */
    {"^[a-z]*a?$", "bba", true, false},
    {"^a?b?c$", "c", true, true},
    {"^\\S+$", "a\xc2\xa0", false, false},
    {"^\\s+$", "\xe2\x80\xa8\xef\xbb\xbf\xe3\x80\x80", true, false},
    {"^\\w+$", "\xc3\xa4", false, true},
    {"^(foo|bar)$", "bar", true, false},
    {"^\\cI$", "\t", true, false},
    {"^\\u00e4$", "\xc3\xa4", true, false},
    {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", true, false},
    {"^\\u{1F600}$", "\xf0\x9f\x98\x80", true, false},
    {"^\\p{Letter}+$", "\xc3\xa4\xce\xb1", true, false},
    {"^\\p{Script=Greek}+$", "\xce\xb1", true, false},
    {"^\\p{Script=Greek}+$", "a", false, false},
    {"^\\p{Assigned}\\P{Assigned}$", "a\xcd\xb8", true, false},
    {"^\\p{LC}\\p{Emoji}\\p{scx=Deva}$", "a\xf0\x9f\x98\x80\xe0\xa5\xa4", true, false},
    {"^\\u{00000041}$", "A", true, false},
    {"^(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10\\1$", "abcdefghijja", true, false},
    {"^\\P{L}$", "1", true, false},
    {"^[^]$", "\n", true, false},
    {"[]", "", false, false},
    {"^[[a]$", "[", true, false},
    {"^[\\w-]+$", "a-b", true, true},
    {"^a{,2}$", "a{,2}", true, false},
    {"\\bfoo\\b", "a foo", true, false},
    {"^(?<x>a)\\k<x>$", "aa", true, false},
    {"^(?P<x>a)$", "a", true, false},
    {"^(?!a)b", "b", true, false},
    {"(?<=a)b", "ab", true, false},
    {"(?<=a)b", "cb", false, false},
    {"^(?i)abc$", "ABC", true, false},
    {"^\\v$", "\v", true, false},
    {"^[\\d.]+$", "1.2", true, true},
    {"^a\\/b$", "a/b", true, true},
    {"^.+$", "", false, true},
    {"\\$", "a$", true, true},
    {"^[\\s-x]+$", "- x", true, false},
    {"^[x-\\s]+$", "x- ", true, false},
    {"^[\\S]+$", "a", true, false},
    /* Beyond U+00FF, \W and \D in a class that is negated and has a property */
    {"^[^\\W\\p{ASCII}]", "\xe2\x84\xaa", false, false},
    {"^[^\\W\\p{ASCII}]", "\xe2\x80\xa8", false, false},
    {"^[^\\W\\p{Lu}]$", "\xe4\xb8\xad", false, false},
    {"^[^\\W\\p{Lu}]$", "a", true, false},
    {"^[^\\-\\p{Zs}\\W]", "\xe4\xb8\xad", false, false},
    {"^[^\\0\\p{Script=Greek}\\D]", "\xe4\xb8\xad", false, false},
    {"^[^\xe3\x80\x80\\D\\p{White_Space}]", "\xe4\xb8\xad", false, false},
    {"^[^\xe3\x80\x80\\D\\p{White_Space}]", "7", true, false},
    {"^[\\W\\p{Lu}]$", "\xe4\xb8\xad", true, false},
    {"^[\\D\\p{Lu}]$", "7", false, false},
    {"^[\\W]$", "\xe2\x84\xaa", true, false},
    {"^(?i)[\\W]$", "k", false, false},
    {"^(?i:[\\W])$", "S", false, false},
    {"^(?i)[^\\W\\p{Zs}]$", "k", true, false},
    {"^(?:(?i)x)[^\\W]$", "\xe2\x84\xaa", false, false},
    {"^(?i:(?-i:[\\W]))$", "\xe2\x84\xaa", true, false},
    {"^(?i:(?-i)[\\W])[\\W]$", "\xe2\x84\xaa\xe2\x84\xaa", true, false},
    {"^(?i:a)(?:[\\W])$", "A\xe2\x84\xaa", true, false},
    /* Not POSIX's */
    {"[.a.]", ".", true, false},
    {"^[.a-z.](b|c)", "qc", true, false},
    {"[=a=]", "=", true, false},
    {"[=a=]", "b", false, false},
    {"x[:alnum:]+x?", "xn", true, false},
    {"x[:alnum:]+x?", "xb", false, false},
    {"^(?:[:alnum:]+)$", ":alum:", true, false},
    {"^[^:alpha:]+$", "bcd", true, true},
    {"^(?:[:<:]a|[:-<])$", ";", true, false},
    {"^[[:<:]]$", "<]", true, false},
    {"^[:^word:]$", "^", true, true},
    /* A group that has not matched is matched by nothing, repeated too */
    {"^(a)?\\1+b", "b", true, false},
    {"^(a)?\\1{2}b", "b", true, false},
    {"^(a)?\\1{2}b$", "aab", false, false},
    {"^(a)?\\1{2}b$", "aaab", true, false},
    {"^(?:(a)|b)\\1+c", "bc", true, false},
    {"\\1+(a)", "a", true, false},
    {"^((\\1{1,}))$", "", true, false},
    {"^(?<x>a)?\\k<x>+b", "b", true, false},
    {"^(?P<x>a)?(?P=x)+b", "b", true, false},
    {"^(?P<x>a)(?P=x)*?b", "aaab", true, false},
    {"^(a)\\1{,2}$", "aa{,2}", true, false},
};

static void test_matches(void **state)
{
    (void)state;
    struct regex_scratch *scratch = regex_scratch_new();
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        const struct match *m = &matches[i];
        struct error err;
        struct regex *regex = regex_compile(slice_of(m->pattern), &err);
        if (!regex)
            fail_msg("%s: %s", m->pattern, err.message);
        if (regex_match(regex, scratch, slice_of(m->text)) != m->expected)
            fail_msg("%s should %smatch \"%s\"", m->pattern, m->expected ? "" : "not ", m->text);
        if (regex_is_simple(regex) != m->simple)
            fail_msg("%s should %sbe simple", m->pattern, m->simple ? "" : "not ");
        regex_free(regex);
    }
    regex_scratch_free(scratch);
}

static bool is_ecma_space(uint32_t code)
{
    static const uint32_t spaces[] = {0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x20,   0xa0,   0x1680, 0x2028,
                                      0x2029, 0x202f, 0x205f, 0x3000, 0xfeff, 0x2000, 0x2001, 0x2002, 0x2003,
                                      0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a};
    bool is_space = false;
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        is_space |= spaces[i] == code;
    return is_space;
}

/* What a class is made of: white space, all others, and single characters. */
struct space_class {
    const char *pattern;
    bool negated, spaces, others;
    char one;
};

static bool class_has(const struct space_class *class, uint32_t code)
{
    bool has =
        (is_ecma_space(code) ? class->spaces : class->others) || (class->one && code == (uint8_t) class->one);
    return has != class->negated;
}

static void put_code(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_byte(out, (char)code);
    } else if (code < 0x800) {
        buffer_byte(out, (char)(0xc0 | code >> 6));
        buffer_byte(out, (char)(0x80 | (code & 0x3f)));
    } else {
        if (code < 0x10000) {
            buffer_byte(out, (char)(0xe0 | code >> 12));
        } else {
            buffer_byte(out, (char)(0xf0 | code >> 18));
            buffer_byte(out, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        buffer_byte(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buffer_byte(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* White space is ECMA-262's, by itself and in every kind of class, over all characters where it could differ.
 */
static void test_white_space(void **state)
{
    (void)state;
    static const struct space_class classes[] = {
        {"^\\s$", false, true, false, 0},         {"^\\S$", false, false, true, 0},
        {"^[\\s]$", false, true, false, 0},       {"^[\\S]$", false, false, true, 0},
        {"^[^\\s]$", true, true, false, 0},       {"^[^\\S]$", true, false, true, 0},
        {"^[\\s\\S]$", false, true, true, 0},     {"^[\\S\\s]$", false, true, true, 0},
        {"^[^\\s\\S]$", true, true, true, 0},     {"^[\\S\\n]$", false, false, true, '\n'},
        {"^[\\n\\S]$", false, false, true, '\n'}, {"^[a\\S]$", false, false, true, 'a'},
        {"^[\\Sx]$", false, false, true, 'x'},    {"^[^\\Sx]$", true, false, true, 'x'},
        {"^[^\\S\\n]$", true, false, true, '\n'}, {"^[\\S-\\t]$", false, false, true, '\t'},
        {"^[ -\\S]$", false, false, true, ' '},   {"^(?i)[\\S]$", false, false, true, 0},
        {"^(?i)[\\sk]$", false, true, false, 'k'}};
    struct regex_scratch *scratch = regex_scratch_new();
    struct buffer text;
    struct error err;
    size_t wrong = 0;
    buffer_init(&text, 16);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct regex *regex = regex_compile(slice_of(classes[i].pattern), &err);
        if (!regex)
            fail_msg("%s: %s", classes[i].pattern, err.message);
        for (uint32_t code = 0; code <= 0x10ffff; code += code == 0x3010   ? 0xc000
                                                          : code == 0xff10 ? 0x100f0
                                                                           : 1) {
            bool expected = class_has(&classes[i], code),
                 no_case = strstr(classes[i].pattern, "(?i)") != NULL;
            if (no_case && (code == 'K' || code == 0x212a)) /* k and the sign of kelvin */
                continue;
            buffer_clear(&text);
            put_code(&text, code);
            if (regex_match(regex, scratch, (struct slice){text.data, text.size}) == expected)
                continue;
            print_message("%s should %smatch U+%04X\n", classes[i].pattern, expected ? "" : "not ", code);
            wrong++;
        }
        regex_free(regex);
    }
    buffer_done(&text);
    regex_scratch_free(scratch);
    assert_int_equal(wrong, 0);
}

/* What docs/schema.md lists as let through, though ECMA-262 with the u flag has none of it. */
static void test_let_through(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
    } cases[] = {
        {"^{$", "{"},       {"^}$", "}"},        {"^]$", "]"},       {"^a{,2}$", "a{,2}"}, {"^{a}$", "{a}"},
        {"^a\\-b$", "a-b"}, {"^\\@\\ $", "@ "},  {"^[\\w-.]$", "-"}, {"^[a-\\d]$", "-"},   {"^\\00$", NULL},
        {"^(?i)a$", "A"},   {"^(?i:a)b$", "Ab"}, {"^(?-i:a)$", "a"}, {"^(?P<n>a)$", "a"},  {"^[\\@]$", "@"},
    };
    struct regex_scratch *scratch = regex_scratch_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err;
        struct regex *regex = regex_compile(slice_of(cases[i].pattern), &err);
        if (!regex)
            fail_msg("%s: %s", cases[i].pattern, err.message);
        struct slice text = cases[i].text ? slice_of(cases[i].text)
                                          : (struct slice){"\0"
                                                           "0",
                                                           2};
        if (regex_match(regex, scratch, text) != 1)
            fail_msg("%s should match", cases[i].pattern);
        if (regex_is_ecma(slice_of(cases[i].pattern)))
            fail_msg("%s is one of ECMA-262's", cases[i].pattern);
        regex_free(regex);
    }
    regex_scratch_free(scratch);
}

/* Where PCRE2 would take it and ECMA-262 does not, or neither does. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",
                                           "a++",
                                           "*a",
                                           "^*",
                                           "(*ACCEPT)",
                                           "(?R)",
                                           "(?1)",
                                           "(?>a)",
                                           "(?=a)*",
                                           "(?<!a){2}",
                                           "(?<a>x)(?<a>y)",
                                           "\\p{Xan}",
                                           "\\p{L&}",
                                           "\\p{letter}",
                                           "\\p{Greek}",
                                           "(a)\\10",
                                           "\\1",
                                           "(?#a)",
                                           "\\A",
                                           "\\Z",
                                           "\\Qa\\E",
                                           "\\h",
                                           "\\K",
                                           "\\G",
                                           "\\R",
                                           "\\X",
                                           "\\u12",
                                           "\\ud800",
                                           "\\c1",
                                           "\\x1",
                                           "\\p{Foo}",
                                           "\\pL",
                                           "a{2}{3}",
                                           "[b-a]",
                                           "[a",
                                           "\\",
                                           "a{3,2}",
                                           "(?C1)",
                                           "(a)\\k<a",
                                           "(?P<a>a)(?P=a",
                                           "(?P<a>a)(?P=b)",
                                           "(?i)*",
                                           "(?|a)",
                                           "\\g{1}",
                                           "[\\B]"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        struct error err;
        struct regex *regex = regex_compile(slice_of(patterns[i]), &err);
        if (regex)
            fail_msg("%s was accepted", patterns[i]);
        assert_int_equal(err.code, regex_is_ecma(slice_of(patterns[i])) ? ERROR_LIMIT : ERROR_INVALID);
    }
}

/* format "regex": the grammar of ECMA-262 with the u flag, as V8 judges these. */
static const char *const right[] = {"(?:(?=a))*",
                                    "((?=a))*",
                                    "(?=a)b",
                                    "(?<=a.*)b",
                                    "(?<a>x)(?<b>y)",
                                    "(?<$x_1>x)\\k<$x_1>",
                                    "\\k<a>(?<a>x)",
                                    "(?<é>x)\\k<é>",
                                    "(a)\\1",
                                    "\\2(a)(b)",
                                    "\\p{L}",
                                    "\\p{Letter}",
                                    "\\p{gc=Lu}",
                                    "\\p{General_Category=Uppercase_Letter}",
                                    "\\p{LC}",
                                    "\\p{sc=Grek}",
                                    "\\p{Script=Greek}",
                                    "\\p{scx=Latin}",
                                    "\\p{Alphabetic}",
                                    "\\p{Assigned}",
                                    "\\P{Any}",
                                    "\\p{Emoji}",
                                    "\\p{Script=Kawi}",
                                    "a{2}",
                                    "a{2,}",
                                    "a{2,3}",
                                    "a{99999999999999999999}",
                                    "a{2,1000000000000000000000}",
                                    "a??",
                                    "()",
                                    "(?:)",
                                    "a|",
                                    "|b",
                                    "[]",
                                    "[^]",
                                    "[a-z]",
                                    "[\\d-]",
                                    "[-\\d]",
                                    "[\\b]",
                                    "[\\-]",
                                    "[\\0]",
                                    "[[a]",
                                    "[(]",
                                    "[a\\]]",
                                    "[😀-😂]",
                                    "[a-\\u0062]",
                                    "[--a]",
                                    "\\0",
                                    "\\cA",
                                    "\\x41",
                                    "\\u0041",
                                    "\\u{1F600}",
                                    "\\u{0000000041}",
                                    "\\ud83d\\ude00",
                                    "\\ud800",
                                    "\\/",
                                    "/",
                                    "\\.",
                                    "\\f\\n\\r\\t\\v",
                                    "[\\$^]"};
static const char *const wrong[] = {"(?=a)*",
                                    "(?=a)+",
                                    "(?!a)?",
                                    "(?<=a){2}",
                                    "(?=a){2,3}?",
                                    "(?<a>x)(?<a>y)",
                                    "(?<a>x)|(?<a>y)",
                                    "(?<a>x(?<a>y))",
                                    "(?<\\u0061>x)(?<a>y)",
                                    "(?<1a>x)",
                                    "(?<>x)",
                                    "(?<a>x)\\k<b>",
                                    "\\k",
                                    "\\k<a>",
                                    "(?<a😀>x)",
                                    "\\1",
                                    "(a)\\2",
                                    "(a)\\10",
                                    "(?:a)\\1",
                                    "\\p{letter}",
                                    "\\p{L&}",
                                    "\\p{Xan}",
                                    "\\p{Xsp}",
                                    "\\p{Xwd}",
                                    "\\p{Greek}",
                                    "\\p{Script=greek}",
                                    "\\p{bidi_class:al}",
                                    "\\p{gc=Alphabetic}",
                                    "\\p{^L}",
                                    "\\p{ L }",
                                    "\\p{}",
                                    "\\pL",
                                    "\\p",
                                    "\\p{sc=L}",
                                    "a{3,2}",
                                    "a{,2}",
                                    "a{",
                                    "a}",
                                    "{",
                                    "}",
                                    "]",
                                    "a{2}{3}",
                                    "a**",
                                    "a*??",
                                    "*",
                                    "(*)",
                                    "(?)",
                                    "(?i)a",
                                    "(?i:a)",
                                    "(?P<a>x)",
                                    "(?>a)",
                                    "(?#a)",
                                    "(",
                                    ")",
                                    "[a",
                                    "[z-a]",
                                    "[\\d-x]",
                                    "[x-\\d]",
                                    "[\\B]",
                                    "\\-",
                                    "[\\1]",
                                    "[\\k]",
                                    "[b-\\x61]",
                                    "\\b*",
                                    "\\B+",
                                    "^*",
                                    "$?",
                                    "\\00",
                                    "\\c1",
                                    "\\c",
                                    "\\x4",
                                    "\\u004",
                                    "\\u{110000}",
                                    "\\u{}",
                                    "\\a",
                                    "\\e",
                                    "\\z",
                                    "\\A",
                                    "\\_",
                                    "\\ ",
                                    "\\é",
                                    "\\"};

static void test_is_ecma(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        if (!regex_is_ecma(slice_of(right[i])))
            fail_msg("%s was refused", right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (regex_is_ecma(slice_of(wrong[i])))
            fail_msg("%s was accepted", wrong[i]);
    }
}

/* Both matchers must agree on whatever both can run: an alternative that never matches sends the pattern to
 * the engine. */
static void test_simple_agrees_with_engine(void **state)
{
    (void)state;
    static const char *const patterns[] = {"^[a-c]{1,2}b?$", "^a*b+c?$", "^.{2}", "^[^a]*$",
                                           "^\\w\\d?-",      "^a?a$",    "b",     "c$"};
    struct regex_scratch *scratch = regex_scratch_new();
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        struct error err;
        auto_free char *slow_pattern = mem_printf("(?:%s)|(?!)", patterns[p]);
        struct regex *fast = regex_compile(slice_of(patterns[p]), &err);
        struct regex *slow = regex_compile(slice_of(slow_pattern), &err);
        assert_non_null(fast);
        assert_non_null(slow);
        assert_false(regex_is_simple(slow));
        static const char alphabet[] = "abc-1\n\xc3";
        for (unsigned n = 0; n < 7 * 7 * 7 * 7; n++) {
            struct buffer text;
            buffer_init(&text, 64);
            for (unsigned rest = n; rest; rest /= 7) {
                if (rest % 7 == 6)
                    buffer_str(&text, "\xc3\xa4");
                else
                    buffer_byte(&text, alphabet[rest % 7]);
            }
            struct slice slice = {text.data ? text.data : "", text.size};
            if (regex_match(fast, scratch, slice) != regex_match(slow, scratch, slice))
                fail_msg("%s disagrees with the engine on \"%s\"", patterns[p], buffer_cstr(&text));
            buffer_done(&text);
        }
        regex_free(fast);
        regex_free(slow);
    }
    regex_scratch_free(scratch);
}

static void test_catastrophe_is_stopped(void **state)
{
    (void)state;
    struct error err;
    struct regex *regex = regex_compile(SLICE_LITERAL("^(a|a|b?a)+c?(a+)+$"), &err);
    assert_non_null(regex);
    struct regex_scratch *scratch = regex_scratch_new();
    char text[64];
    memset(text, 'a', sizeof text);
    text[63] = '!';
    assert_int_equal(regex_match(regex, scratch, (struct slice){text, sizeof text}), -1);
    /* Within the limit, but not quick. */
    assert_int_equal(regex_match(regex, scratch, SLICE_LITERAL("aaaaaaaaa!")), 0);
    assert_true(regex_was_slow(scratch));
    assert_int_equal(regex_match(regex, scratch, SLICE_LITERAL("aaa!")), 0);
    assert_false(regex_was_slow(scratch));
    assert_true(regex_size(regex) > sizeof(void *));
    regex_free(regex);

    /* The stack (with machine code) and the heap (without) are bounded too: a choice is kept for each
     * character. */
    regex = regex_compile(SLICE_LITERAL("^(?:ab|cd)*e?$"), &err);
    assert_non_null(regex);
    auto_free char *long_text = mem_alloc(8 << 20);
    for (size_t i = 0; i < 8 << 20; i++)
        long_text[i] = "ab"[i % 2];
    assert_int_equal(regex_match(regex, scratch, (struct slice){long_text, 1 << 10}), 1);
    assert_int_equal(regex_match(regex, scratch, (struct slice){long_text, 8 << 20}), -1);
    regex_scratch_free(scratch);
    regex_free(regex);

    auto_free char *huge = mem_alloc(REGEX_PATTERN_MAX + 1);
    memset(huge, 'a', REGEX_PATTERN_MAX + 1);
    assert_null(regex_compile((struct slice){huge, REGEX_PATTERN_MAX + 1}, &err));
    assert_int_equal(err.code, ERROR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_white_space),
        cmocka_unit_test(test_let_through),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_is_ecma),
        cmocka_unit_test(test_simple_agrees_with_engine),
        cmocka_unit_test(test_catastrophe_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
