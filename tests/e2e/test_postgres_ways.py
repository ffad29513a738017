"""The ways to a server: TLS, an SSH tunnel, a standby."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

import pytest

from conftest import until
from connector_suite.protocol import configured
from e2e.postgres_source import airbyte_config, data, discover, flow_config, last_state, read, runner
from postgres import PASSWORD, USER, give, psql_environment


@pytest.fixture
def run(firth):
    return runner(firth)


def answer(run, config):
    status = run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    return status.get("message") or status["status"]


def failure(run, config):
    """Of which kind it is where a read cannot begin."""
    stream = {"name": "t", "namespace": "public", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    return run("read", config=config, catalog=configured([stream], "full_refresh")).errors()[0]["failure_type"]


# --- TLS --------------------------------------------------------------------------------------------------------


def openssl(*words, cwd):
    subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    """An authority, a server's certificate for localhost, a client's for the user; and a stranger's authority."""
    for name, subject in (("ca", "/CN=ca"), ("stranger", "/CN=stranger")):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2",
                "-subj", subject, cwd=tmp_path)
    for name, subject in (("server", "/CN=localhost"), ("client", f"/CN={USER}")):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject,
                cwd=tmp_path)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out", f"{name}.crt", cwd=tmp_path)
    return {path.name: path.read_text() for path in tmp_path.iterdir() if path.suffix in (".crt", ".key")}


@pytest.fixture
def encrypted(postgres_server, certificates):
    """A server that takes nothing but TLS, and from 127.0.0.2 on only who has a certificate."""
    server = postgres_server()
    server.database("postgres").run("CREATE TABLE something (id int)")
    for name, content in certificates.items():
        path = server.folder / name
        path.write_text(content)
        path.chmod(0o600)
        give(server.folder, server.as_user)
    with open(server.data / "postgresql.conf", "a") as file:
        file.write(f"ssl = on\nssl_cert_file = '{server.folder}/server.crt'\nssl_key_file = '{server.folder}/server.key'\n"
                   f"ssl_ca_file = '{server.folder}/ca.crt'\n")
    (server.data / "pg_hba.conf").write_text("hostssl postgres all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n"
                                             "hostssl all all 127.0.0.1/32 scram-sha-256\n"
                                             "hostssl replication all 127.0.0.1/32 scram-sha-256\n"
                                             "local all all trust\n")
    return server.restart().database()


