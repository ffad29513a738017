"""Push captures by websocket: documents in messages, acknowledged as they become durable."""

import base64
import concurrent.futures
import json
import signal
import socket
import ssl
import struct

import pytest
import websockets.exceptions
import websockets.sync.client

import pushing
import serving
from conftest import until
from pushing import BASE, COLLECTION, NAME, PATH, documents
from sockets import Ended, Socket, close, frame, text, PING, PONG, TEXT

OTHER = "acmeCo/example/other"


@pytest.fixture
def running(firth, tmp_path):
    return pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))[0]


def connect(running, path=PATH, **more):
    return websockets.sync.client.connect(running.url.replace("http", "ws", 1) + path, **more)


def processed(client, number):
    while (told := json.loads(client.recv(timeout=60)))["Processed"] != number:
        assert told["Processed"] < number


def ids(firth, collection=COLLECTION):
    return [each["id"] for each in documents(firth, collection)]


# --- formats ------------------------------------------------------------------------------------------------------------


def test_documents_in_messages(firth, running):
    """One, several, arrays, with blanks between and in them, and none; each message is acknowledged once it is durable."""
    messages = ['{"id":"a"}', '{"id":"b"}{"id":"c"}\n\n{"id":"d"}\n', ' [{"id":"e"},{"id":"f"}] {"id":\n"g]}\\"{"}', "", " \n ", "[]"]
    with connect(running) as client:
        assert client.subprotocol is None
        for number, message in enumerate(messages, 1):
            client.send(message)
            processed(client, number)
            assert len(ids(firth)) == (1, 4, 7, 7, 7, 7)[number - 1]
    assert client.close_code == 1000
    assert ids(firth) == ["a", "b", "c", "d", "e", "f", 'g]}"{']


@pytest.mark.parametrize("protocol, separator", [("csv", ","), ("tsv", "\t"), ("csv/v1", ","), ("tsv/v1", "\t")])
def test_rows_in_messages(firth, running, protocol, separator):
    """The header comes once; each message holds whole rows, the last with or without its line's end."""
    peer = Socket(running, Sec_WebSocket_Protocol=protocol)
    assert peer.headers["sec-websocket-protocol"] == protocol
    rows = ["id,n\n", "a,1\nb,\n", "c,3", '"d, and\nmore",4\r\n', "", "\n", "e\n"]
    peer.send(*(text(row.replace("a,", f"a{separator}").replace(",", separator)) for row in rows))
    peer.processed(len(rows))
    assert [(each["id"], each.get("n", 0)) for each in documents(firth)] == [
        ("a", 1), ("b", None), ("c", 3), (f"d{separator} and\nmore", 4), ("e", 0)]
    peer.send(text(f"x{separator}1\ny{separator}no number\n"))
    code, said = peer.end()
    assert code == 1002 and "row 9" in said[-1]["Error"] and "'n'" in said[-1]["Error"], said
    assert len(ids(firth)) == 5


def test_subprotocols(running):
    for offered, chosen in (("json", "json"), ("json/v1", "json/v1"), ("xml, csv , json", "csv"), ("tsv,", "tsv")):
        peer = Socket(running, Sec_WebSocket_Protocol=offered)
        assert peer.headers["sec-websocket-protocol"] == chosen
        peer.drop()
    assert "subprotocols" in Socket(running, Sec_WebSocket_Protocol="xml, soap", expect=400).buffer.decode()


def test_flows_old_path(firth, running):
    """A collection by its name, one to a socket."""
    peer = Socket(running, path=f"/ingest/{COLLECTION}", Sec_WebSocket_Protocol="json/v1")
    peer.send(text('{"id":"a"}')).processed(1)
    assert ids(firth) == ["a"]


# --- refusals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message, error", [
    ('{"id":3}', "keyword 'type'"), ('{"id":"x"}{"n":3}', "document 1 violates"), ("{", "the JSON from byte 0"), ('{"id":"y"} nonsense', "byte 11"),
    ('{"id":"z"}\x00{"id":"z"}', "JSON"), ("5", "violates"), ('"{"', "violates"), ('{"id":"\\', "JSON")])
