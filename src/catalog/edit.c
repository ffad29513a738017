/* Where in a file's text a member or an item goes. */
#include "catalog/edit.h"

struct edit_insertion {
    size_t offset, remove; /* bytes that go */
    struct slice text;
};

enum { INDENT = 2, EDITED_MAX = YAML_SIZE_MAX };

/* --- places ---------------------------------------------------------------------------------------- */

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static size_t line_start(const struct edit *edit, size_t offset)
{
    while (offset && edit->text.data[offset - 1] != '\n')
        offset--;
    return offset;
}

static size_t offset_of(const struct edit *edit, uint32_t at)
{
    struct yaml_position position = yaml_position(&edit->doc, at);
    const char *here = edit->text.data, *end = here + edit->text.size;
    for (uint32_t line = 1; line < position.line && here < end; line++) {
        const char *next = memchr(here, '\n', (size_t)(end - here));
        here = next ? next + 1 : end;
    }
    for (uint32_t column = 1; column < position.column && here < end; column++) {
        do
            here++;
        while (here < end && continues(*here));
    }
    return (size_t)(here - edit->text.data);
}

static size_t column_of(const struct edit *edit, size_t offset)
{
    size_t column = 0;
    for (size_t i = line_start(edit, offset); i < offset; i++)
        column += !continues(edit->text.data[i]);
    return column;
}

