"""Functions run by another Python: the clients live in environments of their own, with packages that no two agree on.

    airflow = OtherPython(python, env, folder)
    airflow(add, a=1, b=2)                # the function's source is sent; it imports what it needs itself
    running = airflow.begin(add, a=1, b=2)
    running.result()                      # its value, or Raised

One process for all calls, since importing a client takes seconds; one call at a time.
"""

import inspect
import json
import subprocess
import textwrap
import threading

from conftest import ROOT

LOOP = ROOT / "tests" / "clients" / "programs" / "other_python_loop.py"


class Raised(Exception):
    """What the function raised over there: the type's name, and the traceback as text."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


class Running:
    def __init__(self, other):
        self._answer = None
        self._thread = threading.Thread(target=self._read, args=(other,), daemon=True)
        self._thread.start()

    def _read(self, other):
        self._answer = other.process.stdout.readline()

    def over(self):
        return not self._thread.is_alive()

    def join(self, timeout):
        self._thread.join(timeout)

    def result(self, timeout=150):
        self.join(timeout)
        assert self.over(), "the call goes on"
        assert self._answer, "the other Python ended"
        answer = json.loads(self._answer)
        if "raised" in answer:
            raise Raised(answer["raised"], answer["text"])
        return answer["value"]


class OtherPython:
    def __init__(self, python, env, folder):
        self.log = folder / "python.log"
        self.process = subprocess.Popen([str(python), "-u", str(LOOP)], env=env, cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log.open("ab"), start_new_session=True)
        self.pid = self.process.pid

    def begin(self, function, **arguments):
        call = {"source": textwrap.dedent(inspect.getsource(function)), "function": function.__name__,
                "arguments": arguments}
        self.process.stdin.write(json.dumps(call).encode() + b"\n")
        self.process.stdin.flush()
        return Running(self)

    def __call__(self, function, **arguments):
        return self.begin(function, **arguments).result()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
