/* firth discover: which of the streams, and how they are to be read. */
#include "cli/cmd_discover.h"
#include "cli/columns.h"

#include <fnmatch.h>

enum { LISTED_MAX = 20, NAME_COLUMNS = 40, KEY_COLUMNS = 24 };

/* --- showing --------------------------------------------------------------------------------------- */

static void put_cell(struct buffer *out, const char *text, size_t columns)
{
    struct buffer safe;
    buffer_init(&safe, BUFFER_UNLIMITED);
    text_append_printable(&safe, text, strlen(text));
    size_t fits = text_cut_columns(safe.data ? safe.data : "", safe.size, columns);
    if (fits < safe.size) {
        fits = text_cut_columns(safe.data, safe.size, columns - 1);
        safe.size = fits;
        buffer_str(&safe, "…");
    }
    size_t taken = text_columns(safe.data ? safe.data : "", safe.size);
    buffer_append(out, safe.data, safe.size);
    buffer_printf(out, "%*s  ", (int)(columns > taken ? columns - taken : 0), "");
    buffer_done(&safe);
}

static const char *mode_of(const struct discover_stream *stream)
{
    if (stream->resource.data)
        return "";
    return stream->incremental && !stream->read_full ? "incremental" : "full refresh";
}

static void show_stream(struct discovery *discovery, size_t i)
{
    const struct discover_stream *stream = &discovery->streams[i];
    struct buffer line, key;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_init(&key, BUFFER_UNLIMITED);
    for (size_t j = 0; j < stream->key_count; j++)
        buffer_printf(&key, "%s%s", j ? "," : "", stream->key[j]);
    buffer_printf(&line, "  %4zu %s ", i + 1, stream->bound ? "=" : stream->chosen ? "*" : " ");
    put_cell(&line, stream->label, NAME_COLUMNS - 12);
    put_cell(&line, stream->key_count ? buffer_cstr(&key) : "no key: cannot be captured", KEY_COLUMNS);
    buffer_str(&line, mode_of(stream));
    prompt_print(&discovery->prompt, "%s%s\n", buffer_cstr(&line),
                 stream->note && stream->key_count ? " ?" : "");
    buffer_done(&line);
    buffer_done(&key);
}

static bool matches(const struct discover_stream *stream, const char *filter)
{
    if (!filter || !*filter)
        return true;
    return strpbrk(filter, "*?[") ? fnmatch(filter, stream->label, 0) == 0
                                  : strcasestr(stream->label, filter) != NULL;
}

static void show(struct discovery *discovery, const char *filter)
{
    size_t shown = 0, hidden = 0;
    for (size_t i = 0; i < discovery->stream_count; i++) {
        if (!matches(&discovery->streams[i], filter))
            continue;
        if (shown < LISTED_MAX || (filter && shown < 10 * LISTED_MAX)) {
            show_stream(discovery, i);
            shown++;
        } else {
            hidden++;
        }
    }
    if (hidden)
        prompt_print(&discovery->prompt, "       … and %zu more: /TEXT shows those whose names have it\n",
                     hidden);
    if (!shown)
        prompt_print(&discovery->prompt, "       none has that in its name\n");
}

static size_t count_chosen(const struct discovery *discovery)
{
    size_t count = 0;
    for (size_t i = 0; i < discovery->stream_count; i++)
        count += discovery->streams[i].chosen && !discovery->streams[i].bound;
    return count;
}

static bool any_noted(const struct discovery *discovery)
{
    for (size_t i = 0; i < discovery->stream_count; i++) {
        if (discovery->streams[i].note && discovery->streams[i].key_count)
            return true;
    }
    return false;
}

/* --- words ----------------------------------------------------------------------------------------- */

/* "3", "3-7", "user*", "users": those are marked. False: it names none. */
static bool mark(const struct discovery *discovery, const char *word, bool *marked)
{
    uint64_t from, to;
    bool any = false;
    const char *dash = strchr(word, '-');
    size_t count = discovery->stream_count;
    auto_free char *first = dash ? mem_strndup(word, (size_t)(dash - word)) : mem_strdup(word);
    if (string_to_u64(first, count, &from) && from > 0 &&
        (dash ? string_to_u64(dash + 1, UINT32_MAX, &to) : (to = from, true))) {
        for (uint64_t i = from; i <= to && i <= count; i++)
            any = marked[i - 1] = true;
        return any;
    }
    for (size_t i = 0; i < count; i++) {
        const struct discover_stream *stream = &discovery->streams[i];
        if (strcmp(word, "all") == 0 || strcmp(stream->label, word) == 0 ||
            fnmatch(word, stream->label, 0) == 0)
            any = marked[i] = true;
    }
    return any;
}

