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
