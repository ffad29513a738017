#include "task/fields.h"

#include "json/writer.h"

#include <ctype.h>
#include <strings.h>

const char fields_time[] = "flow_published_at";

/* Why a field is selected, the weakest first. */
enum { INCOMPATIBLE_SHOWN_MAX = 8 };

enum reason {
    REASON_NONE,
    REASON_RECOMMENDED,
    REASON_PARTITION,
    REASON_LOCATION, /* the connector requires its location, and this is the best field of it */
    REASON_REQUIRED, /* by the connector */
    REASON_WANTED,   /* by the catalog */
    REASON_KEY,
};

struct candidate {
    const struct flow_projection *projection;
    enum flow_constraint_type constraint; /* INVALID: none was given */
    struct slice why;                     /* the connector's reason */
    struct slice folded;                  /* its name at the endpoint, for comparison */
    bool excluded;
    enum reason reason;
};

struct selecting {
    const struct fields_input *input;
    struct arena *arena;
    struct candidate *items;
    size_t count;
    size_t *key; /* candidates, in the order of the key */
    size_t key_count;
    struct error *err;
};

/* --- what is said of each field -------------------------------------------------------------------- */

/* A field may be there twice: what forbids more counts. */
static int severity(enum flow_constraint_type type)
{
    switch (type) {
    case FLOW_CONSTRAINT_FIELD_FORBIDDEN:
        return 5;
    case FLOW_CONSTRAINT_INCOMPATIBLE:
        return 4;
    case FLOW_CONSTRAINT_FIELD_REQUIRED:
        return 3;
    case FLOW_CONSTRAINT_LOCATION_REQUIRED:
        return 2;
    case FLOW_CONSTRAINT_LOCATION_RECOMMENDED:
    case FLOW_CONSTRAINT_FIELD_OPTIONAL:
        return 1;
    case FLOW_CONSTRAINT_INVALID:
        break;
    }
    return 0;
}

static struct slice fold(const struct selecting *selecting, struct slice field, struct slice given)
{
    if (given.size)
        return given;
    if (!selecting->input->case_insensitive)
        return field;
    char *folded = arena_strndup(selecting->arena, field.data, field.size);
    for (size_t i = 0; i < field.size; i++)
        folded[i] = (char)tolower((unsigned char)folded[i]);
    return (struct slice){folded, field.size};
}

static void take_constraints(struct selecting *selecting, struct candidate *candidate)
{
    const struct flow_projection_constraints *all = &selecting->input->constraints;
    struct slice folded = {0};
    for (size_t i = 0; i < all->count; i++) {
        const struct flow_constraint *constraint = all->items[i].constraint;
        if (!constraint || !slice_equal(all->items[i].field, candidate->projection->field))
            continue;
        if (severity(constraint->type) >= severity(candidate->constraint)) {
            candidate->constraint = constraint->type;
            candidate->why = constraint->reason;
        }
        if (constraint->folded_field.size)
            folded = constraint->folded_field;
    }
    candidate->folded = fold(selecting, candidate->projection->field, folded);
}

static bool is_forbidden(const struct candidate *candidate)
{
    return candidate->constraint == FLOW_CONSTRAINT_INVALID ||
           candidate->constraint == FLOW_CONSTRAINT_FIELD_FORBIDDEN;
}

static bool can_have(const struct candidate *candidate)
{
    return !is_forbidden(candidate) && !candidate->excluded;
}

static void raise(struct candidate *candidate, enum reason reason)
{
    if (candidate->reason < reason)
        candidate->reason = reason;
}

static void collect(struct selecting *selecting)
{
    const struct flow_projections *projections = &selecting->input->collection->projections;
    const struct catalog_fields *wanted = selecting->input->wanted;
    selecting->items = arena_zalloc(selecting->arena, (projections->count + 1) * sizeof *selecting->items);
    selecting->count = projections->count;
    for (size_t i = 0; i < projections->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        candidate->projection = &projections->items[i];
        for (size_t j = 0; j < wanted->exclude_count; j++)
            candidate->excluded |= slice_is(candidate->projection->field, wanted->exclude[j]);
        take_constraints(selecting, candidate);
    }
}

static struct candidate *find_field(const struct selecting *selecting, const char *field)
{
    for (size_t i = 0; i < selecting->count; i++) {
        if (slice_is(selecting->items[i].projection->field, field))
            return &selecting->items[i];
    }
    return NULL;
}

/* --- errors ---------------------------------------------------------------------------------------- */

