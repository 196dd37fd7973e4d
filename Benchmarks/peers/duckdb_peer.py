"""The report as a user of DuckDB would write it.

usage: duckdb_peer.py SRC OUT report|full THREADS

Reads SRC/date=*/*.jsonl.zst, skips malformed lines, normalises market, queue and the three forms
of ts, keeps the highest revision of each event, and writes OUT/series.csv by market, queue and
day. `full` also writes the records that stay to OUT/decisions.jsonl.zst.
"""
import sys

import duckdb

RAW = """
CREATE VIEW raw AS SELECT * FROM read_json('{src}/date=*/*.jsonl.zst',
  format = 'newline_delimited', ignore_errors = true, hive_partitioning = false,
  columns = {{event_id: 'VARCHAR', content_id: 'VARCHAR', ts: 'JSON', market: 'VARCHAR',
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
  CASE WHEN json_type(ts) = 'VARCHAR' THEN (ts->>'$')::TIMESTAMPTZ
    ELSE to_timestamp(ts::BIGINT / 1000.0) END AS ts) FROM raw
"""

# max_by needs less memory than a window where not every column is wanted.
LAST_OF_REPORT = """
CREATE TEMP TABLE last AS SELECT event_id, max_by(market, revision) AS market,
  max_by(queue, revision) AS queue, max_by(ts, revision) AS ts,
  max_by(decision, revision) AS decision, max_by(handle_ms, revision) AS handle_ms
FROM clean GROUP BY event_id
"""

LAST_OF_FULL = """
CREATE TEMP TABLE last AS SELECT * FROM clean
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY revision DESC) = 1
"""

SERIES = """
COPY (SELECT market, queue, ts::DATE AS ts, count(*) AS n,
    count(*) FILTER (decision = 'violation') AS violations, avg(handle_ms) AS handle_ms
  FROM last GROUP BY ALL ORDER BY ALL) TO '{out}/series.csv' (HEADER)
"""


def main():
    if len(sys.argv) != 5 or sys.argv[3] not in ("report", "full"):
        sys.exit("usage: duckdb_peer.py SRC OUT report|full THREADS")
    src, out, mode, threads = sys.argv[1:]
    base = duckdb.connect()
    base.execute(f"SET threads = {int(threads)}")
    base.execute("SET TimeZone = 'UTC'")
    base.execute(RAW.format(src=src))
    base.execute(CLEAN)
    base.execute(LAST_OF_FULL if mode == "full" else LAST_OF_REPORT)
    if mode == "full":
        base.execute(f"COPY last TO '{out}/decisions.jsonl.zst' (FORMAT json, COMPRESSION zstd)")
    base.execute(SERIES.format(out=out))


main()