def test_what_is_refused(firth, running, message, error):
    """The message is kept not at all, what came before it is, what comes behind it is not; and the client hears why."""
    peer = Socket(running)
    peer.send(text('{"id":"before"}'), text(message), text('{"id":"behind"}'))
    code, said = peer.end()
    assert code == 1002 and said[-1]["ApproximateFrame"] == 2 and error in said[-1]["Error"], said
    assert said[:-1] == [{"Processed": 1}]
    assert ids(firth) == ["before"]


def test_a_refusal_tells_each_violation(running):
    peer = Socket(running)
    peer.send(text('[{"id":"a"},{"id":3}]'))
    _, [said] = peer.end()
    assert said["document"] == 1 and said["violations"][0]["keyword"] == "type"


def test_a_quarantine_takes_what_is_invalid(firth, tmp_path):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", onInvalid="quarantine"))
    with connect(running) as client:
        client.send('{"id":"a"}{"id":3}')
        processed(client, 1)
    assert ids(firth) == ["a"]


def test_limits(firth, tmp_path):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", {"maxBodyBytes": 1000}))
    for frames in ([text("x" * 1001)], [frame(TEXT, b"x" * 600, fin=False), frame(0, b"x" * 600)], [frame(TEXT, b"x", length=1 << 62)]):
        peer = Socket(running)
        peer.send(*frames)
        assert peer.end()[0] == 1009


@pytest.mark.parametrize("headers, status, why", [
    ({"Sec_WebSocket_Version": "8"}, 426, "Version: 13"), ({"Sec_WebSocket_Version": None}, 426, "Version: 13"),
    ({"Sec_WebSocket_Key": None}, 400, "Sec-WebSocket-Key"), ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400, "Sec-WebSocket-Key"),
    ({"Sec_WebSocket_Key": "no base64, this!"}, 400, "Sec-WebSocket-Key"), ({"Connection": "keep-alive"}, 400, "Connection"),
    ({"Content_Length": "5"}, 400, "body"), ({"version": "1.0"}, 400, "HTTP/1.1"), ({"path": "/elsewhere"}, 404, "path"), ({"path": BASE}, 404, "one resource"),
    ({"path": "/ingest/acmeCo/nothing"}, 404, "path"), ({"Origin": "https://evil.example.com"}, 403, "origin"),
    ({"path": f"{PATH}?from=x"}, 400, "from"), ({"path": f"{PATH}?id=a&id=b"}, 400, "one id"),
    ({"path": f"{PATH}?id=a", "Idempotency_Key": "b"}, 400, "one id"), ({"Sec_WebSocket_Protocol": "bearer.YQ, bearer.Yg"}, 400, "bearer"),
     ({"path": f"{PATH}?id={'x' * 300}"}, 400, "id"),
    ({"X_Forwarded_For": "10.1.2.3"}, 403, "token"), ({"Upgrade": "h2c"}, 405, "POST")])
def test_handshakes_that_are_refused(running, headers, status, why):
    peer = Socket(running, expect=status, **headers)
    assert why in json.loads(peer.buffer)["error"]
    assert peer.headers.get("sec-websocket-version") == ("13" if status == 426 else None)


# --- who may ------------------------------------------------------------------------------------------------------------


def test_tokens_and_origins(firth, tmp_path):
    signed = "acmeCo/example/signed"
    running, _ = pushing.run(firth, pushing.catalog(
        tmp_path / "flow.json", {"corsOrigins": ["https://app.example.com"]},
        {COLLECTION: {"name": "webhooks", "authToken": "s3cret?/+"}, OTHER: {"name": "other"},
         signed: {"name": "signed", "signature": {"provider": "github", "secret": "x"}}}))
    encoded = base64.urlsafe_b64encode(b"s3cret?/+").decode().rstrip("=")
    assert Socket(running, expect=401).headers.get("retry-after") is None
    Socket(running, expect=403, Authorization="Bearer wrong")
    Socket(running, expect=403, Sec_WebSocket_Protocol="json, bearer.d3Jvbmc")
    Socket(running, expect=403, Sec_WebSocket_Protocol="bearer.%%%")
    Socket(running, expect=403, path=f"{BASE}/signed")
    Socket(running, expect=403, path=f"{BASE}/other", Origin="https://evil.example.com")
    for path, headers in ((PATH, {"Authorization": "Bearer s3cret?/+"}), (PATH, {"Sec_WebSocket_Protocol": f"bearer.{encoded}, json"}),
                          (PATH, {"Sec_WebSocket_Protocol": f"bearer.{encoded}", "Origin": "https://anywhere.example.com"}),
                          (f"{BASE}/other", {"Origin": "https://app.example.com"})):
        peer = Socket(running, path=path, **headers)
        assert peer.headers.get("sec-websocket-protocol") in (None, "json")
        peer.send(text('{"id":"a"}')).processed(1)
        peer.drop()
    assert len(ids(firth)) == 3 and len(ids(firth, OTHER)) == 1
    assert not any("s3cret" in line for line in running.out + running.err)


