/* wordwrap: Python's textwrap, line by line. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#define BLANK "\\t\\n\\x0b\\x0c\\r "
#define MARK "[\\w!\"'&.,?]"
#define LETTER "[^\\d\\W]"

/* Where a line may be broken: blanks, dashes between words, words with hyphens between letters. */
static const char WORDS[] =
    "[" BLANK "]+|(?<=" MARK ")-{2,}(?=\\w)|[^" BLANK "]+?(?:-(?:(?<=" LETTER "{2}-)|(?<=" LETTER "-" MARK
    "-))(?=" LETTER "-?" LETTER ")|(?=[" BLANK "]|\\Z)|(?<=" MARK ")(?=-{2,}\\w))";
static const char BLANKS[] = "[" BLANK "]+";

struct wrapping {
    struct run *run;
    struct slice mark; /* between lines */
    int64_t width;
    bool breaks_words, breaks_hyphens;
    struct ttext out;
};

static bool is_blank(struct slice chunk)
{
    return unicode_strip(chunk, NULL, true, true).size == 0;
}

/* How many characters of a word that is longer than a line go into what is left of this one. */
static size_t take_of(const struct wrapping *wrapping, struct slice word, size_t room)
{
    struct slice head = {word.data, unicode_offset(word, room)};
    const char *hyphen = wrapping->breaks_hyphens ? memrchr(head.data, '-', head.size) : NULL;
    if (hyphen)
        for (const char *at = head.data; at < hyphen; at++)
            if (*at != '-')
                return (size_t)(hyphen + 1 - head.data);
    return head.size;
}

/* Chunks follow one another in the text, and so does what becomes a line. */
static void wrap_chunks(struct wrapping *wrapping, struct slice *chunks, uint32_t count)
{
    size_t width = (size_t)wrapping->width;
    bool any = false;
    for (uint32_t i = 0; i < count;) {
        if (any && is_blank(chunks[i]) && ++i == count)
            break;
        const char *begin = chunks[i].data, *end = begin;
        struct slice last = {NULL, 0};
        size_t length = 0, more;
        for (; i < count && length + (more = unicode_count(chunks[i])) <= width; i++) {
            last = chunks[i];
            length += more;
        }
        if (i < count && unicode_count(chunks[i]) > width && (wrapping->breaks_words || length == 0)) {
            size_t taken =
                wrapping->breaks_words ? take_of(wrapping, chunks[i], width - length) : chunks[i].size;
            last = (struct slice){chunks[i].data, taken};
            chunks[i] = (struct slice){chunks[i].data + taken, chunks[i].size - taken};
            i += chunks[i].size == 0;
        }
        if (last.data)
            end = is_blank(last) ? last.data : last.data + last.size;
        if (end == begin)
            continue;
        if (any)
            ttext_slice(&wrapping->out, wrapping->mark);
        ttext_add(&wrapping->out, begin, (size_t)(end - begin));
        any = true;
    }
}

static int wrap_line(struct wrapping *wrapping, struct slice line)
{
    struct run *run = wrapping->run;
    struct tvalue list;
    if (run_regex_chunks(run, line, slice_of(wrapping->breaks_hyphens ? WORDS : BLANKS), &list) < 0)
        return -1;
    struct slice *chunks = arena_alloc(run->arena, (list.list->count + 1) * sizeof *chunks);
    for (uint32_t i = 0; i < list.list->count; i++)
        chunks[i] = list.list->items[i].text;
    wrap_chunks(wrapping, chunks, list.list->count);
    return 0;
}

static int filter_wordwrap(struct run *run, const struct tvalue *self, const struct tvalue *a,
                           struct tvalue *ret_value)
{
    struct wrapping wrapping = {
        .run = run,
        .mark = SLICE_LITERAL("\n"),
        .width = 79,
        .breaks_words = is_absent(&a[1]) || tvalue_true(&a[1]),
        .breaks_hyphens = is_absent(&a[3]) || tvalue_true(&a[3]),
    };
    if (self->kind == TVALUE_UNDEFINED)
        return run_undefined(run, self);
    if (self->kind != TVALUE_STRING)
        return run_fail(run, "a value of type %s has no words", tvalue_type(self));
    if ((!is_absent(&a[0]) && run_index(run, &a[0], &wrapping.width) < 0) ||
        (!is_unset(&a[2]) && run_string(run, &a[2], "what is between lines", &wrapping.mark) < 0))
        return -1;
    if (wrapping.width <= 0)
        return run_fail(run, "a line is at least one character wide");
    run_text_init(run, &wrapping.out);
    for (size_t at = 0, end, next; at < self->text.size; at = next) {
        text_line(self->text, at, &end, &next);
        if (at)
            ttext_slice(&wrapping.out, wrapping.mark);
        if (wrap_line(&wrapping, (struct slice){self->text.data + at, end - at}) < 0)
            return -1;
    }
    return run_text(run, &wrapping.out, ret_value);
}

const struct filter filters_wrap[] = {
    {{.name = "wordwrap",
      .function = filter_wordwrap,
      .parameters = {"width", "break_long_words", "wrapstring", "break_on_hyphens"}}},
    {{.name = NULL}},
};
