/* Jinja's filters for text. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

static int give(struct tvalue *ret_value, struct slice text)
{
    *ret_value = tvalue_string(text);
    return 0;
}

#define SELF_TEXT(name)                              \
    struct tvalue name##_value;                      \
    if (run_str_value(run, self, &name##_value) < 0) \
        return -1;                                   \
    struct slice name = name##_value.text

typedef struct slice case_function(struct arena *arena, struct slice text);

static int change_case(struct run *run, const struct tvalue *self, case_function *change,
                       struct tvalue *ret_value)
{
    SELF_TEXT(text);
    if (run_charge(run, 4 * text.size) < 0)
        return -1;
    give(ret_value, change(run->arena, text));
    ret_value->flags = self->kind == TVALUE_STRING ? self->flags & TVALUE_SAFE : 0;
    return 0;
}

static int filter_upper(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    (void)a;
    return change_case(run, self, unicode_upper, ret_value);
}

static int filter_lower(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    (void)a;
    return change_case(run, self, unicode_lower, ret_value);
}

static int filter_capitalize(struct run *run, const struct tvalue *self, const struct tvalue *a,
                             struct tvalue *ret_value)
{
    (void)a;
    return change_case(run, self, unicode_capitalize, ret_value);
}

/* Words begin behind white space, '-' and opening brackets. */
static int filter_title(struct run *run, const struct tvalue *self, const struct tvalue *a,
                        struct tvalue *ret_value)
{
    (void)a;
    SELF_TEXT(text);
    struct ttext out;
    bool begins = true;
    run_text_init(run, &out);
    struct slice lower = unicode_lower(run->arena, text);
    bool same_size = lower.size == text.size;
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t code = utf8_decode(text.data + at, text.size - at, &length);
        bool breaks = unicode_is_space(code) || (code < 128 && code && strchr("-({[<", (int)code));
        if (breaks)
            ttext_code(&out, code);
        else if (same_size && !begins)
            ttext_add(&out, lower.data + at, length);
        else
            unicode_map(&out, code, begins ? UNICODE_UPPER : UNICODE_LOWER);
        begins = breaks;
    }
    return run_text(run, &out, ret_value);
}

static int filter_trim(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    SELF_TEXT(text);
    struct slice characters;
    if (!is_unset(&a[0]) && run_string(run, &a[0], "what is trimmed", &characters) < 0)
        return -1;
    return give(ret_value, unicode_strip(text, is_unset(&a[0]) ? NULL : &characters, true, true));
}

static int filter_replace(struct run *run, const struct tvalue *self, const struct tvalue *a,
                          struct tvalue *ret_value)
{
    struct tvalue old, with;
    int64_t count = -1;
    SELF_TEXT(text);
    if (run_str_value(run, &a[0], &old) < 0 || run_str_value(run, &a[1], &with) < 0 ||
        (!is_unset(&a[2]) && run_index(run, &a[2], &count) < 0))
        return -1;
    return text_replace(run, text, old.text, with.text, count, ret_value);
}

static int filter_center(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    int64_t width = 80;
    SELF_TEXT(text);
    if (!is_absent(&a[0]) && run_index(run, &a[0], &width) < 0)
        return -1;
    return text_pad(run, text, width, SLICE_LITERAL(" "), TEXT_CENTER, ret_value);
}

/* The lines of a text, without their ends. */
static int indent_lines(struct run *run, struct slice text, struct slice with, bool first, bool blank,
                        struct ttext *out)
{
    size_t at = 0, end, next;
    for (size_t line = 0; at < text.size; line++, at = next) {
        text_line(text, at, &end, &next);
        if (line)
            ttext_byte(out, '\n');
        if (line ? blank || end > at : first)
            ttext_slice(out, with);
        ttext_add(out, text.data + at, end - at);
        if (run_step(run) < 0)
            return -1;
    }
    return 0;
}

static int filter_indent(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    struct slice with = SLICE_LITERAL("    ");
    struct ttext out, spaces;
    if (tvalue_is_list(self)) /* Python adds the line end to it, and only then finds that it has no lines */
        return run_fail(run, "a list cannot be indented");
    if (self->kind != TVALUE_STRING)
        return run_bad_operand(run, self, "indenting");
    if (!is_absent(&a[0]) && a[0].kind == TVALUE_STRING) {
        with = a[0].text;
    } else if (!is_absent(&a[0])) {
        int64_t width;
        if (run_index(run, &a[0], &width) < 0)
            return -1;
        ttext_init(&spaces, run->arena, 4096);
        for (int64_t i = 0; i < width && !spaces.overflowed; i++)
            ttext_byte(&spaces, ' ');
        with = ttext_slice_of(&spaces);
    }
    bool first = !is_absent(&a[1]) && tvalue_true(&a[1]), blank = !is_absent(&a[2]) && tvalue_true(&a[2]);
    struct slice text = self->text;
    char *ended = arena_alloc(run->arena, text.size + 1);
    memcpy(ended, text.data, text.size);
    ended[text.size] = '\n';
    run_text_init(run, &out);
    if (indent_lines(run, (struct slice){ended, text.size + 1}, with, first, blank, &out) < 0)
        return -1;
    return run_text(run, &out, ret_value);
}

