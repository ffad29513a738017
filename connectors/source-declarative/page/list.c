/* The whole of a list that a record has only in part: pages of its own, asked for with the record. */
#include "list.h"

#include "pages.h"

static int compile(struct engine *engine, struct component retriever, void **ret_reader, struct error *err)
{
    struct pages_settings settings = {
        .stream_name = "record_expander_truncated_list",
        .transformations = {retriever.manifest, JSON_NONE},
    };
    struct pages *pages;
    if (pages_compile(engine, retriever, &settings, &pages, err) != 0)
        return -1;
    *ret_reader = pages;
    return 0;
}

struct listing {
    extractor_sink *on_item;
    void *context;
};

static int on_record(void *context, struct record *record, struct error *err)
{
    const struct listing *listing = context;
    return listing->on_item(listing->context, record->data, err);
}

static int read(void *reader, const struct tvalue *parent, extractor_sink *on_item, void *context,
                struct error *err)
{
    struct listing listing = {on_item, context};
    struct arena arena;
    arena_init(&arena);
    struct tvalue partition = tvalue_dict(&arena);
    tdict_set_name(&arena, partition.dict, "parent_record", *parent);
    struct tvalue slice = tvalue_stream_slice(&arena, partition, tvalue_dict(&arena), tvalue_dict(&arena));
    int result = pages_read(reader, slice, NULL, on_record, &listing, err);
    arena_done(&arena);
    return result;
}

const struct list_reading page_lists = {compile, read};
