#include "cli/validate_output.h"

#include "cli/columns.h"
#include "json/writer.h"

/* --- the pointers of nodes in document order ------------------------------------------------------- */

/* Where the last pointer led, a level for each container on the way: the next is found from there, so that
 * all of a document's pointers together cost one walk over it. */
struct walk {
    const struct json *doc;
    struct buffer pointer;
    struct arena arena; /* of one name */
    uint32_t depth;
    struct level {
        uint32_t container, child; /* child: an element, or a member's key */
        uint32_t position;
        size_t size; /* of the pointer before the child's part */
    } levels[JSON_DEPTH_LIMIT + 1];
};

static uint32_t child_end(const struct walk *walk, uint32_t child)
{
    return json_after(walk->doc, json_is(walk->doc, child, JSON_KEY) ? json_value(child) : child);
}

/* From the level's child on to the one that holds `at`. */
static uint32_t step_to(struct walk *walk, struct level *level, uint32_t at)
{
    while (child_end(walk, level->child) <= at) {
        level->child = child_end(walk, level->child);
        level->position++;
    }
    walk->pointer.size = level->size;
    if (!json_is(walk->doc, level->child, JSON_KEY)) {
        buffer_printf(&walk->pointer, "/%u", level->position);
        return level->child;
    }
    json_pointer_push(&walk->pointer, json_string(walk->doc, level->child, &walk->arena));
    arena_clear(&walk->arena);
    return at == level->child ? at : json_value(level->child);
}

/* The pointer of `at`, which is not before the last one asked for. */
static struct slice walk_to(struct walk *walk, uint32_t at)
{
    while (walk->depth > 0 && json_after(walk->doc, walk->levels[walk->depth - 1].container) <= at)
        walk->depth--;
    uint32_t here = 0;
    if (walk->depth > 0)
        here = step_to(walk, &walk->levels[walk->depth - 1], at);
    while (here != at) {
        struct level *level = &walk->levels[walk->depth++];
        *level = (struct level){here, here + 1, 0, walk->pointer.size};
        here = step_to(walk, level, at);
    }
    return (struct slice){walk->pointer.data, walk->pointer.size};
}

/* --- "basic" output -------------------------------------------------------------------------------- */

static void put_violation(struct json_writer *writer, const struct schema_violation *violation)
{
    json_begin_object(writer);
    json_member_bool(writer, "valid", false);
    json_member_string(writer, "keywordLocation", violation->keyword_location);
    if (*violation->absolute_location)
        json_member_string(writer, "absoluteKeywordLocation", violation->absolute_location);
    json_member_string(writer, "instanceLocation", violation->instance);
    json_member_string(writer, "error", violation->message);
    json_end_object(writer);
}

static void put_annotation(struct json_writer *writer, const struct verdict *verdict,
                           const struct schema_annotation *annotation, struct slice pointer)
{
    size_t count;
    const struct schema_note *note = &schema_notes(verdict->schema, &count)[annotation->note];
    struct buffer location;
    struct arena arena;
    uint32_t at;
    arena_init(&arena);
    buffer_init(&location, BUFFER_UNLIMITED);
    schema_annotation_location(verdict->validator, annotation, &location);
    json_begin_object(writer);
    json_member_bool(writer, "valid", true);
    json_member_slice(writer, "keywordLocation", (struct slice){location.data, location.size});
    json_member_string(writer, "absoluteKeywordLocation",
                       schema_note_absolute(verdict->schema, note, &arena));
    json_member_slice(writer, "instanceLocation", pointer);
    const struct json *value = schema_note_value(verdict->schema, note, &at);
    json_put_key(writer, "annotation");
    json_put_value(writer, value, at);
    json_end_object(writer);
    buffer_done(&location);
    arena_done(&arena);
}

/* False if there are more than are printed. */
static bool put_annotations(struct json_writer *writer, const struct verdict *verdict)
{
    struct walk walk = {.doc = verdict->doc};
    size_t i = 0, start = writer->out->size;
    buffer_init(&walk.pointer, BUFFER_UNLIMITED);
    arena_init(&walk.arena);
    json_put_key(writer, "annotations");
    json_begin_array(writer);
    for (; i < verdict->annotation_count && i < ANNOTATIONS_PER_DOCUMENT_MAX &&
           writer->out->size - start < ANNOTATIONS_SIZE_MAX;
         i++)
        put_annotation(writer, verdict, &verdict->annotations[i],
                       walk_to(&walk, verdict->annotations[i].instance));
    json_end_array(writer);
    buffer_done(&walk.pointer);
    arena_done(&walk.arena);
    return i == verdict->annotation_count;
}

void validate_print_json(struct output *out, const struct verdict *verdict)
{
    struct json_writer writer;
    bool truncated = verdict->judgement == JUDGED_IN_PART;
    json_writer_init(&writer, &out->buffer);
    json_begin_object(&writer);
    json_member_u64(&writer, "line", verdict->line);
    json_member_bool(&writer, "valid", verdict->violation_count == 0);
    json_member_string(&writer, "keywordLocation", "");
    json_member_string(&writer, "instanceLocation", "");
    if (verdict->violation_count > 0) {
        json_put_key(&writer, "errors");
        json_begin_array(&writer);
        for (size_t i = 0; i < verdict->violation_count; i++)
            put_violation(&writer, &verdict->violations[i]);
        json_end_array(&writer);
    } else if (verdict->annotation_count > 0) {
        truncated = !put_annotations(&writer, verdict);
    }
    if (truncated)
        json_member_bool(&writer, "truncated", true);
    if (verdict->judgement == NOT_JSON || verdict->judgement == NOT_JUDGED)
        json_member_bool(&writer, "judged", false);
    json_end_object(&writer);
    output_str(out, "\n");
}

/* --- lines for people ------------------------------------------------------------------------------ */

static void append_location(struct buffer *line, const char *location)
{
    enum { LOCATION_SHOWN_MAX = 200 };
    size_t size = strlen(location), cut = utf8_cut(location, size, LOCATION_SHOWN_MAX);
    buffer_append(line, location, cut);
    buffer_str(line, size == 0 ? "(root)" : cut < size ? "…" : "");
}

/* Pointers and messages quote documents and schemas: nothing of theirs steers a terminal. */
static void print_line(struct output *out, const struct verdict *verdict,
                       const struct schema_violation *violation)
{
    struct buffer line, printable;
    buffer_init(&line, BUFFER_UNLIMITED);
    buffer_init(&printable, BUFFER_UNLIMITED);
    buffer_printf(&line, "line %llu: ", (unsigned long long)verdict->line);
    if (verdict->judgement == NOT_JUDGED) {
        buffer_str(&line, "not judged");
    } else {
        append_location(&line, violation->instance);
        buffer_str(&line, ": ");
        append_location(&line, violation->keyword_location);
    }
    buffer_printf(&line, ": %s", violation->message);
    text_append_printable(&printable, line.data, line.size);
    output_printf(out, "%s\n", buffer_cstr(&printable));
    buffer_done(&printable);
    buffer_done(&line);
}

void validate_print_text(struct output *out, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->violation_count; i++)
        print_line(out, verdict, &verdict->violations[i]);
    if (verdict->judgement == JUDGED_IN_PART)
        output_printf(out, "line %llu: and more: the first %d are shown\n", (unsigned long long)verdict->line,
                      VIOLATIONS_PER_DOCUMENT_MAX);
}
