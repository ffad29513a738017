/* A materialization's `source`: the capture whose collections it takes, each to a resource of its own that is
 * named after the collection (`targetNaming`). Collections that the catalog binds itself are left to it. */
#include "catalog/loader.h"

#include "json/writer.h"

/* What is written of how to name them. */
struct naming {
    enum catalog_naming kind;
    const char *schema; /* for all of them; NULL: none of its own */
    const char *schema_template, *table_template;
};

/* --- which capture ---------------------------------------------------------------------------------- */

static const struct catalog_capture *find_capture(struct loader *loader, struct value value)
{
    const char *name = value_string(loader, value);
    for (size_t i = 0; name && i < loader->catalog->capture_count; i++) {
        if (strcmp(loader->catalog->captures[i].name, name) == 0)
            return &loader->catalog->captures[i];
    }
    if (name && !loader->incomplete && !loader_entry(loader, SECTION_CAPTURES, name)) {
        const char **names =
            arena_alloc(&loader->scratch, (loader->catalog->capture_count + 1) * sizeof *names);
        for (size_t i = 0; i < loader->catalog->capture_count; i++)
            names[i] = loader->catalog->captures[i].name;
        loader_problem(loader, value, "there is no capture '%s'%s", value_written(loader, value),
                       loader_suggest(loader, name, names, loader->catalog->capture_count));
    }
    return NULL;
}

static void build_naming(struct loader *loader, struct value value, struct naming *naming)
{
    static const char *const words[] = {
        [CATALOG_NAMING_NO_SCHEMA] = "noSchema",
        [CATALOG_NAMING_WITH_SCHEMA] = "withSchema",
        [CATALOG_NAMING_PREFIX_SCHEMA] = "prefixSchema",
        [CATALOG_NAMING_PREFIX_NON_DEFAULT] = "prefixNonDefaultSchema",
    };
    const char *text = value_has_tag(value, JSON_STRING) ? value_string(loader, value) : NULL;
    if (!text)
        return;
    if (strcmp(text, "leaveEmpty") == 0) { /* older words for two of them */
        naming->kind = CATALOG_NAMING_NO_SCHEMA;
    } else if (strcmp(text, "fromSourceName") == 0) {
        naming->kind = CATALOG_NAMING_WITH_SCHEMA;
    } else {
        int word = value_word(loader, value, "'targetNaming'", words, RULES_COUNT(words));
        naming->kind = word < 0 ? naming->kind : (enum catalog_naming)word;
    }
}

static void build_source(struct loader *loader, struct value value,
                         struct catalog_materialization *materialization, struct naming *naming)
{
    enum { CAPTURE, DELTA, RECOMMENDED, NAMING, OLD_NAMING, COUNT };
    static const struct key_rule rules[COUNT] = {
        [CAPTURE] = {"capture", TYPE_STRING | TYPE_NULL, false},
        [DELTA] = {"deltaUpdates", TYPE_BOOL, false},
        [RECOMMENDED] = {"fieldsRecommended", TYPE_BOOL | TYPE_INTEGER | TYPE_NULL, false},
        [NAMING] = {"targetNaming", TYPE_STRING | TYPE_NULL, false},
        [OLD_NAMING] = {"targetSchema", TYPE_STRING | TYPE_NULL, false}, /* the older name of targetNaming */
    };
    struct value none = {value.source, JSON_NONE}, values[COUNT] = {value, none, none, none, none};
    if (value_has_tag(value, JSON_OBJECT) && !value_members(loader, value, "'source'", rules, COUNT, values))
        return;
    if (value_has_tag(values[CAPTURE], JSON_STRING))
        materialization->source_capture = find_capture(loader, values[CAPTURE]);
    materialization->source_delta_updates = value_true(values[DELTA]);
    if (value_there(values[RECOMMENDED]) && !value_has_tag(values[RECOMMENDED], JSON_NULL))
        materialization->source_recommended = fields_recommended(loader, values[RECOMMENDED]);
    build_naming(loader, value_has_tag(values[NAMING], JSON_STRING) ? values[NAMING] : values[OLD_NAMING],
                 naming);
}

