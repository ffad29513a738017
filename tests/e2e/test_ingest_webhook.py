"""Push captures by HTTP: the seed's catalog, every format and encoding, all of a request or nothing, once for each id."""

import gzip
import json
import signal
import socket
import zlib

import cramjam
import pytest

import pushing
import serving
from backports import zstd
from conftest import until
from pushing import BASE, COLLECTION, PATH, Client, documents

OTHER = "acmeCo/example/other"


@pytest.fixture
def start(firth, tmp_path):
    """start(endpoint, resources, …) -> a client of the running capture."""
    def begin(*options, args=(), **more):
        begin.running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", *options, **more), *args)
        return client
    return begin


def test_seed_catalog(firth, start):
    client = start()
    answer = client.push({"id": "a"}, Idempotency_Key="1")
    assert (answer.status, answer.body) == (200, '{"published":1}')
    assert client.push('{"id":\n"b",\r\n"n":1}', method="PUT").json() == {"published": 1}
    again = client.push({"id": "a"}, Idempotency_Key="1")
    assert (again.status, again.json()) == (200, {"published": 0, "duplicate": True})
    assert client.sockets == 1, "connections are kept"
    # What was acknowledged is there while it runs, and needs no end of the session.
    assert documents(firth) == [{"id": "a"}, {"id": "b", "n": 1}]


def test_where_it_is_reached_is_told(firth, start, tmp_path):
    start()
    assert start.running.url.startswith("http://127.0.0.1:") and not start.running.url.endswith(":0")
    plain = firth.start("run", pushing.catalog(tmp_path / "plain.json"), "--ingest", "127.0.0.1:0", "--data-dir",
                        tmp_path / "plain")
    assert "/ingest/CAPTURE/RESOURCE" in plain.wait_for_line("push captures")


def test_a_port_that_is_taken(firth, tmp_path):
    """It is waited for: by what runs for some seconds, by the daemon for as long as it takes."""
    def begin(command, *args):
        return firth.start(command, *args, "--ingest", f"127.0.0.1:{port}", "--retry-after", "1ms", "--data-dir", tmp_path / command)

    path = pushing.catalog(tmp_path / "flow.json")
    serving.deploy(firth, path, "--data-dir", tmp_path / "serve")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run, serve = begin("run", path, "-o", "json"), begin("serve")
        error = json.loads(run.wait_for_line('"event":"ended"'))["error"]["message"]
        assert "push captures cannot listen" in error and str(port) in error and "--no-http" not in error
        assert "it will be tried again" in serve.wait_for_line("push captures cannot listen")
    assert pushing.started(serve).push({"id": "a"}).status == 200
    serve.signal(signal.SIGTERM)
    serve.wait()
    with socket.create_server(("127.0.0.1", port)):
        run = begin("run", path, "-o", "json")
        until(lambda: pushing.listener_of(run), "the process that is to listen")
    assert pushing.started(run).push({"id": "b"}).status == 200


@pytest.mark.parametrize("body, kind, stored", [
    ([{"id": "a"}, {"id": "b"}], "application/json", [{"id": "a"}, {"id": "b"}]),
    ("[]", "application/json", []),
    ({"id": "a"}, "application/cloudevents+json; charset=utf-8", [{"id": "a"}]),
    ('{"id":"a"}\n\n{"id":"b",\t"n":1}\r\n  \n{"id":"c"}', "application/x-ndjson", [{"id": "a"}, {"id": "b", "n": 1}, {"id": "c"}]),
    ('id,n\na,1\r\n\n"b ""x"", y",\nc', "text/csv", [{"id": "a", "n": 1}, {"id": 'b "x", y', "n": None}, {"id": "c"}]),
    ("\ufeffid,more,n\n1,x,2\n2,true,\n", "text/csv", [{"id": "1", "more": "x", "n": 2}, {"id": "2", "more": True, "n": None}]),
    ("id\tn\na b,c\t-3\n", "text/tab-separated-values", [{"id": "a b,c", "n": -3}]),
    ("id=a%20b+c&text=%C3%A4&empty=&x", "application/x-www-form-urlencoded", [{"id": "a b c", "text": "ä", "empty": "", "x": ""}]),
    ('{"id":"\\u00e4\\n\\ud83d\\ude00"}', "application/json", [{"id": "ä\n😀"}]),
])
def test_formats(firth, start, body, kind, stored):
    answer = start().push(body, kind=kind)
    assert (answer.status, answer.json()) == (200, {"published": len(stored)})
    assert documents(firth) == stored


