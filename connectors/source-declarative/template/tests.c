/* Jinja's tests: what stands behind `is`. */
#include "run.h"
#include "unicode.h"

#define TEST(name) \
    static int name(struct run *run, const struct tvalue *v, const struct tvalue *a, bool *ret_truth)

static int remainder_is(struct run *run, const struct tvalue *value, struct tvalue by, int64_t wanted,
                        bool *ret_truth)
{
    struct tvalue rest, expected = tvalue_int(wanted);
    if (run_operate(run, OP_MODULO, value, &by, &rest) < 0)
        return -1;
    *ret_truth = tvalue_equal(run->arena, &rest, &expected);
    return 0;
}

TEST(test_odd)
{
    (void)a;
    return remainder_is(run, v, tvalue_int(2), 1, ret_truth);
}

TEST(test_even)
{
    (void)a;
    return remainder_is(run, v, tvalue_int(2), 0, ret_truth);
}

TEST(test_divisibleby)
{
    return remainder_is(run, v, a[0], 0, ret_truth);
}

/* Tests that only look at the kind. */
#define KIND_TEST(name, truth) \
    TEST(name)                 \
    {                          \
        (void)run, (void)a;    \
        *ret_truth = (truth);  \
        return 0;              \
    }

KIND_TEST(test_defined, v->kind != TVALUE_UNDEFINED)
KIND_TEST(test_undefined, v->kind == TVALUE_UNDEFINED)
KIND_TEST(test_none, v->kind == TVALUE_NONE)
KIND_TEST(test_boolean, v->kind == TVALUE_BOOL)
KIND_TEST(test_false, v->kind == TVALUE_BOOL && !v->boolean)
KIND_TEST(test_true, v->kind == TVALUE_BOOL && v->boolean)
KIND_TEST(test_integer, tvalue_is_integer(v))
KIND_TEST(test_float, v->kind == TVALUE_FLOAT)
KIND_TEST(test_string, v->kind == TVALUE_STRING)
KIND_TEST(test_mapping, tvalue_is_mapping(v))
KIND_TEST(test_number, tvalue_is_number(v))
KIND_TEST(test_escaped, v->kind == TVALUE_STRING && v->flags & TVALUE_SAFE)
KIND_TEST(test_callable, v->kind == TVALUE_FUNCTION || v->kind == TVALUE_METHOD || v->kind == TVALUE_MACRO ||
                             v->kind == TVALUE_LOOP || v->kind == TVALUE_JOINER ||
                             v->kind == TVALUE_UNDEFINED)
KIND_TEST(test_sequence, tvalue_is_sequence(v) || tvalue_is_mapping(v) || v->kind == TVALUE_STRING ||
                             v->kind == TVALUE_BYTES || v->kind == TVALUE_UNDEFINED)

TEST(test_iterable)
{
    (void)a;
    struct titer iter;
    *ret_truth = v->kind == TVALUE_LOOP || titer_init(&iter, run->arena, *v);
    return 0;
}

TEST(test_filter)
{
    (void)a;
    uint64_t hash;
    if (run_key(run, v) < 0)
        return -1;
    if (!tvalue_hash(run->arena, v, &hash))
        return run_type_error(run, "a value of type %s is no name", tvalue_type(v));
    *ret_truth = v->kind == TVALUE_STRING && registry_filter(v->text);
    return 0;
}

TEST(test_test)
{
    (void)a;
    uint64_t hash;
    if (run_key(run, v) < 0)
        return -1;
    if (!tvalue_hash(run->arena, v, &hash))
        return run_type_error(run, "a value of type %s is no name", tvalue_type(v));
    *ret_truth = v->kind == TVALUE_STRING && registry_test(v->text);
    return 0;
}

/* str.islower and str.isupper: there is a letter with case, and none of the other. */
static int all_in_case(struct run *run, const struct tvalue *value, bool upper, bool *ret_truth)
{
    struct tvalue text;
    bool any = false;
    if (run_str_value(run, value, &text) < 0)
        return -1;
    *ret_truth = true;
    for (size_t at = 0, length; at < text.text.size && *ret_truth; at += length) {
        uint32_t code = utf8_decode(text.text.data + at, text.text.size - at, &length);
        bool is_upper = unicode_is_upper(code), is_lower = unicode_is_lower(code);
        any = any || (upper ? is_upper : is_lower);
        *ret_truth = !(upper ? is_lower : is_upper) && !unicode_is_title(code);
    }
    *ret_truth = *ret_truth && any;
    return 0;
}

TEST(test_lower)
{
    (void)a;
    return all_in_case(run, v, false, ret_truth);
}

TEST(test_upper)
{
    (void)a;
    return all_in_case(run, v, true, ret_truth);
}

