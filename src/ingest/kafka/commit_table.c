#include "ingest/kafka/commit_table.h"

#include "json/writer.h"

#include <stdlib.h>

struct entry {
    struct kafka_commit commit;
    uint64_t turn; /* larger is newer */
};

struct commit_group {
    struct map entries; /* by partition and topic */
};

void commit_table_init(struct commit_table *table)
{
    *table = (struct commit_table){0};
    map_init(&table->groups);
}

static void free_entry(struct entry *entry)
{
    if (!entry)
        return;
    free((char *)entry->commit.topic.data);
    free((char *)entry->commit.metadata.data);
    free(entry);
}

static void free_group(struct commit_group *group)
{
    const struct map_entry *each;
    for (size_t at = 0; (each = map_next(&group->entries, &at));)
        free_entry(each->value);
    map_done(&group->entries);
    free(group);
}

void commit_table_done(struct commit_table *table)
{
    const struct map_entry *each;
    for (size_t at = 0; (each = map_next(&table->groups, &at));)
        free_group(each->value);
    map_done(&table->groups);
}

/* --- finding ------------------------------------------------------------------------------------------ */

static char *key_of(struct slice topic, int32_t partition, struct slice *ret_key)
{
    char *key = mem_alloc(sizeof partition + topic.size);
    memcpy(key, &partition, sizeof partition);
    if (topic.size)
        memcpy(key + sizeof partition, topic.data, topic.size);
    *ret_key = (struct slice){key, sizeof partition + topic.size};
    return key;
}

bool commit_table_get(const struct commit_table *table, struct slice group, struct slice topic,
                      int32_t partition, struct kafka_commit *ret_commit)
{
    struct slice key;
    const struct commit_group *there = map_get(&table->groups, group);
    auto_free char *memory = key_of(topic, partition, &key);
    const struct entry *entry = there ? map_get(&there->entries, key) : NULL;
    if (entry)
        *ret_commit = entry->commit;
    return entry != NULL;
}

bool commit_table_next(const struct commit_table *table, struct slice group, size_t *at,
                       struct kafka_commit *ret_commit)
{
    const struct commit_group *there = map_get(&table->groups, group);
    const struct map_entry *each = there ? map_next(&there->entries, at) : NULL;
    if (each)
        *ret_commit = ((const struct entry *)each->value)->commit;
    return each != NULL;
}

/* --- changing ----------------------------------------------------------------------------------------- */

static void drop_oldest(struct commit_table *table)
{
    const struct map_entry *group, *each;
    struct commit_group *of = NULL;
    struct slice of_name = {0}, key = {0};
    uint64_t oldest = UINT64_MAX;
    for (size_t at = 0; (group = map_next(&table->groups, &at));) {
        struct commit_group *there = group->value;
        for (size_t i = 0; (each = map_next(&there->entries, &i));) {
            const struct entry *entry = each->value;
            if (entry->turn >= oldest)
                continue;
            oldest = entry->turn;
            of = there;
            of_name = group->key;
            key = each->key;
        }
    }
    assert(of);
    free_entry(map_remove(&of->entries, key));
    table->count--;
    if (of->entries.count > 0)
        return;
    map_remove(&table->groups, of_name);
    free_group(of);
}

void commit_table_set(struct commit_table *table, const struct kafka_commit *commit)
{
    struct slice key;
    struct commit_group *group = map_get(&table->groups, commit->group);
    auto_free char *memory = key_of(commit->topic, commit->partition, &key);
    if (!(group && map_get(&group->entries, key)) && table->count == KAFKA_COMMITS_MAX) {
        drop_oldest(table);
        group = map_get(&table->groups, commit->group);
    }
    if (!group) {
        group = mem_zalloc(sizeof *group);
        map_init(&group->entries);
        map_set(&table->groups, commit->group, group);
    }
    struct entry *entry = mem_zalloc(sizeof *entry);
    entry->turn = ++table->turn;
    entry->commit = *commit;
    entry->commit.group = (struct slice){0}; /* the map's key */
    entry->commit.topic =
        (struct slice){mem_strndup(commit->topic.data, commit->topic.size), commit->topic.size};
    entry->commit.metadata = (struct slice){
        commit->metadata.data ? mem_strndup(commit->metadata.data, commit->metadata.size) : NULL,
        commit->metadata.size};
    struct entry *replaced = map_set(&group->entries, key, entry);
    table->count += !replaced;
    free_entry(replaced);
}

/* --- as text ------------------------------------------------------------------------------------------ */

void commit_write(struct buffer *out, const struct kafka_commit *commit)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_slice(&writer, "group", commit->group);
    json_member_slice(&writer, "topic", commit->topic);
    json_member_i64(&writer, "partition", commit->partition);
    json_member_i64(&writer, "offset", commit->offset);
    json_member_u64(&writer, "log", commit->identity);
    if (commit->metadata.data)
        json_member_slice(&writer, "metadata", commit->metadata);
    json_end_object(&writer);
    buffer_byte(out, '\n');
}

static bool read_line(struct commit_table *table, struct slice line, struct arena *arena)
{
    struct json doc;
    struct error unused;
    int64_t partition;
    struct kafka_commit commit;
    if (json_parse_copy(arena, line.data, line.size, &doc, &unused) < 0)
        return false;
    uint32_t group = json_get(&doc, 0, "group"), topic = json_get(&doc, 0, "topic"),
             metadata = json_get(&doc, 0, "metadata");
    if (!json_is(&doc, group, JSON_STRING) || !json_is(&doc, topic, JSON_STRING) ||
        !json_to_i64(&doc, json_get(&doc, 0, "partition"), &partition) ||
        !json_to_i64(&doc, json_get(&doc, 0, "offset"), &commit.offset) ||
        !json_to_u64(&doc, json_get(&doc, 0, "log"), &commit.identity))
        return false;
    commit.group = json_string(&doc, group, arena);
    commit.topic = json_string(&doc, topic, arena);
    commit.partition = (int32_t)partition;
    commit.metadata =
        json_is(&doc, metadata, JSON_STRING) ? json_string(&doc, metadata, arena) : (struct slice){0};
    commit_table_set(table, &commit);
    return true;
}

bool commit_table_read(struct commit_table *table, struct slice text)
{
    struct arena arena;
    const char *end = text.data + text.size, *newline;
    arena_init(&arena);
    bool right = true;
    while (right && text.data < end && (newline = memchr(text.data, '\n', (size_t)(end - text.data)))) {
        right = read_line(table, (struct slice){text.data, (size_t)(newline - text.data)}, &arena);
        text.data = newline + 1;
        arena_clear(&arena);
    }
    arena_done(&arena);
    return right && text.data == end;
}

static int by_turn(const void *a, const void *b)
{
    const struct entry *one = *(const struct entry *const *)a, *other = *(const struct entry *const *)b;
    return (one->turn > other->turn) - (one->turn < other->turn);
}

void commit_table_write(const struct commit_table *table, struct buffer *out)
{
    const struct map_entry *group, *each;
    struct entry **all = mem_alloc((table->count + 1) * sizeof *all);
    size_t count = 0;
    for (size_t at = 0; (group = map_next(&table->groups, &at));) {
        const struct commit_group *there = group->value;
        for (size_t i = 0; (each = map_next(&there->entries, &i));) {
            all[count] = each->value;
            all[count++]->commit.group = group->key; /* lives as long as the map */
        }
    }
    qsort(all, count, sizeof *all, by_turn);
    for (size_t i = 0; i < count; i++)
        commit_write(out, &all[i]->commit);
    free(all);
}
