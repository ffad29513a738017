#include "commits.h"

#include "base/clock.h"
#include "base/hash.h"
#include "json/json.h"
#include "json/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a file is called says when it was made. at 0 is a session's claim. All 0: a file of older versions
 * of this program, which had one for each task. */
struct commit {
    uint64_t session, id, at;
};

struct files_commits {
    struct files_target *target;
    const char *place;
    char *task, *prefix;
    struct commit own; /* the last of this session */
    char *checkpoint;
    struct commit *seen; /* when it looked last */
    size_t count, capacity;
};

static int compare_session(const struct commit *a, const struct commit *b)
{
    if (a->session != b->session)
        return a->session < b->session ? -1 : 1;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : 0;
}

static int compare(const struct commit *a, const struct commit *b)
{
    int sessions = compare_session(a, b);
    return sessions ? sessions : a->at != b->at ? (a->at < b->at ? -1 : 1) : 0;
}

static bool is_old(const struct commit *commit)
{
    return commit->session == 0;
}

static char *name_of(const struct files_commits *commits, const struct commit *commit)
{
    return is_old(commit) ? mem_printf("%sjson", commits->prefix)
                          : mem_printf("%s%08" PRIx64 ".%016" PRIx64 ".%08" PRIx64 ".json", commits->prefix,
                                       commit->session, commit->id, commit->at);
}

/* --- looking ---------------------------------------------------------------------------------------------
 */

static int see(void *context, const char *name, struct error *err)
{
    struct files_commits *commits = context;
    struct commit commit = {0};
    (void)err;
    sscanf(name + strlen(commits->prefix), "%16" SCNx64 ".%16" SCNx64 ".%16" SCNx64, &commit.session,
           &commit.id, &commit.at);
    auto_free char *ours = name_of(commits, &commit);
    if (strcmp(name, ours) != 0)
        return 0;
    commits->seen = mem_grow(commits->seen, &commits->capacity, commits->count + 1, sizeof *commits->seen);
    commits->seen[commits->count++] = commit;
    return 0;
}

static int look(struct files_commits *commits, struct error *err)
{
    commits->count = 0;
    return commits->target->own(commits->target, commits->prefix, see, commits, err);
}

