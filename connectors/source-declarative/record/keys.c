/* KeysToLower, KeysToSnakeCase, KeysReplace: other names for members. */
#include "transform.h"

#include "source-declarative/template/unicode.h"

/* --- KeysToLower --------------------------------------------------------------------------------- */

static int nothing_compile(struct engine *engine, struct component component, void **ret_self,
                           struct error *err)
{
    (void)engine;
    (void)component;
    (void)err;
    *ret_self = NULL;
    return 0;
}

static bool is_lower(struct arena *arena, struct slice name, struct slice *ret_lower)
{
    *ret_lower = unicode_lower(arena, name);
    return slice_equal(*ret_lower, name);
}

/* Where a name is there in both forms, the one that was not lower counts. */
static int keys_to_lower(const void *self, struct transformation_call *call, struct tvalue *value,
                         struct error *err)
{
    (void)self;
    (void)err;
    struct tvalue result = tvalue_dict(call->arena), key, old;
    struct titer iter;
    struct slice name;
    titer_init(&iter, call->arena, *value);
    while (titer_next(&iter, &key)) {
        bool lower = key.kind != TVALUE_STRING || is_lower(call->arena, key.text, &name);
        struct tvalue to = lower ? key : tvalue_string(name);
        if (!lower || !tdict_get(result.dict, &to, &old))
            tdict_set(call->arena, result.dict, to, iter.of_key);
    }
    *value = result;
    return 0;
}

const struct transformation_class transformation_keys_to_lower = {"KeysToLower", nothing_compile,
                                                                  keys_to_lower};

/* --- KeysToSnakeCase ----------------------------------------------------------------------------- */

/* Latin letters with marks as their plain forms, U+00C0 to U+017F; blank: no form of one letter. */
static const char PLAIN[] =
    "AAAAAA CEEEEIIIIDNOOOOOxOUUUUY  aaaaaa ceeeeiiiidnooooo/ouuuuy y"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi  JjKkkLlLlLlLlLlNnNnNn   OoOoOo"
    "  RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

static const char *plain_pair(uint32_t code)
{
    switch (code) {
    case 0xc6:
        return "AE";
    case 0xde:
        return "Th";
    case 0xdf:
        return "ss";
    case 0xe6:
        return "ae";
    case 0xfe:
        return "th";
    case 0x132:
        return "IJ";
    case 0x133:
        return "ij";
    case 0x149:
        return "'n";
    case 0x14a:
        return "NG";
    case 0x14b:
        return "ng";
    case 0x152:
        return "OE";
    case 0x153:
        return "oe";
    default:
        return "";
    }
}

static struct slice plain_letters(struct arena *arena, struct slice name)
{
    struct ttext text;
    size_t length;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    for (size_t i = 0; i < name.size; i += length) {
        uint32_t code = utf8_decode(name.data + i, name.size - i, &length);
        if (code < 0x80)
            ttext_byte(&text, (char)code);
        else if (code >= 0xc0 && code < 0xc0 + sizeof PLAIN - 1 && PLAIN[code - 0xc0] != ' ')
            ttext_byte(&text, PLAIN[code - 0xc0]);
        else if (code >= 0xa0 && code < 0x180)
            ttext_cstring(&text, plain_pair(code));
        else
            ttext_code(&text, code);
    }
    return ttext_slice_of(&text);
}

static bool ascii_upper(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}
static bool ascii_lower(char byte)
{
    return byte >= 'a' && byte <= 'z';
}
static bool ascii_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The next word: capitals and the small letters behind them, small letters, digits; or what is none of
 * these, which gives an empty one. */
static struct slice next_token(struct slice name, size_t *at)
{
    size_t start = *at, end = start;
    while (end < name.size && ascii_upper(name.data[end]))
        end++;
    while (end < name.size && ascii_lower(name.data[end]))
        end++;
    if (end == start) {
        while (end < name.size && ascii_digit(name.data[end]))
            end++;
    }
    *at = end;
    if (end > start)
        return (struct slice){name.data + start, end - start};
    while (end < name.size && !ascii_upper(name.data[end]) && !ascii_lower(name.data[end]) &&
           !ascii_digit(name.data[end]))
        end++;
    *at = end;
    return (struct slice){"", 0};
}

