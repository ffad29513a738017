/* Decoders: from the bytes of a body to documents, one at a time. One table of classes: decoder.c. */
#ifndef FIRTH_DECLARATIVE_RECORD_DECODER_H
#define FIRTH_DECLARATIVE_RECORD_DECODER_H

#include "source-declarative/request/requester.h"

enum {
    DECODER_NESTING_MAX = 8,        /* gzip in zip in … */
    DECODER_ITEM_MAX = 64 << 20,    /* bytes of one document: a line, a row, an element */
    DECODER_EXPANDED_MAX = 1 << 30, /* bytes that a body may become, of those kept whole */
};

struct decoder;
/* Of any decoder's type, or none: JsonDecoder. */
int decoder_compile(struct engine *engine, struct component component, struct decoder **ret_decoder,
                    struct error *err);
/* Must the body be read as it comes (CSV, JSONL, GZIP, …), or is it one document? */
bool decoder_is_stream(const struct decoder *decoder);

/* Do its documents live as long as their decoding? Others until the call after the next. */
bool decoder_keeps(const struct decoder *decoder);

struct decoding; /* of one body */
int decoding_begin(const struct decoder *decoder, struct answer *answer, struct decoding **ret_decoding,
                   struct error *err);
const struct decoder *decoding_decoder(const struct decoding *decoding);
/* The next document. 1; 0: that was all; -1. */
int decoding_next(struct decoding *decoding, struct tvalue *ret_document, struct error *err);
/* The first document, where documents are kept: what paginators look at. False: none, or a stream. */
bool decoding_first(const struct decoding *decoding, struct tvalue *ret_document);
void decoding_end(struct decoding *decoding);
MEM_DEFINE_CLEANUP(struct decoding *, decoding_end);

#endif