@pytest.mark.parametrize("body, kind, status, why", [
    ("", "application/json", 400, "no body"),
    ('{"id":"a"', "application/json", 400, "the request's body"),
    ('{"id":"a"} {"id":"b"}', "application/json", 400, "the request's body"),
    ('{"id":"a"}\n{"id":', "application/x-ndjson", 400, "line 2"),
    ("id,n\na,x\n", "text/csv", 400, "row 2: the column 'n'"),
    ("id\na,b\n", "text/csv", 400, "row 2: there are more cells"),
    ('id\n"a\n', "text/csv", 400, "row 2: a quote"),
    ("id,id\n", "text/csv", 400, "row 1: two columns"),
    (b"id\n\xff\n", "text/csv", 400, "row 2: it is not UTF-8"),
    ("id=%zz", "application/x-www-form-urlencoded", 400, "no form"),
    ("a=1&" * 10001, "application/x-www-form-urlencoded", 400, "more than 10000 fields"),
    (b'{"id":"\xff"}', "application/json", 400, "UTF-8"),
    ("[" * 100000, "application/json", 400, "the request's body"),
    ("x", "image/png", 415, "Content-Type"),
    ("id\n", "text/csv; charset=utf-8; header=absent", 415, "text/csv with a header"),
])
def test_bodies_that_are_refused(firth, start, body, kind, status, why):
    client = start()
    answer = client.push(body, kind=kind)
    assert answer.status == status and why in answer.json()["error"], answer
    assert client.push({"id": "next"}).status == 200
    assert documents(firth) == [{"id": "next"}]


def test_one_invalid_document_refuses_the_request(firth, start):
    client = start()
    answer = client.push([{"id": "a"}, {"id": "b"}, {"id": 3, "n": "x"}])
    told = answer.json()
    assert answer.status == 400 and told["document"] == 2
    assert sorted((each["instance"], each["keyword"]) for each in told["violations"]) == [("/id", "type"), ("/n", "type")]
    missing = client.push([{"n": 1}]).json()
    assert missing["violations"][0]["keyword"] == "required"
    assert documents(firth) == []


BODY = json.dumps([{"id": str(n), "text": "x" * 100} for n in range(200)]).encode()


@pytest.mark.parametrize("encoding, body", [
    ("gzip", gzip.compress(BODY)), ("gzip", gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])),
    ("deflate", zlib.compress(BODY)), ("zstd", zstd.compress(BODY)), ("ZSTD", zstd.compress(BODY[:9]) + zstd.compress(BODY[9:])),
    ("br", bytes(cramjam.brotli.compress(BODY))), ("gzip, zstd", zstd.compress(gzip.compress(BODY))), ("identity", BODY),
])
def test_encodings(firth, start, encoding, body):
    answer = start().push(body, Content_Encoding=encoding)
    assert (answer.status, answer.json()) == (200, {"published": 200})
    assert len(documents(firth)) == 200


@pytest.mark.parametrize("encoding, body, status", [
    ("gzip", BODY, 400), ("gzip", gzip.compress(BODY)[:-9], 400), ("zstd", zstd.compress(BODY)[:-3], 400), ("zstd", BODY, 400),
    ("br", b"\xff" * 20, 400), ("br", bytes(cramjam.brotli.compress(BODY))[:-3], 400), ("deflate", BODY, 400),
    ("lzma", BODY, 415), ("gzip,gzip,gzip,gzip", BODY, 415),
])
def test_encodings_that_are_none(start, encoding, body, status):
    answer = start().push(body, Content_Encoding=encoding)
    assert answer.status == status and ("3 content encodings" if "," in encoding else encoding) in answer.json()["error"], answer


