"""Stands between the runtime and a materialization connector, passes every line on, and does one bad thing at one
point: shim.py COMMAND…, which finds what to do in ./fault.json and leaves ./fired once it has.

fault.json: {"at": a message's name, "nth": which of them (from 1), "do": …}
  crash     the connector dies before the message is passed on
  crash-after  … just after
  truncate  half of an answer is passed on, then the connector dies; of a request, and then the connector's input ends
  delay     the message is late
  fence     a second session is opened, and with it the first is fenced off
  zombie    the message does not arrive, and the runtime sees the session die; but the connector lives on, and gets it
            once later sessions have committed `commits` times (./zombie tells that this is over)
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "programs"))
import lean_json as json  # noqa: E402

FAULT = json.load(open("fault.json")) if os.path.exists("fault.json") else {}
if not FAULT or os.path.exists("fired") and FAULT["do"] != "zombie":
    os.execvp(sys.argv[1], sys.argv[1:])  # nothing will go wrong

import signal  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

RESPONSES = {"opened", "acknowledged", "loaded", "flushed", "startedCommit", "validated", "applied", "spec"}


def leave_the_session():
    """What a connector starts ends with it, known by a variable in its environment. A zombie is one that is not found:
    a container on a machine that cannot be reached, say."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FIRTH_")}
    if clean != dict(os.environ):
        os.execve(sys.executable, sys.orig_argv, clean)


class Shim:
    def __init__(self, command):
        self.fault = FAULT
        if self.fault.get("do") == "zombie":
            leave_the_session()
        self.command, self.seen, self.open_line = command, {}, b""
        self.lock = threading.Lock()
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def is_due(self, name):
        """The fault's point, once."""
        if self.fault.get("at") != name or os.path.exists("fired"):
            return False
        self.seen[name] = self.seen.get(name, 0) + 1
        if self.seen[name] != self.fault.get("nth", 1):
            return False
        with open("fired", "w") as file:
            file.write(json.dumps(self.fault))
        return True

    def die(self):
        self.child.kill()
        os._exit(70)

    def put(self, out, line):
        try:
            out.write(line)
            out.flush()
        except (BrokenPipeError, ValueError):
            pass

    def open_second(self):
        """Another session of the same task; it fences the first off and ends."""
        other = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        other.stdin.write(self.open_line)
        other.stdin.flush()
        assert b"opened" in other.stdout.readline()
        other.stdin.close()
        other.wait()

    def truncate_request(self, line):
        """What the connector makes of it is its own: it must not take half of a request for a whole one."""
        self.put(self.child.stdin, line[:len(line) // 2])
        self.child.stdin.close()
        os._exit(self.child.wait() & 0xff or 70)

    def become_zombie(self, line):
        """A process of its own waits with the connector for its chance."""
        if os.fork() > 0:
            os._exit(70)
        os.setsid()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        end = time.monotonic() + 60
        commits = self.fault.get("commits", 1)
        while (not os.path.exists("committed") or os.path.getsize("committed") < commits) and time.monotonic() < end:
            time.sleep(0.005)
        self.put(self.child.stdin, line)
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass
        answer = self.child.stdout.read()
        self.child.wait()
        with open("zombie.part", "wb") as file:
            file.write(answer)
        os.rename("zombie.part", "zombie")
        os._exit(0)

    def pass_on(self, line, out):
        (name, _), = json.loads(line).items()
        if name == "open":
            self.open_line = line
        do = self.fault.get("do") if self.is_due(name) else None
        if do == "crash":
            self.die()
        elif do == "zombie":
            self.become_zombie(line)
        elif do == "truncate" and out is self.child.stdin:
            self.truncate_request(line)
        elif do == "truncate":
            self.put(out, line[:len(line) // 2])
            self.die()
        elif do == "delay":
            time.sleep(0.1)
        elif do == "fence":
            self.open_second()
        self.put(out, line)
        if name == "startedCommit":
            self.put(open("committed", "ab"), b"x")
        if do == "crash-after":
            self.die()

    def requests(self):
        for line in sys.stdin.buffer:
            self.pass_on(line, self.child.stdin)
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    def main(self):
        # Lines from the connector in this thread; a zombie forks from the other, so it must be the only reader then.
        if self.fault.get("do") == "zombie":
            return self.main_of_zombie()
        threading.Thread(target=self.requests, daemon=True).start()
        for line in self.child.stdout:
            if not line.endswith(b"\n"):
                break
            self.pass_on(line, sys.stdout.buffer)
        os._exit(self.child.wait() & 0xff)

    def main_of_zombie(self):
        """Both ways in one thread: whoever has a line is passed on."""
        import selectors
        fds = selectors.DefaultSelector()
        buffers = {}
        for source, out in ((sys.stdin.buffer, self.child.stdin), (self.child.stdout, sys.stdout.buffer)):
            fds.register(source.fileno(), selectors.EVENT_READ, out)
            buffers[source.fileno()] = b""
        while True:
            for key, _ in fds.select():
                data = os.read(key.fd, 1 << 16)
                if not data:
                    if key.fd == self.child.stdout.fileno():
                        os._exit(self.child.wait() & 0xff)
                    fds.unregister(key.fd)
                    self.child.stdin.close()
                    continue
                *lines, buffers[key.fd] = (buffers[key.fd] + data).split(b"\n")
                for line in lines:
                    self.pass_on(line + b"\n", key.data)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    Shim(sys.argv[1:]).main()
