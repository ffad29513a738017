"""The command line itself: help, options, exit codes, standard descriptors."""

import json
import os
import subprocess

import pytest


def commands(firth):
    out = firth("--help", expect=0).out
    table = out.split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in table.splitlines()]


def test_help_lists_commands_and_each_has_help(firth):
    names = commands(firth)
    assert "help" in names and "version" in names
    for name in names:
        long = firth(name, "--help", expect=0)
        assert long.out.startswith(f"firth {name}: "), long
        assert f"Usage: firth {name}" in long.out
        assert firth("help", name, expect=0).out == long.out
        assert firth("-h", name, expect=0).out == long.out


def test_help_for_machines(firth):
    told = firth("help", "-o", "json", expect=0).json()
    check = next(each for each in told["commands"] if each["name"] == "check")
    assert check["arguments"] == "CATALOG" and check["summary"]
    assert {"name": "data-dir", "kind": "text", "value": "DIR"}.items() <= told["options"][0].items()
    run = firth("help", "run", "-o", "json", expect=0).json()
    assert run == firth("run", "--help", "-o", "json", expect=0).json()
    assert "task" in [each["name"] for each in run["options"]]


@pytest.mark.parametrize("args, code, message", [
    ([], 2, "Usage: firth COMMAND"),
    (["hlep"], 2, "unknown command 'hlep'; did you mean help?"),
    (["quite-something-else"], 2, "unknown command 'quite-something-else'\n"),
    (["--data-dri", "x", "version"], 2, "unknown option '--data-dri'; did you mean --data-dir?"),
    (["version", "--no-colour"], 2, "unknown option '--no-colour'; did you mean --no-color?"),
    (["version", "--output"], 2, "--output needs a value"),
    (["version", "-o"], 2, "--output needs a value"),
    (["version", "-oxml"], 2, "--output is 'xml', but it must be text or json"),
    (["version", "--no-color=yes"], 2, "--no-color takes no value"),
    (["version", "--log-level", "loud"], 2, "--log-level is 'loud', but it must be trace, debug"),
    (["version", "--data-dir", ""], 2, "--data-dir is empty"),
    (["version", "surplus"], 2, "'firth version' does not take 'surplus'"),
    (["version", "-x"], 2, "unknown option '-x'"),
    (["--", "version"], 2, "unknown command '--'"),
    (["", ""], 2, "unknown command ''"),
    (["-"], 2, "unknown command '-'"),
    (["version", "\x1b[31mred\nline"], 2, "does not take '?[31mred?line'"),
    (["x" * 100000], 2, "unknown command 'xxxx"),
])
def test_wrong_command_lines(firth, firth_dev, args, code, message):
    for program in (firth, firth_dev):
        result = program(*args)
        assert result.rc == code, result
        assert message in result.err, result
        assert result.out == ""
        assert len(result.err) < 4000


