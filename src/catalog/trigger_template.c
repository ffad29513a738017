#include "catalog/trigger_template.h"

/* Interpreted as it is read: a block's body is read once for each of its items, or over, if it does not
 * count. */

struct frame {
    uint32_t at; /* what `this` is */
    size_t index, count;
    bool is_item; /* of an `each` */
    const struct frame *outer;
};

struct render {
    struct slice text;
    size_t at;
    const struct json *doc;
    struct buffer *out;
    struct error *err;
    unsigned depth;
    bool trims; /* the tag before ended in ~ */
};

struct tag {
    struct slice word; /* between the braces, without blanks */
    bool is_comment;
};

enum stop { STOP_END, STOP_ELSE, STOP_CLOSE, STOP_ERROR };

static enum stop run(struct render *render, const struct frame *frame, bool counts, struct slice *ret_closed);

/* --- reading --------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice trimmed(struct slice text)
{
    while (text.size && is_blank(text.data[0]))
        text = (struct slice){text.data + 1, text.size - 1};
    while (text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

static enum stop wrong(struct render *render, const char *what, struct slice word)
{
    error_set(render->err, ERROR_INVALID, "%s '%.*s'", what, (int)utf8_cut(word.data, word.size, 60),
              word.data);
    return STOP_ERROR;
}

static void put_literal(struct render *render, struct slice text, bool counts, bool trims_end)
{
    while (render->trims && text.size && is_blank(text.data[0]))
        text = (struct slice){text.data + 1, text.size - 1};
    while (trims_end && text.size && is_blank(text.data[text.size - 1]))
        text.size--;
    render->trims = false;
    if (counts)
        buffer_append(render->out, text.data, text.size);
}

/* The text up to the next tag, and the tag. STOP_CLOSE: there is one; STOP_END: there is none more. */
static enum stop next_tag(struct render *render, bool counts, struct tag *ret_tag)
{
    struct slice rest = {render->text.data + render->at, render->text.size - render->at};
    const char *open = memmem(rest.data, rest.size, "{{", 2);
    if (!open) {
        put_literal(render, rest, counts, false);
        render->at = render->text.size;
        return STOP_END;
    }
    struct slice literal = {rest.data, (size_t)(open - rest.data)};
    struct slice inner = {open + 2, rest.size - literal.size - 2};
    bool is_raw = inner.size && inner.data[0] == '{', trims = inner.size && inner.data[0] == '~';
    if (is_raw || trims)
        inner = (struct slice){inner.data + 1, inner.size - 1};
    bool is_long = slice_starts_with(inner, "!--");
    const char *end = is_raw ? "}}}" : is_long ? "--}}" : "}}";
    const char *close = memmem(inner.data, inner.size, end, strlen(end));
    if (!close)
        return wrong(render, "a '{{' has no '}}':", (struct slice){open, 2 + inner.size});
    put_literal(render, literal, counts, trims);
    inner.size = (size_t)(close - inner.data);
    render->at = (size_t)(close + strlen(end) - render->text.data);
    *ret_tag = (struct tag){.is_comment = slice_starts_with(inner, "!")};
    if (!is_raw && inner.size && inner.data[inner.size - 1] == '~') {
        render->trims = true;
        inner.size--;
    }
    if (slice_starts_with(inner, "&"))
        inner = (struct slice){inner.data + 1, inner.size - 1};
    ret_tag->word = trimmed(inner);
    return STOP_CLOSE;
}

/* --- values ---------------------------------------------------------------------------------------- */

/* One part of a path: `name`, or `[any name]`. */
static struct slice take_part(struct slice *path)
{
    size_t size = 0, skip = 0;
    struct slice part;
    if (path->size && path->data[0] == '[') {
        const char *close = memchr(path->data, ']', path->size);
        size = close ? (size_t)(close - path->data) : path->size;
        part = (struct slice){path->data + 1, size - 1};
        skip = close ? size + 1 : size;
    } else {
        while (size < path->size && path->data[size] != '.' && path->data[size] != '/')
            size++;
        part = (struct slice){path->data, size};
        skip = size;
    }
    if (skip < path->size)
        skip++; /* the separator */
    *path = (struct slice){path->data + skip, path->size - skip};
    return part;
}

/* JSON_NONE, and an error: there is no such variable. */
static uint32_t find(struct render *render, const struct frame *frame, struct slice path)
{
    struct slice rest = path;
    uint32_t at;
    while (slice_starts_with(rest, "../") && frame->outer) {
        frame = frame->outer;
        rest = (struct slice){rest.data + 3, rest.size - 3};
    }
    if (slice_starts_with(rest, "./"))
        rest = (struct slice){rest.data + 2, rest.size - 2};
    at = frame->at;
    if (slice_is(rest, "this") || slice_starts_with(rest, "this."))
        rest = (struct slice){rest.data + (rest.size > 4 ? 5 : 4), rest.size - (rest.size > 4 ? 5 : 4)};
    while (rest.size && at != JSON_NONE)
        at = json_get_slice(render->doc, at, take_part(&rest));
    if (at == JSON_NONE || path.size == 0)
        wrong(render, "there is no variable", path);
    return path.size ? at : JSON_NONE;
}

