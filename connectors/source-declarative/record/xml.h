/* XML: documents (xml_read.c), and what their <!DOCTYPE declares (xml_entities.c). Private to this folder. */
#ifndef FIRTH_DECLARATIVE_RECORD_XML_H
#define FIRTH_DECLARATIVE_RECORD_XML_H

#include "decode.h"

/* The document, which points into the text. What is wrong says where. */
int xml_read(struct arena *arena, struct slice text, struct tvalue *ret_document, struct error *err);

/* "#233", "#xe9": the character; 0: it is none. */
uint32_t xml_character(struct slice name);

struct xml_entity;
struct xml_entities {
    struct xml_entity *first;
    size_t count;
    bool elsewhere; /* some may be declared in another file, which is not read */
};
/* Reads from behind "<!DOCTYPE"; what is behind its '>', or NULL if it is broken or too large. */
const char *xml_doctype(struct xml_entities *entities, struct arena *arena, const char *at, const char *end);
bool xml_entity(const struct xml_entities *entities, struct slice name, struct slice *ret_text);

#endif
