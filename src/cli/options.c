#include "cli/options.h"

#include "base/text.h"

#include <assert.h>

const char *option_show(const char *word, char text[OPTION_SHOWN_MAX])
{
    size_t size = strlen(word);
    size_t kept = size < OPTION_SHOWN_MAX ? size : utf8_cut(word, size, OPTION_SHOWN_MAX - 4);
    bool valid = utf8_valid(word, kept);
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)word[i];
        text[i] = c < 0x20 || c == 0x7f || (c >= 0x80 && !valid) ? '?' : (char)c;
    }
    snprintf(text + kept, OPTION_SHOWN_MAX - kept, "%s", kept < size ? "…" : "");
    return text;
}

enum { CANDIDATES_MAX = 64 };

static const char *nearest_option(const char *name, const struct option_group *groups, size_t group_count)
{
    const char *candidates[CANDIDATES_MAX];
    size_t count = 0;
    for (size_t g = 0; g < group_count; g++) {
        for (const struct option_spec *spec = groups[g].specs; spec && spec->name; spec++) {
            if (count < CANDIDATES_MAX)
                candidates[count++] = spec->name;
        }
    }
    return string_nearest(name, candidates, count);
}

static const struct option_spec *find(struct slice name, char letter, const struct option_group *groups,
                                      size_t group_count, void **ret_fields)
{
    for (size_t g = 0; g < group_count; g++) {
        for (const struct option_spec *spec = groups[g].specs; spec && spec->name; spec++) {
            if (letter ? spec->letter == letter : slice_is(name, spec->name)) {
                *ret_fields = groups[g].fields;
                return spec;
            }
        }
    }
    return NULL;
}

static int store_choice(const struct option_spec *spec, int *field, const char *value, struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    struct buffer words;
    for (int i = 0; spec->choices[i]; i++) {
        if (strcmp(spec->choices[i], value) == 0) {
            *field = i;
            return 0;
        }
    }
    buffer_init(&words, 4096);
    for (int i = 0; spec->choices[i]; i++)
        buffer_printf(&words, "%s%s", i == 0 ? "" : spec->choices[i + 1] ? ", " : " or ", spec->choices[i]);
    error_set(err, ERROR_INVALID, "--%s is '%s', but it must be %s", spec->name, option_show(value, shown),
              buffer_cstr(&words));
    buffer_done(&words);
    return -1;
}

static int store_number(const struct option_spec *spec, struct option_number *field, const char *value,
                        struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    uint64_t max = spec->max ? spec->max : UINT64_MAX, number;
    if (!string_to_u64(value, max, &number) || number < spec->min) {
        if (spec->max || spec->min)
            return error_set(err, ERROR_INVALID,
                             "--%s is '%s', but it must be a whole number from %llu to %llu", spec->name,
                             option_show(value, shown), (unsigned long long)spec->min,
                             (unsigned long long)max);
        return error_set(err, ERROR_INVALID, "--%s is '%s', but it must be a whole number", spec->name,
                         option_show(value, shown));
    }
    *field = (struct option_number){.given = true, .value = number};
    return 0;
}

/* `value` is NULL for flags only. */
static int store_option(const struct option_spec *spec, void *fields, const char *value, struct error *err)
{
    void *field = (char *)fields + spec->offset;
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return 0;
    case OPTION_STRING:
        *(const char **)field = value;
        return 0;
    case OPTION_NUMBER:
        return store_number(spec, field, value, err);
    case OPTION_CHOICE:
        return store_choice(spec, field, value, err);
    case OPTION_LIST: {
        struct option_list *list = field;
        if (list->count == OPTION_LIST_MAX)
            return error_set(err, ERROR_LIMIT, "--%s is given more than %d times", spec->name,
                             OPTION_LIST_MAX);
        list->items[list->count++] = value;
        return 0;
    }
    }
    assert(!"an option kind");
    return 0;
}

static int unknown(const char *word, struct slice name, const struct option_group *groups, size_t group_count,
                   struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    auto_free char *text = mem_strndup(name.data, name.size < 256 ? name.size : 256);
    const char *nearest = name.size > 1 ? nearest_option(text, groups, group_count) : NULL;
    if (nearest)
        return error_set(err, ERROR_INVALID, "unknown option '%s'; did you mean --%s?",
                         option_show(word, shown), nearest);
    return error_set(err, ERROR_INVALID, "unknown option '%s'", option_show(word, shown));
}

