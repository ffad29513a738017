#include "task/source_spec.h"

/* --- writing --------------------------------------------------------------------------------------- */

static void write_partitions(struct json_writer *writer, const char *name,
                             const struct catalog_partition *partitions, size_t count)
{
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_string(writer, "field", partitions[i].projection->field);
        json_member_string(writer, "location", partitions[i].projection->location);
        json_put_key(writer, "values");
        json_begin_array(writer);
        for (size_t j = 0; j < partitions[i].value_count; j++)
            json_put_raw(writer, partitions[i].values[j]);
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_words(struct json_writer *writer, const char *name, const char *const *words, size_t count)
{
    json_put_key(writer, name);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_put_string(writer, words[i]);
    json_end_array(writer);
}

void task_source_spec_write(struct json_writer *writer, const struct catalog_materialization_binding *binding)
{
    const struct catalog_source *source = &binding->source;
    const struct catalog_fields *fields = &binding->fields;
    json_begin_object(writer);
    write_partitions(writer, "include", source->include, source->include_count);
    write_partitions(writer, "exclude", source->exclude, source->exclude_count);
    json_member_i64(writer, "notBeforeMs", source->not_before_ms);
    json_member_i64(writer, "notAfterMs", source->not_after_ms);
    json_member_u64(writer, "priority", binding->priority);
    json_member_bool(writer, "fromSource", binding->from_source);
    json_member_u64(writer, "onIncompatible", binding->on_incompatible);
    json_member_u64(writer, "recommended", fields->recommended);
    json_member_bool(writer, "hasGroupBy", fields->has_group_by);
    write_words(writer, "groupBy", fields->group_by, fields->group_by_count);
    write_words(writer, "excludeFields", fields->exclude, fields->exclude_count);
    json_put_key(writer, "require");
    json_begin_object(writer);
    for (size_t i = 0; i < fields->require_count; i++)
        json_member_raw(writer, fields->require[i].field, fields->require[i].config);
    json_end_object(writer);
    json_end_object(writer);
}

/* --- reading --------------------------------------------------------------------------------------- */

static int wrong(struct error *err, const char *what)
{
    return error_set(err, ERROR_INVALID, "a binding's source: '%s' is missing or not as it should be", what);
}

static int read_partitions(const struct json *doc, const char *name, struct arena *arena,
                           const struct catalog_partition **ret_partitions, size_t *ret_count,
                           struct error *err)
{
    uint32_t list = json_get(doc, 0, name);
    struct catalog_partition *partitions =
        arena_zalloc(arena, (json_count(doc, list) + 1) * sizeof *partitions);
    size_t count = 0;
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        uint32_t values = json_get(doc, at, "values");
        struct catalog_projection *projection = arena_zalloc(arena, sizeof *projection);
        struct slice *slices = arena_alloc(arena, (json_count(doc, values) + 1) * sizeof *slices);
        struct catalog_partition *partition = &partitions[count++];
        projection->partition = true;
        projection->field = json_cstring(doc, json_get(doc, at, "field"), arena);
        projection->location = json_cstring(doc, json_get(doc, at, "location"), arena);
        if (!projection->field || !projection->location)
            return wrong(err, name);
        *partition = (struct catalog_partition){.projection = projection, .values = slices};
        for (uint32_t each = json_first(doc, values); each != JSON_NONE; each = json_next(doc, values, each))
            slices[partition->value_count++] = json_raw(doc, each);
    }
    *ret_partitions = partitions;
    *ret_count = count;
    return 0;
}

static const char *const *read_words(const struct json *doc, const char *name, struct arena *arena,
                                     size_t *ret_count)
{
    uint32_t list = json_get(doc, 0, name);
    const char **words = arena_zalloc(arena, (json_count(doc, list) + 1) * sizeof *words);
    for (uint32_t at = json_first(doc, list); at != JSON_NONE; at = json_next(doc, list, at)) {
        if (json_is(doc, at, JSON_STRING))
            words[(*ret_count)++] = json_cstring(doc, at, arena);
    }
    return words;
}

static void read_require(const struct json *doc, struct arena *arena, struct catalog_fields *fields)
{
    uint32_t object = json_get(doc, 0, "require");
    struct catalog_field_config *require =
        arena_zalloc(arena, (json_count(doc, object) + 1) * sizeof *require);
    for (uint32_t key = json_first_key(doc, object); key != JSON_NONE;
         key = json_next_key(doc, object, key)) {
        struct slice field = json_string(doc, key, arena);
        require[fields->require_count++] = (struct catalog_field_config){
            .field = arena_strndup(arena, field.data, field.size), .config = json_raw(doc, json_value(key))};
    }
    fields->require = require;
}

int task_source_spec_read(struct slice json, struct arena *arena, struct task_source_spec *ret_spec,
                          struct error *err)
{
    struct json *doc = arena_alloc(arena, sizeof *doc);
    struct task_source_spec spec = {0};
    uint64_t priority = 0, on_incompatible = 0, recommended = 0;
    if (json_parse_copy(arena, json.data, json.size, doc, err) < 0)
        return error_wrap(err, "a binding's source");
    const struct {
        const char *name;
        uint64_t *value, max;
    } numbers[] = {{"priority", &priority, UINT32_MAX},
                   {"onIncompatible", &on_incompatible, CATALOG_INCOMPATIBLE_DISABLE_TASK},
                   {"recommended", &recommended, CATALOG_FIELDS_ALL}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint32_t at = json_get(doc, 0, numbers[i].name);
        if (at == JSON_NONE || !json_to_u64(doc, at, numbers[i].value) || *numbers[i].value > numbers[i].max)
            return wrong(err, numbers[i].name);
    }
    uint32_t before = json_get(doc, 0, "notBeforeMs"), after = json_get(doc, 0, "notAfterMs");
    if (before == JSON_NONE || !json_to_i64(doc, before, &spec.source.not_before_ms) || after == JSON_NONE ||
        !json_to_i64(doc, after, &spec.source.not_after_ms))
        return wrong(err, "notBeforeMs");
    if (read_partitions(doc, "include", arena, &spec.source.include, &spec.source.include_count, err) < 0 ||
        read_partitions(doc, "exclude", arena, &spec.source.exclude, &spec.source.exclude_count, err) < 0)
        return -1;
    spec.priority = (uint32_t)priority;
    spec.from_source = json_is(doc, json_get(doc, 0, "fromSource"), JSON_TRUE);
    spec.on_incompatible = (enum catalog_on_incompatible)on_incompatible;
    spec.fields.recommended = (uint32_t)recommended;
    spec.fields.has_group_by = json_is(doc, json_get(doc, 0, "hasGroupBy"), JSON_TRUE);
    spec.fields.group_by = read_words(doc, "groupBy", arena, &spec.fields.group_by_count);
    spec.fields.exclude = read_words(doc, "excludeFields", arena, &spec.fields.exclude_count);
    read_require(doc, arena, &spec.fields);
    *ret_spec = spec;
    return 0;
}
