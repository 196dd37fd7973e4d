#!/usr/bin/env python3
"""Measure how right the findings of the `trend` stage are, beside what others do by default.

Makes labelled series with the public generator from seeds that are named, scores Weir with
`weir-bench accuracy` and the baselines with the same rules, and writes a page. Needs PyPI once.
"""
import argparse
import datetime
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What must hold; the baselines are there to be compared with.
GOALS = {"series_fdr": 0.05, "fdp_lenient": 0.08, "recall_strict": 0.85,
         "null": 0.07, "strong": 0.10}


def main():
    options = arguments()
    if sys.prefix == sys.base_prefix:
        python = environment(options.cache)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    generator = load_generator(options.generator)
    mixed = [made(options, generator, "mixed", seed, options.series) for seed in options.seeds]
    null = [made(options, generator, "null", seed, 120) for seed in options.null_seeds]
    strong = [made(options, generator, "strong", seed, 120) for seed in options.strong_seeds]
    weir = {"mixed": score_weir(options, mixed), "null": score_weir(options, null),
            "strong": score_weir(options, strong)}
    if options.public:
        weir["public"] = score_weir(options, [options.public])
    weir["records"] = score_records(options)
    others = score_baselines(mixed) if options.baselines else {}
    text = page(options, weir, others)
    print(text)
    if options.results:
        with open(options.results, "w") as file:
            file.write(text)


# The data

MAKERS = {
    "mixed": lambda generator, seed, count: generator.make(seed, count),
    "null": lambda generator, seed, count: generator.make(seed, count, null_share=1.0),
    "strong": lambda generator, seed, count: generator.make(
        seed, count, null_share=1.0, phi_lo=0.5, phi_hi=0.8),
}


