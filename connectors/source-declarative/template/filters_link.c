/* urlize: addresses in a text become links of HTML, by Jinja's rules. */
#include "run.h"
#include "text_tools.h"
#include "unicode.h"

#include <stdlib.h>

/* One group around all: that is what a search gives back. */
static const char WEB[] =
    "(?i)^((?:(?:https?://|www\\.)(?:(?:[\\w%-]+\\.)+)?(?:[a-z]{2,63}|xn--[\\w%]{2,59})"
    "|(?:[\\w%-]{2,63}\\.)+(?:com|net|int|edu|gov|org|info|mil)"
    "|https?://(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[(?:[\\da-f]{0,4}:){2}(?:[\\da-f]{0,4}:?){1,6}]))"
    "(?::\\d{1,5})?(?:[/?#]\\S*)?)$";
static const char MAIL[] = "^(\\S+@\\w[\\w.-]*\\.\\w+)$";
static const char SCHEME[] = "^([\\w.+-]{2,}:/{0,2})\\Z";

struct linking {
    struct run *run;
    struct ttext out;
    struct slice attributes; /* of links, escaped */
    bool trims;
    int64_t trim;
    struct tvalue schemes;
};

static int is_like(struct run *run, const char *pattern, struct slice text, bool *ret_is)
{
    struct tvalue found;
    if (run_regex_search(run, text, slice_of(pattern), &found) < 0)
        return -1;
    *ret_is = found.kind == TVALUE_STRING && found.text.size > 0;
    return 0;
}

static bool ends_with(struct slice text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

static struct slice rest(struct slice text, size_t from)
{
    return (struct slice){text.data + from, text.size - from};
}

static size_t count_of(struct slice text, const char *what)
{
    size_t count = 0, size = strlen(what);
    for (const char *at; (at = memmem(text.data, text.size, what, size)); count++)
        text = rest(text, (size_t)(at - text.data) + size);
    return count;
}

/* What stands before and behind an address and is not its own. They are one after the other in the text. */
static void peel(struct slice *ret_head, struct slice *middle, struct slice *ret_tail)
{
    static const char *const pairs[][2] = {{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}};
    struct slice head = {middle->data, 0}, tail = {middle->data + middle->size, 0};
    for (size_t size = 1; size && middle->size; head.size += size, *middle = rest(*middle, size))
        size = strchr("(<", *middle->data) ? 1 : slice_starts_with(*middle, "&lt;") ? 4 : 0;
    for (size_t size = 1; size && middle->size; tail.data -= size, tail.size += size, middle->size -= size)
        size = strchr(")>.,", middle->data[middle->size - 1]) ? 1 : ends_with(*middle, "&gt;") ? 4 : 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t opened = count_of(*middle, pairs[i][0]), closed = count_of(tail, pairs[i][1]);
        if (opened <= count_of(*middle, pairs[i][1]))
            continue;
        for (size_t left = opened < closed ? opened : closed; left > 0; left--) {
            const char *at = memmem(tail.data, tail.size, pairs[i][1], strlen(pairs[i][1]));
            size_t size = (size_t)(at - tail.data) + strlen(pairs[i][1]);
            middle->size += size;
            tail = rest(tail, size);
        }
    }
    *ret_head = head;
    *ret_tail = tail;
}

static void put_link(struct linking *linking, const char *scheme, struct slice to, bool attributes,
                     struct slice shown)
{
    struct ttext *out = &linking->out;
    ttext_cstring(out, "<a href=\"");
    ttext_cstring(out, scheme);
    ttext_slice(out, to);
    ttext_byte(out, '"');
    if (attributes)
        ttext_slice(out, linking->attributes);
    ttext_byte(out, '>');
    ttext_slice(out, shown);
    ttext_cstring(out, "</a>");
}

static void put_web(struct linking *linking, struct slice to)
{
    bool whole = slice_starts_with(to, "https://") || slice_starts_with(to, "http://");
    int64_t count = (int64_t)unicode_count(to), keep = linking->trim;
    struct slice shown = to;
    if (linking->trims && count > keep) {
        keep = keep >= 0 ? keep : count + keep > 0 ? count + keep : 0; /* a slice's end */
        struct ttext text;
        run_text_init(linking->run, &text);
        ttext_add(&text, to.data, unicode_offset(to, (size_t)keep));
        ttext_cstring(&text, "...");
        shown = ttext_slice_of(&text);
    }
    put_link(linking, whole ? "" : "https://", to, true, shown);
}

/* Each link that a scheme makes is looked at by the next one, as there. */
static struct slice with_schemes(struct linking *linking, struct slice middle)
{
    const struct tlist *schemes = linking->schemes.list;
    for (uint32_t i = 0; schemes && i < schemes->count; i++) {
        struct slice scheme = schemes->items[i].text;
        if (slice_equal(middle, scheme) || middle.size < scheme.size ||
            memcmp(middle.data, scheme.data, scheme.size) != 0)
            continue;
        struct linking alone = *linking;
        run_text_init(linking->run, &alone.out);
        put_link(&alone, "", middle, true, middle);
        middle = ttext_slice_of(&alone.out);
    }
    return middle;
}

