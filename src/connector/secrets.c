#include "connector/secrets.h"

#include "connector/disguise.h"
#include "connector/matcher.h"
#include "json/json.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

enum {
    NAME_MAX_SIZE = 64,
    NESTED_MAX = 2,    /* JSON in a string of JSON */
    DISGUISES_MAX = 2, /* one over the other */
    CUT_SIZE_MIN = 3,  /* bytes of a secret's beginning at a cut */
};

struct connector_secrets {
    struct connector_matcher matcher; /* a flagged pattern is base64: the whole of it is hidden */
    bool any, overflowed;
};

struct connector_secrets *connector_secrets_new(void)
{
    struct connector_secrets *secrets = mem_zalloc(sizeof *secrets);
    connector_matcher_init(&secrets->matcher);
    return secrets;
}

void connector_secrets_free(struct connector_secrets *secrets)
{
    if (!secrets)
        return;
    connector_matcher_done(&secrets->matcher);
    free(secrets);
}

bool connector_secrets_overflowed(const struct connector_secrets *secrets)
{
    return secrets->overflowed;
}

/* --- values --------------------------------------------------------------------------------------- */

static void add_pattern(struct connector_secrets *secrets, struct slice pattern, bool base64)
{
    secrets->any = true;
    if (!connector_matcher_add(&secrets->matcher, pattern, base64))
        secrets->overflowed = true;
}

/* The last piece of a long line overlaps the one before it: none is too short to be told from other text. */
static void add_pieces(struct connector_secrets *secrets, struct slice line)
{
    for (size_t at = 0; at < line.size; at += CONNECTOR_SECRET_PIECE_MAX) {
        size_t size = line.size - at;
        if (size < CONNECTOR_SECRET_PIECE_MAX && at > 0) {
            at = line.size - CONNECTOR_SECRET_PIECE_MAX;
            size = CONNECTOR_SECRET_PIECE_MAX;
        }
        size = size < CONNECTOR_SECRET_PIECE_MAX ? size : CONNECTOR_SECRET_PIECE_MAX;
        add_pattern(secrets, (struct slice){line.data + at, size}, false);
    }
}

