#include "charset.h"

#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

const char *const files_charset_names[FILES_CHARSETS] = {"UTF-8", "UTF-16LE", "UTF-16BE", "ISO-8859-1",
                                                         "Windows-1252"};

int files_charset_parse(const char *name, enum files_charset *ret_charset, struct error *err)
{
    static const struct {
        const char *name; /* without '-', '_' and ' ' */
        enum files_charset charset;
    } names[] = {
        {"utf8", FILES_UTF8},
        {"utf8sig", FILES_UTF8},
        {"ascii", FILES_UTF8},
        {"usascii", FILES_UTF8},
        {"utf16", FILES_UTF16LE},
        {"utf16le", FILES_UTF16LE},
        {"utf16be", FILES_UTF16BE},
        {"latin1", FILES_LATIN1},
        {"iso88591", FILES_LATIN1},
        {"l1", FILES_LATIN1},
        {"windows1252", FILES_WINDOWS1252},
        {"cp1252", FILES_WINDOWS1252},
    };
    char plain[32];
    size_t size = 0;
    for (const char *at = name; *at && size + 1 < sizeof plain; at++) {
        if (!strchr("-_ ", *at))
            plain[size++] = (char)tolower((unsigned char)*at);
    }
    plain[size] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, plain) == 0) {
            *ret_charset = names[i].charset;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID,
                     "unknown encoding '%.64s'; known are utf-8, utf-16, utf-16le, utf-16be, iso-8859-1 and "
                     "windows-1252",
                     name);
}

/* Is this, at the end of what there is, a character's beginning? */
static bool is_cut(const char *bytes, size_t left)
{
    unsigned char lead = (unsigned char)bytes[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left >= length)
        return false;
    for (size_t i = 1; i < left; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

/* A few broken bytes among many characters are damage, which is told where it is: read as another charset,
 * all the others would be wrong and nothing said. */
static bool looks_like_utf8(const char *bytes, size_t size, bool whole)
{
    size_t right = 0, wrong = 0, length;
    for (size_t at = 0; at < size; at += length) {
        utf8_decode(bytes + at, size - at, &length);
        if (length > 1)
            right++;
        else if (!(bytes[at] & 0x80))
            continue;
        else if (is_cut(bytes + at, size - at) && (!whole || right))
            break;
        else
            wrong++;
    }
    return !wrong || right > wrong;
}

enum files_charset files_charset_detect(const char *bytes, size_t size, bool whole)
{
    if (size >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0)
        return FILES_UTF16LE;
    if (size >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0)
        return FILES_UTF16BE;
    size_t odd = 0, even = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\0')
            *(i % 2 ? &odd : &even) += 1;
    }
    if (odd + even > size / 5)
        return odd > even ? FILES_UTF16LE : FILES_UTF16BE;
    return looks_like_utf8(bytes, size, whole) ? FILES_UTF8 : FILES_WINDOWS1252;
}

enum { IN_SIZE = 64 << 10 };

struct decoder {
    struct files_input input;
    struct files_input *raw;
    enum files_charset charset;
    char in[IN_SIZE];
    size_t in_size, in_at;
    bool ended;
    char pending[4]; /* of a character that did not fit */
    size_t pending_size, pending_at;
};

static uint32_t windows1252(unsigned char byte)
{
    static const uint16_t high[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                      0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd,
                                      0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                      0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    return byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
}

static uint32_t unit(const struct decoder *self, size_t at)
{
    unsigned char a = (unsigned char)self->in[at], b = (unsigned char)self->in[at + 1];
    return self->charset == FILES_UTF16LE ? (uint32_t)(b << 8 | a) : (uint32_t)(a << 8 | b);
}

/* The next character; 0 and *ret_more if its bytes are not all there yet. */
static uint32_t next(struct decoder *self, bool *ret_more)
{
    size_t left = self->in_size - self->in_at;
    if (self->charset == FILES_LATIN1 || self->charset == FILES_WINDOWS1252) {
        unsigned char byte = (unsigned char)self->in[self->in_at++];
        return self->charset == FILES_LATIN1 ? byte : windows1252(byte);
    }
    if (left < 2) {
        self->in_at += self->ended;
        *ret_more = !self->ended;
        return 0xfffd;
    }
    uint32_t high = unit(self, self->in_at);
    if (high < 0xd800 || high > 0xdfff || high >= 0xdc00 || (left < 4 && self->ended)) {
        self->in_at += 2;
        return high < 0xd800 || high > 0xdfff ? high : 0xfffd;
    }
    if (left < 4) {
        *ret_more = true;
        return 0;
    }
    uint32_t low = unit(self, self->in_at + 2);
    bool pair = low >= 0xdc00 && low <= 0xdfff;
    self->in_at += pair ? 4 : 2;
    return pair ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
}

static int refill(struct decoder *self, struct error *err)
{
    memmove(self->in, self->in + self->in_at, self->in_size - self->in_at);
    self->in_size -= self->in_at;
    self->in_at = 0;
    int64_t got = self->raw->read(self->raw, self->in + self->in_size, IN_SIZE - self->in_size, err);
    if (got < 0)
        return -1;
    self->ended = got == 0;
    self->in_size += (size_t)got;
    return 0;
}

static int64_t decoder_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct decoder *self = (struct decoder *)input;
    size_t out = 0;
    while (out < size) {
        if (self->pending_at < self->pending_size) {
            bytes[out++] = self->pending[self->pending_at++];
            continue;
        }
        bool more = self->in_at == self->in_size;
        if (more && self->ended)
            break;
        uint32_t c = more ? 0 : next(self, &more);
        if (more) {
            if (out) /* what there is, first */
                break;
            if (refill(self, err) < 0)
                return -1;
            continue;
        }
        self->pending_size = utf8_encode(c, self->pending);
        self->pending_at = 0;
    }
    return (int64_t)out;
}

static void decoder_close(struct files_input *input)
{
    struct decoder *self = (struct decoder *)input;
    files_input_close(self->raw);
    free(self);
}

struct files_input *files_charset_decode(struct files_input *raw, enum files_charset charset)
{
    if (charset == FILES_UTF8)
        return raw;
    struct decoder *self = mem_zalloc(sizeof *self);
    self->input = (struct files_input){decoder_read, decoder_close};
    self->raw = raw;
    self->charset = charset;
    return &self->input;
}
