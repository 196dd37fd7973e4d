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
        "sources": { \(DecisionStages.source(data)) },
        "transforms": {
          \(DecisionStages.clean),
          \(dedupes ? DecisionStages.unique + "," : "")
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
}
