#include "connectors/source-declarative/engine/fiber.h"

#include "../connectors/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A world whose clock moves only when nobody can run, and a list of what happened. */
struct world {
    struct clock clock;
    uint64_t now_ns;
    bool stopping;
    struct fibers *fibers;
    struct buffer story;
    struct fiber_signal signal;
    struct fiber_gate gate;
    const char *url;
};

static uint64_t world_now(void *context)
{
    return ((struct world *)context)->now_ns;
}

static int64_t world_wall(void *context)
{
    return (int64_t)(((struct world *)context)->now_ns / 1000000);
}

static void world_pass(void *context, uint64_t ms)
{
    ((struct world *)context)->now_ns += ms * 1000000;
}

static bool world_stops(void *context)
{
    return ((struct world *)context)->stopping;
}

static void world_open(struct world *world, struct http_client *client)
{
    *world = (struct world){.gate.max = 1};
    world->clock = (struct clock){world_wall, world_now, world};
    buffer_init(&world->story, 1 << 20);
    struct fibers_settings settings = {client, &world->clock, world_stops, world_pass, world};
    world->fibers = fibers_new(&settings);
}

static void world_close(struct world *world)
{
    fibers_free(world->fibers);
    buffer_done(&world->story);
}

static void told(struct world *world, const char *expected)
{
    assert_string_equal(buffer_cstr(&world->story), expected);
    buffer_clear(&world->story);
}

struct actor {
    struct world *world;
    char name;
    uint64_t ms;
};

static int sleeper(void *context, struct error *err)
{
    struct actor *actor = context;
    for (int i = 0; i < 2; i++) {
        if (fiber_sleep(actor->world->fibers, actor->ms, err) < 0)
            return -1;
        buffer_printf(&actor->world->story, "%c%d ", actor->name, (int)(actor->world->now_ns / 1000000));
    }
    return 0;
}

static void test_sleep(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    struct actor a = {&world, 'a', 30}, b = {&world, 'b', 20}, c = {&world, 'c', 2500},
                 never = {&world, 'n', UINT64_MAX};
    fiber_detach(fiber_start(world.fibers, sleeper, &a));
    fiber_detach(fiber_start(world.fibers, sleeper, &b));
    fiber_detach(fiber_start(world.fibers, sleeper, &c));
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "b20 a30 b40 a60 c2500 c5000 ");
    assert_int_equal(fibers_count(world.fibers), 0);

    fiber_detach(fiber_start(world.fibers, sleeper, &never));
    world.stopping = true;
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "");
    assert_true(fibers_cancelled(world.fibers));
    world_close(&world);
}

static int waiter(void *context, struct error *err)
{
    struct actor *actor = context;
    if (fiber_wait(actor->world->fibers, &actor->world->signal, err) < 0) {
        buffer_printf(&actor->world->story, "%c! ", actor->name);
        return -1;
    }
    buffer_printf(&actor->world->story, "%c ", actor->name);
    return 0;
}

static int waker(void *context, struct error *err)
{
    struct actor *actor = context;
    if (fiber_yield(actor->world->fibers, err) < 0)
        return -1;
    fiber_wake_one(&actor->world->signal);
    return error_set(err, ERROR_INVALID, "what %c said", actor->name);
}

static int joiner(void *context, struct error *err)
{
    struct actor *actor = context;
    struct actor child = {actor->world, 'w', 0};
    struct fiber *fiber = fiber_start(actor->world->fibers, waker, &child);
    int done = fiber_join(actor->world->fibers, fiber, err);
    buffer_printf(&actor->world->story, "%s ", done < 0 ? err->message : "well");
    return done;
}

static void test_signals(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    struct actor a = {&world, 'a', 0}, b = {&world, 'b', 0}, c = {&world, 'c', 0};
    struct error err;
    fiber_detach(fiber_start(world.fibers, waiter, &a));
    fiber_detach(fiber_start(world.fibers, waiter, &b));
    assert_int_equal(fibers_call(world.fibers, joiner, &c, &err), -1);
    assert_string_equal(err.message, "what w said");
    fibers_run(world.fibers, NULL, NULL); /* b is left: nothing can happen any more */
    told(&world, "a what w said ");
    assert_int_equal(fibers_count(world.fibers), 1);
    fibers_cancel(world.fibers);
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "b! ");
    world_close(&world);
}

static int visitor(void *context, struct error *err)
{
    struct actor *actor = context;
    struct world *world = actor->world;
    if (fiber_gate_enter(world->fibers, &world->gate, err) < 0)
        return -1;
    buffer_printf(&world->story, "(%c", actor->name);
    int done = fiber_sleep(world->fibers, actor->ms, err);
    buffer_printf(&world->story, "%c) ", actor->name);
    fiber_gate_leave(&world->gate);
    return done;
}

