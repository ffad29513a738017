"""`firth export` and `firth apply`: what a file says, in which there is no secret, and what becomes of it."""

import json
import os
import random
import stat

import pytest

import job_driving as driving
from job_driving import apply, definition, records, rows, stream, write

DEFAULT = "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6"
HOOK = "https://hooks.example.com/services/T0/B0/hunter2222"


def whole(firth, *args):
    return firth("export", "--with-secrets", "--file", "-", *args, expect=0).out


def other(firth, tmp_path, name="other"):
    return ("--data-dir", str(tmp_path / name))


def keep(tmp_path, text, name="kept.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_secrets_are_variables(firth, tmp_path):
    """An export has none; applied where they are it changes nothing, elsewhere the environment has to have them."""
    apply(firth, write(tmp_path, records(1, 1), source={"password": "hunter22", "nested": [{"api_key": "hunter33"}]},
                       schedule={"cron": "0 0 12 L * ?", "timeZone": "Europe/Berlin"},
                       workspaces=[{"id": DEFAULT, "name": "Default Workspace", "notifications": {
                           "sendOnFailure": {"notificationType": ["slack"], "slackConfiguration": {"webhook": HOOK}}}}]))
    with driving.sqlite3.connect(f"{firth.data_dir}/control.db") as db:  # as the API does that asks for it
        db.execute("update definitions set spec_of = repository || ':' || tag, spec = ?", (json.dumps({"connectionSpecification": {
            "type": "object", "properties": {"seen": {"type": "string", "airbyte_secret": True}}}}),))
    result = firth("export", expect=0)
    first = result.out
    assert "hunter" not in first and "0 0 12 L * ?" in first and '"slack"' in first
    assert "${SOURCE_TEST_SOURCE_PASSWORD}" in first and "${SOURCE_TEST_SOURCE_NESTED_0_API_KEY}" in first
    assert "${SOURCE_TEST_SOURCE_SEEN}" in first  # its spec marks it
    assert "${WORKSPACE_DEFAULT_WORKSPACE_SENDONFAILURE_SLACKCONFIGURATION_WEBHOOK}" in first
    assert "secrets are left out" in result.err
    before = whole(firth)
    again = firth("apply", keep(tmp_path, first), expect=0)
    assert again.out == "" and "0 new, 0 changed, 0 removed" in again.err
    assert whole(firth) == before and firth("export", expect=0).out == first
    refused = firth("apply", tmp_path / "kept.yaml", *other(firth, tmp_path))
    assert refused.rc != 0 and "the environment has no" in refused.err
    env = {"SOURCE_TEST_SOURCE_PASSWORD": "hunter22", "SOURCE_TEST_SOURCE_NESTED_0_API_KEY": "hunter33",
           "SOURCE_TEST_SOURCE_SEEN": str(tmp_path / "seen"),
           "WORKSPACE_DEFAULT_WORKSPACE_SENDONFAILURE_SLACKCONFIGURATION_WEBHOOK": HOOK}
    firth("apply", tmp_path / "kept.yaml", *other(firth, tmp_path), env=env, expect=0)
    assert whole(firth, *other(firth, tmp_path)) == before


def test_an_export_for_machines(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 1), source={"password": "hunter22"}))
    result = firth("export", "-o", "json", expect=0)
    told = result.json()
    assert [each["name"] for each in told["connections"]] == ["test"] and "hunter" not in result.out
    assert told["sources"][0]["config"]["password"] == "${SOURCE_TEST_SOURCE_PASSWORD}"
    firth("export", "--with-secrets", "--file", tmp_path / "all.json", "-o", "json", expect=0)
    kept = whole(firth)
    assert firth("apply", tmp_path / "all.json", expect=0).out == "" and whole(firth) == kept


def test_a_file_that_is_not_there_is_named_once(firth):
    assert firth("apply", "nope.yaml", expect=3).err == "firth: nope.yaml: there is no such file\n"


def test_a_job_without_a_data_directory(firth, data_dir):
    result = firth("job", "start", "foo", expect=3)
    assert "there is no data directory" in result.err and not data_dir.exists()


