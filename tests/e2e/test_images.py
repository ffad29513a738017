"""OCI images as connectors, run for real: tiny images built here from a static program, with podman.

podman keeps everything in a folder of this session. The network is the machine's, since making another needs more
rights than a test should have; what --network does is looked up in what the engine says of the container."""

import http.server
import json
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import threading

import pytest

from conftest import until

PROGRAM = pathlib.Path(__file__).resolve().parent / "programs" / "image_connector.c"
SECRET = "hunter2-very-secret"
USERS = [{"id": n, "uid": 1000} for n in (1, 2, 3)]
CONFIGURED = {"streams": [{"stream": {"name": "users", "json_schema": {}}, "sync_mode": "full_refresh",
                           "destination_sync_mode": "append"}]}
IMAGES = {
    "localhost/test/source-tiny:1": """
        USER 1000:1000
        VOLUME /data
        ENTRYPOINT ["/connector"]
        CMD ["never", "used"]""",
    "localhost/test/destination-tiny:1": 'ENTRYPOINT ["/connector"]',
    "localhost/test/capture-tiny:1": 'LABEL FLOW_RUNTIME_PROTOCOL=capture\nCMD ["/connector"]',
    "localhost/test/materialize-tiny:1": 'LABEL FLOW_RUNTIME_PROTOCOL=materialize\nCMD ["/connector"]',
    "localhost/test/by-variable:1": 'ENV AIRBYTE_ENTRYPOINT="/connector"',
    "localhost/test/empty:1": "ENV NOTHING=1",
    "localhost/test/missing-entrypoint:1": 'ENTRYPOINT ["/not/there"]',
    "localhost/test/no-program:1": 'ENTRYPOINT ["/notes.txt"]',
    "localhost/test/no-protocol:1": 'LABEL FLOW_RUNTIME_PROTOCOL=sideways\nENTRYPOINT ["/connector"]',
    "docker.io/airbyte/source-faker:6.2.38": 'ENTRYPOINT ["/connector"]',
    "docker.io/airbyte/destination-local-json:1": 'ENTRYPOINT ["/connector"]',
}
BASE = "localhost/test/base:1"  # with the files, which take longer than all the others' words
TINY = "localhost/test/source-tiny:1"
BUILT_IN = object()  # among the words of a message: the list of built-in connectors


