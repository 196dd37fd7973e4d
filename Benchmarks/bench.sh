#!/bin/sh
# Measures Weir beside DuckDB and the limit of the machine; `make bench` calls it.
#
# usage: Benchmarks/bench.sh [WEIR_BINARY|none] [options of run.py, such as --rounds 9]
#
#   WEIR_BENCH_CACHE  where data, DuckDB and the probe are kept (default ~/.cache/weir-bench)
#   WEIR_BENCH_ROWS   unique records (default 2000000)
#   WEIR_BENCH_TOOL   the weir-bench binary (default .build/release/weir-bench)
#   WEIR_BENCH_PEER   duckdb (default), or none where PyPI cannot be reached
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
weir=${1:-$root/.build/release/weir}
[ $# -gt 0 ] && shift
cache=${WEIR_BENCH_CACHE:-$HOME/.cache/weir-bench}
rows=${WEIR_BENCH_ROWS:-2000000}
tool=${WEIR_BENCH_TOOL:-$root/.build/release/weir-bench}
peer=${WEIR_BENCH_PEER:-duckdb}
duckdb=2.0.0

need() {
  if [ ! -x "$1" ]; then
    echo "bench.sh: $1 is not there; build it with: swift build -c release" >&2
    exit 1
  fi
}
need "$tool"
if [ "$weir" = none ]; then
  echo "bench.sh: measuring without Weir, as asked" >&2
else
  need "$weir"
  set -- --weir "$weir" "$@"
fi
mkdir -p "$cache"

# The data, once for these arguments and this generator; what an older generator made goes.
arguments="--rows $rows --days 16 --shards 16 --start 2026-09-27 --seed 7 --level 3"
key=$(echo "$arguments" | cat - "$root"/Sources/weir-bench/*.swift \
  "$root"/Sources/weir-bench/Generator/*.swift | sha256sum | cut -c 1-16)
data=$cache/decisions-$rows-$key
if [ ! -e "$data/truth.json" ]; then
  rm -rf "$cache/decisions-$rows-"*
  # shellcheck disable=SC2086
  "$tool" generate "$data.part" $arguments >&2
  mv "$data.part" "$data"
fi

if [ ! -x "$cache/limit" ] || [ "$here/limit.cpp" -nt "$cache/limit" ]; then
  "${CXX:-g++}" -O3 -std=c++17 -o "$cache/limit.part" "$here/limit.cpp" -lzstd -lsimdjson -lpthread
  mv "$cache/limit.part" "$cache/limit"
fi

if [ "$peer" = none ]; then
  echo "bench.sh: measuring without DuckDB, as asked" >&2
else
  venv=$cache/duckdb-$duckdb
  if ! "$venv/bin/python" -c 'import duckdb' 2>/dev/null; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "duckdb==$duckdb"
  fi
  set -- --duckdb-python "$venv/bin/python" "$@"
fi

# RESULTS.md is for whole comparisons; `--results FILE` writes any.
if [ "$weir" != none ] && [ "$peer" != none ]; then
  set -- --results "$here/RESULTS.md" "$@"
fi
exec python3 "$here/run.py" --data "$data" --limit "$cache/limit" \
  --generated-by "weir-bench generate DIR $arguments" "$@"