def test_not_utf8_in_argv(firth_dev):
    done = subprocess.run([firth_dev.path.encode(), b"version", b"--\xff\xfe=\x80"], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"unknown option '--??=?'" in done.stderr


@pytest.mark.parametrize("args", [
    ["-o", "json", "version"], ["version", "-o", "json"], ["version", "-ojson"], ["--output=json", "version"],
    ["--version", "--output", "json"], ["version", "-o", "text", "-o", "json"],
])
def test_global_options_before_and_after(firth, args):
    assert firth(*args, expect=0).json()["name"] == "firth"


def test_errors_as_json(firth):
    error = json.loads(firth("version", "-o", "json", "surplus", expect=2).err)
    assert error["error"]["code"] == "invalid"
    assert "surplus" in error["error"]["message"]


@pytest.mark.parametrize("args, code, message", [
    (["chek", "-o", "json"], 2, "did you mean check?"),
    (["-ojson", "chek"], 2, "did you mean check?"),
    (["read", "--from", "1x", "a/b", "-o", "json"], 2, "--from is '1x'"),
    (["read", "--form", "1", "a/b", "--output=json"], 2, "did you mean --from?"),
    (["read", "-o", "json"], 2, "'firth read' needs more"),
    (["version", "--log-level", "loud", "-o", "json"], 2, "--log-level is 'loud'"),
    (["--log-levle", "-o", "json"], 2, "did you mean --log-level?"),
    (["-o", "json"], 2, "a command is missing"),
    (["connector", "source-fakr", "spec", "-o", "json"], 3, "did you mean source-faker?"),
    (["connector", "source-faker", "--config", "x", "-o", "json"], 2, "needs a verb: spec, check, discover or read"),
    (["connector", "source-faker", "read", "--confg", "x", "-o", "json"], 2, "did you mean --config?"),
])
def test_errors_of_the_command_line_as_json(firth, firth_dev, args, code, message):
    for program in (firth, firth_dev):
        result = program(*args, expect=code)
        assert result.out == "" and result.err.count("\n") == 1, result
        assert message in json.loads(result.err)["error"]["message"]


@pytest.mark.parametrize("args", [["chek", "-o", "json", "-o", "text"], ["chek", "--", "-o", "json"], ["chek", "-o"]])
def test_errors_of_the_command_line_as_text(firth, args):
    assert firth(*args, expect=2).err.startswith("firth: unknown command 'chek'")


def test_connector_exit_codes(firth, firth_dev, tmp_path):
    """docs/cli.md's words on them; those of a running connector are the connector suite's."""
    (tmp_path / "wrong.json").write_text('{"count": "many"}')
    (tmp_path / "config.json").write_text('{"count": 1}')
    for program in (firth, firth_dev):
        assert program("connector", "source-faker", "spec", "-o", "json", "--no-color", expect=0).json()["type"] == "SPEC"
        check, why = program("connector", "source-faker", "check", "--config", tmp_path / "wrong.json", expect=0).lines()
        assert check["connectionStatus"]["status"] == "FAILED"
        assert why["trace"]["error"]["failure_type"] == "config_error"
        for args in (["check", "--config", tmp_path / "none.json"], ["discover", "--config", tmp_path / "wrong.json"],
                     ["read", "--config", tmp_path / "config.json", "--catalog", tmp_path / "none.json"]):
            failed = program("connector", "source-faker", *args, expect=3)
            assert failed.json()["trace"]["error"]["failure_type"] == "config_error", failed
        missing = program("connector", "nosuch", "spec", expect=3)
        assert "there is no built-in connector 'nosuch'; 'firth connectors' lists them" in missing.err
        assert "--config is missing" in program("connector", "source-faker", "check", expect=2).err
        assert "does not know the verb raed" in program("connector", "source-faker", "raed", expect=2).err


def test_log_level_from_environment(firth):
    result = firth("version", env={"FIRTH_LOG_LEVEL": "loud"}, expect=2)
    assert "FIRTH_LOG_LEVEL is 'loud'" in result.err
    firth("version", "--log-level", "warn", env={"FIRTH_LOG_LEVEL": "loud"}, expect=0)


def test_closed_stdout_is_an_error(firth):
    done = subprocess.run(["sh", "-c", f'"{firth.path}" version >&-'], capture_output=True, check=False)
    assert done.returncode == 5
    assert b"cannot write to standard output" in done.stderr


def test_full_disk_behind_stdout_is_an_error(firth):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([firth.path, "help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 5
    assert b"No space left on device" in done.stderr


def test_reader_gone_is_quiet(firth):
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([firth.path, "help"], stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)
    assert done.returncode == -13  # SIGPIPE, as any filter
    assert done.stderr == b""


def test_all_descriptors_closed(firth_dev):
    done = subprocess.run(["sh", "-c", f'"{firth_dev.path}" help <&- >&- 2>&-'], check=False)
    assert done.returncode == 5