def test_tls(run, encrypted, certificates):
    def mode(name, host="localhost", **fields):
        return airbyte_config(encrypted, ssl_mode={"mode": name, **fields}, host=host)

    encrypted.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    assert "no encryption" in answer(run, mode("disable"))
    for name in ("allow", "prefer", "require"):
        assert answer(run, mode(name)) == "SUCCEEDED", name
    right, wrong = {"ca_certificate": certificates["ca.crt"]}, {"ca_certificate": certificates["stranger.crt"]}
    assert answer(run, mode("verify-ca", host="127.0.0.1", **right)) == "SUCCEEDED"
    assert answer(run, mode("verify-full", **right)) == "SUCCEEDED"
    assert "certificate verify failed" in answer(run, mode("verify-ca", **wrong))
    assert 'does not match host name "127.0.0.1"' in answer(run, mode("verify-full", host="127.0.0.1", **right))
    said = answer(run, mode("verify-ca", ca_certificate="garbage"))
    assert 'root certificate file "ca_certificate"' in said and "/proc" not in said
    # A server that wants to see the client's certificate.
    wants = {**mode("verify-full", **right), "database": "postgres"}
    assert "connection requires a valid client certificate" in answer(run, wants)
    wants["ssl_mode"].update(client_certificate=certificates["client.crt"], client_key=certificates["client.key"])
    assert answer(run, wants) == "SUCCEEDED"
    # Changes come the same way.
    config = mode("verify-full", **right)
    config["replication_method"] = {"method": "CDC", "replication_slot": "s", "publication": "p"}
    assert [r["id"] for r in data(read(run, config, "t", mode="incremental"))] == [1]


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_a_handshake_that_breaks_off(run, database, mode):
    """A server, or what stands before it, that is started again: no reason to stop for good."""
    def serve(listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(8)
                client.sendall(b"S")
                client.recv(2000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        config = {**airbyte_config(database, ssl_mode={"mode": mode}), "host": "127.0.0.1", "port": listener.getsockname()[1]}
        assert failure(run, config) == "transient_error"
        listener.shutdown(socket.SHUT_RDWR)


# --- a tunnel ------------------------------------------------------------------------------------------------------

# Does what ssh does with -L, and writes down how it was called.
SSH = """#!{python}
import json, os, socket, stat, sys, threading
words = sys.argv[1:]
key = words[words.index("-i") + 1]
with open({seen!r}, "a") as file:
    file.write(json.dumps({{"words": words, "key": open(key).read(), "mode": stat.S_IMODE(os.stat(key).st_mode)}}) + "\\n")
if words[-1] == "closed":
    sys.exit("closed: Permission denied (publickey).")
if words[-1] == "away":
    sys.exit("ssh: connect to host away port 22: Connection refused")
here, port, there, to = words[words.index("-L") + 1].split(":")
listener = socket.create_server((here, int(port)))
def copy(a, b):
    while chunk := a.recv(65536):
        b.sendall(chunk)
    b.shutdown(socket.SHUT_WR)
while True:
    near, _ = listener.accept()
    far = socket.create_connection((there, int(to)))
    for a, b in ((near, far), (far, near)):
        threading.Thread(target=copy, args=(a, b), daemon=True).start()
"""


def test_tunnel(run, database, tmp_path):
    seen, tools = tmp_path / "seen", tmp_path / "bin"
    tools.mkdir()
    (tools / "ssh").write_text(SSH.format(python=sys.executable, seen=str(seen)))
    (tools / "ssh").chmod(0o755)
    run.env["PATH"] = f"{tools}:{run.env['PATH']}"
    run.env["TMPDIR"] = str(tmp_path)
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    tunnel = {"tunnel_method": "SSH_KEY_AUTH", "tunnel_host": "jump", "tunnel_port": 2222, "tunnel_user": "me",
              "ssh_key": "the key"}
    assert data(read(run, airbyte_config(database, tunnel_method=tunnel), "t")) == [{"id": 1}]
    call = json.loads(seen.read_text().splitlines()[0])
    assert call["key"] == "the key\n" and call["mode"] == 0o600
    assert call["words"][-5:] == ["2222", "-l", "me", "--", "jump"] and "the key" not in call["words"]
    assert "BatchMode=yes" in call["words"] and any(f":127.0.0.1:{database.port}" in word for word in call["words"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "seen"]  # the key is gone
    # Estuary's spelling.
    flow = flow_config(database, networkTunnel={"sshForwarding": {"sshEndpoint": "ssh://me@jump:2222", "privateKey": "k"}})
    assert answer(run, flow) == "SUCCEEDED"
    tunnel["tunnel_host"] = "closed"
    assert "the SSH tunnel through closed ended: closed: Permission denied" in answer(
        run, airbyte_config(database, tunnel_method=tunnel))
    # What another try may mend, and what it will not: a capture is tried again, or stops.
    for host, kind in (("closed", "config_error"), ("away", "transient_error")):
        tunnel["tunnel_host"] = host
        assert failure(run, airbyte_config(database, tunnel_method=tunnel)) == kind, host
    tunnel["tunnel_host"] = "-oProxyCommand=x"
    assert "cannot begin with '-'" in answer(run, airbyte_config(database, tunnel_method=tunnel))


# --- a standby -----------------------------------------------------------------------------------------------------


def test_a_standby(run, postgres, postgres_server):
    postgres.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i FROM generate_series(1, 10) i")
    standby = postgres_server()
    standby.stop()
    subprocess.run(["rm", "-rf", standby.data], check=True)
    subprocess.run([standby.programs / "pg_basebackup", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", USER, "-D", standby.data,
                    "-R", "-X", "stream", "--checkpoint=fast"], check=True, capture_output=True, env=psql_environment())
    with open(standby.data / "postgresql.auto.conf", "a") as file:
        escaped = PASSWORD.replace("\\", "\\\\").replace("'", "\\'").replace("'", "''").replace("\\", "\\\\")
        file.write(f"primary_conninfo = 'host=127.0.0.1 port={postgres.port} user={USER} password=''{escaped}'''\n")
    give(standby.folder, standby.as_user)
    behind = standby.start().database()
    assert behind.value("SELECT pg_is_in_recovery()") == "t"
    for method, cursor in (("Standard", "id"), ("Xmin", None)):
        config = airbyte_config(behind, method, parallelism=2)
        first = read(run, config, "t", mode="incremental", cursor=cursor)
        assert sorted(r["id"] for r in data(first)) == list(range(1, int(postgres.value("SELECT max(id) + 1 FROM t"))))
        new = int(postgres.value("INSERT INTO t SELECT max(id) + 1 FROM t RETURNING id"))
        until(lambda n=new: behind.value(f"SELECT count(*) FROM t WHERE id = {n}") == "1", "the standby to follow")
        assert [r["id"] for r in data(read(run, config, "t", mode="incremental", cursor=cursor, state=[last_state(first)]))] == [new]
    # Changes need a slot, which a standby of this version cannot have: it says so.
    config = airbyte_config(behind, {"method": "CDC", "replication_slot": "s", "publication": "p"})
    from connector_suite.protocol import configured
    session = run("read", config=config, catalog=configured([discover(run, config)["t"]]))
    assert session.rc == 3 and "before PostgreSQL 16 a standby cannot tell changes" in session.errors()[0]["message"], session
