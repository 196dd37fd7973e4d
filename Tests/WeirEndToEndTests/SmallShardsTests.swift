import Glibc
import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

/// Small shards are taken together, up to 64 in one task: nothing may tell.
@Suite struct `Small shards` {
  private static let source =
    #""type": "jsonl", "paths": ["data/day=*/*"], "fields": { "id": "string", "market": "string", "rev": "int", "score": "int?" }"#

  private static func spec(_ more: String = "") -> String {
    #"""
    {
      "name": "many", "ledger_by": ["market"],
      "sources": { "s": { \#(source) \#(more) } },
      "transforms": {
        "clean": { "type": "normalize", "inputs": ["s"], "fields": { "market": { "case": "lower" } } },
        "unique": { "type": "dedupe", "inputs": ["clean"], "key": ["id"], "order_by": ["rev"] },
        "good": { "type": "filter", "inputs": ["unique"], "where": "score != 7" },
        "sums": { "type": "aggregate", "inputs": ["good"], "by": ["market", "rev"],
                  "metrics": { "n": { "count": true }, "mean": { "mean": "score" },
                               "part": { "sum": "double(score) / 7.0" }, "ids": { "distinct": "id" },
                               "rate": { "rate": "rev > 2" }, "last": { "max": "id" } } }
      },
      "sinks": { "sums_csv": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" } }
    }
    """#
  }

  private static let specs = [spec(), Corpus.spec]
  /// The last of them takes each shard for itself.
  private static let ways = [1, 2, 3, 8, 64]

  private static func shards(_ seed: UInt64, count: Int = 150) -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: Corpus(seed: seed, shardCount: count, lines: 7).shards.map {
        ($0.path, $0.bytes)
      })
  }

  private func run(
    _ spec: String, _ shards: [String: [UInt8]], in folder: TemporaryFolder,
    _ change: (inout PipelineRunner) -> Void = { _ in }
  ) async throws -> PipelineOutcome {
    for path in try filesBelow(folder.file("data")).keys where shards["data/" + path] == nil {
      unlink(folder.file("data/" + path))
    }
    for (path, bytes) in shards where (try? readFile(folder.file(path))) != bytes {
      try folder.write(bytes, at: path)
    }
    var runner = PipelineRunner(spec, files: [])
    runner.isForced = true
    change(&runner)
    return try await runner.run(in: folder)
  }

  @Test(arguments: specs.indices)
  func `give the same bytes and keep the same results, together or not`(which: Int) async throws {
    let (spec, shards) = (Self.specs[which], Self.shards(3))
    try await withTemporaryFolder { folder in
      var first: (everything: [String: [UInt8]], keys: [String])?
      for workers in Self.ways {
        try removeTree(folder.file(".weir/digests"))
        let outcome = try await run(spec, shards, in: folder) { $0.workers = workers }
        let tasks = try #require(outcome.result?.tasks, "\(outcome)")
        #expect(tasks.allSatisfy { !$0.isReused && $0.key.utf8.count == 32 })
        if let first {
          differences(first.everything, outcome.everything, "\(workers) workers")
          #expect(first.keys == tasks.map(\.key))
        } else {
          first = (outcome.everything, tasks.map(\.key))
          #expect(outcome.quarantine.count > 10)
        }
        // What was kept is good for those who take other shards together.
        for other in Self.ways {
          let again = try await run(spec, shards, in: folder) { $0.workers = other }
          #expect(again.result?.tasks.allSatisfy(\.isReused) == true)
          differences(outcome.everything, again.everything, "\(workers), then \(other) workers")
        }
      }
    }
  }

  @Test(arguments: ways)
  func `find each other again by themselves when some come, go or are replaced`(
    workers: Int
  ) async throws {
    var shards = Self.shards(4)
    try await withTemporaryFolder { folder in
      _ = try await run(Self.spec(), shards, in: folder) { $0.workers = workers }
      let names = shards.keys.sorted()
      for night in 0..<5 {
        var changed = 0
        switch night {
        case 0: shards[names[70]] = nil
        case 1:
          shards["data/day=000/first.jsonl"] = Array(
            #"{"id":"1","market":"DE","rev":9,"score":3}"#.utf8)
          changed = 1
        case 2:
          // Another content of the same size, in the middle of others.
          let text = try decodedText(shards[names[30]]!)
          shards[names[30]] = text
          shards[names[31]] = [UInt8](repeating: 0x20, count: text.count - 1) + [0x0A]
          changed = 2
        case 3:
          shards[names[30]] = shards[names[31]]
          changed = 1
        default: break
        }
        let outcome = try await run(Self.spec(), shards, in: folder) { $0.workers = workers }
        let fresh = try await withTemporaryFolder {
          try await run(Self.spec(), shards, in: $0) { $0.digestBytes = 0 }
        }
        differences(fresh.everything, outcome.everything, "night \(night)")
        let done = outcome.result?.tasks.count { $0.pass == 0 && !$0.isReused }
        #expect(done == changed, "night \(night)")
      }
    }
  }

  @Test(arguments: [false, true])
  func `with a bad one among them fail or set it aside, and nothing else`(
    setsAside: Bool
  ) async throws {
    var shards = Self.shards(5)
    let names = shards.keys.sorted()
    for place in [20, 21, 90] {
      let good = SampleShard.zstd(try decodedText(shards[names[place]]!))
      shards[names[place]] = Array(good.dropLast(5))
    }
    let spec = Self.spec(setsAside ? #", "on_bad_shard": "quarantine""# : "")
    var first: [String: [UInt8]]?
    var messages: Set<String> = []
    for workers in Self.ways {
      try await withTemporaryFolder { folder in
        let outcome = try await run(spec, shards, in: folder) { $0.workers = workers }
        guard setsAside else {
          let error = try #require(outcome.error as? RunError)
          #expect(outcome.outputs.isEmpty)
          messages.insert(error.code)
          return
        }
        #expect(outcome.result?.ledger.shardsSetAside.count == 3)
        if let first {
          differences(first, outcome.everything, "\(workers) workers")
        } else {
          first = outcome.everything
        }
        // Those around them were kept.
        let again = try await run(spec, shards, in: folder) { $0.workers = workers }
        differences(outcome.everything, again.everything, "again")
        #expect(again.result?.tasks.count { $0.isReused } == 2 * (shards.count - 3))
      }
    }
    #expect(messages == (setsAside ? [] : ["shard_truncated"]))
  }
}
