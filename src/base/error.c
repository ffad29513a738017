#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void set(struct error *err, enum error_code code,
                                                      const char *format, va_list arguments)
{
    err->code = code;
    err->retriable = code == ERROR_IO || code == ERROR_FULL;
    /* Through a copy: a caller may format the old message into the new one. */
    char message[ERROR_MESSAGE_MAX];
    vsnprintf(message, sizeof message, format, arguments);
    memcpy(err->message, message, sizeof message);
}

int(error_set)(struct error *err, enum error_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, code, format, arguments);
    va_end(arguments);
    return -1;
}

int(error_errno)(struct error *err, int errno_value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set(err, errno_value == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, format, arguments);
    va_end(arguments);
    size_t used = strlen(err->message);
    char text[128];
    snprintf(err->message + used, sizeof err->message - used, ": %s",
             strerror_r(errno_value, text, sizeof text));
    return -1;
}

int(error_wrap)(struct error *err, const char *format, ...)
{
    char context[ERROR_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    size_t used = length < 0 ? 0 : (size_t)length < sizeof context ? (size_t)length : sizeof context - 1;
    snprintf(context + used, sizeof context - used, ": %s", err->message);
    memcpy(err->message, context, sizeof context);
    return -1;
}

const char *error_code_name(enum error_code code)
{
    static const char *const names[ERROR_CODE_MAX] = {
        [ERROR_NONE] = "none",
        [ERROR_INVALID] = "invalid",
        [ERROR_NOT_FOUND] = "not-found",
        [ERROR_LIMIT] = "limit",
        [ERROR_IO] = "io",
        [ERROR_CORRUPT] = "corrupt",
        [ERROR_BUSY] = "busy",
        [ERROR_PROTOCOL] = "protocol",
        [ERROR_CONNECTOR] = "connector",
        [ERROR_UNSUPPORTED] = "unsupported",
        [ERROR_CANCELLED] = "cancelled",
        [ERROR_FULL] = "full",
    };
    return (unsigned)code < ERROR_CODE_MAX ? names[code] : "unknown";
}

enum error_code error_code_parse(const char *name)
{
    int code = ERROR_CODE_MAX - 1;
    while (code > ERROR_NONE && strcmp(error_code_name((enum error_code)code), name) != 0)
        code--;
    return code == ERROR_NONE ? ERROR_IO : (enum error_code)code;
}
