/* The common ways in which a text is written so that it can travel: JSON's escapes, a URL's, base64. */
#ifndef FIRTH_CONNECTOR_DISGUISE_H
#define FIRTH_CONNECTOR_DISGUISE_H

#include "base/text.h"

/* A text with one disguise taken off. Byte i of `text` was written in the bytes from[i] to from[i + 1] of the
 * text that connector_undisguise got first. */
struct connector_view {
    struct slice text;
    const uint32_t *from; /* text.size + 1 of them; NULL: the text is as it was, from[i] = i */
};

enum connector_disguise {
    CONNECTOR_DISGUISE_JSON, /* \" \n \u0041 and, as other languages have it, \' and \x41 */
    CONNECTOR_DISGUISE_URL,  /* %41 */
    CONNECTOR_DISGUISE_FORM, /* %41, and + for a blank */
    CONNECTOR_DISGUISE_MAX
};

/* Take one off, into the arena. False if the text wears none of the kind. What is no right escape stays as it
 * is. An escape that the end of the text has cut off is left out. */
bool connector_undisguise(const struct connector_view *view, enum connector_disguise disguise,
                          struct arena *arena, struct connector_view *ret_view);

enum { CONNECTOR_BASE64_FORMS = 6, CONNECTOR_BASE64_TEXT_MAX = 48 };

/* What the base64 of any text holds in which `text` (3 to CONNECTOR_BASE64_TEXT_MAX bytes) stands: one form
 * for each of the three places that it can begin at, without the characters at the edges in which its
 * neighbours take part, with + and / and with - and _. Returns how many forms, none of them twice; each is
 * NUL-terminated. */
size_t connector_base64_forms(struct slice text,
                              char ret_forms[CONNECTOR_BASE64_FORMS][CONNECTOR_BASE64_TEXT_MAX * 4 / 3 + 8]);
bool connector_base64_is(char byte);

#endif
