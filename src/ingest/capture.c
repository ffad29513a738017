#include "ingest/capture.h"

#include "ingest/reader.h"
#include "ingest/signature.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The table of captures by their paths. A path stays when its capture goes, so that who asks for it meanwhile
 * hears "later" and not "nothing here". */

struct path {
    struct ingest_capture *capture; /* NULL: away */
    size_t binding;
    char *owner;
};

struct ingest_captures {
    pthread_mutex_t lock;
    pthread_cond_t released;
    struct map paths;       /* to struct path */
    struct map collections; /* the same, by a binding's collection */
    bool begun;             /* paths are known: before that, each may be one soon */
    uint64_t serials;       /* that were given */
    struct ingest_watch *watches;
    _Atomic uint64_t figures[PUSH_FIGURES];
    _Atomic size_t held; /* ingest_held */
};

struct ingest_captures *ingest_captures_new(void)
{
    struct ingest_captures *captures = mem_zalloc(sizeof *captures);
    pthread_mutex_init(&captures->lock, NULL);
    pthread_cond_init(&captures->released, NULL);
    map_init(&captures->paths);
    map_init(&captures->collections);
    return captures;
}

static void path_free(struct path *path)
{
    if (!path)
        return;
    free(path->owner);
    free(path);
}

/* Those of one capture, or all (owner NULL). */
static void remove_paths(struct map *map, const char *owner)
{
    struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(map, &at));) {
        struct path *path = entry->value;
        if (owner && strcmp(path->owner, owner) != 0)
            continue;
        map_remove(map, entry->key);
        path_free(path);
    }
}

void ingest_captures_free(struct ingest_captures *captures)
{
    if (!captures)
        return;
    remove_paths(&captures->paths, NULL);
    remove_paths(&captures->collections, NULL);
    map_done(&captures->paths);
    map_done(&captures->collections);
    pthread_cond_destroy(&captures->released);
    pthread_mutex_destroy(&captures->lock);
    free(captures);
}

_Atomic size_t *ingest_held(struct ingest_captures *captures)
{
    return &captures->held;
}

void ingest_count(struct ingest_captures *captures, enum push_figure figure, int64_t more)
{
    atomic_fetch_add_explicit(&captures->figures[figure], (uint64_t)more, memory_order_relaxed);
}

void ingest_figures(const struct ingest_captures *captures, struct push_figures *ret_figures)
{
    for (enum push_figure figure = 0; figure < PUSH_FIGURES; figure++)
        ret_figures->values[figure] = atomic_load_explicit(&captures->figures[figure], memory_order_relaxed);
}

/* --- finding ------------------------------------------------------------------------------------------ */

static enum ingest_found find(struct ingest_captures *captures, const struct map *map, const char *name,
                              struct ingest_capture **ret_capture, size_t *ret_binding)
{
    pthread_mutex_lock(&captures->lock);
    enum ingest_found found = captures->begun ? INGEST_NONE : INGEST_AWAY;
    const struct path *path = map_get(map, slice_of(name));
    if (path && path->capture) {
        path->capture->users++;
        *ret_capture = path->capture;
        *ret_binding = path->binding;
        found = INGEST_FOUND;
    } else if (path) {
        found = INGEST_AWAY;
    }
    pthread_mutex_unlock(&captures->lock);
    return found;
}

enum ingest_found ingest_find(struct ingest_captures *captures, const char *path,
                              struct ingest_capture **ret_capture, size_t *ret_binding)
{
    return find(captures, &captures->paths, path, ret_capture, ret_binding);
}

enum ingest_found ingest_find_collection(struct ingest_captures *captures, const char *collection,
                                         struct ingest_capture **ret_capture, size_t *ret_binding)
{
    return find(captures, &captures->collections, collection, ret_capture, ret_binding);
}

void ingest_release(struct ingest_capture *capture)
{
    struct ingest_captures *captures = capture->captures;
    pthread_mutex_lock(&captures->lock);
    assert(capture->users > 0);
    if (--capture->users == 0)
        pthread_cond_broadcast(&captures->released);
    pthread_mutex_unlock(&captures->lock);
}