BOMB = b'{"id":"' + b"x" * (8 << 20) + b'"}'


@pytest.mark.parametrize("encoding, body", [
    ("gzip", gzip.compress(BOMB)), ("deflate", zlib.compress(BOMB)), ("zstd", zstd.compress(BOMB)),
    ("br", bytes(cramjam.brotli.compress(BOMB))), ("gzip, gzip", gzip.compress(gzip.compress(BOMB))), ("identity", BOMB[:1 << 19] + b'"}'),
])
def test_what_is_too_large(firth, start, encoding, body):
    client = start({"maxBodyBytes": 1 << 19})
    assert client.push(body, Content_Encoding=encoding).status == 413
    assert client.push({"id": "next"}).status == 200
    assert documents(firth) == [{"id": "next"}]


def test_a_body_in_chunks(firth, start):
    client = start({"maxBodyBytes": 1000})

    def chunks(*parts):
        client.http.request("POST", PATH, body=iter(parts), headers={"Content-Type": "application/json"}, encode_chunked=True)
        return pushing.Answer(client.http.getresponse())

    assert chunks(b'[{"id":', b'"a"},', b'{"id":"b"}]').json() == {"published": 2}
    assert chunks(b'{"id":"', b"x" * 1000, b'"}').status == 413


def test_metadata(firth, start):
    client = start({"metadata": True, "idFromHeader": "X-Delivery"})
    path = PATH + "?a=1&b=%C3%A4&a=2&Token=not-told&api_key=not-told"
    assert client.push([{"id": "a", "_meta": {"own": 1, "reqPath": "forged"}}, {"id": "b"}], path=path, X_Delivery="d-1",
                       Authorization="Bearer not-told", Cookie="not-told", X_Event="ping", X_API_Key="not-told",
                       X_Auth_Token="not-told").status == 200
    first, second = (each["_meta"] for each in documents(firth))
    assert first["own"] == 1 and first["reqPath"] == PATH == second["reqPath"]
    assert (first["webhookId"], second["webhookId"]) == ("d-1/0", "d-1/1")
    assert first["receivedAt"].endswith("Z") and first["query"]["b"] == "ä"
    assert first["headers"]["X-Event"] == "ping" and "not-told" not in json.dumps(first)
    refused = client.push('"no object"')
    assert refused.status == 400 and "_meta" in refused.json()["error"]
    assert client.push({"id": "c"}).status == 200
    assert len(documents(firth)[2]["_meta"]["webhookId"]) == 36


def test_what_comes_several_times(firth, start):
    """In `_meta` it is one member with all of it, as of a form; a body's encodings are undone in their order."""
    client = start({"metadata": ["headers", "query"]}, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}})
    packed = gzip.compress(zlib.compress(b'{"id":"a"}'))
    headers = [("X-Tag", "a"), ("x-tag", "b, c"), ("Content-Encoding", "deflate"), ("Content-Encoding", "gzip")]
    assert client.push_lines(headers, packed, PATH + "?q=1&r=2&q=3").json() == {"published": 1}
    assert client.push({COLLECTION: [{"id": "b"}]}, path=BASE + "?q=4").status == 200
    assert client.push("id=c&tag=x&tag=y", kind="application/x-www-form-urlencoded").status == 200
    first, second, third = documents(firth)
    assert first["_meta"]["headers"]["X-Tag"] == "a, b, c" and "x-tag" not in first["_meta"]["headers"]
    assert first["_meta"]["query"] == {"q": ["1", "3"], "r": "2"}
    assert second["_meta"]["query"] == {"q": "4"}, "of several collections' requests too"
    assert third["tag"] == ["x", "y"]


def test_metadata_that_is_no_text(firth, start):
    """Bytes that are not UTF-8 in a header or the query are no reason to refuse a document."""
    client = start({"metadata": ["headers", "query"]})
    assert client.push({"id": "a"}, path=PATH + "?q=%ff%41", X_Name="M\u00fcller").status == 200
    meta = documents(firth)[0]["_meta"]
    assert meta["query"]["q"].endswith("A") and meta["headers"]["X-Name"].startswith("M")


