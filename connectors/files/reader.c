#include "reader.h"

#include "base/memory.h"
#include "connectors/files/archive.h"

#include <inttypes.h>
#include <strings.h>

const char *const files_kind_names[FILES_KINDS] = {"auto", "jsonl", "json", "csv", "parquet", "avro"};
const char *const files_compression_names[FILES_COMPRESSIONS] = {"auto", "none",  "gzip",
                                                                 "zstd", "bzip2", "zip"};

struct files_reader {
    enum files_kind kind;
    const struct files_text_format *text;
    const struct files_other_format *other;
    struct files_archive *archive;
    void *self;
    struct files_window window;
    uint64_t records;
    bool skip_bad;
    bool guessed; /* the charset, which is not UTF-8 */
    enum files_charset charset;
    files_skipped_fn *skipped;
    void *context;
};

/* --- what it is ---------------------------------------------------------------------------------------- */

static bool ends_with(const char *name, size_t size, const char *suffix)
{
    size_t length = strlen(suffix);
    return size > length && strncasecmp(name + size - length, suffix, length) == 0;
}

enum files_kind files_kind_of_name(const char *name)
{
    static const char *const compressions[] = {".gz", ".gzip", ".zst", ".zstd", ".bz2", ".zip"};
    static const struct {
        const char *suffix;
        enum files_kind kind;
    } kinds[] = {{".jsonl", FILES_JSON_LINES}, {".ndjson", FILES_JSON_LINES}, {".json", FILES_JSON},
                 {".csv", FILES_CSV},          {".tsv", FILES_CSV},           {".tab", FILES_CSV},
                 {".parquet", FILES_PARQUET},  {".parq", FILES_PARQUET},      {".avro", FILES_AVRO}};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof compressions / sizeof *compressions; i++) {
        if (ends_with(name, size, compressions[i])) {
            size -= strlen(compressions[i]);
            break;
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ends_with(name, size, kinds[i].suffix))
            return kinds[i].kind;
    }
    return FILES_ANY_KIND;
}

/* Of JSON: lines, each a whole value, or values of any layout? */
static enum files_kind layout(struct slice text, bool whole)
{
    const char *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    struct error err;
    struct json doc;
    mem_auto(json_parser_free) struct json_parser *parser =
        json_parser_new(JSON_LIMITS_DEFAULT, JSON_DUPLICATES_LAST_WINS);
    if (text.size && text.data[0] == '[')
        return FILES_JSON;
    if (!end) /* one value, or the first line is longer than the head */
        return whole ? FILES_JSON : FILES_JSON_LINES;
    return json_parse(parser, text.data, (size_t)(end - text.data), &doc, &err) == 0 ? FILES_JSON_LINES
                                                                                     : FILES_JSON;
}

