#include "plan.h"

/* From a target's fields to a table's columns. */

void sql_names_init(struct sql_names *names)
{
    names->count = 0;
    names->capacity = 16;
    names->items = mem_zalloc(names->capacity * sizeof *names->items);
}

void sql_names_add(struct sql_names *names, const char *name)
{
    names->items = mem_grow(names->items, &names->capacity, names->count + 2, sizeof *names->items);
    names->items[names->count++] = name;
    names->items[names->count] = NULL;
}

void sql_names_done(struct sql_names *names)
{
    free(names->items);
}

bool sql_plan_overwrites(const struct sql_plan *plan)
{
    return (plan->target->sync_mode & (FIRTH_OVERWRITE | FIRTH_OVERWRITE_DEDUP)) != 0;
}

bool sql_plan_dedups(const struct sql_plan *plan)
{
    return plan->key_count && (plan->target->sync_mode & (FIRTH_APPEND_DEDUP | FIRTH_OVERWRITE_DEDUP));
}

/* --- the table's name -------------------------------------------------------------------------------- */

struct name_list {
    struct arena *arena;
    struct sql_names names;
};

static int add_name(void *context, const struct slice *values, size_t count, struct error *err)
{
    struct name_list *list = context;
    (void)count, (void)err;
    sql_names_add(&list->names, arena_strndup(list->arena, values[0].data, values[0].size));
    return 0;
}

/* Other targets' tables of this schema. */
static void names_in_schema(const struct sql_names *all, const char *schema, struct sql_names *ret_names)
{
    size_t size = strlen(schema);
    for (size_t i = 0; i < all->count; i++) {
        if (strncmp(all->items[i], schema, size) == 0 && all->items[i][size] == '\n')
            sql_names_add(ret_names, all->items[i] + size + 1);
    }
}

static int name_table(struct sql_plan *plan, const struct sql_dialect *dialect, struct sql_db *db,
                      const struct sql_settings *settings, struct sql_names *taken, struct arena *arena,
                      struct error *err)
{
    static const char *const none[] = {NULL};
    const struct firth_target *target = plan->target;
    const char *space = target->name_space, *wanted = target->name, *identity = target->name;
    const char *schema = dialect->has_schemas && space ? space : settings->schema ? settings->schema : "";
    plan->schema =
        dialect->has_schemas ? sql_name_choose(dialect, false, schema, schema, none, none, arena) : "";
    if (!dialect->has_schemas && space) {
        wanted = arena_printf(arena, "%s_%s", space, target->name);
        identity = arena_printf(arena, "%s\n%s", space, target->name);
    }
    if (settings->raw)
        wanted = arena_printf(arena, "_airbyte_raw_%s", wanted);
    struct name_list existing = {.arena = arena};
    struct sql_names others;
    sql_names_init(&existing.names);
    sql_names_init(&others);
    int result = dialect->tables(db, plan->schema, add_name, &existing, err);
    if (result == 0) {
        names_in_schema(taken, plan->schema, &others);
        plan->table =
            sql_name_choose(dialect, true, wanted, identity, existing.names.items, others.items, arena);
        plan->quoted = sql_quoted_table(dialect, plan->schema, plan->table, arena);
        sql_names_add(taken, arena_printf(arena, "%s\n%s", plan->schema, plan->table));
    }
    sql_names_done(&existing.names);
    sql_names_done(&others);
    return result;
}

/* --- its columns ------------------------------------------------------------------------------------- */

struct builder {
    struct sql_plan *plan;
    const struct sql_dialect *dialect;
    struct sql_names existing, taken;
    struct json schema;
    struct arena *arena;
};

static size_t add_column(struct builder *builder, const char *wanted, const char *identity,
                         enum sql_type type, struct sql_source source)
{
    struct sql_plan *plan = builder->plan;
    size_t at = plan->columns.count++;
    const char *name = sql_name_choose(builder->dialect, false, wanted, identity, builder->existing.items,
                                       builder->taken.items, builder->arena);
    sql_names_add(&builder->taken, name);
    while (type < SQL_TYPE_COUNT && !builder->dialect->type_names[type])
        type = sql_table_wider(builder->dialect, type);
    plan->columns.items[at] = (struct sql_column){name, type};
    plan->sources[at] = source;
    plan->sources[at].name = identity;
    return at;
}

static void add_own(struct builder *builder, const char *name, enum sql_type type, enum sql_role role)
{
    size_t at = add_column(builder, name, name, type, (struct sql_source){.role = role});
    if (role == SQL_GENERATION)
        builder->plan->generation = (long)at;
}

/* "a.b" for /a/b */
static const char *nested_name(const char *pointer, struct arena *arena)
{
    char *name = arena_strdup(arena, pointer + (*pointer == '/'));
    for (char *at = name; *at; at++) {
        if (*at == '/')
            *at = '.';
    }
    return name;
}

