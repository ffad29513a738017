#include "task/materialize_saved.h"

void task_materialize_saved_init(struct task_materialize_saved *saved)
{
    *saved = (struct task_materialize_saved){.spec = mem_strdup(""),
                                             .applying = mem_strdup(""),
                                             .bindings = mem_strdup("[]"),
                                             .triggers = mem_strdup(""),
                                             .positions = mem_strdup("")};
}

void task_materialize_saved_done(struct task_materialize_saved *saved)
{
    free(saved->spec);
    free(saved->applying);
    free(saved->bindings);
    free(saved->positions);
    free(saved->triggers);
}

void task_materialize_saved_set(char **text, struct slice value)
{
    free(*text);
    *text = mem_strndup(value.data, value.size);
}

bool task_materialize_saved_any(const struct task_materialize_saved *saved)
{
    return *saved->spec || *saved->applying || *saved->positions;
}

void task_materialize_saved_write(const struct task_materialize_saved *saved, struct json_writer *writer)
{
    json_begin_object(writer);
    if (*saved->spec)
        json_member_raw(writer, "spec", slice_of(saved->spec));
    if (*saved->applying)
        json_member_raw(writer, "applying", slice_of(saved->applying));
    json_member_raw(writer, "bindings", slice_of(saved->bindings));
    if (*saved->positions)
        json_member_raw(writer, "positions", slice_of(saved->positions));
    if (*saved->triggers)
        json_member_raw(writer, "triggers", slice_of(saved->triggers));
    json_end_object(writer);
}

int task_materialize_saved_load(struct task_materialize_saved *saved, const struct json *doc, uint32_t at,
                                struct error *err)
{
    const struct {
        const char *name;
        char **text;
        enum json_tag tag;
    } members[] = {{"spec", &saved->spec, JSON_OBJECT},
                   {"applying", &saved->applying, JSON_OBJECT},
                   {"bindings", &saved->bindings, JSON_ARRAY},
                   {"positions", &saved->positions, JSON_OBJECT},
                   {"triggers", &saved->triggers, JSON_OBJECT}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        uint32_t member = json_get(doc, at, members[i].name);
        if (member == JSON_NONE)
            continue;
        if (!json_is(doc, member, members[i].tag))
            return error_set(err, ERROR_CORRUPT,
                             "the checkpoint: 'materialize.%s' is not as this program writes it",
                             members[i].name);
        task_materialize_saved_set(members[i].text, json_raw(doc, member));
    }
    return 0;
}
