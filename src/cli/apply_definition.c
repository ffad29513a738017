/* A definition of the file: a connector by image, command or manifest. */
#include "cli/apply.h"

#include "control/definitions.h"
#include "supervisor/definitions.h"

static bool same_definition(const struct control_definition *a, const struct control_definition *b)
{
    return a->side == b->side && a->origin == b->origin && apply_same_text(a->name, b->name) &&
           apply_same_text(a->repository, b->repository) && apply_same_text(a->tag, b->tag) &&
           apply_same_json(a->command, b->command) && apply_same_json(a->manifest, b->manifest) &&
           apply_same_json(a->spec, b->spec) && apply_same_text(a->documentation_url, b->documentation_url) &&
           apply_same_text(a->icon, b->icon) && apply_same_text(a->workspace, b->workspace) &&
           apply_same_json(a->extra, b->extra);
}

/* A file's name, or the manifest itself. */
static int set_manifest(struct apply *apply, struct control_definition *definition, uint32_t at,
                        struct error *err)
{
    uint32_t at_manifest = json_get(apply->doc, at, "manifest");
    struct definitions_manifest manifest = {0};
    if (json_is(apply->doc, at_manifest, JSON_STRING))
        manifest.path = json_cstring(apply->doc, at_manifest, apply->arena);
    else
        manifest.json = apply_raw(apply, at, "manifest");
    return definitions_set_manifest(apply->control, apply->cli->built_ins, &manifest, apply->arena,
                                    definition, err);
}

/* What the connector said of itself when it was asked: as the file has it, else as the store has it of the
 * same connector. Without either it is asked when it is needed. */
static int take_spec(struct apply *apply, uint32_t at, const struct control_definition *there,
                     struct control_definition *definition, struct error *err)
{
    const char *label = definitions_label(definition, apply->arena);
    uint32_t spec = json_get(apply->doc, at, "spec");
    if (spec != JSON_NONE && definition->origin == CONTROL_MANIFEST)
        return error_set(err, ERROR_INVALID, "a manifest has its spec in it: no 'spec' beside it"),
               apply_place(apply, spec, err);
    if (spec != JSON_NONE &&
        !json_is(apply->doc, json_get(apply->doc, spec, "connectionSpecification"), JSON_OBJECT))
        return error_set(err, ERROR_INVALID,
                         "a 'spec' is a connector's ConnectorSpecification, an object with a "
                         "'connectionSpecification'; without it the connector is asked"),
               apply_place(apply, spec, err);
    if (definition->origin == CONTROL_MANIFEST)
        return 0;
    definition->spec = apply_raw(apply, at, "spec");
    definition->spec_of = definition->spec.size ? label : NULL;
    if (!definition->spec.size && there && there->spec_of && strcmp(there->spec_of, label) == 0) {
        definition->spec = there->spec;
        definition->spec_of = there->spec_of;
    }
    return 0;
}

static int read_definition(struct apply *apply, uint32_t at, struct control_definition *definition,
                           struct error *err)
{
    const char *kind = apply_text_or(apply, at, "kind", ""), *image = apply_text(apply, at, "image");
    uint32_t manifest = json_get(apply->doc, at, "manifest");
    definition->command = apply_raw(apply, at, "command");
    if (strcmp(kind, "source") != 0 && strcmp(kind, "destination") != 0)
        return error_set(err, ERROR_INVALID, "'kind' is source or destination"), apply_place(apply, at, err);
    if ((image != NULL) + (manifest != JSON_NONE) + (definition->command.size > 0) != 1)
        return error_set(err, ERROR_INVALID, "a definition has an 'image', a 'command' or a 'manifest'"),
               apply_place(apply, at, err);
    definition->side = strcmp(kind, "source") == 0 ? CONTROL_SOURCE : CONTROL_DESTINATION;
    definition->name = apply_text_or(apply, at, "name", "");
    definition->documentation_url = apply_text(apply, at, "documentationUrl");
    definition->icon = apply_text(apply, at, "icon");
    definition->extra = apply_raw(apply, at, "extra");
    definition->workspace = apply_text(apply, at, "workspace") ? apply_workspace_of(apply, at) : NULL;
    if (manifest != JSON_NONE && set_manifest(apply, definition, at, err) < 0)
        return apply_place(apply, manifest, err);
    if (manifest == JSON_NONE)
        definitions_set_program(definition, image, apply->arena);
    return 0;
}

static bool is_given(const struct apply *apply, uint32_t at, const char *name, const char *there)
{
    const char *text = apply_text(apply, at, name);
    return !text || apply_same_text(text, there);
}

/* A file may name it, as long as it is what it is: nothing of it can be changed. */
static int take_built_in(struct apply *apply, uint32_t at, const struct control_definition *there,
                         struct error *err)
{
    static const char *const others[] = {"command", "manifest", "workspace", "documentationUrl",
                                         "icon",    "extra",    "spec"};
    const char *image = apply_text(apply, at, "image"), *other = NULL;
    size_t size = image ? strlen(there->repository) : 0;
    bool same = is_given(apply, at, "name", there->name) &&
                is_given(apply, at, "kind", control_side_name(there->side)) &&
                (!image || (strncmp(image, there->repository, size) == 0 && strchr(":", image[size])));
    for (size_t i = 0; i < sizeof others / sizeof *others && !other; i++)
        other = json_get(apply->doc, at, others[i]) == JSON_NONE ? NULL : others[i];
    if (same && !other) {
        apply_note(apply, APPLY_SAME, "definition", there->name);
        return 0;
    }
    error_set(err, ERROR_INVALID,
              "the id %s is that of the built-in %s ('%s'), which stays as it is: leave it out, or give a "
              "connector of your own another id",
              there->id, there->built_in, there->name);
    return apply_place(apply, at, err);
}

int apply_definition(struct apply *apply, uint32_t at, struct error *err)
{
    static const char members[] =
        "id string, name string, kind string, image string, command any, manifest any, workspace string, "
        "documentationUrl string, icon string, extra object, spec any";
    struct control_definition definition = {
        .custom = true, .created_ms = apply->now_ms, .updated_ms = apply->now_ms};
    struct control_definition there;
    const char *part;
    if (apply_only(apply, at, "a definition", members, err) < 0 ||
        apply_id(apply, at, "definition", "", &definition.id, err) < 0)
        return -1;
    int found = control_definition_get(apply->control, definition.id, false, apply->arena, &there, err);
    if (found < 0 && !apply_is_new(found, err))
        return -1;
    if (found == 0 && there.origin == CONTROL_BUILT_IN)
        return take_built_in(apply, at, &there, err);
    if (read_definition(apply, at, &definition, err) < 0 ||
        take_spec(apply, at, found == 0 ? &there : NULL, &definition, err) < 0)
        return -1;
    bool same = found == 0 && same_definition(&definition, &there);
    if (!same && definition.origin == CONTROL_IMAGE &&
        definitions_check_image(definition.repository, definition.tag, &part, err) < 0)
        return apply_place(apply, json_get(apply->doc, at, "image"), err);
    apply_note(apply,
               same         ? APPLY_SAME
               : found == 0 ? APPLY_CHANGED
                            : APPLY_NEW,
               "definition", definition.name);
    if (found == 0)
        definition.created_ms = there.created_ms;
    return same || control_definition_put(apply->control, &definition, err) == 0
               ? 0
               : apply_place(apply, at, err);
}
