"""The sixtieth night: fifty-nine shards are known, one is new."""
import filecmp
import os
import shutil
import tempfile
import time

from . import corpus
from .checks import Wrong
from .measure import Samples, in_turns, say
from .page import Goal, mb, table

NAMES = ("report", "full")


class Nights:
    """A run over one more shard, beside a run from nothing over all of them."""

    def __init__(self, bench):
        self.bench = bench
        self.nothing = {job: Samples() for job in NAMES}
        self.night = {job: Samples() for job in NAMES}
        self.known = {job: Samples() for job in NAMES}
        self.shards = 0
        self.kept = {}

    def run(self):
        say("incremental")
        given = self.bench.corpora.get(corpus.NIGHTS.format(rows=self.bench.options.rows))
        self.shards = len(given.shards)
        # A copy of its own, of which the last day can be taken away and put back.
        folder = f"{self.bench.work}/nights"
        shutil.copytree(given.path, folder)
        data = corpus.Corpus(folder, given.arguments)
        last = os.path.dirname(data.shards[-1])
        # A file that has only just been written is not known by its times.
        time.sleep(3)
        before = {}
        os.rename(last, f"{self.bench.work}/last")
        for job in NAMES:
            before[job] = f"{self.bench.work}/before-{job}"
            self.weir(job, data, before[job])
        os.rename(f"{self.bench.work}/last", last)
        for job in NAMES:
            out = f"{self.bench.work}/all-{job}"
            self.weir(job, data, out)
            os.rename(os.path.realpath(f"{out}/result"), f"{self.bench.work}/expected-{job}")
            shutil.rmtree(out)

        def measure(side):
            job, how = side.split(" ", 1)
            out = tempfile.mkdtemp(dir=self.bench.work)
            try:
                if how != "from nothing":
                    shutil.rmtree(out)
                    shutil.copytree(before[job], out, symlinks=True)
                measured = self.weir(job, data, out)
                if how == "from nothing":
                    self.nothing[job].add(measured)
                else:
                    self.night[job].add(measured)
                    self.kept[job] = size_of(f"{out}/workspace/.weir/digests")
                    # Once more over the same shards: everything is known.
                    self.known[job].add(self.weir(job, data, out, "--force"))
                same(f"{self.bench.work}/expected-{job}", f"{out}/result")
            finally:
                shutil.rmtree(out)
            return measured.wall

        sides = [f"{job} {how}" for job in NAMES for how in ("from nothing", "one more night")]
        in_turns(self.bench.options.rounds, sides, measure)
        return self

    def weir(self, job, data, out, *more):
        weir = self.bench.weir
        return self.bench.runner.run(
            weir.name, weir.command(job, data, out, self.bench.options.workers, *more))

    def table(self):
        rows = []
        for job in NAMES:
            nothing = self.nothing[job].wall
            for what, samples in (("from nothing", self.nothing[job]),
                                  ("one more night", self.night[job]),
                                  ("everything known (`--force`)", self.known[job])):
                rows.append([f"*{job}*", what, f"{samples.wall:.2f}",
                             f"{min(samples.walls):.2f} to {max(samples.walls):.2f}",
                             f"{samples.cpu:.2f}", mb(samples.peak), f"{samples.wall / nothing:.3f} x"])
        kept = ", ".join(f"{self.kept[job] / 1e6:.0f} MB for *{job}*" for job in NAMES)
        return table(["job", "run", "wall s, median", "min to max", "CPU s", "peak MB",
                      "of a run from nothing"], rows) + f"\nDigests on disk: {kept}.\n"

    def goals(self):
        return [Goal.at_most(
            f"*incremental*: night {self.shards} of *{job}* costs at most 0.15 x of a run from nothing",
            self.night[job].wall / self.nothing[job].wall, 0.15, "{:.3f} x") for job in NAMES]


def size_of(folder):
    return sum(os.path.getsize(f"{folder}/{name}") for name in os.listdir(folder))


def same(a, b):
    """Raises where two trees of outputs differ; manifests are part of them."""
    pairs = [(a, b)]
    while pairs:
        left, right = pairs.pop()
        names = sorted(os.listdir(left))
        if names != sorted(os.listdir(right)):
            raise Wrong(f"incremental: {left} and {right} hold other files")
        for name in names:
            one, other = f"{left}/{name}", f"{right}/{name}"
            if os.path.isdir(one):
                pairs.append((one, other))
            elif not filecmp.cmp(one, other, shallow=False):
                raise Wrong(f"incremental: {name} is not what a run from nothing makes")
