/// The job of the benchmark, `report`, with or without some of its stages.
struct MicroSpec {
  var data: String
  /// Whether a `dedupe` stands before the aggregation.
  var dedupes = false
  /// Whether the records are written, as plain JSONL.
  var writes = false

  /// As JSON.
  var text: String {
    let unique = dedupes ? "unique" : "clean"
    return """
      {
        "name": "micro",
        "sources": {
          "decisions": { "type": "jsonl", "paths": ["\(data)/date=*/*.jsonl.zst"],
                         "fields": { "event_id": "string", "ts": "any", "market": "string",
                                     "queue": "string", "decision": "string", "handle_ms": "int?",
                                     "revision": "int" } }
        },
        "transforms": {
          "clean":  { "type": "normalize", "inputs": ["decisions"],
                      "fields": { "market": { "trim": true, "case": "upper", "map": \(Self.markets) },
                                  "queue":  { "trim": true, "case": "lower", "replace": { "-": "_" } },
                                  "ts":     { "timestamp": ["rfc3339", "epoch_ms"] } } },
          \(dedupes ? dedupe : "")
          "series": { "type": "aggregate", "inputs": ["\(unique)"], "time": "ts", "bucket": "1d",
                      "by": ["market", "queue"],
                      "metrics": { "n": { "count": true },
                                   "rate": { "rate": "decision == 'violation'" },
                                   "handle_ms": { "mean": "handle_ms" } } }
        },
        "sinks": {
          \(writes ? #""records": { "type": "jsonl", "inputs": ["clean"], "path": "records.jsonl" },"# : "")
          "series_csv": { "type": "csv", "inputs": ["series"], "path": "series.csv" }
        }
      }
      """
  }

  private let dedupe = """
    "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["event_id"], "keep": "last",
                "order_by": ["revision"] },
    """

  /// Every spelling in upper case and its code.
  static var markets: String {
    var entries: [String] = []
    for market in World.markets {
      for spelling in [market.code] + market.spellings {
        let key = spelling.uppercased().split(separator: " ").joined(separator: " ")
        let entry = "\"\(key)\": \"\(market.code)\""
        if !entries.contains(entry) { entries.append(entry) }
      }
    }
    return "{\(entries.joined(separator: ", "))}"
  }
}
