/* Consumer groups, driven step by step: who hears what, and when. */
#include "ingest/kafka/commits.h"
#include "ingest/kafka/group.h"

#include "base/file.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Somebody who waits, and what it heard. */
struct waiter {
    int told; /* times */
    enum kafka_error error;
    int32_t generation;
    char id[KAFKA_MEMBER_ID_MAX], leader[KAFKA_MEMBER_ID_MAX], assignment[16];
    size_t members;
};

static void on_told(void *context, void *argument, enum kafka_error error, const struct kafka_group *group,
                    const struct kafka_member *member)
{
    struct waiter *waiter = argument;
    (void)context;
    waiter->told++;
    waiter->error = error;
    assert_true((error == KAFKA_NONE) == (member != NULL));
    if (!member)
        return;
    waiter->generation = group->generation;
    waiter->members = group->count;
    snprintf(waiter->id, sizeof waiter->id, "%s", member->id);
    snprintf(waiter->leader, sizeof waiter->leader, "%s", group->leader);
    memcpy(waiter->assignment, member->assignment.data ? member->assignment.data : "",
           member->assignment.size);
    waiter->assignment[member->assignment.size] = 0;
}

static struct kafka_groups *new_groups(void)
{
    return kafka_groups_new(&(struct kafka_group_calls){.joined = on_told, .synced = on_told});
}

static enum kafka_error join_as(struct kafka_groups *groups, const char *member, const char *instance,
                                const char *protocol, struct waiter *waiter, uint64_t now)
{
    const struct kafka_protocol protocols[] = {{slice_of(protocol), SLICE_LITERAL("meta")}};
    const struct kafka_join join = {.group = SLICE_LITERAL("g"),
                                    .member = slice_of(member),
                                    .instance = instance ? slice_of(instance) : (struct slice){0},
                                    .type = SLICE_LITERAL("consumer"),
                                    .client = "client",
                                    .host = "host",
                                    .session_ms = 1000,
                                    .rebalance_ms = 3000,
                                    .protocols = protocols,
                                    .protocol_count = 1};
    const char *unused;
    return kafka_group_join(groups, &join, waiter, now, &unused);
}

static enum kafka_error join(struct kafka_groups *groups, const char *member, struct waiter *waiter,
                             uint64_t now)
{
    return join_as(groups, member, NULL, "range", waiter, now);
}

static struct kafka_speaker speaker(const struct waiter *waiter)
{
    return (struct kafka_speaker){
        .group = SLICE_LITERAL("g"), .member = slice_of(waiter->id), .generation = waiter->generation};
}

static enum kafka_error sync_one(struct kafka_groups *groups, const struct waiter *who,
                                 const struct waiter *other, struct waiter *waiter, uint64_t now)
{
    struct kafka_speaker speaks = speaker(who);
    const struct kafka_assignment assignments[] = {{slice_of(who->id), SLICE_LITERAL("one")},
                                                   {slice_of(other ? other->id : ""), SLICE_LITERAL("two")}};
    return kafka_group_sync(groups, &speaks, assignments, other ? 2 : 1, waiter, now);
}

static enum kafka_error heartbeat(struct kafka_groups *groups, const struct waiter *who, uint64_t now)
{
    struct kafka_speaker speaks = speaker(who);
    return kafka_group_heartbeat(groups, &speaks, now);
}

