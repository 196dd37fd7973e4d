import WeirEngine
import WeirStages

/// What `weir init` puts into a folder.
enum InitFiles {
  /// The name of the pipeline: that of the folder, of the letters that a name may have.
  static func name(for folder: String) -> String {
    let allowed = lastComponent(of: absolutePath(folder)).utf8.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
      default: UInt8(ascii: "-")
      }
    }
    let name = String(decoding: allowed.prefix(100), as: UTF8.self)
    return allowed.contains { $0 != UInt8(ascii: "-") } ? name : "pipeline"
  }

  static func all(name: String) -> [(path: String, bytes: [UInt8])] {
    let texts = [
      ("pipeline.json", spec(name)), ("pipeline.test.json", test),
      ("maps/markets.json", markets), ("README.md", readme),
      (".gitignore", "out/\n.weir/\n"),
      ("schema/pipeline.schema.json", pipelineSchema(.standard)),
      ("schema/test.schema.json", testSchema()),
    ]
    return texts.map { ($0, Array($1.utf8)) }
      + SampleDecisions.shards().map { (joinPath("data", $0.path), $0.bytes) }
  }

  private static func spec(_ name: String) -> String {
    """
    {
      "$schema": "schema/pipeline.schema.json",
      "name": "\(name)",
      "description": "What changed in which market and queue, since when, and by how much.",
      "ledger_by": ["market"],
      "params": {
        "data": {
          "type": "path",
          "default": "data",
          "description": "Folder with the date=YYYY-MM-DD shards"
        },
        "through": { "type": "date", "default": "latest", "description": "Last day reported" }
      },
      "sources": {
        "decisions": {
          "type": "jsonl",
          "paths": ["${param.data}/date=*/*.jsonl.zst"],
          "fields": {
            "event_id": "string",
            "ts": "any",
            "market": "string",
            "queue": "string",
            "team": "string?",
            "decision": "string",
            "handle_ms": "int?",
            "revision": "int"
          }
        }
      },
      "transforms": {
        "clean": {
          "type": "normalize",
          "inputs": ["decisions"],
          "fields": {
            "market": {
              "trim": true,
              "case": "upper",
              "map": "maps/markets.json",
              "unmapped": "quarantine"
            },
            "queue": { "trim": true, "case": "lower", "replace": { "-": "_" } },
            "ts": { "timestamp": ["rfc3339", "epoch_ms"] }
          }
        },
        "unique": {
          "type": "dedupe",
          "inputs": ["clean"],
          "key": ["event_id"],
          "keep": "last",
          "order_by": ["revision"]
        },
        "trends": {
          "type": "trend",
          "inputs": ["unique"],
          "time": "ts",
          "bucket": "1d",
          "through": "${param.through}",
          "by": ["market", "queue"],
          "segments": ["team"],
          "metrics": {
            "violation_rate": { "rate": "decision == 'violation'" },
            "volume": { "count": true }
          }
        },
        "by_market": {
          "type": "aggregate",
          "inputs": ["unique"],
          "by": ["market", "queue"],
          "metrics": {
            "decisions": { "count": true },
            "violation_rate": { "rate": "decision == 'violation'" },
            "handle_ms": { "mean": "handle_ms" }
          }
        }
      },
      "sinks": {
        "report": {
          "type": "report",
          "inputs": ["trends"],
          "path": "report.html",
          "record_noun": "decisions"
        },
        "findings": { "type": "jsonl", "inputs": ["trends"], "path": "findings.jsonl" },
        "table": { "type": "csv", "inputs": ["by_market"], "path": "markets.csv" }
      }
    }

    """
  }

  private static let test = #"""
    {
      "$schema": "schema/test.schema.json",
      "tests": [
        {
          "name": "the spellings of a market and a queue become one; what is unknown is refused",
          "end": "clean",
          "inputs": {
            "decisions": [
              { "event_id": "1", "ts": "2026-01-05T08:00:00+01:00", "market": "Germany", "queue": "SPAM", "decision": "violation", "revision": 1 },
              { "event_id": "2", "ts": "2026-01-05T08:00:00Z", "market": "Atlantis", "queue": "spam", "decision": "approve", "revision": 1 }
            ]
          },
          "expect": {
            "records": [
              { "event_id": "1", "ts": "2026-01-05T07:00:00Z", "market": "DE", "queue": "spam", "decision": "violation", "revision": 1 }
            ],
            "ledger": { "read": 2, "written": 1, "quarantined": 1 },
            "codes": { "unmapped_value": 1 }
          }
        },
        {
          "name": "of the revisions of a decision the last one counts",
          "end": "by_market",
          "inputs": {
            "decisions": [
              { "event_id": "1", "ts": "2026-01-05T08:00:00Z", "market": "DE", "queue": "spam", "decision": "violation", "handle_ms": 4000, "revision": 1 },
              { "event_id": "1", "ts": "2026-01-05T08:00:00Z", "market": "DE", "queue": "spam", "decision": "approve", "handle_ms": 5000, "revision": 2 }
            ]
          },
          "expect": {
            "rows": [
              { "market": "DE", "queue": "spam", "decisions": 1, "violation_rate": 0, "handle_ms": 5000 }
            ],
            "ledger": { "read": 2, "written": 1, "deduplicated": 1 },
            "codes": {}
          }
        }
      ]
    }

    """#

  private static let markets = """
    {
      "DE": "DE",
      "FR": "FR",
      "GERMANY": "DE",
      "US": "US",
      "USA": "US"
    }

    """

  private static let readme = """
    # A pipeline to start from

    ```
    weir run pipeline.json
    ```

    makes, below `out/` in the folder where you are, `report.html` (open it), `findings.jsonl` (the same for machines) and \
    `markets.csv`. The data is made up, and one change is planted in it: in the market DE twice as many \
    decisions of the queue `spam` are violations from 2 February 2026 on. The report finds it.

    | | |
    |---|---|
    | `pipeline.json` | the spec: what is read, what is done with it, what is written |
    | `pipeline.test.json` | its test: `weir test pipeline.json` |
    | `maps/markets.json` | how markets are spelled in the data, and what they are called in the report |
    | `data/` | one shard a day; replace it, or say `--param data=FOLDER` |
    | `schema/` | for editors: they complete and check both files with it |

    To make it your own:

    1. Put your shards in the place of `data/`, or change `paths`. `fields` names what the pipeline uses, \
    with types, and `?` where null is fine.
    2. `weir validate pipeline.json` says every mistake with its place and the fix.
    3. `weir preview pipeline.json --stage clean` shows what is made of the first records.
    4. `weir run pipeline.json` again: where lines were refused, `weir quarantine` shows which and why.
    5. `weir test pipeline.json --update` writes the test anew, from what comes out now.

    `weir stages` lists what a pipeline can do; `weir stages trend` is the manual of one stage.

    """
}