class Podman:
    """podman with a storage of its own; `env` makes Firth's podman use it too."""

    def __init__(self, folder):
        self.env = {"CONTAINERS_CONF": str(folder / "containers.conf"), "HOME": str(folder),
                    "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"), "FIRTH_CONTAINER_ENGINE": None,
                    "CONTAINER_HOST": None, "XDG_RUNTIME_DIR": str(folder / "runtime")}
        (folder / "runtime").mkdir(mode=0o700)
        limits = [f'"{name}={min(most, 1024)}:{min(most, 1024)}"' if most != resource.RLIM_INFINITY else
                  f'"{name}=1024:1024"' for name, most in (
                      ("nofile", resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
                      ("nproc", resource.getrlimit(resource.RLIMIT_NPROC)[1]))]
        (folder / "containers.conf").write_text(
            f'[containers]\nnetns = "host"\ndefault_ulimits = [{", ".join(limits)}]\n'
            f'[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nlock_type = "file"\n'
            f'tmp_dir = "{folder}/tmp"\nvolume_path = "{folder}/volumes"\n')
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n')

    def run(self, *args, check=True):
        env = {**os.environ, **self.env}
        return subprocess.run(["podman", *args], env={k: v for k, v in env.items() if v is not None}, check=check,
                              capture_output=True, text=True, timeout=120)

    def containers(self, *args):
        return json.loads(self.run("ps", "--all", "--format", "json", *args).stdout)

    def inspect(self, container):
        return json.loads(self.run("container", "inspect", container).stdout)[0]


FOREIGN = {"amd64": "arm64", "arm64": "amd64"}


def foreign_program(program, machine):
    """The same file, said to be for another machine: all that the kernel looks at."""
    text = bytearray(program)
    text[18:20] = {"arm64": 183, "amd64": 62}[machine].to_bytes(2, "little")
    return bytes(text)


def build(podman, folder):
    subprocess.run(["cc", "-static", "-O1", "-o", str(folder / "connector"), str(PROGRAM)], check=True)
    (folder / "notes.txt").write_text("not a program\n")
    for name, lines in {BASE: "", **IMAGES}.items():
        (folder / "Containerfile").write_text((f"FROM {BASE}\n" if lines else "FROM scratch\nCOPY connector notes.txt /\n") + lines + "\n")
        podman.run("build", "--isolation=chroot", "--quiet", "--tag", name, str(folder))
    other = FOREIGN[json.loads(podman.run("image", "inspect", TINY).stdout)[0]["Architecture"]]
    (folder / "foreign").write_bytes(foreign_program((folder / "connector").read_bytes(), other))
    (folder / "Containerfile").write_text('FROM scratch\nCOPY --chmod=755 foreign /\nENTRYPOINT ["/foreign"]\n')
    podman.run("build", "--isolation=chroot", "--quiet", "--arch", other, "--tag", "localhost/test/foreign:1",
               str(folder))


@pytest.fixture(scope="session")
def podman(tmp_path_factory):
    """Skips, with the reason, only where podman is not or may not run a container."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed: run scripts/setup test")
    folder = tmp_path_factory.mktemp("podman")
    engine = Podman(folder)
    try:
        build(engine, folder)
        engine.run("run", "--rm", TINY, "spec")
    except subprocess.CalledProcessError as failed:
        pytest.skip(f"podman cannot run containers here: {failed.stderr}")
    yield engine
    left = engine.containers() + engine.run("volume", "ls", "--quiet").stdout.split()
    engine.run("rm", "--all", "--force", check=False)
    assert left == []


@pytest.fixture
def images(firth, podman, tmp_path, monkeypatch):
    """The program with podman's surroundings, and a place of its own for private folders."""
    (tmp_path / "private").mkdir()
    for name, value in {**podman.env, "TMPDIR": str(tmp_path / "private")}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    yield firth
    firth.stop_all()


@pytest.fixture
def files(tmp_path):
    def write(config):
        (tmp_path / "config.json").write_text(json.dumps({"password": SECRET, **config}))
        (tmp_path / "catalog.json").write_text(json.dumps(CONFIGURED))
        return ["--config", "config.json", "--catalog", "catalog.json"]
    return write


def capture(folder, image=TINY, **config):
    catalog = {
        "collections": {"acmeCo/users": {"schema": {"type": "object", "properties": {"id": {"type": "integer"}},
                                                    "required": ["id"]}, "key": ["/id"]}},
        "captures": {"acmeCo/tiny": {
            "endpoint": {"connector": {"image": image, "config": {"count": 3, "password": SECRET, **config}}},
            "bindings": [{"resource": {"stream": "users", "syncMode": "incremental"}, "target": "acmeCo/users"}]}},
    }
    (folder / "flow.yaml").write_text(json.dumps(catalog))
    return "flow.yaml"


def records(result):
    return [line["record"]["data"] for line in result.lines() if line["type"] == "RECORD"]


# --- by itself ------------------------------------------------------------------------------------------


def test_verbs(images, files, podman):
    spec = images("connector", TINY, "spec", expect=0).json()
    assert "count" in spec["spec"]["connectionSpecification"]["properties"]
    given = files({"count": 3})
    check = images("connector", TINY, "check", *given[:2], expect=0).json()
    assert check["connectionStatus"]["status"] == "SUCCEEDED"
    found = images("connector", TINY, "discover", *given[:2], expect=0).json()
    assert [stream["name"] for stream in found["catalog"]["streams"]] == ["users"]
    # Its user is not ours, and reads its config all the same.
    read = images("connector", TINY, "read", *given, expect=0)
    assert records(read) == USERS
    assert "password is" in read.err and SECRET not in read.err
    assert podman.containers() == []


def test_write(images, files, podman):
    record = {"type": "RECORD", "record": {"stream": "users", "data": {"id": 1}, "emitted_at": 1}}
    state = {"type": "STATE", "state": {"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "users"}, "stream_state": {"n": 1}}}}
    lines = "".join(json.dumps(line) + "\n" for line in (record, state))
    done = images("connector", "localhost/test/destination-tiny:1", "write", *files({}), stdin=lines, expect=0)
    assert done.lines() == [state]
    assert podman.containers() == []


@pytest.mark.parametrize("config, words", [({"hang": True}, "asked to stop"), ({"deaf": True}, None)])
def test_stopped_by_a_signal(images, files, podman, config, words):
    running_one = images.start("connector", TINY, "read", *files({"count": 3, **config}))
    running_one.wait_for_line("password is")
    running(podman)
    running_one.signal(signal.SIGTERM)
    if words:
        running_one.wait_for_line(words)
    else:
        running_one.signal(signal.SIGINT)  # the second one ends it
    assert running_one.wait() == (0 if words else 130)
    assert podman.containers() == []


def test_flow_is_told_to_speak_json(images, podman):
    done = images("connector", "localhost/test/capture-tiny:1", stdin='{"spec":{}}\n', expect=0)
    assert done.json()["spec"]["documentationUrl"] == "https://x/json"
    refused = images("connector", "localhost/test/capture-tiny:1", "spec", expect=2)
    assert "speaks Flow's protocol, which has no verbs" in refused.err
    assert podman.containers() == []


@pytest.mark.parametrize("image", ["localhost/test/capture-tiny:1", "localhost/test/materialize-tiny:1"])
def test_one_of_flows_is_no_custom_connector(images, image):
    """Connections are Airbyte's: what speaks Flow's protocol is refused, with where it belongs."""
    refused = images("connectors", "add", "mine", "--kind", "source", "--image", image)
    assert refused.rc != 0
    assert "speaks Flow's protocol" in refused.err and "a catalog names its image itself" in refused.err
    assert [each for each in images("connectors", "-o", "json", expect=0).json() if each.get("custom")] == []


def test_entrypoint_of_a_variable(images):
    assert images("connector", "localhost/test/by-variable:1", "spec", expect=0).json()["type"] == "SPEC"


def built_in(firth):
    """What is said where no connector was found by a name."""
    listed = firth("connectors", "-o", "json", expect=0).json()
    return "built in: " + ", ".join(each["name"] for each in listed)


@pytest.mark.parametrize("image, code, words", [
    ("localhost/test/nothing:1", 3, ["the image localhost/test/nothing:1 is not on this machine", BUILT_IN]),
    ("localhost/test/source-faker:1", 3, ["not on this machine", "did you mean source-faker?"]),
    ("localhost/test/empty:1", 3, ["the image localhost/test/empty:1 has nothing to run", "ENTRYPOINT"]),
    ("localhost/test/missing-entrypoint:1", 1, ["its entrypoint /not/there is not in the image"]),
    ("localhost/test/no-program:1", 1, ["its entrypoint /notes.txt is no program that can be run"]),
    ("localhost/test/no-protocol:1", 3, ["FLOW_RUNTIME_PROTOCOL=sideways", "capture, materialize or derive"]),
    ("127.0.0.1:1/test/unreachable:1", 5, ["the registry cannot be reached"]),
    ("bad name/x", 3, ["'bad name/x' is no image's name"]),
    ("x/$(touch y)", 3, ["is no image's name"]),
])
def test_what_is_wrong_is_said(images, podman, image, code, words):
    if image == "localhost/test/source-faker:1":  # one registry or another: the built-in stands for it by name
        image = "localhost/test/source-fakir:1"
    done = images("connector", image, "spec", expect=code)
    for word in words:
        assert (built_in(images) if word is BUILT_IN else word) in done.err, done
    assert podman.containers() == []


def test_wrong_architecture(images, podman):
    done = images("connector", "localhost/test/foreign:1", "spec", expect=1)
    assert "its image is built for" in done.err and "right would be an image for this machine" in done.err
    assert podman.containers() == []


class Registry(http.server.BaseHTTPRequestHandler):
    """A registry of one image, from an OCI layout; test/denied wants a login."""

    layout = None

    def do_GET(self):  # pylint: disable=invalid-name
        self.give(True)

    def do_HEAD(self):  # pylint: disable=invalid-name
        self.give(False)

    def give(self, with_body):
        status, kind, body = self.find(self.path.split("/"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def find(self, parts):
        index = json.loads((self.layout / "index.json").read_text())
        if parts[1:] == ["v2", ""]:
            return 200, "application/json", b"{}"
        if "denied" in parts:
            return 401, "application/json", b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
        digest = parts[-1]
        if parts[-2] == "manifests" and digest == "1" and "tiny" in parts:
            digest = index["manifests"][0]["digest"]
        path = self.layout / "blobs" / digest.replace(":", "/")
        if not digest.startswith("sha256:") or not path.is_file():
            return 404, "application/json", b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
        kind = "application/vnd.oci.image.manifest.v1+json" if parts[-2] == "manifests" else "application/octet-stream"
        return 200, kind, path.read_bytes()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@pytest.fixture
def registry(podman, tmp_path, monkeypatch):
    """host:port of a registry that has test/tiny:1, and podman told that it speaks plain HTTP."""
    podman.run("save", "--format", "oci-dir", "--output", str(tmp_path / "layout"), TINY)
    handler = type("Handler", (Registry,), {"layout": tmp_path / "layout"})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    name = f"127.0.0.1:{server.server_port}"
    (tmp_path / "registries.conf").write_text(f'[[registry]]\nlocation = "{name}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(tmp_path / "registries.conf"))
    yield name
    server.shutdown()
    server.server_close()


def test_pull(images, podman, registry, tmp_path):
    image = f"{registry}/test/tiny:1"
    catalog = capture(tmp_path, image)
    images("check", catalog, expect=0)  # pulls nothing
    refused = images("run", catalog, "--once", "--pull", "never", expect=3)
    assert "it may not be pulled" in refused.err and "flow.yaml:1:" in refused.err
    pulled = images("run", catalog, "--once", expect=0)
    assert pulled.err.count(f"pulling the image {image}") == 1
    assert images.read("acmeCo/users") == USERS
    assert "pulling" not in images("connector", image, "spec", expect=0).err
    assert "pulling" in images("connector", image, "spec", "--pull", "always", expect=0).err
    podman.run("rmi", image)


def test_pull_shows_its_progress_on_a_terminal(images, podman, registry):
    image = f"{registry}/test/tiny:1"
    ours, theirs = pty.openpty()
    done = subprocess.run([images.path, "connector", image, "spec"], stderr=theirs, stdout=subprocess.PIPE,
                          env=images.environment({"TERM": "xterm"}), check=True, timeout=120)
    os.close(theirs)
    shown = os.read(ours, 1 << 20).decode()
    os.close(ours)
    assert json.loads(done.stdout)["type"] == "SPEC"
    assert f"\r\x1b[K{image}: " in shown and shown.endswith("\r\x1b[K")
    podman.run("rmi", image)


@pytest.mark.parametrize("name, code, words", [
    ("test/tiny:2", 3, ["there is no image", "is its name right, and its tag?", BUILT_IN]),
    ("test/other:1", 3, ["there is no image"]),
    ("test/denied:1", 3, ["does not give the image", "`podman login 127.0.0.1:"]),
])
def test_pull_fails(images, registry, name, code, words):
    done = images("connector", f"{registry}/{name}", "spec", expect=code)
    for word in words:
        assert (built_in(images) if word is BUILT_IN else word) in done.err, done


def test_pull_never(images):
    done = images("connector", "docker.io/airbyte/source-none:1", "spec", "--pull", "never", expect=3)
    assert "it may not be pulled (--pull never)" in done.err


# --- engines and options --------------------------------------------------------------------------------


def only_path(folder, *programs):
    """A PATH with these alone."""
    folder.mkdir()
    for name, text in programs:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return {"PATH": str(folder)}


def test_no_engine(images, tmp_path):
    done = images("connector", TINY, "spec", env=only_path(tmp_path / "bin"), expect=3)
    assert "neither is installed: install podman" in done.err
    assert built_in(images) in done.err


@pytest.mark.parametrize("said, code, words", [
    ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", 5,
     "start its daemon"),
    ("permission denied while trying to connect to the Docker daemon socket", 3, "this user may not use docker"),
    ("something else altogether", 5, "something else altogether"),
])
def test_docker_refuses(images, tmp_path, said, code, words):
    script = f"#!/bin/sh\ncase $1 in --version) echo 'Docker version 24.0.7, build 1';; " \
             f"*) echo '{said}' >&2; exit 1;; esac\n"
    done = images("connector", "x/y:1", "spec", env=only_path(tmp_path / "bin", ("docker", script)), expect=code)
    assert words in done.err


DOCKER = r"""#!/bin/sh
# Answers as docker does; `run` is the connector itself, run here with the folder that was to be mounted.
printf '%s\n' "$@" >>"$0.log"
verb=$1
case $verb in
--version) echo 'Docker version 24.0.7, build afdd53b' ;;
ps) ;;
image) echo '[{"Id":"sha256:0123456789ab","Os":"linux","Architecture":"ARCH","Config":{"Entrypoint":["PROGRAM"]}}]' ;;
rm) ;;
run)
    shift
    for word; do
        case $word in
        --volume=*:/run/firth:ro,Z) files=${word#--volume=} files=${files%%:*} ;;
        --entrypoint=*) program=${word#--entrypoint=} ;;
        esac
    done
    while [ "$1" != 0123456789ab ]; do shift; done
    shift
    for word; do
        shift
        case $word in /run/firth/*) word=$files/${word#/run/firth/} ;; esac
        set -- "$@" "$word"
    done
    exec "$program" "$@" ;;
esac
"""


def test_docker(images, podman, files, tmp_path):
    """What docker is asked for. (None runs in these tests; podman does what it is asked in the others.)"""
    program = pathlib.Path(podman.env["HOME"]) / "connector"
    architecture = json.loads(podman.run("image", "inspect", TINY).stdout)[0]["Architecture"]
    script = DOCKER.replace("PROGRAM", str(program)).replace("ARCH", architecture)
    env = {**only_path(tmp_path / "bin", ("docker", script)), "https_proxy": "http://user:pass@proxy.invalid:1"}
    done = images("connector", "airbyte/source-any:1", "read", *files({"count": 3}), "--container-memory", "2g", env=env,
                  expect=0)
    assert [record["id"] for record in records(done)] == [1, 2, 3]
    log = (tmp_path / "bin" / "docker.log").read_text()
    words = log.splitlines()
    for word in ("--log-driver=none", "--interactive", "--init", "--memory=2g", "--pull=never", "--env=https_proxy",
                 "--security-opt=no-new-privileges", "--config", "/run/firth/config.json"):
        assert word in words, words
    assert "pull" not in words and words[-4:-1] == ["rm", "--force", "--volumes"] and words[-1].startswith("firth-source-any-")
    assert SECRET not in log and "user:pass" not in log


def test_engine_is_chosen(images):
    assert "'crun' is in no folder" in images("connector", TINY, "spec", "--container-engine", "crun", expect=3).err \
        or shutil.which("crun")
    assert "cannot be run" in images("connector", TINY, "spec", env={"FIRTH_CONTAINER_ENGINE": "/no/podman"},
                                     expect=3).err
    path = shutil.which("podman")
    assert images("connector", TINY, "spec", "--container-engine", path, expect=0).json()["type"] == "SPEC"


@pytest.mark.parametrize("option, value, words", [
    ("--container-memory", "much", "must be a number with b, k, m or g"),
    ("--container-memory", "-1", "must be a number"),
    ("--container-cpus", "0", "must be a number above 0"),
    ("--container-cpus", "1x", "must be a number above 0"),
    ("--container-network", "--privileged", "must be a network's name"),
    ("--pull", "nevr", "did you mean 'never'?"),
    ("--connectors", "podman", "must be built-in or image"),
])
def test_bad_options(images, option, value, words):
    assert words in images("connector", TINY, "spec", f"{option}={value}", expect=2).err
    variable = "FIRTH_" + option[2:].upper().replace("-", "_")
    assert words in images("connector", TINY, "spec", env={variable: value}, expect=2).err


def test_built_in_stands_for_an_image(images, podman, tmp_path):
    image = "airbyte/source-faker:6.2.38"
    native = images("connector", image, "spec", expect=0)
    assert native.err.count("is run by the built-in source-faker") == 1
    assert "seed" in native.json()["spec"]["connectionSpecification"]["properties"]
    forced = images("connector", image, "spec", "--connectors", "image", expect=0)
    assert "built-in" not in forced.err
    assert "seed" not in forced.json()["spec"]["connectionSpecification"]["properties"]
    catalog = capture(tmp_path, image)
    once = images("run", catalog, "--once", "-o", "json", env={"FIRTH_CONNECTORS": "image"}, expect=0)
    assert images.read("acmeCo/users") == [{"id": n, "uid": 0} for n in (1, 2, 3)], once
    assert podman.containers() == []


# --- a catalog's ----------------------------------------------------------------------------------------


def test_capture(images, podman, tmp_path):
    catalog = capture(tmp_path)
    images("check", catalog, expect=0)
    done = images("run", catalog, "--once", expect=0)
    assert images.read("acmeCo/users") == USERS
    assert SECRET not in done.err + done.out
    assert podman.containers() == [] and list((tmp_path / "private").iterdir()) == []


def test_capture_of_flows_protocol(images, podman, tmp_path):
    catalog = capture(tmp_path, "localhost/test/capture-tiny:1")
    images("check", catalog, expect=0)
    done = images("run", catalog, "--once", expect=0)
    assert images.read("acmeCo/users") == [{"id": n, "uid": 0} for n in (1, 2, 3)], done
    assert SECRET not in done.err + done.out
    assert podman.containers() == [] and list((tmp_path / "private").iterdir()) == []


def test_deployed_and_served(images, podman, tmp_path):
    """What the daemon runs is the same; what is deployed twice has not changed."""
    catalog = capture(tmp_path)
    images("deploy", catalog, "--yes", expect=0)
    again = images("deploy", catalog, "--yes", expect=0)
    assert "unchanged" in again.out + again.err, again
    daemon = images.start("serve")
    until(lambda: images("read", "acmeCo/users").lines()[:3] == USERS, "the capture to run")
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    assert podman.containers() == []


def test_check_asks_an_image_for_its_spec(images, tmp_path):
    catalog = capture(tmp_path, count="many")
    done = images("check", catalog, expect=3)
    assert "config /count: expected" in done.err and SECRET not in done.err


def test_check_asks_an_image_of_flows(images, tmp_path):
    """Its schemas first, then what it says itself; an image that is not here is left for the run."""
    image = "localhost/test/capture-tiny:1"
    done = images("check", capture(tmp_path, image, count="many"), expect=3)
    assert "config /count: expected" in done.err and SECRET not in done.err
    # The spec is asked with the config too, as Flow's runtime does.
    done = images("check", capture(tmp_path, image, address="refused"), expect=3)
    assert "there is no such address" in done.err and "flow." in done.err
    images("check", capture(tmp_path, "ghcr.io/acme/capture-not-here:1"), expect=0)


def test_check_asks_an_image_that_materializes(images, tmp_path):
    endpoint = {"connector": {"image": "localhost/test/materialize-tiny:1", "config": {"count": "many", "password": SECRET}}}
    (tmp_path / "flow.yaml").write_text(json.dumps({
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}}}}},
        "materializations": {"acmeCo/mat": {"endpoint": endpoint, "bindings": [
            {"source": "acmeCo/users", "resource": {"table": "t"}}]}}}))
    done = images("check", "flow.yaml", expect=3)
    assert "config /count: expected" in done.err and SECRET not in done.err


