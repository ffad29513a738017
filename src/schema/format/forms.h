/* One check for each form: shared by the files of this folder. */
#ifndef FIRTH_SCHEMA_FORMAT_FORMS_H
#define FIRTH_SCHEMA_FORMAT_FORMS_H

#include "base/text.h"

enum { HOSTNAME_SIZE_MAX = 253, LABEL_SIZE_MAX = 63 };

/* A set of ASCII characters. */
struct char_set {
    uint64_t bits[2];
};

static inline bool char_in(const struct char_set *set, char c)
{
    unsigned char u = (unsigned char)c;
    return u < 0x80 && (set->bits[u >> 6] >> (u & 63) & 1);
}
static inline bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool char_is_alpha(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
static inline bool char_is_hex(char c)
{
    return char_is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Decode one character of valid UTF-8; the bytes it takes. */
size_t utf8_take(const char *at, uint32_t *ret_code);

/* time.c */
bool form_date(struct slice text);
bool form_time(struct slice text);
bool form_date_time(struct slice text);
bool form_duration(struct slice text);

/* net.c */
bool form_ipv4(struct slice text);
bool form_ipv6(struct slice text);
bool form_hostname(struct slice text);
bool form_email(struct slice text);
bool form_idn_email(struct slice text);
bool form_macaddr(struct slice text);
bool form_macaddr8(struct slice text);

/* idn.c */
bool form_idn_hostname(struct slice text);
bool idn_is_mail_domain(struct slice text);
/* Is the label, which begins with "xn--", what IDNA2008 makes of some label? */
bool idn_is_a_label(struct slice label);

/* uri.c */
bool form_uri(struct slice text);
bool form_uri_reference(struct slice text);
bool form_iri(struct slice text);
bool form_iri_reference(struct slice text);
bool form_uri_template(struct slice text);

/* text.c */
bool form_uuid(struct slice text);
bool form_json_pointer(struct slice text);
bool form_relative_json_pointer(struct slice text);
bool form_regex(struct slice text);
bool form_integer(struct slice text);
bool form_number(struct slice text);
bool form_sha256(struct slice text);

#endif
