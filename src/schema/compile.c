/* From a schema's URI to a program: the work list, names, places. */
#include "schema/compile.h"

#include "schema/uri.h"
#include "json/number.h"

#include <stdarg.h>
#include <stdlib.h>

int compile_error(struct compiler *c, uint32_t node, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return compile_fail(c, ERROR_INVALID, c->resource->document, node,
                        resource_location(c->resource, node, &c->scratch), message);
}

int compile_fail(struct compiler *c, enum error_code code, struct document *document, uint32_t node,
                 const char *where, const char *message)
{
    const char *shown = uri_shown(&c->scratch, where);
    c->failed_in = document;
    c->failed_at = node;
    c->failed_words = strlen("schema : ") + (strlen(shown) > 600 ? 600 : strlen(shown));
    return error_set(c->err, code, "schema %.600s: %s", shown, message);
}

int compile_go_on(struct compiler *c, int result)
{
    struct found_problems *problems = c->problems;
    struct document *document = c->failed_in;
    c->failed_in = NULL;
    if (result >= 0 || !problems || problems->count == SCHEMA_PROBLEMS_MAX)
        return result;
    const char *message = c->err->message + (document ? c->failed_words : 0);
    for (size_t i = 0; i < problems->count; i++) {
        const struct found_problem *found = &problems->items[i];
        if (found->document == document &&
            (document ? found->node == c->failed_at : strcmp(found->message, message) == 0))
            return 0;
    }
    problems->items[problems->count++] =
        (struct found_problem){document, c->failed_at, arena_strdup(problems->arena, message)};
    return 0;
}

