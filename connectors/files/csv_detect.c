#include "csv.h"

#include "base/memory.h"

/* How a CSV file is written, from its first rows. */

enum { ROWS_LOOKED_AT = 200 };

/* How well a delimiter explains the rows: 0 if it is in none of them. Rows of as many cells as the first
 * speak for it, others against; more cells break a tie. */
static uint64_t score(const struct csv_dialect *dialect, struct slice head, bool whole)
{
    struct csv_row row = {0};
    size_t rows = 0, same = 0, cells = 0;
    while (head.size && rows < ROWS_LOOKED_AT && csv_scan(dialect, head, whole, &row)) {
        head = (struct slice){head.data + row.size, head.size - row.size};
        if (row.count == 1 && row.cells[0].size == 0)
            continue;
        if (rows++ == 0)
            cells = row.count;
        same += row.count == cells && !row.wrong;
    }
    if (rows == 0 && head.size) { /* the first row is longer than the head: what there is of it */
        csv_scan(dialect, head, true, &row);
        rows = same = 1;
        cells = row.count;
    }
    csv_row_done(&row);
    if (cells < 2)
        return 0;
    uint64_t agreement = rows ? same * 1000 / rows : 0;
    return 1 + agreement * 1000 + (cells < 999 ? cells : 999);
}

static uint64_t agreement_of(uint64_t score)
{
    return score ? (score - 1) / 1000 : 0;
}

/* 'a';'b' is quoted by single quotes, it's is not: they have to stand at both ends of cells. */
static int detect_quote(struct slice head, char delimiter)
{
    size_t single = 0, twice = 0;
    for (size_t i = 0; i < head.size; i++) {
        char before = i ? head.data[i - 1] : '\n', c = head.data[i];
        if (before != delimiter && before != '\n' && before != '\r')
            continue;
        twice += c == '"';
        if (c != '\'')
            continue;
        const char *close = memchr(head.data + i + 1, '\'', head.size - i - 1);
        size_t behind = close ? (size_t)(close - head.data) + 1 : head.size;
        single += behind < head.size && (head.data[behind] == delimiter || strchr("\r\n", head.data[behind]));
    }
    return single > twice ? '\'' : '"';
}

/* With this escape. *ret_score: how well it explains the rows. */
static struct csv_dialect detect(const struct files_csv *options, struct slice head, bool whole, int escape,
                                 uint64_t *ret_score)
{
    static const char delimiters[] = {',', '\t', ';', '|'};
    struct csv_dialect dialect = {.delimiter = ',',
                                  .terminator = '\n',
                                  .quote = options->quote == FILES_DETECTED ? '"' : options->quote,
                                  .escape = escape,
                                  .double_quote = options->double_quote};
    const char *end = head.size ? memchr(head.data, '\r', head.size) : NULL;
    bool cut = !whole && end == head.data + head.size - 1; /* between CR and LF */
    if (end && !cut && !memchr(head.data, '\n', head.size))
        dialect.terminator = '\r';
    if (options->delimiter != FILES_DETECTED) {
        dialect.delimiter = (char)options->delimiter;
    } else {
        uint64_t best = 0;
        for (size_t i = 0; i < sizeof delimiters; i++) {
            struct csv_dialect tried = dialect;
            tried.delimiter = delimiters[i];
            if (options->quote == FILES_DETECTED)
                tried.quote = detect_quote(head, delimiters[i]);
            uint64_t value = score(&tried, head, whole);
            if (value > best) {
                best = value;
                dialect.delimiter = delimiters[i];
            }
        }
    }
    if (options->quote == FILES_DETECTED)
        dialect.quote = detect_quote(head, dialect.delimiter);
    *ret_score = score(&dialect, head, whole);
    return dialect;
}

static bool has_escaped(struct slice head, int quote)
{
    for (size_t i = 0; i + 1 < head.size; i++) {
        if (head.data[i] == '\\' && head.data[i + 1] == quote)
            return true;
    }
    return false;
}

/* A backslash is a character like any other as long as rows are right without it: "C:\". */
struct csv_dialect csv_detect(const struct files_csv *options, struct slice head, bool whole)
{
    uint64_t plain, escaped;
    struct csv_dialect dialect = detect(options, head, whole, options->escape, &plain);
    if (options->escape != FILES_NONE || !has_escaped(head, dialect.quote))
        return dialect;
    struct csv_dialect other = detect(options, head, whole, '\\', &escaped);
    return agreement_of(escaped) > agreement_of(plain) ? other : dialect;
}
