"""The cost curve: how time grows with rows, and how it falls with a second worker."""
import shutil
import statistics
import tempfile

from . import checks
from .jobs import JOBS, sum_of
from .measure import Samples, in_turns, say
from .page import Goal, mb, table

NAMES = ("report", "full")
# A speed-up is the quotient of two times: it takes more rounds than they do. Not of ten times the rows,
# which take ten times as long and are steadier.
ROUNDS_MIN = 9


class Curve:
    def __init__(self, bench):
        self.bench = bench
        self.rows = bench.options.curve
        self.workers = sorted({1, bench.options.workers})
        # (rows, workers, job) -> samples of the limit and of Weir.
        self.limit = {}
        self.weir = {}
        self.limits = {job.name: job.limit for job in JOBS if job.name in NAMES}

    def run(self):
        for rows in self.rows:
            say(f"cost curve: {rows:,} records")
            self.measure(rows)
        return self

    def measure(self, rows):
        data = self.bench.corpora.decisions(rows)
        listing = data.write_list(f"{self.bench.work}/curve.txt")
        folder = f"{self.bench.work}/curve-text"
        pieces = self.split(data, folder)
        seconds = {}
        for workers in self.workers:
            for job in NAMES:
                self.limit[rows, workers, job] = Samples()
                self.weir[rows, workers, job] = Samples()

        def probe(workers):
            parts = {mode: self.bench.probe.measure(mode, path, workers)[0]
                     for mode, path in (("dom", listing), ("pack", pieces))}
            for job, limit in self.limits.items():
                self.limit[rows, workers, job].add(
                    sum_of([(parts[mode], times) for mode, times in limit.items()]))
            return self.limit[rows, workers, "full"].walls[-1]

        def weir(workers, job):
            measured = self.weir_once(job, data, workers)
            self.weir[rows, workers, job].add(measured)
            return measured.wall

        for workers in self.workers:
            threads = f"on {workers}"
            seconds[f"limit {threads}"] = lambda workers=workers: probe(workers)
            for job in NAMES:
                seconds[f"{job} {threads}"] = lambda workers=workers, job=job: weir(workers, job)
        options = self.bench.options
        rounds = options.rounds if rows > options.rows else max(options.rounds, ROUNDS_MIN)
        in_turns(rounds, list(seconds), lambda side: seconds[side]())
        shutil.rmtree(folder)

    def split(self, data, folder):
        """The text that Weir writes of `data`, in pieces for the probe; also warms everything
        up."""
        out = tempfile.mkdtemp(dir=self.bench.work)
        weir = self.bench.weir
        self.bench.runner.run(weir.name, weir.command("full", data, out, self.workers[-1]))
        pieces = self.bench.probe.split(checks.written(weir.result(out)), folder)
        shutil.rmtree(out)
        return pieces

    def weir_once(self, job, data, workers):
        out = tempfile.mkdtemp(dir=self.bench.work)
        try:
            weir = self.bench.weir
            measured = self.bench.runner.run(weir.name, weir.command(job, data, out, workers))
            self.bench.checker.check(weir.name, job, weir.result(out), data)
        finally:
            shutil.rmtree(out)
        return measured

    def table(self):
        rows = []
        for count in self.rows:
            lines = self.bench.corpora.decisions(count).counts["lines"]
            for workers in self.workers:
                row = [f"{count:,}", str(workers)]
                for job in NAMES:
                    limit = self.limit[count, workers, job].wall
                    weir = self.weir[count, workers, job]
                    row += [f"{limit:.2f}", f"{weir.wall:.2f}", f"{weir.wall / limit:.2f} x",
                            f"{weir.wall * workers / lines * 1e9:.0f}", mb(weir.peak)]
                rows.append(row)
        head = ["records", "workers"]
        for job in NAMES:
            head += [f"limit of *{job}*, s", f"*{job}*, s", "of the limit",
                     "ns a line and worker", "peak MB"]
        return table(head, rows) + "\n" + self.scaling_table()

    def scaling_table(self):
        if len(self.workers) < 2:
            return ""
        rows = []
        for count in self.rows:
            for job in NAMES:
                limit, weir = self.speedups(count, job)
                rows.append([f"{count:,}", f"*{job}*", f"{statistics.median(limit):.2f} x",
                             f"{statistics.median(weir):.2f} x", f"{quotient(weir, limit):.2f}"])
        return ("Speed-ups of the rounds, each of times of one round; medians.\n\n"
                + table(["records", "job", f"the limit from 1 to {self.workers[-1]} threads",
                         "Weir", "Weir of the limit"], rows))

    def speedups(self, rows, job):
        """From one worker to all, in each round: the limit's and Weir's."""
        return [[one / all_ for one, all_ in zip(samples[rows, 1, job].walls,
                                                 samples[rows, self.workers[-1], job].walls)]
                for samples in (self.limit, self.weir)]

    def goals(self):
        goals = []
        most = self.workers[-1]
        rows = self.bench.options.rows
        if most > 1:
            for job in NAMES:
                limit, weir = self.speedups(rows, job)
                goals.append(Goal.at_least(
                    f"*{job}* scales from 1 to {most} workers at least 0.95 times as the limit does",
                    quotient(weir, limit), 0.95, "{:.2f} x"))
        for job in NAMES:
            text = f"*{job}*: {10 * rows:,} records cost at most 10.5 x of {rows:,}"
            if 10 * rows in self.rows:
                growth = self.weir[10 * rows, most, job].wall / self.weir[rows, most, job].wall
                goals.append(Goal.at_most(text, growth, 10.5, "{:.2f} x"))
            else:
                goals.append(Goal(text, "`--full` does", None))
        return goals


def quotient(weir, limit):
    """Of the speed-ups, round by round: a host that is slow for a while is so for both."""
    return statistics.median(mine / theirs for mine, theirs in zip(weir, limit))
