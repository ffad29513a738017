/* A catalog's test: documents are ingested into collections that are empty at first and only in memory, and
 * what then is in them is verified.
 *
 * An ingest step is one transaction: its documents are validated by the write schema, those of one key are
 * combined, and what comes of it is appended. A verify step takes a collection's documents, reduced to one
 * for each key by the read schema, and compares them with those expected, key by key. */
#ifndef FIRTH_TASK_TRIAL_H
#define FIRTH_TASK_TRIAL_H

#include "task/difference.h"
#include "task/selector.h"

enum trial_fault {
    TRIAL_INVALID,    /* an ingested document violates the write schema, or lacks its key */
    TRIAL_DIFFERENT,  /* a document of an expected key differs */
    TRIAL_MISSING,    /* there is no document of an expected key */
    TRIAL_UNEXPECTED, /* there is one that was not expected */
};

/* One thing that is wrong. */
struct trial_finding {
    enum trial_fault fault;
    struct slice key;      /* a JSON array; size 0 for TRIAL_INVALID */
    struct slice document; /* the one that is invalid, missing or unexpected */
    const char *message;   /* TRIAL_INVALID: "at '/n': expected integer, got …"; else NULL */
    struct differences differences;
};

enum { TRIAL_FINDINGS_MAX = 20 };
struct trial_result {
    struct arena *arena; /* what the findings point to */
    bool failed;
    size_t step; /* the one that failed, from 0: those after it were not run */
    struct trial_finding *findings;
    size_t finding_count, omitted;
};

/* Run a test. 0, and *ret_result, whether it passed or not; -1 with *err where it could not be run: a
 * reduction that is not understood, a limit, a collection that is derived. `folder`: for what does not fit
 * into memory. */
int trial_run(const struct catalog *catalog, const struct catalog_test *test, const char *folder,
              struct arena *arena, struct trial_result *ret_result, struct error *err);

#endif
