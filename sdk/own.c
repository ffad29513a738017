#include "host.h"

#include <assert.h>

/* Classes that read their config themselves: what they can be told is known at run time alone. */

/* --- flags --------------------------------------------------------------------------------------------- */

const char *firth_flag(const struct firth_host *host, const char *name)
{
    const struct firth_own_config *own = host->class_->own;
    for (size_t i = 0; own && own->flags && own->flags[i]; i++) {
        if (strcmp(own->flags[i], name) == 0)
            return host->flags[i];
    }
    return NULL;
}

const void *firth_context(const struct firth_host *host)
{
    return host->class_->own ? host->class_->own->context : NULL;
}

/* "--manifest-path FILE", "--manifest-path=FILE". */
static bool is_flag(const char *word, const char *flag)
{
    size_t size = strlen(flag);
    return strncmp(word, flag, size) == 0 && (!word[size] || word[size] == '=');
}

int sdk_own_flags(const struct firth_own_config *own, int *argc, char **argv,
                  const char *values[FIRTH_FLAGS_MAX], const char **ret_flag)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        size_t flag = 0;
        while (own->flags && own->flags[flag] && !is_flag(argv[i], own->flags[flag]))
            flag++;
        if (!own->flags || !own->flags[flag]) {
            argv[kept++] = argv[i];
            continue;
        }
        assert(flag < FIRTH_FLAGS_MAX);
        const char *equals = argv[i] + strlen(own->flags[flag]);
        *ret_flag = own->flags[flag];
        if (!*equals && i + 1 == *argc)
            return -1;
        values[flag] = *equals ? equals + 1 : argv[++i];
    }
    *argc = kept;
    return 0;
}

/* --- spec ---------------------------------------------------------------------------------------------- */

static struct firth_slice keep(struct arena *arena, struct firth_slice json)
{
    char *copy = arena_strndup(arena, json.size ? json.data : "", json.size);
    sdk_join_lines(copy, json.size);
    return (struct firth_slice){copy, json.size};
}

void firth_spec_tell(struct firth_spec *spec, const struct firth_spec_parts *parts)
{
    const char *url = parts->documentation_url;
    spec->parts = (struct firth_spec_parts){
        .connection_specification = keep(&spec->arena, parts->connection_specification),
        .advanced_auth = keep(&spec->arena, parts->advanced_auth),
        .documentation_url = url ? arena_strdup(&spec->arena, url) : NULL,
    };
}

int sdk_own_spec(struct firth_host *host, struct firth_spec *ret_spec, struct firth_error *err)
{
    *ret_spec = (struct firth_spec){0};
    arena_init(&ret_spec->arena);
    if (host->class_->own->spec(host, ret_spec, err) < 0)
        return -1;
    if (!ret_spec->parts.documentation_url)
        ret_spec->parts.documentation_url = host->class_->documentation_url;
    return 0;
}

void sdk_own_spec_done(struct firth_spec *spec)
{
    arena_done(&spec->arena);
}

void sdk_own_spec_write(struct buffer *out, const struct firth_spec *spec)
{
    const struct firth_spec_parts *parts = &spec->parts;
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (parts->documentation_url)
        json_member_string(&writer, "documentationUrl", parts->documentation_url);
    struct slice schema = {parts->connection_specification.data, parts->connection_specification.size};
    json_member_raw(&writer, "connectionSpecification", schema);
    if (parts->advanced_auth.size) {
        struct slice auth = {parts->advanced_auth.data, parts->advanced_auth.size};
        json_member_raw(&writer, "advanced_auth", auth);
    }
    json_member_bool(&writer, "supportsIncremental", true);
    json_member_string(&writer, "protocol_version", "0.3.2");
    json_end_object(&writer);
}

/* --- config -------------------------------------------------------------------------------------------- */

void sdk_own_close(struct firth_host *host)
{
    if (host->own_config)
        host->class_->own->close(host->own_config);
    host->own_config = NULL;
}

int sdk_own_open(struct firth_host *host, struct slice json, void **ret_config, struct firth_error *err)
{
    sdk_own_close(host);
    if (host->class_->own->open(host, (struct firth_slice){json.data, json.size}, &host->own_config, err) < 0)
        return -1;
    *ret_config = host->own_config;
    return 0;
}
