#include "digits.h"

#include "big.h"
#include "template.h"
#include "unicode.h"

#include <stdlib.h>
#include <strings.h>

static unsigned digit_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (unsigned)(byte - '0');
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z')
        return (unsigned)((byte | 32) - 'a') + 10;
    return 99;
}

/* "0x" and the like, where the base allows it; *base is decided. */
static bool skip_prefix(struct slice *text, unsigned *base)
{
    unsigned prefixed = 0;
    if (text->size >= 2 && text->data[0] == '0') {
        char letter = text->data[1] | 32;
        prefixed = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    }
    if (prefixed && (*base == 0 || *base == prefixed)) {
        *base = prefixed;
        text->data += 2;
        text->size -= 2;
        if (text->size && *text->data == '_') { /* one may stand behind the prefix */
            text->data++;
            text->size--;
        }
        return true;
    }
    if (*base == 0) {
        *base = 10;
        /* Zeros may stand before nothing but zeros. */
        if (text->size && *text->data == '0') {
            for (size_t i = 0; i < text->size; i++) {
                if (text->data[i] != '0' && text->data[i] != '_')
                    return false;
            }
        }
    }
    return true;
}

/* Digits of the base, single underscores only between them. Decimal digits are copied without those. */
static bool check_digits(struct slice text, unsigned base, char *out, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '_') {
            if (i == 0 || i + 1 == text.size || text.data[i + 1] == '_')
                return false;
            continue;
        }
        if (digit_of(text.data[i]) >= base)
            return false;
        out[count++] = text.data[i];
    }
    *ret_count = count;
    return count > 0;
}

bool digits_to_integer(struct arena *arena, struct slice text, unsigned base, struct tvalue *ret_value)
{
    text = unicode_strip(text, NULL, true, true);
    bool negative = text.size && *text.data == '-';
    if (text.size && (*text.data == '-' || *text.data == '+')) {
        text.data++;
        text.size--;
    }
    if (!skip_prefix(&text, &base) || text.size == 0 || text.size > 2 * TEMPLATE_DIGITS_MAX)
        return false;
    char *digits = arena_alloc(arena, text.size);
    size_t count;
    if (!check_digits(text, base, digits, &count) || count > TEMPLATE_DIGITS_MAX)
        return false;
    if (base == 10) {
        *ret_value = integer_of_digits(arena, (struct slice){digits, count}, negative);
        return true;
    }
    struct tvalue value = tvalue_int(0), factor = tvalue_int(base);
    for (size_t i = 0; i < count; i++) {
        struct tvalue digit = tvalue_int(digit_of(digits[i]));
        value = integer_multiply(arena, &value, &factor);
        value = integer_add(arena, &value, &digit);
    }
    *ret_value = negative ? integer_negate(arena, &value) : value;
    return true;
}

static bool is_word(const char *text, const char *word)
{
    return strcasecmp(text, word) == 0;
}

bool digits_to_float(struct slice text, double *ret_number)
{
    enum { LONGEST = 2048 };
    char copy[LONGEST + 1];
    size_t size = 0;
    text = unicode_strip(text, NULL, true, true);
    if (text.size == 0 || text.size > LONGEST)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '_') {
            if (i == 0 || i + 1 == text.size || digit_of(text.data[i - 1]) > 9 ||
                digit_of(text.data[i + 1]) > 9)
                return false;
            continue;
        }
        copy[size++] = byte;
    }
    copy[size] = 0;
    const char *unsigned_text = copy + (*copy == '-' || *copy == '+');
    if (is_word(unsigned_text, "inf") || is_word(unsigned_text, "infinity")) {
        *ret_number = *copy == '-' ? -HUGE_VAL : HUGE_VAL;
        return true;
    }
    if (is_word(unsigned_text, "nan")) {
        *ret_number = (double)NAN;
        return true;
    }
    /* No hexadecimal, no other words: what strtod knows besides. */
    for (const char *at = unsigned_text; *at; at++) {
        if (digit_of(*at) > 9 && *at != '.' && (*at | 32) != 'e' && *at != '+' && *at != '-')
            return false;
    }
    if (*unsigned_text == '+' || *unsigned_text == '-')
        return false;
    char *end;
    *ret_number = strtod(copy, &end);
    return end == copy + size;
}
