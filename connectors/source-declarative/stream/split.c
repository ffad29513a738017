/* Smaller windows in place of one that the API finds too large. */
#include "cursor_parts.h"

static struct tvalue part_of(const struct tvalue *slice, const char *name)
{
    for (uint32_t i = 0; slice->kind == TVALUE_OBJECT && i < slice->object->attribute_count; i++) {
        if (strcmp(slice->object->attributes[i].name, name) == 0)
            return slice->object->attributes[i].value;
    }
    return tvalue_none();
}

static int boundary(struct cursor *cursor, const struct tvalue *window, struct slice field,
                    struct arena *arena, struct point *ret_point, struct error *err)
{
    struct tvalue value;
    if (!tvalue_is_mapping(window) || !tvalue_member_name(arena, window, field, &value))
        return error_set(err, ERROR_CONNECTOR, "a window without its \"%.*s\" cannot be split",
                         SLICE_ARGS(field));
    return cursor_parse(cursor, arena, &value, ret_point, err);
}

static int add_window(struct cursor *cursor, const struct tvalue *slice, struct point start, struct point end,
                      struct arena *arena, struct tvalue list, struct error *err)
{
    struct tvalue window = tvalue_dict(arena), from, to;
    if (cursor_format(cursor, arena, start, &from, err) != 0 ||
        cursor_format(cursor, arena, end, &to, err) != 0)
        return -1;
    tdict_set(arena, window.dict, tvalue_string(cursor->start_field), from);
    tdict_set(arena, window.dict, tvalue_string(cursor->end_field), to);
    tlist_push(
        arena, list.list,
        tvalue_stream_slice(arena, part_of(slice, "partition"), window, part_of(slice, "extra_fields")));
    return 0;
}

int cursor_split_slice(struct cursor *cursor, struct tvalue stream_slice, const struct duration *least,
                       struct arena *arena, struct tvalue *ret_slices, struct error *err)
{
    const struct windowing *windowing = &cursor->windowing;
    struct tvalue window = part_of(&stream_slice, "cursor_slice"), list = tvalue_list(arena);
    struct point start, end;
    *ret_slices = tvalue_none();
    if (cursor->kind != CURSOR_DATETIME || !windowing->has_granularity)
        return 0;
    if (boundary(cursor, &window, cursor->start_field, arena, &start, err) != 0 ||
        boundary(cursor, &window, cursor->end_field, arena, &end, err) != 0)
        return -1;
    int64_t granule = point_add((struct point){0}, &windowing->granularity, 1).at;
    int64_t span = end.at - start.at;
    if (span <= 0 || granule <= 0 || (least && span <= point_add((struct point){0}, least, 1).at))
        return 0;
    int64_t units = span / granule + 1;
    if (units <= 1)
        return 0;
    struct point second = {start.at + units / 2 * granule, start.offset};
    struct point first_end = {second.at - granule, start.offset};
    if (second.at <= start.at || second.at > end.at)
        return 0;
    if (add_window(cursor, &stream_slice, start, first_end, arena, list, err) != 0 ||
        add_window(cursor, &stream_slice, second, end, arena, list, err) != 0)
        return -1;
    *ret_slices = list;
    return 0;
}