static int unknown_field(const struct selecting *selecting, const char *field, const char *by)
{
    const struct flow_projections *projections = &selecting->input->collection->projections;
    const char **names = arena_alloc(selecting->arena, (projections->count + 1) * sizeof *names);
    for (size_t i = 0; i < projections->count; i++)
        names[i] = arena_strndup(selecting->arena, projections->items[i].field.data,
                                 projections->items[i].field.size);
    const char *nearest = string_nearest(field, names, projections->count);
    return error_set(selecting->err, ERROR_INVALID,
                     "'%s' names the field '%.128s', which %.*s does not have%s%s%s", by, field,
                     SLICE_ARGS(selecting->input->collection->name), nearest ? "; did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?" : "");
}

static const char *because(enum reason reason)
{
    switch (reason) {
    case REASON_KEY:
        return "is part of the key";
    case REASON_WANTED:
        return "is required by the catalog";
    case REASON_REQUIRED:
    case REASON_LOCATION:
        return "is required by the connector";
    case REASON_PARTITION:
        return "is a partition of the collection";
    default:
        return "is recommended";
    }
}

static const char *what_to_write(enum reason reason)
{
    switch (reason) {
    case REASON_KEY:
        return "group by another field with 'groupBy', or give the location another name with a projection";
    case REASON_WANTED:
        return "take it from 'require'";
    default:
        return "write it under 'exclude'";
    }
}

static enum fields_outcome refused(const struct selecting *selecting, const struct candidate *candidate,
                                   enum reason reason)
{
    struct slice field = candidate->projection->field, why = candidate->why;
    if (candidate->excluded) {
        error_set(selecting->err, ERROR_INVALID,
                  "%s: the field '%.*s' %s%s%.*s, but the catalog excludes it; take it from 'exclude'",
                  selecting->input->binding, SLICE_ARGS(field), because(reason), why.size ? ": " : "",
                  SLICE_ARGS(why));
        return FIELDS_CONFLICT;
    }
    error_set(selecting->err, ERROR_INVALID, "%s: the field '%.*s' %s, but the connector %s: %.*s; %s",
              selecting->input->binding, SLICE_ARGS(field), because(reason),
              candidate->constraint == FLOW_CONSTRAINT_INVALID ? "does not mention it" : "forbids it",
              SLICE_ARGS(why.size ? why : SLICE_LITERAL("it gives no reason")), what_to_write(reason));
    return FIELDS_CONFLICT;
}

/* --- the key --------------------------------------------------------------------------------------- */

/* The best field of a location: one that may be had, first what the catalog wants, then what it names. */
static struct candidate *best_of(const struct selecting *selecting, struct slice pointer)
{
    struct candidate *best = NULL;
    int best_score = -1;
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        if (!slice_equal(candidate->projection->pointer, pointer))
            continue;
        int score = can_have(candidate) ? 8 : 0;
        score += candidate->reason >= REASON_PARTITION ? 4 + (int)candidate->reason : 0;
        score += candidate->projection->is_explicit;
        if (score > best_score) {
            best = candidate;
            best_score = score;
        }
    }
    return best;
}

/* A field whose values all documents have in one of the types that keys are made of; the time is no part of a
 * document that is reduced, and changes with every one. */
static int check_group(const struct selecting *selecting, size_t index)
{
    const struct catalog_fields *wanted = selecting->input->wanted;
    const char *field = wanted->group_by[index];
    const struct candidate *candidate = find_field(selecting, field);
    if (!candidate)
        return unknown_field(selecting, field, "groupBy");
    for (size_t i = 0; i < index; i++) {
        if (strcmp(wanted->group_by[i], field) == 0)
            return error_set(selecting->err, ERROR_INVALID, "'groupBy' names the field '%.128s' twice",
                             field);
    }
    const struct flow_projection *projection = candidate->projection;
    if (slice_equal(projection->pointer, flow_uuid_pointer))
        return error_set(selecting->err, ERROR_INVALID,
                         "'groupBy' names the field '%.128s', which is the time of a document and no part "
                         "of a key",
                         field);
    struct flow_texts types = projection->inference ? projection->inference->types : (struct flow_texts){0};
    size_t keyable = 0;
    for (size_t i = 0; i < types.count; i++) {
        struct slice type = types.items[i];
        bool null = slice_is(type, "null");
        keyable += !null;
        if (null || slice_is(type, "string") || slice_is(type, "integer") || slice_is(type, "boolean"))
            continue;
        return error_set(selecting->err, ERROR_INVALID,
                         "'groupBy' names the field '%.128s', which may be of the type %.*s in the schema; "
                         "a key is made of strings, integers and booleans",
                         field, SLICE_ARGS(type));
    }
    if (keyable == 0)
        return error_set(selecting->err, ERROR_INVALID,
                         "'groupBy' names the field '%.128s', which has no value that a key is made of: "
                         "strings, integers and booleans",
                         field);
    return 0;
}

