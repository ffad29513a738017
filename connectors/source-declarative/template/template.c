/* Compiling, and rendering from the outside. */
#include "run.h"

#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_MAX = 120 };

static void place_of(const struct template *template, uint32_t offset, unsigned *ret_line,
                     unsigned *ret_column)
{
    size_t line_start = 0;
    *ret_line = 1;
    for (size_t i = 0; i < offset && i < template->text.size; i++) {
        if (template->text.data[i] == '\n') {
            ++*ret_line;
            line_start = i + 1;
        }
    }
    *ret_column = 1;
    for (size_t i = line_start; i < offset && i < template->text.size; i++)
        *ret_column += ((unsigned char)template->text.data[i] & 0xc0) != 0x80;
}

int template_error(const struct template *template, uint32_t offset, enum error_code code, struct error *err,
                   const char *format, ...)
{
    char message[1024], shown[SHOWN_MAX + 8];
    unsigned line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    size_t size = utf8_cut(template->text.data, template->text.size, SHOWN_MAX);
    snprintf(shown, sizeof shown, "%.*s%s", (int)size, template->text.data,
             size < template->text.size ? "…" : "");
    string_one_line(shown);
    string_one_line(message);
    place_of(template, offset, &line, &column);
    error_set(err, code, "template '%s', line %u column %u: %s", shown, line, column, message);
    err->retriable = false;
    return -1;
}

/* \r\n and \r become \n; one at the end is left out. */
static struct slice normalize(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        copy[size++] = text.data[i] == '\r' ? '\n' : text.data[i];
        if (text.data[i] == '\r' && i + 1 < text.size && text.data[i + 1] == '\n')
            i++;
    }
    size -= size && copy[size - 1] == '\n';
    copy[size] = 0;
    return (struct slice){copy, size};
}

struct template *template_compile(struct arena *arena, struct slice text, struct error *err)
{
    if (text.size > TEMPLATE_SOURCE_MAX) {
        error_set(err, ERROR_LIMIT, "a template of %zu bytes; %d are the most", text.size,
                  TEMPLATE_SOURCE_MAX);
        return NULL;
    }
    if (!utf8_valid(text.data, text.size)) {
        error_set(err, ERROR_INVALID, "a template is not UTF-8");
        return NULL;
    }
    struct template *template = arena_zalloc(arena, sizeof *template);
    template->source = (struct slice){arena_strndup(arena, text.data, text.size), text.size};
    template->text = normalize(arena, text);
    if (template_parse(template, arena, err) < 0 || template_resolve(template, arena, err) < 0)
        return NULL;
    return template;
}

struct slice template_source(const struct template *template)
{
    return template->source;
}

bool template_is_plain(const struct template *template)
{
    return template->plain;
}

size_t template_free_names(const struct template *template, const struct slice **ret_names)
{
    *ret_names = template->free_names;
    return template->free_count;
}

static bool in_scope(const struct template_scope *scope, struct slice name)
{
    for (size_t i = scope->count; i-- > 0;) {
        if (slice_equal(scope->names[i].name, name))
            return true;
    }
    return false;
}

/* The nearest of the names that there are. */
static int undeclared(const struct template *template, const struct template_scope *scope, struct slice name,
                      struct error *err)
{
    enum { COMPARED_MAX = 32, NAME_MAX_SHOWN = 63 };
    char names[COMPARED_MAX][NAME_MAX_SHOWN + 1], wanted[NAME_MAX_SHOWN + 1];
    const char *candidates[COMPARED_MAX];
    size_t count = 0;
    snprintf(wanted, sizeof wanted, "%.*s", (int)utf8_cut(name.data, name.size, NAME_MAX_SHOWN), name.data);
    for (size_t i = 0; i < scope->count && count < COMPARED_MAX; i++) {
        snprintf(names[count], sizeof names[count], "%.*s", SLICE_ARGS(scope->names[i].name));
        candidates[count] = names[count];
        count++;
    }
    const char *near = string_nearest(wanted, candidates, count);
    const char *place = memmem(template->text.data, template->text.size, name.data, name.size);
    return template_error(template, place ? (uint32_t)(place - template->text.data) : 0, ERROR_INVALID, err,
                          "there is no '%s' here%s%s%s", wanted, near ? "; is '" : "", near ? near : "",
                          near ? "' meant?" : "");
}

/* The value of a template of one expression; or its text. */
static int render(struct run *run, struct tvalue *ret_value, bool *ret_is_text)
{
    const struct template *template = run->template;
    const struct node *only = template->body.count == 1 ? template->body.items[0] : NULL;
    run->frame = run_frame(run, &template->root, NULL);
    if (run_enter(run, &template->root.enter) < 0)
        return -1;
    if (template->root.caller >= 0)
        run->frame->slots[template->root.caller] = (struct tvalue){.kind = TVALUE_BLOCKS};
    if (only && only->kind == NODE_DATA) {
        *ret_value = tvalue_string(only->name);
        *ret_is_text = true;
        return 0;
    }
    if (only && only->kind == NODE_OUTPUT && only->items.count == 1) {
        *ret_is_text = false;
        return run_evaluate(run, only->items.items[0], ret_value);
    }
    struct ttext out;
    run_text_init(run, &out);
    run->out = &out;
    *ret_is_text = true;
    return run_execute(run, &template->body) < 0 ? -1 : run_text(run, &out, ret_value);
}

int template_evaluate(const struct template *template, const struct template_scope *scope,
                      struct arena *arena, struct tvalue *ret_value, bool *ret_is_text,
                      enum template_failure *ret_failure, struct error *err)
{
    struct run run = {.template = template, .scope = scope, .arena = arena, .err = err};
    for (uint32_t i = 0; i < template->free_count; i++) {
        if (!in_scope(scope, template->free_names[i])) {
            *ret_failure = TEMPLATE_FAILED;
            return undeclared(template, scope, template->free_names[i], err);
        }
    }
    if (template->blocks.count)
        run.exports = arena_zalloc(arena, sizeof *run.exports);
    if (render(&run, ret_value, ret_is_text) < 0) {
        *ret_failure = run.failure;
        return -1;
    }
    unsigned left = TEMPLATE_STEPS_MAX; /* what is done with it afterwards walks over all of it */
    if (!*ret_is_text && run_weigh(&run, ret_value, &left) < 0) {
        *ret_failure = run.failure;
        return -1;
    }
    *ret_failure = TEMPLATE_RENDERED;
    return 0;
}

int template_render(const struct template *template, const struct template_scope *scope, struct arena *arena,
                    struct slice *ret_text, enum template_failure *ret_failure, struct error *err)
{
    struct tvalue value, text;
    bool is_text;
    if (template_evaluate(template, scope, arena, &value, &is_text, ret_failure, err) < 0)
        return -1;
    struct run run = {.template = template, .scope = scope, .arena = arena, .err = err};
    if (run_str_value(&run, &value, &text) < 0) {
        *ret_failure = run.failure;
        return -1;
    }
    *ret_text = text.text;
    return 0;
}
