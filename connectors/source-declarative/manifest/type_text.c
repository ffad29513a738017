#include "type_text.h"

/* Up to the "|" that is in no bracket. */
static size_t alternative_size(struct slice text)
{
    int depth = 0;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        depth += (byte == '[' || byte == '{') - (byte == ']' || byte == '}');
        if (byte == '|' && depth == 0)
            return i;
    }
    return text.size;
}

bool alternative_next(struct slice *rest, struct alternative *ret_alternative)
{
    static const struct {
        const char *name;
        enum alternative_kind kind;
    } names[] = {
        {"string", ALTERNATIVE_STRING},   {"integer", ALTERNATIVE_INTEGER}, {"number", ALTERNATIVE_NUMBER},
        {"boolean", ALTERNATIVE_BOOLEAN}, {"null", ALTERNATIVE_NULL},       {"any", ALTERNATIVE_ANY},
        {"object", ALTERNATIVE_OBJECT},
    };
    if (rest->size == 0)
        return false;
    size_t size = alternative_size(*rest);
    struct slice text = {rest->data, size};
    bool last = size == rest->size;
    *rest = (struct slice){rest->data + size + !last, rest->size - size - !last};
    if (strchr("'[{", *text.data)) {
        enum alternative_kind kind = *text.data == '\''  ? ALTERNATIVE_WORD
                                     : *text.data == '[' ? ALTERNATIVE_LIST
                                                         : ALTERNATIVE_MAP;
        *ret_alternative = (struct alternative){kind, {text.data + 1, text.size - 2}};
        return true;
    }
    *ret_alternative = (struct alternative){ALTERNATIVE_COMPONENT, text};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(text, names[i].name))
            ret_alternative->kind = names[i].kind;
    return true;
}
