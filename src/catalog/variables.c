/* ${NAME} from the environment, in names and values. What a variable holds may be a secret: messages name the
 * variable, never its value. */
#include "catalog/loader.h"

#include "json/writer.h"

#include <stdlib.h>

static const char *look_up(const struct loader *loader, const char *name)
{
    if (loader->options && loader->options->lookup)
        return loader->options->lookup(loader->options->context, name);
    return getenv(name);
}

static bool is_name_byte(char byte, bool first)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
           (!first && byte >= '0' && byte <= '9');
}

/* The length of NAME in "NAME}…", 0 if it is none. */
static size_t name_length(struct slice rest)
{
    size_t size = 0;
    while (size < rest.size && is_name_byte(rest.data[size], size == 0))
        size++;
    return size < rest.size && rest.data[size] == '}' ? size : 0;
}

static bool expand_one(struct loader *loader, struct value value, struct slice name, struct buffer *out)
{
    enum { NAME_SHOWN_MAX = 100 };
    if (name.size > NAME_SHOWN_MAX) {
        loader_problem(loader, value, "the name of an environment variable with %zu characters is too long",
                       name.size);
        return false;
    }
    const char *variable = arena_strndup(&loader->scratch, name.data, name.size);
    const char *content = look_up(loader, variable);
    if (!content) {
        loader_problem(
            loader, value,
            "the environment variable %s is not set; set it (export %s=…), or write $${%s} if the text "
            "itself is meant",
            variable, variable, variable);
        return false;
    }
    size_t size = strlen(content);
    if (size > CATALOG_EXPANSION_MAX || !utf8_valid(content, size)) {
        loader_problem(loader, value, "the environment variable %s %s", variable,
                       size > CATALOG_EXPANSION_MAX ? "holds more than 1 MiB" : "does not hold valid UTF-8");
        return false;
    }
    buffer_append(out, content, size);
    return true;
}

bool variables_expand(struct loader *loader, struct value value, struct slice text, struct buffer *out)
{
    bool fine = true;
    for (size_t i = 0; i < text.size; i++) {
        struct slice rest = {text.data + i, text.size - i};
        if (slice_starts_with(rest, "$${")) {
            buffer_str(out, "${");
            i += 2;
            continue;
        }
        if (!slice_starts_with(rest, "${")) {
            buffer_byte(out, text.data[i]);
            continue;
        }
        size_t size = name_length((struct slice){rest.data + 2, rest.size - 2});
        if (size == 0) {
            loader_problem(
                loader, value,
                "'${' must be followed by the name of an environment variable and '}'; write '$${' if "
                "the text itself is meant");
            return false;
        }
        fine &= expand_one(loader, value, (struct slice){rest.data + 2, size}, out);
        i += size + 2;
    }
    return fine;
}

/* --- tags ------------------------------------------------------------------------------------------ */

/* "${NAME}" and nothing else: its NAME. */
static bool is_one_variable(struct slice text, struct slice *ret_name)
{
    if (!slice_starts_with(text, "${"))
        return false;
    size_t size = name_length((struct slice){text.data + 2, text.size - 2});
    *ret_name = (struct slice){text.data + 2, size};
    return size && size + 3 == text.size;
}

/* What a text with the tag is, now that it is expanded. False with a problem told, which does not show it. */
static bool resolve_tagged(struct loader *loader, struct value value, enum yaml_tag tag,
                           struct slice expanded, struct slice *ret_json)
{
    struct slice name, written = json_string(&value.source->doc.json, value.at, &loader->scratch);
    if (yaml_resolve_tag(tag, expanded, &loader->scratch, ret_json))
        return true;
    if (is_one_variable(written, &name))
        loader_problem(loader, value,
                       "the environment variable %.*s does not hold %s, which the tag %s wants",
                       SLICE_ARGS(name), yaml_tag_wants(tag), yaml_tag_name(tag));
    else
        loader_problem(loader, value, "once expanded, this is not %s, which its tag %s wants",
                       yaml_tag_wants(tag), yaml_tag_name(tag));
    return false;
}