def test_some_metadata_of_one_resource(firth, start):
    client = start({}, {COLLECTION: {"name": "webhooks", "metadata": ["webhookId"]}})
    client.push({"id": "a"}, Idempotency_Key="k")
    assert documents(firth) == [{"_meta": {"webhookId": "k"}, "id": "a"}]


def test_ids(firth, start):
    client = start({"idFromHeader": "X-Id"}, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}})
    assert client.push({"id": "a"}, X_Id="1").json() == {"published": 1}
    assert client.push({"id": "b"}, path=f"{BASE}/other", X_Id="1").json() == {"published": 1}, "each resource has its own"
    assert client.push({"id": "c"}, X_Id="2", Idempotency_Key="1").json() == {"published": 1}
    assert client.push({"id": 3}, X_Id="3").status == 400
    assert client.push({"id": "d"}, X_Id="3").json() == {"published": 1}, "what was refused may be mended"
    assert client.push({"id": "e"}, X_Id="x" * 256).status == 400
    assert [each["id"] for each in documents(firth)] == ["a", "c", "d"]


def test_an_id_of_several_collections(firth, start):
    """It is of these collections, in whatever order the request or the catalog has them; beside it each resource's own. Both outlive
    the resources' names."""
    resources = {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}}
    client = start({}, resources)
    both = {COLLECTION: [{"id": "a"}], OTHER: [{"id": "b"}]}
    assert client.push(both, path=BASE, Idempotency_Key="1").json() == {"published": 2}
    assert client.push(dict(reversed(both.items())), path=BASE, Idempotency_Key="1").json()["duplicate"]
    assert client.push(both, path="/ingest", Idempotency_Key="1").json()["duplicate"]
    for path in (PATH, f"{BASE}/other"):
        assert client.push({"id": "c"}, path=path, Idempotency_Key="1").json() == {"published": 1}
    assert client.push({OTHER: [{"id": "c"}]}, path=BASE, Idempotency_Key="1").json()["duplicate"], "one is its resource's"
    start.running.signal(signal.SIGTERM)
    start.running.wait()
    client = start({}, {OTHER: {}, COLLECTION: {"name": "hooks", "path": "/hooks"}})
    assert client.push(both, path=BASE, Idempotency_Key="1").json()["duplicate"]
    for path in ("/hooks", f"{BASE}/{OTHER}"):
        assert client.push({"id": "c"}, path=path, Idempotency_Key="1").json()["duplicate"]
    assert [len(documents(firth, name)) for name in (COLLECTION, OTHER)] == [2, 2]


def test_id_window(firth, start):
    client = start({"idWindow": 2})
    for key in ("1", "2", "3"):
        assert client.push({"id": key}, Idempotency_Key=key).json() == {"published": 1}
    assert client.push({"id": "3"}, Idempotency_Key="3").json()["duplicate"]
    assert client.push({"id": "1"}, Idempotency_Key="1").json() == {"published": 1}


def test_paths(firth, start):
    client = start({}, {COLLECTION: {"name": "webhooks", "path": "/hooks/own"}, OTHER: {"stream": "a/b"}})
    for path in (PATH, "/hooks/own", f"{BASE}/a/b"):
        assert client.push({"id": "a"}, path=path).json() == {"published": 1}
    for path in (PATH + "x", "/", "/ingest/" + COLLECTION, "/hooks", PATH + "/"):
        assert client.push({"id": "a"}, path=path).status == 404, path
    for method in ("GET", "DELETE", "PATCH"):
        answer = client.ask(method, PATH)
        assert answer.status == 405 and "POST" in answer.headers["Allow"]


