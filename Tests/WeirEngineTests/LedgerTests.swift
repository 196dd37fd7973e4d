import Testing
import WeirData

@testable import WeirEngine

@Suite struct `A ledger` {
  /// Of a run that adds up: source, filter, dedupe, sink; two shards; by market.
  private static var balanced: Ledger {
    func counts(
      _ in: Int, _ out: Int, filtered: Int = 0, deduplicated: Int = 0, quarantined: Int = 0,
      taken: Int = 0
    ) -> StageCounts {
      var counts = StageCounts()
      counts.in = `in`
      counts.out = out
      counts.filtered = filtered
      counts.deduplicated = deduplicated
      counts.quarantined = quarantined
      counts.taken = taken
      return counts
    }
    func records(_ read: Int, _ written: Int, _ f: Int, _ d: Int, _ q: Int, _ b: Int)
      -> RecordCounts
    {
      var records = RecordCounts()
      records.read = read
      records.written = written
      records.filtered = f
      records.deduplicated = d
      records.quarantined = q
      records.blank = b
      return records
    }
    var ledger = Ledger()
    ledger.records = records(20, 9, 4, 5, 2, 3)
    ledger.stages = [
      .init(
        name: "s", type: "jsonl", kind: .source, counts: counts(20, 18, quarantined: 2),
        takesRecords: true),
      .init(
        name: "f", type: "filter", kind: .map, counts: counts(18, 14, filtered: 4),
        takesRecords: true),
      .init(
        name: "d", type: "dedupe", kind: .barrier, counts: counts(14, 9, deduplicated: 5),
        takesRecords: true),
      .init(
        name: "o", type: "jsonl", kind: .sink, counts: counts(9, 0, taken: 9), takesRecords: true),
    ]
    ledger.edges = [
      .init(from: "s", to: "f", records: 18), .init(from: "f", to: "d", records: 14),
      .init(from: "d", to: "o", records: 9),
    ]
    ledger.shards = [
      .init(
        source: "s", shard: "a", contentHash: "", bytes: 1, records: records(12, 5, 3, 3, 1, 1)),
      .init(source: "s", shard: "b", contentHash: "", bytes: 1, records: records(8, 4, 1, 2, 1, 2)),
    ]
    ledger.groupFields = ["market"]
    ledger.groups = [
      .init(values: [nil], records: records(2, 0, 0, 0, 2, 0)),
      .init(values: ["DE"], records: records(18, 9, 4, 5, 0, 0)),
    ]
    return ledger
  }

  private static var stageNumbers: [WritableKeyPath<StageCounts, Int>] {
    [
      \.in, \.out, \.filtered, \.deduplicated, \.quarantined, \.taken,
    ]
  }
  private static var recordNumbers: [WritableKeyPath<RecordCounts, Int>] {
    [
      \.read, \.written, \.filtered, \.deduplicated, \.quarantined,
    ]
  }

  @Test func `that adds up has nothing to say`() {
    #expect(Self.balanced.imbalances() == [])
  }

  @Test(arguments: [-1, 1, 100])
  func `says so when any one of its numbers is off`(by: Int) {
    func isCaught(_ what: String, _ change: (inout Ledger) -> Void) {
      var ledger = Self.balanced
      change(&ledger)
      #expect(!ledger.imbalances().isEmpty, "\(what) off by \(by)")
    }
    for number in Self.recordNumbers + [\.blank] {
      isCaught("the run's \(number)") { $0.records[keyPath: number] += by }
      for i in 0..<2 {
        isCaught("shard \(i)'s \(number)") { $0.shards[i].records[keyPath: number] += by }
      }
    }
    for number in Self.recordNumbers {
      for i in 0..<2 {
        isCaught("group \(i)'s \(number)") { $0.groups[i].records[keyPath: number] += by }
      }
    }
    for i in 0..<4 {
      for number in Self.stageNumbers {
        isCaught("stage \(i)'s \(number)") { $0.stages[i].counts[keyPath: number] += by }
      }
    }
    for i in 0..<3 { isCaught("edge \(i)") { $0.edges[i].records += by } }
  }

  @Test func `says so when a record moves from one producer's edge to another's`() {
    var ledger = Self.balanced
    ledger.stages.append(
      .init(
        name: "p", type: "jsonl", kind: .sink, counts: StageCounts(), takesRecords: true))
    ledger.edges.append(.init(from: "d", to: "p", records: 9))
    #expect(!ledger.imbalances().isEmpty, "an edge brought 9 records to a sink that took none")
  }
}