/* One word that begins with a dash, and its value if that is the next word. Moves *at past both. */
static int parse_option(int argc, char **argv, int *at, const struct option_group *groups, size_t group_count,
                        struct error *err)
{
    const char *word = argv[(*at)++];
    bool is_long = word[1] == '-';
    const char *value = NULL;
    struct slice name;
    if (is_long) {
        const char *equals = strchr(word, '=');
        name = (struct slice){word + 2, equals ? (size_t)(equals - word) - 2 : strlen(word + 2)};
        value = equals ? equals + 1 : NULL;
    } else {
        name = (struct slice){word + 1, 1};
        value = word[2] ? word + 2 : NULL;
    }
    void *fields = NULL;
    const struct option_spec *spec = find(name, is_long ? 0 : word[1], groups, group_count, &fields);
    if (!spec)
        return unknown(word, name, groups, group_count, err);
    if (spec->kind == OPTION_FLAG) {
        char shown[OPTION_SHOWN_MAX];
        if (value)
            return error_set(err, ERROR_INVALID, "--%s takes no value, but '%s' gives it one", spec->name,
                             option_show(word, shown));
        return store_option(spec, fields, NULL, err);
    }
    if (!value) {
        if (*at >= argc)
            return error_set(err, ERROR_INVALID, "--%s needs a value: --%s %s", spec->name, spec->name,
                             spec->value);
        value = argv[(*at)++];
    }
    return store_option(spec, fields, value, err);
}

int options_parse(int argc, char **argv, const struct option_group *groups, size_t group_count,
                  bool stop_at_operand, int *ret_argc, struct error *err)
{
    int at = 1, kept = 1;
    while (at < argc) {
        char *word = argv[at];
        if (strcmp(word, "--") == 0 && !stop_at_operand) {
            at++;
            break;
        }
        if (word[0] == '-' && word[1] && strcmp(word, "--") != 0) {
            if (parse_option(argc, argv, &at, groups, group_count, err) < 0)
                return -1;
        } else if (stop_at_operand) {
            break;
        } else {
            argv[kept++] = word;
            at++;
        }
    }
    while (at < argc)
        argv[kept++] = argv[at++];
    if (kept < argc)
        argv[kept] = NULL;
    *ret_argc = kept;
    return 0;
}

void options_usage(const struct option_spec *specs, struct buffer *out)
{
    for (const struct option_spec *spec = specs; spec && spec->name; spec++)
        buffer_printf(out, " %s--%s%s%s%s%s", spec->required ? "" : "[", spec->name, spec->value ? " " : "",
                      spec->value ? spec->value : "", spec->required ? "" : "]",
                      spec->kind == OPTION_LIST ? "…" : "");
}

/* "  -o, --output text|json" */
static void help_words(const struct option_spec *spec, char text[64])
{
    char letter[8] = "    ";
    if (spec->letter)
        snprintf(letter, sizeof letter, "-%c, ", spec->letter);
    snprintf(text, 64, "  %s--%s%s%s", letter, spec->name, spec->value ? " " : "",
             spec->value ? spec->value : "");
}

void options_help(const struct option_spec *specs, struct buffer *out)
{
    size_t width = 28;
    char words[64];
    for (const struct option_spec *spec = specs; spec && spec->name; spec++) {
        help_words(spec, words);
        width = strlen(words) > width ? strlen(words) : width;
    }
    for (const struct option_spec *spec = specs; spec && spec->name; spec++) {
        help_words(spec, words);
        buffer_printf(out, "%-*s  %s\n", (int)width, words, spec->help);
    }
}

int option_duration(const char *option, const char *text, uint64_t *ret_ms, struct error *err)
{
    enum { DURATION_MAX_MS = 24 * 60 * 60 * 1000 };
    char shown[OPTION_SHOWN_MAX];
    if (!text)
        return 0;
    if (string_to_duration_ms(text, ret_ms) && *ret_ms > 0 && *ret_ms <= DURATION_MAX_MS)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "%s is '%s', but it must be a duration from 1ms to 1d, such as 500ms, 5s or 1m", option,
                     option_show(text, shown));
}
