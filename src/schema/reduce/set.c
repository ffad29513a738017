/* set: a location that is an update to a set: {"add": …, "remove": …} or {"add": …, "intersect": …}.
 *
 * An update keeps (intersect) or drops (remove) members of the set before it, then adds. Two in a row are
 * one: what the first adds goes through the second's remove or intersect, and the two of these become one. */
#include "schema/reduce/reducer.h"

enum term { TERM_ADD, TERM_INTERSECT, TERM_REMOVE, TERM_MAX };
static const char *const term_names[TERM_MAX] = {"add", "intersect", "remove"};

static const char wrong[] =
    "set strategy expects objects having only 'add', 'remove', and 'intersect' properties with "
    "consistent object or array types";

struct update {
    const struct json *doc;
    uint32_t at[TERM_MAX];
    uint32_t wrong; /* the member that is not right */
};

/* One term, in the form that its type has. */
struct members {
    bool is_array;
    uint32_t at; /* JSON_NONE: there are none */
    struct names names;
    struct sorted sorted;
};

struct operation {
    struct reducer *r;
    const struct key *key;
    bool is_array;
    struct update left, right;
};

static bool read_update(const struct json *doc, uint32_t at, struct update *ret_update)
{
    struct update update = {.doc = doc, .at = {JSON_NONE, JSON_NONE, JSON_NONE}, .wrong = at};
    if (at != JSON_NONE && !json_is(doc, at, JSON_OBJECT)) {
        *ret_update = update;
        return false;
    }
    for (uint32_t k = json_first_key(doc, at); k != JSON_NONE; k = json_next_key(doc, at, k)) {
        enum term term = TERM_ADD;
        while (term < TERM_MAX && !json_string_is(doc, k, term_names[term]))
            term++;
        if (term == TERM_MAX) {
            update.wrong = json_value(k);
            *ret_update = update;
            return false;
        }
        update.at[term] = json_value(k);
    }
    update.wrong = update.at[TERM_REMOVE];
    *ret_update = update;
    return update.at[TERM_REMOVE] == JSON_NONE || update.at[TERM_INTERSECT] == JSON_NONE;
}

/* Are all terms that there are of one type? */
static bool settle_type(struct operation *op, uint32_t *ret_wrong)
{
    enum json_tag tag = JSON_TAG_MAX;
    for (int i = 0; i < 2 * TERM_MAX; i++) {
        const struct update *update = i < TERM_MAX ? &op->left : &op->right;
        uint32_t at = update->at[i % TERM_MAX];
        if (at == JSON_NONE)
            continue;
        enum json_tag here = json_tag(update->doc, at);
        if ((here != JSON_OBJECT && here != JSON_ARRAY) || (tag != JSON_TAG_MAX && here != tag)) {
            *ret_wrong = i < TERM_MAX ? JSON_NONE : at;
            return false;
        }
        tag = here;
    }
    op->is_array = tag == JSON_ARRAY;
    return true;
}

static struct members members_open(const struct operation *op, const struct update *update, enum term term)
{
    struct members members = {.is_array = op->is_array, .at = update->at[term]};
    if (op->is_array)
        members.sorted = sorted_open(op->r, op->key, update->doc, members.at);
    else
        members.names = names_open(op->r, update->doc, members.at);
    return members;
}

/* Is the other document's member (an element, or a key) one of them? */
static bool has(const struct operation *op, struct members *members, const struct json *doc, uint32_t member)
{
    if (members->at == JSON_NONE)
        return false;
    return op->is_array ? sorted_has(op->r, &members->sorted, op->key, doc, member)
                        : names_find(op->r, &members->names, doc, member) != JSON_NONE;
}

/* Does a member that was there before survive the right update? */
struct filter {
    struct members members;
    bool keeps; /* those that are in it; otherwise those that are not */
    bool all;   /* no filter */
};

static struct filter filter_open(const struct operation *op, const struct update *update)
{
    bool intersects = update->at[TERM_INTERSECT] != JSON_NONE;
    return (struct filter){.members = members_open(op, update, intersects ? TERM_INTERSECT : TERM_REMOVE),
                           .keeps = intersects,
                           .all = !intersects && update->at[TERM_REMOVE] == JSON_NONE};
}

static bool passes(const struct operation *op, struct filter *filter, const struct json *doc, uint32_t member)
{
    return filter->all || has(op, &filter->members, doc, member) == filter->keeps;
}

/* --- writing a term ------------------------------------------------------------------------------- */

/* Begun when its first member is written, if it may be left out when it is empty. */
struct output {
    const struct operation *op;
    enum term term;
    bool begun;
};

static void begin(struct output *out)
{
    struct json_writer *writer = &out->op->r->writer;
    if (out->begun)
        return;
    out->begun = true;
    json_put_key(writer, term_names[out->term]);
    if (out->op->is_array)
        json_begin_array(writer);
    else
        json_begin_object(writer);
}

static void end(struct output *out)
{
    struct json_writer *writer = &out->op->r->writer;
    if (!out->begun)
        return;
    if (out->op->is_array)
        json_end_array(writer);
    else
        json_end_object(writer);
}

static void put_left(struct output *out, uint32_t member)
{
    begin(out);
    if (out->op->is_array)
        reduce_put_left(out->op->r, member);
    else
        reduce_put_left_member(out->op->r, member);
}

static bool put_right(struct output *out, uint32_t left, uint32_t member)
{
    if (reduce_is_dropped(out->op->r, out->op->is_array ? member : json_value(member)))
        return true;
    begin(out);
    return out->op->is_array ? reduce_element(out->op->r, left, member)
                             : reduce_member(out->op->r, left, member);
}

