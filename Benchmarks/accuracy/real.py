"""Runs Weir on real records whose events are known, and writes what it says beside them.

    python3 Benchmarks/accuracy/real.py --results Benchmarks/REALDATA.md

Sets: the flights of data-samples/ (a blizzard, storms, holidays, carriers that grow and shrink), and from
the folder of shared data (WEIR_SHARED, else ../shared or ../../shared) traffic_fines, bpi2012 and the
folders of NAB that are there. A set that is not there is left out and said so. Also: simulated reports
without any relation or difference (`weir-bench relations`), and how long 20,000 series take.
"""
import argparse
import collections
import csv
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(f"{HERE}/../..")
BIN = f"{ROOT}/.build/release"


def main():
    options = arguments()
    parts = ["# Real records\n", f"Written by `Benchmarks/accuracy/real.py` on "
             f"{datetime.date.today()}; do not edit. `make accuracy` makes it again.\n"]
    with tempfile.TemporaryDirectory() as folder:
        for make in (flights, traffic_fines, bpi2012, nab, simulations, cost):
            print(make.__name__, file=sys.stderr)
            parts.append(make(folder, options))
    text = "\n".join(parts)
    if options.results:
        with open(options.results, "w") as file:
            file.write(text)
    else:
        print(text)


# Running

