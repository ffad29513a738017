#include "cli/flow_subject.h"

#include "json/json.h"

#include <ctype.h>

static bool in_word(char byte)
{
    return isalnum((unsigned char)byte) || (byte & 0x80) || strchr("_-/", byte);
}

bool flow_subject_mentioned(const char *message, struct slice word)
{
    size_t size = strlen(message);
    for (size_t at = 0; word.size && at + word.size <= size; at++) {
        const char *end = message + at + word.size;
        if (memcmp(message + at, word.data, word.size) == 0 && (at == 0 || !in_word(message[at - 1])) &&
            (*end == 0 || !in_word(*end)))
            return true;
    }
    return false;
}

static size_t count_mentions(const char *message, const struct flow_subject *subject, struct arena *arena)
{
    size_t count = flow_subject_mentioned(message, slice_of(subject->collection));
    struct json doc;
    struct error unused;
    if (json_parse_copy(arena, subject->resource.data, subject->resource.size, &doc, &unused) < 0)
        return count;
    for (uint32_t at = 0; at < doc.count; at++) { /* members' names are no texts: their tag is another */
        if (json_is(&doc, at, JSON_STRING))
            count += flow_subject_mentioned(message, json_string(&doc, at, arena));
    }
    return count;
}

const struct flow_subject *flow_subject_of(const char *message, const struct flow_subject *subjects,
                                           size_t count, struct arena *arena)
{
    const struct flow_subject *found = NULL;
    size_t most = 0;
    for (size_t i = 0; i < count; i++) {
        size_t mentions = count_mentions(message, &subjects[i], arena);
        if (mentions > most)
            found = &subjects[i];
        else if (mentions == most)
            found = NULL;
        most = mentions > most ? mentions : most;
    }
    return found;
}