void ingest_collections_each(struct ingest_captures *captures, ingest_take_name *take, void *context)
{
    const struct map_entry *entry;
    pthread_mutex_lock(&captures->lock);
    for (size_t at = 0; (entry = map_next(&captures->collections, &at));)
        take(context, entry->key.data);
    pthread_mutex_unlock(&captures->lock);
}

bool ingest_token_known(struct ingest_captures *captures, struct slice token)
{
    const struct map_entry *entry;
    bool known = false;
    pthread_mutex_lock(&captures->lock);
    for (size_t at = 0; (entry = map_next(&captures->collections, &at));) {
        const struct path *path = entry->value;
        const char *own = path->capture ? path->capture->bindings[path->binding].options.token : NULL;
        if (own && ingest_secret_equal(slice_of(own), token))
            known = true;
    }
    pthread_mutex_unlock(&captures->lock);
    return known;
}

/* The second, and how many requests it has seen, in one word. */
bool ingest_rate_allows(const struct ingest_binding *binding, uint64_t second)
{
    uint64_t most = binding->options.per_second, now = second << 32;
    if (most == 0)
        return true;
    uint64_t seen = atomic_load(binding->rate), next;
    do {
        next = (seen >> 32) == (uint32_t)second ? seen + 1 : now + 1;
        if ((uint32_t)next > most)
            return false;
    } while (!atomic_compare_exchange_weak(binding->rate, &seen, next));
    return true;
}

void ingest_push(struct ingest_capture *capture, struct ingest_push *push)
{
    push->next = NULL;
    ingest_reader_push(capture->reader, push);
}

void ingest_push_all(struct ingest_capture *capture, struct ingest_push *first)
{
    ingest_reader_push(capture->reader, first);
}

void ingest_captures_watch(struct ingest_captures *captures, struct ingest_watch *watch)
{
    pthread_mutex_lock(&captures->lock);
    watch->next = captures->watches;
    captures->watches = watch;
    pthread_mutex_unlock(&captures->lock);
}

void ingest_captures_unwatch(struct ingest_captures *captures, const struct ingest_watch *watch)
{
    pthread_mutex_lock(&captures->lock);
    for (struct ingest_watch **at = &captures->watches; *at; at = &(*at)->next) {
        if (*at != watch)
            continue;
        *at = watch->next;
        break;
    }
    pthread_mutex_unlock(&captures->lock);
}

/* --- coming and going --------------------------------------------------------------------------------- */

static const char *root_path(const char *capture, struct arena *arena)
{
    return arena_printf(arena, "/ingest/%s", capture);
}

static const char *own_path(const char *root, const struct ingest_binding *binding, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", root, binding->name);
}

int ingest_plan_read(const struct task_spec *spec, struct arena *arena, struct ingest_plan *ret_plan,
                     struct error *err)
{
    const char *pointer, *root = root_path(spec->name, arena);
    const char **paths = arena_zalloc(arena, (2 * spec->binding_count + 2) * sizeof *paths);
    const char **collections = arena_zalloc(arena, (spec->binding_count + 1) * sizeof *collections);
    size_t count = 0;
    ret_plan->bindings = arena_zalloc(arena, (spec->binding_count + 1) * sizeof *ret_plan->bindings);
    ret_plan->paths = paths;
    ret_plan->collections = collections;
    if (catalog_ingest_endpoint(spec->source.config, arena, &ret_plan->options, &pointer, err) < 0)
        return error_wrap(err, "ingest%s", pointer);
    paths[count++] = root;
    for (size_t i = 0; i < spec->binding_count; i++) {
        const struct task_binding_spec *from = &spec->bindings[i];
        struct ingest_binding *binding = &ret_plan->bindings[i];
        if (catalog_ingest_resource(&ret_plan->options, from->resource, arena, &binding->options, &pointer,
                                    err) < 0)
            return error_wrap(err, "the resource of %s%s", from->collection, pointer);
        binding->name = binding->options.name ? binding->options.name : from->collection;
        binding->rate = arena_zalloc(arena, sizeof *binding->rate);
        collections[i] = from->collection;
        paths[count++] = own_path(root, binding, arena);
        if (binding->options.path)
            paths[count++] = binding->options.path;
    }
    return 0;
}

