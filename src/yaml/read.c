/* libfyaml's events to items. Only this file knows libfyaml.
 *
 * What the events are allowed to be is narrower than YAML: one document, scalar keys, the core schema's
 * tags, aliases to what is complete. Bytes are checked before libfyaml sees them. */
#include "yaml/items.h"

#include "base/map.h"

#include <libfyaml.h>

struct reading {
    const struct yaml_reporter *reporter;
    struct slice source;
    struct yaml_items *items;
    struct map anchors;                 /* name to index + 1 */
    uint32_t open[YAML_DEPTH_MAX];      /* the containers around the next item */
    bool expects_value[YAML_DEPTH_MAX]; /* a mapping: the next item is a value */
    uint32_t depth;
    uint32_t documents;
    struct yaml_position last; /* for items that have no place: an empty value */
};

static struct yaml_position position_of(const struct reading *reading, const struct fy_mark *mark)
{
    if (!mark || mark->line < 0 || mark->column < 0)
        return reading->last;
    return (struct yaml_position){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

static struct slice token_text(struct reading *reading, struct fy_token *token)
{
    size_t size = 0;
    const char *text = token ? fy_token_get_text(token, &size) : NULL;
    if (!text)
        return (struct slice){"", 0};
    return (struct slice){arena_strndup(reading->items->arena, text, size), size};
}

static struct yaml_item *add_item(struct reading *reading, enum yaml_kind kind, struct yaml_position at)
{
    struct yaml_items *items = reading->items;
    items->items = mem_grow(items->items, &items->capacity, items->count + 1, sizeof *items->items);
    struct yaml_item *item = &items->items[items->count++];
    *item = (struct yaml_item){.kind = kind, .at = at, .after = (uint32_t)items->count};
    return item;
}

static bool in_mapping(const struct reading *reading)
{
    return reading->depth && reading->items->items[reading->open[reading->depth - 1]].kind == YAML_MAPPING;
}

/* Is the next item a mapping's key? If so, its value is expected after it. */
static bool take_key_turn(struct reading *reading)
{
    if (!in_mapping(reading))
        return false;
    bool *expects_value = &reading->expects_value[reading->depth - 1];
    *expects_value = !*expects_value;
    return *expects_value;
}

static void set_anchor(struct reading *reading, struct fy_event *event, uint32_t index)
{
    struct fy_token *anchor = fy_event_get_anchor_token(event);
    if (anchor)
        map_set(&reading->anchors, token_text(reading, anchor), (void *)(uintptr_t)(index + 1));
}

/* --- scalars --------------------------------------------------------------------------------------- */

/* What a scalar's tag makes of it. */
enum meaning { MEANS_TEXT, MEANS_BY_LOOKS, MEANS_BY_TAG };

static int meaning_of(struct reading *reading, struct slice tag, bool plain, struct yaml_position at,
                      enum meaning *ret_meaning, enum yaml_tag *ret_tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    *ret_meaning = tag.size == 0 && plain ? MEANS_BY_LOOKS : MEANS_TEXT;
    if (tag.size == 0 || slice_is(tag, "!") || slice_is(tag, "tag:yaml.org,2002:str"))
        return 0;
    for (enum yaml_tag each = YAML_TAG_NULL; each <= YAML_TAG_FLOAT; each++) {
        if (!slice_starts_with(tag, prefix) ||
            !slice_is((struct slice){tag.data + sizeof prefix - 1, tag.size - (sizeof prefix - 1)},
                      yaml_tag_name(each) + 2))
            continue;
        *ret_meaning = MEANS_BY_TAG;
        *ret_tag = each;
        return 0;
    }
    return yaml_fatal(reading->reporter, ERROR_UNSUPPORTED, at,
                      "the tag %.*s is not one that this file may use; remove it", SLICE_ARGS(tag));
}

/* The value is not shown: it may be a secret. */
static int resolve_tagged(struct reading *reading, struct yaml_item *item, enum yaml_tag tag)
{
    struct slice text = item->text;
    if (text.size && memmem(text.data, text.size, "${", 2)) {
        item->tag = tag;
        return 0;
    }
    item->kind = YAML_LITERAL;
    if (yaml_resolve_tag(tag, text, reading->items->arena, &item->text))
        return 0;
    item->text = SLICE_LITERAL("null");
    return yaml_problem(reading->reporter, item->at, "this is not %s, which its tag %s wants",
                        yaml_tag_wants(tag), yaml_tag_name(tag));
}

/* Of a block scalar here: more than what it stands in has. */
static size_t least_indent(const struct reading *reading)
{
    return reading->depth ? reading->items->items[reading->open[reading->depth - 1]].at.column : 1;
}

static struct slice scalar_text(struct reading *reading, struct fy_event *event, enum fy_scalar_style style)
{
    const struct fy_mark *mark = fy_event_start_mark(event); /* behind the quote */
    struct slice text;
    bool quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    if (quoted && mark &&
        yaml_quoted_text(reading->items->arena, reading->source, mark->input_pos,
                         style == FYSS_SINGLE_QUOTED ? '\'' : '"', &text))
        return text;
    bool block = style == FYSS_LITERAL || style == FYSS_FOLDED;
    if (block && mark &&
        yaml_block_text(reading->items->arena, reading->source, mark->input_pos,
                        style == FYSS_LITERAL ? '|' : '>', least_indent(reading), &text))
        return text;
    return token_text(reading, event->scalar.value);
}

static int add_scalar(struct reading *reading, struct fy_event *event, bool is_key)
{
    struct fy_token *token = event->scalar.value;
    enum fy_scalar_style style = token ? fy_token_scalar_style(token) : FYSS_PLAIN;
    struct yaml_position at = position_of(reading, fy_event_start_mark(event));
    if ((style == FYSS_DOUBLE_QUOTED || style == FYSS_SINGLE_QUOTED) && at.column > 1)
        at.column--; /* libfyaml's mark is behind the quote */
    enum meaning meaning;
    enum yaml_tag tag = YAML_TAG_NONE;
    if (meaning_of(reading, token_text(reading, fy_event_get_tag_token(event)), style == FYSS_PLAIN, at,
                   &meaning, &tag) < 0)
        return -1;
    uint32_t index = (uint32_t)reading->items->count;
    struct yaml_item *item = add_item(reading, is_key ? YAML_KEY : YAML_STRING, at);
    item->text = scalar_text(reading, event, style);
    set_anchor(reading, event, index);
    if (is_key) {
        if (style == FYSS_PLAIN && slice_is(item->text, "<<"))
            item->kind = YAML_MERGE;
        return 0;
    }
    if (meaning == MEANS_BY_TAG)
        return resolve_tagged(reading, item, tag);
    if (meaning != MEANS_BY_LOOKS)
        return 0;
    bool old = reading->reporter->syntax == YAML_SYNTAX_YAML_1_1;
    return (old ? yaml_resolve_plain_1_1 : yaml_resolve_plain)(reading->reporter, reading->items->arena,
                                                               item);
}

static int add_alias(struct reading *reading, struct fy_event *event, bool is_key)
{
    struct slice name = token_text(reading, event->alias.anchor);
    struct yaml_position at = position_of(reading, fy_event_start_mark(event));
    if (at.column > 1)
        at.column--; /* the mark is behind the * */
    uintptr_t found = (uintptr_t)map_get(&reading->anchors, name);
    if (!found) {
        add_item(reading, is_key ? YAML_KEY : YAML_LITERAL, at)->text = SLICE_LITERAL("null");
        return yaml_problem(reading->reporter, at, "there is no anchor &%.*s before this alias",
                            SLICE_ARGS(name));
    }
    uint32_t target = (uint32_t)found - 1;
    const struct yaml_item *original = &reading->items->items[target];
    if (original->after == 0)
        return yaml_fatal(reading->reporter, ERROR_INVALID, at,
                          "the alias *%.*s stands inside of what it names", SLICE_ARGS(name));
    if (!is_key) {
        struct yaml_item copy = *original;
        bool scalar = copy.kind != YAML_SEQUENCE && copy.kind != YAML_MAPPING;
        struct yaml_item *item = add_item(reading, YAML_ALIAS, at);
        item->target = target;
        if (scalar && copy.kind != YAML_KEY && copy.kind != YAML_MERGE) {
            item->kind = copy.kind;
            item->tag = copy.tag;
            item->text = copy.text;
        } else if (scalar) {
            item->kind = YAML_STRING;
            item->text = copy.text;
        }
        return 0;
    }
    if (original->kind == YAML_SEQUENCE || original->kind == YAML_MAPPING)
        return yaml_fatal(reading->reporter, ERROR_UNSUPPORTED, at,
                          "a key must be plain text, not a list or a mapping");
    struct slice text = original->text;
    add_item(reading, YAML_KEY, at)->text = text;
    return 0;
}

/* --- containers ------------------------------------------------------------------------------------ */

static int open_container(struct reading *reading, struct fy_event *event, enum yaml_kind kind, bool is_key)
{
    struct yaml_position at = position_of(reading, fy_event_start_mark(event));
    if (is_key)
        return yaml_fatal(reading->reporter, ERROR_UNSUPPORTED, at,
                          "a key must be plain text, not a list or a mapping");
    struct slice tag = token_text(reading, fy_event_get_tag_token(event));
    const char *own = kind == YAML_MAPPING ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
    if (tag.size && !slice_is(tag, own) && !slice_is(tag, "!"))
        return yaml_fatal(reading->reporter, ERROR_UNSUPPORTED, at,
                          "the tag %.*s is not one that this file may use; remove it", SLICE_ARGS(tag));
    if (reading->depth == YAML_DEPTH_MAX)
        return yaml_fatal(reading->reporter, ERROR_LIMIT, at, "more than %d levels of nesting",
                          YAML_DEPTH_MAX);
    uint32_t index = (uint32_t)reading->items->count;
    add_item(reading, kind, at)->after = 0;
    set_anchor(reading, event, index);
    reading->open[reading->depth] = index;
    reading->expects_value[reading->depth++] = false;
    return 0;
}

/* A mapping is complete: the same key twice is a problem that names both places. */
static int check_keys(struct reading *reading, uint32_t mapping, uint32_t end)
{
    struct map seen;
    map_init(&seen);
    int result = 0;
    struct yaml_item *items = reading->items->items;
    for (uint32_t at = mapping + 1; result == 0 && at < end; at = items[at + 1].after) {
        struct yaml_item *earlier = map_get(&seen, items[at].text);
        if (!earlier) {
            map_set(&seen, items[at].text, &items[at]);
            continue;
        }
        if (reading->reporter->syntax == YAML_SYNTAX_YAML_1_1) { /* the last one counts */
            earlier->dropped = true;
            map_set(&seen, items[at].text, &items[at]);
            continue;
        }
        items[at].dropped = true;
        size_t cut = utf8_cut(items[at].text.data, items[at].text.size, 80);
        result = yaml_problem(reading->reporter, items[at].at,
                              "the key '%.*s' is here twice; the first is at line %u, column %u", (int)cut,
                              items[at].text.data, earlier->at.line, earlier->at.column);
    }
    map_done(&seen);
    return result;
}

static int close_container(struct reading *reading)
{
    assert(reading->depth > 0);
    uint32_t index = reading->open[--reading->depth];
    struct yaml_item *item = &reading->items->items[index];
    item->after = (uint32_t)reading->items->count;
    return item->kind == YAML_MAPPING ? check_keys(reading, index, item->after) : 0;
}

/* --- the file -------------------------------------------------------------------------------------- */

static int take_event(struct reading *reading, struct fy_event *event)
{
    if (reading->items->count >= YAML_NODES_MAX)
        return yaml_fatal(reading->reporter, ERROR_LIMIT, reading->last, "more than %d values in one file",
                          YAML_NODES_MAX);
    /* The start of a document has no place of its own: the first thing in it has. */
    if (reading->documents > 1 && event->type != FYET_DOCUMENT_START)
        return yaml_fatal(reading->reporter, ERROR_UNSUPPORTED,
                          position_of(reading, fy_event_start_mark(event)),
                          "a second document begins here (after ---); one file holds one document");
    switch (event->type) {
    case FYET_DOCUMENT_START:
        reading->documents++;
        return 0;
    case FYET_MAPPING_START:
        return open_container(reading, event, YAML_MAPPING, take_key_turn(reading));
    case FYET_SEQUENCE_START:
        return open_container(reading, event, YAML_SEQUENCE, take_key_turn(reading));
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_container(reading);
    case FYET_SCALAR:
        return add_scalar(reading, event, take_key_turn(reading));
    case FYET_ALIAS:
        return add_alias(reading, event, take_key_turn(reading));
    default:
        return 0;
    }
}

/* libfyaml's words for the commonest mistakes are about its own state; these are about the file. */
static const char *explain(const char *message)
{
    static const char unclosed[] = "this line has a key, but a [ or { that began before it has no closing ] "
                                   "or }, or goes on in a line that is indented too little";
    static const struct {
        const char *theirs, *ours;
    } table[] = {
        {"invalid multiline plain key", "a key and its ':' must stand on one line; is a ':' missing?"},
        {"invalid nested block mapping on the same line",
         "a second ': ' in one line; put the value in quotes if the ':' belongs to it"},
        {"invalid indentation in mapping", "this line's indentation fits no line above it"},
        {"wrong indendation in sequence while in mapping", "this line's indentation fits no line above it"},
        {"invalid tab as indendation in a mapping", "a tab in the indentation; YAML wants spaces"},
        {"invalid mapping in plain multiline", "this line's indentation fits no line above it"},
        {"flow sequence without a closing bracket", "a list that begins with [ has no closing ]"},
        {"flow mapping without a closing brace", "a mapping that begins with { has no closing }"},
        {"wrongly indented flow mapping",
         "a mapping that begins with { has no closing }, or goes on in a line that is indented too little"},
        {"wrongly indented flow sequence",
         "a list that begins with [ has no closing ], or goes on in a line that is indented too little"},
        {"wrongly indented block sequence in flow mode",
         "this line begins a list, but a [ or { that began before it has no closing ] or }"},
        {"wrongly indented mapping key in flow mode", unclosed},
        {"wrongly indented mapping value in flow mode", unclosed},
        {"mismatched flow mapping end", "a } stands where the ] of a list that begins with [ should be"},
        {"mismatched flow sequence end", "a ] stands where the } of a mapping that begins with { should be"},
        {"missing comma in flow mapping",
         "a ',' or '}' is missing; text with { or } in it must be in quotes inside of { }"},
        {"double-quoted scalar without closing quote", "a text that begins with \" has no closing \""},
        {"single-quoted scalar without closing quote", "a text that begins with ' has no closing '"},
        {"tab character may not be used as indentation", "a tab in the indentation; YAML wants spaces"},
        {"invalid tab used as indentation", "a tab in the indentation; YAML wants spaces"},
        {"double-quoted scalar has invalid UTF8 escape",
         "an escape for half a character; write the character itself"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(message, table[i].theirs) == 0)
            return table[i].ours;
    }
    return message;
}

static int syntax_error(const struct yaml_reporter *reporter, struct fy_diag *diag, struct yaml_position last)
{
    void *previous = NULL;
    const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &previous);
    if (!first || !first->msg)
        return yaml_fatal(reporter, ERROR_INVALID, last, "this is not YAML");
    struct yaml_position at = {first->line > 0 ? (uint32_t)first->line : 1,
                               first->column > 0 ? (uint32_t)first->column : 1};
    return yaml_fatal(reporter, ERROR_INVALID, at, "not valid YAML: %s", explain(first->msg));
}

/* libfyaml is not given what cannot be text: its messages about that are poor. */
static int check_bytes(const struct yaml_reporter *reporter, struct slice source)
{
    struct yaml_position at = {1, 1};
    bool valid = utf8_valid(source.data, source.size);
    for (size_t i = 0; i < source.size; i++) {
        unsigned char byte = (unsigned char)source.data[i];
        if (byte == '\n') {
            at.line++;
            at.column = 1;
            continue;
        }
        if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f)
            return yaml_fatal(reporter, ERROR_INVALID, at,
                              "the control character 0x%02x; this is not a text file", byte);
        size_t rest = source.size - i;
        if (!valid && byte >= 0x80 && (byte & 0xc0) != 0x80) {
            size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
            if (!utf8_valid(source.data + i, rest < length ? rest : length))
                return yaml_fatal(reporter, ERROR_INVALID, at, "the byte 0x%02x is not UTF-8", byte);
            i += length - 1;
        } else if (!valid && byte >= 0x80) {
            return yaml_fatal(reporter, ERROR_INVALID, at, "the byte 0x%02x is not UTF-8", byte);
        }
        at.column += (byte & 0xc0) != 0x80;
    }
    return 0;
}

