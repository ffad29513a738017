"""Server-sent events: what listeners hear, who may listen, and those that do not behave."""

import json
import signal
import socket
import time

from api import NOTHING, Api, basic, serve

LOGIN = {"username": "airbyte", "password": "password"}
SLOTS = 64  # EVENTS_LISTENERS_MAX
LIMIT_S = 60


class Listener:
    """A connection that has asked for events, and reads them one by one."""

    def __init__(self, client, topic, headers=None, receive_buffer=None):
        headers = {"Authorization": client.authorization} if headers is None else headers
        self.peer = socket.socket()
        if receive_buffer:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.peer.settimeout(LIMIT_S)
        self.peer.connect(client.address)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.peer.sendall(f"GET /api/firth/v1/events?topic={topic} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        self.file = self.peer.makefile("rb")
        self.text = b""

    def status(self):
        status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(": ", 1)
            self.headers[name] = value
        return status

    def begin(self):
        assert self.status() == 200 and self.headers["Content-Type"] == "text/event-stream"
        assert self.next() == ("ready", {})
        return self

    def next(self):
        """(name, data) of the next event; None: the stream has ended. Comments are passed over."""
        end = time.monotonic() + LIMIT_S
        while True:
            while b"\n\n" not in self.text:
                size = int(self.file.readline() or b"0", 16)
                piece = self.file.read(size + 2)[:size]
                if not piece:
                    return None
                self.text += piece
            event, self.text = self.text.split(b"\n\n", 1)
            members = dict(line.split(": ", 1) for line in event.decode().split("\n"))
            if "event" in members:
                return members["event"], json.loads(members["data"])
            assert time.monotonic() < end, "nothing but comments came"

    def until(self, name, **members):
        """What was heard up to an event of this name with these members, it included."""
        heard = []
        while True:
            event = self.next()
            assert event, heard
            heard.append(event)
            if event[0] == name and all(event[1].get(key) == value for key, value in members.items()):
                return heard

    def rest(self):
        """All that comes until the stream ends."""
        heard = []
        while (event := self.next()):
            heard.append(event)
        return heard

    def close(self):
        self.peer.close()
        self.file.close()


def session_of(client):
    answer = Api(client.url, None).ask("POST", "/api/firth/v1/session", LOGIN)
    return answer.headers["Set-Cookie"].split(";")[0]



def test_what_is_heard(firth):
    """A job's begin, progress and end, by those who asked for it; a session's end ends its streams."""
    daemon = serve(firth, "--client-timeout", "10s")  # and a beat each five seconds
    client = daemon.api
    id = client.connection(source=client.source(count=300), streams=("users", "products"))
    cookie = session_of(client)
    every, one = Listener(client, "jobs", {"Cookie": cookie}).begin(), Listener(client, f"connection:{id}").begin()
    other, tasks = Listener(client, f"connection:{client.connection()}").begin(), Listener(client, "tasks").begin()

    job = client.config("connections/sync", {"connectionId": id})["job"]["id"]
    heard = every.until("job", status="succeeded")
    assert {name for name, _ in heard} == {"job"}
    assert [data["status"] for _, data in heard][-2:] == ["running", "succeeded"]
    assert all((data["id"], data["connectionId"], data["configType"]) == (job, id, "sync") for _, data in heard)
    heard = one.until("job", status="succeeded")
    progress = [data for name, data in heard if name == "progress"]
    moved = {stream["streamName"]: stream["stats"] for data in progress for stream in data["streamStats"]}
    assert {name: stats["recordsCommitted"] for name, stats in moved.items()} == {"users": 300, "products": 100}
    assert progress[-1]["stats"]["recordsCommitted"] == 400 and progress[-1]["attempt"] == 0

    # A deploy is told to those who listen to tasks, and to nobody else.
    catalog = firth.data_dir.parent / "flow.json"
    catalog.write_text(json.dumps({
        "captures": {"acmeCo/fake": {"endpoint": {"connector": {"image": "airbyte/source-faker:6.2.38", "config": {"count": 20}}},
                                     "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}},
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": {"type": "object", "required": ["id"]}}}}))
    firth("deploy", "--yes", catalog, expect=0)
    heard = tasks.until("task", state="waiting")
    assert ("tasks", {}) in heard and {data["task"] for name, data in heard if name == "task"} == {"acmeCo/fake"}

    assert Api(client.url, None).ask("DELETE", "/api/firth/v1/session", None, {"Cookie": cookie}).status == 204
    assert every.next() is None
    firth("password", stdin="another one\n", expect=0)
    client.authorization = basic(password="another one")
    # Another process has set it: the next beat finds that out.
    assert one.rest() == [] and other.rest() == []
    last = Listener(client, "jobs,tasks," + f"connection:{id}").begin()
    daemon.signal(signal.SIGTERM)
    assert last.rest() == [] and daemon.wait() == 0


TOPICS = [("", 422), ("job", 422), ("jobs,x", 422), ("connection:", 422), ("connection:x", 422), (f"connection:{NOTHING}x", 422),
          (",".join([f"connection:{NOTHING}"] * 17), 422), ("jobs%00", 400), ("jobs,", 200),
          (f"connection:{NOTHING}", 404), (f"jobs,connection:{{id}},connection:{NOTHING}", 404), ("tasks,connection:{id}", 200)]


def test_who_may_listen_and_how_many(firth):
    daemon = serve(firth, "--client-timeout", "10s")  # and a beat each five seconds
    client = daemon.api
    id = client.connection()
    for topic, status in TOPICS:
        listener = Listener(client, topic.replace("{id}", id.upper()))
        assert listener.status() == status, topic
        listener.close()
    assert Listener(client, "jobs", {}).status() == 401
    assert Listener(client, "jobs", {"Authorization": client.authorization, "Origin": "http://evil.example"}).status() == 403
    assert client.ask("HEAD", "/api/firth/v1/events?topic=jobs").status == 200
    assert client.ask("POST", "/api/firth/v1/events?topic=jobs").status == 405

    # Some never read: what waits for them lies in the kernel, and they are in nobody's way.
    listeners = [Listener(client, "jobs", receive_buffer=1) for _ in range(SLOTS)]
    for listener in listeners[SLOTS // 2:]:
        listener.begin()
    for listener in listeners[:SLOTS // 2]:
        assert listener.status() == 200
    assert Listener(client, "jobs").status() == 503
    # Who has gone makes room at once.
    for listener in listeners[-2:]:
        listener.close()
    Listener(client, "jobs").begin()
    # A token that is good for nothing any more ends its streams with the next beat, whoever took it back.
    application = client.public("POST", "applications", {"name": "listener"})
    token = client.public("POST", "applications/token", {"client_id": application["clientId"], "client_secret": application["clientSecret"]})
    last = Listener(client, "jobs", {"Authorization": f"Bearer {token['access_token']}"}).begin()
    client.public("DELETE", f"applications/{application['id']}")
    assert last.rest() == []
    # The daemon ends whether they read or not.
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_the_password_is_changed_where_one_is_logged_in(firth):
    client = serve(firth).api
    cookie = session_of(client)
    page = Api(client.url, None)

    def change(current, new, status, **headers):
        answer = page.ask("POST", "/api/firth/v1/password", {"currentPassword": current, "newPassword": new}, {"Cookie": cookie, **headers})
        assert answer.status == status, answer
        return answer

    listener = Listener(client, "jobs", {"Cookie": cookie}).begin()
    assert change("password", "short", 422).json()["validationErrors"][0]["propertyPath"] == "newPassword"
    assert "everybody knows" in change("password", "password", 422).json()["message"]
    assert change("wrong one", "good enough", 422).json()["validationErrors"][0]["propertyPath"] == "currentPassword"
    change("password", "good enough", 401, Cookie="firth_session=none")
    assert change("password", "good enough", 403, Origin="http://evil.example")
    answer = change("password", "good enough", 200)
    assert answer.json()["defaultPassword"] is False
    assert listener.rest() == []
    cookie, old = answer.headers["Set-Cookie"].split(";")[0], cookie
    assert page.ask("GET", "/api/firth/v1/session", None, {"Cookie": old}).json() == {"loggedIn": False}
    assert page.ask("GET", "/api/firth/v1/session", None, {"Cookie": cookie}).json()["loggedIn"]
    client.authorization = basic(password="good enough")
    application = client.public("POST", "applications", {"name": "robot"})
    token = client.public("POST", "applications/token", {"client_id": application["clientId"], "client_secret": application["clientSecret"]})
    change("good enough", "another one", 403, Cookie="", Authorization=f"Bearer {token['access_token']}")
    guesses = ({"currentPassword": f"wrong {n}", "newPassword": "good enough"} for n in range(200))
    assert any(page.ask("POST", "/api/firth/v1/password", guess, {"Cookie": cookie}).status == 429 for guess in guesses)
