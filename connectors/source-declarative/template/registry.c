#include "registry.h"

#include "run.h"
#include "template.h"

enum { FILTERS_MAX = 96, GLOBALS_MAX = 48 };

static const struct filter *const TABLES[] = {filters_text,   filters_more_text, filters_sequence,
                                              filters_number, filters_cdk,       filters_wrap,
                                              filters_pprint, filters_link};
static const struct builtin *const GLOBALS[] = {globals_cdk, globals_jinja};

const struct filter *registry_filter(struct slice name)
{
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        for (const struct filter *filter = TABLES[i]; filter->builtin.name; filter++) {
            if (slice_is(name, filter->builtin.name))
                return filter;
        }
    }
    return NULL;
}

static const char *nearest(struct slice name, const char *const *names, size_t count)
{
    char written[STRING_DISTANCE_MAX];
    if (name.size >= sizeof written)
        return NULL;
    memcpy(written, name.data, name.size);
    written[name.size] = 0;
    return string_nearest(written, names, count);
}

const char *template_near_function(struct slice name)
{
    const char *names[GLOBALS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof GLOBALS / sizeof *GLOBALS; i++) {
        for (const struct builtin *global = GLOBALS[i]; global->name && count < GLOBALS_MAX; global++)
            names[count++] = global->name;
    }
    return nearest(name, names, count);
}

const char *registry_near_filter(struct slice name)
{
    const char *names[FILTERS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        for (const struct filter *filter = TABLES[i]; filter->builtin.name && count < FILTERS_MAX; filter++)
            names[count++] = filter->builtin.name;
    }
    return nearest(name, names, count);
}

bool registry_global(struct slice name, struct tvalue *ret_value)
{
    for (size_t i = 0; i < sizeof GLOBALS / sizeof *GLOBALS; i++) {
        for (const struct builtin *global = GLOBALS[i]; global->name; global++) {
            if (slice_is(name, global->name)) {
                *ret_value = (struct tvalue){.kind = TVALUE_FUNCTION, .pointer = (void *)global};
                return true;
            }
        }
    }
    return false;
}

int run_filter_named(struct run *run, struct slice name, const struct tvalue *value, const struct call *call,
                     struct tvalue *ret_value)
{
    const struct filter *filter = registry_filter(name);
    if (!filter)
        return run_fail(run, "there is no filter '%.*s'", SLICE_ARGS(run_shown(run, name)));
    return run_builtin(run, &filter->builtin, value, call, ret_value);
}
