/* Has a binding another key than the table that the endpoint has of it? Pure. */
#ifndef FIRTH_TASK_MATERIALIZE_KEY_H
#define FIRTH_TASK_MATERIALIZE_KEY_H

#include "task/materialize_last.h"

/* A binding as it is now. */
struct task_materialize_key {
    const char *binding; /* for people */
    const struct flow_collection *collection;
    struct flow_texts resource_path;
    uint32_t backfill;
    bool delta_updates;
    struct flow_texts fields;
    bool selected; /* `fields` are what was selected, not yet only what the catalog groups by */
};

/* Compared with what `last` has of the same resource and backfill counter, be it active, inactive (the
 * binding was out or disabled for a while) or of an `apply` without an answer: with another counter the
 * connector makes the table anew, and rows of delta updates have no key. If it is another, *ret_why says
 * which was which. */
bool task_materialize_key_changed(const struct task_materialize_last *last,
                                  const struct task_materialize_key *now, struct arena *arena,
                                  struct error *ret_why);

#endif
