"""The jobs as a user of ClickHouse would write them, in chDB.

usage: chdb_peer.py SRC OUT report|full|filter|wide|many THREADS

Reads SRC/date=*/*.jsonl.zst and writes OUT/series.csv, OUT/decisions.jsonl.zst or OUT/wide.csv, as
the README of the benchmarks says.

`input_format_allow_errors_num` passes over malformed lines, but not exactly: behind a line that is cut
off the next one is lost too, and a line that is not UTF-8 is taken.
"""
import sys

from chdb import session

# Columns of LowCardinality were tried: a third slower.
COLUMNS = """event_id String, content_id String, ts String, market String, queue String, team String,
  moderator_id String, policy String, decision String, severity Int32,
  model Tuple(name String, label String, score Float64),
  qa Tuple(label Nullable(String), reviewer Nullable(String)), appealed Bool, handle_ms Int64,
  lang String, note String, tags Array(String), revision Int32"""

SETTINGS = """SETTINGS max_threads = {threads}, input_format_allow_errors_num = 100000000,
  input_format_allow_errors_ratio = 1, input_format_skip_unknown_fields = 1,
  input_format_json_read_numbers_as_strings = 1, input_format_null_as_default = 1,
  date_time_output_format = 'iso', format_csv_null_representation = '',
  output_format_json_quote_64bit_integers = 0"""

CLEAN = """SELECT * REPLACE (
    transform(upper(trim(market)), ['UK', 'UNITED KINGDOM', 'GBR', 'USA', 'GERMANY'],
      ['GB', 'GB', 'GB', 'US', 'DE'], upper(trim(market))) AS market,
    replaceAll(lower(trim(queue)), '-', '_') AS queue,
    if(position(ts, 'T') = 0, fromUnixTimestamp64Milli(toInt64OrZero(ts), 'UTC'),
      parseDateTime64BestEffortOrZero(ts, 3, 'UTC')) AS ts)
  FROM file('{src}/date=*/*.jsonl.zst', 'JSONEachRow', '{columns}') WHERE event_id != ''"""

LAST_OF_REPORT = """SELECT argMax(market, revision) AS market, argMax(queue, revision) AS queue,
    argMax(ts, revision) AS ts, argMax(decision, revision) AS decision,
    argMax(handle_ms, revision) AS handle_ms
  FROM ({clean}) GROUP BY event_id"""

LAST_OF_FULL = """CREATE TABLE weir.last ENGINE = Memory AS
  SELECT * FROM ({clean}) ORDER BY revision DESC LIMIT 1 BY event_id {settings}"""

SERIES = """SELECT market, queue, toDate(ts) AS day, count() AS n,
    countIf(decision = 'violation') AS violations, avg(handle_ms) AS mean
  FROM ({query}) GROUP BY market, queue, day ORDER BY market, queue, day"""

WIDE = """SELECT market, queue, count() AS n,
    min(event_id) AS event_first, max(event_id) AS event_last,
    min(content_id) AS content_first, max(content_id) AS content_last,
    min(ts) AS ts_first, max(ts) AS ts_last,
    countIf(team = 'inhouse-london') AS in_house,
    min(moderator_id) AS moderator_first, max(moderator_id) AS moderator_last,
    countIf(policy != 'none') AS with_policy, countIf(decision = 'violation') AS violations,
    sum(severity) AS severity_sum, countIf(model.name = 'guard-3') AS guarded,
    countIf(model.label = 'violation') AS model_violations,
    sum(model.score) AS score, max(model.score) AS score_max,
    count(qa.label) AS checked, countIf(qa.label = decision) AS agreed,
    max(qa.reviewer) AS reviewer_last, countIf(appealed) AS appealed_count,
    sum(handle_ms) AS handle_ms_sum, min(handle_ms) AS handle_ms_min,
    max(handle_ms) AS handle_ms_max, countIf(lang = 'en') AS english, max(note) AS note_last,
    count(tags) AS tagged, sum(revision) AS revisions
  FROM ({clean}) GROUP BY market, queue ORDER BY market, queue"""


def csv(query, path):
    return f"{query} INTO OUTFILE '{{out}}/{path}' FORMAT CSVWithNames {{settings}}"


def records(query):
    return (f"{query} INTO OUTFILE '{{out}}/decisions.jsonl.zst' COMPRESSION 'zstd' LEVEL 3 "
            "FORMAT JSONEachRow {settings}")


JOBS = {
    "report": [csv(SERIES.replace("{query}", LAST_OF_REPORT), "series.csv")],
    "full": ["CREATE DATABASE weir ENGINE = Atomic", LAST_OF_FULL, records("SELECT * FROM weir.last"),
             csv(SERIES.replace("({query})", "weir.last"), "series.csv")],
    "filter": [records("SELECT * FROM ({clean}) WHERE market = 'DE'")],
    "wide": [csv(WIDE, "wide.csv")],
}
JOBS["many"] = JOBS["report"]


def main():
    if len(sys.argv) != 5 or sys.argv[3] not in JOBS:
        sys.exit(f"usage: chdb_peer.py SRC OUT {'|'.join(JOBS)} THREADS")
    src, out, job, threads = sys.argv[1:]
    clean = CLEAN.format(src=src, columns=COLUMNS)
    settings = SETTINGS.format(threads=int(threads))
    with session.Session() as base:
        for statement in JOBS[job]:
            base.query(statement.format(clean=clean, settings=settings, out=out))


main()
