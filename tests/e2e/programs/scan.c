#include "scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    if (!file)
        die("%s: %s", path, strerror(errno));
    if (getdelim(&text, &size, 0, file) < 0)
        die("%s: empty", path);
    fclose(file);
    return text;
}

const char *scan_start(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

static const char *end_of_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (!*at)
            die("a string without end");
    }
    return at + 1;
}

const char *scan_end(const char *value)
{
    if (*value == '"')
        return end_of_string(value);
    if (*value != '{' && *value != '[')
        return value + strcspn(value, ",]} \t\r\n");
    unsigned depth = 0;
    do {
        if (!*value)
            die("a container without end");
        depth += *value == '{' || *value == '[';
        depth -= *value == '}' || *value == ']';
        value = *value == '"' ? end_of_string(value) : value + 1;
    } while (depth);
    return value;
}

const char *scan_first(const char *container)
{
    if (!container || (*container != '{' && *container != '['))
        return NULL;
    const char *first = scan_start(container + 1);
    return *first == '}' || *first == ']' ? NULL : first;
}

const char *scan_next(const char *element)
{
    const char *behind = scan_start(scan_end(element));
    if (*behind == ':')
        behind = scan_start(scan_end(scan_start(behind + 1)));
    return *behind == ',' ? scan_start(behind + 1) : NULL;
}

const char *scan_value(const char *key)
{
    return scan_start(scan_start(scan_end(key)) + 1);
}

bool scan_is(const char *string, const char *text)
{
    size_t size = strlen(text);
    return string && *string == '"' && !strncmp(string + 1, text, size) && string[1 + size] == '"';
}

const char *scan_get(const char *object, const char *name)
{
    if (object && *object == '{')
        for (const char *key = scan_first(object); key; key = scan_next(key))
            if (scan_is(key, name))
                return scan_value(key);
    return NULL;
}

const char *scan_need(const char *object, const char *name)
{
    const char *value = scan_get(object, name);
    if (!value)
        die("the config has no '%s'", name);
    return value;
}

long long scan_integer(const char *value)
{
    return strtoll(value, NULL, 10);
}

static char *put_utf8(char *out, unsigned long code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code >= 0x10000) {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
    } else if (code >= 0x800) {
        *out++ = (char)(0xe0 | code >> 12);
    }
    if (code >= 0x800)
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    else
        *out++ = (char)(0xc0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

static unsigned long four_digits(const char *at)
{
    char digits[5] = {at[0], at[1], at[2], at[3], 0};
    return strtoul(digits, NULL, 16);
}

struct text scan_text(const char *string)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    if (*string != '"')
        die("not a string: %.40s", string);
    const char *at = string + 1;
    char *data = malloc((size_t)(scan_end(string) - string)), *out = data;
    if (!data)
        die("no memory");
    while (*at != '"') {
        if (*at != '\\') {
            *out++ = *at++;
        } else if (at[1] == 'u') {
            unsigned long code = four_digits(at + 2);
            at += 6;
            if (code >= 0xd800 && code < 0xdc00 && at[0] == '\\' && at[1] == 'u') {
                code = 0x10000 + ((code - 0xd800) << 10) + (four_digits(at + 2) - 0xdc00);
                at += 6;
            }
            out = put_utf8(out, code);
        } else {
            const char *escape = strchr(escapes, at[1]);
            *out++ = escape ? escape[1] : at[1];
            at += 2;
        }
    }
    *out = 0;
    return (struct text){data, (size_t)(out - data)};
}

void scan_write(FILE *out, const char *value)
{
    const char *end = scan_end(value);
    while (value < end) {
        const char *behind = *value == '"' ? end_of_string(value) : value + 1;
        fwrite(value, 1, (size_t)(behind - value), out);
        if (*value == ',' || *value == ':')
            fputc(' ', out);
        value = scan_start(behind);
    }
}

void scan_write_with(FILE *out, const char *value, const char *const *names, const char *by)
{
    if (!*names) {
        fputs(by, out);
        return;
    }
    const char *before = "{";
    bool found = false;
    for (const char *key = scan_first(value); key; key = scan_next(key), before = ", ") {
        fputs(before, out);
        scan_write(out, key);
        fputs(": ", out);
        if (scan_is(key, *names)) {
            found = true;
            scan_write_with(out, scan_value(key), names + 1, by);
        } else {
            scan_write(out, scan_value(key));
        }
    }
    if (!found)
        fprintf(out, "%s\"%s\": %s", before, *names, by);
    fputc('}', out);
}
