/* OCI images as connectors: the engine that runs them (podman or docker), what is known of an image, and what
 * a task needs to run one.
 *
 * An engine object is made once per process, costs nothing until the first image is asked for, and remembers
 * what it has learnt. Only the engine's command line is used, so there is no daemon to link to, and what a
 * person configured for it (registries, credentials, contexts) holds here too. */
#ifndef FIRTH_CONNECTOR_OCI_H
#define FIRTH_CONNECTOR_OCI_H

#include "connector/connector.h"

enum connector_pull { CONNECTOR_PULL_MISSING, CONNECTOR_PULL_ALWAYS, CONNECTOR_PULL_NEVER };

enum { CONNECTOR_PULL_MS_DEFAULT = 10 * 60 * 1000 };

#define CONNECTOR_MEMORY_DEFAULT "1g" /* as Flow's runtime gives its connectors */

/* Strings are not owned; the callbacks may be NULL. */
struct connector_engine_options {
    const char *engine; /* "podman", "docker" or a file; NULL: whichever is there, podman first */
    enum connector_pull pull;
    uint64_t pull_ms;     /* a pull that says nothing for so long has failed; 0: CONNECTOR_PULL_MS_DEFAULT */
    const char *network;  /* a network's name, "host" or "none"; NULL: the engine's default */
    const char *memory;   /* "512m", "1g" of one container; "0": no limit; NULL: CONNECTOR_MEMORY_DEFAULT */
    const char *cpus;     /* "1.5"; NULL: as many as the machine has */
    const char *data_dir; /* absolute: containers that a killed Firth of this folder left are removed */
    /* What a person should know: that an image is pulled, that one runs natively. */
    void (*on_note)(void *context, const char *text);
    /* How far a pull is, to be shown in the place of the one before; NULL text: it is over. */
    void (*on_progress)(void *context, const char *text);
    void *context;
};

/* NULL and ERROR_INVALID if an option makes no sense; starts nothing. */
struct connector_engine *connector_engine_new(const struct connector_engine_options *options,
                                              struct error *err);
void connector_engine_free(struct connector_engine *engine);
MEM_DEFINE_CLEANUP(struct connector_engine *, connector_engine_free);

/* What connector_start needs to run an image, besides the words of the program in it: plain data, so that a
 * task's specification can carry it. Holds no secret. */
struct connector_container {
    const char *engine;             /* file of podman or docker */
    const char *const *options;     /* of `run`, NULL-terminated */
    const char *image;              /* as it was asked for */
    const char *id;                 /* what it was then: this is run */
    const char *memory;             /* the limit, NULL: none */
    const char *other_architecture; /* the image's, where it is not this machine's; else NULL */
};

/* Make sure that the image is here (unless present_only, which never pulls), and fill the program's argv,
 * env, label, protocol and container in the arena. The first call of an engine finds it and removes what a
 * killed Firth left. ERROR_NOT_FOUND: no such image, or present_only and not here; ERROR_UNSUPPORTED: no
 * engine. */
int connector_engine_resolve(struct connector_engine *engine, const struct connector_spec *spec,
                             struct arena *arena, struct connector_program *ret_program, struct error *err);
/* Tell on_note, once per engine and text. */
void connector_engine_note(struct connector_engine *engine, const char *text);
/* From now on these are told. */
void connector_engine_listen(struct connector_engine *engine,
                             void (*on_note)(void *context, const char *text),
                             void (*on_progress)(void *context, const char *text), void *context);

#endif
