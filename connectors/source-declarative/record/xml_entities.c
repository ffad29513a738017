/* <!DOCTYPE …>: of its declarations, the entities that have their text there, and attributes. Other files are
 * never read. */
#include "xml.h"

enum { XML_ENTITIES_MAX = 1024 };

struct xml_entity {
    struct xml_entity *next;
    struct slice name, text;
};

static const char BLANK[] = " \t\r\n";

static bool is_blank(char byte)
{
    return byte != '\0' && strchr(BLANK, byte);
}

static struct slice word(const char **at, const char *end)
{
    while (*at < end && is_blank(**at))
        ++*at;
    const char *start = *at;
    while (*at < end && !is_blank(**at) && !strchr("<>[]\"'", **at))
        ++*at;
    return (struct slice){start, (size_t)(*at - start)};
}

/* Behind the next `mark`, or NULL. */
static const char *behind(const char *at, const char *end, const char *mark)
{
    const char *found = at < end ? memmem(at, (size_t)(end - at), mark, strlen(mark)) : NULL;
    return found ? found + strlen(mark) : NULL;
}

/* Behind the '>' of a declaration, whose quotes may have others. */
static const char *declaration_end(const char *at, const char *end)
{
    while (at && at < end && *at != '>')
        at = *at == '"' || *at == '\'' ? behind(at + 1, end, *at == '"' ? "\"" : "'") : at + 1;
    return at && at < end ? at + 1 : NULL;
}

bool xml_entity(const struct xml_entities *entities, struct slice name, struct slice *ret_text)
{
    for (const struct xml_entity *entity = entities->first; entity; entity = entity->next) {
        if (slice_equal(entity->name, name)) {
            *ret_text = entity->text;
            return true;
        }
    }
    return false;
}

/* References to characters count where the entity is declared, those to entities where it stands. */
static struct slice text_of(struct arena *arena, struct slice quoted)
{
    struct ttext text;
    ttext_init(&text, arena, quoted.size * 2);
    for (size_t i = 0; i < quoted.size; i++) {
        struct slice rest = {quoted.data + i, quoted.size - i};
        const char *close = *rest.data == '&' ? memchr(rest.data, ';', rest.size) : NULL;
        uint32_t code =
            close ? xml_character((struct slice){rest.data + 1, (size_t)(close - rest.data - 1)}) : 0;
        if (code > 0) {
            ttext_code(&text, code);
            i = (size_t)(close - quoted.data);
        } else {
            ttext_byte(&text, *rest.data);
        }
    }
    return ttext_slice_of(&text);
}

/* "name 'text'" of <!ENTITY; the first of a name counts. False: there are too many. */
static bool declare(struct xml_entities *entities, struct arena *arena, const char *at, const char *end)
{
    struct slice name = word(&at, end), known, next = word(&at, end);
    if (slice_is(name, "%") || xml_entity(entities, name, &known))
        return true;
    if (entities->count++ == XML_ENTITIES_MAX)
        return false;
    struct slice text = {"", 0}; /* an external one is left out, as in the CDK */
    if (next.size == 0 && at < end && (*at == '"' || *at == '\'')) {
        const char *close = behind(at + 1, end, *at == '"' ? "\"" : "'");
        if (close)
            text = text_of(arena, (struct slice){at + 1, (size_t)(close - at - 2)});
    }
    struct xml_entity *entity = arena_zalloc(arena, sizeof *entity);
    *entity = (struct xml_entity){entities->first, name, text};
    entities->first = entity;
    return true;
}

/* What follows a part that is elsewhere may rest on it: it does not count, unless the document is standalone.
 */
static bool declare_any(struct xml_entities *entities, struct arena *arena, struct slice rest,
                        const char *end)
{
    if (entities->after_part && !entities->standalone)
        return true;
    if (slice_starts_with(rest, "<!ENTITY"))
        return declare(entities, arena, rest.data + 8, end);
    return !slice_starts_with(rest, "<!ATTLIST") ||
           xml_attributes_declare(&entities->attributes, arena, rest.data + 9, end);
}

/* What is between the brackets; behind the ']', or NULL. */
static const char *read_subset(struct xml_entities *entities, struct arena *arena, const char *at,
                               const char *end)
{
    while (at && at < end && *at != ']') {
        struct slice rest = {at, (size_t)(end - at)};
        if (is_blank(*at)) {
            at++;
        } else if (slice_starts_with(rest, "<!--")) {
            at = behind(at + 4, end, "-->");
        } else if (slice_starts_with(rest, "<?")) {
            at = behind(at, end, "?>");
        } else if (slice_starts_with(rest, "<!")) {
            const char *close = declaration_end(at + 2, end);
            at = close && declare_any(entities, arena, rest, close) ? close : NULL;
        } else if (*at == '%') {
            entities->elsewhere = entities->after_part = true;
            at = behind(at, end, ";");
        } else {
            return NULL;
        }
    }
    return at && at < end ? at + 1 : NULL;
}

const char *xml_doctype(struct xml_entities *entities, struct arena *arena, const char *at, const char *end)
{
    while (at && at < end && *at != '>') {
        if (*at == '[') {
            at = read_subset(entities, arena, at + 1, end);
        } else if (*at == '"' || *at == '\'') {
            entities->elsewhere = true; /* the name of a file */
            at = behind(at + 1, end, *at == '"' ? "\"" : "'");
        } else {
            at++;
        }
    }
    return at && at < end ? at + 1 : NULL;
}
