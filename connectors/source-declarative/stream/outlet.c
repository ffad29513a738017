#include "outlet.h"

#include "source-declarative/record/record.h"

#include <assert.h>

void outlet_init(struct outlet *outlet, struct fibers *fibers, const struct stream_sink *sink, bool ordered)
{
    *outlet = (struct outlet){.fibers = fibers, .sink = sink, .ordered = ordered};
    outlet->last = &outlet->first;
    buffer_init(&outlet->text, RECORD_SIZE_MAX);
}

void outlet_done(struct outlet *outlet)
{
    assert(!outlet->first);
    buffer_done(&outlet->text);
}

void outlet_enter(struct outlet *outlet, struct outlet_slice *slice, const void *partition)
{
    *slice = (struct outlet_slice){.outlet = outlet, .partition = partition};
    buffer_init(&slice->held, OUTLET_HELD_MAX + RECORD_SIZE_MAX + sizeof(size_t));
    *outlet->last = slice;
    outlet->last = &slice->next;
}

/* Is nothing of its partition before it? When all room is taken, those that have not begun do not count: they
 * may need the slots of those that wait for room. */
static bool is_first(const struct outlet_slice *slice)
{
    bool is_full = slice->outlet->held >= OUTLET_HELD_MAX;
    for (const struct outlet_slice *other = slice->outlet->first; other != slice; other = other->next)
        if (other->partition == slice->partition && (other->begun || !is_full))
            return false;
    return true;
}

bool outlet_must_wait(const struct outlet_slice *slice)
{
    const struct outlet *outlet = slice->outlet;
    return outlet->ordered && outlet->writing != slice && (outlet->writing || !is_first(slice));
}

static int write_held(struct outlet_slice *slice, struct error *err)
{
    struct outlet *outlet = slice->outlet;
    int result = 0;
    for (size_t at = 0; result == 0 && at < slice->held.size;) {
        struct slice text = {slice->held.data + at + sizeof text.size, 0};
        memcpy(&text.size, slice->held.data + at, sizeof text.size);
        result = outlet->sink->text(outlet->sink->context, text, err);
        at += sizeof text.size + text.size;
    }
    outlet->held -= slice->held.size;
    buffer_done(&slice->held);
    fiber_wake_all(&outlet->changed);
    return result;
}

int outlet_turn(struct outlet_slice *slice, struct error *err)
{
    struct outlet *outlet = slice->outlet;
    while (outlet_must_wait(slice))
        if (fiber_wait(outlet->fibers, &outlet->changed, err) != 0)
            return -1;
    if (outlet->ordered)
        outlet->writing = slice;
    return write_held(slice, err);
}

/* Before the next record: is it written, or held? */
static int choose(struct outlet_slice *slice, bool *ret_hold, struct error *err)
{
    struct outlet *outlet = slice->outlet;
    *ret_hold = outlet->ordered && outlet->writing != slice;
    if (!*ret_hold)
        return 0;
    bool is_alone = outlet->first == slice && !slice->next;
    while (is_alone || slice->held.size >= OUTLET_EAGER || outlet->held >= OUTLET_HELD_MAX) {
        if (!outlet_must_wait(slice)) {
            *ret_hold = false;
            return outlet_turn(slice, err);
        }
        if (outlet->held < OUTLET_HELD_MAX)
            return 0;
        if (fiber_wait(outlet->fibers, &outlet->changed, err) != 0)
            return -1;
    }
    return 0;
}

static int hold(struct outlet_slice *slice, struct slice text)
{
    buffer_append(&slice->held, (const char *)&text.size, sizeof text.size);
    buffer_append(&slice->held, text.data, text.size);
    slice->outlet->held += sizeof text.size + text.size;
    return 0;
}

int outlet_record(struct outlet_slice *slice, const struct record *record, struct error *err)
{
    struct outlet *outlet = slice->outlet;
    bool holds;
    if (choose(slice, &holds, err) != 0)
        return -1;
    struct buffer *text = &outlet->text;
    buffer_clear(text);
    if (value_write(text, &record->data, err) != 0)
        return error_wrap(err, "a record");
    const struct slice written = {text->data, text->size};
    return holds ? hold(slice, written) : outlet->sink->text(outlet->sink->context, written, err);
}

void outlet_leave(struct outlet_slice *slice)
{
    struct outlet *outlet = slice->outlet;
    if (!outlet)
        return;
    struct outlet_slice **link = &outlet->first;
    while (*link != slice)
        link = &(*link)->next;
    *link = slice->next;
    if (!slice->next)
        outlet->last = link;
    outlet->held -= slice->held.size;
    buffer_done(&slice->held);
    if (outlet->writing == slice)
        outlet->writing = NULL;
    outlet->resting -= slice->resting;
    slice->outlet = NULL;
    fiber_wake_all(&outlet->changed);
}
