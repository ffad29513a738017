#include "base/hash.h"

#include <string.h>
#include <xxhash.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

static uint32_t crc32c_byte(uint32_t crc, unsigned char byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
    return crc;
}

/* Slow and plain: for processors without the instruction. */
static uint32_t crc32c_portable(uint32_t crc, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        crc = crc32c_byte(crc, bytes[i]);
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const unsigned char *bytes,
                                                               size_t size)
{
    uint64_t wide = crc;
    while (size >= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = _mm_crc32_u64(wide, word);
        bytes += 8;
        size -= 8;
    }
    crc = (uint32_t)wide;
    while (size-- > 0)
        crc = _mm_crc32_u8(crc, *bytes++);
    return crc;
}

/* The instruction takes three cycles and can begin one every cycle: so three lanes run side by side. A CRC
 * moves over n zero bytes by a carry-less multiplication with x^(8n - 33) mod P (bits reflected) and one more
 * CRC step. */
enum { LANE = 1024 };
static const uint32_t move_one_lane = 0x170076fa, move_two_lanes = 0xa51b6135;

__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_lanes(uint32_t crc,
                                                                      const unsigned char *bytes, size_t size)
{
    const __m128i by_one = _mm_cvtsi32_si128((int)move_one_lane),
                  by_two = _mm_cvtsi32_si128((int)move_two_lanes);
    while (size >= 3 * LANE) {
        uint64_t first = crc, second = 0, third = 0;
        for (size_t at = 0; at < LANE; at += 8) {
            uint64_t words[3];
            memcpy(&words[0], bytes + at, 8);
            memcpy(&words[1], bytes + LANE + at, 8);
            memcpy(&words[2], bytes + 2 * LANE + at, 8);
            first = _mm_crc32_u64(first, words[0]);
            second = _mm_crc32_u64(second, words[1]);
            third = _mm_crc32_u64(third, words[2]);
        }
        __m128i moved = _mm_xor_si128(_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)first), by_two, 0),
                                      _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)second), by_one, 0));
        crc = (uint32_t)(third ^ _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(moved)));
        bytes += 3 * LANE;
        size -= 3 * LANE;
    }
    return crc32c_sse42(crc, bytes, size);
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return ~crc32c_lanes(crc, bytes, size);
#endif
    return ~crc32c_portable(crc, bytes, size);
}

uint64_t hash_xxh3(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

uint32_t hash_xxh32(const void *bytes, size_t size, uint32_t seed)
{
    return XXH32(bytes, size, seed);
}
