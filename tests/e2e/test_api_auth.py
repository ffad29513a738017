"""The API: who may ask. Passwords, tokens, origins, where it listens."""

import json
import signal
import socket

import pytest

import api
from api import Api, basic, serve

PROTECTED = [("POST", "/api/v1/workspaces/list"), ("GET", "/api/public/v1/workspaces"), ("GET", "/v1/jobs"),
             ("GET", "/metrics"), ("GET", "/api/v1/openapi"), ("GET", "/api/public/v1/applications")]
OPEN = [("GET", "/api/v1/health"), ("GET", "/api/v1/health/"), ("GET", "/api/public/v1/health"), ("GET", "/v1/health")]
CREDENTIALS = {"client_id": "airbyte", "client_secret": "password"}


def password(firth, text):
    firth("password", stdin=text + "\n", expect=0)


def token_of(answer):
    assert answer.status == 200, answer
    found = answer.json()
    assert found["token_type"] == "Bearer" and found["expires_in"] > 60
    return "Bearer " + found["access_token"]


# --- passwords and tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method, path", PROTECTED)
def test_who_asks_has_to_be_said(firth, method, path):
    client = serve(firth).api
    body = {} if method == "POST" else None
    wrong = [None, "", "Basic", "Basic !!!", basic("airbyte", "wrong"), basic("other"), basic("", ""), "Bearer x",
             "Digest username=airbyte"]
    for header in wrong:
        answer = client.ask(method, path, body, {"Authorization": header})
        assert answer.status == 401, (header, answer)
        assert "basic" in answer.headers["WWW-Authenticate"].lower()
    assert client.ask(method, path, body).status == 200


def test_health_is_for_everybody(firth):
    client = serve(firth).api
    client.authorization = None
    for method, path in OPEN:
        assert client.ask(method, path).status == 200


def test_tokens_as_clients_ask_for_them(firth):
    client = serve(firth).api
    form = b"grant_type=client_credentials&client_id=airbyte&client_secret=pass%77ord"
    for path in ("/api/v1/applications/token", "/api/public/v1/applications/token", "/v1/applications/token"):
        anonymous = Api(client.url, None)
        by_json = token_of(anonymous.ask("POST", path, CREDENTIALS))
        by_form = token_of(anonymous.ask("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"}))
        for token in (by_json, by_form):
            assert client.ask("GET", "/v1/workspaces", headers={"Authorization": token}).status == 200
            assert client.ask("GET", "/v1/workspaces", headers={"Authorization": token[:-1]}).status == 401
    for wrong in ({"client_id": "airbyte", "client_secret": "no"}, {"client_id": "no", "client_secret": "password"}):
        assert anonymous.ask("POST", path, wrong).status == 401
    assert anonymous.ask("POST", path, {"client_id": "airbyte"}).status == 422
    assert anonymous.ask("POST", path, {**CREDENTIALS, "grant_type": "password"}).status == 422


def test_applications(firth):
    client = serve(firth).api
    made = client.public("POST", "applications", {"name": "airflow"})
    credentials = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
    token = token_of(client.ask("POST", "/v1/applications/token", credentials))
    assert client.ask("GET", "/v1/jobs", headers={"Authorization": token}).status == 200
    shown = client.public("GET", f"applications/{made['id']}")
    assert shown["clientSecret"] == "**********" and shown["clientId"] == made["clientId"]
    assert made["clientSecret"] not in json.dumps(client.public("GET", "applications"))
    client.public("DELETE", f"applications/{made['id']}")
    assert client.ask("GET", "/v1/jobs", headers={"Authorization": token}).status == 401
    assert client.ask("POST", "/v1/applications/token", credentials).status == 401


def test_a_token_outlives_the_daemon(firth):
    daemon = serve(firth)
    token = token_of(daemon.api.ask("POST", "/v1/applications/token", CREDENTIALS))
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    client = serve(firth).api
    assert client.ask("GET", "/v1/jobs", headers={"Authorization": token}).status == 200


