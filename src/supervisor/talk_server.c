#include "supervisor/talk.h"

#include "supervisor/talk_address.h"
#include "json/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 32, ROOM = 4096 };

struct talk_peer {
    struct talk_server *server;
    struct talk_peer *next;
    uv_pipe_t pipe;
    struct buffer in, out;
    uv_write_t write;
    uint64_t turn; /* of the request whose answer was put off; 0: none is */
    bool writing, watched, closing;
};

struct talk_server {
    struct talk_callbacks callbacks;
    struct talk_address address;
    uv_pipe_t listener;
    struct json_parser *parser;
    struct talk_peer *peers;
    size_t peer_count;
    uint64_t turns;
    bool closing, listener_closed;
};

int talk_address_open(struct talk_address *address, const char *data_dir, struct error *err)
{
    *address = (struct talk_address){.name.sun_family = AF_UNIX};
    address->folder = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address->folder < 0)
        return error_errno(err, errno, "cannot open the data directory %s", data_dir);
    snprintf(address->name.sun_path, sizeof address->name.sun_path, "/proc/self/fd/%d/%s", address->folder,
             TALK_SOCKET);
    return 0;
}

void talk_address_close(struct talk_address *address)
{
    close(address->folder);
}

/* --- one connection ------------------------------------------------------------------------------ */

static void free_if_closed(struct talk_server *server)
{
    if (!server->closing || !server->listener_closed || server->peers)
        return;
    json_parser_free(server->parser);
    talk_address_close(&server->address);
    free(server);
}

static void on_peer_closed(uv_handle_t *handle)
{
    struct talk_peer *peer = handle->data, **at;
    struct talk_server *server = peer->server;
    for (at = &server->peers; *at != peer; at = &(*at)->next)
        continue;
    *at = peer->next;
    server->peer_count--;
    buffer_done(&peer->in);
    buffer_done(&peer->out);
    free(peer);
    free_if_closed(server);
}

static void close_peer(struct talk_peer *peer)
{
    if (peer->closing)
        return;
    peer->closing = true;
    uv_close((uv_handle_t *)&peer->pipe, on_peer_closed);
    if (peer->watched && !peer->server->closing)
        peer->server->callbacks.gone(peer->server->callbacks.context);
}

static void serve(struct talk_peer *peer);

static void on_written(uv_write_t *write, int status)
{
    struct talk_peer *peer = write->data;
    peer->writing = false;
    if (peer->closing)
        return;
    if (status < 0)
        close_peer(peer);
    else
        serve(peer);
}

static void put_error(struct buffer *out, const char *message)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_bool(&writer, "ok", false);
    json_member_string(&writer, "error", message);
    json_end_object(&writer);
}

static void send_answer(struct talk_peer *peer)
{
    if (peer->out.overflowed) {
        buffer_clear(&peer->out);
        put_error(&peer->out, "the answer would be too long");
    }
    buffer_byte(&peer->out, '\n');
    uv_buf_t bytes = uv_buf_init(peer->out.data, (unsigned)peer->out.size);
    peer->write.data = peer;
    peer->writing = true;
    if (uv_write(&peer->write, (uv_stream_t *)&peer->pipe, &bytes, 1, on_written) < 0) {
        peer->writing = false;
        close_peer(peer);
    }
}

static void answer(struct talk_peer *peer, const char *line, size_t size)
{
    struct talk_server *server = peer->server;
    struct talk_turn turn = {.id = ++server->turns, .watched = peer->watched};
    struct json request;
    struct error err;
    buffer_clear(&peer->out);
    if (json_parse(server->parser, line, size, &request, &err) < 0)
        put_error(&peer->out, err.message);
    else
        server->callbacks.asked(server->callbacks.context, &request, &peer->out, &turn);
    peer->watched = turn.watched;
    peer->turn = turn.later ? turn.id : 0;
    if (!turn.later)
        send_answer(peer);
}

