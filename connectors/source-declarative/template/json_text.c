/* json.dumps() of Python, as the filters `string` and `tojson` use it. */
#include "big.h"

#include <stdlib.h>

static void dump_string(struct ttext *out, struct slice text)
{
    ttext_byte(out, '"');
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t code = utf8_decode(text.data + at, text.size - at, &length);
        const char *escape = code == '"'    ? "\\\""
                             : code == '\\' ? "\\\\"
                             : code == '\n' ? "\\n"
                             : code == '\r' ? "\\r"
                             : code == '\t' ? "\\t"
                             : code == '\f' ? "\\f"
                             : code == '\b' ? "\\b"
                                            : NULL;
        if (escape)
            ttext_cstring(out, escape);
        else if (code >= ' ' && code < 127)
            ttext_byte(out, (char)code);
        else if (code < 0x10000)
            ttext_printf(out, "\\u%04x", code);
        else
            ttext_printf(out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                         0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    ttext_byte(out, '"');
}

static void dump_float(struct ttext *out, double number)
{
    if (isnan(number))
        ttext_cstring(out, "NaN");
    else if (isinf(number))
        ttext_cstring(out, number < 0 ? "-Infinity" : "Infinity");
    else
        tvalue_repr_float(out, number);
}

/* A scalar, or a key; false if it is none that JSON has. */
static bool dump_scalar(struct ttext *out, const struct tvalue *value)
{
    switch (value->kind) {
    case TVALUE_NONE:
        ttext_cstring(out, "null");
        return true;
    case TVALUE_BOOL:
        ttext_cstring(out, value->boolean ? "true" : "false");
        return true;
    case TVALUE_INT:
    case TVALUE_BIG:
        integer_text(out, value);
        return true;
    case TVALUE_FLOAT:
        dump_float(out, value->number);
        return true;
    case TVALUE_STRING:
        dump_string(out, value->text);
        return true;
    default:
        return false;
    }
}

static bool dump_key(struct ttext *out, const struct tvalue *key)
{
    bool quoted = key->kind != TVALUE_STRING;
    if (quoted)
        ttext_byte(out, '"');
    bool written = dump_scalar(out, key);
    if (quoted)
        ttext_byte(out, '"');
    return written;
}

static void line_break(struct ttext *out, struct tvalue_json_style style, unsigned depth)
{
    if (style.indent < 0)
        return;
    ttext_byte(out, '\n');
    for (unsigned i = 0; !out->overflowed && i < depth * (unsigned)style.indent; i++)
        ttext_byte(out, ' ');
}

static int dump(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style, unsigned depth,
                struct tvalue *ret_wrong);

/* What stands between two members of it. */
static void separate(struct ttext *out, bool first, struct tvalue_json_style style, unsigned depth)
{
    if (!first)
        ttext_cstring(out, style.indent < 0 ? ", " : ",");
    line_break(out, style, depth + 1);
}

static int dump_list(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style,
                     unsigned depth, struct tvalue *ret_wrong)
{
    struct titer iter;
    struct tvalue item;
    bool first = true;
    ttext_byte(out, '[');
    titer_init(&iter, out->arena, *value);
    while (!out->overflowed && titer_next(&iter, &item)) {
        separate(out, first, style, depth);
        first = false;
        if (dump(out, &item, style, depth + 1, ret_wrong) < 0)
            return -1;
    }
    if (!first)
        line_break(out, style, depth);
    ttext_byte(out, ']');
    return 0;
}

/* Members by their names, where that is asked for. */
static int compare_names(const void *a, const void *b)
{
    return slice_compare(((const struct tvalue *)a)->text, ((const struct tvalue *)b)->text);
}

static int dump_dict(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style,
                     unsigned depth, struct tvalue *ret_wrong)
{
    struct titer iter;
    struct tvalue keys = tvalue_list(out->arena), key, member;
    titer_init(&iter, out->arena, *value);
    bool names = true;
    while (titer_next(&iter, &key)) {
        names = names && key.kind == TVALUE_STRING;
        tlist_push(out->arena, keys.list, key);
    }
    if (style.sorted && keys.list->count > 1) {
        if (!names) { /* Python cannot compare names with numbers */
            *ret_wrong = keys.list->items[0];
            return -1;
        }
        qsort(keys.list->items, keys.list->count, sizeof *keys.list->items, compare_names);
    }
    ttext_byte(out, '{');
    for (uint32_t i = 0; !out->overflowed && i < keys.list->count; i++) {
        separate(out, i == 0, style, depth);
        if (!dump_key(out, &keys.list->items[i])) {
            *ret_wrong = keys.list->items[i];
            return -1;
        }
        ttext_cstring(out, ": ");
        if (tvalue_member(out->arena, value, &keys.list->items[i], &member) &&
            dump(out, &member, style, depth + 1, ret_wrong) < 0)
            return -1;
    }
    if (keys.list->count)
        line_break(out, style, depth);
    ttext_byte(out, '}');
    return 0;
}

static int dump(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style, unsigned depth,
                struct tvalue *ret_wrong)
{
    if (dump_scalar(out, value))
        return 0;
    if (depth < TVALUE_DEPTH_MAX && tvalue_is_sequence(value))
        return dump_list(out, value, style, depth, ret_wrong);
    if (depth < TVALUE_DEPTH_MAX && (value->kind == TVALUE_DICT || value->kind == TVALUE_JSON_DICT))
        return dump_dict(out, value, style, depth, ret_wrong);
    *ret_wrong = *value;
    return -1;
}

int tvalue_json_dumps(struct ttext *out, const struct tvalue *value, struct tvalue_json_style style,
                      struct tvalue *ret_wrong)
{
    return dump(out, value, style, 0, ret_wrong);
}
