/* The index: where the tokens of a document are, found 64 bytes at a time; private to this folder.
 *
 * Into the index go, in order: every { } [ ] : , outside strings, every quote that opens or closes a string,
 * and the first byte of everything else that is no white space (numbers, true, false, null, and rubbish).
 * Closing quotes of strings with an escape are listed a second time on their own. On the way UTF-8 is
 * validated and control characters in strings are refused.
 *
 * A SIMD variant classifies 64 bytes into masks, bit i for byte i; what is done with the masks is here,
 * plain arithmetic that each variant inlines. */
#ifndef FIRTH_JSON_INDEX_H
#define FIRTH_JSON_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#define JSON_INLINE static inline __attribute__((always_inline))

enum {
    JSON_BLOCK = 64,
    JSON_WINDOW = 32 * 1024, /* bytes indexed at once: source, index and nodes of a window stay in cache */
    JSON_LOOKAHEAD = 16,     /* index entries that the builder may take without asking */
};

/* What goes from one block to the next. */
struct json_index_carry {
    uint64_t in_string;      /* all ones inside a string */
    uint64_t next_escaped;   /* 1: the next byte follows an unescaped backslash */
    uint64_t string_escaped; /* 1: the open string has had a backslash */
    uint64_t scalar;         /* 1: the last byte belonged to a number or word */
    uint64_t utf8_due;       /* bits 0 to 2: continuation bytes that the next bytes must be */
    uint64_t after_special;  /* 1: the last byte was one of json_block_utf8.special; and which: */
    uint64_t after_e0, after_ed, after_f0, after_f4;
    uint64_t wrong; /* not 0: the source is no JSON */
};

/* One block, classified. */
struct json_block {
    uint64_t backslash, quote, control, space;
    uint64_t op;        /* { } [ ] : , and perhaps some control characters, which the builder finds wrong */
    uint64_t non_ascii; /* >= 0x80 */
};

/* The bytes >= 0x80 of a block, classified; asked for only where there are any. */
struct json_block_utf8 {
    uint64_t continuation;       /* 80..bf */
    uint64_t lead, lead3, lead4; /* >= c0, >= e0, >= f0 */
    uint64_t never;              /* c0, c1 */
    uint64_t special;            /* e0, ed, >= f0: they restrict the next byte, or must not be */
};

/* Asked for only near special ones. */
struct json_block_special {
    uint64_t e0, ed, f0, f4;
    uint64_t from_90, from_a0, from_f5; /* >= */
};

/* Bytes that an unescaped backslash precedes. Backslashes are few: one step for each. */
JSON_INLINE uint64_t json_index_escaped(struct json_index_carry *carry, uint64_t backslash)
{
    uint64_t escaped = carry->next_escaped;
    if (__builtin_expect(backslash == 0, 1)) {
        carry->next_escaped = 0;
        return escaped;
    }
    uint64_t open = backslash & ~escaped;
    carry->next_escaped = 0;
    while (open) {
        uint64_t bit = open & (0 - open);
        carry->next_escaped = bit >> 63;
        escaped |= bit << 1;
        open &= ~(bit | bit << 1);
    }
    return escaped;
}

/* Validate UTF-8 (Unicode table 3-7): continuation bytes are exactly where lead bytes ask for them. To be
 * called if the block is not all ASCII or carry->utf8_due. */
JSON_INLINE void json_index_utf8(struct json_index_carry *carry, const struct json_block_utf8 *utf8)
{
    uint64_t due = utf8->lead << 1 | utf8->lead3 << 2 | utf8->lead4 << 3 | carry->utf8_due;
    carry->wrong |= (due ^ utf8->continuation) | utf8->never;
    carry->utf8_due = utf8->lead >> 63 | utf8->lead3 >> 62 | utf8->lead4 >> 61;
}

/* And: no overlong form, no surrogate, nothing past U+10FFFF. To be called if the block has special bytes or
 * carry->after_special. */
JSON_INLINE void json_index_special(struct json_index_carry *carry, const struct json_block_utf8 *utf8,
                                    const struct json_block_special *special)
{
    uint64_t low = ((special->e0 << 1 | carry->after_e0) & ~special->from_a0) |
                   ((special->f0 << 1 | carry->after_f0) & ~special->from_90);
    uint64_t high = ((special->ed << 1 | carry->after_ed) & special->from_a0) |
                    ((special->f4 << 1 | carry->after_f4) & special->from_90);
    carry->wrong |= low | high | special->from_f5;
    carry->after_special = utf8->special >> 63;
    carry->after_e0 = special->e0 >> 63;
    carry->after_ed = special->ed >> 63;
    carry->after_f0 = special->f0 >> 63;
    carry->after_f4 = special->f4 >> 63;
}

/* The block's index entries as a mask, and those of them that close a string with an escape. `quote` are the
 * unescaped quotes, `parity` their prefix XOR (bit i: whether bits 0 to i are an odd number). */
JSON_INLINE uint64_t json_index_tokens(struct json_index_carry *carry, const struct json_block *block,
                                       uint64_t quote, uint64_t parity, uint64_t *ret_escaped_ends)
{
    /* From each opening quote up to, without, the closing one. */
    uint64_t string = parity ^ carry->in_string;
    carry->in_string = (uint64_t)((int64_t)string >> 63);
    carry->wrong |= string & block->control;
    /* A backslash carries through the ones of its string and falls out at the closing quote. */
    uint64_t sum;
    bool over = __builtin_add_overflow(string, block->backslash & string, &sum);
    over |= __builtin_add_overflow(sum, carry->string_escaped, &sum);
    carry->string_escaped = over;
    *ret_escaped_ends = sum & quote & ~string;
    uint64_t scalar = ~(block->op | block->space | quote | string);
    uint64_t starts = scalar & ~(scalar << 1 | carry->scalar);
    carry->scalar = scalar >> 63;
    return (block->op & ~string) | quote | starts;
}

#endif
