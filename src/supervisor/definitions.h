/* The built-in connectors as definitions of the control store: Airbyte's own ids where it has the connector,
 * else ids made of their names. */
#ifndef FIRTH_SUPERVISOR_DEFINITIONS_H
#define FIRTH_SUPERVISOR_DEFINITIONS_H

#include "connector/connector.h"
#include "control/definitions.h"

/* Put those that are not there or have changed. */
int definitions_put_built_ins(struct control *control, const struct connector_catalog *built_ins,
                              int64_t now_ms, struct error *err);

/* Where nobody has said where its documentation is, what its spec says. */
void definitions_take_documentation(struct control_definition *definition, struct arena *arena);
/* What is run: `image` ("x/y:1"), or, without one, the command that is there already. */
void definitions_set_program(struct control_definition *definition, const char *image, struct arena *arena);
/* Is it an image's name? By tag, or with a repository that ends in "@sha256" by digest. ERROR_INVALID:
 * *ret_part is the API's name of what is not, "dockerRepository" or "dockerImageTag". */
int definitions_check_image(const char *repository, const char *tag, const char **ret_part,
                            struct error *err);

/* --- manifests (manifests.c) ------------------------------------------------------------------------ */

/* The control store's setting that names a program which runs manifests in place of the built-in, by its path
 * or a name on PATH. */
#define DEFINITIONS_MANIFEST_SETTING "connectors.manifest_program"
#define DEFINITIONS_MANIFEST_BUILT_IN "source-declarative-manifest" /* where the setting is not set */

/* What is run is a manifest, which is kept whole; its spec is the connector's. With a `path` it is that file,
 * else the JSON text. Where the setting names a program, that runs it, and has to be there (ERROR_NOT_FOUND
 * says what is to be done); else the built-in, and what that cannot run is refused with all that is wrong. */
struct definitions_manifest {
    const char *path;  /* NULL: */
    struct slice json; /* lives as long as the definition */
};
int definitions_set_manifest(struct control *control, const struct connector_catalog *built_ins,
                             const struct definitions_manifest *manifest, struct arena *arena,
                             struct control_definition *definition, struct error *err);
/* The setting's program for manifests, with its folder; NULL: the built-in is to run them. */
int definitions_manifest_program(struct control *control, struct arena *arena, const char **ret_path,
                                 struct error *err);

/* --- what a definition means (definition_program.c) -------------------------------------------------- */

/* "airbyte/source-faker:6.2.38": what its spec is of. Another manifest is another label. */
const char *definitions_label(const struct control_definition *definition, struct arena *arena);
/* What runs it; its strings live in the arena, or with the definition. */
int definitions_program(struct control *control, const struct control_definition *definition,
                        struct arena *arena, struct connector_spec *ret_program, struct error *err);
/* The config as the program takes it: a manifest goes in it, as Airbyte's platform has it. The setting's
 * program may be any version of Airbyte's own, and older ones know no --manifest-path. Catalogs give the
 * manifest as a file (connector_program.manifest) instead: their config is held against the spec, told to
 * people, and sent with each of Flow's requests, where a manifest has no place. */
int definitions_config(const struct control_definition *definition, struct slice config, struct arena *arena,
                       struct slice *ret_config, struct error *err);

/* One that was added, in a catalog: connector_find_added. A data directory without a control store has none.
 */
int definitions_find_added(const char *data_dir, const char *name, enum connector_role role,
                           struct arena *arena, struct connector_added *ret_added, struct error *err);

#endif
