/* Changing catalog files in place: text is put in at the places that src/yaml knows, everything else stays
 * byte for byte: comments, order, anchors, line ends. YAML and JSON. */
#ifndef FIRTH_CATALOG_EDIT_H
#define FIRTH_CATALOG_EDIT_H

#include "yaml/yaml.h"

#include <sys/types.h>

enum { EDIT_COMMENT_WIDTH = 100 };

/* --- values as text -------------------------------------------------------------------------------- */

/* A member of this name in a value that is written here is a comment for the members behind it: YAML has it
 * as
 * `# text`, JSON leaves it out. */
#define EDIT_COMMENT "#"

/* Append the value as the block of a YAML file, each line behind `indent` spaces, with a line end at its end.
 */
void edit_emit_yaml(struct buffer *out, const struct json *doc, uint32_t at, size_t indent);
/* Append it as indented JSON; its first line is not indented, and no line end follows. */
void edit_emit_json(struct buffer *out, const struct json *doc, uint32_t at, size_t indent);
/* A string as a YAML scalar on one line, quoted where it must be. */
void edit_emit_string(struct buffer *out, struct slice text);
/* `# text` in lines of EDIT_COMMENT_WIDTH at most, each behind `indent` spaces. */
void edit_emit_comment(struct buffer *out, struct slice text, size_t indent);

/* --- one file -------------------------------------------------------------------------------------- */

struct edit {
    struct arena *arena;
    enum yaml_syntax syntax;
    struct slice text;
    struct yaml_document doc;
    struct edit_insertion *insertions;
    size_t count, capacity;
    const struct json **replaced; /* by node of `doc`: what is there now; NULL: nothing is replaced */
};

/* `text` must live as long as the edit; an empty one is an empty mapping. */
int edit_open(struct edit *edit, struct arena *arena, const char *file, struct slice text, struct error *err);
/* Add the members or elements of `values`, a document of its own, to the mapping or sequence at `at` (a null
 * counts as an empty one), behind its last. Once for each container. ERROR_UNSUPPORTED where the place cannot
 * be found in the text: an alias, say. */
int edit_add(struct edit *edit, uint32_t at, const struct json *values, struct error *err);
/* Put the value's root in the place of what is at `at`, which is not the file's root nor inside of what was
 * replaced before. Comments inside of the old value go with it. ERROR_UNSUPPORTED as above. */
int edit_set(struct edit *edit, uint32_t at, const struct json *value, struct error *err);
/* The changed text. It is read again and must hold all that was there and is not replaced, or this is
 * ERROR_UNSUPPORTED. */
int edit_finish(struct edit *edit, struct buffer *out, struct error *err);

/* --- several files --------------------------------------------------------------------------------- */

struct edit_file {
    const char *path;
    struct slice content;
    mode_t mode;
    bool present;       /* it was there: an earlier one is replaced */
    char *fresh, *kept; /* private */
};

/* Replace all of them or none: all are written and synced beside their places first, and if one cannot be
 * renamed, those before it are put back. */
int edit_replace_files(struct edit_file *files, size_t count, struct error *err);

#endif
