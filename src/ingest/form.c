#include "ingest/form.h"

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool decode(struct slice in, struct arena *arena, struct slice *ret_out)
{
    char *out = arena_alloc(arena, in.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < in.size; i++) {
        if (in.data[i] != '%') {
            out[size++] = in.data[i] == '+' ? ' ' : in.data[i];
            continue;
        }
        int high = i + 2 < in.size ? digit(in.data[i + 1]) : -1, low = high < 0 ? -1 : digit(in.data[i + 2]);
        if (low < 0)
            return false;
        out[size++] = (char)(high * 16 + low);
        i += 2;
    }
    *ret_out = (struct slice){out, size};
    return utf8_valid(out, size);
}

bool ingest_form_read(struct slice body, struct arena *arena, struct ingest_field **ret_fields,
                      size_t *ret_count)
{
    size_t most = 1, count = 0;
    for (size_t i = 0; i < body.size; i++)
        most += body.data[i] == '&';
    if (most > INGEST_FORM_FIELDS_MAX)
        return false;
    struct ingest_field *fields = arena_alloc(arena, most * sizeof *fields);
    for (const char *at = body.data, *end = body.data + body.size; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop ? stop : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        struct slice name = {at, (size_t)((equals ? equals : stop) - at)};
        struct slice value = {equals ? equals + 1 : stop, equals ? (size_t)(stop - equals - 1) : 0};
        if (stop > at &&
            (!decode(name, arena, &fields[count].name) || !decode(value, arena, &fields[count++].value)))
            return false;
        at = stop + 1;
    }
    *ret_fields = fields;
    *ret_count = count;
    return true;
}
