/* The text of block scalars (| and >), where libfyaml 0.7 loses line breaks: between a line and one that is
 * indented more, behind blank lines at the end, and it has a NUL where there is nothing. What is well formed
 * it knows: this has only to be read. */
#include "yaml/items.h"

struct block {
    struct slice source;
    size_t at, line; /* where we are, and where its line begins */
    struct buffer out;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_break(char byte)
{
    return byte == '\n' || byte == '\r';
}

static char here(const struct block *block)
{
    return block->at < block->source.size ? block->source.data[block->at] : '\0';
}

/* "2-  # so" behind | or >. False: it is no header. *ret_chomp: '\0', '-' or '+'. */
static bool read_header(struct slice rest, unsigned *ret_indent, char *ret_chomp)
{
    size_t at = 0;
    *ret_indent = 0;
    *ret_chomp = '\0';
    for (; at < rest.size && !is_blank(rest.data[at]); at++) {
        char byte = rest.data[at];
        if ((byte == '-' || byte == '+') && !*ret_chomp)
            *ret_chomp = byte;
        else if (byte >= '1' && byte <= '9' && !*ret_indent)
            *ret_indent = (unsigned)(byte - '0');
        else
            return false;
    }
    size_t blanks = at;
    while (at < rest.size && is_blank(rest.data[at]))
        at++;
    return at == rest.size || (rest.data[at] == '#' && at > blanks);
}

/* In the line before `begin`. Words in front may look like one, but then a break follows where it is the
 * last. */
static bool find_header(struct slice source, size_t begin, char style, unsigned *ret_indent, char *ret_chomp)
{
    size_t end = begin;
    if (end > 0 && is_break(source.data[end - 1]))
        end -= end > 1 && source.data[end - 1] == '\n' && source.data[end - 2] == '\r' ? 2 : 1;
    size_t at = end;
    while (at > 0 && !is_break(source.data[at - 1]))
        at--;
    for (bool begins = true; at < end; begins = is_blank(source.data[at++]))
        if (begins && source.data[at] == style &&
            read_header((struct slice){source.data + at + 1, end - at - 1}, ret_indent, ret_chomp))
            return true;
    return false;
}

static size_t column(const struct block *block)
{
    return block->at - block->line;
}

static bool take_break(struct block *block)
{
    if (!is_break(here(block)))
        return false;
    bool pair = here(block) == '\r' && block->at + 1 < block->source.size &&
                block->source.data[block->at + 1] == '\n';
    block->at += 1 + pair;
    block->line = block->at;
    return true;
}

/* Up to the next line that has something, at most `indent` blanks into it. How many lines were empty. */
static size_t take_empty(struct block *block, size_t indent)
{
    for (size_t count = 0;; count++) {
        while (column(block) < indent && here(block) == ' ')
            block->at++;
        if (!take_break(block))
            return count;
    }
}

/* The same, when the first line that has something says what the indentation is. */
static size_t take_first_empty(struct block *block, size_t least, size_t *ret_indent)
{
    size_t count = 0;
    *ret_indent = least;
    for (;; count += take_break(block)) {
        while (here(block) == ' ')
            block->at++;
        if (column(block) > *ret_indent)
            *ret_indent = column(block);
        if (!is_break(here(block)))
            return count;
    }
}

static void put(struct block *block, char byte, size_t count)
{
    while (count-- > 0)
        buffer_byte(&block->out, byte);
}

static bool is_line(const struct block *block, size_t indent)
{
    return block->at < block->source.size && column(block) == indent;
}

static void read_lines(struct block *block, char style, char chomp, size_t indent, size_t empty)
{
    bool ended = false;
    while (is_line(block, indent)) {
        bool flush = !is_blank(here(block));
        size_t from = block->at;
        put(block, '\n', empty);
        while (block->at < block->source.size && !is_break(block->source.data[block->at]))
            block->at++;
        buffer_append(&block->out, block->source.data + from, block->at - from);
        ended = take_break(block);
        empty = take_empty(block, indent);
        if (!is_line(block, indent))
            break;
        bool folds = style == '>' && flush && !is_blank(here(block));
        if (!folds || empty == 0)
            put(block, folds ? ' ' : '\n', 1);
    }
    put(block, '\n', ended && chomp != '-');
    put(block, '\n', chomp == '+' ? empty : 0);
}

bool yaml_block_text(struct arena *arena, struct slice source, size_t begin, char style, size_t least,
                     struct slice *ret_text)
{
    unsigned wanted;
    char chomp;
    if (begin > source.size || !find_header(source, begin, style, &wanted, &chomp))
        return false;
    struct block block = {.source = source, .at = begin, .line = begin};
    size_t indent = least + wanted - 1;
    size_t empty = wanted ? take_empty(&block, indent) : take_first_empty(&block, least, &indent);
    buffer_init(&block.out, YAML_SIZE_MAX);
    read_lines(&block, style, chomp, indent, empty);
    *ret_text = (struct slice){arena_strndup(arena, buffer_cstr(&block.out), block.out.size), block.out.size};
    buffer_done(&block.out);
    return true;
}
