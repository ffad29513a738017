/* ResponseToFileExtractor: a table as pandas.read_csv reads it, all cells as text. No file is made of it:
 * rows are read as they come. */
#include "decode.h"

#include <stdlib.h>

struct table_state {
    struct byte_source from;
    struct gunzip *gunzip;
    struct recode *recode;
    struct csv_rows *rows;
    bool has_names;
    struct arena names_arena;
    struct tlist names;
};

static int table_compile(struct engine *engine, struct decoder *decoder, struct error *err)
{
    (void)engine, (void)err;
    decoder->keeps_na = component_bool(decoder->where, "preserve_na_values");
    return 0;
}

/* NULs are left out: some exports have them. */
static int64_t read_without_nuls(void *self, char *bytes, size_t size, struct error *err)
{
    const struct table_state *state = self;
    struct byte_source source = gunzip_source(state->gunzip);
    int64_t count, kept = 0;
    while (kept == 0 && (count = source.read(source.self, bytes, size, err)) != 0) {
        if (count < 0)
            return -1;
        for (int64_t i = 0; i < count; i++) {
            if (bytes[i] != '\0')
                bytes[kept++] = bytes[i];
        }
    }
    return kept;
}

static int table_begin(struct decoding *decoding, struct error *err)
{
    struct table_state *state = mem_zalloc(sizeof *state);
    decoding->state = state;
    state->gunzip = gunzip_new(decoding->source);
    state->recode = recode_new((struct byte_source){read_without_nuls, state}, SLICE_LITERAL("utf-8"), err);
    if (!state->recode)
        return -1;
    state->rows = csv_rows_new(recode_source(state->recode));
    return 0;
}

static void table_end(struct decoding *decoding)
{
    struct table_state *state = decoding->state;
    csv_rows_free(state->rows);
    recode_free(state->recode);
    gunzip_free(state->gunzip);
    arena_done(&state->names_arena);
    free(state);
}

/* pandas' own words for a value that is missing. */
static bool is_missing(struct slice text)
{
    static const char *const words[] = {
        "",     "#N/A", "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A",  "NA",       "NULL", "NaN",     "None",     "n/a",  "nan",  "null",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_is(text, words[i]))
            return true;
    }
    return false;
}

static bool is_blank(const struct tlist *row)
{
    if (row->count != 1)
        return row->count == 0;
    for (size_t i = 0; i < row->items[0].text.size; i++) {
        if (row->items[0].text.data[i] != ' ' && row->items[0].text.data[i] != '\t')
            return false;
    }
    return row->items[0].text.size > 0; /* "" in quotes is a cell */
}

static int next_row(struct table_state *state, struct arena *arena, struct tlist *row, struct error *err)
{
    int more;
    do {
        *row = (struct tlist){0};
        more = csv_rows_next(state->rows, ',', arena, row, err);
    } while (more == 1 && is_blank(row));
    return more;
}

static bool is_taken(const struct tlist *names, uint32_t count, struct slice name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (slice_equal(names->items[i].text, name))
            return true;
    }
    return false;
}

/* A column without a name is "Unnamed: 2"; the second "a" is "a.1". */
static void name_columns(struct arena *arena, struct tlist *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        struct slice name = names->items[i].text, first = name;
        if (i == 0 && name.size >= 3 && memcmp(name.data, "\xEF\xBB\xBF", 3) == 0)
            name = first = (struct slice){name.data + 3, name.size - 3};
        if (name.size == 0)
            name = first = slice_of(arena_printf(arena, "Unnamed: %u", i));
        for (unsigned n = 1; is_taken(names, i, name); n++)
            name = slice_of(arena_printf(arena, "%.*s.%u", SLICE_ARGS(first), n));
        names->items[i] = tvalue_string(name);
    }
}

static int table_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                      struct error *err)
{
    struct table_state *state = decoding->state;
    struct tlist row;
    int more;
    if (!state->has_names) {
        state->has_names = true;
        if ((more = next_row(state, &state->names_arena, &state->names, err)) != 1)
            return more;
        name_columns(&state->names_arena, &state->names);
    }
    if ((more = next_row(state, arena, &row, err)) != 1)
        return more;
    if (row.count > state->names.count)
        return error_set(err, ERROR_PROTOCOL, "a row of the table has %u cells, its first row has %u",
                         row.count, state->names.count);
    *ret_document = tvalue_dict(arena);
    for (uint32_t i = 0; i < state->names.count; i++) {
        struct tvalue cell = i < row.count ? row.items[i] : tvalue_none();
        if (cell.kind == TVALUE_STRING &&
            (decoding->decoder->keeps_na ? cell.text.size == 0 : is_missing(cell.text)))
            cell = tvalue_none();
        tdict_set(arena, ret_document->dict, state->names.items[i], cell);
    }
    return 1;
}

const struct decoder_class decoder_table = {
    .type_name = "ResponseToFileExtractor",
    .is_stream = true,
    .compile = table_compile,
    .begin = table_begin,
    .next = table_next,
    .end = table_end,
};
