/* XML as Python's xmltodict has it: attributes are "@name", text beside them or beside elements is "#text",
 * elements of one name are a list, an empty element is null. A document's own entities are expanded. */
#include "xml.h"

#include "source-declarative/template/unicode.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    XML_ENTITIES_DEEP = 32,      /* entities inside of entities */
    XML_EXPANDED_MAX = 16 << 20, /* bytes of entities in one document */
};

struct xml_element {
    struct slice name;
    struct tvalue members; /* attributes and elements; a dict, or none */
    struct ttext text;
};

struct xml {
    struct arena *arena;
    const char *start, *at, *end;
    char why[120];         /* it is wrong; empty: it is not */
    const char *wrong_at;  /* where, in the document */
    const char *reference; /* to the entity that is being read; NULL: the document itself is */
    struct xml_entities entities;
    size_t entities_deep, expanded;
    size_t floor, depth; /* of the element that the entity is in */
    struct xml_element stack[RECORD_DEPTH_MAX];
    struct tvalue root; /* a dict once the root has ended */
};

/* The first of them is told. */
static void __attribute__((format(printf, 2, 3))) wrong(struct xml *xml, const char *format, ...)
{
    va_list args;
    if (*xml->why)
        return;
    va_start(args, format);
    vsnprintf(xml->why, sizeof xml->why, format, args);
    va_end(args);
    xml->wrong_at = xml->reference ? xml->reference : xml->at;
}

static bool is_wrong(const struct xml *xml)
{
    return *xml->why != '\0';
}

static void wrong_unless(struct xml *xml, bool right, const char *why)
{
    if (!right)
        wrong(xml, "%s", why);
}