@pytest.mark.parametrize("words, message", [
    (["start"], "'firth job start' needs more: firth job start CONNECTION"),
    (["cancel"], "'firth job cancel' needs more: firth job cancel JOB"),
    (["list", "1"], "'firth job list' does not take '1'"),
    (["strat", "x"], "'firth job strat': it is start CONNECTION, list, show JOB, log JOB or cancel JOB; did you mean start?"),
])
def test_words_of_job_that_are_none(firth, words, message):
    """Before anything is looked for."""
    assert firth("job", *words, expect=2).err == f"firth: {message}\nTry 'firth job --help'.\n"


def test_a_job_without_a_daemon(firth, tmp_path):
    """It waits, and whoever started it is told for what; a name that is nearly right is found."""
    firth("apply", driving.write(tmp_path, driving.records(1, 1)), expect=0)
    waits = "no daemon runs: it is done once 'firth serve' does"
    started = firth("job", "start", "test", expect=0)
    assert (started.out, waits in started.err) == ("1\n", True)
    assert waits in firth("job", "cancel", "1", expect=0).err
    assert "there is no connection 'tset'; did you mean 'test'?" in firth("job", "start", "tset", expect=3).err
    driving.serve(firth)
    assert driving.wait(firth, 1)["status"] == "cancelled"
    started = firth("job", "start", "test", expect=0)
    assert (started.out, started.err) == ("2\n", "")


def test_of_a_spec_that_is_not_known_every_text_is_a_secret(firth, tmp_path):
    apply(firth, write(tmp_path, [], source={"innocent": "hunter44", "number": 7}))
    text = firth("export", expect=0).out
    assert "hunter44" not in text and '"number":7' in text
    # A built-in is asked for its spec.
    path = keep(tmp_path, json.dumps({"sources": [{"name": "f", "definition": "source-faker", "config": {"count": 5, "seed": 1}}]}))
    firth("apply", path, *other(firth, tmp_path), expect=0)
    assert '"count":5,"seed":1' in firth("export", *other(firth, tmp_path), expect=0).out


def test_a_file_with_secrets_is_its_owners(firth, tmp_path):
    apply(firth, write(tmp_path, [], source={"password": "hunter22"}))
    refused = firth("export", "--with-secrets")
    assert refused.rc != 0 and "--file" in refused.err and "hunter22" not in refused.out
    path = tmp_path / "secret.yaml"
    path.write_text("what was there")
    path.chmod(0o644)
    assert firth("export", "--with-secrets", "--file", path, expect=0).out == ""
    assert "hunter22" in path.read_text() and stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_plan_and_prune(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 1)))
    kept = whole(firth)
    more = write(tmp_path, records(1, 2), name="more")
    plan = firth("apply", more, "--dry-run", expect=0)
    assert plan.out.splitlines() == ["+ source more source", "+ destination more destination", "+ connection more"]
    assert whole(firth) == kept
    assert firth("apply", more, expect=0).out == plan.out
    changed = write(tmp_path, records(1, 3), name="more")
    assert firth("apply", changed, expect=0).out == "~ source more source\n"
    path = keep(tmp_path, kept)
    refused = firth("apply", path, "--prune")
    assert refused.rc != 0 and "--yes" in refused.err
    pruned = firth("apply", path, "--prune", "--yes", expect=0)
    assert pruned.out.splitlines() == ["- connection more", "- source more source", "- destination more destination"]
    assert whole(firth) == kept
    assert firth("apply", more, expect=0).out.splitlines()[-1] == "+ connection more"  # what was deleted comes back


def test_all_or_nothing(firth, tmp_path):
    text = json.loads(write(tmp_path, []).read_text())
    text["connections"].append({"name": "broken", "source": "nobody", "destination": "test destination"})
    refused = firth("apply", keep(tmp_path, json.dumps(text)))
    assert refused.rc != 0 and "there is no source named 'nobody'" in refused.err
    assert rows(firth, "select count(*) from actors") == [(0,)] and rows(firth, "select count(*) from definitions where custom = 1") == [(0,)]


