import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `Kept decisions` {
  private static let orders = ["rev", "name", "name, rev", ""]

  private static func spec(order: String, keep: String, removed: Bool) -> String {
    let fields = order.split(separator: ",").map {
      "\"\($0.filter { $0 != " " })\""
    }.joined(separator: ", ")
    return #"""
      {
        "name": "kept",
        "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
          "fields": { "id": "string", "rev": "int?", "name": "string?", "n": "int" } } },
        "transforms": {
          "odd": { "type": "filter", "inputs": ["s"], "where": "n % 2 == 1" },
          "even": { "type": "filter", "inputs": ["s"], "where": "n % 3 == 0" },
          "unique": { "type": "dedupe", "inputs": ["odd", "even"], "key": ["id"], "keep": "\#(keep)"
            \#(fields.isEmpty ? "" : ", \"order_by\": [\(fields)]") },
          "sums": { "type": "aggregate", "inputs": ["unique"], "by": ["name"],
            "metrics": { "n": { "count": true }, "sum": { "sum": "n" } } }
        },
        "sinks": {
          "records": { "type": "jsonl", "inputs": ["unique"], "path": "unique.jsonl" },
          \#(removed ? #""gone": { "type": "csv", "inputs": ["unique.removed"], "path": "gone.csv" },"# : "")
          "rows": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" }
        }
      }
      """#
  }

  private func shard(_ random: inout SeededRandom) -> [UInt8] {
    SampleShard.text(
      (0..<random.below(40)).map { _ in
        let rev = random.oneIn(5) ? "null" : "\(random.below(4))"
        let name = random.oneIn(5) ? "null" : "\"\(random.pick(["a", "b", "", "ab"]))\""
        return
          #"{"id":"k\#(random.below(300))","rev":\#(rev),"name":\#(name),"n":\#(random.below(100))}"#
      })
  }

  /// A night, in which little happens: a shard comes, goes, is replaced, or changes its place.
  private func change(_ shards: inout [String: [UInt8]], _ random: inout SeededRandom) {
    let paths = shards.keys.sorted()
    switch random.below(6) {
    case 0, 1: shards["data/\(random.below(1_000)).jsonl"] = shard(&random)
    case 2: shards[random.pick(paths)] = nil
    case 3: shards[random.pick(paths)] = shard(&random)
    case 4:
      shards["data/\(random.below(1_000)).jsonl"] = shards.removeValue(forKey: random.pick(paths))
    default:
      let (a, b) = (random.pick(paths), random.pick(paths))
      (shards[a], shards[b]) = (shards[b], shards[a])
    }
  }

  private func put(_ shards: [String: [UInt8]], in folder: TemporaryFolder) throws {
    for path in try filesBelow(folder.file("data")).keys where shards["data/" + path] == nil {
      unlink(folder.file("data/" + path))
    }
    for (path, bytes) in shards where (try? readFile(folder.file(path))) != bytes {
      try folder.write(bytes, at: path)
    }
  }

  @Test(arguments: orders, ["first", "last"])
  func `give what a decision over all tuples gives, whatever came, went or moved`(
    order: String, keep: String
  ) async throws {
    var random = SeededRandom(seed: UInt64(order.utf8.count) * 2 + UInt64(keep.utf8.count))
    var shards: [String: [UInt8]] = [:]
    for _ in 0..<24 { shards["data/\(random.below(1_000)).jsonl"] = shard(&random) }
    let removed = random.oneIn(3)
    try await withTemporaryFolder { folder in
      for night in 0..<16 {
        try put(shards, in: folder)
        var runner = PipelineRunner(
          Self.spec(order: order, keep: keep, removed: removed), files: [])
        runner.workers = 1 + night % 3
        runner.isForced = night % 4 == 3
        if night % 5 == 2 { runner.memory = MemoryShares(workers: 2, kept: 500, deciding: 2_000) }
        if night % 8 == 6 { runner.digestBytes = 4_000 }
        let outcome = try await runner.run(in: folder)
        #expect(outcome.error == nil && !outcome.problems.hasErrors, "\(outcome)")
        let fresh = try await withTemporaryFolder {
          try put(shards, in: $0)
          runner.digestBytes = 0
          runner.memory = nil
          return try await runner.run(in: $0)
        }
        let isSame = outcome.outputs == fresh.outputs
        #expect(isSame, "night \(night): outputs")
        // A night in which nothing happened has no ledger of its own.
        let isSameLedger =
          outcome.result?.isUnchanged == true || outcome.ledgerText == fresh.ledgerText
        #expect(isSameLedger, "night \(night): ledger")
        if !random.oneIn(5) { change(&shards, &random) }
      }
    }
  }

  @Test func `know what stayed, came, went and moved`() {
    func way(_ number: UInt64) -> KeptDecision.Way {
      KeptDecision.Way(task: Hash128(high: number, low: 1), lane: 0, node: 2)
    }
    func lines(_ number: UInt64) -> LineBitmap { LineBitmap(words: [number]) }
    let kept = KeptDecision(ways: (1...5).map { (way: way($0), losers: lines($0)) })
    func compare(_ now: [UInt64]) -> (stayed: [UInt64?], gone: [UInt64]) {
      let found = kept.compare(with: now.map(way))
      return (found.stayed.map { $0?.words[0] }, found.gone.map(\.task.high))
    }
    #expect(compare([1, 2, 3, 4, 5]) == ([1, 2, 3, 4, 5], []))
    #expect(compare([1, 9, 2, 3, 4, 5]) == ([1, nil, 2, 3, 4, 5], []))
    #expect(compare([1, 2, 4, 5]) == ([1, 2, 4, 5], [3]))
    // What stands before others now that it stood behind has gone, and come.
    #expect(compare([5, 1, 2]) == ([5, nil, nil], [1, 2, 3, 4]))
    #expect(compare([1, 1]) == ([1, nil], [2, 3, 4, 5]))
    #expect(compare([]) == ([], [1, 2, 3, 4, 5]))
  }
}

private func == (
  a: (stayed: [UInt64?], gone: [UInt64]), b: (stayed: [UInt64?], gone: [UInt64])
) -> Bool { a.stayed == b.stayed && a.gone == b.gone }