static bool looking_at(const struct xml *xml, const char *text)
{
    size_t size = strlen(text);
    return (size_t)(xml->end - xml->at) >= size && memcmp(xml->at, text, size) == 0;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_space(struct xml *xml)
{
    while (xml->at < xml->end && is_space(*xml->at))
        xml->at++;
}

/* Behind the next `mark`; what was before it is the result. */
static struct slice until(struct xml *xml, const char *mark)
{
    const char *found = memmem(xml->at, (size_t)(xml->end - xml->at), mark, strlen(mark));
    struct slice before = {xml->at, found ? (size_t)(found - xml->at) : 0};
    if (!found)
        wrong(xml, "no \"%s\" follows", mark);
    xml->at = found ? found + strlen(mark) : xml->end;
    return before;
}

static struct slice read_name(struct xml *xml)
{
    const char *start = xml->at;
    while (xml->at < xml->end && !is_space(*xml->at) && !strchr("<>/='\"&", *xml->at))
        xml->at++;
    struct slice name = {start, (size_t)(xml->at - start)};
    wrong_unless(xml, name.size > 0 && !strchr("-.0123456789", *start), "a name was expected");
    return name;
}

static int digit_of(char byte, int base)
{
    int digit = byte >= '0' && byte <= '9' ? byte - '0'
                : (byte | 0x20) >= 'a'     ? (byte | 0x20) - 'a' + 10
                                           : 99;
    return digit < base ? digit : -1;
}

/* "#233", "#xe9"; 0: it is none. */
uint32_t xml_character(struct slice name)
{
    bool hex = name.size > 2 && name.data[1] == 'x';
    uint32_t code = 0;
    if (name.size < 2 || *name.data != '#')
        return 0;
    for (size_t i = hex ? 2 : 1; i < name.size; i++) {
        int digit = digit_of(name.data[i], hex ? 16 : 10);
        if (digit < 0)
            return 0;
        code = code * (hex ? 16 : 10) + (uint32_t)digit;
        if (code >= 0x110000)
            return 0;
    }
    return code >= 0xd800 && code < 0xe000 ? 0 : code;
}

static void read_content(struct xml *xml);
static void read_value(struct xml *xml, struct ttext *text, char quote);

/* What an entity stands for, as if it stood here: in an attribute's value, or else in an element. */
static void expand(struct xml *xml, struct slice entity, struct ttext *attribute)
{
    const char *at = xml->at, *end = xml->end;
    size_t floor = xml->floor;
    xml->expanded += entity.size + 1;
    if (xml->entities_deep == XML_ENTITIES_DEEP || xml->expanded > XML_EXPANDED_MAX) {
        wrong(xml, "entities are nested more than %d deep, or are more than %d MiB", XML_ENTITIES_DEEP,
              XML_EXPANDED_MAX >> 20);
        return;
    }
    if (xml->entities_deep++ == 0)
        xml->reference = at;
    xml->at = entity.data;
    xml->end = entity.data + entity.size;
    xml->floor = xml->depth;
    if (attribute) {
        read_value(xml, attribute, '\0');
    } else {
        read_content(xml);
        wrong_unless(xml, xml->depth == xml->floor, "an entity does not end what it begins");
    }
    xml->floor = floor;
    xml->at = at;
    xml->end = end;
    if (--xml->entities_deep == 0)
        xml->reference = NULL;
}

/* "&amp;", "&#233;", "&#xe9;", or an entity of the document's. */
static void read_reference(struct xml *xml, struct ttext *out, bool in_attribute)
{
    static const struct {
        const char *name, *text;
    } KNOWN[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    const char *start = xml->at++;
    struct slice name = until(xml, ";"), entity;
    if (is_wrong(xml))
        return;
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (slice_is(name, KNOWN[i].name)) {
            ttext_cstring(out, KNOWN[i].text);
            return;
        }
    }
    uint32_t code = xml_character(name);
    if (code > 0) {
        ttext_code(out, code);
    } else if (xml_entity(&xml->entities, name, &entity)) {
        expand(xml, entity, in_attribute ? out : NULL);
    } else if (!xml->entities.elsewhere || name.size == 0 || *name.data == '#') {
        xml->at = start;
        wrong(xml, "\"&%.*s;\" stands for nothing", (int)(name.size < 40 ? name.size : 40), name.data);
    } /* else it is declared where nobody looks, and left out as in the CDK */
}

/* An attribute's, up to its quote; an entity's has none. */
static void read_value(struct xml *xml, struct ttext *text, char quote)
{
    while (!is_wrong(xml) && xml->at < xml->end && (!quote || *xml->at != quote)) {
        if (*xml->at == '&') {
            read_reference(xml, text, true);
            continue;
        }
        wrong_unless(xml, *xml->at != '<', "an attribute's value has a \"<\"");
        ttext_byte(text, is_space(*xml->at) ? ' ' : *xml->at);
        xml->at++;
    }
}

/* One blank between words, none around them. */
static void keep_words(struct ttext *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->size; i++) {
        bool blank = text->data[i] == ' ';
        if (!blank || (kept && text->data[kept - 1] != ' '))
            text->data[kept++] = text->data[i];
    }
    text->size = kept && text->data[kept - 1] == ' ' ? kept - 1 : kept;
}

static struct tvalue attribute_key(struct xml *xml, struct slice name)
{
    struct ttext text;
    ttext_init(&text, xml->arena, DECODER_ITEM_MAX);
    ttext_byte(&text, '@');
    ttext_slice(&text, name);
    return tvalue_string(ttext_slice_of(&text));
}

/* Those that the element has not said, behind those that it has. */
static void add_defaults(struct xml *xml, struct xml_attribute *declared, struct tvalue *members)
{
    for (; declared && !is_wrong(xml); declared = declared->next) {
        struct tvalue key = attribute_key(xml, declared->name), old;
        if (!declared->has_default || (members->kind == TVALUE_DICT && tdict_get(members->dict, &key, &old)))
            continue;
        if (!declared->was_read) {
            struct ttext text;
            ttext_init(&text, xml->arena, DECODER_ITEM_MAX);
            expand(xml, declared->text, &text);
            if (declared->has_tokens)
                keep_words(&text);
            declared->text = ttext_slice_of(&text);
            declared->was_read = true;
        }
        if (members->kind != TVALUE_DICT)
            *members = tvalue_dict(xml->arena);
        tdict_set(xml->arena, members->dict, key, tvalue_string(declared->text));
    }
}