/* Its beginning is enough: of base64 everything around it is hidden as well. */
static void add_base64(struct connector_secrets *secrets, struct slice line)
{
    char forms[CONNECTOR_BASE64_FORMS][CONNECTOR_BASE64_TEXT_MAX * 4 / 3 + 8];
    line.size = line.size < CONNECTOR_BASE64_TEXT_MAX ? line.size : CONNECTOR_BASE64_TEXT_MAX;
    size_t count = connector_base64_forms(line, forms);
    for (size_t i = 0; i < count; i++)
        add_pattern(secrets, slice_of(forms[i]), true);
    explicit_bzero(forms, sizeof forms);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void add_line(struct connector_secrets *secrets, struct slice line)
{
    while (line.size && is_blank(line.data[line.size - 1]))
        line.size--;
    while (line.size && is_blank(*line.data)) {
        line.data++;
        line.size--;
    }
    if (line.size < CONNECTOR_SECRET_SIZE_MIN || slice_is(line, "true") || slice_is(line, "false") ||
        slice_is(line, "null"))
        return;
    add_pieces(secrets, line);
    add_base64(secrets, line);
}

static void add_lines(struct connector_secrets *secrets, struct slice text)
{
    while (text.size) {
        const char *newline = memchr(text.data, '\n', text.size);
        size_t size = newline ? (size_t)(newline - text.data) : text.size;
        add_line(secrets, (struct slice){text.data, size});
        size_t used = newline ? size + 1 : size;
        text = (struct slice){text.data + used, text.size - used};
    }
}

/* --- by name -------------------------------------------------------------------------------------- */

/* Parts of names, lower case, '_' and '-' left out. */
static const char *const telling[] = {
    "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credential",
};

static bool name_is_telling(struct slice name)
{
    char folded[NAME_MAX_SIZE + 1];
    size_t size = 0;
    for (size_t i = 0; i < name.size && size < NAME_MAX_SIZE; i++)
        if (name.data[i] != '_' && name.data[i] != '-')
            folded[size++] = (char)tolower((unsigned char)name.data[i]);
    folded[size] = '\0';
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (strstr(folded, telling[i]))
            return true;
    return false;
}

static void collect_text(struct connector_secrets *secrets, struct slice text, int depth);

/* A string, and the strings of a list. */
static void add_named(struct connector_secrets *secrets, const struct json *doc, uint32_t at,
                      struct arena *arena)
{
    if (json_is(doc, at, JSON_STRING))
        add_lines(secrets, json_string(doc, at, arena));
    for (uint32_t each = json_first(doc, at); each != JSON_NONE; each = json_next(doc, at, each))
        if (json_is(doc, each, JSON_STRING))
            add_lines(secrets, json_string(doc, each, arena));
}

/* The flat array holds every key of every depth, each before its value. */
static void collect(struct connector_secrets *secrets, const struct json *doc, int depth, struct arena *arena)
{
    for (uint32_t at = 0; at < doc->count; at++) {
        if (json_is(doc, at, JSON_KEY)) {
            if (name_is_telling(json_string(doc, at, arena)))
                add_named(secrets, doc, json_value(at), arena);
        } else if (json_is(doc, at, JSON_STRING) && depth < NESTED_MAX) {
            struct slice text = json_string(doc, at, arena);
            if (text.size && (*text.data == '{' || *text.data == '['))
                collect_text(secrets, text, depth + 1); /* a service account's key, as it is downloaded */
        }
    }
}

/* Parse, once more where the text may be anything: what is no JSON has no members. */
static bool parse(struct json_parser *parser, struct slice text, struct json *ret_doc)
{
    struct error unused;
    return text.size && json_parse(parser, text.data, text.size, ret_doc, &unused) == 0;
}

static struct json_parser *new_parser(void)
{
    return json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
}

static void collect_text(struct connector_secrets *secrets, struct slice text, int depth)
{
    struct json doc;
    struct arena arena;
    arena_init(&arena);
    mem_auto(json_parser_free) struct json_parser *parser = new_parser();
    if (parse(parser, text, &doc))
        collect(secrets, &doc, depth, &arena);
    arena_done(&arena);
}

static void collect_environment(struct connector_secrets *secrets, const char *const *env)
{
    for (; env && *env; env++) {
        size_t size = strcspn(*env, "=");
        if ((*env)[size] == '=' && name_is_telling((struct slice){*env, size}))
            add_lines(secrets, slice_of(*env + size + 1));
    }
}

void connector_secrets_add(struct connector_secrets *secrets, struct slice config, const char *const *env)
{
    collect_text(secrets, config, 0);
    collect_environment(secrets, env);
}

/* --- by place ------------------------------------------------------------------------------------- */

static void add_leaves(struct connector_secrets *secrets, const struct json *doc, uint32_t at,
                       struct arena *arena)
{
    for (uint32_t end = json_after(doc, at); at < end; at++) {
        if (json_is(doc, at, JSON_STRING)) {
            struct slice text = json_string(doc, at, arena);
            add_lines(secrets, text);
            if (text.size && (*text.data == '{' || *text.data == '['))
                collect_text(secrets, text, 1);
        } else if (json_is_number(doc, at)) {
            add_line(secrets, json_raw(doc, at));
        }
    }
}

void connector_secrets_add_marked(struct connector_secrets *secrets, struct slice config,
                                  struct slice pointers)
{
    struct json doc, list;
    struct arena arena;
    arena_init(&arena);
    mem_auto(json_parser_free) struct json_parser *parser = new_parser();
    mem_auto(json_parser_free) struct json_parser *list_parser = new_parser();
    if (parse(parser, config, &doc) && parse(list_parser, pointers, &list)) {
        for (uint32_t each = json_first(&list, 0); each != JSON_NONE; each = json_next(&list, 0, each)) {
            uint32_t at = json_is(&list, each, JSON_STRING)
                              ? json_pointer(&doc, 0, json_string(&list, each, &arena))
                              : JSON_NONE;
            if (at != JSON_NONE)
                add_leaves(secrets, &doc, at, &arena);
        }
    }
    arena_done(&arena);
}

/* --- masking -------------------------------------------------------------------------------------- */

struct search {
    const struct connector_secrets *secrets;
    struct arena arena;
    size_t size;  /* of the text as it came */
    bool *hidden; /* NULL: nothing of it yet */
    bool cut;
};

static void hide(struct search *search, const struct connector_view *view, size_t begin, size_t end)
{
    size_t from = view->from ? view->from[begin] : begin, to = view->from ? view->from[end] : end;
    if (!search->hidden)
        search->hidden = arena_zalloc(&search->arena, search->size * sizeof *search->hidden);
    memset(search->hidden + from, 1, to - from);
}

/* Of base64 the bits around a secret may tell of it, and what stands before it in a header is its user. */
static void widen(struct slice text, size_t *begin, size_t *end)
{
    while (*begin > 0 && connector_base64_is(text.data[*begin - 1]))
        --*begin;
    while (*end < text.size && connector_base64_is(text.data[*end]))
        ++*end;
}

static void search_view(struct search *search, const struct connector_view *view)
{
    const struct connector_matcher *matcher = &search->secrets->matcher;
    struct slice text = view->text;
    uint32_t state = 0;
    size_t done = 0; /* base64 is hidden up to here */
    for (size_t i = 0; i < text.size; i++) {
        state = connector_matcher_step(matcher, state, text.data[i]);
        const struct connector_matcher_node *node = &matcher->nodes[state];
        if (node->longest == 0)
            continue;
        size_t begin = i + 1 - node->longest, end = i + 1;
        if (node->flagged && i >= done) {
            widen(text, &begin, &end);
            done = end;
        }
        hide(search, view, begin, end);
    }
    uint32_t depth = matcher->nodes[state].depth;
    if (search->cut && depth >= CUT_SIZE_MIN)
        hide(search, view, text.size - depth, text.size);
}

/* The view itself, and what is under its disguises. */
static void search_under(struct search *search, const struct connector_view *view, int depth)
{
    struct connector_view inner;
    search_view(search, view);
    if (depth == DISGUISES_MAX)
        return;
    for (int kind = 0; kind < CONNECTOR_DISGUISE_MAX; kind++)
        if (connector_undisguise(view, (enum connector_disguise)kind, &search->arena, &inner))
            search_under(search, &inner, depth + 1);
}

static void put(const bool *hidden, struct slice text, struct buffer *out)
{
    for (size_t at = 0, end; at < text.size; at = end) {
        bool secret = hidden[at];
        for (end = at + 1; end < text.size && hidden[end] == secret;)
            end++;
        if (secret)
            buffer_str(out, "***");
        else
            buffer_append(out, text.data + at, end - at);
    }
}

void connector_secrets_mask(struct connector_secrets *secrets, struct slice text, bool cut,
                            struct buffer *out)
{
    assert(text.size < UINT32_MAX);
    if (secrets->overflowed) {
        buffer_str(out, "*** (not shown: the config holds more secrets than can be masked one by one)");
        return;
    }
    if (!secrets->any || text.size == 0) {
        buffer_append(out, text.data, text.size);
        return;
    }
    struct search search = {.secrets = secrets, .size = text.size, .cut = cut};
    connector_matcher_build(&secrets->matcher);
    arena_init(&search.arena);
    search_under(&search, &(struct connector_view){.text = text}, 0);
    if (search.hidden)
        put(search.hidden, text, out);
    else
        buffer_append(out, text.data, text.size);
    arena_done(&search.arena);
}

void connector_secrets_mask_message(struct connector_secrets *secrets, char *message, size_t capacity)
{
    struct buffer masked;
    buffer_init(&masked, 4 * capacity);
    connector_secrets_mask(secrets, slice_of(message), false, &masked);
    snprintf(message, capacity, "%s", buffer_cstr(&masked));
    buffer_done(&masked);
}
