/* A config held against its connector's spec, and against what clients are shown in a secret's place. What is
 * said of it has no value of it, which may be a secret. */
#ifndef FIRTH_SUPERVISOR_CONFIG_CHECK_H
#define FIRTH_SUPERVISOR_CONFIG_CHECK_H

#include "control/definitions.h"
#include "schema/schema.h"

/* What clients are shown in the place of a secret. */
#define CONFIG_SHOWN "**********"
/* What is said where that is given as one. */
#define CONFIG_SHOWN_GIVEN "this is how a secret is shown; give the secret itself"

/* The connectionSpecification of its spec; size 0: it is not known. */
struct slice config_schema(const struct control_definition *definition, struct arena *arena);
/* Is the config (JSON) what the schema wants? A schema of size 0, or one that does not compile, wants
 * nothing. ERROR_INVALID: *ret_place is a JSON pointer to what is wrong, in the arena. */
int config_check(struct slice schema, struct slice config, struct arena *arena, const char **ret_place,
                 struct error *err);
/* Is CONFIG_SHOWN none of the config's texts? Nothing would know the secret that it stood for. ERROR_INVALID:
 * *ret_place as above. */
int config_check_shown(struct slice config, struct arena *arena, const char **ret_place, struct error *err);
/* A JSON pointer to what is wrong: of a member that is missing, to that, whose name is in the message. */
const char *config_place(const struct schema_violation *violation, struct arena *arena);
/* "/streams/0/name" as "streams[0].name". */
const char *config_field(const char *pointer, struct arena *arena);
/* The violation's message without the value: its type, where that is what is wrong, and the words that the
 * schema may have for a pattern (Airbyte's `pattern_descriptor`). */
const char *config_violation(const struct json *schema, const struct schema_violation *violation,
                             struct arena *arena);

#endif