static void read_attribute(struct xml *xml, const struct xml_attribute *declared, struct tdict *members)
{
    struct ttext text;
    struct tvalue old;
    ttext_init(&text, xml->arena, DECODER_ITEM_MAX);
    struct slice name = read_name(xml);
    skip_space(xml);
    wrong_unless(xml, looking_at(xml, "="), "\"=\" was expected");
    if (is_wrong(xml))
        return;
    xml->at++;
    skip_space(xml);
    if (!looking_at(xml, "\"") && !looking_at(xml, "'")) {
        wrong(xml, "an attribute's value has no quotes");
        return;
    }
    char quote = *xml->at++;
    read_value(xml, &text, quote);
    wrong_unless(xml, xml->at < xml->end, "an attribute's value does not end");
    wrong_unless(xml, !text.overflowed, "an attribute's value is too long");
    struct tvalue key = attribute_key(xml, name);
    wrong_unless(xml, !tdict_get(members, &key, &old), "an attribute is there twice");
    if (is_wrong(xml))
        return;
    xml->at++;
    declared = xml_attribute_named(declared, name);
    if (declared && declared->has_tokens)
        keep_words(&text);
    tdict_set(xml->arena, members, key, tvalue_string(ttext_slice_of(&text)));
}

/* An element into the one that it is in: the second of a name makes a list of them. */
static void add_member(struct xml *xml, struct tvalue *members, struct slice name, struct tvalue value)
{
    struct tvalue key = tvalue_string(name), old;
    if (members->kind != TVALUE_DICT)
        *members = tvalue_dict(xml->arena);
    if (!tdict_get(members->dict, &key, &old)) {
        tdict_set(xml->arena, members->dict, key, value);
        return;
    }
    if (old.kind != TVALUE_LIST) {
        struct tvalue list = tvalue_list(xml->arena);
        tlist_push(xml->arena, list.list, old);
        tdict_set(xml->arena, members->dict, key, list);
        old = list;
    }
    tlist_push(xml->arena, old.list, value);
}

static void end_element(struct xml *xml)
{
    struct xml_element *element = &xml->stack[--xml->depth];
    if (element->text.overflowed)
        wrong(xml, "an element has more than %d MiB of text", DECODER_ITEM_MAX >> 20);
    struct slice text = unicode_strip(ttext_slice_of(&element->text), NULL, true, true);
    struct tvalue value = text.size > 0 ? tvalue_string(text) : tvalue_none();
    if (element->members.kind == TVALUE_DICT) {
        if (text.size > 0)
            tdict_set_name(xml->arena, element->members.dict, "#text", value);
        value = element->members;
    }
    if (xml->depth == 0) {
        xml->root = tvalue_dict(xml->arena);
        tdict_set(xml->arena, xml->root.dict, tvalue_string(element->name), value);
    } else {
        add_member(xml, &xml->stack[xml->depth - 1].members, element->name, value);
    }
}

static void read_start(struct xml *xml)
{
    if (xml->depth == RECORD_DEPTH_MAX)
        wrong(xml, "elements are nested more than %d deep", RECORD_DEPTH_MAX);
    wrong_unless(xml, xml->depth > 0 || xml->root.kind != TVALUE_DICT, "the document has ended");
    if (is_wrong(xml))
        return;
    struct xml_element *element = &xml->stack[xml->depth++];
    *element = (struct xml_element){.members = tvalue_none()};
    ttext_init(&element->text, xml->arena, DECODER_ITEM_MAX);
    xml->at++;
    element->name = read_name(xml);
    struct xml_attribute *declared = xml_attributes_of(&xml->entities.attributes, element->name);
    while (!is_wrong(xml)) {
        bool space = xml->at < xml->end && is_space(*xml->at);
        skip_space(xml);
        if (looking_at(xml, "/>")) {
            xml->at += 2;
            add_defaults(xml, declared, &element->members);
            end_element(xml);
            return;
        }
        if (looking_at(xml, ">")) {
            xml->at++;
            add_defaults(xml, declared, &element->members);
            return;
        }
        if (!space || xml->at == xml->end) {
            wrong(xml, "\">\" was expected");
            return;
        }
        if (element->members.kind != TVALUE_DICT)
            element->members = tvalue_dict(xml->arena);
        read_attribute(xml, declared, element->members.dict);
    }
}

