/* Which rules a "$schema" stands for. */
#include "schema/registry.h"
#include "schema/uri.h"

static const struct {
    const char *uri;
    enum schema_draft draft; /* 0: known, not spoken */
} known[] = {
    {"https://json-schema.org/draft/2020-12/schema", SCHEMA_DRAFT_2020_12},
    {"https://json-schema.org/draft/2019-09/schema", SCHEMA_DRAFT_2019_09},
    {"http://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
    {"http://json-schema.org/draft-06/schema", SCHEMA_DRAFT_6},
    {"http://json-schema.org/draft-04/schema", SCHEMA_DRAFT_4},
    /* not the drafts' names, but often written */
    {"http://json-schema.org/draft/2020-12/schema", SCHEMA_DRAFT_2020_12},
    {"http://json-schema.org/draft/2019-09/schema", SCHEMA_DRAFT_2019_09},
    {"https://json-schema.org/draft-07/schema", SCHEMA_DRAFT_7},
    {"https://json-schema.org/draft-06/schema", SCHEMA_DRAFT_6},
    {"https://json-schema.org/draft-04/schema", SCHEMA_DRAFT_4},
    {"http://json-schema.org/draft-03/schema", 0},
};
enum { KNOWN_COUNT = sizeof known / sizeof *known };

static const struct {
    enum schema_draft draft;
    const char *uri;
    uint32_t bits;
} vocabularies[] = {
#define VOCABULARY_2020_12 "https://json-schema.org/draft/2020-12/vocab/"
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "core", VOCABULARY_CORE},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "applicator", VOCABULARY_APPLICATOR},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "unevaluated", VOCABULARY_UNEVALUATED},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "validation", VOCABULARY_VALIDATION},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "meta-data", VOCABULARY_OTHER},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "content", VOCABULARY_OTHER},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "format-annotation", VOCABULARY_FORMAT},
    {SCHEMA_DRAFT_2020_12, VOCABULARY_2020_12 "format-assertion",
     VOCABULARY_FORMAT | VOCABULARY_FORMAT_ASSERTION},
#define VOCABULARY_2019_09 "https://json-schema.org/draft/2019-09/vocab/"
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "core", VOCABULARY_CORE},
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "applicator", VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED},
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "validation", VOCABULARY_VALIDATION},
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "meta-data", VOCABULARY_OTHER},
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "content", VOCABULARY_OTHER},
    {SCHEMA_DRAFT_2019_09, VOCABULARY_2019_09 "format", VOCABULARY_FORMAT},
};

struct dialect dialect_of_draft(enum schema_draft draft)
{
    size_t i = 0;
    while (known[i].draft != draft)
        i++;
    return (struct dialect){draft, VOCABULARY_ALL, known[i].uri};
}

/* 1 known, 0 unknown, -1 known and not spoken. */
static int known_draft(const char *uri, struct dialect *ret_dialect, struct error *err)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(known[i].uri, uri) != 0)
            continue;
        if (known[i].draft == 0)
            return error_set(
                err, ERROR_UNSUPPORTED,
                "$schema \"%s\" is a draft that is not supported; 2020-12, 2019-09, 7, 6 and 4 are", uri);
        *ret_dialect = dialect_of_draft(known[i].draft);
        return 1;
    }
    return 0;
}

static int unknown_metaschema(const char *uri, struct error *err)
{
    const char *names[KNOWN_COUNT];
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        names[i] = known[i].uri;
    const char *nearest = strlen(uri) <= 200 ? string_nearest(uri, names, KNOWN_COUNT) : NULL;
    if (nearest)
        return error_set(err, ERROR_INVALID, "$schema \"%.200s\" is not known; did you mean \"%s\"?", uri,
                         nearest);
    return error_set(err, ERROR_INVALID,
                     "$schema \"%.200s\" is not known; 2020-12 is \"%s\", draft 7 is \"%s\"", uri,
                     known[0].uri, dialect_of_draft(SCHEMA_DRAFT_7).metaschema);
}

static uint32_t vocabulary_bits(enum schema_draft draft, struct slice uri)
{
    for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++) {
        if (vocabularies[i].draft == draft && slice_is(uri, vocabularies[i].uri))
            return vocabularies[i].bits;
    }
    return 0;
}

/* The vocabularies that a metaschema's "$vocabulary" names; without one the draft's own. */
static int read_vocabularies(const struct document *metaschema, struct dialect *dialect, struct error *err)
{
    const struct json *json = &metaschema->json;
    uint32_t vocabulary = json_get(json, 0, "$vocabulary");
    if (!json_is(json, vocabulary, JSON_OBJECT) || dialect->draft < SCHEMA_DRAFT_2019_09)
        return 0;
    dialect->vocabularies = VOCABULARY_CORE;
    for (uint32_t k = json_first_key(json, vocabulary); k != JSON_NONE;
         k = json_next_key(json, vocabulary, k)) {
        struct slice uri = json_escaped(json, k) ? SLICE_LITERAL("") : json_inner(json, k);
        uint32_t bits = vocabulary_bits(dialect->draft, uri);
        bool required = json_is(json, json_value(k), JSON_TRUE);
        if (bits == 0 && required)
            return error_set(err, ERROR_UNSUPPORTED,
                             "metaschema %.200s requires the vocabulary \"%.*s\", unknown here",
                             metaschema->uri, (int)(uri.size > 200 ? 200 : uri.size), uri.data);
        /* 2019-09 has one vocabulary for both: requiring it makes "format" assert. */
        if (required && dialect->draft == SCHEMA_DRAFT_2019_09 && bits == VOCABULARY_FORMAT)
            bits |= VOCABULARY_FORMAT_ASSERTION;
        dialect->vocabularies |= bits;
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
            result = unknown_metaschema(uri, err);
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
