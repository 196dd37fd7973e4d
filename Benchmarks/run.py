#!/usr/bin/env python3
"""Measure Weir beside DuckDB, ClickHouse and Polars and beside the limit of the machine.

Needs nothing but Python's standard library, g++ with libzstd, libsimdjson and libxxhash, and PyPI
once for the peers. README.md says what is measured and how it is kept fair. Every answer is proved
right before anything is reported.
"""
import argparse
import datetime
import os
import platform
import shutil
import sys
import tempfile

from harness import corpus, measure, page, tools
from harness.checks import Wrong
from harness.curve import Curve
from harness.expressions import Expressions
from harness.identity import Identity, Memory
from harness.incremental import Nights
from harness.jobs import JOBS, Checker, JobBench
from harness.sides import PEERS, Peer, Probe, Weir
from harness.startup import StartUp


class Bench:
    """What every part of the benchmark uses."""

    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.tools = tools.prepare(options)
        self.corpora = corpus.Corpora(self.tools, options.cache)
        self.runner = measure.Runner(self.tools.launch, work)
        self.probe = Probe(self.tools, self.runner)
        self.peers = [Peer(self.tools, key) for key in options.peers]
        self.weir = Weir(self.tools) if options.weir else None
        self.checker = Checker(self.tools, work)
        # Bytes of JSON in the data of each job.
        self.text_bytes = {}


def main():
    options = arguments()
    os.makedirs(options.cache, exist_ok=True)
    work = tempfile.mkdtemp(prefix="work-", dir=options.cache)
    try:
        bench = Bench(options, work)
        load = measure.load()
        results = Results(bench, load)
        for job in JOBS:
            if job.name in options.jobs:
                results.add(f"The job *{job.name}*", JobBench(job, bench).run(), job.what)
        if bench.weir and "incremental" in options.jobs:
            results.add("The job *incremental*", Nights(bench).run(),
                        "A shard a night: the last of sixty is new, what earlier nights read is "
                        "in the digests.")
        if bench.weir and "expressions" in options.jobs:
            results.add("Expressions", Expressions(bench).run(),
                        "*Report*, and the same with a filter and three derived fields.")
        if "start-up" in options.jobs:
            results.add("Start-up", StartUp(bench).run(),
                        "Whole processes with next to nothing to do.")
        if bench.weir and "curve" in options.jobs:
            results.add("Cost curve", Curve(bench).run(),
                        "*Report* and *full* beside their limits, over more rows and with more "
                        "workers.")
        if bench.weir and "memory" in options.jobs:
            if bench.weir.can("--memory"):
                results.add("Memory", Memory(bench).run(), "")
            else:
                results.goals += Memory.no_goals()
        if bench.weir and "identity" in options.jobs:
            results.add("Identical bytes", Identity(bench).run(), "")
        print(results.text())
        if options.results:
            results.write(options.results)
    except (Wrong, measure.Failed) as error:
        sys.exit(f"run.py: {error}")
    finally:
        shutil.rmtree(work)


class Results:
    """Gathers the sections, and keeps what there is after each: a run may be stopped."""

    def __init__(self, bench, load):
        self.bench = bench
        self.load = load
        self.begin = datetime.date.today()
        self.sections = []
        self.goals = []

    def add(self, title, part, what):
        self.sections.append(f"## {title}\n\n" + (f"{what}\n\n" if what else "") + part.table())
        self.goals += part.goals()
        self.write(f"{self.bench.options.cache}/latest.md")

    def write(self, path):
        with open(path, "w") as file:
            file.write(self.text())
        measure.say(f"written to {path}")

    def text(self):
        options, bench = self.bench.options, self.bench
        versions = [bench.probe.version(), *(side.version() for side in bench.peers),
                    *([bench.weir.version()] if bench.weir else []),
                    f"Python {platform.python_version()}"]
        return f"""# Results

Written by `run.py` on {self.begin}; do not edit. Medians of {options.rounds} rounds, the sides in turn, {options.workers} threads each, whole processes with their start, page cache warm. Every answer was compared with the generator's own counts and with those of the other sides. Figures of different runs are not to be compared. README.md says what each side does.

{page.goals_table(self.goals) if self.goals else ""}
{chr(10).join(self.sections)}
## The run

Machine: {page.machine()}; load {self.load:.1f} before the first round, {measure.load():.1f} at the end.

Versions: {"; ".join(versions)}.

{self.data()}"""

    def data(self):
        """A line for each corpus that the tables of jobs are about."""
        made = {}
        for job in JOBS:
            if job.name in self.bench.text_bytes:
                made.setdefault(job.data, []).append(job.name)
        lines = []
        for arguments_, names in made.items():
            data = self.bench.corpora.get(arguments_.format(rows=self.bench.options.rows))
            counts = data.counts
            lines.append(
                f"Data of {', '.join(f'*{name}*' for name in names)}: {counts['lines']:,} lines in "
                f"{len(data.shards):,} shards, {self.bench.text_bytes[names[0]] / 1e6:,.0f} MB of "
                f"JSON, {data.compressed_bytes / 1e6:,.0f} MB compressed; {counts['unique']:,} "
                f"unique events, {counts['duplicates']:,} duplicates, {counts['malformed']:,} "
                f"malformed lines. Made by `weir-bench generate DIR {data.arguments}`.\n")
        return "\n".join(lines)


ALL = [*(job.name for job in JOBS), "incremental", "expressions", "start-up", "curve", "memory", "identity"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = tools.ROOT
    parser.add_argument("--weir", default=f"{root}/.build/release/weir",
                        help="the weir binary, or none")
    parser.add_argument("--generator", default=f"{root}/.build/release/weir-bench",
                        help="the weir-bench binary")
    parser.add_argument("--peers", default=",".join(PEERS),
                        help=f"which of {', '.join(PEERS)}; none where PyPI cannot be reached")
    parser.add_argument("--jobs", default=",".join(ALL), help=f"which of {', '.join(ALL)}")
    parser.add_argument("--rows", type=int, default=2_000_000, help="unique records of the jobs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2, help="threads of every side")
    parser.add_argument("--full", action="store_true",
                        help="the cost curve and the memory limit over ten times the rows too")
    parser.add_argument("--results", help="a Markdown file to write")
    parser.add_argument("--cache", default=os.environ.get(
        "WEIR_BENCH_CACHE", os.path.expanduser("~/.cache/weir-bench")),
        help="where data, peers and tools are kept")
    options = parser.parse_args()
    options.weir = None if options.weir == "none" else os.path.abspath(options.weir)
    options.peers = names(parser, options.peers, list(PEERS))
    options.jobs = names(parser, options.jobs, ALL)
    options.cache = os.path.abspath(options.cache)
    if options.rounds < 1 or options.workers < 1 or options.rows < 1000:
        parser.error("--rounds and --workers must be 1 or more, --rows 1000 or more")
    options.small = options.rows // 10
    options.curve = [options.small, options.rows] + ([10 * options.rows] if options.full else [])
    return options


def names(parser, text, known):
    chosen = [] if text == "none" else text.split(",")
    for name in chosen:
        if name not in known:
            parser.error(f"{name} is not one of {', '.join(known)}")
    return chosen


if __name__ == "__main__":
    main()
