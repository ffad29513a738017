#include "ingest/members.h"

struct text {
    struct slice text;
    struct text *next;
};

struct member {
    struct slice name;
    struct text *first, *last;
};

void ingest_members_init(struct ingest_members *members, enum ingest_several several, struct arena *arena)
{
    *members = (struct ingest_members){.arena = arena, .several = several};
    map_init(&members->found);
}

void ingest_members_done(struct ingest_members *members)
{
    map_done(&members->found);
}

static struct slice lower(struct slice name, struct arena *arena)
{
    char *copy = arena_dup(arena, name.data, name.size);
    for (size_t i = 0; i < name.size; i++)
        copy[i] = copy[i] >= 'A' && copy[i] <= 'Z' ? (char)(copy[i] - 'A' + 'a') : copy[i];
    return (struct slice){copy, name.size};
}

void ingest_members_add(struct ingest_members *members, struct slice name, struct slice text)
{
    struct slice key = members->several == INGEST_SEVERAL_JOINED ? lower(name, members->arena) : name;
    struct member *member = map_get(&members->found, key);
    struct text *more = arena_zalloc(members->arena, sizeof *more);
    more->text = text;
    if (member) {
        member->last = member->last->next = more;
        return;
    }
    member = arena_zalloc(members->arena, sizeof *member);
    *member = (struct member){name, more, more};
    map_set(&members->found, key, member);
}

static void write_text(struct slice text, struct json_writer *writer)
{
    if (text.data)
        json_put_slice(writer, text);
    else
        json_put_null(writer);
}

static void write_joined(const struct member *member, struct json_writer *writer)
{
    struct buffer all;
    buffer_init(&all, BUFFER_UNLIMITED);
    for (const struct text *each = member->first; each; each = each->next) {
        buffer_str(&all, each == member->first ? "" : ", ");
        buffer_append(&all, each->text.data, each->text.size);
    }
    json_put_slice(writer, (struct slice){all.data, all.size});
    buffer_done(&all);
}

static void write_listed(const struct member *member, struct json_writer *writer)
{
    json_begin_array(writer);
    for (const struct text *each = member->first; each; each = each->next)
        write_text(each->text, writer);
    json_end_array(writer);
}

void ingest_members_write(const struct ingest_members *members, struct json_writer *writer)
{
    struct map_entry *entry;
    json_begin_object(writer);
    for (size_t at = 0; (entry = map_next(&members->found, &at));) {
        const struct member *member = entry->value;
        json_put_key_slice(writer, member->name);
        if (member->first == member->last)
            write_text(member->first->text, writer);
        else if (members->several == INGEST_SEVERAL_JOINED)
            write_joined(member, writer);
        else
            write_listed(member, writer);
    }
    json_end_object(writer);
}
