import WeirData
import WeirStages
import WeirTesting

@testable import WeirEngine

/// A source `in`, an optional transform `stage` and a CSV sink `out`, planned as a run would.
struct PlannedPipeline {
  let plan: Plan

  /// - Parameters:
  ///   - fields: JSON of the source's `fields`.
  ///   - transform: JSON of one transform that reads `in`, or nothing.
  ///   - sink: JSON of the sink.
  ///   - zone: of the spec.
  init?(
    fields: String, transform: String? = nil, sink: String? = nil, zone: String? = nil,
    _ problems: inout Problems
  ) {
    let input = transform == nil ? "in" : "stage"
    let sink = sink ?? #"{"type": "csv", "inputs": ["\#(input)"], "path": "out.csv"}"#
    let text = """
      {"name": "test",\(zone.map { "\"zone\": \"\($0)\"," } ?? "")
       "sources": {"in": {"type": "jsonl", "paths": ["*.jsonl"], "fields": \(fields)}},
       "transforms": {\(transform.map { "\"stage\": \($0)" } ?? "")},
       "sinks": {"out": \(sink)}}
      """
    let registry = StageRegistry([JSONLSource.self, Aggregate.self, CSVSink.self])
    let (spec, found) = Spec.load(
      Array(text.utf8), file: "spec.json", registry: registry, given: [], currentDirectory: "/",
      allowMissingParams: false)
    problems.add(contentsOf: found)
    guard let spec, let plan = Plan.make(spec, problems: &problems) else { return nil }
    self.plan = plan
  }

  var lane: Lane { plan.lanes[0] }

  var reduce: any BoundReduce {
    if case .reduce(let reduce) = lane.nodes[0].work { reduce } else { fatalError("no reduce") }
  }

  var recordSink: any BoundRecordSink {
    if case .sink(let sink) = lane.nodes[0].work { sink } else { fatalError("no record sink") }
  }

  func stage(_ name: String) -> any Stage { plan.spec.stages.first { $0.name == name }!.stage }

  func makeMerger() -> any ReduceMerger {
    (stage("stage") as! any ReduceStage).makeMerger([reduce])
  }

  func makeScanner() -> any BatchScanner { lane.source.makeScanner() }

  /// The records of a shard as batches of about `batchBytes`.
  func read(
    _ lines: some Sequence<String>, batchBytes: Int = 1 << 20, scanner: (any BatchScanner)? = nil,
    _ take: (borrowing Batch, Selection) -> Void
  ) throws {
    let scanner = scanner ?? makeScanner()
    let shard = Shard(path: "test.jsonl", name: Array("test.jsonl".utf8), size: 0)
    var limits = lane.source.limits
    limits.batchBytes = batchBytes
    var decoder = ShardDecoder(path: shard.path, limits: limits)
    func emit(_ block: consuming LineBlock) {
      let scanned = scanner.scan(block, of: shard)
      take(scanned.batch, scanned.selection)
    }
    let text = lines.map { $0 + "\n" }.joined()
    try decoder.consume(Bytes(Array(text.utf8)), emit: emit)
    try decoder.finish(emit: emit)
  }

  /// The partial of one shard.
  func partial(
    _ lines: some Sequence<String>, batchBytes: Int = 1 << 20, coder: CodedColumns? = nil
  ) throws -> (bytes: [UInt8], refusals: [Refusal]) {
    let partial = reduce.makePartial()
    var refusals: [Refusal] = []
    try read(lines, batchBytes: batchBytes) { batch, selection in
      coder?.encode(batch, columns: 0..<batch.columnCount)
      partial.add(batch, selection, &refusals)
    }
    return (partial.encode(), refusals)
  }

  /// The rows that some shards come to.
  func rows(_ shards: [[String]], batchBytes: Int = 1 << 20) throws -> RowTable {
    let merger = makeMerger()
    for shard in shards { try merger.merge(try partial(shard, batchBytes: batchBytes).bytes) }
    return try merger.rows()
  }
}

extension ReduceMerger {
  /// The rows of the default port.
  func rows() throws -> RowTable {
    guard case .rows(let table)? = try finish()[""] else { fatalError("no rows") }
    return table
  }
}
