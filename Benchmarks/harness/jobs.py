"""The jobs that Weir and its peers do, and one table for each.

A job has a spec NAME.json beside the README, a mode of the same name in each of the peers, an entry
in `JOBS`, and a check.
"""
import dataclasses
import shutil
import tempfile

from . import checks, corpus
from .measure import Failed, Measured, Samples, in_turns, say
from .page import Goal, mb, table

# What the records of the filter are of: one of twelve markets, about a twelfth of all records.
FILTERED_MARKET = "DE"


@dataclasses.dataclass
class Job:
    name: str
    what: str
    # What no pipeline can leave out: how often each mode of the probe is passed through.
    limit: dict
    # Weir may take so many times the limit.
    of_limit: float | None
    # The best peer takes at least so many times as long as Weir.
    of_peer: float
    # Weir's peak memory stays under so many bytes.
    peak: float | None
    # Arguments of the generator; those of the same data without malformed lines.
    data: str = corpus.DECISIONS
    clean: str = corpus.CLEAN
    # Modes of the probe that are shown but are no part of the limit.
    shown: tuple = ()


JOBS = [
    Job("report", "Read, skip malformed lines, normalise market, queue and the three forms of the "
        "time, keep the last revision of each event, and write count, violation rate and mean "
        "handle time by market, queue and day.",
        {"dom": 1}, 1.25, 3, 256e6, shown=("z",)),
    Job("full", "The report, and the records that stay, normalised, as zstd JSONL.",
        {"dom": 2, "pack": 1}, 1.25, 2.5, 512e6),
    Job("filter", "Read, normalise, keep one market of twelve, write its records as zstd JSONL.",
        {"dom": 1, "pack": 1}, None, 2, None),
    Job("wide", "Read all 21 fields with their types, normalise, and write 28 counts, sums and "
        "extremes of all of them by market and queue.",
        {"dom": 1}, None, 2, None),
    Job("many", "The report over 10,000 shards of one to four KB, with 20,000 series.",
        {"dom": 1}, None, 2, None, data=corpus.MANY, clean=corpus.MANY_CLEAN),
]

PROBES = {"z": "limit: decompress", "dom": "limit: decompress and parse",
          "pack": "limit: compress the output"}


class Checker:
    """Proves the outputs of the sides right and equal."""

    def __init__(self, tools, work):
        self.records = checks.Records(tools.digest, work)
        self.tables = checks.Tables()

    def check(self, side, job, result, data):
        if job in ("report", "full", "many"):
            checks.series(side, f"{result}/series.csv", data)
        if job == "full":
            self.records.check(side, job, result, data, is_unique=True)
        if job == "filter":
            self.records.check(side, job, result, data, market=FILTERED_MARKET)
        if job == "wide":
            self.tables.check(side, job, f"{result}/wide.csv", data)

    def check_parse(self, said, data):
        checks.equal("lines of the limit", said["lines"], data.counts["lines"])
        checks.equal("malformed of the limit", said["malformed"], data.counts["malformed"])