def test_local_is_mounted(images, podman, tmp_path):
    """Airbyte's own destinations find /local, as on Airbyte's platform."""
    local = tmp_path / "local"
    catalog = {"connections": {"c": {
        "source": {"connector": {"image": TINY, "config": {"count": 3}}},
        "destination": {"connector": {"image": "airbyte/destination-local-json:1", "config": {"count": 0, "local": True}}},
        "streams": [{"name": "users", "syncMode": "full_refresh", "destinationSyncMode": "append"}]}}}
    (tmp_path / "flow.yaml").write_text(json.dumps(catalog))
    env = {"FIRTH_LOCAL_ROOT": str(local), "FIRTH_CONNECTORS": "image"}
    images("run", "flow.yaml", "--once", env=env, expect=0)
    got = [json.loads(line) for line in (local / "out.jsonl").read_text().splitlines()]
    assert [line["record"]["data"] for line in got if line["type"] == "RECORD"] == USERS
    local.rename(tmp_path / "elsewhere")
    local.symlink_to("/etc")
    refused = images("run", "flow.yaml", "--once", env=env, expect=3)
    assert "is to be mounted as /local, but it is no folder" in refused.err
    assert podman.containers() == []


def test_out_of_memory_is_said(images, podman, tmp_path):
    catalog = capture(tmp_path, eat=True)
    done = images("run", catalog, "--once", "--container-memory", "32m", expect=1)
    assert "exceeded its memory limit of 32m" in done.err and "--container-memory" in done.err
    assert podman.containers() == []


