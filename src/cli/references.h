/* JSON for a file that people keep: what is secret in it is `${NAME}`, the environment's variable;
 * `${json:NAME}` if it is no text. A text that looks like one has one more `$`. */
#ifndef FIRTH_CLI_REFERENCES_H
#define FIRTH_CLI_REFERENCES_H

#include "base/map.h"
#include "json/writer.h"

struct references {
    struct arena *arena;
    bool open;       /* secrets are written as they are */
    struct map used; /* names that were given */
    size_t count;
};

void references_init(struct references *references, bool open, struct arena *arena);
void references_done(struct references *references);

/* Append a connector's config; `schema` is its spec's (size 0: not known, then every text is secret).
 * Variables are named by `prefix` and by where they stand: "source my db" and /password make
 * SOURCE_MY_DB_PASSWORD. */
void references_put_config(struct references *references, const char *prefix, struct slice schema,
                           struct slice config, struct buffer *out);
/* Append JSON in which URLs are secret: a webhook's. */
void references_put_urls(struct references *references, const char *prefix, struct slice json,
                         struct buffer *out);
/* Append JSON in which nothing is. */
void references_put_plain(struct references *references, struct slice json, struct buffer *out);

#endif
