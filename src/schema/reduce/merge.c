/* merge: objects member by member, arrays element by element or by key. */
#include "schema/reduce/reducer.h"

static bool merge_objects(struct reducer *r, uint32_t left, uint32_t right)
{
    uint32_t matched = 0;
    json_begin_object(&r->writer);
    struct names names = names_open(r, r->right, right);
    for (uint32_t k = json_first_key(r->left, left); k != JSON_NONE; k = json_next_key(r->left, left, k)) {
        uint32_t other = names_find(r, &names, r->left, k);
        if (other == JSON_NONE) {
            reduce_put_left_member(r, k);
            continue;
        }
        matched++;
        if (!reduce_member(r, json_value(k), other))
            return false;
    }
    if (matched < json_count(r->right, right)) {
        names = names_open(r, r->left, left);
        for (uint32_t k = json_first_key(r->right, right); k != JSON_NONE;
             k = json_next_key(r->right, right, k)) {
            if (names_find(r, &names, r->right, k) == JSON_NONE && !reduce_member(r, JSON_NONE, k))
                return false;
        }
    }
    json_end_object(&r->writer);
    return true;
}

static bool merge_by_position(struct reducer *r, uint32_t left, uint32_t right)
{
    uint32_t l = json_first(r->left, left), e = json_first(r->right, right);
    json_begin_array(&r->writer);
    for (; e != JSON_NONE; e = json_next(r->right, right, e)) {
        if (!reduce_element(r, l, e))
            return false;
        l = l == JSON_NONE ? l : json_next(r->left, left, l);
    }
    for (; l != JSON_NONE; l = json_next(r->left, left, l))
        reduce_put_left(r, l);
    json_end_array(&r->writer);
    return true;
}

static bool merge_by_key(struct reducer *r, const struct key *key, uint32_t left, uint32_t right)
{
    struct sorted ls = sorted_open(r, key, r->left, left), rs = sorted_open(r, key, r->right, right);
    uint32_t i = 0, j = 0;
    json_begin_array(&r->writer);
    while (i < ls.count || j < rs.count) {
        int order = i == ls.count ? 1
                    : j == rs.count
                        ? -1
                        : key_compare(key, r->left, sorted_at(r, &ls, i), r->right, sorted_at(r, &rs, j));
        if (order < 0) {
            reduce_put_left(r, sorted_at(r, &ls, i++));
            continue;
        }
        uint32_t mine = order == 0 ? sorted_at(r, &ls, i++) : JSON_NONE;
        if (!reduce_element(r, mine, sorted_at(r, &rs, j++)))
            return false;
    }
    json_end_array(&r->writer);
    return true;
}

/* `left` is JSON_NONE only where the right one has to be gone through because something of it may be dropped.
 */
bool reduce_merge(struct reducer *r, const struct strategy *strategy, uint32_t left, uint32_t right)
{
    enum json_tag tag = json_tag(r->right, right);
    if (tag != JSON_OBJECT && tag != JSON_ARRAY)
        return reduce_fail(r, right, "merge strategy expects objects or arrays");
    if (left != JSON_NONE && json_tag(r->left, left) != tag) {
        if (!r->is_full)
            return reduce_separate(r);
        left = JSON_NONE;
    }
    if (tag == JSON_OBJECT)
        return merge_objects(r, left, right);
    return strategy->key.count ? merge_by_key(r, &strategy->key, left, right)
                               : merge_by_position(r, left, right);
}
