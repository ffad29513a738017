/* What is put into documents: `_meta`, as Estuary's HTTP ingest has it. */
#include "ingest/body.h"

#include "json/writer.h"

static const char *const names[] = {"webhookId", "receivedAt", "headers",  "reqPath",
                                    "query",     "key",        "timestamp"};
enum { NAMES = sizeof names / sizeof *names };

static void write_member(struct json_writer *writer, size_t which, const struct ingest_origin *origin,
                         bool many, size_t number, struct arena *arena)
{
    switch (1U << which) {
    case CATALOG_INGEST_META_ID:
        json_put_string(writer, many ? arena_printf(arena, "%s/%zu", origin->id, number) : origin->id);
        break;
    case CATALOG_INGEST_META_RECEIVED:
        json_put_string(writer, origin->received);
        break;
    case CATALOG_INGEST_META_HEADERS:
        json_put_raw(writer, origin->headers);
        break;
    case CATALOG_INGEST_META_PATH:
        json_put_string(writer, origin->path);
        break;
    case CATALOG_INGEST_META_QUERY:
        json_put_raw(writer, origin->query);
        break;
    case CATALOG_INGEST_META_KEY:
        json_put_raw(writer, origin->key);
        break;
    default:
        json_put_string(writer, origin->time);
    }
}

/* Those of the members that this origin has. */
static unsigned had(const struct ingest_origin *origin, unsigned members)
{
    const bool has[NAMES] = {origin->id != NULL,   origin->received != NULL, origin->headers.size > 0,
                             origin->path != NULL, origin->query.size > 0,   origin->key.size > 0,
                             origin->time != NULL};
    for (size_t i = 0; i < NAMES; i++) {
        if (!has[i])
            members &= ~(1U << i);
    }
    return members;
}

static bool ours(const struct json *doc, uint32_t key, unsigned members)
{
    for (size_t i = 0; i < NAMES; i++) {
        if ((members & (1U << i)) && json_text_is(doc, key, slice_of(names[i])))
            return true;
    }
    return false;
}

struct slice ingest_metadata_add(const struct json *doc, uint32_t at, unsigned members,
                                 const struct ingest_origin *origin, bool many, size_t number,
                                 struct arena *arena)
{
    uint32_t meta = json_get(doc, at, "_meta");
    struct json_writer writer;
    struct buffer text;
    members = had(origin, members);
    if (!json_is(doc, at, JSON_OBJECT) || (meta != JSON_NONE && !json_is(doc, meta, JSON_OBJECT)))
        return (struct slice){0};
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_put_key(&writer, "_meta");
    json_begin_object(&writer);
    for (uint32_t key = json_first_key(doc, meta); key != JSON_NONE; key = json_next_key(doc, meta, key)) {
        if (ours(doc, key, members))
            continue;
        json_put_key_of(&writer, doc, key);
        json_put_raw(&writer, json_raw(doc, json_value(key)));
    }
    for (size_t i = 0; i < NAMES; i++) {
        if (!(members & (1U << i)))
            continue;
        json_put_key(&writer, names[i]);
        write_member(&writer, i, origin, many, number, arena);
    }
    json_end_object(&writer);
    for (uint32_t key = json_first_key(doc, at); key != JSON_NONE; key = json_next_key(doc, at, key)) {
        if (json_value(key) == meta)
            continue;
        json_put_key_of(&writer, doc, key);
        json_put_raw(&writer, json_raw(doc, json_value(key)));
    }
    json_end_object(&writer);
    struct slice copy = {arena_dup(arena, text.data, text.size), text.size};
    buffer_done(&text);
    return copy;
}
