import WeirData
import WeirEngine
import WeirStages
import WeirTesting

@testable import WeirCatalog

/// A workspace with pipelines that are run through the real engine.
struct Nights {
  let folder: TemporaryFolder

  /// Rows by market and day, and the records.
  static let spec = #"""
    { "name": "nightly", "ledger_by": ["market"],
      "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
        "fields": { "id": "string", "market": "string", "ts": "timestamp", "n": "int" } } },
      "transforms": {
        "unique": { "type": "dedupe", "inputs": ["s"], "key": ["id"] },
        "sums": { "type": "aggregate", "inputs": ["unique"], "by": ["market"],
          "time": "ts", "bucket": "1d",
          "metrics": { "records": { "count": true }, "total": { "sum": "n" } } } },
      "sinks": {
        "rows": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" },
        "lines": { "type": "jsonl", "inputs": ["sums"], "path": "sums.jsonl.zst" },
        "records": { "type": "jsonl", "inputs": ["unique"], "path": "records.jsonl" } } }
    """#

  var workspace: Workspace { Workspace(path: folder.file(".weir")) }
  var out: String { folder.file("out") }
  var runs: String { folder.file(".weir/runs") }

  func shard(_ name: String, day: Int, markets: [String] = ["DE", "FR"], n: Int = 1) throws {
    let lines = markets.flatMap { market in
      (0..<3).map {
        #"{"id":"\#(name)-\#(market)-\#($0)","market":"\#(market)","ts":"2026-09-0\#(day)T0\#($0):00:00Z","n":\#(n)}"#
      }
    }
    try folder.write(SampleShard.text(lines), at: "data/\(name)")
  }

  @discardableResult
  func run(
    spec: String = Nights.spec, keep: Int = 3, isForced: Bool = true, history: (any RunHistory)?,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> RunResult {
    let path = try folder.write(spec, at: "p.json")
    let (checked, problems) = Spec.load(
      Array(spec.utf8), file: path, registry: .standard, given: [], currentDirectory: folder.path)
    var all = problems
    guard let plan = checked.flatMap({ Plan.make($0, problems: &all) }) else {
      throw Failure(text: all.text)
    }
    var options = RunOptions(workers: 2, workspace: workspace)
    options.outDirectory = out
    options.keep = keep
    options.isForced = isForced
    options.history = history
    return try await plan.run(options, progress: Progress())
  }

  /// Runs with a catalogue of its own, as a process does.
  @discardableResult
  func night(
    spec: String = Nights.spec, keep: Int = 3, isForced: Bool = true,
    isolation: isolated (any Actor)? = #isolation
  ) async throws -> (result: RunResult, changes: ChangesSummary?) {
    let history = CatalogueHistory(workspace)
    let result = try await run(spec: spec, keep: keep, isForced: isForced, history: history)
    return (result, history.changes)
  }

  func changes(_ run: String) throws -> JSONValue {
    try JSONValue(reading: readFile("\(runs)/\(run)/changes.json"))
  }

  struct Failure: Error { var text: String }
}

/// Runs `body` with an empty workspace.
func withNights<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: (Nights) async throws -> Result
) async throws -> Result {
  try await withTemporaryFolder { try await body(Nights(folder: $0)) }
}
