/* The little XML that S3 answers with: elements without attributes that matter, and text. */
#ifndef FIRTH_S3_XML_H
#define FIRTH_S3_XML_H

#include "base/buffer.h"
#include "base/text.h"

/* The inside of the first element of this name at or behind *at, which is moved behind it; false if there is
 * none. */
bool s3_xml_next(struct slice xml, const char *name, size_t *at, struct slice *ret_inside);
/* The same from the beginning. */
bool s3_xml_find(struct slice xml, const char *name, struct slice *ret_inside);
/* Entities and character references as what they stand for. */
void s3_xml_text(struct slice inside, struct buffer *out);
void s3_xml_escape(struct buffer *out, const char *text);
/* %41 as A and + as a blank: keys in listings. */
void s3_url_decode(struct slice text, struct buffer *out);

#endif
