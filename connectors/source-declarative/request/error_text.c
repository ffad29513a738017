#include "error_text.h"

enum { ERROR_TEXT_DEPTH_MAX = 32 };

/* In this order: the first that says something counts. */
static const char *const names[] = {"message",       "messages", "error",  "errors",
                                    "failures",      "failure",  "detail", "err",
                                    "error_message", "msg",      "reason", "status_message"};

static struct slice find(struct arena *arena, const struct tvalue *value, unsigned depth);

static struct slice join(struct arena *arena, const struct tvalue *list, unsigned depth)
{
    struct ttext out;
    ttext_init(&out, arena, SIZE_MAX);
    bool any = false;
    for (size_t i = 0; i < tvalue_count(list); i++) {
        struct tvalue element = tvalue_at(arena, list, i);
        struct slice text = find(arena, &element, depth);
        if (!text.data)
            continue;
        if (any)
            ttext_cstring(&out, ", ");
        ttext_slice(&out, text);
        any = true;
    }
    return any ? ttext_slice_of(&out) : (struct slice){NULL, 0};
}

static struct slice find(struct arena *arena, const struct tvalue *value, unsigned depth)
{
    struct slice nothing = {NULL, 0};
    if (depth == 0)
        return nothing;
    if (value->kind == TVALUE_STRING)
        return value->text;
    if (tvalue_is_sequence(value))
        return join(arena, value, depth - 1);
    if (!tvalue_is_mapping(value))
        return nothing;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct tvalue member;
        if (!tvalue_member_name(arena, value, slice_of(names[i]), &member) || !tvalue_true(&member))
            continue;
        return find(arena, &member, depth - 1);
    }
    return nothing;
}

struct slice error_text(struct arena *arena, const struct tvalue *body)
{
    return find(arena, body, ERROR_TEXT_DEPTH_MAX);
}

struct slice error_text_of(struct arena *arena, const struct tvalue *body, bool is_json, struct slice raw)
{
    return is_json ? error_text(arena, body) : raw;
}