/* Blanks and commas between; a word with ! or - before it takes away. Only those words: all but them. -1: a
 * word names none, which has been said. */
static int select_words(struct discovery *discovery, const char *line, bool *ret_marked)
{
    size_t count = discovery->stream_count;
    auto_free bool *found = mem_zalloc(count + 1);
    bool first = true;
    auto_free char *copy = mem_strdup(line);
    char *rest = copy, *word;
    while ((word = strsep(&rest, ", \t"))) {
        bool away = *word == '!' || *word == '-';
        if (!*word)
            continue;
        memset(found, 0, count);
        bool none = strcmp(word, "none") == 0;
        if (!none && !mark(discovery, word + away, found)) {
            auto_free char *text = mem_printf("! no stream is named by '%s'", word + away);
            prompt_paragraph(&discovery->prompt, text, 4);
            return -1;
        }
        if (first)
            memset(ret_marked, away, count);
        first = false;
        for (size_t i = 0; i < count; i++) {
            if (found[i])
                ret_marked[i] = !away;
        }
    }
    return 0;
}

static void explain(struct discovery *discovery)
{
    prompt_print(&discovery->prompt,
                 "    Enter        take those marked with *\n"
                 "    1,3-5 user*  only these: numbers, ranges, names, patterns\n"
                 "    !7 !tmp*     all but these\n"
                 "    all, none    all, none\n"
                 "    /TEXT        show those whose names have the text; / shows them all\n");
}

/* --- the dialogue ---------------------------------------------------------------------------------- */

static int choose_streams(struct discovery *discovery, struct error *err)
{
    struct buffer line;
    int result = 0;
    auto_free bool *marked = mem_zalloc(discovery->stream_count + 1);
    buffer_init(&line, PROMPT_LINE_MAX);
    show(discovery, NULL);
    if (any_noted(discovery))
        prompt_print(&discovery->prompt,
                     "  ? the key is a guess, or the schema could not be used; the catalog says more\n");
    for (;;) {
        auto_free char *label = mem_printf("  %zu of %zu are chosen. Enter: take them, or which? (? helps)",
                                           count_chosen(discovery), discovery->stream_count);
        result = prompt_line(&discovery->prompt, label, &line, err);
        if (result < 0 || line.size == 0)
            break;
        const char *text = buffer_cstr(&line);
        if (strcmp(text, "?") == 0) {
            explain(discovery);
            continue;
        }
        if (*text == '/') {
            show(discovery, text + 1);
            continue;
        }
        if (select_words(discovery, text, marked) < 0)
            continue;
        for (size_t i = 0; i < discovery->stream_count; i++)
            discovery->streams[i].chosen = marked[i] && discovery->streams[i].key_count;
        show(discovery, NULL);
    }
    buffer_done(&line);
    return result;
}

static int choose_modes(struct discovery *discovery, struct error *err)
{
    size_t both = 0;
    struct buffer line;
    for (size_t i = 0; i < discovery->stream_count; i++) {
        const struct discover_stream *stream = &discovery->streams[i];
        both += stream->chosen && !stream->bound && stream->incremental && stream->full;
    }
    if (both == 0)
        return 0;
    auto_free bool *marked = mem_zalloc(discovery->stream_count + 1);
    buffer_init(&line, PROMPT_LINE_MAX);
    prompt_print(&discovery->prompt, "\n  %zu of them can be read incrementally: only what is new.\n", both);
    int result;
    for (;;) {
        result = prompt_line(&discovery->prompt, "  Which are to be read in full each time? Enter: none.",
                             &line, err);
        if (result < 0 || line.size == 0)
            break;
        if (select_words(discovery, buffer_cstr(&line), marked) < 0)
            continue;
        for (size_t i = 0; i < discovery->stream_count; i++)
            discovery->streams[i].read_full = marked[i] && discovery->streams[i].full;
        break;
    }
    buffer_done(&line);
    return result;
}

int discover_choose(struct discovery *discovery, struct error *err)
{
    prompt_print(&discovery->prompt, "\n");
    prompt_title(&discovery->prompt,
                 arena_printf(&discovery->arena, "Streams (%zu)", discovery->stream_count), 2);
    if (choose_streams(discovery, err) < 0)
        return -1;
    return choose_modes(discovery, err);
}
