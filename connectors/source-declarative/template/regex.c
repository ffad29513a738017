/* Python's re.search and re.sub with PCRE2, whose syntax is nearly the same. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "run.h"

#include <pcre2.h>

enum { PATTERN_MAX = 16 << 10, MATCH_LIMIT = 1000000, HEAP_LIMIT_KIB = 16 << 10, GROUPS_MAX = 100 };

struct regex_run {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

static void regex_done(struct regex_run *regex)
{
    pcre2_match_context_free(regex->context);
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
}

/* What Python writes differently: \Z is the very end. */
static struct slice translate(struct run *run, struct slice pattern)
{
    char *copy = arena_dup(run->arena, pattern.data, pattern.size);
    for (size_t i = 0; i + 1 < pattern.size; i++) {
        if (copy[i] != '\\')
            continue;
        if (copy[i + 1] == 'Z')
            copy[i + 1] = 'z';
        i++;
    }
    return (struct slice){copy, pattern.size};
}

static int compile(struct run *run, struct slice pattern, struct regex_run *regex)
{
    int code;
    PCRE2_SIZE offset;
    if (pattern.size > PATTERN_MAX)
        return run_limit(run, "a pattern of %zu bytes; %d are the most", pattern.size, PATTERN_MAX);
    struct slice translated = translate(run, pattern);
    *regex = (struct regex_run){0};
    regex->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.size, PCRE2_UTF | PCRE2_UCP, &code,
                                &offset, NULL);
    if (!regex->code)
        return run_fail(run, "a pattern is not valid, at its byte %zu", (size_t)offset + 1);
    regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    regex->context = pcre2_match_context_create(NULL);
    if (!regex->data || !regex->context) {
        regex_done(regex);
        return run_limit(run, "there is no memory for a pattern");
    }
    pcre2_set_match_limit(regex->context, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->context, HEAP_LIMIT_KIB);
    return 0;
}

/* 1 found, 0 not, -1 a limit. */
static int find(struct run *run, const struct regex_run *regex, struct slice text, size_t at,
                uint32_t options)
{
    int found = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.size, at, options | PCRE2_NO_UTF_CHECK,
                            regex->data, regex->context);
    if (found == PCRE2_ERROR_NOMATCH)
        return 0;
    return found < 0 ? run_limit(run, "a pattern takes too long for its text") : 1;
}

static struct slice group_of(const struct regex_run *regex, struct slice text, uint32_t group)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->data);
    if (group >= pcre2_get_ovector_count(regex->data) || ends[2 * group] == PCRE2_UNSET)
        return (struct slice){"", 0};
    return (struct slice){text.data + ends[2 * group], ends[2 * group + 1] - ends[2 * group]};
}

static uint32_t group_count(const struct regex_run *regex)
{
    uint32_t count = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

int run_regex_search(struct run *run, struct slice text, struct slice pattern, struct tvalue *ret_value)
{
    struct regex_run regex;
    if (compile(run, pattern, &regex) < 0)
        return -1;
    int found = find(run, &regex, text, 0, 0);
    *ret_value = tvalue_string(SLICE_LITERAL(""));
    if (found == 1 && group_count(&regex) > 0) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex.data);
        *ret_value = pcre2_get_ovector_count(regex.data) > 1 && ends[2] != PCRE2_UNSET
                         ? tvalue_string(group_of(&regex, text, 1))
                         : tvalue_none();
    }
    regex_done(&regex);
    return found < 0 ? -1 : 0;
}

/* \1, \g<1>, \g<name>; false if there is no such group. */
static bool put_group(struct ttext *out, const struct regex_run *regex, struct slice text, struct slice name)
{
    char copy[64];
    uint32_t group = 0;
    if (name.size == 0 || name.size >= sizeof copy)
        return false;
    memcpy(copy, name.data, name.size);
    copy[name.size] = 0;
    bool digits = strspn(copy, "0123456789") == name.size;
    if (digits) {
        group = (uint32_t)strtoul(copy, NULL, 10);
    } else {
        int number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)copy);
        if (number < 0)
            return false;
        group = (uint32_t)number;
    }
    if (group > group_count(regex))
        return false;
    ttext_slice(out, group_of(regex, text, group));
    return true;
}

