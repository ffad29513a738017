/* What a partition router is made of; private to this folder. */
#ifndef FIRTH_DECLARATIVE_STREAM_ROUTER_PARTS_H
#define FIRTH_DECLARATIVE_STREAM_ROUTER_PARTS_H

#include "router.h"

struct router_class {
    const char *type_name;
    int (*compile)(struct engine *engine, struct component component, void **ret_self, struct error *err);
    int (*walk)(void *self, partition_sink *on_partition, void *context, struct error *err);
    /* NULL: it adds nothing to requests. */
    int (*add)(const void *self, struct scope *scope, const struct tvalue *stream_slice,
               struct options *options, struct error *err);
    /* NULL: it has no state. */
    int (*set_state)(void *self, const struct json *state, uint32_t at, struct error *err);
    int (*state)(void *self, struct arena *arena, struct tvalue *ret_state, struct error *err);
};
extern const struct router_class router_list;      /* router.c */
extern const struct router_class router_product;   /* router.c */
extern const struct router_class router_substream; /* substream.c */
extern const struct router_class router_grouping;  /* group.c */
extern const struct router_class router_union;     /* group.c */

struct partition_router {
    struct engine *engine;
    const struct router_class *class; /* NULL: the one empty partition */
    void *self;
};

/* Partitions that are kept. */
struct partitions {
    struct arena arena;
    struct stream_slice *items;
    size_t count, capacity;
};
enum { PARTITIONS_MAX = 1 << 20 }; /* kept of one router of a product */
void partitions_done(struct partitions *partitions);
int partitions_keep(void *context, const struct stream_slice *slice, struct error *err);

/* request_option of a value of the partition: nothing where that is false. */
int router_add_value(const struct request_option *option, struct slice field, struct scope *scope,
                     const struct tvalue *stream_slice, struct options *options, struct error *err);
/* A field's text, evaluated with the config alone. */
int router_text(struct engine *engine, struct component component, const char *field, struct slice *ret_text,
                struct error *err);

#endif
