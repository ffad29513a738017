#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

struct pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
};

struct pattern *pattern_new(struct slice source, struct error *err)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)source.data, source.size,
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!compiled) {
        char why[128];
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        error_set(err, ERROR_INVALID, "the regular expression is wrong at character %zu: %s", (size_t)at + 1,
                  why);
        return NULL;
    }
    struct pattern *pattern = mem_alloc(sizeof *pattern);
    *pattern = (struct pattern){compiled, pcre2_match_context_create(NULL)};
    pcre2_set_match_limit(pattern->limits, PATTERN_STEPS_MAX);
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->limits);
    free(pattern);
}

bool pattern_finds(const struct pattern *pattern, struct slice text, bool anchored, struct slice *ret_found)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    int count = pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.size, 0, anchored ? PCRE2_ANCHORED : 0,
                            match, pattern->limits);
    if (count > 0 && ret_found) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
        *ret_found = (struct slice){text.data + ends[0], ends[1] - ends[0]};
    }
    pcre2_match_data_free(match);
    return count > 0;
}