def test_says_where_it_is_wrong(firth, tmp_path):
    path = keep(tmp_path, "sources:\n  - name: a\n    definition: source-fakr\n", "x.yaml")
    refused = firth("apply", path)
    assert refused.rc != 0 and "x.yaml:3:17: there is no definition 'source-fakr'" in refused.err and "source-faker" in refused.err
    path.write_text("sources:\n  - name: a\n    definition: source-faker\n    config:\n      password: ${NOT_THERE}\n")
    refused = firth("apply", path)
    assert refused.rc != 0 and "x.yaml:5:17: the environment has no NOT_THERE" in refused.err
    firth("apply", path, env={"NOT_THERE": "hunter22"}, expect=0)
    assert '"password":"hunter22"' in whole(firth)
    path.write_text("settings: {server.password: x}\n")
    assert "x.yaml:1:12: there is no setting 'server.password'" in firth("apply", path).err


# --- the property ---------------------------------------------------------------------------------------------


TEXTS = ["", "plain", "${HOME}", "$${X}", "a: b # c", "'q\"", "line\nbreak\ttab", "\u00fcn\u00ef \U0001f600", "null", "0x1F", "~", "- x", "{a}", " lead "]


def value(random, depth=0):
    kind = random.randrange(8 if depth < 3 else 6)
    if kind == 0:
        return random.choice([True, False, None])
    if kind == 1:
        return random.choice([0, -7, 12345678901234567890, 1.5, -0.25, 1e300])
    if kind < 6:
        return random.choice(TEXTS)
    if kind == 6:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(["a", "password", "b c", "\u00fc", "k/y", "1", "true"]): value(random, depth + 1) for _ in range(random.randrange(4))}


def installation(random):
    """Some of everything."""
    names = [f"{random.choice(['a', 'B b', 'x-1', 'ü'])} {n}" for n in range(random.randint(1, 4))]
    image = {"name": "an image", "kind": "source", "image": "registry.example:5000/a/b:1.2", "documentationUrl": "https://x/y"}
    schedules = ["manual", {"every": 3, "unit": "days"}, {"cron": "0 0 6 * * ?", "timeZone": "Europe/Berlin"}, {"cron": "0 15 10 L * ?"}]
    return {
        "settings": {"jobs.keep": "7", "connectors.manifest_program": "/x y/z"} if random.random() < 0.7 else {},
        "workspaces": [{"id": DEFAULT, "name": "Default Workspace", "email": "a@b", "extra": {"x": value(random)}},
                       {"name": "second", "slug": "two", "notifications": {"failure": {"webhook": {"enabled": True, "url": HOOK}}}}],
        "definitions": [definition("scripted source", "source", "scripted_source"), image,
                        definition("scripted destination", "destination", "scripted_destination")],
        "sources": [{"name": name, "definition": "scripted source", "config": {"v": value(random), "steps": []}, "extra": {"icon": "x"}}
                    for name in names],
        "destinations": [{"name": name, "definition": "destination-local-json", "config": {"destination_path": "/local/x", "w": value(random)}}
                         for name in names],
        "connections": [{"name": name, "source": name, "destination": name, "schedule": random.choice(schedules),
                         "status": random.choice(["active", "inactive"]), "prefix": random.choice(["", "p_", "${X}"]),
                         "schemaChanges": random.choice(["ignore", "disable", "propagate_columns", "propagate_fully"]),
                         "notifySchemaChanges": random.random() < 0.5, "backfill": random.random() < 0.5,
                         "catalog": {"streams": [stream("users"), stream("${A}", note=value(random))]},
                         "extra": {"tags": [{"name": "t", "color": "FF0000", "tagId": DEFAULT}], "operationIds": []}}
                        for name in names]}


@pytest.mark.parametrize("number", range(6))
def test_export_applied_elsewhere_is_the_same(firth, tmp_path, number):
    """Byte for byte; and applied again it changes nothing."""
    env = {"HOME": str(tmp_path), "X": "1", "A": "2"}
    firth("apply", keep(tmp_path, json.dumps(installation(random.Random(number)), ensure_ascii=False), "made.yaml"), env=env, expect=0)
    first = whole(firth)
    path, there = keep(tmp_path, first), other(firth, tmp_path)
    firth("apply", path, *there, "--prune", "--yes", expect=0)
    assert whole(firth, *there) == first
    again = firth("apply", path, *there, "--prune", expect=0)
    assert again.out == "" and "0 new, 0 changed, 0 removed" in again.err
    # What is secret goes by the environment.
    plain = keep(tmp_path, firth("export", expect=0).out, "plain.yaml")
    assert firth("apply", plain, "--prune", expect=0).out == ""
    assert whole(firth) == first
