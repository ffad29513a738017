#include "host.h"

/* Values of a record, for destinations: looked up in the line as it was parsed, nothing is parsed again. */

enum firth_type firth_record_get(struct firth_host *host, const struct firth_record *record,
                                 const char *pointer, struct firth_slice *ret_value)
{
    static const enum firth_type types[JSON_TAG_MAX] = {
        [JSON_NULL] = FIRTH_IS_NULL,      [JSON_FALSE] = FIRTH_IS_BOOLEAN, [JSON_TRUE] = FIRTH_IS_BOOLEAN,
        [JSON_INTEGER] = FIRTH_IS_NUMBER, [JSON_NUMBER] = FIRTH_IS_NUMBER, [JSON_STRING] = FIRTH_IS_TEXT,
        [JSON_ARRAY] = FIRTH_IS_ARRAY,    [JSON_OBJECT] = FIRTH_IS_OBJECT,
    };
    const struct json *line = record->document;
    uint32_t at = json_pointer(line, record->node, slice_of(pointer));
    if (at == JSON_NONE)
        return FIRTH_IS_ABSENT;
    enum json_tag tag = json_tag(line, at);
    struct slice value = tag == JSON_STRING ? json_string(line, at, &host->scratch) : json_raw(line, at);
    *ret_value = (struct firth_slice){value.data, value.size};
    return types[tag];
}
