/* <!ATTLIST …>: attributes that an element has where it names none itself, and those whose blanks do not
 * count. */
#include "xml.h"

enum { XML_ATTRIBUTES_MAX = 1024 };

struct xml_element_type {
    struct xml_element_type *next;
    struct slice name;
    struct xml_attribute *first, *last;
};

static void skip_space(const char **at, const char *end)
{
    while (*at < end && strchr(" \t\r\n", **at) && **at)
        ++*at;
}

/* Up to a blank, a quote or a bracket. */
static struct slice word(const char **at, const char *end)
{
    skip_space(at, end);
    const char *start = *at;
    while (*at < end && **at && !strchr(" \t\r\n\"'()>", **at))
        ++*at;
    return (struct slice){start, (size_t)(*at - start)};
}

/* "(a|b)" or NMTOKEN: its blanks are between tokens. False: it is none. */
static bool read_type(const char **at, const char *end, bool *ret_tokens)
{
    static const char *const NAMES[] = {"",       "NOTATION", "CDATA",    "ID",      "IDREF",
                                        "IDREFS", "ENTITY",   "ENTITIES", "NMTOKEN", "NMTOKENS"};
    struct slice name = word(at, end);
    bool known = false;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        known = known || slice_is(name, NAMES[i]);
    *ret_tokens = !slice_is(name, "CDATA");
    skip_space(at, end);
    if (name.size > 0 && !slice_is(name, "NOTATION"))
        return known;
    const char *close = *at < end && **at == '(' ? memchr(*at, ')', (size_t)(end - *at)) : NULL;
    if (!close)
        return false;
    *at = close + 1;
    return true;
}

/* What is in quotes. */
static bool read_default(const char **at, const char *end, bool *ret_has, struct slice *ret_text)
{
    struct slice how = word(at, end);
    *ret_has = false;
    if (slice_is(how, "#REQUIRED") || slice_is(how, "#IMPLIED"))
        return true;
    skip_space(at, end);
    if ((how.size > 0 && !slice_is(how, "#FIXED")) || *at == end || (**at != '"' && **at != '\''))
        return false;
    const char *close = memchr(*at + 1, **at, (size_t)(end - *at - 1));
    if (!close)
        return false;
    *ret_has = true;
    *ret_text = (struct slice){*at + 1, (size_t)(close - *at - 1)};
    *at = close + 1;
    return true;
}

static struct xml_element_type **bucket_of(struct xml_attributes *attributes, struct slice name)
{
    unsigned hash = (unsigned)name.size;
    for (size_t i = 0; i < name.size && i < 16; i++)
        hash = hash * 31 + (unsigned char)name.data[i];
    return &attributes->types[hash % XML_ATTRIBUTES_BUCKETS];
}

static struct xml_element_type *type_of(struct xml_attributes *attributes, struct slice name)
{
    struct xml_element_type *type = *bucket_of(attributes, name);
    while (type && !slice_equal(type->name, name))
        type = type->next;
    return type;
}

struct xml_attribute *xml_attributes_of(struct xml_attributes *attributes, struct slice element)
{
    struct xml_element_type *type = attributes->count ? type_of(attributes, element) : NULL;
    return type ? type->first : NULL;
}

const struct xml_attribute *xml_attribute_named(const struct xml_attribute *first, struct slice name)
{
    while (first && !slice_equal(first->name, name))
        first = first->next;
    return first;
}

bool xml_attributes_declare(struct xml_attributes *attributes, struct arena *arena, const char *at,
                            const char *end)
{
    struct slice element = word(&at, end);
    struct xml_element_type *type = type_of(attributes, element);
    if (!type) {
        struct xml_element_type **bucket = bucket_of(attributes, element);
        type = arena_zalloc(arena, sizeof *type);
        *type = (struct xml_element_type){.next = *bucket, .name = element};
        *bucket = type;
    }
    for (;;) {
        struct xml_attribute read = {.name = word(&at, end)};
        if (read.name.size == 0)
            return element.size > 0 && at < end && *at == '>';
        if (attributes->count++ == XML_ATTRIBUTES_MAX || !read_type(&at, end, &read.has_tokens) ||
            !read_default(&at, end, &read.has_default, &read.text))
            return false;
        if (xml_attribute_named(type->first, read.name))
            continue; /* the first counts */
        struct xml_attribute *attribute = arena_dup(arena, &read, sizeof read);
        *(type->last ? &type->last->next : &type->first) = attribute;
        type->last = attribute;
    }
}
