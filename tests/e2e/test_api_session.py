"""The web UI's files and sessions, as a browser asks for them."""

import gzip
import re

import pytest

from api import Api, basic, serve

LOGIN = {"username": "airbyte", "password": "password"}


def anonymous(firth):
    client = serve(firth).api
    return Api(client.url, None)


def cookie_of(answer):
    assert answer.status == 200, answer
    return re.match(r"firth_session=([0-9a-f]{64}); Path=/; HttpOnly; SameSite=Strict; Max-Age=604800$",
                    answer.headers["Set-Cookie"]).group(1)


def test_a_session_and_its_end(firth):
    client = anonymous(firth)
    assert client.ask("GET", "/api/firth/v1/session").json() == {"loggedIn": False}
    answer = client.ask("POST", "/api/firth/v1/session", LOGIN)
    session = {"Cookie": f"firth_session={cookie_of(answer)}"}
    told = answer.json()
    assert told["loggedIn"] and told["user"] == "airbyte" and told["defaultPassword"] is True
    assert client.ask("GET", "/api/firth/v1/session", None, session).json() == told
    workspaces = client.ask("POST", "/api/v1/workspaces/list", {}, session).json()["workspaces"]
    assert [workspace["workspaceId"] for workspace in workspaces] == [told["workspaceId"]]
    assert client.ask("GET", "/api/firth/v1/status", None, session).status == 200
    ended = client.ask("DELETE", "/api/firth/v1/session", None, session)
    assert ended.status == 204 and "Max-Age=0" in ended.headers["Set-Cookie"]
    assert client.ask("GET", "/api/firth/v1/session", None, session).json() == {"loggedIn": False}
    assert client.ask("POST", "/api/v1/workspaces/list", {}, session).status == 401


@pytest.mark.parametrize("body, status", [({"username": "airbyte", "password": "wrong"}, 401),
                                          ({"username": "somebody", "password": "password"}, 401),
                                          ({"username": "airbyte"}, 422), ({}, 422), (b"nothing", 400)])
def test_who_cannot_log_in(firth, body, status):
    client = anonymous(firth)
    answer = client.ask("POST", "/api/firth/v1/session", body)
    assert answer.status == status and "Set-Cookie" not in answer.headers


def test_a_session_ends_with_the_password(firth):
    client = anonymous(firth)
    session = {"Cookie": f"firth_session={cookie_of(client.ask('POST', '/api/firth/v1/session', LOGIN))}"}
    firth("password", stdin="another one\n", expect=0)
    assert client.ask("POST", "/api/v1/workspaces/list", {}, session).status == 401
    assert client.ask("POST", "/api/firth/v1/session", LOGIN).status == 401
    assert client.ask("POST", "/api/firth/v1/session", LOGIN | {"password": "another one"}).status == 200


def test_other_pages_cannot_use_a_session(firth):
    client = anonymous(firth)
    session = {"Cookie": f"firth_session={cookie_of(client.ask('POST', '/api/firth/v1/session', LOGIN))}"}
    foreign = session | {"Origin": "http://evil.example"}
    assert client.ask("POST", "/api/v1/workspaces/list", {}, foreign).status == 403
    assert client.ask("DELETE", "/api/firth/v1/session", None, foreign).status == 403
    assert client.ask("POST", "/api/firth/v1/session", LOGIN, {"Origin": "http://evil.example"}).status == 403
    assert client.ask("POST", "/api/v1/workspaces/list", {}, session | {"Authorization": basic("airbyte", "wrong")}).status == 401


def test_pages_are_not_asked_for_a_password_by_the_browser(firth):
    client = anonymous(firth)
    assert "WWW-Authenticate" in client.ask("POST", "/api/v1/workspaces/list", {}).headers
    assert "WWW-Authenticate" not in client.ask("POST", "/api/v1/workspaces/list", {}, {"Firth-Page": "1"}).headers


def test_the_pages_files(firth):
    client = anonymous(firth)
    page = client.ask("GET", "/", None)
    assert page.status == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    assert "http://" not in text and "https://" not in text
    script = re.search(r'src="(/assets/[^"]+\.js)"', text).group(1)
    answer = client.ask("GET", script, None)
    assert answer.headers["Content-Encoding"] == "gzip" and "immutable" in answer.headers["Cache-Control"]
    assert b"loggedIn" in gzip.decompress(answer.body)
    again = client.ask("GET", script, None, {"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and not again.body
    head = client.ask("HEAD", script, None)
    assert head.status == 200 and not head.body
    for path in ("/connections", "/connections/3f/history", "/captures/acmeCo/a", "/collections/acmeCo/users.v1"):
        assert client.ask("GET", path, None).body == page.body
    for method, path in [("GET", "/assets/none.js"), ("GET", "/a.php"), ("GET", "/api"), ("GET", "/api/v9/x"),
                         ("GET", "/v1/none"), ("POST", "/connections")]:
        assert client.ask(method, path, None).status == 404, (method, path)
