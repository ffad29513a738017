/* Regular expressions: simple ones by themselves, the others by PCRE2. */
#include "schema/regex.h"

#include "schema/regex_ecma.h"
#include "schema/regex_simple.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct regex {
    pcre2_code *code; /* NULL: simple */
    bool is_jit;
    struct simple_pattern simple;
    struct arena arena;
};

struct regex_scratch {
    pcre2_match_data *data; /* made on first need */
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    bool slow;
};

/* NULL with *err. */
static pcre2_code *compile_code(struct slice pattern, struct error *err)
{
    enum { OPTIONS = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C };
    struct buffer translated;
    buffer_init(&translated, (size_t)REGEX_PATTERN_MAX * 128);
    pcre2_code *code = NULL;
    if (regex_translate(pattern, &translated, err) == 0) {
        int failure;
        PCRE2_SIZE at;
        code = pcre2_compile((PCRE2_SPTR)buffer_cstr(&translated), translated.size,
                             OPTIONS | PCRE2_NO_UTF_CHECK, &failure, &at, NULL);
        if (!code) {
            char message[128];
            pcre2_get_error_message(failure, (PCRE2_UCHAR *)message, sizeof message);
            error_set(err, ERROR_INVALID, "%s", message);
        }
    }
    buffer_done(&translated);
    return code;
}

struct regex *regex_compile(struct slice pattern, struct error *err)
{
    if (pattern.size > REGEX_PATTERN_MAX) {
        error_set(err, ERROR_LIMIT, "pattern of %zu bytes, at most %d are allowed", pattern.size,
                  REGEX_PATTERN_MAX);
        return NULL;
    }
    struct regex *regex = mem_zalloc(sizeof *regex);
    arena_init(&regex->arena);
    if (simple_parse(pattern, &regex->arena, &regex->simple))
        return regex;
    regex->code = compile_code(pattern, err);
    if (!regex->code) {
        if (regex_is_ecma(pattern))
            err->code = ERROR_LIMIT; /* right, but more than can be done */
        regex_free(regex);
        return NULL;
    }
    regex->is_jit = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE) == 0;
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    arena_done(&regex->arena);
    free(regex);
}

struct regex_scratch *regex_scratch_new(void)
{
    return mem_zalloc(sizeof(struct regex_scratch));
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (!scratch)
        return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static void scratch_fill(struct regex_scratch *scratch)
{
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create(32 << 10, REGEX_JIT_STACK_MAX, NULL);
    if (!scratch->data || !scratch->context || !scratch->stack)
        abort(); /* out of memory: as base/memory.h does */
    pcre2_set_heap_limit(scratch->context, REGEX_HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
}

static int engine_match(const struct regex *regex, struct regex_scratch *scratch, struct slice text,
                        uint32_t limit)
{
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.data ? text.data : "");
    pcre2_set_match_limit(scratch->context, limit);
    if (regex->is_jit)
        return pcre2_jit_match(regex->code, subject, text.size, 0, 0, scratch->data, scratch->context);
    return pcre2_match(regex->code, subject, text.size, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                       scratch->context);
}

int regex_match(const struct regex *regex, struct regex_scratch *scratch, struct slice text)
{
    scratch->slow = false;
    if (!regex->code)
        return simple_match(&regex->simple, text);
    if (!scratch->data)
        scratch_fill(scratch);
    uint64_t quick = REGEX_QUICK_LIMIT + (uint64_t)text.size * REGEX_QUICK_PER_BYTE;
    quick = quick < REGEX_MATCH_LIMIT ? quick : REGEX_MATCH_LIMIT;
    int result = engine_match(regex, scratch, text, (uint32_t)quick);
    if (result == PCRE2_ERROR_MATCHLIMIT) {
        scratch->slow = true;
        result = engine_match(regex, scratch, text, REGEX_MATCH_LIMIT);
    }
    if (result >= 0)
        return 1;
    return result == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

bool regex_was_slow(const struct regex_scratch *scratch)
{
    return scratch->slow;
}

size_t regex_size(const struct regex *regex)
{
    size_t code = 0, machine_code = 0;
    if (regex->code) {
        pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &code);
        pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &machine_code);
    }
    return sizeof *regex + code + machine_code;
}

bool regex_is_simple(const struct regex *regex)
{
    return !regex->code;
}
