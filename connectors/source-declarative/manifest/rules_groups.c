/* Rules of stream_groups: a child waits for its parents' group, and would wait for itself. */
#include "rules.h"

static uint32_t stream_named(struct checking *checking, struct slice name)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t streams = rule_get(checking, 0, "streams");
    for (uint32_t each = json_first(doc, streams); each != JSON_NONE; each = json_next(doc, streams, each)) {
        uint32_t word = rule_get(checking, each, "name");
        if (word != JSON_NONE && json_is(doc, word, JSON_STRING) && json_text_is(doc, word, name))
            return each;
    }
    return JSON_NONE;
}

static struct slice name_of(struct checking *checking, uint32_t stream)
{
    uint32_t word = rule_get(checking, stream, "name");
    return word != JSON_NONE && json_is(&checking->manifest->doc, word, JSON_STRING)
               ? json_string(&checking->manifest->doc, word, checking->arena)
               : (struct slice){NULL, 0};
}

static void group_rules(struct checking *checking, uint32_t at)
{
    const struct json *doc = &checking->manifest->doc;
    uint32_t list = rule_get(checking, at, "streams");
    for (uint32_t child = json_first(doc, list); child != JSON_NONE; child = json_next(doc, list, child)) {
        uint32_t stream = stream_named(checking, name_of(checking, child));
        for (uint32_t each = json_first(doc, list); stream != JSON_NONE && each != JSON_NONE;
             each = json_next(doc, list, each)) {
            struct slice parent = name_of(checking, each);
            if (parent.size && component_reads((struct component){checking->manifest, stream}, parent))
                check_error(checking, child,
                            "the stream reads \"%.*s\", which is in the same group: it would wait "
                            "for itself",
                            (int)utf8_cut(parent.data, parent.size, 60), parent.data);
        }
    }
}

const struct rule GROUP_RULES[] = {
    {"StreamGroup", group_rules},
    {.type = NULL},
};
