/* The three streams and their schemas. */
#ifndef FIRTH_SOURCE_FAKER_STREAMS_H
#define FIRTH_SOURCE_FAKER_STREAMS_H

#include "firth/connector.h"

enum faker_stream { FAKER_STREAM_PRODUCTS, FAKER_STREAM_USERS, FAKER_STREAM_PURCHASES, FAKER_STREAM_COUNT };

struct faker_stream_info {
    struct firth_stream stream;
    int64_t record_size; /* bytes, about: for estimates */
};

extern const struct faker_stream_info faker_streams[FAKER_STREAM_COUNT];

#endif
