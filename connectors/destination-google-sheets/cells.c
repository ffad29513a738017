#include "session.h"

#include "json/number.h"

#include <math.h>

static const char cut_mark[] = "…[TRUNCATED]";
enum { CUT_MARK_UNITS = 12 };

/* Up to `max` UTF-16 units of a text; *ret_all: how many it has. */
static size_t fitting(struct slice text, size_t max, size_t *ret_all)
{
    size_t units = 0, fits = 0, length;
    if (text.size <= max) {
        *ret_all = text.size; /* at most */
        return text.size;
    }
    for (size_t at = 0; at < text.size; at += length) {
        units += utf8_decode(text.data + at, text.size - at, &length) > 0xffff ? 2 : 1;
        if (units <= max)
            fits = at + length;
    }
    *ret_all = units;
    return fits;
}

static int put_text(const struct sheets_settings *settings, struct slice text, unsigned how,
                    struct buffer *out, size_t *ret_cut, struct error *err)
{
    /* As if typed, an apostrophe keeps a text a text; it is not part of it. So keys and documents stay what
     * they are, and digits are not parsed again. */
    bool guard = settings->user_entered && how && text.size;
    size_t max = SHEETS_CELL_MAX - guard, all;
    size_t fits = fitting(text, max, &all);
    struct buffer *whole = out;
    if (all <= max && !guard) {
        json_escape(whole, text);
        return 0;
    }
    if (all > max && (how & CELL_DOCUMENT))
        return error_set(err, ERROR_LIMIT,
                         "a document of %zu characters does not fit into a cell, which holds %d", all,
                         SHEETS_CELL_MAX);
    if (all > max && (how & CELL_KEY))
        return error_set(err, ERROR_LIMIT, "a key of %zu characters does not fit into a cell, which holds %d",
                         all, SHEETS_CELL_MAX);
    struct buffer joined;
    buffer_init(&joined, BUFFER_UNLIMITED);
    if (guard)
        buffer_byte(&joined, '\'');
    if (all > max) {
        fits = fitting(text, max - CUT_MARK_UNITS, &all);
        *ret_cut = all;
    }
    buffer_append(&joined, text.data, fits);
    if (all > max)
        buffer_str(&joined, cut_mark);
    json_escape(whole, (struct slice){joined.data, joined.size});
    buffer_done(&joined);
    return 0;
}

/* Sheets computes with doubles, of which it shows 15 digits: a number of so many comes back as it was. */
static bool put_exact_number(struct slice number, struct buffer *out)
{
    char text[40];
    double value;
    if (!number_to_double(number, &value) || !isfinite(value))
        return false;
    int size = snprintf(text, sizeof text, "%.15g", value == 0 ? 0.0 : value);
    if (number_compare((struct slice){text, (size_t)size}, number) != 0)
        return false;
    buffer_append(out, text, (size_t)size);
    return true;
}

int sheets_put_cell(const struct sheets_settings *settings, struct firth_host *host,
                    const struct firth_record *record, size_t field, unsigned how, struct buffer *out,
                    size_t *ret_cut, struct error *err)
{
    struct firth_slice got = {0};
    *ret_cut = 0;
    enum firth_type type = firth_record_field(host, record, field, &got);
    struct slice value = {got.data, got.size};
    switch (type) {
    case FIRTH_IS_ABSENT:
    case FIRTH_IS_NULL:
        buffer_str(out, "\"\"");
        return 0;
    case FIRTH_IS_BOOLEAN:
        buffer_append(out, value.data, value.size);
        return 0;
    case FIRTH_IS_NUMBER:
        if (put_exact_number(value, out))
            return 0;
        return put_text(settings, value, how | CELL_DIGITS, out, ret_cut, err);
    default:
        return put_text(settings, value, how, out, ret_cut, err);
    }
}

void sheets_put_read_cell(const struct json *doc, uint32_t at, struct arena *arena, struct buffer *out)
{
    if (at == JSON_NONE || json_is(doc, at, JSON_NULL)) {
        buffer_str(out, "\"\"");
        return;
    }
    if (json_is_number(doc, at) && put_exact_number(json_raw(doc, at), out))
        return;
    if (json_is(doc, at, JSON_STRING)) {
        json_escape(out, json_string(doc, at, arena));
        return;
    }
    struct slice raw = json_raw(doc, at);
    buffer_append(out, raw.data, raw.size);
}

/* The inside of a text, the text of a number. */
static struct slice bare(const char *cell)
{
    size_t size = strlen(cell);
    if (size >= 2 && *cell == '"')
        return (struct slice){cell + 1, size - 2};
    return (struct slice){cell, size};
}

/* As JSON has numbers. */
static bool is_number(struct slice text)
{
    size_t at = 0, start;
    at += at < text.size && text.data[at] == '-';
    start = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    if (at == start || (text.data[start] == '0' && at - start > 1))
        return false;
    if (at < text.size && text.data[at] == '.') {
        start = ++at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    if (at < text.size && (text.data[at] | 0x20) == 'e') {
        at++;
        at += at < text.size && (text.data[at] == '-' || text.data[at] == '+');
        start = at;
        while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
            at++;
        if (at == start)
            return false;
    }
    return at == text.size;
}

int sheets_compare_cells(const char *a, const char *b)
{
    struct slice one = bare(a), two = bare(b);
    if (is_number(one) && is_number(two)) /* also those that are kept as texts */
        return number_compare(one, two);
    return slice_compare(one, two); /* "" is the lowest */
}