static int read_events(struct reading *reading, struct fy_parser *parser, struct fy_diag *diag)
{
    for (;;) {
        struct fy_event *event = fy_parser_parse(parser);
        if (!event)
            break;
        int result = take_event(reading, event);
        const struct fy_mark *mark = fy_event_start_mark(event);
        if (event->type != FYET_STREAM_END)
            reading->last = position_of(reading, mark);
        fy_parser_event_free(parser, event);
        if (result < 0)
            return -1;
    }
    if (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag))
        return syntax_error(reading->reporter, diag, reading->last);
    if (reading->items->count == 0)
        add_item(reading, YAML_LITERAL, (struct yaml_position){1, 1})->text = SLICE_LITERAL("null");
    return 0;
}

int yaml_read_items(const struct yaml_reporter *reporter, struct slice source, struct yaml_items *items)
{
    if (check_bytes(reporter, source) < 0)
        return -1;
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    const struct fy_parse_cfg config = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_DISABLE_DEPTH_LIMIT,
        .diag = diag,
    };
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    int result = -1;
    struct reading reading = {.reporter = reporter, .source = source, .items = items, .last = {1, 1}};
    map_init(&reading.anchors);
    if (parser)
        fy_diag_set_collect_errors(diag, true);
    if (!parser || fy_parser_set_string(parser, source.size ? source.data : "", source.size) != 0)
        yaml_fatal(reporter, ERROR_IO, reading.last, "the YAML reader could not start");
    else
        result = read_events(&reading, parser, diag);
    map_done(&reading.anchors);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    return result;
}
