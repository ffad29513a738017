#include "slice.h"

#include "source-declarative/record/record.h"

struct stream_slice stream_slice_make(struct arena *arena, struct tvalue partition,
                                      struct tvalue cursor_slice, struct tvalue extra_fields)
{
    struct tvalue *parts[] = {&partition, &cursor_slice, &extra_fields};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!tvalue_is_mapping(parts[i]))
            *parts[i] = tvalue_dict(arena);
    }
    return (struct stream_slice){
        .partition = partition,
        .cursor_slice = cursor_slice,
        .extra_fields = extra_fields,
        .value = tvalue_stream_slice(arena, partition, cursor_slice, extra_fields),
    };
}

struct stream_slice stream_slice_copy(struct arena *arena, const struct stream_slice *slice)
{
    struct stream_slice copy =
        stream_slice_make(arena, value_copy(arena, &slice->partition),
                          value_copy(arena, &slice->cursor_slice), value_copy(arena, &slice->extra_fields));
    copy.owner = slice->owner;
    copy.start = slice->start;
    copy.end = slice->end;
    return copy;
}

struct slice partition_key(struct arena *arena, const struct tvalue *partition)
{
    struct ttext text;
    struct tvalue wrong;
    ttext_init(&text, arena, RECORD_SIZE_MAX);
    tvalue_json_dumps(&text, partition, (struct tvalue_json_style){.indent = -1, .sorted = true}, &wrong);
    return ttext_slice_of(&text);
}

struct slice stream_slice_key(struct arena *arena, const struct stream_slice *slice)
{
    return partition_key(arena, &slice->partition);
}
