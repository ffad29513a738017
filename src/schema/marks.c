/* Which members or elements have been evaluated. */
#include "schema/machine.h"

void marks_begin(struct schema_validator *m, struct marks *marks, uint32_t count)
{
    marks->offset = m->bit_words;
    marks->words = ((size_t)count + 63) / 64;
    machine_charge(m, marks->words);
    m->bit_words += marks->words;
    m->bits = mem_grow(m->bits, &m->bits_capacity, m->bit_words + 1, sizeof *m->bits);
    memset(m->bits + marks->offset, 0, marks->words * sizeof *m->bits);
}

/* Marks end in the reverse order of their beginning. */
void marks_end(struct schema_validator *m, const struct marks *marks)
{
    m->bit_words = marks->offset;
}

void marks_merge(struct schema_validator *m, const struct marks *into, const struct marks *from)
{
    assert(into->words == from->words);
    for (size_t i = 0; i < into->words; i++)
        m->bits[into->offset + i] |= m->bits[from->offset + i];
}

void marks_fill(struct schema_validator *m, const struct marks *marks)
{
    memset(m->bits + marks->offset, 0xff, marks->words * sizeof *m->bits);
}

bool marks_try(struct schema_validator *m, uint32_t rule, uint32_t at)
{
    struct marks *outer = m->marks, own;
    if (!outer)
        return machine_run_chosen(m, rule, at);
    marks_begin(m, &own, json_count(m->doc, at));
    m->marks = &own;
    bool valid = machine_run_chosen(m, rule, at);
    m->marks = outer;
    if (valid)
        marks_merge(m, outer, &own);
    marks_end(m, &own);
    return valid;
}
