/* Definitions: which connectors there are. Built-in ones are put here when the daemon starts
 * (supervisor/definitions.h); custom ones are an image, a local command, or a manifest. */
#ifndef FIRTH_CONTROL_DEFINITIONS_H
#define FIRTH_CONTROL_DEFINITIONS_H

#include "control/page.h"

enum control_origin {
    CONTROL_BUILT_IN,
    CONTROL_IMAGE,
    CONTROL_COMMAND,
    CONTROL_MANIFEST,
    CONTROL_ORIGIN_COUNT
};
const char *control_origin_name(enum control_origin origin); /* "built-in", "image", "command", "manifest" */

struct control_definition {
    const char *id;
    enum control_side side;
    const char *name; /* for people: "Faker" */
    enum control_origin origin;
    const char *built_in;   /* BUILT_IN: "source-faker" */
    const char *repository; /* "airbyte/source-faker"; for a command or a manifest what clients are shown */
    const char *tag;        /* "6.2.38", "dev" */
    struct slice command;   /* COMMAND: JSON array of its words */
    struct slice manifest;  /* MANIFEST: JSON, the whole of it, in which a token may be: sealed like a config;
                               size 0 in a store that was opened to look */
    const char *documentation_url, *icon;
    struct slice spec;     /* JSON: its ConnectorSpecification as it said it; size 0: not asked yet */
    const char *spec_of;   /* what it was asked of ("airbyte/source-faker:6.2.38"): another, ask again */
    const char *workspace; /* NULL: of all */
    bool custom;
    struct slice extra; /* JSON object */
    int64_t created_ms, updated_ms;
    bool deleted;
};

/* Are they one name but for case, blanks and punctuation? "Source Faker" and "source-faker" are. */
bool control_names_alike(const char *a, const char *b);

/* ERROR_INVALID for a custom one with a built-in's id; and, unless it is there already under this name, for
 * one whose name is a UUID, or like that of a built-in of this side, as its name or for people; and for one
 * whose name another custom one of this side in the same workspace has. */
int control_definition_put(struct control *control, const struct control_definition *definition,
                           struct error *err);
int control_definition_get(struct control *control, const char *id, bool deleted, struct arena *arena,
                           struct control_definition *ret_definition, struct error *err);
/* Keep what the connector said of itself. */
int control_definition_set_spec(struct control *control, const char *id, const char *spec_of,
                                struct slice spec, struct error *err);

struct control_definition_filter {
    bool any_side;
    enum control_side side;
    const char *workspace;  /* also those of all; NULL: whatever */
    const char *repository; /* NULL: whatever */
    const char *name;       /* exact, in any case; NULL: whatever */
    bool custom_only;
    struct control_page page;
};
/* By name, then id. */
int control_definitions(struct control *control, const struct control_definition_filter *filter,
                        struct arena *arena, struct control_definition **ret_items, size_t *ret_count,
                        uint64_t *ret_total, struct error *err);
/* ERROR_INVALID while sources or destinations use it, or if it is built in. */
int control_definition_delete(struct control *control, const char *id, int64_t now_ms, struct error *err);

#endif
