"""Who is measured: the limit probe, the peers, and Weir. A side says how it is called."""
import glob
import json
import os
import subprocess

from .measure import Measured
from .tools import BENCHMARKS, output

PEERS = {"duckdb": "DuckDB", "chdb": "ClickHouse (chDB)", "polars": "Polars"}


class Probe:
    """The limit: `limit.cpp` in one of its modes."""

    def __init__(self, tools, runner):
        self.tools = tools
        self.runner = runner

    def measure(self, mode, listing, workers):
        """Returns what was measured and what the probe said. For `pack` wall and CPU are those of
        the compressor alone."""
        measured = self.runner.run(f"limit {mode}", [self.tools.limit, mode, str(workers), listing])
        said = json.loads(measured.stdout)
        if mode == "pack":
            measured = Measured(said["pack_wall"], said["pack_cpu"], measured.peak)
        return measured, said

    def split(self, shards, folder, pieces=16):
        """Cuts what somebody wrote into shards of the same size, to be packed again. Returns the
        list of them."""
        os.makedirs(folder)
        whole = f"{folder}/whole.txt"
        with open(whole, "w") as file:
            file.writelines(path + "\n" for path in shards)
        subprocess.run([self.tools.limit, "split", str(pieces), folder, whole], check=True,
                       stdout=subprocess.DEVNULL)
        listing = f"{folder}/pieces.txt"
        with open(listing, "w") as file:
            file.writelines(path + "\n" for path in sorted(glob.glob(f"{folder}/part-*.zst")))
        return listing

    def version(self):
        return output([self.tools.limit, "--version"])


class Peer:
    """A script in peers/, as a user of that engine would write it."""

    def __init__(self, tools, key):
        self.python = tools.python
        self.key = key
        self.name = PEERS[key]
        self.script = f"{BENCHMARKS}/peers/{key}_peer.py"

    def command(self, job, corpus, out, workers):
        return [self.python, self.script, corpus.path, out, job, str(workers)]

    def result(self, out):
        """Where its outputs are."""
        return out

    def version(self):
        return f"{self.name} " + output(
            [self.python, "-c", f"import {self.key}; print({self.key}.__version__)"])


class Weir:
    """`weir run` with a new output and a new workspace each time: nothing is remembered."""

    name = "Weir"

    def __init__(self, tools):
        self.binary = tools.weir

    def command(self, job, corpus, out, workers, *more):
        return [self.binary, "run", f"{BENCHMARKS}/{job}.json", "--param", f"data={corpus.path}",
                "--out", f"{out}/result", "--workspace", f"{out}/workspace", "--workers",
                str(workers), "--quiet", *more]

    def result(self, out):
        return f"{out}/result"

    def can(self, option):
        """Whether this build knows an option of `weir run`."""
        return option in output([self.binary, "run", "--help"])

    def version(self):
        return f"Weir {output([self.binary, '--version'])}"
