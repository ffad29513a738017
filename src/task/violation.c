#include "task/violation.h"

#include "json/writer.h"

/* A key that is not there violates the collection as its schema's keywords do. */
static void explain_key(const struct task_item *item, struct arena *arena,
                        struct schema_violation *violations, size_t *count)
{
    const struct key *key = &item->binding->key;
    for (size_t i = 0; i < key->count && *count < TASK_VIOLATIONS_MAX; i++) {
        const struct key_part *part = &key->parts[i];
        uint32_t value = key_find(part, item->line, item->document);
        struct key_value counts = key_value_of(part, item->line, item->document);
        if (key_value_allowed(counts.doc, counts.at))
            continue;
        struct slice raw = value == JSON_NONE ? SLICE_LITERAL("nothing") : json_raw(item->line, value);
        size_t cut = utf8_cut(raw.data, raw.size, 60);
        violations[(*count)++] = (struct schema_violation){
            .instance = part->pointer,
            .keyword_location = "/key",
            .absolute_location = "the collection",
            .keyword = "key",
            .message =
                arena_printf(arena,
                             "a key's location must be there and hold a string, an integer or a boolean, "
                             "got %.*s%s",
                             (int)cut, raw.data, cut < raw.size ? "…" : ""),
            .value = value == JSON_NONE ? (struct slice){0} : raw,
        };
    }
}

/* What an invalid document would be redacted by is not known: none of its values is shown. */
static void hide_values(struct schema_violation *violations, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        violations[i].message = "the value is not shown, since the schema redacts";
        violations[i].value = (struct slice){0};
    }
}

/* Fills at most TASK_VIOLATIONS_MAX; at least one, since the document is invalid. Instances are places in the
 * document, not in the message that it came in. */
static int explain(struct task *task, const struct task_item *item, struct arena *arena,
                   struct schema_violation *violations, size_t *ret_count, struct error *err)
{
    if (schema_explain(item->binding->schema, task->validator, item->line, item->document, arena, violations,
                       TASK_VIOLATIONS_MAX, ret_count, err) < 0)
        return -1;
    struct buffer place;
    buffer_init(&place, BUFFER_UNLIMITED);
    json_pointer_of(item->line, item->document, &place);
    const char *prefix = buffer_cstr(&place);
    for (size_t i = 0; i < *ret_count; i++) {
        if (string_starts_with(violations[i].instance, prefix))
            violations[i].instance += place.size;
    }
    buffer_done(&place);
    explain_key(item, arena, violations, ret_count);
    if (item->binding->redactor)
        hide_values(violations, *ret_count);
    return 0;
}

int task_violation_error(struct task *task, const struct task_item *item, struct error *err)
{
    const struct task_binding_progress *progress = &task->progress[item->binding->index];
    struct schema_violation violations[TASK_VIOLATIONS_MAX];
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    if (explain(task, item, &arena, violations, &count, err) < 0) {
        arena_done(&arena);
        return -1;
    }
    bool schema_first = count == 0 || strcmp(violations[0].keyword, "key") != 0;
    char more[64] = "";
    if (count > 1)
        snprintf(more, sizeof more, "; and %zu%s more", count - 1, count == TASK_VIOLATIONS_MAX ? " or" : "");
    if (task->spec->kind == TASK_MATERIALIZATION && item->binding->spec->inferred) {
        error_set(
            err, ERROR_INVALID,
            "document %llu of %s is more than its inferred schema says: at '%s': %s; the next session knows "
            "the schema as it is by now",
            (unsigned long long)item->number, progress->name, count ? violations[0].instance : "",
            count ? violations[0].message : "invalid");
        err->retriable = true;
    } else if (task->spec->kind == TASK_MATERIALIZATION)
        error_set(err, ERROR_INVALID,
                  "document %llu of %s violates its read schema: at '%s': %s (keyword '%s' at %s)%s",
                  (unsigned long long)item->number, progress->name, count ? violations[0].instance : "",
                  count ? violations[0].message : "invalid", count ? violations[0].keyword : "",
                  count ? violations[0].absolute_location : "", more);
    else
        error_set(err, ERROR_INVALID,
                  "document %llu of the stream '%s' (line %llu of %s's output) violates %s of %s: at '%s': "
                  "%s (keyword "
                  "'%s' at %s)%s",
                  (unsigned long long)item->number, progress->stream, (unsigned long long)item->line_number,
                  task->spec->source.program.label, schema_first ? "the schema" : "the key", progress->name,
                  count ? violations[0].instance : "", count ? violations[0].message : "invalid",
                  count ? violations[0].keyword : "", count ? violations[0].absolute_location : "", more);
    arena_done(&arena);
    return -1;
}

int task_violation_document(struct task *task, const struct task_item *item, struct buffer *out,
                            struct error *err)
{
    struct schema_violation violations[TASK_VIOLATIONS_MAX];
    size_t count = 0;
    struct arena arena;
    arena_init(&arena);
    if (explain(task, item, &arena, violations, &count, err) < 0) {
        arena_done(&arena);
        return -1;
    }
    buffer_clear(out);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    if (!item->binding->redactor)
        json_member_raw(&writer, "document", json_raw(item->line, item->document));
    json_put_key(&writer, "violations");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&writer);
        json_member_string(&writer, "instance", violations[i].instance);
        json_member_string(&writer, "keyword", violations[i].keyword);
        json_member_string(&writer, "keywordLocation", violations[i].keyword_location);
        json_member_string(&writer, "message", violations[i].message);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_member_slice(&writer, "stream", item->binding->source.name);
    if (item->binding->source.namespace.size)
        json_member_slice(&writer, "namespace", item->binding->source.namespace);
    json_member_string(&writer, "collection", item->binding->spec->collection);
    json_member_u64(&writer, "number", item->number);
    json_end_object(&writer);
    arena_done(&arena);
    if (out->overflowed)
        return error_set(err, ERROR_LIMIT,
                         "an invalid document of the stream '%s' with its explanation is larger "
                         "than a document may be (%d bytes)",
                         task->progress[item->binding->index].stream, STORE_DOCUMENT_MAX);
    return 0;
}
