"""The jobs as a user of Polars would write them.

usage: polars_peer.py SRC OUT report|full|filter|wide|many THREADS

Reads SRC/date=*/*.jsonl.zst and writes OUT/series.csv, OUT/decisions.jsonl.zst or OUT/wide.csv, as
the README of the benchmarks says. Polars 2.1.0 stops at a malformed line, `ignore_errors` or not.
"""
import glob
import os
import sys

if len(sys.argv) != 5 or sys.argv[3] not in ("report", "full", "filter", "wide", "many"):
    sys.exit("usage: polars_peer.py SRC OUT report|full|filter|wide|many THREADS")
os.environ["POLARS_MAX_THREADS"] = str(int(sys.argv[4]))  # read when Polars is imported

import polars as pl  # noqa: E402

SCHEMA = {
    "event_id": pl.String, "content_id": pl.String, "ts": pl.String, "market": pl.String,
    "queue": pl.String, "team": pl.String, "moderator_id": pl.String, "policy": pl.String,
    "decision": pl.String, "severity": pl.Int64,
    "model": pl.Struct({"name": pl.String, "label": pl.String, "score": pl.Float64}),
    "qa": pl.Struct({"label": pl.String, "reviewer": pl.String}), "appealed": pl.Boolean,
    "handle_ms": pl.Int64, "lang": pl.String, "note": pl.String, "tags": pl.List(pl.String),
    "revision": pl.Int64,
}
MARKETS = {"UK": "GB", "UNITED KINGDOM": "GB", "GBR": "GB", "USA": "US", "GERMANY": "DE"}


def clean(src):
    frame = pl.scan_ndjson(sorted(glob.glob(f"{src}/date=*/*.jsonl.zst")), schema=SCHEMA,
                           ignore_errors=True).filter(pl.col("event_id").is_not_null())
    ts = pl.col("ts")
    return frame.with_columns(
        market=pl.col("market").str.strip_chars().str.to_uppercase().replace(MARKETS),
        queue=pl.col("queue").str.strip_chars().str.to_lowercase()
        .str.replace_all("-", "_", literal=True),
        ts=pl.coalesce(
            ts.str.to_datetime("%+", strict=False, time_zone="UTC"),
            pl.from_epoch(ts.cast(pl.Int64, strict=False), time_unit="ms")
            .dt.replace_time_zone("UTC")))


def last(frame, *columns):
    """The highest revision of each event."""
    return frame.group_by("event_id").agg(pl.struct(columns).max_by("revision").alias("last")) \
        .unnest("last")


def write_series(frame, out):
    frame.group_by("market", "queue", pl.col("ts").dt.date()).agg(
        n=pl.len(), violations=(pl.col("decision") == "violation").sum(),
        handle_ms=pl.col("handle_ms").mean(),
    ).sort("market", "queue", "ts").sink_csv(f"{out}/series.csv", engine="streaming")


def write_records(frame, out):
    frame.sink_ndjson(f"{out}/decisions.jsonl.zst", compression="zstd", compression_level=3,
                      maintain_order=False, engine="streaming")


def write_wide(frame, out):
    def count(condition):
        return condition.sum()

    def ends(column, name):
        return {f"{name}_first": pl.col(column).min(), f"{name}_last": pl.col(column).max()}

    col, model, qa = pl.col, pl.col("model").struct.field, pl.col("qa").struct.field
    frame.group_by("market", "queue").agg(
        n=pl.len(), **ends("event_id", "event"), **ends("content_id", "content"),
        **ends("ts", "ts"), in_house=count(col("team") == "inhouse-london"),
        **ends("moderator_id", "moderator"), with_policy=count(col("policy") != "none"),
        violations=count(col("decision") == "violation"), severity=col("severity").sum(),
        guarded=count(model("name") == "guard-3"),
        model_violations=count(model("label") == "violation"), score=model("score").sum(),
        score_max=model("score").max(), checked=qa("label").count(),
        agreed=count(qa("label") == col("decision")), reviewer_last=qa("reviewer").max(),
        appealed=col("appealed").sum(), handle_ms=col("handle_ms").sum(),
        handle_ms_min=col("handle_ms").min(), handle_ms_max=col("handle_ms").max(),
        english=count(col("lang") == "en"), note_last=col("note").max(),
        tagged=col("tags").count(), revisions=col("revision").sum(),
    ).sort("market", "queue").sink_csv(f"{out}/wide.csv", engine="streaming")


def main():
    src, out, job = sys.argv[1:4]
    frame = clean(src)
    if job in ("report", "many"):
        write_series(last(frame, "market", "queue", "ts", "decision", "handle_ms"), out)
    elif job == "full":
        kept = last(frame, *[name for name in SCHEMA if name != "event_id"]) \
            .collect(engine="streaming").lazy()
        write_records(kept, out)
        write_series(kept, out)
    elif job == "filter":
        write_records(frame.filter(pl.col("market") == "DE"), out)
    else:
        write_wide(frame, out)


main()
