/* The table of formats. */
#include "schema/format/format.h"

#include "schema/format/forms.h"

static const struct {
    const char *name, *example;
    bool (*check)(struct slice text);
} formats[FORMAT_MAX] = {
    [FORMAT_DATE] = {"date", "2026-01-31", form_date},
    [FORMAT_TIME] = {"time", "08:30:06Z", form_time},
    [FORMAT_DATE_TIME] = {"date-time", "2026-01-31T08:30:06Z", form_date_time},
    [FORMAT_DURATION] = {"duration", "P1DT12H", form_duration},
    [FORMAT_EMAIL] = {"email", "ada@example.com", form_email},
    [FORMAT_IDN_EMAIL] = {"idn-email", "ada@example.com", form_idn_email},
    [FORMAT_HOSTNAME] = {"hostname", "www.example.com", form_hostname},
    [FORMAT_IDN_HOSTNAME] = {"idn-hostname", "www.example.com", form_idn_hostname},
    [FORMAT_IPV4] = {"ipv4", "192.0.2.1", form_ipv4},
    [FORMAT_IPV6] = {"ipv6", "2001:db8::1", form_ipv6},
    [FORMAT_URI] = {"uri", "https://example.com/a", form_uri},
    [FORMAT_URI_REFERENCE] = {"uri-reference", "../a#b", form_uri_reference},
    [FORMAT_IRI] = {"iri", "https://example.com/a", form_iri},
    [FORMAT_IRI_REFERENCE] = {"iri-reference", "../a#b", form_iri_reference},
    [FORMAT_URI_TEMPLATE] = {"uri-template", "/users/{id}", form_uri_template},
    [FORMAT_UUID] = {"uuid", "123e4567-e89b-12d3-a456-426614174000", form_uuid},
    [FORMAT_JSON_POINTER] = {"json-pointer", "/a/0", form_json_pointer},
    [FORMAT_RELATIVE_JSON_POINTER] = {"relative-json-pointer", "1/a", form_relative_json_pointer},
    [FORMAT_REGEX] = {"regex", "^[a-z]+$", form_regex},
    [FORMAT_INTEGER] = {"integer", "-12", form_integer},
    [FORMAT_NUMBER] = {"number", "1.5", form_number},
    [FORMAT_MACADDR] = {"macaddr", "00:1b:63:84:45:e6", form_macaddr},
    [FORMAT_MACADDR8] = {"macaddr8", "00:1b:63:84:45:e6:aa:bb", form_macaddr8},
    [FORMAT_SHA256] = {"sha256", "sha256: and 64 hexadecimal digits", form_sha256},
};

static const struct {
    const char *name;
    enum format format;
} aliases[] = {{"datetime", FORMAT_DATE_TIME}, {"uint32", FORMAT_INTEGER}, {"uint64", FORMAT_INTEGER}};

enum format format_find(struct slice name)
{
    for (int i = FORMAT_NONE + 1; i < FORMAT_MAX; i++) {
        if (slice_is(name, formats[i].name))
            return (enum format)i;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (slice_is(name, aliases[i].name))
            return aliases[i].format;
    }
    return FORMAT_NONE;
}

const char *format_name(enum format format)
{
    return format == FORMAT_NONE ? "" : formats[format].name;
}

const char *format_example(enum format format)
{
    return format == FORMAT_NONE ? "" : formats[format].example;
}

bool format_check(enum format format, struct slice text)
{
    return format == FORMAT_NONE || formats[format].check(text);
}
