/* What APIs send for JSON and Python's json reads: written again as JSON. */
#include "json/parser.h"

/* A run through a text that is perhaps JSON. */
struct mending {
    const char *source;
    size_t size, at, copied; /* source bytes up to `copied` are in `out` */
    struct buffer *out;
    uint32_t count;
    size_t first; /* the place of the first that was mended */
};

/* Put `text` where the source has `size` bytes from `at` on. */
static void replace(struct mending *mending, size_t at, size_t size, const char *text)
{
    buffer_append(mending->out, mending->source + mending->copied, at - mending->copied);
    buffer_str(mending->out, text);
    mending->copied = at + size;
    if (mending->count++ == 0)
        mending->first = at;
}

static bool is_here(const struct mending *mending, size_t at, const char *word)
{
    size_t length = strlen(word);
    return mending->size - at >= length && memcmp(mending->source + at, word, length) == 0;
}

/* The value of \uXXXX at the place; -1: there is no such thing. */
static int32_t unit_at(const struct mending *mending, size_t at)
{
    int32_t value = 0;
    if (at > mending->size || !is_here(mending, at, "\\u") || mending->size - at < 6)
        return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned char byte = (unsigned char)mending->source[i], lower = byte | 0x20;
        if (byte >= '0' && byte <= '9')
            value = value << 4 | (byte - '0');
        else if (lower >= 'a' && lower <= 'f')
            value = value << 4 | (lower - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* mending->at is at a backslash within a string. */
static void mend_escape(struct mending *mending)
{
    int32_t unit = unit_at(mending, mending->at);
    if (unit < 0) {
        mending->at += 2; /* whatever is escaped, the string does not end with it */
        return;
    }
    int32_t next = unit >= 0xd800 && unit < 0xdc00 ? unit_at(mending, mending->at + 6) : -1;
    bool pair = next >= 0xdc00 && next < 0xe000;
    if (!pair && unit >= 0xd800 && unit < 0xe000)
        replace(mending, mending->at, 6, "\\ufffd");
    mending->at += pair ? 12 : 6;
}

/* mending->at is at the opening quote. */
static void mend_string(struct mending *mending)
{
    mending->at++;
    while (mending->at < mending->size) {
        char byte = mending->source[mending->at];
        if (byte == '\\') {
            mend_escape(mending);
            continue;
        }
        mending->at++;
        if (byte == '"')
            return;
    }
}

/* mending->at is between the strings. */
static void mend_word(struct mending *mending)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_here(mending, mending->at, words[i])) {
            replace(mending, mending->at, strlen(words[i]), "null");
            mending->at += strlen(words[i]);
            return;
        }
    }
    mending->at++;
}

uint32_t json_mend(const char *source, size_t size, struct buffer *out, size_t *ret_first)
{
    struct mending mending = {.source = source, .size = size, .out = out};
    buffer_clear(out);
    if (is_here(&mending, 0, "\xef\xbb\xbf"))
        replace(&mending, 0, mending.at = 3, "");
    while (mending.at < size) {
        if (source[mending.at] == '"')
            mend_string(&mending);
        else
            mend_word(&mending);
    }
    if (mending.count)
        buffer_append(out, source + mending.copied, size - mending.copied);
    *ret_first = mending.first;
    return out->overflowed ? 0 : mending.count;
}
