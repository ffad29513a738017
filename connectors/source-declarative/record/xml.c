/* XmlDecoder: the mappings that Python's xmltodict makes. Attributes are "@name", text beside them or beside
 * elements is "#text", elements of one name are a list, an empty element is null. What is no XML gives an
 * empty mapping, as in the CDK. Entities of a document's own are not expanded. */
#include "decode.h"

#include "source-declarative/template/unicode.h"

#include <stdlib.h>

enum { XML_DEPTH_MAX = 256, XML_NAME_MAX = 1024 };

struct xml_element {
    struct slice name;
    struct tvalue members; /* attributes and elements; a dict, or none */
    struct ttext text;
};

struct xml {
    struct arena *arena;
    const char *at, *end;
    bool wrong;
    size_t depth;
    struct xml_element stack[XML_DEPTH_MAX];
    struct tvalue root; /* a dict once the root has ended */
};

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
    xml->wrong |= !found;
    xml->at = found ? found + strlen(mark) : xml->end;
    return before;
}

static struct slice read_name(struct xml *xml)
{
    const char *start = xml->at;
    while (xml->at < xml->end && !is_space(*xml->at) && !strchr("<>/='\"&", *xml->at))
        xml->at++;
    struct slice name = {start, (size_t)(xml->at - start)};
    xml->wrong |= name.size == 0 || name.size > XML_NAME_MAX || strchr("-.0123456789", *start) != NULL;
    return name;
}

/* "&amp;", "&#233;", "&#xe9;". */
static void read_reference(struct xml *xml, struct ttext *out)
{
    static const struct {
        const char *name, *text;
    } KNOWN[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};
    xml->at++;
    struct slice name = until(xml, ";");
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (slice_is(name, KNOWN[i].name)) {
            ttext_cstring(out, KNOWN[i].text);
            return;
        }
    }
    bool hex = name.size > 2 && name.data[1] == 'x';
    uint32_t code = 0;
    for (size_t i = hex ? 2 : 1; i < name.size && code < 0x110000; i++) {
        const char *digits = "0123456789abcdef", *digit = strchr(digits, name.data[i] | 0x20);
        if (!digit || !name.data[i] || digit - digits >= (hex ? 16 : 10)) {
            code = 0;
            break;
        }
        code = code * (hex ? 16 : 10) + (uint32_t)(digit - digits);
    }
    if (name.size < 2 || name.size > 12 || *name.data != '#' || code == 0 || code >= 0x110000 ||
        (code >= 0xd800 && code < 0xe000)) {
        xml->wrong = true;
        return;
    }
    ttext_code(out, code);
}

static void read_attribute(struct xml *xml, struct tdict *members)
{
    struct ttext name, text;
    struct tvalue old;
    ttext_init(&name, xml->arena, DECODER_ITEM_MAX);
    ttext_init(&text, xml->arena, DECODER_ITEM_MAX);
    ttext_byte(&name, '@');
    ttext_slice(&name, read_name(xml));
    skip_space(xml);
    if (xml->wrong || xml->at == xml->end || *xml->at++ != '=') {
        xml->wrong = true;
        return;
    }
    skip_space(xml);
    char quote = xml->at < xml->end ? *xml->at++ : '\0';
    xml->wrong |= quote != '"' && quote != '\'';
    while (!xml->wrong && xml->at < xml->end && *xml->at != quote) {
        if (*xml->at == '&') {
            read_reference(xml, &text);
            continue;
        }
        xml->wrong |= *xml->at == '<';
        ttext_byte(&text, is_space(*xml->at) ? ' ' : *xml->at);
        xml->at++;
    }
    if (xml->wrong || xml->at == xml->end) {
        xml->wrong = true;
        return;
    }
    xml->at++;
    struct tvalue key = tvalue_string(ttext_slice_of(&name));
    xml->wrong |= tdict_get(members, &key, &old);
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
    if (xml->depth == XML_DEPTH_MAX || (xml->depth == 0 && xml->root.kind == TVALUE_DICT)) {
        xml->wrong = true;
        return;
    }
    struct xml_element *element = &xml->stack[xml->depth++];
    *element = (struct xml_element){.members = tvalue_none()};
    ttext_init(&element->text, xml->arena, DECODER_ITEM_MAX);
    xml->at++;
    element->name = read_name(xml);
    while (!xml->wrong) {
        bool space = xml->at < xml->end && is_space(*xml->at);
        skip_space(xml);
        if (looking_at(xml, "/>")) {
            xml->at += 2;
            end_element(xml);
            return;
        }
        if (looking_at(xml, ">")) {
            xml->at++;
            return;
        }
        if (!space || xml->at == xml->end) {
            xml->wrong = true;
            return;
        }
        if (element->members.kind != TVALUE_DICT)
            element->members = tvalue_dict(xml->arena);
        read_attribute(xml, element->members.dict);
    }
}

static void read_end(struct xml *xml)
{
    xml->at += 2;
    struct slice name = read_name(xml);
    skip_space(xml);
    if (xml->wrong || !looking_at(xml, ">") || xml->depth == 0 ||
        !slice_equal(xml->stack[xml->depth - 1].name, name)) {
        xml->wrong = true;
        return;
    }
    xml->at++;
    end_element(xml);
}

