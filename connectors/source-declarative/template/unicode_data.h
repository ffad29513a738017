/* Tables of unicode_class.c and unicode_letters.c, for unicode.c alone. */
#ifndef FIRTH_DECLARATIVE_TEMPLATE_UNICODE_DATA_H
#define FIRTH_DECLARATIVE_TEMPLATE_UNICODE_DATA_H

#include <stddef.h>
#include <stdint.h>

struct unicode_range {
    uint32_t first, last;
    uint8_t stride;
};
/* The first member is the same, so that both are looked up alike. */
struct unicode_shift {
    uint32_t first, last;
    uint8_t stride;
    int32_t shift;
};
struct unicode_special {
    uint32_t code;
    uint32_t becomes[3];
};

#define UNICODE_TABLE(type, name)    \
    extern const struct type name[]; \
    extern const size_t name##_count
UNICODE_TABLE(unicode_range, unicode_hidden);
UNICODE_TABLE(unicode_range, unicode_alpha);
UNICODE_TABLE(unicode_range, unicode_numeric);
UNICODE_TABLE(unicode_range, unicode_decimal);
UNICODE_TABLE(unicode_range, unicode_space);
UNICODE_TABLE(unicode_range, unicode_uppers);
UNICODE_TABLE(unicode_range, unicode_lowers);
UNICODE_TABLE(unicode_range, unicode_titled);
UNICODE_TABLE(unicode_shift, unicode_to_lower);
UNICODE_TABLE(unicode_shift, unicode_to_upper);
UNICODE_TABLE(unicode_shift, unicode_to_title); /* where it is not that of upper */
UNICODE_TABLE(unicode_shift, unicode_to_fold);  /* where it is not that of lower */
UNICODE_TABLE(unicode_special, unicode_to_upper_special);
UNICODE_TABLE(unicode_special, unicode_to_title_special);
UNICODE_TABLE(unicode_special, unicode_to_fold_special);
#undef UNICODE_TABLE

#endif
