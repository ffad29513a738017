/* tests: steps that ingest documents into collections, and steps that verify what then is in others. */
#include "catalog/loader.h"

/* An array, inline or a file's. */
static bool build_documents(struct loader *loader, struct value value, struct slice *ret_documents)
{
    if (value_has_tag(value, JSON_STRING)) {
        const char *path = value_string(loader, value);
        struct source *source = path ? loader_open(loader, value, path, false) : NULL;
        if (!source)
            return false;
        value = (struct value){source, 0};
        if (!value_is(loader, value, TYPE_LIST, "a file of documents"))
            return false;
    }
    for (struct value each = value_first(value); value_there(each); each = value_next(value, each)) {
        if (!value_is(loader, each, TYPE_MAPPING, "a document"))
            return false;
    }
    return variables_json(loader, value, ret_documents);
}

static bool build_step(struct loader *loader, struct value value, struct catalog_test_step *step)
{
    enum { INGEST, VERIFY, STEP_COUNT };
    static const struct key_rule step_rules[STEP_COUNT] = {
        [INGEST] = {"ingest", TYPE_MAPPING, false},
        [VERIFY] = {"verify", TYPE_MAPPING, false},
    };
    enum { COLLECTION, DOCUMENTS, DESCRIPTION, COUNT };
    static const struct key_rule rules[COUNT] = {
        [COLLECTION] = {"collection", TYPE_STRING | TYPE_MAPPING, true},
        [DOCUMENTS] = {"documents", TYPE_LIST | TYPE_STRING, true},
        [DESCRIPTION] = {"description", TYPE_STRING, false},
    };
    struct value steps[STEP_COUNT], values[COUNT];
    if (!value_members(loader, value, "a step", step_rules, STEP_COUNT, steps))
        return false;
    if (value_there(steps[INGEST]) == value_there(steps[VERIFY])) {
        loader_problem(loader, value, "a step is either 'ingest' or 'verify'");
        return false;
    }
    *step = (struct catalog_test_step){.place = loader_place(value), .verify = value_there(steps[VERIFY])};
    struct value what = steps[step->verify ? VERIFY : INGEST];
    if (!value_members(loader, what, "a step", rules, COUNT, values) || !value_there(values[COLLECTION]) ||
        !value_there(values[DOCUMENTS]))
        return false;
    const char *description =
        value_there(values[DESCRIPTION]) ? value_string(loader, values[DESCRIPTION]) : NULL;
    step->description = description ? description : "";
    if (!source_build(loader, values[COLLECTION], step->verify ? SOURCE_ANY : SOURCE_NAME, &step->source) ||
        !build_documents(loader, values[DOCUMENTS], &step->documents))
        return false;
    if (!step->verify && step->source.collection->derived) {
        loader_problem(loader, values[COLLECTION],
                       "'%s' is derived: documents are ingested into what it is derived from",
                       step->source.collection->name);
        return false;
    }
    return true;
}

static void build_test(struct loader *loader, const struct entry *entry, struct catalog_test *test)
{
    enum { DESCRIPTION, STEPS, PUB_ID, DELETE, COUNT };
    static const struct key_rule rules[COUNT] = {
        [DESCRIPTION] = {"description", TYPE_STRING, false},
        [STEPS] = {"steps", TYPE_LIST, true},
        [PUB_ID] = {"expectPubId", TYPE_STRING | TYPE_NULL, false},
        [DELETE] = {"delete", TYPE_BOOL, false},
    };
    struct value values[COUNT], list = entry->value;
    *test = (struct catalog_test){.place = *entry->place, .name = entry->name, .description = ""};
    if (!value_is(loader, entry->value, TYPE_LIST | TYPE_MAPPING, "a test"))
        return;
    if (value_has_tag(entry->value, JSON_OBJECT)) {
        if (!value_members(loader, entry->value, "a test", rules, COUNT, values))
            return;
        list = values[STEPS];
        const char *description =
            value_there(values[DESCRIPTION]) ? value_string(loader, values[DESCRIPTION]) : NULL;
        test->description = description ? description : "";
    }
    struct catalog_test_step *steps = arena_zalloc(loader->arena, (value_count(list) + 1) * sizeof *steps);
    for (struct value each = value_first(list); value_there(each); each = value_next(list, each))
        test->step_count += build_step(loader, each, &steps[test->step_count]);
    test->steps = steps;
}

void tests_build(struct loader *loader)
{
    struct entries *entries = &loader->sections[SECTION_TESTS];
    struct catalog_test *tests = arena_zalloc(loader->arena, (entries->count + 1) * sizeof *tests);
    for (size_t i = 0; i < entries->count; i++)
        build_test(loader, entries->items[i], &tests[i]);
    loader->catalog->tests = tests;
    loader->catalog->test_count = entries->count;
}