static int filter_truncate(struct run *run, const struct tvalue *self, const struct tvalue *a,
                           struct tvalue *ret_value)
{
    int64_t length = 255, leeway = 5;
    struct slice end = SLICE_LITERAL("...");
    struct ttext out;
    if ((!is_absent(&a[0]) && run_index(run, &a[0], &length) < 0) ||
        (!is_absent(&a[2]) && run_string(run, &a[2], "the end", &end) < 0) ||
        (!is_unset(&a[3]) && run_index(run, &a[3], &leeway) < 0))
        return -1;
    if (length < (int64_t)unicode_count(end) || leeway < 0)
        return run_fail(run, "a text is cut to less than its ending needs");
    *ret_value = *self;
    if (self->kind == TVALUE_UNDEFINED)
        return 0;
    bool sized = self->kind == TVALUE_STRING || tvalue_is_sequence(self) || tvalue_is_mapping(self);
    if (sized && (int64_t)tvalue_count(self) <= length + leeway)
        return 0;
    if (tvalue_is_sequence(self) && (is_absent(&a[1]) || !tvalue_true(&a[1])))
        return run_fail(run, "a value of type %s cannot be truncated", tvalue_type(self));
    if (self->kind != TVALUE_STRING)
        return run_type_error(run, "a value of type %s cannot be truncated", tvalue_type(self));
    struct slice kept = {self->text.data, unicode_offset(self->text, (size_t)length - unicode_count(end))};
    if (is_absent(&a[1]) || !tvalue_true(&a[1])) {
        const char *blank = memrchr(kept.data, ' ', kept.size);
        kept.size = blank ? (size_t)(blank - kept.data) : kept.size;
    }
    run_text_init(run, &out);
    ttext_slice(&out, kept);
    ttext_slice(&out, end);
    return run_text(run, &out, ret_value);
}

static int filter_wordcount(struct run *run, const struct tvalue *self, const struct tvalue *a,
                            struct tvalue *ret_value)
{
    (void)a;
    SELF_TEXT(text);
    int64_t words = 0;
    bool inside = false;
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t code = utf8_decode(text.data + at, text.size - at, &length);
        bool letter = code == '_' || unicode_is_alnum(code);
        words += letter && !inside;
        inside = letter;
    }
    *ret_value = tvalue_int(words);
    return 0;
}

static int filter_format(struct run *run, const struct tvalue *self, const struct call *call,
                         struct tvalue *ret_value)
{
    struct tvalue text, values;
    if (call->count && call->keyword_count)
        return run_fail(run, "format takes values by position or by name, not both");
    if (run_str_value(run, self, &text) < 0)
        return -1;
    text.flags = self->kind == TVALUE_STRING ? self->flags : 0;
    values = tvalue_tuple(run->arena, call->positional, call->count);
    if (call->keyword_count) {
        values = tvalue_dict(run->arena);
        for (uint32_t i = 0; i < call->keyword_count; i++)
            tdict_set(run->arena, values.dict, tvalue_string(call->keywords[i].name),
                      call->keywords[i].value);
    }
    return run_format_percent(run, &text, &values, ret_value);
}

static int filter_escape(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    (void)a;
    return run_escape(run, self, ret_value);
}

static int filter_forceescape(struct run *run, const struct tvalue *self, const struct tvalue *a,
                              struct tvalue *ret_value)
{
    (void)a;
    struct tvalue plain;
    return run_str_value(run, self, &plain) < 0 ? -1 : run_escape(run, &plain, ret_value);
}

static int filter_safe(struct run *run, const struct tvalue *self, const struct tvalue *a,
                       struct tvalue *ret_value)
{
    (void)a;
    if (run_str_value(run, self, ret_value) < 0)
        return -1;
    ret_value->flags = TVALUE_SAFE;
    return 0;
}

const struct filter filters_text[] = {
    {{.name = "upper", .function = filter_upper}},
    {{.name = "lower", .function = filter_lower}},
    {{.name = "capitalize", .function = filter_capitalize}},
    {{.name = "title", .function = filter_title}},
    {{.name = "trim", .function = filter_trim, .parameters = {"chars"}}},
    {{.name = "replace", .function = filter_replace, .required = 2, .parameters = {"old", "new", "count"}}},
    {{.name = "center", .function = filter_center, .parameters = {"width"}}},
    {{.name = "indent", .function = filter_indent, .parameters = {"width", "first", "blank"}}},
    {{.name = "truncate",
      .function = filter_truncate,
      .parameters = {"length", "killwords", "end", "leeway"}}},
    {{.name = "wordcount", .function = filter_wordcount}},
    {{.name = "format", .any = filter_format}},
    {{.name = "escape", .function = filter_escape}},
    {{.name = "e", .function = filter_escape}},
    {{.name = "forceescape", .function = filter_forceescape}},
    {{.name = "safe", .function = filter_safe}},
    {{.name = NULL}},
};
