"""Firth's low-code source beside airbyte-cdk's own command: the same manifest, config, catalog and API.

Two streams of declarative.yaml: `plain`, pages as they come, and `usual`, with a cursor, a filter, fields added and removed. The
API (api_server.c) has its bodies ready, and is a process of its own whose time is not counted.

Start-up: wall clock from the command's start until its first request arrives, of a read of one page. CPU of a record: user
and system time of a read of all pages less that of a read of one, so that starting is not in it; the whole is told beside it.

Memory: of a read whose output is looked at every few thousand records. The figure with the target is RssAnon, what the
process has allocated: that depends on nothing else, and is what each of many such processes adds. The peak of the resident set
(VmHWM) is told beside it: it counts each page of a library's file that is mapped, once for every process that shares
it, and the system's libcurl with its thirty libraries is by itself 10 MB of that."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "bench" / "declarative.yaml"
CDK = ROOT / ".deps" / "airbyte-cdk" / "bin"
PAGES, PAGE = 100, 1000
RECORDS = PAGES * PAGE
SAMPLED = 5000  # records between two looks at the memory
STREAMS = {"plain": "full_refresh", "usual": "incremental"}
QUIET = {"DO_NOT_TRACK": "1", "AIRBYTE_OFFLINE_MODE": "1"}  # no report of the run to anyone


class Api:
    def __init__(self, program):
        self.process = subprocess.Popen([program, str(PAGES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def first(self):
        """Seconds of time.monotonic() at which the first request since the last call came."""
        with urllib.request.urlopen(f"{self.url}/first") as answer:
            arrived = int(answer.read())
        if not arrived:
            raise RuntimeError("the API was not asked for anything")
        return arrived / 1e9

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Bench:
    def __init__(self, firth, folder, api, measured):
        # Python's path is named: a script's first line may be another folder's.
        self.commands = {"firth": [firth, "connector", "declarative"],
                         "cdk": [CDK / "python", CDK / "source-declarative-manifest"]}
        self.folder, self.api, self.measured = folder, api, measured
        self.environment = {**os.environ, **QUIET}
        for pages in (1, PAGES):
            (folder / f"config-{pages}.json").write_text(json.dumps({
                "url": f"{api.url}/records/{pages}", "token": "token", "start_date": "2020-01-01T00:00:00Z"}))
        for name, mode in STREAMS.items():
            (folder / f"{name}.json").write_text(json.dumps({"streams": [{
                "stream": {"name": name, "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh", "incremental"]},
                "sync_mode": mode, "destination_sync_mode": "append"}]}))

    def read(self, who, stream, pages):
        return [str(word) for word in (*self.commands[who], "read", "--manifest-path", MANIFEST, "--config",
                                       self.folder / f"config-{pages}.json", "--catalog", self.folder / f"{stream}.json")]

    def time(self, who, stream, pages):
        """(CPU seconds, seconds until the first request)."""
        cpu, started = self.measured(self.read(who, stream, pages), stdout=subprocess.DEVNULL, env=self.environment)
        return cpu, self.api.first() - started

    def memory(self, who, stream):
        """(bytes allocated, the most of all looks; resident bytes at most), of a read that gave all records."""
        allocated = resident = records = 0
        process = subprocess.Popen(self.read(who, stream, PAGES), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=self.environment)
        for line in process.stdout:
            if not re.search(rb'"type": ?"RECORD"', line):
                continue
            records += 1
            if records % SAMPLED == 0 and records < RECORDS:  # after the last one it may have ended
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                allocated = max(allocated, int(re.search(r"RssAnon:\s*(\d+)", status)[1]) * 1024)
                resident = max(resident, int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024)
        if process.wait() or records != RECORDS:
            raise RuntimeError(f"{who} gave {records:,} of {RECORDS:,} records of {stream}")
        self.api.first()
        return allocated, resident


def bench(firth, server, folder, report, rounds, measured):
    if not (CDK / "source-declarative-manifest").exists():
        raise RuntimeError(f"{CDK} has no source-declarative-manifest: scripts/setup bench installs it")
    place = folder / "declarative"
    place.mkdir()
    api = Api(server)
    try:
        runs = Bench(firth, place, api, measured)
        starts = {"firth": [], "cdk": []}
        for stream in STREAMS:
            ones, wholes, memories = ({"firth": [], "cdk": []} for _ in range(3))
            for _ in range(rounds):
                for who in starts:
                    one, start = runs.time(who, stream, 1)
                    ones[who].append(one)
                    starts[who].append(start)
                    wholes[who].append(runs.time(who, stream, PAGES)[0])
                    memories[who].append(runs.memory(who, stream))
            report_cpu(report, stream, ones, wholes)
            report_memory(report, stream, memories)
        mine, peer = (statistics.median(starts[who]) for who in ("firth", "cdk"))
        report.line("low-code, start-up to the first request", f"{1000 * mine:.0f} ms", f"airbyte-cdk {1000 * peer:,.0f} ms",
                    f"{peer / mine:.0f}", "50 times", peer >= 50 * mine)
    finally:
        api.close()


def report_cpu(report, stream, ones, wholes):
    whole = {who: statistics.median(wholes[who]) for who in wholes}
    each = {who: (whole[who] - statistics.median(ones[who])) / (RECORDS - PAGE) * 1e6 for who in whole}
    report.line(f"low-code, CPU of a record, {stream}", f"{each['firth']:.2f} µs ({whole['firth']:.2f} s in all)",
                f"airbyte-cdk {each['cdk']:.1f} µs ({whole['cdk']:.1f} s in all)", f"{each['cdk'] / each['firth']:.0f}",
                "20 times", each["cdk"] >= 20 * each["firth"])


def report_memory(report, stream, memories):
    """The target is that of the allocated memory (why: above). The peak of the resident set has none that could be kept."""
    allocated, resident = ({who: statistics.median(sample[index] for sample in memories[who]) for who in memories} for index in (0, 1))
    ratio = allocated["cdk"] / allocated["firth"]
    report.line(f"low-code, memory allocated, {stream}", f"{allocated['firth'] / 2**20:.1f} MiB",
                f"airbyte-cdk {allocated['cdk'] / 2**20:.1f} MiB", f"{ratio:.1f}", "10 times", ratio >= 10)
    print(f"low-code, resident at most, libraries' shared pages included, {stream}: firth {resident['firth'] / 2**20:.1f} MiB, "
          f"airbyte-cdk {resident['cdk'] / 2**20:.1f} MiB, ratio {resident['cdk'] / resident['firth']:.1f}; no target", flush=True)
