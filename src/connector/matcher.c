#include "connector/matcher.h"

#include <assert.h>

struct connector_matcher_edge {
    uint32_t from, to; /* to 0: free, for no edge leads to the root */
    uint8_t byte;
};

void connector_matcher_init(struct connector_matcher *matcher)
{
    *matcher = (struct connector_matcher){.built = true};
    matcher->nodes = mem_grow(NULL, &matcher->capacity, 1, sizeof *matcher->nodes);
    matcher->nodes[0] = (struct connector_matcher_node){0};
    matcher->count = 1;
}

void connector_matcher_done(struct connector_matcher *matcher)
{
    if (matcher->nodes)
        explicit_bzero(matcher->nodes, matcher->count * sizeof *matcher->nodes);
    if (matcher->edges)
        explicit_bzero(matcher->edges, matcher->edge_capacity * sizeof *matcher->edges);
    free(matcher->nodes);
    free(matcher->edges);
    *matcher = (struct connector_matcher){0};
}

/* --- edges ---------------------------------------------------------------------------------------- */

/* Where the edge is, or the free place for it. */
static size_t find_edge(const struct connector_matcher *matcher, uint32_t from, uint8_t byte)
{
    size_t mask = matcher->edge_capacity - 1;
    uint64_t hash = (((uint64_t)from << 8) | byte) * 0x9e3779b97f4a7c15U;
    size_t at = (size_t)(hash >> 32) & mask;
    while (matcher->edges[at].to && (matcher->edges[at].from != from || matcher->edges[at].byte != byte))
        at = (at + 1) & mask;
    return at;
}

/* 0: there is none. */
static uint32_t follow(const struct connector_matcher *matcher, uint32_t from, uint8_t byte)
{
    if (from == 0)
        return matcher->first[byte];
    return matcher->edges ? matcher->edges[find_edge(matcher, from, byte)].to : 0;
}

/* At most half full: there is always a free place. */
static void grow_edges(struct connector_matcher *matcher)
{
    struct connector_matcher_edge *old = matcher->edges;
    size_t old_capacity = matcher->edge_capacity;
    if (matcher->count * 2 < old_capacity)
        return;
    matcher->edge_capacity = old_capacity ? 2 * old_capacity : 64;
    matcher->edges = mem_zalloc(matcher->edge_capacity * sizeof *matcher->edges);
    for (size_t i = 0; i < old_capacity; i++)
        if (old[i].to)
            matcher->edges[find_edge(matcher, old[i].from, old[i].byte)] = old[i];
    if (old)
        explicit_bzero(old, old_capacity * sizeof *old);
    free(old);
}

/* --- building ------------------------------------------------------------------------------------- */

static uint32_t add_node(struct connector_matcher *matcher, uint32_t parent, uint8_t byte)
{
    uint32_t node = (uint32_t)matcher->count;
    matcher->nodes = mem_grow(matcher->nodes, &matcher->capacity, matcher->count + 1, sizeof *matcher->nodes);
    matcher->nodes[matcher->count++] = (struct connector_matcher_node){
        .depth = matcher->nodes[parent].depth + 1, .parent = parent, .byte = byte};
    if (parent == 0) {
        matcher->first[byte] = node;
        return node;
    }
    grow_edges(matcher);
    matcher->edges[find_edge(matcher, parent, byte)] =
        (struct connector_matcher_edge){.from = parent, .to = node, .byte = byte};
    return node;
}

bool connector_matcher_add(struct connector_matcher *matcher, struct slice pattern, bool flag)
{
    uint32_t node = 0;
    assert(pattern.size > 0);
    if (matcher->count + pattern.size > CONNECTOR_MATCHER_NODES_MAX)
        return false;
    for (size_t i = 0; i < pattern.size; i++) {
        uint32_t next = follow(matcher, node, (uint8_t)pattern.data[i]);
        node = next ? next : add_node(matcher, node, (uint8_t)pattern.data[i]);
    }
    matcher->nodes[node].longest = (uint32_t)pattern.size;
    matcher->nodes[node].flagged |= flag;
    matcher->built = false;
    return true;
}

/* From a node's parent's end to its own. */
static void link_node(struct connector_matcher *matcher, uint32_t index)
{
    struct connector_matcher_node *node = &matcher->nodes[index];
    node->fail = node->depth == 1
                     ? 0
                     : connector_matcher_step(matcher, matcher->nodes[node->parent].fail, (char)node->byte);
    const struct connector_matcher_node *end = &matcher->nodes[node->fail];
    if (node->longest < end->longest)
        node->longest = end->longest;
    node->flagged |= end->flagged;
}

/* What it depends on is shorter than a node, so the nodes are linked by their depth. */
void connector_matcher_build(struct connector_matcher *matcher)
{
    if (matcher->built)
        return;
    uint32_t deepest = 0;
    for (size_t i = 0; i < matcher->count; i++)
        deepest = matcher->nodes[i].depth > deepest ? matcher->nodes[i].depth : deepest;
    uint32_t *ends = mem_zalloc((deepest + 2) * sizeof *ends);
    uint32_t *order = mem_alloc(matcher->count * sizeof *order);
    for (size_t i = 0; i < matcher->count; i++)
        ends[matcher->nodes[i].depth + 1]++;
    for (uint32_t depth = 1; depth <= deepest; depth++)
        ends[depth + 1] += ends[depth];
    for (size_t i = 0; i < matcher->count; i++)
        order[ends[matcher->nodes[i].depth]++] = (uint32_t)i;
    for (size_t i = 1; i < matcher->count; i++)
        link_node(matcher, order[i]);
    free(ends);
    free(order);
    matcher->built = true;
}

uint32_t connector_matcher_step(const struct connector_matcher *matcher, uint32_t state, char byte)
{
    uint32_t next;
    while ((next = follow(matcher, state, (uint8_t)byte)) == 0 && state != 0)
        state = matcher->nodes[state].fail;
    return next;
}