def test_several_collections_in_one_request(firth, start):
    client = start({}, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other", "maxBodyBytes": 1000}})
    for path in (BASE, "/ingest"):
        large = client.push({COLLECTION: [{"id": "x" * 1000}], OTHER: [{"id": "y" * 600}], "other": [{"id": "z" * 600}]}, path=path)
        assert large.status == 413 and "'other'" in large.json()["error"], "each resource has its limit"
        assert client.push({COLLECTION: [{"id": "a"}, {"id": "b" * 1000}], OTHER: [{"id": "c"}]}, path=path).json() == {"published": 3}
    refused = client.push({COLLECTION: [{"id": "x"}], OTHER: [{"id": 1}]}, path=BASE)
    assert refused.status == 400 and refused.json()["document"] == 1
    assert client.push({COLLECTION: [{"id": "x"}], "acmeCo/nobody": []}, path=BASE).status == 400
    assert client.push({"acmeCo/nobody": []}, path="/ingest").status == 404
    assert client.push([1], path="/ingest").status == 400 == client.push({COLLECTION: {}}, path=BASE).status
    assert [len(documents(firth, name)) for name in (COLLECTION, OTHER)] == [4, 2]
    for twice in ('{"%s":[{"id":"x","id":"y"}],"%s":[],"%s":[]}' % (COLLECTION, OTHER, COLLECTION),
                  '{"%s":[],"o\\u0074her":[{"id":"x{[,"}], "other" :[{"id":"y"}]}' % COLLECTION):
        refused = client.push(twice, path=BASE)
        assert refused.status == 400 and " comes twice" in refused.json()["error"], refused
        assert COLLECTION in refused.json()["error"] or "o\\u0074her" in refused.json()["error"]
    assert client.push('{"%s":[{"id":"x","n":1,"n":2}]}' % COLLECTION, path=BASE).json() == {"published": 1}
    assert [len(documents(firth, name)) for name in (COLLECTION, OTHER)] == [5, 2]


def test_quarantine(firth, start):
    client = start(onInvalid="quarantine")
    assert client.push([{"id": "a"}, {"id": 3}, {"id": "b"}]).json() == {"published": 3}
    assert [each["id"] for each in documents(firth)] == ["a", "b"]
    assert len(documents(firth, COLLECTION + "/invalid")) == 1


def test_rate(start):
    client = start({"maxRequestsPerSecond": 2})
    answers = [client.push({"id": "a"}) for _ in range(20)]
    refused = [each for each in answers if each.status == 429]
    assert refused and all(each.headers["Retry-After"] == "1" for each in refused)
    assert sum(each.status == 200 for each in answers) >= 2


def test_a_capture_that_has_no_end_ends(firth, start):
    """SIGTERM: what was taken is answered, the process ends with 0, and the documents are there."""
    client = start()
    assert client.push({"id": "a"}).status == 200
    start.running.signal(signal.SIGTERM)
    assert start.running.wait() in (0, 130)
    with pytest.raises(OSError):
        Client(start.running.url, timeout=5).push({"id": "b"})
    assert documents(firth) == [{"id": "a"}]


def test_names_of_options_are_checked(firth, tmp_path):
    path = pushing.catalog(tmp_path / "flow.json", {"authTokens": "s3cret"})
    result = firth("check", path, expect=3)
    assert "authTokens" in result.out + result.err and "authToken'" in result.out + result.err
    assert "s3cret" not in result.out + result.err


@pytest.mark.parametrize("option, value", [("authToken", "s3cret\n"), ("authToken", " s3cret"), ("idFromHeader", "content-length")])
def test_options_that_cannot_be_meant(firth, tmp_path, option, value):
    """A token that no header can bring; an id that all requests of one length share."""
    result = firth("check", pushing.catalog(tmp_path / "flow.json", {option: value}), expect=3)
    assert f"'{option}' must" in result.out + result.err and "s3cret" not in result.out + result.err


@pytest.mark.parametrize("one, other, why", [
    ({"name": "a"}, {"name": "a"}, "the name 'a'"), ({"name": "a", "path": "/p"}, {"name": "b", "path": "/p"}, "the path /p"),
    ({"name": OTHER}, {"name": "b"}, OTHER), ({"name": "b"}, {"name": COLLECTION}, COLLECTION)])
def test_what_leads_to_two_resources(firth, tmp_path, one, other, why):
    """The documents of one would go to the other."""
    result = firth("check", pushing.catalog(tmp_path / "flow.json", {}, {COLLECTION: one, OTHER: other}), expect=3)
    assert why in result.out + result.err
