/* URLs as Python makes them: joining (urllib.parse.urljoin), parameters (urlencode), and what requests does
 * to a URL before it is sent. Texts that are made live in the arena, NUL-terminated. */
#ifndef FIRTH_DECLARATIVE_REQUEST_URL_H
#define FIRTH_DECLARATIVE_REQUEST_URL_H

#include "source-declarative/template/value.h"

/* urljoin. */
struct slice url_join(struct arena *arena, struct slice base, struct slice url);
/* HttpRequester's: the path without its first slashes, the base with one behind it; an empty path leaves the
 * base as it is. */
struct slice url_join_path(struct arena *arena, struct slice base, struct slice path);
/* name=value&…, blanks as "+"; a list repeats the name, a none is left out. */
void url_encode_form(struct ttext *out, const struct tvalue *dict);
/* The members that the URL's own query does not already have with the same value: a dict. */
struct tvalue url_without_repeated(struct arena *arena, struct slice url, const struct tvalue *parameters);
/* The URL as it is asked for: characters that may not stand in it encoded, "." and ".." resolved,
 * `parameters` (a dict) behind its own, the fragment left out. -1: it has no scheme or no host. */
int url_prepare(struct arena *arena, struct slice url, const struct tvalue *parameters, struct slice *ret_url,
                struct error *err);
/* Everything up to the query and fragment. */
struct slice url_before_query(struct slice url);

#endif