/* Python's `is`: of None, booleans and small numbers all are the same; of others what is at one place. */
TEST(test_sameas)
{
    (void)run;
    bool same = v->kind == a[0].kind;
    if (same && v->kind == TVALUE_BOOL)
        same = v->boolean == a[0].boolean;
    else if (same && v->kind == TVALUE_INT)
        same = v->integer == a[0].integer && v->integer >= -5 && v->integer <= 256;
    else if (same && v->kind == TVALUE_STRING)
        same = v->text.data == a[0].text.data && v->text.size == a[0].text.size;
    else if (same && (v->kind == TVALUE_JSON_LIST || v->kind == TVALUE_JSON_DICT))
        same = v->doc == a[0].doc && v->at == a[0].at;
    else if (same && v->kind != TVALUE_NONE)
        same = v->pointer == a[0].pointer;
    *ret_truth = same;
    return 0;
}

TEST(test_in)
{
    return run_contains(run, &a[0], v, ret_truth);
}

#define COMPARE_TEST(name, op)                            \
    TEST(name)                                            \
    {                                                     \
        return run_compare(run, op, v, &a[0], ret_truth); \
    }
COMPARE_TEST(test_equal, OP_EQUAL)
COMPARE_TEST(test_unequal, OP_UNEQUAL)
COMPARE_TEST(test_greater, OP_GREATER)
COMPARE_TEST(test_greater_equal, OP_GREATER_EQUAL)
COMPARE_TEST(test_less, OP_LESS)
COMPARE_TEST(test_less_equal, OP_LESS_EQUAL)

static const struct test TESTS[] = {
    {"odd", test_odd, 0, 0},
    {"even", test_even, 0, 0},
    {"divisibleby", test_divisibleby, 1, 1},
    {"defined", test_defined, 0, 0},
    {"undefined", test_undefined, 0, 0},
    {"filter", test_filter, 0, 0},
    {"test", test_test, 0, 0},
    {"none", test_none, 0, 0},
    {"boolean", test_boolean, 0, 0},
    {"false", test_false, 0, 0},
    {"true", test_true, 0, 0},
    {"integer", test_integer, 0, 0},
    {"float", test_float, 0, 0},
    {"lower", test_lower, 0, 0},
    {"upper", test_upper, 0, 0},
    {"string", test_string, 0, 0},
    {"mapping", test_mapping, 0, 0},
    {"number", test_number, 0, 0},
    {"sequence", test_sequence, 0, 0},
    {"iterable", test_iterable, 0, 0},
    {"callable", test_callable, 0, 0},
    {"sameas", test_sameas, 1, 1},
    {"escaped", test_escaped, 0, 0},
    {"in", test_in, 1, 1},
    {"==", test_equal, 1, 1},
    {"eq", test_equal, 1, 1},
    {"equalto", test_equal, 1, 1},
    {"!=", test_unequal, 1, 1},
    {"ne", test_unequal, 1, 1},
    {">", test_greater, 1, 1},
    {"gt", test_greater, 1, 1},
    {"greaterthan", test_greater, 1, 1},
    {"ge", test_greater_equal, 1, 1},
    {">=", test_greater_equal, 1, 1},
    {"<", test_less, 1, 1},
    {"lt", test_less, 1, 1},
    {"lessthan", test_less, 1, 1},
    {"<=", test_less_equal, 1, 1},
    {"le", test_less_equal, 1, 1},
};
enum { TEST_COUNT = sizeof TESTS / sizeof *TESTS };

const struct test *registry_test(struct slice name)
{
    for (size_t i = 0; i < TEST_COUNT; i++) {
        if (slice_is(name, TESTS[i].name))
            return &TESTS[i];
    }
    return NULL;
}

const char *registry_near_test(struct slice name)
{
    const char *names[TEST_COUNT];
    char written[STRING_DISTANCE_MAX];
    for (size_t i = 0; i < TEST_COUNT; i++)
        names[i] = TESTS[i].name;
    if (name.size >= sizeof written)
        return NULL;
    memcpy(written, name.data, name.size);
    written[name.size] = 0;
    return string_nearest(written, names, TEST_COUNT);
}

int run_test(struct run *run, const struct test *test, const struct tvalue *value, const struct call *call,
             bool *ret_truth)
{
    static const char *const NAMES[] = {"value"};
    struct tvalue arguments[1] = {absent()};
    if (run_bind(run, test->name, NAMES, test->count, test->required, call, arguments) < 0)
        return -1;
    return test->function(run, value, arguments, ret_truth);
}

int run_test_named(struct run *run, struct slice name, const struct tvalue *value, const struct call *call,
                   bool *ret_truth)
{
    const struct test *test = registry_test(name);
    if (!test)
        return run_fail(run, "there is no test '%.*s'", SLICE_ARGS(run_shown(run, name)));
    return run_test(run, test, value, call, ret_truth);
}