def test_tls(firth, tmp_path):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"), *pushing.certificate(tmp_path))
    context = ssl._create_unverified_context()
    with connect(running, ssl=context) as client:
        for number in range(1, 500):
            client.send(json.dumps({"id": str(number), "text": "x" * number * 10}))
        processed(client, 499)
    assert client.close_code == 1000 and len(ids(firth)) == 499
    # What is told with the close comes through as well.
    peer = Socket(running, stream=context.wrap_socket(socket.create_connection(pushing.address_of(running))))
    peer.send(text('{"id":"a"}'), text('{"id":3}'))
    code, said = peer.end()
    assert code == 1002 and [*said[0]] == ["Processed"] and said[-1]["ApproximateFrame"] == 2


# --- acknowledgements ---------------------------------------------------------------------------------------------------


def test_many_clients_at_once(firth, running):
    """Every message once, in its socket's order, and commits are shared."""
    def push(name):
        with connect(running) as client:
            for number in range(500):
                client.send(json.dumps({"id": f"{name}", "n": number}))
            processed(client, 500)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(push, range(16)))
    found = documents(firth)
    for name in range(16):
        assert [each["n"] for each in found if each["id"] == str(name)] == list(range(500))
    assert pushing.commits_of(running, 8000) < 4000


def test_whoever_closes_hears_of_all_that_was_sent(firth, running):
    peer = Socket(running)
    peer.send(*(text(json.dumps({"id": str(number)})) for number in range(1000)), close(1000))
    code, said = peer.end()
    assert code == 1000 and said[-1] == {"Processed": 1000}
    assert len(ids(firth)) == 1000


def test_ids(firth, running):
    """Under an id what is sent again is known, also where numbers go on after a reconnect."""
    path = f"{PATH}?id=client-7"
    messages = [text(json.dumps({"id": str(number)})) for number in range(20)]
    Socket(running, path=path).send(*messages[:10]).processed(10)
    Socket(running, path=path).send(*messages[:12]).processed(12)
    Socket(running, path=f"{path}&from=8").send(*messages[8:15]).processed(15)
    Socket(running, Idempotency_Key="client-7").send(*messages).processed(20)
    assert ids(firth) == [str(number) for number in range(20)]


def test_metadata(firth, tmp_path):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", {"metadata": True}))
    Socket(running, path=f"{PATH}?id=k&lang=en", User_Agent="me", Authorization="Bearer x").send(
        text('{"id":"a"}'), text('{"id":"b"}{"id":"c"}')).processed(2)
    metas = [each["_meta"] for each in documents(firth)]
    assert [each["webhookId"] for each in metas] == ["k/1", "k/2/0", "k/2/1"]
    assert metas[0]["headers"]["User-Agent"] == "me" and "Authorization" not in metas[0]["headers"]
    assert metas[0]["query"] == {"id": "k", "lang": "en"} and metas[0]["reqPath"] == PATH
    assert metas[0]["receivedAt"].endswith("Z")


def test_too_often_waits(firth, tmp_path):
    """Past maxRequestsPerSecond a socket is read later, and nothing is lost."""
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", {"maxRequestsPerSecond": 200}))
    peer = Socket(running)
    peer.send(*(text(json.dumps({"id": str(number)})) for number in range(500)))
    peer.processed(500)
    assert ids(firth) == [str(number) for number in range(500)]


# --- clients that are none ----------------------------------------------------------------------------------------------


