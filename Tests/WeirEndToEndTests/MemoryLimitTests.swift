import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `Limits of memory` {
  /// What a later pass needs is kept here, as no record is written; the orders are wide; one source
  /// comes over a longer way; and of some barriers nothing but what they removed is wanted.
  static let kept = #"""
    {
      "name": "kept",
      "ledger_by": ["market"],
      "sources": {
        "s": { "type": "jsonl", "paths": ["data/day=*/*"],
          "fields": { "id": "string", "market": "any?", "rev": "int", "score": "int?",
                      "note": "string?" } },
        "t": { "type": "jsonl", "paths": ["data/day=0/*", "data/day=3/*"],
          "allow_empty": true,
          "fields": { "id": "string", "market": "any?", "rev": "int", "score": "int?",
                      "note": "string?" } }
      },
      "transforms": {
        "unique": { "type": "dedupe", "inputs": ["s"], "key": ["id", "rev"], "order_by": ["note"] },
        "good": { "type": "filter", "inputs": ["unique"], "where": "score == null || score >= 10" },
        "both": { "type": "dedupe", "inputs": ["good", "t"], "key": ["note"],
                  "order_by": ["score", "rev"], "keep": "first" },
        "twice": { "type": "dedupe", "inputs": ["t"], "key": ["market"] },
        "sums": { "type": "aggregate", "inputs": ["both"], "by": ["rev"],
          "metrics": { "n": { "count": true }, "sum": { "sum": "score" },
                       "kinds": { "distinct": "note" } } },
        "all": { "type": "aggregate", "inputs": ["unique", "t"], "by": ["id"],
          "metrics": { "n": { "count": true } } }
      },
      "sinks": {
        "sums_csv": { "type": "csv", "inputs": ["sums"], "path": "sums.csv" },
        "all_rows": { "type": "jsonl", "inputs": ["all"], "path": "all.jsonl" },
        "gone": { "type": "jsonl", "inputs": ["unique.removed"], "path": "gone.jsonl" },
        "second": { "type": "csv", "inputs": ["both.removed"], "path": "second.csv" },
        "third": { "type": "csv", "inputs": ["twice.removed"], "path": "third.csv" }
      }
    }
    """#

  @Test(arguments: 0..<6)
  func `change no byte, whatever goes to the disk`(seed: Int) async throws {
    var random = SeededRandom(seed: UInt64(1_000 + seed))
    let corpus = Corpus(
      seed: UInt64(seed), shardCount: 1 + random.below(7), lines: random.pick([30, 400, 3_000]))
    for spec in [Self.kept, Corpus.spec] {
      var first: [String: [UInt8]]?
      for workers in [2, 1, 3, 8] {
        // All in memory, nothing, and whatever comes first.
        for kept in [.max, 0, random.below(3_000), random.below(60_000)] {
          var runner = PipelineRunner(spec, files: corpus.shards)
          runner.workers = workers
          runner.batchBytes = random.pick([1 << 10, 16 << 10, 256 << 10])
          runner.memory = MemoryShares(
            workers: workers, kept: kept, deciding: random.pick([.max, 1, 2_000, 20_000]))
          runner.memory!.earlyBytes = random.pick([1, 700, .max])
          let outcome = try await runner.run()
          #expect(outcome.error == nil, "\(outcome.error.map { "\($0)" } ?? "")")
          if let first {
            let other = outcome.everything
            for path in Set(first.keys).union(other.keys).sorted() where first[path] != other[path]
            {
              Issue.record("\(path) differs: \(workers) workers, \(runner.memory!)")
            }
          } else {
            first = outcome.everything
            #expect(outcome.outputs.count > 5)
          }
        }
      }
    }
  }

  @Test(.enabled(if: RunningBinary.weir != nil, "the binary is not beside the tests"))
  func `that cannot be kept are said, and those that can are`() throws {
    try withTemporaryFolder { folder in
      for shard in Corpus(seed: 1).shards { try folder.write(shard.bytes, at: shard.path) }
      let spec = try folder.write(Corpus.spec, at: "corpus.json")
      func run(_ memory: String) throws -> RunningBinary.Outcome {
        try RunningBinary.run(
          weir,
          [
            "run", spec, "--out", folder.file("out"), "--workspace", folder.file("ws"),
            "--memory", memory, "--quiet",
          ])
      }
      let small = try run("10MB")
      #expect(small.exit == 64)
      #expect(small.errors.contains("--memory wants at least"), "\(small.errors)")
      let smallest = try #require(
        small.errors.split(separator: " ").first { $0.hasSuffix("MiB") }.map(String.init))
      #expect(try run(smallest).exit == 0)
      for wrong in ["much", "12", "-1GB", "1 GB"] { #expect(try run(wrong).exit == 64, "\(wrong)") }
      // The one run that began left nothing of what it had set aside.
      let runs = listFolder(folder.file("ws/.weir/runs"))
      #expect(runs.count == 1)
      for run in runs {
        #expect(!listFolder(folder.file("ws/.weir/runs/\(run)")).contains("spool"))
      }
    }
  }
}