static int put_word(struct linking *linking, struct slice word)
{
    struct slice head, middle = word, tail;
    bool web = false, mail = false;
    peel(&head, &middle, &tail);
    bool to = slice_starts_with(middle, "mailto:");
    bool has_at = middle.size && memchr(middle.data, '@', middle.size);
    if (run_step(linking->run) < 0)
        return -1;
    if (middle.size && (memchr(middle.data, '.', middle.size) || memchr(middle.data, ':', middle.size)) &&
        is_like(linking->run, WEB, middle, &web) < 0)
        return -1;
    bool may = has_at && (to || (*middle.data != '@' && !slice_starts_with(middle, "www.") &&
                                 !memchr(middle.data, ':', middle.size)));
    if (!web && may && is_like(linking->run, MAIL, to ? rest(middle, 7) : middle, &mail) < 0)
        return -1;
    ttext_slice(&linking->out, head);
    if (web)
        put_web(linking, middle);
    else if (mail)
        put_link(linking, to ? "" : "mailto:", middle, false, to ? rest(middle, 7) : middle);
    else
        ttext_slice(&linking->out, with_schemes(linking, middle));
    ttext_slice(&linking->out, tail);
    return 0;
}

/* --- what is asked for --------------------------------------------------------------------------- */

static int put_attribute(struct linking *linking, struct ttext *out, const char *name,
                         const struct tvalue *value)
{
    struct tvalue text;
    if (run_escape(linking->run, value, &text) < 0)
        return -1;
    ttext_printf(out, " %s=\"", name);
    ttext_slice(out, text.text);
    ttext_byte(out, '"');
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return slice_compare(((const struct tvalue *)a)->text, ((const struct tvalue *)b)->text);
}

/* The words of rel, each once and in order, with those that every link has. */
static int read_rel(struct linking *linking, const struct tvalue *rel, bool nofollow, struct tvalue *ret_text)
{
    struct run *run = linking->run;
    struct tvalue words = tvalue_list(run->arena);
    struct slice given = {"", 0};
    struct ttext text;
    if (!is_unset(rel) && tvalue_true(rel) && run_string(run, rel, "rel", &given) < 0)
        return -1;
    if (text_split(run, given, NULL, -1, false, &words) < 0 ||
        (nofollow && run_push(run, words.list, tvalue_string(SLICE_LITERAL("nofollow"))) < 0) ||
        run_push(run, words.list, tvalue_string(SLICE_LITERAL("noopener"))) < 0)
        return -1;
    qsort(words.list->items, words.list->count, sizeof *words.list->items, by_text);
    run_text_init(run, &text);
    for (uint32_t i = 0; i < words.list->count; i++) {
        if (i && slice_equal(words.list->items[i].text, words.list->items[i - 1].text))
            continue;
        if (i)
            ttext_byte(&text, ' ');
        ttext_slice(&text, words.list->items[i].text);
    }
    return run_text(run, &text, ret_text);
}

static int read_schemes(struct linking *linking, const struct tvalue *schemes)
{
    struct run *run = linking->run;
    linking->schemes = tvalue_list(run->arena);
    if (is_unset(schemes))
        return 0;
    if (run_to_list(run, schemes, &linking->schemes) < 0)
        return -1;
    for (uint32_t i = 0; i < linking->schemes.list->count; i++) {
        struct slice scheme;
        bool is_scheme = false;
        if (run_string(run, &linking->schemes.list->items[i], "a scheme", &scheme) < 0 ||
            is_like(run, SCHEME, scheme, &is_scheme) < 0)
            return -1;
        if (!is_scheme)
            return run_fail(run, "a text is not a valid URI scheme prefix, like \"ftp:\"");
    }
    return 0;
}

static int read_arguments(struct linking *linking, const struct tvalue *a)
{
    struct ttext attributes;
    struct tvalue rel;
    bool nofollow = !is_absent(&a[1]) && tvalue_true(&a[1]);
    linking->trims = !is_unset(&a[0]);
    if ((linking->trims && run_index(linking->run, &a[0], &linking->trim) < 0) ||
        read_rel(linking, &a[3], nofollow, &rel) < 0 || read_schemes(linking, &a[4]) < 0)
        return -1;
    run_text_init(linking->run, &attributes);
    if (put_attribute(linking, &attributes, "rel", &rel) < 0 ||
        (!is_unset(&a[2]) && tvalue_true(&a[2]) && put_attribute(linking, &attributes, "target", &a[2]) < 0))
        return -1;
    linking->attributes = ttext_slice_of(&attributes);
    return 0;
}

static int filter_urlize(struct run *run, const struct tvalue *self, const struct tvalue *a,
                         struct tvalue *ret_value)
{
    struct linking linking = {.run = run};
    struct tvalue escaped;
    if (read_arguments(&linking, a) < 0 || run_escape(run, self, &escaped) < 0)
        return -1;
    struct slice text = escaped.text;
    run_text_init(run, &linking.out);
    for (size_t at = 0, end = 0, length; at < text.size; at = end) {
        bool space = unicode_is_space(utf8_decode(text.data + at, text.size - at, &length));
        for (end = at; end < text.size; end += length)
            if (unicode_is_space(utf8_decode(text.data + end, text.size - end, &length)) != space)
                break;
        struct slice word = {text.data + at, end - at};
        if (space)
            ttext_slice(&linking.out, word);
        else if (put_word(&linking, word) < 0)
            return -1;
    }
    return run_text(run, &linking.out, ret_value);
}

const struct filter filters_link[] = {
    {{.name = "urlize",
      .function = filter_urlize,
      .parameters = {"trim_url_limit", "nofollow", "target", "rel", "extra_schemes"}}},
    {{.name = NULL}},
};
