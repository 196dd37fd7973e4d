#!/usr/bin/env python3
"""Measure Weir, DuckDB and the limit on the same data, turn by turn, and compare medians.

Needs nothing but Python's standard library. `bench.sh` calls it with everything in place; see
README.md. Every side's answer is compared with the truth that the generator wrote before anything
is measured, and the outputs of every round again after it.
"""
import argparse
import csv
import dataclasses
import datetime
import glob
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass
class Side:
    """One program under measurement. `command(out)` gives its arguments for an output folder."""
    name: str
    command: object
    check: object
    wall: list = dataclasses.field(default_factory=list)
    cpu: list = dataclasses.field(default_factory=list)
    peak: list = dataclasses.field(default_factory=list)


def main():
    options = arguments()
    truth = json.load(open(f"{options.data}/truth.json"))
    shards = sorted(glob.glob(f"{options.data}/date=*/*.jsonl.zst"))
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as work:
        listing = f"{work}/shards.txt"
        with open(listing, "w") as file:
            file.writelines(path + "\n" for path in shards)
        sides = make_sides(options, truth, listing)
        print(f"checking the answers of {', '.join(side.name for side in sides)}", file=sys.stderr)
        text_bytes = 0
        for side in sides:  # also fills the page cache and warms everything up
            measured = run(side, work)
            if side.name == "limit: decompress":
                text_bytes = measured["stdout"]["bytes"]
        load = os.getloadavg()[0]
        for round_number in range(options.rounds):
            # Each round starts with another side, so that none always follows the same one.
            turn = round_number % len(sides)
            for side in sides[turn:] + sides[:turn]:
                measured = run(side, work)
                side.wall.append(measured["wall"])
                side.cpu.append(measured["cpu"])
                side.peak.append(measured["peak"])
            print(f"round {round_number + 1} of {options.rounds}: "
                  + ", ".join(f"{side.name} {side.wall[-1]:.2f} s" for side in sides),
                  file=sys.stderr)
    table = results_table(sides, text_bytes)
    print(table)
    if options.results:
        with open(options.results, "w") as file:
            file.write(page(options, truth, shards, text_bytes, load, table))
        print(f"written to {options.results}", file=sys.stderr)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a folder made by weir-bench generate")
    parser.add_argument("--limit", required=True, help="the limit probe, compiled")
    parser.add_argument("--duckdb-python", help="a Python that has duckdb; without it no DuckDB")
    parser.add_argument("--weir", help="the weir binary; without it no Weir")
    parser.add_argument("--spec", default=f"{HERE}/report.json", help="what Weir runs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--results", help="a Markdown file to write")
    parser.add_argument("--generated-by", help="the command that made the data, for the results")
    options = parser.parse_args()
    if options.rounds < 1 or options.workers < 1:
        parser.error("--rounds and --workers must be 1 or more")
    options.data = os.path.abspath(options.data)
    return options


def make_sides(options, truth, listing):
    workers = str(options.workers)

    def limit(mode):
        return lambda out: [os.path.abspath(options.limit), mode, workers, listing]

    def check_parse(out, printed):
        expect("lines of the limit", printed["lines"], truth["counts"]["lines"])
        expect("malformed of the limit", printed["malformed"], truth["counts"]["malformed"])

    def check_series(out, printed):
        compare_series(f"{out}/series.csv", truth)

    sides = [Side("limit: decompress", limit("z"), lambda out, printed: None),
             Side("limit: decompress and parse", limit("dom"), check_parse)]
    if options.duckdb_python:
        sides.append(Side("DuckDB", lambda out: [
            options.duckdb_python, f"{HERE}/peers/duckdb_peer.py", options.data, out, "report",
            workers], check_series))
    if options.weir:
        # A new output and a new workspace each time: nothing is remembered from the last run.
        sides.append(Side("Weir", lambda out: [
            os.path.abspath(options.weir), "run", options.spec, "--param", f"data={options.data}",
            "--out", f"{out}/result", "--workspace", f"{out}/workspace", "--workers", workers,
            "--quiet"], lambda out, printed: compare_series(f"{out}/result/series.csv", truth)))
    return sides


