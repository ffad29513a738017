#include "supervisor/changed_config.h"

#include "control/actors.h"
#include "control/definitions.h"
#include "supervisor/config_check.h"
#include "json/writer.h"

/* --- merging ------------------------------------------------------------------------------------- */

/* What we have put into the config for the connector is no part of it. */
static bool is_ours(const struct json *doc, uint32_t key, struct arena *arena)
{
    return slice_starts_with(json_string(doc, key, arena), "__injected_");
}

/* Was the connector given this member as it is in the store? `asked` of count 0: it does not matter. */
static bool is_as_asked(const struct json *asked, const struct json *old, struct slice name)
{
    if (asked->count == 0)
        return true;
    uint32_t given = json_get_slice(asked, 0, name), there = json_get_slice(old, 0, name);
    if (given == JSON_NONE || there == JSON_NONE)
        return given == there;
    return json_equal(asked, given, old, there);
}

static void write_merged(struct json_writer *writer, const struct json *old, const struct json *new,
                         const struct json *asked, struct arena *arena)
{
    json_begin_object(writer);
    for (uint32_t key = json_first_key(old, 0); key != JSON_NONE; key = json_next_key(old, 0, key)) {
        struct slice name = json_string(old, key, arena);
        uint32_t newer = is_as_asked(asked, old, name) ? json_get_slice(new, 0, name) : JSON_NONE;
        json_put_key_of(writer, old, key);
        json_put_value(writer, newer == JSON_NONE ? old : new, newer == JSON_NONE ? json_value(key) : newer);
    }
    for (uint32_t key = json_first_key(new, 0); key != JSON_NONE; key = json_next_key(new, 0, key)) {
        struct slice name = json_string(new, key, arena);
        if (is_ours(new, key, arena) || json_get_slice(old, 0, name) != JSON_NONE ||
            !is_as_asked(asked, old, name))
            continue;
        json_put_key_of(writer, new, key);
        json_put_value(writer, new, json_value(key));
    }
    json_end_object(writer);
}

static int merge(struct slice was, struct slice now, struct slice asked, struct arena *arena,
                 struct slice *ret_merged, struct error *err)
{
    struct json old, new, given = {0};
    struct buffer text;
    struct json_writer writer;
    if (json_parse_copy(arena, was.data, was.size, &old, err) < 0 ||
        json_parse_copy(arena, now.data, now.size, &new, err) < 0 ||
        (asked.size && json_parse_copy(arena, asked.data, asked.size, &given, err) < 0))
        return -1;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    write_merged(&writer, &old, &new, &given, arena);
    *ret_merged = (struct slice){arena_dup(arena, text.data, text.size), text.size};
    explicit_bzero(text.data, text.size);
    buffer_done(&text);
    return 0;
}

int changed_config_merge(struct slice was, struct slice now, struct arena *arena, struct slice *ret_merged,
                         struct error *err)
{
    return merge(was, now, (struct slice){0}, arena, ret_merged, err);
}

/* --- keeping ------------------------------------------------------------------------------------- */

/* By the connector's own spec, if it was ever asked for it. */
static int check(const struct control_definition *definition, struct slice config, struct arena *arena,
                 struct error *err)
{
    const char *place;
    struct error why;
    if (config_check(config_schema(definition, arena), config, arena, &place, &why) == 0)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "the connector '%s' changed its config to one that its own spec does not allow: %s%s%s",
                     definition->name, place, *place ? ": " : "", why.message);
}

int changed_config_keep(struct control *control, const struct changed_config *change, int64_t now_ms,
                        struct arena *arena, struct slice *ret_config, bool *ret_refused, struct error *err)
{
    struct control_actor actor;
    struct control_definition definition;
    struct slice merged;
    *ret_refused = false;
    if (control_actor_get(control, change->side, change->actor, false, arena, &actor, err) < 0 ||
        control_definition_get(control, actor.definition, false, arena, &definition, err) < 0 ||
        merge(actor.config, change->said, change->asked, arena, &merged, err) < 0)
        return -1;
    if (slice_equal(merged, actor.config))
        return 0;
    if (check(&definition, merged, arena, err) < 0) {
        *ret_refused = true;
        return -1;
    }
    actor.config = merged;
    actor.updated_ms = now_ms;
    if (control_actor_put(control, &actor, err) < 0)
        return -1;
    if (ret_config)
        *ret_config = merged;
    return 1;
}
