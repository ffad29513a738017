/* Many patterns found in a text in one pass over it (Aho and Corasick's automaton). */
#ifndef FIRTH_CONNECTOR_MATCHER_H
#define FIRTH_CONNECTOR_MATCHER_H

#include "base/text.h"

enum {
    CONNECTOR_MATCHER_NODES_MAX = 1 << 18, /* bytes of all patterns, common beginnings counted once */
};

/* 28 to 44 bytes a node. */
struct connector_matcher {
    struct connector_matcher_node *nodes; /* nodes[0] is the root */
    size_t count, capacity;
    struct connector_matcher_edge *edges; /* a hash table of a power of two */
    size_t edge_capacity;
    uint32_t first[256]; /* the root's edges */
    bool built;
};

struct connector_matcher_node {
    uint32_t fail;    /* the longest proper end of this that is the beginning of a pattern */
    uint32_t depth;   /* bytes from the root */
    uint32_t longest; /* bytes of the longest pattern that ends here, 0: none does */
    uint32_t parent;
    uint8_t byte;
    bool flagged; /* a pattern with a flag ends here */
};

void connector_matcher_init(struct connector_matcher *matcher);
/* What it holds is wiped. */
void connector_matcher_done(struct connector_matcher *matcher);
/* False if there is no room: then nothing of it is found. `flag` comes back with a match. */
bool connector_matcher_add(struct connector_matcher *matcher, struct slice pattern, bool flag);
/* After the last pattern, before the first step; once more after more patterns. */
void connector_matcher_build(struct connector_matcher *matcher);
/* The state after one more byte; the first state is 0. What ends there is nodes[state]. */
uint32_t connector_matcher_step(const struct connector_matcher *matcher, uint32_t state, char byte);

#endif
