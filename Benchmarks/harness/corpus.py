"""The data that is measured on: made once by `weir-bench generate`, and kept in the cache."""
import functools
import glob
import hashlib
import json
import os
import shutil
import subprocess

from .measure import say
from .tools import ROOT, hash_of

# 16 days in 16 shards; day 0 is fixed so that nothing depends on today.
DECISIONS = "--rows {rows} --days 16 --shards 16 --start 2026-09-27 --seed 7 --level 3"
CLEAN = DECISIONS + " --malformed 0"
# Ten thousand shards of one to four KB, twenty thousand series of about ten records.
MANY = "--rows 200000 --days 4 --shards 10000 --series 20000 --start 2026-09-27 --seed 7 --level 3"
MANY_CLEAN = MANY + " --malformed 0"
# A shard a night for sixty nights.
NIGHTS = "--rows {rows} --days 60 --shards 60 --start 2026-09-27 --seed 7 --level 3"
# One shard of a few records: what is left is starting and ending.
ONE = "--rows 100 --days 1 --shards 1 --start 2026-09-27 --seed 7 --level 3"


class Corpus:
    """Shards in a folder, with the truth about them that the generator wrote."""

    def __init__(self, path, arguments):
        self.path = path
        self.arguments = arguments
        self.shards = sorted(glob.glob(f"{path}/date=*/*.jsonl.zst"))

    @functools.cached_property
    def truth(self):
        with open(f"{self.path}/truth.json") as file:
            return json.load(file)

    @property
    def counts(self):
        return self.truth["counts"]

    @functools.cached_property
    def compressed_bytes(self):
        return sum(os.path.getsize(path) for path in self.shards)

    def write_list(self, path):
        """The shards, one a line: what the probe reads."""
        with open(path, "w") as file:
            file.writelines(shard + "\n" for shard in self.shards)
        return path


class Corpora:
    def __init__(self, tools, cache):
        self.generator = tools.generator
        self.cache = cache
        sources = f"{ROOT}/Sources/weir-bench"
        # What a new generator makes is new data.
        self.key = hash_of([f"{sources}/GenerateCommand.swift", f"{sources}/ZstdFile.swift",
                            *sorted(glob.glob(f"{sources}/Generator/*.swift"))])

    @functools.cache
    def get(self, arguments):
        """The corpus that these arguments of `weir-bench generate` make."""
        digest = hashlib.sha256(f"{self.key} {arguments}".encode()).hexdigest()[:16]
        rows = arguments.split()[1]
        path = f"{self.cache}/decisions-{rows}-{digest}"
        if not os.path.exists(f"{path}/truth.json"):
            say(f"generating {int(rows):,} records")
            shutil.rmtree(f"{path}.part", ignore_errors=True)
            subprocess.run([self.generator, "generate", f"{path}.part", *arguments.split()],
                           check=True, stdout=subprocess.DEVNULL)
            os.rename(f"{path}.part", path)
        return Corpus(path, arguments)

    def decisions(self, rows):
        return self.get(DECISIONS.format(rows=rows))