static enum files_kind kind_of(enum files_kind wanted, const char *name, struct slice head, bool whole)
{
    if (head.size >= 4 && memcmp(head.data, "PAR1", 4) == 0)
        return FILES_PARQUET;
    if (head.size >= 4 && memcmp(head.data, "Obj\1", 4) == 0)
        return FILES_AVRO;
    enum files_kind kind = wanted == FILES_ANY_KIND ? files_kind_of_name(name) : wanted;
    while (head.size && strchr(" \t\r\n", head.data[0]))
        head = (struct slice){head.data + 1, head.size - 1};
    if (kind == FILES_ANY_KIND)
        kind = head.size && strchr("{[", head.data[0]) ? FILES_JSON : FILES_CSV;
    return kind == FILES_JSON && wanted == FILES_ANY_KIND ? layout(head, whole) : kind;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static const struct files_text_format *text_format(enum files_kind kind)
{
    return kind == FILES_JSON_LINES ? &files_lines_format
           : kind == FILES_JSON     ? &files_values_format
                                    : &files_csv_format;
}

static int choose_charset(const struct files_format *format, struct slice head, bool whole,
                          enum files_charset *ret_charset, bool *ret_guessed, struct error *err)
{
    *ret_charset = files_charset_detect(head.data, head.size, whole);
    bool marked =
        head.size >= 2 && (memcmp(head.data, "\xff\xfe", 2) == 0 || memcmp(head.data, "\xfe\xff", 2) == 0);
    bool named = format->encoding && *format->encoding;
    *ret_guessed = *ret_charset != FILES_UTF8 && !marked && !named;
    if (!named || marked)
        return 0; /* a mark is surer than any option */
    return files_charset_parse(format->encoding, ret_charset, err);
}

/* The decompressed bytes from the beginning, with the head in the window and the charset known. */
static int look(const struct files_opener *opener, const struct files_format *format,
                struct files_window *window, enum files_compression *ret_compression, struct slice *ret_head,
                bool *ret_whole, struct error *err)
{
    struct files_input *raw = opener->open(opener->context, 0, err);
    struct files_input *plain = raw ? files_decompress(raw, format->compression, ret_compression, err) : NULL;
    if (!plain)
        return -1;
    files_window_init(window, plain, 0, 1);
    return files_window_head(window, ret_head, ret_whole, err);
}

/* A window's bytes again, and then those of its input: to be decoded. */
struct replay {
    struct files_input input;
    struct files_window window;
};

static int64_t replay_read(struct files_input *input, char *bytes, size_t size, struct error *err)
{
    struct files_window *window = &((struct replay *)input)->window;
    struct slice rest = files_window_rest(window);
    if (!rest.size)
        return window->ended ? 0 : window->input->read(window->input, bytes, size, err);
    size_t count = rest.size < size ? rest.size : size;
    memcpy(bytes, rest.data, count);
    files_window_take(window, count);
    return (int64_t)count;
}

static void replay_close(struct files_input *input)
{
    struct replay *replay = (struct replay *)input;
    files_window_done(&replay->window);
    free(replay);
}

static void decode(struct files_window *window, enum files_charset charset)
{
    if (charset == FILES_UTF8)
        return;
    struct replay *replay = mem_zalloc(sizeof *replay);
    replay->input = (struct files_input){replay_read, replay_close};
    replay->window = *window;
    files_window_init(window, files_charset_decode(&replay->input, charset), 0, 1);
}

/* From the head to the place: by opening the file there, where its bytes are the text's, else by reading on.
 */
static int go_to(struct files_reader *reader, const struct files_opener *opener, struct files_place place,
                 bool plain, struct error *err)
{
    struct files_window *window = &reader->window;
    if (place.bytes <= window->base + window->data.size && place.bytes >= window->base) {
        window->at = (size_t)(place.bytes - window->base);
    } else if (plain) {
        struct files_input *input = opener->open(opener->context, place.bytes, err);
        if (!input)
            return -1;
        files_window_done(window);
        files_window_init(window, input, place.bytes, 1);
    } else {
        uint64_t ahead = place.bytes - window->base - window->data.size;
        window->base = place.bytes;
        window->at = 0;
        buffer_clear(&window->data);
        if (files_input_skip(window->input, ahead, err) < 0)
            return -1;
    }
    window->line = place.lines + 1;
    reader->records = place.records;
    return 0;
}

/* Every sequence of bytes is a text in some charset; this one has characters that texts do not have, or that
 * are none in it (U+FFFD). */
static bool is_binary(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if ((byte < 0x20 && !strchr("\t\n\v\f\r\x1a\x1b", byte)) || byte == 0)
            return true;
        if (byte == 0xef && text.size - i >= 3 && memcmp(text.data + i, "\xef\xbf\xbd", 3) == 0)
            return true;
    }
    return false;
}

static int open_text(struct files_reader *reader, const struct files_opener *opener,
                     const struct files_format *format, struct firth_slice schema, struct files_place place,
                     enum files_compression compression, struct error *err)
{
    enum files_charset charset;
    struct slice head;
    bool whole;
    if (files_window_head(&reader->window, &head, &whole, err) < 0 ||
        choose_charset(format, head, whole, &charset, &reader->guessed, err) < 0)
        return -1;
    decode(&reader->window, charset);
    if (files_window_skip_mark(&reader->window, err) < 0 ||
        files_window_head(&reader->window, &head, &whole, err) < 0)
        return -1;
    reader->kind = kind_of(format->kind, opener->name, head, whole);
    reader->charset = charset;
    if (reader->guessed && is_binary(head))
        return error_set(
            err, ERROR_INVALID,
            "it is no text: it is not UTF-8, and has control characters; if it is, name its encoding");
    reader->text = text_format(reader->kind);
    reader->self = reader->text->open(format, schema, &reader->window, err);
    if (!reader->self)
        return -1;
    if (place.bytes == 0)
        return 0;
    return go_to(reader, opener, place, compression == FILES_PLAIN && charset == FILES_UTF8, err);
}