/* A location of the collection's key: whatever a connector will say, it needs a field of it. */
static int check_key(const struct selecting *selecting, struct slice pointer)
{
    struct slice excluded = {0};
    for (size_t i = 0; i < selecting->count; i++) {
        const struct candidate *candidate = &selecting->items[i];
        if (!slice_equal(candidate->projection->pointer, pointer))
            continue;
        if (!candidate->excluded)
            return 0;
        excluded = candidate->projection->field;
    }
    return excluded.size == 0
               ? 0
               : error_set(selecting->err, ERROR_INVALID,
                           "the field '%.*s' %s, but the catalog excludes it; take it from 'exclude'",
                           SLICE_ARGS(excluded), because(REASON_KEY));
}

static void add_wrong(const struct selecting *selecting, int result, struct buffer *wrong)
{
    if (result < 0)
        buffer_printf(wrong, "%s%s", wrong->size ? "; " : "", selecting->err->message);
}

/* All that is wrong is told at once. */
static int check_wanted(const struct selecting *selecting)
{
    const struct catalog_fields *wanted = selecting->input->wanted;
    struct flow_texts key = selecting->input->collection->key;
    struct buffer wrong;
    buffer_init(&wrong, BUFFER_UNLIMITED);
    for (size_t i = 0; wanted->has_group_by && i < wanted->group_by_count; i++)
        add_wrong(selecting, check_group(selecting, i), &wrong);
    for (size_t i = 0; !wanted->has_group_by && i < key.count; i++)
        add_wrong(selecting, check_key(selecting, key.items[i]), &wrong);
    for (size_t i = 0; i < wanted->require_count; i++) {
        if (!find_field(selecting, wanted->require[i].field))
            add_wrong(selecting, unknown_field(selecting, wanted->require[i].field, "require"), &wrong);
    }
    for (size_t i = 0; i < wanted->exclude_count; i++) {
        if (!find_field(selecting, wanted->exclude[i]))
            add_wrong(selecting, unknown_field(selecting, wanted->exclude[i], "exclude"), &wrong);
    }
    int result = wrong.size == 0 ? 0
                                 : error_set(selecting->err, ERROR_INVALID, "%s: %s",
                                             selecting->input->binding, buffer_cstr(&wrong));
    buffer_done(&wrong);
    return result;
}

int fields_check(const struct fields_input *input, struct arena *arena, struct error *err)
{
    struct selecting selecting = {.input = input, .arena = arena, .err = err};
    collect(&selecting);
    return check_wanted(&selecting);
}

static enum fields_outcome choose_key(struct selecting *selecting)
{
    const struct catalog_fields *wanted = selecting->input->wanted;
    struct flow_texts key = selecting->input->collection->key;
    size_t count = wanted->has_group_by ? wanted->group_by_count : key.count;
    selecting->key = arena_zalloc(selecting->arena, (count + 1) * sizeof *selecting->key);
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = wanted->has_group_by ? find_field(selecting, wanted->group_by[i])
                                                           : best_of(selecting, key.items[i]);
        if (!candidate) {
            error_set(selecting->err, ERROR_INVALID, "%s: no field of %.*s is at the key's location %.*s",
                      selecting->input->binding, SLICE_ARGS(selecting->input->collection->name),
                      SLICE_ARGS(key.items[i]));
            return FIELDS_CONFLICT;
        }
        if (!can_have(candidate))
            return refused(selecting, candidate, REASON_KEY);
        candidate->reason = REASON_KEY;
        selecting->key[selecting->key_count++] = (size_t)(candidate - selecting->items);
    }
    return FIELDS_SELECTED;
}

/* --- what has to be -------------------------------------------------------------------------------- */

