"""URLs in the API's answers: they lead to where the request went, or to --public-url."""

import json

import pytest

from api import basic, serve


@pytest.fixture
def client(firth):
    """With a password of its own: with the well-known one only localhost may be asked for. Two sources, so that a list has pages."""
    firth("password", stdin="a long one\n", expect=0)
    found = serve(firth).api
    found.authorization = basic(password="a long one")
    for n in range(2):
        found.source(f"source {n}")
    return found


def linked(client, host, more=""):
    """Where `next` leads a client that asked for this host (None: HTTP/1.0, which needs none)."""
    path = "/v1/sources?limit=1"
    head = f"GET {path} HTTP/1.0\r\n" if host is None else f"GET {path} HTTP/1.1\r\nHost: {host}\r\n"
    answer = client.raw(f"{head}Authorization: {client.authorization}\r\nConnection: close\r\n{more}\r\n".encode())
    assert b" 200 " in answer.split(b"\r\n")[0], answer
    url, path, _ = json.loads(answer[answer.index(b"{"):answer.rindex(b"}") + 1])["next"].partition("/v1/sources")
    assert path
    return url


def test_next_leads_to_where_the_request_went(client):
    for host in ("localhost", f"localhost:{client.address[1]}", "firth.example.com", "firth_2.example.com:8443", "[::1]:8000", "10.0.0.7:1"):
        assert linked(client, host) == f"http://{host}"


def test_headers_of_a_proxy_are_not_trusted(client):
    more = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example\r\n"
    assert linked(client, "a.example", more) == "http://a.example"


@pytest.mark.parametrize("host", [None, "a b", "user@evil", "a/b", "a:0", "a:65536", "a:", ":80", "[::1", "[]:80", "[x]", "a?b", "a#b", 'a"b', "é",
                                  "a:80:90", "a:+80", "x" * 260])
def test_a_host_that_is_none_is_not_repeated(client, host):
    assert linked(client, host) == client.url


def test_the_public_url(firth):
    own = "https://firth.example.com/data"
    client = serve(firth, "--public-url", own, env={"FIRTH_PUBLIC_URL": "http://other.example"}).api
    for n in range(2):
        client.source(f"source {n}")
    assert client.public("GET", "sources?limit=1")["next"] == f"{own}/api/public/v1/sources?limit=1&offset=1"
    assert client.ask("GET", "/api/v1/instance_configuration").json()["airbyteUrl"] == own


@pytest.mark.parametrize("url, shown", [("http://other.example:8080", "http://other.example:8080"), ("", None)])
def test_the_public_url_of_the_environment(firth, url, shown):
    client = serve(firth, env={"FIRTH_PUBLIC_URL": url}).api
    assert client.ask("GET", "/api/v1/instance_configuration").json()["airbyteUrl"] == (shown or client.url)


@pytest.mark.parametrize("url", ["firth.example.com", "ftp://a", "https://", "https://a/", "https://a?b", "https://a/b#c", "https://a b", "https://u@a", ""])
def test_a_public_url_that_is_none(firth, url):
    assert f"the public URL '{url}' is none" in firth("serve", "--public-url", url, expect=2).err
