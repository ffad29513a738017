#include "store/local/path.h"

#include "base/text.h"
#include "store/store.h"

#include <stdio.h>

int path_check_name(const char *what, const char *name, struct error *err)
{
    size_t size = strlen(name);
    if (size == 0)
        return error_set(err, ERROR_INVALID, "the %s has an empty name", what);
    if (size > STORE_NAME_MAX)
        return error_set(err, ERROR_LIMIT, "the name of %s %.*s… has %zu bytes; the limit is %d", what,
                         (int)utf8_cut(name, size, 60), name, size, STORE_NAME_MAX);
    if (!utf8_valid(name, size))
        return error_set(err, ERROR_INVALID, "the name of a %s is not valid UTF-8", what);
    return 0;
}

static bool must_escape(unsigned char byte, bool first)
{
    return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '%' || byte == '+' || (byte == '.' && first);
}

void path_append_name(struct buffer *path, const char *name)
{
    buffer_byte(path, '/');
    size_t component = 0;
    for (const char *at = name; *at; at++) {
        bool escape = must_escape((unsigned char)*at, component == 0);
        if (component + (escape ? 3 : 1) > PATH_COMPONENT_MAX) {
            buffer_str(path, "+/");
            component = 0;
            escape = must_escape((unsigned char)*at, true);
        }
        if (escape)
            buffer_printf(path, "%%%02X", (unsigned)(unsigned char)*at);
        else
            buffer_byte(path, *at);
        component += escape ? 3 : 1;
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

int path_decode_component(const char *component, struct buffer *name)
{
    size_t size = strlen(component);
    bool more = size > 0 && component[size - 1] == '+';
    size -= more;
    if (size == 0 || size > PATH_COMPONENT_MAX)
        return -1;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)component[i];
        if (byte != '%') {
            if (must_escape(byte, i == 0))
                return -1;
            buffer_byte(name, component[i]);
            continue;
        }
        int high = i + 2 < size ? hex_value(component[i + 1]) : -1;
        int low = i + 2 < size ? hex_value(component[i + 2]) : -1;
        if (high < 0 || low < 0 || !must_escape((unsigned char)(high << 4 | low), i == 0))
            return -1;
        buffer_byte(name, (char)(high << 4 | low));
        i += 2;
    }
    return more;
}
