#include "cli/flow_checker.h"
#include "cli/flow_subject.h"

/* Which of a capture's bindings its connector refuses. Its words may tell; if not, it is asked again, of one
 * half of them and of the other, and so on: of a thousand bindings one that is wrong is found by twenty
 * questions. */

enum { ASKS_MAX = 32 }; /* each is a process, which may talk to a database */

struct search {
    struct flow_checker *checker;
    flow_refusal_ask *ask;
    size_t asks;
    bool passed; /* some bindings have passed, so that it is not about the endpoint */
};

static void add(struct flow_checker *checker, const struct catalog_binding *binding, const struct error *why)
{
    const struct catalog_place *place = binding ? &binding->place : &checker->endpoint->config_places.whole;
    catalog_errors_add(checker->errors, place, true, "%s", why->message);
}

static const struct catalog_binding *named(struct flow_checker *checker,
                                           const struct catalog_binding *const *bindings, size_t count,
                                           const struct error *why)
{
    struct flow_subject *subjects = arena_alloc(&checker->arena, (count + 1) * sizeof *subjects);
    for (size_t i = 0; i < count; i++)
        subjects[i] =
            (struct flow_subject){&bindings[i]->place, bindings[i]->target->name, bindings[i]->resource};
    const struct flow_subject *subject = flow_subject_of(why->message, subjects, count, &checker->arena);
    return subject ? bindings[subject - subjects] : NULL;
}

/* These are refused, with `why`. One refusal may hide others, so both halves are asked. */
static void search(struct search *state, const struct catalog_binding *const *bindings, size_t count,
                   const struct error *why)
{
    const size_t first[] = {0, count / 2}, counts[] = {count / 2, count - count / 2};
    struct error refusals[2];
    bool refused[2];
    if (count == 1 || state->asks + 2 > ASKS_MAX) {
        add(state->checker, count == 1 && state->passed ? bindings[0] : NULL, why);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        refused[i] = state->ask(state->checker, bindings + first[i], counts[i], &refusals[i]) < 0;
    state->asks += 2;
    state->passed |= !refused[0] || !refused[1];
    bool alike = refused[0] && refused[1] && strcmp(refusals[0].message, refusals[1].message) == 0;
    if ((!refused[0] && !refused[1]) || (alike && !state->passed)) {
        add(state->checker, NULL, why); /* of all alike: the endpoint's, or of what they are together */
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct catalog_binding *about =
            refused[i] ? named(state->checker, bindings + first[i], counts[i], &refusals[i]) : NULL;
        if (about)
            add(state->checker, about, &refusals[i]);
        else if (refused[i])
            search(state, bindings + first[i], counts[i], &refusals[i]);
    }
}

void flow_refusal_place(struct flow_checker *checker, flow_refusal_ask *ask,
                        const struct catalog_binding *const *bindings, size_t count, const struct error *why)
{
    struct search first = {.checker = checker, .ask = ask};
    const struct catalog_binding *about = named(checker, bindings, count, why);
    if (about || count == 0)
        add(checker, about, why);
    else
        search(&first, bindings, count, why);
}