/* --- their names ------------------------------------------------------------------------------------- */

/* A template without its placeholder would name all of them the same. */
static const char *build_template(struct loader *loader, struct value value, const char *placeholder)
{
    const char *text = value_has_tag(value, JSON_STRING) ? value_string(loader, value) : NULL;
    if (text && !strstr(text, placeholder))
        loader_problem(loader, value, "the template must have '%s' in it, where the name goes", placeholder);
    return text;
}

/* The newer way to say it. */
static void build_strategy(struct loader *loader, struct value value, struct naming *naming)
{
    enum { STRATEGY, SCHEMA, SCHEMA_TEMPLATE, TABLE_TEMPLATE, SKIP_DEFAULTS, COUNT };
    enum { MATCH, SINGLE, PREFIX };
    static const struct key_rule rules[COUNT] = {
        [STRATEGY] = {"strategy", TYPE_STRING, true},
        [SCHEMA] = {"schema", TYPE_STRING | TYPE_NULL, false},
        [SCHEMA_TEMPLATE] = {"schemaTemplate", TYPE_STRING | TYPE_NULL, false},
        [TABLE_TEMPLATE] = {"tableTemplate", TYPE_STRING | TYPE_NULL, false},
        [SKIP_DEFAULTS] = {"skipCommonDefaults", TYPE_BOOL, false},
    };
    static const char *const strategies[] = {
        [MATCH] = "matchSourceStructure", [SINGLE] = "singleSchema", [PREFIX] = "prefixTableNames"};
    static const enum catalog_naming meant[] = {[MATCH] = CATALOG_NAMING_WITH_SCHEMA,
                                                [SINGLE] = CATALOG_NAMING_NO_SCHEMA,
                                                [PREFIX] = CATALOG_NAMING_PREFIX_SCHEMA};
    struct value values[COUNT];
    if (!value_has_tag(value, JSON_OBJECT) ||
        !value_members(loader, value, "'targetNaming'", rules, COUNT, values) ||
        !value_there(values[STRATEGY]))
        return;
    int strategy = value_word(loader, values[STRATEGY], "'strategy'", strategies, RULES_COUNT(strategies));
    if (strategy < 0)
        return;
    naming->kind = strategy == PREFIX && value_true(values[SKIP_DEFAULTS]) ? CATALOG_NAMING_PREFIX_NON_DEFAULT
                                                                           : meant[strategy];
    naming->table_template = build_template(loader, values[TABLE_TEMPLATE], "{{table}}");
    if (strategy == MATCH)
        naming->schema_template = build_template(loader, values[SCHEMA_TEMPLATE], "{{schema}}");
    else if (value_has_tag(values[SCHEMA], JSON_STRING))
        naming->schema = value_string(loader, values[SCHEMA]);
}

static const char *fill(struct loader *loader, const char *template, const char *placeholder,
                        const char *name)
{
    const char *at = template ? strstr(template, placeholder) : NULL;
    return at ? arena_printf(loader->arena, "%.*s%s%s", (int)(at - template), template, name,
                             at + strlen(placeholder))
              : name;
}

/* "acmeCo/public/users": the table is users, the schema public. */
static void name_target(struct loader *loader, const struct naming *naming, const char *collection,
                        const char **ret_table, const char **ret_schema)
{
    const char *slash = strrchr(collection, '/'), *table = slash ? slash + 1 : collection, *schema = NULL;
    if (slash) {
        const char *begin = slash;
        while (begin > collection && begin[-1] != '/')
            begin--;
        schema = arena_strndup(loader->arena, begin, (size_t)(slash - begin));
    }
    bool usual = schema && (strcmp(schema, "public") == 0 || strcmp(schema, "dbo") == 0);
    if (schema && (naming->kind == CATALOG_NAMING_PREFIX_SCHEMA ||
                   (naming->kind == CATALOG_NAMING_PREFIX_NON_DEFAULT && !usual)))
        table = arena_printf(loader->arena, "%s_%s", schema, table);
    *ret_table = fill(loader, naming->table_template, "{{table}}", table);
    *ret_schema = naming->schema && *naming->schema ? naming->schema : NULL;
    if (schema && naming->kind == CATALOG_NAMING_WITH_SCHEMA)
        *ret_schema = fill(loader, naming->schema_template, "{{schema}}", schema);
}

