/* Which rules a "$schema" stands for. */
#include "schema/registry.h"
#include "schema/uri.h"

static const struct {
    const char *uri;
    enum schema_draft draft; /* 0: known, not spoken */
} known[] = {
    {"https://json-schema.org/draft/2020-12/schema", SCHEMA_DRAFT_2020_12},
    {"http://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
    {"https://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
    {"https://json-schema.org/draft/2019-09/schema", 0},
    {"http://json-schema.org/draft-06/schema", 0},
    {"http://json-schema.org/draft-04/schema", 0},
    {"http://json-schema.org/draft-03/schema", 0},
};

static const struct {
    const char *name;
    uint32_t bit;
} vocabularies[] = {
    {"core", VOCABULARY_CORE},
    {"applicator", VOCABULARY_APPLICATOR},
    {"unevaluated", VOCABULARY_UNEVALUATED},
    {"validation", VOCABULARY_VALIDATION},
    {"meta-data", VOCABULARY_OTHER},
    {"format-annotation", VOCABULARY_OTHER},
    {"content", VOCABULARY_OTHER},
};

#define VOCABULARY_BASE "https://json-schema.org/draft/2020-12/vocab/"

struct dialect dialect_of_draft(enum schema_draft draft)
{
    const char *uri = draft == SCHEMA_DRAFT_7 ? known[1].uri : known[0].uri;
    return (struct dialect){draft, VOCABULARY_ALL, uri};
}

/* 1 known, 0 unknown, -1 known and not spoken. */
static int known_draft(const char *uri, struct dialect *ret_dialect, struct error *err)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].uri, uri) != 0)
            continue;
        if (known[i].draft == 0)
            return error_set(
                err, ERROR_UNSUPPORTED,
                "$schema \"%s\" is a draft that is not supported; 2020-12 (%s) and draft 7 (%s) are", uri,
                known[0].uri, known[1].uri);
        *ret_dialect = dialect_of_draft(known[i].draft);
        return 1;
    }
    return 0;
}

static uint32_t vocabulary_bit(struct slice uri)
{
    if (!slice_starts_with(uri, VOCABULARY_BASE))
        return 0;
    struct slice name = {uri.data + strlen(VOCABULARY_BASE), uri.size - strlen(VOCABULARY_BASE)};
    for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++) {
        if (slice_is(name, vocabularies[i].name))
            return vocabularies[i].bit;
    }
    return 0;
}

/* The vocabularies that a metaschema's "$vocabulary" names; without one the draft's own. */
static int read_vocabularies(const struct document *metaschema, struct dialect *dialect, struct error *err)
{
    const struct json *json = &metaschema->json;
    uint32_t vocabulary = json_get(json, 0, "$vocabulary");
    if (!json_is(json, vocabulary, JSON_OBJECT) || dialect->draft == SCHEMA_DRAFT_7)
        return 0;
    dialect->vocabularies = VOCABULARY_CORE;
    for (uint32_t k = json_first_key(json, vocabulary); k != JSON_NONE;
         k = json_next_key(json, vocabulary, k)) {
        struct slice uri = json_escaped(json, k) ? SLICE_LITERAL("") : json_inner(json, k);
        uint32_t bit = vocabulary_bit(uri);
        if (bit == 0 && json_is(json, json_value(k), JSON_TRUE))
            return error_set(err, ERROR_UNSUPPORTED,
                             "metaschema %.200s requires the vocabulary \"%.*s\", unknown here",
                             metaschema->uri, (int)(uri.size > 200 ? 200 : uri.size), uri.data);
        dialect->vocabularies |= bit;
    }
    return 0;
}

int dialect_find(struct schema_registry *registry, const char *uri, struct dialect *ret_dialect,
                 struct error *err)
{
    struct dialect dialect = {0};
    int is_known = known_draft(uri, &dialect, err);
    if (is_known < 0)
        return -1;
    struct document *metaschema = NULL, *first = NULL;
    struct arena scratch;
    arena_init(&scratch);
    const char *next = uri;
    int result = 0;
    for (int i = 0; !is_known; i++) {
        metaschema = i < SCHEMA_METASCHEMA_CHAIN_MAX ? registry_load(registry, next, err) : NULL;
        if (!metaschema) {
            result = error_set(err, ERROR_INVALID,
                               "$schema \"%.200s\" is not known; 2020-12 is \"%s\", draft 7 is \"%s\"", uri,
                               known[0].uri, known[1].uri);
            break;
        }
        first = first ? first : metaschema;
        uint32_t schema = json_get(&metaschema->json, 0, "$schema");
        if (!json_is(&metaschema->json, schema, JSON_STRING)) {
            dialect = dialect_of_draft(registry->default_draft);
            break;
        }
        next = uri_resolve(&scratch, slice_of(metaschema->uri),
                           json_string(&metaschema->json, schema, &scratch));
        is_known = known_draft(next, &dialect, err);
        if (is_known < 0) {
            result = -1;
            break;
        }
    }
    if (result == 0 && first) {
        dialect.metaschema = first->uri;
        result = read_vocabularies(first, &dialect, err);
    }
    arena_done(&scratch);
    if (result == 0)
        *ret_dialect = dialect;
    return result;
}