def test_another_password_holds_at_once(firth):
    client = serve(firth).api
    assert client.ask("GET", "/v1/jobs").status == 200
    password(firth, "correct horse")
    assert client.ask("GET", "/v1/jobs").status == 401
    client.authorization = basic(password="correct horse")
    assert client.ask("GET", "/v1/jobs").status == 200
    firth("password", "--reset", expect=0)
    assert client.ask("GET", "/v1/jobs").status == 401
    assert client.ask("GET", "/v1/jobs", headers={"Authorization": basic()}).status == 200


def test_another_password_ends_the_tokens_of_the_old_one(firth):
    client = serve(firth).api
    made = client.public("POST", "applications", {"name": "keeps its own"})
    own = {"client_id": made["clientId"], "client_secret": made["clientSecret"]}
    users, application = (token_of(client.ask("POST", "/v1/applications/token", who)) for who in (CREDENTIALS, own))
    ask = lambda token: client.ask("GET", "/v1/jobs", headers={"Authorization": token}).status
    assert ask(users) == ask(application) == 200
    password(firth, "correct horse")
    assert (ask(users), ask(application)) == (401, 200)
    new = token_of(client.ask("POST", "/v1/applications/token", {**CREDENTIALS, "client_secret": "correct horse"}))
    assert ask(new) == 200
    firth("password", "--reset", expect=0)
    assert (ask(new), ask(application)) == (401, 200)


@pytest.mark.parametrize("text, said", [("short", "8 to 1024"), ("password", "everybody knows"), ("x" * 1025, "8 to 1024")])
def test_passwords_that_are_none(firth, text, said):
    result = firth("password", stdin=text + "\n")
    assert result.rc != 0 and said in result.err
    assert text not in result.err or text == "password"
    assert not firth.data_dir.exists()


def test_the_password_is_not_kept(firth):
    password(firth, "correct horse")
    daemon = serve(firth)
    for path in firth.data_dir.glob("*"):
        if path.is_file():
            assert b"correct horse" not in path.read_bytes()
    assert not [line for line in daemon.out + daemon.err if "correct horse" in line]


def test_guesses_are_slowed_down_whether_right_or_wrong(firth):
    client = serve(firth).api
    token = token_of(client.ask("POST", "/v1/applications/token", CREDENTIALS))
    login = client.ask("POST", "/api/firth/v1/session", {"username": "airbyte", "password": "password"})
    session = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}
    # A client that does not know of another password keeps nobody out: it tells nothing new.
    old = basic(password="of yesterday")
    assert {client.ask("GET", "/v1/jobs", headers={"Authorization": old}).status for _ in range(30)} == {401}
    assert client.ask("GET", "/v1/jobs").status == 200

    answers = []

    def guess():
        """Until guesses are not looked at any more; the answer to the last one."""
        for _ in range(200):
            answer = client.ask("GET", "/v1/jobs", headers={"Authorization": basic(password=f"guess {len(answers)}")})
            answers.append(answer.status)
            if answer.status == 429:
                return answer

    assert guess().headers["Retry-After"] and answers[:5] == [401] * 5
    # The right one would tell itself apart otherwise, wherever it is asked for.
    ways = [lambda: client.ask("GET", "/v1/jobs"),
            lambda: client.ask("POST", "/v1/applications/token", CREDENTIALS),
            lambda: client.ask("POST", "/v1/applications/token", {"client_id": api.NOTHING, "client_secret": "x"}),
            lambda: client.ask("POST", "/api/firth/v1/session", {"username": "airbyte", "password": "password"})]
    for way in ways:
        for _ in range(20):  # there may be a try again by now
            guess()
            answer = way()
            if answer.status == 429:
                break
        assert answer.status == 429 and "Set-Cookie" not in answer.headers, answer
    # Those who did log in go on.
    assert client.ask("GET", "/v1/jobs", headers={"Authorization": token}).status == 200
    assert client.ask("GET", "/api/firth/v1/status", None, {**session, "Authorization": None}).status == 200
    # What is answered so has not been done.
    guess()
    change = {"currentPassword": "password", "newPassword": "correct horse"}
    answer = client.ask("POST", "/api/firth/v1/password", change, {**session, "Authorization": None})
    assert answer.status in (200, 429), answer
    if answer.status == 200:
        session = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}
    told = client.ask("GET", "/api/firth/v1/session", None, {**session, "Authorization": None}).json()
    assert told["loggedIn"] and told["defaultPassword"] is (answer.status == 429), told