/* --- bindings ---------------------------------------------------------------------------------------- */

static struct slice target_text(struct loader *loader, const char *table, const char *schema, bool delta)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "table", table);
    if (schema)
        json_member_string(&writer, "schema", schema);
    if (delta)
        json_member_bool(&writer, "deltaUpdates", true);
    json_end_object(&writer);
    struct slice copy = {arena_dup(loader->arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

static bool is_bound(const struct catalog_materialization_binding *bindings, size_t count,
                     const struct catalog_collection *collection)
{
    for (size_t i = 0; i < count; i++) {
        if (bindings[i].source.collection == collection)
            return true;
    }
    return false;
}

static struct catalog_materialization_binding
make_binding(struct loader *loader, struct value value, const struct naming *naming,
             const struct catalog_materialization *materialization,
             const struct catalog_collection *collection)
{
    const char *table, *schema;
    name_target(loader, naming, collection->name, &table, &schema);
    return (struct catalog_materialization_binding){
        .place = loader_place(value),
        .name = table,
        .source = {.place = loader_place(value),
                   .collection = collection,
                   .not_before_ms = INT64_MIN,
                   .not_after_ms = INT64_MAX},
        .resource = target_text(loader, table, schema, materialization->source_delta_updates),
        .from_source = true,
        .fields = {.recommended = materialization->source_recommended},
        .on_incompatible = materialization->on_incompatible};
}

/* Two collections that would be one table: told here, where the names are known. */
static void check_names(struct loader *loader, struct value value,
                        const struct catalog_materialization_binding *bindings, size_t first, size_t count)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = first; i < count; i++) {
        const struct catalog_materialization_binding *earlier = map_get(&seen, bindings[i].resource);
        if (earlier)
            loader_problem(loader, value,
                           "the collections '%s' and '%s' would both be called '%s': bind one of them "
                           "yourself, or choose another targetNaming, such as prefixSchema",
                           earlier->source.collection->name, bindings[i].source.collection->name,
                           bindings[i].name);
        else
            map_set(&seen, bindings[i].resource, (void *)&bindings[i]);
    }
    map_done(&seen);
}

static void add_bindings(struct loader *loader, struct value value, const struct naming *naming,
                         struct catalog_materialization *materialization)
{
    const struct catalog_capture *capture = materialization->source_capture;
    size_t own = materialization->binding_count, count = own;
    struct catalog_materialization_binding *bindings =
        arena_zalloc(loader->arena, (own + capture->binding_count + 1) * sizeof *bindings);
    if (own)
        memcpy(bindings, materialization->bindings, own * sizeof *bindings);
    for (size_t i = 0; i < capture->binding_count; i++) {
        const struct catalog_collection *collection = capture->bindings[i].target;
        if (collection && !capture->bindings[i].disable && !is_bound(bindings, count, collection))
            bindings[count++] = make_binding(loader, value, naming, materialization, collection);
    }
    check_names(loader, value, bindings, own, count);
    if (count > CATALOG_BINDINGS_MAX)
        loader_problem(loader, value, "%zu bindings with those of the capture '%s'; at most %d are possible",
                       count, capture->name, CATALOG_BINDINGS_MAX);
    materialization->bindings = bindings;
    materialization->binding_count = count;
}

void source_capture_build(struct loader *loader, struct value source, struct value target_naming,
                          struct catalog_materialization *materialization)
{
    struct naming naming = {.kind = CATALOG_NAMING_PREFIX_NON_DEFAULT};
    materialization->source_recommended = CATALOG_FIELDS_ALL;
    if (value_there(source) && !value_has_tag(source, JSON_NULL))
        build_source(loader, source, materialization, &naming);
    build_strategy(loader, target_naming, &naming);
    materialization->source_naming = naming.kind;
    if (materialization->source_capture)
        add_bindings(loader, source, &naming, materialization);
}