class JobBench:
    """Measures one job over all sides."""

    def __init__(self, job, bench):
        self.job = job
        self.bench = bench
        self.data = bench.corpora.get(job.data.format(rows=bench.options.rows))
        self.listing = self.data.write_list(f"{bench.work}/{job.name}.txt")
        self.pieces = None
        # Peers that malformed lines stop or mislead, and how: they are measured without such lines.
        self.clean = {}
        # Peers that cannot do it at all.
        self.failed = {}
        self.samples = {}

    def run(self):
        say(f"{self.job.name}: checking the answers")
        sides = [self.bench.weir] if self.bench.weir else []
        for side in sides + self.bench.peers:  # also fills the page cache and warms everything up
            self.try_out(side)
        modes = [mode for mode in (*self.job.shown, *self.job.limit)
                 if mode != "pack" or self.pieces]
        for mode in modes:
            self.probe(mode)
        measures = {PROBES[mode]: lambda mode=mode: self.probe(mode) for mode in modes}
        for side in self.bench.peers + sides:
            if side.name not in self.failed:
                measures[side.name] = lambda side=side: self.measure(side)
        self.samples = {name: Samples() for name in measures}

        def measure(name):
            measured = measures[name]()
            self.samples[name].add(measured)
            return measured.wall

        in_turns(self.bench.options.rounds, list(measures), measure)
        return self

    def try_out(self, side):
        """Runs a side once; a peer that malformed lines stop or mislead is tried without them."""
        try:
            self.measure(side)
        except (Failed, checks.Wrong) as failure:
            if side is self.bench.weir:
                raise
            say(f"  {failure}")
            self.clean[side.name] = str(failure)
            try:
                self.measure(side)
            except Failed as second:
                say(f"  {second}")
                self.failed[side.name] = str(second)

    def measure(self, side):
        data = self.clean_data() if side.name in self.clean else self.data
        out = tempfile.mkdtemp(dir=self.bench.work)
        try:
            measured = self.bench.runner.run(
                side.name,
                side.command(self.job.name, data, out, self.bench.options.workers))
            self.bench.checker.check(side.name, self.job.name, side.result(out), data)
            if "pack" in self.job.limit and self.pieces is None:
                self.pieces = self.bench.probe.split(
                    checks.written(side.result(out)), f"{self.bench.work}/{self.job.name}-text")
        finally:
            shutil.rmtree(out)
        return measured

    def clean_data(self):
        return self.bench.corpora.get(self.job.clean.format(rows=self.bench.options.rows))

    def probe(self, mode):
        listing = self.pieces if mode == "pack" else self.listing
        measured, said = self.bench.probe.measure(mode, listing, self.bench.options.workers)
        if mode == "dom":
            self.bench.checker.check_parse(said, self.data)
        if mode in ("z", "dom"):
            self.bench.text_bytes[self.job.name] = said["bytes"]
        return measured

    # What came out.

    @property
    def limit(self):
        """Seconds: the median over the rounds of the sum of the parts."""
        if any(PROBES[mode] not in self.samples for mode in self.job.limit):
            return None
        parts = Samples()
        for number in range(self.bench.options.rounds):
            parts.add(sum_of([(self.samples[PROBES[mode]].all[number], times)
                              for mode, times in self.job.limit.items()]))
        return parts

    @property
    def best_peer(self):
        """Name and seconds of the fastest peer, one on clean data included; or None."""
        done = [(self.samples[peer.name].wall, peer.name) for peer in self.bench.peers
                if peer.name in self.samples]
        return min(done) if done else None

    def table(self):
        limit = self.limit
        best = self.best_peer
        rows = []
        for name, samples in self.samples.items():
            rows.append(self.row(self.label(name), samples, limit, best))
            if name == PROBES[list(self.job.limit)[-1]] and sum(self.job.limit.values()) > 1:
                rows.append(self.row(f"**the limit**: {self.formula()}", limit, limit, best))
        for name in self.failed:
            rows.append([f"{name}: did not finish"] + ["-"] * 6)
        text = table(["side", "wall s, median", "min to max", "CPU s", "peak MB", "of the limit",
                      "the best peer takes"], rows)
        for name, why in self.clean.items():
            text += (f"\n{name} on the data with malformed lines: `{why}`. It was measured on the "
                     "same data without them.\n" if name not in self.failed else
                     f"\n{name}: `{self.failed[name]}`\n")
        return text

    def row(self, label, samples, limit, best):
        walls = samples.walls
        return [label, f"{samples.wall:.2f}", f"{min(walls):.2f} to {max(walls):.2f}",
                f"{samples.cpu:.2f}", mb(samples.peak),
                f"{samples.wall / limit.wall:.2f} x" if limit else "-",
                f"{best[0] / samples.wall:.2f} x" if best else "-"]

    def label(self, name):
        return f"{name}, clean data" if name in self.clean else name

    def formula(self):
        words = {"dom": "decompress and parse", "pack": "compress"}
        return " + ".join((f"{times} x " if times > 1 else "") + words[mode]
                          for mode, times in self.job.limit.items())

    def goals(self):
        if "Weir" not in self.samples:
            return []
        weir = self.samples["Weir"]
        goals = []
        name = f"*{self.job.name}*"
        if self.job.of_limit and self.limit:
            goals.append(Goal.at_most(f"{name} within {self.job.of_limit} x of its limit",
                                      weir.wall / self.limit.wall, self.job.of_limit, "{:.2f} x"))
        if self.best_peer:
            wall, peer = self.best_peer
            goals.append(Goal.at_least(f"{name} at least {self.job.of_peer} x faster than the best "
                                       f"peer ({self.label(peer)})", wall / weir.wall,
                                       self.job.of_peer, "{:.2f} x"))
        if self.job.peak:
            goals.append(Goal.at_most(f"{name} under {mb(self.job.peak)} MB", weir.peak / 1e6,
                                      self.job.peak / 1e6, "{:.0f} MB"))
        return goals


def sum_of(parts):
    """The runs one after the other, each as often as it says."""
    return Measured(sum(measured.wall * times for measured, times in parts),
                    sum(measured.cpu * times for measured, times in parts),
                    max(measured.peak for measured, _ in parts))
