/* Private to cmd_autodiscover*.c. */
#ifndef FIRTH_CLI_CMD_AUTODISCOVER_H
#define FIRTH_CLI_CMD_AUTODISCOVER_H

#include "catalog/evolve.h"
#include "cli/command.h"

/* A change, told; it outlives the catalog that it was made in. */
struct autodiscover_change {
    const char *capture, *stream, *collection, *old, *text;
    enum evolve_kind kind;
};

struct autodiscovery {
    struct cli *cli;
    struct arena arena;
    const char *path;                      /* of the catalog */
    const struct catalog_options *options; /* how it is read; NULL: from the disk */
    struct catalog *catalog;               /* with all that was changed so far */
    struct catalog_overlay overlay;
    struct autodiscover_change *changes;
    size_t change_count, change_capacity;
};

/* Ask the capture's connector, put what follows into the overlay, and load the catalog anew from there. */
int autodiscover_capture(struct autodiscovery *work, const char *name, struct error *err);
/* The catalog as it is now, with what was changed. */
int autodiscover_load(struct autodiscovery *work, struct error *err);

struct discovery;

/* --- cmd_autodiscover_capture.c: one capture's connector -------------------------------------------- */

/* Always followed by autodiscover_end. The catalog has the capture. */
void autodiscover_begin(struct autodiscovery *work, const char *name, struct discovery *ret_discovery);
void autodiscover_end(struct discovery *discovery);
/* What it finds: the discovery's streams. ERROR_UNSUPPORTED for a push capture. */
int autodiscover_ask(struct discovery *discovery, struct error *err);

/* cmd_autodiscover_list.c: append {"streams": […]}, what the capture's connector finds and what it has of it.
 * Nothing is changed. */
int autodiscover_list(struct autodiscovery *work, const char *name, struct buffer *out, struct error *err);

/* What `firth discover` remembers is brought up to a discovery that has changed the catalog's files, which is
 * loaded by now: which schemas are the source's own. */
int autodiscover_record(struct autodiscovery *work, struct discovery *discovery, struct error *err);

#endif