/* --- unions: left members that pass, and all right ones; those in both are reduced ------------------- */

static bool unite_objects(struct output *out, struct filter *filter, uint32_t left, uint32_t right)
{
    struct reducer *r = out->op->r;
    struct names names = names_open(r, r->right, right);
    for (uint32_t k = json_first_key(r->left, left); k != JSON_NONE; k = json_next_key(r->left, left, k)) {
        if (!passes(out->op, filter, r->left, k))
            continue;
        uint32_t other = names_find(r, &names, r->left, k);
        if (other == JSON_NONE)
            put_left(out, k);
        else if (!put_right(out, json_value(k), other))
            return false;
    }
    names = names_open(r, r->left, left);
    for (uint32_t k = json_first_key(r->right, right); k != JSON_NONE;
         k = json_next_key(r->right, right, k)) {
        uint32_t other = names_find(r, &names, r->right, k);
        if (other != JSON_NONE && passes(out->op, filter, r->left, other))
            continue;
        if (!put_right(out, JSON_NONE, k))
            return false;
    }
    return true;
}

static bool unite_arrays(struct output *out, struct filter *filter, uint32_t left, uint32_t right)
{
    struct reducer *r = out->op->r;
    const struct key *key = out->op->key;
    struct sorted ls = sorted_open(r, key, r->left, left), rs = sorted_open(r, key, r->right, right);
    uint32_t i = 0, j = 0;
    while (i < ls.count || j < rs.count) {
        if (i < ls.count && !passes(out->op, filter, r->left, sorted_at(r, &ls, i))) {
            i++;
            continue;
        }
        int order = i == ls.count ? 1
                    : j == rs.count
                        ? -1
                        : key_compare(key, r->left, sorted_at(r, &ls, i), r->right, sorted_at(r, &rs, j));
        if (order < 0) {
            put_left(out, sorted_at(r, &ls, i++));
            continue;
        }
        uint32_t mine = order == 0 ? sorted_at(r, &ls, i++) : JSON_NONE;
        if (!put_right(out, mine, sorted_at(r, &rs, j++)))
            return false;
    }
    return true;
}

static bool unite(struct output *out, struct filter *filter, enum term term)
{
    const struct operation *op = out->op;
    return (op->is_array ? unite_arrays : unite_objects)(out, filter, op->left.at[term], op->right.at[term]);
}

/* One update's term, as far as it passes. */
static bool put_passing(struct output *out, struct filter *filter, const struct update *update,
                        enum term term)
{
    const struct operation *op = out->op;
    bool is_left = update == &op->left;
    if (op->is_array) {
        struct sorted sorted = sorted_open(op->r, op->key, update->doc, update->at[term]);
        for (uint32_t i = 0; i < sorted.count; i++) {
            uint32_t element = sorted_at(op->r, &sorted, i);
            if (!passes(op, filter, update->doc, element))
                continue;
            if (is_left)
                put_left(out, element);
            else if (!put_right(out, JSON_NONE, element))
                return false;
        }
        return true;
    }
    for (uint32_t k = json_first_key(update->doc, update->at[term]); k != JSON_NONE;
         k = json_next_key(update->doc, update->at[term], k)) {
        if (!passes(op, filter, update->doc, k))
            continue;
        if (is_left)
            put_left(out, k);
        else if (!put_right(out, JSON_NONE, k))
            return false;
    }
    return true;
}

/* --- the update that stands for both ---------------------------------------------------------------- */

static bool put_add(const struct operation *op)
{
    struct output out = {op, TERM_ADD, false};
    struct filter filter = filter_open(op, &op->right);
    if (!op->r->is_full && (op->left.at[TERM_ADD] != JSON_NONE || op->right.at[TERM_ADD] != JSON_NONE))
        begin(&out);
    if (!unite(&out, &filter, TERM_ADD))
        return false;
    end(&out);
    return true;
}

static bool put_rest(const struct operation *op)
{
    const uint32_t *left = op->left.at, *right = op->right.at;
    bool keeps = left[TERM_INTERSECT] != JSON_NONE || right[TERM_INTERSECT] != JSON_NONE;
    struct output out = {op, keeps ? TERM_INTERSECT : TERM_REMOVE, false};
    struct filter none = {.all = true};
    if (!keeps && left[TERM_REMOVE] == JSON_NONE && right[TERM_REMOVE] == JSON_NONE)
        return true;
    begin(&out);
    bool done;
    if (!keeps) {
        done = unite(&out, &none, TERM_REMOVE);
    } else if (left[TERM_INTERSECT] != JSON_NONE) { /* what it keeps must get past the right update too */
        struct filter filter = filter_open(op, &op->right);
        done = put_passing(&out, &filter, &op->left, TERM_INTERSECT);
    } else { /* what the left update removed is not there to be kept */
        struct filter filter = filter_open(op, &op->left);
        done = put_passing(&out, &filter, &op->right, TERM_INTERSECT);
    }
    if (done)
        end(&out);
    return done;
}

bool reduce_set(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right)
{
    struct operation op = {.r = r, .key = strategy->key.count ? &strategy->key : &sorted_natural};
    uint32_t wrong_at = JSON_NONE;
    if (!read_update(r->right, right, &op.right))
        return reduce_fail(r, op.right.wrong, wrong);
    if (!read_update(r->left, left, &op.left))
        return reduce_fail(r, right, wrong);
    if (!settle_type(&op, &wrong_at))
        return reduce_fail(r, wrong_at == JSON_NONE ? right : wrong_at, wrong);
    json_begin_object(&r->writer);
    if (!put_add(&op) || (!r->is_full && !put_rest(&op)))
        return false;
    json_end_object(&r->writer);
    return true;
}
