"""The same bytes however Weir is run, and memory that is obeyed."""
import shutil
import tempfile

from . import checks
from .measure import Samples, say
from .page import Goal, mb, table

JOBS = ("report", "full", "filter", "wide")
VARIANTS = [("--workers", "1"), ("--workers", "2"), ("--workers", "3"), ("--workers", "8"),
            ("--batch-kib", "16"), ("--batch-kib", "4096")]
# The least that is accepted, a little more, and more than there is use for.
MEMORY = [("--memory", "92MiB"), ("--memory", "104MB"), ("--memory", "1GB")]


class Identity:
    """Runs every job in every way over one corpus and compares the trees of outputs, manifest
    included."""

    def __init__(self, bench):
        self.bench = bench
        self.data = bench.corpora.decisions(bench.options.small)
        self.variants = list(VARIANTS)
        if bench.weir.can("--memory"):
            self.variants += MEMORY
        self.same = {}

    def run(self):
        say("identical bytes")
        for job in JOBS:
            first = None
            for variant in self.variants:
                files = self.tree(job, variant)
                first = first or files
                self.same[job, variant] = files == first
                if files != first:
                    say(f"  {job} with {' '.join(variant)} differs in {differing(files, first)}")
        return self

    def tree(self, job, more):
        workers = self.bench.options.workers
        out = tempfile.mkdtemp(dir=self.bench.work)
        try:
            weir = self.bench.weir
            command = weir.command(job, self.data, out, workers)
            if more[0] == "--workers":
                command[command.index("--workers") + 1] = more[1]
            else:
                command += more
            self.bench.runner.run(weir.name, command)
            self.bench.checker.check(weir.name, job, weir.result(out), self.data)
            return checks.tree(weir.result(out))
        finally:
            shutil.rmtree(out)

    def table(self):
        rows = [[f"`{' '.join(variant)}`"]
                + ["same" if self.same[job, variant] else "**other**" for job in JOBS]
                for variant in self.variants]
        return (f"{self.data.counts['lines']:,} lines; every file of the output directory, the "
                "manifest included, by SHA-256.\n\n" + table(["run with", *JOBS], rows))

    def goals(self):
        count = sum(self.same.values())
        return [Goal("identical bytes for every number of workers, batch size"
                     + (" and memory limit" if len(self.variants) > len(VARIANTS) else ""),
                     f"{count} of {len(self.same)} runs", count == len(self.same))]


class Memory:
    """The report over the largest corpus, with `--memory` and without."""

    def __init__(self, bench):
        self.bench = bench
        self.data = bench.corpora.decisions(max(bench.options.curve))
        # Fewer than the run would take.
        self.megabytes = 256 if self.data.counts["lines"] >= 10_000_000 else 128
        self.limit = f"{self.megabytes}MB"
        self.samples = {}
        self.trees = {}

    def run(self):
        say(f"{self.limit} over {self.data.counts['lines']:,} lines")
        for job in ("report", "full"):
            for more in ((), ("--memory", self.limit)):
                samples = self.samples[job, more] = Samples()
                for _ in range(3):
                    self.measure(job, more, samples)
        return self

    def measure(self, job, more, samples):
        weir = self.bench.weir
        out = tempfile.mkdtemp(dir=self.bench.work)
        try:
            samples.add(self.bench.runner.run(
                weir.name, weir.command(job, self.data, out, self.bench.options.workers, *more)))
            self.bench.checker.check(weir.name, job, weir.result(out), self.data)
            self.trees[job, more] = checks.tree(weir.result(out))
        finally:
            shutil.rmtree(out)

    def is_same(self, job):
        return self.trees[job, ("--memory", self.limit)] == self.trees[job, ()]

    def table(self):
        rows = []
        for (job, more), samples in self.samples.items():
            same = "" if not more else "same" if self.is_same(job) else "**other**"
            rows.append([f"*{job}*", f"`{' '.join(more)}`" if more else "", f"{samples.wall:.2f}",
                         mb(samples.peak), same])
        return (f"{self.data.counts['lines']:,} lines, medians of 3 runs, the highest peak.\n\n"
                + table(["job", "", "wall s", "peak MB", "output"], rows))

    @staticmethod
    def no_goals():
        say("this weir has no --memory: its memory is not measured")
        return [Goal("*report* with `--memory`", "this build has no `--memory`", None)]

    def goals(self):
        peak = self.samples["report", ("--memory", self.limit)].peak
        return [Goal(f"*report* with `--memory {self.limit}` over {self.data.counts['lines']:,} lines "
                     "stays below it, with identical output",
                     f"{mb(peak)} MB, {'same' if self.is_same('report') else 'other'} bytes",
                     peak <= self.megabytes * 1e6 and self.is_same("report"))]


def differing(files, others):
    return ", ".join(sorted(path for path in files.keys() | others.keys()
                            if files.get(path) != others.get(path)))