/* What is no text, but read as it comes. */
static int open_blocks(struct files_reader *reader, const struct files_opener *opener,
                       const struct files_format *format, struct files_place place,
                       enum files_compression compression, struct error *err)
{
    reader->kind = FILES_AVRO;
    reader->text = &files_avro_format;
    reader->self = reader->text->open(format, (struct firth_slice){0}, &reader->window, err);
    if (!reader->self)
        return -1;
    if (place.bytes == 0)
        return 0;
    reader->text->resume(reader->self, place);
    return go_to(reader, opener, place, compression == FILES_PLAIN, err);
}

static int open_archive(struct files_reader *reader, const struct files_opener *opener,
                        const struct files_format *format, struct firth_slice schema,
                        struct files_place place, struct error *err)
{
    if (opener->is_member)
        return error_set(err, ERROR_UNSUPPORTED, "it is an archive itself, which is not read");
    files_window_done(&reader->window);
    reader->archive =
        files_archive_open(opener, format, schema, place, reader->skipped, reader->context, err);
    return reader->archive ? 0 : -1;
}

/* By a program that wants the file itself. */
static int open_other(struct files_reader *reader, const struct files_opener *opener,
                      const struct files_format *format, struct files_place place, struct error *err)
{
    reader->kind = FILES_PARQUET;
    files_window_done(&reader->window);
    reader->other = &files_parquet_format;
    reader->records = place.records;
    reader->self = reader->other->open(opener, format, place.records, err);
    return reader->self ? 0 : -1;
}

struct files_reader *files_reader_open(const struct files_opener *opener, const struct files_format *format,
                                       struct firth_slice schema, struct files_place place,
                                       files_skipped_fn *skipped, void *context, struct error *err)
{
    struct files_reader *reader = mem_zalloc(sizeof *reader);
    enum files_compression compression;
    reader->skip_bad = format->skip_bad;
    reader->skipped = skipped;
    reader->context = context;
    struct slice head = {0};
    bool whole;
    int result = look(opener, format, &reader->window, &compression, &head, &whole, err);
    enum files_kind kind = result == 0 && compression != FILES_ZIP
                               ? kind_of(format->kind, opener->name, head, whole)
                               : FILES_ANY_KIND;
    /* Programs leave files of no bytes when there was nothing to write: no records, whatever the name says.
     */
    bool empty = result == 0 && !head.size;
    if (empty)
        result = open_text(reader, opener, format, schema, (struct files_place){0}, compression, err);
    else if (result == 0 && compression == FILES_ZIP)
        result = open_archive(reader, opener, format, schema, place, err);
    else if (kind == FILES_PARQUET)
        result = open_other(reader, opener, format, place, err);
    else if (kind == FILES_AVRO)
        result = open_blocks(reader, opener, format, place, compression, err);
    else if (result == 0)
        result = open_text(reader, opener, format, schema, place, compression, err);
    if (result == 0)
        return reader;
    files_reader_close(reader);
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------------------- */

int files_reader_next(struct files_reader *reader, struct files_record *ret_record, struct error *err)
{
    if (reader->archive)
        return files_archive_next(reader->archive, ret_record, err);
    for (;;) {
        bool bad = false;
        int got = reader->text
                      ? reader->text->next(reader->self, &reader->window, &ret_record->json, &bad, err)
                      : reader->other->next(reader->self, &ret_record->json, err);
        if (got == 0 || (got < 0 && !(bad && reader->skip_bad)))
            return got;
        ret_record->number = reader->records++;
        if (got > 0)
            return 1;
        reader->skipped(reader->context, err);
    }
}

struct files_place files_reader_place(const struct files_reader *reader)
{
    if (reader->archive)
        return files_archive_place(reader->archive);
    struct files_place place = {.records = reader->records};
    if (reader->text) {
        place.bytes = files_window_position(&reader->window);
        place.lines = reader->window.line - 1;
        if (reader->text->place)
            reader->text->place(reader->self, &place);
    }
    return place;
}

const char *files_reader_guessed(const struct files_reader *reader)
{
    if (reader->archive)
        return files_archive_guessed(reader->archive);
    return reader->guessed ? files_charset_names[reader->charset] : NULL;
}

enum files_kind files_reader_kind(const struct files_reader *reader)
{
    return reader->kind;
}

void files_reader_close(struct files_reader *reader)
{
    if (!reader)
        return;
    if (reader->self && reader->text)
        reader->text->close(reader->self);
    else if (reader->self)
        reader->other->close(reader->self);
    files_archive_close(reader->archive);
    files_window_done(&reader->window);
    free(reader);
}
