/* int(), float(), and text for HTML. */
#include "digits.h"
#include "run.h"

int run_to_integer(struct run *run, const struct tvalue *value, unsigned base, struct tvalue *ret_value)
{
    struct tvalue zero = tvalue_int(0);
    switch (value->kind) {
    case TVALUE_BOOL:
    case TVALUE_INT:
    case TVALUE_BIG:
        *ret_value = integer_add(run->arena, value, &zero);
        return 0;
    case TVALUE_FLOAT:
        if (!isfinite(value->number))
            return run_fail(run, "an infinite number, or none, has no integer");
        *ret_value = integer_of_double(run->arena, trunc(value->number));
        return 0;
    case TVALUE_STRING:
        if (digits_to_integer(run->arena, value->text, base, ret_value))
            return 0;
        return run_fail(run, "a text is no integer");
    default:
        return run_bad_operand(run, value, "int()");
    }
}

int run_to_float(struct run *run, const struct tvalue *value, double *ret_number)
{
    if (value->kind == TVALUE_STRING) {
        if (digits_to_float(value->text, ret_number))
            return 0;
        return run_fail(run, "a text is no number");
    }
    if (!tvalue_is_number(value))
        return run_bad_operand(run, value, "float()");
    *ret_number = tvalue_to_double(value);
    if (value->kind == TVALUE_BIG && isinf(*ret_number))
        return run_fail(run, "an integer is too large for a float");
    return 0;
}

int run_escape(struct run *run, const struct tvalue *value, struct tvalue *ret_value)
{
    struct tvalue text = *value;
    struct ttext out;
    if (!(value->kind == TVALUE_STRING && value->flags & TVALUE_SAFE)) {
        if (run_str_value(run, value, &text) < 0)
            return -1;
        run_text_init(run, &out);
        for (size_t i = 0; i < text.text.size; i++) {
            char byte = text.text.data[i];
            const char *entity = byte == '&'    ? "&amp;"
                                 : byte == '<'  ? "&lt;"
                                 : byte == '>'  ? "&gt;"
                                 : byte == '"'  ? "&#34;"
                                 : byte == '\'' ? "&#39;"
                                                : NULL;
            if (entity)
                ttext_cstring(&out, entity);
            else
                ttext_byte(&out, byte);
        }
        if (run_text(run, &out, &text) < 0)
            return -1;
    }
    text.flags = TVALUE_SAFE;
    *ret_value = text;
    return 0;
}
