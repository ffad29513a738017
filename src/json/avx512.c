/* The fast parser for machines with AVX-512 (with VBMI2 and CD: Ice Lake, Zen 4 and later). */
#ifdef __x86_64__

#include "json/build.h"

#include <immintrin.h>

#define TARGET      \
    __attribute__(( \
        target("avx512f,avx512bw,avx512vl,avx512cd,avx512vbmi2,avx2,bmi,bmi2,lzcnt,popcnt,pclmul")))

TARGET static inline struct json_block classify(__m512i bytes)
{
    /* By low nibble: the one byte of the class that has it, or one that cannot be equal. `|0x20` makes braces
     * of brackets; it also makes ',' and ':' of two control characters, which the builder does not take. */
    const __m512i ops =
        _mm512_broadcast_i32x4(_mm_setr_epi8(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));
    const __m512i spaces =
        _mm512_broadcast_i32x4(_mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));
    const __m512i lower = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
    return (struct json_block){
        .backslash = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')),
        .quote = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')),
        .control = _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20)),
        .space = _mm512_cmpeq_epi8_mask(bytes, _mm512_shuffle_epi8(spaces, bytes)),
        .op = _mm512_cmpeq_epi8_mask(lower, _mm512_shuffle_epi8(ops, bytes)),
        .non_ascii = _mm512_movepi8_mask(bytes),
    };
}

TARGET static inline uint64_t at_least(__m512i bytes, unsigned char byte)
{
    return _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8((char)byte));
}

TARGET static inline uint64_t equal(__m512i bytes, unsigned char byte)
{
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8((char)byte));
}

TARGET static inline struct json_block_utf8 classify_utf8(__m512i bytes, uint64_t non_ascii)
{
    uint64_t lead = at_least(bytes, 0xc0), lead4 = at_least(bytes, 0xf0);
    return (struct json_block_utf8){
        .continuation = non_ascii & ~lead,
        .lead = lead,
        .lead3 = at_least(bytes, 0xe0),
        .lead4 = lead4,
        .never = lead & ~at_least(bytes, 0xc2),
        .special = equal(bytes, 0xe0) | equal(bytes, 0xed) | lead4,
    };
}

TARGET static inline struct json_block_special classify_special(__m512i bytes)
{
    return (struct json_block_special){
        .e0 = equal(bytes, 0xe0),
        .ed = equal(bytes, 0xed),
        .f0 = equal(bytes, 0xf0),
        .f4 = equal(bytes, 0xf4),
        .from_90 = at_least(bytes, 0x90),
        .from_a0 = at_least(bytes, 0xa0),
        .from_f5 = at_least(bytes, 0xf5),
    };
}

/* Store the places of the mask's bits as entries; 64 are written, the count is what matters. */
TARGET static inline uint32_t put_entries(uint32_t *out, uint32_t base, uint64_t mask)
{
    const __m512i places =
        _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43,
                        42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22,
                        21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i first = _mm512_set1_epi32((int)base);
    uint32_t count = (uint32_t)_mm_popcnt_u64(mask);
    __m512i packed = _mm512_maskz_compress_epi8(mask, places);
    __m512i wide = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(packed));
    _mm512_storeu_si512(out, _mm512_add_epi32(wide, first));
    /* About half of all blocks have more than 16: better always than guessed. */
    wide = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 1));
    _mm512_storeu_si512(out + 16, _mm512_add_epi32(wide, first));
    if (__builtin_expect(count > 32, 0)) {
        wide = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 2));
        _mm512_storeu_si512(out + 32, _mm512_add_epi32(wide, first));
        wide = _mm512_cvtepu8_epi32(_mm512_extracti32x4_epi32(packed, 3));
        _mm512_storeu_si512(out + 48, _mm512_add_epi32(wide, first));
    }
    return count;
}

TARGET static void index_window(struct json_parser *parser, struct json_fast *fast, uint32_t to)
{
    struct json_index_carry carry = fast->carry;
    uint32_t *out = fast->index + fast->end;
    for (uint32_t at = fast->done; at < to; at += JSON_BLOCK) {
        __mmask64 inside = to - at >= JSON_BLOCK ? UINT64_MAX : _bzhi_u64(UINT64_MAX, to - at);
        __m512i bytes = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), inside, parser->source + at);
        struct json_block block = classify(bytes);
        if (block.non_ascii | carry.utf8_due) {
            struct json_block_utf8 utf8 = classify_utf8(bytes, block.non_ascii);
            json_index_utf8(&carry, &utf8);
            if (utf8.special | carry.after_special) {
                struct json_block_special special = classify_special(bytes);
                json_index_special(&carry, &utf8, &special);
            }
        }
        uint64_t quote = block.quote & ~json_index_escaped(&carry, block.backslash);
        uint64_t parity = (uint64_t)_mm_cvtsi128_si64(
            _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)quote), _mm_set1_epi8((char)0xff), 0));
        uint64_t escaped_ends;
        uint64_t tokens = json_index_tokens(&carry, &block, quote, parity, &escaped_ends);
        out += put_entries(out, at, tokens);
        for (; __builtin_expect(escaped_ends != 0, 0); escaped_ends &= escaped_ends - 1)
            fast->escaped[fast->escaped_end++] = at + (uint32_t)_tzcnt_u64(escaped_ends);
    }
    fast->end = (uint32_t)(out - fast->index);
    fast->carry = carry;
}

TARGET static inline struct json_digits classify_digits(const char *at)
{
    __m256i bytes = _mm256_loadu_si256((const void *)at);
    return (struct json_digits){
        .digit = _mm256_cmple_epu8_mask(_mm256_sub_epi8(bytes, _mm256_set1_epi8('0')), _mm256_set1_epi8(9)),
        .point = _mm256_cmpeq_epi8_mask(bytes, _mm256_set1_epi8('.')),
    };
}

/* Exact up to MEMBERS_COMPARED: each sixteen among themselves, then with every later one. */
enum { MEMBERS_COMPARED = 64 };

TARGET static inline bool may_repeat(const uint32_t *hashes, uint32_t count)
{
    if (count > MEMBERS_COMPARED)
        return true;
    for (uint32_t i = 0; i < count; i += 16) {
        __mmask16 lanes = (__mmask16)_bzhi_u32(0xffff, count - i);
        __m512i values = _mm512_maskz_loadu_epi32(lanes, hashes + i);
        __m512i conflicts = _mm512_maskz_conflict_epi32(lanes, values);
        uint32_t equal_lanes = _mm512_test_epi32_mask(conflicts, conflicts);
        for (uint32_t j = i + 16; j < count; j++)
            equal_lanes |= _mm512_cmpeq_epi32_mask(values, _mm512_set1_epi32((int)hashes[j]));
        if (equal_lanes)
            return true;
    }
    return false;
}

TARGET bool json_parse_avx512(struct json_parser *parser)
{
    return json_build_document(parser, index_window, classify_digits, may_repeat);
}

#endif