static enum fields_outcome choose_required(struct selecting *selecting)
{
    const struct catalog_fields *wanted = selecting->input->wanted;
    for (size_t i = 0; i < wanted->require_count; i++) {
        struct candidate *candidate = find_field(selecting, wanted->require[i].field);
        assert(candidate); /* check_wanted */
        if (!can_have(candidate))
            return refused(selecting, candidate, REASON_WANTED);
        raise(candidate, REASON_WANTED);
    }
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        if (candidate->constraint != FLOW_CONSTRAINT_FIELD_REQUIRED)
            continue;
        if (candidate->excluded)
            return refused(selecting, candidate, REASON_REQUIRED);
        raise(candidate, REASON_REQUIRED);
    }
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        if (candidate->constraint != FLOW_CONSTRAINT_LOCATION_REQUIRED)
            continue;
        struct candidate *best = best_of(selecting, candidate->projection->pointer);
        if (!can_have(best))
            return refused(selecting, best, REASON_LOCATION);
        raise(best, REASON_LOCATION);
    }
    return FIELDS_SELECTED;
}

/* --- what is recommended ---------------------------------------------------------------------------- */

static uint32_t depth_of(struct slice pointer)
{
    uint32_t depth = 0;
    for (size_t i = 0; i < pointer.size; i++)
        depth += pointer.data[i] == '/';
    return depth;
}

static bool only_object(const struct flow_projection *projection)
{
    const struct flow_inference *inference = projection->inference;
    return inference && inference->types.count == 1 && slice_is(inference->types.items[0], "object");
}

/* An object of which fields of its own are selected need not be there as a whole. */
static bool has_selected_members(const struct selecting *selecting, struct slice pointer)
{
    for (size_t i = 0; i < selecting->count; i++) {
        struct slice other = selecting->items[i].projection->pointer;
        if (selecting->items[i].reason != REASON_NONE && other.size > pointer.size &&
            memcmp(other.data, pointer.data, pointer.size) == 0 && other.data[pointer.size] == '/')
            return true;
    }
    return false;
}

static bool location_selected(const struct selecting *selecting, struct slice pointer)
{
    for (size_t i = 0; i < selecting->count; i++) {
        if (selecting->items[i].reason != REASON_NONE &&
            slice_equal(selecting->items[i].projection->pointer, pointer))
            return true;
    }
    return false;
}

static void recommend_depth(struct selecting *selecting, uint32_t depth)
{
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        const struct flow_projection *projection = candidate->projection;
        bool named = projection->is_explicit || slice_is(projection->field, fields_time);
        uint32_t own = named ? 1 : depth_of(projection->pointer);
        if (own != depth || !can_have(candidate) || location_selected(selecting, projection->pointer) ||
            best_of(selecting, projection->pointer) != candidate)
            continue;
        if (only_object(projection) && has_selected_members(selecting, projection->pointer))
            continue;
        raise(candidate, REASON_RECOMMENDED);
    }
}

static void choose_recommended(struct selecting *selecting)
{
    uint32_t recommended = selecting->input->wanted->recommended, deepest = 0;
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *candidate = &selecting->items[i];
        uint32_t depth = depth_of(candidate->projection->pointer);
        if (candidate->projection->is_partition_key && can_have(candidate))
            raise(candidate, REASON_PARTITION);
        deepest = depth > deepest ? depth : deepest;
    }
    /* The deepest first: what has members selected is not selected as a whole. */
    for (uint32_t depth = recommended < deepest ? recommended : deepest; depth > 0; depth--)
        recommend_depth(selecting, depth);
    struct candidate *root = best_of(selecting, (struct slice){0});
    if (recommended > 0 && root && can_have(root))
        raise(root, REASON_RECOMMENDED);
}

/* --- names and history ------------------------------------------------------------------------------ */

static void note(const struct selecting *selecting, struct slice field, struct slice other, struct slice why)
{
    if (selecting->input->notes)
        buffer_printf(
            selecting->input->notes,
            "%s: the field '%.*s' is left out: the endpoint cannot tell it from '%.*s'%s%.*s; give its "
            "location another name with a projection\n",
            selecting->input->binding, SLICE_ARGS(field), SLICE_ARGS(other), why.size ? ": " : "",
            SLICE_ARGS(why));
}

