/* Names of OCI images, as far as finding a built-in connector needs them. */
#ifndef FIRTH_CONNECTOR_IMAGE_H
#define FIRTH_CONNECTOR_IMAGE_H

#include "base/text.h"

/* The repository's name without registry, tag and digest: "airbyte/source-faker" of
 * "docker.io/airbyte/source-faker:6.2.38@sha256:…". A slice of `image`. */
struct slice connector_image_repository(const char *image);
/* A name alone, without registry, folder, tag and digest: rather a connector that is built in or was added
 * than an image of Docker's library, which may be named with its tag. */
bool connector_image_is_name(const char *image);

#endif
