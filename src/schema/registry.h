/* Schema documents and what is named in them: resources ($id), anchors, dialects. Private to the room.
 *
 * A document is parsed when it is added and indexed when something is first looked up. Indexing visits only
 * places that the keywords define as schemas, so an "$id" inside of "enum" or an unknown keyword names
 * nothing; a reference that points to such a place makes it a schema, and it is indexed then. A document is
 * shared by the registry and by the programs compiled from it (counted, the count is atomic); everything that
 * a program reads of it never changes. */
#ifndef FIRTH_SCHEMA_REGISTRY_H
#define FIRTH_SCHEMA_REGISTRY_H

#include "base/map.h"
#include "schema/keyword.h"

#include <stdatomic.h>

enum {
    SCHEMA_DOCUMENT_MAX = 16 << 20,   /* bytes of a schema document */
    SCHEMA_NAMES_SIZE_MAX = 32 << 20, /* bytes that a document's URIs and anchors take, resolved */
    SCHEMA_DOCUMENTS_MAX = 10000,     /* documents in a registry, fetched ones included */
    SCHEMA_METASCHEMA_CHAIN_MAX = 8   /* a metaschema's metaschema's … */
};

struct document;

/* A schema with an absolute URI of its own: a document's root or an embedded "$id". */
struct resource {
    const char *uri; /* without fragment */
    struct document *document;
    struct resource *parent; /* the one that encloses it in the document, or NULL */
    uint32_t node, end;      /* document's nodes that it spans */
    struct dialect dialect;
    const char *problem; /* its "$schema" is not usable: why; NULL if it is */
    bool is_recursive;   /* "$recursiveAnchor": true at its root */
};

struct anchor {
    struct resource *resource;
    uint32_t node;
    bool dynamic;
};

/* Where indexing started: the document's root, what a reference pointed to, or an embedded resource with a
 * metaschema of its own. Checked against the metaschema as a whole, but for what is embedded in it. */
struct schema_root {
    uint32_t node, end;
    bool checked, embedded;
    bool objected; /* its problems were noted in the pass at hand (compile_check) */
};

struct document {
    atomic_uint references;
    struct arena arena;
    const char *uri; /* it was added or fetched under this */
    struct json json;
    bool indexed;
    uint32_t *root_of; /* by node: number + 1 of the root it was indexed under as a schema; 0: it is none */
    struct resource **resources; /* by node, ascending */
    size_t resource_count, resource_capacity;
    struct schema_root *roots;
    size_t root_count, root_capacity;
    uint32_t *embedded; /* of roots: the numbers of the embedded ones, from 0, by node */
    size_t embedded_count, embedded_capacity;
    size_t names_size;
    struct map by_uri;  /* struct resource */
    struct map anchors; /* "URI#name" to struct anchor */
    struct map tables;  /* node of a large container to its children, see pointer.c */
};

struct schema_registry {
    enum schema_draft default_draft;
    schema_fetch *fetch;
    void *fetch_context;
    struct document **documents;
    size_t document_count, document_capacity;
    size_t indexed_count;   /* of documents, in order */
    struct map by_uri;      /* struct document: retrieval URIs, and the root's "$id" */
    struct map resources;   /* struct resource, of all documents; the first of a name stays */
    struct map metaschemas; /* URI to struct schema, compiled */
    struct keyword_table keywords;
};

struct schema_target {
    struct resource *resource; /* the innermost that encloses the node */
    uint32_t node;
};

void document_release(struct document *document);
static inline struct document *document_hold(struct document *document)
{
    atomic_fetch_add_explicit(&document->references, 1, memory_order_relaxed);
    return document;
}

/* Find what `uri` (absolute, with an optional fragment) names, as seen from `from` (its own names come first;
 * may be NULL). Loads and indexes as needed. */
int registry_resolve(struct schema_registry *registry, struct document *from, const char *uri,
                     struct schema_target *ret_target, struct error *err);

/* The same within a resource, by the fragment alone. */
int registry_resolve_in(struct schema_registry *registry, struct resource *resource, struct slice fragment,
                        struct schema_target *ret_target, struct error *err);

/* The document at a URI without fragment: added, built in or fetched. NULL with *err set. */
struct document *registry_load(struct schema_registry *registry, const char *uri, struct error *err);

/* The anchor `name` of a resource, or NULL. */
struct anchor *resource_anchor(const struct resource *resource, const char *name);
struct resource *document_resource_of(const struct document *document, uint32_t node);
/* The root that a schema was indexed under. NULL if the node is no schema. */
struct schema_root *document_root_of(const struct document *document, uint32_t node);
/* The URI by which the schema object at `node` names itself, as written: its "$id", or draft 4's "id".
 * JSON_NONE if it does not. */
uint32_t schema_id(const struct json *json, uint32_t node, enum schema_draft draft);

/* pointer.c: as json_pointer, in constant time for each token however large the containers are: schemas refer
 * to thousands of places of one "$defs". */
uint32_t document_pointer(struct document *document, uint32_t at, struct slice pointer);

/* index.c: make `node` and the schemas below it known. */
void document_index(struct schema_registry *registry, struct document *document, uint32_t node);

/* dialect.c: the dialect that a "$schema" URI stands for. -1 with *err. */
int dialect_find(struct schema_registry *registry, const char *uri, struct dialect *ret_dialect,
                 struct error *err);
struct dialect dialect_of_draft(enum schema_draft draft);

/* "uri#/pointer" of a node, percent-encoded, in the arena. */
const char *resource_location(const struct resource *resource, uint32_t node, struct arena *arena);

#endif
