/* Problems: collected with their places, bounded, sorted, handed over at once. */
#include "catalog/loader.h"

#include <stdarg.h>
#include <stdlib.h>

enum { PROBLEM_MAX = 1024 };

void catalog_errors_init(struct catalog_errors *errors)
{
    *errors = (struct catalog_errors){.count = 0};
    arena_init(&errors->arena);
}

void catalog_errors_done(struct catalog_errors *errors)
{
    arena_done(&errors->arena);
    *errors = (struct catalog_errors){.count = 0};
}

static bool in_front(const struct catalog_place *a, const struct catalog_place *b)
{
    return strcmp(a->file, b->file) == 0 &&
           (a->line < b->line || (a->line == b->line && a->column < b->column));
}

/* An alias, or a map that was merged, is used in several places. */
static bool is_there(const struct catalog_errors *errors, const struct catalog_place *place,
                     const char *message)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct catalog_error *error = &errors->items[i];
        if (error->place.line == place->line && error->place.column == place->column &&
            strcmp(error->place.file, place->file) == 0 && strcmp(error->message, message) == 0)
            return true;
    }
    return false;
}

static void put_error(struct catalog_errors *errors, const struct catalog_place *place, bool hide_source,
                      const char *message)
{
    if (is_there(errors, place, message)) {
        errors->repeated++;
        return;
    }
    if (errors->count >= CATALOG_ERRORS_MAX) {
        errors->omitted++;
        return;
    }
    struct catalog_error *items =
        arena_alloc(&errors->arena, (errors->count + 1) * sizeof *items); /* few: at most a hundred */
    size_t before = 0;
    while (before < errors->count && !in_front(place, &errors->items[before].place))
        before++;
    for (size_t i = 0; i < errors->count; i++)
        items[i + (i >= before)] = errors->items[i];
    items[before] = (struct catalog_error){
        .place = {arena_strdup(&errors->arena, place->file), place->line, place->column},
        .message = arena_strdup(&errors->arena, message),
        .hide_source = hide_source,
    };
    errors->items = items;
    errors->count++;
}

void catalog_errors_add(struct catalog_errors *errors, const struct catalog_place *place, bool hide_source,
                        const char *format, ...)
{
    char message[PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    string_one_line(message);
    struct buffer safe; /* it may hold a connector's words */
    buffer_init(&safe, (size_t)8 * sizeof message);
    text_append_printable(&safe, message, strlen(message));
    put_error(errors, place, hide_source, buffer_cstr(&safe));
    buffer_done(&safe);
}

void catalog_errors_first(const struct catalog_errors *errors, struct error *err)
{
    const struct catalog_error *first = &errors->items[0];
    char more[64] = "";
    size_t others = errors->count - 1 + errors->omitted;
    if (others)
        snprintf(more, sizeof more, " (and %zu more)", others);
    if (first->place.line)
        error_set(err, ERROR_INVALID, "%s:%u:%u: %s%s", first->place.file, first->place.line,
                  first->place.column, first->message, more);
    else
        error_set(err, ERROR_INVALID, "%s: %s%s", first->place.file, first->message, more);
}

static void put_problem(struct loader *loader, const struct source *source, struct yaml_position at,
                        const char *message)
{
    const char *file = source ? source->display : loader->catalog->file;
    /* The same mistake, seen twice from two sides, is told once. */
    auto_free char *identity = mem_printf("%s:%u:%u:%s", file, at.line, at.column, message);
    if (map_set(&loader->problem_seen, slice_of(identity), loader))
        return;
    if (loader->problem_count == CATALOG_ERRORS_MAX) {
        loader->errors->omitted++;
        return;
    }
    loader->problems = mem_grow(loader->problems, &loader->problem_capacity, loader->problem_count + 1,
                                sizeof *loader->problems);
    struct arena *arena = &loader->errors->arena;
    loader->problems[loader->problem_count++] = (struct problem){
        .error = {.place = {arena_strdup(arena, file), at.line, at.column},
                  .message = arena_strdup(arena, message),
                  .hide_source = loader->hides || (source && source->secret)},
        .order = source ? source->order : 0,
    };
}

static void add_problem(struct loader *loader, const struct source *source, struct yaml_position at,
                        char *message)
{
    string_one_line(message);
    struct buffer safe;
    buffer_init(&safe, (size_t)8 * PROBLEM_MAX);
    text_append_printable(&safe, message, strlen(message));
    put_problem(loader, source, at, buffer_cstr(&safe));
    buffer_done(&safe);
}

void loader_problem_at(struct loader *loader, const struct source *source, struct yaml_position at,
                       const char *format, ...)
{
    char message[PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    add_problem(loader, source, at, message);
}

void loader_problem(struct loader *loader, struct value value, const char *format, ...)
{
    char message[PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct yaml_position at = value.source && value.source->readable
                                  ? yaml_position(&value.source->doc, value.at)
                                  : (struct yaml_position){0, 0};
    add_problem(loader, value.source, at, message);
}

struct catalog_place loader_place(struct value value)
{
    struct yaml_position at = yaml_position(&value.source->doc, value.at);
    return (struct catalog_place){value.source->display, at.line, at.column};
}

static int compare(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->error.place.line != y->error.place.line)
        return x->error.place.line < y->error.place.line ? -1 : 1;
    if (x->error.place.column != y->error.place.column)
        return x->error.place.column < y->error.place.column ? -1 : 1;
    return strcmp(x->error.message, y->error.message);
}

void loader_hand_over_problems(struct loader *loader)
{
    struct catalog_errors *errors = loader->errors;
    if (loader->problem_count)
        qsort(loader->problems, loader->problem_count, sizeof *loader->problems, compare);
    errors->items = arena_alloc(&errors->arena, (loader->problem_count + 1) * sizeof *errors->items);
    for (size_t i = 0; i < loader->problem_count; i++)
        errors->items[i] = loader->problems[i].error;
    errors->count = loader->problem_count;
}

const char *loader_suggest(struct loader *loader, const char *name, const char *const *candidates,
                           size_t count)
{
    const char *nearest = string_nearest(name, candidates, count);
    return nearest ? arena_printf(&loader->scratch, "; did you mean '%s'?", nearest) : "";
}
