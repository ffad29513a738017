#include "cli/apply.h"

#include "control/definitions.h"
#include "server/server.h"
#include "supervisor/config_check.h"
#include "supervisor/definitions.h"
#include "supervisor/webhook.h"

/* `part` of the member `name` of the object: "config.count", "notifications[0].sendOnFailure". */
static int fault(struct apply *apply, uint32_t object, const char *name, const char *part, struct error *err)
{
    uint32_t at = json_get(apply->doc, object, name);
    error_wrap(err, "%s%s%s", name, *part == '[' || !*part ? "" : ".", part);
    return apply_place(apply, at == JSON_NONE ? object : apply_at(apply, at, part), err);
}

int apply_check_notifications(struct apply *apply, uint32_t workspace, struct slice notifications,
                              struct error *err)
{
    const char *part;
    return json_get(apply->doc, workspace, "notifications") == JSON_NONE ||
                   webhook_urls_check(notifications, apply->arena, &part, err) == 0
               ? 0
               : fault(apply, workspace, "notifications", part, err);
}

/* A built-in says what it is in a moment; others are asked when they are needed (docs/connections.md). */
static int know_spec(struct apply *apply, struct control_definition *definition, struct error *err)
{
    struct connector_spec program;
    struct connector_program resolved;
    struct json spec;
    bool current =
        definition->spec_of && strcmp(definition->spec_of, definitions_label(definition, apply->arena)) == 0;
    if (!current)
        definition->spec = (struct slice){0};
    if (current || definition->origin != CONTROL_BUILT_IN)
        return 0;
    if (definitions_program(apply->control, definition, apply->arena, &program, err) < 0 ||
        connector_resolve(apply->cli->built_ins, &program, apply->arena, &resolved, err) < 0 ||
        connector_airbyte_spec(&resolved, NULL, apply->arena, &spec, err) < 0)
        return -1;
    definition->spec = json_raw(&spec, 0);
    definition->spec_of = definitions_label(definition, apply->arena);
    return control_definition_set_spec(apply->control, definition->id, definition->spec_of, definition->spec,
                                       err);
}

int apply_check_config(struct apply *apply, uint32_t at, const struct control_actor *actor, bool is_new,
                       struct error *err)
{
    struct control_definition definition;
    const char *pointer;
    struct slice config = actor->config.size || !is_new ? actor->config : SLICE_LITERAL("{}");
    if (config.size == 0) /* the one that is there stays */
        return 0;
    if (control_definition_get(apply->control, actor->definition, false, apply->arena, &definition, err) <
            0 ||
        know_spec(apply, &definition, err) < 0)
        return apply_place(apply, json_get(apply->doc, at, "definition"), err);
    return config_check_shown(config, apply->arena, &pointer, err) == 0 &&
                   config_check(config_schema(&definition, apply->arena), config, apply->arena, &pointer,
                                err) == 0
               ? 0
               : fault(apply, at, "config", config_field(pointer, apply->arena), err);
}

/* --- a catalog ------------------------------------------------------------------------------------ */

static int check_types(struct apply *apply, uint32_t connection, const struct json *catalog,
                       struct error *err)
{
    struct schema_violation violation;
    size_t count = 0;
    if (!apply->catalogs && !(apply->catalogs = server_schema("AirbyteCatalog", err)))
        return -1;
    mem_auto(schema_validator_free) struct schema_validator *validator = schema_validator_new();
    int valid = schema_validate(apply->catalogs, validator, catalog, 0, err);
    if (valid != 0)
        return valid < 0 ? -1 : 0;
    if (schema_explain(apply->catalogs, validator, catalog, 0, apply->arena, &violation, 1, &count, err) < 0)
        return -1;
    error_set(err, ERROR_INVALID, "%s", count ? violation.message : "it is no catalog");
    return fault(apply, connection, "catalog", count ? config_field(violation.instance, apply->arena) : "",
                 err);
}

static int check_members(struct apply *apply, uint32_t connection, const struct json *catalog,
                         uint32_t config, size_t number, struct error *err)
{
    const char *const *names;
    size_t count = server_schema_members("AirbyteStreamConfiguration", apply->arena, &names);
    for (uint32_t key = json_first_key(catalog, config); key != JSON_NONE;
         key = json_next_key(catalog, config, key)) {
        const char *name = json_cstring(catalog, key, apply->arena);
        size_t i = 0;
        while (name && i < count && strcmp(names[i], name) != 0)
            i++;
        const char *nearest = name && i == count ? string_nearest(name, names, count) : NULL;
        if (name && i < count)
            continue;
        error_set(err, ERROR_INVALID, "a stream's config has no '%.64s'%s%s%s", name ? name : "",
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        fault(apply, connection, "catalog",
              arena_printf(apply->arena, "streams[%zu].config.%s", number, name ? name : ""), err);
        if (nearest)
            return -1;
        log_warn(&apply->cli->log, "%s", err->message);
    }
    return 0;
}

int apply_check_catalog(struct apply *apply, uint32_t connection, struct slice catalog, struct error *err)
{
    struct json doc;
    size_t number = 0;
    if (catalog.size == 0)
        return 0;
    if (json_parse_copy(apply->arena, catalog.data, catalog.size, &doc, err) < 0 ||
        check_types(apply, connection, &doc, err) < 0)
        return -1;
    uint32_t list = json_get(&doc, 0, "streams");
    for (uint32_t at = json_first(&doc, list); at != JSON_NONE; at = json_next(&doc, list, at), number++) {
        uint32_t config = json_get(&doc, at, "config");
        if (json_is(&doc, config, JSON_OBJECT) &&
            check_members(apply, connection, &doc, config, number, err) < 0)
            return -1;
    }
    return 0;
}