int compile_limit(struct compiler *c, uint32_t node, const char *format, ...)
{
    char message[ERROR_MESSAGE_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    compile_error(c, node, "%s", message);
    c->err->code = ERROR_LIMIT;
    return -1;
}

uint32_t compile_place(struct compiler *c, const struct place *place)
{
    uint32_t number = PROGRAM_ADD(c, struct place, places, place_count, place_capacity);
    c->program->places[number] = *place;
    return number;
}

static uint32_t document_number(struct compiler *c, struct document *document)
{
    for (size_t i = c->program->document_count; i > 0; i--) {
        if (c->program->documents[i - 1] == document)
            return (uint32_t)(i - 1);
    }
    uint32_t number = PROGRAM_ADD(c, struct document *, documents, document_count, document_capacity);
    c->program->documents[number] = document_hold(document);
    return number;
}

static uint32_t resource_number(struct compiler *c, struct resource *resource)
{
    uintptr_t address = (uintptr_t)resource;
    struct slice key = {(const char *)&address, sizeof address};
    void *found = map_get(&c->resource_of, key);
    if (found)
        return (uint32_t)((uintptr_t)found - 1);
    document_number(c, resource->document);
    uint32_t number = PROGRAM_ADD(c, struct resource *, resources, resource_count, resource_capacity);
    c->program->resources[number] = resource;
    map_set(&c->resource_of, key, (void *)(uintptr_t)(number + 1));
    return number;
}

/* A "$schema" that is not usable matters if the schema is part of what it stands on. */
static int check_problem(struct compiler *c, struct schema_target target)
{
    const struct resource *resource = target.resource;
    if (!resource->problem)
        return 0;
    const struct schema_root *root = document_root_of(resource->document, target.node);
    if (root && root->node > resource->node)
        return 0;
    return compile_fail(c, ERROR_INVALID, resource->document, resource->node, resource->uri,
                        resource->problem);
}

int compile_target(struct compiler *c, struct schema_target target, uint32_t *ret_rule)
{
    struct document *document = target.resource->document;
    enum json_tag tag = json_tag(&document->json, target.node);
    if (tag == JSON_TRUE || tag == JSON_FALSE) {
        *ret_rule = tag == JSON_TRUE ? RULE_TRUE : RULE_FALSE;
        return 0;
    }
    if (tag != JSON_OBJECT) {
        struct slice raw = json_raw(&document->json, target.node);
        const char *message =
            arena_printf(&c->scratch, "expected a schema (an object, true or false), got %.*s",
                         (int)utf8_cut(raw.data, raw.size, 60), raw.data);
        return compile_fail(c, ERROR_INVALID, document, target.node,
                            resource_location(target.resource, target.node, &c->scratch), message);
    }
    struct {
        struct document *document;
        uint64_t node;
    } pair = {document, target.node};
    struct slice key = {(const char *)&pair, sizeof pair};
    void *found = map_get(&c->rule_of, key);
    if (found) {
        *ret_rule = (uint32_t)((uintptr_t)found - 1);
        return 0;
    }
    if (check_problem(c, target) < 0)
        return -1;
    if (c->work_count >= SCHEMA_RULES_MAX)
        return error_set(c->err, ERROR_LIMIT, "schema %s needs more than %d rules", target.resource->uri,
                         SCHEMA_RULES_MAX);
    c->works = mem_grow(c->works, &c->work_capacity, c->work_count + 1, sizeof *c->works);
    uint32_t rule = (uint32_t)c->work_count++, resource = resource_number(c, target.resource);
    c->works[rule] = (struct work){
        .resource = target.resource,
        .resource_number = resource,
        .node = target.node,
        .types = TYPE_ANY,
        .place = compile_place(c, &(struct place){PLACE_NONE, resource, target.node, 0, KEYWORD_NONE})};
    map_set(&c->rule_of, key, (void *)(uintptr_t)(rule + 1));
    *ret_rule = rule;
    return 0;
}

int compile_rule(struct compiler *c, uint32_t node, uint32_t *ret_rule)
{
    *ret_rule = RULE_FALSE;
    struct schema_target target = {document_resource_of(c->resource->document, node), node};
    return compile_go_on(c, compile_target(c, target, ret_rule));
}

void compile_emit(struct compiler *c, enum op_code code, enum keyword keyword, uint32_t a, uint32_t b)
{
    struct work *work = &c->works[c->rule];
    c->ops = mem_grow(c->ops, &c->op_capacity, c->op_count + 1, sizeof *c->ops);
    c->ops[c->op_count++] =
        (struct op){.code = (uint8_t)code, .keyword = (uint8_t)keyword, .a = a, .b = b, .place = work->place};
    work->op_count++;
}

struct name compile_name(struct compiler *c, uint32_t node)
{
    struct slice text = json_string(c->json, node, &c->program->arena);
    return (struct name){text.data, (uint32_t)text.size, json_key_hash(text.data, text.size)};
}

int compile_regex(struct compiler *c, uint32_t node, uint32_t *ret_regex)
{
    *ret_regex = 0;
    struct slice pattern = json_string(c->json, node, &c->scratch);
    void *found = map_get(&c->regex_of, pattern);
    if (found) {
        *ret_regex = (uint32_t)((uintptr_t)found - 1);
        return 0;
    }
    struct error err;
    struct regex *regex = regex_compile(pattern, &err);
    if (!regex)
        return compile_error(c, node, "\"%.*s\" is %s: %s", (int)utf8_cut(pattern.data, pattern.size, 80),
                             pattern.data,
                             err.code == ERROR_LIMIT ? "a regular expression that Firth cannot run"
                                                     : "not a regular expression of ECMA-262",
                             err.message);
    uint32_t number = PROGRAM_ADD(c, struct regex *, regexes, regex_count, regex_capacity);
    c->program->regexes[number] = regex;
    c->patterns_size += regex_size(regex);
    if (c->patterns_size > SCHEMA_PATTERNS_SIZE_MAX)
        return compile_limit(c, node, "compiled, the patterns take more than %d MiB",
                             SCHEMA_PATTERNS_SIZE_MAX >> 20);
    map_set(&c->regex_of, pattern, (void *)(uintptr_t)(number + 1));
    *ret_regex = number;
    return 0;
}

int compile_count(struct compiler *c, enum keyword keyword, uint32_t absent, uint32_t *ret_count)
{
    uint32_t node = facet(c, keyword);
    uint64_t value;
    *ret_count = absent;
    if (node == JSON_NONE)
        return 0;
    if (json_to_u64(c->json, node, &value)) {
        *ret_count = value > UINT32_MAX - 1 ? UINT32_MAX - 1 : (uint32_t)value;
        return 0;
    }
    struct slice raw = json_raw(c->json, node);
    if (!json_is_number(c->json, node) || !number_is_integer(raw) || raw.data[0] == '-')
        return compile_error(c, node, "expected a count (0, 1, 2, …), got %.*s",
                             (int)utf8_cut(raw.data, raw.size, 60), raw.data);
    *ret_count = UINT32_MAX - 1;
    return 0;
}

static int compile_work(struct compiler *c, uint32_t rule)
{
    struct work *work = &c->works[rule];
    struct facets facets;
    memset(&facets, 0xff, sizeof facets);
    c->rule = rule;
    c->resource = work->resource;
    c->json = &work->resource->document->json;
    c->facets = &facets;
    work->op_first = (uint32_t)c->op_count;
    const struct dialect *dialect = &work->resource->dialect;
    for (uint32_t key = json_first_key(c->json, work->node); key != JSON_NONE;
         key = json_next_key(c->json, work->node, key)) {
        enum keyword keyword = keyword_find(&c->registry->keywords, c->json, key);
        if (keyword != KEYWORD_NONE && keyword_in(keyword, dialect))
            facets.at[keyword] = json_value(key);
    }
    if (compile_go_on(c, compile_references(c)) < 0)
        return -1;
    if (dialect->draft <= SCHEMA_DRAFT_7 && facets.at[KEYWORD_REF] != JSON_NONE)
        return 0; /* up to draft 7 whatever stands beside $ref is ignored */
    compile_notes(c);
    return compile_go_on(c, compile_assertions(c)) < 0 || compile_go_on(c, compile_array(c)) < 0 ||
                   compile_go_on(c, compile_object(c)) < 0 || compile_go_on(c, compile_applicators(c)) < 0
               ? -1
               : 0;
}

/* Drain the work list, give dynamic references their candidates, until neither has more. */
static int compile_all(struct compiler *c)
{
    int more;
    do {
        for (; c->work_done < c->work_count; c->work_done++) {
            if (compile_work(c, (uint32_t)c->work_done) < 0)
                return -1;
        }
        more = c->problems && c->problems->count ? 0 : compile_dynamics(c);
    } while (more > 0);
    return more;
}

static void compiler_done(struct compiler *c)
{
    arena_done(&c->scratch);
    arena_done(&c->uris);
    free(c->works);
    free(c->ops);
    map_done(&c->rule_of);
    map_done(&c->regex_of);
    map_done(&c->resource_of);
}

static void compiler_init(struct compiler *c, struct schema_registry *registry,
                          const struct schema_options *options, struct error *err)
{
    static const struct schema_options defaults = {0};
    *c = (struct compiler){.registry = registry, .options = options ? options : &defaults, .err = err};
    arena_init(&c->scratch);
    arena_init(&c->uris);
    map_init(&c->rule_of);
    map_init(&c->regex_of);
    map_init(&c->resource_of);
    c->program = mem_zalloc(sizeof *c->program);
    arena_init(&c->program->arena);
    c->works = mem_grow(NULL, &c->work_capacity, RULE_FIRST, sizeof *c->works);
    memset(c->works, 0, RULE_FIRST * sizeof *c->works);
    c->works[RULE_TRUE].types = TYPE_ANY;
    c->work_count = c->work_done = RULE_FIRST;
}

static int compile_rules(struct compiler *c, const char *uri)
{
    struct schema_target target = {0};
    return registry_resolve(c->registry, NULL, uri, &target, c->err) < 0 ||
                   compile_target(c, target, &c->program->root) < 0 || compile_all(c) < 0
               ? -1
               : 0;
}

struct schema *compile_program(struct schema_registry *registry, const char *uri,
                               const struct schema_options *options, bool check, struct error *err)
{
    struct compiler c;
    struct error compile_failure = {0};
    compiler_init(&c, registry, options, &compile_failure);
    int result = compile_rules(&c, uri);
    if (result == 0)
        result = compile_link(&c);
    /* The metaschema has the better place and words for most mistakes: it is asked first where both object.
     */
    if (check && (result == 0 || compile_failure.code == ERROR_INVALID)) {
        struct error check_failure = {0};
        c.err = &check_failure;
        if (compile_check(&c) < 0) {
            result = -1;
            compile_failure = check_failure;
        }
    }
    compiler_done(&c);
    if (result < 0) {
        *err = compile_failure;
        schema_free(c.program);
        return NULL;
    }
    return c.program;
}

/* All that is wrong, in the order in which it was found. */
static void find_problems(struct schema_registry *registry, const char *uri,
                          const struct schema_options *options, struct found_problems *problems)
{
    struct compiler c;
    struct error failure = {0};
    struct found_problems later = {.arena = problems->arena};
    compiler_init(&c, registry, options, &failure);
    /* The rules say which documents the metaschema is asked about, and the metaschema has the better words
     * where both object. */
    c.problems = &later;
    compile_go_on(&c, compile_rules(&c, uri));
    c.problems = problems;
    compile_go_on(&c, compile_check(&c));
    for (size_t i = 0; i < later.count; i++) {
        const struct found_problem *found = &later.items[i];
        snprintf(failure.message, sizeof failure.message, "%s", found->message);
        c.failed_in = found->document;
        c.failed_at = found->node;
        c.failed_words = 0;
        compile_go_on(&c, -1);
    }
    if (problems->count == 0)
        compile_go_on(&c, compile_link(&c));
    compiler_done(&c);
    schema_free(c.program);
}

static int compare_problems(const void *a, const void *b)
{
    const struct found_problem *x = a, *y = b;
    if (x->document != y->document)
        return strcmp(x->document ? x->document->uri : "", y->document ? y->document->uri : "");
    return x->node < y->node ? -1 : x->node > y->node;
}

size_t schema_problems(struct schema_registry *registry, const char *uri,
                       const struct schema_options *options, struct arena *arena,
                       struct schema_problem ret_problems[SCHEMA_PROBLEMS_MAX])
{
    struct found_problems problems = {.arena = arena};
    find_problems(registry, uri, options, &problems);
    qsort(problems.items, problems.count, sizeof *problems.items, compare_problems);
    for (size_t i = 0; i < problems.count; i++) {
        const struct found_problem *found = &problems.items[i];
        struct buffer pointer;
        buffer_init(&pointer, BUFFER_UNLIMITED);
        if (found->document)
            json_pointer_of(&found->document->json, found->node, &pointer);
        ret_problems[i] =
            (struct schema_problem){.uri = found->document ? arena_strdup(arena, found->document->uri) : NULL,
                                    .pointer = arena_strdup(arena, buffer_cstr(&pointer)),
                                    .message = found->message};
        buffer_done(&pointer);
    }
    return problems.count;
}

void schema_problems_error(struct schema_registry *registry, const char *uri,
                           const struct schema_options *options, struct error *err)
{
    enum { ROOM = ERROR_MESSAGE_MAX - 128 };
    struct schema_problem problems[SCHEMA_PROBLEMS_MAX];
    struct arena arena;
    struct buffer text;
    arena_init(&arena);
    buffer_init(&text, BUFFER_UNLIMITED);
    size_t count = schema_problems(registry, uri, options, &arena, problems), shown = 0;
    for (; shown < count && count > 1; shown++) {
        const struct schema_problem *problem = &problems[shown];
        const char *where = problem->uri ? uri_shown(&arena, problem->uri) : "";
        if (text.size + strlen(where) + strlen(problem->pointer) + strlen(problem->message) > ROOM)
            break;
        buffer_printf(&text, "\n  %s%s%s%s%s", where,
                      problem->uri && *problem->pointer && !strchr(where, '#') ? "#" : "", problem->pointer,
                      problem->uri ? ": " : "", problem->message);
    }
    if (shown > 0)
        error_set(err, ERROR_INVALID, "the schema has %zu%s errors:%s%s", count,
                  count == SCHEMA_PROBLEMS_MAX ? " or more" : "", buffer_cstr(&text),
                  shown < count ? "\n  and others" : "");
    buffer_done(&text);
    arena_done(&arena);
}

struct schema *schema_compile(struct schema_registry *registry, const char *uri, struct error *err)
{
    return compile_program(registry, uri, NULL, true, err);
}

struct schema *schema_compile_with(struct schema_registry *registry, const char *uri,
                                   const struct schema_options *options, struct error *err)
{
    return compile_program(registry, uri, options, true, err);
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; i < schema->regex_count; i++)
        regex_free(schema->regexes[i]);
    for (size_t i = 0; i < schema->document_count; i++)
        document_release(schema->documents[i]);
    for (size_t i = 0; i < schema->dynamic_count; i++)
        free(schema->dynamics[i].candidates);
    free(schema->rules);
    free(schema->quicks);
    free(schema->ranges);
    free(schema->ops);
    free(schema->places);
    free(schema->lists);
    free(schema->names);
    free(schema->objects);
    free(schema->arrays);
    free(schema->contains);
    free(schema->enums);
    free(schema->numbers);
    free(schema->choices);
    free(schema->dynamics);
    free(schema->regexes);
    free(schema->resources);
    free(schema->documents);
    free(schema->rule_notes);
    free(schema->notes);
    arena_done(&schema->arena);
    free(schema);
}