static size_t column_of_pointer(struct builder *builder, const char *pointer)
{
    const struct firth_target *target = builder->plan->target;
    for (size_t i = 0; i < builder->plan->columns.count; i++) {
        const struct sql_source *source = &builder->plan->sources[i];
        if (source->role == SQL_FIELD && strcmp(target->fields[source->field].pointer, pointer) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Its columns are fields of the first level; what lies deeper, or is in no schema, gets a column of its own,
 * of text, which any value can be. */
static void add_keys(struct builder *builder)
{
    struct sql_plan *plan = builder->plan;
    const struct firth_target *target = plan->target;
    for (size_t i = 0; target->primary_key[i]; i++) {
        const char *pointer = target->primary_key[i];
        size_t at = column_of_pointer(builder, pointer);
        if (at == SIZE_MAX) {
            const char *name = nested_name(pointer, builder->arena);
            at = add_column(builder, name, pointer, SQL_TEXT,
                            (struct sql_source){.role = SQL_NESTED_KEY, .pointer = pointer});
        }
        plan->sources[at].in_key = true;
        plan->keys[plan->key_count++] = at;
    }
}

static bool is_number(enum sql_type type)
{
    return type == SQL_INTEGER || type == SQL_HUGE || type == SQL_NUMBER;
}

static void add_fields(struct builder *builder)
{
    struct sql_plan *plan = builder->plan;
    const struct firth_target *target = plan->target;
    for (size_t i = 0; i < target->field_count; i++) {
        const struct firth_field *field = &target->fields[i];
        enum sql_type type = sql_type_of(field, builder->schema.count ? &builder->schema : NULL);
        size_t at = add_column(builder, field->name, field->name, type,
                               (struct sql_source){.role = SQL_FIELD, .field = i, .number = is_number(type)});
        if (field->is_document)
            plan->document = (long)at;
        if (target->cursor && strcmp(target->cursor, field->pointer) == 0)
            plan->cursor = (long)at;
        if (strcmp(field->pointer, "/_ab_cdc_deleted_at") == 0)
            plan->deleted = (long)at;
    }
}

static void add_columns(struct builder *builder, const struct sql_settings *settings)
{
    if (settings->raw) {
        add_own(builder, "_airbyte_ab_id", SQL_TEXT, SQL_RAW_ID);
        add_own(builder, "_airbyte_emitted_at", SQL_TIMESTAMP, SQL_EXTRACTED_AT);
        add_own(builder, "_airbyte_data", SQL_DOCUMENT, SQL_DATA);
        return;
    }
    if (!builder->plan->target->live) {
        add_own(builder, "_airbyte_raw_id", SQL_TEXT, SQL_RAW_ID);
        add_own(builder, "_airbyte_extracted_at", SQL_TIMESTAMPTZ, SQL_EXTRACTED_AT);
        add_own(builder, "_airbyte_meta", SQL_JSON, SQL_META);
        add_own(builder, "_airbyte_generation_id", SQL_INTEGER, SQL_GENERATION);
    }
    add_fields(builder);
    add_keys(builder);
}

/* --- whose table is there --------------------------------------------------------------------------------
 */

/* A column that the connector's own tables surely have. Under Flow's protocol not every field that a
 * collection offers is selected, but its key is, and its document, which only delta updates can do without.
 */
static bool is_sure(const struct sql_plan *plan, size_t column)
{
    const struct sql_source *source = &plan->sources[column];
    if (plan->sources[0].role != SQL_FIELD)
        return column == 0;
    if (source->role == SQL_FIELD && plan->target->fields[source->field].is_document)
        return true;
    return source->in_key && (plan->document < 0 || plan->target->sync_mode == FIRTH_APPEND);
}

/* Somebody else's table of that name is not touched. */
static int refuse_foreign(const struct sql_plan *plan, const struct sql_columns *there, struct error *err)
{
    const char *needed = NULL;
    for (size_t i = 0; i < plan->columns.count; i++) {
        const char *name = plan->columns.items[i].name;
        if (!is_sure(plan, i))
            continue;
        for (size_t k = 0; k < there->count; k++) {
            if (strcmp(there->items[k].name, name) == 0)
                return 0;
        }
        needed = needed ? needed : name;
    }
    if (!needed)
        return 0;
    return error_set(
        err, ERROR_INVALID,
        "the table %s is there, but is not one of this connector's: it has no column %s; drop or "
        "rename it, or have the stream written to another schema or under another name",
        plan->quoted, needed);
}

int sql_plan_make(struct sql_plan *ret_plan, const struct sql_dialect *dialect, struct sql_db *db,
                  const struct sql_settings *settings, const struct firth_target *target,
                  struct sql_names *taken, struct arena *arena, struct error *err)
{
    enum { OWN_COLUMNS = 4 };
    struct sql_plan plan = {.target = target, .cursor = -1, .deleted = -1, .generation = -1, .document = -1};
    struct builder builder = {.plan = &plan, .dialect = dialect, .arena = arena};
    struct sql_columns there = {0};
    struct error ignored;
    size_t keys = 0;
    while (target->primary_key[keys])
        keys++;
    size_t most = target->field_count + keys + OWN_COLUMNS;
    plan.columns.items = arena_zalloc(arena, most * sizeof *plan.columns.items);
    plan.sources = arena_zalloc(arena, most * sizeof *plan.sources);
    plan.keys = arena_zalloc(arena, (keys + 1) * sizeof *plan.keys);
    if (name_table(&plan, dialect, db, settings, taken, arena, err) < 0 ||
        sql_columns_read(dialect, db, plan.schema, plan.table, arena, &there, err) < 0)
        return -1;
    /* A schema that is none has no types; the fields say what they are all the same. */
    if (!target->json_schema.size || json_parse_copy(arena, target->json_schema.data,
                                                     target->json_schema.size, &builder.schema, &ignored) < 0)
        builder.schema = (struct json){0};
    sql_names_init(&builder.existing);
    sql_names_init(&builder.taken);
    for (size_t i = 0; i < there.count; i++)
        sql_names_add(&builder.existing, there.items[i].name);
    sql_names_add(&builder.taken, SQL_BATCH_ROW); /* of a batch, beside the table's own */
    sql_names_add(&builder.taken, SQL_BATCH_OPERATION);
    add_columns(&builder, settings);
    sql_names_done(&builder.existing);
    sql_names_done(&builder.taken);
    if (there.count && refuse_foreign(&plan, &there, err) < 0)
        return -1;
    *ret_plan = plan;
    return 0;
}
