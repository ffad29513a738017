#include "task/selector.h"

static int compile_fields(const struct catalog_partition *partitions, size_t count, struct arena *arena,
                          struct selector_field **ret_fields, struct error *err)
{
    struct selector_field *fields = arena_zalloc(arena, (count + 1) * sizeof *fields);
    for (size_t i = 0; i < count; i++) {
        const struct catalog_partition *partition = &partitions[i];
        const char *pointers[] = {arena_strdup(arena, partition->projection->location), NULL};
        fields[i].location = key_compile(pointers, arena).parts[0];
        fields[i].value_count = partition->value_count;
        fields[i].values = arena_zalloc(arena, (partition->value_count + 1) * sizeof *fields[i].values);
        for (size_t j = 0; j < partition->value_count; j++) {
            struct slice text = partition->values[j];
            if (json_parse_copy(arena, text.data, text.size, &fields[i].values[j], err) < 0)
                return error_wrap(err, "a value of the partition %s", partition->projection->field);
        }
    }
    *ret_fields = fields;
    return 0;
}

int selector_compile(const struct catalog_source *source, struct arena *arena, struct selector *ret_selector,
                     struct error *err)
{
    struct selector selector = {.include_count = source->include_count,
                                .exclude_count = source->exclude_count};
    if (compile_fields(source->include, source->include_count, arena, &selector.include, err) < 0 ||
        compile_fields(source->exclude, source->exclude_count, arena, &selector.exclude, err) < 0)
        return -1;
    *ret_selector = selector;
    return 0;
}

static bool has_one_of(const struct selector_field *field, const struct json *doc, uint32_t at)
{
    uint32_t found = key_find(&field->location, doc, at);
    for (size_t i = 0; i < field->value_count; i++) {
        const struct json *value = &field->values[i];
        if (found == JSON_NONE ? json_is(value, 0, JSON_NULL) : json_equal(doc, found, value, 0))
            return true;
    }
    return false;
}

bool selector_takes(const struct selector *selector, const struct json *doc, uint32_t at)
{
    for (size_t i = 0; i < selector->include_count; i++) {
        if (!has_one_of(&selector->include[i], doc, at))
            return false;
    }
    for (size_t i = 0; i < selector->exclude_count; i++) {
        if (has_one_of(&selector->exclude[i], doc, at))
            return false;
    }
    return true;
}
