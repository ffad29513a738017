#include "protocol/airbyte_target.h"

static struct slice format_namespace(const char *format, struct slice own, struct arena *arena)
{
    static const char variable[] = "${SOURCE_NAMESPACE}";
    const char *at;
    if (!strstr(format, variable))
        return slice_of(format);
    struct buffer text;
    buffer_init(&text, BUFFER_UNLIMITED);
    for (; (at = strstr(format, variable)); format = at + sizeof variable - 1) {
        buffer_append(&text, format, (size_t)(at - format));
        buffer_append(&text, own.data, own.size);
    }
    buffer_str(&text, format);
    struct slice formatted = {arena_strndup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return formatted;
}

struct airbyte_stream_name airbyte_target(const struct airbyte_target_rule *rule,
                                          struct airbyte_stream_name name, const char *alias,
                                          struct arena *arena)
{
    struct airbyte_stream_name target = name;
    if (alias)
        target.name = slice_of(alias);
    if (rule->prefix && *rule->prefix)
        target.name = slice_of(arena_printf(arena, "%s%.*s", rule->prefix, SLICE_ARGS(target.name)));
    if (rule->namespace)
        target.namespace = format_namespace(rule->namespace, name.namespace, arena);
    return target;
}

int airbyte_targets_collide(struct airbyte_stream_name target, struct airbyte_stream_name first,
                            struct airbyte_stream_name second, struct error *err)
{
    return error_set(
        err, ERROR_INVALID,
        "the streams '%.*s%s%.*s' and '%.*s%s%.*s' are both '%.*s' at the destination: a namespace "
        "format with ${SOURCE_NAMESPACE} or an alias keeps them apart",
        SLICE_ARGS(first.namespace), first.namespace.size ? "." : "", SLICE_ARGS(first.name),
        SLICE_ARGS(second.namespace), second.namespace.size ? "." : "", SLICE_ARGS(second.name),
        SLICE_ARGS(target.name));
}

struct slice airbyte_target_key(struct airbyte_stream_name target, struct arena *arena)
{
    return slice_of(arena_printf(arena, "%.*s\n%.*s", SLICE_ARGS(target.namespace), SLICE_ARGS(target.name)));
}
