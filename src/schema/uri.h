/* URIs as JSON Schema needs them: RFC 3986 resolution of a reference against a base, and fragments. */
#ifndef FIRTH_SCHEMA_URI_H
#define FIRTH_SCHEMA_URI_H

#include "base/buffer.h"
#include "base/text.h"

enum { URI_SIZE_MAX = 8192 };

/* The part before '#', and the part behind it (empty without one; *ret_has says whether there was a '#'). */
struct slice uri_without_fragment(struct slice uri);
struct slice uri_fragment(struct slice uri);

/* "scheme:" at the front. */
bool uri_is_absolute(struct slice uri);

/* RFC 3986, section 5.2, without the fragment. The result is a string in the arena. An empty reference is the
 * base itself. Works for opaque bases (urn:…) too. */
const char *uri_resolve(struct arena *arena, struct slice base, struct slice reference);

/* Append a JSON pointer as a fragment: what RFC 3986 does not allow there is percent-encoded. */
void uri_append_fragment(struct buffer *out, struct slice pointer);

/* Percent-decoding into the arena. Malformed escapes stay as they are. */
struct slice uri_decode(struct arena *arena, struct slice text);

/* "/a b" to "file:///a%20b" and back (NULL for other URIs, and if a NUL would be in the path). */
const char *uri_of_path(struct arena *arena, const char *absolute_path);
const char *uri_to_path(struct arena *arena, const char *uri);

/* A URI, with a fragment or without, as people write it: "/a b.yaml#/collections/x/schema/type" of a file or
 * of a schema within one ("file:///a%20b.yaml?ptr=%2Fcollections%2Fx%2Fschema#/type"); of the schema of a
 * stream
 * ("stream:/3#/type"), which has no file, what follows '#'. Others stay as they are. */
const char *uri_shown(struct arena *arena, const char *uri);

#endif
