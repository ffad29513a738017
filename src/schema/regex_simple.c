/* Patterns without an engine. */
#include "schema/regex_simple.h"

struct reader {
    const char *at, *end;
};

static void step_add(struct simple_step *step, unsigned char c)
{
    step->ascii[c >> 6] |= 1ULL << (c & 63);
}

static void step_add_range(struct simple_step *step, unsigned char from, unsigned char to)
{
    for (unsigned c = from; c <= to; c++)
        step_add(step, (unsigned char)c);
}

static bool add_escape_class(struct simple_step *step, char c)
{
    if (c == 'd' || c == 'w')
        step_add_range(step, '0', '9');
    if (c == 'w') {
        step_add_range(step, 'a', 'z');
        step_add_range(step, 'A', 'Z');
        step_add(step, '_');
    }
    return c == 'd' || c == 'w';
}

/* The character that an escape outside of classes stands for, or -1. */
static int escaped_char(char c)
{
    if (c && strchr("^$\\.*+?()[]{}|/-", c))
        return c;
    return c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : -1;
}

/* One member of a [class]: a character (returned), an escape class (0x100, added), or -1. */
static int class_atom(struct reader *in, struct simple_step *step)
{
    if (in->at == in->end || (unsigned char)*in->at >= 0x80)
        return -1;
    char c = *in->at++;
    if (c != '\\')
        return c == '[' ? -1 : (unsigned char)c;
    if (in->at == in->end)
        return -1;
    c = *in->at++;
    if (add_escape_class(step, c))
        return 0x100;
    return escaped_char(c);
}

static bool parse_class(struct reader *in, struct simple_step *step)
{
    bool negated = in->at < in->end && *in->at == '^';
    in->at += negated;
    if (in->at == in->end || *in->at == ']')
        return false;
    while (in->at < in->end && *in->at != ']') {
        int from = class_atom(in, step);
        if (from < 0)
            return false;
        bool range = from < 0x100 && in->end - in->at >= 2 && in->at[0] == '-' && in->at[1] != ']';
        if (!range) {
            if (from < 0x100)
                step_add(step, (unsigned char)from);
            continue;
        }
        in->at++;
        int to = class_atom(in, step);
        if (to < from || to >= 0x80)
            return false;
        step_add_range(step, (unsigned char)from, (unsigned char)to);
    }
    if (in->at == in->end)
        return false;
    in->at++;
    if (negated) {
        step->ascii[0] = ~step->ascii[0];
        step->ascii[1] = ~step->ascii[1];
        step->high = true;
    }
    return true;
}

static bool parse_atom(struct reader *in, struct simple_step *step)
{
    char c = *in->at++;
    if ((unsigned char)c >= 0x80 || strchr("^$*+?()|{}]", c))
        return false; /* a NUL as well */
    if (c == '[')
        return parse_class(in, step);
    if (c == '.') {
        step->ascii[0] = ~(1ULL << '\n' | 1ULL << '\r');
        step->ascii[1] = ~0ULL;
        step->high = step->dot = true;
        return true;
    }
    if (c != '\\') {
        step_add(step, (unsigned char)c);
        return true;
    }
    if (in->at == in->end)
        return false;
    c = *in->at++;
    if (add_escape_class(step, c))
        return true;
    int plain = escaped_char(c);
    if (plain < 0)
        return false;
    step_add(step, (unsigned char)plain);
    return true;
}

/* Up to nine digits: more than the engine takes. */
static bool parse_count(struct reader *in, uint32_t *ret_count)
{
    enum { DIGITS_MAX = 9 };
    uint32_t count = 0;
    const char *start = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9' && in->at - start < DIGITS_MAX)
        count = count * 10 + (uint32_t)(*in->at++ - '0');
    *ret_count = count;
    return in->at > start && (in->at == in->end || *in->at < '0' || *in->at > '9');
}

