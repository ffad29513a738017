"""Validating JSON Schema: Firth beside ajv, jsonschema-rs and Blaze. Used by bench/run.

Each program makes the same passes over the same file and prints a line as bench/validate.c says. Rounds are
interleaved and ratios are taken within a round, so that whatever else the machine does disturbs both sides alike; what is
printed are medians, with the median absolute deviation of the ratio as the noise."""

import math
import os
import pathlib
import re
import statistics
import subprocess
import time

import data
import public

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / ".deps" / "peers"
FIRTH = ROOT / "build-bench" / "bench" / "validate"
BLAZE = PEERS / "npm/node_modules/@sourcemeta/jsonschema/build/github-releases/jsonschema-linux-x86_64"
PROGRAMS = {
    "firth": [FIRTH],
    "ajv": ["node", ROOT / "bench/peers/npm/ajv.js", PEERS / "npm"],
    "jsonschema-rs": [PEERS / "cargo/release/bench-peer-jsonschema"],
}
FIELDS = ["docs", "bytes", "compile", "cold", "warm", "parse", "both", "valid"]
LARGEST = "manifests"
SLOPE_SIZES = [250 * 2**i for i in range(5)]


def measure(program, schema, instances):
    out = subprocess.run([*PROGRAMS[program], schema, instances], check=True, capture_output=True, text=True).stdout
    return dict(zip(FIELDS, map(float, out.strip().split(",")[1:])))


def blaze_each(schema, instances):
    """Blaze's program times each document by itself, `loops` times in a row (which is warmer than a pass over all of
    them): nanoseconds of each, and how many were valid. Invalid ones make it exit with 2."""
    loops = "20"
    out = subprocess.run([BLAZE, "validate", "--fast", "--benchmark", "--continue", "--loop", loops, schema, instances],
                         capture_output=True, text=True, check=False)
    found = re.findall(r"(?:\[(\d+)\])?: (PASS|FAIL) ([0-9.]+)", out.stdout + out.stderr)
    if not found:
        raise RuntimeError(f"Blaze measured nothing: {out.stderr[-2000:]}")
    found.sort(key=lambda each: int(each[0] or 0))  # they do not come in the documents' order
    return [1000 * float(time) for _, _, time in found], [answer == "PASS" for _, answer, _ in found]


