"""Nothing is reported before the answers are proved equal. Each check raises `Wrong`."""
import csv
import datetime
import functools
import glob
import hashlib
import json
import os
import subprocess


class Wrong(Exception):
    """An answer that is not the right one."""


@functools.cache
def expected_series(corpus):
    """(market, queue, day) -> (records, violations, sum of handle_ms), as the generator made
    them."""
    start = datetime.date.fromisoformat(corpus.truth["start"])
    expected = {}
    for series in corpus.truth["series"]:
        by_day = zip(series["records_by_day"], series["violations_by_day"],
                     series["handle_ms_by_day"])
        for day, values in enumerate(by_day):
            if values[0] > 0:
                date = (start + datetime.timedelta(days=day)).isoformat()
                expected[series["market"], series["queue"], date] = values
    return expected


def series(side, path, corpus, where=lambda key: True):
    """Joins a CSV of series with the truth on market x queue x day: the counts and the violations
    (or the rate that they make) must be equal and so must the sums of handle times, or the mean
    that they make to 1e-9."""
    wanted = {key: values for key, values in expected_series(corpus).items() if where(key)}
    seen = set()
    with open(path, newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        for row in rows:
            # Peers may call the columns what they like; their order is given.
            key = (row[0], row[1], row[2][:10])
            if key not in wanted or key in seen:
                raise Wrong(f"{side}, {os.path.basename(path)}: a row too many: {key}")
            seen.add(key)
            n, violations, handle_ms = wanted[key]
            equal(f"{side}, {os.path.basename(path)}: n of {key}", int(row[3]), n)
            if names[4] == "rate":
                near(f"{side}, {os.path.basename(path)}: rate of {key}", float(row[4]), violations / n)
            else:
                equal(f"{side}, {os.path.basename(path)}: violations of {key}", int(row[4]), violations)
            if names[5] == "handle_ms_sum":
                equal(f"{side}, {os.path.basename(path)}: handle_ms of {key}", int(row[5]), handle_ms)
            else:
                near(f"{side}, {os.path.basename(path)}: handle_ms of {key}", float(row[5]), handle_ms / n)
    equal(f"{side}, {os.path.basename(path)}: rows", len(seen), len(wanted))


def written(out):
    """The shards of records that a side wrote: one file, or a folder of them."""
    return sorted(glob.glob(f"{out}/decisions*.zst") + glob.glob(f"{out}/decisions/**/*.zst",
                                                                 recursive=True))


class Records:
    """Compares the records that the sides wrote: every field of each, in whatever order."""

    def __init__(self, tool, work):
        self.tool = tool
        self.work = work
        self.first = {}

    def check(self, side, job, out, corpus, market=None, is_unique=False):
        """What `side` wrote must be the records that the first side wrote. Their highest
        revisions must be those that the truth counts (of one market, where that is given), and
        there must be no others if they are to be unique."""
        listing, found = f"{self.work}/written.txt", f"{self.work}/written.csv"
        with open(listing, "w") as file:
            file.writelines(path + "\n" for path in written(out))
        done = subprocess.run([self.tool, found, listing], capture_output=True, text=True)
        if done.returncode != 0:
            raise Wrong(f"{side}, {job}: {done.stderr.strip()[:400]}")
        said = json.loads(done.stdout)
        series(side, found, corpus, lambda key: market in (None, key[0]))
        if is_unique:
            equal(f"{side}, {job}: records", said["records"], said["distinct"])
        facts = (said["records"], said["distinct"], said["digest"])
        first, wanted = self.first.setdefault((job, corpus.counts["unique"]), (side, facts))
        equal(f"{side}, {job}: records, events and digest beside {first}", facts, wanted)


class Tables:
    """Compares the CSV files that the sides wrote with the one of the first, by value."""

    def __init__(self):
        self.first = {}

    def check(self, side, job, path, corpus):
        with open(path, newline="") as file:
            rows = list(csv.reader(file))[1:]
        total = sum(int(row[2]) for row in rows)
        equal(f"{side}, {job}: records", total,
              corpus.counts["lines"] - corpus.counts["malformed"])
        first, wanted = self.first.setdefault((job, corpus.counts["unique"]), (side, rows))
        equal(f"{side}, {job}: rows beside {first}", len(rows), len(wanted))
        for row, right in zip(rows, wanted):
            equal(f"{side}, {job}: columns of {row[:2]}", len(row), len(right))
            for number, (text, other) in enumerate(zip(row, right)):
                same(f"{side}, {job}: column {number + 1} of {row[:2]} beside {first}", text, other)


def same(what, text, other):
    """Two cells must be the same text, the same time, or nearly the same number that is no
    integer."""
    if text == other:
        return
    try:
        equal(what, datetime.datetime.fromisoformat(text), datetime.datetime.fromisoformat(other))
    except ValueError:
        if "." not in text + other:
            raise Wrong(f"{what}: {text}, not {other}") from None
        try:
            near(what, float(text), float(other))
        except ValueError:
            raise Wrong(f"{what}: {text}, not {other}") from None


def tree(folder):
    """The SHA-256 of every file below `folder`, by path."""
    hashes = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            hashes[os.path.relpath(path, folder)] = digest
    return hashes


def equal(what, got, wanted):
    if got != wanted:
        raise Wrong(f"{what}: {got}, not {wanted}")


def near(what, got, wanted):
    if abs(got - wanted) > 1e-9 * max(1, abs(wanted)):
        raise Wrong(f"{what}: {got}, not {wanted}")
