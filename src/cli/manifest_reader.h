/* Manifests as definitions have them, read by the connector that runs them. */
#ifndef FIRTH_CLI_MANIFEST_READER_H
#define FIRTH_CLI_MANIFEST_READER_H

#include "connector/connector.h"

connector_read_manifest manifest_read;

#endif
