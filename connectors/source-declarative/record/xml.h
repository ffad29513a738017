/* XML: documents (xml_read.c), and what their <!DOCTYPE declares (xml_entities.c,
 * xml_attributes.c). Private to this folder. */
#ifndef FIRTH_DECLARATIVE_RECORD_XML_H
#define FIRTH_DECLARATIVE_RECORD_XML_H

#include "decode.h"

/* The document, which points into the text. What is wrong says where. */
int xml_read(struct arena *arena, struct slice text, struct tvalue *ret_document, struct error *err);

/* "#233", "#xe9": the character; 0: it is none. */
uint32_t xml_character(struct slice name);

/* Of an element: what its attribute is if the element does not say it. */
struct xml_attribute {
    struct xml_attribute *next;
    struct slice name, text; /* as it is written, its references still in it, unless it was read already */
    bool has_default, was_read;
    bool has_tokens; /* it is words: what is more than one blank between them does not count */
};
enum { XML_ATTRIBUTES_BUCKETS = 64 };
struct xml_attributes {
    struct xml_element_type *types[XML_ATTRIBUTES_BUCKETS];
    size_t count;
};
/* Reads from behind "<!ATTLIST". False: it is broken, or there are too many. */
bool xml_attributes_declare(struct xml_attributes *attributes, struct arena *arena, const char *at,
                            const char *end);
/* In their order; NULL: none are declared. */
struct xml_attribute *xml_attributes_of(struct xml_attributes *attributes, struct slice element);
const struct xml_attribute *xml_attribute_named(const struct xml_attribute *first, struct slice name);

struct xml_entity;
struct xml_entities {
    struct xml_entity *first;
    size_t count;
    bool elsewhere;  /* some may be declared in another file, which is not read */
    bool after_part; /* a part of the declarations was in one */
    bool standalone; /* the document says that such a file changes nothing */
    struct xml_attributes attributes;
};
/* Reads from behind "<!DOCTYPE"; what is behind its '>', or NULL if it is broken or too large. */
const char *xml_doctype(struct xml_entities *entities, struct arena *arena, const char *at, const char *end);
bool xml_entity(const struct xml_entities *entities, struct slice name, struct slice *ret_text);

#endif