static void read_end(struct xml *xml)
{
    const char *start = xml->at;
    xml->at += 2;
    struct slice name = read_name(xml);
    skip_space(xml);
    if (!is_wrong(xml) && (xml->depth == xml->floor || !slice_equal(xml->stack[xml->depth - 1].name, name))) {
        xml->at = start;
        wrong(xml, "\"%.*s\" ends, which is not what began last", (int)(name.size < 60 ? name.size : 60),
              name.data);
    }
    wrong_unless(xml, looking_at(xml, ">"), "\">\" was expected");
    if (is_wrong(xml))
        return;
    xml->at++;
    end_element(xml);
}

static void read_markup(struct xml *xml)
{
    struct ttext *text = xml->depth > 0 ? &xml->stack[xml->depth - 1].text : NULL;
    if (looking_at(xml, "<!--")) {
        xml->at += 4;
        until(xml, "-->");
    } else if (looking_at(xml, "<?")) {
        bool declares = xml->at == xml->start;
        struct slice said = until(xml, "?>");
        if (declares)
            xml->entities.standalone =
                memmem(said.data, said.size, "standalone", 10) && memmem(said.data, said.size, "yes", 3);
    } else if (text && looking_at(xml, "<![CDATA[")) {
        xml->at += 9;
        ttext_slice(text, until(xml, "]]>"));
    } else if (!text && xml->root.kind != TVALUE_DICT && looking_at(xml, "<!DOCTYPE")) {
        const char *end = xml_doctype(&xml->entities, xml->arena, xml->at + 9, xml->end);
        wrong_unless(xml, end != NULL, "<!DOCTYPE is broken, does not end, or declares too much");
        xml->at = end ? end : xml->end;
    } else if (looking_at(xml, "</")) {
        read_end(xml);
    } else {
        read_start(xml);
    }
}

static void read_content(struct xml *xml)
{
    while (!is_wrong(xml) && xml->at < xml->end) {
        struct ttext *text = xml->depth > 0 ? &xml->stack[xml->depth - 1].text : NULL;
        if (*xml->at == '<') {
            read_markup(xml);
        } else if (!text) { /* outside of the root is space only */
            wrong_unless(xml, is_space(*xml->at), "there is text outside of the root element");
            xml->at++;
        } else if (*xml->at == '&') {
            read_reference(xml, text, false);
        } else {
            const char *start = xml->at;
            while (xml->at < xml->end && *xml->at != '<' && *xml->at != '&')
                xml->at++;
            ttext_add(text, start, (size_t)(xml->at - start));
        }
    }
}

static size_t line_of(const struct xml *xml)
{
    size_t line = 1;
    for (const char *at = xml->start; at < xml->wrong_at; at++)
        line += *at == '\n';
    return line;
}

int xml_read(struct arena *arena, struct slice text, struct tvalue *ret_document, struct error *err)
{
    struct xml *xml = arena_zalloc(arena, sizeof *xml);
    xml->arena = arena;
    xml->start = xml->at = text.data;
    xml->end = text.data + text.size;
    xml->root = tvalue_none();
    read_content(xml);
    if (xml->depth > 0)
        wrong(xml, "it ends inside of \"%.*s\"",
              (int)(xml->stack[xml->depth - 1].name.size < 60 ? xml->stack[xml->depth - 1].name.size : 60),
              xml->stack[xml->depth - 1].name.data);
    wrong_unless(xml, xml->root.kind == TVALUE_DICT, "it has no element");
    if (is_wrong(xml))
        return error_set(err, ERROR_PROTOCOL, "line %zu (byte %zu): %s", line_of(xml),
                         (size_t)(xml->wrong_at - xml->start), xml->why);
    *ret_document = xml->root;
    return 0;
}