static struct slice snake_case(struct arena *arena, struct slice name)
{
    struct ttext text;
    name = plain_letters(arena, name);
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    if (name.size > 0 && ascii_digit(*name.data))
        ttext_byte(&text, '_');
    for (size_t at = 0, count = 0; at < name.size; count++) {
        struct slice token = next_token(name, &at);
        if (token.size == 0 && count > 0 && at < name.size)
            continue; /* only the first and the last word may be empty */
        if (count > 0)
            ttext_byte(&text, '_');
        for (size_t i = 0; i < token.size; i++)
            ttext_byte(&text, ascii_upper(token.data[i]) ? (char)(token.data[i] + 32) : token.data[i]);
    }
    return ttext_slice_of(&text);
}

typedef struct slice rename_function(struct arena *arena, struct slice name, const void *context);

/* In mappings inside of mappings too, not inside of lists. */
static struct tvalue rename_members(struct arena *arena, struct tvalue value, rename_function *rename,
                                    const void *context, unsigned depth)
{
    if (!tvalue_is_mapping(&value) || depth > RECORD_DEPTH_MAX)
        return value;
    struct tvalue result = tvalue_dict(arena), key;
    struct titer iter;
    titer_init(&iter, arena, value);
    while (titer_next(&iter, &key)) {
        struct tvalue to = key.kind == TVALUE_STRING ? tvalue_string(rename(arena, key.text, context)) : key;
        tdict_set(arena, result.dict, to, rename_members(arena, iter.of_key, rename, context, depth + 1));
    }
    return result;
}

static struct slice rename_snake(struct arena *arena, struct slice name, const void *context)
{
    (void)context;
    return snake_case(arena, name);
}

static int keys_to_snake(const void *self, struct transformation_call *call, struct tvalue *value,
                         struct error *err)
{
    (void)self;
    (void)err;
    *value = rename_members(call->arena, *value, rename_snake, NULL, 0);
    return 0;
}

const struct transformation_class transformation_keys_to_snake = {"KeysToSnakeCase", nothing_compile,
                                                                  keys_to_snake};

/* --- KeysReplace --------------------------------------------------------------------------------- */

struct keys_replace {
    struct expression from, to;
};
struct replacement {
    struct slice from, to;
};

static int keys_replace_compile(struct engine *engine, struct component component, void **ret_self,
                                struct error *err)
{
    struct keys_replace *self = arena_zalloc(&engine->arena, sizeof *self);
    *ret_self = self;
    if (expression_compile(engine, component, "old", &self->from, err) != 0)
        return -1;
    return expression_compile(engine, component, "new", &self->to, err);
}

/* str.replace: an empty text is found around every character. */
static struct slice rename_replace(struct arena *arena, struct slice name, const void *context)
{
    const struct replacement *replacement = context;
    struct slice from = replacement->from;
    struct ttext text;
    ttext_init(&text, arena, TEMPLATE_TEXT_MAX);
    for (size_t i = 0; i < name.size;) {
        size_t length = 1;
        if (from.size > 0 && name.size - i >= from.size && memcmp(name.data + i, from.data, from.size) == 0) {
            ttext_slice(&text, replacement->to);
            i += from.size;
            continue;
        }
        if (from.size == 0)
            ttext_slice(&text, replacement->to);
        utf8_decode(name.data + i, name.size - i, &length);
        ttext_add(&text, name.data + i, length);
        i += length;
    }
    if (from.size == 0)
        ttext_slice(&text, replacement->to);
    return ttext_slice_of(&text);
}

static int keys_replace(const void *context, struct transformation_call *call, struct tvalue *value,
                        struct error *err)
{
    const struct keys_replace *self = context;
    struct replacement replacement;
    scope_set(&call->scope, "record", *value);
    if (expression_text(&self->from, &call->scope, call->arena, &replacement.from, err) != 0 ||
        expression_text(&self->to, &call->scope, call->arena, &replacement.to, err) != 0)
        return -1;
    *value = rename_members(call->arena, *value, rename_replace, &replacement, 0);
    return 0;
}

const struct transformation_class transformation_keys_replace = {"KeysReplace", keys_replace_compile,
                                                                 keys_replace};
