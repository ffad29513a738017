/* CsvDecoder: as Python's csv.DictReader with its default dialect reads it. */
#include "decode.h"

#include "source-declarative/template/unicode.h"

#include <stdlib.h>

struct csv_rows {
    struct byte_source source;
    char piece[DECODER_PIECE];
    size_t at, size;
    bool ended;
    struct buffer cell;
};

struct csv_state {
    struct recode *recode;
    struct csv_rows *rows;
    bool has_names;
    struct arena names_arena;
    struct tlist names;
};

static int csv_compile(struct engine *engine, struct decoder *decoder, struct error *err)
{
    struct slice delimiter = component_text(decoder->where, "delimiter");
    if (delimiter.size == 2 && delimiter.data[0] == '\\' && delimiter.data[1] == 't')
        delimiter = SLICE_LITERAL("\t");
    if (delimiter.data && delimiter.size != 1) {
        error_set(err, ERROR_INVALID, "delimiter \"%.*s\" is not one character", SLICE_ARGS(delimiter));
        return component_error(err, decoder->where);
    }
    if (delimiter.data)
        decoder->delimiter = *delimiter.data;
    decoder->encoding = component_text(decoder->where, "encoding");
    struct component none = component_get(decoder->where, "set_values_to_none");
    decoder->none_values =
        component_is_none(none) ? tvalue_none() : tvalue_json(&engine->arena, &none.manifest->doc, none.at);
    return 0;
}

/* --- rows ---------------------------------------------------------------------------------------- */

struct csv_rows *csv_rows_new(struct byte_source source)
{
    struct csv_rows *rows = mem_zalloc(sizeof *rows);
    rows->source = source;
    buffer_init(&rows->cell, DECODER_ITEM_MAX);
    return rows;
}

void csv_rows_free(struct csv_rows *rows)
{
    if (!rows)
        return;
    buffer_done(&rows->cell);
    free(rows);
}

/* The next byte; -1 at the end, -2 with *err. */
static int next_byte(struct csv_rows *rows, struct error *err)
{
    if (rows->at == rows->size) {
        if (rows->ended)
            return -1;
        int64_t count = rows->source.read(rows->source.self, rows->piece, sizeof rows->piece, err);
        if (count < 0)
            return -2;
        rows->at = 0;
        rows->size = (size_t)count;
        rows->ended = count == 0;
        if (rows->ended)
            return -1;
    }
    return (unsigned char)rows->piece[rows->at++];
}

enum cell_state { CELL_START, CELL_PLAIN, CELL_QUOTED, CELL_QUOTE_SEEN };

static int cell_done(struct csv_rows *rows, struct arena *arena, struct tlist *row, struct error *err)
{
    if (rows->cell.overflowed)
        return error_set(err, ERROR_LIMIT, "a cell of the CSV is longer than %d bytes", DECODER_ITEM_MAX);
    struct slice text = {arena_strndup(arena, rows->cell.data ? rows->cell.data : "", rows->cell.size),
                         rows->cell.size};
    buffer_clear(&rows->cell);
    tlist_push(arena, row, tvalue_string(text));
    return 0;
}

int csv_rows_next(struct csv_rows *rows, char delimiter, struct arena *arena, struct tlist *row,
                  struct error *err)
{
    enum cell_state now = CELL_START;
    size_t bytes = 0;
    for (;; bytes++) {
        int byte = next_byte(rows, err);
        if (byte == -2)
            return -1;
        if (bytes > DECODER_ITEM_MAX)
            return error_set(err, ERROR_LIMIT, "a row of the CSV is longer than %d bytes", DECODER_ITEM_MAX);
        if (byte == -1 || (byte == '\n' && now != CELL_QUOTED)) {
            if (bytes == 0)
                return byte == -1 ? 0 : 1;
            return cell_done(rows, arena, row, err) == 0 ? 1 : -1;
        }
        if (now == CELL_QUOTED) {
            if (byte == '"')
                now = CELL_QUOTE_SEEN;
            else
                buffer_byte(&rows->cell, (char)byte);
        } else if (byte == '"' && now != CELL_PLAIN) {
            if (now == CELL_QUOTE_SEEN)
                buffer_byte(&rows->cell, '"');
            now = CELL_QUOTED;
        } else if ((char)byte == delimiter) {
            if (cell_done(rows, arena, row, err) != 0)
                return -1;
            now = CELL_START;
        } else {
            buffer_byte(&rows->cell, (char)byte);
            now = CELL_PLAIN;
        }
    }
}

/* --- CsvDecoder ---------------------------------------------------------------------------------- */

static int csv_begin(struct decoding *decoding, struct error *err)
{
    struct csv_state *state = mem_zalloc(sizeof *state);
    decoding->state = state;
    state->recode = recode_new(decoding->source, decoding->decoder->encoding, err);
    if (!state->recode)
        return -1;
    state->rows = csv_rows_new(recode_source(state->recode));
    return 0;
}

static void csv_end(struct decoding *decoding)
{
    struct csv_state *state = decoding->state;
    csv_rows_free(state->rows);
    recode_free(state->recode);
    arena_done(&state->names_arena);
    free(state);
}

/* None for what the manifest says means nothing. */
static struct tvalue cell_value(const struct decoder *decoder, struct arena *arena, struct tvalue cell)
{
    struct titer iter;
    struct tvalue none;
    if (!tvalue_is_list(&decoder->none_values))
        return cell;
    titer_init(&iter, arena, decoder->none_values);
    while (titer_next(&iter, &none)) {
        if (tvalue_equal(arena, &none, &cell))
            return tvalue_none();
    }
    return cell;
}

static struct tvalue row_value(const struct decoding *decoding, struct arena *arena, const struct tlist *row)
{
    const struct csv_state *state = decoding->state;
    struct tvalue document = tvalue_dict(arena), rest = tvalue_list(arena);
    for (uint32_t i = 0; i < state->names.count; i++) {
        struct tvalue cell =
            i < row->count ? cell_value(decoding->decoder, arena, row->items[i]) : tvalue_none();
        tdict_set(arena, document.dict, state->names.items[i], cell);
    }
    for (uint32_t i = state->names.count; i < row->count; i++)
        tlist_push(arena, rest.list, row->items[i]);
    if (row->count > state->names.count)
        tdict_set(arena, document.dict, tvalue_none(), rest);
    return document;
}

static int csv_next(struct decoding *decoding, struct arena *arena, struct tvalue *ret_document,
                    struct error *err)
{
    struct csv_state *state = decoding->state;
    char delimiter = decoding->decoder->delimiter;
    int more;
    if (!state->has_names) {
        state->has_names = true;
        more = csv_rows_next(state->rows, delimiter, &state->names_arena, &state->names, err);
        if (more != 1)
            return more;
    }
    struct tlist row = {0};
    while ((more = csv_rows_next(state->rows, delimiter, arena, &row, err)) == 1 && row.count == 0)
        ;
    if (more == 1)
        *ret_document = row_value(decoding, arena, &row);
    return more;
}

const struct decoder_class decoder_csv = {
    .type_name = "CsvDecoder",
    .is_stream = true,
    .compile = csv_compile,
    .begin = csv_begin,
    .next = csv_next,
    .end = csv_end,
};
