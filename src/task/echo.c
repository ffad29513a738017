#include "task/echo.h"

void task_echoes_init(struct task_echoes *echoes, size_t stream_count)
{
    *echoes = (struct task_echoes){.stream_count = stream_count};
}

void task_echoes_done(struct task_echoes *echoes)
{
    for (size_t i = 0; i < echoes->count; i++)
        free(echoes->entries[i].sent);
    free(echoes->entries);
    *echoes = (struct task_echoes){0};
}

/* Move what waits to the front, once half the array lies behind the head. */
static void compact(struct task_echoes *echoes)
{
    if (echoes->head < 1024 || echoes->head < echoes->count / 2)
        return;
    for (size_t i = 0; i < echoes->head; i++)
        free(echoes->entries[i].sent);
    echoes->count -= echoes->head;
    memmove(echoes->entries, echoes->entries + echoes->head, echoes->count * sizeof *echoes->entries);
    echoes->head = 0;
}

void task_echoes_add(struct task_echoes *echoes, struct airbyte_state_id id, long stream,
                     const struct task_sent *sent)
{
    compact(echoes);
    echoes->entries =
        mem_grow(echoes->entries, &echoes->capacity, echoes->count + 1, sizeof *echoes->entries);
    size_t count = stream == TASK_ECHO_ALL ? echoes->stream_count : 1;
    echoes->entries[echoes->count++] =
        (struct task_echo_entry){.id = id, .stream = stream, .sent = mem_dup(sent, count * sizeof *sent)};
}

const struct task_echo_entry *task_echoes_match(struct task_echoes *echoes, struct airbyte_state_id id)
{
    size_t at = echoes->head;
    while (at < echoes->count &&
           (echoes->entries[at].done || !airbyte_state_id_equal(echoes->entries[at].id, id)))
        at++;
    if (at == echoes->count)
        return NULL;
    struct task_echo_entry *found = &echoes->entries[at];
    found->done = true;
    for (size_t i = echoes->head; i < at; i++) {
        if (found->stream == TASK_ECHO_ALL || echoes->entries[i].stream == found->stream)
            echoes->entries[i].done = true;
    }
    while (echoes->head < echoes->count && echoes->entries[echoes->head].done)
        echoes->head++;
    return found;
}

size_t task_echoes_waiting(const struct task_echoes *echoes)
{
    size_t waiting = 0;
    for (size_t i = echoes->head; i < echoes->count; i++)
        waiting += !echoes->entries[i].done;
    return waiting;
}