static void test_gate(void **state)
{
    (void)state;
    struct world world;
    struct actor actors[4];
    for (unsigned max = 1; max <= 2; max++) {
        world_open(&world, NULL);
        world.gate.max = max;
        for (int i = 0; i < 4; i++) {
            actors[i] = (struct actor){&world, (char)('a' + i), (uint64_t)(10 + i)};
            fiber_detach(fiber_start(world.fibers, visitor, &actors[i]));
        }
        fibers_run(world.fibers, NULL, NULL);
        told(&world, max == 1 ? "(aa) (bb) (cc) (dd) " : "(a(ba) (cb) (dc) d) ");
        assert_int_equal(world.gate.inside, 0);
        world_close(&world);
    }
}

/* A parent that is cancelled while its child still has to clean up. */
static int slow_child(void *context, struct error *err)
{
    struct actor *actor = context;
    int done = fiber_sleep(actor->world->fibers, 1000, err);
    buffer_printf(&actor->world->story, "child %s ", done < 0 ? err->message : "done");
    return done;
}

static int parent(void *context, struct error *err)
{
    struct actor *actor = context;
    struct actor child = {actor->world, 'c', 0};
    struct fiber *fiber = fiber_start(actor->world->fibers, slow_child, &child);
    int done = fiber_join(actor->world->fibers, fiber, err);
    buffer_printf(&actor->world->story, "parent %d", done);
    return done;
}

static bool has_sleepers(void *context)
{
    return fibers_count(context) == 2;
}

static void test_cancel(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    struct actor a = {&world, 'a', 0};
    fiber_detach(fiber_start(world.fibers, parent, &a));
    fibers_run(world.fibers, has_sleepers, world.fibers);
    fibers_cancel(world.fibers);
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "child stopped parent -1");
    world_close(&world);
}

/* --- requests ------------------------------------------------------------------------------------------ */

static void send_long(struct server *server, int fd, const char *request)
{
    (void)server, (void)request;
    static char body[1 << 20];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)('a' + i % 26);
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n";
    server_send(fd, head, sizeof head - 1);
    server_send(fd, body, sizeof body);
}

static const struct rule rules[] = {
    {.path = "/a", .text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA"},
    {.path = "/b", .text = "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nB"},
    {.path = "/long", .answer = send_long},
    {NULL, NULL, NULL, false},
};

static int asker(void *context, struct error *err)
{
    struct actor *actor = context;
    char url[64];
    snprintf(url, sizeof url, "%s/%c", actor->world->url, actor->name);
    struct http_request request = {.url = url};
    mem_auto(http_transfer_free) struct http_transfer *transfer = NULL;
    if (fiber_http(actor->world->fibers, &request, &transfer, err) < 0)
        return -1;
    const struct http_response *response = http_transfer_response(transfer);
    buffer_printf(&actor->world->story, "%d%.*s ", response->status, SLICE_ARGS(response->body));
    return 0;
}

static int reader(void *context, struct error *err)
{
    struct actor *actor = context;
    char url[64], bytes[1000];
    snprintf(url, sizeof url, "%s/long", actor->world->url);
    struct http_request request = {.url = url};
    mem_auto(fiber_http_close) struct fiber_body_reader *body = NULL;
    if (fiber_http_open(actor->world->fibers, &request, &body, err) < 0)
        return -1;
    assert_int_equal(http_transfer_response(fiber_http_transfer(body))->status, 200);
    size_t total = 0;
    int64_t got;
    while ((got = fiber_http_read(body, bytes, sizeof bytes, err)) > 0) {
        for (int64_t i = 0; i < got; i++, total++)
            if (bytes[i] != (char)('a' + total % 26))
                return error_set(err, ERROR_CORRUPT, "byte %zu", total);
        if (total == actor->ms)
            return 0; /* it is dropped in the middle */
    }
    buffer_printf(&actor->world->story, "%zu ", total);
    return (int)got;
}

static void test_http(void **state)
{
    (void)state;
    struct server server;
    struct world world;
    struct error err;
    server_open(&server, rules);
    mem_auto(http_client_free) struct http_client *client = http_client_new(NULL, &err);
    assert_non_null(client);
    world_open(&world, client);
    char url[40];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", server.port);
    world.url = url;
    struct actor a = {&world, 'a', 0}, b = {&world, 'b', 0}, half = {&world, 'h', 2000};
    assert_int_equal(fibers_call(world.fibers, asker, &a, &err), 0);
    assert_int_equal(fibers_call(world.fibers, asker, &b, &err), 0);
    assert_int_equal(fibers_call(world.fibers, reader, &a, &err), 0);
    assert_int_equal(fibers_call(world.fibers, reader, &half, &err), 0);
    told(&world, "200A 500B 1048576 ");
    fiber_detach(fiber_start(world.fibers, asker, &a));
    fiber_detach(fiber_start(world.fibers, asker, &a));
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "200A 200A ");
    fiber_detach(fiber_start(world.fibers, asker, &a));
    fibers_cancel(world.fibers);
    fibers_run(world.fibers, NULL, NULL);
    told(&world, "");
    assert_int_equal(http_running(client), 0);
    world_close(&world);
    server_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sleep),  cmocka_unit_test(test_signals), cmocka_unit_test(test_gate),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