static int put_variable(struct render *render, const struct frame *frame, struct slice word)
{
    if (slice_is(word, "@index") && frame->is_item) {
        buffer_printf(render->out, "%zu", frame->index);
        return 0;
    }
    if ((slice_is(word, "@first") || slice_is(word, "@last")) && frame->is_item) {
        size_t last = slice_is(word, "@first") ? 0 : frame->count - 1;
        buffer_str(render->out, frame->index == last ? "true" : "false");
        return 0;
    }
    uint32_t at = find(render, frame, word);
    if (at == JSON_NONE)
        return -1;
    struct arena arena;
    arena_init(&arena);
    struct slice text = json_is(render->doc, at, JSON_STRING) ? json_string(render->doc, at, &arena)
                                                              : json_raw(render->doc, at);
    buffer_append(render->out, text.data, text.size);
    arena_done(&arena);
    return 0;
}

/* 1 true, 0 false, -1. What is not there is false here, as in Handlebars. */
static int truth(struct render *render, const struct frame *frame, struct slice word)
{
    if (frame->is_item && slice_is(word, "@first"))
        return frame->index == 0;
    if (frame->is_item && slice_is(word, "@last"))
        return frame->index + 1 == frame->count;
    if (frame->is_item && slice_is(word, "@index"))
        return frame->index > 0;
    uint32_t at = find(render, frame, word);
    if (at == JSON_NONE)
        return -1;
    if (json_is(render->doc, at, JSON_STRING))
        return json_inner(render->doc, at).size > 0;
    if (json_is(render->doc, at, JSON_ARRAY) || json_is(render->doc, at, JSON_OBJECT))
        return json_count(render->doc, at) > 0;
    return !json_is(render->doc, at, JSON_FALSE) && !json_is(render->doc, at, JSON_NULL);
}

/* --- blocks ---------------------------------------------------------------------------------------- */

/* The body, then what is behind an `else`; the block's end must be its own. */
static int both(struct render *render, const struct frame *frame, struct slice name, bool first, bool second)
{
    struct slice closed;
    enum stop stop = run(render, frame, first, &closed);
    if (stop == STOP_ELSE)
        stop = run(render, frame, second, &closed);
    if (stop == STOP_ERROR)
        return -1;
    if (stop == STOP_CLOSE && slice_equal(closed, name))
        return 0;
    wrong(render, stop == STOP_CLOSE ? "a block ends with the name of another:" : "a block has no end:",
          stop == STOP_CLOSE ? closed : name);
    return -1;
}

static int each(struct render *render, const struct frame *frame, struct slice word, bool counts)
{
    size_t body = render->at;
    uint32_t list = counts ? find(render, frame, word) : JSON_NONE;
    if (counts && list == JSON_NONE)
        return -1;
    if (counts && !json_is(render->doc, list, JSON_ARRAY)) {
        wrong(render, "this is no list:", word);
        return -1;
    }
    struct frame item = {
        .count = counts ? json_count(render->doc, list) : 0, .is_item = true, .outer = frame};
    if (item.count == 0)
        return both(render, frame, SLICE_LITERAL("each"), false, counts);
    for (item.at = json_first(render->doc, list); item.at != JSON_NONE;
         item.at = json_next(render->doc, list, item.at), item.index++) {
        render->at = body;
        if (both(render, &item, SLICE_LITERAL("each"), true, false) < 0)
            return -1;
    }
    return 0;
}

static int block(struct render *render, const struct frame *frame, struct slice tag, bool counts)
{
    size_t size = 0;
    while (size < tag.size && !is_blank(tag.data[size]))
        size++;
    struct slice name = {tag.data, size}, word = trimmed((struct slice){tag.data + size, tag.size - size});
    int result = -1;
    if (++render->depth > TRIGGER_DEPTH_MAX) {
        wrong(render, "too many blocks are in one another at", tag);
    } else if (slice_is(name, "each")) {
        result = each(render, frame, word, counts);
    } else if (slice_is(name, "if") || slice_is(name, "unless")) {
        int is = counts ? truth(render, frame, word) : 0;
        bool wanted = slice_is(name, "if") ? is > 0 : is == 0;
        if (is >= 0)
            result = both(render, frame, name, counts && wanted, counts && !wanted);
    } else {
        wrong(render, "a block may be each, if or unless, and not", name);
    }
    render->depth--;
    return result;
}

/* Up to the end of the block that it is in, or of the text. */
static enum stop run(struct render *render, const struct frame *frame, bool counts, struct slice *ret_closed)
{
    for (;;) {
        struct tag tag;
        enum stop stop = next_tag(render, counts, &tag);
        if (stop != STOP_CLOSE)
            return stop;
        if (tag.is_comment)
            continue;
        if (slice_is(tag.word, "else"))
            return STOP_ELSE;
        struct slice behind = tag.word.size ? (struct slice){tag.word.data + 1, tag.word.size - 1} : tag.word;
        if (slice_starts_with(tag.word, "/")) {
            *ret_closed = trimmed(behind);
            return STOP_CLOSE;
        }
        if (slice_starts_with(tag.word, "#")) {
            if (block(render, frame, trimmed(behind), counts) < 0)
                return STOP_ERROR;
        } else if (counts && put_variable(render, frame, tag.word) < 0) {
            return STOP_ERROR;
        }
    }
}

int trigger_template_render(struct slice text, const struct json *context, struct buffer *out,
                            struct error *err)
{
    struct render render = {.text = text, .doc = context, .out = out, .err = err};
    const struct frame whole = {.at = 0};
    struct slice closed = {0};
    enum stop stop = run(&render, &whole, true, &closed);
    if (stop == STOP_CLOSE || stop == STOP_ELSE)
        stop = wrong(&render, "this ends a block that has not begun:",
                     stop == STOP_CLOSE ? closed : SLICE_LITERAL("else"));
    if (stop == STOP_ERROR)
        return -1;
    return out->overflowed ? error_set(err, ERROR_LIMIT, "the payload is larger than its limit") : 0;
}