int files_commits_sure(void *self, struct error *err)
{
    struct files_commits *commits = self;
    if (look(commits, err) < 0)
        return -1;
    for (size_t i = 0; i < commits->count; i++) {
        if (compare_session(&commits->seen[i], &commits->own) > 0)
            return error_set(err, ERROR_BUSY,
                             "this session is fenced off: another one of %s writes to %s by now",
                             commits->task, commits->place);
    }
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------
 */

static int put(struct files_commits *commits, struct slice checkpoint, struct slice list, struct error *err)
{
    struct buffer text;
    struct json_writer writer;
    auto_free char *name = name_of(commits, &commits->own);
    buffer_init(&text, BUFFER_UNLIMITED);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_string(&writer, "task", commits->task);
    if (checkpoint.size)
        json_member_raw(&writer, "checkpoint", checkpoint);
    if (list.size)
        json_member_raw(&writer, "publish", list);
    json_end_object(&writer);
    buffer_byte(&text, '\n');
    int result = commits->target->put(commits->target, name, (struct slice){text.data, text.size}, err);
    buffer_done(&text);
    return result;
}

int files_commits_write(struct files_commits *commits, struct slice checkpoint, struct slice list,
                        struct error *err)
{
    commits->own.at++;
    return put(commits, checkpoint, list, err) < 0 ? -1 : files_commits_sure(commits, err);
}

/* A commit with another one, or a claim, before it may not be published yet; one without is. */
int files_commits_published(struct files_commits *commits, struct error *err)
{
    for (size_t i = 0; i < commits->count; i++) {
        auto_free char *name = name_of(commits, &commits->seen[i]);
        if (compare(&commits->seen[i], &commits->own) < 0 &&
            commits->target->remove(commits->target, name, err) < 0)
            return -1;
    }
    return 0;
}

/* --- opening ---------------------------------------------------------------------------------------------
 */

static int claim(struct files_commits *commits, struct error *err)
{
    uint64_t last = 0;
    if (look(commits, err) < 0)
        return -1;
    for (size_t i = 0; i < commits->count; i++)
        last = commits->seen[i].session > last ? commits->seen[i].session : last;
    commits->own.session = last + 1;
    random_bytes(&commits->own.id, sizeof commits->own.id);
    return put(commits, (struct slice){0}, (struct slice){0}, err) < 0 ? -1
                                                                       : files_commits_sure(commits, err);
}

/* The last commit that is seen; NULL: there is none. */
static const struct commit *last_commit(const struct files_commits *commits, bool *ret_published)
{
    const struct commit *last = NULL;
    for (size_t i = 0; i < commits->count; i++) {
        const struct commit *each = &commits->seen[i];
        if ((each->at || is_old(each)) && (!last || compare(each, last) > 0))
            last = each;
    }
    *ret_published = last && !is_old(last);
    for (size_t i = 0; last && i < commits->count; i++)
        *ret_published &= compare(&commits->seen[i], last) >= 0;
    return last;
}

static int read_commit(struct files_commits *commits, const struct commit *commit, struct arena *arena,
                       struct json *ret_doc, struct error *err)
{
    struct buffer text;
    auto_free char *name = name_of(commits, commit);
    buffer_init(&text, BUFFER_UNLIMITED);
    int got = commits->target->get(commits->target, name, &text, err);
    if (got == 0)
        got =
            error_set(err, ERROR_BUSY, "%s/%s went while it was looked at: is another session of %s at work?",
                      commits->place, name, commits->task);
    if (got > 0 &&
        (json_parse_copy(arena, text.data, text.size, ret_doc, err) < 0 || !json_is(ret_doc, 0, JSON_OBJECT)))
        got = error_set(err, ERROR_CORRUPT,
                        "%s/%s is not as this connector writes it; without it, all is written again",
                        commits->place, name);
    buffer_done(&text);
    return got < 0 ? -1 : 0;
}

/* The last commit becomes this session's first; only then is it published, and only then do those before
 * go. */
static int take_over(struct files_commits *commits, struct arena *arena, struct error *err)
{
    bool published;
    struct json doc;
    struct slice checkpoint = {0}, list = SLICE_LITERAL("[]");
    const struct commit *last = last_commit(commits, &published);
    uint32_t to_publish = JSON_NONE;
    if (last) {
        if (read_commit(commits, last, arena, &doc, err) < 0)
            return -1;
        uint32_t kept = json_get(&doc, 0, "checkpoint");
        if (kept != JSON_NONE)
            checkpoint = json_raw(&doc, kept);
        to_publish = published ? JSON_NONE : json_get(&doc, 0, "publish");
        if (to_publish != JSON_NONE)
            list = json_raw(&doc, to_publish);
    }
    free(commits->checkpoint);
    commits->checkpoint = mem_strndup(checkpoint.size ? checkpoint.data : "", checkpoint.size);
    if (files_commits_write(commits, checkpoint, list, err) < 0)
        return -1;
    for (uint32_t e = to_publish == JSON_NONE ? JSON_NONE : json_first(&doc, to_publish); e != JSON_NONE;
         e = json_next(&doc, to_publish, e)) {
        if (commits->target->publish(commits->target, json_string(&doc, e, arena), true, err) < 0)
            return -1;
    }
    return files_commits_published(commits, err);
}

struct files_commits *files_commits_open(struct files_target *target, const char *place, const char *task,
                                         struct error *err)
{
    struct files_commits *commits = mem_zalloc(sizeof *commits);
    struct arena arena;
    arena_init(&arena);
    commits->target = target;
    commits->place = place;
    commits->task = mem_strdup(task);
    commits->prefix = mem_printf(".firth.%016" PRIx64 ".", hash_xxh3(task, strlen(task), 0));
    commits->checkpoint = mem_strdup("");
    auto_free char *lock = mem_printf("%slock", commits->prefix);
    int result = target->lock(target, lock, err);
    if (result == 0)
        result = claim(commits, err);
    if (result == 0)
        result = take_over(commits, &arena, err);
    arena_done(&arena);
    if (result == 0)
        return commits;
    files_commits_free(commits);
    return NULL;
}

const char *files_commits_checkpoint(const struct files_commits *commits)
{
    return commits->checkpoint;
}

void files_commits_free(struct files_commits *commits)
{
    if (!commits)
        return;
    free(commits->task);
    free(commits->prefix);
    free(commits->checkpoint);
    free(commits->seen);
    free(commits);
}