def run(side, work):
    """Runs a side once in a folder of its own, checks what it wrote, and measures the process
    and those that it started: wall and CPU seconds, peak resident bytes."""
    out = tempfile.mkdtemp(dir=work)
    with open(f"{work}/stdout", "w+") as stdout, open(f"{work}/stderr", "w+") as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(side.command(out), stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=stderr, cwd=work)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        text = stdout.read()
        if process.returncode != 0:
            sys.exit(f"{side.name} failed with {process.returncode}:\n{text}{stderr.read()}")
    printed = json.loads(text) if side.name.startswith("limit") else None
    side.check(out, printed)
    shutil.rmtree(out)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024,
            "stdout": printed}


def compare_series(path, truth):
    """Joins a CSV (market, queue, ts, n, violations or rate, handle_ms) with the truth: counts
    must be equal, means to 1e-9."""
    start = datetime.date.fromisoformat(truth["start"])
    expected = {}
    for series in truth["series"]:
        by_day = zip(series["records_by_day"], series["violations_by_day"],
                     series["handle_ms_by_day"])
        for day, (n, violations, handle_ms) in enumerate(by_day):
            if n > 0:
                date = (start + datetime.timedelta(days=day)).isoformat()
                expected[series["market"], series["queue"], date] = (n, violations, handle_ms / n)
    seen = set()
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            key = (row["market"], row["queue"], row["ts"][:10])
            n = int(row["n"])
            if n == 0 and key not in expected:
                continue
            if key not in expected or key in seen:
                sys.exit(f"{path}: unexpected or doubled row {key}")
            seen.add(key)
            true_n, true_violations, true_mean = expected[key]
            expect(f"{path}: n of {key}", n, true_n)
            if "violations" in row:
                expect(f"{path}: violations of {key}", int(row["violations"]), true_violations)
            else:
                near(f"{path}: rate of {key}", float(row["rate"]), true_violations / true_n)
            near(f"{path}: handle_ms of {key}", float(row["handle_ms"]), true_mean)
    expect(f"{path}: rows", len(seen), len(expected))


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got}, not {wanted}")


def near(what, got, wanted):
    if abs(got - wanted) > 1e-9 * max(1, abs(wanted)):
        sys.exit(f"{what}: {got}, not {wanted}")


def results_table(sides, text_bytes):
    median = {side.name: statistics.median(side.wall) for side in sides}
    lines = ["| side | wall s, median | min to max | CPU s | peak MB | MB/s of JSON "
             "| of the parse limit | DuckDB takes |",
             "|---|---|---|---|---|---|---|---|"]
    for side in sides:
        wall = median[side.name]
        duckdb = f"{median['DuckDB'] / wall:.2f} x" if "DuckDB" in median else "-"
        lines.append(
            f"| {side.name} | {wall:.2f} | {min(side.wall):.2f} to {max(side.wall):.2f} "
            f"| {statistics.median(side.cpu):.2f} | {statistics.median(side.peak) / 1e6:.0f} "
            f"| {text_bytes / wall / 1e6:.0f} "
            f"| {wall / median['limit: decompress and parse']:.2f} x | {duckdb} |")
    return "\n".join(lines)


def page(options, truth, shards, text_bytes, load, table):
    compressed = sum(os.path.getsize(path) for path in shards)
    counts = truth["counts"]
    versions = [output([options.limit, "--version"])]
    if options.duckdb_python:
        versions.append("DuckDB " + output([
            options.duckdb_python, "-c", "import duckdb; print(duckdb.__version__)"]))
    if options.weir:
        versions.append("Weir " + output([options.weir, "--version"]))
    made = f"\nMade by `{options.generated_by}`.\n" if options.generated_by else ""
    return f"""# Results

Written by `run.py` on {datetime.date.today().isoformat()}; do not edit. Medians of {options.rounds} rounds, the sides in turn, {options.workers} threads each, whole processes, page cache warm. Figures of different runs are not to be compared. README.md says what each side does.

{table}

Data: {counts['lines']:,} lines in {len(shards)} shards, {text_bytes / 1e6:,.0f} MB of JSON, {compressed / 1e6:,.0f} MB compressed; {counts['unique']:,} unique events, {counts['duplicates']:,} duplicates, {counts['malformed']:,} malformed lines. Every side's answer was equal to the generator's own counts.
{made}
Machine: {machine()}; load {load:.1f} before the first round.

Versions: {'; '.join(versions)}; Python {platform.python_version()}.
"""


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
