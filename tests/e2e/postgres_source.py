"""What the tests of source-postgres share: its configs, and the two ways to run it."""

import json

from connector_suite.protocol import Runner, configured


def airbyte_config(database, method=None, **more):
    config = {"host": database.host, "port": database.port, "database": database.name, "username": database.user,
              "password": database.password, "schemas": [], "ssl_mode": {"mode": "disable"}, **more}
    if method:
        config["replication_method"] = method if isinstance(method, dict) else {"method": method}
    return config


def flow_config(database, slot="flow_slot", **more):
    advanced = {"sslmode": "disable", "slotName": slot, **more.pop("advanced", {})}
    return {"address": f"{database.host}:{database.port}", "user": database.user, "database": database.name,
            "credentials": {"auth_type": "UserPassword", "password": database.password}, "advanced": advanced, **more}


def runner(firth):
    return Runner([firth.path, "connector", "source-postgres"])


def discover(run, config):
    return {s["name"]: s for s in run("discover", config=config).one("CATALOG")["catalog"]["streams"]}


def read(run, config, *names, mode="full_refresh", cursor=None, state=None, found=None):
    """A session; of the streams named, or of all."""
    found = found or discover(run, config)
    catalog = configured([found[name] for name in names] if names else list(found.values()), sync_mode=mode)
    if cursor:
        for stream in catalog["streams"]:
            stream["cursor_field"] = [cursor]
    session = run("read", config=config, catalog=catalog, state=state)
    assert session.rc == 0, session
    return session


def data(session, stream=None):
    return [record["data"] for record in session.records(stream)]


def raw_records(session, stream):
    """The records' bytes."""
    found = []
    for line in session.out.split(b"\n"):
        if line.startswith(b'{"type":"RECORD"') and json.loads(line)["record"]["stream"] == stream:
            start = line.index(b'"data":') + len(b'"data":')
            found.append(line[start:line.rindex(b',"emitted_at"')] if b',"emitted_at"' in line[start:] else line[start:-2])
    return found


def last_state(session):
    return session.states()[-1]