void talk_server_answer(struct talk_server *server, uint64_t turn, struct slice text)
{
    struct talk_peer *peer = server->peers;
    while (peer && peer->turn != turn)
        peer = peer->next;
    if (!peer || peer->closing)
        return;
    peer->turn = 0;
    buffer_clear(&peer->out);
    buffer_append(&peer->out, text.data, text.size);
    send_answer(peer);
}

/* One request at a time: the next one when the answer is gone. */
static void serve(struct talk_peer *peer)
{
    const char *end = peer->in.size ? memchr(peer->in.data, '\n', peer->in.size) : NULL;
    if (!end || peer->writing || peer->turn || peer->closing)
        return;
    size_t size = (size_t)(end - peer->in.data);
    answer(peer, peer->in.data, size);
    buffer_consume(&peer->in, size + 1);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_room)
{
    struct talk_peer *peer = handle->data;
    (void)suggested;
    bool room = buffer_reserve(&peer->in, ROOM);
    *ret_room =
        room ? uv_buf_init(peer->in.data + peer->in.size, (unsigned)(peer->in.capacity - peer->in.size))
             : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct talk_peer *peer = stream->data;
    (void)room;
    if (got < 0) { /* the end, an error, or a request past its limit */
        close_peer(peer);
        return;
    }
    peer->in.size += (size_t)got;
    serve(peer);
}

/* --- the server ---------------------------------------------------------------------------------- */

static void on_connection(uv_stream_t *listener, int status)
{
    struct talk_server *server = listener->data;
    if (status < 0)
        return;
    struct talk_peer *peer = mem_zalloc(sizeof *peer);
    peer->server = server;
    peer->next = server->peers;
    server->peers = peer;
    server->peer_count++;
    buffer_init(&peer->in, TALK_REQUEST_MAX);
    buffer_init(&peer->out, TALK_ANSWER_MAX);
    uv_pipe_init(listener->loop, &peer->pipe, 0);
    peer->pipe.data = peer;
    if (uv_accept(listener, (uv_stream_t *)&peer->pipe) < 0 || server->peer_count > TALK_CONNECTIONS_MAX ||
        uv_read_start((uv_stream_t *)&peer->pipe, on_room, on_read) < 0)
        close_peer(peer);
}

/* Its mode from the beginning on: there is no moment in which others may connect. */
static int bind_socket(const struct talk_address *address, const char *data_dir, struct error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, "cannot make a socket");
    unlinkat(address->folder, TALK_SOCKET, 0);
    if (fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)&address->name, sizeof address->name) == 0)
        return fd;
    error_errno(err, errno, "cannot listen on %s/%s", data_dir, TALK_SOCKET);
    close(fd);
    return -1;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct talk_server *server = handle->data;
    server->listener_closed = true;
    free_if_closed(server);
}

struct talk_server *talk_server_open(uv_loop_t *loop, const char *data_dir,
                                     const struct talk_callbacks *callbacks, struct error *err)
{
    struct talk_server *server = mem_zalloc(sizeof *server);
    server->callbacks = *callbacks;
    int fd = -1;
    if (talk_address_open(&server->address, data_dir, err) < 0) {
        free(server);
        return NULL;
    }
    server->parser = json_parser_new((struct json_limits){.size_max = TALK_REQUEST_MAX, .depth_max = 16},
                                     JSON_DUPLICATES_REFUSE);
    uv_pipe_init(loop, &server->listener, 0);
    server->listener.data = server;
    fd = bind_socket(&server->address, data_dir, err);
    int failed = fd < 0 ? -1 : uv_pipe_open(&server->listener, fd);
    if (fd >= 0 && failed == 0)
        failed = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
    if (failed == 0)
        return server;
    if (fd >= 0)
        error_errno(err, -failed, "cannot listen on %s/%s", data_dir, TALK_SOCKET);
    talk_server_close(server);
    return NULL;
}

void talk_server_close(struct talk_server *server)
{
    if (!server)
        return;
    server->closing = true;
    unlinkat(server->address.folder, TALK_SOCKET, 0);
    for (struct talk_peer *peer = server->peers; peer; peer = peer->next)
        close_peer(peer);
    uv_close((uv_handle_t *)&server->listener, on_listener_closed);
}
