#include "json/number.h"
#include "plan.h"

/* Numbers that are text, because their column was widened to hold one that its own type does not: as keys and
 * cursors they are numbers all the same, however they are written. */

/* "007" is a text that somebody means as one. */
static bool is_number(struct slice text)
{
    const char *at = text.data, *end = text.data + text.size;
    at += at < end && *at == '-';
    bool leads_zero = end - at > 1 && *at == '0' && at[1] >= '0' && at[1] <= '9';
    return !leads_zero && sql_is_number(text);
}

struct slice sql_number_text(struct slice text, struct arena *arena)
{
    struct buffer out;
    if (!is_number(text))
        return text;
    buffer_init(&out, BUFFER_UNLIMITED); /* as long as the text, and a few zeros */
    number_put_shortest(&out, text);
    struct slice shortest = {arena_dup(arena, out.data, out.size), out.size};
    buffer_done(&out);
    return shortest;
}

void sql_number_order(struct buffer *out, struct slice text)
{
    if (is_number(text)) {
        number_put_ordered(out, text);
        return;
    }
    buffer_byte(out, 0);
    buffer_append(out, text.data, text.size);
}

bool sql_plan_texts_numbers(const struct sql_dialect *dialect, const struct sql_plan *plan, size_t column)
{
    enum sql_type type = plan->columns.items[column].type;
    return plan->sources[column].number && dialect->put_number_order &&
           (type == SQL_TEXT || (type == SQL_NUMBER && dialect->mixes_numbers));
}

enum sql_verdict sql_plan_value(const struct sql_dialect *dialect, const struct sql_plan *plan, size_t column,
                                enum firth_type kind, struct firth_slice value, struct arena *arena,
                                struct sql_cell *ret_cell)
{
    enum sql_verdict verdict = sql_value(kind, value, plan->columns.items[column].type, arena, ret_cell);
    bool of_json = plan->columns.items[column].type == SQL_JSON && kind == FIRTH_IS_NUMBER;
    if (plan->sources[column].in_key && !ret_cell->null &&
        (of_json || sql_plan_texts_numbers(dialect, plan, column)))
        ret_cell->text = sql_number_text(ret_cell->text, arena);
    return verdict;
}