static bool parse_repeat(struct reader *in, struct simple_step *step)
{
    step->min = step->max = 1;
    if (in->at == in->end)
        return true;
    char c = *in->at;
    if (c == '*' || c == '+' || c == '?') {
        in->at++;
        step->min = c == '+';
        step->max = c == '?' ? 1 : UINT32_MAX;
    } else if (c == '{') {
        in->at++;
        if (!parse_count(in, &step->min))
            return false;
        step->max = step->min;
        if (in->at < in->end && *in->at == ',') {
            in->at++;
            step->max = UINT32_MAX;
            if (in->at < in->end && *in->at != '}' && !parse_count(in, &step->max))
                return false;
        }
        if (in->at == in->end || *in->at++ != '}' || step->max < step->min)
            return false;
    } else {
        return true;
    }
    return in->at == in->end || (*in->at != '?' && *in->at != '+' && *in->at != '*' && *in->at != '{');
}

static bool overlap(const struct simple_step *a, const struct simple_step *b)
{
    return (a->ascii[0] & b->ascii[0]) || (a->ascii[1] & b->ascii[1]) || (a->high && b->high);
}

static bool is_fixed(const struct simple_step *step)
{
    return step->min == step->max;
}

/* Taking as many characters as each step can is right if no step could take what a later one needs: a step of
 * variable length must not overlap with anything that may stand right behind it. */
static bool never_goes_back(const struct simple_pattern *pattern)
{
    for (uint32_t i = 0; i < pattern->step_count; i++) {
        const struct simple_step *step = &pattern->steps[i];
        if (is_fixed(step))
            continue;
        for (uint32_t j = i + 1; j < pattern->step_count; j++) {
            if (overlap(step, &pattern->steps[j]))
                return false;
            if (pattern->steps[j].min > 0)
                break;
        }
    }
    return true;
}

static bool single_char(const struct simple_step *step, char *ret_char)
{
    int bits = __builtin_popcountll(step->ascii[0]) + __builtin_popcountll(step->ascii[1]);
    if (bits != 1 || step->high || step->min != 1 || step->max != 1)
        return false;
    *ret_char =
        step->ascii[0] ? (char)__builtin_ctzll(step->ascii[0]) : (char)(64 + __builtin_ctzll(step->ascii[1]));
    return true;
}

static bool as_literal(struct simple_pattern *pattern, bool from_start, struct arena *arena)
{
    char *text = arena_alloc(arena, SIMPLE_STEPS_MAX);
    for (uint32_t i = 0; i < pattern->step_count; i++) {
        if (!single_char(&pattern->steps[i], &text[i]))
            return false;
    }
    pattern->literal = (struct slice){text, pattern->step_count};
    if (from_start)
        pattern->kind = pattern->to_end ? SIMPLE_EQUALS : SIMPLE_PREFIX;
    else
        pattern->kind = pattern->to_end ? SIMPLE_SUFFIX : SIMPLE_CONTAINS;
    if (pattern->step_count == 0 && pattern->kind != SIMPLE_EQUALS)
        pattern->kind = SIMPLE_ALWAYS;
    return true;
}

/* Bytes of characters from U+0080 count as taken one by one: no step takes only some of those characters, but
 * for "." whose characters are looked at by themselves. */
static void tabulate(struct simple_pattern *pattern, struct arena *arena)
{
    uint32_t *takes = arena_zalloc(arena, 256 * sizeof *takes);
    for (uint32_t i = 0; i < pattern->step_count; i++) {
        const struct simple_step *step = &pattern->steps[i];
        for (int half = 0; half < 2; half++) {
            for (uint64_t bits = step->ascii[half]; bits; bits &= bits - 1)
                takes[64 * half + __builtin_ctzll(bits)] |= 1U << i;
        }
        for (int byte = 0x80; byte < 0x100 && step->high; byte++)
            takes[byte] |= 1U << i;
        pattern->size_min += step->min;
    }
    pattern->takes = takes;
}

