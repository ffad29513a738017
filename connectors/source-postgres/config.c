#include "config.h"

#include "base/text.h"

#include <fnmatch.h>
#include <string.h>

bool pg_config_is_flow(const struct pg_config *config)
{
    return config->address != NULL;
}

enum pg_method pg_config_method(const struct pg_config *config)
{
    if (pg_config_is_flow(config))
        return PG_METHOD_CDC;
    return config->method < 0 ? PG_METHOD_STANDARD : (enum pg_method)config->method;
}

static const char *given(const char *text, const char *otherwise)
{
    return text && *text ? text : otherwise;
}

const char *pg_config_slot(const struct pg_config *config)
{
    return given(config->slot, "flow_slot");
}

const char *pg_config_publication(const struct pg_config *config)
{
    return given(config->publication, "flow_publication");
}

const char *pg_config_password(const struct pg_config *config)
{
    return config->credentials_password ? config->credentials_password : config->password;
}

const char *pg_config_sslmode(const struct pg_config *config)
{
    int mode = pg_config_is_flow(config) ? config->sslmode : config->ssl_mode;
    return mode < 0 ? "prefer" : pg_ssl_modes[mode];
}

static bool has(const struct firth_strings *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], name) == 0)
            return true;
    }
    return false;
}

static bool matches(const struct firth_strings *patterns, const char *schema, const char *table)
{
    auto_free char *qualified = mem_printf("%s.%s", schema, table);
    bool found = patterns->count == 0;
    for (size_t i = 0; i < patterns->count && !found; i++)
        found = fnmatch(patterns->items[i], strchr(patterns->items[i], '.') ? qualified : table, 0) == 0;
    return found;
}

bool pg_config_wants(const struct pg_config *config, const char *schema, const char *table)
{
    if (!pg_config_is_flow(config)) {
        if (config->schemas.items)
            return config->schemas.count == 0 || has(&config->schemas, schema);
        return strcmp(schema, "public") == 0;
    }
    bool any = config->include_schemas.count || config->discover_schemas.count;
    if (any && !has(&config->include_schemas, schema) && !has(&config->discover_schemas, schema))
        return false;
    return !has(&config->exclude_schemas, schema) && matches(&config->table_patterns, schema, table);
}

bool pg_config_skips_backfill(const struct pg_config *config, const char *schema, const char *table)
{
    auto_free char *wanted = mem_printf("%s.%s", schema, table);
    size_t size = strlen(wanted);
    for (const char *at = config->skip_backfills; at && *at;) {
        at += strspn(at, ", ");
        size_t length = strcspn(at, ", ");
        if (length == size && memcmp(at, wanted, size) == 0)
            return true;
        at += length;
    }
    return false;
}
