"""Runs pytest for one file of tests after another, each in a fork, and a session, of its own: to import pytest takes as long as many a
file's tests. tests/run starts it, asks by lines of JSON, {"arguments", "said", "limit"}, and is answered {"pid"} and {"code", "cpu"}."""

import gc
import json
import os
import sys

import _pytest.config
import pytest

import sessions


def become(arguments, said):
    """In a child: what `python -m pytest` with these arguments is."""
    os.setsid()
    nothing, output = os.open(os.devnull, os.O_RDONLY), os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for number, file in ((0, nothing), (1, output), (2, output)):
        os.dup2(file, number)
    os.close(nothing)
    os.close(output)
    sys.path[0] = os.getcwd()
    sys.argv = [pytest.__file__, *arguments]
    sys.exit(pytest.main())


def main():
    # Ours are not the standard ones, which the children get others for.
    asked, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    _pytest.config.get_config()  # imports what pytest has built in
    gc.freeze()
    for line in asked:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            asked.close()
            answers.close()
            become(order["arguments"], order["said"])
        print(json.dumps({"pid": child}), file=answers, flush=True)
        code, cpu = sessions.end_of(child, order["said"], order["limit"])
        print(json.dumps({"code": code, "cpu": cpu}), file=answers, flush=True)


main()
