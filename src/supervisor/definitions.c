#include "supervisor/definitions.h"

#include "base/file.h"

#include <ctype.h>

enum { REPOSITORY_MAX = 255, TAG_MAX = 128, DIGEST_DIGITS = 64 };

/* As in Airbyte's registry, which clients have written down: `definitionId` in each connector's metadata.yaml
 * (github.com/airbytehq/airbyte, airbyte-integrations/connectors/NAME), all of these compared with it. */
static const struct {
    const char *name, *id;
} airbyte_ids[] = {
    {"source-faker", "dfd88b22-b603-4c3d-aad7-3701784586b1"},
    {"source-file", "778daa7c-feaf-4db6-96f3-70fd645acc77"},
    {"source-front", "ae390de9-bdd5-4bfa-9d14-34010b44ca50"},
    {"source-google-sheets", "71607ba1-c0ac-4799-8049-7f4b90dd50f7"},
    {"source-mysql", "435bb9a5-7887-4809-aa58-28c27df0d7ad"},
    {"source-postgres", "decd338e-5647-4c0b-adf4-da0e75f5a750"},
    {"source-s3", "69589781-7828-43c5-9f63-8925b1c1ccc2"},
    {"source-webflow", "ef580275-d9a9-48bb-af5e-db0f5855be04"},
    {"destination-duckdb", "94bd199c-2ff0-4aa2-b98e-17f0acb72610"},
    {"destination-google-sheets", "a4cbd2d1-8dbe-4818-b8bc-b90ad782d12a"},
    {"destination-local-json", "a625d593-bba5-4a1c-a53d-2d246268a816"},
    {"destination-postgres", "25c5221d-dce2-4163-ade9-739ef790f503"},
    {"destination-s3", "4816b78f-1489-44c1-9060-4b19d5fa9362"},
    {"destination-sqlite", "b76be0a6-27dc-4560-95f6-2623da0bd7b6"},
};

static void id_of(const char *name, char ret_id[CONTROL_UUID_SIZE])
{
    for (size_t i = 0; i < sizeof airbyte_ids / sizeof *airbyte_ids; i++) {
        if (strcmp(airbyte_ids[i].name, name) == 0) {
            memcpy(ret_id, airbyte_ids[i].id, CONTROL_UUID_SIZE);
            return;
        }
    }
    control_uuid_of(name, ret_id);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int put_one(struct control *control, const struct connector_built_in *item, int64_t now_ms,
                   struct arena *arena, struct error *err)
{
    char id[CONTROL_UUID_SIZE];
    struct control_definition there;
    id_of(item->name, id);
    struct control_definition definition = {
        .id = id,
        .side = string_starts_with(item->name, "destination-") ? CONTROL_DESTINATION : CONTROL_SOURCE,
        .name = item->title ? item->title : item->name,
        .origin = CONTROL_BUILT_IN,
        .built_in = item->name,
        .repository = item->image_names && item->image_names[0] ? item->image_names[0] : item->name,
        .tag = FIRTH_VERSION,
        .created_ms = now_ms,
        .updated_ms = now_ms};
    int result = control_definition_get(control, id, true, arena, &there, err);
    if (result < 0 && err->code != ERROR_NOT_FOUND)
        return -1;
    if (result == 0 && !there.deleted && same(there.name, definition.name) &&
        same(there.built_in, definition.built_in) && same(there.repository, definition.repository) &&
        same(there.tag, definition.tag))
        return 0;
    return control_definition_put(control, &definition, err);
}

int definitions_put_built_ins(struct control *control, const struct connector_catalog *built_ins,
                              int64_t now_ms, struct error *err)
{
    struct arena arena;
    int result = 0;
    arena_init(&arena);
    for (size_t i = 0; i < built_ins->count && result == 0; i++)
        result = put_one(control, &built_ins->items[i], now_ms, &arena, err);
    arena_done(&arena);
    return result;
}

void definitions_set_program(struct control_definition *definition, const char *image, struct arena *arena)
{
    const char *slash = image ? strrchr(image, '/') : NULL;
    const char *colon = image ? strrchr(slash ? slash : image, ':') : NULL;
    definition->origin = image ? CONTROL_IMAGE : CONTROL_COMMAND;
    definition->repository =
        image ? arena_strndup(arena, image, colon ? (size_t)(colon - image) : strlen(image))
              : arena_printf(arena, "local/%s", definition->name);
    definition->tag = colon ? arena_strdup(arena, colon + 1) : image ? "latest" : "dev";
}

/* "airbyte/source-faker", "localhost:5000/me/mine": parts of small letters, digits and "._-" between '/'. The
 * first of several is a registry if it has a dot or a port, which may be written large. */
static bool is_repository(const char *text, size_t size)
{
    const char *end = text + size;
    if (size == 0 || size > REPOSITORY_MAX)
        return false;
    for (const char *at = text, *slash; at; at = slash ? slash + 1 : NULL) {
        slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash ? slash : end;
        size_t part = (size_t)(stop - at);
        if (at == stop || !isalnum((unsigned char)*at))
            return false;
        bool registry = at == text && slash && (memchr(at, '.', part) || memchr(at, ':', part));
        for (const char *c = at; c < stop; c++) {
            bool port = *c == ':' && at == text && slash && c + 1 + strspn(c + 1, "0123456789") == slash;
            if (isupper((unsigned char)*c) && !registry)
                return false;
            if (!isalnum((unsigned char)*c) && !strchr("._-", *c) && !(port && c + 1 < stop))
                return false;
        }
    }
    return true;
}

static bool is_tag(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && (i == 0 || !strchr(".-", text[i])))
            return false;
    }
    return size > 0 && size <= TAG_MAX;
}

int definitions_check_image(const char *repository, const char *tag, const char **ret_part, struct error *err)
{
    static const char digest[] = "@sha256";
    bool pinned = string_ends_with(repository, digest);
    *ret_part = "dockerRepository";
    if (!is_repository(repository, strlen(repository) - (pinned ? strlen(digest) : 0)))
        return error_set(
            err, ERROR_INVALID,
            "'%.100s' is no repository's name, like airbyte/source-faker or "
            "registry.example.com:5000/me/mine (in small letters), to which a tag belongs, or a digest",
            repository);
    *ret_part = "dockerImageTag";
    if (pinned ? strlen(tag) == DIGEST_DIGITS && strspn(tag, "0123456789abcdef") == DIGEST_DIGITS
               : is_tag(tag))
        return 0;
    return error_set(err, ERROR_INVALID, "'%.100s' is no %s", tag,
                     pinned ? "digest, which has 64 hexadecimal digits" : "image's tag, like 1.4 or latest");
}
