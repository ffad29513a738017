/* Text of a body as UTF-8, by the names that Python gives to encodings. */
#include "decode.h"

#include <ctype.h>
#include <stdlib.h>

enum encoding {
    ENCODING_UTF_8,
    ENCODING_UTF_8_SIG,
    ENCODING_ASCII,
    ENCODING_LATIN_1,
    ENCODING_CP1252,
    ENCODING_UTF_16,
    ENCODING_UTF_16_LE,
    ENCODING_UTF_16_BE
};

static const struct {
    const char *name; /* letters and digits only */
    enum encoding encoding;
} NAMES[] = {
    {"utf8", ENCODING_UTF_8},        {"utf", ENCODING_UTF_8},          {"u8", ENCODING_UTF_8},
    {"utf8sig", ENCODING_UTF_8_SIG}, {"ascii", ENCODING_ASCII},        {"usascii", ENCODING_ASCII},
    {"latin1", ENCODING_LATIN_1},    {"iso88591", ENCODING_LATIN_1},   {"l1", ENCODING_LATIN_1},
    {"cp1252", ENCODING_CP1252},     {"windows1252", ENCODING_CP1252}, {"utf16", ENCODING_UTF_16},
    {"utf16le", ENCODING_UTF_16_LE}, {"utf16be", ENCODING_UTF_16_BE},
};

/* 0x80 to 0x9f of cp1252; 0: none. */
static const uint16_t CP1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

struct recode {
    struct byte_source source;
    enum encoding encoding;
    unsigned char input[DECODER_PIECE];
    size_t at, size;
    bool ended, begun, after_return, replaces;
};

static bool encoding_of(struct slice name, enum encoding *ret_encoding)
{
    char plain[32];
    size_t size = 0;
    for (size_t i = 0; i < name.size && size + 1 < sizeof plain; i++) {
        if (isalnum((unsigned char)name.data[i]))
            plain[size++] = (char)tolower((unsigned char)name.data[i]);
    }
    plain[size] = '\0';
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(NAMES[i].name, plain) == 0) {
            *ret_encoding = NAMES[i].encoding;
            return true;
        }
    }
    return false;
}

struct recode *recode_new(struct byte_source source, struct slice encoding, struct error *err)
{
    enum encoding known = ENCODING_UTF_8;
    if (encoding.data && !encoding_of(encoding, &known)) {
        error_set(
            err, ERROR_INVALID,
            "encoding \"%.*s\" is not known; known are utf-8, utf-8-sig, utf-16, latin-1, cp1252, ascii",
            SLICE_ARGS(encoding));
        return NULL;
    }
    struct recode *recode = mem_zalloc(sizeof *recode);
    recode->source = source;
    recode->encoding = known;
    return recode;
}

void recode_replace(struct recode *recode)
{
    recode->replaces = true;
}

void recode_free(struct recode *recode)
{
    free(recode);
}

/* Have at least `count` bytes in input, unless the source has ended. */
static int have(struct recode *recode, size_t count, struct error *err)
{
    while (recode->size - recode->at < count && !recode->ended) {
        memmove(recode->input, recode->input + recode->at, recode->size - recode->at);
        recode->size -= recode->at;
        recode->at = 0;
        int64_t got = recode->source.read(recode->source.self, (char *)recode->input + recode->size,
                                          sizeof recode->input - recode->size, err);
        if (got < 0)
            return -1;
        recode->size += (size_t)got;
        recode->ended = got == 0;
    }
    return 0;
}

static int begin(struct recode *recode, struct error *err)
{
    recode->begun = true;
    if (have(recode, 3, err) != 0)
        return -1;
    if (recode->encoding == ENCODING_UTF_8_SIG && recode->size >= 3 &&
        memcmp(recode->input, "\xef\xbb\xbf", 3) == 0)
        recode->at = 3;
    if (recode->encoding != ENCODING_UTF_16)
        return 0;
    recode->encoding = ENCODING_UTF_16_LE;
    if (recode->size >= 2 && (recode->input[0] ^ recode->input[1]) == (0xfe ^ 0xff) &&
        (recode->input[0] == 0xfe || recode->input[0] == 0xff)) {
        recode->encoding = recode->input[0] == 0xfe ? ENCODING_UTF_16_BE : ENCODING_UTF_16_LE;
        recode->at = 2;
    }
    return 0;
}

static int unit_at(const struct recode *recode, size_t offset)
{
    const unsigned char *at = recode->input + recode->at + offset;
    return recode->encoding == ENCODING_UTF_16_BE ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
}

/* The next `size` bytes are no character. */
static int broken(struct recode *recode, size_t size, uint32_t *ret_code, struct error *err)
{
    if (recode->replaces) {
        recode->at += size;
        *ret_code = 0xfffd;
        return 1;
    }
    return error_set(err, ERROR_PROTOCOL, "the response is not in the encoding that the decoder names");
}

/* The next character; 1, 0 at the end, -1. */
static int next_code(struct recode *recode, uint32_t *ret_code, struct error *err)
{
    if (recode->size - recode->at < 4 && have(recode, 4, err) != 0)
        return -1;
    size_t rest = recode->size - recode->at, length = 1;
    if (rest == 0)
        return 0;
    unsigned char first = recode->input[recode->at];
    *ret_code = first;
    switch (recode->encoding) {
    case ENCODING_ASCII:
        if (first >= 0x80)
            return broken(recode, 1, ret_code, err);
        break;
    case ENCODING_LATIN_1:
        break;
    case ENCODING_CP1252:
        if (first >= 0x80 && first < 0xa0) {
            *ret_code = CP1252[first - 0x80];
            if (*ret_code == 0)
                return broken(recode, 1, ret_code, err);
        }
        break;
    case ENCODING_UTF_16:
    case ENCODING_UTF_16_LE:
    case ENCODING_UTF_16_BE:
        if (rest < 2)
            return broken(recode, rest, ret_code, err);
        length = 2;
        *ret_code = (uint32_t)unit_at(recode, 0);
        if (*ret_code >= 0xd800 && *ret_code < 0xe000) {
            int low = rest >= 4 ? unit_at(recode, 2) : 0;
            if (*ret_code >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
                return broken(recode, 2, ret_code, err);
            *ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            length = 4;
        }
        break;
    default:
        if (first < 0x80)
            break;
        *ret_code = utf8_decode((const char *)recode->input + recode->at, rest, &length);
        if (length == 1)
            return broken(recode, 1, ret_code, err);
        break;
    }
    recode->at += length;
    return 1;
}

static int64_t recode_read(void *self, char *bytes, size_t size, struct error *err)
{
    struct recode *recode = self;
    size_t count = 0;
    uint32_t code;
    int more = 1;
    if (!recode->begun && begin(recode, err) != 0)
        return -1;
    while (size - count >= 4 && (more = next_code(recode, &code, err)) == 1) {
        bool skip = code == '\n' && recode->after_return;
        recode->after_return = code == '\r';
        if (!skip)
            count += utf8_encode(code == '\r' ? '\n' : code, bytes + count);
    }
    return more < 0 ? -1 : (int64_t)count;
}

struct byte_source recode_source(struct recode *recode)
{
    return (struct byte_source){recode_read, recode};
}