/* One member, then a second: both join, the first leads and assigns. */
static struct kafka_groups *two_members(struct waiter *a, struct waiter *b)
{
    struct kafka_groups *groups = new_groups();
    struct waiter again = {0}, synced_a = {0}, synced_b = {0};
    assert_int_equal(join(groups, "", a, 0), KAFKA_NONE);
    assert_true(a->told == 1 && a->generation == 1 && strcmp(a->id, a->leader) == 0);
    assert_int_equal(sync_one(groups, a, NULL, &synced_a, 0), KAFKA_NONE);
    assert_true(synced_a.told == 1 && strcmp(synced_a.assignment, "one") == 0);
    assert_int_equal(join(groups, "", b, 100), KAFKA_NONE);
    assert_int_equal(b->told, 0);
    assert_int_equal(heartbeat(groups, a, 200), KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(join(groups, a->id, &again, 300), KAFKA_NONE);
    assert_true(again.told == 1 && b->told == 1 && again.generation == 2 && again.members == 2);
    *a = again;
    synced_a = (struct waiter){0};
    assert_int_equal(sync_one(groups, b, NULL, &synced_b, 300), KAFKA_NONE);
    assert_int_equal(synced_b.told, 0);
    assert_int_equal(heartbeat(groups, a, 300), KAFKA_NONE);
    assert_int_equal(sync_one(groups, a, b, &synced_a, 300), KAFKA_NONE);
    assert_string_equal(synced_a.assignment, "one");
    assert_string_equal(synced_b.assignment, "two");
    return groups;
}

static void test_join_and_leave(void **state)
{
    struct waiter a = {0}, b = {0}, again = {0};
    struct kafka_groups *groups = two_members(&a, &b);
    struct kafka_speaker speaks = speaker(&b);
    (void)state;
    assert_int_equal(kafka_group_leave(groups, &speaks, 400), KAFKA_NONE);
    assert_int_equal(kafka_group_leave(groups, &speaks, 400), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(heartbeat(groups, &b, 400), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(heartbeat(groups, &a, 400), KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(join(groups, a.id, &again, 400), KAFKA_NONE);
    assert_true(again.told == 1 && again.generation == 3 && again.members == 1);
    assert_int_equal(heartbeat(groups, &a, 400), KAFKA_ILLEGAL_GENERATION);
    kafka_groups_free(groups);
}

/* The time of a silent member ends its membership; who waits does not count as silent. */
static void test_time(void **state)
{
    struct waiter a = {0}, b = {0}, again = {0}, late = {0};
    struct kafka_groups *groups = two_members(&a, &b);
    (void)state;
    assert_int_equal(kafka_groups_deadline(groups), 1300);
    assert_int_equal(heartbeat(groups, &a, 1200), KAFKA_NONE);
    kafka_groups_tick(groups, 1299);
    assert_int_equal(heartbeat(groups, &a, 1299), KAFKA_NONE);
    kafka_groups_tick(groups, 1300);
    assert_int_equal(heartbeat(groups, &a, 1300), KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(join(groups, a.id, &again, 1300), KAFKA_NONE);
    assert_true(again.told == 1 && again.members == 1);
    /* One who does not come back within the rebalance's time is out, though it is heard of. */
    assert_int_equal(join(groups, "", &late, 1400), KAFKA_NONE);
    assert_int_equal(late.told, 0);
    for (uint64_t now = 1500; now < 4300; now += 500) {
        heartbeat(groups, &again, now);
        kafka_groups_tick(groups, now);
    }
    assert_int_equal(late.told, 0);
    assert_int_equal(kafka_groups_deadline(groups), 4400);
    kafka_groups_tick(groups, 4400);
    assert_true(late.told == 1 && late.error == KAFKA_NONE && late.members == 1);
    assert_int_equal(heartbeat(groups, &again, 4400), KAFKA_UNKNOWN_MEMBER_ID);
    /* And one who leads and never says who gets what. */
    for (uint64_t now = 4500; now < 7400; now += 500) {
        assert_int_equal(heartbeat(groups, &late, now), KAFKA_NONE);
        kafka_groups_tick(groups, now);
    }
    kafka_groups_tick(groups, 7400);
    assert_null(kafka_group_find(groups, SLICE_LITERAL("g")));
    assert_int_equal(kafka_groups_deadline(groups), UINT64_MAX);
    kafka_groups_free(groups);
}

static void test_refusals(void **state)
{
    struct waiter a = {0}, b = {0}, other = {0};
    struct kafka_groups *groups = two_members(&a, &b);
    struct kafka_speaker speaks = speaker(&a);
    (void)state;
    assert_int_equal(join(groups, "nobody", &other, 400), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(join_as(groups, "", NULL, "sticky", &other, 400), KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    assert_int_equal(kafka_group_may_commit(groups, &speaks, 400), KAFKA_NONE);
    speaks.generation = 1;
    assert_int_equal(kafka_group_may_commit(groups, &speaks, 400), KAFKA_ILLEGAL_GENERATION);
    speaks.generation = -1;
    assert_int_equal(kafka_group_may_commit(groups, &speaks, 400), KAFKA_UNKNOWN_MEMBER_ID);
    speaks.group = SLICE_LITERAL("other");
    assert_int_equal(kafka_group_may_commit(groups, &speaks, 400), KAFKA_NONE);
    assert_int_equal(other.told, 0);
    kafka_groups_free(groups);
}

/* A static member that is started again takes its place; what it was hears that. */
static void test_static(void **state)
{
    struct waiter a = {0}, synced = {0}, again = {0};
    struct kafka_groups *groups = new_groups();
    (void)state;
    assert_int_equal(join_as(groups, "", "one", "range", &a, 0), KAFKA_NONE);
    assert_int_equal(sync_one(groups, &a, NULL, &synced, 0), KAFKA_NONE);
    assert_int_equal(join_as(groups, "", "one", "range", &again, 100), KAFKA_NONE);
    assert_true(again.told == 1 && again.members == 1 && strcmp(again.id, a.id) != 0);
    struct kafka_speaker speaks = speaker(&a);
    speaks.instance = SLICE_LITERAL("one");
    assert_int_equal(kafka_group_heartbeat(groups, &speaks, 100), KAFKA_FENCED_INSTANCE_ID);
    kafka_groups_free(groups);
}

/* Whose connection goes while it waits is not told, and is out when its time is over. */
static void test_abandoned(void **state)
{
    struct waiter a = {0}, b = {0}, waits = {0}, again = {0};
    struct kafka_groups *groups = two_members(&a, &b);
    (void)state;
    assert_int_equal(join(groups, a.id, &waits, 400), KAFKA_NONE);
    assert_int_equal(waits.told, 0);
    kafka_group_abandon(groups, &waits);
    assert_int_equal(join(groups, b.id, &again, 500), KAFKA_NONE);
    kafka_groups_tick(groups, 1400);
    assert_true(waits.told == 0 && again.told == 1 && again.members == 1);
    kafka_groups_free(groups);
}

/* --- commits ------------------------------------------------------------------------------------------ */

static void on_committed(void *waiter, bool durable)
{
    assert_true(durable);
    sem_post(waiter);
}

static void commit(struct kafka_commits *commits, int64_t offset)
{
    const struct kafka_commit commit = {.group = SLICE_LITERAL("g\xc3\xa4\n"),
                                        .topic = SLICE_LITERAL("acmeCo/a"),
                                        .partition = 3,
                                        .offset = offset,
                                        .identity = UINT64_MAX,
                                        .metadata = SLICE_LITERAL("m")};
    sem_t done;
    sem_init(&done, 0, 0);
    kafka_commits_put(commits, &commit, 1, &done);
    while (sem_wait(&done) < 0)
        continue;
    kafka_commits_take(commits, &commit, 1);
    sem_destroy(&done);
}

static int64_t committed(const struct kafka_commits *commits)
{
    struct kafka_commit found;
    if (!kafka_commits_get(commits, SLICE_LITERAL("g\xc3\xa4\n"), SLICE_LITERAL("acmeCo/a"), 3, &found))
        return -1;
    assert_true(found.identity == UINT64_MAX && slice_is(found.metadata, "m"));
    return found.offset;
}

/* They outlive the process, a line that was half written does not; the file does not grow without end. */
static void test_commits(void **state)
{
    char folder[] = "/tmp/firth-commits-XXXXXX";
    struct error err;
    struct buffer text;
    (void)state;
    assert_non_null(mkdtemp(folder));
    auto_free char *path = mem_printf("%s/kafka/offsets.jsonl", folder);
    struct kafka_commits *commits = kafka_commits_open(folder, on_committed, &err);
    assert_non_null(commits);
    assert_int_equal(committed(commits), -1);
    commit(commits, 5);
    commit(commits, 6);
    kafka_commits_close(commits);
    buffer_init(&text, BUFFER_UNLIMITED);
    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    buffer_str(&text, "{\"group\":\"g\",\"topic\":");
    assert_int_equal(file_replace(path, text.data, text.size, 0600, &err), 0);
    commits = kafka_commits_open(folder, on_committed, &err);
    assert_int_equal(committed(commits), 6);
    commit(commits, 7);
    struct slice group;
    size_t at = 0;
    assert_true(kafka_commits_next_group(commits, &at, &group) && slice_is(group, "g\xc3\xa4\n"));
    assert_false(kafka_commits_next_group(commits, &at, &group));
    for (size_t i = 0; i < 3 * KAFKA_COMMIT_FILE_LEAST / 64 / 1000; i++) {
        static struct kafka_commit many[1000];
        sem_t done;
        sem_init(&done, 0, 0);
        for (size_t j = 0; j < 1000; j++)
            many[j] = (struct kafka_commit){
                .group = SLICE_LITERAL("g2"), .topic = SLICE_LITERAL("t"), .offset = (int64_t)j};
        kafka_commits_put(commits, many, 1000, &done);
        while (sem_wait(&done) < 0)
            continue;
        sem_destroy(&done);
    }
    kafka_commits_close(commits);
    buffer_clear(&text);
    assert_int_equal(file_read(path, 16 << 20, &text, &err), 0);
    assert_in_range(text.size, 1, 2 * KAFKA_COMMIT_FILE_LEAST);
    commits = kafka_commits_open(folder, on_committed, &err);
    assert_int_equal(committed(commits), 7);
    kafka_commits_close(commits);
    buffer_done(&text);
    file_remove_tree(folder, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_and_leave), cmocka_unit_test(test_time),
        cmocka_unit_test(test_refusals),       cmocka_unit_test(test_static),
        cmocka_unit_test(test_abandoned),      cmocka_unit_test(test_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