static void reserve(struct map *map, const char *name, const char *const *paths)
{
    for (size_t i = 0; paths[i]; i++) {
        if (map_get(map, slice_of(paths[i])))
            continue;
        struct path *path = mem_zalloc(sizeof *path);
        *path = (struct path){.owner = mem_strdup(name)};
        map_set(map, slice_of(paths[i]), path);
    }
}

void ingest_captures_reserve(struct ingest_captures *captures, const char *name, const char *const *paths,
                             const char *const *collections)
{
    pthread_mutex_lock(&captures->lock);
    reserve(&captures->paths, name, paths);
    reserve(&captures->collections, name, collections);
    pthread_mutex_unlock(&captures->lock);
}

void ingest_captures_settle(struct ingest_captures *captures)
{
    pthread_mutex_lock(&captures->lock);
    captures->begun = true;
    pthread_mutex_unlock(&captures->lock);
}

static void set_path(struct map *map, const char *name, struct ingest_capture *capture, size_t binding)
{
    struct path *path = mem_zalloc(sizeof *path);
    *path = (struct path){capture, binding, mem_strdup(capture->name)};
    path_free(map_set(map, slice_of(name), path));
}

static int check_path(const struct ingest_captures *captures, const char *name,
                      const struct ingest_capture *capture, struct error *err)
{
    const struct path *there = map_get(&captures->paths, slice_of(name));
    if (!there || strcmp(there->owner, capture->name) == 0)
        return 0;
    return error_set(err, ERROR_INVALID, "the path %s of %s is one of %s already", name, capture->name,
                     there->owner);
}

/* Every path of the capture, "/ingest/NAME" first; NULL-terminated, in the arena. */
static int add_paths(struct ingest_captures *captures, struct ingest_capture *capture, struct arena *arena,
                     bool check, struct error *err)
{
    const char *root = root_path(capture->name, arena);
    if (!check)
        set_path(&captures->paths, root, capture, capture->binding_count);
    else if (check_path(captures, root, capture, err) < 0)
        return -1;
    for (size_t i = 0; i < capture->binding_count; i++) {
        const struct ingest_binding *binding = &capture->bindings[i];
        const char *names[] = {own_path(root, binding, arena), binding->options.path};
        for (size_t j = 0; j < 2 && names[j]; j++) {
            if (!check)
                set_path(&captures->paths, names[j], capture, i);
            else if (check_path(captures, names[j], capture, err) < 0)
                return -1;
        }
        const struct path *other = map_get(&captures->collections, slice_of(binding->task->spec->collection));
        if (!check && (!other || strcmp(other->owner, capture->name) >= 0))
            set_path(&captures->collections, binding->task->spec->collection, capture, i);
    }
    return 0;
}

int ingest_captures_add(struct ingest_captures *captures, struct ingest_capture *capture, struct error *err)
{
    struct arena arena;
    arena_init(&arena);
    capture->captures = captures;
    pthread_mutex_lock(&captures->lock);
    remove_paths(&captures->paths, capture->name);
    remove_paths(&captures->collections, capture->name);
    capture->serial = ++captures->serials;
    int result = add_paths(captures, capture, &arena, true, err);
    if (result == 0)
        add_paths(captures, capture, &arena, false, err);
    pthread_mutex_unlock(&captures->lock);
    arena_done(&arena);
    return result;
}

static void set_away(const struct map *map, const struct ingest_capture *capture)
{
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(map, &at));) {
        struct path *path = entry->value;
        if (path->capture == capture)
            path->capture = NULL;
    }
}

void ingest_captures_withdraw(struct ingest_captures *captures, struct ingest_capture *capture)
{
    pthread_mutex_lock(&captures->lock);
    set_away(&captures->paths, capture);
    set_away(&captures->collections, capture);
    for (const struct ingest_watch *watch = captures->watches; watch; watch = watch->next)
        watch->gone(watch->context);
    while (capture->users > 0)
        pthread_cond_wait(&captures->released, &captures->lock);
    pthread_mutex_unlock(&captures->lock);
}

void ingest_captures_forget(struct ingest_captures *captures, const char *name)
{
    pthread_mutex_lock(&captures->lock);
    remove_paths(&captures->paths, name);
    remove_paths(&captures->collections, name);
    pthread_mutex_unlock(&captures->lock);
}