# --- origins ----------------------------------------------------------------------------------------------


def test_pages_of_other_origins_may_not_ask(firth):
    client = serve(firth).api
    host = client.url.split("//")[1]
    for origin, status in (("http://evil.example", 403), ("null", 403), (f"http://{host}", 200)):
        answer = client.ask("GET", "/v1/jobs", headers={"Origin": origin})
        assert answer.status == status, (origin, answer)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert client.ask("OPTIONS", "/v1/jobs", headers={"Origin": "http://evil.example"}).status in (403, 405)


def test_with_the_well_known_password_only_localhost_is_answered(firth):
    client = serve(firth).api
    port = client.address[1]
    for host, status in ((f"rebound.example:{port}", 403), (f"localhost:{port}", 200), ("127.0.0.1", 200), ("[::1]", 200)):
        assert client.ask("GET", "/v1/jobs", headers={"Host": host}).status == status, host
    password(firth, "correct horse")
    client.authorization = basic(password="correct horse")
    assert client.ask("GET", "/v1/jobs", headers={"Host": "firth.internal"}).status == 200


# --- where it listens -------------------------------------------------------------------------------------


def test_others_are_not_listened_to_with_the_well_known_password(firth):
    result = firth("serve", "--listen", "0.0.0.0:0")
    assert result.rc != 0 and "firth password" in result.err
    password(firth, "correct horse")
    daemon = serve(firth, "--listen", "0.0.0.0:0")
    client = Api(f"http://127.0.0.1:{daemon.api.address[1]}", basic(password="correct horse"))
    assert client.ask("GET", "/v1/jobs").status == 200


def own_address():
    """An address of this machine that is not loopback, or None; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_a_reset_shuts_others_out(firth):
    password(firth, "correct horse")
    daemon = serve(firth, "--listen", "0.0.0.0:0")
    port = daemon.api.address[1]
    result = firth("password", "--reset", expect=0)
    assert "only this machine's programs" in result.err and f"warning: the daemon listens at http://0.0.0.0:{port}" in result.err
    near = Api(f"http://127.0.0.1:{port}")
    assert near.ask("GET", "/v1/jobs").status == 200
    address = own_address()
    if address and not address.startswith("127."):
        far = Api(f"http://{address}:{port}")
        for path in ("/v1/jobs", "/api/v1/health"):
            answer = far.ask("GET", path, headers={"Host": "localhost"})
            assert answer.status == 403 and "this machine only" in answer.body.decode(), (path, answer)
        password(firth, "correct horse")
        far.authorization = basic(password="correct horse")
        assert far.ask("GET", "/v1/jobs", headers={"Host": "localhost"}).status == 200


def test_a_reset_of_a_daemon_on_loopback_warns_of_nothing(firth):
    serve(firth)
    assert "warning" not in firth("password", "--reset", expect=0).err


def test_a_port_that_is_taken(firth):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = firth("serve", "--listen", f"127.0.0.1:{port}")
    assert result.rc != 0 and f"127.0.0.1:{port}" in result.err and "ss -ltnp" in result.err
    assert "--no-http" in result.err


@pytest.mark.parametrize("listen", ["8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:80", "[::1:80", "a b:1"])
def test_addresses_that_are_none(firth, listen):
    result = firth("serve", "--listen", listen)
    assert result.rc != 0 and listen in result.err


def test_without_http(firth):
    daemon = firth.start("serve", "--no-http")
    line = daemon.wait_for_line("serving ")
    assert "API" not in line
    assert firth("status", "-o", "json", expect=0).json()["daemon"]["url"] is None
    assert firth("serve", "--no-http", "--listen", "127.0.0.1:0").rc == 2


def test_status_tells_the_address(firth):
    client = serve(firth).api
    assert firth("status", "-o", "json", expect=0).json()["daemon"]["url"] == client.url
    assert client.url in firth("status", expect=0).out
