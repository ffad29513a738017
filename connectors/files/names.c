#include "names.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

static const char *const variables[] = {
    "stream",    "stream_name", "namespace",   "date",    "year",        "month",
    "day",       "hour",        "minute",      "second",  "millisecond", "epoch",
    "timestamp", "generation",  "part_number", "sync_id", "uuid"};
enum { VARIABLES = sizeof variables / sizeof *variables };

/* "{x}" or "${X}" at `at`: its name's length, and behind it; 0: there is none. */
static size_t variable_at(const char *at, const char **ret_name, const char **ret_end)
{
    const char *open = at[0] == '$' && at[1] == '{' ? at + 1 : at;
    if (*open != '{')
        return 0;
    size_t size = strcspn(open + 1, ":}");
    const char *end = strchr(open, '}');
    if (!end || !size)
        return 0;
    *ret_name = open + 1;
    *ret_end = end + 1;
    return size;
}

static const char *known(const char *name, size_t size)
{
    for (size_t i = 0; i < VARIABLES; i++) {
        if (strlen(variables[i]) == size && strncasecmp(variables[i], name, size) == 0)
            return variables[i];
    }
    return NULL;
}

static bool is_stream(const char *variable)
{
    return strcmp(variable, "stream") == 0 || strcmp(variable, "stream_name") == 0;
}

int files_template_check(const char *template, struct error *err)
{
    const char *name, *end;
    bool stream = false;
    if (*template == '/')
        return error_set(err, ERROR_INVALID, "the path template '%.200s' must not begin with a slash",
                         template);
    for (const char *at = template; *at; at++) {
        size_t size = variable_at(at, &name, &end);
        if (!size && *at == '{')
            return error_set(err, ERROR_INVALID,
                             "the path template '%.200s' has a '{' that begins no variable, such as {date}",
                             template);
        if (!size)
            continue;
        const char *variable = known(name, size);
        if (!variable) {
            auto_free char *wrong = mem_strndup(name, size);
            for (char *c = wrong; *c; c++)
                *c = (char)tolower((unsigned char)*c);
            const char *near = string_nearest(wrong, variables, VARIABLES);
            return error_set(err, ERROR_INVALID,
                             "the path template '%.200s' has an unknown variable '%.60s'%s%s%s", template,
                             wrong, near ? "; did you mean {" : "", near ? near : "", near ? "}?" : "");
        }
        stream |= is_stream(variable);
        at = end - 1;
    }
    return stream ? 0
                  : error_set(err, ERROR_INVALID,
                              "the path template '%.200s' must have {stream}: streams are not to be mixed",
                              template);
}

/* A stream's name as one step of a path; one that is too long for a file system ends with digits of its hash.
 */
static void put_step(struct buffer *out, const char *text)
{
    enum { STEP_MAX = 255, KEPT = 150 };
    auto_free char *cut = NULL;
    size_t size = strlen(text);
    if (size > STEP_MAX) {
        uint32_t hash = (uint32_t)hash_xxh3(text, size, 0);
        cut = mem_printf("%.*s_%08" PRIx32, (int)utf8_cut(text, size, KEPT), text, hash);
        text = cut;
    }
    if (*text == '.')
        buffer_byte(out, '_'), text++;
    for (; *text; text++)
        buffer_byte(out, *text == '/' || (unsigned char)*text < ' ' || *text == 127 ? '_' : *text);
}

/* False: it is not known beforehand. */
static bool put_fixed(struct buffer *out, const char *variable, const struct files_name *name)
{
    if (is_stream(variable))
        put_step(out, name->stream);
    else if (strcmp(variable, "namespace") == 0)
        put_step(out, name->name_space ? name->name_space : "");
    else
        return false;
    return true;
}

static void put_time(struct buffer *out, const char *variable, int64_t time_ms)
{
    struct tm parts;
    time_t seconds = (time_t)(time_ms / 1000);
    gmtime_r(&seconds, &parts);
    int year = parts.tm_year + 1900, month = parts.tm_mon + 1;
    if (strcmp(variable, "date") == 0)
        buffer_printf(out, "%04d-%02d-%02d", year, month, parts.tm_mday);
    else if (strcmp(variable, "year") == 0)
        buffer_printf(out, "%04d", year);
    else if (strcmp(variable, "epoch") == 0 || strcmp(variable, "timestamp") == 0)
        buffer_printf(out, "%" PRId64, time_ms);
    else if (strcmp(variable, "millisecond") == 0)
        buffer_printf(out, "%03d", (int)(time_ms % 1000));
    else
        buffer_printf(out, "%02d",
                      strcmp(variable, "month") == 0    ? month
                      : strcmp(variable, "day") == 0    ? parts.tm_mday
                      : strcmp(variable, "hour") == 0   ? parts.tm_hour
                      : strcmp(variable, "minute") == 0 ? parts.tm_min
                                                        : parts.tm_sec);
}

static void put_variable(struct buffer *out, const char *variable, const struct files_name *name)
{
    if (put_fixed(out, variable, name))
        return;
    if (strcmp(variable, "generation") == 0)
        buffer_printf(out, "%" PRId64, name->generation < 0 ? 0 : name->generation);
    else if (strcmp(variable, "part_number") == 0)
        buffer_printf(out, "%06" PRId64, name->part);
    else if (strcmp(variable, "sync_id") == 0)
        buffer_printf(out, "%" PRId64, name->sync < 0 ? 0 : name->sync);
    else if (strcmp(variable, "uuid") == 0)
        buffer_printf(out, "%016" PRIx64, name->random);
    else
        put_time(out, variable, name->time_ms);
}

/* Slashes that follow one another, as an empty namespace leaves them, are one; none begins a name. */
static char *collapse(struct buffer *buffer)
{
    char *text = buffer_steal(buffer), *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '/' || (to != text && to[-1] != '/'))
            *to++ = *from;
    }
    *to = '\0';
    return text;
}

char *files_name_mark(const struct files_name *name)
{
    auto_free char *whole =
        mem_printf("%s\n%s\n%s", name->task, name->name_space ? name->name_space : "", name->stream);
    return mem_printf("firth_%016" PRIx64 "_", hash_xxh3(whole, strlen(whole), 0));
}

char *files_template_prefix(const char *template, const struct files_name *name)
{
    struct buffer out;
    const char *variable_name, *end;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (const char *at = template; *at; at++) {
        size_t size = variable_at(at, &variable_name, &end);
        const char *variable = size ? known(variable_name, size) : NULL;
        if (variable && !put_fixed(&out, variable, name))
            break;
        if (!variable)
            buffer_byte(&out, *at);
        else
            at = end - 1;
    }
    return collapse(&out);
}

char *files_template_name(const char *template, const struct files_name *name)
{
    struct buffer out;
    const char *variable_name, *end;
    buffer_init(&out, BUFFER_UNLIMITED);
    for (const char *at = template; *at; at++) {
        size_t size = variable_at(at, &variable_name, &end);
        const char *variable = size ? known(variable_name, size) : NULL;
        if (variable) {
            put_variable(&out, variable, name);
            at = end - 1;
        } else {
            buffer_byte(&out, *at);
        }
    }
    auto_free char *mark = files_name_mark(name);
    buffer_str(&out, mark);
    buffer_printf(&out, "g%" PRId64 "_%" PRId64 "_%06" PRId64 "_%08" PRIx32 "%s",
                  name->generation < 0 ? 0 : name->generation, name->time_ms, name->part,
                  (uint32_t)name->random, name->ending);
    return collapse(&out);
}