def test_exit_status_is_the_connectors(images, podman, tmp_path):
    done = images("run", capture(tmp_path, status=7), "--once", expect=1)
    assert "exited with status 7" in done.err
    assert podman.containers() == []


def running(podman):
    found = until(podman.containers, "a container")
    return until(lambda: podman.inspect(found[0]["Id"])["State"]["Running"] and found[0], "it to run")


def hanging(images, tmp_path, *args, **config):
    """A run whose connector has committed its documents and goes on."""
    run = images.start("run", capture(tmp_path, **(config or {"hang": True})), "--once", *args)
    run.wait_for_line("password is")
    return run


def test_what_a_container_is_given(images, podman, tmp_path):
    run = hanging(images, tmp_path, "--container-memory", "64m", "--container-cpus", "1.5", "--container-network",
                  "none")
    known = running(podman)
    inspected = podman.inspect(known["Id"])
    host, labels = inspected["HostConfig"], inspected["Config"]["Labels"]
    assert host["Memory"] == 64 << 20 and host["NanoCpus"] == 1_500_000_000
    assert host["NetworkMode"] == "none" and host["PidsLimit"] == 4096
    assert host["PortBindings"] == {} and "no-new-privileges" in host["SecurityOpt"]
    assert labels["firth.task"] == "acmeCo/tiny" and labels["firth.run"] and labels["firth.data"]
    assert inspected["Name"].startswith("firth-source-tiny-")
    [mount] = [mount for mount in inspected["Mounts"] if mount["Destination"] == "/run/firth"]
    assert not mount["RW"]
    private = pathlib.Path(mount["Source"]).parent
    assert private.stat().st_mode & 0o777 == 0o700
    # The secret is in the mounted file, and nowhere that others could look.
    assert SECRET in (pathlib.Path(mount["Source"]) / "config.json").read_text()
    assert SECRET not in json.dumps(inspected)
    for process in pathlib.Path("/proc").iterdir():
        try:
            assert SECRET not in (process / "cmdline").read_text(errors="replace")
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            continue
    run.signal(signal.SIGTERM)
    assert run.wait() == 130
    assert podman.containers() == []


