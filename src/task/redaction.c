#include "task/redaction.h"

#include "schema/shape/shape.h"

#include <sodium.h>

enum { SALT_SIZE = 32 };

bool task_redact_salt(const char *base64, struct arena *arena, struct slice *ret_salt)
{
    struct buffer text;
    struct json doc;
    struct error err;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_escape(&text, slice_of(base64));
    bool fine = json_parse_copy(arena, text.data, text.size, &doc, &err) == 0 &&
                flow_bytes_read(&doc, 0, arena, ret_salt) && ret_salt->size > 0 &&
                ret_salt->size <= REDACT_SALT_MAX;
    buffer_done(&text);
    return fine;
}

/* --- before the session ---------------------------------------------------------------------------- */

/* Digests of one value are to be equal in every session: a salt that was made stays, as long as the task's
 * checkpoint does. It is durable with the first documents that it was used for. */
static int salt_of(struct task *task, struct slice *ret_salt, struct error *err)
{
    struct task_checkpoint *checkpoint = &task->checkpoint;
    if (task->spec->redact_salt)
        return task_redact_salt(task->spec->redact_salt, &task->arena, ret_salt)
                   ? 0
                   : error_set(err, ERROR_INVALID, "'redactSalt' is not in base64");
    if (!checkpoint->redact_salt) {
        unsigned char bytes[SALT_SIZE];
        char *text = arena_alloc(&checkpoint->arena, 2 * SALT_SIZE + 1);
        randombytes_buf(bytes, sizeof bytes);
        checkpoint->redact_salt = sodium_bin2hex(text, 2 * SALT_SIZE + 1, bytes, sizeof bytes);
    }
    *ret_salt = slice_of(checkpoint->redact_salt);
    return 0;
}

/* A document of which a required member is taken would be invalid for whoever reads it. */
static int tell_required(struct task *task, const struct task_binding *binding, struct error *err)
{
    size_t count;
    mem_auto(shape_free) struct shape *shape = shape_of_schema(task->schemas, binding->spec->schema_uri, err);
    const struct shape_location *locations = shape ? shape_locations(shape, &task->arena, &count) : NULL;
    if (!locations)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (locations[i].shape->redact == SHAPE_REDACT_BLOCK && locations[i].exists == SHAPE_MUST)
            task_report_logf(
                task->report, LOG_WARN,
                "the schema of %s requires '%s' and blocks it: documents without it are not valid "
                "for who reads them; right would be not to require it",
                binding->spec->collection, locations[i].pointer);
    }
    return 0;
}

int task_redaction_prepare(struct task *task, struct task_binding *binding, struct error *err)
{
    struct slice salt = {0};
    if (!redact_wanted(binding->schema))
        return 0;
    if (salt_of(task, &salt, err) < 0)
        return -1;
    binding->redactor = redactor_new(binding->schema, salt, err);
    return binding->redactor ? tell_required(task, binding, err) : -1;
}

/* --- documents ------------------------------------------------------------------------------------- */

static int in_document(const struct task *task, const struct task_item *item, struct error *err)
{
    return error_wrap(err, "document %llu of the stream '%s'", (unsigned long long)item->number,
                      task->progress[item->binding->index].stream);
}

int task_redact(struct task *task, struct task_item *item, struct json *redacted, struct error *err)
{
    struct task_binding *binding = item->binding;
    struct buffer *text = &task->redacted;
    int changed = redactor_apply(binding->redactor, task->validator, item->line, item->document, text, err);
    if (changed <= 0)
        return changed < 0 ? in_document(task, item, err) : 0;
    if (text->overflowed)
        return error_set(err, ERROR_LIMIT, "redacted, it has more than %d bytes", STORE_DOCUMENT_MAX),
               in_document(task, item, err);
    if (json_parse(task->parser, text->data, text->size, redacted, err) < 0)
        return in_document(task, item, err);
    if (!key_is_there(&binding->key, redacted, 0))
        return error_set(err, ERROR_INVALID, "the schema of %s redacts a part of its key",
                         binding->spec->collection),
               in_document(task, item, err);
    item->line = redacted;
    item->document = 0;
    return 0;
}