static bool same_but_for_case(struct slice a, struct slice b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

/* A connector may forbid each of several fields because of the others. */
static void note_forbidden(const struct selecting *selecting)
{
    for (size_t i = 0; i < selecting->count && selecting->input->case_insensitive; i++) {
        const struct candidate *a = &selecting->items[i];
        for (size_t j = 0; j < selecting->count && is_forbidden(a) && !a->excluded; j++) {
            const struct candidate *b = &selecting->items[j];
            if (i == j || b->excluded || !same_but_for_case(a->projection->field, b->projection->field))
                continue;
            note(selecting, a->projection->field, b->projection->field, a->why);
            break;
        }
    }
}

/* Of two fields that are one at the endpoint, the one that is only recommended goes. */
static enum fields_outcome check_folds(struct selecting *selecting)
{
    for (size_t i = 0; i < selecting->count; i++) {
        struct candidate *a = &selecting->items[i];
        for (size_t j = i + 1; j < selecting->count && a->reason != REASON_NONE; j++) {
            struct candidate *b = &selecting->items[j];
            if (b->reason == REASON_NONE || !slice_equal(a->folded, b->folded))
                continue;
            struct candidate *weaker = a->reason < b->reason ? a : b;
            if (weaker->reason > REASON_PARTITION) {
                error_set(selecting->err, ERROR_INVALID,
                          "%s: the fields '%.*s' and '%.*s' are both '%.*s' at the endpoint; exclude one of "
                          "them, or give its location another name with a projection",
                          selecting->input->binding, SLICE_ARGS(a->projection->field),
                          SLICE_ARGS(b->projection->field), SLICE_ARGS(a->folded));
                return FIELDS_CONFLICT;
            }
            weaker->reason = REASON_NONE;
            note(selecting, weaker->projection->field, (weaker == a ? b : a)->projection->field,
                 SLICE_LITERAL(""));
        }
    }
    return FIELDS_SELECTED;
}

/* All of them: each is to be mended, and a backfill would mend them together. */
static enum fields_outcome check_compatible(const struct selecting *selecting)
{
    struct buffer fields;
    size_t count = 0;
    buffer_init(&fields, BUFFER_UNLIMITED);
    for (size_t i = 0; i < selecting->count; i++) {
        const struct candidate *candidate = &selecting->items[i];
        if (candidate->reason == REASON_NONE || candidate->constraint != FLOW_CONSTRAINT_INCOMPATIBLE)
            continue;
        struct slice why =
            candidate->why.size ? candidate->why : SLICE_LITERAL("the connector gives no reason");
        if (count++ < INCOMPATIBLE_SHOWN_MAX)
            buffer_printf(&fields, "%sthe field '%.*s' does not fit what the endpoint has of it: %.*s",
                          count > 1 ? "; " : "", SLICE_ARGS(candidate->projection->field), SLICE_ARGS(why));
    }
    if (count > INCOMPATIBLE_SHOWN_MAX)
        buffer_printf(&fields, "; and %zu fields more", count - INCOMPATIBLE_SHOWN_MAX);
    if (count)
        error_set(selecting->err, ERROR_INVALID, "%s: %s", selecting->input->binding, buffer_cstr(&fields));
    buffer_done(&fields);
    return count ? FIELDS_INCOMPATIBLE : FIELDS_SELECTED;
}

/* --- the selection ---------------------------------------------------------------------------------- */

static void put_selection(const struct selecting *selecting, struct flow_field_selection *ret_selection)
{
    struct slice *keys = arena_alloc(selecting->arena, (selecting->key_count + 1) * sizeof *keys);
    struct slice *values = arena_alloc(selecting->arena, (selecting->count + 1) * sizeof *values);
    const struct candidate *root = NULL;
    size_t value_count = 0;
    for (size_t i = 0; i < selecting->key_count; i++)
        keys[i] = selecting->items[selecting->key[i]].projection->field;
    /* Projections are in the order of their fields, and so are values. */
    for (size_t i = 0; i < selecting->count; i++) {
        const struct candidate *candidate = &selecting->items[i];
        if (candidate->reason == REASON_NONE || candidate->reason == REASON_KEY)
            continue;
        if (candidate->projection->pointer.size == 0 && (!root || candidate->reason > root->reason))
            root = candidate;
    }
    for (size_t i = 0; i < selecting->count; i++) {
        const struct candidate *candidate = &selecting->items[i];
        if (candidate->reason != REASON_NONE && candidate->reason != REASON_KEY && candidate != root)
            values[value_count++] = candidate->projection->field;
    }
    *ret_selection = (struct flow_field_selection){
        .keys = {keys, selecting->key_count},
        .values = {values, value_count},
        .document = root ? root->projection->field : (struct slice){0},
        .raw_field_config = fields_config(selecting->input->wanted, selecting->arena),
    };
}

enum fields_outcome fields_select(const struct fields_input *input, struct arena *arena,
                                  struct flow_field_selection *ret_selection, struct error *err)
{
    struct selecting selecting = {.input = input, .arena = arena, .err = err};
    collect(&selecting);
    enum fields_outcome outcome = check_wanted(&selecting) < 0 ? FIELDS_CONFLICT : choose_key(&selecting);
    if (outcome == FIELDS_SELECTED)
        outcome = choose_required(&selecting);
    if (outcome != FIELDS_SELECTED)
        return outcome;
    choose_recommended(&selecting);
    outcome = check_folds(&selecting);
    if (outcome == FIELDS_SELECTED)
        outcome = check_compatible(&selecting);
    note_forbidden(&selecting);
    if (outcome == FIELDS_SELECTED)
        put_selection(&selecting, ret_selection);
    return outcome;
}

void fields_add_time(struct flow_collection *collection, struct arena *arena)
{
    static const struct slice types[] = {{"string", 6}};
    static const struct flow_inference_string string = {.format = {"date-time", 9}};
    static const struct flow_inference inference = {.types = {types, 1},
                                                    .exists = FLOW_EXISTS_MUST,
                                                    .string = &string,
                                                    .title = {"Flow Publication Time", 21}};
    const struct flow_projections *old = &collection->projections;
    struct flow_projection *items = arena_alloc(arena, (old->count + 1) * sizeof *items);
    size_t at = 0;
    while (at < old->count && slice_compare(old->items[at].field, slice_of(fields_time)) < 0)
        at++;
    if (at < old->count && slice_is(old->items[at].field, fields_time))
        return;
    memcpy(items, old->items, at * sizeof *items);
    items[at] = (struct flow_projection){
        .pointer = flow_uuid_pointer, .field = slice_of(fields_time), .inference = &inference};
    memcpy(items + at + 1, old->items + at, (old->count - at) * sizeof *items);
    collection->projections = (struct flow_projections){items, old->count + 1};
}

struct slice fields_config(const struct catalog_fields *wanted, struct arena *arena)
{
    struct buffer text;
    struct json_writer writer;
    if (wanted->require_count == 0)
        return (struct slice){0};
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    for (size_t i = 0; i < wanted->require_count; i++)
        json_member_raw(&writer, wanted->require[i].field, wanted->require[i].config);
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}

struct flow_texts fields_group_by(const struct fields_input *input, struct arena *arena)
{
    const struct catalog_fields *wanted = input->wanted;
    struct selecting selecting = {.input = input, .arena = arena};
    struct flow_texts key = input->collection->key;
    size_t count = wanted->has_group_by ? wanted->group_by_count : key.count;
    struct slice *names = arena_alloc(arena, (count + 1) * sizeof *names);
    collect(&selecting);
    for (size_t i = 0; i < count; i++) {
        /* Before the connector has said anything, no field of a location is better than its others. */
        const struct candidate *candidate = wanted->has_group_by ? NULL : best_of(&selecting, key.items[i]);
        names[i] = wanted->has_group_by ? slice_of(wanted->group_by[i])
                   : candidate          ? candidate->projection->field
                                        : key.items[i];
    }
    return (struct flow_texts){names, count};
}

static bool may_be_null(const struct flow_projection *projection)
{
    const struct flow_inference *inference = projection->inference;
    bool null = inference && inference->exists != FLOW_EXISTS_MUST;
    for (size_t i = 0; inference && i < inference->types.count; i++)
        null |= slice_is(inference->types.items[i], "null");
    return null && inference->raw_default.size == 0;
}

void fields_advise(const struct fields_input *input, struct arena *arena, struct error *err)
{
    const struct flow_texts key = fields_group_by(input, arena);
    if (err->code != ERROR_CONNECTOR || !strcasestr(err->message, "null"))
        return;
    for (size_t i = 0; i < key.count; i++) {
        const char *field = arena_strndup(arena, key.items[i].data, key.items[i].size);
        const struct flow_projection *projection = NULL;
        for (size_t j = 0; j < input->collection->projections.count && !projection; j++) {
            if (slice_equal(input->collection->projections.items[j].field, key.items[i]))
                projection = &input->collection->projections.items[j];
        }
        if (!projection || !may_be_null(projection) || !strstr(err->message, field))
            continue;
        bool retriable = err->retriable;
        const char *said = arena_strdup(arena, err->message);
        error_set(
            err, ERROR_CONNECTOR,
            "%s\nBy the schema of %.*s the field '%s' of its key may be null, or not be there. If every "
            "document has it, make it 'required' in the schema and take \"null\" from its type; else give it "
            "a 'default' there, or the collection another key",
            said, SLICE_ARGS(input->collection->name), field);
        err->retriable = retriable;
        return;
    }
}