def test_who_does_not_listen_is_not_read(firth, running):
    """Neither pongs nor acknowledgements are gathered for it without end; when it listens, it goes on."""
    peer = Socket(running, timeout=60)
    process, ping, sent = pushing.listener_of(running), frame(PING, b"x" * 125), 0
    before = pushing.resident(process)
    peer.peer.settimeout(1)
    chunk = ping * 500
    with pytest.raises(TimeoutError):
        while sent < 1 << 30:
            sent += peer.peer.send(chunk[sent % len(ping):])
    assert pushing.resident(process) - before < 64 << 20
    assert pushing.Client(running.url).push({"id": "a"}).status == 200
    peer.peer.settimeout(60)
    while sent % len(ping):  # the rest of the ping that was cut
        answered = peer.frame()
        assert answered == (PONG, b"x" * 125)
        peer.peer.setblocking(False)
        try:
            sent += peer.peer.send(ping[sent % len(ping):])
        except BlockingIOError:
            pass
        peer.peer.settimeout(60)
    peer.drop()


def test_who_goes_without_a_word(firth, running):
    """With a message half sent, with messages on their way, with a close that nobody reads: the next has its turn."""
    whole = text('{"id":"whole"}')
    for number in range(50):
        peer = Socket(running)
        peer.send(whole, whole[:number % len(whole)])
        if number % 2:
            peer.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.drop()
    with connect(running) as client:
        client.send('{"id":"last"}')
        processed(client, 1)
    assert ids(firth)[-1] == "last" and set(ids(firth)) == {"whole", "last"}


def test_half_closed(firth, running):
    """Who sends no more may still listen: what it sent is kept."""
    peer = Socket(running)
    peer.send(text('{"id":"a"}'))
    peer.processed(1)
    peer.send(text('{"id":"b"}'))
    peer.peer.shutdown(socket.SHUT_WR)
    with pytest.raises(Ended):
        peer.processed(3)
    until(lambda: ids(firth) == ["a", "b"], "what came before the end")


def test_idle_sockets(firth, tmp_path):
    with pushing.descriptors(2000) as count:
        running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
        process = pushing.listener_of(running)
        before = pushing.resident(process)
        idle = [Socket(running) for _ in range(count)]
        idle[0].send(text('{"id":"a"}')).processed(1)
        idle[-1].send(text('{"id":"b"}')).processed(1)
        assert (pushing.resident(process) - before) / count < 64 << 10
        for each in idle:
            each.drop()


# --- its life -----------------------------------------------------------------------------------------------------------


def test_a_deploy_closes_those_of_the_capture_that_changes(firth, tmp_path):
    path = tmp_path / "flow.json"
    pushing.catalog(path)
    catalog = json.loads(path.read_text())
    catalog["collections"][OTHER] = catalog["collections"][COLLECTION]
    catalog["captures"]["acmeCo/second"] = {"endpoint": {"ingest": {}}, "bindings": [{"target": OTHER, "resource": {"name": "other"}}]}
    path.write_text(json.dumps(catalog))
    serving.deploy(firth, path)
    daemon = firth.start("serve", "--ingest", "127.0.0.1:0", "--retry-after", "1ms")
    client = pushing.started(daemon)
    until(lambda: client.ask("GET", "/ingest/acmeCo/second").status != 503, "the second capture")
    changed, stays = Socket(daemon), Socket(daemon, path="/ingest/acmeCo/second/other")
    idle = Socket(daemon)
    changed.send(text('{"id":"a"}')).processed(1)
    changed.send(*(text(json.dumps({"id": str(number)})) for number in range(100)))
    catalog["captures"][NAME]["endpoint"]["ingest"] = {"authToken": "t"}
    path.write_text(json.dumps(catalog))
    assert serving.deploy(firth, path) == {NAME: "change", "acmeCo/second": "none"}
    assert idle.end() == (1012, [])
    code, said = changed.end()
    assert code == 1012
    stays.send(text('{"id":"b"}')).processed(1)
    until(lambda: client.push({"id": "z"}, Authorization="Bearer t").status == 200, "the changed capture")
    Socket(daemon, expect=401)
    last = said[-1]["Processed"] if said else 1
    assert ids(firth)[:last] == ["a", *(str(number) for number in range(last - 1))]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_end_of_all(firth, running, how):
    """1001, after what was pushed is told; nothing that was told is missing."""
    idle, busy = Socket(running), Socket(running)
    busy.send(text('{"id":"first"}')).processed(1)
    busy.send(*(text(json.dumps({"id": str(number)})) for number in range(200)))
    running.signal(how)
    code, said = busy.end()
    assert (code, idle.end()) == (1001, (1001, []))
    running.wait()
    last = said[-1]["Processed"] if said else 1
    assert ids(firth)[:last] == ["first", *(str(number) for number in range(last - 1))]