bool variables_tagged(struct loader *loader, struct value value, struct value *ret_value)
{
    enum yaml_tag tag = yaml_deferred_tag(&value.source->doc, value.at);
    *ret_value = value;
    if (tag == YAML_TAG_NONE)
        return true;
    struct slice text = json_string(&value.source->doc.json, value.at, &loader->scratch), json;
    struct buffer out;
    struct error unused;
    buffer_init(&out, CATALOG_CONFIG_MAX);
    struct source *source = arena_dup(loader->arena, value.source, sizeof *source);
    source->doc.positions =
        arena_dup(loader->arena, &value.source->doc.positions[value.at], sizeof *source->doc.positions);
    source->doc.deferred_count = 0;
    bool fine =
        variables_expand(loader, value, text, &out) &&
        resolve_tagged(loader, value, tag, (struct slice){out.data ? out.data : "", out.size}, &json) &&
        json_parse_copy(loader->arena, json.data, json.size, &source->doc.json, &unused) == 0;
    buffer_done(&out);
    *ret_value = (struct value){source, 0};
    return fine;
}

/* --- whole values ---------------------------------------------------------------------------------- */

struct rewriting {
    struct loader *loader;
    struct json_writer writer;
    struct buffer text; /* one string */
};

static bool rewrite_string(struct rewriting *rewriting, struct value value)
{
    buffer_clear(&rewriting->text);
    struct slice text = json_string(&value.source->doc.json, value.at, &rewriting->loader->scratch);
    return variables_expand(rewriting->loader, value, text, &rewriting->text);
}

static bool rewrite_text(struct rewriting *rewriting, struct value value)
{
    enum yaml_tag tag = yaml_deferred_tag(&value.source->doc, value.at);
    bool fine = rewrite_string(rewriting, value);
    struct slice text = {rewriting->text.data ? rewriting->text.data : "", rewriting->text.size}, json;
    if (tag == YAML_TAG_NONE || !fine)
        json_put_slice(&rewriting->writer, text);
    else if ((fine = resolve_tagged(rewriting->loader, value, tag, text, &json)))
        json_put_raw(&rewriting->writer, json);
    else
        json_put_null(&rewriting->writer);
    return fine;
}

static bool rewrite(struct rewriting *rewriting, struct value value);

static bool rewrite_mapping(struct rewriting *rewriting, struct value mapping)
{
    bool fine = true;
    struct map names;
    map_init(&names);
    json_begin_object(&rewriting->writer);
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key)) {
        if (!rewrite_string(rewriting, key)) {
            fine = false;
            continue;
        }
        struct slice name = {rewriting->text.data, rewriting->text.size};
        if (map_set(&names, name, rewriting)) {
            loader_problem(rewriting->loader, key, "once expanded, '%s' is here twice",
                           value_written(rewriting->loader, key));
            fine = false;
        }
        json_put_key_slice(&rewriting->writer, name);
        fine &= rewrite(rewriting, value_of_key(key));
    }
    json_end_object(&rewriting->writer);
    map_done(&names);
    return fine;
}

static bool rewrite(struct rewriting *rewriting, struct value value)
{
    const struct json *doc = &value.source->doc.json;
    bool fine = true;
    switch (json_tag(doc, value.at)) {
    case JSON_OBJECT:
        return rewrite_mapping(rewriting, value);
    case JSON_ARRAY:
        json_begin_array(&rewriting->writer);
        for (struct value each = value_first(value); value_there(each); each = value_next(value, each))
            fine &= rewrite(rewriting, each);
        json_end_array(&rewriting->writer);
        return fine;
    case JSON_STRING:
        return rewrite_text(rewriting, value);
    default:
        json_put_raw(&rewriting->writer, json_raw(doc, value.at));
        return true;
    }
}

bool variables_json(struct loader *loader, struct value value, struct slice *ret_json)
{
    struct slice raw = json_raw(&value.source->doc.json, value.at);
    if (raw.size > CATALOG_CONFIG_MAX) {
        loader_problem(loader, value, "more than %d MiB, which is the limit here", CATALOG_CONFIG_MAX >> 20);
        return false;
    }
    if (!memchr(raw.data, '$', raw.size) && !memmem(raw.data, raw.size, "\\u0024", 6)) {
        *ret_json = raw;
        return true;
    }
    struct buffer out;
    buffer_init(&out, CATALOG_CONFIG_MAX);
    struct rewriting rewriting = {.loader = loader};
    buffer_init(&rewriting.text, CATALOG_CONFIG_MAX);
    json_writer_init(&rewriting.writer, &out);
    bool fine = rewrite(&rewriting, value);
    if (fine && (out.overflowed || rewriting.text.overflowed)) {
        loader_problem(loader, value, "more than %d MiB once expanded, which is the limit here",
                       CATALOG_CONFIG_MAX >> 20);
        fine = false;
    }
    if (fine)
        *ret_json = (struct slice){arena_strndup(loader->arena, out.data, out.size), out.size};
    buffer_done(&rewriting.text);
    buffer_done(&out);
    return fine;
}