def load_generator(path):
    if not os.path.exists(path):
        sys.exit(f"run.py: the generator of labelled series is not at {path}; name it with "
                 "--generator")
    spec = importlib.util.spec_from_file_location("generator", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(options, generator, kind, seed, count):
    """Path of a file of series, made once."""
    folder = f"{options.cache}/{hash_of(options.generator)}"
    path = f"{folder}/{kind}-{seed}-{count}.jsonl"
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        series = MAKERS[kind](generator, seed, count)
        with open(f"{path}.part", "w") as file:
            file.writelines(json.dumps(one) + "\n" for one in series)
        os.rename(f"{path}.part", path)
    return path


# The scores

def score_weir(options, files):
    return score(options, "--series", *files)


def score_records(options):
    """Changes planted in shards, found by a run of the whole pipeline."""
    return score(options, "--records", "--seed", options.records_seed, "--reports",
                 options.records_reports, "--null-reports", options.records_null_reports)


def score(options, *arguments):
    command = [options.weir_bench, "accuracy", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"run.py: {' '.join(command[:3])} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def score_baselines(files):
    from baselines import BASELINES
    from scoring import Score
    scores = {name: Score() for name in BASELINES}
    for path in files:
        with open(path) as file:
            series = [json.loads(line) for line in file]
        for name, run in BASELINES.items():
            start = time.perf_counter()
            found = [run(one) for one in series]
            scores[name].seconds += time.perf_counter() - start
            for one, said in zip(series, found):
                scores[name].add(one, said)
    return {name: score.result() for name, score in scores.items()}


# The page

TYPES = ["trend", "shift", "spike", "dip", "season_break"]


def page(options, weir, others):
    mixed = weir["mixed"]
    goals = [
        ("series-FDR", mixed["series_fdr"], "at most", GOALS["series_fdr"]),
        ("findings that are wrong (lenient)", mixed["fdp_lenient"], "at most",
         GOALS["fdp_lenient"]),
        ("detectable changes found (strict)", mixed["recall_strict"], "at least",
         GOALS["recall_strict"]),
        (f"{weir['null']['all_null_reports']} reports of 120 series without a change: any finding",
         weir["null"]["all_null_any"], "at most", GOALS["null"]),
        (f"{weir['strong']['all_null_reports']} of them with AR(0.5 to 0.8) noise: any finding",
         weir["strong"]["all_null_any"], "at most", GOALS["strong"]),
    ]
    lines = [
        "# Accuracy of the trend analysis", "",
        f"Written by `Benchmarks/accuracy/run.py` on {datetime.date.today()}; do not edit. "
        "`make accuracy` makes it again; [accuracy/README.md](accuracy/README.md) says what is "
        "measured and how.", "",
        f"{len(options.seeds)} x {options.series} labelled series, seeds {names(options.seeds)}:",
        "", "| | measured | goal | |", "|---|---|---|---|"]
    for what, value, side, goal in goals:
        met = value <= goal if side == "at most" else value >= goal
        lines.append(f"| {what} | {value:.3f} | {side} {goal} | {'met' if met else '**missed**'} |")
    lines += ["", "## Beside others", "",
              "Detectable: somebody who knows place, type and noise would see five standard errors. "
              "FDP: share of the findings that are wrong.", "",
              "| | findings | series-FDR | FDP lenient | FDP strict | recall lenient | recall strict"
              " | trend / shift / spike / dip / season | ms a series |",
              "|---|---|---|---|---|---|---|---|---|"]
    for name, score in [("**Weir**", mixed), *others.items()]:
        lines.append(row(name, score))
    if "public" in weir:
        lines += ["", "Weir on the public set of 700 series:", "", *lines_of_table(weir["public"])]
    lines += ["", "## From records", "", *records_lines(options, weir["records"])]
    lines += ["", "## Without any change", "",
              "Share of the series whose p is at most 0.05, 0.01 and 0.001 (p of a series: Simes "
              "over its hypotheses).", "",
              "| | seeds | any finding in a report | 0.05 | 0.01 | 0.001 |", "|---|---|---|---|---|---|"]
    for name, key, seeds in [("AR(0 to 0.5)", "null", options.null_seeds),
                             ("AR(0.5 to 0.8)", "strong", options.strong_seeds)]:
        score = weir[key]
        shares = " | ".join(f"{score['null_p'][level]:.4f}" for level in ("0.05", "0.01", "0.001"))
        lines.append(f"| {name} | {names(seeds)} | {score['all_null_any']:.3f} of "
                     f"{score['all_null_reports']} | {shares} |")
    lines += ["", "## The run", "", versions(options), ""]
    return "\n".join(lines)


def records_lines(options, score):
    first, last = options.records_seed, options.records_seed + options.records_reports - 1
    return [
        f"{options.records_reports} reports of 288 series (seeds {first}-{last}): changes planted in 400,000 "
        "decisions over 84 days in shards by day, with spellings, duplicates, revisions and damaged "
        "lines; `normalize`, `dedupe`, `trend`, findings read back from the output. The noise is that of "
        "counting alone, so this says that the whole way works and less about the statistics. "
        "Milliseconds a series are those of the whole run.", "",
        *lines_of_table(score, "records"), "",
        f"Of {score['all_null_reports']} more in which nothing was planted "
        f"{score['all_null_any']:.3f} say anything, of any series or total."]


def lines_of_table(score, name="public"):
    return ["| | findings | series-FDR | FDP lenient | FDP strict | recall lenient | recall strict"
            " | trend / shift / spike / dip / season | ms a series |",
            "|---|---|---|---|---|---|---|---|---|", row(name, score)]


def row(name, score):
    by_type = " / ".join(
        f"{score['recall_by_type'][kind]['strict'] or 0:.2f}" if kind in score["recall_by_type"]
        else "-" for kind in TYPES)
    return (f"| {name} | {score['findings']:,} | {score['series_fdr']:.3f} | "
            f"{score['fdp_lenient']:.3f} | {score['fdp_strict']:.3f} | "
            f"{score['recall_lenient']:.3f} | {score['recall_strict']:.3f} | {by_type} | "
            f"{score['ms_per_series']:.2f} |")


def versions(options):
    import numpy
    import pymannkendall
    import ruptures
    import scipy
    import statsmodels
    weir = subprocess.run([options.weir, "--version"], capture_output=True, text=True)
    return ("Weir " + weir.stdout.strip().removeprefix("weir ") + f"; generator {hash_of(options.generator)} (SHA-256, first 16 "
            f"digits); Python {platform.python_version()}, numpy {numpy.__version__}, scipy "
            f"{scipy.__version__}, statsmodels {statsmodels.__version__}, pymannkendall "
            f"{pymannkendall.__version__}, ruptures {ruptures.__version__}.")


def names(seeds):
    """1-5, 9"""
    parts = []
    for seed in seeds:
        if parts and parts[-1][1] == seed - 1:
            parts[-1][1] = seed
        else:
            parts.append([seed, seed])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


# The surroundings

def environment(cache):
    """The Python of a virtual environment with the baselines, made once for their versions."""
    wanted = f"{HERE}/requirements.txt"
    venv = f"{cache}/python-{hash_of(wanted)}"
    if not os.path.exists(f"{venv}/ready"):
        print("installing the baselines from PyPI", file=sys.stderr)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([f"{venv}/bin/python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", "--requirement", wanted], check=True)
        with open(f"{venv}/ready", "w"):
            pass
    return f"{venv}/bin/python"


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def seeds(text):
    """"1-5,9" as a list."""
    result = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        result += range(int(first), int(last or first) + 1)
    return result


def arguments():
    # Beside the checkout, or beside the folder that it lies in.
    beside = [f"{ROOT}/../shared", f"{ROOT}/../../shared"]
    shared = os.environ.get("WEIR_SHARED") or next(
        (path for path in map(os.path.normpath, beside) if os.path.isdir(path)),
        os.path.normpath(beside[0]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", default=f"{shared}/vectors/gen_synth.py",
                        help="the generator of labelled series: a Python file with make(seed, count)")
    parser.add_argument("--public", default=f"{shared}/vectors/public/synth_series.jsonl",
                        help="a set to report on its own; none for none")
    parser.add_argument("--weir-bench", default=f"{ROOT}/.build/release/weir-bench")
    parser.add_argument("--weir", default=f"{ROOT}/.build/release/weir")
    parser.add_argument("--seeds", type=seeds, default=seeds("9101-9105"))
    parser.add_argument("--series", type=int, default=700, help="series of each seed")
    parser.add_argument("--null-seeds", type=seeds, default=seeds("20001-20400"))
    parser.add_argument("--strong-seeds", type=seeds, default=seeds("30001-30400"))
    parser.add_argument("--records-seed", type=int, default=40001)
    parser.add_argument("--records-reports", type=int, default=10)
    parser.add_argument("--records-null-reports", type=int, default=100)
    parser.add_argument("--no-baselines", dest="baselines", action="store_false")
    parser.add_argument("--results", help="a Markdown file to write")
    parser.add_argument("--cache", default=os.environ.get(
        "WEIR_ACCURACY_CACHE", os.path.expanduser("~/.cache/weir-accuracy")),
        help="where series and the baselines are kept")
    options = parser.parse_args()
    for path in (options.weir_bench, options.weir):
        if not os.access(path, os.X_OK):
            parser.error(f"{path} is not there; build it with: make build")
    options.generator = os.path.abspath(options.generator)
    options.cache = os.path.abspath(options.cache)
    if options.public == "none" or not os.path.exists(options.public):
        options.public = None
    os.makedirs(options.cache, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
