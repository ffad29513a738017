/* Checksums and hashes: CRC32C for what is stored, XXH3 for maps and keys. */
#ifndef FIRTH_BASE_HASH_H
#define FIRTH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, as in iSCSI, RFC 3720), hardware where there is any. Start with 0; chainable. */
uint32_t hash_crc32c(uint32_t crc, const void *bytes, size_t size);
/* The older XXH32, which the frames of LZ4 use. */
uint32_t hash_xxh32(const void *bytes, size_t size, uint32_t seed);
uint64_t hash_xxh3(const void *bytes, size_t size, uint64_t seed);

#endif
