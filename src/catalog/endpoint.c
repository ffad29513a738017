/* Endpoints: a connector's image, a local command, a push capture. */
#include "catalog/loader.h"

/* --- connector ------------------------------------------------------------------------------------- */

static bool build_connector(struct loader *loader, struct value value, struct catalog_endpoint *endpoint)
{
    enum { IMAGE, CONFIG, COUNT };
    static const struct key_rule rules[COUNT] = {
        [IMAGE] = {"image", TYPE_STRING, true},
        [CONFIG] = {"config", TYPE_MAPPING | TYPE_STRING, true},
    };
    struct value values[COUNT];
    if (!value_members(loader, value, "a connector", rules, COUNT, values))
        return false;
    bool fine = value_there(values[IMAGE]) && value_there(values[CONFIG]);
    if (value_there(values[IMAGE])) {
        endpoint->image_place = loader_place(values[IMAGE]);
        endpoint->image = value_string(loader, values[IMAGE]);
        if (endpoint->image && (!*endpoint->image || strpbrk(endpoint->image, " \t\n"))) {
            loader_problem(loader, values[IMAGE],
                           "'%s' is not an image's name, like ghcr.io/estuary/source-s3:dev",
                           value_written(loader, values[IMAGE]));
            endpoint->image = NULL;
        }
        fine &= endpoint->image != NULL;
    }
    if (value_there(values[CONFIG]))
        fine &= config_build(loader, values[CONFIG], endpoint);
    return fine;
}

/* --- local ----------------------------------------------------------------------------------------- */

static const char *const *build_words(struct loader *loader, struct value list)
{
    const char **words = arena_zalloc(loader->arena, (value_count(list) + 1) * sizeof *words);
    size_t count = 0;
    bool fine = true;
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each)) {
        const char *word =
            value_is(loader, each, TYPE_STRING, "a word of the command") ? value_string(loader, each) : NULL;
        fine &= word != NULL;
        if (word)
            words[count++] = word;
    }
    if (fine && (count == 0 || !*words[0])) {
        loader_problem(loader, list, "'command' needs the program's name as its first word");
        return NULL;
    }
    return fine ? words : NULL;
}

static bool env_name_valid(const char *name)
{
    return *name && !strchr(name, '=') && !(*name >= '0' && *name <= '9');
}

static const char *const *build_env(struct loader *loader, struct value mapping)
{
    const char **env = arena_zalloc(loader->arena, (value_count(mapping) + 1) * sizeof *env);
    size_t count = 0;
    bool fine = true;
    loader->hides = true;
    for (struct value key = value_first(mapping); value_there(key); key = value_next(mapping, key)) {
        struct value value = value_of_key(key);
        const char *name = value_string(loader, key);
        if (name && !env_name_valid(name)) {
            loader_problem(loader, key, "'%s' cannot be the name of an environment variable",
                           value_written(loader, key));
            name = NULL;
        }
        const char *content = value_is(loader, value, TYPE_STRING, "the value of an environment variable")
                                  ? value_string(loader, value)
                                  : NULL;
        if (name && content)
            env[count++] = arena_printf(loader->arena, "%s=%s", name, content);
        else
            fine = false;
    }
    loader->hides = false;
    return fine ? env : NULL;
}

static bool build_local(struct loader *loader, struct value value, struct catalog_endpoint *endpoint)
{
    enum { COMMAND, CONFIG, ENV, PROTOCOL, PROTOBUF, COUNT };
    static const struct key_rule rules[COUNT] = {
        [COMMAND] = {"command", TYPE_LIST, true},
        [CONFIG] = {"config", TYPE_MAPPING | TYPE_STRING, true},
        [ENV] = {"env", TYPE_MAPPING | TYPE_NULL, false},
        [PROTOCOL] = {"protocol", TYPE_STRING, false},
        [PROTOBUF] = {"protobuf", TYPE_BOOL, false},
    };
    static const char *const protocols[] = {"airbyte", "flow"};
    struct value values[COUNT];
    if (!value_members(loader, value, "a local endpoint", rules, COUNT, values))
        return false;
    bool fine = value_there(values[COMMAND]) && value_there(values[CONFIG]);
    endpoint->image_place = loader_place(value_there(values[COMMAND]) ? values[COMMAND] : value);
    if (value_there(values[COMMAND]))
        fine &= (endpoint->command = build_words(loader, values[COMMAND])) != NULL;
    fine &= (endpoint->env = build_env(loader, values[ENV])) != NULL;
    if (value_there(values[CONFIG]))
        fine &= config_build(loader, values[CONFIG], endpoint);
    endpoint->protobuf = value_true(values[PROTOBUF]);
    if (value_there(values[PROTOCOL])) {
        int protocol = value_word(loader, values[PROTOCOL], "'protocol'", protocols, RULES_COUNT(protocols));
        if (protocol < 0)
            endpoint->command = NULL; /* nobody knows how to talk to it */
        fine &= protocol >= 0;
        endpoint->protocol = protocol == 0 ? CATALOG_PROTOCOL_AIRBYTE : CATALOG_PROTOCOL_FLOW;
    }
    return fine;
}

/* --- dekaf ----------------------------------------------------------------------------------------- */

static bool build_dekaf(struct loader *loader, struct value value, struct catalog_endpoint *endpoint)
{
    enum { VARIANT, CONFIG, COUNT };
    static const struct key_rule rules[COUNT] = {
        [VARIANT] = {"variant", TYPE_STRING, true},
        [CONFIG] = {"config", TYPE_MAPPING | TYPE_STRING, true},
    };
    struct value values[COUNT];
    return value_members(loader, value, "'dekaf'", rules, COUNT, values) && value_there(values[CONFIG]) &&
           config_build(loader, values[CONFIG], endpoint);
}

