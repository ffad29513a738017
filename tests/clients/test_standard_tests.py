"""airbyte_cdk's own standard tests of connectors, against the built-in ones.

They run images; what stands in docker's place runs the connector itself: it is the protocol that is tested.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as xml

import pytest

from clients import smoke
from clients.conftest import environment, program
from conftest import FULL, ROOT
from connector_suite.connectors import DESTINATIONS, SOURCES

# What passes besides the spec and what needs the network (the comparison with the published spec).
PASSES = {"source": {"check", "config_matches_spec", "discover", "read"}, "destination": {"check", "config_matches_spec"}}
BUILT_IN = {each.name.removesuffix("-xmin"): each for each in DESTINATIONS + [each for each in SOURCES if each.reads]
            if (ROOT / "connectors" / each.name.removesuffix("-xmin")).is_dir()}
# What they look at is much the same in all: unless tests are to be thorough, these stand for the rest.
SOME = {"source-faker", "destination-sqlite"}


def lay_out(folder, name, good, bad):
    """A connector's folder as in Airbyte's repository."""
    folder.mkdir()
    (folder / "secrets").mkdir()
    for each, config in (("config", good), ("invalid_config", bad)):
        (folder / "secrets" / f"{each}.json").write_text(json.dumps(config))
    (folder / "metadata.yaml").write_text(json.dumps({"data": {"dockerRepository": f"airbyte/{name}", "dockerImageTag": "0.0.1"}}))
    configs = [{"config_path": "secrets/config.json"}]
    sections = ["spec", "connection"] + (["discovery", "basic_read"] if name.startswith("source") else [])
    tests = {each: {"tests": [dict(one) for one in configs]} for each in sections}
    tests["connection"]["tests"] = [{"config_path": "secrets/config.json", "status": "succeed"},
                                    {"config_path": "secrets/invalid_config.json", "status": "failed"}]
    (folder / "acceptance-test-config.yml").write_text(json.dumps({"connector_image": f"airbyte/{name}:dev", "acceptance_tests": tests}))
    (folder / "conftest.py").write_text('pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]\n')
    (folder / "tests").mkdir()
    (folder / "tests" / "test_connector.py").write_text(
        "from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite\n\n\n"
        "class TestConnector(DockerConnectorTestSuite):\n    pass\n")


@pytest.mark.parametrize("name", [name for name in BUILT_IN if FULL or name in SOME])
def test_standard_tests(firth, tmp_path, request, name):
    suite = BUILT_IN[name]
    suite.start(request, tmp_path)
    suite.prepare(tmp_path)
    bad = dataclasses.replace(suite, good=([{}] + [each for each in suite.bad if each])[-1])
    folder = tmp_path / name
    lay_out(folder, name, suite.config(tmp_path), bad.config(tmp_path))
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "tests" / "clients" / "programs" / "docker_that_runs_a_program.sh", tmp_path / "bin" / "docker")
    connector = smoke.wrapper(tmp_path / "connector", firth, name, tmp_path / "root")
    env = environment(tmp_path, PROGRAM=str(connector), PATH=f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        [str(program("pyairbyte", "python")), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder),
         "--connector-image", f"airbyte/{name}:dev", "--read-from-streams=all", "--read-scenarios=config",
         "-k", "not backward_compatibility", "--junitxml", "results.xml", "tests"],
        cwd=folder, env=env, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = {case.get("name").partition("[")[0].removeprefix("test_docker_image_build_and_")
              for case in xml.parse(folder / "results.xml").iter("testcase") if len(list(case)) == 0}
    assert passed >= PASSES[suite.kind] | {"spec"}, done.stdout[-3000:]