def run(folder, name, spec, findings="findings.jsonl"):
    """The findings of a pipeline given as an object."""
    path = f"{folder}/{name}.json"
    with open(path, "w") as file:
        json.dump(spec, file)
    subprocess.run([f"{BIN}/weir", "run", path, "--out", f"{folder}/out-{name}", "--workspace",
                    f"{folder}/.weir", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with open(f"{folder}/out-{name}/{findings}") as file:
        return [json.loads(line) for line in file]


def pipeline(name, paths, fields, transforms):
    last = list(transforms)[-1]
    return {"name": name,
            "sources": {"in": {"type": "jsonl", "paths": paths, "fields": fields}},
            "transforms": transforms,
            "sinks": {"findings": {"type": "jsonl", "inputs": [last], "path": "findings.jsonl"}}}


def tally(findings):
    kinds = collections.Counter(f["type"] for f in findings)
    return (f"{len(findings)} findings: "
            + (", ".join(f"{n} {kind}" for kind, n in kinds.most_common()) or "none"))


def headlines(findings, most):
    return [f"- {f['level']}: {f['text']['headline']}" for f in findings[:most]]


# Flights

EVENTS = [
    ("the blizzard of 8 and 9 February", "cancellation_rate", "up", "2013-02-08", "2013-02-09"),
    ("the snow of 6 to 8 March", "cancellation_rate", "up", "2013-03-06", "2013-03-08"),
    ("the thunderstorms of 23 May", "cancellation_rate", "up", "2013-05-23", "2013-05-23"),
    ("the crash at LGA, 22 and 23 July", "cancellation_rate", "up", "2013-07-22", "2013-07-23"),
    ("the storms of 10 and 14 December", "cancellation_rate", "up", "2013-12-10", "2013-12-14"),
    ("Memorial Day weekend, 26 May", "volume", "down", "2013-05-26", "2013-05-26"),
    ("Independence Day, 4 July", "volume", "down", "2013-07-04", "2013-07-05"),
    ("Labor Day weekend, 31 August and 1 September", "volume", "down", "2013-08-31", "2013-09-01"),
    ("Thanksgiving, 28 November", "volume", "down", "2013-11-28", "2013-11-29"),
    ("Christmas, 24 and 25 December", "volume", "down", "2013-12-24", "2013-12-25"),
    ("New Year's Eve, 31 December", "volume", "down", "2013-12-31", "2013-12-31"),
]


def flights(folder, options):
    with open(f"{ROOT}/pipelines/flights.json") as file:
        spec = json.load(file)
    spec["params"]["data"]["default"] = f"{ROOT}/data-samples/flights"
    spec.pop("$schema", None)
    found = run(folder, "flights", spec)
    lines = ["## flights", "", f"336,776 flights, 50 groups and totals, 3 metrics, 2013. {tally(found)}.", "",
             "| what happened | found | the finding of most consequence |", "|---|---|---|"]
    for what, metric, direction, first, last in EVENTS:
        hits = [f for f in found if f["series"]["metric"] == metric
                and f.get("direction") == direction and f["type"] in ("spike", "dip", "burst")
                and f["window"]["from"] <= last and f["window"]["to"] >= first]
        lines.append(f"| {what} | {len(hits)} series | "
                     f"{hits[0]['text']['headline'] if hits else '**missed**'} |")
    ends = collections.Counter(
        f["window"]["to"] for f in found if f["type"] in ("spike", "burst")
        and f["series"]["metric"] == "cancellation_rate"
        and f["window"]["to"] >= "2013-02-08" and f["window"]["from"] <= "2013-02-12")
    lines.append("| its recovery: the last day out of the band | "
                 + ", ".join(f"{n} series {day}" for day, n in sorted(ends.items())) + " | |")
    gone = [f for f in found if f["series"]["metric"] == "volume"
            and f["type"] in ("trend", "shift") and f["direction"] == "down" and f["rank"]["material"]]
    lines.append(f"| carriers that shrink | {len(gone)} series | "
                 + "; ".join(f["text"]["headline"] for f in gone[:4]) + " |")
    explained = days_of(EVENTS)
    others = [f for f in found if f["type"] in ("spike", "dip", "burst") and f["rank"]["material"]
              and not any(d in explained for d in span(f["window"]["from"], f["window"]["to"]))]
    lines += ["", f"{len(others)} material findings about single days are on none of these days; "
              "the days are:", "", by_day(others)]
    data = f"{ROOT}/data-samples/flights/date=*/*.jsonl.zst"
    fields = {"local_date": "string", "market": "string", "queue": "string", "label": "string"}
    clean = {"type": "normalize", "inputs": ["in"], "fields": {"local_date": {"timestamp": ["date"]}}}
    late = {"late_rate": {"rate": "label == 'late'"}}
    pairs = run(folder, "flights-correlate", pipeline("flights-correlate", [data], fields, {
        "clean": clean,
        "it": {"type": "correlate", "inputs": ["clean"], "time": "local_date",
               "by": ["market", "queue"], "metrics": late}}))
    lines += ["", "`correlate` on late_rate, across airports and carriers: " + tally(pairs) + ".", ""]
    lines += headlines(pairs, 5)
    halves = run(folder, "flights-compare", pipeline("flights-compare", [data], fields, {
        "clean": clean,
        "it": {"type": "compare", "inputs": ["clean"], "time": "local_date", "by": ["market"],
               "segments": ["queue"], "metrics": late, "periods": [
                   {"name": "June and July", "from": "2013-06-01", "to": "2013-07-31"},
                   {"name": "September and October", "from": "2013-09-01", "to": "2013-10-31"}]}}))
    lines += ["", "`compare` of two periods: " + tally(halves) + ".", ""]
    lines += [f"- {f['text']['headline']}. {f['text']['detail']}" for f in halves[:2]]
    return "\n".join(lines) + "\n"


def span(first, last):
    day = datetime.date.fromisoformat(first)
    while day <= datetime.date.fromisoformat(last):
        yield day.isoformat()
        day += datetime.timedelta(days=1)


def days_of(events):
    return {day for _, _, _, first, last in events for day in span(first, last)}


def by_day(findings):
    days = collections.Counter()
    for f in findings:
        days[(f["window"]["from"], f["window"]["to"], f["series"]["metric"], f["direction"])] += 1
    words = [f"{a}{'' if a == b else ' to ' + b} ({metric} {direction}, {n})"
             for (a, b, metric, direction), n in sorted(days.items())]
    return "; ".join(words) + "." if words else "none."


# Event logs

def traffic_fines(folder, options):
    data = f"{options.shared}/data/decisions/traffic_fines.jsonl.zst"
    if not os.path.exists(data):
        return "## traffic_fines\n\nNot there: WEIR_SHARED leads to no data.\n"
    spec = pipeline("fines", [data], {"ts": "timestamp", "label": "string"}, {
        "it": {"type": "trend", "inputs": ["in"], "time": "ts", "bucket": "1w", "by": ["label"],
               "metrics": {"volume": {"count": True}}}})
    found = run(folder, "fines", spec)
    return "\n".join([
        "## traffic_fines", "",
        "34,724 events of 10,000 cases, 2006 to 2012, by kind of event and week. " + tally(found) + ".",
        "", *headlines(found, 20), ""])


def bpi2012(folder, options):
    data = f"{options.shared}/data/decisions/bpi2012.jsonl.zst"
    if not os.path.exists(data):
        return "## bpi2012\n\nNot there: WEIR_SHARED leads to no data.\n"
    spec = pipeline("bpi", [data], {"ts": "timestamp", "queue": "string", "label": "string"}, {
        "it": {"type": "trend", "inputs": ["in"], "time": "ts", "by": ["queue"],
               "metrics": {"volume": {"count": True},
                           "cancelled": {"rate": "label == 'A_CANCELLED'"},
                           "declined": {"rate": "label == 'A_DECLINED'"}}}})
    found = run(folder, "bpi", spec)
    return "\n".join([
        "## bpi2012", "",
        "262,200 events of a loan process, October 2011 to March 2012, by group of activities and day. "
        + tally(found) + ".", "", *headlines(found, 20), ""])


# NAB

def nab(folder, options):
    root = f"{options.shared}/data/nab"
    if not os.path.isdir(root):
        return "## NAB\n\nNot there: WEIR_SHARED leads to no data.\n"
    with open(f"{root}/labels/combined_windows.json") as file:
        labels = json.load(file)
    lines = ["## NAB", "",
             "Its points (every five minutes to every hour) as records, by day: mean and 95th percentile of the day, each file "
             "a report of its own, defaults. A window is hit where a finding has a day of it. Most files "
             "have 14 days, which is the least that lasting changes are looked for in, and no day is judged before there are eight: "
             "the files are made for detectors of points, and Weir is none.", "",
             "| folder | files | days a file | windows | hit | findings | outside of windows | false alarms a month and file |",
             "|---|---|---|---|---|---|---|---|"]
    for name in sorted(os.listdir(f"{root}/data")):
        shard = f"{folder}/nab-{name}.jsonl"
        days = collections.defaultdict(set)
        with open(shard, "w") as out:
            for file in sorted(os.listdir(f"{root}/data/{name}")):
                with open(f"{root}/data/{name}/{file}") as text:
                    for row in csv.DictReader(text):
                        days[file].add(row["timestamp"][:10])
                        out.write(json.dumps({"ts": row["timestamp"].replace(" ", "T")[:19] + "Z",
                                              "file": file, "value": float(row["value"])}) + "\n")
        # Files lie in different years: each is a report of its own.
        hit, windows, outside, total, months = 0, 0, 0, 0, 0.0
        for file in sorted(days):
            one = f"{folder}/nab-one.jsonl"
            with open(shard) as source, open(one, "w") as out:
                out.writelines(line for line in source if f'"file": "{file}"' in line)
            spec = pipeline("nab", [one], {"ts": "timestamp", "file": "string", "value": "number"}, {
                "it": {"type": "trend", "inputs": ["in"], "time": "ts", "by": ["file"],
                       "metrics": {"mean": {"mean": "value"},
                                   "p95": {"quantile": 0.95, "of": "value"}}}})
            found = [f for f in run(folder, "nab", spec)
                     if f["type"] not in ("open_bucket", "data_missing")]
            truth = [(a[:10], b[:10]) for a, b in labels.get(f"{name}/{file}", [])]
            windows += len(truth)
            # A lasting change is placed by its first day, a day by itself.
            places = [(f["anchor"]["ci_lo"], f["anchor"]["ci_hi"])
                      if f["type"] in ("shift", "trend", "season_break", "window_change")
                      else (f["window"]["from"], f["window"]["to"]) for f in found]
            hit += sum(any(a <= end and b >= start for a, b in places) for start, end in truth)
            outside += sum(not any(a <= end and b >= start for start, end in truth) for a, b in places)
            total += len(found)
            months += len(days[file]) / 30.4
        each = sorted(len(d) for d in days.values())
        lines.append(f"| {name} | {len(days)} | {each[0]} to {each[-1]} | {windows} | {hit} | {total} | "
                     f"{outside} | {outside / months:.2f} |")
    return "\n".join(lines) + "\n"


# Simulations and cost

def simulations(folder, options):
    result = subprocess.run([f"{BIN}/weir-bench", "relations", "--reports", str(options.reports),
                             "--seed", "60001"],
                            check=True, capture_output=True, text=True)
    scores = json.loads(result.stdout.splitlines()[-1])
    lines = ["## Without any relation or difference", "",
             f"{scores['reports']} simulated reports of each kind, seeds from {scores['seed']} "
             f"(`weir-bench relations`): {scores['series']} independent series of 60 to 179 days with weekdays and "
             "memory, all pairs, lags of up to 7 days; and comparisons of two halves of a series, or of two series "
             "of one law. Nothing is there to be found: the last column should be at most about 0.05.", "",
             "| memory | stage | tests | p <= 0.05 | 0.01 | 0.001 | reports with any finding |",
             "|---|---|---|---|---|---|---|"]
    for memory in ("ar_0_to_0.5", "ar_0.5_to_0.8"):
        for kind, s in scores[memory].items():
            lines.append(f"| {memory.replace('_', ' ').replace('ar', 'AR')} | {kind.replace('_', ', ')} | "
                         f"{s['tests']:,} | {s['p_0.05']:.4f} | {s['p_0.01']:.4f} | "
                         f"{s['p_0.001']:.4f} | {s['any_finding']:.3f} |")
    return "\n".join(lines) + "\n"


def cost(folder, options):
    """Processor time that the analysis of `trend` takes for 20,000 series of 180 days.

    The same file once more with every day open, so that nothing is analysed, gives the time of reading.
    """
    import random
    times = []
    for is_complete in (True, False):
        source = random.Random(1)
        path = f"{folder}/many.jsonl"
        with open(path, "w") as out:
            for i in range(20_000):
                level = source.uniform(5, 200)
                k = [max(0, round(source.gauss(level, level ** 0.5))) for _ in range(180)]
                out.write(json.dumps({"id": str(i), "kind": "count", "k": k,
                                      "complete": [is_complete] * 180, "truth": []}) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([f"{BIN}/weir-bench", "accuracy", "--series", path, "--report-size", "20000",
                        "--json"], check=True, stdout=subprocess.DEVNULL)
        times.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    used = times[0] - times[1]
    return "\n".join([
        "## Cost", "",
        f"20,000 series of 180 days, counts: {used:.1f} s of processor time "
        f"({used / 20:.2f} ms a series, on one processor; reading them, {times[1]:.1f} s, left out), "
        f"so about {used / 2:.1f} s on two, which the stage uses.", ""])


def arguments():
    beside = [f"{ROOT}/../shared", f"{ROOT}/../../shared"]
    shared = os.environ.get("WEIR_SHARED") or next(
        (p for p in map(os.path.normpath, beside) if os.path.isdir(p)), os.path.normpath(beside[0]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", default=shared)
    parser.add_argument("--reports", type=int, default=400, help="simulated reports of each kind")
    parser.add_argument("--results", help="a Markdown file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