def test_it_is_asked_to_stop(images, podman, tmp_path):
    run = hanging(images, tmp_path)
    running(podman)
    run.signal(signal.SIGTERM)
    run.wait_for_line("asked to stop")
    assert run.wait() == 130
    assert podman.containers() == [] and images.read("acmeCo/users") == USERS


def test_second_signal_kills_the_container(images, podman, tmp_path):
    run = hanging(images, tmp_path, deaf=True)
    running(podman)
    run.signal(signal.SIGINT)
    run.wait_for_line("a second signal stops at once")
    run.signal(signal.SIGINT)
    run.wait()
    until(lambda: podman.containers() == [], "the container to be gone")


def task_of(run):
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if b"task" in words and parent == run.pid:
            return int(process.name)
    return None


def test_killed_task_leaves_no_container(images, podman, tmp_path):
    run = hanging(images, tmp_path, deaf=True)
    running(podman)
    os.kill(task_of(run), signal.SIGKILL)
    until(lambda: podman.containers() == [], "the guard to remove the container")
    run.wait()


def test_killed_run_leaves_no_container(images, podman, tmp_path):
    """`firth run` itself, by SIGKILL: its task ends with it, and the guard outlives both."""
    run = hanging(images, tmp_path, deaf=True)
    running(podman)
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: podman.containers() == [], "the guard to remove the container")
    run.wait()
    assert "removed" not in images("run", capture(tmp_path), "--once", expect=0).err  # nothing was left to it


