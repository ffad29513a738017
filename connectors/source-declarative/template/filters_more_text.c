/* Filters that write formats: JSON, URLs, HTML, sizes. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#include <stdio.h>

static int filter_tojson(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    struct ttext json, out;
    struct tvalue wrong, text;
    struct tvalue_json_style style = {.indent = -1, .sorted = true};
    if (!is_unset(&a[0])) {
        int64_t indent;
        if (run_index(run, &a[0], &indent) < 0)
            return -1;
        style.indent = indent < 0 ? 0 : indent > 64 ? 64 : (int)indent;
    }
    run_text_init(run, &json);
    if (tvalue_json_dumps(&json, self, style, &wrong) < 0)
        return run_type_error(run, "a value of type %s cannot be written as JSON", tvalue_type(&wrong));
    if (run_text(run, &json, &text) < 0)
        return -1;
    run_text_init(run, &out);
    for (size_t i = 0; i < text.text.size; i++) {
        char byte = text.text.data[i];
        if (byte == '<' || byte == '>' || byte == '&' || byte == '\'')
            ttext_printf(&out, "\\u%04x", (unsigned)byte);
        else
            ttext_byte(&out, byte);
    }
    if (run_text(run, &out, ret_value) < 0)
        return -1;
    ret_value->flags = TVALUE_SAFE;
    return 0;
}

static int quote_value(struct run *run, const struct tvalue *value, bool query, struct ttext *out)
{
    struct tvalue text = *value;
    if (value->kind != TVALUE_BYTES && run_str_value(run, value, &text) < 0)
        return -1;
    text_quote(out, text.text, query ? "" : "/", query);
    return 0;
}

static int filter_urlencode(struct run *run, const struct tvalue *self, const struct tvalue *a,
                            struct tvalue *ret_value)
{
    (void)a;
    struct ttext out;
    struct titer iter;
    struct tvalue item, key, value;
    bool first = true, mapping = tvalue_is_mapping(self) && self->kind != TVALUE_OBJECT;
    run_text_init(run, &out);
    if (self->kind == TVALUE_STRING || !titer_init(&iter, run->arena, *self)) {
        if (quote_value(run, self, false, &out) < 0)
            return -1;
        return run_text(run, &out, ret_value);
    }
    while (titer_next(&iter, &item)) {
        key = item;
        value = iter.of_key;
        if (!mapping) {
            struct tvalue pair;
            if (run_to_list(run, &item, &pair) < 0)
                return -1;
            if (pair.list->count != 2)
                return run_fail(run, "urlencode needs pairs of name and value");
            key = pair.list->items[0];
            value = pair.list->items[1];
        }
        if (!first)
            ttext_byte(&out, '&');
        first = false;
        if (quote_value(run, &key, true, &out) < 0)
            return -1;
        ttext_byte(&out, '=');
        if (quote_value(run, &value, true, &out) < 0)
            return -1;
    }
    return run_text(run, &out, ret_value);
}

static int filter_xmlattr(struct run *run, const struct tvalue *self, const struct tvalue *a,
                          struct tvalue *ret_value)
{
    struct ttext out;
    struct titer iter;
    struct tvalue key, text;
    bool first = true, space = is_absent(&a[0]) || tvalue_true(&a[0]);
    if (!tvalue_is_mapping(self))
        return self->kind == TVALUE_UNDEFINED ? run_undefined(run, self)
                                              : run_fail(run, "xmlattr needs a mapping");
    run_text_init(run, &out);
    titer_init(&iter, run->arena, *self);
    while (titer_next(&iter, &key)) {
        if (iter.of_key.kind == TVALUE_NONE || iter.of_key.kind == TVALUE_UNDEFINED)
            continue;
        if (key.kind != TVALUE_STRING)
            return run_type_error(run, "names of attributes must be texts");
        for (size_t i = 0; i < key.text.size; i++) {
            char byte = key.text.data[i];
            if (byte == ' ' || (byte >= 9 && byte <= 13) || byte == '/' || byte == '>' || byte == '=')
                return run_fail(run, "an attribute's name has a character that it cannot have");
        }
        if (!first || space)
            ttext_byte(&out, ' ');
        first = false;
        if (run_escape(run, &key, &text) < 0)
            return -1;
        ttext_slice(&out, text.text);
        ttext_cstring(&out, "=\"");
        if (run_escape(run, &iter.of_key, &text) < 0)
            return -1;
        ttext_slice(&out, text.text);
        ttext_byte(&out, '"');
    }
    return run_text(run, &out, ret_value);
}

static int filter_filesizeformat(struct run *run, const struct tvalue *self, const struct tvalue *a,
                                 struct tvalue *ret_value)
{
    static const char *const UNITS[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
    static const char *const BINARY[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
    bool binary = !is_absent(&a[0]) && tvalue_true(&a[0]);
    double bytes, base = binary ? 1024 : 1000, unit = base;
    struct ttext out;
    if (run_to_float(run, self, &bytes) < 0)
        return -1;
    run_text_init(run, &out);
    if (bytes == 1) {
        ttext_cstring(&out, "1 Byte");
    } else if (bytes < base) {
        ttext_printf(&out, "%.0f Bytes", trunc(bytes) + 0.0);
    } else {
        int i = 0;
        do
            unit *= base;
        while (bytes >= unit && ++i < 7);
        if (i == 7)
            unit = pow(base, 9);
        ttext_printf(&out, "%.1f %s", base * bytes / unit, binary ? BINARY[i] : UNITS[i]);
    }
    return run_text(run, &out, ret_value);
}

/* --- HTML ---------------------------------------------------------------------------------------- */

