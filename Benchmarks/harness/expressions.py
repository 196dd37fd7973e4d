"""What expressions cost: *report* beside the same with a filter and three derived fields."""
import shutil
import tempfile

from .checks import Wrong
from .measure import Samples, in_turns, say
from .page import Goal, mb, table

SPECS = {"report": "*report*", "expressions": "with a filter and three derived fields"}


class Expressions:
    def __init__(self, bench):
        self.bench = bench
        self.samples = {spec: Samples() for spec in SPECS}
        self.outputs = {}

    def run(self):
        say("expressions")
        data = self.bench.corpora.decisions(self.bench.options.rows)
        weir = self.bench.weir

        def measure(spec):
            out = tempfile.mkdtemp(dir=self.bench.work)
            try:
                measured = self.bench.runner.run(
                    weir.name, weir.command(spec, data, out, self.bench.options.workers))
                with open(f"{out}/result/series.csv", "rb") as file:
                    self.outputs[spec] = file.read()
            finally:
                shutil.rmtree(out)
            self.samples[spec].add(measured)
            return measured.wall

        for spec in SPECS:  # warm
            measure(spec)
        self.samples = {spec: Samples() for spec in SPECS}
        # The filter lets all pass. What is derived is not written, but it has to be worked out: a record
        # for which that fails is refused.
        if self.outputs["report"] != self.outputs["expressions"]:
            raise Wrong("expressions: the two specs give different series")
        # The difference is small beside the noise of a run.
        in_turns(max(9, self.bench.options.rounds), list(SPECS), measure)
        return self

    def table(self):
        plain = self.samples["report"]
        rows = [[name, f"{samples.wall:.2f}", f"{min(samples.walls):.2f} to {max(samples.walls):.2f}",
                 f"{samples.cpu:.2f}", mb(samples.peak), f"{samples.wall / plain.wall:.3f} x"]
                for name, samples in ((SPECS[spec], self.samples[spec]) for spec in SPECS)]
        return table(
            ["run", "wall s, median", "min to max", "CPU s", "peak MB", "of *report*"], rows)

    def goals(self):
        return [Goal.at_most(
            "*expressions*: a filter and three derived fields cost at most 1.10 x of *report*",
            self.samples["expressions"].wall / self.samples["report"].wall, 1.10, "{:.3f} x")]