/* <!DOCTYPE …> with what is in its brackets. */
static void skip_doctype(struct xml *xml)
{
    size_t brackets = 0;
    for (; xml->at < xml->end; xml->at++) {
        brackets += *xml->at == '[';
        brackets -= *xml->at == ']' && brackets > 0;
        if (*xml->at == '>' && brackets == 0) {
            xml->at++;
            return;
        }
    }
    xml->wrong = true;
}

static void read_markup(struct xml *xml)
{
    struct ttext *text = xml->depth > 0 ? &xml->stack[xml->depth - 1].text : NULL;
    if (looking_at(xml, "<!--")) {
        xml->at += 4;
        until(xml, "-->");
    } else if (looking_at(xml, "<?")) {
        until(xml, "?>");
    } else if (text && looking_at(xml, "<![CDATA[")) {
        xml->at += 9;
        ttext_slice(text, until(xml, "]]>"));
    } else if (!text && xml->root.kind != TVALUE_DICT && looking_at(xml, "<!DOCTYPE")) {
        skip_doctype(xml);
    } else if (looking_at(xml, "</")) {
        read_end(xml);
    } else {
        read_start(xml);
    }
}

static bool read_document(struct xml *xml)
{
    while (!xml->wrong && xml->at < xml->end) {
        struct ttext *text = xml->depth > 0 ? &xml->stack[xml->depth - 1].text : NULL;
        if (*xml->at == '<') {
            read_markup(xml);
        } else if (!text) { /* outside of the root is space only */
            xml->wrong = !is_space(*xml->at++);
        } else if (*xml->at == '&') {
            read_reference(xml, text);
        } else {
            const char *start = xml->at;
            while (xml->at < xml->end && *xml->at != '<' && *xml->at != '&')
                xml->at++;
            ttext_add(text, start, (size_t)(xml->at - start));
        }
    }
    return !xml->wrong && xml->depth == 0 && xml->root.kind == TVALUE_DICT;
}

/* --- the decoder --------------------------------------------------------------------------------- */

struct xml_state {
    struct buffer buffer, text;
    bool given;
};

/* The encoding that the declaration names, or UTF-8. */
static struct slice encoding_of(struct slice bytes)
{
    struct slice head = {bytes.data, bytes.size < 200 ? bytes.size : 200};
    const char *end = memmem(head.data, head.size, "?>", 2);
    const char *name = end ? memmem(head.data, (size_t)(end - head.data), "encoding=", 9) : NULL;
    if (bytes.size >= 2 && ((unsigned char)bytes.data[0] ^ (unsigned char)bytes.data[1]) == 1 &&
        (unsigned char)bytes.data[0] >= 0xfe)
        return SLICE_LITERAL("utf-16");
    if (!slice_starts_with(head, "<?xml") || !name || end - name < 12)
        return SLICE_LITERAL("utf-8-sig");
    const char *close = memchr(name + 10, name[9], (size_t)(end - name - 10));
    return close ? (struct slice){name + 10, (size_t)(close - name - 10)} : SLICE_LITERAL("utf-8-sig");
}

static int xml_begin(struct decoding *decoding, struct error *err)
{
    struct xml_state *state = mem_zalloc(sizeof *state);
    struct slice bytes;
    decoding->state = state;
    buffer_init(&state->buffer, DECODER_EXPANDED_MAX);
    buffer_init(&state->text, DECODER_EXPANDED_MAX);
    if (decoding_bytes(decoding, &state->buffer, &bytes, err) != 0)
        return -1;
    struct slice encoding = encoding_of(bytes);
    struct error wrong = {0};
    struct byte_source source = byte_source_of(&bytes);
    struct recode *recode = recode_new(source, encoding, &wrong);
    if (recode) {
        struct byte_source text = recode_source(recode);
        if (byte_source_all(&text, &state->text, &wrong) != 0)
            buffer_clear(&state->text);
    }
    recode_free(recode);
    return 0;
}

static void xml_end(struct decoding *decoding)
{
    struct xml_state *state = decoding->state;
    buffer_done(&state->buffer);
    buffer_done(&state->text);
    free(state);
}

static int xml_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                    struct error *err)
{
    struct xml_state *state = decoding->state;
    (void)err;
    if (state->given)
        return 0;
    state->given = true;
    struct xml *xml = arena_zalloc(arena, sizeof *xml);
    xml->arena = arena;
    xml->at = state->text.data ? state->text.data : "";
    xml->end = xml->at + state->text.size;
    xml->root = tvalue_none();
    if (read_document(xml)) {
        *ret_document = xml->root;
        return 1;
    }
    engine_log(decoding->decoder->engine, ENGINE_WARN, "the response is no XML");
    *ret_document = tvalue_dict(arena);
    return 1;
}

const struct decoder_class decoder_xml = {
    .type_name = "XmlDecoder",
    .keeps = true,
    .begin = xml_begin,
    .next = xml_next,
    .end = xml_end,
};
