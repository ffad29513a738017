/* The fast parser for machines with AVX2 (Haswell, Zen and later): 64 bytes are two vectors. */
#ifdef __x86_64__

#include "json/build.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")))

struct pair {
    __m256i low, high;
};

TARGET static inline uint64_t mask_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

TARGET static inline uint64_t equal(struct pair bytes, unsigned char byte)
{
    const __m256i value = _mm256_set1_epi8((char)byte);
    return mask_of(_mm256_cmpeq_epi8(bytes.low, value), _mm256_cmpeq_epi8(bytes.high, value));
}

TARGET static inline uint64_t at_least(struct pair bytes, unsigned char byte)
{
    const __m256i value = _mm256_set1_epi8((char)byte);
    return mask_of(_mm256_cmpeq_epi8(_mm256_max_epu8(bytes.low, value), bytes.low),
                   _mm256_cmpeq_epi8(_mm256_max_epu8(bytes.high, value), bytes.high));
}

/* Where each byte, made lower case if asked, is what the table has for its low nibble. */
TARGET static inline uint64_t in_table(struct pair bytes, __m256i table, unsigned char lower)
{
    const __m256i bit = _mm256_set1_epi8((char)lower);
    return mask_of(
        _mm256_cmpeq_epi8(_mm256_or_si256(bytes.low, bit), _mm256_shuffle_epi8(table, bytes.low)),
        _mm256_cmpeq_epi8(_mm256_or_si256(bytes.high, bit), _mm256_shuffle_epi8(table, bytes.high)));
}

TARGET static inline struct json_block classify(struct pair bytes)
{
    /* As in avx512.c. */
    const __m256i ops =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));
    const __m256i spaces =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));
    return (struct json_block){
        .backslash = equal(bytes, '\\'),
        .quote = equal(bytes, '"'),
        .control = ~at_least(bytes, 0x20),
        .space = in_table(bytes, spaces, 0),
        .op = in_table(bytes, ops, 0x20),
        .non_ascii = mask_of(bytes.low, bytes.high),
    };
}

/* pshufb gives 0 for what is not ASCII: look up with the top bit taken away. */
TARGET static inline uint64_t in_high_table(struct pair bytes, __m256i table)
{
    const __m256i seven = _mm256_set1_epi8(0x7f);
    return mask_of(
        _mm256_cmpeq_epi8(bytes.low, _mm256_shuffle_epi8(table, _mm256_and_si256(bytes.low, seven))),
        _mm256_cmpeq_epi8(bytes.high, _mm256_shuffle_epi8(table, _mm256_and_si256(bytes.high, seven))));
}

TARGET static inline struct json_block_utf8 classify_utf8(struct pair bytes, uint64_t non_ascii)
{
    /* As above, by low nibble; what is not of the class never is 1. */
    const __m256i never = _mm256_broadcastsi128_si256(
        _mm_setr_epi8((char)0xc0, (char)0xc1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
    const __m256i special = _mm256_broadcastsi128_si256(
        _mm_setr_epi8((char)0xe0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, (char)0xed, 1, 1));
    uint64_t lead = at_least(bytes, 0xc0), lead4 = at_least(bytes, 0xf0);
    return (struct json_block_utf8){
        .continuation = non_ascii & ~lead,
        .lead = lead,
        .lead3 = at_least(bytes, 0xe0),
        .lead4 = lead4,
        .never = in_high_table(bytes, never),
        .special = in_high_table(bytes, special) | lead4,
    };
}

TARGET static inline struct json_block_special classify_special(struct pair bytes)
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

/* Store the places of the mask's bits as entries, of which only the count's first are meant: sixteen always,
 * which is cheaper than to guess, then eight at a time. */
TARGET static inline uint32_t put_entries(uint32_t *out, uint32_t base, uint64_t mask)
{
    uint32_t count = (uint32_t)_mm_popcnt_u64(mask), done = 0;
    do {
        for (uint32_t i = 0; i < (done ? 8 : 16); i++) {
            out[done + i] = base + (uint32_t)_tzcnt_u64(mask);
            mask = _blsr_u64(mask);
        }
        done += done ? 8 : 16;
    } while (__builtin_expect(done < count, 0));
    return count;
}

TARGET static void index_window(struct json_parser *parser, struct json_fast *fast, uint32_t to)
{
    struct json_index_carry carry = fast->carry;
    uint32_t *out = fast->index + fast->end;
    char last[JSON_BLOCK];
    for (uint32_t at = fast->done; at < to; at += JSON_BLOCK) {
        const char *here = parser->source + at;
        if (to - at < JSON_BLOCK) {
            memset(last, ' ', sizeof last);
            memcpy(last, here, to - at);
            here = last;
        }
        struct pair bytes = {_mm256_loadu_si256((const void *)here),
                             _mm256_loadu_si256((const void *)(here + 32))};
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
    __m256i value = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
    __m256i digit = _mm256_cmpeq_epi8(_mm256_min_epu8(value, _mm256_set1_epi8(9)), value);
    return (struct json_digits){
        .digit = (uint32_t)_mm256_movemask_epi8(digit),
        .point = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('.'))),
    };
}

/* Equal hashes among these eight: each with the one, two, three and four places on. */
TARGET static inline __m256i equal_inside(__m256i values)
{
    __m256i found = _mm256_setzero_si256();
    __m256i turned = values;
    const __m256i turn = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    for (int i = 0; i < 4; i++) {
        turned = _mm256_permutevar8x32_epi32(turned, turn);
        found = _mm256_or_si256(found, _mm256_cmpeq_epi32(values, turned));
    }
    return found;
}

enum { MEMBERS_COMPARED = 40 };

TARGET static inline bool may_repeat(const uint32_t *hashes, uint32_t count)
{
    if (count < 8 || count > MEMBERS_COMPARED)
        return json_hashes_repeat(hashes, count);
    /* Each eight among themselves and with every later one; what is left, with the last eight. */
    __m256i found = equal_inside(_mm256_loadu_si256((const void *)(hashes + count - 8)));
    for (uint32_t i = 0; i + 8 <= count; i += 8) {
        __m256i values = _mm256_loadu_si256((const void *)(hashes + i));
        found = _mm256_or_si256(found, equal_inside(values));
        for (uint32_t j = i + 8; j < count; j++)
            found = _mm256_or_si256(found, _mm256_cmpeq_epi32(values, _mm256_set1_epi32((int)hashes[j])));
    }
    return !_mm256_testz_si256(found, found);
}

TARGET bool json_parse_avx2(struct json_parser *parser)
{
    return json_build_document(parser, index_window, classify_digits, may_repeat);
}

#endif