/* Behind the backslash at `at`; 0 if the escape is none of Python's. */
static size_t put_escape(struct ttext *out, const struct regex_run *regex, struct slice text,
                         struct slice replacement, size_t at)
{
    static const char LETTERS[] = "abfnrtv\\", MEANINGS[] = "\a\b\f\n\r\t\v\\";
    char byte = replacement.data[at];
    const char *known = byte ? strchr(LETTERS, byte) : NULL;
    if (known) {
        ttext_byte(out, MEANINGS[known - LETTERS]);
        return at + 1;
    }
    if (byte == 'g' && at + 1 < replacement.size && replacement.data[at + 1] == '<') {
        const char *end = memchr(replacement.data + at, '>', replacement.size - at);
        if (!end)
            return 0;
        struct slice name = {replacement.data + at + 2, (size_t)(end - replacement.data) - at - 2};
        return put_group(out, regex, text, name) ? (size_t)(end - replacement.data) + 1 : 0;
    }
    if (byte == '0') {
        size_t end = at + 1;
        uint32_t code = 0;
        while (end < at + 3 && end < replacement.size && replacement.data[end] >= '0' &&
               replacement.data[end] <= '7')
            code = code * 8 + (uint32_t)(replacement.data[end++] - '0');
        ttext_code(out, code);
        return end;
    }
    if (byte >= '1' && byte <= '9') {
        size_t end = at + 1;
        if (end < replacement.size && replacement.data[end] >= '0' && replacement.data[end] <= '9')
            end++;
        return put_group(out, regex, text, (struct slice){replacement.data + at, end - at}) ? end : 0;
    }
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z')
        return 0;
    ttext_byte(out, '\\');
    ttext_byte(out, byte);
    return at + 1;
}

static int put_replacement(struct run *run, struct ttext *out, const struct regex_run *regex,
                           struct slice text, struct slice replacement)
{
    for (size_t at = 0; at < replacement.size;) {
        if (replacement.data[at] != '\\') {
            ttext_byte(out, replacement.data[at++]);
            continue;
        }
        at = at + 1 < replacement.size ? put_escape(out, regex, text, replacement, at + 1) : 0;
        if (!at)
            return run_fail(run, "a replacement has a wrong escape, or names a group that is not there");
    }
    return 0;
}

static int replace_all(struct run *run, const struct regex_run *regex, struct slice text,
                       struct slice replacement, struct ttext *out)
{
    size_t at = 0, copied = 0;
    uint32_t options = 0;
    while (at <= text.size && !out->overflowed) {
        int found = find(run, regex, text, at, options);
        if (found < 0 || run_step(run) < 0)
            return -1;
        if (!found && !options)
            break;
        if (!found) { /* behind an empty match: one character on */
            size_t length = 1;
            if (at < text.size)
                utf8_decode(text.data + at, text.size - at, &length);
            at += length;
            options = 0;
            continue;
        }
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->data);
        size_t start = ends[0], end = ends[1];
        ttext_add(out, text.data + copied, start > copied ? start - copied : 0);
        if (put_replacement(run, out, regex, text, replacement) < 0)
            return -1;
        copied = end;
        at = end;
        options = start == end ? PCRE2_NOTEMPTY_ATSTART : 0;
    }
    ttext_add(out, text.data + copied, text.size - copied);
    return 0;
}

int run_regex_replace(struct run *run, struct slice text, struct slice pattern, struct slice replacement,
                      struct tvalue *ret_value)
{
    struct regex_run regex;
    struct ttext out;
    if (compile(run, pattern, &regex) < 0)
        return -1;
    run_text_init(run, &out);
    int done = replace_all(run, &regex, text, replacement, &out);
    regex_done(&regex);
    return done < 0 ? -1 : run_text(run, &out, ret_value);
}

/* Neither an empty match nor an empty text between two is a chunk. */
static int push_chunk(struct run *run, struct tvalue *list, const char *data, size_t size)
{
    return size ? run_push(run, list->list, tvalue_string((struct slice){data, size})) : 0;
}

int run_regex_chunks(struct run *run, struct slice text, struct slice pattern, struct tvalue *ret_list)
{
    struct regex_run regex;
    if (compile(run, pattern, &regex) < 0)
        return -1;
    int result = 0;
    size_t at = 0;
    *ret_list = tvalue_list(run->arena);
    while (result == 0 && (result = find(run, &regex, text, at, PCRE2_NOTEMPTY)) > 0) {
        struct slice found = group_of(&regex, text, 0);
        size_t begin = (size_t)(found.data - text.data);
        result = push_chunk(run, ret_list, text.data + at, begin - at) < 0 ||
                         push_chunk(run, ret_list, found.data, found.size) < 0
                     ? -1
                     : 0;
        at = begin + found.size;
    }
    regex_done(&regex);
    return result < 0 ? -1 : push_chunk(run, ret_list, text.data + at, text.size - at);
}