/* Without what stands between the two, the first end behind each beginning. */
static struct slice without(struct run *run, struct slice text, const char *begin, const char *end)
{
    struct ttext out;
    size_t at = 0;
    run_text_init(run, &out);
    while (at < text.size) {
        const char *from = memmem(text.data + at, text.size - at, begin, strlen(begin));
        const char *to = from ? memmem(from, (size_t)(text.data + text.size - from), end, strlen(end)) : NULL;
        if (!to)
            break;
        ttext_add(&out, text.data + at, (size_t)(from - text.data) - at);
        at = (size_t)(to - text.data) + strlen(end);
    }
    ttext_add(&out, text.data + at, text.size - at);
    return ttext_slice_of(&out);
}

/* The entities that texts have in practice, and those by number. */
static size_t unescape_entity(struct ttext *out, struct slice text)
{
    static const struct {
        const char *name, *text;
    } ENTITIES[] = {{"&amp;", "&"},
                    {"&lt;", "<"},
                    {"&gt;", ">"},
                    {"&quot;", "\""},
                    {"&apos;", "'"},
                    {"&nbsp;", "\xc2\xa0"},
                    {"&copy;", "\xc2\xa9"},
                    {"&hellip;", "\xe2\x80\xa6"},
                    {"&ndash;", "\xe2\x80\x93"},
                    {"&mdash;", "\xe2\x80\x94"}};
    for (size_t i = 0; i < sizeof ENTITIES / sizeof *ENTITIES; i++) {
        if (slice_starts_with(text, ENTITIES[i].name)) {
            ttext_cstring(out, ENTITIES[i].text);
            return strlen(ENTITIES[i].name);
        }
    }
    unsigned code = 0;
    int size = 0;
    char copy[16];
    snprintf(copy, sizeof copy, "%.*s", (int)(text.size < 15 ? text.size : 15), text.data);
    if ((sscanf(copy, "&#x%6x;%n", &code, &size) == 1 || sscanf(copy, "&#%7u;%n", &code, &size) == 1) &&
        size && code && code < 0xd800) {
        ttext_code(out, code);
        return (size_t)size;
    }
    ttext_byte(out, '&');
    return 1;
}

static int filter_striptags(struct run *run, const struct tvalue *self, const struct tvalue *a,
                            struct tvalue *ret_value)
{
    (void)a;
    struct tvalue text, words;
    struct ttext out;
    if (run_str_value(run, self, &text) < 0)
        return -1;
    struct slice stripped = without(run, without(run, text.text, "<!--", "-->"), "<", ">");
    if (text_split(run, stripped, NULL, -1, false, &words) < 0)
        return -1;
    run_text_init(run, &out);
    for (uint32_t i = 0; i < words.list->count; i++) {
        struct slice word = words.list->items[i].text;
        if (i)
            ttext_byte(&out, ' ');
        for (size_t at = 0; at < word.size;) {
            if (word.data[at] == '&')
                at += unescape_entity(&out, (struct slice){word.data + at, word.size - at});
            else
                ttext_byte(&out, word.data[at++]);
        }
    }
    return run_text(run, &out, ret_value);
}

const struct filter filters_more_text[] = {
    {{.name = "tojson", .function = filter_tojson, .parameters = {"indent"}}},
    {{.name = "urlencode", .function = filter_urlencode}},
    {{.name = "xmlattr", .function = filter_xmlattr, .parameters = {"autospace"}}},
    {{.name = "filesizeformat", .function = filter_filesizeformat, .parameters = {"binary"}}},
    {{.name = "striptags", .function = filter_striptags}},
    {{.name = NULL}},
};
