/* The reader of a push capture: private to this folder. capture.h has what listeners see of it. */
#ifndef FIRTH_INGEST_READER_H
#define FIRTH_INGEST_READER_H

#include "ingest/capture.h"

struct ingest_reader;

/* As ingest_push_all, of the capture that it belongs to. */
void ingest_reader_push(struct ingest_reader *reader, struct ingest_push *first);

#endif
