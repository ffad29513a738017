#include "connector/environment.h"

#include "base/memory.h"
#include "base/text.h"

#include <stdbool.h>
#include <unistd.h>

static const char *const kept[] = {
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
};
/* Where a server that speaks like S3 is, as Amazon's own programs are told. Credentials come with a config.
 */
static const char *const kept_of_built_ins[] = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"};
static const char *const kept_of_engines[] = {
    "CONTAINER", "DOCKER_", "STORAGE_", "XDG_", "REGISTRY_AUTH_FILE=", "DBUS_SESSION_BUS_ADDRESS="};
#ifdef FIRTH_FAULTS
static const char *const kept_in_tests[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
#endif
/* Of what is kept encrypted: no connector's business, not even a built-in's. */
static const char *const keys[] = {"FIRTH_SECRET_KEY", "FIRTH_SECRET_KEY_FILE", "FIRTH_TASK_KEY"};
static const char default_path[] = "PATH=/usr/local/bin:/usr/bin:/bin";

static bool has_name(const char *variable, const char *name)
{
    size_t size = strlen(name);
    return strncmp(variable, name, size) == 0 && variable[size] == '=';
}

static bool in_list(const char *variable, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has_name(variable, names[i]))
            return true;
    return false;
}

static bool is_engines(const char *variable)
{
    for (size_t i = 0; i < sizeof kept_of_engines / sizeof *kept_of_engines; i++)
        if (string_starts_with(variable, kept_of_engines[i]))
            return true;
    return false;
}

static bool is_kept(const char *variable, enum connector_environment_kind kind)
{
    if (in_list(variable, kept, sizeof kept / sizeof *kept))
        return true;
    if (kind == CONNECTOR_ENVIRONMENT_ENGINE)
        return is_engines(variable);
    if (kind == CONNECTOR_ENVIRONMENT_COMMAND)
        return false;
    if (in_list(variable, kept_of_built_ins, sizeof kept_of_built_ins / sizeof *kept_of_built_ins))
        return true;
#ifdef FIRTH_FAULTS
    if (in_list(variable, kept_in_tests, sizeof kept_in_tests / sizeof *kept_in_tests))
        return true;
#endif
    return string_starts_with(variable, "FIRTH_") && !in_list(variable, keys, sizeof keys / sizeof *keys);
}

/* Set or replace one "NAME=value". */
static void put(char **list, size_t *count, const char *variable)
{
    const char *equals = strchr(variable, '=');
    if (!equals)
        return;
    size_t name = (size_t)(equals - variable) + 1;
    for (size_t i = 0; i < *count; i++) {
        if (strncmp(list[i], variable, name) != 0)
            continue;
        free(list[i]);
        list[i] = mem_strdup(variable);
        return;
    }
    list[(*count)++] = mem_strdup(variable);
}

char **connector_environment(const char *const *given, const char *session,
                             enum connector_environment_kind kind)
{
    size_t room = 3, count = 0;
    for (char **variable = environ; variable && *variable; variable++)
        room++;
    for (const char *const *variable = given; variable && *variable; variable++)
        room++;
    char **list = mem_zalloc(room * sizeof *list);
    put(list, &count, default_path);
    for (char **variable = environ; variable && *variable; variable++)
        if (is_kept(*variable, kind))
            put(list, &count, *variable);
    for (const char *const *variable = given; variable && *variable; variable++)
        put(list, &count, *variable);
    if (*session)
        put(list, &count, session);
    return list;
}

void connector_environment_free(char **environment)
{
    for (char **variable = environment; variable && *variable; variable++)
        free(*variable);
    free(environment);
}

const char *connector_environment_get(char *const *environment, const char *name)
{
    for (; *environment; environment++)
        if (has_name(*environment, name))
            return *environment + strlen(name) + 1;
    return NULL;
}