/* --- which ----------------------------------------------------------------------------------------- */

enum { KIND_CONNECTOR, KIND_LOCAL, KIND_INGEST, KIND_DEKAF, KIND_COUNT };
static const struct {
    struct key_rule rule;
    unsigned bit;
    enum catalog_endpoint_kind kind;
} kinds[KIND_COUNT] = {
    [KIND_CONNECTOR] = {{"connector", TYPE_MAPPING, false}, ENDPOINT_CONNECTOR, CATALOG_ENDPOINT_CONNECTOR},
    [KIND_LOCAL] = {{"local", TYPE_MAPPING, false}, ENDPOINT_LOCAL, CATALOG_ENDPOINT_LOCAL},
    [KIND_INGEST] = {{"ingest", TYPE_MAPPING, false}, ENDPOINT_INGEST, CATALOG_ENDPOINT_INGEST},
    [KIND_DEKAF] = {{"dekaf", TYPE_MAPPING, false}, ENDPOINT_DEKAF, CATALOG_ENDPOINT_DEKAF},
};

bool endpoint_build(struct loader *loader, struct value value, const char *what, unsigned allowed,
                    enum catalog_protocol protocol, struct catalog_endpoint *ret_endpoint)
{
    struct key_rule rules[KIND_COUNT];
    size_t of_kind[KIND_COUNT], count = 0;
    const char *choices = "";
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!(allowed & kinds[i].bit))
            continue;
        of_kind[count] = i;
        choices = arena_printf(&loader->scratch, "%s%s'%s'", choices, count ? ", " : "", kinds[i].rule.name);
        rules[count++] = kinds[i].rule;
    }
    struct value values[KIND_COUNT];
    if (!value_members(loader, value, what, rules, count, values))
        return false;
    struct value chosen = {value.source, JSON_NONE};
    size_t kind = 0;
    for (size_t i = 0; i < count; i++) {
        if (!value_there(values[i]))
            continue;
        if (value_there(chosen)) {
            loader_problem(loader, values[i], "%s must be one of %s, not two", what, choices);
            return false;
        }
        chosen = values[i];
        kind = of_kind[i];
    }
    if (!value_there(chosen)) {
        if (value_count(value) == 0)
            loader_problem(loader, value, "%s must be one of %s", what, choices);
        return false;
    }
    struct catalog_endpoint endpoint = {
        .place = loader_place(value),
        .config_places = {.whole = loader_place(value)},
        .kind = kinds[kind].kind,
        .protocol = protocol,
        .folder = value.source->folder,
    };
    bool fine = kind == KIND_CONNECTOR ? build_connector(loader, chosen, &endpoint)
                : kind == KIND_LOCAL   ? build_local(loader, chosen, &endpoint)
                : kind == KIND_DEKAF   ? build_dekaf(loader, chosen, &endpoint)
                                       : variables_json(loader, chosen, &endpoint.config);
    /* What is right of it can be checked further, whatever else is wrong. */
    *ret_endpoint = endpoint;
    return fine;
}

/* --- shards ---------------------------------------------------------------------------------------- */

bool shards_disable(struct loader *loader, struct value value, enum log_level *ret_level)
{
    enum {
        DISABLE,
        MIN_TXN,
        MAX_TXN,
        HOT_STANDBYS,
        RING_BUFFER,
        READ_CHANNEL,
        LOG_LEVEL,
        SHUFFLE_LIMIT,
        FLAGS,
        COUNT
    };
    static const struct key_rule rules[COUNT] = {
        [DISABLE] = {"disable", TYPE_BOOL, false},
        [MIN_TXN] = {"minTxnDuration", TYPE_DURATION | TYPE_NULL, false},
        [MAX_TXN] = {"maxTxnDuration", TYPE_DURATION | TYPE_NULL, false},
        [HOT_STANDBYS] = {"hotStandbys", TYPE_INTEGER | TYPE_NULL, false},
        [RING_BUFFER] = {"ringBufferSize", TYPE_INTEGER | TYPE_NULL, false},
        [READ_CHANNEL] = {"readChannelSize", TYPE_INTEGER | TYPE_NULL, false},
        [LOG_LEVEL] = {"logLevel", TYPE_STRING | TYPE_NULL, false},
        [SHUFFLE_LIMIT] = {"shuffleDiskLimit", TYPE_INTEGER | TYPE_NULL, false},
        [FLAGS] = {"flags", TYPE_MAPPING | TYPE_NULL, false},
    };
    static const char *const levels[] = {"error", "warn", "info", "debug", "trace"};
    struct value values[COUNT];
    uint64_t ms;
    *ret_level = LOG_INFO;
    if (!value_there(value) || !value_members(loader, value, "'shards'", rules, COUNT, values))
        return false;
    if (value_there(values[MIN_TXN]))
        value_duration(loader, values[MIN_TXN], "'minTxnDuration'", &ms);
    if (value_there(values[MAX_TXN]))
        value_duration(loader, values[MAX_TXN], "'maxTxnDuration'", &ms);
    if (value_there(values[LOG_LEVEL])) {
        int level = value_word(loader, values[LOG_LEVEL], "'logLevel'", levels, RULES_COUNT(levels));
        if (level >= 0)
            *ret_level = (enum log_level)log_level_parse(levels[level]);
    }
    return value_true(values[DISABLE]);
}