def guards(run_pid):
    """Processes named firth-guard, which have no child left to guard but a dead task's."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            if (process / "comm").read_text().strip() == "firth-guard":
                parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
                found.append((int(process.name), parent))
        except (OSError, ValueError, IndexError):
            continue
    return [pid for pid, parent in found if parent == run_pid]


def test_next_run_removes_what_a_crash_left(images, podman, tmp_path):
    """Firth, its task and the guard all die at once, as when the machine runs out of memory."""
    run = hanging(images, tmp_path, deaf=True)
    known = running(podman)
    task = task_of(run)
    for pid in guards(task) + [task]:
        os.kill(pid, signal.SIGKILL)
    run.wait()
    assert [container["Id"] for container in podman.containers()] == [known["Id"]]
    done = images("run", capture(tmp_path), "--once", expect=0)
    assert "removed 1 container that an earlier run left behind" in done.err
    assert podman.containers() == [] and len(images.read("acmeCo/users")) >= 3


def test_other_data_directories_are_left_alone(images, podman, tmp_path):
    run = hanging(images, tmp_path)
    known = running(podman)
    images("connector", TINY, "spec", expect=0)
    images("connector", TINY, "spec", "--data-dir", str(tmp_path / "other"), expect=0)
    assert [container["Id"] for container in podman.containers()] == [known["Id"]]
    run.signal(signal.SIGTERM)
    assert run.wait() == 130