bool simple_parse(struct slice pattern, struct arena *arena, struct simple_pattern *ret_pattern)
{
    struct reader in = {pattern.data, pattern.data + pattern.size};
    memset(ret_pattern, 0, sizeof *ret_pattern);
    bool from_start = pattern.size > 0 && *in.at == '^';
    in.at += from_start;
    while (in.at < in.end) {
        if (*in.at == '$' && in.at + 1 == in.end) {
            ret_pattern->to_end = true;
            break;
        }
        if (ret_pattern->step_count == SIMPLE_STEPS_MAX)
            return false;
        struct simple_step *step = &ret_pattern->steps[ret_pattern->step_count++];
        if (!parse_atom(&in, step) || !parse_repeat(&in, step))
            return false;
    }
    if (as_literal(ret_pattern, from_start, arena))
        return true;
    /* What may match nothing at the end of an open pattern asks for nothing. */
    while (!ret_pattern->to_end && ret_pattern->step_count &&
           ret_pattern->steps[ret_pattern->step_count - 1].min == 0)
        ret_pattern->step_count--;
    if (ret_pattern->step_count == 0) {
        ret_pattern->kind = SIMPLE_ALWAYS;
        return true;
    }
    ret_pattern->kind = SIMPLE_STEPS;
    if (!from_start || !never_goes_back(ret_pattern))
        return false;
    tabulate(ret_pattern, arena);
    return true;
}

static bool is_separator(const unsigned char *at, const unsigned char *end)
{
    return end - at >= 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9);
}

/* One character that the step accepts: the bytes it takes, else 0. */
static inline size_t step_take(const struct simple_step *step, const unsigned char *at,
                               const unsigned char *end)
{
    if (*at < 0x80)
        return step->ascii[*at >> 6] >> (*at & 63) & 1;
    if (!step->high || (step->dot && is_separator(at, end)))
        return 0;
    return *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
}

/* A fixed number of ASCII characters: no branch for each. */
static const unsigned char *take_fixed(const uint32_t *takes, uint32_t bit, uint32_t count,
                                       const unsigned char *at, const unsigned char *end)
{
    if ((size_t)(end - at) < count)
        return NULL;
    uint32_t all = bit;
    for (const unsigned char *to = at + count; at < to; at++)
        all &= takes[*at];
    return all ? at : NULL;
}

/* From `min` to `max` characters, each looked at by itself. */
static const unsigned char *take_characters(const struct simple_step *step, const unsigned char *at,
                                            const unsigned char *end)
{
    uint32_t taken = 0;
    for (size_t size; taken < step->max && at < end && (size = step_take(step, at, end)); taken++)
        at += size;
    return taken < step->min ? NULL : at;
}

/* What the step takes: where that ends, or NULL. */
static inline const unsigned char *step_run(const struct simple_pattern *pattern, uint32_t number,
                                            const unsigned char *at, const unsigned char *end)
{
    const struct simple_step *step = &pattern->steps[number];
    const uint32_t *takes = pattern->takes;
    uint32_t bit = 1U << number;
    bool is_open = step->max == UINT32_MAX;
    if (step->high && (!is_open || step->min > 1 || step->dot))
        return take_characters(step, at, end);
    if (step->min == step->max)
        return take_fixed(takes, bit, step->min, at, end);
    const unsigned char *start = at;
    if (!is_open && (size_t)(end - at) > step->max)
        end = at + step->max;
    while (at < end && takes[*at] & bit)
        at++;
    return (size_t)(at - start) < step->min ? NULL : at;
}

static bool steps_match(const struct simple_pattern *pattern, struct slice text)
{
    const unsigned char *at = (const unsigned char *)(text.data ? text.data : ""), *end = at + text.size;
    if (text.size < pattern->size_min)
        return false;
    for (uint32_t i = 0; i < pattern->step_count; i++) {
        at = step_run(pattern, i, at, end);
        if (!at)
            return false;
    }
    return !pattern->to_end || at == end;
}

bool simple_match(const struct simple_pattern *pattern, struct slice text)
{
    struct slice literal = pattern->literal;
    switch (pattern->kind) {
    case SIMPLE_ALWAYS:
        return true;
    case SIMPLE_CONTAINS:
        return memmem(text.data, text.size, literal.data, literal.size) != NULL;
    case SIMPLE_PREFIX:
        return text.size >= literal.size && memcmp(text.data, literal.data, literal.size) == 0;
    case SIMPLE_SUFFIX:
        return text.size >= literal.size &&
               memcmp(text.data + text.size - literal.size, literal.data, literal.size) == 0;
    case SIMPLE_EQUALS:
        return slice_equal(text, literal);
    case SIMPLE_STEPS:
        return steps_match(pattern, text);
    }
    return false;
}
