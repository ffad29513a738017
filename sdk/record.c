#include "host.h"

/* Values for connectors. Those of a record are looked up in the line as it was parsed: nothing is parsed
 * again. Other JSON (states, options) is small and rare. */

static enum firth_type value_at(const struct json *doc, uint32_t at, struct arena *scratch,
                                struct firth_slice *ret_value)
{
    static const enum firth_type types[JSON_TAG_MAX] = {
        [JSON_NULL] = FIRTH_IS_NULL,      [JSON_FALSE] = FIRTH_IS_BOOLEAN, [JSON_TRUE] = FIRTH_IS_BOOLEAN,
        [JSON_INTEGER] = FIRTH_IS_NUMBER, [JSON_NUMBER] = FIRTH_IS_NUMBER, [JSON_STRING] = FIRTH_IS_TEXT,
        [JSON_ARRAY] = FIRTH_IS_ARRAY,    [JSON_OBJECT] = FIRTH_IS_OBJECT,
    };
    if (at == JSON_NONE)
        return FIRTH_IS_ABSENT;
    enum json_tag tag = json_tag(doc, at);
    struct slice value = tag == JSON_STRING ? json_string(doc, at, scratch) : json_raw(doc, at);
    *ret_value = (struct firth_slice){value.data, value.size};
    return types[tag];
}

enum firth_type firth_record_get(struct firth_host *host, const struct firth_record *record,
                                 const char *pointer, struct firth_slice *ret_value)
{
    const struct json *line = record->document;
    return value_at(line, json_pointer(line, record->node, slice_of(pointer)), &host->scratch, ret_value);
}

/* Into an arena of its own: the host's parser may hold the line whose record is being stored. */
static bool parse(struct firth_host *host, struct firth_slice json, struct json *ret_doc)
{
    struct error err;
    arena_clear(&host->values);
    return json_parse_copy(&host->values, json.data, json.size, ret_doc, &err) == 0;
}

enum firth_type firth_json_get(struct firth_host *host, struct firth_slice json, const char *pointer,
                               struct firth_slice *ret_value)
{
    struct json doc;
    if (!parse(host, json, &doc))
        return FIRTH_IS_ABSENT;
    return value_at(&doc, json_pointer(&doc, 0, slice_of(pointer)), &host->values, ret_value);
}

bool firth_json_integer(struct firth_host *host, struct firth_slice json, const char *pointer,
                        int64_t *ret_value)
{
    struct json doc;
    return parse(host, json, &doc) && json_to_i64(&doc, json_pointer(&doc, 0, slice_of(pointer)), ret_value);
}
