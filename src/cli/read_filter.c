#include "cli/read_filter.h"

#include "json/json.h"
#include "json/writer.h"

struct where {
    struct slice pointer;
    struct json value;
};

struct read_filter {
    struct arena arena;
    struct json_parser *parser;
    size_t count;
    struct where wheres[];
};

/* VALUE as JSON; what is none, as a text. */
static int read_value(const char *text, struct arena *arena, struct json *ret_value, struct error *err)
{
    struct buffer quoted;
    if (json_parse_copy(arena, text, strlen(text), ret_value, err) == 0)
        return 0;
    buffer_init(&quoted, BUFFER_UNLIMITED);
    json_escape(&quoted, slice_of(text));
    int result = json_parse_copy(arena, quoted.data, quoted.size, ret_value, err);
    buffer_done(&quoted);
    return result;
}

static int read_where(const char *text, struct arena *arena, struct where *ret_where, struct error *err)
{
    char shown[OPTION_SHOWN_MAX];
    const char *equals = strchr(text, '=');
    if (!equals || (equals != text && *text != '/'))
        return error_set(
            err, ERROR_INVALID,
            "--where is '%s', but it must be a JSON Pointer, = and a value: /id=7 or /name=\"x\"",
            option_show(text, shown));
    size_t size = (size_t)(equals - text);
    ret_where->pointer = (struct slice){arena_strndup(arena, text, size), size};
    if (read_value(equals + 1, arena, &ret_where->value, err) < 0)
        return error_wrap(err, "--where %s", option_show(text, shown));
    return 0;
}

struct read_filter *read_filter_new(const struct option_list *wheres, struct error *err)
{
    struct read_filter *filter = mem_zalloc(sizeof *filter + wheres->count * sizeof *filter->wheres);
    arena_init(&filter->arena);
    filter->parser = json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    for (; filter->count < wheres->count; filter->count++) {
        const char *text = wheres->items[filter->count];
        if (read_where(text, &filter->arena, &filter->wheres[filter->count], err) < 0) {
            read_filter_free(filter);
            return NULL;
        }
    }
    return filter;
}

void read_filter_free(struct read_filter *filter)
{
    if (!filter)
        return;
    json_parser_free(filter->parser);
    arena_done(&filter->arena);
    free(filter);
}

int read_filter_takes(struct read_filter *filter, struct slice document, struct error *err)
{
    struct json doc;
    if (filter->count == 0)
        return 1;
    if (json_parse(filter->parser, document.data, document.size, &doc, err) < 0)
        return -1;
    for (size_t i = 0; i < filter->count; i++) {
        const struct where *where = &filter->wheres[i];
        if (json_compare(&doc, json_pointer(&doc, 0, where->pointer), &where->value, 0) != 0)
            return 0;
    }
    return 1;
}
