"""The jobs as a user of DuckDB would write them.

usage: duckdb_peer.py SRC OUT report|full|filter|wide|many THREADS

Reads SRC/date=*/*.jsonl.zst and writes OUT/series.csv, OUT/decisions/*.json.zst or OUT/wide.csv,
as the README of the benchmarks says. Malformed lines are skipped.
"""
import sys

import duckdb

# Where no order is asked for none is kept: a quarter less time. `ts` has three forms, one of them a
# number: as VARCHAR it is read faster than as JSON.
RAW = """
CREATE VIEW raw AS SELECT * FROM read_json('{src}/date=*/*.jsonl.zst',
  format = 'newline_delimited', ignore_errors = true, hive_partitioning = false,
  columns = {{event_id: 'VARCHAR', content_id: 'VARCHAR', ts: 'VARCHAR', market: 'VARCHAR',
    queue: 'VARCHAR', team: 'VARCHAR', moderator_id: 'VARCHAR', policy: 'VARCHAR',
    decision: 'VARCHAR', severity: 'INT',
    model: 'STRUCT(name VARCHAR, label VARCHAR, score DOUBLE)',
    qa: 'STRUCT(label VARCHAR, reviewer VARCHAR)', appealed: 'BOOLEAN', handle_ms: 'BIGINT',
    lang: 'VARCHAR', note: 'VARCHAR', tags: 'VARCHAR[]', revision: 'INT'}})
WHERE event_id IS NOT NULL
"""

CLEAN = """
CREATE VIEW clean AS SELECT * REPLACE (
  CASE upper(trim(market)) WHEN 'UK' THEN 'GB' WHEN 'UNITED KINGDOM' THEN 'GB' WHEN 'GBR' THEN 'GB'
    WHEN 'USA' THEN 'US' WHEN 'GERMANY' THEN 'DE' ELSE upper(trim(market)) END AS market,
  replace(lower(trim(queue)), '-', '_') AS queue,
  CASE WHEN contains(ts, 'T') THEN ts::TIMESTAMPTZ ELSE make_timestamptz(ts::BIGINT * 1000) END AS ts)
FROM raw
"""

# The highest revision of each event; a window over whole records takes half as much time again.
LAST = """
CREATE TEMP TABLE last AS SELECT event_id, {columns} FROM clean GROUP BY event_id
"""
OF_REPORT = ["market", "queue", "ts", "decision", "handle_ms"]
OF_FULL = ["content_id", "ts", "market", "queue", "team", "moderator_id", "policy", "decision",
           "severity", "model", "qa", "appealed", "handle_ms", "lang", "note", "tags", "revision"]


def last(columns):
    return LAST.replace("{columns}", ", ".join(f"max_by({name}, revision) AS {name}"
                                               for name in columns))


SERIES = """
COPY (SELECT market, queue, ts::DATE AS ts, count(*) AS n,
    count(*) FILTER (decision = 'violation') AS violations, avg(handle_ms) AS handle_ms
  FROM last GROUP BY ALL ORDER BY ALL) TO '{out}/series.csv' (HEADER)
"""

# A file for each thread: one file would be compressed by one thread.
RECORDS = """
COPY ({query}) TO '{out}/decisions' (FORMAT json, COMPRESSION zstd, PER_THREAD_OUTPUT true)
"""

WIDE = """
COPY (SELECT market, queue, count(*) AS n,
    min(event_id) AS event_first, max(event_id) AS event_last,
    min(content_id) AS content_first, max(content_id) AS content_last,
    min(ts) AS ts_first, max(ts) AS ts_last,
    count(*) FILTER (team = 'inhouse-london') AS in_house,
    min(moderator_id) AS moderator_first, max(moderator_id) AS moderator_last,
    count(*) FILTER (policy <> 'none') AS with_policy,
    count(*) FILTER (decision = 'violation') AS violations, sum(severity) AS severity,
    count(*) FILTER (model.name = 'guard-3') AS guarded,
    count(*) FILTER (model.label = 'violation') AS model_violations,
    sum(model.score) AS score, max(model.score) AS score_max,
    count(qa.label) AS checked, count(*) FILTER (qa.label = decision) AS agreed,
    max(qa.reviewer) AS reviewer_last, count(*) FILTER (appealed) AS appealed,
    sum(handle_ms) AS handle_ms, min(handle_ms) AS handle_ms_min, max(handle_ms) AS handle_ms_max,
    count(*) FILTER (lang = 'en') AS english, max(note) AS note_last, count(tags) AS tagged,
    sum(revision) AS revisions
  FROM clean GROUP BY ALL ORDER BY ALL) TO '{out}/wide.csv' (HEADER)
"""

JOBS = {
    "report": [last(OF_REPORT), SERIES],
    "many": [last(OF_REPORT), SERIES],
    "full": [last(OF_FULL), RECORDS.replace("{query}", "FROM last"), SERIES],
    "filter": [RECORDS.replace("{query}", "FROM clean WHERE market = 'DE'")],
    "wide": [WIDE],
}


def main():
    if len(sys.argv) != 5 or sys.argv[3] not in JOBS:
        sys.exit(f"usage: duckdb_peer.py SRC OUT {'|'.join(JOBS)} THREADS")
    src, out, job, threads = sys.argv[1:]
    base = duckdb.connect()
    base.execute(f"SET threads = {int(threads)}")
    base.execute("SET TimeZone = 'UTC'")
    base.execute("SET preserve_insertion_order = false")
    for statement in [RAW, CLEAN, *JOBS[job]]:
        base.execute(statement.format(src=src, out=out))


main()