def blaze_program(schema, sound, count):
    """Parsing and validating by Blaze's own program: nanoseconds of CPU per document of a file of `count`, all of them
    valid; by the difference to one four times as long, so that its start does not count."""
    long = sound.with_name(f"{sound.stem}-4.jsonl")
    long.write_bytes(4 * sound.read_bytes())

    def cpu(instances):
        with subprocess.Popen([BLAZE, "validate", "--fast", schema, instances], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{sound.stem}: Blaze finds documents that are not damaged invalid")
        return usage.ru_utime + usage.ru_stime

    return 1e9 * (min(cpu(long) for _ in range(3)) - min(cpu(sound) for _ in range(3))) / (3 * count)


def rounds_of(folder, name, count):
    """A list of {program: figures}. Blaze takes wall time: the least of the rounds, document by document."""
    schema, instances = folder / f"{name}.schema.json", folder / f"{name}.jsonl"
    rounds, blaze = [], []
    for _ in range(count):
        figures = {program: measure(program, schema, instances) for program in PROGRAMS}
        if BLAZE.exists():
            blaze.append(blaze_each(schema, instances))
        rounds.append(figures)
    if blaze:
        least = [min(times) for times in zip(*(times for times, _ in blaze))]
        sound = folder / f"{name}-sound.jsonl"
        both = blaze_program(schema, sound, data.write_sound(sound, name))
        for figures in rounds:
            figures["blaze"] = {"warm": statistics.fmean(least), "valid": float(sum(blaze[0][1])), "both": both}
    return rounds


def ratio(rounds, peer, figure):
    """The peer's figure by Firth's: (median, median absolute deviation)."""
    ratios = [figures[peer][figure] / figures["firth"][figure] for figures in rounds]
    middle = statistics.median(ratios)
    return middle, statistics.median(abs(value - middle) for value in ratios)


def median(rounds, program, figure):
    return statistics.median(figures[program][figure] for figures in rounds)


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def check_answers(rounds, name):
    """All must have found the same number of valid documents, and some invalid."""
    valid = {program: figures["valid"] for program, figures in rounds[0].items()}
    if len(set(valid.values())) != 1:
        raise RuntimeError(f"{name}: they disagree about how many are valid: {valid}")
    share = 1 - valid["firth"] / rounds[0]["firth"]["docs"]
    if not 0.02 < share < 0.11:
        raise RuntimeError(f"{name}: {share:.0%} of the documents are invalid")


def report_set(name, rounds, report):
    ours = {figure: median(rounds, "firth", figure) for figure in FIELDS}
    ratios = {peer: ratio(rounds, peer, "both") for peer in ("ajv", "jsonschema-rs")}
    better = min(ratios, key=lambda peer: ratios[peer][0])
    factor, noise = ratios[better]
    report.line(f"validate {name}, parsing and validating, {ours['bytes'] / ours['docs']:.0f}-byte documents",
                f"{ours['both']:.0f} ns (parsing alone {ours['parse']:.0f})",
                ", ".join(f"{peer} {median(rounds, peer, 'both'):.0f}" for peer in ratios), f"{factor:.1f} ±{noise:.1f}",
                f"2.5 times the better ({better})", factor >= 2.5)
    alone = [f"{peer} {median(rounds, peer, 'warm'):.0f} ({ratio(rounds, peer, 'warm')[0]:.1f})"
             for peer in rounds[0] if peer != "firth"]
    print(f"    validating alone: firth {ours['warm']:.0f} ns, {', '.join(alone)}", flush=True)
    limit = 20 if name == LARGEST else 1
    report.line(f"    compiling the schema of {name}", f"{ours['compile'] / 1e6:.2f} ms",
                ", ".join(f"{peer} {median(rounds, peer, 'compile') / 1e6:.1f} ms" for peer in ratios), "-", f"{limit} ms",
                ours["compile"] < limit * 1e6)


def report_means(all_rounds, report):
    for peer, target in (("ajv", 2), ("jsonschema-rs", 1.5), ("blaze", 1)):
        if peer in all_rounds[0][0]:
            mean = geometric_mean([ratio(rounds, peer, "warm")[0] for rounds in all_rounds])
            report.line(f"validating alone, geometric mean over {len(all_rounds)} data sets", "1", f"{peer} {mean:.2f}",
                        f"{mean:.2f}", f"{target} times", mean >= target)
    if "blaze" in all_rounds[0][0]:
        mean = geometric_mean([ratio(rounds, "blaze", "both")[0] for rounds in all_rounds])
        report.line("parsing and validating by Blaze's program, geometric mean", "1", f"blaze {mean:.2f}", f"{mean:.2f}",
                    "2 times", mean >= 2)
    else:
        print("Blaze is not there: it has no build for this machine", flush=True)


def bench_slope(folder, report, count):
    """One document of each shape, doubled again and again."""
    for name in data.SLOPES:
        costs = [[] for _ in SLOPE_SIZES]
        schema = folder / f"slope-{name}.schema.json"
        for size in SLOPE_SIZES:
            data.write_slope(folder, name, size)
        for _ in range(count):
            for cost, size in zip(costs, SLOPE_SIZES):
                cost.append(measure("firth", schema, folder / f"slope-{name}-{size}.jsonl")["both"])
        middle = [statistics.median(cost) for cost in costs]
        slope = (middle[-1] / middle[0]) ** (1 / (len(middle) - 1))
        steps = ", ".join(f"{after / before:.2f}" for before, after in zip(middle, middle[1:]))
        report.line(f"slope of {name}, {middle[0] / 1e3:.0f} to {middle[-1] / 1e3:.0f} us", f"{slope:.2f} per doubling",
                    f"steps {steps}", f"{slope:.2f}", "at most 2.2", slope <= 2.2)


def bench_public(folder, report, count):
    """Public schemas with public documents, beside Blaze: alone, and parsing as well."""
    alone, both = [], []
    for name in public.PAIRS:
        pair = public.Pair(folder, name, PEERS / "public/node_modules")
        ours = [measure("firth", pair.schema, pair.instances) for _ in range(count)]
        blaze = [blaze_each(pair.schema, pair.once) for _ in range(count)]
        valid = blaze[0][1]
        if ours[0]["valid"] != pair.repeats * sum(valid):
            raise RuntimeError(f"{name}: Blaze finds {sum(valid)} of {len(valid)} valid, Firth {ours[0]['valid'] / pair.repeats}")
        least = statistics.fmean(min(times) for times in zip(*(times for times, _ in blaze)))
        sound = [line for line, is_valid in zip(pair.lines, valid) if is_valid]
        program = blaze_program(pair.schema, pair.repeated(folder / f"public-{name}-sound.jsonl", sound),
                                pair.repeats * len(sound))
        ours = {figure: statistics.median(each[figure] for each in ours) for figure in FIELDS}
        alone.append(least / ours["warm"])
        both.append(program / ours["both"])
        print(f"    public {name}, {len(valid)} documents of {ours['bytes'] / ours['docs']:.0f} bytes, {sum(valid)} valid: alone "
              f"firth {ours['warm']:.0f} ns, blaze {least:.0f} ({alone[-1]:.2f}); with parsing firth {ours['both']:.0f}, "
              f"blaze {program:.0f} ({both[-1]:.2f}); compiled in {ours['compile'] / 1e6:.2f} ms", flush=True)
    for what, ratios, target in (("validating alone", alone, 1), ("parsing and validating", both, 2)):
        mean = geometric_mean(ratios)
        report.line(f"{what}, geometric mean over {len(ratios)} public data sets", "1", f"blaze {mean:.2f}", f"{mean:.2f}",
                    f"{target} times", mean >= target)


def bench(folder, report, count):
    started = time.monotonic()
    for name in data.DATA_SETS:
        data.write(folder, name)
    all_rounds = []
    for name in data.DATA_SETS:
        rounds = rounds_of(folder, name, count)
        check_answers(rounds, name)
        report_set(name, rounds, report)
        all_rounds.append(rounds)
    report_means(all_rounds, report)
    if BLAZE.exists():
        bench_public(folder, report, count)
    bench_slope(folder, report, count)
    print(f"validate: {count} rounds in {time.monotonic() - started:.0f} s", flush=True)