static char byte_at(const struct edit *edit, size_t offset)
{
    return offset < edit->text.size ? edit->text.data[offset] : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_container(const struct edit *edit, uint32_t at)
{
    return json_is(&edit->doc.json, at, JSON_ARRAY) || json_is(&edit->doc.json, at, JSON_OBJECT);
}

static void insert(struct edit *edit, size_t offset, size_t remove, struct buffer *text)
{
    if (edit->count == edit->capacity)
        edit->insertions =
            mem_grow(edit->insertions, &edit->capacity, edit->count + 1, sizeof *edit->insertions);
    edit->insertions[edit->count++] = (struct edit_insertion){
        offset, remove, {arena_dup(edit->arena, text->data ? text->data : "", text->size), text->size}};
}

static int cannot(const struct edit *edit, uint32_t at, const char *why, struct error *err)
{
    struct yaml_position position = yaml_position(&edit->doc, at);
    return error_set(err, ERROR_UNSUPPORTED, "%s:%u:%u: cannot add to what is here: %s", edit->doc.file,
                     position.line, position.column, why);
}

/* --- between brackets ------------------------------------------------------------------------------ */

/* Behind a quoted scalar that begins at `at`. */
static size_t skip_quoted(const struct edit *edit, size_t at)
{
    char quote = edit->text.data[at++];
    for (; at < edit->text.size; at++) {
        char c = edit->text.data[at];
        if (quote == '"' && c == '\\')
            at++;
        else if (c == quote && quote == '\'' && byte_at(edit, at + 1) == '\'')
            at++;
        else if (c == quote)
            return at + 1;
    }
    return at;
}

/* The bracket that closes the one at `open`, and the last byte of content before it; 0: there is none. */
static size_t closing(const struct edit *edit, size_t open, size_t *ret_last)
{
    size_t depth = 0, last = open;
    char before = 0;
    for (size_t at = open; at < edit->text.size; at++) {
        char c = edit->text.data[at];
        if (c == '#' && (at == 0 || is_blank(edit->text.data[at - 1])) && edit->syntax == YAML_SYNTAX_YAML) {
            while (at < edit->text.size && edit->text.data[at] != '\n')
                at++;
            continue;
        }
        if (is_blank(c))
            continue;
        if ((c == '"' || c == '\'') && (before == 0 || strchr("[{,:&!", before))) {
            at = skip_quoted(edit, at) - 1;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            if (--depth == 0) {
                *ret_last = last;
                return at;
            }
        }
        before = c;
        last = at;
    }
    return 0;
}

/* Put a value behind the last one of a container in brackets; `key` is JSON_NONE for an item. */
static int add_between(struct edit *edit, uint32_t at, uint32_t key, const struct json *values,
                       uint32_t value_at, bool first, struct error *err)
{
    size_t open = offset_of(edit, at), last, first_content = open + 1;
    size_t close = closing(edit, open, &last);
    if (close == 0)
        return cannot(edit, at, "its closing bracket was not found", err);
    while (first_content < close && is_blank(edit->text.data[first_content]))
        first_content++;
    bool empty = json_count(&edit->doc.json, at) == 0;
    bool lines = empty ? edit->syntax == YAML_SYNTAX_JSON
                       : memchr(edit->text.data + open, '\n', first_content - open) != NULL;
    /* Where the line of the opening bracket begins tells how deep it is. */
    size_t outer = line_start(edit, open), depth = 0;
    while (byte_at(edit, outer + depth) == ' ' || byte_at(edit, outer + depth) == '\t')
        depth++;
    size_t indent = empty || !lines ? depth + INDENT : column_of(edit, first_content);
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (!first || (!empty && edit->text.data[last] != ','))
        buffer_byte(&text, ',');
    if (lines)
        buffer_printf(&text, "\n%*s", (int)indent, "");
    else if (!empty || !first)
        buffer_byte(&text, ' ');
    if (key != JSON_NONE) {
        struct slice name = json_raw(values, key);
        buffer_append(&text, name.data, name.size);
        buffer_str(&text, ": ");
    }
    edit_emit_json(&text, values, value_at, lines ? indent : depth);
    insert(edit, last + 1, 0, &text);
    buffer_done(&text);
    return 0;
}

/* --- blocks ---------------------------------------------------------------------------------------- */

/* The line behind the last one of the block whose lines are indented by `indent` at least. */
static size_t block_end(const struct edit *edit, uint32_t at, size_t indent)
{
    const struct json *doc = &edit->doc.json;
    uint32_t after = json_after(doc, at);
    size_t begin = offset_of(edit, at);
    size_t end = after < doc->count ? line_start(edit, offset_of(edit, after)) : edit->text.size;
    if (after >= doc->count) { /* an end of the document ends it too */
        for (size_t line = begin; line < end;) {
            const char *next = memchr(edit->text.data + line, '\n', end - line);
            size_t size = next ? (size_t)(next - edit->text.data) + 1 - line : end - line;
            if (size >= 3 && memcmp(edit->text.data + line, "...", 3) == 0 && line == line_start(edit, line))
                end = line;
            line += size;
        }
    }
    while (end > begin) { /* blank lines and comments of what follows stay with that */
        size_t stop = edit->text.data[end - 1] == '\n' ? end - 1 : end;
        size_t line = line_start(edit, stop), here = line;
        while (here < stop && is_blank(edit->text.data[here]))
            here++;
        if (line <= begin || (here < stop && (edit->text.data[here] != '#' || here - line >= indent)))
            break;
        end = line;
    }
    return end;
}

static void put_at_line(struct edit *edit, size_t offset, struct buffer *block)
{
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    if (offset && edit->text.data[offset - 1] != '\n')
        buffer_byte(&text, '\n');
    buffer_append(&text, block->data, block->size);
    insert(edit, offset, 0, &text);
    buffer_done(&text);
}

/* `key: null`, `key:`, `key: {}`: the block goes below the key. */
static int replace_empty(struct edit *edit, uint32_t at, struct buffer *block, struct error *err)
{
    const struct json *doc = &edit->doc.json;
    if (at == 0) {
        size_t end = edit->text.size;
        if (json_is(doc, 0, JSON_NULL)) {
            put_at_line(edit, end, block);
            return 0;
        }
        return cannot(edit, at, "the whole file is an empty value", err);
    }
    size_t here = offset_of(edit, at - 1), line;
    if (byte_at(edit, here) == '"' || byte_at(edit, here) == '\'')
        here = skip_quoted(edit, here);
    while (here < edit->text.size && edit->text.data[here] != ':' && edit->text.data[here] != '\n')
        here++;
    size_t value = here + 1, end;
    while (byte_at(edit, value) == ' ')
        value++;
    static const char *const empties[] = {"null", "~", "{}", "[]"};
    end = value;
    for (size_t i = 0; i < sizeof empties / sizeof *empties; i++) {
        size_t size = strlen(empties[i]);
        if (edit->text.size - value >= size && memcmp(edit->text.data + value, empties[i], size) == 0)
            end = value + size;
    }
    line = end;
    while (byte_at(edit, line) == ' ' || byte_at(edit, line) == '\r')
        line++;
    bool ends = line >= edit->text.size || edit->text.data[line] == '\n' || edit->text.data[line] == '#';
    if (byte_at(edit, here) != ':' || !ends)
        return cannot(edit, at, "it is written in a way that cannot be added to", err);
    struct buffer none;
    buffer_init(&none, 1);
    if (end > value)
        insert(edit, here + 1, end - here - 1, &none);
    while (line < edit->text.size && edit->text.data[line] != '\n')
        line++;
    put_at_line(edit, line < edit->text.size ? line + 1 : line, block);
    return 0;
}

static bool in_brackets(const struct edit *edit, uint32_t at)
{
    char c = byte_at(edit, offset_of(edit, at));
    return edit->syntax == YAML_SYNTAX_JSON || c == '{' || c == '[';
}

/* Where an alias stands, the value's place is that of another one. */
static bool is_alias(const struct edit *edit, uint32_t at)
{
    return at && (byte_at(edit, offset_of(edit, at)) == '*' || offset_of(edit, at) < offset_of(edit, at - 1));
}

/* The parent key's indentation and one step. */
static size_t below_key(const struct edit *edit, uint32_t at)
{
    return at ? column_of(edit, offset_of(edit, at - 1)) + INDENT : 0;
}

/* Is the key the first thing on its line, but for the dash of an item? */
static bool begins_line(const struct edit *edit, uint32_t key)
{
    size_t offset = offset_of(edit, key);
    for (size_t i = line_start(edit, offset); i < offset; i++) {
        if (!is_blank(edit->text.data[i]) && edit->text.data[i] != '-')
            return false;
    }
    return true;
}

/* `{}` on one line: its bracket goes to a line of its own, behind all that was put in. */
static void close_on_own_line(struct edit *edit, uint32_t at)
{
    size_t open = offset_of(edit, at), last, outer = line_start(edit, open), depth = 0;
    size_t close = closing(edit, open, &last);
    if (memchr(edit->text.data + open, '\n', close - open))
        return;
    while (byte_at(edit, outer + depth) == ' ' || byte_at(edit, outer + depth) == '\t')
        depth++;
    struct buffer end;
    buffer_init(&end, BUFFER_UNLIMITED);
    buffer_printf(&end, "\n%*s%c", (int)depth, "", edit->text.data[close]);
    insert(edit, close, 1, &end);
    buffer_done(&end);
}

static int add_all_between(struct edit *edit, uint32_t at, const struct json *values, struct error *err)
{
    bool first = true;
    for (uint32_t each = json_first(values, 0); each != JSON_NONE; each = json_next(values, 0, each)) {
        if (add_between(edit, at, JSON_NONE, values, each, first, err) < 0)
            return -1;
        first = false;
    }
    for (uint32_t key = json_first_key(values, 0); key != JSON_NONE; key = json_next_key(values, 0, key)) {
        if (json_string_is(values, key, EDIT_COMMENT))
            continue;
        if (add_between(edit, at, key, values, json_value(key), first, err) < 0)
            return -1;
        first = false;
    }
    if (json_count(&edit->doc.json, at) == 0 && edit->syntax == YAML_SYNTAX_JSON && !first)
        close_on_own_line(edit, at);
    return 0;
}

int edit_add(struct edit *edit, uint32_t at, const struct json *values, struct error *err)
{
    const struct json *doc = &edit->doc.json;
    bool empty = json_is(doc, at, JSON_NULL) || json_count(doc, at) == 0, brackets = false;
    assert(json_is(values, 0, JSON_OBJECT) || json_is(values, 0, JSON_ARRAY));
    if (json_count(values, 0) == 0)
        return 0;
    if (!json_is(doc, at, JSON_NULL) && json_tag(doc, at) != json_tag(values, 0))
        return cannot(edit, at, "it is of another kind", err);
    if (is_alias(edit, at))
        return cannot(edit, at, "it stands for another one (*); write it out first", err);
    if (is_container(edit, at))
        brackets = in_brackets(edit, at) &&
                   (!empty || edit->syntax == YAML_SYNTAX_JSON || at == 0 || !begins_line(edit, at - 1));
    if (brackets)
        return add_all_between(edit, at, values, err);
    size_t indent = empty ? below_key(edit, at) : column_of(edit, offset_of(edit, at));
    struct buffer block;
    buffer_init(&block, BUFFER_UNLIMITED);
    edit_emit_yaml(&block, values, 0, indent);
    int result = 0;
    if (empty)
        result = replace_empty(edit, at, &block, err);
    else
        put_at_line(edit, block_end(edit, at, indent), &block);
    buffer_done(&block);
    return result;
}

/* --- replacing ------------------------------------------------------------------------------------- */

static bool inside_brackets(const struct edit *edit, uint32_t at)
{
    bool inside = edit->syntax == YAML_SYNTAX_JSON;
    for (uint32_t i = 0; i < at && !inside; i++)
        inside = is_container(edit, i) && json_after(&edit->doc.json, i) > at && in_brackets(edit, i);
    return inside;
}

/* Behind the scalar that begins at `begin`; what is written over several lines ends too early, which is
 * noticed when the result is read again. */
static size_t scalar_end(const struct edit *edit, size_t begin, bool between)
{
    size_t end = begin;
    if (byte_at(edit, begin) == '"' || byte_at(edit, begin) == '\'')
        return skip_quoted(edit, begin);
    for (; end < edit->text.size && edit->text.data[end] != '\n'; end++) {
        char c = edit->text.data[end];
        if ((between && (c == ',' || c == ']' || c == '}')) ||
            (c == '#' && end > begin && is_blank(edit->text.data[end - 1])))
            break;
    }
    while (end > begin && is_blank(edit->text.data[end - 1]))
        end--;
    return end;
}

/* Behind the colon of the value's key; 0: there is none. */
static size_t behind_key(const struct edit *edit, uint32_t at)
{
    if (!json_is(&edit->doc.json, at - 1, JSON_KEY))
        return 0;
    size_t here = offset_of(edit, at - 1);
    if (byte_at(edit, here) == '"' || byte_at(edit, here) == '\'')
        here = skip_quoted(edit, here);
    while (here < edit->text.size && edit->text.data[here] != ':' && edit->text.data[here] != '\n')
        here++;
    return byte_at(edit, here) == ':' ? here + 1 : 0;
}

/* A block below its key, or one that is to become one. */
static int set_block(struct edit *edit, uint32_t at, const struct json *value, struct error *err)
{
    bool block = is_container(edit, at) && !in_brackets(edit, at);
    size_t begin = behind_key(edit, at), indent = below_key(edit, at);
    if (begin == 0)
        return cannot(edit, at, "it is an item of its own", err);
    size_t end = block ? block_end(edit, at, indent) : scalar_end(edit, offset_of(edit, at), false);
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    buffer_byte(&text, '\n');
    edit_emit_yaml(&text, value, 0, indent);
    if (!block && text.size)
        text.size--; /* the line's own end stays */
    insert(edit, begin, end > begin ? end - begin : 0, &text);
    buffer_done(&text);
    return 0;
}

/* In the line that it stands in. */
static int set_inline(struct edit *edit, uint32_t at, bool between, const struct json *value,
                      struct error *err)
{
    size_t begin = offset_of(edit, at), last, end;
    struct buffer text;
    if (is_container(edit, at))
        end = closing(edit, begin, &last) + 1;
    else
        end = scalar_end(edit, begin, between);
    if (end <= begin)
        return cannot(edit, at, "its end was not found", err);
    buffer_init(&text, BUFFER_UNLIMITED);
    if (!between && json_is(value, 0, JSON_STRING))
        edit_emit_string(&text, json_string(value, 0, edit->arena));
    else
        edit_emit_json(&text, value, 0, 0);
    insert(edit, begin, end - begin, &text);
    buffer_done(&text);
    return 0;
}

int edit_set(struct edit *edit, uint32_t at, const struct json *value, struct error *err)
{
    const struct json *doc = &edit->doc.json;
    assert(at != JSON_NONE && json_tag(doc, at) != JSON_KEY);
    if (at == 0)
        return cannot(edit, at, "it is the whole file", err);
    if (is_alias(edit, at))
        return cannot(edit, at, "it stands for another one (*); write it out first", err);
    if (!edit->replaced)
        edit->replaced = arena_zalloc(edit->arena, doc->count * sizeof *edit->replaced);
    edit->replaced[at] = value;
    bool between = inside_brackets(edit, at), scalar = json_count(value, 0) == 0;
    bool block = is_container(edit, at) && !in_brackets(edit, at);
    char first = byte_at(edit, offset_of(edit, at));
    if (json_is(doc, at, JSON_NULL) && first != '~' && first != 'n' && first != 'N')
        return cannot(edit, at, "there is no value", err); /* its place is that of what follows */
    return !between && (block || !scalar) ? set_block(edit, at, value, err)
                                          : set_inline(edit, at, between, value, err);
}

/* --- the whole ------------------------------------------------------------------------------------- */

int edit_open(struct edit *edit, struct arena *arena, const char *file, struct slice text, struct error *err)
{
    *edit = (struct edit){.arena = arena, .syntax = yaml_syntax_of(file), .text = text};
    return yaml_parse(arena, file, edit->syntax, text, NULL, NULL, &edit->doc, err);
}

/* Does `now` hold all that was there, and what replaces some of it? */
static bool holds(const struct edit *edit, uint32_t then_at, const struct json *now, uint32_t now_at)
{
    const struct json *then = &edit->doc.json;
    if (now_at == JSON_NONE)
        return false;
    if (edit->replaced && edit->replaced[then_at])
        return json_equal(edit->replaced[then_at], 0, now, now_at);
    if (json_is(then, then_at, JSON_NULL))
        return true;
    if (json_tag(then, then_at) != json_tag(now, now_at))
        return (json_is(then, then_at, JSON_OBJECT) || json_is(then, then_at, JSON_ARRAY)) &&
               json_count(then, then_at) == 0;
    if (json_is(then, then_at, JSON_OBJECT)) {
        for (uint32_t key = json_first_key(then, then_at); key != JSON_NONE;
             key = json_next_key(then, then_at, key)) {
            struct arena arena;
            arena_init(&arena);
            uint32_t found = json_get_slice(now, now_at, json_string(then, key, &arena));
            arena_done(&arena);
            if (!holds(edit, json_value(key), now, found))
                return false;
        }
        return true;
    }
    if (json_is(then, then_at, JSON_ARRAY)) {
        uint32_t other = json_first(now, now_at);
        for (uint32_t each = json_first(then, then_at); each != JSON_NONE;
             each = json_next(then, then_at, each)) {
            if (other == JSON_NONE || !holds(edit, each, now, other))
                return false;
            other = json_next(now, now_at, other);
        }
        return true;
    }
    return json_equal(then, then_at, now, now_at);
}

static void apply(struct edit *edit, struct buffer *out)
{
    bool carriage = memmem(edit->text.data, edit->text.size, "\r\n", 2) != NULL;
    size_t done = 0;
    /* Stable: what goes to one place keeps its order. */
    for (size_t i = 1; i < edit->count; i++) {
        struct edit_insertion each = edit->insertions[i];
        size_t to = i;
        for (; to && edit->insertions[to - 1].offset > each.offset; to--)
            edit->insertions[to] = edit->insertions[to - 1];
        edit->insertions[to] = each;
    }
    for (size_t i = 0; i < edit->count; i++) {
        const struct edit_insertion *each = &edit->insertions[i];
        buffer_append(out, edit->text.data + done, each->offset - done);
        for (size_t j = 0; j < each->text.size; j++) {
            if (carriage && each->text.data[j] == '\n')
                buffer_byte(out, '\r');
            buffer_byte(out, each->text.data[j]);
        }
        done = each->offset + each->remove;
    }
    buffer_append(out, edit->text.data + done, edit->text.size - done);
}

int edit_finish(struct edit *edit, struct buffer *out, struct error *err)
{
    struct arena arena;
    struct yaml_document now;
    apply(edit, out);
    mem_free_cleanup(&edit->insertions);
    edit->insertions = NULL;
    if (out->size > EDITED_MAX)
        return error_set(err, ERROR_LIMIT, "%s would become larger than %d MiB", edit->doc.file,
                         EDITED_MAX >> 20);
    arena_init(&arena);
    struct slice text = {out->data ? out->data : "", out->size};
    int result = yaml_parse(&arena, edit->doc.file, edit->syntax, text, NULL, NULL, &now, err);
    if (result == 0 && !holds(edit, 0, &now.json, 0))
        result = error_set(err, ERROR_UNSUPPORTED, "it would no longer say what it does");
    if (result < 0)
        error_wrap(err, "%s is written in a way that cannot be added to without changing it", edit->doc.file);
    arena_done(&arena);
    return result;
}
