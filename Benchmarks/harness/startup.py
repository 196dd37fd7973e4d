"""How long it takes to begin: commands that have next to nothing to do."""
import shutil
import tempfile

from . import corpus
from .measure import Samples, in_turns, say
from .page import Goal, mb, table
from .tools import BENCHMARKS, ROOT


class StartUp:
    def __init__(self, bench):
        self.bench = bench
        self.one = bench.corpora.get(corpus.ONE)
        self.samples = {}
        # Name -> arguments for an output folder.
        self.commands = {}
        if bench.weir:
            binary = bench.weir.binary
            self.commands = {
                "weir --help": lambda out: [binary, "--help"],
                "weir validate report.json":
                    lambda out: [binary, "validate", f"{BENCHMARKS}/report.json"],
                "weir run nightly-trends.json, over data-samples/": lambda out: [
                    binary, "run", f"{ROOT}/pipelines/nightly-trends.json", "--out",
                    f"{out}/result", "--workspace", f"{out}/workspace", "--quiet"],
            }
        for side in ([bench.weir] if bench.weir else []) + bench.peers:
            self.commands[f"{side.name}: the report of one shard of 100 records"] = (
                lambda out, side=side: side.command("report", self.one, out,
                                                    bench.options.workers))

    def run(self):
        say("start-up")
        self.samples = {name: Samples() for name in self.commands}

        def measure(name):
            out = tempfile.mkdtemp(dir=self.bench.work)
            try:
                measured = self.bench.runner.run(name, self.commands[name](out))
            finally:
                shutil.rmtree(out)
            self.samples[name].add(measured)
            return measured.wall

        for name in self.commands:  # warm
            measure(name)
        self.samples = {name: Samples() for name in self.commands}
        in_turns(max(15, self.bench.options.rounds), list(self.commands), measure)
        return self

    def table(self):
        return table(
            ["command", "wall ms, median", "min to max", "CPU ms", "peak MB"],
            [[name, f"{samples.wall * 1e3:.1f}",
              f"{min(samples.walls) * 1e3:.1f} to {max(samples.walls) * 1e3:.1f}",
              f"{samples.cpu * 1e3:.1f}", mb(samples.peak)]
             for name, samples in self.samples.items()])

    def goals(self):
        if not self.bench.weir:
            return []
        names = list(self.samples)
        return [Goal.at_most(f"`{names[0]}` in under 30 ms", self.samples[names[0]].wall * 1e3, 30,
                             "{:.1f} ms"),
                Goal.at_most(f"`{names[1]}` in under 30 ms", self.samples[names[1]].wall * 1e3, 30,
                             "{:.1f} ms"),
                Goal.at_most("a run over data-samples/ in under 500 ms",
                             self.samples[names[2]].wall * 1e3, 500, "{:.0f} ms")]
